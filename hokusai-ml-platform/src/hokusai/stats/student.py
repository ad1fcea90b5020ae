"""Student's t distribution, for changes whose noise is estimated from few rows or few units. Standard library only."""

from __future__ import annotations

import math

from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import P_VALUE_FLOOR
from hokusai.stats.wald import critical_value, two_sided_p

_NORMAL_FROM = 1e7
_CONVERGED = 1e-16


def two_sided_t(t: float, dof: float) -> float:
    """P(|T| >= |t|) for Student's t with `dof` degrees of freedom, not below 1e-300.

    It is I_x(dof / 2, 1 / 2) at x = dof / (dof + t^2), I the regularised incomplete beta function.

    Source: Abramowitz and Stegun (1964), 26.7.1 and 26.5.2.

    >>> round(two_sided_t(2.776445, 4), 6)
    0.05
    """
    if dof < 1:
        raise InvalidInputError(f"Student's t needs at least one degree of freedom, got {dof}")
    if dof > _NORMAL_FROM:
        return two_sided_p(t)
    squared = t * t
    return max(
        _incomplete_beta(dof / (dof + squared), squared / (dof + squared), dof / 2, 0.5), P_VALUE_FLOOR
    )


def critical_t(confidence: float, dof: float) -> float:
    """The quantile of Student's t that leaves `confidence` between its two signs.

    Raises:
        InvalidInputError: `confidence` is not strictly between 0 and 1, or `dof` is below 1.

    >>> round(critical_t(0.95, 4), 4)
    2.7764
    """
    low, high = 0.0, critical_value(confidence)
    outside = 1 - confidence
    while two_sided_t(high, dof) > outside:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if two_sided_t(middle, dof) > outside:
            low = middle
        else:
            high = middle
    return high


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b), with `rest` = 1 - x, by Lentz's evaluation of the continued fraction.

    Source: Press et al. (2007), "Numerical Recipes", third edition, section 6.4.
    """
    if not x or not rest:
        return float(not rest)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(rest, x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d)
            c = 1 + numerator / c
            fraction *= c * d
        if abs(c * d - 1) < _CONVERGED:
            break
    return front * fraction / a
