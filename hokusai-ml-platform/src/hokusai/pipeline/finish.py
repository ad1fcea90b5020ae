"""The last step: everything that a run found, turned into its outputs, its journal and its summary."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.exports.zk_output import RunFacts, zk_output
from hokusai.core.attestations import Attestations
from hokusai.domain.attribution import Attribution
from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison
from hokusai.domain.journal import DatasetEntry, StepEntry, TrackedRun
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.errors import BackendUnavailableError
from hokusai.pipeline.attestation import Attestation, predictions_file
from hokusai.pipeline.contribution import Contributed
from hokusai.pipeline.delta_output import credit_dict
from hokusai.pipeline.evaluation import Evaluation
from hokusai.pipeline.monitoring import accepted_metrics, metric_name, now_ms, run_journal
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.publication import Publication, RunOutputs, publish
from hokusai.pipeline.reference import Facts, held_out_bytes
from hokusai.pipeline.report import positive_class, render_report, verdict
from hokusai.ports import Ledger, RunStore
from hokusai.utils.redaction import mask_url_passwords

_THIS_STEP = "monitor_and_log"


@dataclass(frozen=True)
class FinishedRun:
    """What the steps of a run have left, by the names under which they left it."""

    run_id: str
    started_at: str
    plan: RunPlan
    facts: Facts
    baseline: ModelArtifact
    new_model: ModelArtifact
    contributed: Contributed
    submissions: tuple[int, ...]
    evaluation: Evaluation
    comparison: Comparison
    credited: Attribution
    decision: Decision
    delta_output: Mapping[str, Any]
    attestation: Attestation
    journal: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, flow: Any) -> FinishedRun:
        """Collected from the attributes of a flow."""
        return cls(**{name: getattr(flow, name) for name in cls.__dataclass_fields__})

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that a reader has to know before believing the numbers."""
        return (
            *self.plan.wallet_warnings,
            *self.facts.warnings,
            *self.contributed.warnings,
            *self.comparison.warnings,
        )


def finish(
    run: FinishedRun,
    home: Path,
    store: RunStore,
    tracking_uri: str,
    ledger: Callable[[], Ledger],
    actor: str = "",
) -> dict[str, Any]:
    """Publish the run's results; the summary that is shown at its end.

    Args:
        run: What its steps left.
        home: Where a journal waits that cannot be delivered.
        store: Where runs are tracked.
        tracking_uri: For people.
        ledger: Opens where attestations are kept and uses of benchmarks counted.
        actor: Who is working, for the audit trail.

    Raises:
        InvalidInputError: The output folder cannot be written.
    """
    began = now_ms()
    outputs = RunOutputs(
        run_id=run.run_id,
        delta_output=run.delta_output,
        attestation=run.attestation.envelope,
        report=_report(run),
        predictions=predictions_file(run.evaluation),
        zk_output=_zk_output(run),
        models={"baseline": run.baseline, "new": run.new_model},
        other_files=_other_files(run),
    )
    this_step = {"step": _THIS_STEP, "started_ms": began, "ended_ms": now_ms(), "status": "FINISHED"}
    journal = run_journal(
        run_id=run.run_id,
        experiment=run.plan.experiment,
        steps=[*_last_attempts(run.journal), this_step],
        details=_details(run),
        params=_params(run),
        tags=_tags(run),
        comparison=run.comparison,
        datasets=_datasets(run),
    )
    published = publish(outputs, journal, store, home, run.plan.output_dir)
    return _summary(run, published, tracking_uri, _keep(run, ledger, actor, published))


def _keep(
    run: FinishedRun, ledger: Callable[[], Ledger], actor: str, published: Publication
) -> tuple[str, ...]:
    """Put the attestation into the ledger; what is to be said of that, and of the use of the benchmark."""
    if run.plan.dry_run:
        return ()
    try:
        kept = ledger()
        Attestations(kept, actor).put(Envelope.parse(run.attestation.envelope))
        numbers = ", ".join(map(str, run.submissions))
        name = run.plan.benchmark.name if run.plan.benchmark is not None else ""
        return (f"Submission {numbers} to the benchmark {name!r}.",) if run.submissions else ()
    except BackendUnavailableError as problem:
        return (
            f"The attestation is not in the ledger yet: {problem.what}. "
            f"Put it there with: hokusai attest store {published.files['attestation']}",
        )


def _zk_output(run: FinishedRun) -> dict[str, Any] | None:
    """The older format, where it can say what was found."""
    if run.comparison.task is not Task.CLASSIFICATION:
        return None
    facts = RunFacts(
        run_id=re.sub(r"[^a-zA-Z0-9_-]", "-", run.run_id),
        timestamp=run.started_at,
        pipeline_version=version("hokusai-ml-platform"),
        environment="test" if run.plan.dry_run else "production",
        baseline_model_id=run.baseline.model_id,
        new_model_id=run.new_model.model_id,
    )
    return zk_output(Envelope.parse(run.attestation.envelope), facts)


def _report(run: FinishedRun) -> str:
    return render_report(
        run_id=run.run_id,
        timestamp=run.started_at,
        comparison=run.comparison,
        baseline=run.baseline,
        new=run.new_model,
        contributions=run.contributed.contributions,
        attribution=run.credited,
        decision=run.decision,
        benchmark=run.facts.benchmark_dict(),
        quality=run.contributed.quality_lines(),
        statement_digest=run.attestation.statement_sha256,
        warnings=run.warnings,
        dry_run=run.plan.dry_run,
    )


def _other_files(run: FinishedRun) -> dict[str, bytes]:
    """What only the tracking server gets: the manifest, and a benchmark that exists nowhere else."""
    manifest = json.dumps(run.contributed.manifest, indent=2, ensure_ascii=False).encode()
    files = {"data_manifest.json": manifest}
    benchmark = held_out_bytes(run.plan, run.facts)
    return files | ({"benchmark.csv": benchmark} if benchmark is not None else {})


def _last_attempts(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One record a step, in order: of each task the last attempt counts, and a step lasts as long as all its tasks."""
    last = {(record["step"], record.get("branch")): record for record in steps}
    merged: dict[str, Mapping[str, Any]] = {}
    for record in last.values():
        one = merged.setdefault(record["step"], record)
        merged[record["step"]] = {
            **one,
            "started_ms": min(one["started_ms"], record["started_ms"]),
            "ended_ms": max(one["ended_ms"], record["ended_ms"]),
        }
    return list(merged.values())


def _details(run: FinishedRun) -> dict[str, StepEntry]:
    """What each step has to say beyond its times."""

    def entry(step: str, params: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> StepEntry:
        return StepEntry(step, 0, 0, params={k: str(v) for k, v in params.items()}, metrics=metrics or {})

    def model(artifact: ModelArtifact) -> dict[str, Any]:
        return {
            "model_id": artifact.model_id,
            "model_type": artifact.model_type,
            "model_sha256": artifact.sha256,
            "estimator_params": json.dumps(dict(artifact.params)),
            "base_samples": artifact.base_samples,
            "contributed_samples": artifact.contributed_samples,
        }

    evaluated = {
        f"benchmark_{key}": value for key, value in run.facts.benchmark_dict().items() if key != "features"
    }
    baseline = {metric_name(d.metric.name): d.baseline_value for d in run.comparison.deltas}
    new = {metric_name(d.metric.name): d.new_value for d in run.comparison.deltas}
    return {
        "load_baseline_model": entry("load_baseline_model", model(run.baseline), baseline),
        "integrate_contributed_data": entry(
            "integrate_contributed_data",
            {"data_hash": run.delta_output["contributor_attribution"]["data_hash"]},
            accepted_metrics(run.contributed.contributions),
        ),
        "train_new_model": entry("train_new_model", model(run.new_model), new),
        "evaluate_on_benchmark": entry("evaluate_on_benchmark", evaluated),
        "gather_coalitions": entry(
            "gather_coalitions",
            {
                "attribution": run.credited.method.value,
                "weights_bps": json.dumps(
                    {c.contributor.contributor_id: c.weight_bps for c in run.credited.credits}
                ),
            },
        ),
        "compare_and_output_delta": entry(
            "compare_and_output_delta",
            {
                "computation_method": run.delta_output["delta_computation"]["computation_method"],
                "decision": run.decision.verdict.value,
            },
            {"pipeline:delta_one_score": run.comparison.delta_one},
        ),
        "generate_attestation_output": entry(
            "generate_attestation_output",
            {"statement_sha256": run.attestation.statement_sha256, "keyid": run.attestation.keyid},
        ),
    }


def _params(run: FinishedRun) -> dict[str, str]:
    attribution = run.delta_output["contributor_attribution"]
    described = {
        **{key: value for key, value in run.plan.to_dict().items() if value not in (None, [], {}, ())},
        "delta_one_score": run.comparison.delta_one,
        "baseline_model_id": run.baseline.model_id,
        "new_model_id": run.new_model.model_id,
        "contributor_id": attribution["contributor_id"],
        "data_hash": attribution["data_hash"],
        "contributed_samples": attribution["contributed_samples"],
        "benchmark_sha256": run.facts.benchmark_sha256,
    }
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in described.items()}


def _tags(run: FinishedRun) -> dict[str, str]:
    return {
        "hokusai.dry_run": str(run.plan.dry_run).lower(),
        "hokusai.statement_sha256": run.attestation.statement_sha256,
        "hokusai.keyid": run.attestation.keyid,
        "hokusai.decision": run.decision.verdict.value,
        "hokusai.baseline_sha256": run.baseline.sha256,
        "hokusai.new_model_sha256": run.new_model.sha256,
        "mlflow.note.content": _note(run),
    }


def _note(run: FinishedRun) -> str:
    found = f"DeltaOne {100 * run.comparison.delta_one:+.2f} pp. {verdict(run.comparison)}"
    return f"Dry run on mock data, no evidence of anything. {found}" if run.plan.dry_run else found


def _datasets(run: FinishedRun) -> list[DatasetEntry]:
    entries = [
        DatasetEntry(c.file_name, c.sha256, "contribution", c.rows_read)
        for c in run.contributed.contributions
    ]
    if run.facts.base_sha256 is not None:
        entries.append(DatasetEntry("base", run.facts.base_sha256, "training", run.facts.base_rows))
    entries.append(
        DatasetEntry("benchmark", run.facts.benchmark_sha256, "evaluation", run.facts.benchmark_rows)
    )
    return entries


def _summary(
    run: FinishedRun, published: Publication, tracking_uri: str, told: Sequence[str]
) -> dict[str, Any]:
    """Plain data for whoever shows the end of the run."""
    comparison = run.comparison
    shown_uri = mask_url_passwords(tracking_uri)
    places = {
        "report": str(published.files["report"]),
        "delta output": str(published.files["delta_output"]),
        "attestation": str(published.files["attestation"]),
        "predictions": str(published.files["predictions"]),
    }
    if published.tracked is not None:
        places["MLflow run"] = f"{published.tracked.run_id} in {run.plan.experiment!r} at {shown_uri}"
        places["look at it"] = _how_to_look(shown_uri, published.tracked)
    notes = [*run.warnings, *told]
    if published.spool is not None:
        places["journal"] = str(published.spool)
        notes.append(
            f"The run is not tracked yet. {published.reason} Deliver its journal with: hokusai pipeline flush"
        )
    return {
        "event": "published",
        "run_id": run.run_id,
        "dry_run": run.plan.dry_run,
        "delta_one": comparison.delta_one,
        "interval": [comparison.interval.low, comparison.interval.high],
        "confidence": comparison.interval.confidence,
        "p_value": comparison.p_value,
        "n_rows": comparison.n_rows,
        "n_units": comparison.n_units,
        "verdict": verdict(comparison),
        "decision": run.decision.to_dict(),
        "credit": credit_dict(run.credited),
        "positive_class": positive_class(comparison),
        "metrics": [
            {
                "name": d.metric.name,
                "baseline": d.baseline_value,
                "new": d.new_value,
                "delta": d.absolute_delta,
                "gain": d.gain,
                "low": d.interval.low,
                "high": d.interval.high,
                "p_value": d.p_value,
            }
            for d in comparison.deltas
        ],
        "notes": notes,
        "places": places,
    }


def _how_to_look(tracking_uri: str, tracked: TrackedRun) -> str:
    if tracking_uri.startswith("http"):
        return f"{tracking_uri.rstrip('/')}/#/experiments/{tracked.experiment_id}/runs/{tracked.run_id}"
    command = f"mlflow ui --backend-store-uri {shlex.quote(tracking_uri)}"
    return f"{command}  (needs the extra 'server'; in a checkout, ./setup.sh installs it)"
