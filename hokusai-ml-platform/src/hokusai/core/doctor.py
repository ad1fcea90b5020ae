"""What is wrong with an installation, and its repair.

First each server is asked whether it can be used; then, if they can, the registry is examined for what a crash or
somebody's hand left behind. Nothing is changed unless repair is asked for, and every repair is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hokusai.core.examination import REPAIRED, Examination
from hokusai.core.findings import Finding, leftovers
from hokusai.core.hops import Hop, HopVerdict, check_hops, probe_artifacts
from hokusai.core.stage_log import StageLog
from hokusai.domain.audit import Happening
from hokusai.ports import Ledger, ModelStore

Check = tuple[str, Callable[[], Iterable[Finding]]]


@dataclass(frozen=True, slots=True)
class Installation:
    """What is to be examined. Stores are opened by the doctor, since it may be that they cannot be.

    Attributes:
        store, ledger: Open them.
        actor: Who works here.
        store_address, ledger_address, artifact_address: Where they are, without passwords.
        home: The folder for whatever has no server of its own.
        drafts: Pattern of names in `home` of what a killed process may leave there, and what it is.
        hops: Other servers that have to be reached.
        checks: Other things to be looked at.
    """

    store: Callable[[], ModelStore]
    ledger: Callable[[], Ledger]
    actor: str
    store_address: str = ""
    ledger_address: str = ""
    artifact_address: str = ""
    home: Path | None = None
    drafts: Mapping[str, str] = field(default_factory=dict)
    hops: Sequence[Hop] = ()
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """A finding that was to be mended.

    Attributes:
        finding: The finding.
        done: What was done.
        failed: Why it could not be done; empty where it was.
    """

    finding: Finding
    done: str = ""
    failed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "finding": self.finding.name,
            "subject": self.finding.subject,
            "done": self.done or None,
            "failed": self.failed or None,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        hops: Each server.
        findings: What is not as it should be; those that were mended are not among them.
        repairs: What was mended, or could not be.
        not_checked: What could not be looked at, and why.
    """

    hops: tuple[HopVerdict, ...]
    findings: tuple[Finding, ...] = ()
    repairs: tuple[Repair, ...] = ()
    not_checked: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether everything could be looked at, and no fault is left."""
        return (
            all(hop.ok for hop in self.hops)
            and not self.not_checked
            and not any(finding.is_fault for finding in self.findings)
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "healthy": self.is_healthy,
            "hops": [hop.to_dict() for hop in self.hops],
            "findings": [finding.to_dict() for finding in self.findings],
            "repairs": [repair.to_dict() for repair in self.repairs],
            "not_checked": list(self.not_checked),
        }


def diagnose(
    installation: Installation,
    *,
    repair: bool = False,
    deep: bool = False,
    older_than_hours: float = 24.0,
    timeout_seconds: float = 30.0,
) -> Diagnosis:
    """Look at everything, and mend what can be mended safely if `repair` says so.

    Args:
        installation: What to look at.
        repair: Whether to mend.
        deep: Whether to read the files of every version and compare them with their digests.
        older_than_hours: From which age files without a version are taken for left over.
        timeout_seconds: How long a server may be silent.
    """
    hops = check_hops(_hops(installation), timeout_seconds)
    checks: list[Check] = list(installation.checks)
    not_checked: list[str] = []
    ledger: Ledger | None = None
    if all(hop.ok for hop in hops[:2]):
        store, ledger = installation.store(), installation.ledger()
        examination = Examination(
            store,
            ledger,
            StageLog(store),
            installation.actor,
            older_than_hours=older_than_hours,
            deep=deep,
        )
        checks = [*examination.checks(), *checks]
    else:
        not_checked.append("The registry, because not all of its servers can be used")
    if installation.home is not None:
        home, drafts = installation.home, installation.drafts
        checks.append(("drafts", lambda: leftovers(home, drafts)))
    findings: list[Finding] = []
    repairs: list[Repair] = []
    for name, check in checks:
        try:
            found = list(check())
        except Exception as problem:  # noqa: BLE001 - one check that fails must not hide what the others find
            not_checked.append(f"{name}: {str(problem) or type(problem).__name__}")
            continue
        for finding in found:
            if repair and finding.fix is not None and ledger is not None:
                repairs.append(_mended(finding, finding.fix, ledger, installation.actor))
                if repairs[-1].failed:
                    findings.append(finding)
            else:
                findings.append(finding)
    return Diagnosis(tuple(hops), tuple(findings), tuple(repairs), tuple(not_checked))


def _hops(installation: Installation) -> list[Hop]:
    return [
        Hop("ledger", installation.ledger_address, lambda: installation.ledger().check()),
        Hop("mlflow", installation.store_address, lambda: installation.store().check()),
        Hop("artifacts", installation.artifact_address, lambda: probe_artifacts(installation.store())),
        *installation.hops,
    ]


def _mended(finding: Finding, fix: Callable[[], str], ledger: Ledger, actor: str) -> Repair:
    try:
        done = fix()
        told = {"finding": finding.name, "done": done, **finding.details}
        ledger.record([Happening(REPAIRED, finding.subject, actor, told)])
    except Exception as problem:  # noqa: BLE001 - nor must one repair
        return Repair(finding, failed=str(problem) or type(problem).__name__)
    return Repair(finding, done=done)
