"""Statements about benchmarks whose rows belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import build_statement
from hokusai.attestation.verify import Policy, verify_attestation
from hokusai.domain.claim import DeltaOneClaim
from hokusai.stats.paired import compare_classifiers, compare_regressors

Signed = Callable[[DeltaOneClaim], bytes]


@pytest.fixture
def by_units(claim: DeltaOneClaim) -> DeltaOneClaim:
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(40), 5)
    labels = rng.integers(0, 2, 200)
    old, new = (labels + rng.normal(scale=scale, size=200) for scale in (0.9, 0.6))
    compared = compare_classifiers(
        labels,
        (old > 0.5).astype(int),
        (new > 0.5).astype(int),
        classes=("no", "yes"),
        baseline_scores=old,
        new_scores=new,
        units=units,
    )
    return replace(claim, comparison=compared)


def test_they_say_how_many_units_there_are_and_whose_word_that_is(by_units: DeltaOneClaim) -> None:
    predicate = build_statement(by_units)["predicate"]
    assert predicate["benchmarkUnits"] == 40
    assert predicate["metrics"]["f1"]["method"] == "jackknife+units"
    assert any("belong to one unit" in text for text in predicate["nonClaims"])
    read = read_statement(build_statement(by_units)).comparison
    assert read == by_units.comparison
    assert {d.freedom for d in (*read.deltas, *by_units.comparison.deltas)} == {39}


def test_a_statement_without_units_says_nothing_of_them(claim: DeltaOneClaim) -> None:
    predicate = build_statement(claim)["predicate"]
    assert "benchmarkUnits" not in predicate
    assert not any("unit" in text for text in predicate["nonClaims"])


def test_intervals_and_p_values_are_verified_as_students(
    by_units: DeltaOneClaim, signed: Signed, policy: Policy
) -> None:
    report = verify_attestation(signed(by_units), policy)
    assert report.ok, report
    assert "40 units" in next(check.detail for check in report.checks if check.name == "significance")
    assert "standard errors of accuracy, precision, recall, f1, auroc, DeltaOne" in " ".join(
        report.not_checked
    )


def test_a_part_of_the_change_that_no_unit_varies_is_verified_too(
    claim: DeltaOneClaim, signed: Signed, policy: Policy
) -> None:
    labels = np.array([1] * 8 + [0] * 32)
    said = np.array([1] * 6 + [0] * 34)
    compared = compare_classifiers(
        labels, labels * 0, said, classes=("no", "yes"), units=np.repeat(np.arange(10), 4)
    )
    assert compared.delta("precision").method == "jackknife+units+sign-test"
    assert verify_attestation(signed(replace(claim, comparison=compared)), policy).ok


def test_a_regression_by_units_is_verified(regression: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
    target = np.arange(60.0)
    compared = compare_regressors(
        target, target + np.sin(target), target + 0.5 * np.cos(target), units=np.arange(60) // 3
    )
    assert verify_attestation(signed(replace(regression, comparison=compared)), policy).ok


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: replace(c, n_units=None), "gives the interval"),
        (lambda c: replace(c, n_units=7), "gives the interval"),
        (lambda c: replace(c, n_units=1), "cannot belong to 1 units"),
        (lambda c: replace(c, n_units=200), "cannot belong to 200 units"),
        (lambda c: _with(c, "accuracy", p_value=1e-13), "40 units cannot give the p-value"),
        (lambda c: _with(c, "accuracy", method="mcnemar-mid-p"), "no such method"),
        (lambda c: _with(c, "f1", method="jackknife"), "no such method"),
        (lambda c: _with(c, "f1", method="delong+units"), "no such method"),
        (lambda c: _with(c, "recall", p_value=0.001), "expected the p-value"),
    ],
)
def test_what_units_cannot_give_is_refused(
    by_units: DeltaOneClaim, signed: Signed, policy: Policy, change, text: str
) -> None:
    report = verify_attestation(signed(replace(by_units, comparison=change(by_units.comparison))), policy)
    assert not report.ok
    assert any(text in check.detail for check in report.checks), report


def _with(comparison, name: str, **changed):
    deltas = tuple(replace(d, **changed) if d.metric.name == name else d for d in comparison.deltas)
    return replace(comparison, deltas=deltas)
