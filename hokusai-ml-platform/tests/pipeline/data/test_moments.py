"""Mean and variance against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data.moments import Moments

finite = st.floats(allow_nan=False, allow_infinity=False)


def exact(values: list[float]) -> tuple[Fraction, Fraction]:
    numbers = [Fraction(value) for value in values]
    mean = sum(numbers, Fraction(0)) / len(numbers)
    return mean, sum(((n - mean) ** 2 for n in numbers), Fraction(0)) / max(len(numbers) - 1, 1)


@settings(max_examples=75)
@given(st.lists(finite, min_size=2, max_size=30), st.integers(0, 30))
def test_both_are_the_exact_values_rounded_once(values: list[float], cut: int) -> None:
    moments = Moments().see(np.array(values[:cut])).merge(Moments().see(np.array(values[cut:])))
    mean, variance = exact(values)
    assert moments.mean() == float(mean)
    try:
        assert moments.variance() == float(variance)
    except OverflowError:
        assert moments.variance() is None


def test_a_small_spread_far_from_zero_is_not_lost() -> None:
    values = 1e9 + np.arange(100_000) % 2 * 2.0**-20
    variance = Moments().see(values).variance()
    # Half of the values are 2^-20 above the others: the variance is 2^-42 * n / (n - 1).
    assert variance == float(Fraction(1, 2**42) * Fraction(100_000, 99_999))


def test_no_value_has_no_mean_and_one_no_variance() -> None:
    assert (Moments().mean(), Moments().see(np.array([3.0])).variance()) == (None, None)


def test_any_order_and_division_of_many_values_gives_the_same_bits() -> None:
    values = np.random.default_rng(1).normal(0, 1, 50_000) ** 5
    whole = Moments().see(values)
    parts = Moments()
    for part in np.array_split(np.random.default_rng(2).permutation(values), 13):
        parts.merge(Moments().see(part))
    assert (whole.mean(), whole.variance()) == (parts.mean(), parts.variance())
    assert whole.mean() == float(sum(map(Fraction, values.tolist()), Fraction(0)) / 50_000)
