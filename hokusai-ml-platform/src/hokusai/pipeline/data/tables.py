"""The data step: from the names of files to the frames of a run.

The map of what happens to data here, each in its own file:

- `files`: which files are meant, and whether they can be read at all
- `reading`: one file into a scan or a table, every record accounted for; `scan` says what a scan is
- `source_file`, `unpacking`, `encodings`, `formats`: its bytes, digested; what they are
- `csv_reading` (`dialect`, `headers`, `csv_proof`, `records`, `byte_bits`, `cell_types`), `json_reading`,
  `parquet_reading`, `arrow_reading`: one reader a format
- `reconcile`: one type for each column over all files
- `row_matching`: which rows are equal
- `integration`: contributions join the base data; leaks, duplicates and unlabelled rows are counted and left
out - `benchmark`: the rows to measure on, and their bytes - `task`: what is predicted from what - `quality`:
how good the data is, and the manifest - `dry_run`: mock data

This file reads several files at once, for base and benchmark data that come in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.errors import DataError, SchemaError
from hokusai.pipeline.data.columns import cells_of, require_columns
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.reconcile import Source, common_types, conform, kind_of
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import polars as pl


def read_tables(paths: Iterable[str | Path]) -> tuple[Table, ...]:
    """Read files in order; see `reading.read_table`.

    Raises:
        DataError: A file cannot be read, or holds what no model is trained on: bytes, durations, infinite numbers.
    """
    tables = tuple(read_table(path) for path in paths)
    for table in tables:
        _refuse_what_no_model_takes(table)
    return tables


def stack_tables(tables: Sequence[Table]) -> pl.DataFrame:
    """The rows of all tables, one after the other, in the first one's columns.

    Raises:
        SchemaError: The files do not have the same columns, or a column is of another kind in one of them.
    """
    import polars as pl

    first, *others = tables
    for table in others:
        require_columns(table.frame.columns, first.frame.columns, table.name)
        extra = [name for name in table.frame.columns if name not in first.frame.columns]
        if extra:
            raise SchemaError(
                f"Columns {', '.join(map(repr, extra))} are not in {first.name}",
                where=table.name,
                hint="Files that are read as one must have the same columns.",
            )
    if not others:
        return first.frame
    sources = [Source(table.name, table.frame, table.format in ("csv", "tsv")) for table in tables]
    types = common_types(sources, first.frame.columns)
    return pl.concat([conform(table.frame, types) for table in tables], rechunk=False)


def _refuse_what_no_model_takes(table: Table) -> None:
    for name, dtype in table.frame.schema.items():
        kind = kind_of(dtype)
        infinite = int(cells_of(table.frame, name).is_infinite().sum()) if dtype.is_float() else 0
        if infinite:
            kind = quantity(infinite, "infinite number")
        if infinite or kind in ("bytes", "durations"):
            raise DataError(
                f"Column {name!r} holds {kind}, which no model is trained on",
                where=table.name,
                hint="Leave the column out, or make them numbers; null where a number is unknown.",
            )
