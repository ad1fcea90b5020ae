"""What makes a plain MLflow registry one of Hokusai's: worked out from its rows alone, written nowhere.

The same rows give the same plan, also after a part of it was carried out; so a run that was killed is continued by
starting it again, and a second run finds nothing to do.

A version's semantic version is the first of these that there is:

1. the one it has (`hokusai.semver`);
2. a tag that states one: the one named by the caller, else `version`, `semver`, `semantic_version`, `model_version`;
   `v1.2.0` is read as 1.2.0, `1.2` as 1.2.0 and `3` as 3.0.0;
3. an alias that spells one: `v1-2-0`, `1_2_0`;
4. a description that begins with one: `1.2.0`, `Version 1.2.0: …`;
5. one derived from MLflow's number by the scheme: `0.N.0`, `N.0.0` or `0.0.N`.

No two are the same. Where several state one version the lowest number has it, as everywhere in Hokusai, and the
others get a derived one; a derived one that somebody has already is counted up in a place that the scheme leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, get_args

from hokusai.domain.records import ACTOR, SEMVER, SHA256, ModelRecord
from hokusai.domain.stages import Move, Stage, StageBoard, StageEvent
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import ConflictError, InvalidInputError

Scheme = Literal["0.N.0", "N.0.0", "0.0.N"]
SCHEMES: tuple[str, ...] = get_args(Scheme)
VERSION_TAGS = ("version", "semver", "semantic_version", "model_version")
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
_ALIAS_VERSION = re.compile(r"[vV]?(\d+)[-_](\d+)[-_](\d+)")
_DESCRIBED = re.compile(
    r"\s*(?:(?:version|release)\b[\s:]*)?v?(\d+\.\d+\.\d+\S*?)(?=[:,;.]?(?:\s|$))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a registry is taken over.

    Attributes:
        version_tag: The one tag that states versions; None for the usual ones.
        scheme: How a version is derived from MLflow's number `N` where none is stated.
        digests: Whether artefacts are read, so that loading can check them from now on.
        deprecate_archived: Whether MLflow's stage `Archived` becomes a deprecation, or nothing.
        names: Pattern of the models to take over, as in a shell.
    """

    version_tag: str | None = None
    scheme: Scheme = "0.N.0"
    digests: bool = True
    deprecate_archived: bool = True
    names: str = "*"

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise InvalidInputError(
                f"No scheme is called {self.scheme!r}",
                where="scheme",
                hint=f"Use one of {', '.join(SCHEMES)}.",
            )


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
        notes: Conflicts, and how they are solved.
    """

    name: str
    versions: tuple[PlannedVersion, ...]
    moves: tuple[StageEvent, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be written."""
        return not self.moves and all(version.is_done for version in self.versions)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        moves = {(move.version): move for move in self.moves}
        return {
            "name": self.name,
            "versions": [
                {
                    "mlflow_version": planned.record.number,
                    "version": str(planned.version),
                    "rule": planned.rule,
                    "new": planned.is_new,
                    "stage": _stage_word(moves.get(planned.version.key)),
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
    chosen = _versions(rows, rules, aliases, notes)
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
    numbered = {planned.record.number: planned.version.key for planned in versions}
    moves = tuple(_moves(numbered, rules, aliases, legacy_stages, board, notes))
    return ModelPlan(name, versions, moves, tuple(notes))


def stated_version(text: str) -> SemanticVersion | None:
    """The semantic version that a text means, if it means one.

    >>> str(stated_version(" v1.2 ")), str(stated_version("3")), stated_version("2024.01.15")
    ('1.2.0', '3.0.0', None)
    """
    plain = text.strip().removeprefix("v").removeprefix("V")
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        plain += ".0" * (2 - plain.count("."))
    try:
        return SemanticVersion.parse(plain)
    except InvalidInputError:
        return None


def _versions(
    rows: Sequence[ModelRecord], rules: Rules, aliases: Mapping[str, int], notes: list[str]
) -> dict[int, tuple[SemanticVersion, str]]:
    """Number to semantic version and rule."""
    chosen: dict[int, tuple[SemanticVersion, str]] = {}
    taken: dict[str, int] = {}
    stated = {row.number: _stated(row, rules, aliases) for row in rows}

    def take(row: ModelRecord, version: SemanticVersion, rule: str) -> None:
        taken[version.key] = row.number
        chosen[row.number] = (version, rule)

    # What Hokusai registered comes first: a row that was only tagged gives way, whatever its number.
    for row in sorted(rows, key=lambda row: (ACTOR not in row.tags, row.number)):
        if row.version is None:
            continue
        if row.version.key not in taken:
            take(row, row.version, _rule_kept(row, stated[row.number], rules.scheme))
        elif ACTOR in row.tags:
            notes.append(
                f"Number {row.number} is a lost duplicate of {row.version.key}, which number "
                f"{taken[row.version.key]} has: it is left to `hokusai doctor`"
            )
            stated.pop(row.number)
    for row in rows:
        found = stated.get(row.number)
        if row.number in chosen or found is None:
            continue
        version, rule = found
        if version is None:
            notes.append(f"Number {row.number}: {rule}")
        elif version.key not in taken:
            take(row, version, rule)
        else:
            notes.append(
                f"Number {row.number} states {version} ({rule}) too; number {taken[version.key]} has it"
            )
    for row in rows:
        if row.number not in chosen and row.number in stated:
            free = (v for v in _derived(row.number, rules.scheme) if v.key not in taken)
            take(row, next(free), f"derived {rules.scheme}")
    return chosen


def _stated(
    row: ModelRecord, rules: Rules, aliases: Mapping[str, int]
) -> tuple[SemanticVersion | None, str] | None:
    """The first version that is stated anywhere, and where; None with a reason for a tag that cannot be read."""
    unreadable = None
    for tag in (rules.version_tag,) if rules.version_tag else VERSION_TAGS:
        if tag in row.tags:
            version = stated_version(row.tags[tag])
            if version is not None:
                return version, f"tag {tag}"
            unreadable = f"its tag {tag} is {row.tags[tag][:40]!r}, which is no semantic version"
    for alias in sorted(alias for alias, number in aliases.items() if number == row.number):
        if match := _ALIAS_VERSION.fullmatch(alias):
            version = stated_version(".".join(match.groups()))
            if version is not None:
                return version, f"alias {alias}"
    if match := _DESCRIBED.match(row.description):
        version = stated_version(match[1])
        if version is not None:
            return version, "description"
    return (None, unreadable) if unreadable else None


def _rule_kept(row: ModelRecord, stated: tuple[SemanticVersion | None, str] | None, scheme: Scheme) -> str:
    """By which rule a version that is there came to be, so that a continued run says what an undisturbed one says."""
    if ACTOR in row.tags or row.version is None:
        return "registered"
    if stated is not None and stated[0] == row.version:
        return stated[1]
    first = next(_derived(row.number, scheme))
    near = _place(scheme)
    parts = [row.version.major, row.version.minor, row.version.patch]
    parts[near] = 0
    is_derived = parts == [first.major, first.minor, first.patch] and not row.version.prerelease
    return f"derived {scheme}" if is_derived else f"tag {SEMVER}"


def _derived(number: int, scheme: Scheme) -> Iterator[SemanticVersion]:
    """`scheme` with the number put in, then counted up in the place that no other number can reach."""
    for step in count():
        parts = [number if part == "N" else 0 for part in scheme.split(".")]
        parts[_place(scheme)] = step
        yield SemanticVersion(*parts)


def _place(scheme: Scheme) -> int:
    return 1 if scheme == "0.0.N" else 2


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
    notes: list[str],
) -> Iterator[StageEvent]:
    moved = {event.stage for event in board.history}
    placed: dict[int, Stage] = {}
    for stage in reversed(Stage):
        if stage in moved:
            continue  # Hokusai's own history is the newer truth
        claims = _claims(stage, aliases, legacy_stages)
        winner = next(((number, why) for number, why in claims if number in numbered), None)
        if winner is None:
            continue
        number, why = winner
        others = sorted({other for other, _ in claims} - {number})
        if others:
            notes.append(f"Number {number} is taken into {stage} ({why}); not {_listed(others)}")
        if number in placed:
            notes.append(f"Number {number} is in {placed[number]}, so {stage} ({why}) stays empty")
            continue
        placed[number] = stage
        yield from _allowed(
            board, StageEvent(Move.PROMOTE, numbered[number], stage, reason=f"{TAKEN_OVER}: {why}"), notes
        )
    touched = {event.version for event in board.history}
    for number, stage_name in sorted(legacy_stages.items()):
        if stage_name != _ARCHIVED or not rules.deprecate_archived:
            continue
        if number in numbered and number not in placed and numbered[number] not in touched:
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


def _stage_word(move: StageEvent | None) -> str | None:
    if move is None:
        return None
    return move.stage.value if move.stage else "deprecated"
