"""The comparison made again from the rows: what a statement says of two models, held against labels and predictions.

With the rows at hand nothing has to be believed: values, standard errors, intervals and p-values are worked out by the
very code that the comparison was made by, and so are the commitments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from hokusai.attestation.checks import check_error
from hokusai.attestation.commitments import commit
from hokusai.attestation.predictions import RowPredictions, Scores
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.commitments import Commitments
from hokusai.domain.delta import Comparison
from hokusai.domain.labels import class_order
from hokusai.domain.metrics import Task
from hokusai.errors import IntegrityError
from hokusai.stats.cell_influence import error_from_counts
from hokusai.stats.from_counts import COUNT_METRICS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING = 1e-9


def check_predictions(
    claim: DeltaOneClaim, predictions: RowPredictions, *, secret: bytes = b""
) -> tuple[str, ...]:
    """Counts, metrics, their uncertainty, DeltaOne and the commitments are those of these rows.

    Args:
        claim: What the statement says.
        predictions: The rows.
        secret: What the commitments were made with, if anything.

    Returns:
        Names of the metrics that were worked out again, "DeltaOne" among them where it was, and "commitments".

    Raises:
        IntegrityError: Something differs.
    """
    stated = claim.comparison
    if predictions.task is not stated.task or predictions.n_rows != stated.n_rows:
        raise IntegrityError(
            f"The predictions are of {predictions.n_rows} rows ({predictions.task.value}), "
            f"the statement is about {stated.n_rows} ({stated.task.value})"
        )
    if stated.n_units is not None and predictions.units is None:
        raise IntegrityError(
            f"The errors are between {stated.n_units} units, and the predictions do not say which row is of which",
            hint="Add a column `unit` to them.",
        )
    again = _compare(stated, predictions)
    if again.n_units != stated.n_units:
        raise IntegrityError(
            f"These rows are of {again.n_units or 'no'} units, the statement says {stated.n_units or 'of none'}"
        )
    if again.counts != stated.counts:
        raise IntegrityError(
            f"The joint counts are not those of the statement{_first_difference(stated, again)}"
        )
    for delta in again.deltas:
        name, said = delta.metric.name, stated.delta(delta.metric.name)
        pairs = {
            "baseline's value": (said.baseline_value, delta.baseline_value),
            "new model's value": (said.new_value, delta.new_value),
        }
        if said.method == delta.method:
            pairs |= {
                "standard error": (said.standard_error, delta.standard_error),
                "interval's lower end": (said.interval.low, delta.interval.low),
                "interval's upper end": (said.interval.high, delta.interval.high),
                "p-value": (said.p_value, delta.p_value),
            }
        else:
            _check_by_its_method(stated, name, delta.method)
        size = max(1.0, abs(delta.baseline_value), abs(delta.new_value))
        for what, (one, other) in pairs.items():
            if not math.isclose(one, other, rel_tol=_ROUNDING * 100, abs_tol=_ROUNDING * size):
                raise IntegrityError(
                    f"{name}: these predictions give {other:.6g} as the {what}, the statement says {one:.6g}"
                )
    recomputed = [delta.metric.name for delta in again.deltas]
    if set(stated.weights) <= set(recomputed):
        _check_whole(stated, again)
        recomputed.append("DeltaOne")
    if claim.commitments is not None:
        _check_commitments(claim, claim.commitments, predictions, secret)
        recomputed.append("commitments")
    return tuple(recomputed)


def compare_rows(
    predictions: RowPredictions,
    *,
    weights: Mapping[str, Fraction] | None = None,
    primary: str | None = None,
) -> Comparison:
    """The comparison that these rows give; the classes are all that occur in them.

    Args:
        predictions: The rows.
        weights: Metric name to weight in DeltaOne; by default all metrics weigh the same.
        primary: The metric that a contract can pay on.

    Raises:
        InvalidInputError: There are fewer than two classes.
        MetricError: A weighted metric, or the primary one, cannot be computed from these rows.
    """
    from hokusai.stats.paired import compare_classifiers, compare_regressors

    columns = (predictions.labels, predictions.baseline, predictions.new)
    if predictions.task is Task.REGRESSION:
        return compare_regressors(*columns, weights=weights, primary=primary, units=predictions.units)
    classes = class_order(str(value) for column in columns for value in column)
    scores = _scores(predictions, classes)
    return compare_classifiers(
        *(_indexes(column, classes) for column in columns),
        classes=classes,
        baseline_scores=scores and scores[0],
        new_scores=scores and scores[1],
        weights=weights,
        primary=primary,
        units=predictions.units,
    )


def _compare(stated: Comparison, predictions: RowPredictions) -> Comparison:
    from hokusai.stats.paired import compare_classifiers, compare_regressors

    names = [delta.metric.name for delta in stated.deltas]
    confidence = stated.interval.confidence
    if stated.task is Task.REGRESSION:
        return compare_regressors(
            predictions.labels, predictions.baseline, predictions.new, metrics=names, weights=stated.weights,
            primary=stated.primary.metric, confidence=confidence, units=predictions.units,
        )  # fmt: skip
    if stated.counts is None:
        raise IntegrityError("A classification without its joint counts cannot be checked")
    scores = _scores(predictions, stated.counts.classes)
    names = [name for name in names if scores is not None or name != "auroc"]
    weights = {name: weight for name, weight in stated.weights.items() if name in names}
    columns = (predictions.labels, predictions.baseline, predictions.new)
    return compare_classifiers(
        *(_indexes(column, stated.counts.classes) for column in columns),
        classes=stated.counts.classes,
        baseline_scores=scores and scores[0],
        new_scores=scores and scores[1],
        positive=stated.counts.positive,
        metrics=names,
        weights=weights or None,
        primary=stated.primary.metric if stated.primary.metric in names else None,
        confidence=confidence,
        units=predictions.units,
    )


def _first_difference(stated: Comparison, again: Comparison) -> str:
    if stated.counts is None or again.counts is None:
        return ""
    said, found = dict(stated.counts.cells), dict(again.counts.cells)
    cell = min(cell for cell in said.keys() | found.keys() if said.get(cell) != found.get(cell))
    label, old, new = (repr(stated.counts.classes[index]) for index in cell)
    return (
        f": label {label}, baseline {old}, new {new} in {found.get(cell, 0):,} rows of the predictions, and in "
        f"{said.get(cell, 0):,} by the statement"
    )


def _check_by_its_method(stated: Comparison, name: str, method: str) -> None:
    """An error by another method than today's is the one that the stated method gives, where the counts can tell."""
    said = stated.delta(name)
    if stated.n_units is not None or stated.counts is None or name not in COUNT_METRICS:
        raise IntegrityError(
            f"{name}: its error is by {said.method} in the statement, and by {method} from these predictions"
        )
    expected = error_from_counts(stated.counts, {name: 1.0}, _methods(stated))
    check_error(name, said.absolute_delta, said.standard_error, expected)


def _methods(stated: Comparison) -> dict[str, str]:
    return {delta.metric.name: delta.method.removesuffix("+sign-test") for delta in stated.deltas}


def _scores(
    predictions: RowPredictions, classes: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(the baseline's, the new model's) scores as a comparison takes them; None unless both are known."""
    old, new = (_table(scores, classes) for scores in (predictions.baseline_scores, predictions.new_scores))
    return None if old is None or new is None else (old, new)


def _table(scores: Scores | None, classes: tuple[str, ...]) -> NDArray[np.float64] | None:
    """A model's scores, (n_rows,) of two classes, (n_rows, n_classes) of more."""
    import numpy as np

    if scores is None:
        return None
    if not isinstance(scores, Mapping):
        if len(classes) != 2:
            raise IntegrityError(f"There is one score for each row, and there are {len(classes)} classes")
        return np.asarray(scores, dtype=np.float64)
    if len(classes) == 2 or set(scores) != set(classes):
        given = ", ".join(map(repr, sorted(scores)))
        raise IntegrityError(
            f"The scores are of the classes {given}; the rows are of {', '.join(map(repr, classes))}"[:500],
            hint="Of two classes there is one score, the second's; of more, each has one.",
        )
    return np.column_stack([scores[name] for name in classes])


def _indexes(column: Sequence[str] | Sequence[float], classes: tuple[str, ...]) -> NDArray[np.int64]:
    import numpy as np

    index = {name: i for i, name in enumerate(classes)}
    unknown = {str(value) for value in column} - set(index)
    if unknown:
        raise IntegrityError(f"The statement knows no class {min(unknown)[:80]!r}")
    return np.fromiter((index[str(value)] for value in column), dtype=np.int64, count=len(column))


def _check_whole(stated: Comparison, again: Comparison) -> None:
    pairs = {"DeltaOne": (stated.delta_one, again.delta_one)}
    if all(stated.delta(name).method == again.delta(name).method for name in stated.weights):
        pairs["DeltaOne's standard error"] = (stated.standard_error, again.standard_error)
        pairs["DeltaOne's p-value"] = (stated.p_value, again.p_value)
    elif stated.counts is not None and set(stated.weights) <= set(COUNT_METRICS):
        weights = {name: float(weight) for name, weight in stated.weights.items()}
        expected = error_from_counts(stated.counts, weights, _methods(stated))
        check_error("DeltaOne", stated.delta_one, stated.standard_error, expected)
    else:
        raise IntegrityError(
            "DeltaOne's error is of methods that these predictions cannot be measured by again"
        )
    for what, (one, other) in pairs.items():
        if not math.isclose(one, other, rel_tol=_ROUNDING * 100, abs_tol=_ROUNDING):
            raise IntegrityError(
                f"These predictions give {other:.6g} as {what}, the statement says {one:.6g}"
            )


def _check_commitments(
    claim: DeltaOneClaim, stated: Commitments, predictions: RowPredictions, secret: bytes
) -> None:
    made = commit(
        predictions.labels,
        predictions.baseline,
        predictions.new,
        benchmark_sha256=claim.benchmark_sha256,
        baseline_model_sha256=claim.baseline_model_sha256,
        new_model_sha256=claim.new_model_sha256,
        secret=secret,
    )
    for name in ("labels", "baseline", "new"):
        if getattr(made, name) != getattr(stated, name):
            raise IntegrityError(
                f"The commitment to {name} is not to these rows",
                hint="They may be in another order, or committed to with a secret.",
            )
