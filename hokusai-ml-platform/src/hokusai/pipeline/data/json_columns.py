"""Records of JSON values become columns, one kind of value in each, with every value kept exactly.

JSON says what is a number and what is text, so nothing is guessed: a column that holds both is refused, and
so are integers that 64 bits or a double beside them cannot hold, and text that is not Unicode. A key that a
record lacks is null, wherever in the file it first appears, and is noted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.errors import DataError

if TYPE_CHECKING:
    import polars as pl

BATCH_RECORDS = 10_000
KINDS = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}

_MAX_EXACT = 2**53
_MAX_INT64 = 2**63 - 1


@dataclass(slots=True)
class _Column:
    """One column over all batches: which kind of value it holds, and where that was first seen."""

    kind: str = ""
    place: str = ""
    has_fraction: bool = False
    absent: int = 0


def frame_of_records(
    records: Iterator[tuple[str, dict[str, Any]]], name: str
) -> tuple[pl.DataFrame, int, list[str]]:
    """The frame of (place, record) pairs, such as ("line 3", {"a": 1}).

    Args:
        records: In the file's order; they are taken in batches, so that they are not all in memory.
        name: The file, for messages.

    Returns:
        The frame, the number of records, and notes for people.

    Raises:
        DataError: A value cannot be kept exactly, or a column holds values of several kinds.
    """
    import polars as pl

    columns: dict[str, _Column] = {}
    batches: list[dict[str, pl.Series]] = []
    heights: list[int] = []
    while batch := list(itertools.islice(records, BATCH_RECORDS)):
        batches.append(_batch(batch, columns, sum(heights), name))
        heights.append(len(batch))
    n_records = sum(heights)
    if not columns:
        raise DataError(
            "The records have no keys" if n_records else "The file has no rows",
            where=name,
            hint="Give a file with at least one row.",
        )
    for key, column in columns.items():
        if column.has_fraction:
            _refuse_inexact(key, [batch.get(key) for batch in batches], heights, name)
    frames = []
    for height in heights:
        series = batches.pop(0)  # a batch is let go as soon as it is converted
        frames.append(
            pl.DataFrame([_settled(series, key, column, height) for key, column in columns.items()])
        )
    notes = [
        f"Column {key!r} is absent from {column.absent:,} of {n_records:,} records, and read as missing there"
        for key, column in columns.items()
        if column.absent
    ]
    return pl.concat(frames, rechunk=False), n_records, notes


def _batch(
    batch: list[tuple[str, dict[str, Any]]], columns: dict[str, _Column], n_before: int, name: str
) -> dict[str, pl.Series]:
    places, rows = [place for place, _ in batch], [row for _, row in batch]
    for key in dict.fromkeys(itertools.chain.from_iterable(rows)):
        if key not in columns:
            if not key.strip():
                raise DataError("A record has a key without a name", where=name, hint="Name every column.")
            columns[key] = _Column(absent=n_before)
    whole = sum(map(len, rows)) == len(columns) * len(rows)
    series = {}
    for key, column in columns.items():
        if not whole:
            column.absent += sum(key not in row for row in rows)
        series[key] = _series(key, column, [row.get(key) for row in rows], places, name)
    return series


def _series(key: str, column: _Column, values: list[Any], places: list[str], name: str) -> pl.Series:
    """The values of one batch, after checking that they are of the column's one kind."""
    import polars as pl

    types = set(map(type, values)) - {type(None)}
    kinds = {KINDS[kind] for kind in types} | ({column.kind} if column.kind else set())
    if kinds & {"list", "object"}:
        at = next(i for i, value in enumerate(values) if isinstance(value, list | dict))
        raise DataError(
            f"Column {key!r} holds "
            f"{'a list' if isinstance(values[at], list) else 'an object'} in {places[at]}",
            where=name,
            hint="Values must be plain (text, number, true, false, null). If the rows "
            "themselves are that list, "
            "store the list alone in the file; otherwise give each part a column.",
        )
    if len(kinds) > 1:
        raise _mixed(key, column, values, places, name)
    if types and not column.kind:
        column.kind = kinds.pop()
        column.place = next(place for place, value in zip(places, values, strict=True) if value is not None)
    column.has_fraction |= float in types
    try:
        series = pl.Series(key, values, dtype=_batch_dtype(column, types), strict=float not in types)
    except UnicodeEncodeError as problem:
        at = next(i for i, value in enumerate(values) if isinstance(value, str) and not _encodes(value))
        raise DataError(
            f"Column {key!r} in {places[at]} holds half of a surrogate pair (\\ud800 to "
            "\\udfff), which is no character",
            where=name,
            hint="The text was cut within a character: export it again.",
        ) from problem
    except (OverflowError, TypeError, pl.exceptions.PolarsError) as problem:
        raise _too_large(key, values, places, name) from problem
    if types == {int, float}:
        _refuse_rounding(key, values, places, name)
    if float in types and series.is_infinite().any():
        raise DataError(
            f"Column {key!r} in {places[series.is_infinite().arg_true()[0]]} holds a number "
            "beyond the range of a "
            "double (about 1.8e308)",
            where=name,
            hint="Correct the value, or write null if it is unknown.",
        )
    return series


def _batch_dtype(column: _Column, types: set[type]) -> pl.DataType:
    import polars as pl

    if column.kind == "number":
        return pl.Float64() if float in types else pl.Int64()
    return {"boolean": pl.Boolean(), "text": pl.String()}.get(column.kind, pl.String())


def _settled(batch: dict[str, pl.Series], key: str, column: _Column, height: int) -> pl.Series:
    import polars as pl

    dtype = _batch_dtype(column, {float} if column.has_fraction else {int})
    return batch[key].cast(dtype) if key in batch else pl.Series(key, [None] * height, dtype=dtype)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mixed(key: str, column: _Column, values: list[Any], places: list[str], name: str) -> DataError:
    kind, where = column.kind, column.place
    for value, place in zip(values, places, strict=True):
        found = KINDS.get(type(value), "")
        if found and not kind:
            kind, where = found, place
        if found and found != kind:
            return DataError(
                f"Column {key!r} is {kind} in {where}, but {found} in {place}: {str(value)[:40]!r}",
                where=name,
                hint="A column holds one kind of value: write numbers without quotes, or all values as text.",
            )
    raise AssertionError("called for a column of one kind")


def _too_large(key: str, values: list[Any], places: list[str], name: str) -> DataError:
    at = next(
        i
        for i, value in enumerate(values)
        if isinstance(value, int) and not -_MAX_INT64 <= value <= _MAX_INT64
    )
    return DataError(
        f"Column {key!r} in {places[at]} holds an integer of {len(str(abs(values[at])))} digits, "
        "beyond 64 bits",
        where=name,
        hint="Write such identifiers as text, in quotes.",
    )


def _refuse_rounding(key: str, values: list[Any], places: list[str], name: str) -> None:
    for value, place in zip(values, places, strict=True):
        if isinstance(value, int) and abs(value) > _MAX_EXACT:
            raise DataError(
                f"Column {key!r} in {place} holds the integer {value}, which would be "
                "rounded beside fractions",
                where=name,
                hint="Write the column as text, or its integers within 2^53.",
            )


def _refuse_inexact(key: str, batches: list[pl.Series | None], heights: list[int], name: str) -> None:
    """Integers of a batch without fractions must also be exact where another batch has fractions."""
    first = 1
    for series, height in zip(batches, heights, strict=True):
        if series is not None and series.dtype.is_integer():
            large = ((series > _MAX_EXACT) | (series < -_MAX_EXACT)).arg_true()
            if len(large):
                row = int(large[0])
                _refuse_rounding(key, [series[row]], [f"record {first + row:,}"], name)
        first += height
