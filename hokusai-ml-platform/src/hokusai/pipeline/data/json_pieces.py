"""A JSON text in pieces of whole records, so that memory holds a piece and not the file.

Lines end where a line ends. Where an array may be cut, only a parser knows; so a place that looks like the end of a
record is tried, and if the records before it are proved, it was one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hokusai.errors import DataError
from hokusai.pipeline.data.json_records import (
    BLANKS,
    Record,
    explained,
    proved_records,
    read_record,
    walk_array,
)
from hokusai.pipeline.data.source_file import not_utf8

if TYPE_CHECKING:
    from hokusai.pipeline.data.scan import Limits
    from hokusai.pipeline.data.unpacking import ByteReader

BLOCK_BYTES = 256 << 10
"""So much is parsed at once: its values fit in a processor's cache, which is worth a third of the time."""
LINE_END = b"\n"

_BETWEEN_RECORDS = re.compile(rb'\}[ \t\r\n]*,[ \t\r\n]*(?=\{[ \t\r\n]*")')
_NEAR_THE_END = 1 << 16


@dataclass(frozen=True, slots=True)
class Span:
    """Where a piece of the text stands.

    Attributes:
        offset: Its first byte.
        length: Its bytes.
        number: Of its first record, from 1.
        line: On which it begins, from 1.
        height: Its records.
    """

    offset: int
    length: int
    number: int
    line: int
    height: int

    def joined(self, following: Span) -> Span:
        """The span of both."""
        length = following.offset + following.length - self.offset
        return Span(self.offset, length, self.number, self.line, self.height + following.height)


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole records of a text.

    Attributes:
        span: Where they stand.
        data: Their bytes: lines, or records separated by commas.
        proved: Their values, if they are beyond doubt; else `Layout.records` explains them.
    """

    span: Span
    data: bytes
    proved: list[dict[str, Any]] | None


class Layout(Protocol):
    """How records stand in a text."""

    word: str
    """What a place is called: `line` or `record`."""

    def pieces(self, stream: ByteReader) -> Iterator[Piece]:
        """The whole text, piece by piece.

        Raises:
            DataError: It is not clear where records begin and end.
        """

    def records(self, data: bytes, span: Span) -> list[Record]:
        """The records of a piece, one by one."""

    def places(self, data: bytes, span: Span) -> Sequence[int]:
        """The number by which people find each record: its line, or its place in the array."""


class Lines:
    """JSON Lines: a record a line; blank lines are no records."""

    word = "line"

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits

    def pieces(self, stream: ByteReader) -> Iterator[Piece]:
        """See `Layout`."""
        offset, number, line, pending, block = 0, 1, 1, b"", b"\n"
        while block:
            block = stream.read(BLOCK_BYTES)
            end = block.rfind(b"\n") + 1 if block else 0
            if block and not end:
                pending += block
                data = b""
            else:
                data, pending = pending + block[:end], block[end:]
            if len(pending) > self._limits.record_bytes:
                raise _too_long(f"Line {line + data.count(LINE_END):,}", self._limits, self._name)
            raw = [text for _, text in _filled(data, line)]
            if raw:
                yield Piece(Span(offset, len(data), number, line, len(raw)), data, proved_records(raw))
            offset += len(data)
            number += len(raw)
            line += data.count(LINE_END)

    def records(self, data: bytes, span: Span) -> list[Record]:
        """See `Layout`."""
        lines = enumerate(_filled(data, span.line), span.number)
        return [read_record(text, number, line) for number, (line, text) in lines]

    def places(self, data: bytes, span: Span) -> Sequence[int]:
        """See `Layout`."""
        if data.count(LINE_END) + (not data.endswith(LINE_END)) == span.height:
            return range(span.line, span.line + span.height)
        return [line for line, _ in _filled(data, span.line)]


class Array:
    """Records in an array.

    Args:
        name: The file, for messages.
        limits: `record_bytes` is kept.
        opening: Bytes before the first record, blanks at the beginning of the text not counted.
        closing: Brackets after the last one.
    """

    word = "record"

    def __init__(self, name: str, limits: Limits, opening: int, closing: bytes = b"]") -> None:
        self._name = name
        self._limits = limits
        self._opening = opening
        self._closing = closing

    def pieces(self, stream: ByteReader) -> Iterator[Piece]:
        """See `Layout`."""
        text = _Rest(stream)
        text.fill(self._opening)
        text.drop(self._opening)
        text.fill(BLOCK_BYTES)
        number = 1
        while text.data[:1] not in (b"", b"]") or number > 1:
            piece = self._proved(text, number) or self._walked(text, number)
            if piece.span.height:
                yield piece
                number += piece.span.height
            if self._is_last(text, number - 1):
                break
            if len(text.data) > self._limits.record_bytes:
                raise _too_long(f"Record {number:,}", self._limits, self._name)
            text.fill(BLOCK_BYTES + (0 if piece.span.height else 2 * len(text.data)))
        self._check_end(text)

    def records(self, data: bytes, span: Span) -> list[Record]:
        """See `Layout`."""
        return walk_array(data.decode(), span.number, span.line).records

    def places(self, data: bytes, span: Span) -> Sequence[int]:  # noqa: ARG002 - lines need the data
        """See `Layout`."""
        return range(span.number, span.number + span.height)

    def _proved(self, text: _Rest, number: int) -> Piece | None:
        """The records up to the last place that looks like the end of one, taken from `text`."""
        if text.ended:
            body = text.data.rstrip(BLANKS)
            for bracket in reversed(self._closing):
                body = body.removesuffix(bytes([bracket])).rstrip(BLANKS)
            end = next_at = len(body)
        else:
            end, next_at = _last_cut(text.data)
        if not end or (found := proved_records([text.data[:end]], one_each=False)) is None:
            return None
        return text.take(end, next_at, number, len(found), found)

    def _walked(self, text: _Rest, number: int) -> Piece:
        """The whole records at the beginning of `text`, taken from it."""
        decoded = self._decoded(text)
        walk = walk_array(decoded, number, text.line, whole=text.ended)
        if walk.problem is not None or (text.ended and walk.comma):
            raise self._no_record(decoded[walk.end :], number + len(walk.records), walk.problem)
        taken = decoded[: walk.end].encode()
        return text.take(len(taken.rstrip(BLANKS + b",")), len(taken), number, len(walk.records), None)

    def _is_last(self, text: _Rest, number: int) -> bool:
        """Whether the array ends after record `number`; else `text` stands before the next one."""
        if text.after_comma or not number:
            return False
        text.fill(1)
        follows = text.data[:1]
        if follows == b"]":
            return True
        if follows != b",":
            what = f"{text.data[:1].decode(errors='replace')!r} follows" if follows else "the file ends"
            raise DataError(
                f"After record {number:,}, {what} where , or ] is expected",
                where=self._name,
                hint="Correct it, or export it again."
                if follows
                else "The file was cut off: export it again.",
            )
        text.drop(1)
        text.after_comma = True
        text.fill(1)
        if text.data[:1] == b"]":
            raise _comma_at_the_end(number, self._name)
        return False

    def _check_end(self, text: _Rest) -> None:
        for bracket in self._closing:
            text.fill(1)
            if text.data[:1] != bytes([bracket]):
                if not text.data:
                    raise DataError(
                        "The file ends within its array",
                        where=self._name,
                        hint="The file was cut off: export it again.",
                    )
                raise DataError(
                    "More follows the list of records in the object around it",
                    where=self._name,
                    hint="Store the list alone in the file: [{...}, {...}].",
                )
            text.drop(1)
        text.fill(1)
        if text.data:
            raise DataError(
                "Text follows the end of the array", where=self._name, hint="One file holds one array."
            )

    def _decoded(self, text: _Rest) -> str:
        try:
            return text.data.decode()
        except UnicodeDecodeError as problem:
            start = problem.start
            if not text.ended and start and len(text.data) - start < 4:
                return text.data[:start].decode()
            line = text.line + text.data.count(LINE_END, 0, start)
            raise not_utf8(self._name, text.data[start], text.offset + start, line) from problem

    def _no_record(self, rest: str, number: int, problem: Exception | None) -> DataError:
        if rest.startswith("]"):
            return _comma_at_the_end(number - 1, self._name)
        cut_off = problem is None
        if isinstance(problem, json.JSONDecodeError):
            follows = problem.doc[problem.pos :].strip(BLANKS.decode())
            within_a_word = any(word.startswith(follows) for word in ("true", "false", "null", "-"))
            cut_off = within_a_word or problem.msg.startswith("Unterminated string")
        if problem is None or cut_off:
            return DataError(
                f"The file ends within record {number:,}",
                where=self._name,
                hint="It was cut off: export it again.",
            )
        return DataError(
            f"Record {number:,} is not usable JSON: {explained(problem)[1]}",
            where=self._name,
            hint="Correct it, or export it again.",
        )


class _Rest:
    """What was read of a text and not taken yet; it never begins with a blank."""

    def __init__(self, stream: ByteReader) -> None:
        self._stream = stream
        self.data = b""
        self.offset = 0
        self.line = 1
        self.ended = False
        self.after_comma = False

    def fill(self, n_bytes: int) -> None:
        """Read until there are `n_bytes`, or no more."""
        while not self.ended and len(self.data) < n_bytes:
            block = self._stream.read(max(n_bytes - len(self.data), BLOCK_BYTES))
            self.ended = not block
            self.data += block
            self._skip_blanks()

    def drop(self, n_bytes: int) -> None:
        """Leave out the first `n_bytes`, and the blanks after them."""
        self.line += self.data.count(LINE_END, 0, n_bytes)
        self.data = self.data[n_bytes:]
        self.offset += n_bytes
        self._skip_blanks()

    def take(
        self, end: int, next_at: int, number: int, height: int, proved: list[dict[str, Any]] | None
    ) -> Piece:
        """The first `end` bytes as a piece; go on at `next_at`."""
        piece = Piece(Span(self.offset, end, number, self.line, height), self.data[:end], proved)
        if next_at:
            self.after_comma = b"," in self.data[end:next_at]
        self.drop(next_at)
        return piece

    def _skip_blanks(self) -> None:
        filled = self.data.lstrip(BLANKS)
        blanks = len(self.data) - len(filled)
        if blanks:
            self.line += self.data.count(LINE_END, 0, blanks)
            self.offset += blanks
            self.data = filled


def _last_cut(data: bytes) -> tuple[int, int]:
    """Where the last record ends that another one follows, and where that begins; 0 if there is none."""
    for start in (max(0, len(data) - _NEAR_THE_END), 0):
        cuts = [(match.start() + 1, match.end()) for match in _BETWEEN_RECORDS.finditer(data, start)]
        if cuts:
            return cuts[-1]
    return 0, 0


def _filled(data: bytes, line: int) -> list[tuple[int, bytes]]:
    """(number, text) of the lines that are not blank."""
    lines = enumerate(data.split(LINE_END), line)
    return [(number, filled) for number, text in lines if (filled := text.strip(BLANKS))]


def _comma_at_the_end(number: int, name: str) -> DataError:
    return DataError(
        f"A comma follows the last record (record {number:,})", where=name, hint="Remove the comma."
    )


def _too_long(what: str, limits: Limits, name: str) -> DataError:
    return DataError(
        f"{what} is longer than {limits.record_bytes:,} bytes",
        where=name,
        hint="If this is meant, raise Limits.record_bytes.",
    )
