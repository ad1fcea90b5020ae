"""How many distinct values a column has, in bounded memory: the k smallest hashes that occur (KMV).

The state of two parts together is the k smallest of both states, so parts can be counted anywhere and in any order, and
the answer is the same. Up to k distinct values the count is exact (as far as 64-bit hashes tell values apart: among
65,536 two meet once in ten billion columns).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hokusai.pipeline.data.value_hash import CELLS_A_HASH, hashes_below
from hokusai.utils.compiled import pays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_HASHES = 65_536


class DistinctCount:
    """A mergeable count of distinct hashes.

    Args:
        k: Hashes that are kept; 8 bytes each. Beyond k distinct values the relative standard error of the count is
            1 / sqrt(k - 1).

    >>> import numpy as np
    >>> count = DistinctCount(k=4).see(np.array([7, 5, 7, 9], dtype=np.uint64))
    >>> count.estimate(), count.relative_error()
    (3, 0.0)

    References:
        Bar-Yossef et al. (2002), Counting Distinct Elements in a Data Stream, RANDOM, section 2; Beyer et al. (2007),
        On Synopses for Distinct-Value Estimation, SIGMOD, for the unbiased (k - 1) / u and its error.
    """

    def __init__(self, k: int = KEPT_HASHES) -> None:
        import numpy as np

        self._k = k
        # One more than k is kept, which tells "exactly k" from "more than k".
        self._kept: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._pending: list[NDArray[np.uint64]] = []
        self._pending_size = 0

    def see(self, hashes: NDArray[np.uint64]) -> DistinctCount:
        """Take in the hashes of some values; 0 is null's, and left out. Gives itself."""
        hashes = hashes_below(hashes, int(self._kept[-1]) - 1 if len(self._kept) > self._k else 2**64 - 1)
        if len(hashes):
            self._pending.append(hashes)
            self._pending_size += len(hashes)
            if self._pending_size > self._k:
                self._settle()
        return self

    def merge(self, other: DistinctCount) -> DistinctCount:
        """Take in what `other` saw. Gives itself."""
        other._settle()
        return self.see(other._kept)

    def estimate(self) -> int:
        """Distinct values: exact up to k of them, else the unbiased estimate, rounded."""
        self._settle()
        if len(self._kept) <= self._k:
            return len(self._kept)
        return round((self._k - 1) * 2.0**64 / (float(self._kept[self._k - 1]) + 1.0))

    def relative_error(self) -> float:
        """Relative standard error of `estimate`; 0 where it is exact."""
        self._settle()
        return 0.0 if len(self._kept) <= self._k else round(1.0 / math.sqrt(self._k - 1), 6)

    def _settle(self) -> None:
        import numpy as np

        if self._pending:
            self._kept = least_different(np.concatenate([self._kept, *self._pending]), self._k + 1)
            self._pending, self._pending_size = [], 0


def least_different(hashes: NDArray[np.uint64], most: int) -> NDArray[np.uint64]:
    """The least `most` different hashes in ascending order; `hashes` are sorted in place.

    `np.unique` takes many times the time.

    >>> import numpy as np
    >>> least_different(np.array([7, 5, 7, 9], dtype=np.uint64), 2).tolist()
    [5, 7]
    """
    import numpy as np

    hashes.sort()
    if pays(len(hashes) // CELLS_A_HASH):
        from hokusai.pipeline.data.value_hash_loops import different

        return different(hashes, most).copy()
    new = np.ones(len(hashes), dtype=bool)
    np.not_equal(hashes[1:], hashes[:-1], out=new[1:])
    return hashes[new][:most].copy()
