"""One number for many models: the weighted gain of each over one baseline, with the influence of each row.

A comparison tells everything about two models. Attribution asks one thing of hundreds: how much better than the
baseline, in the very terms of the comparison that is shared out, and which rows say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.errors import InvalidInputError
from hokusai.stats.auroc import measure_auroc
from hokusai.stats.classification import joint_counts, measure_counts
from hokusai.stats.clusters import Units, by_units
from hokusai.stats.from_counts import COUNT_METRICS
from hokusai.stats.inputs import class_indexes, class_scores, numbers, same_length
from hokusai.stats.measured import FloatArray, Measured, by_rows, weighted_influence
from hokusai.stats.regression import measure_regression


@dataclass(frozen=True, slots=True, eq=False)
class RowGain:
    """A gain and what each row has to do with it.

    Attributes:
        value: The weighted gain, a fraction: what DeltaOne would be.
        influence: (n_rows,) influence of each row on it (`hokusai.stats.measured`); of each unit, (n_units,), where
            rows belong together (`hokusai.stats.clusters`).
    """

    value: float
    influence: FloatArray


def classifier_gain(
    labels: npt.ArrayLike,
    baseline: npt.ArrayLike,
    new: npt.ArrayLike,
    *,
    n_classes: int,
    weights: Mapping[str, Fraction],
    baseline_scores: npt.ArrayLike | None = None,
    new_scores: npt.ArrayLike | None = None,
    units: npt.ArrayLike | None = None,
) -> RowGain:
    """The weighted gain of a classifier; `compare_classifiers` with these weights has it as its DeltaOne.

    Args:
        labels: (n_rows,) class indexes.
        baseline, new: (n_rows,) each model's class indexes.
        n_classes: How many classes there are; of two, the second is the positive one.
        weights: Metric name to weight, as the comparison has them.
        baseline_scores, new_scores: As in `compare_classifiers`; needed where AUROC has a weight.
        units: As in `compare_classifiers`.

    Raises:
        InvalidInputError: Arrays that do not fit together, or no scores where AUROC has a weight.
    """
    positive = 1 if n_classes == 2 else None
    arrays = {
        name: class_indexes(name, values, n_classes)
        for name, values in (("labels", labels), ("baseline", baseline), ("new", new))
    }
    same_length(arrays)
    names = tuple(str(i) for i in range(n_classes))
    counts, cell_of_row = joint_counts(**arrays, classes=names, positive=positive)
    measured = measure_counts(counts, cell_of_row, [name for name in COUNT_METRICS if name in weights])
    if "auroc" in weights:
        if baseline_scores is None or new_scores is None:
            raise InvalidInputError("AUROC has a weight, and needs the scores of both models")
        scores = [
            class_scores(name, values, n_classes, positive)
            for name, values in (("baseline_scores", baseline_scores), ("new_scores", new_scores))
        ]
        shown = np.flatnonzero(np.bincount(arrays["labels"], minlength=n_classes)).tolist()
        over = (positive,) if positive is not None else tuple(shown)
        measured.append(measure_auroc(arrays["labels"], scores[0], scores[1], over))
    groups = None if units is None else Units.parse(units, len(arrays["labels"]))
    return _weighed(measured if groups is None else [by_units(one, groups) for one in measured], weights)


def regressor_gain(
    target: npt.ArrayLike,
    baseline: npt.ArrayLike,
    new: npt.ArrayLike,
    *,
    weights: Mapping[str, Fraction],
    units: npt.ArrayLike | None = None,
) -> RowGain:
    """The weighted gain of a regressor; `compare_regressors` with these weights has it as its DeltaOne.

    Args:
        target: (n_rows,) true values.
        baseline, new: (n_rows,) each model's predictions.
        weights: Metric name to weight, as the comparison has them.
        units: As in `compare_regressors`.

    Raises:
        InvalidInputError: Arrays that do not fit together.
    """
    arrays = {
        name: numbers(name, values)
        for name, values in (("target", target), ("baseline", baseline), ("new", new))
    }
    n_rows = same_length(arrays)
    measured = measure_regression(**arrays, names=list(weights))
    groups = None if units is None else Units.parse(units, n_rows)
    return _weighed([by_rows(one) if groups is None else by_units(one, groups) for one in measured], weights)


def _weighed(measured: Sequence[Measured], weights: Mapping[str, Fraction]) -> RowGain:
    influence = weighted_influence([(float(weights[one.metric.name]), one) for one in measured])
    gain = math.fsum(float(weights[one.metric.name]) * one.gain for one in measured)
    return RowGain(gain, influence)
