"""The end of a run: its results are published whole, and its journal reaches the tracking server, now or later.

Order matters. Everything is first laid out in a folder of its own under HOKUSAI_HOME (the spool), so that nothing
depends on the server; then the server is told; then the output files appear, each at once and complete. A server
that is lost on the way costs nothing: the spool stays, and `hokusai pipeline flush` delivers it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hokusai.domain.contribution import Contribution
from hokusai.domain.delta import Comparison
from hokusai.domain.journal import DatasetEntry, RunJournal, StepEntry, TrackedRun
from hokusai.domain.model import ModelArtifact
from hokusai.errors import BackendUnavailableError, NotFoundError
from hokusai.ports import RunStore
from hokusai.utils.files import write_atomically
from hokusai.utils.logging import get_logger
from hokusai.utils.metric_names import format_metric_name, migrate_metric_name

_SPOOL = "journals"
_JOURNAL = "journal.json"
_ARTIFACTS = "artifacts"
_log = get_logger(__name__)


@dataclass(frozen=True)
class RunOutputs:
    """What a run hands over: the three output files and the files that only the tracking server gets.

    `delta_output` has no tracking ids yet; they are filled in on publication.
    """

    run_id: str
    delta_output: Mapping[str, Any]
    attestation: bytes
    report: str
    models: Mapping[str, ModelArtifact]
    other_files: Mapping[str, bytes]

    def file_names(self) -> dict[str, str]:
        """Kind of output to file name."""
        return {
            "delta_output": f"delta_output_{self.run_id}.json",
            "attestation": f"attestation_{self.run_id}.json",
            "report": f"report_{self.run_id}.html",
        }


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a run's results are.

    Attributes:
        files: Kind of output to its path.
        tracked: The runs on the tracking server; None if it was lost.
        spool: The folder that waits to be flushed; None if nothing waits.
    """

    files: Mapping[str, Path]
    tracked: TrackedRun | None
    spool: Path | None


def publish(outputs: RunOutputs, journal: RunJournal, runs: RunStore, home: Path, output_dir: Path) -> Publication:
    """Write the output files and deliver the journal.

    Raises:
        InvalidInputError: The output folder or the spool cannot be written.
    """
    spool = home / _SPOOL / outputs.run_id
    _lay_out(spool, outputs, journal)
    tracked: TrackedRun | None = None
    try:
        tracked = runs.open_runs(journal)
    except BackendUnavailableError as problem:
        _warn_kept(problem, spool)
    files = _write_outputs(outputs, tracked, spool / _ARTIFACTS, output_dir)
    if tracked is not None:
        try:
            runs.write(journal, tracked, spool / _ARTIFACTS)
            shutil.rmtree(spool)
            return Publication(files, tracked, None)
        except BackendUnavailableError as problem:
            _warn_kept(problem, spool)
    return Publication(files, tracked, spool)


def waiting_journals(home: Path) -> list[Path]:
    """The spools that wait to be delivered, oldest run first."""
    return sorted(path.parent for path in (home / _SPOOL).glob(f"*/{_JOURNAL}"))


def flush(spool: Path, runs: RunStore) -> TrackedRun:
    """Deliver a journal that was kept, and remove its spool.

    Raises:
        NotFoundError: There is no journal in `spool`, or it cannot be read.
        BackendUnavailableError: The server is still away; nothing was removed.
    """
    try:
        journal = RunJournal.from_dict(json.loads((spool / _JOURNAL).read_bytes()))
    except (OSError, ValueError) as problem:
        raise NotFoundError(f"There is no journal to flush: {problem}", where=str(spool)) from problem
    tracked = runs.open_runs(journal)
    runs.write(journal, tracked, spool / _ARTIFACTS)
    shutil.rmtree(spool)
    return tracked


def run_journal(
    *,
    run_id: str,
    experiment: str,
    steps: Sequence[Mapping[str, Any]],
    details: Mapping[str, StepEntry],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    comparison: Comparison,
    datasets: Sequence[DatasetEntry],
) -> RunJournal:
    """The journal of a run from what its steps left.

    Args:
        run_id: The run's id.
        experiment: The experiment it belongs to.
        steps: One record a finished step, in order: step, started_ms, ended_ms, status.
        details: By step, what the step measured (its times are taken from `steps`).
        params, tags: What describes the run.
        comparison: Its result, from which the run's metrics are made.
        datasets: What was read.
    """
    entries = []
    for record in steps:
        name, began, ended = str(record["step"]), int(record["started_ms"]), int(record["ended_ms"])
        base = details.get(name) or StepEntry(name, began, ended)
        seconds = {"pipeline:duration_seconds": (ended - began) / 1000}
        entries.append(
            replace(
                base, started_ms=began, ended_ms=ended, status=str(record["status"]), metrics={**base.metrics, **seconds}
            )
        )
    began = min(entry.started_ms for entry in entries)
    ended = max(entry.ended_ms for entry in entries)
    metrics = comparison_metrics(comparison) | {"pipeline:duration_seconds": (ended - began) / 1000}
    return RunJournal(
        run_id=run_id,
        experiment=experiment,
        params=params,
        metrics=metrics,
        tags=tags,
        steps=tuple(entries),
        datasets=tuple(datasets),
    )


def comparison_metrics(comparison: Comparison) -> dict[str, float]:
    """Every number of a comparison under its conventional metric name."""
    metrics: dict[str, float] = {
        "pipeline:delta_one_score": comparison.delta_one,
        "pipeline:delta_one_score.standard_error": comparison.standard_error,
        "pipeline:delta_one_score.low": comparison.interval.low,
        "pipeline:delta_one_score.high": comparison.interval.high,
        "pipeline:delta_one_score.p_value": comparison.p_value,
        "pipeline:benchmark_rows": float(comparison.n_rows),
        "pipeline:primary_delta_bps": float(comparison.primary.delta_bps),
    }
    for delta in comparison.deltas:
        migrated = migrate_metric_name(delta.metric.name)
        name = migrated if ":" in migrated else format_metric_name("model", migrated)
        metrics |= {
            name: delta.new_value,
            f"{name}.baseline": delta.baseline_value,
            f"{name}.delta": delta.absolute_delta,
            f"{name}.delta_relative": delta.relative_delta,
            f"{name}.delta_standard_error": delta.standard_error,
            f"{name}.delta_low": delta.interval.low,
            f"{name}.delta_high": delta.interval.high,
            f"{name}.delta_p_value": delta.p_value,
        }
    return metrics


def now_ms() -> int:
    """Now, in milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def _lay_out(spool: Path, outputs: RunOutputs, journal: RunJournal) -> None:
    """Everything that is to be delivered, in one folder; the journal comes last, and makes it valid."""
    if spool.exists():
        shutil.rmtree(spool)
    artifacts = spool / _ARTIFACTS
    for role, model in outputs.models.items():
        folder = artifacts / "models" / role
        folder.mkdir(parents=True)
        write_atomically(folder / model.file_name, model.content)
    for name, content in outputs.other_files.items():
        write_atomically(artifacts / name, content)
    for name, content in _contents(outputs, None).items():
        write_atomically(artifacts / name, content)
    write_atomically(spool / _JOURNAL, json.dumps(journal.to_dict(), indent=1).encode())


def _write_outputs(
    outputs: RunOutputs, tracked: TrackedRun | None, artifacts: Path, output_dir: Path
) -> dict[str, Path]:
    for name, content in _contents(outputs, tracked).items():
        write_atomically(artifacts / name, content)
        write_atomically(output_dir / name, content)
    return {kind: output_dir / name for kind, name in outputs.file_names().items()}


def _contents(outputs: RunOutputs, tracked: TrackedRun | None) -> dict[str, bytes]:
    names = outputs.file_names()
    output = dict(outputs.delta_output)
    if tracked is not None:
        for model, step in (("baseline_model", "load_baseline_model"), ("new_model", "train_new_model")):
            output[model] = {**output[model], "mlflow_run_id": tracked.step_run_ids.get(step)}
    return {
        names["delta_output"]: (json.dumps(output, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(),
        names["attestation"]: outputs.attestation,
        names["report"]: outputs.report.encode(),
    }


def _warn_kept(problem: BackendUnavailableError, spool: Path) -> None:
    _log.warning(
        "The tracking server was lost; the run's journal is kept",
        reason=str(problem),
        journal=str(spool),
        deliver_it_with="hokusai pipeline flush",
    )


def accepted_metrics(contributions: Sequence[Contribution]) -> dict[str, float]:
    """What happened to the contributed rows, as metrics of the integration step."""
    return {
        "pipeline:data_processed": float(sum(c.rows_read for c in contributions)),
        "pipeline:rows_accepted": float(sum(c.rows_accepted for c in contributions)),
        "pipeline:rows_duplicate": float(sum(c.rows_duplicate for c in contributions)),
        "pipeline:rows_in_base": float(sum(c.rows_in_base for c in contributions)),
        "pipeline:rows_in_benchmark": float(sum(c.rows_in_benchmark for c in contributions)),
        "pipeline:rows_without_label": float(sum(c.rows_without_label for c in contributions)),
    }
