"""The index of models made again from MLflow, which is the truth.

All rows are read once, in big pages, and written over what the index has. So nothing that is looked up meanwhile is
missing, and nothing that others write meanwhile is lost: a row is forgotten only if the store says at the end that it
is gone. A model that cannot be read is named, and the others are read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import now_ms
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import HokusaiError, NotFoundError
from hokusai.ports import Ledger, ModelIndex, ModelStore, Page

ROWS_A_PAGE = 10_000
POLLED_MARK = "polled_ms"
"""The index's note of the time up to which it has what others wrote."""
POLL_OVERLAP_MS = 60_000
"""A row is stamped before it is committed, by the clock of whoever writes it; so a poll goes back by this much."""

Progress = Callable[[int], None]
"""Told now and then how many rows are done."""
Unreadable = Callable[[str, HokusaiError], None]
"""Told of a model that cannot be read, and why."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did.

    Attributes:
        location: The store, without passwords.
        models, rows: How many models and versions the index has from it now.
        dropped: How many rows it had that are gone from the store.
        unreadable: Model to reason: those that could not be read; what the index had of them it still has.
        partly: Model id to reason: versions with a tag that cannot be read as what it should be. They are indexed
            by the rest.
        duration_seconds: How long it took.
    """

    location: str
    models: int
    rows: int
    dropped: int
    unreadable: dict[str, str]
    partly: dict[str, str]
    duration_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "location": self.location,
            "models": self.models,
            "rows": self.rows,
            "dropped": self.dropped,
            "unreadable": self.unreadable,
            "partly_readable": self.partly,
            "duration_seconds": round(self.duration_seconds, 3),
        }


def rebuild(store: ModelStore, ledger: Ledger, progress: Progress | None = None) -> RebuildReport:
    """Make the index of `store` again.

    Raises:
        BackendUnavailableError: The store or the ledger was lost on the way. What was copied until then is sound.
    """
    began, began_ms = time.monotonic(), now_ms()
    index, where = ledger.index, store.location
    unreadable: dict[str, str] = {}
    partly: dict[str, str] = {}
    seen: set[tuple[str, int]] = set()
    newest_ms = -POLL_OVERLAP_MS

    def copy(rows: list[ModelRecord]) -> None:
        index.put(where, rows)
        seen.update((row.name, row.number) for row in rows)
        partly.update({row.model_id: fault for row in rows if (fault := tag_fault(row))})
        if progress is not None:
            progress(len(seen))

    for page in model_pages(store, lambda name, problem: unreadable.update({name: problem.what})):
        copy(page)
        newest_ms = max([newest_ms, *(row.updated_ms for row in page if row.updated_ms <= began_ms)])
    # Our clock may be ahead of the writers', so what they wrote is where to go on; but no row from the future is.
    mark = min(newest_ms + POLL_OVERLAP_MS, began_ms)
    late = [row for row in store.changed_since(mark - POLL_OVERLAP_MS) if not row.name.startswith(LOG_PREFIX)]
    if late:
        copy(late)
    gone = _gone(store, index, seen, unreadable)
    if gone:
        index.drop(where, gone)
    seen -= gone
    index.set_mark(where, POLLED_MARK, str(mark))
    return RebuildReport(
        location=where,
        models=len({name for name, _ in seen}),
        rows=len(seen),
        dropped=len(gone),
        unreadable=unreadable,
        partly=partly,
        duration_seconds=time.monotonic() - began,
    )


def model_pages(
    store: ModelStore, unreadable: Unreadable, rows_a_page: int = ROWS_A_PAGE
) -> Iterator[list[ModelRecord]]:
    """Every version of every model, a page at a time; the histories of stages, which are no models, left out."""
    try:
        for page in _pages(store, None, rows_a_page):
            yield [row for row in page if not row.name.startswith(LOG_PREFIX)]
    except HokusaiError:
        store.check()  # if the store is lost, there is nothing to read from
        # One row that the store cannot give spoils a page of all models, so they are asked for one by one.
        yield from _model_by_model(store, unreadable, rows_a_page)


def indexed_pages(index: ModelIndex, location: str, limit: int = ROWS_A_PAGE) -> Iterator[list[ModelRecord]]:
    """Every row that an index has of a store, a page at a time."""
    after: tuple[int, str, int] | None = None
    while True:
        page = index.page(location, Page(include_deleted=True, limit=limit, after=after))
        yield page
        if len(page) < limit:
            return
        after = (page[-1].created_ms, page[-1].name, page[-1].number)


def tag_fault(record: ModelRecord) -> str:
    """What is wrong with the first tag that cannot be read as what it should be; empty for a sound row."""
    try:
        _ = record.stored, record.metrics, record.metadata, record.contribution, record.delta
        _ = record.contributor, record.token
    except HokusaiError as problem:
        return problem.what
    except ValueError as problem:  # a size that is no number
        return str(problem)
    return ""


def _pages(store: ModelStore, name: str | None, limit: int) -> Iterator[list[ModelRecord]]:
    """Rows ordered by number, in pages that end between two numbers, so that none is cut off or seen twice."""
    above = 0
    while True:
        page = store.versions(name, above=above, limit=limit)
        if len(page) < limit:
            yield page
            return
        last = page[-1].number
        whole = [row for row in page if row.number < last] if name is None else page
        if whole:
            yield whole
            above = whole[-1].number
        else:
            limit *= 2  # more models than rows in a page


def _model_by_model(store: ModelStore, unreadable: Unreadable, limit: int) -> Iterator[list[ModelRecord]]:
    for name in store.names():
        if name.startswith(LOG_PREFIX):
            continue
        try:
            yield from _pages(store, name, limit)
        except HokusaiError as problem:
            store.check()
            unreadable(name, problem)


def _gone(
    store: ModelStore, index: ModelIndex, seen: set[tuple[str, int]], unreadable: dict[str, str]
) -> set[tuple[str, int]]:
    """Rows that the index has and the store has not, asked for one by one: they may be newer than what was read."""
    gone = set()
    for page in indexed_pages(index, store.location):
        for row in page:
            key = (row.name, row.number)
            if key in seen or row.name in unreadable:
                continue
            try:
                index.put(store.location, [store.version(*key)])
                seen.add(key)
            except NotFoundError:
                gone.add(key)
    return gone
