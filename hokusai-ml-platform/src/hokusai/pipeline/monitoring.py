"""What a run has to tell a tracking server: its steps, its numbers under conventional names, what it read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hokusai.domain.contribution import Contribution
from hokusai.domain.delta import Comparison
from hokusai.domain.journal import DatasetEntry, RunJournal, StepEntry
from hokusai.utils.metric_names import format_metric_name, migrate_metric_name


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
                base,
                started_ms=began,
                ended_ms=ended,
                status=str(record["status"]),
                metrics={**base.metrics, **seconds},
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
        name = metric_name(delta.metric.name)
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


def metric_name(name: str) -> str:
    """The conventional name of a model's metric.

    >>> metric_name("f1"), metric_name("rmse")
    ('model:f1_score', 'model:rmse')
    """
    migrated = migrate_metric_name(name)
    return migrated if ":" in migrated else format_metric_name("model", migrated)


def now_ms() -> int:
    """Now, in milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


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
