"""The cells of a column as values of the type that a schema names, and which cells are none.

Files say less about types than schemas do: a CSV file has only text, JSON has numbers of one kind, a frame from memory
has whatever its maker chose. A cell fits a type here only if nothing is lost by reading it as that type; the forms
of text cells are those of `cell_types`, so that a column is read alike whether its type was told or found.

| type     | fits                                                                                               |
|----------|----------------------------------------------------------------------------------------------------|
| boolean  | booleans; text `true` and `false`                                                                   |
| integer  | integers of 64 bits; fractions without a fractional part up to 2^53; text of the form of an integer  |
| float    | finite numbers; integers up to 2^53; text of the form of a number                                   |
| date     | dates; times at midnight; text `2024-02-29`                                                         |
| datetime | times, of any zone; dates; text `2024-02-29 10:00:00` or with a `T`                                  |
| text     | text; never numbers, whose leading zeros are gone already                                           |

NaN is a missing value, and so is blank text where the type is not text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.schema import TYPES, ColumnRule, DataSchema
from hokusai.domain.schema_report import Rule
from hokusai.pipeline.data.cell_types import CELL_PATTERNS, CellType, held_as_float
from hokusai.pipeline.data.columns import col

if TYPE_CHECKING:
    import polars as pl

WRONG_TYPE = str(Rule.WRONG_TYPE)
"""The reason of readers and schemas alike."""

MAX_EXACT = 2**53
"""The largest integer up to which all are exact as doubles."""

TIME_FORMATS = {CellType.DATE: "%Y-%m-%d", CellType.DATETIME: "%Y-%m-%d %H:%M:%S%.f"}


@dataclass(frozen=True, slots=True, eq=False)
class TypedColumn:
    """A column seen as a type.

    Attributes:
        value: The values; null where there is none and where a cell is not of the type.
        missing: Where there is no value.
        lossy: Whether cells may not be of the type: `value` is null there, and `missing` is false.
    """

    value: pl.Expr
    missing: pl.Expr
    lossy: bool


def typed_column(rule: ColumnRule, dtype: pl.DataType) -> TypedColumn:
    """The column of `rule`, whose cells are stored as `dtype`, seen as the rule's type.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"n": ["7", "", "07"]})
    >>> seen = typed_column(ColumnRule("n", "integer"), pl.String())
    >>> frame.select(seen.value, missing=seen.missing).rows()
    [(7, False), (None, True), (None, False)]
    """
    return _typed(col(rule.name), rule.type, dtype)


def told_dtype(wanted: CellType) -> pl.DataType:
    """The type that a column has in a table which was told to have the type `wanted`."""
    import polars as pl

    return pl.String() if wanted is CellType.EMPTY else _plain_dtypes()[wanted]


def fitted(values: pl.Series, wanted: CellType) -> tuple[pl.Series, pl.Series]:
    """Values in the wanted type, and which do not fit; by the table above.

    Args:
        values: Booleans, numbers, dates, times or text, `(n_rows,)`.
        wanted: The type.

    Returns:
        The values as `told_dtype(wanted)`, null where they do not fit or are missing, and a mask of the misfits.

    >>> import polars as pl
    >>> [series.to_list() for series in fitted(pl.Series([1.0, 2.5, None]), CellType.INTEGER)]
    [[1, None, None], [False, True, False]]
    """
    import polars as pl

    cells = values.alias("cells").to_frame()
    if wanted is CellType.EMPTY:
        seen = TypedColumn(_nothing(pl.col("cells"), pl.String()), pl.col("cells").is_null(), lossy=True)
    else:
        seen = _typed(pl.col("cells"), wanted, values.dtype)
    found = cells.select(
        value=seen.value.cast(told_dtype(wanted)), misfit=seen.value.is_null() & ~seen.missing
    )
    return found["value"].alias(values.name), found["misfit"]


def expected(wanted: CellType) -> str:
    """What a value should have been, in the words of schema reports.

    >>> expected(CellType.INTEGER)
    'expected a whole number of 64 bits'
    """
    return f"expected {TYPES.get(wanted, 'no value')}"


def as_time(texts: pl.Series, wanted: CellType) -> pl.Series:
    """Texts of the form of `wanted`, as dates or times; null where the day or time does not exist."""
    import polars as pl

    return (
        texts.alias("cells").to_frame().select(_time(pl.col("cells"), wanted)).to_series().alias(texts.name)
    )


def fit(frame: pl.DataFrame, schema: DataSchema) -> pl.DataFrame:
    """The frame with the columns of the schema in the types it names; cells that do not fit become null.

    The resulting types follow from the schema and the types in `frame` alone, so that all batches of a table agree.
    A column that is of its type already is not copied.

    >>> import polars as pl
    >>> fit(pl.DataFrame({"n": ["7", ""]}), DataSchema((ColumnRule("n", "integer"),)))["n"].to_list()
    [7, None]
    """
    types = frame.schema
    changed = [
        typed_column(rule, types[rule.name]).value.alias(rule.name)
        for rule in schema.columns
        if rule.name in types and not _is_plain(rule.type, types[rule.name])
    ]
    return frame.with_columns(changed) if changed else frame


def as_utc(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Times without a zone, in UTC where they had one."""
    import polars as pl

    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return value


def _typed(cells: pl.Expr, type_: str, dtype: pl.DataType) -> TypedColumn:
    import polars as pl

    missing = cells.is_null()
    if dtype.is_float():
        cells = cells.fill_nan(None)
        missing = cells.is_null()
    elif dtype == pl.String and type_ not in ("text", "any"):
        missing = missing | (cells == "")
    value, certain = _value(cells, type_, dtype)
    return TypedColumn(value, missing, lossy=not certain)


def _is_plain(type_: str, dtype: pl.DataType) -> bool:
    """Whether the type is stored as the one dtype that it has after `fit`; a float may still hold NaN."""
    import polars as pl

    if type_ == "datetime":
        return dtype == pl.Datetime
    return type_ == "any" or (type_ != "float" and dtype == _plain_dtypes()[type_])


def _plain_dtypes() -> dict[str, pl.DataType]:
    import polars as pl

    return {
        "boolean": pl.Boolean(), "integer": pl.Int64(), "float": pl.Float64(), "date": pl.Date(),
        "datetime": pl.Datetime("us"), "text": pl.String(),
    }  # fmt: skip


def _value(cells: pl.Expr, type_: str, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    """The values, and whether every cell surely is one."""
    import polars as pl

    if type_ == "any":
        return cells, True
    if dtype == pl.Null:
        return cells.cast(_plain_dtypes()[type_]), True
    if dtype == pl.String and type_ != "text":
        return _of_text(cells, CellType(type_)), False
    read = {"text": _texts, "integer": _integers, "float": _floats, "boolean": _booleans, "date": _dates}
    return read.get(type_, _moments)(cells, dtype)


def _of_text(cells: pl.Expr, kind: CellType) -> pl.Expr:
    import polars as pl

    formed = pl.when((cells != "") & cells.str.contains(CELL_PATTERNS[kind])).then(cells)
    if kind is CellType.BOOLEAN:
        return formed.str.to_lowercase() == "true"
    if kind in TIME_FORMATS:
        return _time(formed, kind)
    if kind is CellType.INTEGER:
        return formed.cast(pl.Int64, strict=False)
    return held_as_float(formed)


def _time(texts: pl.Expr, kind: CellType) -> pl.Expr:
    if kind is CellType.DATE:
        return texts.str.to_date(TIME_FORMATS[kind], strict=False)
    plain = texts.str.replace("T", " ", literal=True)
    return plain.str.to_datetime(TIME_FORMATS[kind], time_unit="us", strict=False)


def _integers(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    if dtype.is_integer():
        return cells.cast(pl.Int64, strict=False), dtype not in (pl.UInt64, pl.Int128, pl.UInt128)
    if dtype.is_numeric():
        number = cells.cast(pl.Float64)
        whole = number.is_finite() & (number == number.floor()) & (number.abs() <= MAX_EXACT)
        return pl.when(whole).then(number).cast(pl.Int64), False
    return _nothing(cells, pl.Int64()), False


def _floats(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    if not dtype.is_numeric():
        return _nothing(cells, pl.Float64()), False
    number = cells.cast(pl.Float64)
    if dtype.is_integer():
        if dtype in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32):
            return number, True
        return pl.when(cells.is_between(-MAX_EXACT, MAX_EXACT)).then(number), False
    return pl.when(number.is_finite()).then(number), False


def _texts(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return cells.cast(pl.String), True
    return _nothing(cells, pl.String()), False


def _booleans(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    return (cells, True) if dtype == pl.Boolean else (_nothing(cells, pl.Boolean()), False)


def _dates(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    if dtype == pl.Date:
        return cells, True
    if dtype == pl.Datetime:
        moment = as_utc(cells, dtype)
        return pl.when(moment == moment.dt.truncate("1d")).then(moment).dt.date(), False
    return _nothing(cells, pl.Date()), False


def _moments(cells: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, bool]:
    import polars as pl

    if dtype == pl.Datetime:
        return cells, True
    if dtype == pl.Date:
        return cells.cast(pl.Datetime("us")), True
    return _nothing(cells, pl.Datetime("us")), False


def _nothing(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """As many nulls as there are cells."""
    import polars as pl

    return pl.when(cells.is_null() & cells.is_not_null()).then(pl.lit(None, dtype=dtype))
