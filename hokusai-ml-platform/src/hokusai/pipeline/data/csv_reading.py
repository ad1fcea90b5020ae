"""CSV and TSV, strictly: the text is checked before anything is parsed, and nothing is repaired in silence.

The file is read in blocks that end where a record ends, twice. The first pass proves the text (UTF-8, no NUL,
quotes that match, as many fields in every record as in the header; counted with the standard library's `csv`,
or by position in a block without quotes) and finds the type of each column from all of its values. The second
parses each block with Polars into those types and compares the number of rows, block by block. So memory
holds the frame and one block, not the file.

What is accepted, beside RFC 4180: a UTF-8 byte-order mark, LF and CRLF mixed, blank lines (no records; also
in files of one column), a last line without end. An unquoted empty field is null; a quoted one is the empty
text, or null in a column of numbers, dates or booleans.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai.errors import DataError
from hokusai.pipeline.data.cell_types import CellType, ColumnTypes
from hokusai.pipeline.data.source_file import (
    MAX_RECORD_BYTES,
    HashedFile,
    check_conservation,
    listed,
    not_utf8,
)

if TYPE_CHECKING:
    import polars as pl

BLOCK_BYTES = 8 << 20
MAX_PROBLEMS = 20

_BOM = b"\xef\xbb\xbf"
_BARE_CR = re.compile(r'"[^"]*+"?+|(\r(?!\n))')
_BLANK_LINE = re.compile(rb'("[^"]*+")|^\r?\n|^\r?\Z', re.MULTILINE)
_WELL_QUOTED = {
    delimiter: re.compile(
        rf'(?:[^"]++|(?<![^{delimiter}\r\n])(?:"[^"]*+")++(?![^{delimiter}\r\n]))*+'.replace("\t", r"\t")
    )
    for delimiter in (",", "\t")
}


def read_csv(file: HashedFile, delimiter: str) -> tuple[pl.DataFrame, int, list[str]]:
    """Read a delimited text file with a header line.

    Returns:
        The frame, the number of records counted, and notes for people.

    Raises:
        DataError: The text is not strict CSV; the lines concerned are named.
    """
    import polars as pl

    blocks = record_blocks(file.read, BLOCK_BYTES)
    first = next(blocks, b"")
    header_bytes, header_lines, columns = _header(first, delimiter, file.name)
    check = _TextCheck(file.name, delimiter, len(columns), header_lines, len(header_bytes))
    types = ColumnTypes(columns)
    for block in _with_first(first[len(header_bytes) :], blocks):
        if check.block(block) and not check.problems:
            types.see(_parse(block, delimiter, dict.fromkeys(columns, pl.String)))
    check.finish()
    found = types.result()

    file.stream.seek(0)
    schema = {name: _parse_type(kind) for name, kind in found.items()}
    again = record_blocks(file.stream.read, BLOCK_BYTES)
    first = next(again, b"")
    parts: list[pl.DataFrame] = []
    for block, expected in zip(
        _with_first(first[len(header_bytes) :], again), check.records_by_block, strict=True
    ):
        if expected:
            part = _parse(block, delimiter, schema).with_columns(_conversions(found))
            check_conservation(file.name, expected, part.height)
            parts.append(part.rechunk())
    frame = pl.concat(parts, rechunk=False)
    _refuse_overflow(frame, file.name)
    return frame, check.records, types.notes()


def record_blocks(read: Callable[[int], bytes], block_bytes: int) -> Iterator[bytes]:
    """Pieces of about `block_bytes`, each ending at the end of a record.

    A line end is the end of a record if the number of quotes before it is even. A piece longer than
    `MAX_RECORD_BYTES` without such an end is given out as it is: the check then finds what is wrong with it.
    """
    pending = b""
    while chunk := read(block_bytes):
        pending += chunk
        end = _last_record_end(pending)
        if not end and len(pending) > MAX_RECORD_BYTES:
            end = len(pending)
        if end:
            yield pending[:end]
            pending = pending[end:]
    if pending:
        yield pending


@dataclass(slots=True)
class _TextCheck:
    """What must hold of the text before it is parsed; counts lines, bytes and records over the blocks."""

    name: str
    delimiter: str
    width: int
    lines: int
    offset: int
    records: int = 0
    records_by_block: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    n_problems: int = 0

    def block(self, block: bytes) -> int:
        """Check one block; gives its number of records."""
        text = self._decoded(block)
        self._check_line_ends(text)
        if '"' in text:
            self._check_quotes(text)
            records, lines = self._count(text)
        else:
            records, lines = self._count_unquoted(block)
        self.records += records
        self.records_by_block.append(records)
        self.lines += lines
        self.offset += len(block)
        return records

    def finish(self) -> None:
        """Raise what was found over all blocks."""
        if self.n_problems:
            plural = "lines do" if self.n_problems > 1 else "line does"
            raise DataError(
                f"{self.n_problems:,} {plural} not have the {self.width} fields of the header: "
                + listed(self.problems, self.n_problems, MAX_PROBLEMS),
                where=self.name,
                hint="Quote fields that hold the separator, complete lines that were cut off, and try again.",
            )
        if not self.records:
            raise DataError(
                "The file has a header but no rows",
                where=self.name,
                hint="Give a file with at least one row.",
            )

    def _decoded(self, block: bytes) -> str:
        nul = block.find(b"\0")
        if nul >= 0:
            raise DataError(
                f"A NUL byte stands at byte {self.offset + nul:,} (line {self._line_at(block, nul)})",
                where=self.name,
                hint="The file is binary, UTF-16 without a mark, or damaged: export it as UTF-8 text.",
            )
        try:
            return block.decode("utf-8")
        except UnicodeDecodeError as problem:
            at = problem.start
            raise not_utf8(self.name, block[at], self.offset + at, self._line_at(block, at)) from problem

    def _line_at(self, block: bytes, position: int) -> int:
        return self.lines + block.count(b"\n", 0, position) + 1

    def _check_line_ends(self, text: str) -> None:
        if "\r" not in text or text.count("\r") == text.count("\r\n"):
            return
        for match in _BARE_CR.finditer(text):
            if match.group(1):
                line = self.lines + text.count("\n", 0, match.start()) + 1
                raise DataError(
                    f"Line {line} has a carriage return (CR) without a line feed (LF)",
                    where=self.name,
                    hint="Line ends must be LF or CRLF; convert old Mac files with: tr '\\r' '\\n'.",
                )

    def _check_quotes(self, text: str) -> None:
        match = _WELL_QUOTED[self.delimiter].match(text)
        end = match.end() if match else 0
        if end != len(text):
            line = self.lines + text.count("\n", 0, end) + 1
            start = max(text.rfind("\n", 0, end) + 1, end - 30)
            snippet = text[start : end + 30].splitlines()[0]
            raise DataError(
                f"Line {line} has a quote that does not fit, in {snippet!r}: "
                "it is never closed, or text stands before or after the quoted field",
                where=self.name,
                hint='Quote the whole field and write a quote inside it twice: "5"" pipe".',
            )

    def _count(self, text: str) -> tuple[int, int]:
        """Records and physical lines of `text`, by the standard library's parser."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        records, width, line = 0, self.width, 1
        with _long_fields_allowed():
            try:
                for row in reader:
                    if len(row) != width and row:
                        self._wrong_width(self.lines + line, len(row))
                    records += bool(row)
                    line = reader.line_num + 1
            except csv.Error as problem:
                raise DataError(
                    f"Line {self.lines + line} is not CSV: {problem}",
                    where=self.name,
                    hint="Correct the line, or export the file again.",
                ) from problem
        return records, reader.line_num

    def _count_unquoted(self, block: bytes) -> tuple[int, int]:
        """The same where no quote stands, so that every line is a record; by position, ten times faster."""
        import numpy as np

        if not block:
            return 0, 0
        data = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(data))
        starts = np.concatenate(([0], ends[:-1] + 1))
        separators = np.flatnonzero(data == ord(self.delimiter))
        widths = np.diff(np.searchsorted(separators, ends), prepend=0) + 1
        lengths = ends - starts
        blank = (lengths == 0) | ((lengths == 1) & (data[np.minimum(starts, len(data) - 1)] == ord("\r")))
        for line in np.flatnonzero(~blank & (widths != self.width)):
            self._wrong_width(self.lines + int(line) + 1, int(widths[line]))
        return int((~blank).sum()), len(ends)

    def _wrong_width(self, line: int, width: int) -> None:
        self.n_problems += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"line {line:,} has {width}")


def _header(block: bytes, delimiter: str, name: str) -> tuple[bytes, int, list[str]]:
    """The header's bytes, its number of lines, and the column names."""
    end = _first_record_end(block)
    raw = block[:end]
    check = _TextCheck(name, delimiter, 0, 0, 0)
    text = check._decoded(raw).removeprefix("\ufeff")
    check._check_line_ends(text)
    check._check_quotes(text)
    with _long_fields_allowed():
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    if not rows or not rows[0]:
        raise DataError(
            "Line 1 is blank, but must hold the column names",
            where=name,
            hint="Remove the blank lines at the top.",
        )
    columns = rows[0]
    check_names(columns, name)
    return raw, text.count("\n"), columns


def check_names(columns: Sequence[str], name: str) -> None:
    """Check that every column has a name of its own.

    Raises:
        DataError: A name is empty or stands twice; positions are counted from 1.
    """
    empty = [str(i) for i, column in enumerate(columns, 1) if not column.strip()]
    if empty:
        raise DataError(
            f"The header has no name for column {', '.join(empty[:MAX_PROBLEMS])} of {len(columns)}",
            where=name,
            hint="Name every column, or remove it (spreadsheets and pandas add a nameless "
            "index: index=False).",
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


def _parse(block: bytes, delimiter: str, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    import polars as pl

    block = block.removeprefix(_BOM)
    if block[:1] in (b"\n", b"\r") or b"\n\n" in block or b"\n\r\n" in block:
        block = _BLANK_LINE.sub(rb"\1", block)
    return pl.read_csv(block, has_header=False, schema=schema, separator=delimiter, infer_schema=False)


def _parse_type(kind: CellType) -> type[pl.DataType]:
    import polars as pl

    return {CellType.INTEGER: pl.Int64, CellType.FLOAT: pl.Float64}.get(kind, pl.String)


def _conversions(found: dict[str, CellType]) -> list[pl.Expr]:
    """What turns the columns that were parsed as text into booleans, dates and times."""
    import polars as pl

    expressions = []
    for name, kind in found.items():
        present = pl.when(pl.col(name) != "").then(pl.col(name))
        if kind is CellType.BOOLEAN:
            expressions.append((present.str.to_lowercase() == "true").alias(name))
        elif kind is CellType.DATE:
            expressions.append(present.str.to_date("%Y-%m-%d").alias(name))
        elif kind is CellType.DATETIME:
            plain = present.str.replace("T", " ", literal=True)
            expressions.append(plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").alias(name))
    return expressions


def _refuse_overflow(frame: pl.DataFrame, name: str) -> None:
    import polars as pl

    for column in frame.select(pl.col(pl.Float64)).get_columns():
        infinite = column.is_infinite()
        if infinite.any():
            row = infinite.arg_true()[0] + 1
            raise DataError(
                f"Column {column.name!r}, row {row:,} holds a number beyond the range of a "
                "double (about 1.8e308)",
                where=name,
                hint="Correct the value, or leave the field empty if it is unknown.",
            )


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _first_record_end(data: bytes) -> int:
    quotes, start = 0, 0
    while (newline := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, newline)
        start = newline + 1
        if quotes % 2 == 0:
            return start
    return len(data)


def _last_record_end(data: bytes) -> int:
    """Position after the last line end outside quotes; 0 if there is none."""
    quotes, end = data.count(b'"'), len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


@contextmanager
def _long_fields_allowed() -> Iterator[None]:
    """Raise the limit of 128 KB a field, which the `csv` module keeps for the whole process, for a while."""
    before = csv.field_size_limit(MAX_RECORD_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)
