"""Standard errors from the joint table, against leaving out row after row with scikit-learn."""

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from hokusai.stats.cell_influence import INFLUENCE_FUNCTION, cell_influences, error_from_counts
from hokusai.stats.classification import joint_counts
from hokusai.stats.paired import compare_classifiers

SCORES = {"precision": precision_score, "recall": recall_score, "f1": f1_score}


def _rows(seed, n, shares):
    rng = np.random.default_rng(seed)
    k = len(shares)
    labels = rng.choice(k, n, p=shares)
    old, new = (np.where(rng.random(n) < right, labels, rng.integers(0, k, n)) for right in (0.6, 0.7))
    return labels, old, new


def _table(labels, old, new, k):
    classes, positive = tuple("abcdefgh"[:k]), 1 if k == 2 else None
    return joint_counts(labels, old, new, classes=classes, positive=positive)[0]


def _jackknife_error(labels, old, new, k, weights):
    """Textbook jackknife over rows: each left out in turn, the metric made anew by scikit-learn."""

    def change(rows):
        y = labels[rows]
        over = {"pos_label": 1} if k == 2 else {"labels": np.unique(y), "average": "macro"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old_new = [
                [SCORES[name](y, p[rows], zero_division=0, **over) for name in weights] for p in (old, new)
            ]
        return np.dot(np.subtract(old_new[1], old_new[0]), list(weights.values()))

    n = len(labels)
    left = np.array([change(np.arange(n) != row) for row in range(n)])
    return math.sqrt((n - 1) / n * np.square(left - left.mean()).sum())


@pytest.mark.parametrize(
    ("seed", "n", "shares"),
    [(1, 25, (0.7, 0.3)), (2, 24, (0.5, 0.3, 0.2)), (3, 20, (0.4, 0.3, 0.1, 0.1, 0.1)), (4, 12, (0.3,) * 3 + (0.1,))],
)  # fmt: skip
def test_the_error_is_that_of_leaving_out_every_row(seed, n, shares):
    k = len(shares)
    labels, old, new = _rows(seed, n, shares)
    counts = _table(labels, old, new, k)
    for name in SCORES:
        expected = _jackknife_error(labels, old, new, k, {name: 1.0})
        found = math.sqrt(
            sum(c * i * i for (_, c), i in zip(counts.cells, cell_influences(counts, name), strict=True))
        )
        assert found / n == pytest.approx(expected, rel=1e-10), name


def test_the_error_of_a_weighted_sum_holds_the_covariances():
    labels, old, new = _rows(7, 30, (0.5, 0.5))
    weights = {"precision": 0.2, "recall": 0.5, "f1": 0.3}
    found = error_from_counts(_table(labels, old, new, 2), weights)
    assert found == pytest.approx(_jackknife_error(labels, old, new, 2, weights), rel=1e-10)


def test_a_class_with_one_row_leaves_the_average_with_it():
    # Class c has one row, which the new model alone gets right; a and b are always right. Recall: 2/3 against 1;
    # without that row 1 against 1; without any other row as before: nine times 1/3, once 0.
    labels = np.array([0] * 5 + [1] * 4 + [2])
    old = np.array([0] * 5 + [1] * 4 + [0])
    influences = cell_influences(_table(labels, old, labels, 3), "recall")
    mean = 9 / 10 / 3
    expected = [math.sqrt(90) * (mean - 1 / 3)] * 2 + [math.sqrt(90) * mean]
    assert influences == pytest.approx(expected, rel=1e-12)


def test_a_single_row_says_nothing_of_the_noise():
    one = np.array([0])
    assert cell_influences(_table(one, one + 1, one, 3), "f1") == [0.0]


def test_to_first_order_it_is_what_the_jackknife_tends_to():
    labels, old, new = _rows(8, 60_000, (0.5, 0.3, 0.2))
    counts = _table(labels, old, new, 3)
    for name in SCORES:
        by_jackknife = error_from_counts(counts, {name: 1.0})
        first_order = error_from_counts(counts, {name: 1.0}, {name: INFLUENCE_FUNCTION})
        assert first_order < by_jackknife < 1.0005 * first_order


def test_what_the_table_gives_is_what_the_comparison_says():
    labels, old, new = _rows(9, 200, (0.4, 0.3, 0.3))
    compared = compare_classifiers(labels, old, new, classes=("a", "b", "c"))
    for delta in compared.deltas:
        assert error_from_counts(compared.counts, {delta.metric.name: 1.0}) == pytest.approx(
            delta.standard_error, rel=1e-9
        )
    weights = {name: float(weight) for name, weight in compared.weights.items()}
    assert error_from_counts(compared.counts, weights) == pytest.approx(compared.standard_error, rel=1e-9)


def test_equally_good_models_seldom_look_better_where_classes_have_three_rows_each():
    # 30 rows, 10 classes, macro: nominally 2.5 % are above zero by chance. To first order it is 4 to 8 %.
    rng = np.random.default_rng(10)
    names, better, reps = ("precision", "recall", "f1"), dict.fromkeys(("precision", "recall", "f1"), 0), 400
    for _ in range(reps):
        labels = rng.integers(0, 10, 30)
        old, new = (np.where(rng.random(30) < 0.7, labels, rng.integers(0, 10, 30)) for _ in range(2))
        compared = compare_classifiers(
            labels, old, new, classes=tuple("abcdefghij"), metrics=names, weights={"f1": 1}
        )
        for name in names:
            better[name] += compared.delta(name).interval.low > 0
    assert max(better.values()) <= 0.025 * reps, better


def test_needs_the_standard_library_only():
    code = "import sys, hokusai.stats.cell_influence; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
