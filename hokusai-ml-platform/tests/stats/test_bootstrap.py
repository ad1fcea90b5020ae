"""Both bootstraps against scipy's, and the laws of their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hokusai.domain.delta import JointCounts
from hokusai.errors import InvalidInputError
from hokusai.stats.bootstrap import paired_bootstrap
from hokusai.stats.cell_bootstrap import DELTA_ONE, TableMetrics, cell_bootstrap
from hokusai.stats.classification import joint_counts
from hokusai.stats.from_counts import COUNT_METRICS, metrics_from_counts
from hokusai.stats.paired import compare_classifiers


def _rows(seed, n, shares, right=(0.75, 0.8)):
    rng = np.random.default_rng(seed)
    k = len(shares)
    labels = rng.choice(k, n, p=shares)
    old = np.where(rng.random(n) < right[0], labels, rng.integers(0, k, n))
    other = np.where(rng.random(n) < right[1], labels, rng.integers(0, k, n))
    return labels, old, np.where(rng.random(n) < 0.5, old, other)


def _table(rows, k, positive=None):
    return joint_counts(*rows, classes=tuple("abcdefgh"[:k]), positive=positive)[0]


def _binary_changes(labels, old, new, axis=-1):
    """New minus baseline of the four metrics of class 1, along an axis, from the definitions."""
    found = []
    for said in (old, new):
        hits, positives, truths = (
            np.sum(part == 1, axis=axis) for part in (np.minimum(labels, said), said, labels)
        )
        accuracy = np.mean(labels == said, axis=axis)
        found.append([accuracy, hits / positives, hits / truths, 2 * hits / (positives + truths)])
    return np.subtract(found[1], found[0])


def _macro_recall_change(labels, old, new, axis=-1):
    per_model = []
    for said in (old, new):
        per_class = [
            np.sum((labels == k) & (said == k), axis=axis) / np.sum(labels == k, axis=axis) for k in range(3)
        ]
        per_model.append(np.mean(per_class, axis=0))
    return per_model[1] - per_model[0]


@pytest.mark.parametrize("place", range(4), ids=COUNT_METRICS)
def test_intervals_of_two_classes_are_those_of_scipy(place):
    rows = _rows(1, 300, (0.7, 0.3))
    drawn = cell_bootstrap(_table(rows, 2, positive=1))
    name = COUNT_METRICS[place]
    for method in ("percentile", "BCa"):
        theirs = stats.bootstrap(
            rows,
            lambda *data, axis=-1: _binary_changes(*data, axis=axis)[place],
            paired=True,
            method=method,
            n_resamples=6000,
            rng=np.random.default_rng(2),
            batch=1000,
        )
        ours = getattr(drawn, method.lower())(name)
        within = 0.12 * theirs.standard_error  # four standard errors of a quantile of 6,000 resamples
        assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=within)
        assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=within)
        assert drawn.standard_error(name) == pytest.approx(theirs.standard_error, rel=0.06)


def test_the_interval_of_a_macro_average_is_that_of_scipy():
    rows = _rows(3, 200, (0.5, 0.3, 0.2))
    theirs = stats.bootstrap(
        rows,
        _macro_recall_change,
        paired=True,
        method="BCa",
        n_resamples=5000,
        rng=np.random.default_rng(4),
        batch=1000,
    )
    ours = cell_bootstrap(_table(rows, 3), ["recall"]).bca("recall")
    within = 0.13 * theirs.standard_error
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=within)


def test_a_one_sided_bound_is_the_end_of_the_two_sided_interval_of_twice_the_level():
    drawn = cell_bootstrap(_table(_rows(5, 500, (0.5, 0.5)), 2, positive=1))
    assert drawn.lower_bound("f1", 0.95) == pytest.approx(drawn.bca("f1", 0.9).low, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(2, 4), st.data())
def test_changes_of_any_table_are_those_of_the_exact_fractions(k, data):
    column = st.lists(st.integers(0, k - 1), min_size=12, max_size=12)
    counts = _table([np.array(data.draw(column)) for _ in range(3)], k, data.draw(st.sampled_from([None, 0])))
    exact = metrics_from_counts(counts)
    tallies = TableMetrics(counts)
    found = dict(zip(tallies.names, tallies.changes(tallies.table[None, :])[0], strict=True))
    assert found == pytest.approx({name: float(new - old) for name, (old, new) in exact.items()}, abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10**9))
def test_swapping_the_models_mirrors_the_percentile_interval(seed):
    # The cells stand in another order then, so that the draws differ: within resampling error.
    labels, old, new = _rows(seed, 60, (0.5, 0.5))
    there, back = (
        cell_bootstrap(_table(rows, 2, positive=1), resamples=4000, seed=1)
        for rows in ((labels, old, new), (labels, new, old))
    )
    assert back.changes == pytest.approx(-there.changes, abs=1e-12)
    spread = there.standard_error("accuracy")
    assert back.percentile("accuracy").high == pytest.approx(
        -there.percentile("accuracy").low, abs=0.35 * spread
    )


def test_equal_models_have_an_interval_of_zero():
    labels, old, _ = _rows(6, 100, (0.4, 0.3, 0.3))
    drawn = cell_bootstrap(_table((labels, old, old), 3))
    for name in COUNT_METRICS:
        assert (drawn.bca(name).low, drawn.bca(name).high, drawn.standard_error(name)) == (0.0, 0.0, 0.0)


def test_the_weighted_sum_is_resampled_with_its_parts():
    rows = _rows(7, 800, (0.5, 0.5))
    compared = compare_classifiers(*rows, classes=("a", "b"), weights={"accuracy": 1, "recall": 3})
    drawn = cell_bootstrap(compared.counts, weights=compared.weights)
    assert drawn.names == (*COUNT_METRICS, DELTA_ONE)
    assert drawn.changes[-1] == pytest.approx(compared.delta_one, abs=1e-12)
    assert drawn.standard_error(DELTA_ONE) == pytest.approx(compared.standard_error, rel=0.05)
    parts = drawn.replicates[:, :4] @ [0.25, 0, 0.75, 0]
    assert drawn.replicates[:, 4] == pytest.approx(parts, abs=1e-12)


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    rows = _rows(8, 400, (0.6, 0.4))
    order = np.random.default_rng(9).permutation(400)
    one, shuffled = (
        cell_bootstrap(_table(r, 2, positive=1), seed=3) for r in (rows, [c[order] for c in rows])
    )
    other = cell_bootstrap(_table(rows, 2, positive=1), seed=4)
    assert np.array_equal(one.replicates, shuffled.replicates)
    assert not np.array_equal(one.replicates, other.replicates)


def test_one_row_and_a_class_that_a_resample_loses():
    one = cell_bootstrap(JointCounts(("a", "b"), 1, (((1, 0, 1), 1),)), resamples=50)
    assert (one.bca("accuracy").low, one.bca("accuracy").high) == (1.0, 1.0)
    # Class c has one row: resamples without it average over a and b alone, whose recall does not change.
    rare = cell_bootstrap(
        JointCounts(("a", "b", "c"), None, (((0, 0, 0), 5), ((1, 1, 1), 4), ((2, 0, 2), 1))), ["recall"]
    )
    assert set(np.unique(rare.replicates.round(9))) >= {0.0, round(1 / 3, 9)}
    assert np.mean(rare.replicates == 0) == pytest.approx(0.9**10, abs=0.02)


@pytest.mark.parametrize(
    "call",
    [
        lambda table: cell_bootstrap(table, ["auroc"]),
        lambda table: cell_bootstrap(table, []),
        lambda table: cell_bootstrap(table, resamples=1),
        lambda table: cell_bootstrap(table, resamples=2).bca("auroc"),
        lambda table: cell_bootstrap(table, resamples=2).bca("f1", confidence=1.0),
        lambda table: paired_bootstrap([], lambda means: means, ["x"]),
        lambda table: paired_bootstrap([[1.0]], lambda means: means, ["x"], resamples=1),
    ],
)
def test_what_cannot_be_resampled_is_refused(call):
    with pytest.raises(InvalidInputError):
        call(JointCounts(("a", "b"), 1, (((0, 0, 0), 5), ((1, 0, 1), 1))))


def _rmse_change(means):
    return np.sqrt(means[:, [1]]) - np.sqrt(means[:, [0]])


def test_the_interval_of_a_regression_error_is_that_of_scipy():
    rng = np.random.default_rng(10)
    shared = rng.normal(size=150)
    squares = np.column_stack([(shared + rng.normal(size=150)) ** 2, (shared + rng.normal(size=150)) ** 2])
    theirs = stats.bootstrap(
        (squares[:, 0], squares[:, 1]),
        lambda old, new, axis=-1: np.sqrt(np.mean(new, axis=axis)) - np.sqrt(np.mean(old, axis=axis)),
        paired=True,
        method="BCa",
        n_resamples=5000,
        rng=np.random.default_rng(11),
    )
    ours = paired_bootstrap(squares, _rmse_change, ["rmse"], resamples=5000).bca("rmse")
    within = 0.13 * theirs.standard_error
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=within)


def test_units_of_one_row_are_rows_and_larger_units_are_drawn_whole():
    rng = np.random.default_rng(12)
    squares = rng.random((60, 2))
    rows, units = (
        paired_bootstrap(squares, _rmse_change, ["rmse"], units=units, resamples=500)
        for units in (None, np.arange(60))
    )
    assert units.replicates == pytest.approx(rows.replicates, abs=1e-12)
    # Each row twice, as a unit: the same data as 60 rows, not 120.
    twice = paired_bootstrap(
        np.repeat(squares, 2, axis=0),
        _rmse_change,
        ["rmse"],
        units=np.repeat(np.arange(60), 2),
        resamples=500,
    )
    assert twice.replicates == pytest.approx(rows.replicates, abs=1e-12)
