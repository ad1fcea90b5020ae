"""McNemar's mid-p test of "both models are right equally often", quick at any number of rows.

It uses +, -, *, / and the square root only, which IEEE 754 fixes to the last bit, so that an attestation and
its verifier get the same p-value on every machine; log-gamma would not give that.
"""

from __future__ import annotations

import math

from hokusai.errors import InvalidInputError

P_VALUE_FLOOR = 1e-300
"""Smaller p-values are reported as this one: an upper bound, never a 0 that nobody can reach."""

_EXACT_UP_TO = 1000


def mcnemar_mid_p(baseline_only: int, new_only: int) -> float:
    """Two-sided mid-p value of McNemar's test.

    Under the null hypothesis each discordant row goes either way with probability one half, so that the
    smaller count is k of X ~ Binomial(n, 1/2). The exact conditional test is too cautious at every n;
    counting only half of P(X = k) repairs that: p = 2 P(X < k) + P(X = k). Where both counts are equal the
    paper has 1 - P(X = k) / 2; here it is 1, because models that are right equally often are no evidence of a
    difference.

    Args:
        baseline_only: Rows that only the baseline model got right.
        new_only: Rows that only the new model got right.

    Returns:
        The p-value in [1e-300, 1], with a relative error below 1e-11.

    Raises:
        InvalidInputError: A count is negative.

    Source: Fagerland, Lydersen, Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional", BMC Medical Research Methodology 13:91, "The McNemar mid-p
    test".

    >>> mcnemar_mid_p(1, 7)
    0.0390625
    """
    if baseline_only < 0 or new_only < 0:
        raise InvalidInputError(f"A count of rows cannot be negative, got {min(baseline_only, new_only)}")
    n, k = baseline_only + new_only, min(baseline_only, new_only)
    if baseline_only == new_only:
        return 1.0
    at_k = _central_probability(n)
    for i in range(n // 2, k, -1):
        at_k *= i / (n - i + 1)
        if at_k < P_VALUE_FLOOR:
            return P_VALUE_FLOOR
    below, term = 0.0, at_k
    for i in range(k, 0, -1):
        term *= i / (n - i + 1)
        below += term
        if term < 1e-18 * at_k:
            break
    return min(1.0, 2.0 * below + at_k)


def _central_probability(n: int) -> float:
    """P(X = floor(n / 2)) for X ~ Binomial(n, 1/2).

    Exact for small n; above, the series of the central binomial coefficient in 1/m, n = 2m, whose first
    left-out term is below 1e-16 (Abramowitz and Stegun, 6.1.37 applied to (2m)! / (m!)^2).
    """
    if n <= _EXACT_UP_TO:
        return math.comb(n, n // 2) / (1 << n)
    m = n // 2
    series = 1.0 + (-1 / 8 + (1 / 128 + (5 / 1024 - 21 / 32768 / m) / m) / m) / m
    even = series / math.sqrt(math.pi * m)
    return even * (2 * m + 1) / (2 * m + 2) if n % 2 else even
