"""Decimals as doubles: the one rule for files and for tables in memory.

A table holds numbers as doubles, and models take nothing else. A decimal becomes the double that is written like it,
which all of up to 15 digits have; one that has none is never rounded, but told.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from hokusai.pipeline.data.cell_types import EXACT_INTEGER_DIGITS

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_EXACT_POWERS = 22
"""Powers of ten up to this one are doubles."""


def as_doubles(decimals: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Decimals as doubles, null where none is written like it; and where that is.

    >>> import polars as pl
    >>> many = pl.Series([Decimal("1.50"), Decimal("12345678901234567.89"), None])
    >>> [found.to_list() for found in as_doubles(many)]
    [[1.5, None, None], [False, True, False]]
    """
    import polars as pl

    many = decimals.to_physical().abs() >= 10**EXACT_INTEGER_DIGITS
    if isinstance(decimals.dtype, pl.Decimal) and decimals.dtype.scale > _EXACT_POWERS:
        many = decimals.is_not_null()
    rows = many.arg_true()
    if not len(rows):
        return decimals.cast(pl.Float64), many.fill_null(False)
    kept = pl.Series(_written_alike(decimals.gather(rows).to_list()), dtype=pl.Float64)
    doubles = decimals.set(many, None).cast(pl.Float64).scatter(rows, kept)
    return doubles, doubles.is_null() & decimals.is_not_null()


def arrow_as_doubles(decimals: pa.Array) -> tuple[pl.Series, pl.Series]:
    """The same for Arrow's decimals of any width; Polars has none of more than 38 digits."""
    import polars as pl
    import pyarrow as pa

    if pa.types.is_decimal128(decimals.type):
        series = pl.from_arrow(decimals)
        assert isinstance(series, pl.Series)  # noqa: S101 - a frame comes only of tables
        return as_doubles(series.alias(""))
    exact = decimals.to_pylist()
    doubles = pl.Series(_written_alike(exact), dtype=pl.Float64)
    return doubles, doubles.is_null() & pl.Series([one is not None for one in exact], dtype=pl.Boolean)


def _written_alike(exact: Iterable[Decimal | None]) -> list[float | None]:
    return [None if one is None or Decimal(repr(float(one))) != one else float(one) for one in exact]
