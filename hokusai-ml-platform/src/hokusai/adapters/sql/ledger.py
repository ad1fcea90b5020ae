"""The ledger on SQLite or PostgreSQL: the audit trail, and beside it models, attestations and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from hokusai.adapters.sql import schema
from hokusai.adapters.sql.attestations import SqlAttestationShelf
from hokusai.adapters.sql.benchmarks import SqlBenchmarkShelf
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.index import SqlModelIndex
from hokusai.adapters.sql.tables import audit_events
from hokusai.adapters.sql.trail import HEAD, append, event_of, head_of
from hokusai.domain.audit import AuditEvent, AuditHead, Happening, checked_happening
from hokusai.domain.records import ModelRecord

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
        self._attestations = SqlAttestationShelf(self._database)
        self._benchmarks = SqlBenchmarkShelf(self._database)

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

    @property
    def attestations(self) -> SqlAttestationShelf:
        """The signed statements."""
        return self._attestations

    @property
    def benchmarks(self) -> SqlBenchmarkShelf:
        """The benchmarks and their uses."""
        return self._benchmarks

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the ledger can be used now."""
        self._database.row(HEAD)

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
            events = append(connection, checked) if checked else []
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
        return [event_of(row) for row in self._database.rows(statement, {"after": after, **wanted})]

    def head(self) -> AuditHead:
        """The head that is kept beside the entries."""
        return head_of(self._database.row(HEAD))

    def has(self, kind: str, subject: str, details: Mapping[str, Any]) -> bool:
        """Whether the trail has an entry of this kind and subject whose details contain all of `details`."""
        after = 0
        while page := self.events(after=after, limit=_PAGE, kind=kind, subject=subject):
            told = [event.sequence for event in page if event.happening.tells(details)]
            if told:
                return told[0] <= self.head().count  # who put an entry beyond the end is not to be believed
            after = page[-1].sequence
        return False
