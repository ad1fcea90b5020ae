"""Which rows are equal: exactly, over many columns, without holding a second copy of a large frame.

A 64-bit hash of each row finds the few rows that could be equal to another; those are then compared by their
values. A collision of hashes therefore costs time and never changes an answer, and equal rows always meet,
since equal values have equal hashes. Null equals null, NaN equals NaN and null, -0.0 equals 0.0. The frames
that are compared have the same types (see `reconcile`), so that 1 and 1.0 are one value by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_AT = "__position__"
_MAX_COMPARED = 100_000
"""Rows compared by value at once: this many are copied, not all that could be equal."""


def occurs_in(frame: pl.DataFrame, other: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """For each row of `frame`, whether `other` has a row with the same values in `columns`.

    Returns:
        Booleans of shape (n_rows,).

    >>> import polars as pl
    >>> occurs_in(pl.DataFrame({"a": [1, None, 3]}), pl.DataFrame({"a": [None, 3]}), ["a"]).to_list()
    [False, True, True]
    """
    import polars as pl

    rows, others = _comparable(frame, columns), _comparable(other, columns)
    hashes, other_hashes = _row_hashes(rows), _row_hashes(others)
    positions = hashes.is_in(other_hashes.implode()).arg_true()
    found = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    if not len(positions):
        return found
    for part in _partitions(positions, hashes):
        candidates = rows[part].with_columns(part.alias(_AT))
        possible = others.filter(other_hashes.is_in(hashes[part].implode())).unique()
        matched = candidates.join(possible, on=list(columns), how="semi", nulls_equal=True)
        found = found.scatter(matched[_AT], True)
    return found


def first_occurrence(
    frame: pl.DataFrame, columns: Sequence[str], among: pl.Series | None = None
) -> pl.Series:
    """For each row, the position of the first row with the same values in `columns`.

    Args:
        frame: The rows.
        columns: What makes rows equal.
        among: Which rows take part (all, if absent); the others are their own first occurrence.

    Returns:
        Positions of shape (n_rows,), from 0; a row repeats an earlier one where its entry is not its own
        position.

    >>> import polars as pl
    >>> first_occurrence(pl.DataFrame({"a": [7, 8, 7]}), ["a"]).to_list()
    [0, 1, 0]
    """
    import polars as pl

    rows = _comparable(frame, columns)
    first = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
    hashes = _row_hashes(rows)
    taking_part = first if among is None else first.filter(among)
    positions = taking_part.filter(hashes.gather(taking_part).is_duplicated())
    if not len(positions):
        return first
    for part in _partitions(positions, hashes):
        candidates = rows[part].with_columns(part.alias(_AT))
        earliest = candidates.select(pl.col(_AT).min().over(list(columns)))[_AT]
        first = first.scatter(part, earliest)
    return first


def _comparable(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns in one representation of each value; a column that needs no change is not copied."""
    import polars as pl

    def settle(column: pl.Series) -> pl.Series:
        if column.dtype.is_float() and column.is_nan().any():
            return column.fill_nan(None)
        return column.cast(pl.String) if isinstance(column.dtype, pl.Categorical | pl.Enum) else column

    return pl.DataFrame([settle(frame[name]) for name in columns])


def _partitions(positions: pl.Series, hashes: pl.Series) -> Iterator[pl.Series]:
    """Positions in parts of about `_MAX_COMPARED`, so that equal rows fall in one part."""
    n_parts = -(-len(positions) // _MAX_COMPARED)
    numbers = hashes[positions] % n_parts
    for number in range(n_parts):
        part = positions.filter(numbers == number)
        if len(part):
            yield part


def _row_hashes(rows: pl.DataFrame) -> pl.Series:
    return rows.hash_rows()
