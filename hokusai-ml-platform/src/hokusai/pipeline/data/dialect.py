"""How a delimited text is written: its delimiter, its header, its line ends; found from its first records.

Only four delimiters are considered. Whether the first record is a header, the columns tell: a word over numbers is a
name, a number over numbers is a value, unless it alone stands in quotes. What was found, and what is in doubt, is said
in sentences, so that whoever reads the result can object.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Literal

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.cell_types import CELL_PATTERNS, NO_VALUE, CellType
from hokusai.pipeline.data.records import fields_of, is_well_formed
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.source_file import OpenedFile, listed, not_utf8
from hokusai.pipeline.data.unpacking import ByteReader

DELIMITERS = ",\t;|"

_HEAD_BYTES = 4 << 20
_MAX_RECORDS = 100
_MAX_LISTED = 20
_QUOTED = re.compile(rb'"[^"]*"')
_SEPARATOR_LINE = re.compile(rb"sep=([^\r\n])\r?\n", re.IGNORECASE)
"""What a spreadsheet writes on top of a file, and hides when it reads it."""
_INTEGER = re.compile(CELL_PATTERNS[CellType.INTEGER])
_NO_HEADER = "It has no header: its first record is like the following ones"
_IF_IT_IS_ONE = "; if it is the header, say so: --header"
_DOUBTFUL_HEADER = (
    "Its first record was taken for the header, but could be data like the others; if so, say it: --no-header"
)
_PLAIN_NAME = re.compile(r"(?!PAR1|ARROW1|ORC|GIF8)[^\W\d](?:[\w .:/()%+-]*[\w)%])?")
"""Names of columns with which a file can begin without looking like anything but a header of delimited text."""
_ONLY_IN_CELLS = (re.compile(r"[0-9]"), re.compile(r"\S\s+\S"))
"""What cells have and their name has not: digits as in `q17`, or several words."""
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_PLAIN_VALUE = re.compile(
    "|".join(f"(?:{CELL_PATTERNS[kind]})" for kind in CELL_PATTERNS if kind is not CellType.TEXT)
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written.

    Attributes:
        delimiter: Between fields.
        columns: Names, from the header, the options, or counted; those in `unnamed` too.
        skipped_bytes: What stands before the first record of data, in the text.
        skipped_lines: How many lines that is.
        bare_returns: Whether lines end in a carriage return alone, as on old Macs.
        assumed: What was concluded, in sentences.
        unnamed: Stand-ins for the names of columns at the end that have none, and should have no values either.
    """

    delimiter: str
    columns: tuple[str, ...]
    skipped_bytes: int
    skipped_lines: int
    bare_returns: bool = False
    assumed: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Fields of a record."""
        return len(self.columns)

    @contextmanager
    def opened(self, file: OpenedFile) -> Iterator[ByteReader]:
        """The text of `file` from its first byte, with line ends that are LF or CRLF."""
        with file.text() as text:
            yield ReturnsAsLineFeeds(text) if self.bare_returns else text


def dialect_of(file: OpenedFile, options: ReadOptions) -> Dialect:
    """Find how a file is written, where the options do not say so.

    Raises:
        ConfigurationError: The options cannot be followed.
        DataError: The header is not well formed, or its names are not names.
    """
    head = file.text_head(_HEAD_BYTES)
    whole = len(head) < _HEAD_BYTES
    assumed: list[str] = []
    bare_returns = _only_bare_returns(head)
    if bare_returns:
        assumed.append("Its lines end in a carriage return (CR) alone")
        head = ReturnsAsLineFeeds(io.BytesIO(head)).read(len(head))
    spreadsheet = _SEPARATOR_LINE.match(head)
    skipped = spreadsheet.group() if spreadsheet else b""
    comments = _comments(head, len(skipped))
    records = _first_records(head, len(skipped) + sum(map(len, comments)), whole=whole)
    if not records and comments:
        comments, records = [], _first_records(head, len(skipped), whole=whole)
    if options.has_header is False:
        records = [record for record in records if record.strip(b"\r\n")]
    if not records:
        what = "The file has no rows" if whole else f"The first record is longer than {_HEAD_BYTES:,} bytes"
        raise DataError(what, where=file.name, hint="Give a file with a header and rows.")
    said = options.delimiter or (spreadsheet.group(1).decode("latin-1") if spreadsheet else "")
    delimiter = said or _likely_delimiter(records, options.format or "")
    _check_delimiter(delimiter)
    if delimiter != ("\t" if options.format == "tsv" else ",") and not options.delimiter:
        assumed.append(f"Its fields are separated by {delimiter!r}")
    if comments and _may_be_header(comments[-1], records[0], delimiter):
        _refuse_doubtful(comments[-1], len(comments), file.name)
        records.insert(0, comments.pop())
    if comments:
        assumed.append(f"Lines on top that begin with # were taken for comments: {len(comments)}")
    skipped += b"".join(comments)
    names = _names_in(records[0], delimiter, file.name, skipped)
    _check_width(len(names), options, file.name)
    has_header = options.has_header
    if has_header is None:
        has_header, doubt = _header_in(records, delimiter, options)
        assumed += [doubt] if doubt else []
    unnamed: tuple[str, ...] = ()
    if has_header:
        names, unnamed = _unnamed_at_the_end(names, records, delimiter)
        if unnamed:
            assumed.append(f"Columns at its end without a name or a value were left out: {len(unnamed)}")
        check_names(names, file.name, hint=_what_to_do(records, delimiter, skipped))
        skipped += records[0]
    else:
        names = _given_names(options.columns, len(names), file.name)
    return Dialect(
        delimiter, tuple(names), len(skipped), skipped.count(b"\n"), bare_returns, tuple(assumed), unnamed
    )


def check_names(columns: Sequence[str], name: str, *, hint: str = "") -> None:
    """Check that every column has a name of its own.

    Args:
        columns: The names.
        name: Of the file.
        hint: What to do if one has none.

    Raises:
        DataError: A name is empty or stands twice; positions are counted from 1.
    """
    empty = [str(i) for i, column in enumerate(columns, 1) if not column.strip()]
    if empty:
        raise DataError(
            f"The header has no name for {_counted(empty)} of {len(columns)}",
            where=name,
            hint=hint
            or "Name every column, or remove it (spreadsheets and pandas add a nameless index: index=False).",
        )
    places: dict[str, list[int]] = {}
    for i, column in enumerate(columns, 1):
        places.setdefault(column, []).append(i)
    twice = [
        f"{column!r} (columns {', '.join(map(str, at))})" for column, at in places.items() if len(at) > 1
    ]
    if twice:
        raise DataError(
            f"The header names a column more than once: {listed(twice, len(twice))}",
            where=name,
            hint="Give every column a name of its own.",
        )


def header_in_quotes(names: Sequence[str]) -> bool:
    """Whether a header of these names has to be written in quotes, in order to be taken for one when it is read.

    >>> header_in_quotes(["id", "label"]), header_in_quotes(["2019", "2020"])
    (False, True)
    """
    return not all(_PLAIN_NAME.fullmatch(name) and not _is_value(name, ";") for name in names)


class ReturnsAsLineFeeds:
    """Reads text whose lines end in CR alone as if they ended in LF; within quotes nothing changes."""

    def __init__(self, text: ByteReader) -> None:
        self._text = text
        self._within = False

    def read(self, n_bytes: int, /) -> bytes:
        """Up to `n_bytes` more; as many as there were."""
        parts = self._text.read(n_bytes).split(b'"')
        for i, part in enumerate(parts):
            if (i % 2 == 1) == self._within:
                parts[i] = part.replace(b"\r", b"\n")
        self._within ^= len(parts) % 2 == 0
        return b'"'.join(parts)


def _only_bare_returns(head: bytes) -> bool:
    if b"\r" not in head:
        return False
    unquoted = _QUOTED.sub(b"", head)
    return b"\r" in unquoted and b"\n" not in unquoted


def _comments(head: bytes, at: int) -> list[bytes]:
    """The lines from `at` on that begin with #, and blank ones below them."""
    lines: list[bytes] = []
    while (
        head.startswith((b"#", b"\n", b"\r\n") if lines else b"#", at) and (end := head.find(b"\n", at)) >= 0
    ):
        lines.append(head[at : end + 1])
        at = end + 1
    return lines


def _may_be_header(comment: bytes, record: bytes, delimiter: str) -> bool:
    return comment.startswith(b"#") and fields_of(comment, delimiter) == fields_of(record, delimiter)


def _refuse_doubtful(line: bytes, number: int, name: str) -> None:
    """`#id,name` is a header; `# made by us, today` may be one, or a comment with a comma in it."""
    if line[1:2] in (b" ", b"#", b"\t"):
        raise DataError(
            f"Line {number} begins with # and has as many fields as the next: it may be a comment or the header",
            where=name,
            hint="Remove the line if it is a comment, or the # and the blank if it is the header.",
        )


def _first_records(head: bytes, at: int, *, whole: bool) -> list[bytes]:
    """Up to `_MAX_RECORDS` records from `at` on, their line ends included; one that is cut is left out."""
    records: list[bytes] = []
    start = end = at
    quotes = 0
    while len(records) < _MAX_RECORDS and end < len(head):
        newline = head.find(b"\n", end)
        stop = newline + 1 if newline >= 0 else len(head)
        quotes += head.count(b'"', end, stop)
        end = stop
        if quotes % 2 == 0 and (newline >= 0 or whole):
            records.append(head[start:end])
            start = end
    if not records and whole and start < len(head):
        return [head[start : head.find(b"\n", start) + 1 or len(head)]]
    return records


def _likely_delimiter(records: Sequence[bytes], said: str) -> str:
    """The one by which most records have as many fields as the first; of several, the one that makes more fields.

    A comma between digits is a decimal comma if semicolons make columns too.
    """
    texts = [record.decode("latin-1") for record in records if record.strip(b"\r\n")]
    candidates = "\t" + DELIMITERS if said == "tsv" else DELIMITERS
    best, best_score = candidates[0], (0.0, 0)
    for delimiter in candidates:
        rows = [_cells(text, delimiter) for text in texts]
        width = len(rows[0]) if rows else 1
        if width == 1:
            continue
        score = (sum(len(row) == width for row in rows) / len(rows), width)
        if delimiter == ";" and any(_DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in row):
            score = (score[0], 1 << 30)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ConfigurationError(
            f"{delimiter!r} cannot separate fields", hint="Give one ASCII character such as ',' or ';'."
        )


def _check_width(width: int, options: ReadOptions, name: str) -> None:
    if width > options.limits.columns:
        raise DataError(
            f"The file has {width:,} columns, and {options.limits.columns:,} are the most that are read",
            where=name,
            hint="If this is meant, raise the limits.",
        )


def _names_in(raw: bytes, delimiter: str, name: str, before: bytes) -> list[str]:
    """The fields of the first record, which has to be well formed also where others need not be."""
    line = before.count(b"\n") + 1
    if b"\0" in raw:
        at = raw.index(b"\0") + len(before)
        raise DataError(
            f"A NUL byte stands at byte {at:,} (line {line:,})",
            where=name,
            hint="The file is binary, UTF-16 without a mark (then say so: encoding utf-16-le), or damaged.",
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise not_utf8(name, raw[problem.start], len(before) + problem.start, line) from problem
    if raw in (b"\n", b"\r\n"):
        raise DataError(
            f"Line {line} is blank, but must hold the column names",
            where=name,
            hint="Remove the blank lines at the top.",
        )
    if not is_well_formed(raw, delimiter):
        raise DataError(
            f"Line {line} has a quote or a carriage return that does not fit",
            where=name,
            hint='Quote the whole field and write a quote inside it twice: "5"" pipe".',
        )
    return _cells(text, delimiter)


def _header_in(records: Sequence[bytes], delimiter: str, options: ReadOptions) -> tuple[bool, str]:
    """Whether the first record is a header, and what to tell if that is not sure."""
    rows = [_cells(record.decode("latin-1"), delimiter) for record in records if record.strip(b"\r\n")]
    first, others = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if options.columns and first != list(options.columns) and len(first) == len(options.columns):
        return False, _NO_HEADER
    if not others or not any(first) or options.types.keys() & set(first) or _is_set_apart(records, delimiter):
        return True, ""
    if all(_is_value(cell, delimiter) for row in (first, *others) for cell in row):
        return False, _NO_HEADER + _IF_IT_IS_ONE
    kinds = [_kind_of(name, below, delimiter) for name, *below in zip(first, *others, strict=True)]
    alike = [i for i, kind in enumerate(kinds) if kind == "value"]
    if "name" in kinds:
        return True, ""
    if not alike or _count_up([first[i] for i in alike]):
        return True, _DOUBTFUL_HEADER
    return False, f"{_NO_HEADER} in {_counted([str(i + 1) for i in alike])}{_IF_IT_IS_ONE}"


def _is_set_apart(records: Sequence[bytes], delimiter: str) -> bool:
    """Whether quotes are around all of the first record, but below, or in a column below, only where they must be."""
    texts = (record.decode("latin-1") for record in records if record.strip(b"\r\n"))
    first = _raw_fields(next(texts), delimiter)
    if not all(field.startswith('"') for field in first):
        return False
    others = [row for row in (_raw_fields(text, delimiter) for text in texts) if len(row) == len(first)]
    columns = [[field for field in below if field] for below in zip(*others, strict=True)]
    if not any(_is_quoted_freely(field, delimiter) for below in columns for field in below):
        return True
    return any(below and not any(field.startswith('"') for field in below) for below in columns)


def _is_quoted_freely(field: str, delimiter: str) -> bool:
    """Whether a field is in quotes and would be the same without them."""
    inside = field[1:-1]
    return (
        field.startswith('"') and inside == inside.strip() != "" and not set(inside) & {delimiter, *'"\r\n'}
    )


def _raw_fields(record: str, delimiter: str) -> list[str]:
    """The fields of one record with their quotes."""
    comma = re.escape(delimiter)
    return re.findall(rf'("(?:[^"]|"")*"|[^{comma}\r\n]*){comma}', record.rstrip("\r\n") + delimiter)


def _kind_of(first: str, below: Sequence[str], delimiter: str) -> Literal["name", "value", "either"]:
    """What the first cell of a column is, by the others."""
    cells = [cell for cell in below if cell and cell not in NO_VALUE]
    if not cells or not first or first in NO_VALUE:
        return "either"
    values = [_is_value(cell, delimiter) for cell in cells]
    if _is_value(first, delimiter):
        if not any(values):
            return "name"
        whole_among_fractions = _INTEGER.fullmatch(first) and not any(map(_INTEGER.fullmatch, cells))
        return "value" if all(values) and not whole_among_fractions else "either"
    only_there = any(not mark.search(first) and all(map(mark.search, cells)) for mark in _ONLY_IN_CELLS)
    return "name" if all(values) or only_there else "either"


def _count_up(names: Sequence[str]) -> bool:
    """Whether numbers are years or places one after the other, which are names rather than values."""
    if not all(_INTEGER.fullmatch(name) for name in names):
        return False
    numbers = [int(name) for name in names]
    steps = {after - before for before, after in pairwise(numbers)}
    years = len(numbers) > 1 and all(1900 <= number <= 2100 for number in numbers)
    return steps == {1} and (years or len(numbers) > 2)


def _unnamed_at_the_end(
    names: list[str], records: Sequence[bytes], delimiter: str
) -> tuple[list[str], tuple[str, ...]]:
    """The names, with stand-ins where the last columns have neither a name nor, as far as is seen, a value."""
    rows = [_cells(record.decode("latin-1"), delimiter) for record in records]
    named = len(names)
    while named and not names[named - 1].strip():
        named -= 1
    if not named or any(any(row[named:]) for row in rows[1:]):
        return names, ()
    unnamed: list[str] = []
    for place in range(named + 1, len(names) + 1):
        unnamed.append(next(one for n in count() if (one := f"column {place}" + "'" * n) not in names))
    return names[:named] + unnamed, tuple(unnamed)


def _what_to_do(records: Sequence[bytes], delimiter: str, before: bytes) -> str:
    """What to do about columns without a name: the table may begin further down, or the last ones are nearly empty."""
    line = before.count(b"\n") + 1
    names = _cells(records[0].decode("latin-1"), delimiter)
    named = max((i for i, name in enumerate(names, 1) if name.strip()), default=0)
    stray: list[str] = []
    for record in records:
        cells = _cells(record.decode("latin-1"), delimiter)
        if len(cells) > 1 and all(cell.strip() for cell in cells) and not stray:
            return f"The table may begin on line {line:,}: then remove the lines above it."
        if any(cell.strip() for cell in cells[named:]):
            stray.append(f"{line:,}")
        line += record.count(b"\n")
    if not stray or not all(name.strip() for name in names[:named]):
        return ""
    lines = "line" if len(stray) == 1 else "lines"
    return f"Name it, or remove what stands below it: look at {lines} {listed(stray, len(stray))}."


def _counted(places: Sequence[str]) -> str:
    """`column 2`, or `columns 2, 3 and 5`."""
    shown = list(places[:_MAX_LISTED])
    if len(shown) == 1:
        return f"column {shown[0]}"
    return f"columns {', '.join(shown[:-1])} and {shown[-1]}"


def _is_value(cell: str, delimiter: str) -> bool:
    """Whether a cell is a number, a date, a boolean or nothing."""
    return bool(_PLAIN_VALUE.fullmatch(cell) or (delimiter != "," and _DECIMAL_COMMA.fullmatch(cell)))


def _given_names(columns: Sequence[str], width: int, name: str) -> list[str]:
    if not columns:
        return [f"column_{i}" for i in range(1, width + 1)]
    if len(columns) != width:
        raise DataError(
            f"{len(columns)} column names are given, but the first record has {width} fields", where=name
        )
    check_names(columns, name)
    return list(columns)


def _cells(record: str, delimiter: str) -> list[str]:
    """The fields of one record, however it is quoted."""
    with long_fields_allowed():
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])


@contextmanager
def long_fields_allowed() -> Iterator[None]:
    """Raise the limit of 128 KB a field, which the `csv` module keeps for the whole process, for a while."""
    before = csv.field_size_limit(1 << 30)
    try:
        yield
    finally:
        csv.field_size_limit(before)
