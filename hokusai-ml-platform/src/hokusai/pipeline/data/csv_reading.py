"""Delimited text, strictly: the text is proved before anything is taken from it, and nothing is repaired in silence.

The file is read twice, in blocks that end where a record ends. The first pass proves each block (see `records`)
and finds the type of each column from all of its values. The second parses each block with Polars straight into
those types and compares the number of rows. So memory holds a block, not the file.

What is accepted, beside RFC 4180: a byte-order mark, LF, CRLF or both, or CR alone throughout; blank lines (no
records; also in files of one column); a last line without end. An unquoted empty field is null; a quoted one is the
empty text, or null in a column of numbers, dates or booleans.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hokusai.domain.manifest import SourceFile
from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.cell_types import CellType, ColumnTypes, fitting
from hokusai.pipeline.data.dialect import Dialect, dialect_of
from hokusai.pipeline.data.records import (
    NEVER_CLOSED,
    NUL_BYTE,
    WRONG_WIDTH,
    RecordBlocks,
    Records,
    cut,
    examine,
    prove,
    record_ranges,
    too_long,
)
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.source_file import OpenedFile, check_conservation, listed, not_utf8
from hokusai.pipeline.data.unpacking import ByteReader

if TYPE_CHECKING:
    import polars as pl

BLOCK_BYTES = 8 << 20
MAX_PROBLEMS = 20
MISFIT = "a value that does not fit its type"

_A_KIND = {
    CellType.BOOLEAN: "true or false",
    CellType.INTEGER: "a whole number of 64 bits",
    CellType.FLOAT: "a number",
    CellType.DATE: "a date such as 2024-02-29",
    CellType.DATETIME: "a time such as 2024-02-29 10:00:00",
    CellType.EMPTY: "empty",
}
_HINTS = {
    WRONG_WIDTH: "Quote fields that hold the separator, complete lines that were cut off, and try again.",
    NUL_BYTE: "The file is binary, UTF-16 without a mark, or damaged: export it as UTF-8 text.",
    MISFIT: "Correct the values, or leave them empty if they are unknown.",
}
_OTHER_HINT = (
    'Quote the whole field and write a quote inside it twice: "5"" pipe". Lines end with LF or CRLF.'
)


def scan_csv(file: OpenedFile, options: ReadOptions) -> DelimitedScan:
    """Prove a delimited text file.

    Args:
        file: The file.
        options: What is known about it; `types` of columns that it does not have are passed over.

    Raises:
        DataError: The text is not strict CSV and rows may not be rejected, or what follows a fault cannot be known;
            the lines concerned are named.
        ConfigurationError: The options cannot be followed.
    """
    dialect = dialect_of(file, options)
    declared = _declared(options.types, dialect.columns)
    proof = _Proof(file, dialect, options, declared)
    with dialect.opened(file) as text:
        proof.run(text)
    proof.finish()
    return DelimitedScan(file, dialect, proof)


class DelimitedScan:
    """A proved file; see `scan.TableScan`."""

    def __init__(self, file: OpenedFile, dialect: Dialect, proof: _Proof) -> None:
        self._file = file
        self._dialect = dialect
        self._blocks = tuple(proof.blocks)
        self._kinds = proof.types.result()
        self._comma_floats = proof.comma_floats
        self.rows_read = proof.records
        self.rejects = tuple(sorted(proof.rejects, key=lambda reject: reject.row))
        self.notes = tuple(proof.notes())
        self.source: SourceFile = file.source(
            "tsv" if dialect.delimiter == "\t" else "csv", dialect.delimiter, dialect.assumed
        )

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns' types, in the file's order."""
        import polars as pl

        types = {
            CellType.BOOLEAN: pl.Boolean(),
            CellType.INTEGER: pl.Int64(),
            CellType.FLOAT: pl.Float64(),
            CellType.DATE: pl.Date(),
            CellType.DATETIME: pl.Datetime("us"),
        }
        return {name: types.get(kind, pl.String()) for name, kind in self._kinds.items()}

    def batches(self) -> Iterator[pl.DataFrame]:
        """The rows, block by block."""
        import polars as pl

        parsed = {
            name: {CellType.INTEGER: pl.Int64, CellType.FLOAT: pl.Float64}.get(kind, pl.String)
            for name, kind in self._kinds.items()
        }
        parsed |= dict.fromkeys(self._comma_floats, pl.String)
        conversions = _conversions(self._kinds, self._comma_floats)
        with self._dialect.opened(self._file) as text:
            _exactly(text, self._dialect.skipped_bytes)
            for block in self._blocks:
                sound = cut(cut(_exactly(text, block.n_bytes), block.cuts), block.later_cuts)
                if block.rows:
                    batch = _parse(sound, self._dialect.delimiter, parsed).with_columns(conversions)
                    check_conservation(self._file.name, block.rows, batch.height)
                    yield batch


@dataclass(frozen=True, slots=True)
class _Block:
    """What the second pass has to know of a block: its length, its sound rows, and what is cut out of it."""

    n_bytes: int
    rows: int
    cuts: Sequence[tuple[int, int]] = ()
    later_cuts: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class _Proof:
    """The first pass: counts lines, bytes and records over the blocks, and keeps what is to be told."""

    file: OpenedFile
    dialect: Dialect
    options: ReadOptions
    declared: Mapping[str, CellType]
    types: ColumnTypes = field(init=False)
    comma_floats: frozenset[str] = field(init=False)
    blocks: list[_Block] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    records: int = 0
    lines: int = 0
    offset: int = 0

    def __post_init__(self) -> None:
        commas = self.dialect.delimiter != ","
        self.types = ColumnTypes(self.dialect.columns, self.declared, decimal_commas=commas)
        floats = {name for name, kind in self.declared.items() if kind is CellType.FLOAT}
        self.comma_floats = frozenset(floats if commas else ())

    def run(self, text: ByteReader) -> None:
        """Prove all blocks."""
        dialect = self.dialect
        _exactly(text, dialect.skipped_bytes)
        self.offset, self.lines = dialect.skipped_bytes + len(self.file.mark), dialect.skipped_lines
        blocks = RecordBlocks(text, BLOCK_BYTES, self.options.limits.record_bytes, self.file.name)
        for block in blocks:
            records = self._proved(block, last=blocks.ended)
            if records.consumed < len(block):
                blocks.put_back(block[records.consumed :])
            self._take(block[: records.consumed], records)

    def finish(self) -> None:
        """Raise what was found, if it is to be raised."""
        if self.reasons and self.options.on_error == "raise":
            raise self._refusal()
        if not self.records:
            raise DataError(
                "The file has a header but no rows",
                where=self.file.name,
                hint="Give a file with at least one row.",
            )

    def notes(self) -> list[str]:
        """What a reader should know."""
        return self.types.notes()

    def _proved(self, block: bytes, *, last: bool) -> Records:
        delimiter, width = self.dialect.delimiter, self.dialect.width
        sound = b"\0" not in block and self._is_utf8(block)
        records = prove(block, delimiter, width) if sound else None
        if records is None:
            records = examine(block, delimiter, width, last=last)
            again = prove(records.text, delimiter, width)
            records = replace(records, longest=again.longest if again else 0)
            if again is None or again.rows != records.rows:  # the two ways must agree on what is left
                check_conservation(self.file.name, records.rows, again.rows if again else 0)
        if records.longest > self.options.limits.record_bytes:
            raise too_long(self.options.limits.record_bytes, self.file.name)
        return records

    def _is_utf8(self, block: bytes) -> bool:
        if block.isascii():
            return True
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as problem:
            if self.file.bad_bytes:
                return False
            at = problem.start
            line = self.lines + block.count(b"\n", 0, at) + 1
            raise not_utf8(self.file.name, block[at], self.offset + at, line) from problem
        return True

    def _take(self, block: bytes, records: Records) -> None:
        lines = _line_numbers(block, [fault.start for fault in records.faults], self.lines)
        for fault, line in zip(records.faults, lines, strict=True):
            self._reject(
                fault.number, fault.reason, block[fault.start : fault.stop], line, detail=fault.detail
            )
        faulty = {fault.number for fault in records.faults}
        first = self.records + 1
        numbers: Sequence[int] = range(first, first + records.rows)
        if faulty:
            total = records.rows + len(faulty)
            numbers = [first + i for i in range(total) if i not in faulty]
        later = self._see(block, records, numbers) if records.rows else []
        self.blocks.append(_Block(len(block), records.rows - len(later), records.cuts, later))
        self.records += records.rows + len(faulty)
        self.lines += block.count(b"\n")
        self.offset += len(block)

    def _see(self, block: bytes, records: Records, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Learn from the cells of a block; gives the ranges of rows whose cells do not fit the declared types."""
        checked = [name for name, kind in self.declared.items() if kind is not CellType.TEXT]
        wanted = [*checked, *self.types.open]
        if not wanted or (self.reasons and self.options.on_error == "raise" and not checked):
            return []
        cells = _parse_texts(records.text, self.dialect, wanted)
        check_conservation(self.file.name, records.rows, cells.height)
        misfits = self._misfits(cells, checked)
        later: list[tuple[int, int]] = []
        if misfits:
            ranges = record_ranges(records.text)[list(misfits)].tolist()
            later = [(start, stop) for start, stop in ranges]
            starts = _before_cuts([start for start, _ in later], records.cuts)
            lines = _line_numbers(block, starts, self.lines)
            for (row, column), (start, stop), line in zip(misfits.items(), later, lines, strict=True):
                detail = f"not {_A_KIND[self.declared[column]]}"
                number = numbers[row] - self.records - 1
                self._reject(number, MISFIT, records.text[start:stop], line, column, detail)
            keep = [row for row in range(cells.height) if row not in misfits]
            cells, numbers = cells[keep], [numbers[row] for row in keep]
        self.types.see(cells, numbers)
        return later

    def _misfits(self, cells: pl.DataFrame, checked: Sequence[str]) -> dict[int, str]:
        """Rows with a cell that does not fit, in order, and the first such column of each."""
        found: dict[int, str] = {}
        for name in checked:
            column = _with_points(cells[name]) if name in self.comma_floats else cells[name]
            for row in (~fitting(column, self.declared[name])).arg_true():
                found.setdefault(int(row), name)
        return dict(sorted(found.items()))

    def _reject(
        self, number: int, reason: str, raw: bytes, line: int, column: str = "", detail: str = ""
    ) -> None:
        self.reasons[reason] += 1
        if self.options.on_error == "reject" or len(self.rejects) < MAX_PROBLEMS:
            digest = hashlib.sha256(raw).hexdigest()
            row = self.records + number + 1
            self.rejects.append(Reject(self.file.name, row, reason, column, detail, line, digest))

    def _refusal(self) -> DataError:
        n_rows = self.reasons.total()
        rejects = sorted(self.rejects, key=lambda reject: reject.row)
        if NEVER_CLOSED in self.reasons:
            n_after = self.reasons[NEVER_CLOSED] - 1
            n_rows -= n_after
            first = next(i for i, reject in enumerate(rejects) if reject.reason == NEVER_CLOSED)
            rejects = rejects[: first + 1]
        plural = "rows" if n_rows > 1 else "row"
        return DataError(
            f"{n_rows:,} {plural} cannot be read: {listed([_told(r) for r in rejects], n_rows, MAX_PROBLEMS)}",
            where=self.file.name,
            hint=_HINTS.get(rejects[0].reason, _OTHER_HINT),
        )


def _told(reject: Reject) -> str:
    column = f" in column {reject.column!r}" if reject.column else ""
    detail = f" ({reject.detail})" if reject.detail else ""
    return f"line {reject.line:,} has {reject.reason}{column}{detail}"


def _declared(types: Mapping[str, str], columns: Sequence[str]) -> dict[str, CellType]:
    try:
        return {name: CellType(types[name]) for name in columns if name in types}
    except ValueError as problem:
        raise ConfigurationError(
            f"A column cannot have this type: {problem}", hint=f"Types are {', '.join(CellType)}."
        ) from problem


def _parse_texts(text: bytes, dialect: Dialect, wanted: Sequence[str]) -> pl.DataFrame:
    """The wanted columns as text; the others are passed over, which saves half of the time."""
    import polars as pl

    schema = dict.fromkeys(dialect.columns, pl.String)
    chosen = set(wanted)
    positions = [i for i, name in enumerate(dialect.columns) if name in chosen]
    return pl.read_csv(
        text,
        has_header=False,
        schema=schema,
        separator=dialect.delimiter,
        infer_schema=False,
        columns=positions if len(positions) < dialect.width else None,
    )


def _parse(text: bytes, delimiter: str, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    import polars as pl

    return pl.read_csv(
        text, has_header=False, schema=dict(schema), separator=delimiter, infer_schema=False
    ).rechunk()


def _conversions(kinds: Mapping[str, CellType], comma_floats: frozenset[str]) -> list[pl.Expr]:
    """What turns the columns that were parsed as text into booleans, dates, times and numbers with a comma."""
    import polars as pl

    expressions = []
    for name, kind in kinds.items():
        if kind in (CellType.INTEGER, CellType.TEXT, CellType.EMPTY):
            continue
        present = pl.when(pl.col(name) != "").then(pl.col(name))
        if kind is CellType.BOOLEAN:
            expressions.append((present.str.to_lowercase() == "true").alias(name))
        elif kind is CellType.DATE:
            expressions.append(present.str.to_date("%Y-%m-%d").alias(name))
        elif kind is CellType.DATETIME:
            plain = present.str.replace("T", " ", literal=True)
            expressions.append(plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").alias(name))
        elif name in comma_floats:
            points = present.str.replace(",", ".", literal=True)
            expressions.append(points.cast(pl.Float64).alias(name))
    return expressions


def _with_points(cells: pl.Series) -> pl.Series:
    """Decimal commas as points; a second mark is left, so that the cell is no number."""
    return cells.str.replace(",", ".", literal=True)


def _line_numbers(block: bytes, positions: Sequence[int], lines_before: int) -> list[int]:
    """The line of each position, which are in order."""
    numbers, line, at = [], lines_before + 1, 0
    for position in positions:
        line += block.count(b"\n", at, position)
        at = position
        numbers.append(line)
    return numbers


def _before_cuts(positions: Sequence[int], cuts: Sequence[tuple[int, int]]) -> list[int]:
    """Where positions of the text after the cuts, which are in order, were before them."""
    found, cut_bytes, rest = [], 0, list(reversed(cuts))
    for position in positions:
        while rest and rest[-1][0] <= position + cut_bytes:
            start, stop = rest.pop()
            cut_bytes += stop - start
        found.append(position + cut_bytes)
    return found


def _exactly(text: ByteReader, n_bytes: int) -> bytes:
    parts: list[bytes] = []
    while n_bytes and (data := text.read(n_bytes)):
        parts.append(data)
        n_bytes -= len(data)
    return b"".join(parts)
