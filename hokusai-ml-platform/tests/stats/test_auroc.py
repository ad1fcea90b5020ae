"""AUROC and DeLong against a direct O(n^2) implementation that shares nothing with ours."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm

from hokusai.stats.paired import compare_classifiers

CLASSES = ("no", "yes")


def _delong_by_pairs(labels, old, new):
    """DeLong et al. 1988, section 3, read literally: kernel matrix, components, S10 / m + S01 / n."""
    components = []
    for scores in (np.asarray(old), np.asarray(new)):
        x, y = scores[labels == 1], scores[labels == 0]
        kernel = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        components.append((kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)))
    (area_old, v10_old, v01_old), (area_new, v10_new, v01_new) = components
    s10, s01 = np.cov(v10_old, v10_new), np.cov(v01_old, v01_new)
    s = s10 / len(v10_old) + s01 / len(v01_old)
    contrast = np.array([-1.0, 1.0])
    error = math.sqrt(contrast @ s @ contrast)
    return area_old, area_new, error, 2 * norm.sf(abs(area_new - area_old) / error)


@pytest.mark.parametrize(
    ("n", "share", "digits"), [(60, 0.5, 9), (300, 0.2, 9), (300, 0.2, 1), (800, 0.05, 2)]
)
def test_delong_agrees_with_the_paper_read_literally(n, share, digits):
    rng = np.random.default_rng(n)
    labels = (rng.random(n) < share).astype(int)
    old = np.round(labels + 1.4 * rng.normal(size=n), digits)
    new = np.round(0.6 * old + 0.4 * (1.5 * labels + rng.normal(size=n)), digits)
    predictions = (old > 0.5).astype(int)
    auroc = compare_classifiers(
        labels, predictions, predictions, classes=CLASSES, baseline_scores=old, new_scores=new
    ).delta("auroc")
    area_old, area_new, error, p_value = _delong_by_pairs(labels, old, new)
    assert auroc.method == "delong"
    assert (auroc.baseline_value, auroc.new_value) == pytest.approx((area_old, area_new), abs=1e-12)
    assert auroc.standard_error == pytest.approx(error, rel=1e-10)
    assert auroc.p_value == pytest.approx(p_value, rel=1e-8)


def test_four_rows_by_hand():
    # Baseline: yes 0.4 0.8, no 0.1 0.4: pairs 1, 1/2, 1, 1 -> 7/8. New: yes 0.4 0.8, no 0.1 0.3: 1.
    auroc = compare_classifiers(
        [0, 1, 0, 1],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
        classes=CLASSES,
        baseline_scores=[0.1, 0.4, 0.4, 0.8],
        new_scores=[0.1, 0.4, 0.3, 0.8],
    ).delta("auroc")
    assert auroc.exact == (Fraction(7, 8), 1)
    # Components, baseline: positives 3/4, 1; negatives 1, 3/4; new: all 1. Differences: 1/4, 0; 0, 1/4.
    # Variance of each pair (divisor 1): 1/32; SE^2 = 1/32/2 + 1/32/2 = 1/32.
    assert auroc.standard_error == pytest.approx(math.sqrt(1 / 32), rel=1e-12)


def test_any_increasing_function_of_the_scores_gives_the_same():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 100)
    old, new = rng.normal(size=100) + labels, rng.normal(size=100) + 2 * labels
    options = {"classes": CLASSES, "metrics": ["auroc"]}
    plain = compare_classifiers(labels, labels, labels, baseline_scores=old, new_scores=new, **options)
    bent = compare_classifiers(
        labels, labels, labels, baseline_scores=np.exp(old), new_scores=new**3, **options
    )
    assert plain.deltas == bent.deltas


def test_one_positive_row_proves_nothing():
    # One yes among 1,000 no, scored below half of them by the baseline and above all by the new model. The
    # spread over the negatives is known to three digits, that over the positives not at all.
    labels = np.array([1] + [0] * 1000)
    old = np.concatenate([[499.5], np.arange(1000)])
    new = np.concatenate([[5000], np.arange(1000)])
    compared = compare_classifiers(
        labels, labels, labels, classes=CLASSES, baseline_scores=old, new_scores=new, metrics=["auroc"]
    )
    assert compared.delta("auroc").exact == (Fraction(1, 2), 1)
    assert compared.p_value > 0.5
    assert not compared.significant


def test_from_all_tied_to_perfect_is_a_sign_test_on_the_smaller_class():
    # Every placement goes from 1/2 to 1: no spread. 3 positive rows: mid-p 2^-3.
    labels = np.array([1] * 3 + [0] * 40)
    compared = compare_classifiers(
        labels,
        labels,
        labels,
        classes=CLASSES,
        baseline_scores=np.zeros(43),
        new_scores=labels,
        metrics=["auroc"],
    )
    assert compared.delta("auroc").exact == (Fraction(1, 2), 1)
    assert compared.p_value == pytest.approx(1 / 8, rel=1e-12)
