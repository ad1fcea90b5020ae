"""What holds for every comparison, whatever the data."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.delta import Comparison
from hokusai.domain.metrics import Task, metrics_for
from hokusai.stats.composite import parse_weights
from hokusai.stats.from_counts import mcnemar_from_counts, metrics_from_counts
from hokusai.stats.paired import compare_classifiers, compare_regressors

quick = settings(max_examples=40)


@st.composite
def classifiers(draw):
    """labels, baseline, new, classes, and scores in steps of 1/4, so that ties are frequent."""
    size = draw(st.integers(2, 4))
    n_rows = draw(st.integers(1, 30))
    column = st.lists(st.integers(0, size - 1), min_size=n_rows, max_size=n_rows)
    row = st.lists(st.integers(0, 4).map(lambda quarter: quarter / 4), min_size=size, max_size=size)
    scores = st.lists(row, min_size=n_rows, max_size=n_rows)
    return {
        "labels": np.array(draw(column)),
        "baseline": np.array(draw(column)),
        "new": np.array(draw(column)),
        "classes": tuple("abcd"[:size]),
        "baseline_scores": np.array(draw(scores)),
        "new_scores": np.array(draw(scores)),
    }


@st.composite
def regressors(draw):
    n_rows = draw(st.integers(1, 30))
    column = st.lists(st.integers(-50, 50).map(lambda i: i / 4), min_size=n_rows, max_size=n_rows)
    return {name: np.array(draw(column)) for name in ("target", "baseline", "new")}


def _swapped(given: dict) -> dict:
    other = given | {"baseline": given["new"], "new": given["baseline"]}
    if "new_scores" in given:
        other |= {"baseline_scores": given["new_scores"], "new_scores": given["baseline_scores"]}
    return other


def _figures(compared: Comparison) -> list[tuple[float, ...]]:
    return [
        (d.absolute_delta, d.standard_error, d.interval.low, d.interval.high, d.p_value)
        for d in compared.deltas
    ]


@quick
@given(classifiers())
def test_equal_classifiers_do_not_differ(given):
    same = given | {"new": given["baseline"], "new_scores": given["baseline_scores"]}
    compared = compare_classifiers(**same)
    assert _figures(compared) == [(0.0, 0.0, 0.0, 0.0, 1.0)] * len(compared.deltas)
    assert (compared.exact, compared.delta_one, compared.standard_error, compared.p_value) == (
        0,
        0.0,
        0.0,
        1.0,
    )


@quick
@given(regressors())
def test_equal_regressors_do_not_differ(given):
    compared = compare_regressors(given["target"], given["new"], given["new"])
    assert _figures(compared) == [(0.0, 0.0, 0.0, 0.0, 1.0)] * len(compared.deltas)
    assert (compared.delta_one, compared.standard_error, compared.p_value) == (0.0, 0.0, 1.0)


@quick
@given(classifiers())
def test_swapping_classifiers_turns_the_sign_and_nothing_else(given):
    there, back = compare_classifiers(**given), compare_classifiers(**_swapped(given))
    for forth, reverse in zip(_figures(there), _figures(back), strict=True):
        assert reverse == pytest.approx((-forth[0], forth[1], -forth[3], -forth[2], forth[4]), abs=1e-12)
    assert back.exact == -there.exact
    assert back.standard_error == pytest.approx(there.standard_error, abs=1e-12)


@quick
@given(regressors())
def test_swapping_regressors_turns_the_sign_of_every_delta(given):
    there, back = compare_regressors(**given), compare_regressors(**_swapped(given))
    for forth, reverse in zip(_figures(there), _figures(back), strict=True):
        assert reverse == pytest.approx((-forth[0], forth[1], -forth[3], -forth[2], forth[4]), abs=1e-9)


@quick
@given(classifiers(), st.data())
def test_delta_one_of_one_metric_is_its_gain(given, data):
    every = compare_classifiers(**given)
    name = data.draw(st.sampled_from([d.metric.name for d in every.deltas]))
    compared = compare_classifiers(**given, weights={name: 7})
    delta = compared.delta(name)
    assert compared.weights == {name: 1}
    assert (compared.delta_one, compared.p_value) == (delta.gain, pytest.approx(delta.p_value, rel=1e-9))
    assert compared.standard_error == pytest.approx(delta.standard_error, rel=1e-9)


@quick
@given(regressors(), st.sampled_from(["rmse", "mae"]))
def test_delta_one_of_one_error_is_the_share_that_went_away(given, name):
    compared = compare_regressors(**given, weights={name: 0.5})
    assert compared.delta_one == compared.delta(name).gain


@quick
@given(classifiers(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(given, random):
    order = list(range(len(given["labels"])))
    random.shuffle(order)
    shuffled = {name: value if name == "classes" else value[order] for name, value in given.items()}
    one, other = compare_classifiers(**given), compare_classifiers(**shuffled)
    assert [d.exact for d in one.deltas] == [d.exact for d in other.deltas]
    assert (one.counts, one.exact, one.warnings) == (other.counts, other.exact, other.warnings)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-9, abs=1e-15)


@quick
@given(classifiers())
def test_the_joint_counts_reproduce_the_values(given):
    compared = compare_classifiers(**given)
    for name, values in metrics_from_counts(compared.counts).items():
        assert compared.delta(name).exact == values
    assert compared.delta("accuracy").p_value == mcnemar_from_counts(compared.counts)
    assert compared.counts.n_rows == len(given["labels"])


@quick
@given(classifiers(), st.randoms(use_true_random=False))
def test_renaming_the_classes_changes_nothing(given, random):
    size = len(given["classes"])
    order = list(range(size))
    random.shuffle(order)
    place = np.argsort(order)  # class k moves to place[k]
    renamed = {name: place[given[name]] for name in ("labels", "baseline", "new")}
    renamed |= {name: given[name][:, order] for name in ("baseline_scores", "new_scores")}
    positive = int(place[1]) if size == 2 else None
    one = compare_classifiers(**given)
    other = compare_classifiers(**renamed, classes=given["classes"], positive=positive)
    assert [d.exact for d in one.deltas] == [d.exact for d in other.deltas]
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-9, abs=1e-15)


@quick
@given(classifiers())
def test_a_change_is_never_certain(given):
    compared = compare_classifiers(**given)
    for change, error, low, high, p_value in [
        *_figures(compared),
        (
            compared.delta_one,
            compared.standard_error,
            compared.interval.low,
            compared.interval.high,
            compared.p_value,
        ),
    ]:
        assert all(map(math.isfinite, (change, error, low, high)))
        assert 0 < p_value <= 1
        assert low <= change <= high
        assert (error > 0) or change == 0


@quick
@given(regressors(), st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([-8.0, 0.0, 64.0]))
def test_the_unit_of_the_target_does_not_matter(given, factor, shift):
    one = compare_regressors(**given)
    other = compare_regressors(**{name: values * factor + shift for name, values in given.items()})
    assert [d.gain for d in other.deltas] == pytest.approx([d.gain for d in one.deltas], rel=1e-9, abs=1e-12)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-6, abs=1e-12)
    assert other.delta("mae").standard_error == pytest.approx(
        factor * one.delta("mae").standard_error, rel=1e-9, abs=1e-12
    )


@quick
@given(
    st.dictionaries(
        st.sampled_from([spec.name for spec in metrics_for(Task.CLASSIFICATION)]),
        st.one_of(st.integers(0, 10**9), st.floats(0, 1e9), st.fractions(0, 5)),
        min_size=1,
    ).filter(lambda weights: any(weights.values()))
)
def test_weights_sum_to_exactly_one_and_keep_their_proportions(weights):
    parsed = parse_weights(weights, Task.CLASSIFICATION)
    assert sum(parsed.values()) == Fraction(1)
    heaviest = max(parsed, key=lambda name: weights[name])
    for name in parsed:
        assert float(parsed[name] / parsed[heaviest]) == pytest.approx(
            float(weights[name]) / float(weights[heaviest])
        )
