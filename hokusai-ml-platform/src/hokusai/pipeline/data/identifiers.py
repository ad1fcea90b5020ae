"""Columns that do nothing but tell rows apart. Nothing can be predicted from them: every row is then a combination of
features of its own, and new rows lie far from the base data merely because their numbers are higher.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from hokusai.pipeline.data.columns import cells_of

if TYPE_CHECKING:
    import polars as pl

    from hokusai.domain.schema import DataSchema

FIRST_ROWS: Final = 20_000
"""Rows that are looked at: it is decided once, from the first of all."""
LEAST_ROWS: Final = 20
"""In fewer rows values may differ by chance."""
_NAMED = re.compile(r"(?:^|[^a-z])(?:id|uuid|guid|key|index)$|[a-z](?:Id|ID|Uuid|UUID|Key)$")


def no_features(
    rows: pl.DataFrame,
    columns: Sequence[str],
    target: str | None,
    features: Sequence[str] = (),
    schema: DataSchema | None = None,
    key: Sequence[str] = (),
) -> tuple[str, ...]:
    """The columns that the target is not predicted from.

    Args:
        rows: The first `FIRST_ROWS` rows.
        columns: All columns.
        target: What is predicted; it is not among the result.
        features: What it is predicted from, if that is known; else identifiers are left out.
        schema: Whose unique columns identify rows.
        key: The columns by which rows are merged.
    """
    if features:
        return tuple(name for name in columns if name not in features and name != target)
    unique = schema.unique_keys if schema else ()
    declared = [columns[0] for columns in (*unique, tuple(key)) if len(columns) == 1]
    return tuple(name for name in identifiers(rows, declared) if name != target)


def identifiers(rows: pl.DataFrame, declared: Collection[str] = ()) -> tuple[str, ...]:
    """The columns of `rows` that identify them, in their order.

    These are the declared ones, and those in which every row has a value of its own, if it is text of one word, or an
    integer that either is called an id or counts the rows: no more than half of the integers in its range are left out.
    Free text and measured numbers differ in all rows too, and can be predicted from.

    Args:
        rows: The first rows; what counts must not depend on how they are cut into batches.
        declared: Columns that are known to identify rows, such as those that a schema calls unique.

    >>> import polars as pl
    >>> n = range(20)
    >>> columns = {"n": n, "text": [f"parcel {i}" for i in n], "code": [f"q{i}" for i in n]}
    >>> identifiers(pl.DataFrame({**columns, "hour": [i % 12 for i in n]}))
    ('n', 'code')
    """
    return tuple(name for name in rows.columns if name in declared or _identifies(rows, name))


def _identifies(rows: pl.DataFrame, name: str) -> bool:
    import polars as pl

    cells = cells_of(rows, name)
    if len(cells) < LEAST_ROWS or not (cells.dtype == pl.String or cells.dtype.is_integer()):
        return False
    if cells.null_count() or cells.n_unique() < len(cells):
        return False
    if cells.dtype == pl.String:
        return not cells.str.contains(r"\s").any()
    width = int(cells.max()) - int(cells.min()) + 1  # type: ignore[arg-type]  # of integers without null
    return bool(_NAMED.search(name) or _NAMED.search(name.lower())) or width <= 2 * len(cells)
