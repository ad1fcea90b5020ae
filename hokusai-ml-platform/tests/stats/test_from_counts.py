"""Metrics from the joint table: by hand, against scikit-learn, and without numpy."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from hokusai.domain.delta import JointCounts
from hokusai.errors import InvalidInputError
from hokusai.stats.from_counts import (
    discordant_rows,
    mcnemar_from_counts,
    metrics_from_counts,
    zero_denominators,
)

# 10 rows: label, baseline, new.
#   1 1 1 (2 rows), 1 0 1 (1), 1 0 0 (1), 0 1 0 (1), 0 0 0 (4), 0 0 1 (1)
# baseline: 2 true positives, 1 false positive, 2 false negatives; new: 3, 1, 1.
TABLE = JointCounts(
    ("no", "yes"),
    1,
    (((0, 0, 0), 4), ((0, 0, 1), 1), ((0, 1, 0), 1), ((1, 0, 0), 1), ((1, 0, 1), 1), ((1, 1, 1), 2)),
)


class TestMetricsFromCounts:
    def test_binary_by_hand(self):
        assert metrics_from_counts(TABLE) == {
            "accuracy": (Fraction(7, 10), Fraction(8, 10)),
            "precision": (Fraction(2, 3), Fraction(3, 4)),
            "recall": (Fraction(2, 4), Fraction(3, 4)),
            "f1": (Fraction(4, 7), Fraction(6, 8)),
        }

    def test_the_other_class_as_positive(self):
        # Class 0: 6 rows; baseline says 0 seven times and is right in 5; new says 0 six times, right in 5.
        other = metrics_from_counts(JointCounts(TABLE.classes, 0, TABLE.cells))
        assert other["precision"] == (Fraction(5, 7), Fraction(5, 6))
        assert other["recall"] == (Fraction(5, 6), Fraction(5, 6))
        assert other["accuracy"] == (Fraction(7, 10), Fraction(8, 10))

    def test_macro_is_the_mean_over_classes(self):
        # The mean of class 0 (above) and class 1.
        macro = metrics_from_counts(JointCounts(TABLE.classes, None, TABLE.cells))
        assert macro["precision"] == (
            (Fraction(5, 7) + Fraction(2, 3)) / 2,
            (Fraction(5, 6) + Fraction(3, 4)) / 2,
        )
        assert macro["recall"] == (
            (Fraction(5, 6) + Fraction(1, 2)) / 2,
            (Fraction(5, 6) + Fraction(3, 4)) / 2,
        )

    def test_agrees_with_scikit_learn_where_the_benchmark_lacks_a_class(self):
        rng = np.random.default_rng(3)
        labels, baseline, new = rng.integers(0, 4, 200), rng.integers(0, 5, 200), rng.integers(0, 6, 200)
        cells, counts = np.unique(np.stack([labels, baseline, new]), axis=1, return_counts=True)
        table = JointCounts(
            tuple("abcdef"),
            None,
            tuple((tuple(int(i) for i in cell), int(c)) for cell, c in zip(cells.T, counts, strict=True)),
        )
        found = metrics_from_counts(table)
        for model, predictions in enumerate((baseline, new)):
            macro = {"labels": [0, 1, 2, 3], "average": "macro", "zero_division": 0}
            expected = {
                "accuracy": accuracy_score(labels, predictions),
                "precision": precision_score(labels, predictions, **macro),
                "recall": recall_score(labels, predictions, **macro),
                "f1": f1_score(labels, predictions, **macro),
            }
            assert {name: float(pair[model]) for name, pair in found.items()} == pytest.approx(
                expected, abs=1e-14
            )

    def test_zero_over_zero_is_zero_and_is_said(self):
        # The baseline never says yes; the benchmark has a yes.
        table = JointCounts(("no", "yes"), 1, (((0, 0, 0), 3), ((1, 0, 1), 1)))
        assert metrics_from_counts(table)["precision"] == (0, 1)
        assert zero_denominators(table) == [
            (
                "precision",
                "precision of the baseline model: it never predicts class 'yes'; 0/0 counts as 0",
            )
        ]

    def test_a_positive_class_that_never_occurs(self):
        table = JointCounts(("no", "yes"), 1, (((0, 0, 0), 3),))
        assert metrics_from_counts(table) == {
            "accuracy": (1, 1),
            "precision": (0, 0),
            "recall": (0, 0),
            "f1": (0, 0),
        }
        assert [metric for metric, _ in zero_denominators(table)] == ["precision", "recall", "f1"] * 2


def test_discordant_rows_and_mcnemar_by_hand():
    # Only the baseline is right in (0, 0, 1): 1 row; only the new model in (0, 1, 0) and (1, 0, 1): 2 rows.
    # n = 3, k = 1: 2 P(X = 0) + P(X = 1) = 2/8 + 3/8.
    assert discordant_rows(TABLE) == (1, 2)
    assert mcnemar_from_counts(TABLE) == 5 / 8


def test_both_wrong_in_different_ways_is_not_discordant():
    assert discordant_rows(JointCounts(("a", "b", "c"), None, (((0, 1, 2), 9),))) == (0, 0)


@pytest.mark.parametrize(
    ("cells", "positive", "text"),
    [
        ((), 1, "no rows"),
        ((((0, 0, 2), 1),), 1, "does not name three of 2 classes"),
        ((((0, 0, -1), 1),), 1, "does not name three of 2 classes"),
        ((((0, 0), 1),), 1, "does not name three of 2 classes"),
        ((((0, 0, 0), 0),), 1, "count 0"),
        ((((0, 0, 0), -4),), 1, "count -4"),
        ((((0, 0, 0), 1), ((0, 0, 0), 2)), 1, "more than once"),
        ((((1, 0, 0), 1), ((0, 0, 0), 2)), 1, "not sorted"),
        ((((0, 0, 0), 1),), 2, "positive class has index 2"),
    ],
)
def test_refuses_a_table_that_is_not_in_its_one_valid_form(cells, positive, text):
    with pytest.raises(InvalidInputError, match=text):
        metrics_from_counts(JointCounts(("a", "b"), positive, cells))


def test_needs_the_standard_library_only():
    code = "import sys, hokusai.stats.from_counts; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
