"""How many benchmark rows an improvement needs to be found, and the least one that a benchmark can find.

Size beats cleverness: on a benchmark that is too small a true improvement goes unseen, and what is seen is
mostly luck. Both models answer the same rows, so that what counts is not how often they are right but how
often they differ (*discordance*). Standard library only.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from hokusai.errors import InvalidInputError


def required_rows(delta: float, discordance: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Rows with which a true gain in accuracy of `delta` is found significant with probability `power`.

    n = (z_alpha + z_power)^2 q / delta^2, rounded up.

    Args:
        delta: The true gain, a fraction: 0.003 is 0.3 percentage points.
        discordance: q, the share of rows that exactly one of the two models gets right; at least `delta`.
        alpha: One-sided level of the test.
        power: Probability of finding it.

    Raises:
        InvalidInputError: A number out of its range.

    Source: Connor (1987), "Sample Size for Testing Differences in Proportions for the Paired-Sample Design",
    Biometrics 43:207-211, with the variance under the null hypothesis, q / n, in both terms; it is never less than
    Connor's own number.

    >>> required_rows(0.003, 0.04)
    27479
    """
    if not 0 < delta <= discordance:
        raise InvalidInputError(
            f"The gain {delta} is not between 0 and the share of rows that the models differ in, {discordance}",
            hint="Both are fractions: 0.01 is one percentage point.",
        )
    return math.ceil(_distance(alpha, power) ** 2 * _share(discordance) / delta**2)


def minimum_detectable_delta(
    n_rows: int, discordance: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The least true gain in accuracy that `n_rows` rows find with probability `power`, a fraction.

    The inverse of `required_rows`. Above `discordance` it is out of reach: no gain is larger than the share of
    rows that the models differ in, so that such a benchmark cannot be relied on to find any.

    Raises:
        InvalidInputError: A number out of its range.

    >>> round(minimum_detectable_delta(10_000, 0.04), 4)
    0.005
    """
    if n_rows < 1:
        raise InvalidInputError(f"A benchmark has at least one row, got {n_rows}")
    return _distance(alpha, power) * math.sqrt(_share(discordance) / n_rows)


def _distance(alpha: float, power: float) -> float:
    """How many standard errors a gain must measure."""
    if not (0 < alpha < 0.5 < power < 1):
        raise InvalidInputError(
            f"The level lies between 0 and 0.5, the power between 0.5 and 1; got {alpha} and {power}"
        )
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)


def _share(discordance: float) -> float:
    if not 0 < discordance <= 1:
        raise InvalidInputError(
            f"The discordance is a share of the rows, above 0 and at most 1; got {discordance}"
        )
    return discordance
