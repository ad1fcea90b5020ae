"""Rows that wait until it is known which of them stay: in memory, or on disk where memory would not hold them.

Whether a row repeats an earlier one is known only after the last row, so rows are put aside cleaned, and read again
when the result is written. Both stages give the same rows; only where they wait differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


class Stage(Protocol):
    """Batches of rows of one schema, in order, read as often as wanted."""

    def append(self, batch: pl.DataFrame) -> None:
        """Put the next rows aside."""

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows, as they were appended."""

    def take(self, positions: NDArray[np.int64]) -> pl.DataFrame:
        """The rows at these positions, in the order of the positions; at least one."""


class MemoryStage:
    """Rows wait in memory."""

    def __init__(self) -> None:
        self._batches: list[pl.DataFrame] = []
        self._starts = [0]

    def append(self, batch: pl.DataFrame) -> None:
        """Put the next rows aside."""
        self._batches.append(batch)
        self._starts.append(self._starts[-1] + batch.height)

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows, as they were appended."""
        yield from self._batches

    def take(self, positions: NDArray[np.int64]) -> pl.DataFrame:
        """The rows at these positions."""
        return _taken(self._batches.__getitem__, self._starts, positions)


class DiskStage:
    """Rows wait in one uncompressed Arrow file a batch, of which no more is read than what is asked for.

    Args:
        folder: An empty folder; whoever made it removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = [0]
        self._mapped = True

    def append(self, batch: pl.DataFrame) -> None:
        """Put the next rows aside."""
        self._mapped = self._mapped and all(_is_plain(dtype) for dtype in batch.dtypes)
        batch.rechunk().write_ipc(self._path(len(self._starts) - 1), compression="uncompressed")
        self._starts.append(self._starts[-1] + batch.height)

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows, as they were appended."""
        for number in range(len(self._starts) - 1):
            yield self._read(number)

    def take(self, positions: NDArray[np.int64]) -> pl.DataFrame:
        """The rows at these positions."""
        return _taken(self._read, self._starts, positions)

    def _read(self, number: int) -> pl.DataFrame:
        import polars as pl
        import pyarrow as pa

        if not self._mapped:
            return pl.read_ipc(self._path(number))
        with pa.memory_map(str(self._path(number))) as file:
            return cast("pl.DataFrame", pl.from_arrow(pa.ipc.open_file(file).read_all()))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.arrow"


def _is_plain(dtype: pl.DataType) -> bool:
    """Whether the bytes of a type are the same in Arrow; not so of categories, whose order is not in the file."""
    import polars as pl

    plain = (pl.String, pl.Binary, pl.Boolean, pl.Date, pl.Datetime, pl.Duration, pl.Time)
    return dtype in plain or (dtype.is_numeric() and dtype not in (pl.Int128, pl.UInt128, pl.Decimal))


def _taken(
    read: Callable[[int], pl.DataFrame], starts: list[int], positions: NDArray[np.int64]
) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    numbers = np.searchsorted(np.asarray(starts), positions, side="right") - 1
    order = np.argsort(numbers, kind="stable")
    parts = []
    for number in np.unique(numbers):
        chosen = order[numbers[order] == number]
        parts.append(read(int(number))[positions[chosen] - starts[number]])
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    taken: pl.DataFrame = pl.concat(parts)[back]
    return taken
