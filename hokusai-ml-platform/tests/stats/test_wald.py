"""Intervals, p-values, and what stands in where the rows give no standard error."""

import math

import pytest
from scipy.stats import norm

from hokusai.errors import InvalidInputError
from hokusai.stats.wald import critical_value, infer, stand_in_error, two_sided_p


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99, 0.9999])
def test_critical_values_are_the_normal_quantiles(confidence):
    assert critical_value(confidence) == pytest.approx(norm.ppf(0.5 + confidence / 2), rel=1e-12)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, -0.1, math.nan])
def test_refuses_a_confidence_outside_zero_and_one(confidence):
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        critical_value(confidence)


@pytest.mark.parametrize("z", [0.0, 0.3, -1.96, 5.0, 20.0])
def test_p_values_are_the_normal_tails(z):
    assert two_sided_p(z) == pytest.approx(2 * norm.sf(abs(z)), rel=1e-12)


def test_a_p_value_is_never_zero():
    assert two_sided_p(50.0) == 1e-300


def test_interval_and_p_value_by_hand():
    # 0.03 ± 1.959964 * 0.01; z = 3, two-sided p = 0.0026998.
    sure = infer(0.03, 0.01, confidence=0.95)
    assert (sure.interval.low, sure.interval.high) == pytest.approx((0.01040036, 0.04959964), abs=1e-8)
    assert sure.p_value == pytest.approx(0.0026997961, abs=1e-10)


def test_no_change_without_spread_is_certain():
    sure = infer(0.0, 0.0, confidence=0.95)
    assert (sure.standard_error, sure.interval.low, sure.interval.high, sure.p_value) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(("rows", "p_value"), [(1, 0.5), (2, 0.25), (3, 0.125), (10, 1 / 1024)])
def test_a_change_that_is_the_same_in_all_rows_is_as_sure_as_a_sign_test(rows, p_value):
    sure = infer(-0.4, stand_in_error(-0.4, rows), confidence=0.95)
    assert sure.p_value == pytest.approx(p_value, rel=1e-12)
    assert (sure.interval.high < 0) == (p_value < 0.05)


def test_a_change_without_any_error_counts_as_one_row():
    # Influences of several metrics may cancel in their sum: that must not divide by zero.
    assert infer(0.5, 0.0, confidence=0.95).p_value == pytest.approx(0.5, rel=1e-12)


def test_rounding_is_no_evidence():
    assert infer(1e-17, 1e-18, confidence=0.95, size=1.0).p_value == 1.0
    assert infer(1e-17, 1e-18, confidence=0.95, size=1e-16).p_value < 1e-20
