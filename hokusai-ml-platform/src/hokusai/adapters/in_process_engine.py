"""Batches where we are, one after the other: what a single machine needs, and the reference for other engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hokusai.ports import ParquetPart

if TYPE_CHECKING:
    import pyarrow as pa


class InProcessEngine:
    """A `BatchEngine` that keeps one batch in memory.

    >>> import pyarrow as pa
    >>> batches = [pa.table({"x": [1, 2]}), pa.table({"x": [3]})]
    >>> [(at, table.num_rows) for at, table in InProcessEngine().map_batches(batches, lambda t: t.slice(1))]
    [(0, 1), (1, 0)]
    """

    def __repr__(self) -> str:
        return "InProcessEngine()"

    def map_batches(
        self, batches: Iterable[pa.Table | ParquetPart], kernel: Callable[[pa.Table], pa.Table]
    ) -> Iterator[tuple[int, pa.Table]]:
        """See `ports.BatchEngine`."""
        for at, batch in enumerate(batches):
            yield at, kernel(batch.read() if isinstance(batch, ParquetPart) else batch)
