"""Digests of more rows than fit in memory: kept on disk in order, 32 bytes a row, and compared piece by piece.

Which rows repeat an earlier one, which keys are already in the base data, and what the sorted digests are, all follow
from the digests alone, however wide the rows are. The log is cut into buckets by the first bits of the digests
(`digest_buckets`), and what is in a bucket is compared in memory (`digest_order`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from hokusai.domain.manifest import DatasetHash
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.digest_buckets import Buckets, bucket_bits, fill_from, nameless_file
from hokusai.pipeline.data.digest_order import (
    DIGEST_BYTES,
    Piece,
    all_in_order,
    in_order,
    match,
    require_digests,
    taken,
)
from hokusai.pipeline.data.digest_tree import hash_of_digests

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

BLOCK_ROWS = 1 << 18
"""Rows that are in memory at once, and about how many a bucket has."""


class DigestLog:
    """Digests in the order of their rows, on disk.

    Args:
        folder: Where the file is; there must be room for 32 bytes a row, and for another 36 while they are compared.
        block_rows: Rows that are in memory at once.

    >>> import numpy as np
    >>> with DigestLog("/tmp") as log:
    ...     log.append(np.array([[7] * 32, [5] * 32, [7] * 32], dtype=np.uint8))
    ...     len(log), log.duplicates().tolist()
    (3, [False, False, True])
    """

    def __init__(self, folder: str | Path, *, block_rows: int = BLOCK_ROWS) -> None:
        self._folder = Path(folder)
        self._block_rows = block_rows
        self._file = nameless_file(self._folder)
        self._rows = 0
        self._buckets: Buckets | None = None

    def __len__(self) -> int:
        return self._rows

    def __enter__(self) -> DigestLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk space back; the log cannot be used any more."""
        self._forget_buckets()
        self._file.close()

    def append(self, digests: NDArray[np.uint8]) -> None:
        """Add the digests of the next rows, uint8 of shape (n_rows, 32).

        Raises:
            InvalidInputError: The array has another shape or type.
        """
        import numpy as np

        require_digests(digests)
        self._forget_buckets()
        self._file.write(np.ascontiguousarray(digests).data)
        self._rows += len(digests)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The digests of rows `start` to `stop` (not included), shape (stop - start, 32)."""
        import numpy as np

        if not 0 <= start <= stop <= self._rows:
            raise InvalidInputError(f"There are no rows {start:,} to {stop:,} in a log of {self._rows:,}")
        self._file.flush()
        digests = np.empty((stop - start, DIGEST_BYTES), np.uint8)
        fill_from(self._file, start * DIGEST_BYTES, digests)
        return digests

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The digests of some rows, in the order in which these are named; shape (n, 32)."""
        import numpy as np

        found = np.empty((len(rows), DIGEST_BYTES), np.uint8)
        blocks = rows // self._block_rows
        for block in np.unique(blocks):
            start = int(block) * self._block_rows
            here = np.flatnonzero(blocks == block)
            stop = min(start + self._block_rows, self._rows)
            found[here] = taken(self.read(start, stop), rows[here] - start)
        return found

    def chunks(self, skip: NDArray[np.bool_] | None = None) -> Iterator[NDArray[np.uint8]]:
        """The digests in the order of their rows, in pieces.

        Args:
            skip: Rows to leave out, shape (n_rows,).
        """
        for piece in self._pieces(skip):
            yield piece.digests

    def sorted_chunks(self, skip: NDArray[np.bool_] | None = None) -> Iterator[NDArray[np.uint8]]:
        """All digests in ascending order, equal ones as often as they occur, in pieces.

        Args:
            skip: Rows to leave out, shape (n_rows,).
        """
        for bucket in self._by_bucket(self._bits(), skip):
            if (ordered := all_in_order(bucket)) is not None:
                yield from ordered.sorted_chunks(self._block_rows)

    def duplicates(self, skip: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Which rows repeat an earlier one.

        Args:
            skip: Rows that take no part, shape (n_rows,): they repeat nothing and nothing repeats them.

        Returns:
            Booleans of shape (n_rows,).
        """
        import numpy as np

        repeats = np.zeros(self._rows, np.bool_)
        for bucket in self._by_bucket(self._bits(), skip):
            for ordered in in_order(bucket):
                repeats[ordered.repeating_rows] = True
        return repeats

    def dataset_hash(
        self, schema: Mapping[str, pl.DataType], skip: NDArray[np.bool_] | None = None
    ) -> DatasetHash:
        """The hash of the rows whose digests these are: the same as `dataset_hash.dataset_hash` of the rows.

        Args:
            schema: The rows' columns and types.
            skip: Rows that are not in the dataset, shape (n_rows,).
        """
        return hash_of_digests(canonical_columns(schema), self.chunks(skip), self.sorted_chunks(skip))

    def _pieces(self, skip: NDArray[np.bool_] | None) -> Iterator[Piece]:
        import numpy as np

        self._require_fit(skip)
        for start in range(0, self._rows, self._block_rows):
            stop = min(start + self._block_rows, self._rows)
            yield Piece(self.read(start, stop), np.arange(start, stop)).without(skip)

    def _by_bucket(self, bits: int, skip: NDArray[np.bool_] | None = None) -> Iterator[Iterator[Piece]]:
        """The rows by the first bits of their digests, in ascending order of these; each bucket in pieces."""
        self._require_fit(skip)
        if not bits:
            yield self._pieces(skip)
            return
        if self._buckets is None or self._buckets.bits != bits:
            self._forget_buckets()
            self._buckets = Buckets(self._folder, self._pieces(None), bits, self._block_rows)
        for number in range(1 << bits):
            yield (piece.without(skip) for piece in self._buckets.pieces(number))

    def _bits(self) -> int:
        return bucket_bits(self._rows, self._block_rows)

    def _require_fit(self, skip: NDArray[np.bool_] | None) -> None:
        if skip is not None and len(skip) != self._rows:
            raise InvalidInputError(
                f"The log has {self._rows:,} rows, the mask of rows to leave out {len(skip):,}"
            )

    def _forget_buckets(self) -> None:
        if self._buckets is not None:
            self._buckets.close()
            self._buckets = None


def first_match(new: DigestLog, base: DigestLog) -> NDArray[np.int64]:
    """For each row of `new`, the first row of `base` with the same digest, or -1 if there is none.

    Returns:
        Rows of `base`, of shape (n_new,).
    """
    import numpy as np

    found = np.full(len(new), -1, np.int64)
    bits = (
        max(new._bits(), base._bits()) if base._bits() else 0
    )  # a small base is compared with all rows at once
    for new_bucket, base_bucket in zip(new._by_bucket(bits), base._by_bucket(bits), strict=True):
        if (known := all_in_order(base_bucket)) is not None:
            distinct = known.distinct()
            for piece in new_bucket:
                found[piece.rows] = match(piece.digests, distinct)
    return found
