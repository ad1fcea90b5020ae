"""Student's t against scipy, and Satterthwaite's degrees of freedom by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hokusai.errors import InvalidInputError
from hokusai.stats.student_t import t_critical_value, two_sided_t_p, welch_satterthwaite


class TestTwoSidedP:
    @settings(max_examples=30)
    @given(st.floats(-60, 60), st.floats(0.5, 1e5))
    def test_is_what_scipy_gives(self, t, freedom):
        assert two_sided_t_p(t, freedom) == pytest.approx(
            2 * stats.t.sf(abs(t), freedom), rel=1e-8, abs=1e-290
        )

    def test_tends_to_the_normal(self):
        assert two_sided_t_p(1.5, 2e7) == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-12)

    def test_with_one_degree_of_freedom_is_cauchys(self):
        assert two_sided_t_p(1.0, 1) == pytest.approx(0.5, rel=1e-14)  # by hand: 1 - 2 atan(1) / pi

    def test_refuses_no_degrees_of_freedom(self):
        with pytest.raises(InvalidInputError, match="above 0, got 0"):
            two_sided_t_p(1.0, 0)


class TestCriticalValue:
    @settings(max_examples=40)
    @given(st.floats(0.01, 0.999), st.floats(0.7, 1e8))
    def test_is_what_scipy_gives(self, confidence, freedom):
        expected = stats.t.ppf(0.5 + confidence / 2, freedom)
        assert t_critical_value(confidence, freedom) == pytest.approx(expected, rel=1e-7)

    @pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (2, 4.303), (5, 2.571), (30, 2.042)])
    def test_is_what_the_printed_table_says(self, freedom, quantile):
        assert round(t_critical_value(0.95, freedom), 3) == quantile

    @pytest.mark.parametrize("confidence", [0.0, 1.0, math.nan])
    def test_refuses_what_is_no_confidence(self, confidence):
        with pytest.raises(InvalidInputError):
            t_critical_value(confidence, 3)


class TestWelchSatterthwaite:
    def test_is_what_scipys_welch_test_uses(self):
        one, other = [1.0, 4.0, 2.0, 8.0], [3.0, 3.5, 2.5]
        parts = [(stats.tvar(sample) / len(sample), len(sample) - 1) for sample in (one, other)]
        expected = stats.ttest_ind(one, other, equal_var=False).df
        assert welch_satterthwaite(parts) == pytest.approx(expected, rel=1e-12)

    def test_a_part_without_variance_changes_nothing(self):
        assert welch_satterthwaite([(0.3, 4), (0.0, 1)]) == pytest.approx(4, rel=1e-12)

    def test_without_any_variance_is_infinite(self):
        assert welch_satterthwaite([(0.0, 2)]) == math.inf
