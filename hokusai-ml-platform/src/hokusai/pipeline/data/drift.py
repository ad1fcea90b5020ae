"""How far the distribution of a column moved away from a reference.

A contribution may well differ from the base data, that is why it is wanted; but a reader has to see where and how much,
since a column in other units or with other codes looks just the same to a schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.pipeline.data.number_bins import weighted_quantiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hokusai.pipeline.data.column_states import ColumnState

N_INTERVALS = 10
MOST_CATEGORIES = 100
LEAST_VALUES = 50


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column's move.

    Attributes:
        name: The column.
        divergence: Jensen-Shannon divergence in bits, in [0, 1]: 0 for equal distributions, 1 for disjoint ones.
        psi: Population stability index; above 0.25 is commonly called a major shift.
    """

    name: str
    divergence: float
    psi: float


def column_drift(base: ColumnState, new: ColumnState) -> ColumnDrift | None:
    """Compare a column with the same one in the base data; None where there is nothing fair to compare.

    Columns of at most 100 distinct values are compared value by value; numbers and dates over the intervals between the
    base's deciles. Cells without a value are one more category. Free text is not compared, nor are columns with fewer
    than 50 values on one side: samples that small differ by chance.
    """
    if min(base.rows - base.nulls, new.rows - new.nulls) < LEAST_VALUES:
        return None
    if base.values is not None and new.values is not None and len(base.values) <= MOST_CATEGORIES:
        old_counts, new_counts = _by_value(base.values, new.values)
    elif base.dtype.is_numeric() == new.dtype.is_numeric() and base.bins and new.bins:
        old_counts, new_counts = _by_interval(base, new)
    else:
        return None
    old_counts, new_counts = [*old_counts, base.nulls], [*new_counts, new.nulls]
    return ColumnDrift(
        new.name,
        round(jensen_shannon(old_counts, new_counts), 6),
        round(population_stability(old_counts, new_counts), 6),
    )


def jensen_shannon(old: list[int], new: list[int]) -> float:
    """Jensen-Shannon divergence of two histograms over the same categories, in bits.

    JSD = H((p + q) / 2) - (H(p) + H(q)) / 2, with H the entropy to base 2.

    >>> jensen_shannon([5, 5], [1, 1]), jensen_shannon([3, 0], [0, 2])
    (0.0, 1.0)

    References:
        Lin (1991), Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 37(1).
    """
    p, q = _shares(old), _shares(new)
    value = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
    return min(1.0, max(0.0, value))


def population_stability(old: list[int], new: list[int]) -> float:
    """Population stability index: the sum of (q - p) ln(q / p), half a row added to every category.

    >>> population_stability([5, 5], [5, 5])
    0.0

    References:
        Siddiqi (2006), Credit Risk Scorecards, Wiley, ch. 9; Yurdakul and Naranjo (2020), Statistical properties of the
        population stability index, J. Risk Model Validation 14(4).
    """
    import numpy as np

    p, q = _shares([count + 0.5 for count in old]), _shares([count + 0.5 for count in new])
    return float(((q - p) * np.log(q / p)).sum())


def _by_value(old: dict[object, int], new: dict[object, int]) -> tuple[list[int], list[int]]:
    names = sorted({*old, *new}, key=lambda value: (str(type(value)), str(value)))
    return [old.get(name, 0) for name in names], [new.get(name, 0) for name in names]


def _by_interval(base: ColumnState, new: ColumnState) -> tuple[list[int], list[int]]:
    import numpy as np

    points, counts = base.bins.points()
    shares = [i / N_INTERVALS for i in range(1, N_INTERVALS)]
    edges = np.unique(weighted_quantiles(points, counts, shares))

    def count(state: ColumnState) -> list[int]:
        values, rows = state.bins.points()
        places = np.searchsorted(edges, values, side="left")  # a value equal to an edge is below it
        return [int(n) for n in np.bincount(places, weights=rows, minlength=len(edges) + 1)]

    return count(base), count(new)


def _shares(counts: list[int] | list[float]) -> NDArray[np.float64]:
    import numpy as np

    array = np.array(counts, dtype=np.float64)
    shares: NDArray[np.float64] = array / array.sum()
    return shares


def _entropy(shares: NDArray[np.float64]) -> float:
    import numpy as np

    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum())
