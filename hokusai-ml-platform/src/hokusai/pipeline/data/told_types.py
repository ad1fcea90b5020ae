"""Values that have a type already, held against the type that a column was told to have.

A value fits if it can be written in the wanted type without losing anything of it: 2.0 is the integer 2, but 2.5 is
none, and the integer 2^53 + 1 is no double. Text is a date if it has the form of one and the day exists; a number is
never text, because nobody knows how it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai.pipeline.data.cell_types import CELL_PATTERNS, CellType

if TYPE_CHECKING:
    import polars as pl

MAX_EXACT = 2**53
"""The largest integer up to which all are exact as doubles."""

TIME_FORMATS = {CellType.DATE: "%Y-%m-%d", CellType.DATETIME: "%Y-%m-%d %H:%M:%S%.f"}


def told_dtype(wanted: CellType) -> pl.DataType:
    """The type that a column has in a table."""
    import polars as pl

    return {
        CellType.BOOLEAN: pl.Boolean(),
        CellType.INTEGER: pl.Int64(),
        CellType.FLOAT: pl.Float64(),
        CellType.DATE: pl.Date(),
        CellType.DATETIME: pl.Datetime("us"),
    }.get(wanted, pl.String())


def fitted(values: pl.Series, wanted: CellType) -> tuple[pl.Series, pl.Series]:
    """Values in the wanted type, and which do not fit.

    Args:
        values: Booleans, integers, doubles, dates, datetimes or text, `(n_rows,)`.
        wanted: The type.

    Returns:
        The values as `told_dtype(wanted)`, null where they do not fit, and a mask of those.

    >>> import polars as pl
    >>> [series.to_list() for series in fitted(pl.Series([1.0, 2.5, None]), CellType.INTEGER)]
    [[1, None, None], [False, True, False]]
    """
    import polars as pl

    dtype = told_dtype(wanted)
    kept = pl.Series(values.name, [None] * len(values), dtype=dtype)
    if values.dtype == dtype and wanted is not CellType.EMPTY:
        kept = values
    elif wanted is CellType.INTEGER and values.dtype.is_integer():
        kept = values.cast(dtype, strict=False)
    elif wanted is CellType.INTEGER and values.dtype.is_float():
        whole = (values == values.round()) & (values.abs() <= MAX_EXACT)
        kept = values.set(~whole, None).cast(dtype)
    elif wanted is CellType.FLOAT and values.dtype.is_numeric():
        exact = (
            values.is_between(-MAX_EXACT, MAX_EXACT) if values.dtype.is_integer() else values.is_not_null()
        )
        kept = values.cast(dtype).set(~exact, None)
    elif wanted is CellType.DATETIME and values.dtype == pl.Date:
        kept = values.cast(dtype)
    elif wanted in TIME_FORMATS and values.dtype == pl.String:
        kept = _times(values, wanted)
    return kept, values.is_not_null() & kept.is_null()


def as_time(texts: pl.Series, wanted: CellType) -> pl.Series:
    """Texts of the form of `wanted`, as dates or datetimes; null where the day or time does not exist."""
    import polars as pl

    if wanted is CellType.DATE:
        return texts.str.strptime(pl.Date, TIME_FORMATS[wanted], strict=False)
    plain = texts.str.replace("T", " ", literal=True)
    return plain.str.strptime(pl.Datetime("us"), TIME_FORMATS[wanted], strict=False)


def _times(texts: pl.Series, wanted: CellType) -> pl.Series:
    return as_time(texts.set(~texts.str.contains(CELL_PATTERNS[wanted]), None), wanted)
