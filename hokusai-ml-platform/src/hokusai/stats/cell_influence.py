"""How much one row of each cell of the joint table moves the change of a metric, and the error that follows.

All rows of one cell are alike, so that leaving one out is worked out once a cell, exactly, and not once a row. Only
whole numbers, the four operations and the square root: an attestation and its verifier get the same standard error
on every machine, with the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from hokusai.domain.delta import JointCounts
from hokusai.stats.from_counts import Tally, averaged_classes, tallies
from hokusai.stats.wald import stand_in_error

JACKKNIFE = "jackknife"
INFLUENCE_FUNCTION = "influence-function"
"""To first order only, as statements were made at first; too narrow where a class has few rows."""


def cell_influences(counts: JointCounts, name: str, method: str = JACKKNIFE) -> list[float]:
    """Influence of one row of each cell on new minus baseline of a metric, in the order of the table's cells.

    The mean square of the rows' influences over n is the square of the change's standard error. For precision,
    recall and F1 the influence is that of the jackknife: with d the change without the row and m the mean of d over
    all rows, sqrt(n (n - 1)) (m - d). Where a class has few rows, its error is larger than the first-order one, and
    rather too large than too small. Accuracy is a mean, whose first-order influence is exact.

    Args:
        counts: The joint table.
        name: One of accuracy, precision, recall, f1.
        method: `INFLUENCE_FUNCTION` for the first-order influences of precision, recall and F1: with y "the row is
            of class k" and p "the model says k", both 0 or 1, E the mean over rows, and P, R, F the metric:
            precision (y p - P p) / E p; recall (y p - R y) / E y; F1 (2 y p - F (p + y)) / (E p + E y).

    Raises:
        InvalidInputError: The table is empty or not in its one valid form.

    Source: Efron and Stein (1981), "The Jackknife Estimate of Variance", Annals of Statistics 9:586-596; first-order:
    van der Vaart (1998), "Asymptotic Statistics", section 3.1.
    """
    n_rows, over, both = counts.n_rows, averaged_classes(counts), tallies(counts)
    if name == "accuracy":
        change = (sum(both[1].correct) - sum(both[0].correct)) / n_rows
        return [float(new == label) - float(old == label) - change for (label, old, new), _ in counts.cells]
    moves = [_moves(name, counts, model, tally, over, method) for model, tally in enumerate(both)]
    change_of = [new - old for old, new in zip(*moves, strict=True)]
    if method == INFLUENCE_FUNCTION:
        return change_of
    mean = (
        math.fsum(count * moved for (_, count), moved in zip(counts.cells, change_of, strict=True)) / n_rows
    )
    scale = math.sqrt(n_rows * (n_rows - 1))
    return [scale * (mean - moved) for moved in change_of]


def error_from_counts(
    counts: JointCounts, weights: Mapping[str, float], methods: Mapping[str, str] | None = None
) -> float:
    """Standard error of the weighted sum of changes of count metrics, such as {"f1": 1.0} for that of F1.

    It is 0 where the cells know nothing of the noise (`hokusai.stats.wald.infer` says what stands in then).

    Args:
        counts: The joint table.
        weights: Metric name to weight.
        methods: Metric name to the method of its influences; the jackknife by default.

    Raises:
        InvalidInputError: The table is empty or not in its one valid form.
    """
    total = [0.0] * len(counts.cells)
    unestimated = 0.0
    for name, weight in weights.items():
        influences = cell_influences(counts, name, (methods or {}).get(name, JACKKNIFE))
        total = [so_far + weight * one for so_far, one in zip(total, influences, strict=True)]
        unestimated += weight * unestimated_error(counts, name)
    squares = math.fsum(count * value * value for (_, count), value in zip(counts.cells, total, strict=True))
    return math.sqrt(squares) / counts.n_rows + unestimated


def unestimated_error(counts: JointCounts, name: str) -> float:
    """Standard error of what changed alike in all rows that show it, of which no influence knows; mostly 0.

    It is that of the classes whose value went from exactly 0 to exactly 1 or back. What carries the change are the
    right predictions of the model that has the 1. The classes' errors are added up, which is the most that any
    correlation between them could make it.
    """
    over, both = averaged_classes(counts), tallies(counts)
    if name == "accuracy":
        won = sum(both[1].correct) - sum(both[0].correct)
        return stand_in_error(1.0, counts.n_rows) if abs(won) == counts.n_rows else 0.0
    total = 0.0
    for k in over:
        if {_value(name, tally, k) for tally in both} == {0.0, 1.0}:
            total += stand_in_error(1.0, max(tally.correct[k] for tally in both))
    return total / len(over)


def _moves(
    name: str, counts: JointCounts, model: int, tally: Tally, over: tuple[int, ...], method: str
) -> list[float]:
    """By how much one model's metric moves with one row of each cell: without it, or to first order."""
    of_cell = _first_order if method == INFLUENCE_FUNCTION else _without_one
    seen: dict[tuple[int, int], float] = {}
    total = math.fsum(_value(name, tally, k) for k in over)
    averaged = frozenset(over)
    found = []
    for cell, _ in counts.cells:
        place = cell[0], cell[1 + model]
        if place not in seen:
            seen[place] = of_cell(name, counts, tally, averaged, total, place)
        found.append(seen[place])
    return found


def _without_one(
    name: str, counts: JointCounts, tally: Tally, over: frozenset[int], total: float, place: tuple[int, int]
) -> float:
    """The metric without one row of (label, said), minus the metric."""
    label, said = place
    size = len(over)
    of_label, of_said = label in over and name != "precision", said in over and name != "recall"
    right = label == said
    moved = 0.0
    leaves = counts.positive is None and tally.support[label] == 1  # a class without rows is not averaged
    if not leaves and (of_label or of_said) and right:
        moved = _step(name, tally, label, 1, of_label + of_said)
    elif not leaves and of_label:
        moved = _step(name, tally, label, 0, 1)
    if of_said and not right:
        moved += _step(name, tally, said, 0, 1)
    if not leaves:
        return moved / size
    if size == 1:
        return 0.0
    return (total - _value(name, tally, label) + moved) / (size - 1) - total / size


def _step(name: str, tally: Tally, k: int, hits: int, rows: int) -> float:
    """What a class's value changes by when it loses so many right predictions and so much of its denominator."""
    factor = 2 if name == "f1" else 1
    top, bottom = factor * tally.correct[k], _bottom(name, tally, k)
    if bottom == rows:
        return -top / bottom
    return (rows * top - factor * hits * bottom) / (bottom * (bottom - rows))


def _first_order(
    name: str, counts: JointCounts, tally: Tally, over: frozenset[int], _: float, place: tuple[int, int]
) -> float:
    label, said = place
    moved = 0.0
    for k, counted in ((said, name != "recall"), (label, name != "precision")):
        bottom = _bottom(name, tally, k)
        if counted and k in over and bottom:
            moved += counts.n_rows / len(over) / bottom * (float(label == said) - _value(name, tally, k))
    return moved


def _value(name: str, tally: Tally, k: int) -> float:
    """A metric of one class; 0/0 is 0."""
    bottom = _bottom(name, tally, k)
    return (2 if name == "f1" else 1) * tally.correct[k] / bottom if bottom else 0.0


def _bottom(name: str, tally: Tally, k: int) -> int:
    """The denominator of a metric of one class."""
    if name == "f1":
        return tally.predicted[k] + tally.support[k]
    return tally.predicted[k] if name == "precision" else tally.support[k]
