"""Tables as the caller has them: pandas, Polars (eager or lazy) or pyarrow in, the same kind out.

All work is done on one Polars frame, so that the kind of table never changes a result. What a kind has beyond columns
of values (an index, dtypes of its own) is kept here and put back. Where that cannot be done exactly, the table is
refused, or the exception stands below.

- NaN comes in as null: both mean that there is no value. It goes back as the dtype writes a missing value.
- A pandas index without a name only numbers the rows: it stays with them. One with a name is data: it comes in as
  columns, as `reset_index` makes them, and goes back as the index.
- A pandas column keeps its dtype as long as its values still are of that type. Otherwise integers and booleans with
  missing values come back as `Int64` and `boolean`, since the plain dtypes would turn them into floats and objects; and
  dates and times of day as pyarrow's, since pandas has none.
- A column of Python objects comes back with `None` for missing values, whatever stood there.
- Decimals that need more than 38 digits come in as doubles, as they do from a file, and go back as doubles.
- A `LazyFrame` is collected, and comes back lazy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.canonical import MAX_SAFE_INTEGER
from hokusai.errors import DataError
from hokusai.pipeline.data.decimals import arrow_as_doubles
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import narwhals as nw
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_MAYBE_DECIMALS = ("decimal", "mixed", "mixed-integer")
"""What pandas calls objects that are decimals, or decimals beside integers."""

Frame = Any
"""A pandas, Polars or pyarrow table; whichever goes in comes out."""


@dataclass(frozen=True, slots=True, eq=False)
class GiveBack:
    """Makes the caller's kind of table of a result.

    Attributes:
        native: The table that came in.
        incoming: The same rows as `to_polars` gave them.
        columns: The table with its index as columns, if that has a name, and with doubles for decimals that came in as
            such.
    """

    native: Frame
    incoming: pl.DataFrame
    columns: Frame

    def __call__(self, result: pl.DataFrame) -> Frame:
        """A new table; a pandas one has the index of the other if that has a name, or is numbered from 0."""
        import narwhals as nw
        import polars as pl

        if isinstance(self.native, pl.LazyFrame):
            return result.lazy()
        if isinstance(self.native, pl.DataFrame):
            return result
        if _is_pandas(self.native):
            return self._to_pandas(result)
        kind = nw.from_native(self.native, eager_only=True).implementation
        return nw.from_arrow(result, backend=kind).to_native()

    def changed(self, result: pl.DataFrame) -> Frame:
        """The incoming rows, in their order, with other values: a pandas index stays."""
        table = self(result)
        if _is_pandas(table) and not _index_names(self.native):
            table.index = self.native.index
        return table

    def rows(self, positions: Sequence[int] | np.ndarray) -> Frame:
        """Some of the incoming rows, exactly as they were, by position from 0."""
        import numpy as np
        import polars as pl

        at = np.asarray(positions, dtype=np.int64)
        if isinstance(self.native, pl.LazyFrame):
            return self.incoming[at].lazy()
        if isinstance(self.native, pl.DataFrame):
            return self.native[at]
        return self.native.iloc[at] if _is_pandas(self.native) else self.native.take(at)

    def _to_pandas(self, result: pl.DataFrame) -> pd.DataFrame:
        import pandas as pd

        columns = [self._pandas_column(column) for column in result.iter_columns()]
        if not columns:
            return pd.DataFrame(index=pd.RangeIndex(result.height))
        table = pd.concat(columns, axis=1)
        index = [name for name in _index_names(self.native) if name in table.columns]
        return table.set_index(index) if index else table

    def _pandas_column(self, column: pl.Series) -> pd.Series[Any]:
        import pandas as pd

        if self.incoming.schema.get(column.name) != column.dtype:
            return _plain_pandas(column)
        dtype = self.columns[column.name].dtype
        if dtype.kind == "O" and not pd.api.types.is_extension_array_dtype(dtype):
            return pd.Series(column.to_list(), name=column.name, dtype=object)
        if dtype.kind in "iub" and column.null_count() and not pd.api.types.is_extension_array_dtype(dtype):
            return _plain_pandas(column)
        if isinstance(dtype, pd.CategoricalDtype):
            values = column.drop_nulls().unique().to_list()
            if not set(values) <= set(dtype.categories):
                return _plain_pandas(column)
        return column.to_pandas(use_pyarrow_extension_array=True).astype(dtype)


def to_polars(frame: Frame) -> tuple[pl.DataFrame, GiveBack]:
    """A table as a Polars frame without NaN, and the way back.

    Args:
        frame: A pandas, Polars (eager or lazy) or pyarrow table.

    Returns:
        The rows in their order, and what turns a result into the caller's kind of table.

    Raises:
        DataError: It is no table; a column's name is not text or stands twice; only some levels of a pandas index have
            a name; a column holds objects of different types, or of a type that no file could hold, or decimals of more
            than 38 digits that are no doubles. No value is quoted.

    >>> import pandas as pd
    >>> rows, give_back = to_polars(pd.DataFrame({"a": pd.array([2**53 + 1, None], dtype="Int64")}))
    >>> rows["a"].to_list(), give_back(rows)["a"].dtype
    ([9007199254740993, None], Int64Dtype())
    """
    import polars as pl
    import polars.selectors as cs

    columns = frame
    if isinstance(frame, pl.LazyFrame):
        rows = frame.collect()
    elif isinstance(frame, pl.DataFrame):
        rows = frame
    else:
        columns = _without_wide_decimals(_with_index(frame) if _is_pandas(frame) else frame)
        rows = _from_others(columns)
    if any(dtype.is_float() for dtype in rows.dtypes):
        rows = rows.with_columns(cs.float().fill_nan(None))
    return rows, GiveBack(frame, rows, columns)


def to_pandas(rows: pl.DataFrame) -> pd.DataFrame:
    """Rows as a pandas table in which every value is what it was, so that it has the same hash.

    >>> import polars as pl
    >>> to_pandas(pl.DataFrame({"id": [2**53 + 1, None], "good": [True, None]})).dtypes.astype(str).tolist()
    ['Int64', 'boolean']
    """
    import pandas as pd

    columns = [_plain_pandas(column) for column in rows.iter_columns()]
    return pd.concat(columns, axis=1) if columns else pd.DataFrame(index=pd.RangeIndex(rows.height))


def _without_wide_decimals(frame: Frame) -> Frame:
    """The table with decimals beyond the 38 digits of Polars as doubles; see `decimals`."""
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        for at, name in enumerate(frame.column_names):
            if pa.types.is_decimal256(frame.schema.field(at).type):
                doubles = _as_doubles(name, frame.column(at).combine_chunks())
                frame = frame.set_column(at, name, doubles.to_arrow())
        return frame
    if not _is_pandas(frame) or not frame.columns.is_unique:
        return frame
    wide = {name: array for name, column in frame.items() if (array := _wide_decimals(column)) is not None}
    if not wide:
        return frame
    frame = frame.copy(deep=False)
    for name, array in wide.items():
        frame[name] = _as_doubles(name, array).to_numpy()
    return frame


def _wide_decimals(column: pd.Series[Any]) -> pa.Array | None:
    """A column as Arrow's decimals, if it has any that need more than 38 digits."""
    import pandas as pd
    import pyarrow as pa

    arrow_type = getattr(column.dtype, "pyarrow_dtype", None)
    is_decimal = arrow_type is not None and pa.types.is_decimal256(arrow_type)
    if not is_decimal and (column.dtype != object or pd.api.types.infer_dtype(column) not in _MAYBE_DECIMALS):
        return None
    try:
        array = pa.array(column, from_pandas=True)
    except _unreadable():
        return None  # what cannot be converted is told where it is
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array if pa.types.is_decimal256(array.type) else None


def _as_doubles(name: str, decimals: pa.Array) -> pl.Series:
    doubles, lost = arrow_as_doubles(decimals)
    if lost.any():
        raise DataError(
            f"Column {name!r} holds decimals that need more than 38 digits, and {quantity(int(lost.sum()), 'value')} "
            f"of them more than a double holds, the first in row {int(lost.arg_true()[0]) + 1:,}",
            hint="Write them as text, or with fewer digits.",
        )
    return doubles


def _from_others(frame: Frame) -> pl.DataFrame:
    import narwhals as nw

    if _is_pandas(frame):
        _check_pandas(frame)
    try:
        table = nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError as problem:
        raise DataError("Two columns have the same name", hint="Rename one of them.") from problem
    except TypeError as problem:
        raise DataError(
            f"A {type(frame).__name__} is not a table", hint="Give a pandas, Polars or pyarrow table."
        ) from problem
    return _converted(table)


def _check_pandas(frame: pd.DataFrame) -> None:
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise DataError(
            f"{len(odd):,} column names are not text, the first is a {type(odd[0]).__name__}",
            hint="Name the columns: frame.columns = frame.columns.astype(str), for one.",
        )


def _index_names(frame: pd.DataFrame) -> list[Any]:
    """The names of an index that is data; none if it only numbers the rows."""
    return [] if all(name is None for name in frame.index.names) else list(frame.index.names)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with an index that has a name as its first columns."""
    names = _index_names(frame)
    if not names:
        return frame
    if None in names:
        raise DataError(
            f"{names.count(None)} of the {len(names)} levels of the index have no name",
            hint="Name all of them, since they are data, or call frame.reset_index() first.",
        )
    twice = [name for name in names if name in frame.columns or names.count(name) > 1]
    if twice:
        raise DataError(
            f"The index has the name of a column, {twice[0]!r}",
            hint="Rename one: frame.rename_axis(index=…).",
        )
    return frame.reset_index()


def _converted(table: nw.DataFrame[Any]) -> pl.DataFrame:
    import polars as pl

    try:
        rows = _polars(table)
    except _unreadable():
        rows = None
    if rows is None:
        # Outside of the handler: what the converter says quotes values.
        _refuse_first(table, lambda name: _fails(table, name))
        raise DataError("The table's columns cannot be read together")
    types = rows.schema
    _refuse_first(table, lambda name: isinstance(types[name], pl.BaseExtension | pl.Object))
    native = table.to_native()
    if _is_pandas(native):
        _refuse_first(table, lambda name: types[name].is_float() and _is_rounded(native[name]))
    return rows


def _refuse_first(table: nw.DataFrame[Any], unusable: Callable[[str], bool]) -> None:
    name = next((name for name in table.columns if unusable(name)), None)
    if name is None:
        return
    native = table.to_native()
    dtype = str(native[name].dtype if _is_pandas(native) else table.schema[name])
    found = f"values of type {dtype}"
    if dtype == "object" and _infinite_or_wider(native[name]):
        found = "decimals that are infinite or need more than 76 digits"
    elif dtype == "object":
        found = f"objects of different types{_first_mixture(native[name])}"
    raise DataError(
        f"Column {name!r} holds {found}, which no data file could hold",
        hint="Make it a column of numbers, text, booleans, dates or times; as text: "
        "frame[column] = frame[column].map(str, na_action='ignore').",
    )


def _infinite_or_wider(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(column) == "decimal"


def _is_rounded(column: pd.Series[Any]) -> bool:
    """Whether objects that became doubles were something else: truth values, or integers that doubles do not hold."""
    if str(column.dtype) != "object":
        return False
    return any(
        isinstance(cell, bool) or (isinstance(cell, int) and abs(cell) > MAX_SAFE_INTEGER) for cell in column
    )


def _first_mixture(cells: pd.Series[Any]) -> str:
    """Which rows, from 1, show that a column of objects is mixed: their types, not their values."""
    present = cells.notna().to_numpy()
    kinds = ((row, type(cell).__name__) for row, cell in enumerate(cells, 1) if present[row - 1])
    first = next(kinds, None)
    other = next((kind for kind in kinds if first and kind[1] != first[1]), None)
    if first is None or other is None:
        return ""
    return f" ({first[1]} in row {first[0]:,}, {other[1]} in row {other[0]:,})"


def _fails(table: nw.DataFrame[Any], name: str) -> bool:
    try:
        _polars(table.select(name))
    except _unreadable():
        return True
    return False


def _unreadable() -> tuple[type[BaseException], ...]:
    """What the converters end in; a panic is how Polars meets a type that it does not know, inside of lists for one."""
    import polars as pl

    return ValueError, TypeError, OverflowError, NotImplementedError, pl.exceptions.PanicException


def _polars(table: nw.DataFrame[Any]) -> pl.DataFrame:
    with warnings.catch_warnings():
        # pyarrow reads columns with a time zone in a way that pandas deprecates
        warnings.filterwarnings("ignore", message="Series.values returning an ndarray")
        return table.to_polars()


def _plain_pandas(column: pl.Series) -> pd.Series[Any]:
    """As Polars converts it, but no integer becomes a float, no boolean an object, and no date a time."""
    import polars as pl

    with_nulls = column.null_count() and (column.dtype.is_integer() or isinstance(column.dtype, pl.Boolean))
    if not (with_nulls or isinstance(column.dtype, pl.Date | pl.Time)):
        return column.to_pandas()
    exact: pd.Series[Any] = column.to_pandas(use_pyarrow_extension_array=True)
    if not with_nulls:
        return exact
    dtype: Any = "boolean" if isinstance(column.dtype, pl.Boolean) else str(column.dtype)
    nullable: pd.Series[Any] = exact.astype(dtype)
    return nullable


def _is_pandas(frame: Frame) -> bool:
    import narwhals as nw

    return nw.dependencies.is_pandas_dataframe(frame)
