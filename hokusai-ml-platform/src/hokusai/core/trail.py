"""What the audit trail says of the versions of a store, read once for those who compare many."""

from __future__ import annotations

from collections.abc import Iterator

from hokusai.domain.audit import AuditEvent
from hokusai.ports import Ledger

_ENTRIES_A_PAGE = 10_000


def entries(ledger: Ledger, kind: str | None = None) -> Iterator[AuditEvent]:
    """Entries of the trail, oldest first, however many there are."""
    after = 0
    while True:
        page = ledger.events(after=after, limit=_ENTRIES_A_PAGE, kind=kind)
        yield from page
        if len(page) < _ENTRIES_A_PAGE:
            return
        after = page[-1].sequence
