"""Which old versions may go, and why each of the others stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import Stage, StageBoard


@dataclass(frozen=True)
class CleanUpPlan:
    """What a clean-up does, or did.

    Attributes:
        name: The model.
        keep: How many of the newest versions stay in any case.
        stays, goes: Model id to the reason, newest version first.
        dry_run: Whether nothing was deleted yet.
    """

    name: str
    keep: int
    stays: Mapping[str, str]
    goes: Mapping[str, str]
    dry_run: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "keep": self.keep,
            "dry_run": self.dry_run,
            "stays": dict(self.stays),
            "goes": dict(self.goes),
        }

    def __repr__(self) -> str:
        would = "would go" if self.dry_run else "went"
        gone = ", ".join(self.goes) or "none"
        return f"<CleanUpPlan {self.name}: {len(self.stays)} stay, {len(self.goes)} {would}: {gone}>"


def plan_clean_up(
    name: str,
    records: Sequence[ModelRecord],
    keys: Mapping[str, str],
    board: StageBoard,
    children: Mapping[str, str],
    keep: int,
) -> CleanUpPlan:
    """What may go of a model.

    Args:
        name: The model.
        records: Its versions that are not deleted, newest first.
        keys: Model id to the key by which `board` knows the version.
        board: Its stages.
        children: Id of a parent to the id of a version of another model that was made from it.
        keep: How many of the newest stay.
    """
    reasons = {
        record.model_id: reason
        for place, record in enumerate(records)
        if (reason := _reason(record, place, keys[record.model_id], board, children, keep))
    }
    by_id = {record.model_id: record for record in records}
    for child, parent in _parents(by_id, list(reasons)):
        reasons.setdefault(parent, f"is the parent of {child}")
    stays = {own: reasons[own] for own in by_id if own in reasons}
    goes = {
        own: f"is older than the newest {keep}, and nothing needs it" for own in by_id if own not in reasons
    }
    return CleanUpPlan(name, keep, stays, goes)


def _reason(
    record: ModelRecord, place: int, key: str, board: StageBoard, children: Mapping[str, str], keep: int
) -> str:
    stage = board.stage_of(key)
    if stage is not None:
        return f"is in {stage}"
    returns = next((stage for stage in Stage if board.before(stage) == key), None)
    if returns is not None:
        return f"is what a rollback of {returns} goes back to"
    if record.is_baseline:
        return "is a baseline"
    if record.model_id in children:
        return f"is the parent of {children[record.model_id]}"
    return f"is one of the newest {keep}" if place < keep else ""


def _parents(records: Mapping[str, ModelRecord], kept: list[str]) -> Iterator[tuple[str, str]]:
    """Child and parent for all that the kept versions descend from."""
    seen = set(kept)
    # A parent that got its semantic version later is named by its number.
    numbered = {f"{record.name}/{record.number}": own for own, record in records.items()}
    while kept:
        child = kept.pop()
        parent = numbered.get(records[child].parent_id or "", records[child].parent_id)
        if parent is not None and parent in records and parent not in seen:
            seen.add(parent)
            kept.append(parent)
            yield child, parent
