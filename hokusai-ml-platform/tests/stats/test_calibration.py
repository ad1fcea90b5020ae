"""Calibration, against scikit-learn and sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from hokusai.errors import InvalidInputError
from hokusai.stats.calibration import are_probabilities, calibration, row_brier

CLASSES = ("no", "yes")


def forecasts(n: int, seed: int, sharper: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes, and the probabilities that a model gives which is `sharper` than it should be."""
    draw = np.random.default_rng(seed)
    logit = draw.normal(size=n)
    outcome = (draw.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return outcome, 1 / (1 + np.exp(-sharper * logit))


class TestBinary:
    def test_bins_and_brier_score_are_those_of_scikit_learn(self) -> None:
        outcome, given_ = forecasts(500, 1)
        found = calibration(outcome, given_, classes=CLASSES)
        observed, forecast = calibration_curve(outcome, given_, n_bins=10)
        assert [one.observed for one in found.bins] == pytest.approx(observed)
        assert [one.forecast for one in found.bins] == pytest.approx(forecast)
        assert found.brier == pytest.approx(brier_score_loss(outcome, given_))
        assert found.event == "yes"

    def test_both_errors_by_hand(self) -> None:
        # Bin [0, .5): .2, .4 of which one came true: |.5 - .3| = .2; bin [.5, 1]: .9, 1 and both: .05.
        found = calibration([0, 1, 1, 1], [0.2, 0.4, 0.9, 1.0], classes=CLASSES, bins=2)
        assert found.ece == pytest.approx((2 * 0.2 + 2 * 0.05) / 4)
        assert found.mce == pytest.approx(0.2)

    def test_murphys_parts_by_hand(self) -> None:
        # Two forecasts, .25 (1 of 4 true) and .75 (2 of 4 true): nothing differs within a bin.
        found = calibration([1, 0, 0, 0, 1, 1, 0, 0], [0.25] * 4 + [0.75] * 4, classes=CLASSES, bins=2)
        assert found.reliability == pytest.approx(0.5 * 0 + 0.5 * 0.0625)
        assert found.resolution == pytest.approx(0.125**2)
        assert found.uncertainty == pytest.approx(3 / 8 * 5 / 8)
        assert found.within == pytest.approx(0.0)

    @given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60), st.integers(1, 12))
    @settings(max_examples=40)
    def test_the_parts_add_up_to_the_brier_score(self, rows: list[tuple[bool, float]], bins: int) -> None:
        outcome, given_ = zip(*rows, strict=True)
        found = calibration(np.array(outcome, dtype=int), given_, classes=CLASSES, bins=bins)
        parts = found.reliability - found.resolution + found.uncertainty + found.within
        assert parts == pytest.approx(found.brier, abs=1e-12)
        assert sum(one.n_rows for one in found.bins) == len(rows)

    def test_exact_probabilities_pass_and_boasting_ones_fail(self) -> None:
        exact = calibration(*forecasts(2000, 2), classes=CLASSES)
        boasting = calibration(*forecasts(2000, 2, sharper=3.0), classes=CLASSES)
        assert exact.p_value > 0.05
        assert boasting.p_value < 0.01
        assert boasting.reliability > 10 * exact.reliability

    def test_the_test_of_exactness_is_fooled_as_often_as_it_says(self) -> None:
        fooled = sum(
            calibration(*forecasts(150, seed), classes=CLASSES).p_value <= 0.1 for seed in range(200)
        )
        assert 8 <= fooled <= 34  # Binomial(200, .1) but once in 1,000

    def test_a_table_of_two_columns_says_the_same(self) -> None:
        outcome, given_ = forecasts(50, 3)
        both = np.column_stack([1 - given_, given_])
        assert calibration(outcome, both, classes=CLASSES) == calibration(outcome, given_, classes=CLASSES)


class TestSeveralClasses:
    def test_the_bins_are_of_the_predicted_class(self) -> None:
        table = [[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6]]
        found = calibration([0, 1, 2, 2], table, classes=("a", "b", "c"), bins=1)
        # right in 3 of 4 rows, said with (.7 + .7 + .6 + .6) / 4 = .65
        assert found.ece == pytest.approx(0.1)
        assert found.event == "the predicted class is right"

    def test_the_brier_score_is_summed_over_the_classes(self) -> None:
        found = calibration([0, 2], [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], classes=("a", "b", "c"))
        assert found.brier == pytest.approx((0.25 + 0.25) / 2)
        parts = found.reliability - found.resolution + found.uncertainty + found.within
        assert parts == pytest.approx(found.brier)

    def test_the_parts_of_rows_have_it_as_their_mean(self) -> None:
        draw = np.random.default_rng(4)
        table, labels = draw.dirichlet(np.ones(3), 40), draw.integers(0, 3, 40)
        found = calibration(labels, table, classes=("a", "b", "c"))
        assert row_brier(labels, table, 3).mean() == pytest.approx(found.brier)
        two = np.column_stack([1 - table[:, 0], table[:, 0]])
        assert row_brier([1, 0], two[:2], 2) == pytest.approx(row_brier([1, 0], two[:2, 1], 2))


@pytest.mark.parametrize(
    ("scores", "answer"),
    [
        ([0.2, 1.0], True),
        ([0.2, 1.1], False),
        ([-0.1, 0.5], False),
        ([float("nan"), 0.5], False),
        ([[0.5, 0.5], [0.0, 1.0]], True),
        ([[0.5, 0.6], [0.0, 1.0]], False),
        ([], False),
    ],
)
def test_what_probabilities_are(scores: list[object], answer: bool) -> None:
    assert are_probabilities(scores) is answer


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no probabilities"):
        calibration([0, 1], [-1.5, 2.0], classes=CLASSES)


def test_no_rows_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="needs rows"):
        calibration([], [], classes=CLASSES)
