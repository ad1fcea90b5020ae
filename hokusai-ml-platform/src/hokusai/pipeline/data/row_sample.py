"""A sample of rows that depends on the rows alone: the same for any order, batches and machines.

A row is taken by the hash of its features, so rows that agree in all features are taken together or not at all: only
then can a sample show that equal features have different labels. Repeated rows count once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import cells_of, selected
from hokusai.pipeline.data.distinct_count import least_different
from hokusai.pipeline.data.value_hash import hash_rows, hash_values

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

SAMPLE_ROWS = 20_000
_LONGEST_TEXT = 2_000


class RowSample:
    """The distinct rows with the least hashes of features, a uniform sample of the distinct combinations of features.

    Args:
        features: What makes rows belong together.
        target: The label beside them; rows without one are not sampled. None: there is no label.
        k: Rows at most. Text of sampled rows is cut after 2,000 characters, so that memory is bounded.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"x": [1, 1, 2], "y": ["a", "a", "b"]})
    >>> RowSample(["x"], "y").see(frame).frame().sort("x").rows()
    [(1, 'a'), (2, 'b')]
    """

    def __init__(self, features: Sequence[str], target: str | None = None, k: int = SAMPLE_ROWS) -> None:
        self.features, self.target, self._k = tuple(features), target, k
        self._parts: list[tuple[NDArray[np.uint64], NDArray[np.uint64], pl.DataFrame]] = []
        self._held, self._settled = 0, True
        self._limit: int | None = None

    def see(self, batch: pl.DataFrame, hashes: Mapping[str, NDArray[np.uint64]] | None = None) -> RowSample:
        """Take in the rows of a batch; `hashes` is what `hash_values` gives for its columns. Gives itself."""
        import numpy as np
        import polars.selectors as cs

        given = hashes or {}
        columns = [batch[name] for name in self.features]
        cells = [given[c.name] if c.name in given else hash_values(c) for c in columns]
        keys = hash_rows(columns, cells)
        wanted = np.ones(len(keys), dtype=bool) if self._limit is None else keys <= np.uint64(self._limit)
        if self.target is not None:
            wanted &= cells_of(batch, self.target).is_not_null().to_numpy()
        at = self._least(keys, np.flatnonzero(wanted))
        if len(at):
            rows = selected(batch[at], (*self.features, *((self.target,) if self.target else ())))
            labels = hash_values(rows[self.target]) if self.target else np.zeros(len(at), dtype=np.uint64)
            self._take(keys[at], labels, _copied(rows.with_columns(cs.string().str.head(_LONGEST_TEXT))))
        return self

    def merge(self, other: RowSample) -> RowSample:
        """Take in what `other` saw. Gives itself."""
        limits = [limit for limit in (self._limit, other._limit) if limit is not None]
        self._limit = min(limits, default=None)  # above it, one of the two has forgotten rows
        for part in other._parts:
            self._take(*part)
        self._settle()
        return self

    def frame(self) -> pl.DataFrame:
        """The sampled rows in the order of their hashes: features, then the label."""
        import polars as pl

        self._settle()
        return self._whole()[2] if self._parts else pl.DataFrame()

    @property
    def is_complete(self) -> bool:
        """Whether all distinct rows are in it."""
        self._settle()
        return self._limit is None

    def combinations(self) -> NDArray[np.uint64]:
        """For each sampled row, the hash of its features."""
        import numpy as np

        self._settle()
        return self._whole()[0] if self._parts else np.empty(0, dtype=np.uint64)

    def _least(self, keys: NDArray[np.uint64], at: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the rows `at` that can be among the `k` least: the others need not be copied."""
        if len(at) <= self._k:
            return at
        known = least_different(keys[at], self._k + 1)
        if len(known) <= self._k:
            return at
        self._limit = int(known[self._k])  # no lower one is known so far: `at` has none above it
        least: NDArray[np.intp] = at[keys[at] <= known[self._k]]
        return least

    def _whole(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], pl.DataFrame]:
        """The settled part, without the last combination if some of its rows may have been left out."""
        keys, labels, rows = self._parts[0]
        if self._limit is None:
            return keys, labels, rows
        whole = keys != keys[-1]
        return keys[whole], labels[whole], rows.filter(whole)

    def _take(self, keys: NDArray[np.uint64], labels: NDArray[np.uint64], rows: pl.DataFrame) -> None:
        self._parts.append((keys, labels, rows))
        self._held += len(keys)
        self._settled = False
        if self._held > 2 * self._k:
            self._settle()

    def _settle(self) -> None:
        import numpy as np
        import polars as pl

        if self._settled:
            return
        keys = np.concatenate([part[0] for part in self._parts])
        labels = np.concatenate([part[1] for part in self._parts])
        order = np.lexsort((labels, keys))
        keys, labels = keys[order], labels[order]
        new = np.ones(len(keys), dtype=bool)
        new[1:] = (keys[1:] != keys[:-1]) | (labels[1:] != labels[:-1])
        if self._limit is not None:
            new &= keys <= np.uint64(self._limit)
        kept = np.flatnonzero(new)
        if len(kept) > self._k:
            kept = kept[: self._k]
            self._limit = int(keys[kept[-1]])
        rows = pl.concat([part[2] for part in self._parts])[order[kept]]
        self._parts, self._held, self._settled = [(keys[kept], labels[kept], rows)], len(kept), True


def _copied(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in memory of their own: text that was picked out of a batch would keep all text of the batch there."""
    import polars as pl

    oldest = pl.CompatLevel.oldest()
    return pl.DataFrame(
        [
            pl.Series(column.name, column.to_arrow(compat_level=oldest), dtype=column.dtype)
            if column.dtype in (pl.String, pl.Binary)
            else column
            for column in rows.get_columns()
        ]
    )
