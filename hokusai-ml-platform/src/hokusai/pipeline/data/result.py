"""The second pass: the rows of the result in their order, and what they add up to as they go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from hokusai.domain.manifest import ColumnSummary
from hokusai.pipeline.data.columns import selected
from hokusai.pipeline.data.digest_log import DigestLog
from hokusai.pipeline.data.quality_state import QualityState
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.row_fates import RowFates
from hokusai.pipeline.data.staged import Side

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ResultBatch:
    """Some rows of the result.

    Attributes:
        rows: The rows.
        digests: Of them, uint8 of shape (n_rows, 32).
        contributed: Those that were contributed; None if none were.
        conflicts: Column to the number of cells in which a contributed row has another value than the row it replaces.
    """

    rows: pl.DataFrame
    digests: NDArray[np.uint8]
    contributed: pl.DataFrame | None = None
    conflicts: Mapping[str, int] | None = None


def result_batches(
    base: Side | None, fresh: Side, fates: RowFates, untold: tuple[str, ...], *, digest_again: bool
) -> Iterator[ResultBatch]:
    """The base rows, with what replaces them, then the rows that are added.

    Args:
        base: The base data, if it is in the result.
        fresh: The contributions.
        fates: Of their rows.
        untold: Columns of which an update says nothing: rows that are replaced keep what they have there.
        digest_again: Whether the digests of the first pass are not those of the rows as they are now.
    """
    import numpy as np
    import polars as pl

    newer = np.flatnonzero(fates.replaces >= 0)
    newer = newer[np.argsort(fates.replaces[newer])]
    older, start = fates.replaces[newer], 0
    for rows in base.stage.batches() if base else ():
        stop = start + rows.height
        first, last = np.searchsorted(older, (start, stop))
        if first < last and base is not None:
            at = older[first:last] - start
            before = rows[at]
            taken = fresh.stage.take(newer[first:last]).with_columns(selected(before, untold))
            order = np.arange(rows.height)
            order[at] = rows.height + np.arange(taken.height)
            replaced = pl.concat([rows, taken])[order]
            if digest_again:
                digests = row_digests(replaced)
            else:
                digests = base.digests.read(start, stop).copy()
                digests[at] = fresh.digests.take(newer[first:last])
            yield ResultBatch(replaced, digests, taken, _conflicts(before, taken))
        elif base is not None:
            yield ResultBatch(rows, _digests(rows, base, start, digest_again))
        start = stop
    start, added = 0, fates.kept & (fates.replaces < 0)
    for rows in fresh.stage.batches():
        mask = added[start : start + rows.height]
        if mask.any():
            left = rows if mask.all() else rows.filter(pl.Series(mask))
            yield ResultBatch(left, _digests(rows, fresh, start, digest_again)[mask], left)
        start += rows.height


def first_kept_rows(fresh: Side, fates: RowFates, most: int) -> pl.DataFrame:
    """The first contributed rows that are in the result, at most `most`."""
    import polars as pl

    parts: list[pl.DataFrame] = []
    start = height = 0
    for rows in fresh.stage.batches():
        parts.append(rows.filter(pl.Series(fates.kept[start : start + rows.height])))
        start, height = start + rows.height, height + parts[-1].height
        if height >= most:
            break
    return pl.concat(parts).head(most) if parts else pl.DataFrame()


class Result:
    """What the rows of the result add up to; each row is summed up once, however many of the sums it is part of.

    Args:
        log: Takes the digests of the rows.
        columns: The columns of the result and their types.
        target: The label's column, if there is one.
        ignored: Columns that nothing is predicted from.
    """

    def __init__(
        self,
        log: DigestLog,
        columns: Mapping[str, pl.DataType],
        target: str | None,
        *,
        has_base: bool,
        ignored: Sequence[str] = (),
    ) -> None:
        self.log, self.height, self.conflicts = log, 0, Counter[str]()
        self._empty = partial(QualityState, columns, target=target, ignored=ignored)
        self._added, self._replacing = self._empty(), self._empty()
        self.base = self._empty() if has_base else None
        """The rows in the places of the base data."""

    def add(self, batch: ResultBatch) -> None:
        """Take in the next rows."""
        self.log.append(batch.digests)
        self.height += batch.rows.height
        self.conflicts.update(batch.conflicts or {})
        if batch.contributed is batch.rows:
            self._added.see(batch.rows)
            return
        if batch.contributed is not None:
            self._replacing.see(batch.contributed)
        if self.base is not None:
            self.base.see(batch.rows)

    @cached_property
    def contributed(self) -> QualityState:
        """The contributed rows among them; to be asked for when all rows were added."""
        if not self._replacing.rows:
            return self._added
        return self._empty().merge(self._replacing).merge(self._added)

    def summaries(self, columns: Iterable[str]) -> tuple[ColumnSummary, ...]:
        """What each column holds, in the order of the columns."""
        every = self._added.columns
        if self.base is not None:
            every = self._empty().merge(self.base).merge(self._added).columns
        found = {summary.name: summary for summary in every.summaries()}
        return tuple(found[name] for name in columns)


def _digests(rows: pl.DataFrame, side: Side, start: int, again: bool) -> NDArray[np.uint8]:
    return row_digests(rows) if again else side.digests.read(start, start + rows.height)


def without_range(summary: ColumnSummary, personal: Collection[str]) -> ColumnSummary:
    """The summary, which does not tell the least and the greatest value of a column with personal data."""
    return replace(summary, low=None, high=None) if summary.name in personal else summary


def _conflicts(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    counts = {name: int(before[name].ne_missing(after[name]).sum()) for name in before.columns}
    return {name: count for name, count in counts.items() if count}
