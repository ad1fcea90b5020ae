"""Pairs of rows that are the same but for a little noise in their numbers, found without comparing all pairs.

Two rows are near if everything that is no number is equal in content, and each number differs by at most a thousandth
of its column's spread. Rows that share a cell of a grid, in up to three of the numbers, are candidates; each candidate
is then compared in all columns. Every one of the three is taken on two grids, half a step apart, in all combinations.
As a step is four times the tolerance, no pair is missed, unless the data is so crowded that not all candidates can be
compared (`_MOST_PAIRS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.row_matching import normalised_text
from hokusai.pipeline.data.value_hash import hash_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

TOLERANCE = 1e-3
"""How far numbers of near rows may lie apart, in spreads of their column."""

_STEP = 4.0
"""Width of a cell, in tolerances: more than two, so that on one of two grids no border lies between near numbers."""
_KEY_COLUMNS = 3
_MOST_PAIRS = 5_000_000
"""Candidates that are compared at once."""
_MOST_IN_A_CELL = 16
"""Rows of a cell that each other one is compared with where there are more candidates."""
_QUARTILES = 1.349
"""The quartiles of a normal distribution are so many standard deviations apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRows:
    """Rows as they are compared: their numbers, and one hash of everything in which near rows are equal."""

    numbers: tuple[_Number, ...]
    equal: NDArray[np.uint64]

    @classmethod
    def of(cls, frame: pl.DataFrame, known: NDArray[np.bool_], target: str, task: Task) -> ComparedRows:
        """Prepare rows; `known` says which of them the spread of a column is taken from."""
        import numpy as np
        import polars as pl

        numbers, others = [], []
        for name in frame.columns:
            column = frame[name].alias("")
            dtype = column.dtype
            if (dtype.is_numeric() or dtype.is_temporal()) and (name != target or task is Task.REGRESSION):
                plain = column.to_physical() if dtype.is_temporal() else column
                values = plain.cast(pl.Float64).fill_null(float("nan")).to_numpy()
                number = _number(np.where(np.isnan(values), np.nan, values), known)
                numbers.append(number)
                if number.whole:
                    others.append(pl.Series(name, np.round(number.values) + 0.0))
            elif dtype.is_numeric() or dtype == pl.Boolean:
                others.append(column.cast(pl.Float64).alias(name))
            else:
                others.append(normalised_text(column.cast(pl.String)).alias(name))
        return cls(tuple(numbers), hash_rows(others) if others else np.zeros(frame.height, dtype=np.uint64))


def near_pairs(
    rows: ComparedRows, at: NDArray[np.intp], block: NDArray[np.intp], *, from_block: int, times: float = 1
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(earlier row, later row) of near rows in different blocks.

    Args:
        rows: All rows.
        at: Those that are compared, in ascending order.
        block: Of each of all rows, ascending.
        from_block: The block from which later rows are taken.
        times: Times the tolerance.
    """
    import numpy as np

    found = []
    for a, b in _candidates(rows, at, block[at], from_block, times):
        near = _near(rows, a, b, times)
        found.append(b[near] * len(block) + a[near])
    later, earlier = np.divmod(np.unique(np.concatenate(found)), len(block))
    return earlier, later


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    """A column of numbers: gaps are NaN; `whole` if base data and benchmark hold whole numbers further apart than
    the tolerance, so that rounding finds what a contributed number is near."""

    values: NDArray[np.float64]
    tolerance: float
    whole: bool

    def cells(self, at: NDArray[np.intp], step: float, shift: float) -> NDArray[np.uint64]:
        import numpy as np

        with np.errstate(over="ignore"):
            scaled = np.floor(self.values[at] / step + shift)
        return (scaled + 0.0).view(np.uint64)  # -0.0 is 0.0

    def near(self, a: NDArray[np.intp], b: NDArray[np.intp], times: float) -> NDArray[np.bool_]:
        import numpy as np

        one, other = self.values[a], self.values[b]
        with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity
            close = np.abs(one - other) <= self.tolerance * (1 if self.whole else times)
        near: NDArray[np.bool_] = close | (one == other) | (np.isnan(one) & np.isnan(other))
        return near


def _number(values: NDArray[np.float64], known: NDArray[np.bool_]) -> _Number:
    import numpy as np

    finite = values[known & np.isfinite(values)]
    tolerance = max(TOLERANCE * _spread(finite), float(np.finfo(np.float64).tiny))
    whole = bool(tolerance < 0.5 and (finite == np.round(finite)).all())
    return _Number(values, tolerance, whole)


def _spread(values: NDArray[np.float64]) -> float:
    """The standard deviation, or that of a normal distribution with the same quartiles if it is less."""
    import numpy as np

    if not len(values):
        return 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # numbers near the greatest
        low, high = np.quantile(values, (0.25, 0.75))
        spreads = [s for s in (float(values.std()), float(high - low) / _QUARTILES) if 0 < s < np.inf]
    return min(spreads) if spreads else float(np.abs(values).max()) or 1.0


def _candidates(
    rows: ComparedRows, at: NDArray[np.intp], block: NDArray[np.intp], from_block: int, times: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(earlier, later) rows that share a cell, on one grid after the other."""
    import numpy as np

    loose = [number for number in rows.numbers if not number.whole]
    steps = [_STEP * times * number.tolerance for number in loose]
    by_crowd = sorted(range(len(loose)), key=lambda i: _crowd(loose[i].cells(at, steps[i], 0.0)))
    chosen, rest = by_crowd[:_KEY_COLUMNS], by_crowd[_KEY_COLUMNS:]
    for shifts in product((0.0, 0.5), repeat=len(chosen)):
        key = rows.equal[at]
        for i, shift in zip(chosen, shifts, strict=True):
            key = _mixed(key, loose[i].cells(at, steps[i], shift))
        order, cell, count = _cells(key, block, from_block)
        if count.sum() > _MOST_PAIRS:  # all columns then, on one grid with the first, and a few of each cell
            for i in rest:
                key = _mixed(key, loose[i].cells(at, steps[i], shifts[0]))
            order, cell, count = _cells(key, block, from_block)
            if count.sum() > _MOST_PAIRS:
                count = np.minimum(count, _MOST_IN_A_CELL)
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        yield at[order[np.repeat(cell, count) + within]], at[np.repeat(order, count)]


def _cells(
    keys: NDArray[np.uint64], block: NDArray[np.intp], from_block: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(rows in the order of their keys; where each one's cell begins there; how many of earlier blocks follow)."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    key, blocks = keys[order], block[order]
    number = np.arange(len(order))
    new_cell = np.concatenate(([True], key[1:] != key[:-1]))
    new_block = new_cell | np.concatenate(([True], blocks[1:] != blocks[:-1]))
    cell = np.maximum.accumulate(np.where(new_cell, number, 0))
    count = np.maximum.accumulate(np.where(new_block, number, 0)) - cell
    return order, cell, np.where(blocks >= from_block, count, 0)


def _crowd(cells: NDArray[np.uint64]) -> float:
    """How many pairs share a cell."""
    import numpy as np

    _, counts = np.unique(cells, return_counts=True)
    return float((counts.astype(np.float64) ** 2).sum())


def _mixed(key: NDArray[np.uint64], cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of both, after SplitMix64."""
    import numpy as np

    mixed = (key * np.uint64(0x9E3779B97F4A7C15)) ^ cells
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _near(rows: ComparedRows, a: NDArray[np.intp], b: NDArray[np.intp], times: float) -> NDArray[np.bool_]:
    import numpy as np

    left = np.flatnonzero(rows.equal[a] == rows.equal[b])
    for number in rows.numbers:  # most pairs fall out early
        left = left[number.near(a[left], b[left], times)]
    near = np.zeros(len(a), dtype=bool)
    near[left] = True
    return near
