"""Contributed rows that are copies but for a little noise: of the benchmark, of the base data, of another's rows.

Rows that are equal in content are found by `data.row_matching`; adding a millionth to a number escapes that. Two rows
are near copies if everything that is no number is equal in content, and each number differs by at most a thousandth of
its column's spread. Times are numbers. The spread is taken from base data and benchmark: the standard deviation, or
what the quartiles say it is where that is less, since a few outliers must not make everything near.

With few columns, or crowded ones, different rows are near each other by chance, and nearness says nothing. How often,
is estimated as the share of near pairs among the rows of base data and benchmark, times the rows that one is compared
with. Where that is above `MAX_CHANCE`, they are not compared. Rows are only compared with what stood before them, so
that nobody can switch the rule off for their own rows. Where hardly a pair is near, pairs at 8 or 64 times the
tolerance are counted instead, and one in 8² or 64² of them taken to be near, as in data that varies in two directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.row_matching import first_occurrence
from hokusai.pipeline.near_pairs import ComparedRows, near_pairs

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

MAX_CHANCE = 1e-3
"""Share of honest rows that may be near another row by chance; the rule is not applied beyond."""

KNOWN = "the base data and the benchmark"
OTHERS = "what others contributed"

_WIDER = (1, 8, 64)
_ENOUGH_PAIRS = 3
"""Fewer say little, or are copies that the base data came with."""
_SAMPLE = 10_000


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
    ...     rows([100.0, 200.0, 300.0]), rows([400.0, 500.0]), [rows([400.000001, 250.0])],
    ...     among=[pl.Series([True, True])], parties=[0], target="label", task=Task.CLASSIFICATION)
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
    rows = ComparedRows.of(pl.concat([benchmark, base, *files], rechunk=False), block < 2, target, task)
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
    earlier, later = near_pairs(rows, at, block, from_block=2)
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


def _used_before(
    number: int, used: NDArray[np.bool_], block: NDArray[np.intp], parties: Sequence[int]
) -> int:
    """How many rows others contributed before the file that is this block."""
    earlier = [i + 2 for i, party in enumerate(parties[: number - 2]) if party != parties[number - 2]]
    return sum(int(used[block == i].sum()) for i in earlier)


def _chance(rows: ComparedRows, known: pl.DataFrame) -> float:
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
        found = len(near_pairs(rows, distinct, alone, from_block=0, times=wider)[0])
        share = found / wider ** min(loose, 2) / (len(distinct) * (len(distinct) - 1) / 2)
        if found >= _ENOUGH_PAIRS:
            break
    return share
