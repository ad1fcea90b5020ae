"""Semantic versions, and the names that models go by: parsed once, at the door.

A version's identity leaves its build metadata out, as its precedence does: `1.0.0+a` and `1.0.0+b` cannot both be
registered, because nobody could say which is newer (crates.io and npm decide the same).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, total_ordering
from typing import Literal

from hokusai.errors import InvalidInputError

Part = Literal["major", "minor", "patch"]

_NUMBER = r"0|[1-9][0-9]{0,17}"
_IDENTIFIER = r"[0-9A-Za-z-]+"
_SEMVER = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<prerelease>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    rf"(?:\+(?P<build>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
)
_MAX_LENGTH = 200
_NAME_LENGTH = 200
_LARGEST_NUMBER = 2**31 - 1  # what MLflow's databases can hold
LOG_PREFIX = "hokusai-log."
"""Names that begin with this hold the history of a model's stages."""


@total_ordering
@dataclass(frozen=True, eq=False)
class SemanticVersion:
    """A semantic version; ordered by precedence, equal without regard to build metadata.

    Make one with `parse`; `str()` gives the text back.

    >>> SemanticVersion.parse("1.0.0-rc.2") < SemanticVersion.parse("1.0.0-rc.10") < SemanticVersion.parse("1.0.0")
    True
    >>> SemanticVersion.parse("1.0.0+build.7") == SemanticVersion.parse("1.0.0")
    True

    References:
        Semantic Versioning 2.0.0, clauses 2 and 9 to 11.
    """

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> SemanticVersion:
        """The version that `text` is.

        Raises:
            InvalidInputError: It is none; the text says what was expected.
        """
        shown = text[:60] if isinstance(text, str) else text
        match = _SEMVER.fullmatch(text) if isinstance(text, str) and len(text) <= _MAX_LENGTH else None
        if match is None:
            raise InvalidInputError(f"Not a semantic version: {shown!r}", where="version", hint=_hint(text))
        prerelease = match["prerelease"] or ""
        padded = [part for part in prerelease.split(".") if part.isdigit() and part != str(int(part))]
        if padded:
            raise InvalidInputError(
                f"Not a semantic version: {text!r} has a number with leading zeros, {padded[0]!r}",
                where="version",
                hint=f"Write {int(padded[0])} instead.",
            )
        return cls(
            int(match["major"]), int(match["minor"]), int(match["patch"]), prerelease, match["build"] or ""
        )

    @property
    def key(self) -> str:
        """The text without build metadata: what makes two versions the same."""
        core = f"{self.major}.{self.minor}.{self.patch}"
        return f"{core}-{self.prerelease}" if self.prerelease else core

    @property
    def is_prerelease(self) -> bool:
        """Whether this comes before a release of the same number."""
        return bool(self.prerelease)

    @cached_property
    def sortable(self) -> str:
        """A text whose order, byte by byte, is the order of precedence: for stores that can only compare texts."""
        core = ".".join(f"{number:018d}" for number in (self.major, self.minor, self.patch))
        if not self.prerelease:
            return f"{core}~"
        parts = (
            f"0{len(part):03d}{part}" if part.isdigit() else f"1{part}" for part in self.prerelease.split(".")
        )
        return f"{core}-" + "!".join(parts)

    def bump(self, part: Part) -> SemanticVersion:
        """The next release that changes `part`.

        >>> str(SemanticVersion.parse("1.4.2").bump("minor")), str(SemanticVersion.parse("2.0.0-rc.1").bump("major"))
        ('1.5.0', '2.0.0')
        """
        if part == "major":
            done = self.is_prerelease and self.minor == self.patch == 0
            return SemanticVersion(self.major if done else self.major + 1, 0, 0)
        if part == "minor":
            done = self.is_prerelease and self.patch == 0
            return SemanticVersion(self.major, self.minor if done else self.minor + 1, 0)
        if part == "patch":
            return SemanticVersion(
                self.major, self.minor, self.patch if self.is_prerelease else self.patch + 1
            )
        raise InvalidInputError(
            f"No part of a version is called {part!r}", where="part", hint="Use major, minor or patch."
        )

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, SemanticVersion) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: SemanticVersion) -> bool:
        return self.sortable < other.sortable

    def __str__(self) -> str:
        return f"{self.key}+{self.build}" if self.build else self.key


@dataclass(frozen=True, slots=True)
class ModelId:
    """`name/version`: one version of one model. `ModelId.parse(str(x)) == x`.

    The version is a semantic version, or MLflow's own number for one that somebody registered without us.

    >>> ModelId.parse("customer-churn/1.1.0").version
    SemanticVersion(major=1, minor=1, patch=0, prerelease='', build='')
    >>> ModelId.parse("legacy/3").version
    3
    """

    name: str
    version: SemanticVersion | int

    def __post_init__(self) -> None:
        check_model_name(self.name)

    @classmethod
    def parse(cls, text: str) -> ModelId:
        """The id that `text` is.

        Raises:
            InvalidInputError: It is none.
        """
        name, slash, version = text.partition("/") if isinstance(text, str) else ("", "", "")
        if not slash:
            raise InvalidInputError(
                f"Not a model id: {text!r}", where="model id", hint="Write name/version, as in churn/1.1.0."
            )
        return cls(name, parse_version(version))

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


def parse_version(text: str | int) -> SemanticVersion | int:
    """A semantic version, or MLflow's number of a version.

    >>> parse_version("1.0.0").key, parse_version("12"), parse_version(3)
    ('1.0.0', 12, 3)

    Raises:
        InvalidInputError: It is neither.
    """
    number = int(text) if isinstance(text, str) and re.fullmatch(r"[1-9][0-9]{0,9}", text) else text
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        if number > _LARGEST_NUMBER:
            raise InvalidInputError(
                "No version has such a number", where="version", hint=f"The largest is {_LARGEST_NUMBER}."
            )
        return number
    return SemanticVersion.parse(text)  # type: ignore[arg-type]  # it says what is wrong with other types


def check_model_name(name: str) -> str:
    """`name`, which must be one that every part of Hokusai and MLflow can carry.

    Raises:
        InvalidInputError: It is not; the text says why.
    """
    trouble = _name_trouble(name)
    if trouble:
        raise InvalidInputError(
            f"Not a model name: {str(name)[:60]!r} {trouble}",
            where="name",
            hint="Use letters, digits, dots, hyphens and underscores, as in lead-scorer.",
        )
    return name


def latest(versions: Iterable[SemanticVersion]) -> SemanticVersion | None:
    """The newest release among `versions`; the newest pre-release where there is no release."""
    known = list(versions)
    return max([v for v in known if not v.is_prerelease] or known, default=None)


def _name_trouble(name: object) -> str:
    if not isinstance(name, str):
        return f"is {type(name).__name__}, not text"
    separators = sorted(set(name) & set("/:@"))
    troubles = (
        (not name.strip(), "is empty"),
        (len(name) > _NAME_LENGTH, f"is longer than {_NAME_LENGTH} characters"),
        (name != name.strip(), "has blanks around it"),
        (
            not unicodedata.is_normalized("NFC", name),
            f"has accents apart from their letters; write {unicodedata.normalize('NFC', name)[:60]!r}",
        ),
        (not name.isprintable(), "has characters that cannot be shown"),
        (name in (".", ".."), "is the name of a folder"),
        (
            bool(separators),
            f"contains {' and '.join(map(repr, separators))}, which separate a name from its version",
        ),
        ("'" in name and '"' in name, "contains both kinds of quotes"),
        (bool(set(name) & set("`\\%")), "contains a backquote, backslash or per cent sign"),
        (
            name.startswith(LOG_PREFIX),
            f"begins with {LOG_PREFIX!r}, which is reserved for the history of stages",
        ),
    )
    return next((text for is_so, text in troubles if is_so), "")


def _hint(text: object) -> str:
    example = "Write MAJOR.MINOR.PATCH, as in 1.4.0, 2.0.0-rc.1 or 1.0.0+build.7."
    if not isinstance(text, str):
        return example
    stripped = text.strip().removeprefix("v").removeprefix("V")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", stripped):
        stripped += ".0" * (2 - stripped.count("."))
    if stripped != text and _SEMVER.fullmatch(stripped):
        return f"Did you mean {stripped!r}? {example}"
    return example
