"""Statements about benchmarks whose rows belong together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hokusai.attestation.benchmark_statement import benchmark_statement_bytes
from hokusai.attestation.commitments import commit, label_root
from hokusai.attestation.envelope import sign
from hokusai.attestation.materials import Materials
from hokusai.attestation.predictions import RowPredictions, read_predictions
from hokusai.attestation.reader import read_statement
from hokusai.attestation.recompute import compare_rows
from hokusai.attestation.statement import build_statement
from hokusai.attestation.verify import Policy, verify_attestation
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.metrics import Task
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.stats.decide import decide
from hokusai.stats.from_counts import mcnemar_from_counts
from hokusai.stats.paired import compare_classifiers, compare_regressors
from hokusai.stats.wald import infer

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


class TestAgreedUnits:
    """Which rows are of one unit is the signer's word: nobody escapes the rows' own test by naming units."""

    @pytest.fixture
    def rows(self) -> RowPredictions:
        """600 rows of 60 users; the baseline errs in about 30 of 100, the new model in 20."""
        rng = np.random.default_rng(5)
        labels = rng.integers(0, 2, 600)
        old = np.where(rng.random(600) < 0.30, 1 - labels, labels)
        new = np.where(rng.random(600) < 0.20, 1 - labels, labels)
        names = np.array(["no", "yes"])
        units = [f"user{i // 10}" for i in range(600)]
        columns = [names[column].tolist() for column in (labels, old, new)]
        return RowPredictions(Task.CLASSIFICATION, *columns, units=units)

    @pytest.fixture
    def decided(self, claim: DeltaOneClaim, rows: RowPredictions) -> DeltaOneClaim:
        compared = compare_rows(rows, weights={"accuracy": Fraction(1)}, primary="accuracy")
        assert compared.n_units == 60
        return replace(claim, comparison=compared, decision=decide(compared, AcceptanceRule(min_rows=500)))

    def test_a_decision_rests_on_units_only_where_they_were_agreed_on(
        self, decided: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        assert decided.decision is not None and decided.decision.accepted
        for asks in (replace(policy, rule=decided.decision.rule), replace(policy, require_accepted=True)):
            report = verify_attestation(signed(decided), asks)
            assert [check.name for check in report.failed] == ["decision"]
            assert "no units were agreed on" in report.failed[0].detail
            assert verify_attestation(signed(decided), replace(asks, units="user")).ok

    def test_a_policy_that_asks_for_nothing_hears_that_units_were_not_agreed_on(
        self, decided: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(decided), policy)
        assert report.ok and any("are those of the agreed column" in note for note in report.not_checked)
        report = verify_attestation(signed(decided), replace(policy, units="user"))
        assert any(
            "are those of 'user'" in note for note in report.not_checked
        )  # which rows they are, nobody knows

    def test_no_decision_rests_on_an_error_below_that_between_rows(
        self, decided: DeltaOneClaim, rows: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        compared = decided.comparison
        low = compare_rows(replace(rows, units=None)).delta("accuracy").standard_error * 0.99
        stated = compared.delta("accuracy")
        interval = infer(stated.absolute_delta, low, confidence=0.95, freedom=59).interval
        changed = replace(
            _with(compared, "accuracy", standard_error=low, interval=interval),
            standard_error=low,
            interval=interval,
        )
        claim = replace(decided, comparison=changed)
        report = verify_attestation(signed(claim), replace(policy, units="user"))
        assert report.failed == ()
        assert any("accuracy's error: between units it is below" in note for note in report.not_checked)
        report = verify_attestation(signed(claim), replace(policy, units="user", require_accepted=True))
        assert ["below that between rows" in check.detail for check in report.failed] == [True]

    def test_a_policy_that_asks_for_units_takes_no_errors_between_rows(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(claim), replace(policy, units="user"))
        assert [check.name for check in report.failed] == ["significance"]

    def test_with_the_units_at_hand_nothing_is_the_signers_word(
        self, decided: DeltaOneClaim, rows: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        agreed = replace(policy, units="user")
        report = verify_attestation(signed(decided), agreed, Materials(predictions=rows))
        assert report.failed == ()
        assert not any("standard errors" in note for note in report.not_checked)
        for given, said in (
            (replace(rows, units=None), "do not say which row"),
            (replace(rows, units=[f"user{i // 20}" for i in range(600)]), "of 30 units"),
            (replace(rows, units=[f"user{i % 60}" for i in range(600)]), "the statement says"),
        ):
            report = verify_attestation(signed(decided), agreed, Materials(predictions=given))
            assert [check.name for check in report.failed] == ["predictions"]
            assert said in report.failed[0].detail

    def test_units_make_no_gain_more_sure_than_its_rows_do(
        self, decided: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        by_rows = mcnemar_from_counts(decided.comparison.counts)
        assert decided.comparison.delta("accuracy").p_value >= by_rows
        surer = _with(decided.comparison, "accuracy", p_value=by_rows / 2)
        report = verify_attestation(signed(replace(decided, comparison=surer)), replace(policy, units="user"))
        assert any("60 units cannot give the p-value" in check.detail for check in report.failed)

    def test_units_that_even_out_are_no_surer_than_rows(self) -> None:
        # each unit: two rows for the new model, one for the old; by rows 2n against n, by units all for the new one
        labels = np.ones(90, dtype=int)
        new = np.tile([1, 1, 0], 30)
        compared = compare_classifiers(labels, 1 - new, new, classes=("no", "yes"), units=np.arange(90) // 3)
        assert compared.delta("accuracy").p_value == pytest.approx(mcnemar_from_counts(compared.counts))

    def test_the_owner_commits_to_the_column_of_units(
        self, decided: DeltaOneClaim, rows: RowPredictions, benchmark: Benchmark, signed: Signed, policy: Policy,
        owner_key,
    ) -> None:  # fmt: skip
        agreed = replace(policy, owner_keys=(owner_key.public_key(),))
        for column, asked, failed in (
            ("user", "user", []),
            ("user", None, ["benchmark"]),
            (None, "user", ["benchmark"]),
            ("document", "user", ["benchmark"]),
        ):
            record = replace(
                benchmark,
                n_rows=600,
                weights={"accuracy": Fraction(1)},
                rule=AcceptanceRule(min_rows=500),
                labels_root=label_root(rows.labels, "be" * 32),
                unit_column=column,
            )
            assert Benchmark.from_dict(record.to_dict()) == record
            payload = benchmark_statement_bytes(record)
            claim = replace(
                decided,
                benchmark_record_sha256=record.sha256,
                benchmark_statement_sha256=sha256_hex(payload),
                commitments=commit(
                    rows.labels, rows.baseline, rows.new, benchmark_sha256="be" * 32,
                    baseline_model_sha256="b0" * 32, new_model_sha256="0e" * 32,
                ),
            )  # fmt: skip
            given = Materials(benchmark_statement=sign(payload, [owner_key]).to_bytes())
            report = verify_attestation(signed(claim), replace(agreed, units=asked), given)
            assert [check.name for check in report.failed] == failed

    @pytest.mark.parametrize("column", ["", "label", 7])
    def test_a_column_of_units_that_is_none(self, benchmark: Benchmark, column: object) -> None:
        with pytest.raises(InvalidInputError, match="column has a name"):
            replace(benchmark, unit_column=column)


@pytest.mark.parametrize("column", ["unit", "label"])
def test_a_row_that_is_not_a_number_has_no_value(tmp_path: Path, column: str) -> None:
    file = tmp_path / "rows.parquet"
    rows = {name: [1.0, 0.0, 1.0] for name in ("label", "baseline", "new", "unit")}
    pl.DataFrame({**rows, column: [1.0, math.nan, 1.0]}).write_parquet(file)
    with pytest.raises(SchemaError, match=f"Row 1 has no value in '{column}'"):
        read_predictions(file, Task.CLASSIFICATION)


def test_a_predictions_file_can_name_units(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("label,baseline,new,unit\nyes,no,yes,7\nno,no,no,7\n")
    assert read_predictions(file, Task.CLASSIFICATION).units == ["7", "7"]


def test_an_area_under_the_curve_has_the_error_of_its_own_method(
    claim: DeltaOneClaim, signed: Signed, policy: Policy
) -> None:
    changed = _with(claim.comparison, "auroc", method="influence-function")
    report = verify_attestation(signed(replace(claim, comparison=changed)), policy)
    assert any("auroc: no such method" in check.detail for check in report.failed)


def test_an_error_that_the_rows_do_not_give_by_its_method_is_not_worked_out_again(
    regression: DeltaOneClaim, signed: Signed, policy: Policy
) -> None:
    target, old, new = ([i + math.sin(i * k) for i in range(60)] for k in (0, 1, 2))
    rows = RowPredictions(Task.REGRESSION, target, old, new)
    compared = compare_rows(rows)
    assert verify_attestation(
        signed(replace(regression, comparison=compared)), policy, Materials(predictions=rows)
    ).ok
    other = "influence-function" if compared.delta("mae").method != "influence-function" else "paired-t"
    changed = _with(compared, "mae", method=other)
    report = verify_attestation(
        signed(replace(regression, comparison=changed)), policy, Materials(predictions=rows)
    )
    assert "predictions" in [check.name for check in report.failed]


def test_students_t_by_rows_has_the_degrees_of_freedom_of_all_rows(
    regression: DeltaOneClaim, signed: Signed, policy: Policy
) -> None:
    target, old, new = ([i + math.sin(i * k) for i in range(8)] for k in (0, 1, 2))
    compared = compare_regressors(target, old, new)
    assert {delta.method for delta in compared.deltas} == {"paired-t"}
    assert verify_attestation(signed(replace(regression, comparison=compared)), policy).ok
    as_if_normal = _with(compared, "mae", method="influence-function")
    report = verify_attestation(signed(replace(regression, comparison=as_if_normal)), policy)
    assert any("mae: the standard error gives the interval" in check.detail for check in report.failed)
