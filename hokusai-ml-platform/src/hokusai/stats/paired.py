"""Compare two models on the same benchmark rows: every metric's change with its uncertainty, and DeltaOne.

>>> compared = compare_classifiers([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], classes=("no", "yes"))
>>> compared.delta("accuracy").baseline_value, compared.delta("accuracy").new_value
(0.5, 1.0)
>>> compared.delta("accuracy").p_value
0.25
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import Comparison, JointCounts, primary_record
from hokusai.domain.metrics import Task, metrics_for
from hokusai.errors import InvalidInputError, MetricError
from hokusai.stats.auroc import measure_auroc
from hokusai.stats.classification import joint_counts, measure_counts
from hokusai.stats.clusters import Units, by_units
from hokusai.stats.composite import Weight, delta_one, equal_weights, parse_weights, task_metric
from hokusai.stats.from_counts import discordant_rows, zero_denominators
from hokusai.stats.inputs import class_indexes, class_scores, numbers, same_length
from hokusai.stats.measured import IntArray, Measured, by_rows
from hokusai.stats.regression import measure_regression
from hokusai.stats.wald import critical_value

DEFAULT_PRIMARY = {Task.CLASSIFICATION: "accuracy", Task.REGRESSION: "rmse"}
"""The primary metric where none is given."""

_FEW_ROWS = 30
_FEW_OF_A_CLASS = 10
_FEW_DISCORDANT = 10


def compare_classifiers(
    labels: npt.ArrayLike,
    baseline: npt.ArrayLike,
    new: npt.ArrayLike,
    *,
    classes: tuple[str, ...],
    baseline_scores: npt.ArrayLike | None = None,
    new_scores: npt.ArrayLike | None = None,
    positive: int | None = None,
    metrics: Iterable[str] | None = None,
    weights: Mapping[str, Weight] | None = None,
    primary: str | None = None,
    confidence: float = 0.95,
    units: npt.ArrayLike | None = None,
) -> Comparison:
    """Compare two classifiers.

    With two classes, precision, recall, F1 and AUROC are those of the positive class. With more they are the
    plain mean over the classes that occur among `labels` (macro; AUROC one-vs-rest). A class that the
    benchmark does not show cannot be scored; predicting it counts as the error that it is.

    Args:
        labels: (n_rows,) true class of each row, as index into `classes`.
        baseline: (n_rows,) the baseline model's predictions, likewise.
        new: (n_rows,) the new model's predictions, likewise.
        classes: All classes that occur in the training data, the benchmark or a prediction, in sorted order.
        baseline_scores: (n_rows,) score of the positive class (two classes only), or (n_rows, n_classes).
        new_scores: Likewise. AUROC needs both.
        positive: Index of the positive class; by default 1 where there are two classes.
        metrics: Names of the metrics to compare; by default all that can be.
        weights: Metric name to weight in DeltaOne, any scale; by default all compared metrics weigh the same.
            A metric without weight is reported but does not enter.
        primary: The metric that a contract can pay on; by default accuracy, or the one with the largest
            weight where accuracy is not compared.
        confidence: Coverage of the intervals.
        units: (n_rows,) name or number of the unit that each row belongs to, such as a user or a document. Errors
            and p-values are by units then. Without them all rows are taken to be independent of each other, as
            McNemar's test assumes.

    Returns:
        The comparison. Standard errors and intervals are of the absolute deltas; p-values are McNemar's mid-p
        for accuracy, DeLong's z for AUROC of one class, the jackknife's z for precision, recall and F1, the
        influence functions' z for the rest; by units, Student's t, and for accuracy the sign-flip test.

    Raises:
        InvalidInputError: Arrays that do not fit together, hold no rows, or hold values that are not finite.
        MetricError: An unknown metric, a weight that is none, a primary or weighted metric that cannot be
            computed, or no metric that can.
    """
    critical_value(confidence)
    wish = _Wish.parse(Task.CLASSIFICATION, metrics, weights, primary)
    positive = _positive_class(classes, positive)
    size = len(classes)
    arrays = {
        "labels": class_indexes("labels", labels, size),
        "baseline": class_indexes("baseline", baseline, size),
        "new": class_indexes("new", new, size),
    }
    scores = [
        class_scores(name, values, size, positive)
        for name, values in (("baseline_scores", baseline_scores), ("new_scores", new_scores))
        if values is not None
    ]
    n_rows = same_length(arrays | {f"scores {i + 1}": s for i, s in enumerate(scores)})
    counts, cell_of_row = joint_counts(**arrays, classes=classes, positive=positive)
    support = np.bincount(arrays["labels"], minlength=size)

    measured = measure_counts(counts, cell_of_row, wish.metrics)
    warnings = _count_warnings(counts, support, wish.metrics)
    left_out: dict[str, str] = {}
    if "auroc" in wish.metrics:
        if len(scores) < 2:
            left_out["auroc"] = "it needs the scores of both models"
        elif np.count_nonzero(support) < 2 or (positive is not None and not support[positive]):
            left_out["auroc"] = "the benchmark shows one class only"
        else:
            over = (positive,) if positive is not None else tuple(np.flatnonzero(support).tolist())
            measured.append(measure_auroc(arrays["labels"], scores[0], scores[1], over))
    averaging = "macro" if positive is None else "binary"
    groups = None if units is None else Units.parse(units, n_rows)
    if groups is not None:
        old_right, new_right = (
            (arrays[name] == arrays["labels"]).astype(np.int64) for name in ("baseline", "new")
        )
        alone = {"accuracy": new_right - old_right}
        measured = [by_units(m, groups, alone.get(m.metric.name)) for m in measured]
    return _conclude(
        wish,
        n_rows=n_rows,
        averaging=averaging,
        measured=measured,
        left_out=left_out,
        warnings=warnings,
        counts=counts,
        confidence=confidence,
        units=groups,
    )


def compare_regressors(
    target: npt.ArrayLike,
    baseline: npt.ArrayLike,
    new: npt.ArrayLike,
    *,
    metrics: Iterable[str] | None = None,
    weights: Mapping[str, Weight] | None = None,
    primary: str | None = None,
    confidence: float = 0.95,
    units: npt.ArrayLike | None = None,
) -> Comparison:
    """Compare two regressors.

    Args:
        target: (n_rows,) true values.
        baseline: (n_rows,) the baseline model's predictions, in the same unit.
        new: (n_rows,) the new model's predictions.
        metrics: As in `compare_classifiers`.
        weights: As in `compare_classifiers`.
        primary: By default rmse, or the metric with the largest weight where rmse is not compared.
        confidence: Coverage of the intervals.
        units: As in `compare_classifiers`.

    Returns:
        The comparison, by Student's paired t; for RMSE and R2 on the rows' influences, which for MAE are its
        own summands. Deltas, standard errors and intervals of RMSE and MAE are in the target's unit; their
        gains are the share of the baseline's error that went away, -1 where the baseline made none. R2 is
        left out where the target does not vary.

    Raises:
        InvalidInputError: Arrays that do not fit together, hold no rows, or hold values that are not finite.
        MetricError: As `compare_classifiers`.
    """
    critical_value(confidence)
    wish = _Wish.parse(Task.REGRESSION, metrics, weights, primary)
    arrays = {
        "target": numbers("target", target),
        "baseline": numbers("baseline", baseline),
        "new": numbers("new", new),
    }
    n_rows = same_length(arrays)
    left_out: dict[str, str] = {}
    names = list(wish.metrics)
    if "r2" in names and _is_constant(arrays["target"]):
        left_out["r2"] = "the target is the same in every benchmark row"
        names.remove("r2")
    measured = measure_regression(**arrays, names=names)
    groups = None if units is None else Units.parse(units, n_rows)
    measured = [by_rows(m) if groups is None else by_units(m, groups) for m in measured]
    return _conclude(
        wish,
        n_rows=n_rows,
        averaging="",
        measured=measured,
        left_out=left_out,
        warnings=[],
        counts=None,
        confidence=confidence,
        units=groups,
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the caller asked for, by the metrics' own names."""

    task: Task
    metrics: tuple[str, ...]
    weights: dict[str, Fraction] | None
    primary: str | None

    @classmethod
    def parse(
        cls,
        task: Task,
        metrics: Iterable[str] | None,
        weights: Mapping[str, Weight] | None,
        primary: str | None,
    ) -> _Wish:
        known = tuple(spec.name for spec in metrics_for(task))
        chosen = frozenset(known if metrics is None else (task_metric(name, task).name for name in metrics))
        return cls(
            task,
            tuple(name for name in known if name in chosen),
            None if weights is None else parse_weights(weights, task),
            None if primary is None else task_metric(primary, task).name,
        )


def _conclude(
    wish: _Wish,
    *,
    n_rows: int,
    averaging: str,
    measured: Sequence[Measured],
    left_out: Mapping[str, str],
    warnings: Sequence[str],
    counts: JointCounts | None,
    confidence: float,
    units: Units | None,
) -> Comparison:
    """Weigh what was measured and put the comparison together."""
    if not measured:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise MetricError(f"The two models have no common metric{f' ({reasons})' if reasons else ''}")
    for role, names in (("weighted", wish.weights or {}), ("primary", filter(None, [wish.primary]))):
        for name in names:
            if name not in {m.metric.name for m in measured}:
                why = left_out.get(name, "it is not among the metrics to compare")
                raise MetricError(f"The {role} metric {name!r} cannot be computed: {why}")
    weights = equal_weights(measured) if wish.weights is None else wish.weights
    weights = {m.metric.name: weights[m.metric.name] for m in measured if m.metric.name in weights}
    deltas = {m.metric.name: m.delta(confidence) for m in measured}
    default = DEFAULT_PRIMARY[wish.task]
    primary = wish.primary or (default if default in deltas else max(weights, key=lambda name: weights[name]))
    total = delta_one(measured, weights, confidence)
    told = [
        *warnings,
        *(f"{name} is left out: {why}" for name, why in left_out.items()),
        *(caveat for m in measured for caveat in m.caveats()),
    ]
    r2 = deltas.get("r2")
    if r2 is not None and "r2" in weights and min(r2.baseline_value, r2.new_value) < 0:
        told.append(
            f"r2 is below 0 for a model, {r2.baseline_value:.4g} before and {r2.new_value:.4g} after, and has no lower "
            f"bound: in DeltaOne it may outweigh metrics whose gain is at most 100 points; weights can leave it out"
        )
    if n_rows < _FEW_ROWS:
        told.append(
            f"The benchmark has {n_rows} rows; the intervals' normal approximation is rough below {_FEW_ROWS}"
        )
    if units is not None and units.count < _FEW_ROWS:
        told.append(
            f"The benchmark's rows belong to {units.count} units; errors by units are rough below {_FEW_ROWS}"
        )
    return Comparison(
        task=wish.task,
        n_rows=n_rows,
        averaging=averaging,
        deltas=tuple(deltas.values()),
        weights=weights,
        delta_one=total.value,
        standard_error=total.sure.standard_error,
        interval=total.sure.interval,
        p_value=total.sure.p_value,
        exact=total.exact,
        counts=counts,
        primary=primary_record(deltas[primary]),
        warnings=tuple(told),
        n_units=None if units is None else units.count,
    )


def _positive_class(classes: tuple[str, ...], positive: int | None) -> int | None:
    if len(classes) < 2:
        raise InvalidInputError(f"A classifier needs at least two classes, got {len(classes)}")
    if len(set(classes)) < len(classes):
        raise InvalidInputError("Two classes have the same name")
    if len(classes) > 2:
        if positive is not None:
            raise InvalidInputError(f"A positive class goes with two classes, got {len(classes)}")
        return None
    if positive is None:
        return 1
    if positive not in (0, 1):
        raise InvalidInputError(f"The positive class must be 0 or 1, got {positive}")
    return int(positive)


def _count_warnings(counts: JointCounts, support: IntArray, metrics: Sequence[str]) -> list[str]:
    warnings = [sentence for metric, sentence in zero_denominators(counts) if metric in metrics]
    absent = [repr(counts.classes[k]) for k in np.flatnonzero(support == 0).tolist()]
    if absent and counts.positive is None:
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        warnings.append(
            f"The benchmark has no row of class {', '.join(absent[:3])}{more}; macro averages leave it out"
        )
    rare = [
        repr(counts.classes[k]) for k in np.flatnonzero((support > 0) & (support < _FEW_OF_A_CLASS)).tolist()
    ]
    if rare and counts.n_rows >= _FEW_ROWS:  # below, a warning of its own says so of all intervals
        more = f" and {len(rare) - 3} more" if len(rare) > 3 else ""
        warnings.append(
            f"The benchmark has fewer than {_FEW_OF_A_CLASS} rows of class {', '.join(rare[:3])}{more}; the "
            f"intervals' normal approximation is rough for what leans on them"
        )
    discordant = sum(discordant_rows(counts))
    if 0 < discordant < _FEW_DISCORDANT and "accuracy" in metrics:
        warnings.append(
            f"accuracy: only {discordant} rows tell the models apart; trust the p-value, not the interval's "
            f"normal approximation"
        )
    return warnings


def _is_constant(values: npt.NDArray[np.float64]) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(values.min() == values.max() or np.square(values - values.mean()).mean() == 0.0)
