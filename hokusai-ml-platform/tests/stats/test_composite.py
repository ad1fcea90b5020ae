"""Weights and DeltaOne."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from hokusai.domain.metrics import Task
from hokusai.errors import MetricError
from hokusai.stats.composite import parse_weights
from hokusai.stats.paired import compare_classifiers, compare_regressors

LABELS = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
BASELINE = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
NEW = [1, 1, 1, 0, 0, 0, 0, 0, 0, 1]


class TestParseWeights:
    def test_a_float_means_the_decimal_it_prints_as(self):
        # In binary, 0.1 + 0.2 is not 0.3: the thirds would not be exact.
        assert parse_weights({"f1": 0.1, "accuracy": 0.2}, Task.CLASSIFICATION) == {
            "f1": Fraction(1, 3),
            "accuracy": Fraction(2, 3),
        }

    @pytest.mark.parametrize(
        "one", [1, 1.0, Fraction(1), Decimal(1), np.int64(1), np.float64(1), np.float32(1)]
    )
    def test_takes_every_kind_of_number(self, one):
        assert parse_weights({"recall": one, "f1_score": 3}, Task.CLASSIFICATION) == {
            "recall": Fraction(1, 4),
            "f1": Fraction(3, 4),
        }

    def test_leaves_zeros_out(self):
        assert parse_weights({"rmse": 0, "mae": 2, "r2": 0.0}, Task.REGRESSION) == {"mae": 1}

    @pytest.mark.parametrize(
        ("weights", "text"),
        [
            ({}, "No metric has a weight above zero"),
            ({"f1": 0, "accuracy": 0.0}, "No metric has a weight above zero"),
            ({"f1": -0.1, "accuracy": 1}, "weight of 'f1' is negative"),
            ({"f1": math.nan}, "not a finite number"),
            ({"f1": math.inf}, "not a finite number"),
            ({"f1": "much"}, "not a finite number"),
            ({"f1": True}, "not a finite number"),
            ({"f1": None}, "not a finite number"),
            ({"f1": 1, "f1_score": 1}, "two weights"),
            ({"acuracy": 1}, "Did you mean 'accuracy'"),
            ({"rmse": 1}, "regression metric"),
        ],
    )
    def test_refuses_what_is_no_weight(self, weights, text):
        with pytest.raises(MetricError, match=text):
            parse_weights(weights, Task.CLASSIFICATION)


class TestDeltaOne:
    def test_weighs_the_gains_exactly(self):
        # accuracy +1/10, F1 +5/28: (1/10 + 3 * 5/28) / 4 = 89/560.
        compared = compare_classifiers(
            LABELS, BASELINE, NEW, classes=("no", "yes"), weights={"accuracy": 1, "f1": 3}
        )
        assert compared.exact == Fraction(89, 560)
        assert compared.weights == {"accuracy": Fraction(1, 4), "f1": Fraction(3, 4)}
        assert [d.metric.name for d in compared.deltas] == ["accuracy", "precision", "recall", "f1"]

    def test_of_accuracy_alone_takes_over_mcnemar(self):
        compared = compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"), weights={"accuracy": 5})
        accuracy = compared.delta("accuracy")
        assert (compared.p_value, compared.standard_error, compared.interval) == (
            accuracy.p_value,
            accuracy.standard_error,
            accuracy.interval,
        )
        assert compared.p_value == 5 / 8

    def test_lower_is_better_counts_as_a_gain(self):
        # MAE falls from 2 to 1 and RMSE from 2 to sqrt(2).
        compared = compare_regressors(
            [0.0, 0.0], [2.0, -2.0], [0.0, 2.0], metrics=["mae", "rmse"], weights={"mae": 1, "rmse": 1}
        )
        assert compared.delta_one == pytest.approx((0.5 + (2 - math.sqrt(2)) / 2) / 2)
        assert compared.delta("mae").absolute_delta == -1.0
        assert compared.delta("mae").improvement
        assert compared.exact is None

    def test_the_same_change_in_every_row_is_not_certainty(self):
        # Absolute errors go from 1 to 2 in both rows: RMSE and MAE double, nothing varies. Two rows: mid-p
        # 2^-2.
        compared = compare_regressors([0.0, 0.0], [1.0, -1.0], [2.0, 2.0], metrics=["rmse", "mae"])
        assert compared.delta_one == -1.0
        assert compared.p_value == pytest.approx(0.25, rel=1e-9)


class TestSignificance:
    def test_needs_the_p_value_too(self):
        """Four rows of 100 flip to right: the normal interval lies above zero, McNemar's mid-p is 2 * 0.5^4 / 2."""
        labels = np.array([0] * 90 + [1] * 10)
        baseline, new = labels.copy(), labels.copy()
        baseline[:4] = 1
        compared = compare_classifiers(labels, baseline, new, classes=("a", "b"), weights={"accuracy": 1})
        assert compared.interval.low > 0
        assert compared.p_value == pytest.approx(0.0625)
        assert not compared.significant

    def test_a_rare_class_is_pointed_out(self):
        labels = np.array([0] * 96 + [1] * 4)
        compared = compare_classifiers(labels, labels, labels, classes=("a", "b"))
        assert any("fewer than 10 rows of class 'b'" in text for text in compared.warnings)
