"""Names of columns that are personal data, where people are told of the columns.

Such a name is a token in the result. A token says nothing to whoever reads an error, so that one tells the column's
place in the file. And no preview shows tokens at all: what they stand for is told in its reports.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from hokusai.errors import HokusaiError

Value = TypeVar("Value")


def tell_places(problem: HokusaiError, shown: Mapping[str, str]) -> None:
    """Have an error call columns that have another name in the result by their place.

    Args:
        problem: The error; its texts are changed.
        shown: Each column's name in the result by the one that it came with, in order.

    >>> problem = HokusaiError("Column '[email]' is of type Int64", where="column '[email] 2'")
    >>> tell_places(problem, {"id": "id", "ada@example.org": "[email]", "bob@example.org": "[email] 2"})
    >>> str(problem)
    'Column 2 is of type Int64 (column 3).'
    """
    places = {told: place for place, (name, told) in enumerate(shown.items(), 1) if told != name}
    if not places:
        return
    longest_first = "|".join(re.escape(told) for told in sorted(places, key=len, reverse=True))
    named = re.compile(rf"([Cc]olumn )?(['\"]?)({longest_first})\2")
    problem.what, problem.where, problem.hint = (
        named.sub(lambda found: f"{found[1] or 'column '}{places[found[3]]}", text)
        for text in (problem.what, problem.where, problem.hint)
    )
    problem.args = (problem.what,)


class WithoutTokens:
    """Puts what tokens stand for in their place, wherever they are in what is to be told.

    Args:
        key_id: Of the tokens; those of other keys stay.
        taken: Names that nothing else may have.

    >>> told = WithoutTokens("mlq7bkdb", ["(email)"])
    >>> told({"mail of pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw": 1})
    {'mail of (email) 2': 1}
    """

    def __init__(self, key_id: str, taken: Collection[str] = ()) -> None:
        self._token = re.compile(rf"pii:([a-z_]+):{key_id}:[a-z2-7]{{26}}")
        self._taken = "\n".join(taken)
        self._words: dict[str, str] = {}

    def __call__(self, value: Value) -> Value:
        """The value, a dataclass or plain data, with other texts."""
        return self._told(value)  # type: ignore[no-any-return]  # each branch gives what it was given

    def _told(self, value: Any) -> Any:
        if type(value) is str:
            return self._token.sub(self._word, value)
        if isinstance(value, Mapping):
            return {self._told(key): self._told(one) for key, one in value.items()}
        if type(value) in (tuple, list):
            return type(value)(map(self._told, value))
        if is_dataclass(value) and not isinstance(value, type):
            parts = {one.name: self._told(getattr(value, one.name)) for one in fields(value) if one.init}
            return replace(value, **parts)
        return value

    def _word(self, found: re.Match[str]) -> str:
        """What a token stands for, with a number where that is not the only one."""
        token, kind = found[0], found[1].replace("_", " ")
        if token not in self._words:
            word, number = f"({kind})", 1
            while word in self._taken or word in self._words.values():
                number += 1
                word = f"({kind}) {number}"
            self._words[token] = word
        return self._words[token]
