"""Delimited text, strictly: the text is proved before anything is taken from it, and nothing is repaired in silence.

The file is read twice, in blocks that end where a record ends. The first pass (`csv_proof`) proves each block
and finds the type of each column from all of its values. The second parses each block with Polars straight into
those types and compares the number of rows. So memory holds a block, not the file.

What is accepted, beside RFC 4180: a byte-order mark, LF, CRLF or both, or CR alone throughout; blank lines (no
records; in files of one column a note counts them); a last line without end. An unquoted empty field is null; a
quoted one is the empty text, or null in a column of numbers, dates or booleans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from hokusai.domain.manifest import SourceFile
from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.columns import cells_of, col
from hokusai.pipeline.data.csv_proof import Proof, before_cuts, line_numbers
from hokusai.pipeline.data.dialect import Dialect, dialect_of
from hokusai.pipeline.data.records import cut, record_ranges
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.source_file import OpenedFile, check_conservation
from hokusai.pipeline.data.unpacking import exactly

if TYPE_CHECKING:
    import polars as pl


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
    proof = Proof(file, dialect, options)
    with dialect.opened(file) as text:
        proof.run(text)
    proof.finish()
    return DelimitedScan(file, dialect, proof)


class DelimitedScan:
    """A proved file; see `scan.TableScan`."""

    def __init__(self, file: OpenedFile, dialect: Dialect, proof: Proof) -> None:
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
    def valueless(self) -> frozenset[str]:
        """See `scan.TextScan`."""
        return frozenset(name for name, kind in self._kinds.items() if kind is CellType.EMPTY)

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
        parsed |= dict.fromkeys(self._dialect.unnamed, pl.String)
        parsed |= dict.fromkeys(self._comma_floats, pl.String)
        times = {name: dtype for name, dtype in self.schema.items() if dtype.is_temporal()}
        conversions = _conversions(self._kinds, self._comma_floats)
        with self._dialect.opened(self._file) as text:
            exactly(text, self._dialect.skipped_bytes)
            for block in self._blocks:
                sound = cut(cut(exactly(text, block.n_bytes), block.cuts), block.later_cuts)
                if block.rows:
                    batch = _parse(sound, self._dialect.delimiter, parsed).with_columns(conversions)
                    batch = batch.with_columns(
                        _times(cells_of(batch, name), dtype).alias(name) for name, dtype in times.items()
                    )
                    batch = batch[:, : len(self._kinds)] if self._dialect.unnamed else batch
                    check_conservation(self._file.name, block.rows, batch.height)
                    yield batch

    def locate(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Line and digest of rows; see `scan.LocatingScan`."""
        import numpy as np

        numbers = np.fromiter(rows, dtype=np.int64)
        unread = np.fromiter((reject.row for reject in self.rejects), dtype=np.int64)
        places = numbers - 1 - np.searchsorted(unread, numbers)
        first, lines = 0, self._dialect.skipped_lines
        with self._dialect.opened(self._file) as text:
            exactly(text, self._dialect.skipped_bytes)
            for block in self._blocks:
                raw = exactly(text, block.n_bytes)
                here = places[(first <= places) & (places < first + block.rows)] - first
                if len(here):
                    sound = cut(cut(raw, block.cuts), block.later_cuts)
                    ranges = record_ranges(sound)[here].tolist()
                    starts = before_cuts([start for start, _ in ranges], block.later_cuts)
                    found = line_numbers(raw, before_cuts(starts, block.cuts), lines)
                    for (start, stop), line in zip(ranges, found, strict=True):
                        yield line, hashlib.sha256(sound[start:stop]).hexdigest()
                first += block.rows
                lines += raw.count(b"\n")


def _parse(text: bytes, delimiter: str, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    import polars as pl

    return pl.read_csv(text, has_header=False, schema=dict(schema), separator=delimiter, infer_schema=False)


def _conversions(kinds: Mapping[str, CellType], comma_floats: frozenset[str]) -> list[pl.Expr]:
    """What turns the columns that were parsed as text into booleans and numbers with a comma; and takes the empty text
    out of those of days and times.
    """
    import polars as pl

    expressions = []
    for name, kind in kinds.items():
        if kind in (CellType.INTEGER, CellType.TEXT, CellType.EMPTY):
            continue
        present = pl.when(col(name) != "").then(col(name))
        if kind is CellType.BOOLEAN:
            expressions.append((present.str.to_lowercase() == "true").alias(name))
        elif kind in (CellType.DATE, CellType.DATETIME):
            expressions.append(present.alias(name))
        elif name in comma_floats:
            points = present.str.replace(",", ".", literal=True)
            expressions.append(points.cast(pl.Float64).alias(name))
    return expressions


def _times(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Days or times from texts that all are such; Arrow reads them ten times as fast as Polars, which knows formats."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc

    arrow = pa.date32() if dtype == pl.Date else pa.timestamp("us")
    return pl.Series(pc.cast(cells.to_arrow(), arrow), dtype=dtype)
