"""Which rows have the same key, asked of any engine: Polars (eager or lazy), pandas, pyarrow, or what else Narwhals
knows.

Keys are compared by value. A row with a missing value in a key column has no key: it matches nothing, as in SQL
(pandas would let missing values match each other). Every frame carries the numbers of its rows in a column, since
engines other than these keep no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Native = Any
"""A frame of any engine."""


def key_matches(base: Native, new: Native, key: Sequence[str], row: str) -> Native:
    """The rows of `new` whose key stands in `base`.

    Args:
        base: Key columns and row numbers.
        new: Likewise; key columns of the same types.
        key: Columns that identify a row.
        row: The column of row numbers in both.

    Returns:
        A frame of the same engine with the columns `new_row` and `base_row`, the first row with the key; in no
        particular order.

    >>> import polars as pl
    >>> base = pl.DataFrame({"id": [7, None, 8], "at": [0, 1, 2]})
    >>> new = pl.DataFrame({"id": [8, None, 9], "at": [0, 1, 2]})
    >>> key_matches(base, new, ["id"], "at").rows()
    [(0, 2)]
    """
    import narwhals as nw

    firsts = nw.from_native(first_rows(base, key, row))
    rows = _with_key(new, key, row).rename({row: "new_row"})
    matches = rows.join(firsts.rename({row: "base_row"}), on=list(key), how="inner")
    return matches.select("new_row", "base_row").to_native()


def repeated_keys(frame: Native, key: Sequence[str], row: str) -> Native:
    """The rows whose key an earlier row has.

    Returns:
        A frame of the same engine with the columns `row` and `first`, the first row with that key.

    >>> import polars as pl
    >>> repeated_keys(pl.DataFrame({"id": [7, 8, 7, None, None], "at": [0, 1, 2, 3, 4]}), ["id"], "at").rows()
    [(2, 0)]
    """
    import narwhals as nw

    firsts = nw.from_native(first_rows(frame, key, row)).rename({row: "first"})
    rows = _with_key(frame, key, row).join(firsts, on=list(key), how="inner")
    later = rows.filter(nw.col(row) != nw.col("first"))
    return later.select(nw.col(row).alias("row"), "first").to_native()


def first_rows(frame: Native, key: Sequence[str], row: str) -> Native:
    """Each key with the number of the first row that has it.

    Names that start with `^` or are `*` are patterns to some engines: number such columns before.
    """
    import narwhals as nw

    return _with_key(frame, key, row).group_by(*key).agg(nw.col(row).min()).to_native()


def _with_key(frame: Native, key: Sequence[str], row: str) -> Any:
    import narwhals as nw

    return nw.from_native(frame).select(*key, row).drop_nulls(list(key))
