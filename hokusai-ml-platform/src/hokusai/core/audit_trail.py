"""The audit trail as a whole: read it, verify it, take it elsewhere and verify it there.

Nothing here holds more than a page of it, so that a trail of millions of entries needs no more memory than a short one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hokusai.domain.audit import (
    FORMAT,
    AuditEvent,
    AuditHead,
    chain_faults,
    event_from_dict,
)
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.ports import Ledger

_PAGE = 1_000
_BEFORE_ALL = -(2**62)  # an entry that somebody put before the first is to be seen too
_HEAD = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})")
_TYPES = {
    "sequence": int,
    "at_ms": int,
    **dict.fromkeys(("kind", "subject", "actor", "previous", "hash"), str),
    "details": dict,
}


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """What verifying a trail found.

    Attributes:
        head: How many entries should be there, and the hash of the last: note it elsewhere, and no later verification
            can miss that entries were removed from the end, or that all of the trail was written anew.
        faults: Everything that is wrong, in sentences; empty for a sound trail.
    """

    head: AuditHead
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"sound": self.is_sound, "head": _head_dict(self.head), "faults": list(self.faults)}


def entries(ledger: Ledger, after: int = 0) -> Iterator[AuditEvent]:
    """All entries with a sequence number above `after`, oldest first, a page at a time."""
    while page := ledger.events(after=after, limit=_PAGE):
        yield from page
        after = page[-1].sequence


def verify_trail(
    ledger: Ledger,
    noted: AuditHead | None = None,
    *,
    watch: Callable[[AuditEvent], object] | None = None,
) -> TrailVerdict:
    """Check every entry of a ledger's trail.

    Args:
        ledger: Its ledger; others may go on appending to it.
        noted: A head that was noted elsewhere, at any time before.
        watch: Is given every entry on the way.
    """
    lost = []
    try:
        head = ledger.head()
    except IntegrityError as problem:
        head, lost = AuditHead(), [problem.what]
    told = itertools.takewhile(lambda event: event.sequence <= head.count, entries(ledger, _BEFORE_ALL))
    faults = lost + _faults(_watched(told, watch), head, noted)
    beyond = ledger.events(after=head.count, limit=1)
    if beyond and (lost or ledger.head().count < beyond[0].sequence):
        faults.append(f"Entry {beyond[0].sequence} stands beyond the end of the trail, entry {head.count}")
    return TrailVerdict(head, tuple(faults))


def export(ledger: Ledger) -> Iterator[bytes]:
    """The trail as lines of JSON: the head first, then every entry up to it."""
    head = ledger.head()
    yield canonical_json({"format": FORMAT, "head": _head_dict(head)}) + b"\n"
    for event in itertools.takewhile(
        lambda event: event.sequence <= head.count, entries(ledger, _BEFORE_ALL)
    ):
        yield canonical_json(event.to_dict()) + b"\n"


def verify_export(lines: Iterable[bytes], noted: AuditHead | None = None) -> TrailVerdict:
    """Check every entry of an exported trail; no ledger is needed.

    Raises:
        InvalidInputError: The first line does not say that this is one.
    """
    remaining = iter(lines)
    head = _exported_head(next(remaining, b""))
    unreadable: list[str] = []
    faults = _faults(_exported_entries(remaining, unreadable), head, noted)
    return TrailVerdict(head, (*unreadable, *faults))


def parse_head(text: str) -> AuditHead:
    """A head as `COUNT:HASH`, the way `hokusai audit verify` prints it.

    >>> parse_head("0:" + "0" * 64) == AuditHead()
    True

    Raises:
        InvalidInputError: It is none.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError(
            f"Not the head of an audit trail: {text[:80]!r}",
            hint="Write COUNT:HASH as `hokusai audit verify` prints it, with all 64 digits of the hash.",
        )
    return AuditHead(int(match[1]), match[2])


def _faults(events: Iterable[AuditEvent], head: AuditHead, noted: AuditHead | None) -> list[str]:
    if noted is None or noted.count == 0:
        return chain_faults(events, head)
    seen: dict[int, str] = {}

    def note(event: AuditEvent) -> None:
        if event.sequence == noted.count:
            seen[event.sequence] = event.hash

    faults = chain_faults(_watched(events, note), head)
    if not seen:
        faults.append(f"Entry {noted.count}, whose hash was noted, is not there any more")
    elif seen[noted.count] != noted.hash:
        faults.append(f"Entry {noted.count} is not the one whose hash was noted: the trail was written anew")
    return faults


def _watched(
    events: Iterable[AuditEvent], watch: Callable[[AuditEvent], object] | None
) -> Iterator[AuditEvent]:
    for event in events:
        if watch is not None:
            watch(event)
        yield event


def _head_dict(head: AuditHead) -> dict[str, Any]:
    return {"count": head.count, "hash": head.hash}


def _exported_head(line: bytes) -> AuditHead:
    try:
        told = parse_json(line)
        if isinstance(told, dict) and told.get("format") == FORMAT:
            return parse_head(f"{told['head']['count']}:{told['head']['hash']}")
    except (InvalidInputError, KeyError, TypeError):
        pass
    raise InvalidInputError(
        "The first line is not the head of an exported audit trail",
        hint="Export one with: hokusai audit export --output FILE",
    )


def _exported_entries(lines: Iterable[bytes], unreadable: list[str]) -> Iterator[AuditEvent]:
    for number, line in enumerate(lines, start=2):
        try:
            told = parse_json(line)
        except InvalidInputError:
            told = None
        if isinstance(told, dict) and all(type(told.get(name)) is kind for name, kind in _TYPES.items()):
            yield event_from_dict(told)
        else:
            unreadable.append(f"Line {number} is not an entry of an audit trail")
