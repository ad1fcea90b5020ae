"""The first pass over a delimited text: every block is proved, and the type of each column found.

What cannot be read is noted with its reason, and so is what the second pass must leave out. No value of the file is
kept or told. The digests of rejected records are those of their bytes in UTF-8, which are the file's own unless it has
another encoding.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.cell_types import CellType, ColumnTypes, all_fit, fitting
from hokusai.pipeline.data.column_values import WRONG_TYPE, expected
from hokusai.pipeline.data.columns import cells_of
from hokusai.pipeline.data.dialect import Dialect
from hokusai.pipeline.data.quick_proof import quick_proof
from hokusai.pipeline.data.records import (
    NEVER_CLOSED,
    NUL_BYTE,
    WRONG_WIDTH,
    RecordBlocks,
    Records,
    examine,
    prove,
    record_ranges,
    too_long,
)
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.source_file import OpenedFile, check_conservation, listed, not_utf8
from hokusai.pipeline.data.unpacking import ByteReader, exactly

if TYPE_CHECKING:
    import polars as pl

BLOCK_BYTES = 8 << 20
MAX_PROBLEMS = 20
UNNAMED = "a value in a column without a name"

_HINTS = {
    WRONG_WIDTH: "Quote fields that hold the separator, complete lines that were cut off, and try again.",
    NUL_BYTE: "The file is binary, UTF-16 without a mark, or damaged: export it as UTF-8 text.",
    WRONG_TYPE: "Correct the values, or leave them empty if they are unknown.",
    UNNAMED: "Name the column in the header, or remove the value.",
}
_OTHER_HINT = (
    'Quote the whole field and write a quote inside it twice: "5"" pipe". Lines end with LF or CRLF.'
)


@dataclass(frozen=True, slots=True)
class ProvedBlock:
    """What the second pass has to know of a block: its length, its sound rows, and what is cut out of it."""

    n_bytes: int
    rows: int
    cuts: Sequence[tuple[int, int]] = ()
    later_cuts: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class Proof:
    """The first pass: counts lines, bytes and records over the blocks, and keeps what is to be told.

    Args:
        file: The file.
        dialect: How it is written.
        options: What is known about it.

    Attributes:
        types: What was learnt of the columns.
        comma_floats: Columns that are declared to be numbers, and may have a decimal comma.
        blocks: For the second pass.
        rejects: Rows that cannot be read, or the first of them if they are to be raised.
        reasons: How many rows there are for each reason.
        records: Records counted, rejected ones included.
        lines: Lines counted, from the beginning of the file.
        offset: Bytes of the text, likewise.
        empty: Rows that have no value in any column.
        first_empty: The number of the first of them.
        blank: Blank lines, which are no rows.
    """

    file: OpenedFile
    dialect: Dialect
    options: ReadOptions
    declared: Mapping[str, CellType] = field(init=False)
    types: ColumnTypes = field(init=False)
    comma_floats: frozenset[str] = field(init=False)
    blocks: list[ProvedBlock] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    records: int = 0
    lines: int = 0
    offset: int = 0
    empty: int = 0
    first_empty: int = 0
    blank: int = 0

    def __post_init__(self) -> None:
        named = [name for name in self.dialect.columns if name not in self.dialect.unnamed]
        self.declared = _declared(self.options.types, named)
        commas = self.dialect.delimiter != ","
        self.types = ColumnTypes(named, self.declared, decimal_commas=commas)
        floats = {name for name, kind in self.declared.items() if kind is CellType.FLOAT}
        self.comma_floats = frozenset(floats if commas else ())

    def run(self, text: ByteReader) -> None:
        """Prove all blocks."""
        dialect = self.dialect
        exactly(text, dialect.skipped_bytes)
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
        notes = self.types.notes()
        if self.empty:
            rows = f"{self.empty:,} rows have" if self.empty > 1 else "1 row has"
            notes.append(f"{rows} no value in any column; the first is row {self.first_empty:,}")
        if self.blank and self.dialect.width == 1:
            lines = f"{self.blank:,} blank lines were" if self.blank > 1 else "1 blank line was"
            notes.append(
                f'{lines} not taken for rows; in a file of one column a missing value is written as ""'
            )
        return notes

    def _proved(self, block: bytes, *, last: bool) -> Records:
        delimiter, width = self.dialect.delimiter, self.dialect.width
        sound = self._is_utf8(block) and b"\0" not in block
        records = None
        if sound:
            records = quick_proof(block, delimiter, self._likely()) or prove(block, delimiter, width)
        if records is None:
            records = examine(block, delimiter, width, last=last)
            again = prove(records.text, delimiter, width)
            records = replace(
                records, longest=again.longest if again else 0, empty=again.empty if again else ()
            )
            if again is None or again.rows != records.rows:  # the two ways must agree on what is left
                check_conservation(self.file.name, records.rows, again.rows if again else 0)
        if records.longest > self.options.limits.record_bytes:
            raise too_long(self.options.limits.record_bytes, self.file.name)
        return records

    @property
    def _checked(self) -> list[str]:
        """The columns whose cells must fit what was declared."""
        return [name for name, kind in self.declared.items() if kind is not CellType.TEXT]

    def _likely(self) -> list[CellType | None]:
        """What the cells of each column will be, unless the next block surprises."""
        likely = self.types.likely | {name: self.declared[name] for name in self._checked}
        return [None if name in self.comma_floats else likely.get(name) for name in self.dialect.columns]

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
        lines = line_numbers(block, [fault.start for fault in records.faults], self.lines)
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
        if records.empty:
            self.empty += len(records.empty)
            self.first_empty = self.first_empty or numbers[records.empty[0]]
        later = self._see(block, records, numbers) if records.rows else []
        self.blocks.append(ProvedBlock(len(block), records.rows - len(later), records.cuts, later))
        self.records += records.rows + len(faulty)
        self.lines += records.lines
        self.blank += records.blank
        self.offset += len(block)

    def _see(self, block: bytes, records: Records, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Learn from the cells of a block; gives the ranges of rows whose cells do not fit the declared types."""
        settled = {self.dialect.columns[at] for at in records.settled}
        checked = [*(name for name in self._checked if name not in settled), *self.dialect.unnamed]
        wanted = [*checked, *(name for name in self.types.open if name not in settled)]
        if not wanted or (self.reasons and self.options.on_error == "raise" and not checked):
            return []
        cells = _parse_texts(records.text, self.dialect, wanted)
        check_conservation(self.file.name, records.rows, cells.height)
        misfits = self._misfits(cells, checked)
        later: list[tuple[int, int]] = []
        if misfits:
            ranges = record_ranges(records.text)[list(misfits)].tolist()
            later = [(start, stop) for start, stop in ranges]
            starts = before_cuts([start for start, _ in later], records.cuts)
            lines = line_numbers(block, starts, self.lines)
            for (row, column), (start, stop), line in zip(misfits.items(), later, lines, strict=True):
                number, raw = numbers[row] - self.records - 1, records.text[start:stop]
                if column in self.dialect.unnamed:
                    place = self.dialect.columns.index(column) + 1
                    self._reject(number, UNNAMED, raw, line, detail=f"column {place} of {self.dialect.width}")
                    continue
                self._reject(number, WRONG_TYPE, raw, line, column, expected(self.declared[column]))
            keep = [row for row in range(cells.height) if row not in misfits]
            cells, numbers = cells[keep], [numbers[row] for row in keep]
        self.types.see(cells, numbers)
        return later

    def _misfits(self, cells: pl.DataFrame, checked: Sequence[str]) -> dict[int, str]:
        """Rows with a cell that does not fit, in order, and the first such column of each."""
        found: dict[int, str] = {}
        for name in checked:
            column = cells_of(cells, name)
            if name in self.dialect.unnamed:
                for row in (column.is_not_null() & (column != "")).arg_true():
                    found.setdefault(int(row), name)
                continue
            column = _with_points(column) if name in self.comma_floats else column
            kind = self.declared[name]
            for row in () if all_fit(column, kind) else (~fitting(column, kind)).arg_true():
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
            n_rows -= self.reasons[NEVER_CLOSED] - 1  # the lines after it follow from it
            while len(rejects) > 1 and rejects[-2].reason == NEVER_CLOSED:
                rejects.pop()
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


def _with_points(cells: pl.Series) -> pl.Series:
    """Decimal commas as points; a second mark is left, so that the cell is no number."""
    return cells.str.replace(",", ".", literal=True)


def line_numbers(block: bytes, positions: Sequence[int], lines_before: int) -> list[int]:
    """The line of each position, which are in order."""
    numbers, line, at = [], lines_before + 1, 0
    for position in positions:
        line += block.count(b"\n", at, position)
        at = position
        numbers.append(line)
    return numbers


def before_cuts(positions: Sequence[int], cuts: Sequence[tuple[int, int]]) -> list[int]:
    """Where positions of the text after the cuts, which are in order, were before them."""
    found, cut_bytes, rest = [], 0, list(reversed(cuts))
    for position in positions:
        while rest and rest[-1][0] <= position + cut_bytes:
            start, stop = rest.pop()
            cut_bytes += stop - start
        found.append(position + cut_bytes)
    return found
