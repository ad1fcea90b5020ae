"""Which semantic version a version of somebody else's has, or gets.

It is the first of these that there is:

1. the one it has (`hokusai.semver`);
2. a tag that states one: the one named by the caller, else `version`, `semver`, `semantic_version`, `model_version`;
   `v1.2.0` is read as 1.2.0, `1.2` as 1.2.0 and `3` as 3.0.0;
3. an alias that spells one: `v1-2-0`, `1_2_0`;
4. a description that begins with one: `1.2.0`, `Version 1.2.0: …`;
5. one derived from MLflow's number by the scheme: `0.N.0`, `N.0.0` or `0.0.N`.

No two are the same. Where several state one version the lowest number has it, as everywhere in Hokusai, and the
others get a derived one; a derived one that somebody has already is counted up in a place that the scheme leaves.
The same rows give the same versions, also after some of them were written down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, get_args

from hokusai.domain.records import ACTOR, SEMVER, ModelRecord
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import InvalidInputError

Scheme = Literal["0.N.0", "N.0.0", "0.0.N"]
SCHEMES: tuple[str, ...] = get_args(Scheme)
VERSION_TAGS = ("version", "semver", "semantic_version", "model_version")
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


def choose_versions(
    rows: Sequence[ModelRecord], rules: Rules, aliases: Mapping[str, int], notes: list[str]
) -> dict[int, tuple[SemanticVersion, str]]:
    """Number to semantic version, and the rule that it comes from. A lost duplicate of Hokusai's own is left out.

    Args:
        rows: All versions of one model, by number.
        rules: How.
        aliases: Alias to number.
        notes: Conflicts, and how they are solved, are added here.
    """
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
        yield SemanticVersion(parts[0], parts[1], parts[2])


def _place(scheme: Scheme) -> int:
    return 1 if scheme == "0.0.N" else 2
