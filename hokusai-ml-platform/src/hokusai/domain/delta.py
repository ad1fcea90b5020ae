"""What comparing two models on the same benchmark rows yields: deltas per metric, and DeltaOne.

DeltaOne has one definition: the weighted average of direction-aware, unit-free changes. The number is a
fraction; percentage points are for people, basis points for a chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hokusai.domain.metrics import MetricSpec, Scale, Task

COMPUTATION_METHOD = "weighted_average_delta"

BY_UNITS = "+units"
"""Ends the name of a method that takes rows of one unit for dependent on each other."""

PAIRED_T = "paired-t"
"""Student's t, with one degree of freedom less than rows."""

REFERENCES = {
    "mcnemar-mid-p": "Fagerland, Lydersen, Laake (2013), BMC Medical Research Methodology 13:91",
    "jackknife": "Efron, Stein (1981), Annals of Statistics 9:586-596",
    "influence-function": "van der Vaart (1998), Asymptotic Statistics, section 3.1",
    "delong": "DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837-845",
    "sign-flip-mid-p": "Canay, Romano, Shaikh (2017), Econometrica 85:1013-1030",
    PAIRED_T: "Student (1908), Biometrika 6:1-25",
    "wilcoxon-signed-rank": "Wilcoxon (1945), Biometrics Bulletin 1:80-83",
    "paired-bootstrap": "Efron, Tibshirani (1993), An Introduction to the Bootstrap, sections 8.3 and 13.3",
    "sign-flip": "Fisher (1935), The Design of Experiments, section 21; Efron (1987), JASA 82:171-185",
}
"""Where each method is described, by its name without what is added to it after a plus sign."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class MetricDelta:
    """How one metric changed from the baseline model to the new one, on the same rows.

    Attributes:
        metric: Which metric.
        baseline_value: Value of the baseline model.
        new_value: Value of the new model.
        gain: Direction-aware, unit-free change: positive is better. This is what DeltaOne averages.
        standard_error: Paired standard error of `absolute_delta`.
        interval: Confidence interval of `absolute_delta`.
        p_value: Two-sided, of "the metric did not change".
        method: How standard error, interval and p-value were obtained.
        exact: (baseline, new) as exact fractions, where the metric is a ratio of counts.
        n_rows: Number of rows compared, where it is known.
        discordance: Share of the rows that tell the two models apart by this metric, where it is known.
        freedom: Degrees of freedom of the interval, where it is Student's; None where it is normal.
    """

    metric: MetricSpec
    baseline_value: float
    new_value: float
    gain: float
    standard_error: float
    interval: Interval
    p_value: float
    method: str
    exact: tuple[Fraction, Fraction] | None = None
    # Facts about the rows, not about the estimate: a statement has them elsewhere.
    n_rows: int | None = field(default=None, compare=False)
    discordance: float | None = field(default=None, compare=False)
    freedom: int | None = field(default=None, compare=False)

    @property
    def reference(self) -> str:
        """Where the method is described; "" for a method that this library does not have."""
        return REFERENCES.get(self.method.partition("+")[0], "")

    @property
    def p_improvement(self) -> float:
        """One-sided p-value of "the metric did not get better", from the two-sided one."""
        return one_sided(self.p_value, self.gain)

    @property
    def absolute_delta(self) -> float:
        """New minus baseline, in the metric's own unit."""
        if self.exact is not None:
            return float(self.exact[1] - self.exact[0])
        return self.new_value - self.baseline_value

    @property
    def relative_delta(self) -> float:
        """`absolute_delta` over the baseline's magnitude; 0 where the baseline is 0."""
        return self.absolute_delta / abs(self.baseline_value) if self.baseline_value else 0.0

    @property
    def improvement(self) -> bool:
        """Whether the change is for the better, in the metric's own direction."""
        return self.gain > 0

    @property
    def degradation(self) -> bool:
        """Whether the change is for the worse; an unchanged metric is neither."""
        return self.gain < 0


@dataclass(frozen=True, slots=True)
class JointCounts:
    """How often each (label, baseline prediction, new prediction) occurred: sufficient for all count metrics.

    Attributes:
        classes: The class labels, as text, in sorted order of the labels themselves.
        positive: Index of the positive class where the task is binary, else None.
        cells: ((label, baseline, new), count) by class index, sorted, without zero counts.
    """

    classes: tuple[str, ...]
    positive: int | None
    cells: tuple[tuple[tuple[int, int, int], int], ...]

    @property
    def n_rows(self) -> int:
        """Number of benchmark rows counted."""
        return sum(count for _, count in self.cells)


@dataclass(frozen=True, slots=True)
class PrimaryRecord:
    """The one metric that a contract can pay on, in whole basis points (1 bp = 0.0001).

    `baseline_bps` and `new_bps` are None for a metric in target units, which has no natural fraction;
    `delta_bps` is then the relative gain.
    """

    metric: str
    baseline_bps: int | None
    new_bps: int | None
    delta_bps: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models, one benchmark: every metric's change and the DeltaOne they add up to.

    Attributes:
        task: What the models predict.
        n_rows: Number of benchmark rows.
        averaging: "binary" or "macro" for classification, "" for regression.
        deltas: One per metric that both models have, in reporting order.
        weights: Metric name to weight; they sum to exactly 1.
        delta_one: The weighted average of the gains, a fraction.
        standard_error: Paired standard error of `delta_one`, covariances between metrics included.
        interval: Confidence interval of `delta_one`.
        p_value: Two-sided, of "DeltaOne is zero".
        exact: `delta_one` as an exact fraction, where every weighted metric has one.
        counts: The joint table, for classification.
        primary: The record in basis points of the primary metric.
        warnings: What a reader has to know before believing the numbers.
        n_units: Number of units that the rows belong to, where rows of one unit depend on each other.
    """

    task: Task
    n_rows: int
    averaging: str
    deltas: tuple[MetricDelta, ...]
    weights: Mapping[str, Fraction]
    delta_one: float
    standard_error: float
    interval: Interval
    p_value: float
    exact: Fraction | None
    counts: JointCounts | None
    primary: PrimaryRecord
    warnings: tuple[str, ...] = ()
    n_units: int | None = None

    @property
    def p_improvement(self) -> float:
        """One-sided p-value of "DeltaOne is not above zero"."""
        return one_sided(self.p_value, self.delta_one)

    @property
    def significant(self) -> bool:
        """Whether the improvement is more than noise: by the interval, and by the p-value, which may be exact."""
        return self.interval.low > 0 and self._beyond_noise

    @property
    def significantly_worse(self) -> bool:
        """The same in the other direction."""
        return self.interval.high < 0 and self._beyond_noise

    @property
    def _beyond_noise(self) -> bool:
        return self.p_value < 1 - self.interval.confidence

    def delta(self, name: str) -> MetricDelta:
        """The delta of the metric called `name`."""
        return next(d for d in self.deltas if d.metric.name == name)


def one_sided(p_value: float, gain: float) -> float:
    """The one-sided p-value of "no gain" that belongs to a two-sided one.

    >>> one_sided(0.04, 0.1), one_sided(0.04, -0.1), one_sided(1.0, 0.0)
    (0.02, 0.98, 0.5)
    """
    return p_value / 2 if gain >= 0 else 1 - p_value / 2


def to_bps(fraction: float | Fraction) -> int:
    """A fraction in whole basis points, ties to even.

    >>> to_bps(0.0332)
    332
    """
    exact = (
        fraction if isinstance(fraction, Fraction) else Fraction(repr(fraction))
    )  # the decimal that it prints as
    return round(exact * 10_000)


def primary_record(delta: MetricDelta) -> PrimaryRecord:
    """The basis-point record of `delta`.

    For a share, `delta_bps` is the difference of the two rounded values, which is what a contract that is
    given both will compute.
    """
    if delta.metric.scale is Scale.TARGET_UNITS:
        return PrimaryRecord(delta.metric.name, None, None, to_bps(delta.gain))
    baseline, new = delta.exact or (delta.baseline_value, delta.new_value)
    baseline_bps, new_bps = to_bps(baseline), to_bps(new)
    return PrimaryRecord(delta.metric.name, baseline_bps, new_bps, new_bps - baseline_bps)
