"""Bytes of JSON become records that have one meaning, or faults with a reason.

JSON readers differ in what they drop: of two equal keys one wins, NaN is a number or not, half a surrogate pair
becomes another character. So bytes are first parsed at once by a fast parser, whose result counts only if it is
certain that it dropped nothing (`proved_records`). Where there is doubt they are parsed again record by record, by
the standard library, with each of these cases named (`read_record`, `walk_array`).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from hokusai.pipeline.data.json_numbers import RoundedFloat, may_lose_digits, read_float

BLANKS = b" \t\r\n"
KIND_WORDS = {
    bool: "boolean", int: "number", float: "number", RoundedFloat: "number", str: "text", list: "list", dict: "object",
    type(None): "null",
}  # fmt: skip

_BLANK_TEXT = BLANKS.decode()
_BEFORE_NEXT = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(rb'"(?:[^"\\]++|\\.)*+"[ \t\r\n]*+:', re.DOTALL)
_WITHIN_REACH = 16
"""So near the end of a text, a literal, number or escape may only be cut off."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Attributes:
        number: Among all records, from 1.
        line: On which it begins, from 1.
        raw: Its bytes.
        values: Column to value; None if it cannot be used.
        reason: Why it cannot: a constant text.
        detail: The same for people; it quotes no value.
    """

    number: int
    line: int
    raw: bytes
    values: dict[str, Any] | None
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Walk:
    """How far `walk_array` came.

    Attributes:
        records: The whole records, in order.
        end: Where the last of them ends; or, if `comma`, behind the comma and the blanks after it.
        line: On which `end` stands.
        comma: Whether a comma follows the last record.
        problem: Why the next record is none, if more text cannot help.
    """

    records: list[Record] = field(default_factory=list)
    end: int = 0
    line: int = 1
    comma: bool = True
    problem: Exception | None = None


def proved_records(raw: Sequence[bytes], *, one_each: bool = True) -> list[dict[str, Any]] | None:
    """The objects that stand in `raw`, if it is certain that nothing of it was dropped.

    Args:
        raw: Texts that begin with a record.
        one_each: Whether each must be one record, and not several separated by commas.

    Returns:
        The objects; None if there is any doubt.

    Two records in one entry and one record in two cannot make up for each other: the line end that is put between
    entries may not stand within a text, nor a brace after a comma within an object. Within a list it may, so entries
    are read one by one where there are lists or objects.

    >>> proved_records([b'{"a": 1}', b'{"a": [2]}'])
    [{'a': 1}, {'a': [2]}]
    >>> proved_records([b'{"a": 1, "a": 2}']) is None
    True
    """
    if not all(entry.startswith(b"{") for entry in raw):
        return None
    joined = b"\n,".join(raw)
    try:
        found = _from_json(b"[" + joined + b"]")
        if (one_each and len(found) != len(raw)) or set(map(type, found)) != {dict}:
            return None
        nested = _has_nested(joined, found)
        if nested and one_each:
            found = [_from_json(entry) for entry in raw]
    except ValueError:
        return None
    if may_lose_digits(joined):
        return None
    n_keys = sum(map(_keys_within, found)) if nested else sum(map(len, found))
    # A key ends with a quote and a colon. Both may stand within a text too, so there are never fewer than keys.
    pairs = joined.translate(None, BLANKS).count(b'":')
    if pairs != n_keys and sum(1 for _ in _KEY.finditer(joined)) != n_keys:
        return None
    return list(found)


def read_proved(raw: bytes, *, lines: bool) -> list[dict[str, Any]]:
    """The records of a text that was proved: one a line, or separated by commas."""
    if lines:
        return [_from_json(line) for line in raw.split(b"\n") if line.strip(BLANKS)]
    return list(_from_json(b"[" + raw + b"]"))


def read_record(raw: bytes, number: int, line: int) -> Record:
    """The one record that `raw` holds."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        detail = f"byte 0x{raw[problem.start]:02x}, the line's {problem.start + 1:,}., cannot be decoded"
        return Record(number, line, raw, None, "not UTF-8", detail)
    try:
        value = _STRICT.decode(text)
    except (_BadRecordError, RecursionError, ValueError) as problem:
        return Record(number, line, raw, None, *explained(problem))
    return _checked(value, raw, number, line)


def walk_array(text: str, number: int, line: int, *, whole: bool = True) -> Walk:
    """The records of a text that begins with one and separates them by commas.

    Args:
        text: It may go on with something else after any record.
        number: Of its first record.
        line: On which it begins.
        whole: Whether more text cannot follow, so that a record that ends too early is none.
    """
    walk = Walk(line=line)
    while walk.comma and walk.end < len(text):
        at = walk.end
        try:
            value, end = _STRICT.raw_decode(text, at)
            record = _checked(value, text[at:end].encode("utf-8", "surrogatepass"), number, walk.line)
        except json.JSONDecodeError as problem:
            open_end = problem.pos >= len(text) - _WITHIN_REACH or problem.msg.startswith("Unterminated")
            walk.problem = problem if whole or not open_end else None
            break
        except (_BadRecordError, RecursionError, ValueError) as problem:
            try:
                end = _LENIENT.raw_decode(text, at)[1]
            except (json.JSONDecodeError, RecursionError) as worse:
                at_the_end = isinstance(worse, json.JSONDecodeError) and not whole
                walk.problem = None if at_the_end else worse
                break
            raw = text[at:end].encode("utf-8", "surrogatepass")
            record = Record(number, walk.line, raw, None, *explained(problem))
        walk.records.append(record)
        number += 1
        after = _after_blanks(text, end)
        walk.comma = text[after : after + 1] == ","
        walk.end = _after_blanks(text, after + 1) if walk.comma else end
        walk.line += text.count("\n", at, walk.end)
    return walk


def read_document(text: str) -> object:
    """The value of a whole text.

    Raises:
        ValueError, RecursionError: It has none, or more than one meaning; see `explained`.
    """
    return _STRICT.decode(text)


def explained(problem: Exception) -> tuple[str, str]:
    """The constant reason and the sentence for what is wrong with a record."""
    if isinstance(problem, _BadRecordError):
        return problem.reason, str(problem)
    if isinstance(problem, RecursionError):
        return "nested too deeply", "lists or objects are nested too deeply"
    if isinstance(problem, json.JSONDecodeError):
        return "not JSON", f"{problem.msg[0].lower()}{problem.msg[1:]} at character {problem.colno}"
    return "number of too many digits", "a number has thousands of digits"


class _BadRecordError(ValueError):
    """A record is JSON by its syntax, but has no one meaning."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


def _checked(value: object, raw: bytes, number: int, line: int) -> Record:
    if not isinstance(value, dict):
        detail = f"it is not an object but {KIND_WORDS[type(value)]}"
        return Record(number, line, raw, None, "not an object", detail)
    if not all(key.strip() for key in value):
        return Record(number, line, raw, None, "key without a name", "it has a key without a name")
    if (
        b"\\ud" in raw.lower()
        and (half := next((k for k in value if _has_half([k, value[k]])), None)) is not None
    ):
        where = "a key" if _has_half([half]) else f"column {half!r}"
        detail = f"{where} holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
        return Record(number, line, raw, None, "half a surrogate pair", detail)
    return Record(number, line, raw, value)


def _has_half(values: list[object]) -> bool:
    """Whether half a surrogate pair stands in one of them; without recursion, since they may be nested deeply."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return True
        if isinstance(value, list | dict):
            waiting.extend(value)
        if isinstance(value, dict):
            waiting.extend(value.values())
    return False


def _from_json(text: bytes) -> Any:
    import pydantic_core

    return pydantic_core.from_json(text, allow_inf_nan=False, cache_strings="keys")


def _has_nested(joined: bytes, found: list[dict[str, Any]]) -> bool:
    """Whether a record has a list or an object; most files show by their brackets that none has."""
    if b"[" not in joined and joined.count(b"{") == len(found):
        return False
    types = set(map(type, itertools.chain.from_iterable(record.values() for record in found)))
    return list in types or dict in types


def _keys_within(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys_within, value.values()))
    return sum(map(_keys_within, value)) if isinstance(value, list) else 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in record if keys.count(key) > 1)
        raise _BadRecordError("key twice in one object", f"the key {twice!r} stands twice in one object")
    return record


def _no_constant(text: str) -> NoReturn:
    raise _BadRecordError("NaN or infinity", f"{text} is not JSON; write null for a missing number")


def _after_blanks(text: str, at: int) -> int:
    match = _BEFORE_NEXT.match(text, at)
    return match.end() if match else at


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=read_float)
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)
