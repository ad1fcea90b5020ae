"""The history of stages as MLflow's aliases and tags say it, for those who read MLflow without Hokusai.

An alias has no compare-and-set, so the last writer wins, even one that was late. Whoever writes here must therefore
look afterwards whether the history went on meanwhile; `hokusai.core.stage_log` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hokusai.domain.records import DELETED, DEPRECATED, SEMVER
from hokusai.domain.stages import Stage, StageBoard, StageEvent
from hokusai.domain.versions import SemanticVersion, parse_version
from hokusai.errors import InvalidInputError, NotFoundError
from hokusai.ports import ModelStore

_NO_REASON = "no reason was given"


class StageMirror:
    """Writes a board to the aliases and tags of its model, and tells where they differ.

    Args:
        store: Where the models are.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def follow(self, before: StageBoard, after: StageBoard, event: StageEvent) -> None:
        """Write what one move of ours changed, without reading what is there."""
        for stage in Stage:
            if before.current(stage) != after.current(stage):
                self._store.set_alias(after.name, stage.value, self._number_in(after, stage))
        if event.stage is None:
            number = self._number(after, event.version)
            if number is not None:
                self._store.set_tags(after.name, number, _marks(after, event.version))

    def repair(self, board: StageBoard, events: Sequence[StageEvent] | None = None) -> list[str]:
        """Compare what `events` may have changed, by default everything, and write what differs; a sentence each."""
        done = []
        for fault in self._differences(board, events):
            if fault.stage is not None:
                self._store.set_alias(board.name, fault.stage.value, fault.number)
            elif fault.number is not None:
                self._store.set_tags(board.name, fault.number, _marks(board, fault.version))
            done.append(fault.text)
        return done

    def faults(self, board: StageBoard) -> list[str]:
        """Where the mirror differs from the board, a sentence each."""
        return [fault.text for fault in self._differences(board, None)]

    def _differences(self, board: StageBoard, events: Sequence[StageEvent] | None) -> Iterator[_Difference]:
        name = board.name
        if events is None or any(event.stage is not None for event in events):
            # A promotion also empties the stage that its version leaves, so all that were ever held are looked at.
            for stage in Stage if events is None else board.stacks:
                should, does = self._number_in(board, stage), self._alias(name, stage)
                if should != does:
                    yield _Difference(
                        f"The alias {stage} of {name} points to {_shown(does)}, and the history says "
                        f"{_shown(should)}",
                        stage=stage,
                        number=should,
                    )
        looked_at = board.history if events is None else events
        for version in dict.fromkeys(event.version for event in looked_at if event.stage is None):
            number = self._number(board, version)
            marks = _marks(board, version)
            tags = self._tags(name, number)
            if tags is not None and any(tags.get(tag) != text for tag, text in marks.items()):
                yield _Difference(
                    f"The tags of {name}/{version} do not say what the history says: "
                    f"{'deleted' if marks[DELETED] else 'deprecated' if marks[DEPRECATED] else 'in use'}",
                    version=version,
                    number=number,
                )

    def _alias(self, name: str, stage: Stage) -> int | None:
        try:
            return self._store.alias(name, stage.value)
        except NotFoundError:
            return None

    def _tags(self, name: str, number: int | None) -> dict[str, str] | None:
        try:
            return None if number is None else dict(self._store.version(name, number).tags)
        except NotFoundError:
            return None

    def _number_in(self, board: StageBoard, stage: Stage) -> int | None:
        version = board.current(stage)
        return None if version is None else self._number(board, version)

    def _number(self, board: StageBoard, version: str) -> int | None:
        """MLflow's number of a version: as a move told it, or else as the store has it."""
        if board.rows.get(version):
            return board.rows[version]
        try:
            parsed = parse_version(version)
        except InvalidInputError:
            return None
        if not isinstance(parsed, SemanticVersion):
            return parsed
        found = self._store.versions(board.name, tags={SEMVER: parsed.key}, limit=1)
        return found[0].number if found else None


@dataclass(frozen=True, slots=True)
class _Difference:
    text: str
    stage: Stage | None = None
    version: str = ""
    number: int | None = None


def _marks(board: StageBoard, version: str) -> dict[str, str | None]:
    """The tags of a version that say whether it may be used; None for those it must not have."""
    deprecated, deleted = board.deprecated.get(version), board.deleted.get(version)
    return {
        DEPRECATED: None if deprecated is None else deprecated or _NO_REASON,
        DELETED: None if deleted is None else deleted or _NO_REASON,
    }


def _shown(number: int | None) -> str:
    return "nothing" if number is None else f"number {number}"
