"""How a delimited text is written: its delimiter, its header, its line ends; found from its first records.

Lines on top that begin with # are comments, unless one has as many fields as the first other record: it and all
below it are the header or rows. Where it is said that there is no header, no line is a comment. Only four delimiters
are considered; whether the first record is a header, `headers` finds out. What was found, and what is in doubt, is
said in sentences, so that whoever reads the result can object.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.headers import DECIMAL_COMMA, cells_in, counted, header_in
from hokusai.pipeline.data.records import fields_of, is_well_formed
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.source_file import OpenedFile, listed, not_utf8
from hokusai.pipeline.data.unpacking import ByteReader

DELIMITERS = ",\t;|"

_HEAD_BYTES = 4 << 20
_MAX_RECORDS = 100
_AFTER_A_COMMENT_SIGN = (b" ", b"#", b"\t")
_QUOTED = re.compile(rb'"[^"]*"')
_SEPARATOR_LINE = re.compile(rb"sep=([^\r\n])\r?\n", re.IGNORECASE)
"""What a spreadsheet writes on top of a file, and hides when it reads it."""


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
    if spreadsheet:
        assumed.append("Its first line (sep=) was written by a spreadsheet, and left out")
    comments = [] if options.has_header is False else _comments(head, len(skipped))
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
    n_comments = _comments_above(comments, records[0], delimiter, file.name)
    if n_comments < len(comments):
        comments = comments[:n_comments]
        records = _first_records(head, len(skipped) + sum(map(len, comments)), whole=whole)
    if comments:
        assumed.append(f"Lines on top that begin with # were taken for comments: {len(comments)}")
    skipped += b"".join(comments)
    names = _names_in(records[0], delimiter, file.name, skipped)
    _check_width(len(names), options, file.name)
    has_header = options.has_header
    if has_header is None:
        has_header, doubt = header_in(records, delimiter, options)
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
            f"The header has no name for {counted(empty)} of {len(columns)}",
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


def _comments_above(lines: Sequence[bytes], record: bytes, delimiter: str, name: str) -> int:
    """How many of the lines are comments: those above the first that is like the header or a row (`#id,name`).

    Raises:
        DataError: The last of them has as many fields too, as `# made by us, today`: nobody knows what it is.
    """
    fields = fields_of(record, delimiter)
    alike = [line.startswith(b"#") and fields_of(line, delimiter) == fields for line in lines]
    plain = (i for i, line in enumerate(lines) if alike[i] and line[1:2] not in _AFTER_A_COMMENT_SIGN)
    number = next(plain, len(lines))
    if number and alike[number - 1]:
        raise DataError(
            f"Line {number} begins with # and has as many fields as the next: it may be a comment or the header",
            where=name,
            hint="Remove the line if it is a comment, or the # and the blank if it is the header. "
            "If it is a row, say that there is no header: --no-header.",
        )
    return number


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
        rows = [cells_in(text, delimiter) for text in texts]
        width = len(rows[0]) if rows else 1
        if width == 1:
            continue
        score = (sum(len(row) == width for row in rows) / len(rows), width)
        if delimiter == ";" and any(DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in row):
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
    return cells_in(text, delimiter)


def _unnamed_at_the_end(
    names: list[str], records: Sequence[bytes], delimiter: str
) -> tuple[list[str], tuple[str, ...]]:
    """The names, with stand-ins where the last columns have neither a name nor, as far as is seen, a value."""
    rows = [cells_in(record.decode("latin-1"), delimiter) for record in records]
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
    names = cells_in(records[0].decode("latin-1"), delimiter)
    named = max((i for i, name in enumerate(names, 1) if name.strip()), default=0)
    stray: list[str] = []
    for record in records:
        cells = cells_in(record.decode("latin-1"), delimiter)
        if len(cells) > 1 and all(cell.strip() for cell in cells) and not stray:
            return f"The table may begin on line {line:,}: then remove the lines above it."
        if any(cell.strip() for cell in cells[named:]):
            stray.append(f"{line:,}")
        line += record.count(b"\n")
    if not stray or not all(name.strip() for name in names[:named]):
        return ""
    lines = "line" if len(stray) == 1 else "lines"
    return f"Name it, or remove what stands below it: look at {lines} {listed(stray, len(stray))}."


def _given_names(columns: Sequence[str], width: int, name: str) -> list[str]:
    if not columns:
        return [f"column_{i}" for i in range(1, width + 1)]
    if len(columns) != width:
        raise DataError(
            f"{len(columns)} column names are given, but the first record has {width} fields", where=name
        )
    check_names(columns, name)
    return list(columns)
