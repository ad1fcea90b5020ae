"""The distribution of a number column as counts in fixed bins: quantiles, histograms and shares, in bounded memory.

The bins are the same for all data, a thousandth of the value wide, so counts of parts add up and nothing depends on
order. That is the idea of HdrHistogram and DDSketch, with the bin taken from the bits of the double itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from hokusai.pipeline.data.cell_buffers import WordCells
from hokusai.pipeline.data.value_hash import CELLS_A_HASH, plain_floats
from hokusai.utils.compiled import pays

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_DROPPED_BITS = 42  # of 52: 10 bits of fraction stay, so a bin is between 1/2048 and 1/1024 of its value wide
_LEAST, _GREATEST = 2.0**-64, 2.0**64
_BIN_ZERO = ((1023 - 64) << (52 - _DROPPED_BITS)) - 1
_GREATEST_BIN = ((1023 + 64) << (52 - _DROPPED_BITS)) - _BIN_ZERO
_PENDING = 1 << 18
_SPARSE = 8
"""Where bins are spread over so many times their number, they are sorted and not looked up."""


class Measured(NamedTuple):
    """What is known of some numbers beside their bins.

    Attributes:
        nulls: Those that are null or NaN.
        infinite: Those that are infinite.
        low: The least finite one, in the column's type; None without one.
        high: The greatest one.
    """

    nulls: int
    infinite: int
    low: Any
    high: Any


class NumberBins:
    """Counts of values by sign, exponent and the first ten bits of the fraction.

    A bin stands for its value nearest to zero, so whole numbers up to 2,048 are exact and others up to 0.1 % too near
    to zero. Below 2^-64 a value counts as zero, above 2^64 as 2^64. At most 262,145 bins, 16 bytes each, of which most
    columns fill a few thousand.

    >>> import numpy as np
    >>> NumberBins().see(np.array([1.0, 2.0, 2000.0])).quantiles([0.5])
    [2.0]

    References:
        Masson, Rim and Lee (2019), DDSketch, PVLDB 12(12), whose guarantee of relative accuracy this shares.
    """

    def __init__(self) -> None:
        import numpy as np

        self._bins: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._counts: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._pending: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._pending_size = 0

    def see(self, values: NDArray[np.float64], counts: NDArray[np.int64] | None = None) -> NumberBins:
        """Take in finite values, shape (n,), each as often as `counts` says, or once. Gives itself."""
        import numpy as np

        # Whatever is below the least size gets the largest double below it, whose bin is number 0.
        sizes = np.clip(np.abs(values), math.nextafter(_LEAST, 0.0), _GREATEST)
        bins = (sizes.view(np.int64) >> _DROPPED_BITS) - _BIN_ZERO
        bins *= 1 - 2 * (values < 0).astype(np.int64)
        self._take(*_summed(bins, counts))
        return self

    def measure(self, column: pl.Series, counts: NDArray[np.int64] | None = None) -> Measured:
        """Take in the finite numbers of a column, each as often as `counts` says (then none is null), or once.

        >>> import polars as pl
        >>> NumberBins().measure(pl.Series([4.0, 1.5, None, float("inf")]))
        Measured(nulls=1, infinite=1, low=1.5, high=4.0)
        """
        import polars as pl

        small = column.dtype.is_integer() and column.dtype not in (pl.UInt64, pl.Int128, pl.UInt128)
        known = (small or column.dtype.is_float()) and counts is None and len(column) > 0
        if known and pays(len(column) // CELLS_A_HASH):
            return self._measure_compiled(column.cast(pl.Int64 if small else pl.Float64))
        return self._measure(column, counts)

    def _measure_compiled(self, column: pl.Series) -> Measured:
        import numpy as np

        from hokusai.pipeline.data.number_loops import measured

        words, valid, first = WordCells.of(column)
        nulls, infinite, low, high, bins, counts = measured(
            words.view(np.float64 if column.dtype.is_float() else np.int64),
            valid,
            first,
            np.zeros(2 * _GREATEST_BIN + 1, np.uint32),
            _DROPPED_BITS,
            _BIN_ZERO,
        )
        if not len(bins):
            return Measured(nulls, infinite, None, None)
        self._take(bins, counts)
        return Measured(nulls, infinite, low + 0, high + 0)  # -0.0 + 0 is 0.0

    def _measure(self, column: pl.Series, counts: NDArray[np.int64] | None) -> Measured:
        import numpy as np
        import polars as pl

        values = (plain_floats(column) if column.dtype.is_float() else column).drop_nulls()
        numbers = values.cast(pl.Float64).to_numpy()
        finite = np.isfinite(numbers)
        infinite = int((~finite).sum() if counts is None else counts[~finite].sum())
        nulls = len(column) - len(values)
        if infinite:
            numbers, values = numbers[finite], values.filter(pl.Series(finite))
            counts = None if counts is None else counts[finite]
        self.see(numbers, counts)
        return Measured(nulls, infinite, values.min(), values.max())

    def merge(self, other: NumberBins) -> NumberBins:
        """Take in what `other` saw. Gives itself."""
        other._settle()
        self._take(other._bins, other._counts)
        return self

    def __bool__(self) -> bool:
        return bool(len(self.points()[0]))

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The bins' values in ascending order, and how many values each holds."""
        import numpy as np

        self._settle()
        size = np.abs(self._bins)
        values = np.where(size > 0, ((size + _BIN_ZERO) << _DROPPED_BITS).view(np.float64), 0.0)
        return np.where(self._bins < 0, -values, values), self._counts

    def quantiles(self, shares: list[float]) -> list[float]:
        """For each share, the least value that at least this share of the values do not exceed; [] without values."""
        values, counts = self.points()
        return weighted_quantiles(values, counts, shares)

    def _take(self, bins: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        self._pending.append((bins, counts))
        self._pending_size += len(bins)
        if self._pending_size > _PENDING:
            self._settle()

    def _settle(self) -> None:
        import numpy as np

        if self._pending:
            bins = np.concatenate([self._bins, *(bins for bins, _ in self._pending)])
            counts = np.concatenate([self._counts, *(counts for _, counts in self._pending)])
            self._bins, self._counts = _summed(bins, counts)
            self._pending, self._pending_size = [], 0


def _summed(
    bins: NDArray[np.int64], counts: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each bin once, in ascending order, and the sum of its counts, or how often it comes."""
    import numpy as np

    if not len(bins):
        return bins, bins
    least = int(bins.min())
    if int(bins.max()) - least < _SPARSE * len(bins):
        sums = np.bincount(bins - least, counts)  # with counts as doubles, which are exact up to 2^53
        found = np.flatnonzero(sums)
        return found + least, sums[found].astype(np.int64)
    found, places = np.unique(bins, return_inverse=True)
    return found, np.bincount(places, counts).astype(np.int64)


def weighted_quantiles(
    values: NDArray[np.float64], counts: NDArray[np.int64], shares: list[float]
) -> list[float]:
    """Quantiles of ascending `values` that occur `counts` times each: the inverse of their distribution function.

    References:
        Hyndman and Fan (1996), Sample Quantiles in Statistical Packages, definition 1.
    """
    import numpy as np

    if not len(values):
        return []
    upto = np.cumsum(counts)
    ranks = np.maximum(np.ceil(np.array(shares) * upto[-1] - 1e-9), 1)
    return [float(value) for value in values[np.searchsorted(upto, ranks)]]
