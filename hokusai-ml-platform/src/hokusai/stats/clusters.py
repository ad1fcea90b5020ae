"""Rows that belong together: several documents of one author, several visits of one patient.

Rows of one unit tend to be right or wrong together, so that a thousand rows of ten users say about as much as ten
rows. Where the caller names each row's unit, the units take the place of the rows: the influences of a unit's rows
are added up, and whatever has influences (every metric, and DeltaOne) has an error by units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import BY_UNITS, JointCounts
from hokusai.domain.seeds import derive_seed
from hokusai.errors import InvalidInputError
from hokusai.stats.bootstrap import RESAMPLES, Replicates, acceleration, draw_counts
from hokusai.stats.cell_bootstrap import TableMetrics
from hokusai.stats.from_counts import COUNT_METRICS
from hokusai.stats.mcnemar import P_VALUE_FLOOR, mcnemar_mid_p
from hokusai.stats.measured import FloatArray, IntArray, Measured, not_below
from hokusai.stats.wald import stand_in_error, two_sided_p

_EXACT_UP_TO = 50_000
_DRAWS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Which unit each row belongs to.

    Attributes:
        of_row: (n_rows,) index of each row's unit, from 0 without gaps.
        count: Number of units.
    """

    of_row: IntArray
    count: int

    @classmethod
    def parse(cls, values: npt.ArrayLike, n_rows: int) -> Units | None:
        """The units that (n_rows,) names or numbers tell apart; None where each row is one of its own.

        Raises:
            InvalidInputError: Not one value for each row, a missing value, or a single unit.

        >>> Units.parse(["ann", "bob", "ann"], 3).of_row.tolist()
        [0, 1, 0]
        """
        array = np.asarray(values)
        if array.shape != (n_rows,):
            raise InvalidInputError(
                f"units has the shape {array.shape}, expected one for each of {n_rows} rows"
            )
        if _any_missing(array):
            raise InvalidInputError("A row has no unit", hint="Give every row the name of its unit.")
        if array.dtype.kind == "O":  # values of different types cannot be sorted, and 1 is not "1"
            array = np.array([f"{type(value).__name__} {value}" for value in array.tolist()])
        names, of_row = np.unique(array, return_inverse=True)
        if len(names) == n_rows:
            return None
        if len(names) < 2:
            raise InvalidInputError(
                "All rows belong to one unit, which says nothing of how units differ",
                hint="A benchmark has at least two units, better thirty.",
            )
        return cls(of_row.astype(np.int64), len(names))


def by_units(measured: Measured, units: Units, right: IntArray | None = None) -> Measured:
    """A metric whose noise is that between units.

    The influences of each unit are summed; their mean square is enlarged by G / (G - 1), G the number of units, and
    intervals and p-values come from Student's t with G - 1 degrees of freedom. An error is never below that between
    rows: units whose rows happen to even out, of which few are enough, show no more than as many rows on their own.

    Args:
        measured: The metric, with the influences of the rows.
        units: Which rows belong together.
        right: (n_rows,) for accuracy: 1 where the new model alone is right, -1 where the baseline alone is, else 0.
            Its p-value is that of the sign-flip test by units then; but never below McNemar's, since units that happen
            to even out must not show more than as many rows on their own.

    Source: Cameron and Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human
    Resources 50:317-372, sections II.C and VI.B to D; the larger of both errors, as advised there
    for robust ones: Angrist and Pischke (2009), "Mostly Harmless Econometrics", section 8.1.
    """
    change = measured.new - measured.baseline
    method, p_value = measured.method, None
    if right is not None:
        method, p_value = "sign-flip-mid-p", sign_flip_mid_p(_sums(right, units))
        p_value = max(p_value, mcnemar_mid_p(int((right < 0).sum()), int((right > 0).sum())))
    return replace(
        measured,
        influence=_of_units(measured.influence, units),
        gain_influence=_of_units(measured.gain_influence, units),
        row_gain_influence=measured.gain_influence,
        unestimated=measured.unestimated and stand_in_error(change, 1),
        gain_unestimated=measured.gain_unestimated and stand_in_error(measured.gain, 1),
        method=method + BY_UNITS,
        p_value=p_value,
        n_rows=len(units.of_row),
        freedom=units.count - 1,
    )


def sign_flip_mid_p(sums: npt.ArrayLike) -> float:
    """Two-sided mid-p value of "a unit's rows favour either model alike", from (n_units,) whole numbers.

    If it is so, the sign of each unit's sum goes either way with probability one half. All signs are counted, not
    drawn, so that it holds for any number of units. Where each row is its own unit it is McNemar's mid-p test. With
    sums of more than 50,000 in all the normal limit stands in.

    Source: Canay, Romano, Shaikh (2017), "Randomization Tests under an Approximate Symmetry Assumption",
    Econometrica 85:1013-1030; mid-p as in `hokusai.stats.mcnemar`.

    >>> sign_flip_mid_p([1, 1, 1, 1, 1, 1, 1, -1])  # McNemar's 1 against 7
    0.0390625
    >>> sign_flip_mid_p([7, -1])
    0.75
    """
    values = np.asarray(sums, dtype=np.int64)
    sizes, times = np.unique(np.abs(values[values != 0]), return_counts=True)
    total, whole = abs(int(values.sum())), int((sizes * times).sum())
    if not total:
        return 1.0
    if whole > _EXACT_UP_TO:
        return two_sided_p(total / math.sqrt(float((sizes.astype(float) ** 2 * times).sum())))
    least = (
        whole - total
    ) // 2  # X, the sum of the sizes that go against the majority; P(X <= least) is wanted
    chances = np.zeros(least + 1)
    chances[0] = 1.0
    filled = 1
    for place in np.argsort(-times, kind="stable").tolist():
        size, n = int(sizes[place]), int(times[place])
        spread = np.zeros(least + 1)
        for k in range(min(n, least // size) + 1):
            shift = k * size
            upto = min(filled, least + 1 - shift)
            spread[shift : shift + upto] += _binomial(n, k) * chances[:upto]
        chances, filled = spread, min(least + 1, filled + n * size)
    return min(1.0, max(2 * float(chances[:-1].sum()) + float(chances[-1]), P_VALUE_FLOOR))


def cluster_bootstrap(
    counts: JointCounts,
    cell_of_row: IntArray,
    units: Units,
    metrics: Sequence[str] = COUNT_METRICS,
    *,
    weights: Mapping[str, Fraction] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Replicates:
    """Resample the changes of count metrics by drawing whole units with replacement.

    Args:
        counts: The joint table.
        cell_of_row: (n_rows,) index of each row's cell in `counts.cells`.
        units: Which rows belong together.
        metrics, weights, resamples, seed: As in `hokusai.stats.cell_bootstrap.cell_bootstrap`; the cost is the
            number of resamples times that of units.

    Source: Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 3.8.
    """
    tallies = TableMetrics(counts, metrics, weights)
    if resamples < 2:
        raise InvalidInputError(f"Resampling needs two resamples or more, got {resamples}")
    n_cells = len(tallies.table)
    place = {cell: column for column, cell in enumerate(map(tuple, tallies.cells.tolist()))}
    column_of_cell = np.array([place[cell] for cell, _ in counts.cells])
    code = units.of_row * n_cells + column_of_cell[cell_of_row]
    of_unit = np.bincount(code, minlength=units.count * n_cells).reshape(units.count, n_cells).astype(float)
    rng = np.random.default_rng(derive_seed(seed, "cluster-bootstrap", "units"))
    at_once = max(1, _DRAWS_AT_ONCE // units.count)
    parts = [
        tallies.changes(draw_counts(rng, units.count, min(at_once, resamples - start)) @ of_unit)
        for start in range(0, resamples, at_once)
    ]
    without_one = tallies.changes(tallies.table - of_unit)
    return Replicates(
        names=tallies.names,
        changes=tallies.changes(tallies.table[None, :])[0],
        replicates=np.concatenate(parts),
        acceleration=acceleration(without_one, np.ones(units.count)),
        seed=seed,
    )


def _any_missing(array: npt.NDArray[np.generic]) -> bool:
    if array.dtype.kind == "O":
        return any(_is_missing(value) for value in array.tolist())
    if array.dtype.kind in "mM":
        return bool(np.isnat(array).any())
    return array.dtype.kind == "f" and bool(np.isnan(array).any())


def _is_missing(value: object) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")  # pandas has its own


def _of_units(influence: FloatArray, units: Units) -> FloatArray:
    """(n_units,) influences whose mean square over their number is the variance between units, or that between rows.

    Args:
        influence: (n_rows,) the rows' own.
        units: Which rows belong together.
    """
    n_rows, n_units = len(influence), units.count
    scale = n_units / n_rows * math.sqrt(n_units / (n_units - 1))
    summed = scale * np.bincount(units.of_row, weights=influence, minlength=n_units).astype(np.float64)
    return not_below(summed, influence)


def _sums(values: IntArray, units: Units) -> IntArray:
    return np.rint(np.bincount(units.of_row, weights=values, minlength=units.count)).astype(np.int64)


def _binomial(n: int, k: int) -> float:
    """P(X = k) for X ~ Binomial(n, 1/2)."""
    if n <= 1000:
        return math.comb(n, k) / (1 << n)
    return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
