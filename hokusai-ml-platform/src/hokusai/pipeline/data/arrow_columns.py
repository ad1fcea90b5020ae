"""Arrow batches, as Parquet and Arrow files give them, become the columns of a table.

The types come with the file, so what is left is to settle what a table may hold: numbers, text, booleans, dates, times
without a zone, times of day, durations and bytes, each with null for "missing". NaN becomes null, infinity stays,
dictionaries become text, times become microseconds of UTC. A value that cannot be kept exactly (beyond 64 bits, finer
than a microsecond, beyond the year 9999) is a fault of its row. Lists, structures and maps become their JSON text
(`nested_values`); a column of another type (a month interval, an extension) is refused by name.

A dictionary can unpack to a thousand times its size: here it becomes views of its values, which take 16 bytes a row,
and the bytes that they stand for are counted against the limits before anybody writes them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai.errors import DataError
from hokusai.pipeline.data.arrow_nested import holds_objects, is_json, is_nested, json_texts, nested_bytes
from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.column_values import WRONG_TYPE, expected, fitted, told_dtype
from hokusai.pipeline.data.decimals import arrow_as_doubles
from hokusai.pipeline.data.nested_values import NOT_KEPT, nested_note
from hokusai.pipeline.data.unpacking import RATIO_MATTERS_FROM

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from hokusai.pipeline.data.scan import Limits, ReadOptions
    from hokusai.pipeline.data.source_file import OpenedFile

BATCH_BYTES = 64 << 20
"""Unpacked bytes of a batch that is given out, unless a single row has more."""

_DAY_MS = 86_400_000
_YEARS_US = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""0001-01-01 and the last microsecond of 9999, in microseconds since 1970: what ISO 8601 can write in four digits."""
_UNITS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class CellFault:
    """A value that cannot be kept: its row within the batch, and why; it is not quoted."""

    row: int
    column: str
    reason: str
    detail: str

    @property
    def told(self) -> str:
        """The fault as the rest of a sentence on its row."""
        return f"holds {self.detail}" if self.reason == NOT_KEPT else f"has {self.reason} ({self.detail})"


@dataclass(frozen=True, slots=True)
class ArrowColumn:
    """A column of a file.

    Attributes:
        name: Its name.
        dtype: Its type in the table.
        note: What a reader should know of it; empty if nothing.
        wanted: The type that it was told to have.
    """

    name: str
    dtype: pl.DataType
    note: str = ""
    wanted: CellType | None = None

    def settled(self, array: pa.Array) -> tuple[pl.Series, list[CellFault]]:
        """Its values in a batch that was validated; null where there is a fault."""
        values, faults = _settled(array, self.name)
        if self.wanted is not None and not (self.wanted is CellType.FLOAT and values.dtype.is_float()):
            values, misfits = fitted(values, self.wanted)
            faults += _faults(misfits, self.name, WRONG_TYPE, expected(self.wanted))
        return values.cast(self.dtype).alias(self.name), faults


def columns_of(schema: pa.Schema, options: ReadOptions, name: str) -> list[ArrowColumn]:
    """The columns of a file with this schema.

    Raises:
        DataError: A column has no name, that of another one, or a type that a table cannot hold; or there are too
            many.
    """
    names = [str(column) for column in schema.names]
    if len(names) > options.limits.columns:
        raise DataError(
            f"The file has {len(names):,} columns, more than {options.limits.columns:,}",
            where=name,
            hint="Leave out what is no feature or label, or raise Limits.columns.",
        )
    if not all(column.strip() for column in names):
        raise DataError("A column has no name", where=name, hint="Name every column.")
    twice = (
        sorted({column for column in names if names.count(column) > 1})
        if len(set(names)) < len(names)
        else []
    )
    if twice:
        raise DataError(
            f"Columns have the same name: {', '.join(map(repr, twice[:20]))}",
            where=name,
            hint="Give every column a name of its own.",
        )
    return [_column(entry.name, entry.type, options.types.get(entry.name), name) for entry in schema]


@dataclass(slots=True)
class Unpacked:
    """Counts the bytes that a file's values stand for, and refuses a file that has far more than it should."""

    file: OpenedFile
    limits: Limits
    n_bytes: int = 0

    def add(self, n_bytes: int) -> None:
        """Count `n_bytes` more.

        Raises:
            DataError: They are beyond the limits.
        """
        self.n_bytes += n_bytes
        too_many = self.n_bytes > self.limits.unpacked_bytes
        too_dense = self.n_bytes > max(RATIO_MATTERS_FROM, self.limits.ratio * self.file.size_bytes)
        if too_many or too_dense:
            most = (
                f"{self.limits.unpacked_bytes:,} bytes" if too_many else f"{self.limits.ratio} times its size"
            )
            raise DataError(
                f"The file of {self.file.size_bytes:,} bytes unpacks to more than {most}",
                where=self.file.name,
                hint="If this is meant, raise the limits, or store the data as plain text.",
            )


@dataclass(slots=True)
class Batches:
    """Settles the batches of one pass over a file.

    Attributes:
        columns: The file's columns.
        unpacked: The count that is kept over all batches.
        faults: Those of the batch that was settled last, by row.
    """

    columns: Sequence[ArrowColumn]
    unpacked: Unpacked
    faults: list[CellFault] = field(default_factory=list)

    def settle(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """The rows of a batch, those at fault included; sets `faults`.

        Raises:
            pyarrow.ArrowInvalid: The batch is damaged.
            DataError: It is beyond the limits.
        """
        import polars as pl

        batch.validate(
            full=True
        )  # offsets, indices and UTF-8 are as the file says, until this has looked at them
        self.faults = []
        series = []
        for column, array in zip(self.columns, batch.columns, strict=True):
            values, faults = column.settled(array)
            self.unpacked.add(_bytes_of(values))
            self.faults += faults
            series.append(values)
        return pl.DataFrame(series) if series else pl.DataFrame(height=batch.num_rows)


def in_pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces whose lists and objects stand for at most `BATCH_BYTES`, or single rows.

    Raises:
        pyarrow.ArrowInvalid: The batch is damaged.
    """
    nested = [array for array in batch.columns if is_nested(array.type)]
    if nested:
        batch.validate(full=True)
    if batch.num_rows <= 1 or sum(map(nested_bytes, nested)) <= BATCH_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from in_pieces(batch.slice(0, half))
    yield from in_pieces(batch.slice(half))


def bounded(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in pieces of at most `BATCH_BYTES`, or single rows."""
    if frame.height <= 1 or sum(map(_bytes_of, frame.iter_columns())) <= BATCH_BYTES:
        yield frame
        return
    half = frame.height // 2
    yield from bounded(frame[:half])
    yield from bounded(frame[half:])


def _column(column: str, kind: pa.DataType, wanted: str | None, name: str) -> ArrowColumn:
    dtype, note = _table_type(kind)
    if dtype is None:
        raise DataError(
            f"Column {column!r} has the type {kind}, which a table cannot hold",
            where=name,
            hint="Columns are numbers, text, booleans, dates, times, durations or bytes, or lists and objects of "
            "numbers, text and booleans. Store other values as text.",
        )
    told = CellType(wanted) if wanted is not None else None
    if is_nested(kind):
        note = nested_note(column, "objects" if holds_objects(kind) else "lists")
    elif note:
        note = f"Column {column!r} {note}"
    return ArrowColumn(column, dtype if told is None else told_dtype(told), note, told)


def _table_type(kind: pa.DataType) -> tuple[pl.DataType | None, str]:
    """The type that an Arrow type has in a table, and what is noted of it; None if it has none."""
    import polars as pl
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(kind):
        within = kind.value_type
        return (None, "") if is_.is_dictionary(within) or is_nested(within) else _table_type(within)
    if is_nested(kind):
        return (pl.String() if is_json(kind) else None), "nested"
    if is_.is_decimal(kind):
        return pl.Float64(), f"is Decimal({kind.precision}, {kind.scale}) and was converted to doubles"
    if is_.is_timestamp(kind):
        return pl.Datetime(
            "us"
        ), f"has times in the zone {kind.tz}, which were converted to UTC" if kind.tz else ""
    plain = (
        (is_.is_string, pl.String()), (is_.is_large_string, pl.String()), (is_.is_string_view, pl.String()),
        (is_.is_null, pl.String()), (is_.is_boolean, pl.Boolean()), (is_.is_date, pl.Date()), (is_.is_time, pl.Time()),
        (is_.is_int8, pl.Int8()), (is_.is_int16, pl.Int16()), (is_.is_int32, pl.Int32()), (is_.is_int64, pl.Int64()),
        (is_.is_uint8, pl.UInt8()), (is_.is_uint16, pl.UInt16()), (is_.is_uint32, pl.UInt32()),
        (is_.is_uint64, pl.Int64()), (is_.is_float16, pl.Float32()), (is_.is_float32, pl.Float32()),
        (is_.is_float64, pl.Float64()), (is_.is_duration, pl.Duration("us")), (is_.is_binary, pl.Binary()),
        (is_.is_large_binary, pl.Binary()), (is_.is_binary_view, pl.Binary()), (is_.is_fixed_size_binary, pl.Binary()),
    )  # fmt: skip
    return next((dtype for is_kind, dtype in plain if is_kind(kind)), None), ""


def _settled(array: pa.Array, name: str) -> tuple[pl.Series, list[CellFault]]:
    import polars as pl
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        values, faults = _settled(array.dictionary, name)
        indices = _series(array.indices).cast(pl.Int64)
        found = [
            CellFault(row, name, fault.reason, fault.detail)
            for fault in faults
            for row in (indices == fault.row).arg_true().to_list()
        ]
        return values.gather(indices), found
    if is_nested(kind):
        texts, kept_out = json_texts(array)
        return texts, [CellFault(row, name, NOT_KEPT, what) for row, what in kept_out]
    if pa.types.is_null(kind):
        return pl.Series([None] * len(array), dtype=pl.String), []
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _time(array, name)
    if pa.types.is_duration(kind):
        return _duration(array, name)
    if pa.types.is_fixed_size_binary(kind):
        array = array.cast(pa.large_binary())
    return _number_or_other(array, name)


def _number_or_other(array: pa.Array, name: str) -> tuple[pl.Series, list[CellFault]]:
    import polars as pl
    import pyarrow as pa

    if pa.types.is_decimal(array.type):
        doubles, lost = arrow_as_doubles(array)
        return doubles, _faults(lost, name, NOT_KEPT, "more digits than a double holds")
    values = _series(array)
    if values.dtype.is_float():
        exact = values.cast(pl.Float32) if values.dtype not in (pl.Float32, pl.Float64) else values
        return exact.fill_nan(None), []
    if values.dtype == pl.Time:
        finer = (values.to_physical() % 1000 != 0).fill_null(False)
        faults = _faults(finer, name, NOT_KEPT, "a time of day finer than a microsecond")
        return (values.set(finer, None) if faults else values), faults
    if values.dtype == pl.UInt64:
        narrow = values.cast(pl.Int64, strict=False)
        return narrow, _faults(
            narrow.is_null() & values.is_not_null(), name, NOT_KEPT, "an integer beyond 64 bits"
        )
    return values, []


def _time(array: pa.Array, name: str) -> tuple[pl.Series, list[CellFault]]:
    """Dates as days, times as microseconds of UTC."""
    import polars as pl
    import pyarrow as pa

    kind = array.type
    is_date = pa.types.is_date(kind)
    if pa.types.is_date32(kind):
        per_day, ticks = 1, _series(array.cast(pa.int32())).cast(pl.Int64)
    else:
        ticks = _series(array.cast(pa.int64()))
        per_day = _DAY_MS if is_date else 86_400 * _UNITS_PER_SECOND[kind.unit]
    bounds = (bound * per_day // (86_400 * 1_000_000) for bound in _YEARS_US)
    low, high = (
        min(max(bound, -(2**63)), 2**63 - 1) for bound in bounds
    )  # 64 bits of nanoseconds end in 2262
    far = ~ticks.is_between(low, high)
    faults = _faults(far.fill_null(False), name, NOT_KEPT, "a time before the year 1 or after 9999")
    ticks = ticks.set(far, None) if faults else ticks
    wanted_per_day = 1 if is_date else 86_400 * 1_000_000
    if per_day > wanted_per_day:
        step = per_day // wanted_per_day
        finer = (ticks % step != 0).fill_null(False)
        what = "a time of day in a column of dates" if is_date else "a time finer than a microsecond"
        faults += _faults(finer, name, NOT_KEPT, what)
        ticks = (ticks.set(finer, None) if finer.any() else ticks) // step
    else:
        ticks = ticks * (wanted_per_day // per_day)
    return (ticks.cast(pl.Int32).cast(pl.Date) if is_date else ticks.cast(pl.Datetime("us"))), faults


def _duration(array: pa.Array, name: str) -> tuple[pl.Series, list[CellFault]]:
    """Durations as microseconds."""
    import polars as pl
    import pyarrow as pa

    ticks, per_second = _series(array.cast(pa.int64())), _UNITS_PER_SECOND[array.type.unit]
    if per_second > 1_000_000:
        step = per_second // 1_000_000
        odd, what = ticks % step != 0, "a duration finer than a microsecond"
    else:
        step = 1_000_000 // per_second
        odd, what = (
            ~ticks.is_between(-(2**63 // step), (2**63 - 1) // step),
            "a duration beyond 290,000 years",
        )
    odd = odd.fill_null(False)
    faults = _faults(odd, name, NOT_KEPT, what)
    ticks = ticks.set(odd, None) if faults else ticks
    ticks = ticks // step if per_second > 1_000_000 else ticks * step
    return ticks.cast(pl.Duration("us")), faults


def _series(array: pa.Array) -> pl.Series:
    import polars as pl

    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)  # noqa: S101 - a frame comes only of tables
    return series.alias("")  # its methods take a name for a pattern


def _faults(mask: pl.Series, name: str, reason: str, detail: str) -> list[CellFault]:
    return [CellFault(row, name, reason, detail) for row in mask.arg_true().to_list()] if mask.any() else []


def _bytes_of(values: pl.Series) -> int:
    import polars as pl

    if values.dtype == pl.String:
        values = values.alias("")  # methods of a series take its name for a pattern
        return int(values.str.len_bytes().sum()) + len(values)
    if values.dtype == pl.Binary:
        return int(values.bin.size().sum()) + len(values)
    narrow: dict[pl.DataType, int] = {
        pl.Boolean(): 1,
        pl.Int8(): 1,
        pl.UInt8(): 1,
        pl.Int16(): 2,
        pl.UInt16(): 2,
    }
    return len(values) * narrow.get(values.dtype, 8)
