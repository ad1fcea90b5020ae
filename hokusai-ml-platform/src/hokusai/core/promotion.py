"""Which version of a model is in which stage: promotion, rollback, withdrawal, deprecation.

Each is one fact: it happened or it did not, for every process alike, and whoever was late is told who came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from hokusai.core.stage_log import Make
from hokusai.domain.audit import Happening
from hokusai.domain.records import ModelRecord, check_actor, check_reason
from hokusai.domain.stages import Move, Stage, StageBoard, StageEvent
from hokusai.domain.versions import SemanticVersion, check_model_name, parse_version
from hokusai.errors import ConflictError, InvalidInputError
from hokusai.utils.twins import async_twin

if TYPE_CHECKING:
    from hokusai.core.registry import ModelRegistry


class _Any(Enum):
    ANY = "whatever is there"


ANY: Final = _Any.ANY
"""No version is expected to be in the stage."""

Expected = str | int | None | Literal[_Any.ANY]
"""The version that must be in the stage now; None where it must be empty."""

_KINDS = {
    Move.PROMOTE: "model.promoted",
    Move.ROLLBACK: "model.rolled_back",
    Move.WITHDRAW: "model.withdrawn",
    Move.DEPRECATE: "model.deprecated",
    Move.REINSTATE: "model.reinstated",
}


@dataclass(frozen=True)
class StageChange:
    """What became of a request to change a stage.

    Attributes:
        model_id: The version concerned.
        stage: The stage.
        previous: The version that was there before.
        event: The move as it was written; if nothing was changed, the move that had done it, if there is one.
        changed: False where the version was there already.
    """

    model_id: str
    stage: Stage
    previous: str | None
    event: StageEvent | None
    changed: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "model_id": self.model_id,
            "stage": self.stage.value,
            "previous": self.previous,
            "changed": self.changed,
            "event": self.event.to_dict() if self.event else None,
        }

    def __repr__(self) -> str:
        if not self.changed:
            return f"<StageChange {self.model_id} was in {self.stage} already>"
        withdrawn = self.event is not None and self.event.move is Move.WITHDRAW
        said = f"left {self.stage}" if withdrawn else f"is in {self.stage}, after {self.previous or 'none'}"
        return f"<StageChange {self.model_id} {said}>"


class StageManager:
    """Moves versions between the stages of the models in a registry.

    A version is in one stage at most, and a promotion only goes up; downwards leads rollback or withdrawal.

    Args:
        registry: The registry.
    """

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry

    def promote_model(
        self,
        name: str,
        version: str | int,
        stage: str = "production",
        *,
        reason: str = "",
        actor: str | None = None,
        expected: Expected = ANY,
        environment: str | None = None,
        promoted_by: str | None = None,
    ) -> StageChange:
        """Put a version into a stage, in place of the one that is there.

        Args:
            name: The model.
            version: The version, or MLflow's number of one that has none.
            stage: Where to.
            reason: Why, for the history.
            actor: Who, if not the registry's own.
            expected: Only if this version is in the stage now, or None: only if none is.
            environment, promoted_by: Older names of `stage` and `actor`.

        Raises:
            NotFoundError: There is no such version.
            InvalidInputError: There is no such stage, or this is no version.
            ConflictError: It is deleted, deprecated or in a higher stage, or the stage is not as expected.
        """
        target, reason = Stage.parse(environment or stage), check_reason(reason)
        record = self._named(name, version)
        wanted, who = self._expected(name, expected), self._who(actor, promoted_by)

        def make(board: StageBoard) -> StageEvent | None:
            _check_expected(board, target, wanted)
            key = board_key(board, record)
            if board.current(target) == key:
                return None
            return StageEvent(
                Move.PROMOTE, key, target, board.current(target), who, reason, row=record.number
            )

        event = self.registry.stages.move(record.name, make)
        if event is None:
            return self._unchanged(record, target)
        return self._changed(record, target, event)

    def rollback_model(
        self,
        name: str,
        to_version: str | int | None = None,
        stage: str = "production",
        *,
        reason: str = "",
        actor: str | None = None,
        expected: Expected = ANY,
        environment: str | None = None,
        performed_by: str | None = None,
    ) -> StageChange:
        """Put an earlier version back into a stage.

        Args:
            name: The model.
            to_version: Which; by default the one before that may still be used. It must have been in the stage, or
                be older than the version that is there.
            stage: Which stage.
            reason: Why, for the history.
            actor: Who, if not the registry's own.
            expected: As for `promote_model`.
            environment, performed_by: Older names of `stage` and `actor`.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: There is nothing to go back to, the version may not be used, or somebody changed the stage
                meanwhile.
        """
        check_model_name(name)
        target, who = Stage.parse(environment or stage), self._who(actor, performed_by)
        reason = check_reason(reason)
        record = None if to_version is None else self.registry.get_model(name, to_version)
        wanted = self._expected(name, expected)

        def make(board: StageBoard) -> StageEvent | None:
            _check_expected(board, target, wanted)
            now = board.current(target)
            key = board_key(board, record) if record else _one_before(board, target)
            if key == now:
                return None
            row = record.number if record else board.rows.get(key, 0)
            return StageEvent(Move.ROLLBACK, key, target, now, who, reason, row=row)

        return self._moved(name, target, make, record)

    def withdraw_model(
        self,
        name: str,
        stage: str,
        *,
        reason: str = "",
        actor: str | None = None,
        expected: Expected = ANY,
    ) -> StageChange:
        """Take the version that is in a stage out of it, and put none in its place.

        Raises:
            NotFoundError: There is no such model.
            ConflictError: The stage is empty, or not as expected, or somebody changed it meanwhile.
        """
        check_model_name(name)
        target, who, wanted = Stage.parse(stage), self._who(actor), self._expected(name, expected)
        reason = check_reason(reason)

        def make(board: StageBoard) -> StageEvent:
            _check_expected(board, target, wanted)
            now = board.current(target)
            if now is None:
                raise ConflictError(f"No version of {name} is in {target}", where=name)
            return StageEvent(Move.WITHDRAW, now, target, now, who, reason, row=board.rows.get(now, 0))

        return self._moved(name, target, make, None)

    def current(self, name: str, stage: str = "production") -> ModelRecord | None:
        """The version that is in a stage."""
        key = self.registry.stages.board(check_model_name(name)).current(Stage.parse(stage))
        return None if key is None else self.registry.get_model(name, key)

    def stages(self, name: str) -> dict[Stage, str | None]:
        """Stage to the version that is in it, from development to production."""
        board = self.registry.stages.board(check_model_name(name))
        return {stage: board.current(stage) for stage in Stage}

    def history(self, name: str) -> list[StageEvent]:
        """Every move of a model's versions, oldest first."""
        return list(self.registry.stages.board(check_model_name(name)).history)

    def deprecate_version(
        self, name: str, version: str | int, reason: str = "", *, actor: str | None = None
    ) -> ModelRecord:
        """Say that a version should not be used any more; it cannot be promoted then.

        Raises:
            ConflictError: It is in a stage, or deprecated already.
        """
        return self._marked(Move.DEPRECATE, self._named(name, version), reason, actor)

    def reinstate_version(
        self, name: str, version: str | int, reason: str = "", *, actor: str | None = None
    ) -> ModelRecord:
        """Take a deprecation back.

        Raises:
            ConflictError: It is not deprecated.
        """
        return self._marked(Move.REINSTATE, self._named(name, version), reason, actor)

    apromote_model = async_twin(promote_model)
    arollback_model = async_twin(rollback_model)
    awithdraw_model = async_twin(withdraw_model)
    acurrent = async_twin(current)
    astages = async_twin(stages)
    ahistory = async_twin(history)
    adeprecate_version = async_twin(deprecate_version)
    areinstate_version = async_twin(reinstate_version)

    def _moved(self, name: str, stage: Stage, make: Make, record: ModelRecord | None) -> StageChange:
        """A move that, if it names no version itself, is meant for the stage as it is now."""
        try:
            event = self.registry.stages.move(name, make, insists=record is None)
        except ConflictError:
            if record is None and not self.registry.stages.board(name, fresh=False).history:
                self.registry.get_model(name)  # that there is no such model is the better answer
            raise
        if event is not None:
            return self._changed(record or self.registry.get_model(name, event.version), stage, event)
        return self._unchanged(record or self.registry.get_model(f"{name}@{stage}"), stage)

    def _changed(self, record: ModelRecord, stage: Stage, event: StageEvent) -> StageChange:
        self.registry.note(_happening(record, event))
        return StageChange(record.model_id, stage, event.previous, event, True)

    def _unchanged(self, record: ModelRecord, stage: Stage) -> StageChange:
        """Nothing was to be done; but whoever did it may have died before the audit trail was written."""
        event = self.registry.stages.board(record.name, fresh=False).last_move(stage)
        if event is not None:
            told = _happening(record, event)
            if not self.registry.ledger.has(told.kind, told.subject, {"move": event.number}):
                self.registry.note(told)
        return StageChange(record.model_id, stage, version_key(record), event, False)

    def _marked(self, move: Move, record: ModelRecord, reason: str, actor: str | None) -> ModelRecord:
        wanted = StageEvent(
            move, version_key(record), actor=self._who(actor), reason=check_reason(reason), row=record.number
        )
        event = self.registry.stages.move(record.name, lambda _: wanted)
        changed = self.registry.store.version(record.name, record.number)
        self.registry.note(_happening(record, event or wanted), [changed])
        return changed

    def _named(self, name: str, version: str | int) -> ModelRecord:
        """A version that is about to be moved: never whichever happens to be the latest."""
        if version is None:
            raise InvalidInputError(
                f"No version of {name} is named", where="version", hint="Give one, as in 1.1.0."
            )
        return self.registry.get_model(name, version)

    def _who(self, *given: str | None) -> str:
        named = next((name for name in given if name), None)
        return self.registry.actor if named is None else check_actor(named)

    def _expected(self, name: str, expected: Expected) -> Expected | ModelRecord:
        """`expected` as the version that it names, or as its key if there is none."""
        if expected is ANY or expected is None:
            return expected
        parsed = parse_version(expected)
        if isinstance(parsed, SemanticVersion):
            return self.registry.find(name, parsed.key) or parsed.key
        return self.registry.get_model(name, parsed)


def version_key(record: ModelRecord) -> str:
    """What the history of stages calls a version that it does not know yet."""
    return record.version.key if record.version else str(record.number)


def board_key(board: StageBoard, record: ModelRecord) -> str:
    """What `board` calls a version; it may have got its semantic version after its first move."""
    return board.key_of(version_key(record), record.number)


def _happening(record: ModelRecord, event: StageEvent) -> Happening:
    details: dict[str, Any] = {"reason": event.reason, "move": event.number}
    if event.stage is not None:
        details |= {"stage": event.stage.value, "previous": event.previous}
    return Happening(_KINDS[event.move], record.model_id, event.actor, details)


def _check_expected(board: StageBoard, stage: Stage, expected: Expected | ModelRecord) -> None:
    now = board.current(stage)
    if isinstance(expected, ModelRecord):
        expected = board_key(board, expected)
    if expected is ANY or expected == now:
        return
    last = board.last_move(stage)
    raise ConflictError(
        f"{stage} of {board.name} holds {now or 'no version'}, and {expected or 'no version'} was expected"
        + (f": {last.told()}" if last else ""),
        where=board.name,
        hint="Look at the stages as they are now, and decide again.",
    )


def _one_before(board: StageBoard, stage: Stage) -> str:
    before = board.before(stage)
    if before is not None:
        return before
    now = board.current(stage)
    raise ConflictError(
        f"No version of {board.name} is in {stage}, so there is nothing to roll back"
        if now is None
        else f"Before {now} no version of {board.name} was in {stage} that may be used",
        where=board.name,
        hint="Name the version to go back to, or promote one.",
    )
