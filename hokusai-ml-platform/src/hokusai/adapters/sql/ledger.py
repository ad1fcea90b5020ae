"""The ledger on SQLite or PostgreSQL: an append-only, hash-chained audit trail, and the index of models beside it.

Appends take turns: each holds the row of the head until it is committed, so that the chain has neither gaps nor forks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from hokusai.adapters.sql import schema
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.index import SqlModelIndex
from hokusai.adapters.sql.tables import audit_events, audit_head
from hokusai.domain.audit import AuditEvent, AuditHead, Happening, checked_happening, next_event
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import now_ms
from hokusai.errors import IntegrityError, InvalidInputError

_PAGE = 1_000


class SqlLedger:
    """A `Ledger` on a database; nothing is opened before it is used.

    Args:
        url: `sqlite:///file.db`, made and upgraded when it is first used, or
            `postgresql://user:password@host:port/database`, which `hokusai db upgrade` prepares.

    Raises:
        ConfigurationError: The URL is of no such kind.
        MissingExtraError: The database's driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, on_open=schema.ready)
        self._index = SqlModelIndex(self._database)

    def __repr__(self) -> str:
        return f"SqlLedger({self.location!r})"

    @property
    def location(self) -> str:
        """Which database this is, without passwords."""
        return self._database.location

    @property
    def index(self) -> SqlModelIndex:
        """The index of models."""
        return self._index

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the ledger can be used now."""
        self._database.row(_HEAD)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._database.close()

    def record(
        self,
        happenings: Sequence[Happening],
        *,
        location: str = "",
        records: Iterable[ModelRecord] = (),
    ) -> list[AuditEvent]:
        """Append to the audit trail and put rows into the index of `location`, in one transaction."""
        checked, rows = [checked_happening(happening) for happening in happenings], list(records)

        def work(connection: Connection) -> list[AuditEvent]:
            events = _append(connection, checked) if checked else []
            if rows:
                self._index.put_in(connection, location, rows)
            return events

        return self._database.write(work) if checked or rows else []

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
        wanted = {name: value for name, value in (("kind", kind), ("subject", subject)) if value is not None}
        statement = select(audit_events).where(
            audit_events.c.sequence > bindparam("after"),
            *(audit_events.c[name] == bindparam(name) for name in wanted),
        )
        order = audit_events.c.sequence
        statement = statement.order_by(order.desc() if newest_first else order).limit(limit)
        return [_event(row) for row in self._database.rows(statement, {"after": after, **wanted})]

    def head(self) -> AuditHead:
        """The head that is kept beside the entries."""
        return _head(self._database.row(_HEAD))

    def has(self, kind: str, subject: str, details: Mapping[str, Any]) -> bool:
        """Whether the trail has an entry of this kind and subject whose details contain all of `details`."""
        after = 0
        while page := self.events(after=after, limit=_PAGE, kind=kind, subject=subject):
            told = [event.sequence for event in page if event.happening.tells(details)]
            if told:
                return told[0] <= self.head().count  # who put an entry beyond the end is not to be believed
            after = page[-1].sequence
        return False


_HEAD = select(audit_head.c.count, audit_head.c.hash).where(audit_head.c.id == 1)


def _append(connection: Connection, happenings: Sequence[Happening]) -> list[AuditEvent]:
    head = _head(connection.execute(_HEAD.with_for_update()).one_or_none())
    events: list[AuditEvent] = []
    for happening in happenings:
        event = next_event(head, happening, now_ms())
        head = AuditHead(event.sequence, event.hash)
        events.append(event)
    connection.execute(insert(audit_events), [_columns(event) for event in events])
    connection.execute(
        update(audit_head).where(audit_head.c.id == 1), {"count": head.count, "hash": head.hash}
    )
    return events


def _head(row: Any) -> AuditHead:
    if row is None:
        raise IntegrityError(
            "The audit trail has lost its head, so nothing can be appended to it, and nothing in it is believed",
            hint="Somebody removed it by hand. See what else is wrong with: hokusai audit verify",
        )
    return AuditHead(row[0], row[1])


def _columns(event: AuditEvent) -> dict[str, Any]:
    return {**event.to_dict(), "details": canonical_json(event.to_dict()["details"]).decode()}


def _event(row: Any) -> AuditEvent:
    happening = Happening(row.kind, row.subject, row.actor, _details(row.details))
    return AuditEvent(row.sequence, row.at_ms, happening, row.previous, row.hash)


def _details(text: str) -> dict[str, Any]:
    """Details as they were written; whoever changed them into something else is found out by the hash."""
    try:
        details = parse_json(text.encode())
    except InvalidInputError:
        details = None
    return details if isinstance(details, dict) else {"unreadable": text}
