"""What a value is, however wide the type is that holds it: the columns of `hokusai-data-v1`.

The same rows come out of CSV, JSON and Parquet files with different types: an integer in 8, 32 or 64 bits, a label as
text or as a category, a time in this zone or that. Before rows are hashed, every column becomes one of a few logical
types, each with one form; a value that has no such form is refused, never rounded.
The specification is docs/formats/hokusai-data-v1.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import cells_of, col
from hokusai.pipeline.data.decimals import as_doubles

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["b", "i", "f", "t", "d", "h", "u", "s", "x"]

KINDS: Mapping[Kind, str] = {
    "b": "truth value",
    "i": "64-bit integer",
    "f": "double; NaN is null, -0.0 is 0.0",
    "t": "point in time, microseconds since 1970 in UTC",
    "d": "date, days since 1970",
    "h": "time of day, microseconds",
    "u": "duration, microseconds",
    "s": "text, UTF-8",
    "x": "bytes",
}
FIXED_BYTES: Mapping[Kind, int] = {"b": 1, "i": 8, "f": 8, "t": 8, "d": 4, "h": 8, "u": 8}
"""Size of a value of those types whose values all have the same size."""

_HEADER_TAG = b"hokusai-data-v1\x00columns\x00"
_MICROSECONDS_FIT = (2**63 - 1) // 1000


@dataclass(frozen=True, slots=True)
class CanonicalColumn:
    """A column's name and the letter of its logical type."""

    name: str
    kind: Kind


def canonical_columns(schema: Mapping[str, pl.DataType]) -> tuple[CanonicalColumn, ...]:
    """The columns of a schema, by name.

    Raises:
        SchemaError: A column has a type without canonical values, such as a list of dates.

    >>> import polars as pl
    >>> canonical_columns({"n": pl.UInt8(), "label": pl.Categorical()})
    (CanonicalColumn(name='label', kind='s'), CanonicalColumn(name='n', kind='i'))
    """
    return tuple(CanonicalColumn(name, _kind(name, schema[name])) for name in sorted(schema))


def header_digest(columns: Iterable[CanonicalColumn]) -> bytes:
    """SHA-256 of the names and types of columns in their order; part of every row's digest.

    A name stands behind its length, so that no name can be taken for something else.
    """
    named = ((column.name.encode(), column.kind.encode()) for column in columns)
    return hashlib.sha256(
        _HEADER_TAG + b"".join(len(name).to_bytes(4, "little") + name + kind for name, kind in named)
    ).digest()


def canonical_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in canonical values: columns by name, each in the one Polars type of its logical type.

    Those types are Boolean (b), Int64 (i, t, h, u), Float64 (f), Int32 (d), String (s) and Binary (x).

    Raises:
        SchemaError: A value has no canonical form: an integer beyond 64 bits, a decimal of more digits than a double
            holds, or a nanosecond that microseconds would lose; or a column's type has none. The text tells the
            column and how many, not the values.

    >>> import polars as pl
    >>> canonical_frame(pl.DataFrame({"b": [0.5, float("nan")], "a": [3, 4]}).cast({"a": pl.UInt8})).rows()
    [(3, 0.5), (4, None)]
    """
    schema = frame.schema  # made anew each time it is asked for
    columns = canonical_columns(schema)
    if not columns:
        return frame
    frame = as_in_files(frame)
    schema = frame.schema
    _refuse_what_does_not_fit(frame)
    return frame.select(_canonical(column, schema[column.name]).alias(column.name) for column in columns)


def as_in_files(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with the types that they have when they come from a file: `nested_as_text`, and decimals as doubles.

    Raises:
        SchemaError: No double is written like a decimal; or as of `nested_as_text`.

    >>> import polars as pl
    >>> as_in_files(pl.DataFrame({"price": ["1.50"]}).cast(pl.Decimal(9, 2)))["price"].to_list()
    [1.5]
    """
    for name, dtype in frame.schema.items():
        if dtype.is_decimal():
            doubles, lost = as_doubles(cells_of(frame, name))
            if lost.any():
                raise SchemaError(
                    f"{int(lost.sum()):,} values of column {name!r} are decimals of more digits than a double holds, "
                    "so the rows cannot be hashed",
                    hint="Store such numbers as text.",
                )
            frame = frame.with_columns(doubles.alias(name))
    return nested_as_text(frame)


def nested_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with lists and objects as their JSON texts (`nested_values`).

    Raises:
        SchemaError: One of them has none, or JSON has not all values of its type; the text tells the column.

    >>> import polars as pl
    >>> nested_as_text(pl.DataFrame({"tags": [["a", None], None]}))["tags"].to_list()
    ['["a",null]', None]
    """
    from hokusai.pipeline.data.arrow_nested import json_texts

    for name, dtype in frame.schema.items():
        if dtype.is_nested() and _kind(name, dtype):
            texts, faults = json_texts(cells_of(frame, name).to_arrow())
            if faults:
                raise SchemaError(
                    f"{len(faults):,} cells of column {name!r} have no JSON text, so the rows cannot be hashed: in row "
                    f"{faults[0][0] + 1:,} there is {faults[0][1]}",
                    hint="Give such values a column of their own.",
                )
            frame = frame.with_columns(texts.alias(name))
    return frame


def _has_json(dtype: pl.DataType) -> bool:
    """Whether JSON has all values of a type."""
    import polars as pl

    if isinstance(dtype, pl.List | pl.Array):
        return _has_json(_instance(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return all(_has_json(_instance(field.dtype)) for field in dtype.fields)
    plain = dtype.is_integer() and dtype not in (pl.Int128, pl.UInt128)
    others = (pl.Boolean, pl.String, pl.Categorical, pl.Enum, pl.Null)
    return plain or dtype.is_float() or dtype.base_type() in others


def _instance(dtype: Any) -> pl.DataType:
    made: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return made


def _kind(name: str, dtype: pl.DataType) -> Kind:
    import polars as pl

    if dtype.is_integer():
        return "i"
    if dtype.is_float() or dtype.is_decimal():
        return "f"
    simple: dict[type[pl.DataType], Kind] = {
        pl.Boolean: "b",
        pl.Datetime: "t",
        pl.Date: "d",
        pl.Time: "h",
        pl.Duration: "u",
        pl.String: "s",
        pl.Categorical: "s",
        pl.Enum: "s",
        pl.Null: "s",  # no value at all: what a CSV reader calls text
        pl.Binary: "x",
    }
    kind = "s" if dtype.is_nested() and _has_json(dtype) else simple.get(dtype.base_type())
    if kind is None:
        raise SchemaError(
            f"Column {name!r} is of type {dtype}, whose values have no canonical form",
            hint="Give each part a column of its own, or store the values as text.",
        )
    return kind


def _canonical(column: CanonicalColumn, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    values = col(column.name)
    match column.kind:
        case "i":
            values = values.cast(pl.Int64)
        case "f":
            numbers = values.cast(pl.Float64).fill_nan(None)
            values = pl.when(numbers == 0).then(0.0).otherwise(numbers)  # -0.0 is 0.0; Polars skips `+ 0.0`
        case "d":
            values = values.to_physical()
        case "t" | "h" | "u":
            values = _microseconds(values.to_physical(), dtype)
        case "s":
            values = values.cast(pl.String)
    return values


def _microseconds(ticks: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    match _unit(dtype):
        case "ms":
            return ticks * 1000
        case "ns":
            return ticks // 1000
    return ticks


def _unit(dtype: pl.DataType) -> str:
    import polars as pl

    return dtype.time_unit if isinstance(dtype, pl.Datetime | pl.Duration) else "ns"


def _refuse_what_does_not_fit(frame: pl.DataFrame) -> None:
    checks = {name: check for name, dtype in frame.schema.items() if (check := _misfits(name, dtype))}
    if not checks:
        return
    counts = frame.select(misfits.sum().alias(name) for name, (misfits, _, _) in checks.items())
    for name, count in counts.row(0, named=True).items():
        if count:
            _, problem, hint = checks[name]
            raise SchemaError(
                f"{count:,} values of column {name!r} {problem}, so the rows cannot be hashed", hint=hint
            )


def _misfits(name: str, dtype: pl.DataType) -> tuple[pl.Expr, str, str] | None:
    """Which values would be changed, why, and what to do about it; None if no value of this type can be."""
    import polars as pl

    values = col(name)
    if dtype in (pl.UInt64, pl.Int128, pl.UInt128):
        lost = values.is_not_null() & values.cast(pl.Int64, strict=False).is_null()
        return lost, "are integers beyond 64 bits", "Store such numbers as text."
    if isinstance(dtype, pl.Datetime | pl.Duration | pl.Time):
        ticks = values.to_physical()
        if _unit(dtype) == "ns":
            return ticks % 1000 != 0, "have parts of a microsecond", "Round them first."
        if _unit(dtype) == "ms":
            too_far = ~ticks.is_between(-_MICROSECONDS_FIT, _MICROSECONDS_FIT)
            return too_far, "are beyond 290,000 years", "Correct them, or leave them empty."
    return None
