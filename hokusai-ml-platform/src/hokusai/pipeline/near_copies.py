"""Contributed rows that are copies but for a little noise: of the benchmark, of the base data, of another's rows.

Rows that are equal in content are found by `data.row_matching`; adding a millionth to a number escapes that. Two rows
are near copies if everything that is no number is equal in content, and each number differs by at most a thousandth of
its column's spread. Times are numbers. The spread is taken from base data and benchmark: the standard deviation, or
what the quartiles say it is where that is less, since a few outliers must not make everything near.

Candidates share a cell of a grid, in up to three of the numbers; each candidate is then compared in all columns. Every
one of the three is taken on two grids, half a step apart, in all combinations. As a step is four times the tolerance,
no near copy is missed, unless the data is so crowded that not all candidates can be compared (`_MOST_PAIRS`).

With few columns, or crowded ones, different rows are near each other by chance, and nearness says nothing. How often,
is estimated as the share of near pairs among the rows of base data and benchmark, times the rows that one is compared
with. Where that is above `MAX_CHANCE`, they are not compared. Rows are only compared with what stood before them, so
that nobody can switch the rule off for their own rows. Where hardly a pair is near, pairs at 8 or 64 times the
tolerance are counted instead, and one in 8² or 64² of them taken to be near, as in data that varies in two directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.row_matching import first_occurrence, normalised_text
from hokusai.pipeline.data.value_hash import hash_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

TOLERANCE = 1e-3
"""How far numbers of near copies may lie apart, in spreads of their column."""
MAX_CHANCE = 1e-3
"""Share of honest rows that may be near another row by chance; the rule is not applied beyond."""

KNOWN = "the base data and the benchmark"
OTHERS = "what others contributed"

_WIDER = (1, 8, 64)
_ENOUGH_PAIRS = 3
"""Fewer say little, or are copies that the base data came with."""
_SAMPLE = 10_000
_STEP = 4.0
"""Width of a cell, in tolerances: more than two, so that on one of two grids no border lies between near numbers."""
_KEY_COLUMNS = 3
_MOST_PAIRS = 5_000_000
_MOST_IN_A_CELL = 16
_QUARTILES = 1.349
"""The quartiles of a normal distribution are so many standard deviations apart."""


@dataclass(frozen=True, slots=True, eq=False)
class NearCopies:
    """Which contributed rows are near copies; for each file booleans of shape (n_rows,), disjoint.

    Attributes:
        of_benchmark: Of a row of the benchmark.
        of_base: Of a row of the base data, and not of the benchmark.
        of_earlier: Of a row that somebody else contributed earlier, and that is used.
        not_compared: With what rows were not compared, as that would say nothing; for people.
    """

    of_benchmark: tuple[NDArray[np.bool_], ...]
    of_base: tuple[NDArray[np.bool_], ...]
    of_earlier: tuple[NDArray[np.bool_], ...]
    not_compared: tuple[str, ...] = ()


def near_copies(
    base: pl.DataFrame,
    benchmark: pl.DataFrame,
    files: Sequence[pl.DataFrame],
    *,
    among: Sequence[pl.Series],
    parties: Sequence[int],
    target: str,
    task: Task,
) -> NearCopies:
    """Find the contributed rows that are near copies of what stood before them.

    Args:
        base: Labelled rows of the base data; maybe none.
        benchmark: Labelled rows of the benchmark.
        files: The contributed rows, earliest file first. All frames have the same columns and types.
        among: For each file, which of its rows are asked about.
        parties: For each file, who gave it: nobody copies from themselves.
        target: The column to predict: near within the tolerance for regression, equal in content for classification.
        task: What is predicted.

    >>> import polars as pl
    >>> def rows(xs: list[float]) -> pl.DataFrame:
    ...     return pl.DataFrame({"x": xs, "label": ["a"] * len(xs)})
    >>> found = near_copies(
    ...     rows([100, 200, 300]), rows([400, 500]), [rows([400.000001, 250])], among=[pl.Series([True, True])],
    ...     parties=[0], target="label", task=Task.CLASSIFICATION)
    >>> found.of_benchmark[0].tolist()
    [True, False]
    """
    import numpy as np
    import polars as pl

    heights = [benchmark.height, base.height, *(frame.height for frame in files)]
    block = np.repeat(np.arange(len(heights)), heights)
    asked = [
        np.ones(benchmark.height, bool),
        np.ones(base.height, bool),
        *(mask.to_numpy() for mask in among),
    ]
    used = np.concatenate(asked)
    none = tuple(np.zeros(frame.height, dtype=bool) for frame in files)
    rows = _Rows.of(pl.concat([benchmark, base, *files], rechunk=False), block < 2, target, task)
    if not rows.numbers or not used[block >= 2].any():
        return NearCopies(none, none, none)
    chance = _chance(rows, pl.concat([benchmark, base], rechunk=False))
    before = {number: _used_before(number, used, block, parties) for number in range(2, len(heights))}
    known = chance * int((block < 2).sum()) <= MAX_CHANCE
    others = {number: chance * count <= MAX_CHANCE for number, count in before.items()}
    not_compared = (*([] if known else [KNOWN]), *([] if all(others.values()) else [OTHERS]))
    if not known and not any(others[number] for number, count in before.items() if count):
        return NearCopies(none, none, none, not_compared)

    at = np.flatnonzero(used if known else used & (block >= 2))
    earlier, later = _pairs(rows, at, block, from_block=2)
    of_benchmark, of_base, of_earlier = (np.zeros(len(block), dtype=bool) for _ in range(3))
    of_benchmark[later[block[earlier] == 0]] = True
    of_base[later[block[earlier] == 1]] = True
    of_base &= ~of_benchmark
    used &= ~(of_benchmark | of_base)
    party = np.array([-2, -1, *parties])[block]
    for number in (number for number, compared in others.items() if compared):
        copied = (block[later] == number) & (block[earlier] >= 2) & (party[later] != party[earlier])
        copies = later[copied & used[earlier]]  # a row that is itself left out takes no credit from others
        of_earlier[copies[used[copies]]] = True
        used[copies] = False
    bounds = np.cumsum(heights)[1:-1]

    def by_file(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        return tuple(np.split(mask, bounds)[1:])

    return NearCopies(by_file(of_benchmark), by_file(of_base), by_file(of_earlier), not_compared)


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    """A column of numbers: gaps are NaN; `whole` if base data and benchmark hold whole numbers further apart than
    the tolerance, so that rounding finds what a contributed number is near."""

    values: NDArray[np.float64]
    tolerance: float
    whole: bool

    def cells(self, at: NDArray[np.intp], step: float, shift: float) -> NDArray[np.uint64]:
        import numpy as np

        scaled = np.floor(self.values[at] / step + shift)
        return (scaled + 0.0).view(np.uint64)  # -0.0 is 0.0

    def near(self, a: NDArray[np.intp], b: NDArray[np.intp], times: float) -> NDArray[np.bool_]:
        import numpy as np

        one, other = self.values[a], self.values[b]
        with np.errstate(invalid="ignore"):  # infinity less infinity
            close = np.abs(one - other) <= self.tolerance * (1 if self.whole else times)
        near: NDArray[np.bool_] = close | (one == other) | (np.isnan(one) & np.isnan(other))
        return near


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """All rows: their numbers, and one hash of everything in which near copies are equal."""

    numbers: tuple[_Number, ...]
    equal: NDArray[np.uint64]

    @classmethod
    def of(cls, frame: pl.DataFrame, known: NDArray[np.bool_], target: str, task: Task) -> _Rows:
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


def _number(values: NDArray[np.float64], known: NDArray[np.bool_]) -> _Number:
    import numpy as np

    finite = values[known & np.isfinite(values)]
    tolerance = TOLERANCE * _spread(finite)
    whole = bool(tolerance < 0.5 and (finite == np.round(finite)).all())
    return _Number(values, tolerance, whole)


def _spread(values: NDArray[np.float64]) -> float:
    """The standard deviation, or that of a normal distribution with the same quartiles if it is less."""
    import numpy as np

    if not len(values):
        return 1.0
    low, high = np.quantile(values, (0.25, 0.75))
    spreads = [s for s in (float(values.std()), float(high - low) / _QUARTILES) if 0 < s < np.inf]
    return min(spreads) if spreads else float(np.abs(values).max()) or 1.0


def _used_before(
    number: int, used: NDArray[np.bool_], block: NDArray[np.intp], parties: Sequence[int]
) -> int:
    """How many rows others contributed before the file that is this block."""
    earlier = [i + 2 for i, party in enumerate(parties[: number - 2]) if party != parties[number - 2]]
    return sum(int(used[block == i].sum()) for i in earlier)


def _chance(rows: _Rows, known: pl.DataFrame) -> float:
    """The share of pairs of different rows that are near, by what base data and benchmark show."""
    import numpy as np

    loose = sum(not number.whole for number in rows.numbers)
    first = first_occurrence(known, known.columns).to_numpy()
    distinct = np.flatnonzero(first == np.arange(len(first)))
    if len(distinct) > _SAMPLE:
        distinct = distinct[np.linspace(0, len(distinct) - 1, _SAMPLE).astype(np.intp)]
    if not loose or len(distinct) < 2:
        return 0.0
    alone = np.arange(len(rows.equal))  # every row is a block of its own: all pairs
    share = 0.0
    for wider in _WIDER:
        found = len(_pairs(rows, distinct, alone, from_block=0, times=wider)[0])
        share = found / wider ** min(loose, 2) / (len(distinct) * (len(distinct) - 1) / 2)
        if found >= _ENOUGH_PAIRS:
            break
    return share


def _pairs(
    rows: _Rows, at: NDArray[np.intp], block: NDArray[np.intp], *, from_block: int, times: float = 1
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(earlier row, later row) of near copies in different blocks.

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


def _candidates(
    rows: _Rows, at: NDArray[np.intp], block: NDArray[np.intp], from_block: int, times: float
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


def _near(rows: _Rows, a: NDArray[np.intp], b: NDArray[np.intp], times: float) -> NDArray[np.bool_]:
    import numpy as np

    left = np.flatnonzero(rows.equal[a] == rows.equal[b])
    for number in rows.numbers:  # most pairs fall out early
        left = left[number.near(a[left], b[left], times)]
    near = np.zeros(len(a), dtype=bool)
    near[left] = True
    return near
