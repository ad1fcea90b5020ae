"""Who moved which version to which stage: an append-only log in MLflow, won by compare-and-set.

The log of a model is a registered model beside it, and each move is one row. A move names the one before it that its
writer had seen; the first that names it is valid, and whoever else did lost (`hokusai.domain.stages`). The row is the
moment at which a move has happened. MLflow's aliases and the tags of a version mirror it for those who read MLflow;
a mirror that lags, because its writer died, is set right by the next process that reads the move.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hokusai.core.stage_mirror import StageMirror
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import GENESIS, Holder, Stage, StageBoard, StageEvent, now_ms
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import ConflictError, HokusaiError, IntegrityError, InvalidInputError, NotFoundError
from hokusai.ports import ModelStore, Upload
from hokusai.utils.logging import get_logger

Make = Callable[[StageBoard], StageEvent | None]
"""Makes the move that fits a board; None where nothing has to be done. It is asked again when the board changed."""

_TRIES = 30
_LONGEST_PAUSE_SECONDS = 0.25
_NO_FILES = Upload(source="hokusai:event")

_log = get_logger(__name__)


class StageLog:
    """The stages of all models of a store. Safe to share between threads; any number of processes may move at once.

    A model whose aliases were set straight in MLflow, and that has no log, is read as it is: the alias is the stage.
    The first move writes down what the aliases said (`StageEvent.found`); from then on the log decides, and an alias
    that says something else is a fault.

    Args:
        store: Where the models and their logs are.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._mirror = StageMirror(store)
        self._boards: dict[str, StageBoard] = {}
        self._locks: dict[str, threading.RLock] = {}

    def board(self, name: str, *, fresh: bool = True) -> StageBoard:
        """Which version of a model is in which stage.

        Args:
            name: The model.
            fresh: Whether to read what others have moved since; otherwise what was read last is enough.

        Raises:
            IntegrityError: Somebody took rows out of the history, so nobody can tell what is in which stage.
        """
        known = self._boards.get(name)
        if known is not None and not fresh:
            return known
        with self._lock(name):
            return self._refreshed(name)

    def move(self, name: str, make: Make, *, insists: bool = False) -> StageEvent | None:
        """Write a move, as if nobody else were moving.

        Args:
            name: The model.
            make: Makes the move; its place, time and the move before are filled in here.
            insists: Whether the move is meant for its stage as it is when this is called. If somebody changes the
                stage meanwhile that is a `ConflictError`; otherwise the move is made again for the new state.

        Returns:
            The move as it was written; None if `make` had nothing to do.

        Raises:
            ConflictError: The state does not allow it, or somebody else moved first; the text says who.
            IntegrityError: Somebody took rows out of the history.
            BackendUnavailableError: The store failed.
        """
        began_ms = now_ms()
        with self._lock(name):
            known = self._boards.get(name)
            fresh = (
                known is None or known.head == GENESIS
            )  # the first move writes down what the aliases say now
            board = self._refreshed(name) if known is None or fresh else known
            start = _Start(board, None if fresh else began_ms)
            for attempt in range(_TRIES):
                if attempt > 1:
                    _pause(attempt)
                    board, fresh = self._refreshed(name), True
                event = self._made(board, make, fresh)
                if event is None and not fresh:
                    board, fresh = self._refreshed(name), True
                    event = self._made(board, make, fresh)
                if event is None:
                    return None
                if insists:
                    start.refuse_if_overtaken(board, event)
                after = self._appended(board, event)
                new = after.history[len(board.history) :]
                mine = next((other for other in new if other.nonce == event.nonce), None)
                self._boards[name] = after
                if mine is not None:
                    self._publish(board, after, new, mine)
                    return mine
                self._repair(after, new)
                board, fresh = after, True
        raise ConflictError(
            f"Others moved versions of {name} each of the {_TRIES} times that this was tried",
            where=name,
            hint="Try again when fewer are at it.",
        )

    def mirror(self, name: str, board: StageBoard) -> list[str]:
        """Make MLflow's aliases and tags say what `board` says; a sentence for each that did not. Idempotent."""
        done = self._mirror.repair(replace(board, name=name)) if board.head != GENESIS else []
        if done:
            self._verify(board)
        return done

    def mirror_faults(self, name: str) -> list[str]:
        """What MLflow's aliases and tags say that the history does not.

        Raises:
            IntegrityError: Somebody took rows out of the history.
        """
        board = StageBoard(name).after(self._rows(name, above=0))
        return self._mirror.faults(board) if board.head != GENESIS else []

    def forget(self, name: str | None = None) -> None:
        """Read a model, or all, anew when it is asked for next."""
        if name is None:
            self._boards.clear()
        else:
            self._boards.pop(name, None)

    def _lock(self, name: str) -> threading.RLock:
        return self._locks.setdefault(name, threading.RLock())

    def _refreshed(self, name: str) -> StageBoard:
        """The board with what was written since; the mirror of others' moves is looked at as they are found."""
        while True:
            known = self._boards.get(name) or StageBoard(name)
            board = known.after(self._rows(name, known.seen))
            if board.head == GENESIS:
                board = board.as_found(self._found(name))
            self._boards[name] = board
            new = board.history[len(known.history) :]
            if not self._repair(board, new):
                return board

    def _rows(self, name: str, above: int) -> list[tuple[int, StageEvent | None]]:
        rows = self._store.versions(LOG_PREFIX + name, above=above)
        for place, row in enumerate(rows, start=above + 1):
            if row.number == place:
                continue  # rows are numbered without gaps, and no release removes any
            raise IntegrityError(
                f"Row {place} of the history of {name} is gone from MLflow, so what is in its stages is not known",
                where=LOG_PREFIX + name,
                hint=f"Restore MLflow's database. Without a copy of it: remove the model {LOG_PREFIX}{name} in MLflow "
                "and start again what uses it; the aliases are the stages then, and the history begins anew.",
            )
        return _events(rows)

    def _found(self, name: str) -> list[Holder]:
        """What the aliases say of a model that has no moves; a version in two stages is in the higher one."""
        holders: dict[int, Holder] = {}
        for stage in reversed(Stage):
            number = self._alias(name, stage)
            if number is not None and number not in holders:
                try:
                    record = self._store.version(name, number)
                except NotFoundError:
                    continue  # an alias that outlived its version
                holders[number] = Holder(stage, record.version.key if record.version else str(number), number)
        return list(holders.values())

    def _alias(self, name: str, stage: Stage) -> int | None:
        try:
            return self._store.alias(name, stage.value)
        except NotFoundError:
            return None

    def _made(self, board: StageBoard, make: Make, fresh: bool) -> StageEvent | None:
        """The move for `board`; None where there is nothing to do, or where a board that may be old refuses it."""
        try:
            event = make(board)
            if event is None:
                return None
            event = replace(event, version=board.key_of(event.version, event.row))
            board.check(event)
        except HokusaiError:
            if fresh:
                raise
            return None
        found = board.holders() if board.head == GENESIS else ()
        nonce = uuid.uuid4().hex
        made = replace(event, expected=board.head, at_ms=now_ms(), found=found, nonce=nonce, number=0)
        if StageEvent.from_tags(0, made.tags()) != made:
            raise InvalidInputError(
                f"This move of {board.name}/{event.version} is none that a reader would take for one",
                where=board.name,
                hint="Give version, actor and reason as plain text.",
            )
        return made

    def _appended(self, board: StageBoard, event: StageEvent) -> StageBoard:
        """The board after `event` was written and, unless it came right behind, what others wrote before it."""
        row = self._store.add_version(LOG_PREFIX + board.name, _NO_FILES, event.tags(), event.told())
        if row.number == board.seen + 1:
            return board.after([(row.number, replace(event, number=row.number))])
        return board.after(self._rows(board.name, board.seen))

    def _publish(
        self, before: StageBoard, after: StageBoard, new: Sequence[StageEvent], mine: StageEvent
    ) -> None:
        """Mirror a move of ours. It has happened, whatever becomes of the mirror."""
        try:
            others = [event for event in new if event is not mine]
            if others:
                self._mirror.repair(after, new)
            else:
                self._mirror.follow(before, after, mine)
            self._verify(after)
        except HokusaiError as problem:
            _log.warning(
                "The move is written, but MLflow's aliases lag behind; whoever reads it next sets them right",
                model=after.name,
                move=mine.told(),
                problem=str(problem),
            )

    def _verify(self, board: StageBoard) -> None:
        """What we wrote to the mirror may have come after a newer move's; then the newer one is mirrored again.

        Rows are numbered without gaps, so asking for the next one is asking whether there is any; it is the cheaper
        question.
        """
        try:
            self._store.version(LOG_PREFIX + board.name, board.seen + 1)
        except NotFoundError:
            return
        self._refreshed(board.name)

    def _repair(self, board: StageBoard, new: Sequence[StageEvent]) -> bool:
        """Whether the mirror had to be set right for `new` moves. Reading goes on without it where that fails."""
        if not new:
            return False
        try:
            return bool(self._mirror.repair(board, new))
        except HokusaiError as problem:
            _log.warning(
                "MLflow's aliases could not be compared with the history of stages",
                model=board.name,
                problem=str(problem),
            )
            return False


def _events(rows: Iterable[ModelRecord]) -> list[tuple[int, StageEvent | None]]:
    return [(row.number, StageEvent.from_tags(row.number, row.tags)) for row in rows]


@dataclass(frozen=True, slots=True)
class _Start:
    """What a move was first made for.

    Attributes:
        board: The stages as they were known.
        since_ms: If the board may have been old: moves before this time are no surprise. Clocks of several machines
            differ; at worst a move is refused that need not have been.
    """

    board: StageBoard
    since_ms: int | None

    def refuse_if_overtaken(self, now: StageBoard, event: StageEvent) -> None:
        for other in now.history[len(self.board.history) :]:
            touches = other.stage is event.stage or other.version in (event.version, event.previous)
            if touches and (self.since_ms is None or other.at_ms >= self.since_ms):
                raise ConflictError(
                    f"Somebody else moved first: {other.told()}",
                    where=now.name,
                    hint="Look at the stages as they are now, and decide again.",
                )


def _pause(attempt: int) -> None:
    if attempt:
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)))  # noqa: S311 - jitter
