"""Stages: which version of a model is in development, staging and production, and how it came there.

All moves of one model form one chain. Each move names the move that its writer had seen last; where two name the
same one, the lower number wins and the other never happened. So replaying the rows, whoever wrote them and however
they raced, gives every reader the same board: this is the compare-and-set that MLflow's aliases do not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hokusai.domain.stage_events import (
    EVENT_TAG,
    EXPECTED_TAG,
    GENESIS,
    Holder,
    Move,
    Stage,
    StageEvent,
    now_ms,
)
from hokusai.domain.versions import parse_version
from hokusai.errors import ConflictError, InvalidInputError

__all__ = [
    "EMPTY",
    "EVENT_TAG",
    "EXPECTED_TAG",
    "GENESIS",
    "Holder",
    "Move",
    "Stage",
    "StageBoard",
    "StageEvent",
    "now_ms",
]

EMPTY = ""


@dataclass(frozen=True)
class StageBoard:
    """What the moves of one model add up to.

    A version is in one stage at most: whoever enters one leaves the other.

    Attributes:
        name: The model.
        head: Number of the last valid move; what the next one has to name.
        seen: Number of the last row read, valid or not.
        history: The valid moves, oldest first.
        stacks: For each stage the versions that were in it, the present one last; `EMPTY` last where none is.
        deprecated, deleted: Version to reason.
        rows: Version to MLflow's number, as far as the moves tell it.
    """

    name: str
    head: int = GENESIS
    seen: int = GENESIS
    history: tuple[StageEvent, ...] = ()
    stacks: Mapping[Stage, tuple[str, ...]] = field(default_factory=dict)
    deprecated: Mapping[str, str] = field(default_factory=dict)
    deleted: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)

    def current(self, stage: Stage) -> str | None:
        """The version in `stage`."""
        return next(iter(reversed(self.stacks.get(stage, ()))), EMPTY) or None

    def stage_of(self, version: str) -> Stage | None:
        """The stage that `version` is in."""
        return next((stage for stage in Stage if self.current(stage) == version), None)

    def key_of(self, version: str, row: int) -> str:
        """What the moves call a version: its number, if it was moved before it got its semantic version.

        Args:
            version: Its key by now.
            row: MLflow's number of it.
        """
        return str(row) if version not in self.rows and str(row) in self.rows else version

    def before(self, stage: Stage) -> str | None:
        """The version to which a rollback of `stage` goes: the last one before the present that may be used there."""
        *past, present = self.stacks.get(stage, ()) or (EMPTY,)
        return next((v for v in reversed(past) if v and v != present and self._may_return(v, stage)), None)

    def was_in(self, stage: Stage, version: str) -> bool:
        """Whether `version` has been in `stage` at any time."""
        moves = (Move.PROMOTE, Move.ROLLBACK)
        return version in self.stacks.get(stage, ()) or any(
            event.stage is stage and event.version == version and event.move in moves
            for event in self.history
        )

    def last_move(self, stage: Stage) -> StageEvent | None:
        """The move that made `stage` what it is; None where only an alias says so, or nothing ever was there."""
        left = None
        for event in reversed(self.history):
            if event.stage is stage:
                return left or event
            if event.move in (Move.PROMOTE, Move.ROLLBACK) and self._left(stage) == event.version:
                left = event
        return left

    def holders(self) -> tuple[Holder, ...]:
        """Who is in which stage."""
        held = ((stage, self.current(stage)) for stage in Stage)
        return tuple(Holder(stage, version, self.rows.get(version, 0)) for stage, version in held if version)

    def after(self, rows: Iterable[tuple[int, StageEvent | None]]) -> StageBoard:
        """The board after more rows of the log, in the order of their numbers.

        A row whose `expected` is not the head at its place lost its race, and changes nothing.
        """
        draft = _Draft(self)
        for number, event in rows:
            if number > draft.seen:
                draft.see(number, event)
        return draft.board()

    def as_found(self, holders: Iterable[Holder]) -> StageBoard:
        """The board of a model without moves whose stages are what MLflow's aliases say."""
        held = tuple(holders)
        stacks = {holder.stage: (holder.version,) for holder in held}
        return replace(self, stacks=stacks, rows={holder.version: holder.row for holder in held})

    def check(self, event: StageEvent) -> None:
        """Refuse a move that is not allowed now.

        Raises:
            ConflictError: The state does not allow it; the text says what the state is.
            InvalidInputError: The move makes no sense.
        """
        _CHECKS[event.move](self, event)

    def _may_return(self, version: str, stage: Stage) -> bool:
        there = self.stage_of(version)
        out_of_use = version in self.deleted or version in self.deprecated
        return not out_of_use and (there is None or there.rank < stage.rank)

    def _left(self, stage: Stage) -> str | None:
        """The version that was the last in `stage`, which is empty since then."""
        stack = self.stacks.get(stage, ())
        return stack[-2] if len(stack) > 1 and stack[-1] == EMPTY else None


class _Draft:
    """A board that is being replayed: one copy for many rows."""

    def __init__(self, board: StageBoard) -> None:
        self.head, self.seen, self._name = board.head, board.seen, board.name
        self._history = list(board.history)
        self._stacks = {stage: list(stack) for stage, stack in board.stacks.items()}
        self._deprecated, self._deleted = dict(board.deprecated), dict(board.deleted)
        self._rows = dict(board.rows)

    def see(self, number: int, event: StageEvent | None) -> None:
        self.seen = number
        if event is None or event.expected != self.head:
            return
        if self.head == GENESIS:
            # What the aliases said is what the writer of the first move found, and not what they say by now.
            self._stacks = {holder.stage: [holder.version] for holder in event.found}
            self._rows = {holder.version: holder.row for holder in event.found}
        self.head = number
        self._history.append(event)
        if event.row:
            self._rows[event.version] = event.row
        self._apply(event)

    def board(self) -> StageBoard:
        return StageBoard(
            self._name,
            self.head,
            self.seen,
            tuple(self._history),
            {stage: tuple(stack) for stage, stack in self._stacks.items()},
            self._deprecated,
            self._deleted,
            self._rows,
        )

    def _apply(self, event: StageEvent) -> None:
        version, stage = event.version, event.stage
        if stage is not None and event.move in (Move.PROMOTE, Move.ROLLBACK):
            for other, stack in self._stacks.items():
                if other is not stage and stack[-1:] == [version]:
                    stack.append(EMPTY)
            _enter(self._stacks.setdefault(stage, []), version, back=event.move is Move.ROLLBACK)
        elif stage is not None and event.move is Move.WITHDRAW:
            self._stacks.setdefault(stage, []).append(EMPTY)
        elif event.move is Move.DEPRECATE:
            self._deprecated[version] = event.reason
        elif event.move is Move.REINSTATE:
            self._deprecated.pop(version, None)
        elif event.move is Move.DELETE:
            self._deleted[version] = event.reason
        elif event.move is Move.RESTORE:
            self._deleted.pop(version, None)


def _enter(stack: list[str], version: str, *, back: bool) -> None:
    if stack and (back or stack[-1] == EMPTY):
        stack.pop()  # what a rollback leaves is not what was before it
    if not back and stack[-1:] == [version]:
        return
    if back and version in stack:
        while stack[-1] != version:
            stack.pop()
    else:
        stack.append(version)


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
    if event.stage is None:
        raise InvalidInputError("A promotion needs a stage", where="stage")
    _usable(board, event)
    there = board.stage_of(event.version)
    if there is event.stage and board.head == GENESIS:
        return  # so far only an alias says so; this writes it down
    if there is not None and there.rank >= event.stage.rank:
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
    there = board.stage_of(event.version)
    if there is not None and there.rank > event.stage.rank:
        raise ConflictError(
            f"{board.name}/{event.version} is in {there}, and cannot go back to {event.stage} from there",
            where="stage",
            hint=f"Roll {there} back, or withdraw it, to take a version out of {there}.",
        )
    if not board.was_in(event.stage, event.version) and not _is_older(event.version, now):
        raise ConflictError(
            f"{board.name}/{event.version} was never in {event.stage} and is newer than {now}, which is there",
            where=f"{board.name}/{event.version}",
            hint=f"Promote it instead: hokusai promote {board.name}/{event.version} --stage {event.stage}",
        )


def _is_older(version: str, other: str) -> bool:
    one, two = parse_version(version), parse_version(other)
    if isinstance(one, int) or isinstance(two, int):
        return isinstance(one, int) and isinstance(two, int) and one < two
    return one < two


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
