"""Digests in ascending order, and which of them are equal; the ground that `digest_log` and `duplicates` stand on.

Rows come in pieces, since there may be more than fit in memory. Of the pieces before, only the distinct digests are
remembered, so that any number of equal rows costs no more memory than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from hokusai.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIGEST_BYTES = 32
_FILTER_PLACES = 16
"""Of the filter, for each known digest; so many times fewer digests that are not known are looked at in vain."""
_MOST_FILTER_BITS = 20
"""A filter with more places does not stay in the processor's cache."""


def sorted_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digests of shape (n, 32) in ascending order, compared byte by byte from the first."""
    return taken(digests, sort_order(digests))


def sort_order(digests: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Positions that put digests in ascending order, compared byte by byte from the first; equal ones stay in order."""
    return _order_and_repeats(digests)[0]


def require_digests(digests: NDArray[np.uint8]) -> None:
    """Check that an array has a digest in each row.

    Raises:
        InvalidInputError: It has another shape or type.
    """
    if digests.dtype != "uint8" or digests.ndim != 2 or digests.shape[1] != DIGEST_BYTES:
        raise InvalidInputError(
            f"Digests are bytes of shape (n_rows, {DIGEST_BYTES}), not {digests.dtype} of shape {digests.shape}"
        )


def taken(digests: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The digests at these positions; as rows of four words, which are moved four times as fast as bytes."""
    import numpy as np

    return np.ascontiguousarray(digests).view(np.uint64).take(at, axis=0).view(np.uint8)


class Piece(NamedTuple):
    """Digests of some rows, shape (n, 32), and the numbers of the rows, ascending."""

    digests: NDArray[np.uint8]
    rows: NDArray[np.int64]

    def without(self, skip: NDArray[np.bool_] | None) -> Piece:
        """Those that are not to be skipped; `skip` is for all rows."""
        import numpy as np

        if skip is None:
            return self
        kept = np.flatnonzero(~skip[self.rows])
        return self if len(kept) == len(self.rows) else Piece(taken(self.digests, kept), self.rows[kept])


class Distinct(NamedTuple):
    """Different digests in ascending order, the first row of each, and how often it occurs."""

    digests: NDArray[np.uint8]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]


class Ordered(NamedTuple):
    """Digests of rows, equal ones in the order of their rows, and the order of the digests.

    Attributes:
        digests: Shape (n, 32).
        rows: The number of the row of each.
        counts: How often each occurs with the rows that are remembered by it.
        order: Positions that put them in ascending order, equal ones by row.
        again: Places in `order` of those that equal the one before.
    """

    digests: NDArray[np.uint8]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    order: NDArray[np.int64]
    again: NDArray[np.int64]

    @property
    def repeating_rows(self) -> NDArray[np.int64]:
        """The rows that repeat an earlier one."""
        return self.rows[self.order[self.again]]

    def distinct(self) -> Distinct:
        """Each digest once."""
        import numpy as np

        if not len(self.again):
            order = self.order
            return Distinct(taken(self.digests, order), self.rows[order], self.counts[order])
        starts = np.delete(np.arange(len(self.order)), self.again)
        firsts = self.order[starts]
        counts = np.add.reduceat(self.counts[self.order], starts)
        return Distinct(taken(self.digests, firsts), self.rows[firsts], counts)

    def sorted_chunks(self, chunk_rows: int) -> Iterator[NDArray[np.uint8]]:
        """The digests in ascending order, each as often as it occurs."""
        import numpy as np

        if self.counts.max(initial=1) == 1:
            yield taken(self.digests, self.order)
            return
        ends = np.cumsum(self.counts[self.order])
        for start in range(0, int(ends[-1]), chunk_rows):
            places = np.arange(start, min(start + chunk_rows, int(ends[-1])))
            yield taken(self.digests, self.order[np.searchsorted(ends, places, side="right")])


def in_order(pieces: Iterable[Piece]) -> Iterator[Ordered]:
    """Each piece together with the distinct digests of those before; rows ascend from piece to piece."""
    import numpy as np

    last: Ordered | None = None
    for piece in pieces:
        if not len(piece.rows):
            continue
        many = Distinct(piece.digests, piece.rows, np.ones(len(piece.rows), np.int64))
        if last is not None:
            many = _joined(last.distinct(), many)
        last = Ordered(*many, *_order_and_repeats(many.digests))
        yield last


def _joined(some: Distinct, others: Distinct) -> Distinct:
    import numpy as np

    return Distinct(
        np.concatenate([some.digests, others.digests]),
        np.concatenate([some.rows, others.rows]),
        np.concatenate([some.counts, others.counts]),
    )


def all_in_order(pieces: Iterable[Piece]) -> Ordered | None:
    """The distinct digests of all pieces but the last, and that one; None if there is no row."""
    last = None
    for ordered in in_order(pieces):
        last = ordered
    return last


def match(digests: NDArray[np.uint8], known: Distinct) -> NDArray[np.int64]:
    """For each digest, the row of the known one that is equal, or -1."""
    import numpy as np

    found = np.full(len(digests), -1, np.int64)
    at = np.flatnonzero(_perhaps_known(digests, known))
    both = np.concatenate([known.digests, taken(digests, at)])
    order, again = _order_and_repeats(both)
    starts = np.ones(len(order), np.bool_)
    starts[again] = False
    firsts = order[np.flatnonzero(starts)]  # a known digest comes before those that equal it
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(starts) - 1
    first = firsts[number[len(known.rows) :]]
    is_known = first < len(known.rows)
    found[at[is_known]] = known.rows[first[is_known]]
    return found


def _perhaps_known(digests: NDArray[np.uint8], known: Distinct) -> NDArray[np.bool_]:
    """Which digests may be among the known ones; few others are let through."""
    import numpy as np

    bits = min(_MOST_FILTER_BITS, (_FILTER_PLACES * len(known.rows)).bit_length())
    mask = np.uint64((1 << bits) - 1)
    places = np.zeros(1 << bits, np.bool_)
    places[_second_words(known.digests) & mask] = True
    perhaps: NDArray[np.bool_] = places[_second_words(digests) & mask]
    return perhaps


def _second_words(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Eight bytes of each digest of which nothing is decided yet, as the first are within a bucket."""
    import numpy as np

    return np.ascontiguousarray(digests).view(np.uint64)[:, 1]


def _order_and_repeats(digests: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`sort_order`, and the places in it of digests that equal the one before.

    What is sorted is one number for each: the first bits of the digest, then its position. These bits decide all but a
    few; somebody may have made two digests that agree in them, so ties are looked at in full.
    """
    import numpy as np

    require_digests(digests)
    words = np.ascontiguousarray(digests).view(np.uint64)
    mask = np.uint64((1 << max(0, len(digests) - 1).bit_length()) - 1)
    numbers = words.view(">u8")[:, 0].astype(np.uint64)
    numbers &= ~mask
    numbers |= np.arange(len(digests), dtype=np.uint64)
    numbers.sort()
    order = (numbers & mask).astype(np.int64)
    ties = np.flatnonzero((numbers[1:] ^ numbers[:-1]) <= mask)
    equal = _equal(words, order, ties)
    if not equal.all():
        at = np.union1d(ties, ties + 1)
        order[at] = order[at][np.lexsort(words[order[at]].view(">u8").T[::-1])]
        equal = _equal(words, order, ties)
    return order, ties[equal] + 1


def _equal(words: NDArray[np.uint64], order: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the digest at a place of the order equals the next."""
    same: NDArray[np.bool_] = (words[order[at]] == words[order[at + 1]]).all(axis=1)
    return same
