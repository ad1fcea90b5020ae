"""Evaluations as tables for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hokusai.cli.output import show_facts, show_line, show_table, size, styled
from hokusai.domain.delta import Interval, MetricDelta

if TYPE_CHECKING:
    from rich.text import Text

    from hokusai.pipeline.evaluator_latency import Latency
    from hokusai.pipeline.evaluator_report import ComparisonReport, EvaluationReport, ModelReport
    from hokusai.stats.calibration import Calibration
    from hokusai.stats.one_model import MetricValue
    from hokusai.stats.slices import WorstSlice

_MOST_CLASSES, _MOST_SLICES = 12, 40


def show_evaluation(report: EvaluationReport) -> None:
    """Print what was found of one model."""
    model = report.model
    show_line(
        styled(model.name, "bold"), f" on {report.n_rows:,} rows, {report.task.value} of {report.target}"
    )
    values = [*model.measured.values, *(value for _, value in model.scores)]
    show_table(("Metric", "Value", "95 % interval", "±"), map(_row, values))
    _show_confusion(model, report.classes)
    if model.calibration is not None:
        show_facts({"calibration": _calibrated(model.calibration)})
    ranked = [
        (one.name, str(one.n_rows), value)
        for one in model.slices
        for value in one.values
        if value.metric.name == report.primary
    ]
    if ranked:
        ranked.sort(key=lambda row: row[2].metric.direction * row[2].value)
        show_line("")
        show_table(
            ("Slice", "Rows", report.primary, "95 % interval"),
            (
                (name, n, f"{one.value:.4g}", _interval(one.interval))
                for name, n, one in ranked[:_MOST_SLICES]
            ),
            folding=["Slice"],
        )
    _show_worst(model.worst, "")
    show_facts({"size": _size(model), **_times([model])})
    _show_warnings(report.warnings)


def show_comparison(report: ComparisonReport) -> None:
    """Print what was found of two models, and the decision."""
    compared = report.comparison
    show_line(
        styled(report.new.name, "bold"), " against ", styled(report.baseline.name, "bold"),
        f" on {report.n_rows:,} rows, {report.task.value} of {report.target}",
    )  # fmt: skip
    deltas = [*compared.deltas, *(delta for _, delta in report.scores)]
    show_table(("Metric", "Baseline", "New", "Change", "95 % interval", "p"), map(_delta_row, deltas))
    low, high = compared.interval.low * 100, compared.interval.high * 100
    show_facts(
        {
            "DeltaOne": f"{compared.delta_one * 100:+.4g} percentage points, {low:+.4g} to {high:+.4g}, "
            f"p = {compared.p_value:.3g}"
        }
    )
    ranked = [
        (one.name, str(one.n_rows), delta)
        for one in report.slices
        for delta in one.deltas
        if delta.metric.name == report.primary
    ]
    if ranked:
        ranked.sort(key=lambda row: row[2].gain)
        show_line("")
        show_table(
            ("Slice", "Rows", f"{report.primary}, change", "95 % interval"),
            ((name, n, _change(one), _interval(one.interval)) for name, n, one in ranked[:_MOST_SLICES]),
            folding=["Slice"],
        )
    _show_worst(report.worst, " change")
    models = [report.baseline, report.new]
    show_facts({"size": " → ".join(map(_size, models)), **_times(models)})
    if report.decision.guardrails:
        show_line("")
        show_table(
            ("Guardrail", ""),
            (
                (styled("✗" if one.breached else "✓", "red" if one.breached else "green"), one.reason)
                for one in report.decision.guardrails
            ),
            folding=[""],
        )
    show_line("")
    accepted = report.decision.accepted
    show_line(styled("Accepted" if accepted else "Rejected", "bold green" if accepted else "bold red"))
    for reason in report.decision.reasons:
        show_line(f"  {reason.detail}")
    _show_warnings(report.warnings)


def _row(one: MetricValue) -> Iterator[str]:
    yield one.metric.name
    yield f"{one.value:.4g}"
    yield _interval(one.interval)
    yield "" if math.isnan(one.standard_error) else f"{one.standard_error:.2g}"


def _delta_row(one: MetricDelta) -> Iterator[str | Text]:
    yield one.metric.name
    yield f"{one.baseline_value:.4g}"
    yield f"{one.new_value:.4g}"
    yield _change(one)
    yield _interval(one.interval)
    yield f"{one.p_value:.3g}"


def _change(one: MetricDelta) -> Text:
    style = "green" if one.gain > 0 else "red" if one.gain < 0 else ""
    return styled(f"{one.absolute_delta:+.4g}", style)


def _interval(found: Interval) -> str:
    return f"{found.low:.4g} to {found.high:.4g}"


def _show_confusion(model: ModelReport, classes: Sequence[str]) -> None:
    table = model.measured.confusion
    if not table or len(classes) > _MOST_CLASSES:
        return
    show_line("")
    show_table(
        ("is \\ said", *classes),
        ((name, *(f"{n:,}" for n in row)) for name, row in zip(classes, table, strict=True)),
    )


def _calibrated(found: Calibration) -> str:
    about = "as good as exact probabilities" if found.p_value > 0.05 else "more than chance"
    return (
        f"ECE {found.ece:.4g} ({found.ece_if_calibrated:.4g} if exact: {about}, p = {found.p_value:.3g}), Brier "
        f"{found.brier:.4g} = reliability {found.reliability:.4g} - resolution {found.resolution:.4g} + uncertainty "
        f"{found.uncertainty:.4g} + within bins {found.within:.2g}"
    )


def _show_worst(worst: WorstSlice | None, what: str) -> None:
    if worst is None:
        return
    show_facts(
        {
            "worst slice": f"{worst.name}: {worst.metric}{what} {worst.value:.4g}, {_interval(worst.interval)} widened "
            f"for {worst.n_slices} slices, p = {worst.p_value:.3g}, {worst.n_rows:,} rows"
        }
    )


def _size(model: ModelReport) -> str:
    return "unknown" if model.size_bytes is None else size(model.size_bytes)


def _times(models: Sequence[ModelReport]) -> dict[str, str | Text]:
    timed: list[Latency] = [one.latency for one in models if one.latency is not None]
    if not timed:
        return {}
    batch = timed[0].batch.n_rows
    return {
        "latency, 1 row": " → ".join(_quantiles(one.row.p50, one.row.p95, one.row.p99) for one in timed),
        f"latency, {batch} rows": " → ".join(
            _quantiles(one.batch.p50, one.batch.p95, one.batch.p99) for one in timed
        ),
    }


def _quantiles(*values: float) -> str:
    return " / ".join(f"{value:.3g}" for value in values) + " ms (p50 / p95 / p99)"


def _show_warnings(warnings: Iterable[str]) -> None:
    for one in warnings:
        show_line(styled("! ", "yellow"), one, stderr=True)
