"""The rows that models are measured on: read, labelled, and cut into slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.domain.labels import class_name, class_order
from hokusai.domain.metrics import Task
from hokusai.errors import DataError, SchemaError
from hokusai.pipeline.data.columns import features_of, require_columns
from hokusai.pipeline.task import find_id_column, infer_task
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from hokusai.stats.slices import Slice

AUTO = "auto"
"""In place of columns to slice by: all that lend themselves to it."""

_MOST_COLUMNS = 30


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with a label.

    Attributes:
        frame: All columns.
        target: The column that is predicted.
        task: What is predicted.
        classes: Names of the classes among the labels, in order; empty for regression.
        features: The columns that a model is given that does not know its own by name.
        units: (n_rows,) name of each row's unit, if rows depend on each other.
        skipped: Columns that are neither features nor slices: ids and units.
        sha256: Digest of the file's bytes, where it was one.
        warnings: What a reader has to know.
    """

    frame: pl.DataFrame
    target: str
    task: Task
    classes: tuple[str, ...]
    features: tuple[str, ...]
    units: NDArray[Any] | None
    skipped: tuple[str, ...]
    sha256: str | None
    warnings: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """How many."""
        return self.frame.height

    def labels(self) -> NDArray[Any]:
        """(n_rows,) the target as the data have it."""
        from hokusai.pipeline.training import target_values

        found: NDArray[Any] = target_values(self.frame[self.target])
        return found


def rows_of(
    data: Any,
    target: str,
    *,
    task: Task | str | None = None,
    features: Sequence[str] | None = None,
    units: str | None = None,
) -> Rows:
    """The labelled rows of `data`.

    Args:
        data: A pandas, Polars or pyarrow table, or one or more files (CSV, Parquet, JSON, …) that are read as one.
        target: The column that is predicted.
        task: By default what the target asks for.
        features: The columns to predict from; by default all but the target, an id column and the units.
        units: Column that names each row's unit, where rows of one unit are not independent of each other.

    Raises:
        SchemaError: A column is missing, or no row has a label.
        DataError: It is no table, or a file cannot be read.
    """
    from hokusai.pipeline.integration import labelled

    frame, sha256, notes = _read(data)
    require_columns(frame.columns, [target, *([units] if units else [])], "the data")
    frame, without = labelled(frame, target)
    if not frame.height:
        raise SchemaError(f"No row has a value in {target!r}", hint="Models are measured on labelled rows.")
    if without:
        notes = (*notes, f"{quantity(without, 'row')} without a value in {target!r} left out")
    asked = infer_task(frame[target]) if task is None else Task(task)
    id_column = find_id_column(frame, target)
    skipped = tuple(dict.fromkeys(name for name in (id_column, units) if name))
    rest = frame.drop([name for name in skipped if name not in (features or ())])
    classes: tuple[str, ...] = ()
    if asked is Task.CLASSIFICATION:
        classes = class_order(class_name(value) for value in frame[target].unique().to_list())
    elif not frame[target].dtype.is_numeric():
        raise SchemaError(f"The target {target!r} holds no numbers", hint="Choose the task classification.")
    return Rows(
        frame=frame,
        target=target,
        task=asked,
        classes=classes,
        features=features_of(rest, target, None, features),
        units=None if units is None else frame[units].to_numpy(),
        skipped=skipped,
        sha256=sha256,
        warnings=notes,
    )


def slices_of(rows: Rows, columns: Sequence[str] | str) -> tuple[Slice, ...]:
    """The slices of `rows` by columns.

    Args:
        rows: The rows.
        columns: Names; or `AUTO` for every column with few values, and numbers by quarters.

    Raises:
        SchemaError: A column is missing, or is the target.
    """
    names = [columns] if isinstance(columns, str) and columns != AUTO else columns
    if names == AUTO or (list(names) == [AUTO] and AUTO not in rows.frame.columns):
        found = (_cut(rows.frame[name], only_if_few=True) for name in _candidates(rows))
        return tuple(one for some in found if len(some) > 1 for one in some)
    require_columns(rows.frame.columns, names, "the data")
    if rows.target in names:
        raise SchemaError(
            f"The target {rows.target!r} cannot cut the rows",
            hint="The confusion matrix shows how each class fares.",
        )
    return tuple(one for name in dict.fromkeys(names) for one in _cut(rows.frame[name]))


def inside(rows: Rows, column: str, value: str) -> NDArray[np.bool_]:
    """(n_rows,) which rows have `value`, as text, in `column`, or lie in the slice that is called so.

    Raises:
        SchemaError: There is no such column, or no such row.
    """
    import numpy as np

    require_columns(rows.frame.columns, [column], "the data")
    found = np.array([one is not None and class_name(one) == value for one in rows.frame[column].to_list()])
    if not found.any():
        named = [one.inside for one in _cut(rows.frame[column]) if one.value == value]
        found = named[0] if named else found
    if not found.any():
        raise SchemaError(f"No row has {value!r} in {column!r}")
    return found


def _read(data: Any) -> tuple[pl.DataFrame, str | None, tuple[str, ...]]:
    from hokusai.pipeline.data.frames import to_polars
    from hokusai.pipeline.data.tables import read_tables, stack_tables
    from hokusai.pipeline.quality import source_digest

    if isinstance(data, list | tuple) and data and all(isinstance(one, str | Path) for one in data):
        paths: Sequence[str | Path] = data
    elif isinstance(data, str | Path):
        paths = [data]
    elif data is None or isinstance(data, list | tuple | dict):
        raise DataError(
            f"The data are {type(data).__name__}, and a table or a file was expected",
            hint="Give a pandas or Polars table, or the path of a CSV or Parquet file.",
        )
    else:
        return to_polars(data)[0], None, ()
    tables = read_tables(paths)
    notes = tuple(note for table in tables for note in table.notes)
    return stack_tables(tables), source_digest(tables), notes


def _candidates(rows: Rows) -> list[str]:
    names = [name for name in rows.frame.columns if name != rows.target and name not in rows.skipped]
    return names[:_MOST_COLUMNS]


def _cut(column: pl.Series, *, only_if_few: bool = False) -> tuple[Slice, ...]:
    """The slices by one column; none for free text, if only few values are wanted."""
    from hokusai.stats.slices import MOST_VALUES, by_quantile, by_value

    values = column.alias("")
    name = column.name
    ordered = values.dtype.is_numeric() or values.dtype.is_temporal()
    if values.drop_nulls().n_unique() > MOST_VALUES and ordered:
        if values.dtype.is_numeric():
            return by_quantile(name, values.cast(float).to_numpy())
        places = values.to_physical().cast(float).to_numpy()
        return by_quantile(name, places, [str(one) for one in values.to_list()])
    if values.dtype.is_nested() or (only_if_few and values.n_unique() > MOST_VALUES):
        return ()
    return by_value(name, [None if one is None else class_name(one) for one in values.to_list()])
