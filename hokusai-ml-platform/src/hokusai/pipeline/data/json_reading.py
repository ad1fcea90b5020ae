"""JSON arrays of objects and JSON Lines, strictly and in pieces.

JSON readers differ in what they drop: of two equal keys one wins, NaN is read as a number or not, an array
that is cut off ends early. Here each record is parsed by the standard library with these cases refused by
name, and is passed on before the next is read, so that memory holds a batch of records and not the file.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from hokusai.errors import DataError
from hokusai.pipeline.data.json_columns import KINDS, frame_of_records
from hokusai.pipeline.data.source_file import MAX_RECORD_BYTES, HashedFile, listed, not_utf8

if TYPE_CHECKING:
    import polars as pl

BLOCK_BYTES = 4 << 20
MAX_PROBLEMS = 20

_BLANKS = " \t\r\n"


def read_json(file: HashedFile) -> tuple[pl.DataFrame, int, list[str]]:
    """Read a JSON array of objects.

    Returns:
        The frame, the number of records counted, and notes for people.

    Raises:
        DataError: The text is not JSON, or a record is not a flat object; the record is named, counted from
            1.
    """
    return frame_of_records(_array_records(file), file.name)


def read_jsonl(file: HashedFile) -> tuple[pl.DataFrame, int, list[str]]:
    """Read JSON Lines: one object a line; blank lines are no records.

    Returns:
        The frame, the number of records counted, and notes for people.

    Raises:
        DataError: A line is not JSON, or not a flat object; the line is named.
    """
    return frame_of_records(_line_records(file), file.name)


class _Text:
    """The file as text, decoded piece by piece; a wrong byte is reported at its place in the file."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._offset = 0
        self._lines = 0

    def read(self, n_bytes: int) -> str:
        """The next text; empty at the end."""
        while True:
            data = self._file.read(n_bytes)
            begun = self._decoder.getstate()[0]
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as problem:
                at = self._offset - len(begun) + problem.start
                line = self._lines + problem.object.count(b"\n", 0, problem.start) + 1
                raise not_utf8(self._file.name, problem.object[problem.start], at, line) from problem
            self._offset += len(data)
            self._lines += text.count("\n")
            if text or not data:
                return text


class _BadRecordError(Exception):
    """A record is JSON by its syntax, but not data that has one meaning."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _BadRecordError(f"the key {twice!r} stands twice in one object")
    return record


def _no_constant(text: str) -> NoReturn:
    raise _BadRecordError(f"{text} is not JSON; write null for a missing number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _array_records(file: HashedFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, record) for each object of the array."""
    text = _Text(file)
    pending, at, ended = text.read(BLOCK_BYTES), 0, False
    number = 0

    def more() -> bool:
        nonlocal pending, at, ended
        fresh = text.read(max(BLOCK_BYTES, len(pending) - at))
        pending, at, ended = pending[at:] + fresh, 0, not fresh
        return not ended

    def next_character() -> str:
        nonlocal at
        while True:
            while at < len(pending) and pending[at] in _BLANKS:
                at += 1
            if at < len(pending):
                return pending[at]
            if not more():
                return ""

    next_character()
    at += 1  # the bracket that the format was recognised by
    while next_character() != "]" or number:
        number += 1
        place = f"record {number:,}"
        while True:
            try:
                record, end = _DECODER.raw_decode(pending, at)
                break
            except json.JSONDecodeError as problem:
                if len(pending) - at > MAX_RECORD_BYTES or not more():
                    raise _not_json(file.name, place, problem, cut_off=ended) from problem
            except (_BadRecordError, RecursionError, ValueError) as problem:
                raise _bad_record(file.name, place, problem) from problem
        at = end
        yield place, _checked(record, file.name, place)
        follows = next_character()
        at += 1
        if follows == "]":
            break
        if follows != ",":
            what = "the file ends" if not follows else f"{follows!r} follows"
            raise DataError(
                f"After {place}, {what} where , or ] is expected",
                where=file.name,
                hint="The file was cut off: export it again."
                if not follows
                else "Correct it, or export it again.",
            )
        if next_character() == "]":
            raise DataError(
                f"A comma follows the last record ({place})", where=file.name, hint="Remove the comma."
            )
    else:
        at += 1
    if next_character():
        raise DataError(
            "Text follows the end of the array", where=file.name, hint="One file holds one array."
        )


def _line_records(file: HashedFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, record) for each line; up to 20 lines that are not JSON are reported together."""
    problems: list[str] = []
    n_problems = 0
    for number, line in enumerate(_lines(file), 1):
        if not line.strip(_BLANKS):
            continue
        place = f"line {number:,}"
        try:
            record = _DECODER.decode(line)
        except (_BadRecordError, RecursionError, ValueError) as problem:
            n_problems += 1
            if len(problems) < MAX_PROBLEMS:
                problems.append(f"{place}: {_reason(problem)}")
            continue
        if not n_problems:
            yield place, _checked(record, file.name, place)
    if n_problems:
        plural = "lines are" if n_problems > 1 else "line is"
        raise DataError(
            f"{n_problems:,} {plural} not a JSON object with one meaning: {listed(problems, n_problems)}",
            where=file.name,
            hint="Every line must be one whole object; several lines of one object, or a list "
            "of them, go into "
            "a JSON array: [{...}, {...}].",
        )


def _lines(file: HashedFile) -> Iterator[str]:
    text = _Text(file)
    pieces: list[str] = []
    while block := text.read(BLOCK_BYTES):
        first, *others = block.split("\n")
        pieces.append(first)
        for line in others:
            yield "".join(pieces)
            pieces = [line]
        if sum(map(len, pieces)) > MAX_RECORD_BYTES:
            raise DataError(f"A line is longer than {MAX_RECORD_BYTES >> 20} MB", where=file.name)
    yield "".join(pieces)


def _checked(record: object, name: str, place: str) -> dict[str, Any]:
    if isinstance(record, dict):
        return record
    kind = KINDS.get(type(record), "null")
    raise DataError(
        f"{place.capitalize()} is not an object but {kind}",
        where=name,
        hint='Every record must be an object of column names to values, such as {"text": '
        '"hello", "label": 1}.',
    )


def _not_json(name: str, place: str, problem: json.JSONDecodeError, *, cut_off: bool) -> DataError:
    rest = problem.doc[problem.pos :].strip(_BLANKS)
    begun = any(literal.startswith(rest) for literal in ("true", "false", "null", "-"))
    if cut_off and (begun or problem.msg.startswith("Unterminated string")):
        return DataError(f"The file ends within {place}", where=name, hint="It was cut off: export it again.")
    return _bad_record(name, place, problem)


def _bad_record(name: str, place: str, problem: Exception) -> DataError:
    return DataError(
        f"{place.capitalize()} is not usable JSON: {_reason(problem)}",
        where=name,
        hint="Correct it, or export it again.",
    )


def _reason(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "lists or objects are nested too deeply"
    if isinstance(problem, json.JSONDecodeError):
        return f"{problem.msg[0].lower()}{problem.msg[1:]} at character {problem.colno}"
    return str(problem)
