"""One type for each column over all files of a run, or an error that names the value that does not fit.

Files are typed one by one, so one may have whole numbers where another has fractions, or postcodes without a
leading zero where another has some. What means the same is brought to one type; text against numbers is
refused, because either way of forcing it changes what the data says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import cells_of, col
from hokusai.pipeline.data.decimals import as_doubles
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import polars as pl

MOST_EXACT = 2**53
"""Whole numbers up to here are exact as doubles."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A frame whose columns take part, with the name it has in messages.

    Attributes:
        name: A file name, or what the frame is ("the base data").
        frame: Its rows.
        untyped: Its types were found from text (CSV), so that whole numbers may stand for codes.
    """

    name: str
    frame: pl.DataFrame
    untyped: bool = False


def common_types(sources: Sequence[Source], columns: Iterable[str]) -> dict[str, pl.DataType]:
    """The type that each column has in every source after `conform`. The first source with values sets the
    kind.

    A column without any value fits every type. Numbers become 64-bit integers if all are integers, else doubles; dates
    and datetimes become datetimes in microseconds, durations likewise; whole numbers from CSV become text where all
    other sources' text is made of digits only (codes such as `00123`). No value is ever changed by that.

    Raises:
        SchemaError: A column's kinds differ, or the common type does not hold a value exactly; the text names the file,
            the column and the row, but quotes no value.
    """
    there = [(source, set(source.frame.columns)) for source in sources]
    return {
        column: _common_type([source for source, names in there if column in names], column)
        for column in columns
    }


def conform(frame: pl.DataFrame, types: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns of `types`, in that order and of those types; what has its type already is not copied."""

    present = frame.schema  # made anew each time it is asked for
    return frame.select(
        col(name) if present[name] == dtype else col(name).cast(dtype) for name, dtype in types.items()
    )


def kind_of(dtype: pl.DataType) -> str:
    """What a type is, in a message: numbers, text, dates (with a time or without), times of day, and so on."""
    if dtype.is_numeric():
        return "numbers"
    others = {"Boolean": "booleans", "Time": "times of day", "Duration": "durations", "Binary": "bytes"}
    return others.get(dtype.base_type().__name__, "dates" if dtype.is_temporal() else "text")


def _common_type(sources: Sequence[Source], column: str) -> pl.DataType:
    import polars as pl

    filled = [s for s in sources if s.frame[column].null_count() < s.frame.height]
    if not filled:
        return sources[0].frame[column].dtype
    given = [s.frame[column].dtype for s in filled]
    if len(set(given)) == 1:
        return given[0]
    _refuse_nested(column, filled, given)
    dtypes = [_plain(dtype) for dtype in given]
    kinds = [kind_of(dtype) for dtype in dtypes]
    if len(set(kinds)) > 1:
        if set(kinds) == {"numbers", "text"} and _are_codes(filled, column):
            return pl.String()
        odd = next(i for i, kind in enumerate(kinds) if kind != kinds[0])
        raise _mismatch(column, filled[0], kinds[0], filled[odd], kinds[odd])
    if len(set(dtypes)) == 1:
        return dtypes[0]
    if kinds[0] == "numbers":
        common: pl.DataType = pl.Int64() if all(dtype.is_integer() for dtype in dtypes) else pl.Float64()
    else:
        common = pl.Duration("us") if kinds[0] == "durations" else pl.Datetime("us")
    for source in filled:
        _refuse_change(source, column, common)
    return common


def _plain(dtype: pl.DataType) -> pl.DataType:
    import polars as pl

    return pl.String() if isinstance(dtype, pl.Categorical | pl.Enum | pl.Null) else dtype


def _are_codes(sources: Sequence[Source], column: str) -> bool:
    """Whether the text is digits only and the numbers are whole ones that CSV wrote without any ornament."""
    import polars as pl

    for source in sources:
        values = cells_of(source.frame, column)
        if values.dtype.is_numeric():
            if not (source.untyped and values.dtype.is_integer()):
                return False
        elif not values.cast(pl.String).str.contains(r"^[0-9]+$").all():
            return False
    return True


def _refuse_nested(column: str, sources: Sequence[Source], given: Sequence[pl.DataType]) -> None:
    """Lists and objects come to one type only by a change of what they hold."""
    if any(dtype.is_nested() for dtype in given):
        odd = next(i for i, dtype in enumerate(given) if dtype != given[0])
        raise SchemaError(
            f"Column {column!r} is of type {given[odd]}, but {given[0]} in {sources[0].name}: lists and objects have "
            "to be of one type",
            where=sources[odd].name,
            hint="Give it the same type everywhere, or write such values as JSON text.",
        )


def _refuse_change(source: Source, column: str, dtype: pl.DataType) -> None:
    values = cells_of(source.frame, column)
    if values.dtype == dtype:
        return
    changed = _changed(values, dtype).arg_true()
    if len(changed):
        raise SchemaError(
            f"Column {column!r} is of type {values.dtype} here, and becomes {dtype} to fit the other data, which is "
            f"not exact for {quantity(len(changed), 'value')}, the first in row {int(changed[0]) + 1:,}: "
            f"{_what_changes(values.dtype, dtype)}",
            where=source.name,
            hint="Write the column in the same type everywhere; text holds every value.",
        )


def _changed(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Which values another type does not give back as they were."""
    import polars as pl

    if values.dtype.is_decimal():
        return as_doubles(values)[1]
    if values.dtype.is_integer() and dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        return values.is_not_null() & ~whole.is_between(-MOST_EXACT, MOST_EXACT).fill_null(False)
    return values.cast(dtype, strict=False).cast(values.dtype, strict=False).ne_missing(values)


def _what_changes(given: pl.DataType, dtype: pl.DataType) -> str:
    if given.is_decimal():
        return "decimals of more digits than a double holds"
    if given.is_integer():
        return "integers beyond 2^53" if dtype.is_float() else "integers beyond 64 bits"
    if getattr(given, "time_unit", "") == "ns":
        return "parts of a microsecond"
    return "times beyond 290,000 years"


def _mismatch(column: str, reference: Source, expected: str, source: Source, found: str) -> SchemaError:
    values = cells_of(source.frame, column)
    odd = values.is_not_null()
    if found == "text" and expected == "numbers":
        import polars as pl

        unreadable = odd & values.cast(pl.String).cast(pl.Float64, strict=False).is_null()
        leading_zero = odd & values.cast(pl.String).str.contains("^-?0[0-9]")
        odd = next((mask for mask in (unreadable, leading_zero) if mask.any()), odd)
    row = int(odd.arg_true()[0])
    return SchemaError(
        f"Column {column!r} holds {found}, but {expected} in {reference.name}; look at row {row + 1:,}",
        where=source.name,
        hint="Correct the value or leave it empty, or write the column as the same kind in all files.",
    )
