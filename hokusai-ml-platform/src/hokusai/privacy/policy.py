"""What is to happen to personal data: one action a kind, a column, or both.

The policy is the caller's decision, and is written in its own words: as a mapping, or as YAML beside the data. A word
that is not known is an error with the word that was meant, because a policy that is not obeyed leaks.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from hokusai.errors import ConfigurationError
from hokusai.privacy.kinds import ALL_KINDS, DEFAULT_REGIONS, PiiKind


class PiiAction(StrEnum):
    """What happens to a value.

    | action   | in free text                       | a column that holds one kind only           |
    |----------|------------------------------------|---------------------------------------------|
    | `hash`   | a token stands in its place        | tokens stand in the cells                   |
    | `mask`   | `[email]` stands in its place      | `[email]` stands in the cells               |
    | `drop`   | nothing stands in its place        | the column is left out                      |
    | `report` | it stays, and is counted           | it stays, and is counted                    |
    | `keep`   | it stays, and is not even counted  | it stays, and is not even counted           |
    """

    HASH = "hash"
    MASK = "mask"
    DROP = "drop"
    REPORT = "report"
    KEEP = "keep"


ACTING: Final = frozenset({PiiAction.HASH, PiiAction.MASK, PiiAction.DROP})
"""The actions that take the value out."""

HIDING: Final = frozenset({PiiAction.MASK, PiiAction.DROP})
"""Those after which different values look the same."""

ALWAYS_ALLOWED: Final = ("wallet_address",)
"""Columns that are allowed unless a policy says otherwise, whether data has them or not."""

ColumnActions = PiiAction | Mapping[str, PiiAction]


@dataclass(frozen=True)
class PiiPolicy:
    """Which personal data is looked for, and what happens to it.

    Attributes:
        default: For whatever the others do not name.
        by_kind: By kind.
        by_column: By column: one action for all kinds, or a mapping of kind to action. Goes before `by_kind`.
        allow: Columns that are left alone: neither searched nor changed. Goes before everything. The wallet that a
            contribution is paid to is public, and of use only as it is.
        personal: Columns whose every cell is personal data, whatever it looks like.
        kinds: What is looked for.
        regions: Countries (ISO 3166, two letters) whose national phone numbers and ids are looked for; international
            forms always are.
        scan_free_text: Whether text is searched that is not of one kind as a whole.

    Raises:
        ConfigurationError: An action, kind or country is not known.

    >>> policy = PiiPolicy(by_kind={"ip": "mask"}, by_column={"notes": {"email": "drop"}, "contact": "report"})
    >>> policy.action("notes", PiiKind.EMAIL), policy.action("notes", PiiKind.IP), policy.action("q", PiiKind.EMAIL)
    (<PiiAction.DROP: 'drop'>, <PiiAction.MASK: 'mask'>, <PiiAction.HASH: 'hash'>)
    """

    default: PiiAction = PiiAction.HASH
    by_kind: Mapping[str, PiiAction] = field(default_factory=dict)
    by_column: Mapping[str, ColumnActions] = field(default_factory=dict)
    allow: tuple[str, ...] = ALWAYS_ALLOWED
    personal: tuple[str, ...] = ()
    kinds: tuple[PiiKind, ...] = ALL_KINDS
    regions: tuple[str, ...] = DEFAULT_REGIONS
    scan_free_text: bool = True

    def __post_init__(self) -> None:
        settled = {
            "default": _action(self.default, "default"),
            "by_kind": _actions(self.by_kind, "by_kind"),
            "by_column": _column_actions(self.by_column),
            "allow": _texts(self.allow, "allow"),
            "personal": _texts(self.personal, "personal"),
            "kinds": tuple(dict.fromkeys(_kind(kind, "kinds") for kind in _texts(self.kinds, "kinds"))),
            "regions": tuple(dict.fromkeys(_region(text) for text in _texts(self.regions, "regions"))),
            "scan_free_text": _truth(self.scan_free_text, "scan_free_text"),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        both = sorted(set(self.allow) & set(self.personal))
        if both:
            raise ConfigurationError(
                f"Column {both[0]!r} is allowed and personal at once",
                where="allow, personal",
                hint="Name it in one of them.",
            )

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> PiiPolicy:
        """A policy from a mapping, such as a section of a settings file.

        Raises:
            ConfigurationError: A field, action, kind or country is not known; the text names what may be meant.

        >>> PiiPolicy.parse({"defualt": "mask"})
        Traceback (most recent call last):
        hokusai.errors.ConfigurationError: A policy has no field 'defualt'. Did you mean 'default'?
        """
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigurationError(f"A policy has no field {name!r}", hint=_meant(str(name), known))
        return cls(**given)

    @classmethod
    def from_yaml(cls, text: str, *, where: str = "") -> PiiPolicy:
        """A policy written as YAML; every scalar is text, so that the country `NO` is not the truth value no.

        Args:
            text: A YAML mapping.
            where: The file's name, for errors.

        Raises:
            ConfigurationError: It is no YAML mapping, or as `parse`.

        >>> PiiPolicy.from_yaml("default: mask\\nregions: [NO, SE]").regions
        ('NO', 'SE')
        """
        import yaml

        from hokusai.utils.yaml_text import yaml_fault

        try:
            given = yaml.load(text, _text_loader())  # noqa: S506  # a BaseLoader: it makes nothing but text
        except RecursionError as exc:
            raise ConfigurationError("The policy is nested too deeply", where=where) from exc
        except yaml.YAMLError as exc:
            raise ConfigurationError(f"The policy is not YAML: {yaml_fault(exc)}", where=where) from exc
        if given in (None, ""):
            return cls()
        if not isinstance(given, dict):
            raise ConfigurationError(
                "The policy is not a mapping", where=where, hint="Write, for example, `default: mask`."
            )
        try:
            return cls.parse(given)
        except ConfigurationError as exc:
            place = ", ".join(part for part in (where, exc.where) if part)
            raise ConfigurationError(exc.what, where=place, hint=exc.hint) from exc

    def action(self, column: str, kind: str) -> PiiAction:
        """What happens to a value of this kind in this column.

        A field of an object is `column.field`; what is said of the column holds for its fields, unless they are named.
        """
        here = next((self.by_column[name] for name in outwards(column) if name in self.by_column), None)
        if isinstance(here, PiiAction):
            return here
        return (here or {}).get(kind) or self.by_kind.get(kind, self.default)

    @property
    def hashes(self) -> bool:
        """Whether anything may be hashed, so that a key is needed."""
        return PiiAction.HASH in self._actions()

    @property
    def hides(self) -> bool:
        """Whether anything may be masked or dropped, so that different values look the same afterwards."""
        return not HIDING.isdisjoint(self._actions())

    def without_hiding(self) -> PiiPolicy:
        """The same for whatever is hashed; what would be masked or dropped stays.

        >>> str(PiiPolicy(default="mask", by_kind={"ip": "hash"}).without_hiding().default)
        'report'
        """
        return replace(
            self,
            default=_shown(self.default),
            by_kind={kind: _shown(action) for kind, action in self.by_kind.items()},
            by_column={
                column: _shown(here)
                if isinstance(here, PiiAction)
                else {kind: _shown(action) for kind, action in here.items()}
                for column, here in self.by_column.items()
            },
        )

    def _actions(self) -> set[PiiAction]:
        nested = (
            action
            for here in self.by_column.values()
            for action in ((here,) if isinstance(here, PiiAction) else here.values())
        )
        return {self.default, *self.by_kind.values(), *nested}

    def to_dict(self) -> dict[str, Any]:
        """As plain data; `parse` gives the policy back."""
        by_column = {
            column: str(here) if isinstance(here, PiiAction) else _plain(here)
            for column, here in self.by_column.items()
        }
        return {
            "default": str(self.default),
            "by_kind": _plain(self.by_kind),
            "by_column": by_column,
            "allow": list(self.allow),
            "personal": list(self.personal),
            "kinds": [str(kind) for kind in self.kinds],
            "regions": list(self.regions),
            "scan_free_text": self.scan_free_text,
        }


def outwards(column: str) -> list[str]:
    """The name itself, and what it may lie within: `a.b.c`, `a.b`, `a`."""
    words = column.split(".")
    return [".".join(words[:length]) for length in range(len(words), 0, -1)]


def _shown(action: PiiAction) -> PiiAction:
    return PiiAction.REPORT if action in HIDING else action


def _plain(actions: Mapping[str, PiiAction]) -> dict[str, str]:
    return {str(kind): str(action) for kind, action in actions.items()}


def _action(text: object, where: str) -> PiiAction:
    return PiiAction(_one_of(text, [str(action) for action in PiiAction], "action", where))


def _kind(text: object, where: str) -> PiiKind:
    return PiiKind(_one_of(text, [str(kind) for kind in PiiKind], "kind of personal data", where))


def _region(text: str) -> str:
    if not re.fullmatch("[A-Z]{2}", text):
        raise ConfigurationError(
            f"{text!r} is no country", where="regions", hint="Give ISO 3166 codes, such as US or DE."
        )
    return text


def _one_of(text: object, known: list[str], what: str, where: str) -> str:
    if isinstance(text, str) and text in known:
        return text
    hint = _meant(str(text), known) or f"There are: {', '.join(known)}."
    raise ConfigurationError(f"{text!r} is no {what}", where=where, hint=hint)


def _actions(given: object, where: str) -> dict[str, PiiAction]:
    return {_kind(kind, where): _action(action, where) for kind, action in _mapping(given, where).items()}


def _column_actions(given: object) -> dict[str, ColumnActions]:
    settled: dict[str, ColumnActions] = {}
    for column, here in _mapping(given, "by_column").items():
        where = f"by_column, {column}"
        settled[str(column)] = _actions(here, where) if isinstance(here, Mapping) else _action(here, where)
    return settled


def _mapping(given: object, where: str) -> Mapping[Any, Any]:
    if given in (None, ""):  # a YAML key with nothing behind it
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"A mapping was expected, not {type(given).__name__}", where=where)
    return given


def _texts(given: object, where: str) -> tuple[str, ...]:
    if given in (None, ""):
        return ()
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ConfigurationError(f"A list was expected, not {given!r}", where=where)
    for text in given:
        if not isinstance(text, str):
            raise ConfigurationError(f"{text!r} is not text", where=where)
    return tuple(given)


def _truth(given: object, where: str) -> bool:
    if isinstance(given, bool):
        return given
    if given in ("true", "false"):
        return given == "true"
    raise ConfigurationError(f"{given!r} is neither true nor false", where=where)


def _meant(text: str, known: list[str]) -> str:
    near = difflib.get_close_matches(text.lower(), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _text_loader() -> Any:
    import yaml

    class Loader(yaml.BaseLoader):
        """Every scalar is text, and no key comes twice."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise yaml.constructor.ConstructorError(
                    problem=f"{twice!r} is given twice", problem_mark=node.start_mark
                )
            return super().construct_mapping(node, deep)

    return Loader
