"""What is predicted, and which kind each column is that it is predicted from.

Rules of thumb that decide how a model is built have to be few, written down and overridable, so they all
stand here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError

if TYPE_CHECKING:
    import polars as pl

MAX_CLASSES = 20
MIN_ROWS_PER_CLASS = 5
MAX_CATEGORIES = 100


@dataclass(frozen=True, slots=True)
class ColumnKinds:
    """Feature columns by how a model takes them in; each feature is in exactly one, in the features' order.

    Attributes:
        numeric: Integers and floats.
        boolean: True and false.
        categorical: Text with few distinct values, see `column_kinds`.
        text: Other text.
        datetime: Dates and times.
        empty: Columns without any value: nothing can be learnt from them.
    """

    numeric: tuple[str, ...] = ()
    boolean: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    datetime: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def numeric_like(self) -> tuple[str, ...]:
        """Columns that a model takes as numbers: numbers, truth values, times."""
        return (*self.numeric, *self.boolean, *self.datetime)


def infer_task(target: pl.Series) -> Task:
    """The task that a target column asks for.

    Text, booleans and categories ask for classification. Numbers do if they are whole and either of at most
    two distinct values, or of at most 20 with at least 5 rows a value on average; all other numbers ask for
    regression.

    Raises:
        SchemaError: The column has no value, or holds dates.

    >>> import polars as pl
    >>> infer_task(pl.Series([0, 1, 1, 0])).value, infer_task(pl.Series([3, 1, 4, 1, 5])).value
    ('classification', 'regression')
    """
    values = target.alias("").drop_nulls()  # methods of a series take its name for a pattern
    if values.dtype.is_float():
        values = values.drop_nans()
    if not len(values):
        raise SchemaError(f"The target {target.name!r} has no value", hint="Choose another --target-column.")
    if values.dtype.is_temporal():
        raise SchemaError(
            f"The target {target.name!r} holds dates, which are not predicted",
            hint="Choose another --target-column, or turn it into a number such as days.",
        )
    if not values.dtype.is_numeric():
        return Task.CLASSIFICATION
    if values.dtype.is_float() and not (values == values.floor()).all():
        return Task.REGRESSION
    n_values = values.n_unique()
    few = n_values <= 2 or (n_values <= MAX_CLASSES and len(values) >= MIN_ROWS_PER_CLASS * n_values)
    return Task.CLASSIFICATION if few else Task.REGRESSION


def find_id_column(frame: pl.DataFrame, target: str) -> str | None:
    """A column that identifies rows, by its name (`id`, `uuid`, or ending in `_id`) and by its values, all
    distinct.

    A column that numbers the rows is no feature: a model would learn the numbering. Say so where this is
    used.
    """
    for name in frame.columns:
        folded = name.strip().casefold()
        if name != target and (folded in ("id", "uuid") or folded.endswith("_id")):
            column = frame[name]
            if not column.dtype.is_float() and not column.null_count() and column.n_unique() == frame.height:
                return name
    return None


def column_kinds(frame: pl.DataFrame, features: Sequence[str]) -> ColumnKinds:
    """Sort the features of a training frame by kind.

    A text column is categorical if it has at most 100 distinct values, each in at least two rows on average.
    """
    kinds: dict[str, list[str]] = {field: [] for field in ColumnKinds.__slots__}
    for name in features:
        kinds[_kind(frame[name].alias(""))].append(name)
    return ColumnKinds(**{kind: tuple(names) for kind, names in kinds.items()})


def _kind(column: pl.Series) -> str:
    import polars as pl

    if column.null_count() == len(column):
        return "empty"
    if column.dtype == pl.Boolean:
        return "boolean"
    if column.dtype.is_numeric():
        return "numeric"
    if column.dtype.is_temporal():
        return "datetime"
    distinct = column.n_unique()
    return "categorical" if distinct <= MAX_CATEGORIES and len(column) >= 2 * distinct else "text"
