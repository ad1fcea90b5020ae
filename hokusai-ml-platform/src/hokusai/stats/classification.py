"""Accuracy, precision, recall and F1 of two classifiers, with the influence of each row on their change.

Values come from the joint table (`hokusai.stats.from_counts`); all rows of one cell of that table have the
same influence, so that it is worked out once a cell, not once a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from hokusai.domain.delta import JointCounts
from hokusai.stats.from_counts import (
    COUNT_METRICS,
    Tally,
    averaged_classes,
    mcnemar_from_counts,
    metrics_from_counts,
    tallies,
)
from hokusai.stats.measured import FloatArray, IntArray, Measured, share
from hokusai.stats.wald import stand_in_error

_DENSE_TABLE_LIMIT = 1 << 20


def joint_counts(
    labels: IntArray, baseline: IntArray, new: IntArray, *, classes: tuple[str, ...], positive: int | None
) -> tuple[JointCounts, IntArray]:
    """The joint table of three (n_rows,) arrays of class indexes, and the cell that each row falls in."""
    size = len(classes)
    code = (labels * size + baseline) * size + new
    if size**3 <= _DENSE_TABLE_LIMIT:
        table = np.bincount(code, minlength=size**3)
        codes = np.flatnonzero(table)
        counts = table[codes]
        cell_of_row = (np.cumsum(table > 0) - 1)[code]
    else:
        codes, cell_of_row, counts = np.unique(code, return_inverse=True, return_counts=True)
    cells = zip(
        (codes // size**2).tolist(), (codes // size % size).tolist(), (codes % size).tolist(), strict=True
    )
    return JointCounts(classes, positive, tuple(zip(cells, counts.tolist(), strict=True))), cell_of_row


def measure_counts(counts: JointCounts, cell_of_row: IntArray, names: Sequence[str]) -> list[Measured]:
    """The count metrics called `names`.

    Args:
        counts: The joint table.
        cell_of_row: (n_rows,) index of each row's cell.
        names: Any of accuracy, precision, recall, f1.

    Source of the influence functions: the delta method on ratios of means (van der Vaart 1998, "Asymptotic
    Statistics", section 3.1). With y "the row is of class k" and p "the model says k", both 0 or 1, E the
    mean over rows, and P, R, F the metric: precision (y p - P p) / E p; recall (y p - R y) / E y; F1 (2 y p -
    F (p + y)) / (E p + E y); accuracy 1[right] - accuracy. A zero denominator has influence 0.
    """
    values = metrics_from_counts(counts)
    over = averaged_classes(counts)
    cells = np.array([cell for cell, _ in counts.cells], dtype=np.int64)
    both = tallies(counts)
    old, new = (
        _influences(cells[:, 0], cells[:, 1 + model], tally, over, counts.n_rows)
        for model, tally in enumerate(both)
    )
    found = []
    for name in COUNT_METRICS:
        if name not in names:
            continue
        influence = (new[name] - old[name])[cell_of_row]
        if name == "accuracy":
            p_value = mcnemar_from_counts(counts)
            change = float(values[name][1] - values[name][0])
            unestimated = 0.0 if abs(change) < 1 else stand_in_error(change, counts.n_rows)
            found.append(
                share(
                    name,
                    values[name],
                    influence,
                    unestimated=unestimated,
                    method="mcnemar-mid-p",
                    p_value=p_value,
                )
            )
        else:
            found.append(share(name, values[name], influence, unestimated=_unestimated(name, both, over)))
    return found


def _influences(
    label: IntArray, said: IntArray, tally: Tally, over: tuple[int, ...], n_rows: int
) -> dict[str, FloatArray]:
    """Influence of one row in each cell on one model's metrics; `label` and `said` are (n_cells,)."""
    support, predicted = np.array(tally.support, dtype=float), np.array(tally.predicted, dtype=float)
    averaged = np.zeros(len(support))
    averaged[list(over)] = n_rows / len(over)
    right = (label == said).astype(np.float64)
    accuracy = float(Fraction(sum(tally.correct), n_rows))
    precision, recall, f1 = (
        _per_class("precision", tally),
        _per_class("recall", tally),
        _per_class("f1", tally),
    )
    per_prediction = _ratio(averaged, predicted)
    per_label = _ratio(averaged, support)
    per_either = _ratio(averaged, predicted + support)
    return {
        "accuracy": right - accuracy,
        "precision": per_prediction[said] * (right - precision[said]),
        "recall": per_label[label] * (right - recall[label]),
        "f1": per_either[said] * (right - f1[said]) + per_either[label] * (right - f1[label]),
    }


def _unestimated(name: str, both: tuple[Tally, Tally], over: tuple[int, ...]) -> float:
    """Standard error of the classes whose value went from exactly 0 to exactly 1 or back.

    All influences of such a class are 0. What carries the change are the right predictions of the model that
    has the 1. The classes' errors are added up, which is the most that any correlation between them could
    make it.
    """
    old, new = (_per_class(name, tally) for tally in both)
    total = 0.0
    for k in over:
        if {old[k], new[k]} == {0.0, 1.0}:
            total += stand_in_error(1.0, max(tally.correct[k] for tally in both))
    return total / len(over)


def _per_class(name: str, tally: Tally) -> FloatArray:
    """(n_classes,) values of one metric; 0/0 is 0."""
    support, predicted, correct = (
        np.array(totals, dtype=np.float64) for totals in (tally.support, tally.predicted, tally.correct)
    )
    if name == "f1":
        return _ratio(2 * correct, predicted + support)
    return _ratio(correct, predicted if name == "precision" else support)


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
