"""What happened to a table so far, kept beside it, so that its manifest can account for every row.

The tables are the caller's, and have no room for this. A table that the caller changed in between is a new one, whose
account begins with it: nothing is claimed that was not seen.
"""

from __future__ import annotations

import bisect
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hokusai.domain.manifest import RowAccount, SourceFile, Transformation
from hokusai.pipeline.data.column_union import union_notes
from hokusai.pipeline.data.numbering import Numbering
from hokusai.pipeline.data.scan import Reject, TableScan
from hokusai.privacy.counts import PiiCounts

_BEGINS_HERE = "The account begins with a table that no step gave, or that was changed since"


@dataclass(frozen=True, slots=True)
class History:
    """The way of a table's rows.

    Attributes:
        account: Of the rows that came in.
        rows: Rows of the table; not the rows kept of what came in, where base data joined them.
        sources: Files that were read.
        base: Files of the base data that it was merged with.
        pii: Personal data that was found.
        rejects: Rows that were set aside.
        steps: What was done, in order.
        notes: What a reader has to know.
        read: Rows of each of the sources, rejected ones included.
    """

    account: RowAccount
    rows: int
    sources: tuple[SourceFile, ...] = ()
    base: tuple[SourceFile, ...] = ()
    pii: PiiCounts = field(default_factory=PiiCounts)
    rejects: tuple[Reject, ...] = ()
    steps: tuple[Transformation, ...] = ()
    notes: tuple[str, ...] = ()
    read: tuple[int, ...] = ()

    @classmethod
    def of_rows(cls, rows: int) -> History:
        """Of a table that came from the caller."""
        return cls(RowAccount(rows, rows), rows)

    @classmethod
    def of_scans(cls, scans: Sequence[TableScan], rows: int) -> History:
        """Of a table of so many rows that was read from files."""
        rejects = tuple(reject for scan in scans for reject in scan.rejects)
        notes = (f"{scan.source.name}: {note}" for scan in scans for note in scan.notes)
        return cls(
            RowAccount(sum(scan.rows_read for scan in scans), rows, len(rejects)),
            rows,
            tuple(scan.source for scan in scans),
            rejects=rejects,
            notes=(*notes, *union_notes(scans)),
            read=tuple(scan.rows_read for scan in scans),
        )

    @property
    def reject_counts(self) -> dict[str, int]:
        """Reason to number of rows."""
        return dict(Counter(reject.reason for reject in self.rejects))

    def numbered(self, rejects: Iterable[Reject]) -> tuple[Reject, ...]:
        """Rows of this table that are set aside, with their numbers in their files, as long as these can be known.

        That is while nothing but setting aside has changed the rows.
        """
        changed = any(
            step.rows_after != step.rows_before for step in self.steps if step.name != "validate_schema"
        )
        if changed or not self.read:
            return tuple(rejects)
        parts: list[tuple[str, Numbering]] = []
        starts = [0]
        for source, read in zip(self.sources, self.read, strict=True):
            gone = [reject.row for reject in self.rejects if reject.source == source.name]
            parts.append((source.name, Numbering(gone)))
            starts.append(starts[-1] + read - len(gone))
        numbered = []
        for reject in rejects:
            at = bisect.bisect_right(starts, reject.row - 1) - 1
            name, numbering = parts[at]
            row = numbering.one(reject.row - 1 - starts[at])
            numbered.append(replace(reject, source=name, row=row))
        return tuple(numbered)

    def after(
        self,
        name: str,
        rows: int,
        details: Mapping[str, Any] | None = None,
        *,
        rejects: Iterable[Reject] = (),
        duplicates: int = 0,
        near_duplicates: int = 0,
        pii: PiiCounts | None = None,
        notes: Iterable[str] = (),
    ) -> History:
        """With one more step, that left `rows` rows."""
        gone = tuple(rejects)
        before = self.account
        account = RowAccount(
            before.read,
            before.kept - len(gone) - duplicates,
            before.rejected + len(gone),
            before.duplicates + duplicates,
            before.near_duplicates + near_duplicates,
        )
        return replace(
            self,
            account=account,
            rows=rows,
            pii=self.pii if pii is None else self.pii + pii,
            rejects=(*self.rejects, *gone),
            steps=(*self.steps, Transformation(name, self.rows, rows, details or {})),
            notes=(*self.notes, *notes),
        )


class Histories:
    """Histories by table; one that nobody holds any more is forgotten with its history."""

    def __init__(self) -> None:
        self._known: dict[int, History] = {}
        self._used = False

    def keep(self, table: object, history: History) -> None:
        """Remember the history of a table."""
        key = id(table)
        if key not in self._known:
            weakref.finalize(table, self._known.pop, key, None)
        self._known[key] = history
        self._used = True

    def of(self, table: object, rows: int) -> History:
        """The history of a table; one that begins here if it is not known, or was changed in place since."""
        known = self._known.get(id(table))
        if known is not None and known.rows == rows:
            return known
        fresh = History.of_rows(rows)
        return replace(fresh, notes=(_BEGINS_HERE,)) if self._used else fresh
