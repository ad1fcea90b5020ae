"""What was decided and who is credited, in a statement: what holds, and what the holder of the key cannot bend."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai.attestation.agreed import check_attribution
from hokusai.attestation.envelope import sign
from hokusai.attestation.policy import Policy
from hokusai.attestation.reader import read_statement
from hokusai.attestation.report import Verdict as Outcome
from hokusai.attestation.statement import (
    ATTRIBUTION_NON_CLAIM,
    COMMITMENTS_NON_CLAIM,
    build_statement,
    statement_bytes,
)
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.canonical import canonical_json
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Decision, Guardrail, GuardrailOutcome, Reason, Verdict
from hokusai.errors import InvalidInputError
from hokusai.stats.allocation import Gain, attribute

Statement = dict[str, Any]
Signed = Callable[[DeltaOneClaim], bytes]


class TestStatement:
    def test_comes_back_as_it_was(self, full_claim: DeltaOneClaim) -> None:
        read = read_statement(build_statement(full_claim))
        assert read == replace(full_claim, contributions=read.contributions)
        assert statement_bytes(read) == statement_bytes(full_claim)

    @pytest.mark.parametrize(
        "name",
        [
            "decision",
            "attribution",
            "commitments",
            "benchmark_record_sha256",
            "benchmark_statement_sha256",
        ],
    )
    def test_each_member_stands_there_only_where_the_claim_has_it(
        self, claim: DeltaOneClaim, full_claim: DeltaOneClaim, name: str
    ) -> None:
        without = build_statement(claim)["predicate"]
        one = build_statement(replace(claim, **{name: getattr(full_claim, name)}))["predicate"]
        assert isinstance(one, dict)
        assert isinstance(without, dict)
        assert len(set(one) - set(without)) == 1
        assert set(without) <= set(one)

    def test_what_is_not_said_grows_with_what_is(
        self, claim: DeltaOneClaim, full_claim: DeltaOneClaim
    ) -> None:
        short, long = (build_statement(one)["predicate"]["nonClaims"] for one in (claim, full_claim))  # type: ignore[index]
        assert long == [*short, COMMITMENTS_NON_CLAIM, ATTRIBUTION_NON_CLAIM]

    def test_credit_is_that_of_the_attribution(self, full_claim: DeltaOneClaim) -> None:
        assert full_claim.credits == (Fraction(6471, 10_000), Fraction(3529, 10_000), Fraction(0))
        assert build_statement(full_claim)["predicate"]["creditMethod"] == "shapley"  # type: ignore[index]

    def test_two_files_of_one_contributor_share_his_credit_by_rows(self, full_claim: DeltaOneClaim) -> None:
        alice, bob, carol = full_claim.contributions
        # Alice's 300 rows in two files, 100 and 200: a third and two thirds of 6471 basis points
        first = replace(alice, rows_read=110, rows_accepted=100)
        second = replace(alice, rows_read=210, rows_accepted=200, sha256="a2" * 32)
        split = replace(full_claim, contributions=(first, bob, second, carol))
        assert split.credits == (
            Fraction(2157, 10_000),
            Fraction(3529, 10_000),
            Fraction(4314, 10_000),
            Fraction(0),
        )

    def test_an_attribution_of_others_is_refused(self, full_claim: DeltaOneClaim) -> None:
        attribution = full_claim.attribution
        assert attribution is not None
        with pytest.raises(InvalidInputError, match="everybody who gave rows once"):
            replace(full_claim, attribution=replace(attribution, credits=attribution.credits[:2]))
        with pytest.raises(InvalidInputError, match="everybody who gave rows once"):
            replace(full_claim, attribution=replace(attribution, credits=attribution.credits[::-1]))
        wrong = replace(attribution.credits[0], rows=299)
        with pytest.raises(InvalidInputError, match="alice gave 300 rows, the attribution credits 299"):
            replace(full_claim, attribution=replace(attribution, credits=(wrong, *attribution.credits[1:])))

    def test_a_guardrail_on_a_slice_comes_back_as_it_was(self, full_claim: DeltaOneClaim) -> None:
        assert full_claim.decision is not None
        europe = Guardrail("recall", 0.02, slice=("region", "EU"))
        rule = AcceptanceRule(min_rows=50, guardrails=(europe,))
        missing = GuardrailOutcome(europe, None, None, None, breached=True, reason="no such column")
        decision = Decision((Reason(Verdict.GUARDRAIL, "no such column"),), rule, (missing,))
        read = read_statement(build_statement(replace(full_claim, decision=decision)))
        assert read.decision == decision


class TestVerified:
    def test_with_everything(self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        report = verify_attestation(signed(full_claim), policy)
        assert report.failed == ()
        assert report.verdict is Outcome.VERIFIED
        said = {check.name: check.detail for check in report.checks}
        assert said["decision"] == "accepted"
        assert "alice 6471, bob 3529; nothing for carol" in said["attribution"]

    def test_says_whose_word_is_taken(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        notes = " | ".join(verify_attestation(signed(full_claim), policy).not_checked)
        assert "the measurements behind the guardrails latency_ms" in notes
        assert "what each contributor's data was worth" in notes
        assert "what the commitments are to" in notes
        assert "the commitment of the benchmark's owner" in notes
        assert "whether the rule of the decision is the agreed one" in notes

    def test_the_agreed_rule(self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        assert full_claim.decision is not None
        agreed = replace(policy, rule=full_claim.decision.rule, require_accepted=True)
        report = verify_attestation(signed(full_claim), agreed)
        assert report.ok
        other = replace(agreed, rule=AcceptanceRule(min_rows=51))
        assert [c.name for c in verify_attestation(signed(full_claim), other).failed] == ["decision"]

    def test_a_policy_that_asks_for_a_decision_refuses_a_statement_without_one(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        for asking in (replace(policy, rule=AcceptanceRule()), replace(policy, require_accepted=True)):
            assert [c.name for c in verify_attestation(signed(claim), asking).failed] == ["decision"]

    def test_a_rejection_is_sound_but_not_what_a_payer_asks_for(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        assert full_claim.decision is not None
        rule = replace(full_claim.decision.rule, min_rows=101, threshold=Fraction(15, 100))
        reasons = (
            Reason(Verdict.TOO_FEW_ROWS, "100 rows"),
            Reason(Verdict.LEAKAGE, "2 rows of the benchmark were trained on"),
            Reason(Verdict.BELOW_THRESHOLD, "14 of 15 points"),
        )
        rejected = replace(full_claim, decision=Decision(reasons, rule, full_claim.decision.guardrails))
        report = verify_attestation(signed(rejected), policy)
        assert report.failed == ()
        said = {check.name: check.detail for check in report.checks}["decision"]
        assert said == "rejected: too few rows, leakage, below threshold"
        paying = replace(policy, require_accepted=True)
        assert [c.name for c in verify_attestation(signed(rejected), paying).failed] == ["decision"]

    def test_nobody_paid(self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        attribution = full_claim.attribution
        assert attribution is not None
        unsure = [
            replace(credit, standard_error=None, interval=None, weight_bps=0, unpaid="its noise is not known")
            for credit in attribution.credits
        ]
        nobody = replace(full_claim, attribution=replace(attribution, credits=tuple(unsure)))
        report = verify_attestation(signed(nobody), policy)
        assert report.failed == ()
        assert "sums to 0" in {check.name: check.detail for check in report.checks}["contributors"]

    def test_by_accepted_rows_the_noise_need_not_be_known(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        # 450 rows: 300/450, 100/450, 50/450 of 10,000 are 6666.67, 2222.22, 1111.11
        attribution = full_claim.attribution
        assert attribution is not None
        by_row = tuple(
            replace(
                credit,
                value=credit.rows / 450,
                standard_error=None,
                interval=None,
                weight_bps=weight,
                unpaid="",
            )
            for credit, weight in zip(attribution.credits, (6667, 2222, 1111), strict=True)
        )
        by_rows = replace(attribution, method=AttributionMethod.PROPORTIONAL, credits=by_row, evaluations=1)
        report = verify_attestation(signed(replace(full_claim, attribution=by_rows)), policy)
        assert report.failed == ()


P = "predicate"


def _set(*path: str | int, to: object) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        place: Any = statement[P]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _and(*changes: Callable[[Statement], None]) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        for one in changes:
            one(statement)

    return change


CREDITS = ("attribution", "credits")
# By who holds the key: what is changed, and the check that finds it.
BENT: dict[str, tuple[Callable[[Statement], None], str]] = {
    "accepted without a reason": (_set("decision", "reasons", to=[]), "statement"),
    "another verdict": (_set("decision", "reasons", 0, "verdict", to="leakage"), "nothing else"),
    "a threshold that was not met": (
        _set("decision", "rule", "threshold", to={"num": "3", "den": "20"}),
        "decision",
    ),
    "too few rows for the rule": (_set("decision", "rule", "minRows", to=101), "decision"),
    "a level that was not met": (_set("decision", "rule", "alpha", to="0.005"), "decision"),
    "no level at all": (_set("decision", "rule", "alpha", to="0.6"), "statement"),
    "a guardrail's better bound": (_set("decision", "guardrails", 0, "bound", to="0.2"), "decision"),
    "a bound above its estimate": (_set("decision", "guardrails", 1, "bound", to="-0.5"), "decision"),
    "a slice of one name": (
        _set("decision", "rule", "guardrails", 0, "slice", to=["region"]),
        "statement",
    ),
    "a slice of all rows": (
        _and(
            _set("decision", "rule", "guardrails", 0, "slice", to=["region", "EU"]),
            _set("decision", "guardrails", 0, "guardrail", "slice", to=["region", "US"]),
        ),
        "decision",
    ),
    "a guardrail's better change": (_set("decision", "guardrails", 0, "change", to="0.5"), "decision"),
    "a guardrail's wider margin": (_set("decision", "guardrails", 0, "allowed", to="-0.02"), "statement"),
    "a breach that is none": (_set("decision", "guardrails", 1, "bound", to="-2.5"), "statement"),
    "no measurement, and no breach": (_set("decision", "guardrails", 1, "bound", to=None), "statement"),
    "one guardrail less": (lambda s: s[P]["decision"]["guardrails"].pop(), "decision"),
    "one guardrail less in the rule": (
        lambda s: s[P]["decision"]["rule"]["guardrails"].pop(),
        "decision",
    ),
    "rejected and yet accepted": (_set("decision", "accepted", to=False), "nothing else"),
    "more for one": (
        _and(
            _set(*CREDITS, 0, "weightBps", to="7000"),
            _set(*CREDITS, 1, "weightBps", to="3000"),
        ),
        "attribution",
    ),
    "weights that sum to more": (_set(*CREDITS, 0, "weightBps", to="6472"), "statement"),
    "a weight with a fraction": (_set(*CREDITS, 0, "weightBps", to="6471.0"), "statement"),
    "a weight as a number": (_set(*CREDITS, 0, "weightBps", to=6471), "statement"),
    "noise that is paid": (
        _and(
            _set(*CREDITS, 2, "weightBps", to="100"),
            _set(*CREDITS, 2, "unpaid", to=""),
            _set(*CREDITS, 0, "weightBps", to="6371"),
        ),
        "attribution",
    ),
    "a value that does not sum up": (_set(*CREDITS, 1, "value", to="0.07"), "attribution"),
    "a gain that does not sum up": (_set("attribution", "gain", to="0.2"), "attribution"),
    "an interval beside its value": (_set(*CREDITS, 2, "interval", "low", to="0.001"), "attribution"),
    "an interval of another coverage": (
        _set(*CREDITS, 0, "interval", "confidence", to="0.5"),
        "attribution",
    ),
    "an error below zero": (_set(*CREDITS, 0, "standardError", to="-0.02"), "attribution"),
    "an interval without an error": (_set(*CREDITS, 0, "standardError", to=None), "attribution"),
    "fewer coalitions": (_set("attribution", "evaluations", to=3), "attribution"),
    "no seed": (_set("attribution", "seeds", to=0), "attribution"),
    "an error of sampling where nothing was sampled": (
        _set("attribution", "samplingError", to="0.01"),
        "attribution",
    ),
    "another method": (_set("attribution", "method", to="magic"), "statement"),
    "another method's name on top": (_set("creditMethod", to="proportional"), "contributors"),
    "a malformed wallet as payable": (_set(*CREDITS, 1, "payable", to=True), "nothing else"),
    "another wallet": (_set(*CREDITS, 0, "wallet", to="0x" + "00" * 20), "statement"),
    "other rows": (_set(*CREDITS, 0, "rows", to=299), "statement"),
    "a contributor less": (lambda s: s[P]["attribution"]["credits"].pop(), "statement"),
    "another scheme": (_set("commitments", "scheme", to="md5"), "statement"),
    "a root in capitals": (_set("commitments", "labels", to="AB" * 32), "statement"),
    "a root less": (lambda s: s[P]["commitments"].pop("labels"), "statement"),
    "a root more": (_set("commitments", "other", to="ab" * 32), "nothing else"),
    "a decision of nothing": (_set("decision", to=None), "statement"),
    "a benchmark of nothing": (_set("benchmarkRecord", to=None), "statement"),
    "a benchmark without a digest": (_set("benchmarkStatement", "sha256", to="be"), "statement"),
    "a non-claim less": (lambda s: s[P]["nonClaims"].pop(), "nothing else"),
    "a claim more beside the rule": (_set("decision", "rule", "lambda", to=1), "nothing else"),
}


@pytest.mark.parametrize("name", BENT)
def test_with_the_key(full_claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy, name: str) -> None:
    change, found_by = BENT[name]
    statement = copy.deepcopy(build_statement(full_claim))
    change(statement)
    assert statement != build_statement(full_claim)
    report = verify_attestation(sign(canonical_json(statement), [key]).to_bytes(), policy)
    assert not report.ok
    assert found_by in [check.name for check in report.failed]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_attributed_is_verified(full_claim: DeltaOneClaim, data: st.DataObject) -> None:
    people = [contribution.contributor for contribution in full_claim.contributions]
    rows = [contribution.rows_accepted for contribution in full_claim.contributions]
    gains = st.floats(-0.05, 0.1, allow_nan=False)
    method = data.draw(
        st.sampled_from(
            [AttributionMethod.SHAPLEY, AttributionMethod.LEAVE_ONE_OUT, AttributionMethod.PROPORTIONAL]
        )
    )
    seeds = data.draw(st.integers(1, 3))
    values = {
        coalition: Gain(tuple(data.draw(gains) for _ in range(seeds)))
        for size in range(4)
        for coalition in combinations(range(3), size)
    }
    attributed = attribute(people, values, rows=rows, method=method)
    assert check_attribution(replace(full_claim, attribution=attributed), 0.95).startswith("by ")
