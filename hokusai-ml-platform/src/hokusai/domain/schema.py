"""What the rows of a table must be like: types, ranges, allowed values, uniqueness.

A rule that cannot be meant, such as a smallest value above the largest, would refuse every row an hour later and look
like a fault of the data. So a schema is valid by construction, and whoever wrote it hears of it at once.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Literal

from hokusai.domain.canonical import MAX_SAFE_INTEGER, digest
from hokusai.errors import ConfigurationError

SCHEMA_VERSION = 1

Scalar = bool | int | float | str
"""A value in a schema; dates and times are ISO text."""

TYPES = {
    "any": "anything",
    "boolean": "true or false",
    "integer": "a whole number of 64 bits",
    "float": "a number",
    "date": "a date, as in 2024-02-29",
    "datetime": "a date and time, as in 2024-02-29 10:00:00",
    "text": "text",
}
"""The types of columns, and what a value of each is called."""

_OTHER_NAMES = {
    "bool": "boolean", "int": "integer", "int64": "integer", "number": "float", "double": "float",
    "float64": "float", "string": "text", "str": "text", "timestamp": "datetime",
}  # fmt: skip
_BOUNDS = ("minimum", "maximum", "above", "below")
_BOUNDED = ("integer", "float", "date", "datetime")
_NAMED_VALUES = 10


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What one column must be like.

    Attributes:
        name: Of the column.
        type: One of `TYPES`, or a usual other name for one, such as `string`. Left out, it follows from the rules
            below where they allow only one.
        required: Whether the column must be there.
        nullable: Whether cells may be without a value.
        minimum: Least value of a number, date or time; dates as ISO text.
        maximum: Greatest value, likewise.
        above: What every value must exceed.
        below: What every value must stay under.
        allowed: The only values there may be; empty for no such rule.
        pattern: Regular expression, in Rust's syntax, which has no look-around, that a text fits as a whole.
        unique: Whether a value may stand in one row only; cells without a value are not compared.

    Raises:
        ConfigurationError: A rule that no value could keep, or that does not go with the type.

    >>> ColumnRule("age", minimum=0, maximum=150)
    ColumnRule('age', type='float', minimum=0, maximum=150)
    """

    name: str
    type: str = "any"
    required: bool = True
    nullable: bool = True
    minimum: Scalar | date | None = None
    maximum: Scalar | date | None = None
    above: Scalar | date | None = None
    below: Scalar | date | None = None
    allowed: tuple[Scalar, ...] = ()
    pattern: str = ""
    unique: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigurationError(f"A column's name is text, not {self.name!r}", where="the schema")
        for flag in ("required", "nullable", "unique"):
            if not isinstance(getattr(self, flag), bool):
                raise self._fault(f"{flag} is true or false, not {getattr(self, flag)!r}")
        if not isinstance(self.pattern, str):
            raise self._fault(f"A pattern is text, not {self.pattern!r}")
        object.__setattr__(self, "allowed", self._listed(self.allowed))
        object.__setattr__(self, "type", self._settled_type())
        for name in _BOUNDS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._bound(name))
        object.__setattr__(self, "allowed", tuple(self._member(value) for value in self.allowed))
        if self.pattern and self.type != "text":
            raise self._fault(f"A pattern is for text, but the type is {self.type}")
        self._check_room()

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"ColumnRule({self.name!r}{', ' + said if said else ''})"

    def to_dict(self) -> dict[str, Any]:
        """What differs from a column of which nothing is known, as plain data without the name."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "name"}
        plain = {field.name: field.default for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value != plain[name]
        }

    @property
    def allowed_words(self) -> str:
        """The allowed values for people, shortened where there are many."""
        shown = ", ".join(map(repr, self.allowed[:_NAMED_VALUES]))
        more = len(self.allowed) - _NAMED_VALUES
        return f"one of {shown}" + (f" and {more:,} more" if more > 0 else "")

    def _fault(self, what: str, hint: str = "") -> ConfigurationError:
        return ConfigurationError(what, where=f"schema, column {self.name!r}", hint=hint)

    def _listed(self, values: object) -> tuple[Any, ...]:
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise self._fault(f"Allowed values are a list, not {values!r}")
        listed = tuple(values)
        if any(isinstance(value, float) and not math.isfinite(value) for value in listed):
            raise self._fault("NaN and infinity cannot be allowed values", "A missing value is `nullable`.")
        return listed

    def _settled_type(self) -> str:
        name = _OTHER_NAMES.get(self.type, self.type) if isinstance(self.type, str) else ""
        if name not in TYPES:
            near = difflib.get_close_matches(name.lower(), [*TYPES, *_OTHER_NAMES], n=1)
            raise self._fault(
                f"{self.type!r} is no type of a column",
                f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(TYPES)}.",
            )
        if name != "any":
            return name
        if self.pattern:
            return "text"
        bounds = [getattr(self, bound) for bound in _BOUNDS if getattr(self, bound) is not None]
        kinds = {_kind(value) for value in (*bounds, *self.allowed)}
        if bounds and "text" in kinds:
            raise self._fault("The bounds are dates or times, but the type is not said", "Add type: date.")
        if kinds <= {"integer", "float"} and kinds:
            return "float" if bounds else ("float" if "float" in kinds else "integer")
        if len(kinds) > 1:
            raise self._fault(f"The allowed values are of several types: {', '.join(sorted(kinds))}")
        return next(iter(kinds), "any")

    def _bound(self, name: str) -> Scalar:
        value = getattr(self, name)
        if self.type not in _BOUNDED:
            raise self._fault(f"{name} is for numbers, dates and times, but the type is {self.type}")
        return self._value(value)

    def _value(self, value: object) -> Scalar:
        """A value of the schema as this column's type has it."""
        if self.type in ("date", "datetime"):
            return self._moment(value)
        if not isinstance(value, bool | int | float | str) or not _belongs(value, self.type):
            raise self._fault(
                f"{value!r} is not {TYPES[self.type]}",
                "Write text in quotes." if self.type == "text" else "",
            )
        return value

    def _member(self, value: object) -> Scalar:
        """An allowed value: unlike a bound, one of whole numbers is whole."""
        member = self._value(value)
        if self.type != "integer" or isinstance(member, int):
            return member
        if not isinstance(member, float) or not member.is_integer():
            raise self._fault(f"{value!r} is not {TYPES[self.type]}")
        return int(member)

    def _moment(self, value: object) -> str:
        try:
            when = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        except ValueError as problem:
            raise self._fault(f"{value!r} is not {TYPES[self.type]}") from problem
        if not isinstance(when, datetime):
            when = datetime(when.year, when.month, when.day)
        if when.tzinfo is not None:
            when = when.astimezone(UTC).replace(tzinfo=None)
        if self.type == "datetime":
            return when.isoformat(sep=" ")
        if (when.hour, when.minute, when.second, when.microsecond) != (0, 0, 0, 0):
            raise self._fault(f"{value!r} is a time, but the type is date")
        return when.date().isoformat()

    def _check_room(self) -> None:
        """That some value keeps all bounds; ISO texts of one length and kind compare as their dates do."""
        least = [value for value in (self.minimum, self.above) if value is not None]
        most = [value for value in (self.maximum, self.below) if value is not None]
        if least and most:
            low, high = max(least), min(most)
            touching = low == high and (self.above == low or self.below == high)
            if low > high or touching:  # type: ignore[operator]  # likewise
                raise self._fault(f"No value is between {low!r} and {high!r}")
        if len(set(self.allowed)) != len(self.allowed):
            raise self._fault("An allowed value is given twice")


@dataclass(frozen=True, slots=True)
class DataSchema:
    """What the rows of a table must be like.

    Attributes:
        columns: A rule for each column that is known, in the order in which faults are looked for.
        extra: `allow` other columns, or `refuse` a table that has any.
        unique_together: Groups of columns whose values together may stand in one row only.
        version: Of the notation.

    Raises:
        ConfigurationError: A column has two rules, or a group is none.

    >>> schema = DataSchema((ColumnRule("query_id", "text", unique=True), ColumnRule("label", allowed=(0, 1))))
    >>> schema.types
    {'query_id': 'text', 'label': 'integer'}
    >>> DataSchema.from_dict(schema.to_dict()) == schema
    True
    """

    columns: tuple[ColumnRule, ...] = ()
    extra: Literal["allow", "refuse"] = "allow"
    unique_together: tuple[tuple[str, ...], ...] = ()
    version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if self.version != SCHEMA_VERSION or isinstance(self.version, bool):
            raise _wrong(
                f"The schema is of version {self.version!r}, and {SCHEMA_VERSION} is the one that is known"
            )
        if self.extra not in ("allow", "refuse"):
            raise _wrong(f"extra is allow or refuse, not {self.extra!r}")
        names = [rule.name for rule in self.columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise _wrong(f"Column {twice!r} has two rules")
        for group in self.unique_together:
            if len(set(group)) != len(group) or len(group) < 2:
                raise _wrong(
                    f"{', '.join(map(repr, group))} is no group of columns",
                    "Name two or more; for one, write `unique: true` at the column.",
                )

    @property
    def types(self) -> dict[str, str]:
        """Column to type, where one is said: what `ReadOptions.types` takes."""
        return {rule.name: rule.type for rule in self.columns if rule.type != "any"}

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that must be there."""
        named = [rule.name for rule in self.columns if rule.required]
        return tuple(dict.fromkeys([*named, *(name for group in self.unique_together for name in group)]))

    @property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Each group of columns, of one column too, whose values must not repeat."""
        return (*((rule.name,) for rule in self.columns if rule.unique), *self.unique_together)

    def requiring(self, names: Iterable[str]) -> DataSchema:
        """This schema, with these columns required as well."""
        missing = [name for name in dict.fromkeys(names) if name not in self.required]
        rules = tuple(
            ColumnRule(rule.name, **{**rule.to_dict(), "required": True}) if rule.name in missing else rule
            for rule in self.columns
        )
        known = {rule.name for rule in rules}
        added = tuple(ColumnRule(name) for name in missing if name not in known)
        return DataSchema((*rules, *added), self.extra, self.unique_together)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, in the notation of a schema file."""
        return {
            "version": self.version,
            "extra": self.extra,
            "columns": {rule.name: rule.to_dict() for rule in self.columns},
            **({"unique_together": [list(g) for g in self.unique_together]} if self.unique_together else {}),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `to_dict()`, hex; integers beyond 2^53 as text."""
        return digest(_canonical(self.to_dict()))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, where: str = "") -> DataSchema:
        """The schema that plain data stand for, every name in it known.

        Raises:
            ConfigurationError: They stand for none; unknown names come with the one that was probably meant.
        """
        _check_names(content, ("version", "extra", "columns", "unique_together"), "the schema", where)
        columns = content.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise _wrong("columns is not a mapping of columns to their rules", "Write `age: integer`.", where)
        groups = content.get("unique_together") or ()
        if not _are_groups(groups):
            raise _wrong("unique_together is not a list of lists of columns", "Write `- [a, b]`.", where)
        return cls(
            tuple(_rule(str(name), rules, where) for name, rules in columns.items()),
            content.get("extra", "allow"),
            tuple(tuple(group) for group in groups),
            content.get("version", SCHEMA_VERSION),
        )


def _rule(name: str, rules: object, where: str) -> ColumnRule:
    if rules is None:
        return ColumnRule(name)
    if isinstance(rules, str):
        return ColumnRule(name, rules)
    if not isinstance(rules, Mapping):
        raise _wrong(
            f"The rules of column {name!r} are {rules!r}", "Write `{type: integer, minimum: 0}`.", where
        )
    known = [field.name for field in fields(ColumnRule) if field.name != "name"]
    _check_names(rules, known, f"column {name!r}", where)
    return ColumnRule(name, **{str(key): value for key, value in rules.items()})


def _check_names(content: Mapping[Any, Any], known: Sequence[str], owner: str, where: str) -> None:
    for name in content:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
            raise _wrong(f"{name!r} is nothing that {owner} can say", hint, where)


def _are_groups(groups: object) -> bool:
    return isinstance(groups, list | tuple) and all(
        isinstance(group, list | tuple) and all(isinstance(name, str) for name in group) for group in groups
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "float" if isinstance(value, float) else "text"


def _belongs(value: Scalar, type_: str) -> bool:
    kind = _kind(value)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if type_ == "integer":  # a bound of 0.5 is a bound on whole numbers too
        return kind in ("integer", "float")
    return kind == type_ or (type_ == "float" and kind == "integer")


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER else value


def _wrong(what: str, hint: str = "", where: str = "") -> ConfigurationError:
    return ConfigurationError(what, where=where or "schema", hint=hint)
