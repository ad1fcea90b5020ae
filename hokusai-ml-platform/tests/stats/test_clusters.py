"""Errors by units: against statsmodels, against counting all signs, and the laws of units."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import InvalidInputError
from hokusai.stats.cell_bootstrap import cell_bootstrap
from hokusai.stats.classification import joint_counts
from hokusai.stats.clusters import Units, cluster_bootstrap, sign_flip_mid_p
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.paired import compare_classifiers, compare_regressors


def _by_statsmodels(differences, units):
    """Mean, error and p-value of a regression on a constant, clustered, with G / (G - 1) and t with G - 1."""
    fitted = sm.OLS(differences, np.ones(len(differences))).fit(
        cov_type="cluster", cov_kwds={"groups": units}, use_t=True
    )
    return fitted.params[0], fitted.bse[0], fitted.pvalues[0], fitted.conf_int()[0]


def _classifiers(seed, n_units, rows_each, classes=2):
    """Rows of one unit share their difficulty, and which of the two models suits them."""
    rng = np.random.default_rng(seed)
    n = n_units * rows_each
    units = np.repeat(np.arange(n_units), rows_each)
    labels = rng.integers(0, classes, n)
    suits = rng.normal(scale=0.25, size=n_units)[units]
    old, new = (
        np.where(rng.random(n) < np.clip(0.7 + side * suits, 0, 1), labels, rng.integers(0, classes, n))
        for side in (-1, 1)
    )
    return labels, old, new, units


class TestAgainstStatsmodels:
    def test_accuracy(self):
        labels, old, new, units = _classifiers(1, 25, 8)
        mean, error, _, _ = _by_statsmodels((new == labels) * 1.0 - (old == labels), units)
        accuracy = compare_classifiers(labels, old, new, classes=("a", "b"), units=units).delta("accuracy")
        assert accuracy.absolute_delta == pytest.approx(mean, abs=1e-12)
        assert accuracy.standard_error == pytest.approx(error, rel=1e-9)
        assert accuracy.method == "sign-flip-mid-p+units"

    def test_mean_absolute_error(self):
        rng = np.random.default_rng(2)
        units = np.repeat(np.arange(12), 9)
        target, shared = rng.normal(size=108), rng.normal(size=12)[units]
        old, new = target + shared + rng.normal(size=108), target + 0.6 * shared + rng.normal(size=108)
        mean, error, p_value, interval = _by_statsmodels(np.abs(target - new) - np.abs(target - old), units)
        compared = compare_regressors(target, old, new, units=units)
        mae = compared.delta("mae")
        assert mae.absolute_delta == pytest.approx(mean, rel=1e-9)
        assert (mae.standard_error, mae.p_value) == pytest.approx((error, p_value), rel=1e-6)
        assert (mae.interval.low, mae.interval.high) == pytest.approx(tuple(interval), rel=1e-6)
        assert (compared.n_units, mae.method) == (12, "influence-function+units")
        assert any("12 units" in text for text in compared.warnings)


class TestSignFlip:
    @settings(max_examples=40)
    @given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
    def test_it_is_what_counting_all_signs_gives(self, sums):
        observed = abs(sum(sums))
        totals = [
            sum(sign * s for sign, s in zip(signs, sums, strict=True))
            for signs in itertools.product((-1, 1), repeat=len(sums))
        ]
        beyond = sum(total > observed for total in totals) / len(totals)
        equal = sum(total == observed for total in totals) / len(totals)
        expected = 1.0 if not observed else 2 * beyond + equal
        assert sign_flip_mid_p(sums) == pytest.approx(expected, rel=1e-12)

    @given(st.integers(0, 400), st.integers(0, 400))
    @settings(max_examples=30)
    def test_of_single_rows_it_is_mcnemar(self, b, c):
        assert sign_flip_mid_p([-1] * b + [1] * c) == pytest.approx(mcnemar_mid_p(b, c), rel=1e-9)

    def test_a_large_number_of_rows_has_the_normal_limit(self):
        sums = [3] * 9000 + [-3] * 8700  # z = 900 / sqrt(9 * 17700) = 2.2549
        assert sign_flip_mid_p(sums) == pytest.approx(0.02414, abs=2e-5)
        assert sign_flip_mid_p([1] * 9000 + [-1] * 8700) == pytest.approx(0.02414, abs=1e-4)

    def test_two_units_are_never_enough(self):
        assert sign_flip_mid_p([1000, 900]) == 0.25


class TestLaws:
    @pytest.mark.parametrize("names", [np.arange(60), [f"user {i}" for i in range(60)]])
    def test_units_of_one_row_change_nothing(self, names):
        labels, old, new, _ = _classifiers(3, 20, 3, classes=3)
        plain = compare_classifiers(labels, old, new, classes=("a", "b", "c"))
        assert repr(compare_classifiers(labels, old, new, classes=("a", "b", "c"), units=names)) == repr(
            plain
        )

    def test_every_row_twice_says_as_much_as_once(self):
        labels, old, new, _ = _classifiers(4, 100, 4)
        once = compare_classifiers(labels, old, new, classes=("a", "b"))
        twice = compare_classifiers(
            *(np.repeat(column, 2) for column in (labels, old, new)),
            classes=("a", "b"),
            units=np.repeat(np.arange(400), 2),
        )
        assert twice.n_rows == twice.deltas[0].n_rows == 800
        assert twice.delta("accuracy").p_value == pytest.approx(once.delta("accuracy").p_value, rel=1e-9)
        for name in ("accuracy", "precision", "recall", "f1"):
            assert twice.delta(name).standard_error == pytest.approx(
                once.delta(name).standard_error, rel=0.01
            )

    def test_what_units_are_called_and_how_rows_are_ordered_does_not_matter(self):
        labels, old, new, units = _classifiers(5, 10, 6)
        order = np.random.default_rng(6).permutation(60)
        one = compare_classifiers(labels, old, new, classes=("a", "b"), units=units)
        other = compare_classifiers(
            labels[order],
            old[order],
            new[order],
            classes=("a", "b"),
            units=[f"u{i * 7}" for i in units[order]],
        )
        for there, here in zip(one.deltas, other.deltas, strict=True):
            assert (there.standard_error, there.p_value) == pytest.approx(
                (here.standard_error, here.p_value), rel=1e-9
            )

    def test_a_change_that_no_unit_varies_is_not_sure(self):
        labels = np.ones(40, dtype=int)
        compared = compare_classifiers(
            labels,
            labels * 0,
            labels,
            classes=("a", "b"),
            units=np.repeat(np.arange(4), 10),
            weights={"recall": 1},
        )
        assert compared.p_value == pytest.approx(0.5, abs=0.05)
        assert compared.delta("accuracy").p_value == 1 / 16

    def test_equal_models_do_not_differ(self):
        labels, old, _, units = _classifiers(7, 10, 5)
        compared = compare_classifiers(labels, old, old, classes=("a", "b"), units=units)
        assert {(d.absolute_delta, d.standard_error, d.p_value) for d in compared.deltas} == {(0.0, 0.0, 1.0)}


def test_without_units_dependent_rows_look_surer_than_they_are():
    # 100 pairs of equally good models, rows of a unit dependent: nominally 5 % differ.
    rejected = {"rows": 0, "units": 0, "accuracy": 0}
    for seed in range(100):
        labels, old, new, units = _classifiers(1000 + seed, 20, 15)
        for name, given_units in (("rows", None), ("units", units)):
            compared = compare_classifiers(
                labels, old, new, classes=("a", "b"), metrics=["accuracy", "f1"], units=given_units
            )
            rejected[name] += compared.delta("f1").p_value < 0.05
        rejected["accuracy"] += compared.delta("accuracy").p_value < 0.05
    assert rejected["rows"] > 20
    assert max(rejected["units"], rejected["accuracy"]) <= 0.05 * 100 + 3 * math.sqrt(100 * 0.05 * 0.95)


class TestClusterBootstrap:
    def test_its_error_is_that_between_units(self):
        labels, old, new, units = _classifiers(8, 150, 6)
        compared = compare_classifiers(labels, old, new, classes=("a", "b"), units=units)
        counts, cell_of_row = joint_counts(labels, old, new, classes=("a", "b"), positive=1)
        drawn = cluster_bootstrap(counts, cell_of_row, Units.parse(units, 900), resamples=4000)
        for delta in compared.deltas:
            assert drawn.standard_error(delta.metric.name) == pytest.approx(delta.standard_error, rel=0.06)
            interval = drawn.bca(delta.metric.name)
            assert interval.low == pytest.approx(delta.interval.low, abs=0.3 * delta.standard_error)
            assert interval.high == pytest.approx(delta.interval.high, abs=0.3 * delta.standard_error)

    def test_units_of_equal_rows_are_the_bootstrap_of_single_rows(self):
        labels, old, new, _ = _classifiers(9, 80, 5)
        counts, cell_of_row = joint_counts(
            *(np.repeat(c, 3) for c in (labels, old, new)), classes=("a", "b"), positive=1
        )
        by_unit = cluster_bootstrap(counts, cell_of_row, Units.parse(np.repeat(np.arange(400), 3), 1200))
        by_cell = cell_bootstrap(joint_counts(labels, old, new, classes=("a", "b"), positive=1)[0])
        within = 0.2 * by_cell.standard_error("f1")
        assert by_unit.bca("f1").low == pytest.approx(by_cell.bca("f1").low, abs=within)
        assert by_unit.acceleration == pytest.approx(by_cell.acceleration, rel=1e-6)

    def test_one_resample_is_none(self):
        labels, old, new, units = _classifiers(10, 5, 4)
        counts, cell_of_row = joint_counts(labels, old, new, classes=("a", "b"), positive=1)
        with pytest.raises(InvalidInputError, match="two resamples or more"):
            cluster_bootstrap(counts, cell_of_row, Units.parse(units, 20), resamples=1)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ([1, 2], "expected one for each of 4 rows"),
        ([[1, 2], [3, 4]], "expected one for each of 4 rows"),
        (["a", None, "b", "b"], "A row has no unit"),
        ([1.0, math.nan, 2.0, 2.0], "A row has no unit"),
        (
            np.array(["2020-01-01", "NaT", "2020-01-02", "2020-01-02"], dtype="datetime64[D]"),
            "A row has no unit",
        ),
        (pd.Series(["a", pd.NA, "b", "b"], dtype="string"), "A row has no unit"),
        (["a"] * 4, "All rows belong to one unit"),
    ],
)
def test_units_that_are_none_are_refused(units, text):
    with pytest.raises(InvalidInputError, match=text):
        compare_classifiers([0, 1, 0, 1], [0, 1, 1, 1], [0, 1, 0, 1], classes=("a", "b"), units=units)


def test_a_number_and_its_text_are_two_units():
    units = Units.parse(np.array([1, "1", 1, "1"], dtype=object), 4)
    assert units.of_row.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


class TestTheFloorOfRows:
    """Which rows are of one unit is somebody's word: no choice of units makes an error smaller than the rows'."""

    def rows(self) -> dict[str, np.ndarray]:
        draw = np.random.default_rng(8)
        labels = draw.integers(0, 2, 400)
        answers = [np.where(draw.random(400) < wrong, 1 - labels, labels) for wrong in (0.3, 0.25)]
        return {"labels": labels, "baseline": answers[0], "new": answers[1]}

    @pytest.mark.parametrize("weights", [None, {"accuracy": 1, "f1": 3}])
    def test_units_whose_rows_even_out_have_the_rows_errors(self, weights: dict[str, int] | None) -> None:
        rows = self.rows()
        by_row = compare_classifiers(**rows, classes=("a", "b"), weights=weights)
        right = (rows["new"] == rows["labels"]).astype(int) - (rows["baseline"] == rows["labels"])
        order = np.argsort(right, kind="stable")
        units = np.empty(400, dtype=int)
        units[order] = np.minimum(
            np.arange(400), 399 - np.arange(400)
        )  # a row that got better with one that got worse
        by_unit = compare_classifiers(**rows, classes=("a", "b"), weights=weights, units=units)
        assert by_unit.n_units == 200
        for delta in by_row.deltas:
            assert by_unit.delta(delta.metric.name).standard_error >= delta.standard_error * (1 - 1e-12)
        assert by_unit.standard_error >= by_row.standard_error * (1 - 1e-12)
        assert by_unit.delta("accuracy").standard_error == pytest.approx(
            by_row.delta("accuracy").standard_error
        )

    def test_units_without_any_spread_have_the_rows_error(self) -> None:
        target = np.arange(8.0)
        old, new = target + 1.0, target + np.array([0.5, 1.5] * 4)
        by_row = compare_regressors(target, old, new, metrics=["mae"])
        by_unit = compare_regressors(target, old, new, metrics=["mae"], units=[0, 0, 1, 1, 2, 2, 3, 3])
        assert by_row.delta("mae").standard_error > 0
        assert by_unit.delta("mae").standard_error == pytest.approx(
            by_row.delta("mae").standard_error * np.sqrt(7 / 8)
        )
