"""Delimited text cut into blocks of whole records, and the proof that a block is what a strict reader may parse.

A parser that is given anything else repairs it in silence: short rows are filled up, quotes are dropped. So before
a block is parsed, its quotes, line ends and separators are checked by position, all at once with numpy: quotes open
at the start of a field and close at its end, and between two line ends outside quotes stand exactly as many
separators as the header has. That counts the records too, apart from the parser. Only a block that fails is looked
at record by record, to say which rows are at fault and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from hokusai.errors import DataError
from hokusai.pipeline.data.byte_bits import between, bits_of, counted, places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hokusai.pipeline.data.byte_bits import Bits
    from hokusai.pipeline.data.unpacking import ByteReader

WRONG_WIDTH = "wrong number of fields"
BAD_QUOTES = "a quote that does not fit"
NEVER_CLOSED = "a quote that is never closed"
BAD_BYTES = "bytes that are not UTF-8"
NUL_BYTE = "a NUL byte"
BARE_CR = "a carriage return within a line"

_LF, _CR, _QUOTE = b'\n\r"'
_QUOTED = re.compile(rb'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Fault:
    """A record of a block that cannot be read.

    Attributes:
        number: Its place among the records of the block, from 0.
        start: Where it begins in the block.
        stop: Where it ends, its line end included.
        reason: One of the constants of this module.
        detail: What was found, without quoting it.
    """

    number: int
    start: int
    stop: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """A block after the proof.

    Attributes:
        text: Its sound records, one after the other, without blank lines.
        rows: How many they are.
        cuts: Byte ranges of the block that are not in `text`, in order.
        faults: Records that cannot be read.
        consumed: Bytes of the block that were examined; the rest belongs to the next block.
        lines: Line ends in them, those in quotes included.
        longest: Bytes of the longest record.
        empty: Which of the sound records, from 0, have several fields and nothing in any of them.
        blank: How many blank lines were left out.
        settled: Which columns, from 0, are known to hold nothing but values of the type that was thought likely.
    """

    text: bytes
    rows: int
    cuts: Sequence[tuple[int, int]] = ()
    faults: Sequence[Fault] = field(default=())
    consumed: int = 0
    lines: int = 0
    longest: int = 0
    empty: Sequence[int] = ()
    blank: int = 0
    settled: frozenset[int] = frozenset()


class RecordBlocks:
    """Pieces of a text that each end where a record ends, provided that its quotes match.

    A line end is the end of a record if the number of quotes before it is even. Where that was an error, whoever
    finds it puts the rest of the block back.

    Args:
        text: The bytes, at the beginning of a record.
        block_bytes: About how long a piece is.
        record_bytes: The longest record that is waited for.
        name: Of the file, for messages.
    """

    def __init__(self, text: ByteReader, block_bytes: int, record_bytes: int, name: str) -> None:
        self._text = text
        self._block_bytes = block_bytes
        self._record_bytes = record_bytes
        self._name = name
        self._pending = b""
        self.ended = False
        """Whether the block that was given last is the end of the text."""

    def __iter__(self) -> Iterator[bytes]:
        while not self.ended:
            chunk = self._text.read(self._block_bytes)
            if not chunk:
                self.ended = True
                if self._pending:
                    yield self._pending
                return
            pending, end = self._pending, last_record_end(chunk, self._pending.count(b'"'))
            if not end:
                pending, chunk = b"", pending + chunk
                end = last_record_end(chunk)
            self._pending = chunk[end:]
            if len(self._pending) > self._record_bytes:
                raise too_long(self._record_bytes, self._name)
            if end:
                yield b"".join((pending, memoryview(chunk)[:end]))

    def put_back(self, rest: bytes) -> None:
        """Let the next block begin with `rest`."""
        self._pending = rest + self._pending


def too_long(record_bytes: int, name: str) -> DataError:
    """The error for a record beyond the limit."""
    return DataError(
        f"A record is longer than {record_bytes:,} bytes",
        where=name,
        hint="If it is not meant to be, a quote is never closed.",
    )


def prove(block: bytes, delimiter: str, width: int) -> Records | None:
    """Prove that every record of a block is well formed and has `width` fields; None if one is not.

    The block begins and ends with a record and holds no NUL bytes.
    """
    import numpy as np

    data = np.frombuffer(block, dtype=np.uint8)
    line_ends, separators = bits_of(data, _LF), bits_of(data, ord(delimiter))
    lines = int(np.bitwise_count(line_ends).sum())
    outside: Bits = np.full(1, ~np.uint64(0))  # without quotes all is outside
    if _QUOTE in block:
        quotes = bits_of(data, _QUOTE)
        if not _fit(data, places(quotes), ord(delimiter)):
            return None
        outside = ~between(quotes)
        line_ends &= outside
        separators &= outside
    if _CR in block and not _before_lf(data, places(bits_of(data, _CR) & outside)):
        return None
    starts, stops = _ranges(data, line_ends)
    blank = _blank(data, starts, stops)
    if blank.any():
        cuts = list(zip(starts[blank].tolist(), stops[blank].tolist(), strict=True))
        proven = prove(cut(block, cuts), delimiter, width)
        return proven and replace(proven, cuts=cuts, consumed=len(block), lines=lines, blank=len(cuts))
    if (np.diff(counted(separators, stops), prepend=0) != width - 1).any():
        return None
    lengths = stops - starts
    empty = _without_values(data, starts, stops, width) if width > 1 and (lengths <= width + 1).any() else []
    longest = int(lengths.max(initial=0))
    return Records(block, len(stops), consumed=len(block), lines=lines, longest=longest, empty=empty)


def examine(block: bytes, delimiter: str, width: int, *, last: bool) -> Records:
    """Look at a block record by record; the slow way, for blocks that could not be proved.

    A record that is not well formed is given up at the end of its line. Where a quote opens that is closed nowhere,
    it cannot be known what is a row: all lines from there on are faults.

    Args:
        block: The text, from the beginning of a record.
        delimiter: Between fields.
        width: Fields that a record must have.
        last: Whether the text ends with the block; if not, a record that may go on in the next is not consumed.
    """
    record, unclosed = _patterns(delimiter)
    faults: list[Fault] = []
    cuts: list[tuple[int, int]] = []
    at = number = blank = 0
    while at < len(block):
        match = record.match(block, at)
        if match is None and unclosed.match(block, at):
            if last:
                for start, stop in _lines(block, at):
                    faults.append(Fault(number, start, stop, NEVER_CLOSED))
                    number += 1
                cuts.append((at, len(block)))
                at = len(block)
            break
        stop = match.end() if match else _line_end(block, at)
        raw = block[at:stop]
        if raw in (b"\n", b"\r\n") or (raw == b"\r" and stop == len(block)):
            cuts.append((at, stop))
            blank += 1
        else:
            reason, detail = _fault(raw, delimiter, width) if match else (_why_malformed(raw), "")
            if reason:
                faults.append(Fault(number, at, stop, reason, detail))
                cuts.append((at, stop))
            number += 1
        at = stop
    sound = cut(block[:at], cuts)
    return Records(sound, number - len(faults), cuts, faults, at, block.count(b"\n", 0, at), blank=blank)


def cut(block: bytes, ranges: Sequence[tuple[int, int]]) -> bytes:
    """The block without some ranges of bytes, which are in order."""
    if not ranges:
        return block
    pieces, at = [], 0
    for start, stop in ranges:
        pieces.append(block[at:start])
        at = stop
    pieces.append(block[at:])
    return b"".join(pieces)


def record_ranges(text: bytes) -> NDArray[np.int64]:
    """Where each record of a proven text begins and ends; shape (n_records, 2)."""
    import numpy as np

    data = np.frombuffer(text, dtype=np.uint8)
    return np.stack(_ranges(data, bits_of(data, _LF) & ~between(bits_of(data, _QUOTE))), axis=1)


def last_record_end(data: bytes, quotes_before: int = 0) -> int:
    """Position after the last line end outside quotes; 0 if there is none."""
    import numpy as np

    quotes = quotes_before + int(np.count_nonzero(np.frombuffer(data, np.uint8) == _QUOTE))
    end = len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


def fields_of(record: bytes, delimiter: str) -> int:
    """How many fields a well-formed record has."""
    unquoted = _QUOTED.sub(b"", record) if b'"' in record else record
    return unquoted.count(delimiter.encode()) + 1


def is_well_formed(record: bytes, delimiter: str) -> bool:
    """Whether `record` is exactly one record with quotes and line ends as they must be."""
    match = _patterns(delimiter)[0].match(record)
    return match is not None and match.end() == len(record)


def _fit(data: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> bool:
    """Whether quotes open at the start of a field, close at its end, and are doubled within."""
    import numpy as np

    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = data[opening[1:] - 1] if opening[0] == 0 else data[opening - 1]
    after = data[closing[:-1] + 1] if closing[-1] == len(data) - 1 else data[closing + 1]
    begins, ends = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
    begins[[delimiter, _LF, _QUOTE]] = True
    ends[[delimiter, _LF, _CR, _QUOTE]] = True
    return bool(begins[before].all() and ends[after].all())


def _before_lf(data: NDArray[np.uint8], returns: NDArray[np.int64]) -> bool:
    """Whether a line feed follows every carriage return."""
    return not len(returns) or bool(returns[-1] < len(data) - 1 and (data[returns + 1] == _LF).all())


def _ranges(data: NDArray[np.uint8], line_ends: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where records begin and end, if they end with these line ends and with the data."""
    import numpy as np

    stops = places(line_ends) + 1
    if len(data) and (not len(stops) or stops[-1] != len(data)):
        stops = np.append(stops, len(data))
    starts = np.zeros_like(stops)
    starts[1:] = stops[:-1]
    return starts, stops


def _blank(data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines hold nothing."""
    lengths, first = stops - starts, data[starts]
    blank: NDArray[np.bool_] = ((lengths == 1) & (first == _LF)) | ((lengths == 2) & (first == _CR))
    return blank


def _without_values(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64], width: int
) -> list[int]:
    """Which records are nothing but `width` - 1 separators, given that each has as many."""
    import numpy as np

    few = np.flatnonzero(stops - starts <= width + 1)
    ends = stops[few]
    feeds = data[ends - 1] == _LF
    returns = feeds & (data[np.maximum(ends - 2, 0)] == _CR)
    found: list[int] = few[ends - starts[few] - feeds - returns == width - 1].tolist()
    return found


@lru_cache
def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A well-formed record; and one whose last field is quoted and goes on to the end of the text."""
    comma = re.escape(delimiter.encode())
    fields = rb'(?:(?:"(?:[^"]++|"")*+"|[^",\r\n]*+),)*+'.replace(b",", comma)
    end = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)(?:\r?\n|\Z)'.replace(b",", comma)
    return re.compile(fields + end), re.compile(fields + rb'"(?:[^"]++|"")*+\Z')


def _fault(raw: bytes, delimiter: str, width: int) -> tuple[str, str]:
    if b"\0" in raw:
        return NUL_BYTE, ""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return BAD_BYTES, ""
    found = fields_of(raw, delimiter)
    return (WRONG_WIDTH, f"{found} where the header has {width}") if found != width else ("", "")


def _why_malformed(raw: bytes) -> str:
    rest = _QUOTED.sub(b"", raw).removesuffix(b"\n").removesuffix(b"\r")
    return BARE_CR if b"\r" in rest and b'"' not in rest else BAD_QUOTES


def _line_end(block: bytes, at: int) -> int:
    end = block.find(b"\n", at)
    return end + 1 if end >= 0 else len(block)


def _lines(block: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Ranges of the lines from `at` on that are not blank."""
    while at < len(block):
        stop = _line_end(block, at)
        if block[at:stop].strip(b"\r\n"):
            yield at, stop
        at = stop
