"""What a Parquet and an Arrow file have in common once their bytes are open: two passes over Arrow batches."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hokusai.domain.manifest import SourceFile
from hokusai.errors import DataError, HokusaiError
from hokusai.pipeline.data.arrow_columns import (
    ArrowColumn,
    Batches,
    CellFault,
    Unpacked,
    bounded,
    columns_of,
    in_pieces,
)
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.source_file import check_conservation, listed

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from hokusai.pipeline.data.source_file import OpenedFile

MAX_PROBLEMS = 20
_KINDS = {"parquet": "Parquet", "arrow": "Arrow"}


class ArrowReader(Protocol):
    """A file that gives Arrow batches."""

    schema: pa.Schema
    rows: int | None
    """As the file states them; None if it does not."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order, as often as asked.

        Raises:
            DataError: The file is damaged.
        """


@dataclass(frozen=True, slots=True)
class ArrowScan:
    """A Parquet or Arrow file that was proved; a `TableScan`."""

    source: SourceFile
    rows_read: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]
    columns: tuple[ArrowColumn, ...]
    reader: ArrowReader
    file: OpenedFile
    options: ReadOptions

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns' types in the table, in the file's order."""
        return {column.name: column.dtype for column in self.columns}

    def batches(self) -> Iterator[pl.DataFrame]:
        """See `TableScan`.

        Raises:
            DataError: The file was changed, or the rows are not those that were proved.
        """
        import polars as pl

        kind = _KINDS[self.source.format]
        rejected = [reject.row for reject in self.rejects]
        settling = Batches(self.columns, Unpacked(self.file, self.options.limits))
        rows = 0
        for batch in _pieces(self.reader, kind, self.file.name):
            with damage_named(kind, self.file.name):
                frame = settling.settle(batch)
            first, rows = rows + 1, rows + frame.height
            low, high = bisect.bisect_left(rejected, first), bisect.bisect_right(rejected, rows)
            if {fault.row + first for fault in settling.faults} != set(rejected[low:high]):
                break
            if low < high:
                numbers = pl.int_range(first, rows + 1, eager=True)
                frame = frame.filter(~numbers.is_in(rejected[low:high]))
            if frame.height:
                yield from bounded(frame)
        check_conservation(self.file.name, self.rows_read, rows)

    def locate(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Digests of rows, which stand on no line; see `scan.LocatingScan`."""
        wanted = list(rows)
        settling = Batches(self.columns, Unpacked(self.file, self.options.limits))
        kind = _KINDS[self.source.format]
        before = 0
        for batch in _pieces(self.reader, kind, self.file.name) if wanted else ():
            with damage_named(kind, self.file.name):
                frame = settling.settle(batch)
            low, high = (bisect.bisect_right(wanted, at) for at in (before, before + frame.height))
            for digest in _digests(frame, [row - before - 1 for row in wanted[low:high]]):
                yield 0, digest
            before += frame.height


def prove(file: OpenedFile, options: ReadOptions, found: str, reader: ArrowReader) -> ArrowScan:
    """Read all values once.

    Raises:
        DataError: The file is damaged or beyond the limits, a column cannot be part of a table, or a value cannot be
            kept and `options.on_error` is `raise`.
    """
    kind = _KINDS[found]
    columns = tuple(columns_of(reader.schema, options, file.name))
    settling = Batches(columns, Unpacked(file, options.limits))
    rejects: list[Reject] = []
    problems: list[str] = []
    n_problems = rows = 0
    for batch in _pieces(reader, kind, file.name):
        with damage_named(kind, file.name):
            frame = settling.settle(batch)
        for fault in settling.faults if options.on_error == "raise" else ():
            n_problems += 1
            if len(problems) < MAX_PROBLEMS:
                problems.append(f"column {fault.column!r}, row {rows + fault.row + 1:,} {fault.told}")
        if options.on_error == "reject":
            rejects += _rejects(settling.faults, frame, rows, file.name)
        rows += frame.height
    if n_problems:
        plural = "values" if n_problems > 1 else "value"
        raise DataError(
            f"{n_problems:,} {plural} cannot be kept: {listed(problems, n_problems, MAX_PROBLEMS)}",
            where=file.name,
            hint="Correct them, make them null if they are unknown, or store long identifiers as text.",
        )
    check_conservation(file.name, rows if reader.rows is None else reader.rows, rows)
    if not columns:
        raise DataError("The file has no columns", where=file.name, hint="Give a file with rows.")
    if len(rejects) == rows:
        raise DataError("No row can be used", where=file.name, hint="Give a file with at least one row.")
    return ArrowScan(
        source=file.source(found),
        rows_read=rows,
        rejects=tuple(rejects),
        notes=tuple(column.note for column in columns if column.note),
        columns=columns,
        reader=reader,
        file=file,
        options=options,
    )


@contextmanager
def damage_named(kind: str, name: str) -> Iterator[None]:
    """Whatever the readers raise at a damaged file becomes a `DataError` that says so."""
    import polars as pl
    import pyarrow as pa

    try:
        yield
    except HokusaiError:
        raise
    except (
        pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError, ValueError,
        LookupError, TypeError, OverflowError,
    ) as problem:  # fmt: skip
        told = isinstance(problem, pa.ArrowException | OSError)  # others may quote values
        first_line = (str(problem).splitlines() if told else None) or [type(problem).__name__]
        raise DataError(
            f"The {kind} file is damaged or not readable: {first_line[0][:200]}",
            where=name,
            hint="Copy or export it again.",
        ) from problem


def _pieces(reader: ArrowReader, kind: str, name: str) -> Iterator[pa.RecordBatch]:
    for batch in reader.batches():
        with damage_named(kind, name):
            pieces = list(in_pieces(batch))
        yield from pieces


def _rejects(faults: list[CellFault], frame: pl.DataFrame, rows_before: int, name: str) -> list[Reject]:
    """One reject a row, for the first of its columns that is at fault."""
    first: dict[int, CellFault] = {}
    for fault in faults:
        first.setdefault(fault.row, fault)
    at_fault = sorted(first.items())
    return [
        Reject(name, rows_before + row + 1, fault.reason, fault.column, fault.detail, sha256=digest)
        for (row, fault), digest in zip(at_fault, _digests(frame, sorted(first)), strict=True)
    ]


def _digests(frame: pl.DataFrame, positions: list[int]) -> list[str]:
    """The digests of rows as they were read; values that could not be kept are missing there."""
    return [digest.tobytes().hex() for digest in row_digests(frame[positions])] if positions else []
