"""Parquet: the types come with the file, so what is left is to refuse damage and to settle what a table may
hold.

A table has numbers, text, booleans, dates and times, each with null for "missing". NaN becomes null;
dictionaries become text. Nested, binary and duration columns have no place in a training table and are
refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai.errors import DataError
from hokusai.pipeline.data.source_file import HashedFile

if TYPE_CHECKING:
    import polars as pl


def read_parquet(file: HashedFile) -> tuple[pl.DataFrame, int, list[str]]:
    """Read a Parquet file.

    Returns:
        The frame, the number of rows that the file's footer states, and notes for people.

    Raises:
        DataError: The file is damaged, or a column cannot be part of a table.
    """
    import polars as pl

    file.sha256()
    # A damaged file can end in a panic of the Rust reader, which is no Exception.
    damage = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError)
    try:
        file.stream.seek(0)
        rows = int(pl.scan_parquet(file.stream).select(pl.len()).collect().item())
        file.stream.seek(0)
        frame = pl.read_parquet(file.stream)
    except damage as problem:
        raise DataError(
            f"The Parquet file is damaged or not readable: {str(problem).splitlines()[0]}",
            where=file.name,
            hint="Copy or export it again.",
        ) from problem
    notes: list[str] = []
    columns = []
    for column in frame.iter_columns():
        columns.append(_settled(column, file.name, notes))
    return pl.DataFrame(columns), rows, notes


def _settled(column: pl.Series, name: str, notes: list[str]) -> pl.Series:
    import polars as pl

    dtype = column.dtype
    if not column.name.strip():
        raise DataError("A column has no name", where=name, hint="Name every column.")
    if dtype.is_float():
        return _without_nan(column, name)
    if dtype in (pl.UInt64, pl.Int128, pl.UInt128):
        return _as_int64(column, name)
    if dtype == pl.Null or dtype.is_(pl.Categorical) or isinstance(dtype, pl.Enum | pl.Categorical):
        return column.cast(pl.String)
    if dtype.is_decimal():
        notes.append(f"Column {column.name!r} is {dtype} and was converted to doubles")
        return column.cast(pl.Float64)
    if dtype.is_integer() or dtype in (pl.String, pl.Boolean, pl.Date) or isinstance(dtype, pl.Datetime):
        return column
    raise DataError(
        f"Column {column.name!r} has the type {dtype}, which a table cannot hold",
        where=name,
        hint="Columns are numbers, text, booleans, dates or times; convert the column, or leave it out.",
    )


def _without_nan(column: pl.Series, name: str) -> pl.Series:
    import polars as pl

    if column.is_infinite().any():
        row = column.is_infinite().arg_true()[0] + 1
        raise DataError(
            f"Column {column.name!r}, row {row:,} holds an infinite number",
            where=name,
            hint="Correct the value, or make it null if it is unknown.",
        )
    column = column.fill_nan(None) if column.is_nan().any() else column
    return column if column.dtype in (pl.Float32, pl.Float64) else column.cast(pl.Float32)


def _as_int64(column: pl.Series, name: str) -> pl.Series:
    import polars as pl

    narrow = column.cast(pl.Int64, strict=False)
    lost = (narrow.is_null() & column.is_not_null()).arg_true()
    if len(lost):
        raise DataError(
            f"Column {column.name!r}, row {lost[0] + 1:,} holds an integer beyond 64 bits: "
            f"{column[int(lost[0])]}",
            where=name,
            hint="Store such identifiers as text.",
        )
    return narrow
