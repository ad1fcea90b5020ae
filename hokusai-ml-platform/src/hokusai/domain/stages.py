"""Stages: which version of a model is in development, staging and production, and how it came there.

All moves of one model form one chain. Each move names the move that its writer had seen last; where two name the
same one, the lower number wins and the other never happened. So replaying the rows, whoever wrote them and however
they raced, gives every reader the same board: this is the compare-and-set that MLflow's aliases do not have.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from hokusai.errors import ConflictError, InvalidInputError


class Stage(StrEnum):
    """Where a version is used."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    @classmethod
    def parse(cls, text: str) -> Stage:
        """The stage that `text` names; `dev`, `stage` and `prod` are accepted, in any case.

        >>> Stage.parse("prod")
        <Stage.PRODUCTION: 'production'>

        Raises:
            InvalidInputError: No stage is called so.
        """
        known = {stage.value: stage for stage in cls}
        known |= {"dev": cls.DEVELOPMENT, "stage": cls.STAGING, "prod": cls.PRODUCTION}
        name = text.strip().lower() if isinstance(text, str) else ""
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            meant = f"Did you mean {known[near[0]].value!r}? " if near else ""
            raise InvalidInputError(
                f"No stage is called {text!r}",
                where="stage",
                hint=f"{meant}Stages are {', '.join(stage.value for stage in cls)}.",
            )
        return known[name]

    @property
    def rank(self) -> int:
        """0, 1, 2 from development to production."""
        return list(Stage).index(self)


class Move(StrEnum):
    """What can happen to a version after its registration."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    WITHDRAW = "withdraw"
    DEPRECATE = "deprecate"
    REINSTATE = "reinstate"
    DELETE = "delete"
    RESTORE = "restore"


EXPECTED_TAG = "hokusai.expected"
EVENT_TAG = "hokusai.event"
EMPTY = ""
GENESIS = 0
"""What the first move of a model names as the one seen last."""


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One move.

    Attributes:
        number: Its place in the log; 0 before it is written.
        expected: Number of the valid move that its writer had seen last.
        move: What is to happen.
        version: Key of the version concerned (`SemanticVersion.key`, or MLflow's number as text).
        stage: For moves between stages.
        previous: The version that was in the stage before.
        actor: Who.
        reason: Why.
        at_ms: When, milliseconds since the epoch, UTC.
    """

    move: Move
    version: str
    stage: Stage | None = None
    previous: str | None = None
    actor: str = ""
    reason: str = ""
    at_ms: int = 0
    expected: int = GENESIS
    number: int = 0

    @property
    def at(self) -> datetime:
        """When it was written, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    def tags(self) -> dict[str, str]:
        """The event as tags of a row of the log."""
        told = {
            "move": self.move.value,
            "version": self.version,
            "stage": self.stage.value if self.stage else None,
            "previous": self.previous,
            "actor": self.actor,
            "reason": self.reason,
            "at_ms": self.at_ms,
        }
        return {EXPECTED_TAG: str(self.expected), EVENT_TAG: json.dumps(told, ensure_ascii=False)}

    @classmethod
    def from_tags(cls, number: int, tags: Mapping[str, str]) -> StageEvent | None:
        """The event in a row of the log; None where somebody else wrote something else there."""
        try:
            told = json.loads(tags[EVENT_TAG])
            return cls(
                move=Move(told["move"]),
                version=str(told["version"]),
                stage=Stage(told["stage"]) if told["stage"] else None,
                previous=told["previous"],
                actor=str(told["actor"]),
                reason=str(told["reason"]),
                at_ms=int(told["at_ms"]),
                expected=int(tags[EXPECTED_TAG]),
                number=number,
            )
        except (KeyError, ValueError, TypeError):
            return None

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "number": self.number,
            "move": self.move.value,
            "version": self.version,
            "stage": self.stage.value if self.stage else None,
            "previous": self.previous,
            "actor": self.actor,
            "reason": self.reason,
            "at": self.at.isoformat(),
        }


@dataclass(frozen=True)
class StageBoard:
    """What the moves of one model add up to.

    Attributes:
        name: The model.
        head: Number of the last valid move; what the next one has to name.
        seen: Number of the last row read, valid or not.
        history: The valid moves, oldest first.
        stacks: For each stage the versions that were in it, the present one last; `EMPTY` last where none is.
        deprecated, deleted: Version to reason.
    """

    name: str
    head: int = GENESIS
    seen: int = GENESIS
    history: tuple[StageEvent, ...] = ()
    stacks: Mapping[Stage, tuple[str, ...]] = field(default_factory=dict)
    deprecated: Mapping[str, str] = field(default_factory=dict)
    deleted: Mapping[str, str] = field(default_factory=dict)

    def current(self, stage: Stage) -> str | None:
        """The version in `stage`."""
        return next(iter(reversed(self.stacks.get(stage, ()))), EMPTY) or None

    def stage_of(self, version: str) -> Stage | None:
        """The stage that `version` is in."""
        return next((stage for stage in Stage if self.current(stage) == version), None)

    def before(self, stage: Stage) -> str | None:
        """The version to which a rollback of `stage` goes: the last one before the present that may be used."""
        past = self.stacks.get(stage, ())[:-1]
        usable = (v for v in reversed(past) if v and v not in self.deleted and v not in self.deprecated)
        return next(usable, None)

    def was_in(self, stage: Stage, version: str) -> bool:
        """Whether `version` has been in `stage` at any time."""
        return any(
            event.stage is stage and event.version == version
            for event in self.history
            if event.move in (Move.PROMOTE, Move.ROLLBACK)
        )

    def after(self, rows: Iterable[tuple[int, StageEvent | None]]) -> StageBoard:
        """The board after more rows of the log, in the order of their numbers.

        A row whose `expected` is not the head at its place lost its race, and changes nothing.
        """
        board = self
        for number, event in rows:
            if number <= board.seen:
                continue
            valid = event is not None and event.expected == board.head
            board = board._applied(event) if valid and event is not None else board._having_seen(number)
        return board

    def check(self, event: StageEvent) -> None:
        """Refuse a move that is not allowed now.

        Raises:
            ConflictError: The state does not allow it; the text says what the state is.
            InvalidInputError: The move makes no sense.
        """
        _CHECKS[event.move](self, event)

    def _applied(self, event: StageEvent) -> StageBoard:
        stacks, deprecated, deleted = dict(self.stacks), dict(self.deprecated), dict(self.deleted)
        stage, version = event.stage, event.version
        if stage is not None and event.move in (Move.PROMOTE, Move.ROLLBACK):
            stacks = {
                other: _left(stack) if other is not stage and stack[-1:] == (version,) else stack
                for other, stack in stacks.items()
            }
            stacks[stage] = _entered(stacks.get(stage, ()), version, back=event.move is Move.ROLLBACK)
        elif stage is not None and event.move is Move.WITHDRAW:
            stacks[stage] = _left(stacks.get(stage, ()))
        elif event.move is Move.DEPRECATE:
            deprecated[version] = event.reason
        elif event.move is Move.REINSTATE:
            deprecated.pop(version, None)
        elif event.move is Move.DELETE:
            deleted[version] = event.reason
        elif event.move is Move.RESTORE:
            deleted.pop(version, None)
        return StageBoard(
            self.name, event.number, event.number, (*self.history, event), stacks, deprecated, deleted
        )

    def _having_seen(self, number: int) -> StageBoard:
        return StageBoard(
            self.name, self.head, number, self.history, self.stacks, self.deprecated, self.deleted
        )


def _entered(stack: tuple[str, ...], version: str, *, back: bool) -> tuple[str, ...]:
    past, present = stack[:-1], stack[-1:]
    if back and version in past:
        return stack[: len(past) - past[::-1].index(version)]
    # What a rollback leaves is not what was before it.
    return (*past, version) if back or present == (EMPTY,) else (*stack, version)


def _left(stack: tuple[str, ...]) -> tuple[str, ...]:
    return (*stack, EMPTY)


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return int(datetime.now(UTC).timestamp() * 1000)


def _usable(board: StageBoard, event: StageEvent) -> None:
    who = f"{board.name}/{event.version}"
    if event.version in board.deleted:
        raise ConflictError(
            f"{who} is deleted", where=who, hint="Restore it first, or choose another version."
        )
    if event.version in board.deprecated:
        raise ConflictError(
            f"{who} is deprecated: {board.deprecated[event.version] or 'no reason was given'}",
            where=who,
            hint="Reinstate it first, or choose another version.",
        )


def _check_promote(board: StageBoard, event: StageEvent) -> None:
    _usable(board, event)
    there = board.stage_of(event.version)
    if there is not None and event.stage is not None and there.rank >= event.stage.rank:
        raise ConflictError(
            f"{board.name}/{event.version} is in {there}, and a promotion to {event.stage} does not go up",
            where="stage",
            hint=f"Roll {there} back, or withdraw it, to take a version out of {there}.",
        )


def _check_rollback(board: StageBoard, event: StageEvent) -> None:
    if event.stage is None:
        raise InvalidInputError("A rollback needs a stage", where="stage")
    now = board.current(event.stage)
    if now is None:
        raise ConflictError(
            f"No version of {board.name} is in {event.stage}, so there is nothing to roll back",
            where=board.name,
            hint=f"Promote one: hokusai promote {board.name}/{event.version} --stage {event.stage}",
        )
    if now == event.version:
        raise ConflictError(
            f"{board.name}/{event.version} is in {event.stage} already", where=f"{board.name}/{event.version}"
        )
    _usable(board, event)


def _check_withdraw(board: StageBoard, event: StageEvent) -> None:
    if event.stage is None or board.current(event.stage) != event.version:
        raise ConflictError(f"{board.name}/{event.version} is not in {event.stage}", where=board.name)


def _check_out_of_use(board: StageBoard, event: StageEvent) -> None:
    who = f"{board.name}/{event.version}"
    stage = board.stage_of(event.version)
    if stage is not None:
        raise ConflictError(
            f"{who} is in {stage}",
            where=who,
            hint=f"Promote another version, roll {stage} back, or withdraw this one first.",
        )
    if event.move is Move.DELETE and event.version in board.deleted:
        raise ConflictError(f"{who} is deleted already", where=who)
    if event.move is Move.DEPRECATE and event.version in board.deprecated:
        raise ConflictError(f"{who} is deprecated already", where=who)


def _check_reinstate(board: StageBoard, event: StageEvent) -> None:
    if event.version not in board.deprecated:
        raise ConflictError(f"{board.name}/{event.version} is not deprecated", where=board.name)


def _check_restore(board: StageBoard, event: StageEvent) -> None:
    if event.version not in board.deleted:
        raise ConflictError(f"{board.name}/{event.version} is not deleted", where=board.name)


_CHECKS = {
    Move.PROMOTE: _check_promote,
    Move.ROLLBACK: _check_rollback,
    Move.WITHDRAW: _check_withdraw,
    Move.DEPRECATE: _check_out_of_use,
    Move.REINSTATE: _check_reinstate,
    Move.DELETE: _check_out_of_use,
    Move.RESTORE: _check_restore,
}
