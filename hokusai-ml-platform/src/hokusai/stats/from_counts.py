"""Accuracy, precision, recall, F1 and McNemar's test from the joint table alone.

The table of (label, baseline prediction, new prediction) counts is all that these metrics depend on. This is
the one home of their rules: the comparison computes them here, and whoever holds an attestation recomputes
them here, with the standard library and without the rows.
"""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from hokusai.domain.delta import JointCounts
from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import mcnemar_mid_p

COUNT_METRICS = ("accuracy", "precision", "recall", "f1")
"""The metrics that the joint table determines, in reporting order."""

_CLASSES_NAMED_IN_A_WARNING = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """What one model's predictions add up to, per class index.

    Attributes:
        support: Rows that truly are of the class.
        predicted: Rows that the model says are of the class.
        correct: Rows that are both.
    """

    support: tuple[int, ...]
    predicted: tuple[int, ...]
    correct: tuple[int, ...]


def metrics_from_counts(counts: JointCounts) -> dict[str, tuple[Fraction, Fraction]]:
    """Every count metric of both models as exact fractions.

    With a positive class (binary) precision, recall and F1 are that class's; without one they are the plain
    mean over the classes that occur among the benchmark's labels (macro average, scikit-learn's `labels=` set
    to those). A class that the benchmark does not show cannot be scored; predicting it counts as the error
    that it is. A zero denominator gives 0, as scikit-learn's `zero_division=0`; `zero_denominators` names
    them.

    Returns:
        Metric name to (baseline, new), in reporting order.

    Raises:
        InvalidInputError: The table is empty or not in its one valid form.

    >>> table = JointCounts(("no", "yes"), 1, (((0, 0, 0), 5), ((1, 0, 1), 2), ((1, 1, 1), 3)))
    >>> [str(value) for value in metrics_from_counts(table)["recall"]]
    ['3/5', '1']
    """
    over = averaged_classes(counts)
    baseline, new = (_metrics(tally, counts.n_rows, over) for tally in tallies(counts))
    return {name: (baseline[name], new[name]) for name in COUNT_METRICS}


def mcnemar_from_counts(counts: JointCounts) -> float:
    """McNemar's two-sided mid-p value for "both models are right equally often"."""
    return mcnemar_mid_p(*discordant_rows(counts))


def discordant_rows(counts: JointCounts) -> tuple[int, int]:
    """Rows that only the baseline got right, and rows that only the new model got right."""
    _check(counts)
    baseline_only = sum(c for (label, old, new), c in counts.cells if old == label != new)
    new_only = sum(c for (label, old, new), c in counts.cells if new == label != old)
    return baseline_only, new_only


def discordance_from_counts(counts: JointCounts, name: str) -> float:
    """Share of the rows that tell the two models apart by a count metric.

    For accuracy those that exactly one of them got right; for the others those that they predict differently.
    """
    differ = sum(count for (_, old, new), count in counts.cells if old != new)
    return (sum(discordant_rows(counts)) if name == "accuracy" else differ) / counts.n_rows


def tallies(counts: JointCounts) -> tuple[Tally, Tally]:
    """The class totals of the baseline and of the new model."""
    _check(counts)
    size = len(counts.classes)
    support = [0] * size
    predicted = [0] * size, [0] * size
    correct = [0] * size, [0] * size
    for (label, *predictions), count in counts.cells:
        support[label] += count
        for model, prediction in enumerate(predictions):
            predicted[model][prediction] += count
            if prediction == label:
                correct[model][label] += count
    baseline, new = (Tally(tuple(support), tuple(predicted[m]), tuple(correct[m])) for m in (0, 1))
    return baseline, new


def averaged_classes(counts: JointCounts) -> tuple[int, ...]:
    """The classes, by index, that precision, recall and F1 average over: the positive, or all that occur."""
    _check(counts)
    if counts.positive is not None:
        return (counts.positive,)
    return tuple(sorted({label for (label, _, _), _ in counts.cells}))


def zero_denominators(counts: JointCounts) -> list[tuple[str, str]]:
    """(metric, sentence) for each metric and model whose value rests on 0/0 counted as 0."""
    over = averaged_classes(counts)
    reasons = {
        "precision": "it never predicts",
        "recall": "the benchmark has no row of",
        "f1": "neither it nor the benchmark shows",
    }
    found = []
    for model, tally in zip(("baseline", "new"), tallies(counts), strict=True):
        empty = {
            "precision": [k for k in over if not tally.predicted[k]],
            "recall": [k for k in over if not tally.support[k]],
            "f1": [k for k in over if not tally.predicted[k] + tally.support[k]],
        }
        for metric, classes in empty.items():
            if classes:
                where = _class_names(counts, classes)
                found.append(
                    (metric, f"{metric} of the {model} model: {reasons[metric]} {where}; 0/0 counts as 0")
                )
    return found


def _metrics(tally: Tally, n_rows: int, over: tuple[int, ...]) -> dict[str, Fraction]:
    per_class = [(tally.correct[k], tally.predicted[k], tally.support[k]) for k in over]
    return {
        "accuracy": Fraction(sum(tally.correct), n_rows),
        "precision": _mean((hit, said) for hit, said, _ in per_class),
        "recall": _mean((hit, true) for hit, _, true in per_class),
        "f1": _mean((2 * hit, said + true) for hit, said, true in per_class),
    }


def _mean(ratios: Iterable[tuple[int, int]]) -> Fraction:
    """The exact mean of numerator/denominator pairs; 0/0 is 0."""
    by_denominator: defaultdict[int, int] = defaultdict(int)
    size = 0
    for numerator, denominator in ratios:
        by_denominator[denominator] += numerator
        size += 1
    return (
        sum((Fraction(top, bottom) for bottom, top in by_denominator.items() if bottom), Fraction(0)) / size
    )


def _class_names(counts: JointCounts, indexes: list[int]) -> str:
    shown = ", ".join(repr(counts.classes[k]) for k in indexes[:_CLASSES_NAMED_IN_A_WARNING])
    more = len(indexes) - _CLASSES_NAMED_IN_A_WARNING
    noun = "class" if len(indexes) == 1 else "classes"
    return f"{noun} {shown}" + (f" and {more} more" if more > 0 else "")


def _check(counts: JointCounts) -> None:
    """Refuse a table with more than one reading: it may come from somebody else's attestation."""
    size = len(counts.classes)
    if not counts.cells:
        raise InvalidInputError("The joint table has no rows")
    if counts.positive is not None and not 0 <= counts.positive < size:
        raise InvalidInputError(
            f"The positive class has index {counts.positive}, but there are {size} classes"
        )
    # All at once first, which is quick; what follows finds the words for what is wrong.
    cells = [cell for cell, _ in counts.cells]
    if (
        all(map(operator.lt, cells, cells[1:]))
        and set(map(len, cells)) == {3}
        and 0 <= min(map(min, cells)) <= max(map(max, cells)) < size
        and min(count for _, count in counts.cells) >= 1
    ):
        return
    repeated = [cell for cell, times in Counter(cell for cell, _ in counts.cells).items() if times > 1]
    if repeated:
        raise InvalidInputError(f"The joint table holds the cell {repeated[0]} more than once")
    for cell, count in counts.cells:
        if len(cell) != 3 or not all(0 <= index < size for index in cell):
            raise InvalidInputError(f"The joint table's cell {cell} does not name three of {size} classes")
        if count < 1:
            raise InvalidInputError(
                f"The joint table's cell {cell} has the count {count}, expected at least 1"
            )
    if list(counts.cells) != sorted(counts.cells):
        raise InvalidInputError("The joint table's cells are not sorted")
