"""Values that may stand in one row only.

Rows are compared by the values of the key columns as the schema types them (`column_values.fit`), so `7` as text and 7
are one value of an integer column. A row without a value in a key column is not compared, as in SQL; nor is one with a
mask there, such as `[email]`, which stands for many values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import col, selected
from hokusai.privacy.stand_ins import holds_mask

if TYPE_CHECKING:
    import polars as pl


def repeats(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """For each row whether an earlier one has the same key.

    Returns:
        Booleans of shape (n_rows,).

    >>> import polars as pl
    >>> repeats(pl.DataFrame({"id": [1, None, 2, 1, None]}), ["id"]).to_list()
    [False, False, False, True, False]
    """
    import polars as pl

    has_key = pl.all_horizontal(col(name).is_not_null() for name in key)
    together = pl.struct([col(name) for name in key]) if len(key) > 1 else col(key[0])
    first = together.is_first_distinct()
    again = frame.select(has_key & ~first).to_series()
    return again & ~holds_mask(selected(frame, key)) if again.any() else again


def expected_of(key: Sequence[str]) -> str:
    """What a repeated key should have been, for people."""
    if len(key) == 1:
        return "a value that no earlier row has"
    return "values that no earlier row has together"
