"""Resampling, for intervals of what no formula is at hand for: replicates of a change, and the intervals they give.

`paired_bootstrap` resamples rows, or whole units of rows, of any statistic of column means: a mean, a ratio of means,
a root mean square. What depends on the joint table alone is resampled far quicker by `hokusai.stats.cell_bootstrap`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import Interval
from hokusai.domain.seeds import derive_seed
from hokusai.errors import InvalidInputError
from hokusai.stats.measured import FloatArray, IntArray
from hokusai.stats.wald import critical_value

RESAMPLES = 10_000

_DRAWS_AT_ONCE = 1 << 21
_TIE = 1e-12
"""Two values of one metric that are nearer than this are equal, but for the order in which they were added up."""


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Changes (new minus baseline) of one or several metrics, resampled together.

    Attributes:
        names: The metrics.
        changes: (n_metrics,) the changes that were found.
        replicates: (n_resamples, n_metrics) those of the resamples.
        acceleration: (n_metrics,) how fast each change's standard error grows with it, for `bca`.
        seed: From which the draws were made.
    """

    names: tuple[str, ...]
    changes: FloatArray
    replicates: FloatArray
    acceleration: FloatArray
    seed: int

    def standard_error(self, name: str) -> float:
        """Standard deviation of a metric's replicates."""
        return float(self.replicates[:, self._place(name)].std(ddof=1))

    def percentile(self, name: str, confidence: float = 0.95) -> Interval:
        """The two-sided percentile interval of a metric's change.

        Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap", section 13.3.
        """
        critical_value(confidence)
        tail = (1 - confidence) / 2
        low, high = np.quantile(self.replicates[:, self._place(name)], [tail, 1 - tail])
        return Interval(float(low), float(high), confidence)

    def bca(self, name: str, confidence: float = 0.95) -> Interval:
        """The two-sided interval, corrected for bias and acceleration (BCa).

        Source: Efron (1987), "Better Bootstrap Confidence Intervals", JASA 82:171-185; as in Efron and Tibshirani
        (1993), section 14.3, but that replicates which equal the estimate count half in the bias correction.
        """
        critical_value(confidence)
        tail = (1 - confidence) / 2
        low, high = (self._bca_quantile(name, share) for share in (tail, 1 - tail))
        return Interval(low, high, confidence)

    def lower_bound(self, name: str, confidence: float = 0.95) -> float:
        """The one-sided lower BCa bound: above the true change once in 1 / (1 - confidence) comparisons."""
        critical_value(confidence)
        return self._bca_quantile(name, 1 - confidence)

    def _bca_quantile(self, name: str, share: float) -> float:
        place = self._place(name)
        replicates, change = self.replicates[:, place], float(self.changes[place])
        n, tie = len(replicates), _TIE * max(1.0, abs(change))
        below = int(np.count_nonzero(replicates < change - tie))
        equal = int(np.count_nonzero(np.abs(replicates - change) <= tie))
        if equal == n:
            return change
        normal = NormalDist()
        bias = normal.inv_cdf(min(max((below + equal / 2) / n, 0.5 / n), 1 - 0.5 / n))
        reach = bias + normal.inv_cdf(share)
        slowed = 1 - float(self.acceleration[place]) * reach
        adjusted = bias + (reach / slowed if slowed > 0 else math.copysign(math.inf, reach))
        level = normal.cdf(adjusted) if math.isfinite(adjusted) else float(adjusted > 0)
        return float(np.quantile(replicates, level))

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise InvalidInputError(
                f"{name!r} was not resampled", hint=f"Choose from: {', '.join(self.names)}."
            )
        return self.names.index(name)


def paired_bootstrap(
    columns: npt.ArrayLike,
    statistic: Callable[[FloatArray], FloatArray],
    names: Sequence[str],
    *,
    units: IntArray | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Replicates:
    """Resample changes that follow from the means of columns.

    Args:
        columns: (n_rows, n_columns) numbers; a row holds what both models did on one benchmark row, so that it is
            drawn as a whole.
        statistic: Makes (n_some, n_metrics) changes of (n_some, n_columns) means.
        names: The metrics' names.
        units: (n_rows,) index of each row's unit, from 0 without gaps; whole units are drawn then.
        resamples: How many resamples to draw; the cost is that times the number of rows or units.
        seed: The same seed gives the same draws, with the same version of NumPy.

    Raises:
        InvalidInputError: No rows, or fewer than two resamples.

    >>> errors = np.array([[1.0, 0.5], [2.0, 1.5], [3.0, 3.5], [0.5, 0.0], [2.5, 2.0], [1.5, 1.0]])
    >>> drawn = paired_bootstrap(errors, lambda means: means[:, [1]] - means[:, [0]], ["mae"])
    >>> round(float(drawn.changes[0]), 4), drawn.percentile("mae", 0.9).high < 0.2
    (-0.3333, True)
    """
    rows = np.asarray(columns, dtype=np.float64)
    if rows.ndim != 2 or not len(rows) or resamples < 2:
        raise InvalidInputError(f"Cannot draw {resamples} resamples of rows of the shape {rows.shape}")
    sums, sizes = (rows, np.ones(len(rows))) if units is None else _sums_of_units(rows, units)
    weighed = np.column_stack([sums, sizes])
    n = len(weighed)
    rng = np.random.default_rng(derive_seed(seed, "paired-bootstrap", "rows"))
    at_once = max(1, _DRAWS_AT_ONCE // n)
    parts = []
    for start in range(0, resamples, at_once):
        times = draw_counts(rng, n, min(at_once, resamples - start))
        totals = times @ weighed
        parts.append(statistic(totals[:, :-1] / totals[:, [-1]]))
    whole = weighed.sum(axis=0)
    changes = statistic(whole[None, :-1] / whole[-1])
    left = whole - weighed if n > 1 else whole[None, :]
    return Replicates(
        names=tuple(names),
        changes=changes[0],
        replicates=np.concatenate(parts),
        acceleration=acceleration(statistic(left[:, :-1] / left[:, [-1]]), np.ones(len(left))),
        seed=seed,
    )


def draw_counts(rng: np.random.Generator, n: int, resamples: int) -> FloatArray:
    """(resamples, n) how often each of n things occurs among n draws with replacement."""
    drawn = rng.integers(0, n, size=(resamples, n), dtype=np.int32)
    drawn += np.arange(0, resamples * n, n, dtype=np.int32)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def acceleration(without_one: FloatArray, times: npt.NDArray[np.generic]) -> FloatArray:
    """(n_metrics,) skewness of the jackknife values over 6.

    Args:
        without_one: (n, n_metrics) the changes without one row of each kind.
        times: (n,) how many rows of each kind there are.

    Source: Efron and Tibshirani (1993), equation 14.15.
    """
    weight = times.astype(np.float64)[:, None]
    spread = (weight * without_one).sum(axis=0) / weight.sum() - without_one
    squares = (weight * spread**2).sum(axis=0)
    skewness: FloatArray = np.zeros(len(squares))
    np.divide((weight * spread**3).sum(axis=0), 6 * squares**1.5, out=skewness, where=squares > _TIE**2)
    return skewness


def _sums_of_units(rows: FloatArray, units: IntArray) -> tuple[FloatArray, FloatArray]:
    sums: FloatArray = np.array([np.bincount(units, weights=column) for column in rows.T], dtype=np.float64)
    return sums.T, np.bincount(units).astype(np.float64)
