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

from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.reconcile import Source, common_types, conform

if TYPE_CHECKING:
    import polars as pl


def read_tables(paths: Iterable[str | Path]) -> tuple[Table, ...]:
    """Read files in order; see `reading.read_table`."""
    return tuple(read_table(path) for path in paths)


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
