"""One model's metrics and errors, against scikit-learn, statsmodels and resampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)
from statsmodels.stats.proportion import proportion_confint

from hokusai.domain.metrics import METRICS
from hokusai.stats.one_model import mean_value, measure_classifier, measure_regressor, wilson


def answers(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, predictions and probabilities of a model that is right on most rows."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, n)
    logits = draw.normal(size=(n, classes)) + 1.5 * np.eye(classes)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, scores.argmax(axis=1), scores


class TestClassifier:
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_values_are_those_of_scikit_learn(self, n_classes: int) -> None:
        labels, said, scores = answers(300, n_classes, 1)
        found = measure_classifier(labels, said, classes=tuple("abc"[:n_classes]), scores=scores)
        average = "binary" if n_classes == 2 else "macro"
        area = scores[:, 1] if n_classes == 2 else scores
        expected = {
            "accuracy": accuracy_score(labels, said),
            "precision": precision_score(labels, said, average=average),
            "recall": recall_score(labels, said, average=average),
            "f1": f1_score(labels, said, average=average),
            "auroc": roc_auc_score(labels, area, multi_class="ovr"),
        }
        assert {one.metric.name: one.value for one in found.values} == pytest.approx(expected)
        assert found.confusion == tuple(map(tuple, confusion_matrix(labels, said).tolist()))

    def test_the_error_of_accuracy_is_the_binomial_one_and_its_interval_wilsons(self) -> None:
        labels, said = np.zeros(200, dtype=int), np.repeat([0, 1], [170, 30])
        accuracy = measure_classifier(labels, said, classes=("a", "b")).value("accuracy")
        assert accuracy is not None
        assert accuracy.standard_error == pytest.approx(math.sqrt(0.85 * 0.15 / 200))
        expected = proportion_confint(170, 200, method="wilson")
        assert (accuracy.interval.low, accuracy.interval.high) == pytest.approx(expected)

    def test_errors_agree_with_resampled_rows(self) -> None:
        labels, said, scores = answers(400, 2, 2)
        found = measure_classifier(labels, said, classes=("a", "b"), scores=scores)
        draw = np.random.default_rng(3)
        drawn = []
        for _ in range(400):
            rows = draw.integers(0, 400, 400)
            is_, says, score = labels[rows] == 1, said[rows] == 1, scores[rows, 1]
            hits, ranks = (is_ & says).sum(), rankdata(score)
            area = (ranks[is_].sum() - is_.sum() * (is_.sum() + 1) / 2) / is_.sum() / (~is_).sum()
            drawn.append([hits / says.sum(), hits / is_.sum(), 2 * hits / (is_.sum() + says.sum()), area])
        errors = [one.standard_error for one in found.values if one.metric.name != "accuracy"]
        # A standard deviation of 400 draws has an error of 3.5 %.
        assert errors == pytest.approx(np.std(drawn, axis=0, ddof=1), rel=0.12)

    def test_delongs_error_of_one_area_by_hand(self) -> None:
        # Positives .9, .4 and negatives .6, .2, .1: placements 1, 2/3 and 1/2, 1, 1; AUROC 5/6.
        # Variances with P - 1: 1/18 over 2 positives, 1/12 over 3 negatives.
        value = measure_classifier(
            [1, 1, 0, 0, 0], [1, 0, 1, 0, 0], classes=("a", "b"), scores=[0.9, 0.4, 0.6, 0.2, 0.1]
        ).value("auroc")
        assert value is not None
        assert value.value == pytest.approx(5 / 6)
        assert value.standard_error == pytest.approx(math.sqrt(1 / 36 + 1 / 36))

    def test_a_model_that_is_always_right_still_has_an_interval(self) -> None:
        value = measure_classifier([0, 1] * 10, [0, 1] * 10, classes=("a", "b")).value("accuracy")
        assert value is not None
        assert (value.interval.low, value.interval.high) == pytest.approx(
            proportion_confint(20, 20, method="wilson")
        )
        assert value.standard_error == 0.0

    def test_rows_of_few_units_say_less(self) -> None:
        labels, said, _ = answers(200, 2, 4)
        alone = measure_classifier(labels, said, classes=("a", "b")).value("accuracy")
        doubled = measure_classifier(
            np.repeat(labels, 2), np.repeat(said, 2), classes=("a", "b"), units=np.repeat(np.arange(200), 2)
        ).value("accuracy")
        assert alone is not None
        assert doubled is not None
        # each row twice: as sure as each once, but for G / (G - 1)
        assert doubled.standard_error == pytest.approx(alone.standard_error * math.sqrt(200 / 199))

    def test_nothing_is_said_of_the_oracle(self) -> None:
        found = measure_classifier([0] * 40, [0] * 39 + [1], classes=("a", "b"), scores=[0.1] * 40)
        assert found.value("auroc") is None
        assert [one for one in found.warnings if "auroc is left out" in one]
        assert not [one for one in found.warnings if "baseline" in one or "apart" in one]

    @given(st.data())
    @settings(max_examples=25)
    def test_every_share_lies_within_its_interval_and_that_in_0_1(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(1, 40))
        rows = st.lists(st.integers(0, 2), min_size=n, max_size=n)
        found = measure_classifier(data.draw(rows), data.draw(rows), classes=("a", "b", "c"))
        for one in found.values:
            assert 0 <= one.interval.low <= one.value + 1e-12
            assert one.value - 1e-12 <= one.interval.high <= 1


class TestRegressor:
    def test_values_are_those_of_scikit_learn(self) -> None:
        draw = np.random.default_rng(5)
        target = draw.normal(size=100)
        said = target + 0.5 * draw.normal(size=100)
        found = measure_regressor(target, said)
        assert {one.metric.name: one.value for one in found.values} == pytest.approx(
            {
                "rmse": root_mean_squared_error(target, said),
                "mae": mean_absolute_error(target, said),
                "r2": r2_score(target, said),
            }
        )
        assert found.warnings == ()
        assert found.confusion == ()

    def test_the_error_of_mae_is_that_of_a_mean(self) -> None:
        value = measure_regressor([1.0, 2.0, 3.0, 5.0], [1.0, 4.0, 4.0, 4.0]).value("mae")
        assert value is not None
        assert value.value == 1.0
        assert value.standard_error == pytest.approx(math.sqrt(2 / 3 / 4))  # |errors| 0, 2, 1, 1
        assert value.interval.high == pytest.approx(1 + 3.182446 * math.sqrt(1 / 6))  # Student's, of 3

    def test_nothing_is_said_of_the_oracle(self) -> None:
        found = measure_regressor([1.0, 2.0, 3.0, 5.0] * 10, [9.0] * 40)
        assert found.value("r2").value < 0
        assert found.warnings == ()

    def test_an_error_is_never_below_zero(self) -> None:
        # One error of 8 in ten rows: .8, and its error sqrt(.1 * .9 * 64 / 10) = .759.
        value = measure_regressor([0.0] * 9 + [1.0], [0.0] * 9 + [9.0]).value("mae")
        assert value is not None
        assert value.interval.low == 0.0


def test_a_mean_has_students_error_and_interval() -> None:
    value = mean_value(METRICS["mae"], np.array([1.0, 2.0, 3.0, 4.0]))
    assert value.standard_error == pytest.approx(math.sqrt(5 / 3 / 4))
    assert value.interval.high == pytest.approx(2.5 + 3.182446 * math.sqrt(5 / 12), rel=1e-5)


def test_nothing_is_known_of_the_noise_of_equal_values() -> None:
    value = mean_value(METRICS["mae"], np.array([2.0, 2.0]))
    assert (value.value, math.isnan(value.standard_error), value.interval.low) == (2.0, True, 2.0)


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (3, 7), (12, 12), (81, 263)])
def test_wilsons_interval_is_that_of_statsmodels(hits: int, rows: int) -> None:
    found = wilson(hits / rows, rows, 0.95)
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(hits, rows, method="wilson"), abs=1e-12
    )
