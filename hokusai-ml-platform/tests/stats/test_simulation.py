"""Standard errors against brute-force resampling, and how often an interval that claims 95 % is right."""

from fractions import Fraction

import numpy as np
import pytest

from hokusai.domain.decision import AcceptanceRule
from hokusai.stats.decide import decide
from hokusai.stats.paired import compare_classifiers, compare_regressors


def _resampled_errors(statistic, n_rows, resamples, seed):
    """Standard deviation of `statistic(rows)` over paired bootstrap resamples of the rows."""
    rng = np.random.default_rng(seed)
    return np.std([statistic(rng.integers(0, n_rows, n_rows)) for _ in range(resamples)], axis=0)


def _binary(seed, n, improvement):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(int)
    shared = rng.normal(size=n)
    old = labels + 0.8 * shared + 0.6 * rng.normal(size=n)
    new = (1 + improvement) * labels + 0.8 * shared + 0.6 * rng.normal(size=n)
    return labels, (old > 0.5).astype(int), (new > 0.5).astype(int), old, new


def test_binary_standard_errors_are_those_of_the_bootstrap():
    n = 400
    labels, old, new, old_scores, new_scores = _binary(11, n, 0.3)
    order = [(s[:, None] > s[None, :]) + 0.5 * (s[:, None] == s[None, :]) for s in (old_scores, new_scores)]

    def statistic(rows):
        y = labels[rows]
        values = []
        for predictions, pairs in ((old, order[0]), (new, order[1])):
            p = predictions[rows]
            hit = np.sum(y * p)
            area = pairs[np.ix_(rows[y == 1], rows[y == 0])].mean()
            values.append(
                [np.mean(y == p), hit / p.sum(), hit / y.sum(), 2 * hit / (p.sum() + y.sum()), area]
            )
        changes = np.subtract(values[1], values[0])
        return [*changes, changes @ [0.1, 0.2, 0.3, 0.15, 0.25]]

    compared = compare_classifiers(
        labels,
        old,
        new,
        classes=("no", "yes"),
        baseline_scores=old_scores,
        new_scores=new_scores,
        weights={"accuracy": 0.1, "precision": 0.2, "recall": 0.3, "f1": 0.15, "auroc": 0.25},
    )
    found = [*(d.standard_error for d in compared.deltas), compared.standard_error]
    assert found == pytest.approx(_resampled_errors(statistic, n, 2000, 1).tolist(), rel=0.08)


def test_macro_standard_errors_are_those_of_the_bootstrap():
    n = 600
    rng = np.random.default_rng(12)
    labels = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    old = np.where(rng.random(n) < 0.6, labels, rng.integers(0, 3, n))
    new = np.where(rng.random(n) < 0.5, old, np.where(rng.random(n) < 0.8, labels, rng.integers(0, 3, n)))

    def statistic(rows):
        y = labels[rows]
        values = []
        for p in (old[rows], new[rows]):
            hit = np.array([np.sum((y == k) & (p == k)) for k in range(3)])
            said, true = np.bincount(p, minlength=3), np.bincount(y, minlength=3)
            values.append(
                [np.mean(y == p), *np.mean([hit / said, hit / true, 2 * hit / (said + true)], axis=1)]
            )
        changes = np.subtract(values[1], values[0])
        return [*changes, changes.mean()]

    compared = compare_classifiers(labels, old, new, classes=("a", "b", "c"))
    found = [*(d.standard_error for d in compared.deltas), compared.standard_error]
    assert found == pytest.approx(_resampled_errors(statistic, n, 2000, 2).tolist(), rel=0.08)


def test_regression_standard_errors_are_those_of_the_bootstrap():
    n = 500
    rng = np.random.default_rng(13)
    target = 3 * rng.normal(size=n)
    shared = rng.normal(size=n)
    old, new = target + shared + rng.normal(size=n), target + 0.8 * shared + 0.9 * rng.normal(size=n)

    def statistic(rows):
        y = target[rows]
        values = []
        for p in (old[rows], new[rows]):
            e = y - p
            values.append([np.sqrt(np.mean(e**2)), np.mean(np.abs(e)), 1 - np.mean(e**2) / np.var(y)])
        changes = np.subtract(values[1], values[0])
        gains = [-changes[0] / values[0][0], -changes[1] / values[0][1], changes[2]]
        return [*changes, np.dot(gains, [0.5, 0.3, 0.2])]

    compared = compare_regressors(target, old, new, weights={"rmse": 5, "mae": 3, "r2": 2})
    found = [*(d.standard_error for d in compared.deltas), compared.standard_error]
    assert found == pytest.approx(_resampled_errors(statistic, n, 2000, 3).tolist(), rel=0.08)


def test_an_interval_that_claims_95_percent_holds_it():
    # 300 comparisons of models that are equally good. Monte-Carlo error of a rate of .95: 0.0126; the bounds
    # are 3 of them.
    covered: dict[str, list[bool]] = {}
    rejected = []
    for seed in range(300):
        labels, old, new, old_scores, new_scores = _binary(1000 + seed, 400, 0.0)
        compared = compare_classifiers(
            labels, old, new, classes=("no", "yes"), baseline_scores=old_scores, new_scores=new_scores
        )
        for delta in compared.deltas:
            covered.setdefault(delta.metric.name, []).append(delta.interval.low <= 0 <= delta.interval.high)
        covered.setdefault("delta_one", []).append(compared.interval.low <= 0 <= compared.interval.high)
        rejected.append(compared.delta("accuracy").p_value < 0.05)
    rates = {name: float(np.mean(hits)) for name, hits in covered.items()}
    assert set(rates) == {"accuracy", "precision", "recall", "f1", "auroc", "delta_one"}
    assert all(0.912 <= rate <= 0.988 for rate in rates.values()), rates
    assert 0.012 <= np.mean(rejected) <= 0.088


def test_an_interval_of_a_regression_that_claims_95_percent_holds_it():
    covered: dict[str, list[bool]] = {}
    for seed in range(300):
        rng = np.random.default_rng(2000 + seed)
        target, shared = 3 * rng.normal(size=300), rng.normal(size=300)
        old, new = (target + shared + rng.normal(size=300) for _ in range(2))
        compared = compare_regressors(target, old, new)
        for delta in compared.deltas:
            covered.setdefault(delta.metric.name, []).append(delta.interval.low <= 0 <= delta.interval.high)
        covered.setdefault("delta_one", []).append(compared.interval.low <= 0 <= compared.interval.high)
    rates = {name: float(np.mean(hits)) for name, hits in covered.items()}
    assert all(0.912 <= rate <= 0.988 for rate in rates.values()), rates


def test_the_same_input_gives_the_same_bits():
    labels, old, new, old_scores, new_scores = _binary(14, 5000, 0.2)
    options = {"classes": ("no", "yes"), "baseline_scores": old_scores, "new_scores": new_scores}
    assert repr(compare_classifiers(labels, old, new, **options)) == repr(
        compare_classifiers(labels.copy(), old.copy(), new.copy(), **options)
    )


def _accepted(gain, repetitions, seed):
    """Share of contributions with a true gain that is accepted for significance: 2,000 rows, 6 % discordant."""
    rng = np.random.default_rng(seed)
    rule = AcceptanceRule(min_rows=1, threshold=Fraction(0), alpha=0.05)
    accepted = 0
    for lost, won, both in rng.multinomial(2000, [0.03 - gain / 2, 0.03 + gain / 2, 0.94], size=repetitions):
        old, new = (np.repeat(right, [lost, won, both]) for right in ([1, 0, 1], [0, 1, 1]))
        compared = compare_classifiers(
            np.ones(2000, dtype=int), old, new, classes=("no", "yes"), metrics=["accuracy"]
        )
        accepted += decide(compared, rule).accepted
    return accepted / repetitions


def test_luck_is_seldom_accepted_and_a_gain_mostly_is():
    # Bounds: three Monte-Carlo errors of a rate of .05 from 400, .0109. Power of +1.5 points: their standard error is
    # sqrt(.06 / 2000) = .55 points, and P(Z > 1.645 - 2.74) = .86.
    assert _accepted(0.0, 400, 1) <= 0.05 + 3 * 0.0109
    assert _accepted(0.015, 400, 2) == pytest.approx(0.86, abs=0.05)
