"""One model's metrics with their errors.

A model is compared with an oracle that is always right. The oracle's metrics are what they are whichever rows there
are, so that the error of the change is the model's own: every estimator of a paired change serves a single model too,
units included, and there is one home for each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import Comparison, Interval, JointCounts, MetricDelta
from hokusai.domain.metrics import MetricSpec, Scale
from hokusai.stats.from_counts import tallies
from hokusai.stats.measured import FloatArray, IntArray
from hokusai.stats.paired import compare_classifiers, compare_regressors
from hokusai.stats.wald import critical_value, interval_around


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One metric of one model.

    Attributes:
        metric: Which.
        value: In its own unit.
        standard_error: Of `value`; NaN where the rows say nothing of it.
        interval: Two-sided.
        n_rows: Rows that it was measured on.
        method: How error and interval were obtained.
    """

    metric: MetricSpec
    value: float
    standard_error: float
    interval: Interval
    n_rows: int
    method: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that rows say of one model by the task's metrics.

    Attributes:
        values: One for each metric that can be computed, in reporting order.
        confusion: confusion[label][prediction]: rows, by class index; empty for regression.
        warnings: What a reader has to know.
    """

    values: tuple[MetricValue, ...]
    confusion: tuple[tuple[int, ...], ...] = ()
    warnings: tuple[str, ...] = ()

    def value(self, name: str) -> MetricValue | None:
        """The metric called `name`; None if it could not be computed."""
        return next((one for one in self.values if one.metric.name == name), None)


def measure_classifier(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    *,
    classes: tuple[str, ...],
    scores: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    units: npt.ArrayLike | None = None,
) -> Measurement:
    """One classifier's metrics.

    Args:
        labels, predictions: (n_rows,) indexes into `classes`.
        classes: As for `compare_classifiers`, which says what is averaged over what.
        scores: (n_rows,) of the second of two classes, or (n_rows, n_classes).
        confidence: Coverage of the intervals.
        units: (n_rows,) name of the unit that each row belongs to, where rows of one unit depend on each other.

    Returns:
        Values with the errors of `compare_classifiers`. Intervals are Wilson's, with the number of rows that belongs
        to the error: value (1 - value) / error^2.

    Raises:
        InvalidInputError: As `compare_classifiers`.
        MetricError: Nothing can be computed.

    Source: Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22:209-212; with
    an effective number of rows: Dean and Pagano (2015), "Evaluating Confidence Interval Methods for Binomial
    Proportions in Clustered Surveys", Journal of Survey Statistics and Methodology 3:484-503.

    >>> found = measure_classifier([0] * 50 + [1] * 50, [0] * 90 + [1] * 10, classes=("no", "yes"))
    >>> accuracy = found.value("accuracy")
    >>> accuracy.value, round(accuracy.standard_error, 4), round(accuracy.interval.low, 4)
    (0.6, 0.049, 0.502)
    """
    truth = np.asarray(labels)
    one_hot = None if scores is None else np.eye(len(classes))[truth]
    compared = compare_classifiers(
        truth,
        truth,
        predictions,
        classes=classes,
        baseline_scores=one_hot,
        new_scores=scores,
        confidence=confidence,
        units=units,
    )
    counts = compared.counts
    assert counts is not None  # noqa: S101 - a classifier's comparison has them
    return Measurement(
        tuple(_share(delta, counts, compared, confidence) for delta in compared.deltas),
        confusion_of(counts),
        tuple(_own_warnings(compared)),
    )


def measure_regressor(
    target: npt.ArrayLike,
    predictions: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    units: npt.ArrayLike | None = None,
) -> Measurement:
    """One regressor's metrics, with the errors of `compare_regressors`; no error is below 0.

    Raises:
        InvalidInputError: As `compare_regressors`.

    >>> round(measure_regressor([1.0, 2.0, 3.0], [1.0, 2.5, 2.0]).value("mae").value, 3)
    0.5
    """
    compared = compare_regressors(target, target, predictions, confidence=confidence, units=units)
    values = []
    for delta in compared.deltas:
        shift = delta.baseline_value
        low, high = delta.interval.low + shift, delta.interval.high + shift
        if delta.metric.scale is Scale.TARGET_UNITS:
            low = max(0.0, low)
        values.append(
            MetricValue(
                delta.metric,
                delta.new_value,
                delta.standard_error,
                Interval(low, min(high, 1.0) if delta.metric.name == "r2" else high, confidence),
                compared.n_rows,
                delta.method,
            )
        )
    # That the oracle makes no error, so that relative gains do not exist, concerns nobody here, nor does DeltaOne.
    foreign = ("the baseline model makes no error", "in DeltaOne")
    told = [one for one in compared.warnings if not any(part in one for part in foreign)]
    return Measurement(tuple(values), (), tuple(told))


def mean_value(
    metric: MetricSpec, values: FloatArray, confidence: float = 0.95, units: npt.ArrayLike | None = None
) -> MetricValue:
    """The mean of (n_rows,) numbers, with Student's error and interval.

    Source: Student (1908), "The Probable Error of a Mean", Biometrika 6:1-25.

    >>> from hokusai.domain.metrics import METRICS
    >>> mean_value(METRICS["mae"], np.array([1.0, 2.0, 3.0])).standard_error.__round__(4)
    0.5774
    """
    from hokusai.stats.outcomes import OutcomeKind, compare_outcomes

    delta = compare_outcomes(
        np.zeros(len(values)),
        values,
        metric,
        kind=OutcomeKind.CONTINUOUS,
        confidence=confidence,
        units=units,
    )
    if len(values) == 1 or bool((values == values[0]).all()):  # nothing is known of the noise
        interval = Interval(delta.new_value, delta.new_value, confidence)
        return MetricValue(metric, delta.new_value, math.nan, interval, len(values), "none")
    return MetricValue(
        metric, delta.new_value, delta.standard_error, delta.interval, len(values), delta.method
    )


def confusion_of(counts: JointCounts, model: int = 1) -> tuple[tuple[int, ...], ...]:
    """confusion[label][prediction] of the baseline (0) or the new model (1), from the joint table."""
    size = len(counts.classes)
    table: IntArray = np.zeros((size, size), dtype=np.int64)
    for cell, count in counts.cells:
        table[cell[0], cell[1 + model]] += count
    return tuple(map(tuple, table.tolist()))


def wilson(value: float, rows: float, confidence: float) -> Interval:
    """Wilson's interval of a share of `rows` rows, which need not be whole.

    >>> [round(end, 4) for end in (wilson(0.9, 10, 0.95).low, wilson(0.9, 10, 0.95).high)]
    [0.5958, 0.9821]
    """
    z = critical_value(confidence)
    scale = 1 + z * z / rows
    middle = (value + z * z / (2 * rows)) / scale
    half = z / scale * math.sqrt(max(value * (1 - value), 0.0) / rows + z * z / (4 * rows * rows))
    return Interval(max(0.0, middle - half), min(1.0, middle + half), confidence)


def _share(delta: MetricDelta, counts: JointCounts, compared: Comparison, confidence: float) -> MetricValue:
    value, error = delta.new_value, delta.standard_error
    variance = value * (1 - value)
    if variance > 0 and error > 0:
        interval = wilson(value, variance / error**2, confidence)
    else:  # all right or all wrong: as many rows as could have shown something else
        rows = _carriers(delta.metric.name, counts)
        interval = wilson(value, min(rows, compared.n_units or rows), confidence)
        error = 0.0
    if not math.isfinite(interval.low):
        interval = interval_around(value, error, confidence)
    method = delta.method.replace("mcnemar-mid-p", "binomial").replace("sign-flip-mid-p", "binomial")
    return MetricValue(delta.metric, value, error, interval, compared.n_rows, f"{method}, wilson")


def _carriers(name: str, counts: JointCounts) -> int:
    """Rows that a metric rests on; with several classes those of the smallest."""
    tally = tallies(counts)[1]
    if name == "accuracy":
        return counts.n_rows
    rows = tally.predicted if name == "precision" else tally.support
    if name == "auroc" or counts.positive is None:
        return max(1, min((n for n in rows if n), default=1))
    return max(1, rows[counts.positive])


def _own_warnings(compared: Comparison) -> list[str]:
    """Without what concerns the oracle, or the difference from it."""
    foreign = ("of the baseline model", "tell the models apart", "noise cannot be estimated")
    return [
        one.replace(" of the new model", "").replace("the scores of both models", "the model's scores")
        for one in compared.warnings
        if not any(part in one for part in foreign)
    ]
