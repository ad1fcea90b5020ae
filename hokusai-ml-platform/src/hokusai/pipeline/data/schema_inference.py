"""A schema from data that is known to be good: what the base data always is, contributions should be too.

A guess that is too narrow refuses good rows, one that is too wide finds nothing. So only what the data shows without
doubt becomes a rule, and the result is a start for a schema file that somebody reads, not a verdict.

| rule     | inferred                                                                                            |
|----------|-----------------------------------------------------------------------------------------------------|
| type     | always; nothing is said of a column without any value                                                |
| nullable | false where at least 100 rows all have a value                                                       |
| allowed  | text of at most 20 different values, each in 10 rows on average, none of which holds personal data;   |
|          | numbers are measured and not listed                                                                 |
| minimum, | only if asked for: the next good row may well lie beyond                                            |
| maximum  |                                                                                                     |

A schema is passed on, so nothing is told of the values of a column that is named like personal data, or that cleaning
would treat as such (`ColumnGate`), say one of customers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.column_values import as_utc
from hokusai.pipeline.data.columns import cells_of
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.privacy.columns import kind_by_name
from hokusai.privacy.detector import holding
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import ColumnGate

if TYPE_CHECKING:
    import polars as pl

MOST_ALLOWED = 20
_ENOUGH_ROWS = 100
_ROWS_A_VALUE = 10


def infer_schema(frame: pl.DataFrame, *, ranges: bool = False) -> DataSchema:
    """The schema that the rows of a frame keep.

    Args:
        frame: Good rows.
        ranges: Whether numbers and dates must stay between the least and the greatest.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"label": ["good", "bad"] * 50, "score": [0.5, None] * 50})
    >>> for rule in infer_schema(frame).columns:
    ...     print(rule)
    ColumnRule('label', type='text', nullable=False, allowed=['bad', 'good'])
    ColumnRule('score', type='float')
    """
    seen = SchemaInference(frame.schema, _personal([frame]))
    seen.see(frame)
    return seen.result(ranges=ranges)


def infer_schema_of_files(
    paths: str | Path | Sequence[str | Path],
    read: ReadOptions | None = None,
    *,
    ranges: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> DataSchema:
    """The schema that the rows of files keep, whatever their number.

    Args:
        paths: Good files.
        read: What is known about them.
        ranges: Whether numbers and dates must stay between the least and the greatest.
        progress: Is told how far it is.

    Raises:
        DataError: A file cannot be read in full.
        SchemaError: The files do not fit together.
    """
    scans = [open_table(path, read) for path in expand_paths(paths)]
    columns = common_columns(scans)
    firsts = (next(scan.batches(), None) for scan in scans)
    seen = SchemaInference(
        columns, _personal(conformed(first, columns) for first in firsts if first is not None)
    )
    total = sum(scan.rows_read for scan in scans)
    for scan in scans:
        for batch in scan.batches():
            seen.see(conformed(batch, columns))
            if progress is not None:
                progress("Learning the schema", seen.rows, total)
    return seen.result(ranges=ranges)


@dataclass(slots=True)
class _Column:
    """What is known of a column so far; `values` is None once there are too many."""

    nulls: int = 0
    values: frozenset[str] | None = field(default_factory=frozenset)
    low: Any = None
    high: Any = None
    infinite: bool = False
    """Whether there are infinite numbers, which no `float` of a schema is."""


class SchemaInference:
    """Learns a schema from batches; the result does not depend on how rows are cut into them, nor on their order.

    Args:
        schema: The types that all batches have.
        personal: Columns of whose values nothing is told.
    """

    def __init__(self, schema: Mapping[str, pl.DataType], personal: Collection[str] = ()) -> None:
        self.schema = dict(schema)
        self.personal = frozenset(personal) | {name for name in schema if kind_by_name(name) is not None}
        self.rows = 0
        self._columns = {name: _Column() for name in schema}

    def see(self, batch: pl.DataFrame) -> None:
        """Take the next rows into account."""
        self.rows += batch.height
        for name, dtype in self.schema.items():
            known = self._columns[name]
            listing = known.values is not None  # once there are too many values, none are counted again
            self._columns[name] = _joined(known, _learnt(batch, name, dtype, listing=listing))

    def merge(self, other: SchemaInference) -> SchemaInference:
        """What is known from the rows of both."""
        both = SchemaInference(self.schema, self.personal | other.personal)
        both.rows = self.rows + other.rows
        both._columns = {name: _joined(self._columns[name], other._columns[name]) for name in self.schema}
        return both

    def result(self, *, ranges: bool = False) -> DataSchema:
        """The schema; see `infer_schema`."""
        return DataSchema(tuple(self._rule(name, dtype, ranges) for name, dtype in self.schema.items()))

    def _rule(self, name: str, dtype: pl.DataType, ranges: bool) -> ColumnRule:
        column = self._columns[name]
        if column.nulls == self.rows:
            return ColumnRule(name)
        rules: dict[str, Any] = {
            "type": "any" if column.infinite else _type(dtype),
            "nullable": column.nulls > 0 or self.rows < _ENOUGH_ROWS,
        }
        if ranges and column.low is not None and not column.infinite and name not in self.personal:
            rules |= {"minimum": column.low, "maximum": column.high}
        if self._is_listed(name, column):
            rules["allowed"] = tuple(sorted(column.values or ()))
        return ColumnRule(name, **rules)

    def _is_listed(self, name: str, column: _Column) -> bool:
        filled = self.rows - column.nulls
        return (
            bool(column.values)
            and self.rows >= _ENOUGH_ROWS
            and filled >= _ROWS_A_VALUE * len(column.values or ())
            and name not in self.personal
            and not holding(column.values or ())
        )


def _personal(firsts: Iterable[pl.DataFrame]) -> frozenset[str]:
    """The columns that hold personal data in the first rows of any file."""
    policy = PiiPolicy(default=PiiAction.REPORT)
    return frozenset[str]().union(*(ColumnGate.decide(rows, policy).personal for rows in firsts))


def _learnt(batch: pl.DataFrame, name: str, dtype: pl.DataType, *, listing: bool) -> _Column:
    import polars as pl

    cells = cells_of(batch, name)
    if dtype.is_float():
        cells = cells.fill_nan(None)
    values: frozenset[str] | None = None
    low, high, infinite = None, None, False
    if listing and isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        different = cells.cast(pl.String).drop_nulls().unique()
        values = frozenset(different) if len(different) <= MOST_ALLOWED else None
    elif (dtype.is_numeric() and not dtype.is_decimal()) or dtype in (pl.Date, pl.Datetime):
        ordered = cells.to_frame().select(as_utc(pl.first(), dtype)).to_series()
        if dtype.is_float():
            infinite = bool(ordered.is_infinite().any())
            ordered = ordered.filter(ordered.is_finite())
        low, high = ordered.min(), ordered.max()
    return _Column(cells.null_count(), values, low, high, infinite)


def _joined(one: _Column, other: _Column) -> _Column:
    values = None if one.values is None or other.values is None else one.values | other.values
    if values is not None and len(values) > MOST_ALLOWED:
        values = None
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    low, high = min(lows, default=None), max(highs, default=None)
    return _Column(one.nulls + other.nulls, values, low, high, one.infinite or other.infinite)


def _type(dtype: pl.DataType) -> str:
    import polars as pl

    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "float"
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "text"
    plain = {pl.Boolean: "boolean", pl.Date: "date", pl.Datetime: "datetime"}
    return plain.get(dtype.base_type(), "any")
