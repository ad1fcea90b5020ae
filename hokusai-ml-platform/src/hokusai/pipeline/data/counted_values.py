"""The different values of a column of few, such as labels, and how many cells have each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai.pipeline.data.value_hash import CELLS_A_HASH, hash_values, plain_floats
from hokusai.utils.compiled import pays

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_FIRST_CELLS = 4
"""For each value that may be, so many cells often tell that there are too many, for a fraction of the time."""


def counted_values(
    column: pl.Series, most: int, hashes: NDArray[np.uint64] | None = None
) -> tuple[pl.Series, NDArray[np.int64]] | None:
    """The values and their cells, in any order; None if there are more than `most`.

    Args:
        column: The cells; null and NaN are no values, and -0.0 is 0.0.
        most: More values than these are not counted.
        hashes: What `hash_values` gives for the cells, if it is at hand. Where it pays, cells are told apart by it.

    >>> import polars as pl
    >>> values, cells = counted_values(pl.Series(["a", None, "a"]), 10)
    >>> values.to_list(), cells.tolist()
    (['a'], [2])
    """
    import polars as pl

    if pays(len(column) // CELLS_A_HASH):
        from hokusai.pipeline.data.value_hash_loops import repeated

        places, cells = repeated(hash_values(column) if hashes is None else hashes, most)
        if len(places) > most:
            return None
        values = column.gather(places)
        return plain_floats(values) if values.dtype.is_float() else values, cells
    present = (plain_floats(column) if column.dtype.is_float() else column).drop_nulls()
    if present.head(_FIRST_CELLS * most).n_unique() > most:
        return None
    counts = present.rename("value").value_counts(name="rows")
    if counts.height > most:
        return None
    return counts["value"], counts["rows"].cast(pl.Int64).to_numpy()
