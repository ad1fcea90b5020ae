"""The audit trail: who did what, each entry holding the hash of the one before.

Whoever changes, removes or swaps an entry breaks the chain at that place. Removing the newest entries is found by
comparing with a head that was noted elsewhere, or with the one that the ledger keeps beside the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hokusai.domain.canonical import canonical_json, digest, parse_json
from hokusai.errors import InvalidInputError

GENESIS_HASH = "0" * 64
FORMAT = "hokusai-audit-v1"
_LENGTHS = {"kind": 100, "subject": 500, "actor": 500}  # what fits into an index of any database


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be written to the audit trail.

    Attributes:
        kind: What happened: `model.registered`, `model.promoted`, ….
        subject: What it happened to, such as a model id.
        actor: Who did it.
        details: JSON values.
    """

    kind: str
    subject: str
    actor: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def tells(self, details: Mapping[str, Any]) -> bool:
        """Whether its details contain all of `details`.

        >>> Happening("model.tagged", "churn/1.0.0", "ann", {"tag": "team", "value": "growth"}).tells({"tag": "team"})
        True
        """
        return all(name in self.details and self.details[name] == value for name, value in details.items())


def checked_happening(happening: Happening) -> Happening:
    """`happening` with details that read back equal, fit to be stored by every ledger.

    Raises:
        InvalidInputError: The details are no JSON, or a text is too long or cannot be stored.
    """
    for name, limit in _LENGTHS.items():
        text = getattr(happening, name)
        if not isinstance(text, str) or len(text) > limit or "\0" in text:
            raise InvalidInputError(
                f"The {name} of an entry in the audit trail is {str(text)[:60]!r}",
                where=name,
                hint=f"Use text of at most {limit} characters, without the character 0.",
            )
    details: Any = parse_json(canonical_json(dict(happening.details)))
    return Happening(happening.kind, happening.subject, happening.actor, details)


@dataclass(frozen=True, slots=True)
class AuditHead:
    """How many entries there are, and the hash of the last."""

    count: int = 0
    hash: str = GENESIS_HASH


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry of the audit trail.

    Attributes:
        sequence: 1, 2, … without gaps.
        at_ms: When it was written, milliseconds since the epoch, UTC.
        happening: What happened.
        previous: Hash of the entry before, `GENESIS_HASH` for the first.
        hash: `chain_hash` of all of the above.
    """

    sequence: int
    at_ms: int
    happening: Happening
    previous: str
    hash: str

    @property
    def at(self) -> datetime:
        """When it was written, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `event_from_dict` gives it back."""
        return {
            "sequence": self.sequence,
            "at_ms": self.at_ms,
            "kind": self.happening.kind,
            "subject": self.happening.subject,
            "actor": self.happening.actor,
            "details": dict(self.happening.details),
            "previous": self.previous,
            "hash": self.hash,
        }


def event_from_dict(told: Mapping[str, Any]) -> AuditEvent:
    """The entry that `AuditEvent.to_dict` gave.

    Raises:
        KeyError: Something is missing.
    """
    happening = Happening(told["kind"], told["subject"], told["actor"], told["details"])
    return AuditEvent(told["sequence"], told["at_ms"], happening, told["previous"], told["hash"])


def next_event(head: AuditHead, happening: Happening, at_ms: int) -> AuditEvent:
    """The entry that follows `head`."""
    sequence = head.count + 1
    return AuditEvent(
        sequence, at_ms, happening, head.hash, chain_hash(sequence, at_ms, happening, head.hash)
    )


def chain_hash(sequence: int, at_ms: int, happening: Happening, previous: str) -> str:
    """SHA-256 of the canonical JSON of an entry and the hash of the one before it."""
    return digest(
        {
            "format": FORMAT,
            "sequence": sequence,
            "at_ms": at_ms,
            "kind": happening.kind,
            "subject": happening.subject,
            "actor": happening.actor,
            "details": dict(happening.details),
            "previous": previous,
        }
    )


def chain_faults(events: Iterable[AuditEvent], head: AuditHead, start: AuditHead | None = None) -> list[str]:
    """Everything that is wrong with a chain that should lead from `start` to `head`; empty for a sound one."""
    faults: list[str] = []
    last = start or AuditHead()
    for event in events:
        if event.sequence != last.count + 1:
            faults.append(
                f"After entry {last.count} comes entry {event.sequence}: entries are missing or were moved"
            )
        elif event.previous != last.hash:
            faults.append(f"Entry {event.sequence} does not follow from entry {last.count}")
        if not _has_its_hash(event):
            faults.append(f"Entry {event.sequence} was changed after it was written")
        last = AuditHead(event.sequence, event.hash)
    if last != head:
        faults.append(
            f"The trail ends with entry {last.count} ({last.hash[:12]}…), "
            f"and should end with entry {head.count} ({head.hash[:12]}…)"
        )
    return faults


def _has_its_hash(event: AuditEvent) -> bool:
    try:
        return event.hash == chain_hash(event.sequence, event.at_ms, event.happening, event.previous)
    except InvalidInputError:  # it holds what no ledger writes
        return False
