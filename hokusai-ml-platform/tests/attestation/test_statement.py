"""What stands in a statement, that it is content only, and that it can be read back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import (
    build_statement,
    decimal_text,
    fraction_json,
    is_writable,
    percentage_points,
    statement_bytes,
)
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.claim import DeltaOneClaim, Estimator, Evidence
from hokusai.domain.delta import Interval
from hokusai.errors import IntegrityError, InvalidInputError


class TestContent:
    def test_is_an_in_toto_statement_about_every_file(self, claim: DeltaOneClaim) -> None:
        statement = build_statement(claim)
        assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["predicateType"] == "https://hokusai.dev/attestations/delta-one/v1"
        assert [(s["name"], s["digest"]) for s in statement["subject"]] == [
            ("baseline-model", {"sha256": "b0" * 32}),
            ("new-model", {"sha256": "0e" * 32}),
            ("benchmark", {"sha256": "be" * 32}),
            ("base-data", {"sha256": "ba" * 32}),
            ("contributed-data/1", {"sha256": "a1" * 32}),
            ("contributed-data/2", {"sha256": "b2" * 32}),
            ("contributed-data/3", {"sha256": "c3" * 32}),
        ]

    def test_metrics_are_exact(self, claim: DeltaOneClaim) -> None:
        f1 = build_statement(claim)["predicate"]["metrics"]["f1"]
        assert f1["baseline"] == {"num": "23", "den": "39"}
        assert f1["new"] == {"num": "32", "den": "41"}
        assert f1["delta"] == f1["gain"] == {"num": "305", "den": "1599"}  # (32*39 - 23*41) / (41*39)
        assert f1["pValue"] == "0.005915762836092978"

    def test_delta_one(self, claim: DeltaOneClaim) -> None:
        whole = build_statement(claim)["predicate"]["deltaOne"]
        assert whole["score"] == {"num": "26443", "den": "159900"}
        assert whole["display"] == "+16.5372 percentage points"
        assert whole["weights"] == {"accuracy": {"num": "1", "den": "2"}, "f1": {"num": "1", "den": "2"}}
        assert whole["computationMethod"] == "weighted_average_delta"
        primary = build_statement(claim)["predicate"]["primary"]
        assert primary == {"metric": "accuracy", "baselineBps": "6800", "newBps": "8200", "deltaBps": "1400"}

    def test_credit_is_in_proportion_and_only_an_address_is_payable(self, claim: DeltaOneClaim) -> None:
        alice, bob, carol = build_statement(claim)["predicate"]["contributions"]
        assert alice["credit"] == {"num": "2", "den": "3"}  # 300 of 450 accepted rows
        assert bob["credit"] == {"num": "2", "den": "9"}
        assert carol["credit"] == {"num": "1", "den": "9"}
        assert [c["payable"] for c in (alice, bob, carol)] == [True, False, False]
        assert bob["wallet"] == "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"
        assert carol["wallet"] is None
        assert alice["subject"] == "contributed-data/1"

    def test_a_dry_run_says_so_first(self, claim: DeltaOneClaim) -> None:
        predicate = build_statement(replace(claim, dry_run=True))["predicate"]
        assert predicate["dryRun"] is True
        assert "NOT EVIDENCE" in predicate["nonClaims"][0]
        assert predicate["nonClaims"][1:] == build_statement(claim)["predicate"]["nonClaims"]

    def test_no_json_number_but_integers(self, claim: DeltaOneClaim, regression: DeltaOneClaim) -> None:
        def numbers(value: object):
            if isinstance(value, dict):
                value = list(value.values())
            if isinstance(value, list):
                for item in value:
                    yield from numbers(item)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield value

        for each in (claim, regression):
            assert {type(number) for number in numbers(build_statement(each))} == {int}

    def test_a_regression_has_decimal_texts(self, regression: DeltaOneClaim) -> None:
        predicate = build_statement(regression)["predicate"]
        rmse = predicate["metrics"]["rmse"]
        assert (rmse["baseline"], rmse["new"], rmse["delta"], rmse["gain"]) == ("4", "3", "-1", "0.25")
        assert predicate["deltaOne"]["score"] == "0.25"
        assert predicate["jointCounts"] is None
        assert predicate["primary"]["baselineBps"] is None
        assert predicate["primary"]["deltaBps"] == "2500"

    def test_a_float_parameter_stays_apart_from_a_text_and_an_integer(self, claim: DeltaOneClaim) -> None:
        params = {"a": 1, "b": 1.0, "c": "1", "d": [0.1, {"e": True}]}
        written = build_statement(replace(claim, new_estimator=Estimator("x.Y", params)))
        assert written["predicate"]["estimators"]["new"]["params"] == {
            "a": 1,
            "b": {"float": "1"},
            "c": "1",
            "d": [{"float": "0.1"}, {"e": True}],
        }


class TestDeterminism:
    def test_same_content_same_bytes_whatever_the_order_of_names(self, claim: DeltaOneClaim) -> None:
        turned = replace(
            claim,
            libraries=dict(reversed(claim.libraries.items())),
            comparison=replace(
                claim.comparison,
                deltas=claim.comparison.deltas[::-1],
                weights=dict(reversed(claim.comparison.weights.items())),
            ),
        )
        assert statement_bytes(turned) == statement_bytes(claim)

    def test_a_file_name_is_not_content(self, claim: DeltaOneClaim) -> None:
        moved = tuple(replace(c, file_name=f"elsewhere-{c.file_name}") for c in claim.contributions)
        assert statement_bytes(replace(claim, contributions=moved)) == statement_bytes(claim)

    def test_bytes_are_canonical(self, claim: DeltaOneClaim) -> None:
        data = statement_bytes(claim)
        assert canonical_json(parse_json(data)) == data


class TestReading:
    def test_reading_is_the_inverse_of_writing(self, claim: DeltaOneClaim, regression: DeltaOneClaim) -> None:
        proof = Evidence("counts", "ef" * 32, "application/vnd.hokusai.zkhist.v0")
        for each in (
            claim,
            regression,
            replace(claim, evidence=(proof,), baseline_estimator=None, dry_run=True),
        ):
            without_names = replace(
                each, contributions=tuple(replace(c, file_name="") for c in each.contributions)
            )
            assert read_statement(parse_json(statement_bytes(each))) == without_names

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the claim is frozen
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_any_double_comes_back(self, claim: DeltaOneClaim, number: float) -> None:
        params = Estimator("x.Y", {"value": number})
        back = read_statement(parse_json(statement_bytes(replace(claim, new_estimator=params))))
        assert back.new_estimator.params["value"] == number

    @pytest.mark.parametrize("value", [None, [], "text", 3, {}, {"_type": "https://in-toto.io/Statement/v1"}])
    def test_refuses_what_is_no_statement(self, value: object) -> None:
        with pytest.raises(IntegrityError, match="Not a DeltaOne statement"):
            read_statement(value)

    def test_says_where_something_is_wrong(self, claim: DeltaOneClaim) -> None:
        statement = build_statement(claim)
        statement["predicate"]["contributions"][1]["rows"]["read"] = "110"
        with pytest.raises(IntegrityError, match="expected a whole number, got str") as caught:
            read_statement(statement)
        assert caught.value.where == "$.predicate.contributions[1].rows.read"


class TestRefusals:
    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    def test_a_number_that_is_not_finite(self, claim: DeltaOneClaim, number: float) -> None:
        broken = replace(claim.comparison, interval=Interval(0.0, number, 0.95))
        with pytest.raises(InvalidInputError, match="finite numbers only"):
            statement_bytes(replace(claim, comparison=broken))

    def test_a_parameter_that_is_not_json(self, claim: DeltaOneClaim) -> None:
        odd = Estimator("x.Y", {"kernel": object()})
        with pytest.raises(InvalidInputError, match="object is not a JSON type") as caught:
            statement_bytes(replace(claim, new_estimator=odd))
        assert caught.value.where == "$.predicate.estimators.new.params.kernel"

    def test_a_parameter_that_would_read_back_as_a_number(self, claim: DeltaOneClaim) -> None:
        with pytest.raises(InvalidInputError, match="means a number"):
            statement_bytes(replace(claim, new_estimator=Estimator("x.Y", {"p": {"float": "1"}})))

    def test_a_digest_that_is_none(self, claim: DeltaOneClaim) -> None:
        for wrong in ("abc123def456", "B0" * 32, "sha256:" + "b0" * 32):
            with pytest.raises(InvalidInputError, match="Not a SHA-256 digest") as caught:
                replace(claim, baseline_model_sha256=wrong)
            assert caught.value.where == "baseline-model"
        with pytest.raises(InvalidInputError, match="Not a SHA-256 digest"):
            Evidence("proof", "12", "x/y")

    def test_a_contribution_of_which_nothing_was_accepted(self, claim: DeltaOneClaim) -> None:
        none = tuple(replace(c, rows_accepted=0, rows_read=10) for c in claim.contributions)
        with pytest.raises(InvalidInputError, match="No contributed row was accepted"):
            replace(claim, contributions=none)


class TestNumbers:
    def test_a_fraction_is_reduced_and_its_sign_is_above(self) -> None:
        assert fraction_json(Fraction(50, -100)) == {"num": "-1", "den": "2"}

    @pytest.mark.parametrize(
        ("number", "text"), [(0.0332, "0.0332"), (-0.0, "0"), (1e21, "1e+21"), (5e-324, "5e-324"), (3, "3")]
    )
    def test_a_measured_number_has_the_text_of_rfc_8785(self, number: float, text: str) -> None:
        assert decimal_text(number) == text

    def test_points_are_for_people(self) -> None:
        assert percentage_points(-0.01) == "-1.0000 percentage points"

    def test_a_fraction_too_long_to_write_is_written_as_a_measured_number(self, claim: DeltaOneClaim) -> None:
        long = Fraction(10**5000, 3 * 10**5000 + 1)
        assert not is_writable(long)
        score = build_statement(
            replace(claim, comparison=replace(claim.comparison, exact=long, delta_one=1 / 3))
        )
        assert score["predicate"]["deltaOne"]["score"] == "0.3333333333333333"
