"""Rows and detectable gains, against numbers from a normal table and against the test itself."""

import numpy as np
import pytest

from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.power import minimum_detectable_delta, required_rows


def test_three_tenths_of_a_point_need_27_thousand_rows():
    # From the table of the normal distribution: z(.95) = 1.6449, z(.8) = 0.8416; 2.4865^2 * .04 / .003^2 = 27,478.
    assert required_rows(0.003, 0.04) == pytest.approx(2.4865**2 * 0.04 / 0.003**2, rel=1e-4)


@pytest.mark.parametrize(
    ("alpha", "power", "distance"), [(0.025, 0.9, 1.959964 + 1.281552), (0.01, 0.95, 2.326348 + 1.644854)]
)
def test_level_and_power_enter_by_their_normal_quantiles(alpha, power, distance):
    found = minimum_detectable_delta(40_000, 0.09, alpha=alpha, power=power)
    assert found == pytest.approx(distance * 0.3 / 200, rel=1e-6)


def test_required_rows_are_the_fewest_that_detect():
    for delta, discordance in ((0.003, 0.04), (0.01, 0.04), (0.02, 0.3)):
        n = required_rows(delta, discordance)
        found, with_one_less = (minimum_detectable_delta(rows, discordance) for rows in (n, n - 1))
        assert found <= delta < with_one_less


def test_the_test_finds_as_often_as_the_formula_says():
    n, q, delta = required_rows(0.01, 0.06), 0.06, 0.01
    rng = np.random.default_rng(5)
    tables = rng.multinomial(n, [(q - delta) / 2, (q + delta) / 2, 1 - q], size=1500)
    found = [b < c and mcnemar_mid_p(int(b), int(c)) / 2 < 0.05 for b, c, _ in tables]
    assert np.mean(found) == pytest.approx(0.8, abs=0.035)  # three Monte-Carlo errors, and rounding up


@pytest.mark.parametrize(
    "call",
    [
        lambda: required_rows(0.0, 0.04),
        lambda: required_rows(0.05, 0.04),
        lambda: required_rows(float("nan"), 0.04),
        lambda: required_rows(0.01, 1.5),
        lambda: required_rows(0.01, 0.04, alpha=0.5),
        lambda: required_rows(0.01, 0.04, power=1.0),
        lambda: minimum_detectable_delta(0, 0.04),
        lambda: minimum_detectable_delta(100, 0.0),
    ],
)
def test_numbers_out_of_range_are_refused(call):
    with pytest.raises(InvalidInputError):
        call()
