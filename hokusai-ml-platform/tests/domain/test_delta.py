"""The nouns of a comparison: signs, exactness, basis points."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.delta import Comparison, Interval, JointCounts, MetricDelta, primary_record, to_bps
from hokusai.domain.metrics import METRICS, Task

F = Fraction


def delta(
    name: str, old: float, new: float, gain: float, exact: tuple[Fraction, Fraction] | None = None
) -> MetricDelta:
    return MetricDelta(METRICS[name], old, new, gain, 0.1, Interval(-0.1, 0.3, 0.95), 0.3, "by hand", exact)


class TestMetricDelta:
    def test_the_specifications_example(self) -> None:
        accuracy = delta("accuracy", 0.8545, 0.8840, 0.0295)
        assert accuracy.absolute_delta == pytest.approx(0.0295)
        assert accuracy.relative_delta == pytest.approx(0.0295 / 0.8545)
        assert (accuracy.improvement, accuracy.degradation) == (True, False)

    def test_lower_is_better(self) -> None:
        rmse = delta("rmse", 4.0, 3.0, 0.25)
        assert (rmse.absolute_delta, rmse.relative_delta, rmse.improvement) == (-1.0, -0.25, True)

    def test_unchanged_is_neither(self) -> None:
        same = delta("f1", 0.5, 0.5, 0.0)
        assert (same.improvement, same.degradation) == (False, False)

    def test_a_baseline_of_zero_or_below(self) -> None:
        assert delta("recall", 0.0, 0.5, 0.5).relative_delta == 0.0
        assert delta("r2", -0.5, 0.5, 1.0).relative_delta == 2.0

    def test_an_exact_change_is_rounded_once(self) -> None:
        """0.9 - 0.6 is 0.30000000000000004 in doubles."""
        assert delta("accuracy", 0.6, 0.9, 0.3, (F(6, 10), F(9, 10))).absolute_delta == 0.3
        assert delta("accuracy", 0.6, 0.9, 0.3).absolute_delta != 0.3


class TestBasisPoints:
    @pytest.mark.parametrize(
        ("fraction", "bps"),
        [
            (0.0332, 332), (-0.0332, -332), (0.0, 0), (1, 10_000), (F(1, 3), 3333), (F(2, 3), 6667),
            (0.00005, 0), (0.00015, 2), (0.00025, 2), (-0.00005, 0), (-0.00015, -2), (1e-9, 0),
        ],
    )  # fmt: skip
    def test_ties_to_even(self, fraction: float | Fraction, bps: int) -> None:
        assert to_bps(fraction) == bps

    @given(st.integers(-20_000, 20_000))
    def test_whole_basis_points_are_exact_also_as_floats(self, bps: int) -> None:
        assert to_bps(bps / 10_000) == bps == to_bps(F(bps, 10_000))

    @given(st.fractions(-1, 1))
    def test_are_never_further_than_half_a_point(self, fraction: Fraction) -> None:
        assert abs(F(to_bps(fraction), 10_000) - fraction) <= F(1, 20_000)

    @given(st.decimals(-1, 1, places=9))
    def test_are_odd(self, number: Decimal) -> None:
        assert to_bps(float(number)) == -to_bps(-float(number))


class TestPrimaryRecord:
    def test_a_share_is_the_difference_of_what_a_contract_is_given(self) -> None:
        """1/3 is 3333, 2/3 is 6667: 3334 between them, though a third is 3333."""
        record = primary_record(delta("accuracy", 1 / 3, 2 / 3, 1 / 3, (F(1, 3), F(2, 3))))
        assert (record.metric, record.baseline_bps, record.new_bps, record.delta_bps) == (
            "accuracy",
            3333,
            6667,
            3334,
        )

    def test_a_share_without_fractions(self) -> None:
        record = primary_record(delta("r2", 0.5, 0.75, 0.25))
        assert (record.baseline_bps, record.new_bps, record.delta_bps) == (5000, 7500, 2500)

    def test_target_units_have_a_gain_only(self) -> None:
        record = primary_record(delta("rmse", 4.0, 3.0, 0.25))
        assert (record.baseline_bps, record.new_bps, record.delta_bps) == (None, None, 2500)


class TestComparison:
    accuracy = delta("accuracy", 0.6, 0.9, 0.3)
    comparison = Comparison(
        Task.CLASSIFICATION, 10, "binary", (accuracy,), {"accuracy": F(1)}, 0.3, 0.1, Interval(0.1, 0.5, 0.95), 0.01,
        F(3, 10), None, primary_record(accuracy),
    )  # fmt: skip

    @pytest.mark.parametrize(("low", "significant"), [(0.001, True), (0.0, False), (-0.1, False)])
    def test_significant_is_an_interval_above_zero(self, low: float, significant: bool) -> None:
        assert replace(self.comparison, interval=Interval(low, 0.5, 0.95)).significant is significant

    def test_a_delta_by_name(self) -> None:
        assert self.comparison.delta("accuracy") is self.accuracy
        with pytest.raises(StopIteration):
            self.comparison.delta("f1")

    def test_rows_of_the_joint_table(self) -> None:
        assert JointCounts(("a", "b"), 1, (((0, 0, 0), 3), ((1, 0, 1), 4))).n_rows == 7
        assert JointCounts(("a", "b"), 1, ()).n_rows == 0
