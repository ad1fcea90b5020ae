"""What contributed data did for models: an improvement as it is reported, signed, and a contributor's impact over time.

    tracker = PerformanceTracker()
    delta, attestation = tracker.track_improvement(
        baseline_metrics={"accuracy": 0.85},
        improved_metrics={"accuracy": 0.88},
        data_contribution={"contributor_address": "0x742D35cc6634C0532925A3B844BC9E7595f62341", "samples": 1000},
    )
    tracker.log_contribution_impact("0x742D35cc6634C0532925A3B844BC9E7595f62341", "churn/1.1.0", delta)
    tracker.get_contributor_impact("0x742D35cc6634C0532925A3B844BC9E7595f62341")

The numbers are what somebody reports, and the attestation says so. An improvement that is to be paid for is measured:
see `hokusai.pipeline` and `hokusai.stats`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.core.registration import parsed_contributor
from hokusai.core.registry import ModelRegistry
from hokusai.domain.audit import AuditEvent, Happening
from hokusai.domain.canonical import digest
from hokusai.domain.contribution import party_key
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.impact import Impact, ImpactHistory
from hokusai.domain.journal import RunJournal
from hokusai.domain.lineage_parts import by_common_name, node_of
from hokusai.domain.records import ModelRecord, check_metrics, check_text
from hokusai.domain.reported import ReportedImprovement
from hokusai.errors import InvalidInputError, MetricError
from hokusai.tracking.provided import Tracking, default_tracking
from hokusai.utils.logging import get_logger
from hokusai.utils.twins import async_twin

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

IMPACT = "contribution.impact"
"""The kind of an entry in the audit trail that puts an impact down."""

_PAGE = 1_000
_log = get_logger(__name__)


class PerformanceTracker:
    """Tracks what contributed data did for models.

    Args:
        tracking_uri: An MLflow server or database; by default what the settings say.
        registry: Where models and the ledger are, instead.
        tracking: Where runs are written and what attestations are signed with, instead.

    Nothing is opened before it is needed.
    """

    def __init__(
        self,
        tracking_uri: str | None = None,
        *,
        registry: ModelRegistry | None = None,
        tracking: Tracking | None = None,
    ) -> None:
        self._uri, self._registry, self._tracking = tracking_uri, registry, tracking

    @cached_property
    def registry(self) -> ModelRegistry:
        """Where models and the ledger are."""
        return self._registry or ModelRegistry(self._uri)

    @cached_property
    def tracking(self) -> Tracking:
        """Where runs are written, and what attestations are signed with."""
        return self._tracking or default_tracking(self._uri)

    def track_improvement(
        self,
        baseline_metrics: Mapping[str, float],
        improved_metrics: Mapping[str, float],
        data_contribution: Mapping[str, Any],
        *,
        higher_is_better: Mapping[str, bool] | None = None,
    ) -> tuple[dict[str, float], dict[str, Any]]:
        """Put an improvement into numbers, sign it, keep it in the ledger, and write it to the tracking server.

        The same report again gives the same statement, and changes nothing where it is kept.

        Args:
            baseline_metrics: Name to value of the baseline model. Shares are fractions: 0.85, not 85.
            improved_metrics: Likewise of the improved model; the same metrics, by any of their names.
            data_contribution: Whose data, and which: `contributor_address`, `data_hash`, `samples`, `quality_score`,
                or the older names of these; whatever else is said is kept and signed too.
            higher_is_better: Which way is better, of metrics whose name does not say it.

        Returns:
            Metric to new minus baseline; and the attestation, JSON values, of which
            `hokusai.attestation.reported_statement.check_reported` is the test.

        Raises:
            MetricError: No metrics, one that is on one side only, or a value or name that cannot be used.
            InvalidInputError: Nobody contributed, or no data, or a member is of the wrong kind.
            ConfigurationError: There is no usable key.
            BackendUnavailableError: The ledger or the tracking server cannot be reached.
        """
        from hokusai.attestation.reported_statement import attest, envelope_of
        from hokusai.core.attestations import Attestations

        report = ReportedImprovement.of(
            baseline_metrics, improved_metrics, data_contribution, higher_is_better=higher_is_better
        )
        for warning in report.warnings:
            _log.warning(warning)
        attestation = attest(report, [self.tracking.signer()])
        Attestations(self.registry.ledger, self.registry.actor).put(envelope_of(attestation))
        told = report.contribution.to_dict()
        score = attestation["delta_one_score"]
        self._write_run(
            attestation["attestation_hash"].removeprefix("0x"),
            params={
                name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()
            },
            metrics={f"{name}_improvement": change for name, change in report.delta.items()}
            | ({} if score is None else {"delta_one_score": score}),
            attestation=attestation,
        )
        return report.delta, attestation

    def log_contribution_impact(
        self, contributor_address: str, model_id: str, delta: Mapping[str, float]
    ) -> None:
        """Put down what somebody's data did to a model, in the audit trail and on the tracking server.

        The same again changes nothing.

        Args:
            contributor_address: Whose data; anything but an address is an opaque id.
            model_id: Which model; one that the registry does not know will do.
            delta: Metric to new minus old, such as `track_improvement` gives it.

        Raises:
            MetricError: There are no metrics, or one is no finite number.
            InvalidInputError: The contributor or the model's id cannot be used.
            BackendUnavailableError: The ledger or the tracking server cannot be reached.
        """
        wallet = _contributor(contributor_address)
        changes = check_metrics(delta)
        if not changes:
            raise MetricError("There are no metrics: nothing is said of what the data did", where="delta")
        if not check_text(model_id, "model_id", 500).strip() or not model_id.isprintable():
            raise InvalidInputError(f"The model's id is {model_id!r}", where="model_id")
        details = {"contributor": str(wallet), "model_id": model_id, "delta": changes}
        ledger, subject = self.registry.ledger, party_key(str(wallet))
        if not ledger.has(IMPACT, subject, details):
            ledger.record([Happening(IMPACT, subject, self.registry.actor, details)])
        self._write_run(
            digest([IMPACT, details]),
            params={"contributor_address": str(wallet), "model_id": model_id},
            metrics={f"{name}_improvement": change for name, change in changes.items()},
        )

    def get_contributor_impact(self, contributor_address: str) -> ImpactHistory:
        """What somebody's data did to models, over time.

        A version that the registry knows as theirs counts with its recorded delta; what was put down counts for other
        models, and for metrics that the registry says nothing of. Nothing counts twice.

        Args:
            contributor_address: Whose data, in any case.

        Raises:
            InvalidInputError: It is empty, too long, or no text.
            BackendUnavailableError: The registry or the ledger cannot be reached.
        """
        wallet = _contributor(contributor_address, quiet=True)
        impacts = [
            Impact(record.model_id, _delta_of(record), record.created_at, registered=True)
            for record in self._versions(wallet)
        ]
        known = {(impact.model_id, metric) for impact in impacts for metric in impact.delta}
        seen: set[str] = set()
        for event in self._put_down(wallet):
            told = event.happening.details
            delta = by_common_name(told["delta"])
            said = digest([told["model_id"], delta])
            besides = {m: change for m, change in delta.items() if (told["model_id"], m) not in known}
            if besides and said not in seen:  # two processes may have put down the same at once
                impacts.append(Impact(told["model_id"], besides, event.at, registered=False))
            seen.add(said)
        impacts.sort(key=lambda impact: (impact.at, impact.model_id))
        return ImpactHistory(wallet, tuple(impacts), tuple(self._attestations(wallet)))

    def verify(
        self, attestation: Mapping[str, Any], key: Ed25519PublicKey | None = None
    ) -> ReportedImprovement:
        """The report in an attestation that `track_improvement` gave, if it is as it was signed.

        Args:
            attestation: As it was given, or read from JSON.
            key: Whose signature counts; by default our own.

        Raises:
            IntegrityError: It was changed, or signed by somebody else.
        """
        from hokusai.attestation.reported_statement import check_reported

        return check_reported(attestation, [key or self.tracking.signer().public_key()])

    atrack_improvement = async_twin(track_improvement)
    alog_contribution_impact = async_twin(log_contribution_impact)
    aget_contributor_impact = async_twin(get_contributor_impact)

    def _put_down(self, wallet: WalletAddress) -> Iterator[AuditEvent]:
        """What was put down of a contributor, oldest first."""
        after = 0
        while page := self.registry.ledger.events(
            after=after, limit=_PAGE, kind=IMPACT, subject=party_key(str(wallet))
        ):
            yield from page
            after = page[-1].sequence

    def _versions(self, wallet: WalletAddress) -> Iterator[ModelRecord]:
        """The versions that a contributor's data made."""
        after: str | None = None
        while page := self.registry.list_models(contributor=str(wallet), limit=_PAGE, after=after):
            yield from page
            after = page[-1].model_id

    def _attestations(self, wallet: WalletAddress) -> Iterator[str]:
        """Digests of the statements that credit a contributor."""
        after: str | None = None
        while page := self.registry.ledger.attestations.find(
            contributor=str(wallet), limit=_PAGE, after=after
        ):
            yield from (facts.statement_sha256 for facts in page)
            after = page[-1].statement_sha256

    def _write_run(
        self,
        run_id: str,
        *,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        attestation: Mapping[str, Any] | None = None,
    ) -> None:
        """A run on the tracking server; its id is content, so that the same again is the same run."""
        journal = RunJournal(
            run_id,
            self.tracking.experiment,
            params,
            metrics,
            {"hokusai.measured": "false"},
            steps=(),
            datasets=(),
        )
        with tempfile.TemporaryDirectory() as folder:
            if attestation is not None:
                text = json.dumps(attestation, indent=2, ensure_ascii=False)
                Path(folder, "attestation.json").write_text(text + "\n", encoding="utf-8")
            self.tracking.runs.write(journal, self.tracking.runs.open_runs(journal), Path(folder))


def _delta_of(record: ModelRecord) -> dict[str, float]:
    """The recorded change of each metric, by common names; a tag that cannot be read has none."""
    return by_common_name(node_of(record, record.model_id, None, None).delta)


def _contributor(address: str, *, quiet: bool = False) -> WalletAddress:
    if quiet and isinstance(address, str):
        return WalletAddress.parse(address)
    wallet = parsed_contributor(address)
    if wallet is None:
        raise InvalidInputError("Nobody is said to have contributed", where="contributor_address")
    return wallet
