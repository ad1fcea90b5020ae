"""Digests of more rows than fit in memory: kept on disk in order, 32 bytes a row, and compared piece by piece.

Which rows repeat an earlier one, which keys are already in the base data, and what the sorted digests are, all follow
from the digests alone, however wide the rows are. The log is cut into buckets by the first bits of the digests, so that
equal ones meet in one bucket; within a bucket only the distinct ones are remembered, so that any number of equal rows
costs no more memory than one.

The files have no name: when the process ends, however it ends, they are gone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple

from hokusai.domain.manifest import DatasetHash
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.digest_tree import hash_of_digests

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

DIGEST_BYTES = 32
BLOCK_ROWS = 1 << 18
"""Rows that are in memory at once, and about how many a bucket has."""

_RECORD_WORDS = 5
"""Of 64 bits: a digest and the number of its row."""
_RECORD_BYTES = 8 * _RECORD_WORDS
_MOST_BUCKETS = 1 << 16


class DigestLog:
    """Digests in the order of their rows, on disk.

    Args:
        folder: Where the file is; there must be room for 32 bytes a row, and for another 40 while they are compared.
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
        self._file = _nameless_file(self._folder)
        self._rows = 0
        self._buckets: _Buckets | None = None

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
        require_digests(digests)
        self._forget_buckets()
        self._file.write(digests.tobytes())
        self._rows += len(digests)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The digests of rows `start` to `stop` (not included), shape (stop - start, 32)."""
        import numpy as np

        if not 0 <= start <= stop <= self._rows:
            raise InvalidInputError(f"There are no rows {start:,} to {stop:,} in a log of {self._rows:,}")
        self._file.flush()
        stored = _read(self._file.fileno(), start * DIGEST_BYTES, (stop - start) * DIGEST_BYTES)
        return np.frombuffer(stored, np.uint8).reshape(-1, DIGEST_BYTES)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The digests of some rows, in the order in which these are named; shape (n, 32)."""
        import numpy as np

        taken = np.empty((len(rows), DIGEST_BYTES), np.uint8)
        blocks = rows // self._block_rows
        for block in np.unique(blocks):
            start = int(block) * self._block_rows
            here = np.flatnonzero(blocks == block)
            stop = min(start + self._block_rows, self._rows)
            taken[here] = _taken(self.read(start, stop), rows[here] - start)
        return taken

    def chunks(self, skip: NDArray[np.bool_] | None = None) -> Iterator[NDArray[np.uint8]]:
        """The digests in the order of their rows, in pieces.

        Args:
            skip: Rows to leave out, shape (n_rows,).
        """
        for digests, _ in self._pieces(skip):
            yield digests

    def sorted_chunks(self, skip: NDArray[np.bool_] | None = None) -> Iterator[NDArray[np.uint8]]:
        """All digests in ascending order, equal ones as often as they occur, in pieces.

        Args:
            skip: Rows to leave out, shape (n_rows,).
        """
        for bucket in self._by_bucket(self._bits(), skip):
            distinct = _distinct_of(bucket)
            if distinct is not None:
                yield from _repeated(distinct, self._block_rows)

    def duplicates(self, skip: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Which rows repeat an earlier one.

        Args:
            skip: Rows that take no part, shape (n_rows,): they repeat nothing and nothing repeats them.

        Returns:
            Booleans of shape (n_rows,).
        """
        import numpy as np

        repeats = np.ones(self._rows, np.bool_) if skip is None else ~skip
        for bucket in self._by_bucket(self._bits(), skip):
            distinct = _distinct_of(bucket)
            if distinct is not None:
                repeats[distinct.rows] = False
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

    def _pieces(self, skip: NDArray[np.bool_] | None) -> Iterator[_Piece]:
        import numpy as np

        self._require_fit(skip)
        for start in range(0, self._rows, self._block_rows):
            stop = min(start + self._block_rows, self._rows)
            yield _without(_Piece(self.read(start, stop), np.arange(start, stop)), skip)

    def _by_bucket(self, bits: int, skip: NDArray[np.bool_] | None = None) -> Iterator[Iterator[_Piece]]:
        """The rows by the first bits of their digests, in ascending order of these; each bucket in pieces."""
        self._require_fit(skip)
        if not bits:
            yield self._pieces(skip)
            return
        if self._buckets is None or self._buckets.bits != bits:
            self._forget_buckets()
            self._buckets = _Buckets(self, bits)
        for number in range(1 << bits):
            yield (_without(piece, skip) for piece in self._buckets.pieces(number))

    def _bits(self) -> int:
        """How many bits name a bucket, so that one has at most about `block_rows` rows."""
        return min(_MOST_BUCKETS - 1, max(0, self._rows - 1) // self._block_rows).bit_length()

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
    bits = max(new._bits(), base._bits())
    for new_bucket, base_bucket in zip(new._by_bucket(bits), base._by_bucket(bits), strict=True):
        known = _distinct_of(base_bucket)
        if known is not None:
            for piece in new_bucket:
                found[piece.rows] = _match(piece.digests, known)
    return found


def sorted_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digests of shape (n, 32) in ascending order, compared byte by byte from the first."""
    return _taken(digests, sort_order(digests))


def sort_order(digests: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Positions that put digests in ascending order, compared byte by byte from the first; equal ones in any order.

    Eight bytes decide all but always. Somebody may have made two digests that agree in these, so ties are looked at.
    """
    import numpy as np

    require_digests(digests)
    words = np.ascontiguousarray(digests).view(">u8")
    prefix = words[:, 0].astype(np.uint64)
    order = np.argsort(prefix)
    ties = np.flatnonzero(prefix[order[1:]] == prefix[order[:-1]])
    if (words[order[ties]] != words[order[ties + 1]]).any():
        order = np.lexsort(words.T[::-1])
    return order


def require_digests(digests: NDArray[np.uint8]) -> None:
    """Check that an array has a digest in each row.

    Raises:
        InvalidInputError: It has another shape or type.
    """
    if digests.dtype != "uint8" or digests.ndim != 2 or digests.shape[1] != DIGEST_BYTES:
        raise InvalidInputError(
            f"Digests are bytes of shape (n_rows, {DIGEST_BYTES}), not {digests.dtype} of shape {digests.shape}"
        )


class _Piece(NamedTuple):
    """Digests of some rows, shape (n, 32), and the numbers of the rows."""

    digests: NDArray[np.uint8]
    rows: NDArray[np.int64]


class _Distinct(NamedTuple):
    """Different digests in ascending order, the first row of each, and how often it occurs."""

    digests: NDArray[np.uint8]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]


class _Buckets:
    """A second file with the records of a log, bucket after bucket."""

    def __init__(self, log: DigestLog, bits: int) -> None:
        self.bits = bits
        self._file = _nameless_file(log._folder)
        self._block_rows = log._block_rows
        self._bounds = self._fill(log)

    def close(self) -> None:
        self._file.close()

    def pieces(self, number: int) -> Iterator[_Piece]:
        import numpy as np

        start, stop = self._bounds[number : number + 2]
        for first in range(start, stop, self._block_rows):
            n_rows = min(self._block_rows, stop - first)
            stored = _read(self._file.fileno(), first * _RECORD_BYTES, n_rows * _RECORD_BYTES)
            records = np.frombuffer(stored, np.uint64).reshape(-1, _RECORD_WORDS)
            digests = np.ascontiguousarray(records[:, :-1]).view(np.uint8)
            yield _Piece(digests, records[:, -1].astype(np.int64))

    def _fill(self, log: DigestLog) -> list[int]:
        """Write each record to its bucket; where the buckets begin, and the end of the last."""
        import numpy as np

        n_buckets = 1 << self.bits
        sizes = np.zeros(n_buckets, np.int64)
        for piece in log._pieces(None):
            sizes += np.bincount(self._numbers(piece.digests), minlength=n_buckets)
        bounds = [0, *np.cumsum(sizes).tolist()]
        ends = bounds[:-1]
        for piece in log._pieces(None):
            numbers = self._numbers(piece.digests)
            order = np.argsort(numbers, kind="stable")
            records = np.empty((len(order), _RECORD_WORDS), np.uint64)
            records[:, :-1] = _words(piece.digests).take(order, axis=0)
            records[:, -1] = piece.rows[order]
            cuts = np.searchsorted(numbers[order], np.arange(n_buckets + 1)).tolist()
            for number, (start, stop) in enumerate(pairwise(cuts)):
                _write(self._file.fileno(), ends[number] * _RECORD_BYTES, records[start:stop].tobytes())
                ends[number] += stop - start
        return bounds

    def _numbers(self, digests: NDArray[np.uint8]) -> NDArray[np.uint16]:
        import numpy as np

        leading = digests.view(">u2")[:, 0].astype(np.uint16)
        return np.right_shift(leading, 16 - self.bits, dtype=np.uint16)


def _without(piece: _Piece, skip: NDArray[np.bool_] | None) -> _Piece:
    import numpy as np

    if skip is None:
        return piece
    kept = ~skip[piece.rows]
    return piece if kept.all() else _Piece(_taken(piece.digests, np.flatnonzero(kept)), piece.rows[kept])


def _distinct_of(pieces: Iterator[_Piece]) -> _Distinct | None:
    """The distinct digests of a bucket; None if it is empty."""
    import numpy as np

    found: _Distinct | None = None
    for piece in pieces:
        fresh = _Distinct(piece.digests, piece.rows, np.ones(len(piece.rows), np.int64))
        if len(fresh.rows):
            found = _distinct(fresh if found is None else _joined(found, fresh))
    return found


def _joined(some: _Distinct, others: _Distinct) -> _Distinct:
    import numpy as np

    return _Distinct(
        np.concatenate([some.digests, others.digests]),
        np.concatenate([some.rows, others.rows]),
        np.concatenate([some.counts, others.counts]),
    )


def _distinct(many: _Distinct) -> _Distinct:
    import numpy as np

    order = sort_order(many.digests)
    digests = _taken(many.digests, order)
    starts = _starts(digests)
    return _Distinct(
        digests if len(starts) == len(digests) else _taken(digests, starts),
        np.minimum.reduceat(many.rows[order], starts),
        np.add.reduceat(many.counts[order], starts),
    )


def _starts(digests: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Where sorted digests differ from the one before."""
    import numpy as np

    words = _words(digests)
    differs = np.append(True, words[1:, 0] != words[:-1, 0])
    alike = np.flatnonzero(~differs)  # all the rest is compared only where the first eight bytes are equal
    differs[alike] = (words[alike] != words[alike - 1]).any(axis=1)
    return np.flatnonzero(differs)


def _words(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Four numbers for each digest: as rows of these, digests are moved four times as fast."""
    import numpy as np

    return np.ascontiguousarray(digests).view(np.uint64)


def _taken(digests: NDArray[np.uint8], at: NDArray[np.intp]) -> NDArray[np.uint8]:
    import numpy as np

    return _words(digests).take(at, axis=0).view(np.uint8)


def _match(digests: NDArray[np.uint8], known: _Distinct) -> NDArray[np.int64]:
    """For each digest, the row of the known one that is equal, or -1."""
    import numpy as np

    both = np.concatenate([known.digests, digests])
    absent = np.iinfo(np.int64).max
    rows = np.concatenate([known.rows, np.full(len(digests), absent)])
    order = sort_order(both)
    starts = _starts(_taken(both, order))
    first = np.minimum.reduceat(rows[order], starts)
    sizes = np.diff(np.append(starts, len(order)))
    matched = np.empty(len(order), np.int64)
    matched[order] = np.repeat(np.where(first == absent, -1, first), sizes)
    return matched[len(known.rows) :]


def _repeated(distinct: _Distinct, block_rows: int) -> Iterator[NDArray[np.uint8]]:
    """Each digest as often as it occurs."""
    import numpy as np

    if distinct.counts.max() == 1:
        yield distinct.digests
        return
    ends = np.cumsum(distinct.counts)
    for start in range(0, int(ends[-1]), block_rows):
        places = np.arange(start, min(start + block_rows, int(ends[-1])))
        yield _taken(distinct.digests, np.searchsorted(ends, places, side="right"))


def _nameless_file(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder, prefix="hokusai-digests-")


def _read(file: int, offset: int, size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = os.pread(file, missing, offset + size - missing)
        if not part:
            raise IntegrityError("The file of digests was cut short while it was in use")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _write(file: int, offset: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(file, memoryview(data)[written:], offset + written)
