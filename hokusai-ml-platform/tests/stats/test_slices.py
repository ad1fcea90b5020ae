"""Slices: every row is in one slice of a column, and the worst is named with what so many looks cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hokusai.domain.delta import Interval, MetricDelta
from hokusai.domain.metrics import METRICS
from hokusai.stats.one_model import MetricValue
from hokusai.stats.slices import MISSING, OTHER, by_quantile, by_value, worst_change, worst_value


def value(at: float, error: float, rows: int = 100, name: str = "accuracy") -> MetricValue:
    return MetricValue(METRICS[name], at, error, Interval(at - error, at + error, 0.95), rows, "")


def change(gain: float, error: float, rows: int = 100) -> MetricDelta:
    interval = Interval(gain - 1.96 * error, gain + 1.96 * error, 0.95)
    return MetricDelta(METRICS["accuracy"], 0.5, 0.5 + gain, gain, error, interval, 0.01, "", n_rows=rows)


class TestCutting:
    def test_missing_values_are_a_slice_of_their_own(self) -> None:
        found = by_value("region", ["EU", None, "US", "EU"])
        assert [(one.name, one.n_rows) for one in found] == [
            ("region=EU", 2),
            ("region=US", 1),
            (f"region={MISSING}", 1),
        ]

    def test_rare_values_are_one_slice_together(self) -> None:
        found = by_value("x", ["a", "a", "a", "b", "b", "c", "d"], most=2)
        assert [(one.value, one.n_rows) for one in found] == [("a", 3), ("b", 2), (OTHER, 2)]

    def test_ties_stay_together(self) -> None:
        assert [(one.value, one.n_rows) for one in by_quantile("n", [0, 0, 0, 0, 0, 0, 1, 2])] == [
            ("up to 0", 6),
            ("above 0", 2),
        ]

    def test_one_value_is_one_slice(self) -> None:
        assert [(one.value, one.n_rows) for one in by_quantile("n", [7.0, 7.0])] == [("all", 2)]

    def test_borders_take_the_names_of_their_rows(self) -> None:
        days = ["mon", "tue", "wed", "thu"]
        assert [one.value for one in by_quantile("day", [1, 2, 3, 4], days, bins=2)] == [
            "up to tue",
            "above tue",
        ]

    @given(st.lists(st.floats(-5, 5) | st.just(float("nan")), min_size=1, max_size=50), st.integers(2, 6))
    @settings(max_examples=40)
    def test_every_row_is_in_exactly_one_slice(self, numbers: list[float], bins: int) -> None:
        for found in (
            by_quantile("n", numbers, bins=bins),
            by_value("n", [str(one) for one in numbers], most=3),
        ):
            assert np.sum([one.inside for one in found], axis=0).tolist() == [1] * len(numbers)
            assert len({one.value for one in found}) == len(found)


class TestWorst:
    def test_the_lowest_accuracy_and_the_highest_error_are_worst(self) -> None:
        found = worst_value([("a", value(0.9, 0.03), None), ("b", value(0.8, 0.04), None)])
        assert found is not None
        assert found.name == "b"
        rmse = [("a", value(1.0, 0.1, name="rmse"), None), ("b", value(2.0, 0.1, name="rmse"), None)]
        worst = worst_value(rmse)
        assert worst is not None
        assert worst.name == "b"

    def test_interval_and_p_value_pay_for_the_number_of_slices(self) -> None:
        rest = value(0.9, 0.01)
        three = [("a", value(0.9, 0.03), None), ("b", value(0.8, 0.04), rest), ("c", value(0.95, 0.03), None)]
        found = worst_value(three)
        assert found is not None
        z = norm.ppf(1 - 0.05 / 3 / 2)
        assert (found.interval.low, found.interval.high) == pytest.approx((0.8 - z * 0.04, 0.8 + z * 0.04))
        assert found.p_value == pytest.approx(3 * 2 * norm.sf(0.1 / np.hypot(0.04, 0.01)))
        assert found.n_slices == 3

    def test_slices_of_few_rows_do_not_compete(self) -> None:
        found = worst_value(
            [
                ("a", value(0.9, 0.03), None),
                ("b", value(0.8, 0.04), None),
                ("tiny", value(0.0, 0.0, rows=29), None),
            ]
        )
        assert found is not None
        assert (found.name, found.n_slices) == ("b", 2)

    def test_one_slice_is_the_worst_of_nothing(self) -> None:
        assert worst_value([("a", value(0.9, 0.03), None)]) is None
        assert worst_change([("a", change(0.1, 0.03))]) is None

    def test_of_changes_the_greatest_loss_is_worst(self) -> None:
        found = worst_change(
            [("a", change(0.02, 0.01)), ("b", change(-0.03, 0.01)), ("c", change(-0.5, 1, rows=5))]
        )
        assert found is not None
        assert (found.name, found.p_value) == ("b", 0.02)
        assert found.value == pytest.approx(-0.03)
        z = norm.ppf(1 - 0.05 / 2 / 2)
        assert found.interval.low == pytest.approx(-0.03 - z * 0.01)
