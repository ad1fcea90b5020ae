"""Area under the ROC curve of two models on the same rows: exact value, and DeLong's paired standard error.

AUROC is the share of (positive, negative) pairs of rows that the scores put in the right order, ties counted
half. One sort gives every row's *placement*: the share of the other class's rows that it is rightly ordered
with. The mean placement is the AUROC, and the placements' spread is its variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hokusai.stats.measured import BoolArray, FloatArray, IntArray, Measured, is_spread, share
from hokusai.stats.wald import stand_in_error


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """How one model's scores rank the rows.

    Attributes:
        area: The AUROC, exactly: twice the Mann-Whitney statistic over twice the number of pairs.
        placements: (n_rows,) share of the rows of the other class that each row is rightly ordered with, ties
            half.
    """

    area: Fraction
    placements: FloatArray


def rank(scores: FloatArray, positive: BoolArray) -> Ranking:
    """Rank (n_rows,) scores against (n_rows,) membership of the positive class, in O(n log n).

    Both classes must occur.

    Source: Sun and Xu (2014), "Fast Implementation of DeLong's Algorithm", IEEE Signal Processing Letters
    21(11):1389-1393: with midranks, placement of a positive row = (its rank among all - its rank among
    positives) / number of negatives. Here a rank difference is counted directly, as twice an integer, over
    groups of equal scores.

    >>> rank(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, True, False, True])).area
    Fraction(7, 8)
    """
    order = np.argsort(scores)
    ranked, is_positive = scores[order], positive[order]
    group = np.zeros(len(scores), dtype=np.int64)
    np.cumsum(ranked[1:] != ranked[:-1], out=group[1:])
    in_group = np.bincount(group)
    positives = np.bincount(group[is_positive], minlength=len(in_group))
    negatives = in_group - positives
    n_positive, n_negative = int(positives.sum()), int(negatives.sum())
    twice_negatives_below = 2 * np.cumsum(negatives) - negatives
    twice_positives_above = 2 * (n_positive - np.cumsum(positives)) + positives
    twice_u = int((positives * twice_negatives_below).sum())
    placements = np.empty(len(scores))
    placements[order] = np.where(
        is_positive,
        (twice_negatives_below / (2 * n_negative))[group],
        (twice_positives_above / (2 * n_positive))[group],
    )
    return Ranking(Fraction(twice_u, 2 * n_positive * n_negative), placements)


def measure_auroc(
    labels: IntArray, baseline_scores: FloatArray, new_scores: FloatArray, classes: tuple[int, ...]
) -> Measured:
    """AUROC of one class against the rest, or its mean over several (macro one-vs-rest).

    Args:
        labels: (n_rows,) class indexes.
        baseline_scores: (n_rows, n_classes) scores; a row's score for class k stands in column k.
        new_scores: Likewise.
        classes: The classes to average over; each must occur in `labels`, and none may be the only one.

    The influence of a row of class k, one of P, is (placement - AUROC) n / P, times sqrt(P / (P - 1)), and
    likewise for the rest: the mean square of these over n is DeLong's variance with its P - 1. Where a class
    has one row, or no placement changes differently from another, the noise cannot be estimated and a sign
    test on the smaller side's rows stands in.

    Source: DeLong, DeLong, Clarke-Pearson (1988), "Comparing the Areas under Two or More Correlated Receiver
    Operating Characteristic Curves: A Nonparametric Approach", Biometrics 44:837-845.
    """
    n_rows, size = len(labels), len(classes)
    influence = np.zeros(n_rows)
    areas = Fraction(0), Fraction(0)
    unestimated = 0.0
    for k in classes:
        positive = labels == k
        old = rank(baseline_scores[:, k], positive)
        new = rank(new_scores[:, k], positive)
        change = float(new.area - old.area)
        n_positive = int(np.count_nonzero(positive))
        fewer = min(n_positive, n_rows - n_positive)
        scale = np.where(positive, _scale(n_positive, n_rows), _scale(n_rows - n_positive, n_rows))
        of_class = scale * (new.placements - old.placements - change)
        if fewer == 1 or not is_spread(of_class, change):
            unestimated += stand_in_error(change, fewer) / size
        influence += of_class / size
        areas = areas[0] + old.area, areas[1] + new.area
    return share(
        "auroc",
        (areas[0] / size, areas[1] / size),
        influence,
        unestimated=unestimated,
        method="delong" if size == 1 else "influence-function",
    )


def _scale(n_class: int, n_rows: int) -> float:
    """n / P times the small-sample correction sqrt(P / (P - 1)), which one row cannot have."""
    return n_rows / n_class * math.sqrt(n_class / max(n_class - 1, 1))
