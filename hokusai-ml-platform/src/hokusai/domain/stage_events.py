"""Stages, and the moves of versions between them, as they are written to a model's history."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from hokusai.domain.versions import parse_version
from hokusai.errors import IntegrityError, InvalidInputError

EXPECTED_TAG = "hokusai.expected"
EVENT_TAG = "hokusai.event"
GENESIS = 0
"""What the first move of a model names as the one seen last."""
_LARGEST_ROW = 2**31 - 1
_LATEST_MS = 253_402_300_799_000
"""The last second of the year 9999."""


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


_DONE = {
    Move.PROMOTE: "promoted {version} to {stage}",
    Move.ROLLBACK: "rolled {stage} back to {version}",
    Move.WITHDRAW: "withdrew {version} from {stage}",
    Move.DEPRECATE: "deprecated {version}",
    Move.REINSTATE: "reinstated {version}",
    Move.DELETE: "deleted {version}",
    Move.RESTORE: "restored {version}",
}


class Holder(NamedTuple):
    """A stage, the version in it, and MLflow's number of that version (0 if it is not known)."""

    stage: Stage
    version: str
    row: int


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One move.

    Attributes:
        move: What is to happen.
        version: Key of the version concerned (`SemanticVersion.key`, or MLflow's number as text).
        stage: For moves between stages.
        previous: The version that was in the stage before.
        actor: Who.
        reason: Why.
        at_ms: When, milliseconds since the epoch, UTC.
        expected: Number of the valid move that its writer had seen last.
        number: Its place in the log; 0 before it is written.
        row: MLflow's number of the version; 0 if it is not known.
        found: Of a model's first move: what was in the stages before, as MLflow's aliases had it.
        nonce: Tells its writer from others who write the same; a write that is sent twice is one move.
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
    row: int = 0
    found: tuple[Holder, ...] = ()
    nonce: str = ""

    @property
    def at(self) -> datetime:
        """When it was written, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def done(self) -> str:
        """What was done, as in `promoted 1.2.0 to staging`."""
        return _DONE[self.move].format(version=self.version, stage=self.stage)

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
            "row": self.row,
            "found": [[holder.stage.value, holder.version, holder.row] for holder in self.found],
            "nonce": self.nonce,
        }
        return {EXPECTED_TAG: str(self.expected), EVENT_TAG: json.dumps(told, ensure_ascii=False)}

    @classmethod
    def from_tags(cls, number: int, tags: Mapping[str, str]) -> StageEvent | None:
        """The event in a row of the log; None where somebody else wrote something else there.

        Raises:
            IntegrityError: It is a move that this release does not know. Passing over it would give this process
                another history than a newer one has.
        """
        try:
            told = json.loads(tags[EVENT_TAG])
            move = str(told["move"])
            if move not in list(Move):
                raise IntegrityError(
                    f"Move {number} of the history is {move[:60]!r}, which this release does not know",
                    where=EVENT_TAG,
                    hint="A newer release of Hokusai wrote it; install that one here.",
                )
            return cls(
                move=Move(move),
                version=_key(told["version"]),
                stage=Stage(told["stage"]) if told["stage"] else None,
                previous=None if told["previous"] is None else _key(told["previous"]),
                actor=_text(told["actor"]),
                reason=_text(told["reason"]),
                at_ms=_whole(told["at_ms"], _LATEST_MS),
                expected=_whole(tags[EXPECTED_TAG], _LARGEST_ROW),
                number=number,
                row=_whole(told.get("row", 0), _LARGEST_ROW),
                found=tuple(
                    Holder(Stage(stage), _key(version), _whole(row, _LARGEST_ROW))
                    for stage, version, row in told.get("found", ())
                ),
                nonce=_text(told.get("nonce", "")),
            )
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return None

    def told(self) -> str:
        """Who did what and when, for people.

        >>> StageEvent(Move.PROMOTE, "1.2.0", Stage.STAGING, actor="ada").told()
        'ada promoted 1.2.0 to staging (1970-01-01 00:00:00 UTC)'
        """
        return f"{self.actor or 'Somebody'} {self.done} ({self.at:%Y-%m-%d %H:%M:%S} UTC)"

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


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return int(datetime.now(UTC).timestamp() * 1000)


def _key(version: object) -> str:
    parsed = parse_version(str(version))
    if isinstance(parsed, int):
        _whole(parsed, _LARGEST_ROW)
    return str(version)


def _text(value: object) -> str:
    text = str(value)
    text.encode()  # half a character can be in JSON, and nowhere else
    return text


def _whole(value: int | str, most: int) -> int:
    number = int(value)
    if not 0 <= number <= most:
        raise ValueError(number)
    return number
