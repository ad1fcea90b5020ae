"""Comparing regressors: by hand, against scikit-learn, and at the edges of a relative change."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from hokusai.domain.delta import PrimaryRecord
from hokusai.errors import InvalidInputError, MetricError
from hokusai.stats.paired import compare_regressors

TARGET = [0.0, 2.0, 4.0, 6.0]
BASELINE = [1.0, 3.0, 3.0, 7.0]  # errors 1 1 1 1: RMSE 1, MAE 1, R2 = 1 - 4/20
NEW = [0.0, 2.0, 4.0, 8.0]  # errors 0 0 0 2: RMSE 1, MAE 1/2, R2 = 1 - 4/20


class TestFourRowsByHand:
    def test_values_and_gains(self):
        compared = compare_regressors(TARGET, BASELINE, NEW)
        assert [(d.baseline_value, d.new_value, d.gain) for d in compared.deltas] == [
            (1.0, 1.0, 0.0),
            (1.0, 0.5, 0.5),
            (pytest.approx(0.8), pytest.approx(0.8), 0.0),
        ]
        assert compared.delta_one == pytest.approx(0.5 / 3)
        assert compared.primary == PrimaryRecord("rmse", None, None, 0)
        assert (compared.averaging, compared.counts, compared.exact) == ("", None, None)

    def test_standard_errors(self):
        compared = compare_regressors(TARGET, BASELINE, NEW)
        # MAE: absolute errors change by -1 -1 -1 +1, mean -1/2: squares about it sum to 3; SE = sqrt(3/3/4).
        assert compared.delta("mae").standard_error == pytest.approx(1 / 2, rel=1e-12)
        # RMSE: (e^2 - 1) / 2 = -1/2 -1/2 -1/2 3/2 for the new model, 0 for the baseline: also 1/2.
        assert compared.delta("rmse").standard_error == pytest.approx(1 / 2, rel=1e-12)
        # R2: -(e^2 - 1) / 5 = 1/5 1/5 1/5 -3/5; what depends on the target alone cancels: sqrt(0.48/3/4).
        assert compared.delta("r2").standard_error == pytest.approx(0.2, rel=1e-12)

    def test_r2_feels_the_spread_of_the_target(self):
        # Every error is 1 before and 0 after: R2 goes from 1 - 1/V to 1, all of its noise is that of V = 5.
        # (y - 3)^2 = 9 1 1 9; influences -M ((y - 3)^2 - V) / V^2 = -4/25 4/25 4/25 -4/25: SE = (8/25)/sqrt(3*4).
        compared = compare_regressors(TARGET, BASELINE, TARGET)
        assert compared.delta("r2").standard_error == pytest.approx(0.32 / math.sqrt(12), rel=1e-12)

    def test_standard_error_of_a_relative_gain(self):
        # Baseline errors 0 2, MAE b = 1; new errors 1 0, MAE a = 1/2; gain 1/2.
        # Influences: baseline -1 +1, new +1/2 -1/2; ((a/b) i_b - i_a) / b = -1, +1: SE = sqrt(2/1/2).
        compared = compare_regressors([0.0, 0.0], [0.0, 2.0], [1.0, 0.0], weights={"mae": 1})
        assert compared.delta_one == 0.5
        assert compared.standard_error == pytest.approx(1.0, rel=1e-12)


class TestStudentsPairedT:
    def test_of_mae_is_scipys(self):
        rng = np.random.default_rng(5)
        target = rng.normal(size=12)
        old, new = target + rng.normal(size=12), target + 0.5 * rng.normal(size=12)
        compared = compare_regressors(target, old, new, metrics=["mae"])
        mae, expected = compared.delta("mae"), ttest_rel(np.abs(target - new), np.abs(target - old))
        assert mae.p_value == pytest.approx(expected.pvalue, rel=1e-10)
        assert mae.interval.low == pytest.approx(expected.confidence_interval().low, rel=1e-10)
        assert (mae.method, mae.freedom) == ("paired-t", 11)
        assert mae.reference.startswith("Student (1908)")

    @pytest.mark.parametrize("n_rows", [5, 30])
    def test_finds_a_change_that_is_not_there_as_often_as_it_says(self, n_rows):
        rng = np.random.default_rng(n_rows)
        found = 0
        for _ in range(600):
            target, old, new = rng.normal(size=(3, n_rows))
            found += compare_regressors(target, old, new, metrics=["mae"]).p_value < 0.05
        # Of 600 draws, 5 % is 30 with a standard deviation of 5.3; 2.6 of these to both sides.
        assert 16 <= found <= 44

    def test_a_single_row_has_no_degree_of_freedom_and_is_a_sign_test(self):
        mae = compare_regressors([1.0], [2.0], [1.0], metrics=["mae"]).delta("mae")
        assert (mae.p_value, mae.freedom, mae.method) == (0.5, None, "influence-function+sign-test")

    def test_delta_one_has_it_too(self):
        compared = compare_regressors(TARGET, BASELINE, NEW, weights={"mae": 1})
        # Gain 1/2 as the change of MAE, both of a baseline of 1: t = 1 with 3 degrees of freedom, of which
        # 2 P(T > 1) = 1 - 2 (atan(1/sqrt 3) + (1/sqrt 3) / (1 + 1/3)) / pi.
        by_hand = 1 - 2 / math.pi * (math.pi / 6 + math.sqrt(3) / 4)
        assert compared.delta("mae").p_value == pytest.approx(by_hand, rel=1e-9)
        # The relative gain's influence is that of -MAE's change too, since every baseline error is the mean.
        assert compared.p_value == pytest.approx(by_hand, rel=1e-9)


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(8)
    target = 100 + 10 * rng.normal(size=200)
    old, new = target + 5 * rng.normal(size=200), target + 4 * rng.normal(size=200)
    compared = compare_regressors(target, old, new)
    for index, predicted in enumerate((old, new)):
        expected = {
            "rmse": root_mean_squared_error(target, predicted),
            "mae": mean_absolute_error(target, predicted),
            "r2": r2_score(target, predicted),
        }
        found = {d.metric.name: (d.baseline_value, d.new_value)[index] for d in compared.deltas}
        assert found == pytest.approx(expected, rel=1e-12)


class TestR2HasNoLowerBound:
    FAR = (9.0, 9.0, 9.0, 9.0)  # squared errors 81 + 49 + 25 + 9 = 164: R2 = 1 - 164/20 = -7.2

    def test_which_is_told_where_it_has_weight(self):
        told = " ".join(compare_regressors(TARGET, self.FAR, NEW).warnings)
        assert "r2 is below 0 for a model, -7.2 before and 0.8 after" in told

    def test_and_not_where_it_does_not_count(self):
        for given in ({"metrics": ["mae"]}, {"weights": {"mae": 1}}):
            assert "r2" not in " ".join(compare_regressors(TARGET, self.FAR, NEW, **given).warnings)
        assert "r2" not in " ".join(compare_regressors(TARGET, BASELINE, NEW).warnings)


class TestEdges:
    def test_a_perfect_baseline_can_only_be_lost(self):
        compared = compare_regressors([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 4.0], metrics=["mae"])
        mae = compared.delta("mae")
        assert (mae.gain, compared.delta_one) == (-1.0, -1.0)
        assert mae.absolute_delta == pytest.approx(1 / 3)
        # One row carries the change, a sign test's 1/2, held against Student's t with 2 degrees of freedom:
        # 1 - z / sqrt(2 + z^2) with the z of 1/2.
        assert compared.p_value == pytest.approx(0.5695177692, rel=1e-9)
        assert "mae: the baseline model makes no error on the benchmark" in compared.warnings[0]

    def test_two_perfect_models_do_not_differ(self):
        compared = compare_regressors([1.0, 2.0], [1.0, 2.0], [1.0, 2.0])
        assert (compared.delta_one, compared.standard_error, compared.p_value) == (0.0, 0.0, 1.0)
        assert not any("no error" in text for text in compared.warnings)

    def test_a_constant_target_has_no_r2(self):
        compared = compare_regressors([0.1] * 40, [0.2] * 40, np.linspace(0, 1, 40))
        assert [d.metric.name for d in compared.deltas] == ["rmse", "mae"]
        assert "r2 is left out: the target is the same in every benchmark row" in compared.warnings
        with pytest.raises(
            MetricError, match="weighted metric 'r2' cannot be computed: the target is the same"
        ):
            compare_regressors([0.1] * 40, [0.2] * 40, [0.3] * 40, weights={"r2": 1})

    def test_the_same_improvement_in_every_row_is_a_sign_test(self):
        # Every absolute error falls from 2 to 1, in five rows: mid-p 2^-5.
        target = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
        compared = compare_regressors(target, target + 2, target - 1, metrics=["mae"])
        assert compared.delta("mae").p_value == pytest.approx(1 / 32, rel=1e-12)
        assert compared.p_value == pytest.approx(1 / 32, rel=1e-12)

    def test_errors_that_differ_by_rounding_only_are_no_evidence(self):
        target = np.full(200, 0.3) + np.arange(200) % 2
        compared = compare_regressors(target, target - 0.2, target + 0.2)
        assert compared.p_value == 1.0
        assert all(d.p_value == 1.0 for d in compared.deltas)

    def test_a_huge_loss_still_has_basis_points(self):
        compared = compare_regressors([0.0, 1.0], [1e-30, 1.0], [5.0, 1.0], metrics=["mae"])
        assert compared.primary.delta_bps == pytest.approx(-5e34, rel=1e-12)

    @pytest.mark.parametrize(
        ("target", "new", "text"),
        [
            ([1.0, math.nan], [1.0, 2.0], "target is not finite in 1 of 2 rows"),
            ([1.0, 2.0], [1.0, -math.inf], "new is not finite"),
            ([1.0, 2.0], [1.0], "numbers of rows differ"),
            ([1.0, 1e200], [1.0, 2.0], "overflow"),
            ([], [], "no rows"),
        ],
    )
    def test_refuses_input_that_does_not_fit(self, target, new, text):
        with pytest.raises(InvalidInputError, match=text):
            compare_regressors(target, [1.0, 2.0] if target else [], new)
