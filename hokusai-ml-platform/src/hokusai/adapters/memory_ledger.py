"""The ledger kept in this process: for tests and notebooks that must leave nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hokusai.adapters.index_keys import IndexKeys, contributor_key, keys_of
from hokusai.adapters.memory_shelves import MemoryAttestationShelf, MemoryBenchmarkShelf
from hokusai.domain.audit import AuditEvent, AuditHead, Happening, checked_happening, next_event
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import now_ms
from hokusai.ports import Page

_Row = tuple[ModelRecord, IndexKeys]
_FACTS = ("token_id", "contributor", "parent_id", "parent_name", "model_type", "sha256")


class MemoryIndex:
    """A `ModelIndex` that forgets everything when it goes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[str, dict[tuple[str, int], _Row]] = {}
        self._marks: dict[str, dict[str, str]] = {}

    def __repr__(self) -> str:
        return f"MemoryIndex({sum(map(len, self._rows.values()))} rows)"

    def put(self, location: str, records: Iterable[ModelRecord]) -> None:
        """Write rows as they are now; the same row twice changes nothing."""
        rows = {(record.name, record.number): (record, keys_of(record)) for record in records}
        with self._lock:
            self._rows.setdefault(location, {}).update(rows)

    def drop(self, location: str, rows: Collection[tuple[str, int]] | None = None) -> None:
        """Forget rows by (name, number), or all of the store, its marks too."""
        with self._lock:
            if rows is None:
                self._rows.pop(location, None)
                self._marks.pop(location, None)
                return
            for row in rows:
                self._rows.get(location, {}).pop(row, None)

    def get(self, location: str, name: str, version_key: str) -> ModelRecord | None:
        """The lowest-numbered row that carries the semantic version with this key."""
        found = (r for r, keys in self._of_model(location, name) if keys.version_key == version_key)
        return min(found, key=lambda record: record.number, default=None)

    def numbered(self, location: str, name: str, number: int) -> ModelRecord | None:
        """One row by MLflow's number."""
        with self._lock:
            row = self._rows.get(location, {}).get((name, number))
        return row[0] if row else None

    def unclaimed_below(self, location: str, name: str, number: int, version_key: str) -> bool:
        """Whether every row below `number` is here, none above, and each carries another semantic version."""
        rows = self._of_model(location, name)
        others = {record.number for record, keys in rows if keys.version_key not in (None, version_key)}
        return others == set(range(1, number))

    def latest(self, location: str, name: str) -> ModelRecord | None:
        """The highest release that is neither deleted nor deprecated; a pre-release where there is no other."""
        holders: dict[str, _Row] = {}
        for record, keys in sorted(self._of_model(location, name), key=lambda row: row[0].number):
            if keys.precedence is not None:
                holders.setdefault(keys.precedence, (record, keys))
        usable = [text for text, (_, keys) in holders.items() if not keys.deleted and not keys.deprecated]
        return holders[max(usable)][0] if usable else None

    def page(self, location: str, wanted: Page) -> list[ModelRecord]:
        """One page of rows, newest first."""
        rows = [record for record, keys in self._all(location) if _matches(record, keys, wanted)]
        return sorted(rows, key=_place, reverse=True)[: wanted.limit]

    def names(self, location: str) -> list[str]:
        """Names of all models that have rows here, sorted."""
        return sorted({record.name for record, _ in self._all(location)})

    def count(self, location: str) -> int:
        """How many rows there are."""
        return len(self._rows.get(location, {}))

    def mark(self, location: str, key: str) -> str | None:
        """A note of how far the copy goes, such as the time of the last poll."""
        return self._marks.get(location, {}).get(key)

    def set_mark(self, location: str, key: str, value: str) -> None:
        """Write such a note."""
        with self._lock:
            self._marks.setdefault(location, {})[key] = value

    def _all(self, location: str) -> list[_Row]:
        with self._lock:
            return list(self._rows.get(location, {}).values())

    def _of_model(self, location: str, name: str) -> list[_Row]:
        return [row for row in self._all(location) if row[0].name == name]


class MemoryLedger:
    """A `Ledger` that forgets everything when it goes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[AuditEvent] = []
        self._index = MemoryIndex()
        self._attestations = MemoryAttestationShelf(self.record)
        self._benchmarks = MemoryBenchmarkShelf(self.record)

    def __repr__(self) -> str:
        return f"MemoryLedger({len(self._events)} entries)"

    @property
    def location(self) -> str:
        """That it is in memory."""
        return "memory:"

    @property
    def index(self) -> MemoryIndex:
        """The index of models."""
        return self._index

    @property
    def attestations(self) -> MemoryAttestationShelf:
        """The signed statements."""
        return self._attestations

    @property
    def benchmarks(self) -> MemoryBenchmarkShelf:
        """The benchmarks and their uses."""
        return self._benchmarks

    def check(self) -> None:
        """Nothing to find out: memory is there."""

    def record(
        self,
        happenings: Sequence[Happening],
        *,
        location: str = "",
        records: Iterable[ModelRecord] = (),
    ) -> list[AuditEvent]:
        """Append to the audit trail and put rows into the index of `location`."""
        checked, rows = [checked_happening(happening) for happening in happenings], list(records)
        with self._lock:
            first = len(self._events)
            for happening in checked:
                self._events.append(next_event(self.head(), happening, now_ms()))
            if rows:
                self._index.put(location, rows)
            return self._events[first:]

    def events(
        self,
        *,
        after: int = 0,
        limit: int | None = None,
        kind: str | None = None,
        subject: str | None = None,
        newest_first: bool = False,
    ) -> list[AuditEvent]:
        """Entries of the audit trail with a sequence number above `after`."""
        found = [
            event
            for event in self._events[max(after, 0) :]
            if kind in (None, event.happening.kind) and subject in (None, event.happening.subject)
        ]
        return (found[::-1] if newest_first else found)[:limit]

    def head(self) -> AuditHead:
        """How many entries there are, and the hash of the last."""
        last = self._events[-1] if self._events else None
        return AuditHead(last.sequence, last.hash) if last else AuditHead()

    def has(self, kind: str, subject: str, details: Mapping[str, Any]) -> bool:
        """Whether the trail has an entry of this kind and subject whose details contain all of `details`."""
        return any(event.happening.tells(details) for event in self.events(kind=kind, subject=subject))


def _matches(record: ModelRecord, keys: IndexKeys, wanted: Page) -> bool:
    asked = {fact: getattr(wanted, fact) for fact in _FACTS} | {
        "contributor": contributor_key(wanted.contributor)
    }
    return (
        (wanted.include_deleted or not keys.deleted)
        and wanted.name in (None, record.name)
        and all(value is None or value == getattr(keys, fact) for fact, value in asked.items())
        and wanted.tags.items() <= record.free_tags.items()
        and (wanted.after is None or _place(record) < wanted.after)
    )


def _place(record: ModelRecord) -> tuple[int, str, int]:
    return record.created_ms, record.name, record.number
