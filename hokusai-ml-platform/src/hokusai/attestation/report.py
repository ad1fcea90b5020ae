"""What a verification comes to: every check that was made or not, and what they come to together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from hokusai.attestation.numbers import Json
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import HokusaiError

T = TypeVar("T")


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """What a report comes to."""

    VERIFIED = "verified"
    NOT_EVIDENCE = "not evidence"
    """Sound, but of a dry run on mock data."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What was checked, in order, and what was not.

    Attributes:
        checks: Every check, also those that were skipped because an earlier one failed.
        not_checked: What this verifier cannot or was not asked to check, in words.
        signed_by: Ids of the trusted keys that signed.
        statement_sha256: Digest of the signed bytes; None if there are none to speak of.
        statement: The signed statement; None unless its signature holds.
        claim: The statement as a noun; None unless it could be read.
    """

    checks: tuple[Check, ...]
    not_checked: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    statement_sha256: str | None = None
    statement: Json | None = None
    claim: DeltaOneClaim | None = None

    @property
    def ok(self) -> bool:
        """Whether no check failed. A dry run fails its own check unless the policy allows it."""
        return all(check.status is not Status.FAILED for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status is Status.FAILED)

    @property
    def verdict(self) -> Verdict:
        """What the checks come to. A dry run is never `VERIFIED`."""
        if any(check.name != "real run" for check in self.failed):
            return Verdict.REFUSED
        dry = self.claim is not None and self.claim.dry_run
        return Verdict.NOT_EVIDENCE if dry else Verdict.VERIFIED

    def to_dict(self) -> Json:
        """The report as JSON."""
        return {
            "verdict": self.verdict.value,
            "ok": self.ok,
            "statementSha256": self.statement_sha256,
            "signedBy": list(self.signed_by),
            "checks": [{"name": c.name, "status": c.status.value, "detail": c.detail} for c in self.checks],
            "notChecked": list(self.not_checked),
        }


class CheckLog:
    """Collects checks: a step gives a value that later ones need, a check gives a sentence.

    Args:
        names: Every check, in the order in which they are made.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.checks: list[Check] = []
        self._names = names

    def step(self, name: str, run: Callable[[], T], say: Callable[[T], str]) -> T | None:
        """What `run` gives; None if it refused, which is then noted."""
        try:
            value = run()
        except HokusaiError as exc:
            self.checks.append(Check(name, Status.FAILED, str(exc)))
            return None
        except (ArithmeticError, RecursionError, ValueError) as exc:
            # Hostile content: numbers of thousands of digits, lists a thousand deep.
            self.checks.append(
                Check(name, Status.FAILED, f"The content is out of bounds: {type(exc).__name__}")
            )
            return None
        self.checks.append(Check(name, Status.PASSED, say(value)))
        return value

    def check(self, name: str, run: Callable[[], str]) -> None:
        """Note what `run` says, or why it refused."""
        self.step(name, run, str)

    def passed(self, name: str) -> bool:
        """Whether the check called `name` was made and passed."""
        return any(check.name == name and check.status is Status.PASSED for check in self.checks)

    def skip(self, name: str, why: str) -> None:
        """Note that a check was not made."""
        self.checks.append(Check(name, Status.SKIPPED, why))

    def with_the_rest_skipped(self) -> tuple[Check, ...]:
        """All checks, those after the last one as skipped because of it."""
        last = self.checks[-1].name
        for name in self._names[len(self.checks) :]:
            self.skip(name, f"because the check {last!r} failed")
        return tuple(self.checks)
