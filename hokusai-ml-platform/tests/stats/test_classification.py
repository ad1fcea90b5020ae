"""Comparing classifiers: by hand, against scikit-learn, and where a denominator is zero."""

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from hokusai.domain.delta import JointCounts, PrimaryRecord
from hokusai.errors import InvalidInputError, MetricError
from hokusai.stats.from_counts import metrics_from_counts
from hokusai.stats.paired import compare_classifiers

CLASSES = ("no", "yes")
LABELS = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
BASELINE = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]  # 2 true positives, 1 false positive, 2 false negatives
NEW = [1, 1, 1, 0, 0, 0, 0, 0, 0, 1]  # 3, 1, 1


@pytest.fixture
def compared():
    return compare_classifiers(LABELS, BASELINE, NEW, classes=CLASSES)


def _jackknife(without_row):
    """The jackknife's standard error, from the statistic without each row."""
    n = len(without_row)
    return math.sqrt((n - 1) / n * sum((one - sum(without_row) / n) ** 2 for one in without_row))


class TestTenRowsByHand:
    def test_values_are_exact(self, compared):
        assert {d.metric.name: d.exact for d in compared.deltas} == {
            "accuracy": (Fraction(7, 10), Fraction(8, 10)),
            "precision": (Fraction(2, 3), Fraction(3, 4)),
            "recall": (Fraction(1, 2), Fraction(3, 4)),
            "f1": (Fraction(4, 7), Fraction(3, 4)),
        }

    def test_accuracy(self, compared):
        # 1 row only the baseline has right, 2 only the new model: SE = sqrt(3 - 1/10) / 10; mid-p = 5/8.
        accuracy = compared.delta("accuracy")
        assert accuracy.standard_error == pytest.approx(math.sqrt(2.9) / 10, rel=1e-12)
        assert accuracy.p_value == 5 / 8
        assert accuracy.method == "mcnemar-mid-p"
        assert accuracy.interval.low == pytest.approx(0.1 - 1.959963985 * math.sqrt(2.9) / 10, abs=1e-9)

    # Each list holds, row by row, new minus baseline without that row.
    RECALL = (1 / 3, 1 / 3, 0, 1 / 3, *[1 / 4] * 6)
    PRECISION = (2 / 3 - 1 / 2, 2 / 3 - 1 / 2, 2 / 3 - 2 / 3, 1 / 12, 3 / 4 - 1, *[1 / 12] * 4, 1 - 2 / 3)
    F1 = (
        4 / 6 - 2 / 5,
        4 / 6 - 2 / 5,
        4 / 6 - 4 / 6,
        6 / 7 - 4 / 6,
        6 / 8 - 4 / 6,
        *[5 / 28] * 4,
        6 / 7 - 4 / 7,
    )
    ACCURACY = (0, 0, -1, 0, -1, 0, 0, 0, 0, 1)  # (1 - what the row adds) / 9

    def test_recall(self, compared):
        recall = compared.delta("recall")
        assert recall.standard_error == pytest.approx(_jackknife(self.RECALL), rel=1e-12)
        assert recall.method == "jackknife"

    def test_precision(self, compared):
        assert compared.delta("precision").standard_error == pytest.approx(
            _jackknife(self.PRECISION), rel=1e-12
        )

    def test_f1(self, compared):
        f1 = compared.delta("f1")
        assert f1.standard_error == pytest.approx(_jackknife(self.F1), rel=1e-12)
        # The ten sum to 1.807143, the squares of their deviations to 0.068055; the error is sqrt(0.9 * 0.068055) =
        # 0.247487, z = (5/28) / 0.247487 = 0.7215, p = 0.4706 (normal table).
        assert f1.p_value == pytest.approx(0.4706, abs=1e-4)

    def test_delta_one(self, compared):
        # (1/10 + 1/12 + 1/4 + 5/28) / 4 = 257/1680.
        assert compared.exact == Fraction(257, 1680)
        assert compared.delta_one == 257 / 1680
        assert compared.weights == dict.fromkeys(("accuracy", "precision", "recall", "f1"), Fraction(1, 4))

    def test_the_standard_error_of_the_sum_holds_the_covariances(self, compared):
        # Accuracy enters to first order, which for a mean is the jackknife but for a factor of sqrt(9 / 10).
        accuracy = [math.sqrt(9 / 10) * row / 9 for row in self.ACCURACY]
        sums = [sum(row) / 4 for row in zip(accuracy, self.RECALL, self.PRECISION, self.F1, strict=True)]
        assert compared.standard_error == pytest.approx(_jackknife(sums), rel=1e-12)

    def test_counts_and_primary(self, compared):
        assert compared.counts == JointCounts(
            CLASSES,
            1,
            (((0, 0, 0), 4), ((0, 0, 1), 1), ((0, 1, 0), 1), ((1, 0, 0), 1), ((1, 0, 1), 1), ((1, 1, 1), 2)),
        )
        assert compared.primary == PrimaryRecord("accuracy", 7000, 8000, 1000)
        assert (compared.n_rows, compared.averaging) == (10, "binary")

    def test_says_what_a_reader_has_to_know(self, compared):
        assert compared.warnings == (
            "accuracy: only 3 rows tell the models apart; trust the p-value, not the interval's "
            "normal approximation",
            "auroc is left out: it needs the scores of both models",
            "The benchmark has 10 rows; the intervals' normal approximation is rough below 30",
        )


def _noisy(seed, n, k, right):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    return labels, *(np.where(rng.random(n) < share, labels, rng.integers(0, k, n)) for share in right)


def _scores(seed, labels, k, strength):
    raw = np.random.default_rng(seed).random((len(labels), k))
    raw[np.arange(len(labels)), labels] += strength
    return np.round(raw / raw.sum(axis=1, keepdims=True), 2)  # rounded: many ties


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("positive", [0, 1])
    def test_binary(self, positive):
        labels, old, new = _noisy(1, 500, 2, (0.5, 0.7))
        old_scores, new_scores = _scores(2, labels, 2, 0.3), _scores(3, labels, 2, 0.5)
        compared = compare_classifiers(
            labels,
            old,
            new,
            classes=CLASSES,
            positive=positive,
            baseline_scores=old_scores[:, positive],
            new_scores=new_scores,
        )
        for index, (predicted, scores) in enumerate([(old, old_scores), (new, new_scores)]):
            expected = {
                "accuracy": accuracy_score(labels, predicted),
                "precision": precision_score(labels, predicted, pos_label=positive),
                "recall": recall_score(labels, predicted, pos_label=positive),
                "f1": f1_score(labels, predicted, pos_label=positive),
                "auroc": roc_auc_score(labels == positive, scores[:, positive]),
            }
            found = {d.metric.name: (d.baseline_value, d.new_value)[index] for d in compared.deltas}
            assert found == pytest.approx(expected, abs=1e-12)

    def test_macro(self):
        labels, old, new = _noisy(4, 400, 5, (0.4, 0.6))
        old_scores, new_scores = _scores(5, labels, 5, 0.3), _scores(6, labels, 5, 0.5)
        compared = compare_classifiers(
            labels, old, new, classes=tuple("abcde"), baseline_scores=old_scores, new_scores=new_scores
        )
        assert compared.averaging == "macro"
        for index, (predicted, scores) in enumerate([(old, old_scores), (new, new_scores)]):
            # scikit-learn wants rows that sum to 1 to the last digit; one against the rest does not.
            one_vs_rest = [roc_auc_score(labels == k, scores[:, k]) for k in range(5)]
            expected = {
                "accuracy": accuracy_score(labels, predicted),
                "precision": precision_score(labels, predicted, average="macro"),
                "recall": recall_score(labels, predicted, average="macro"),
                "f1": f1_score(labels, predicted, average="macro"),
                "auroc": sum(one_vs_rest) / 5,
            }
            found = {d.metric.name: (d.baseline_value, d.new_value)[index] for d in compared.deltas}
            assert found == pytest.approx(expected, abs=1e-12)

    def test_many_classes_take_the_sparse_table_and_agree_with_the_dense_one(self):
        labels, old, new = _noisy(7, 300, 4, (0.4, 0.6))
        dense = compare_classifiers(labels, old, new, classes=tuple("abcd"))
        # The same rows with 200 classes (200^3 cells), of which only the four last occur.
        classes = tuple(f"{k:03}" for k in range(200))
        sparse = compare_classifiers(labels + 196, old + 196, new + 196, classes=classes)
        assert [d.exact for d in sparse.deltas] == [d.exact for d in dense.deltas]
        assert sparse.standard_error == dense.standard_error
        assert [cell for cell, _ in sparse.counts.cells] == [
            tuple(index + 196 for index in cell) for cell, _ in dense.counts.cells
        ]


class TestClassesThatAreNotThere:
    def test_a_class_only_the_new_model_predicts_counts_as_an_error(self):
        # Class c has no benchmark row. Macro over a, b: the new model's recall of b is 1/2.
        compared = compare_classifiers([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 2], classes=("a", "b", "c"))
        assert compared.delta("accuracy").exact == (1, Fraction(3, 4))
        assert compared.delta("recall").exact == (1, Fraction(3, 4))
        assert compared.delta("precision").exact == (1, 1)
        assert "The benchmark has no row of class 'c'; macro averages leave it out" in compared.warnings

    def test_auroc_leaves_it_out_too(self):
        labels = [0, 0, 1, 1]
        old = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]
        new = [[0.8, 0.1, 0.1], [0.5, 0.2, 0.3], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]]
        compared = compare_classifiers(
            labels, labels, labels, classes=("a", "b", "c"), baseline_scores=old, new_scores=new
        )
        # Baseline, class a: 0.8 beats 0.1 and 0.3, 0.2 beats 0.1: 3/4. Class b: 0.8 beats both, 0.3 beats
        # 0.1: 3/4. New: class a 4/4; class b: 0.8 and 0.3 beat 0.1 and 0.2: 4/4.
        assert compared.delta("auroc").exact == (Fraction(3, 4), 1)

    def test_a_benchmark_of_one_class_has_no_auroc(self):
        compared = compare_classifiers(
            [1, 1], [1, 0], [1, 1], classes=CLASSES, baseline_scores=[0.6, 0.2], new_scores=[0.6, 0.7]
        )
        assert "auroc is left out: the benchmark shows one class only" in compared.warnings
        assert [d.metric.name for d in compared.deltas] == ["accuracy", "precision", "recall", "f1"]

    def test_a_model_that_never_says_yes(self):
        # Precision 0/0 -> 0 against 3/3: no influence varies, and three rows carry the change: mid-p 2^-3.
        labels = [1, 1, 1, 1] + [0] * 36
        compared = compare_classifiers(labels, [0] * 40, [1, 1, 1, 0] + [0] * 36, classes=CLASSES)
        precision = compared.delta("precision")
        assert precision.exact == (0, 1)
        assert precision.p_value == pytest.approx(1 / 8, rel=1e-12)
        assert precision.interval.low < 0 < precision.interval.high
        assert precision.method == "jackknife+sign-test"
        assert any("never predicts class 'yes'" in text for text in compared.warnings)
        assert any(
            text.startswith("precision: a part of the change is the same") for text in compared.warnings
        )

    def test_delta_one_does_not_take_an_unknown_error_for_none(self):
        labels = [1, 1, 1, 1] + [0] * 36
        compared = compare_classifiers(labels, [0] * 40, [1, 1, 1, 0] + [0] * 36, classes=CLASSES)
        assert compared.standard_error > compared.delta("precision").standard_error / 4

    def test_a_rare_class_in_a_macro_average_keeps_its_noise(self):
        # Recall of c goes from 0/2 to 2/2, that of a and b stays 1: the change of 1/3 rests on two rows, p =
        # 2^-2.
        labels = [0] * 20 + [1] * 20 + [2] * 2
        compared = compare_classifiers(
            labels, [0] * 20 + [1] * 20 + [0] * 2, labels, classes=("a", "b", "c"), metrics=["recall"]
        )
        assert compared.delta("recall").exact == (Fraction(2, 3), 1)
        assert compared.delta("recall").p_value == pytest.approx(1 / 4, rel=1e-12)

    def test_every_row_turned_right(self):
        # McNemar: 0 against 6, mid-p 2^-6; the interval belongs to that p-value.
        compared = compare_classifiers(
            [0, 1] * 3, [1, 0] * 3, [0, 1] * 3, classes=CLASSES, metrics=["accuracy"]
        )
        accuracy = compared.delta("accuracy")
        assert accuracy.p_value == 1 / 64
        assert 0 < accuracy.interval.low < accuracy.interval.high
        assert accuracy.standard_error == pytest.approx(1 / 2.4175590162365, rel=1e-9)  # z of two-sided 1/64
        assert (compared.p_value, compared.standard_error) == (accuracy.p_value, accuracy.standard_error)

    def test_one_row(self):
        compared = compare_classifiers([1], [0], [1], classes=CLASSES, metrics=["accuracy"])
        assert (compared.delta_one, compared.p_value) == (1.0, 0.5)
        assert not compared.significant


class TestChoosingMetrics:
    def test_only_those_asked_for_in_reporting_order_by_any_name(self):
        compared = compare_classifiers(
            LABELS, BASELINE, NEW, classes=CLASSES, metrics=["f1_score", "accuracy"]
        )
        assert [d.metric.name for d in compared.deltas] == ["accuracy", "f1"]

    def test_primary_by_alias(self):
        compared = compare_classifiers(LABELS, BASELINE, NEW, classes=CLASSES, primary="f1_score")
        # 4/7 = 5714.29 bp, 3/4 = 7500 bp.
        assert compared.primary == PrimaryRecord("f1", 5714, 7500, 1786)

    def test_primary_is_the_heaviest_metric_where_accuracy_is_not_compared(self):
        compared = compare_classifiers(
            LABELS, BASELINE, NEW, classes=CLASSES, metrics=["recall", "f1"], weights={"f1": 3, "recall": 1}
        )
        assert compared.primary.metric == "f1"

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"metrics": []}, "no common metric"),
            ({"metrics": ["auroc"]}, "no common metric.*needs the scores"),
            ({"metrics": ["rmse"]}, "regression metric"),
            ({"metrics": ["f2"]}, "No metric is called 'f2'"),
            ({"primary": "auc"}, "primary metric 'auroc' cannot be computed: it needs the scores"),
            ({"weights": {"auroc": 1}}, "weighted metric 'auroc' cannot be computed"),
            ({"weights": {"f1": 1}, "metrics": ["accuracy"]}, "not among the metrics to compare"),
            ({"primary": "f1", "metrics": ["accuracy"]}, "not among the metrics to compare"),
        ],
    )
    def test_refuses_what_cannot_be_computed(self, options, text):
        with pytest.raises(MetricError, match=text):
            compare_classifiers(LABELS, BASELINE, NEW, classes=CLASSES, **options)

    def test_auroc_of_no_weight_may_be_absent(self):
        compared = compare_classifiers(LABELS, BASELINE, NEW, classes=CLASSES, weights={"f1": 1, "auroc": 0})
        assert compared.weights == {"f1": 1}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"labels": []}, "labels has no rows"),
        ({"labels": [0, 1]}, "numbers of rows differ: labels 2, baseline 3, new 3"),
        ({"new": [0.0, 1.0, 1.0]}, "new holds float64"),
        ({"new": [True, False, True]}, "new holds bool"),
        ({"baseline": [0, 1, 2]}, "baseline holds the class index 2, there are 2 classes"),
        ({"baseline": [0, 1, -1]}, "class index -1"),
        ({"labels": [[0, 1, 1]]}, r"shape \(1, 3\), expected one dimension"),
        (
            {"baseline_scores": [0.1, math.nan, 0.3]},
            r"baseline_scores is not finite in 1 of 3 rows \(first in row 1\)",
        ),
        ({"new_scores": [0.1, 0.2, math.inf]}, "new_scores is not finite"),
        ({"new_scores": [0.1, 0.2]}, "numbers of rows differ"),
        ({"new_scores": [[0.1, 0.2, 0.3]] * 3}, r"shape \(3, 3\), expected \(n_rows, 2\) or \(n_rows,\)"),
        ({"new_scores": ["a", "b", "c"]}, "expected numbers"),
        ({"classes": ("a",)}, "at least two classes"),
        ({"classes": ("a", "a")}, "same name"),
        ({"classes": ("a", "b", "c"), "positive": 1}, "goes with two classes"),
        ({"positive": 2}, "must be 0 or 1"),
        ({"confidence": 1.0}, "between 0 and 1"),
    ],
)
def test_refuses_input_that_does_not_fit(change, text):
    given = {"labels": [0, 1, 1], "baseline": [0, 1, 0], "new": [0, 1, 1], "classes": CLASSES} | change
    with pytest.raises(InvalidInputError, match=text):
        compare_classifiers(**given)


def test_multi_class_scores_need_a_column_a_class():
    with pytest.raises(InvalidInputError, match=r"expected \(n_rows, 3\)$|expected \(n_rows, 3\)\."):
        compare_classifiers(
            [0, 1, 2],
            [0, 1, 2],
            [0, 1, 2],
            classes=("a", "b", "c"),
            baseline_scores=[1, 2, 3],
            new_scores=[1, 2, 3],
        )


def test_the_counts_in_the_result_give_its_values_back(compared):
    assert metrics_from_counts(compared.counts) == {d.metric.name: d.exact for d in compared.deltas}
