"""What stands beside every estimate: rows, discordance, the method's source, the one-sided p-value."""

import numpy as np
import pytest

from hokusai.stats.paired import compare_classifiers, compare_regressors

LABELS = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
BASELINE = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
NEW = [1, 1, 1, 0, 0, 0, 0, 0, 0, 1]


def test_every_delta_says_how_many_rows_it_rests_on_and_how_many_tell_the_models_apart():
    compared = compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"))
    assert {(d.metric.name, d.n_rows, d.discordance) for d in compared.deltas} == {
        (name, 10, 0.3) for name in ("accuracy", "precision", "recall", "f1")
    }


def test_rows_that_both_models_get_wrong_differently_are_discordant_for_f1_only():
    compared = compare_classifiers([0, 1, 2, 0], [1, 1, 2, 0], [2, 1, 2, 0], classes=("a", "b", "c"))
    assert (compared.delta("accuracy").discordance, compared.delta("f1").discordance) == (0.0, 0.25)


def test_a_regression_counts_the_rows_whose_error_changed():
    compared = compare_regressors([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 3.5, 4.0], [1.25, 2.0, 3.5, 4.5])
    assert {d.discordance for d in compared.deltas} == {0.5}
    assert {d.n_rows for d in compared.deltas} == {4}


@pytest.mark.parametrize("units", [None, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]])
def test_every_method_names_its_source(units):
    scores = np.linspace(0, 1, 10)
    compared = compare_classifiers(
        LABELS,
        BASELINE,
        NEW,
        classes=("no", "yes"),
        baseline_scores=scores,
        new_scores=scores[::-1],
        units=units,
    )
    errors = compare_regressors(scores, scores + 0.1 * np.array(LABELS), scores**2, units=units)
    for delta in (*compared.deltas, *errors.deltas):
        assert any(year in delta.reference for year in ("1908", "1981", "1988", "1998", "2013", "2017")), (
            delta.method
        )


def test_one_sided_p_values_follow_the_metrics_direction():
    compared = compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"))
    assert compared.delta("accuracy").p_improvement == 5 / 16  # mid-p 5/8, two-sided
    back = compare_classifiers(LABELS, NEW, BASELINE, classes=("no", "yes"))
    assert back.delta("accuracy").p_improvement == 11 / 16
    assert back.p_improvement == pytest.approx(1 - compared.p_improvement, rel=1e-12)
    better = compare_regressors([1.0, 2.0, 3.0, 5.0], [1.5, 2.4, 3.5, 5.7], [1.1, 2.2, 3.1, 5.2]).delta(
        "rmse"
    )
    assert better.absolute_delta < 0 < better.gain
    assert better.p_improvement == better.p_value / 2
