"""From a change and its standard error to an interval and a p-value, also where the standard error is zero.

A zero standard error beside a change that is not zero means that the rows say nothing about the noise, not
that there is none: one row, or a recall that went from "never" to "always" on three rows. Dividing would give
p = 0. Such a change gets the standard error that makes it exactly as sure as a sign test on the rows that
carry it, so that three rows stay three rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from hokusai.domain.delta import Interval
from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import P_VALUE_FLOOR
from hokusai.stats.student_t import t_critical_value, two_sided_t_p

_ROUNDING = 1e-12
"""A change below this share of the metric's size is floating-point noise: it is no evidence of anything."""


@dataclass(frozen=True, slots=True)
class Inference:
    """How sure a change is.

    Attributes:
        standard_error: In the unit of the change.
        interval: Two-sided, change ± critical value times standard error.
        p_value: Two-sided, in [1e-300, 1].
    """

    standard_error: float
    interval: Interval
    p_value: float


def infer(
    change: float,
    standard_error: float,
    *,
    confidence: float,
    p_value: float | None = None,
    size: float = 0.0,
    freedom: float | None = None,
) -> Inference:
    """Wald interval and p-value of `change`.

    A change without any standard error counts as carried by a single row.

    Args:
        change: The estimate.
        standard_error: Its estimated standard error.
        confidence: Coverage of the interval, in (0, 1).
        p_value: From a better test than Wald's, if there is one.
        size: Magnitude of the two values whose difference `change` is, to tell rounding from change.
        freedom: Degrees of freedom of Student's t, where the standard error rests on few units.

    >>> infer(0.02, 0.01, confidence=0.95).interval.low > 0
    True
    >>> infer(0.5, 0.0, confidence=0.95).p_value
    0.5
    """
    if not standard_error and change:
        standard_error = stand_in_error(change, 1)
    interval = interval_around(change, standard_error, confidence, freedom)
    if not change or abs(change) <= _ROUNDING * size:
        return Inference(standard_error, interval, 1.0)
    if p_value is None:
        p_value = two_sided_p(change / standard_error, freedom)
    return Inference(standard_error, interval, p_value)


def stand_in_error(change: float, rows: int) -> float:
    """The standard error of a change that is the same in all of the `rows` rows that carry it.

    That all of them go one way by chance has the mid-p value 2^-rows; the standard error is the one with
    which Wald's test gives this p-value.

    Source: for the standard error that belongs to a p-value: Cochrane Handbook for Systematic Reviews of
    Interventions, version 5.1, section 7.7.7.2.

    >>> change = 1.0
    >>> round(two_sided_p(change / stand_in_error(change, 3)), 12)
    0.125
    """
    p_value = max(math.ldexp(1.0, -max(rows, 1)), P_VALUE_FLOOR)
    return abs(change) / -NormalDist().inv_cdf(p_value / 2)


def two_sided_p(z: float, freedom: float | None = None) -> float:
    """P(|Z| >= |z|) of a standard normal Z, or of Student's t with `freedom`; not below 1e-300.

    >>> round(two_sided_p(-1.959964), 6)
    0.05
    """
    chance = math.erfc(abs(z) / math.sqrt(2.0)) if freedom is None else two_sided_t_p(z, freedom)
    return max(chance, P_VALUE_FLOOR)


def interval_around(
    estimate: float, standard_error: float, confidence: float, freedom: float | None = None
) -> Interval:
    """The two-sided Wald interval, or Student's with `freedom`."""
    critical = critical_value(confidence) if freedom is None else t_critical_value(confidence, freedom)
    half_width = critical * standard_error
    return Interval(estimate - half_width, estimate + half_width, confidence)


def critical_value(confidence: float) -> float:
    """The standard normal quantile that leaves `confidence` between its two signs.

    Raises:
        InvalidInputError: `confidence` is not strictly between 0 and 1.

    >>> round(critical_value(0.95), 4)
    1.96
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidInputError(
            f"The confidence must lie between 0 and 1, got {confidence}", hint="0.95 is usual."
        )
    return -NormalDist().inv_cdf((1.0 - confidence) / 2.0)
