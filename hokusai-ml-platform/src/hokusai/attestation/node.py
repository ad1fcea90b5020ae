"""A JSON document that somebody else wrote, read strictly: every value as one type, every fault with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from hokusai.attestation.numbers import decimal_text
from hokusai.errors import IntegrityError

T = TypeVar("T")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,4000}")
_LARGEST = 10**300
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands, with one method a type that it may be read as."""

    value: object
    path: str = "$"
    document: str = "DeltaOne statement v1"

    def __getitem__(self, name: str) -> Node:
        members = self._a(dict, "an object")
        if name not in members:
            raise self.wrong(f"{name!r} is missing")
        return Node(members[name], f"{self.path}.{name}", self.document)

    def get(self, name: str) -> Node | None:
        """The member called `name`, if the object has one."""
        return self[name] if name in self._a(dict, "an object") else None

    def members(self) -> dict[str, Node]:
        """The members of an object."""
        return {name: self[name] for name in self._a(dict, "an object")}

    def only(self, *names: str) -> Node:
        """The object itself, which must have no other members than these."""
        unknown = sorted(set(self._a(dict, "an object")) - set(names))
        if unknown:
            raise self.wrong(f"{unknown[0][:80]!r} is not known here; known are {', '.join(names)}")
        return self

    def items(self) -> list[Node]:
        """The items of a list."""
        values = self._a(list, "a list")
        return [Node(value, f"{self.path}[{i}]", self.document) for i, value in enumerate(values)]

    def text(self) -> str:
        """Text."""
        return self._a(str, "text")

    def flag(self) -> bool:
        """True or false."""
        return self._a(bool, "true or false")

    def count(self) -> int:
        """A whole number from 0, written as a JSON number."""
        if isinstance(self.value, bool) or self._a(int, "a whole number") < 0:
            raise self.wrong("expected a whole number, zero or more")
        return self._a(int, "a whole number")

    def integer(self) -> int:
        """A whole number, written as text."""
        return int(self._matching(_INTEGER, "a whole number in decimal, as text"))

    def decimal(self) -> float:
        """A measured number, written as the text of its double."""
        number = float(self._matching(_DECIMAL, "a decimal number, as text"))
        if abs(number) == float("inf") or decimal_text(number) != self.value:
            raise self.wrong(f"expected the one text of a double, got {self.value!r}")
        return number

    def fraction(self) -> Fraction:
        """A ratio of whole numbers, written as text."""
        numerator, denominator = self["num"].integer(), self["den"].integer()
        if denominator < 1:
            raise self["den"].wrong("a denominator must be above zero")
        if abs(numerator) > denominator * _LARGEST:
            raise self.wrong("the number is too large")
        return Fraction(numerator, denominator)

    def number(self) -> Fraction | float:
        """A ratio or a measured number."""
        return self.fraction() if isinstance(self.value, dict) else self.decimal()

    def optional(self, read: Callable[[Node], T]) -> T | None:
        """What `read` makes of the value; None for null."""
        return None if self.value is None else read(self)

    def wrong(self, what: str) -> IntegrityError:
        """The error that this value is not what it should be, to be raised."""
        return IntegrityError(f"Not a {self.document}: {what}", where=self.path)

    def _a(self, kind: type[T], name: str) -> T:
        if not isinstance(self.value, kind):
            raise self.wrong(f"expected {name}, got {type(self.value).__name__}")
        return self.value

    def _matching(self, pattern: re.Pattern[str], name: str) -> str:
        text = self._a(str, name)
        if not pattern.fullmatch(text):
            raise self.wrong(f"expected {name}, got {text[:40]!r}")
        return text
