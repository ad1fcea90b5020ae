"""The digests of a log by their first bits, in a second file: what is equal meets in one bucket.

Each block of rows is written in one piece, in the order of its buckets; a bucket is then read from all blocks. The
files have no name: when the process ends, however it ends, they are gone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from hokusai.errors import IntegrityError
from hokusai.pipeline.data.digest_order import DIGEST_BYTES, Piece, taken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_BUCKETS = 1 << 16


def bucket_bits(n_rows: int, bucket_rows: int) -> int:
    """How many bits name a bucket, so that one has at most about `bucket_rows` rows."""
    return min(_MOST_BUCKETS - 1, max(0, n_rows - 1) // bucket_rows).bit_length()


class Buckets:
    """A file with the digests of a log and the numbers of their rows.

    Args:
        folder: Where the file is; there must be room for 36 bytes a row.
        blocks: All rows in order, not more than 2^32 in a block.
        bits: The first bits of a digest name its bucket.
        piece_rows: Rows of a bucket that are in memory at once.
    """

    def __init__(self, folder: Path, blocks: Iterable[Piece], bits: int, piece_rows: int) -> None:
        self.bits = bits
        self._file = nameless_file(folder)
        self._piece_rows = piece_rows
        self._blocks = [self._write(block) for block in blocks if len(block.rows)]
        self._file.flush()

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def pieces(self, number: int) -> Iterator[Piece]:
        """The rows of a bucket in ascending order."""
        parts = iter(
            (block, first, min(first + self._piece_rows, stop))
            for block in self._blocks
            for start, stop in [block.bounds[number : number + 2].tolist()]
            for first in range(start, stop, self._piece_rows)
        )
        some: list[tuple[_Block, int, int]] = []
        height = 0
        for block, start, stop in parts:
            if height + stop - start > self._piece_rows:
                yield self._read(some)
                some, height = [], 0
            some.append((block, start, stop))
            height += stop - start
        if some:
            yield self._read(some)

    def _write(self, block: Piece) -> _Block:
        """Write a block; says where what is."""
        import numpy as np

        leading = block.digests.view(">u2")[:, 0].astype(np.uint16) >> np.uint16(16 - self.bits)
        numbers = leading.astype(np.uint8) if self.bits <= 8 else leading
        order = np.argsort(numbers, kind="stable")
        bounds = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=1 << self.bits))])
        digests_at = self._file.tell()
        self._file.write(taken(block.digests, order).data)
        rows_at = self._file.tell()
        self._file.write(order.astype(np.uint32).data)
        return _Block(int(block.rows[0]), bounds.astype(np.uint32), digests_at, rows_at)

    def _read(self, parts: list[tuple[_Block, int, int]]) -> Piece:
        import numpy as np

        height = sum(stop - start for _, start, stop in parts)
        digests, rows = np.empty((height, DIGEST_BYTES), np.uint8), np.empty(height, np.int64)
        end = 0
        for block, start, stop in parts:
            at, end = end, end + stop - start
            fill_from(self._file, block.digests_at + start * DIGEST_BYTES, digests[at:end])
            within = np.empty(stop - start, np.uint32)
            fill_from(self._file, block.rows_at + start * within.itemsize, within)
            np.add(within, block.first_row, out=rows[at:end])
        return Piece(digests, rows)


class _Block(NamedTuple):
    """Where the digests of a block stand in the file, and their rows within the block, both by bucket."""

    first_row: int
    bounds: NDArray[np.uint32]
    digests_at: int
    rows_at: int


def nameless_file(folder: Path) -> IO[bytes]:
    """A file in `folder` that is gone when the process ends, however it ends."""
    return tempfile.TemporaryFile(dir=folder, prefix="hokusai-digests-")


def fill_from(file: IO[bytes], offset: int, target: NDArray[np.generic]) -> None:
    """Read from a place of a file what an array has room for.

    Raises:
        IntegrityError: The file ends before.
    """
    left = target.data.cast("B") if target.size else memoryview(b"")
    while left:
        n_bytes = os.preadv(file.fileno(), [left], offset)
        if not n_bytes:
            raise IntegrityError("The file of digests was cut short while it was in use")
        left, offset = left[n_bytes:], offset + n_bytes
