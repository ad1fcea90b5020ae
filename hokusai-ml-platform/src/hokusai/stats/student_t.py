"""Student's t distribution, for standard errors that rest on few observations: three seeds are not three hundred.

Standard library only, and any degrees of freedom above 0: those of a sum of two variances are seldom whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist

from hokusai.errors import InvalidInputError

_AS_GOOD_AS_NORMAL = 1e6
_EXPANSION_FROM = 1000.0
_TINY = 1e-300


def two_sided_t_p(t: float, freedom: float) -> float:
    """P(|T| >= |t|) of a T with `freedom` degrees of freedom.

    Source: Abramowitz and Stegun, 26.7.1, by the regularised incomplete beta function.

    >>> round(two_sided_t_p(12.7062, 1), 6)  # the table's 97.5 % quantile
    0.05
    """
    if not freedom > 0:
        raise InvalidInputError(f"Degrees of freedom are above 0, got {freedom}")
    if freedom > _AS_GOOD_AS_NORMAL:
        return math.erfc(abs(t) / math.sqrt(2.0))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def t_critical_value(confidence: float, freedom: float) -> float:
    """The quantile that leaves `confidence` between its two signs.

    Raises:
        InvalidInputError: `confidence` is not between 0 and 1, or `freedom` not above 0.

    >>> [round(t_critical_value(0.95, freedom), 3) for freedom in (2, 10, 1e9)]
    [4.303, 2.228, 1.96]
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidInputError(f"The confidence must lie between 0 and 1, got {confidence}")
    tail = 1.0 - confidence
    if freedom >= _EXPANSION_FROM:  # Abramowitz and Stegun, 26.7.5
        z = -NormalDist().inv_cdf(tail / 2)
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + (first + (second + third / freedom) / freedom) / freedom
    low, high = 0.0, 1.0
    while two_sided_t_p(high, freedom) > tail:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):  # until no double lies between
        low, high = (middle, high) if two_sided_t_p(middle, freedom) > tail else (low, middle)
    return high


def welch_satterthwaite(parts: Iterable[tuple[float, float]]) -> float:
    """The degrees of freedom of a sum of independent (variance of an estimate, its degrees of freedom).

    Infinite where the variances are all 0.

    Source: Satterthwaite (1946), "An approximate distribution of estimates of variance components", Biometrics
    Bulletin 2, p. 110-114.

    >>> welch_satterthwaite([(2.0, 8), (2.0, 8)])
    16.0
    """
    parts = list(parts)
    below = math.fsum(variance**2 / freedom for variance, freedom in parts)
    return math.fsum(variance for variance, _ in parts) ** 2 / below if below else math.inf


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), by the continued fraction that converges fast for x < (a + 1) / (a + b + 2): DLMF 8.17.22."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    # Lentz's method, as Thompson and Barnett (1986) modified it.
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return math.exp(front) * fraction / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
