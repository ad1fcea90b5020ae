"""The audit trail on a database: append-only, each entry holding the hash of the one before.

Appends take turns: each holds the row of the head until it is committed, so that the chain has neither gaps nor forks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hokusai.adapters.sql.tables import audit_events, audit_head
from hokusai.domain.audit import AuditEvent, AuditHead, Happening, next_event
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.stages import now_ms
from hokusai.errors import IntegrityError, InvalidInputError

HEAD = select(audit_head.c.count, audit_head.c.hash).where(audit_head.c.id == 1)


def append(connection: Connection, happenings: Sequence[Happening]) -> list[AuditEvent]:
    """Append to the trail in a transaction that is open; nothing else may be locked after this."""
    head = head_of(connection.execute(HEAD.with_for_update()).one_or_none())
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


def head_of(row: Any) -> AuditHead:
    """The head that `HEAD` gave.

    Raises:
        IntegrityError: It is gone: somebody removed it.
    """
    if row is None:
        raise IntegrityError(
            "The audit trail has lost its head, so nothing can be appended to it, and nothing in it is believed",
            hint="Somebody removed it by hand. See what else is wrong with: hokusai audit verify",
        )
    return AuditHead(row[0], row[1])


def _columns(event: AuditEvent) -> dict[str, Any]:
    return {**event.to_dict(), "details": canonical_json(event.to_dict()["details"]).decode()}


def event_of(row: Any) -> AuditEvent:
    """The entry in a row of the table."""
    happening = Happening(row.kind, row.subject, row.actor, _details(row.details))
    return AuditEvent(row.sequence, row.at_ms, happening, row.previous, row.hash)


def _details(text: str) -> dict[str, Any]:
    """Details as they were written; whoever changed them into something else is found out by the hash."""
    try:
        details = parse_json(text.encode())
    except InvalidInputError:
        details = None
    return details if isinstance(details, dict) else {"unreadable": text}
