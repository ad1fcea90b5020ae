"""What an evaluation found, as values and as JSON: of one model, and of two side by side.

Everything but `volatile` follows from the models and the rows: the same again gives the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison, Interval, MetricDelta
from hokusai.domain.metrics import Task
from hokusai.domain.scorer import Scorer
from hokusai.pipeline.evaluator_latency import Latency

if TYPE_CHECKING:
    from hokusai.stats.calibration import Calibration
    from hokusai.stats.one_model import Measurement, MetricValue
    from hokusai.stats.slices import WorstSlice


@dataclass(frozen=True)
class SliceReport:
    """One model on some of the rows.

    Attributes:
        name: `column=value`.
        n_rows: How many rows.
        values: The task's metrics there; none if they cannot be computed.
        warnings: What a reader has to know.
    """

    name: str
    n_rows: int
    values: tuple[MetricValue, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SliceDelta:
    """Two models on some of the rows; as `SliceReport`."""

    name: str
    n_rows: int
    deltas: tuple[MetricDelta, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelReport:
    """One model.

    Attributes:
        name: What it is called.
        sha256: Digest of its content, where it has one.
        size_bytes: Of its files, where it can be stored.
        measured: Metrics and confusion matrix.
        calibration: Of its probabilities; None where it gives none.
        scores: The values of scorers of one's own, in order.
        slices: By slice.
        worst: The worst of these.
        latency: How long it takes; None where that was not asked for.
    """

    name: str
    sha256: str | None
    size_bytes: int | None
    measured: Measurement
    calibration: Calibration | None
    scores: tuple[tuple[Scorer, MetricValue], ...]
    slices: tuple[SliceReport, ...]
    worst: WorstSlice | None
    latency: Latency | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without what is volatile."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "metrics": {one.metric.name: _value(one) for one in self.measured.values},
            "confusion": [list(row) for row in self.measured.confusion] or None,
            "calibration": None if self.calibration is None else _calibration(self.calibration),
            "scorers": [scorer.to_dict() | _value(one) for scorer, one in self.scores],
            "slices": [
                {
                    "slice": one.name,
                    "rows": one.n_rows,
                    "metrics": {value.metric.name: _value(value) for value in one.values},
                    "warnings": list(one.warnings),
                }
                for one in self.slices
            ],
            "worst_slice": _worst(self.worst),
        }


@dataclass(frozen=True)
class EvaluationReport:
    """One model on labelled rows.

    Attributes:
        model: What was found.
        task: What is predicted.
        target: The column that is predicted.
        n_rows: Labelled rows.
        classes: In the order of the confusion matrix; empty for regression.
        primary: The metric that slices are ranked by.
        data_sha256: Digest of the data's file, where it was one.
        warnings: What a reader has to know before believing the numbers.
    """

    model: ModelReport
    task: Task
    target: str
    n_rows: int
    classes: tuple[str, ...]
    primary: str
    data_sha256: str | None
    warnings: tuple[str, ...]

    def value(self, name: str) -> float:
        """The value of a metric, or of a scorer.

        Raises:
            KeyError: It was not computed.
        """
        values = {one.metric.name: one.value for one in self.model.measured.values}
        return (values | {scorer.name: one.value for scorer, one in self.model.scores})[name]

    def to_dict(self, *, volatile: bool = True) -> dict[str, Any]:
        """As JSON values.

        Args:
            volatile: Whether to add what is another at every run: how long the model took.
        """
        told = _head(self) | {"model": self.model.to_dict(), "warnings": list(self.warnings)}
        return told | (_volatile([self.model]) if volatile else {})

    def __repr__(self) -> str:
        said = ", ".join(f"{one.metric.name} {one.value:.4g}" for one in self.model.measured.values)
        return f"<EvaluationReport {self.model.name}: {said}; {self.n_rows:,} rows>"


@dataclass(frozen=True)
class ComparisonReport:
    """Two models on the same labelled rows.

    Attributes:
        baseline, new: Each by itself.
        comparison: Every metric's change, and DeltaOne.
        scores: The changes of scorers of one's own, in order.
        slices: Changes by slice.
        worst: The slice on which the new model lost most, or gained least.
        decision: Whether the improvement counts, guardrails included.
        task, target, n_rows, classes, primary, data_sha256, warnings: As in `EvaluationReport`.
    """

    baseline: ModelReport
    new: ModelReport
    comparison: Comparison
    scores: tuple[tuple[Scorer, MetricDelta], ...]
    slices: tuple[SliceDelta, ...]
    worst: WorstSlice | None
    decision: Decision
    task: Task
    target: str
    n_rows: int
    classes: tuple[str, ...]
    primary: str
    data_sha256: str | None
    warnings: tuple[str, ...]

    def to_dict(self, *, volatile: bool = True) -> dict[str, Any]:
        """As JSON values; see `EvaluationReport.to_dict`."""
        compared = self.comparison
        told = _head(self) | {
            "baseline": self.baseline.to_dict(),
            "new": self.new.to_dict(),
            "delta_one": {
                "value": compared.delta_one,
                "standard_error": compared.standard_error,
                "interval": _interval(compared.interval),
                "p_value": compared.p_value,
                "weights": {name: str(weight) for name, weight in compared.weights.items()},
            },
            "deltas": {one.metric.name: _delta(one) for one in compared.deltas},
            "scorers": [scorer.to_dict() | _delta(one) for scorer, one in self.scores],
            "slices": [
                {
                    "slice": one.name,
                    "rows": one.n_rows,
                    "deltas": {delta.metric.name: _delta(delta) for delta in one.deltas},
                    "warnings": list(one.warnings),
                }
                for one in self.slices
            ],
            "worst_slice": _worst(self.worst),
            "decision": self._decided(volatile=volatile),
            "warnings": list(self.warnings),
        }
        return told | (_volatile([self.baseline, self.new]) if volatile else {})

    def _decided(self, *, volatile: bool) -> dict[str, Any] | None:
        timed = any(one.guardrail.metric == "latency_ms" for one in self.decision.guardrails)
        return None if timed and not volatile else self.decision.to_dict()

    def __repr__(self) -> str:
        gained = f"DeltaOne {self.comparison.delta_one * 100:+.4g} pp"
        return f"<ComparisonReport {self.baseline.name} → {self.new.name}: {gained}, {self.decision.verdict}>"


def _head(report: EvaluationReport | ComparisonReport) -> dict[str, Any]:
    return {
        "task": report.task.value,
        "target": report.target,
        "rows": report.n_rows,
        "classes": list(report.classes),
        "primary_metric": report.primary,
        "data_sha256": report.data_sha256,
    }


def _volatile(models: Iterable[ModelReport]) -> dict[str, Any]:
    timed = {one.name: one.latency.to_dict() for one in models if one.latency is not None}
    return {"volatile": {"latency": timed}} if timed else {}


def _value(one: MetricValue) -> dict[str, Any]:
    return {
        "value": one.value,
        "standard_error": _finite(one.standard_error),
        "interval": _interval(one.interval),
        "rows": one.n_rows,
        "method": one.method,
    }


def _delta(one: MetricDelta) -> dict[str, Any]:
    return {
        "baseline": one.baseline_value,
        "new": one.new_value,
        "absolute_delta": one.absolute_delta,
        "gain": one.gain,
        "standard_error": one.standard_error,
        "interval": _interval(one.interval),
        "p_value": one.p_value,
        "rows": one.n_rows,
        "discordance": one.discordance,
        "method": one.method,
        "reference": one.reference,
    }


def _calibration(found: Calibration) -> dict[str, Any]:
    return {
        "event": found.event,
        "ece": found.ece,
        "ece_if_calibrated": found.ece_if_calibrated,
        "p_value": found.p_value,
        "mce": found.mce,
        "brier": {
            "value": found.brier,
            "standard_error": found.brier_error,
            "reliability": found.reliability,
            "resolution": found.resolution,
            "uncertainty": found.uncertainty,
            "within_bins": found.within,
        },
        "bins": [
            {
                "low": one.low,
                "high": one.high,
                "rows": one.n_rows,
                "forecast": one.forecast,
                "observed": one.observed,
                "interval": _interval(one.interval),
            }
            for one in found.bins
        ],
        "definition": "ECE: mean over rows of |observed - forecast| of their bin, bins of equal width "
        "(Naeini, Cooper, Hauskrecht 2015; by the predicted class Guo et al. 2017)",
    }


def _worst(found: WorstSlice | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "slice": found.name,
        "metric": found.metric,
        "value": found.value,
        "interval": _interval(found.interval),
        "p_value": found.p_value,
        "rows": found.n_rows,
        "slices_compared": found.n_slices,
        "multiplicity": "bonferroni",
    }


def _interval(found: Interval) -> dict[str, float]:
    return {"low": found.low, "high": found.high, "confidence": found.confidence}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
