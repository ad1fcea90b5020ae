"""What makes a plain MLflow registry one of Hokusai's: worked out from its rows alone, written nowhere.

The same rows give the same plan, also after a part of it was carried out; so a run that was killed is continued by
starting it again, and a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hokusai.core.version_rules import Rules, choose_versions
from hokusai.domain.records import SHA256, ModelRecord
from hokusai.domain.stages import Move, Stage, StageBoard, StageEvent
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import ConflictError, InvalidInputError

ALIAS_TAG = "mlflow_alias."
"""Aliases that mean no stage become tags with this prefix, so that models are found by them."""
STAGE_ALIASES = {
    Stage.PRODUCTION: ("production", "prod", "champion"),
    Stage.STAGING: ("staging", "stage"),
    Stage.DEVELOPMENT: ("development", "dev"),
}
TAKEN_OVER = "Taken over from MLflow"
"""What the reason of every move that a take-over writes begins with."""

_LEGACY = {Stage.PRODUCTION: "Production", Stage.STAGING: "Staging"}
_ARCHIVED = "Archived"


@dataclass(frozen=True, slots=True)
class PlannedVersion:
    """One version, and what becomes of it.

    Attributes:
        record: The row as it is.
        version: Its semantic version from now on.
        rule: Where that comes from.
        is_new: Whether it is to be written.
        needs_digest: Whether its artefact is to be read.
        tags: Tags to be set, or removed where None, besides.
        notes: What people should know.
    """

    record: ModelRecord
    version: SemanticVersion
    rule: str
    is_new: bool
    needs_digest: bool = False
    tags: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be written."""
        return not (self.is_new or self.needs_digest or self.tags)

    @property
    def model_id(self) -> str:
        """The id that it will have."""
        return f"{self.record.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """All that becomes of one model.

    Attributes:
        name: The model.
        versions: By number.
        moves: To be written to the history of its stages, in this order.
        placed: Number to the stage that it is in then, or `deprecated`.
        notes: Conflicts, and how they are solved.
    """

    name: str
    versions: tuple[PlannedVersion, ...]
    moves: tuple[StageEvent, ...] = ()
    placed: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be written."""
        return not self.moves and all(version.is_done for version in self.versions)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "versions": [
                {
                    "mlflow_version": planned.record.number,
                    "version": str(planned.version),
                    "rule": planned.rule,
                    "new": planned.is_new,
                    "stage": self.placed.get(planned.record.number),
                    "notes": list(planned.notes),
                }
                for planned in self.versions
            ],
            "notes": list(self.notes),
        }


def plan_model(
    name: str,
    rows: Sequence[ModelRecord],
    rules: Rules,
    *,
    aliases: Mapping[str, int],
    legacy_stages: Mapping[int, str],
    board: StageBoard,
) -> ModelPlan:
    """What has to be done with one model.

    Args:
        name: The model.
        rows: All its versions.
        rules: How.
        aliases: Alias to number.
        legacy_stages: Number to MLflow's own stage.
        board: The history of its stages so far.
    """
    rows = sorted(rows, key=lambda row: row.number)
    notes: list[str] = []
    chosen = choose_versions(rows, rules, aliases, notes)
    tags = _alias_tags(rows, aliases)
    versions = tuple(
        PlannedVersion(
            record=row,
            version=chosen[row.number][0],
            rule=chosen[row.number][1],
            is_new=row.version is None or row.version != chosen[row.number][0],
            needs_digest=rules.digests and SHA256 not in row.tags,
            tags=tags.get(row.number, {}),
            notes=tuple(_token_notes(row)),
        )
        for row in rows
        if row.number in chosen
    )
    numbered = {
        planned.record.number: board.key_of(planned.version.key, planned.record.number)
        for planned in versions
    }
    placed = {number: stage.value for number, key in numbered.items() if (stage := board.stage_of(key))}
    moves = tuple(_moves(numbered, rules, aliases, legacy_stages, board, placed, notes))
    return ModelPlan(name, versions, moves, placed, tuple(notes))


def _alias_tags(rows: Iterable[ModelRecord], aliases: Mapping[str, int]) -> dict[int, dict[str, str | None]]:
    meant = {alias for names in STAGE_ALIASES.values() for alias in names}
    wanted: dict[int, set[str]] = {}
    for alias, number in aliases.items():
        if alias.lower() not in meant:
            wanted.setdefault(number, set()).add(ALIAS_TAG + alias)
    changes: dict[int, dict[str, str | None]] = {}
    for row in rows:
        there = {tag for tag in row.tags if tag.startswith(ALIAS_TAG)}
        should = wanted.get(row.number, set())
        change: dict[str, str | None] = dict.fromkeys(sorted(should - there), "true")
        change |= dict.fromkeys(sorted(there - should))
        if change:
            changes[row.number] = change
    return changes


def _moves(
    numbered: Mapping[int, str],
    rules: Rules,
    aliases: Mapping[str, int],
    legacy_stages: Mapping[int, str],
    board: StageBoard,
    placed: dict[int, str],
    notes: list[str],
) -> Iterator[StageEvent]:
    """What has to be written to the history of stages; `placed` says afterwards where each version is."""
    moved = {event.stage for event in board.history}
    for stage in reversed(Stage):
        claims = _claims(stage, aliases, legacy_stages)
        winner = next(((number, why) for number, why in claims if number in numbered), None)
        if stage in moved or winner is None:
            continue  # Hokusai's own history is the newer truth
        number, why = winner
        others = sorted({other for other, _ in claims} - {number})
        if others:
            notes.append(f"Number {number} is taken into {stage} ({why}); not {_listed(others)}")
        if placed.get(number, stage.value) != stage.value:
            notes.append(f"Number {number} is in {placed[number]}, so {stage} ({why}) stays empty")
            continue
        placed[number] = stage.value
        # An alias that has the name of a stage is the stage already, and the first move that is written says so.
        if aliases.get(stage.value) != number:
            event = StageEvent(Move.PROMOTE, numbered[number], stage, reason=f"{TAKEN_OVER}: {why}")
            yield from _allowed(board, event, notes)
    touched = {event.version for event in board.history}
    for number, stage_name in sorted(legacy_stages.items()):
        if stage_name != _ARCHIVED or not rules.deprecate_archived:
            continue
        if number in numbered and number not in placed and numbered[number] not in touched:
            placed[number] = "deprecated"
            reason = f"{TAKEN_OVER}: stage {_ARCHIVED}"
            yield from _allowed(board, StageEvent(Move.DEPRECATE, numbered[number], reason=reason), notes)


def _claims(
    stage: Stage, aliases: Mapping[str, int], legacy_stages: Mapping[int, str]
) -> list[tuple[int, str]]:
    """Who is said to be in a stage, the most credible first: aliases, which replaced MLflow's stages, then those."""
    spoken = [
        (aliases[alias], f"alias {alias}")
        for meant in STAGE_ALIASES[stage]
        for alias in sorted(aliases)
        if alias.lower() == meant
    ]
    legacy = _LEGACY.get(stage)
    numbers = sorted((number for number, name in legacy_stages.items() if name == legacy), reverse=True)
    return spoken + [(number, f"stage {legacy}") for number in numbers]


def _allowed(board: StageBoard, event: StageEvent, notes: list[str]) -> Iterator[StageEvent]:
    try:
        board.check(event)
    except ConflictError as problem:
        notes.append(f"{event.move} of {event.version} is left out: {problem.what}")
    else:
        yield event


def _token_notes(row: ModelRecord) -> Iterator[str]:
    try:
        _ = row.token
    except InvalidInputError as problem:
        yield f"no token: {problem}"


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return f"{shown} and {len(numbers) - 10} more" if len(numbers) > 10 else shown
