"""One metric of two models on the same rows, with the influence of each row on its change.

The influence of a row is how much the metric would move, to first order, if that row weighed a little more.
The mean square of the influences over n is the metric's variance, and the influences of a weighted sum of
metrics are the weighted sum of theirs: that gives DeltaOne one standard error, covariances included, without
resampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import PAIRED_T, MetricDelta
from hokusai.domain.metrics import METRICS, MetricSpec, Scale
from hokusai.stats.wald import infer

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A metric's two values and what is needed to say how sure their difference is.

    Attributes:
        metric: Which metric.
        baseline: Value of the baseline model.
        new: Value of the new model.
        exact: (baseline, new) as exact fractions, where the metric is a ratio of counts.
        influence: (n_rows,) influence of each row on new - baseline.
        gain: Direction-aware, unit-free change.
        gain_influence: (n_rows,) influence of each row on `gain`.
        unestimated: Standard error of the part of new - baseline of which the influences know nothing,
            because it is the same in every row (`hokusai.stats.wald.stand_in_error`); mostly 0.
        gain_unestimated: The same for `gain`.
        method: Name of the method that gives the p-value.
        p_value: From a better test than Wald's, if there is one.
        caveat: What a reader has to know about this metric, or "".
        discordance: Share of the rows that tell the two models apart, where it is known.
        n_rows: Number of rows, where there is an influence for each unit of rows, not for each row.
        freedom: Degrees of freedom of the standard error where it is Student's; None for the normal limit.
        row_gain_influence: (n_rows,) influence of each row on `gain`, where `gain_influence` is that of units.
    """

    metric: MetricSpec
    baseline: float
    new: float
    exact: tuple[Fraction, Fraction] | None
    influence: FloatArray
    gain: float
    gain_influence: FloatArray
    unestimated: float = 0.0
    gain_unestimated: float = 0.0
    method: str = "influence-function"
    p_value: float | None = None
    caveat: str = ""
    discordance: float | None = None
    n_rows: int | None = None
    freedom: int | None = None
    row_gain_influence: FloatArray | None = None

    @property
    def exact_gain(self) -> Fraction | None:
        """`gain` as an exact fraction."""
        return None if self.exact is None else self.metric.direction * (self.exact[1] - self.exact[0])

    @property
    def gain_size(self) -> float:
        """Magnitude beside which a gain is told from rounding; exact gains have no rounding."""
        if self.exact is not None:
            return 0.0
        return max(1.0, abs(self.baseline), abs(self.new)) if self.metric.scale is Scale.SHARE else 1.0

    def delta(self, confidence: float) -> MetricDelta:
        """The record of this metric."""
        exact = self.exact
        sure = infer(
            self.new - self.baseline if exact is None else float(exact[1] - exact[0]),
            standard_error(self.influence) + self.unestimated,
            confidence=confidence,
            p_value=self.p_value,
            size=max(abs(self.baseline), abs(self.new)) if exact is None else 0.0,
            freedom=self.freedom,
        )
        stood_in = self.unestimated and self.p_value is None
        return MetricDelta(
            metric=self.metric,
            baseline_value=self.baseline,
            new_value=self.new,
            gain=self.gain,
            standard_error=sure.standard_error,
            interval=sure.interval,
            p_value=sure.p_value,
            method=f"{self.method}+sign-test" if stood_in else self.method,
            exact=exact,
            n_rows=len(self.influence) if self.n_rows is None else self.n_rows,
            discordance=self.discordance,
            freedom=self.freedom,
        )

    def caveats(self) -> list[str]:
        """The sentences that a reader of this metric's numbers needs."""
        told = [self.caveat] if self.caveat else []
        if self.unestimated:
            told.append(
                f"{self.metric.name}: a part of the change is the same in every row that shows it, so that "
                f"its noise cannot be estimated; a sign test on those rows stands in for it"
            )
        return told


def share(
    name: str,
    values: tuple[float, float] | tuple[Fraction, Fraction],
    influence: FloatArray,
    *,
    unestimated: float = 0.0,
    method: str = "influence-function",
    p_value: float | None = None,
    caveat: str = "",
    discordance: float | None = None,
) -> Measured:
    """A metric that is unit-free as it is: its gain is its change, in the metric's direction."""
    metric = METRICS[name]
    old, new = values
    return Measured(
        metric=metric,
        baseline=float(old),
        new=float(new),
        exact=(old, new) if isinstance(old, Fraction) and isinstance(new, Fraction) else None,
        influence=influence,
        gain=float(metric.direction * (new - old)),
        gain_influence=metric.direction * influence,
        unestimated=unestimated,
        gain_unestimated=unestimated,
        method=method,
        p_value=p_value,
        caveat=caveat,
        discordance=discordance,
    )


def by_rows(measured: Measured) -> Measured:
    """A metric whose rows are independent of each other: Student's paired t in place of the normal limit.

    The influences' mean square is enlarged by n / (n - 1), and intervals and p-values come from Student's t with n - 1
    degrees of freedom. For a metric that is a mean, such as MAE, that is the textbook's paired t test. Where the
    influences say nothing of a change, or there is a single row, the sign test keeps its place.

    Source: Student (1908), "The Probable Error of a Mean", Biometrika 6:1-25; for metrics that are means of their
    influences to first order only, the same by the delta method.
    """
    n_rows = len(measured.influence)
    if n_rows < 2:
        return measured
    scale = math.sqrt(n_rows / (n_rows - 1))
    return replace(
        measured,
        influence=scale * measured.influence,
        gain_influence=scale * measured.gain_influence,
        method=PAIRED_T,
        freedom=None if measured.unestimated else n_rows - 1,
    )


def not_below(influence: FloatArray, of_rows: FloatArray) -> FloatArray:
    """The influences of units, enlarged until their standard error is not below that of (n_rows,) rows.

    Where those of the units are all zero, each has the error of the rows.
    """
    least, own = standard_error(of_rows), standard_error(influence)
    if own >= least:
        return influence
    if not own:
        return np.full(len(influence), least * math.sqrt(len(influence)))
    return influence * (least / own)


def weighted_influence(parts: Sequence[tuple[float, Measured]]) -> FloatArray:
    """The influences on a weighted sum of gains: the rows', or those of units, with an error not below the rows'."""
    total = np.zeros(len(parts[0][1].gain_influence))
    for weight, one in parts:
        total += weight * one.gain_influence
    of_rows = [
        (weight, one.row_gain_influence) for weight, one in parts if one.row_gain_influence is not None
    ]
    if not of_rows:
        return total
    return not_below(total, np.sum([weight * rows for weight, rows in of_rows], axis=0))


def is_spread(influence: FloatArray, change: float) -> bool:
    """Whether (n_rows,) influences on `change` vary by more than rounding, and so give a standard error."""
    return standard_error(influence) * math.sqrt(len(influence)) > _NO_SPREAD * abs(change)


def standard_error(influence: FloatArray) -> float:
    """sqrt(sum of squares) / n of the (n_rows,) influences.

    The divisor is n, not n - 1: that is the infinitesimal jackknife, to which the bootstrap tends, and for
    accuracy it is the textbook Wald standard error of a paired difference. Where a metric's own literature
    corrects for small samples (DeLong's, Student's), its influences carry the correction already.

    Source: Efron (1982), "The Jackknife, the Bootstrap and Other Resampling Plans", chapter 6.
    """
    return math.sqrt(float(np.square(influence).sum())) / len(influence)
