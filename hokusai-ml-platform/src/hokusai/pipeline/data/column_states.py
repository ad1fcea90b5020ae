"""What is known about each column, as states over batches that merge: the source of the manifest's column summaries,
of the quality score and of `hokusai data profile`.

Every state gives the same answer however the rows are cut into batches and in whatever order these are merged, so a
summary that was made on many machines is the summary of the data and not of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.canonical import MAX_SAFE_INTEGER
from hokusai.domain.manifest import ColumnSummary
from hokusai.errors import SchemaError
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.columns import cells_of
from hokusai.pipeline.data.counted_values import counted_values
from hokusai.pipeline.data.distinct_count import DistinctCount
from hokusai.pipeline.data.moments import Moments
from hokusai.pipeline.data.number_bins import NumberBins
from hokusai.pipeline.data.value_hash import hash_values

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

MOST_VALUES = 1_000
"""Values of a column are counted one by one as long as there are no more than these."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HISTOGRAM_BARS = 30
SHOWN_VALUES, SHOWN_ROWS = 20, 5
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column, for people to look at.

    Attributes:
        summary: What the manifest has about it.
        rows: Cells, null ones included.
        infinite: Infinite numbers; they take no part in what follows.
        mean: Of numbers.
        deviation: Their standard deviation, n - 1 in the denominator.
        quantiles: Share to value, for numbers: the bins' values, up to 0.1 % too near to zero.
        histogram: (from, to, rows) of bars of equal width over the range; numbers, and dates as days since 2000-01-01.
        values: Value and rows, the most frequent first, of columns with at most 20 distinct values, for values that
            at least 5 rows have: what many share is nobody's alone. Empty for other columns.
    """

    summary: ColumnSummary
    rows: int
    infinite: int = 0
    mean: float | None = None
    deviation: float | None = None
    quantiles: Mapping[str, float] | None = None
    histogram: tuple[tuple[float, float, int], ...] = ()
    values: tuple[tuple[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what does not apply is left out."""
        summary = {name: getattr(self.summary, name) for name in self.summary.__slots__}
        others = {
            "infinite": self.infinite,
            "mean": self.mean,
            "deviation": self.deviation,
            "quantiles": dict(self.quantiles or {}),
            "histogram": [list(bar) for bar in self.histogram],
            "values": [list(value) for value in self.values],
        }
        applying = {name: value for name, value in others.items() if value not in (None, 0, {}, [])}
        return {**summary, "rows": self.rows, **applying}


class ColumnState:
    """Everything that is counted about one column.

    Attributes:
        name: The column.
        dtype: Its type.
        rows: Cells seen.
        nulls: Those without a value; NaN is none.
        infinite: Those that are infinite.
        low: Least finite number or date.
        high: Greatest one.
        distinct: Distinct values.
        values: Value to rows; None once there were more than `MOST_VALUES`, or a long text.
        bins: The distribution of finite numbers, or of the days of dates.
        moments: Of finite numbers, if wanted.
    """

    def __init__(self, name: str, dtype: pl.DataType, *, moments: bool) -> None:
        self.name, self.dtype = name, dtype
        self.rows = self.nulls = self.infinite = 0
        self.low: Any = None
        self.high: Any = None
        self.distinct = DistinctCount()
        self.values: dict[Any, int] | None = {}
        self.bins = NumberBins()
        self.moments = Moments() if moments and dtype.is_numeric() else None

    def see(self, column: pl.Series, hashes: NDArray[np.uint64] | None = None) -> None:
        """Take in some cells; `hashes` is what `hash_values` gives for them, if it is at hand."""
        self.rows += len(column)
        if self.moments is not None:
            self.moments.see(_finite(column))
        if self.values is not None and self._count(column, hashes):
            return
        self.distinct.see(hash_values(column) if hashes is None else hashes)
        self.nulls += self._measure(column)

    def merge(self, other: ColumnState) -> None:
        """Take in what `other` saw of the same column."""
        self.rows += other.rows
        self.nulls += other.nulls
        self.infinite += other.infinite
        self._widen(other.low, other.high)
        self.distinct.merge(other.distinct)
        self._add(other.values)
        self.bins.merge(other.bins)
        if self.moments is not None and other.moments is not None:
            self.moments.merge(other.moments)

    def summary(self) -> ColumnSummary:
        """What the manifest has about the column."""
        return ColumnSummary(
            self.name,
            dtype_name(self.dtype),
            self.nulls,
            self.distinct.estimate(),
            self.distinct.relative_error(),
            None if self.low is None else plain(self.low),
            None if self.high is None else plain(self.high),
        )

    def profile(self) -> ColumnProfile:
        """What people look at."""
        variance = self.moments.variance() if self.moments is not None else None
        numbers = self.dtype.is_numeric()
        quantiles = self.bins.quantiles(list(QUANTILES)) if numbers else []
        return ColumnProfile(
            self.summary(),
            self.rows,
            self.infinite,
            self.moments.mean() if self.moments is not None else None,
            None if variance is None else variance**0.5,
            {f"{share:g}": value for share, value in zip(QUANTILES, quantiles, strict=False)} or None,
            self._histogram(),
            self._shown_values(),
        )

    def _count(self, column: pl.Series, hashes: NDArray[np.uint64] | None) -> bool:
        """Take in some cells value by value, unless there are too many values; gives whether it did."""
        import polars as pl

        counted = counted_values(column, MOST_VALUES, hashes)
        if counted is None:
            self.values = None
            return False
        found, rows = counted
        long = found.dtype == pl.String and (found.str.len_bytes() > _LONGEST_VALUE).any()
        self._add(None if long else dict(zip(found, rows.tolist(), strict=True)))
        self.distinct.see(hash_values(found))
        self._measure(found, rows)
        self.nulls += len(column) - int(rows.sum())
        return True

    def _add(self, counts: Mapping[Any, int] | None) -> None:
        if self.values is None or counts is None:
            self.values = None
            return
        for value, rows in counts.items():
            self.values[value] = self.values.get(value, 0) + rows
        if len(self.values) > MOST_VALUES:
            self.values = None

    def _measure(self, column: pl.Series, counts: NDArray[np.int64] | None = None) -> int:
        """Take in the size of some cells, each as often as `counts` says, or once; gives how many have no value."""
        import polars as pl

        if self.dtype.is_numeric():
            measured = self.bins.measure(column, counts)
            self.infinite += measured.infinite
            self._widen(measured.low, measured.high)
            return measured.nulls
        if self.dtype.is_temporal():
            self._widen(column.min(), column.max())
            if isinstance(self.dtype, pl.Date | pl.Datetime):
                self.bins.measure(column.cast(pl.Date).cast(pl.Int32) - _DAYS_TO_2000, counts)
        return column.null_count()

    def _widen(self, low: Any, high: Any) -> None:
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)

    def _histogram(self) -> tuple[tuple[float, float, int], ...]:
        import numpy as np

        points, counts = self.bins.points()
        if not len(points):
            return ()
        low, high = float(points[0]), float(points[-1])
        if low == high:
            return ((low, high, int(counts.sum())),)
        heights, edges = np.histogram(points, HISTOGRAM_BARS, (low, high), weights=counts)
        return tuple(
            (float(edges[i]), float(edges[i + 1]), round(float(rows))) for i, rows in enumerate(heights)
        )

    def _shown_values(self) -> tuple[tuple[str, int], ...]:
        if self.values is None or len(self.values) > SHOWN_VALUES:
            return ()
        texts = ((str(value), rows) for value, rows in self.values.items() if rows >= SHOWN_ROWS)
        return tuple(sorted(texts, key=lambda pair: (-pair[1], pair[0])))


class ColumnStates:
    """The states of all columns of a table.

    Args:
        schema: Column to type; every batch must have these columns, in any order.
        moments: Whether to sum for mean and deviation too, which only profiles show.

    Raises:
        SchemaError: A column holds lists or objects.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, None, 31], "name": ["Ann", "Bo", "Cy"]})
    >>> for column in ColumnStates(frame.schema).see(frame).summaries():
    ...     print(column.name, column.dtype, column.nulls, column.unique, column.low, column.high)
    age int64 1 1 31 31
    name string 0 3 None None
    """

    def __init__(self, schema: Mapping[str, pl.DataType], *, moments: bool = False) -> None:
        canonical_columns(schema)  # refuses what has no canonical values, by name
        if nested := [name for name, dtype in schema.items() if dtype.is_nested()]:
            raise SchemaError(
                f"Column {nested[0]!r} holds lists or objects", hint="Take their texts: `nested_as_text`."
            )
        self._states = {name: ColumnState(name, dtype, moments=moments) for name, dtype in schema.items()}

    def see(
        self, batch: pl.DataFrame, hashes: Mapping[str, NDArray[np.uint64]] | None = None
    ) -> ColumnStates:
        """Take in the rows of a batch. Gives itself.

        Args:
            batch: (n_rows, n_columns) in the types of the schema.
            hashes: Column to what `hash_values` gives for it, if it is at hand.

        Raises:
            SchemaError: The batch has other columns or types.
        """
        if dict(batch.schema) != {name: state.dtype for name, state in self._states.items()}:
            raise SchemaError(
                "A batch has other columns or types than the table that it belongs to",
                hint="Bring all batches to one schema first.",
            )
        for name, state in self._states.items():
            state.see(cells_of(batch, name), hashes.get(name) if hashes else None)
        return self

    def merge(self, other: ColumnStates) -> ColumnStates:
        """Take in what `other` saw of the same columns. Gives itself."""
        if list(self._states) != list(other._states):
            raise SchemaError("Only states of the same columns can be merged")
        for name, state in self._states.items():
            state.merge(other._states[name])
        return self

    def __getitem__(self, name: str) -> ColumnState:
        return self._states[name]

    def __contains__(self, name: object) -> bool:
        return name in self._states

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self._states)

    def summaries(self) -> tuple[ColumnSummary, ...]:
        """The manifest's column summaries, in the schema's order."""
        return tuple(state.summary() for state in self._states.values())

    def profiles(self) -> tuple[ColumnProfile, ...]:
        """What people look at, in the schema's order."""
        return tuple(state.profile() for state in self._states.values())


def dtype_name(dtype: pl.DataType) -> str:
    """A type by its plain name, such as `int64` or `string`.

    >>> import polars as pl
    >>> dtype_name(pl.Datetime("us"))
    'datetime'
    """
    return dtype.base_type().__name__.lower()


def plain(value: Any) -> float | int | str:
    """A number or time as a JSON value: integers beyond 2^53 and decimals as text, times as ISO text or seconds."""
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE_INTEGER else str(value)
    if hasattr(value, "total_seconds"):
        return float(value.total_seconds())
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


_DAYS_TO_2000 = 10_957


def _finite(column: pl.Series) -> NDArray[np.float64]:
    """The finite numbers of a column."""
    import numpy as np
    import polars as pl

    numbers = column.cast(pl.Float64).drop_nulls().to_numpy()
    finite: NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return finite
