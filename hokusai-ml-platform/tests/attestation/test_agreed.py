"""What was decided and who is credited, in a statement: what holds, and what the holder of the key cannot bend."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
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
    IDENTITIES_NON_CLAIM,
    build_statement,
    statement_bytes,
)
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.attribution import Attribution, AttributionMethod
from hokusai.domain.canonical import canonical_json
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Decision, Guardrail, GuardrailOutcome, Reason, Verdict
from hokusai.domain.delta import Interval
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.stats.allocation import Gain, attribute
from hokusai.stats.decide import decide, guardrail_outcome, unmeasured
from hokusai.stats.paired import compare_classifiers

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
        assert long == [*short, COMMITMENTS_NON_CLAIM, ATTRIBUTION_NON_CLAIM, IDENTITIES_NON_CLAIM]

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
                value=attribution.gain * credit.rows / 450,
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
    "a non-claim less": (lambda s: s[P]["nonClaims"].pop(-2), "nothing else"),
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
    values[0, 1, 2] = Gain((float(full_claim.comparison.delta_one),) * seeds)
    attributed = attribute(people, values, rows=rows, method=method)
    assert check_attribution(replace(full_claim, attribution=attributed), 0.95).startswith("by ")


def test_what_was_sampled_is_verified(full_claim: DeltaOneClaim) -> None:
    people = [contribution.contributor for contribution in full_claim.contributions]
    whole = float(full_claim.comparison.delta_one)
    influence = np.linspace(-1, 1, 100)
    gains = {
        (): 0.01,
        (0,): 0.08,
        (1,): 0.05,
        (2,): 0.02,
        (0, 1): 0.13,
        (0, 2): 0.1,
        (1, 2): 0.07,
        (0, 1, 2): whole,
    }
    values = {coalition: Gain((gain,), influence * gain) for coalition, gain in gains.items()}
    method = AttributionMethod.SHAPLEY_MONTE_CARLO
    for tolerance in (0.0, 0.05):
        told = attribute(
            people, values, rows=[300, 100, 50], method=method, permutations=8, tolerance=tolerance
        )
        assert told.without == 0.01
        assert check_attribution(replace(full_claim, attribution=told), 0.95).startswith("by sampled")
        for bent, said in (
            (replace(told, gain=told.gain * 2, seeds=1), "a gain of"),
            (replace(told, without=None), "a gain of"),
            (replace(told, evaluations=0), "coalitions to measure"),
            (replace(told, evaluations=8), "coalitions to measure"),
            (replace(told, sampling_error=None), "does not go with the method"),
            (replace(told, sampling_error=9.0), "more than all errors"),
            (_with_value(told, 0, told.credits[0].value * 1.001), "sum to the gain"),
        ):
            with pytest.raises(IntegrityError, match=said):
                check_attribution(replace(full_claim, attribution=bent), 0.95)


def _with_value(told: Attribution, at: int, value: float) -> Attribution:
    bent = list(told.credits)
    bent[at] = replace(bent[at], value=value)
    return replace(told, credits=tuple(bent))


class TestGain:
    """What is shared out is the DeltaOne that was measured, and nothing besides."""

    def test_of_one_seed_is_deltaone_less_what_is_nobodys(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        told = full_claim.attribution
        assert told is not None
        once = replace(told, seeds=1)
        assert verify_attestation(signed(replace(full_claim, attribution=once)), policy).ok
        for bent in (
            replace(once, without=0.05),
            _raised(once, 0.01),
            _raised(once, -0.01),
            replace(_raised(once, 0.01), without=-0.009),
        ):
            report = verify_attestation(signed(replace(full_claim, attribution=bent)), policy)
            assert [check.name for check in report.failed] == ["attribution"]
            assert "DeltaOne is 0.165372" in report.failed[0].detail
        nobodys = replace(_raised(once, -0.02), without=0.02)
        report = verify_attestation(signed(replace(full_claim, attribution=nobodys)), policy)
        assert report.ok
        assert report.claim is not None
        assert report.claim.attribution == nobodys

    def test_of_several_is_what_seeds_can_do(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        # DeltaOne's standard error is 0.0599: five of them are 0.2997
        told = full_claim.attribution
        assert told is not None
        for by, ok in ((0.29, True), (0.31, False), (-0.1, True)):
            bent = replace(full_claim, attribution=_raised(told, by))
            assert check_fails(bent) is not ok

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            ({"standard_error": 1e9}, "not one that a standard error"),
            ({"standard_error": 0.0}, "not one that a standard error"),
            ({"standard_error": 0.021}, "not one that a standard error"),
            ({"interval": Interval(0.1099, 0.1101, 0.95)}, "not one that a standard error"),
        ],
    )
    def test_an_interval_is_as_wide_as_its_error(
        self, full_claim: DeltaOneClaim, members: dict[str, Any], said: str
    ) -> None:
        told = full_claim.attribution
        assert told is not None
        bent = replace(told, credits=(replace(told.credits[0], **members), *told.credits[1:]))
        with pytest.raises(IntegrityError, match=said):
            check_attribution(replace(full_claim, attribution=bent), 0.95)

    @pytest.mark.parametrize("seeds", [10_001, 10**15])
    def test_nobody_trains_that_often(self, full_claim: DeltaOneClaim, seeds: int) -> None:
        told = full_claim.attribution
        assert told is not None
        with pytest.raises(IntegrityError, match="Nobody trains"):
            check_attribution(replace(full_claim, attribution=replace(told, seeds=seeds)), 0.95)


def test_by_rows_is_by_rows(full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
    told = full_claim.attribution
    assert told is not None
    everything = (0.0, 0.0, told.gain)
    shared = tuple(
        replace(
            credit, value=value, standard_error=None, interval=None, weight_bps=10_000 * (value > 0),
            unpaid="" if value else "the data is worth nothing",
        )
        for credit, value in zip(told.credits, everything, strict=True)
    )  # fmt: skip
    bent = replace(told, method=AttributionMethod.PROPORTIONAL, credits=shared, evaluations=1)
    report = verify_attestation(signed(replace(full_claim, attribution=bent)), policy)
    assert "alice gave 300 of 450 rows" in report.failed[0].detail


class TestAgreedMethod:
    def test_credit_is_by_one_of_those_agreed_on(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        shapley, by_rows = AttributionMethod.SHAPLEY, AttributionMethod.PROPORTIONAL
        for claim, methods, seeds, said in (
            (full_claim, (shapley,), 3, None),
            (full_claim, (by_rows, shapley), 1, None),
            (full_claim, (by_rows,), 1, "Credit is by exact Shapley values; agreed is accepted rows"),
            (full_claim, (shapley,), 4, "trained 3 times; agreed is at least 4"),
            (replace(full_claim, attribution=None), (shapley,), 1, "no attribution, and the policy asks"),
        ):
            asked = replace(policy, attribution_methods=methods, min_seeds=seeds)
            report = verify_attestation(signed(claim), asked)
            assert [check.name for check in report.failed] == ([] if said is None else ["attribution"])
            assert said is None or said in report.failed[0].detail


def test_words_of_the_signers_own_are_told(full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
    notes = " | ".join(verify_attestation(signed(full_claim), policy).not_checked)
    assert "the decision's reasons, what is said of recall, why somebody is not paid, the note on" in notes
    decision, told = full_claim.decision, full_claim.attribution
    assert decision is not None
    assert told is not None
    again = decide(full_claim.comparison, decision.rule, outcomes=decision.guardrails)
    recall = guardrail_outcome(
        decision.guardrails[0].guardrail, full_claim.comparison.delta("recall"), 1 - 2 * decision.rule.alpha
    )
    carol = replace(told.credits[2], unpaid="what the data is worth cannot be told from zero")
    plain = replace(
        full_claim,
        decision=replace(again, guardrails=(recall, decision.guardrails[1])),
        attribution=replace(told, note="", credits=(*told.credits[:2], carol)),
    )
    report = verify_attestation(signed(plain), policy)
    assert report.ok
    assert not any("signer's own" in note for note in report.not_checked)
    assert any("different people" in note for note in report.not_checked)


class TestGuardrailsThatNothingTests:
    """Where no row tells the models apart, and where a metric is 0/0: the verifier says what the run said."""

    def made(
        self, claim: DeltaOneClaim, guardrail: Guardrail, labels, old, new, outcome=None
    ) -> DeltaOneClaim:
        compared = compare_classifiers(labels, old, new, classes=("no", "yes"), primary="accuracy")
        rule = AcceptanceRule(min_rows=1, guardrails=(guardrail,))
        measured = outcome or guardrail_outcome(
            guardrail, compared.delta(guardrail.metric), 1 - 2 * rule.alpha
        )
        decision = decide(compared, rule, outcomes=[measured])
        return replace(claim, comparison=compared, decision=decision)

    def test_the_rule_of_three(self, claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        # recall: the 20 rows of "yes" are alike; of 100 rows none differs, so that 3/100 may (-ln 0.05 = 2.9957)
        labels = np.array([1] * 20 + [0] * 80)
        old = labels.copy()
        old[:5] = 0
        guarded = self.made(claim, Guardrail("recall", 0.03), labels, old, old)
        outcome = guarded.decision.guardrails[0]  # type: ignore[union-attr]
        assert outcome.bound == pytest.approx(math.log(0.05) / 100)
        assert not outcome.breached
        assert verify_attestation(signed(guarded), policy).ok

    def test_nothing_over_nothing_is_no_measurement(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        labels = np.zeros(400, dtype=int)
        old = labels.copy()
        new = labels.copy()
        old[:10] = 1
        guardrail = Guardrail("recall", 0.01)
        measured = guardrail_outcome(
            guardrail, compare_classifiers(labels, old, new, classes=("no", "yes")).delta("recall"), 0.9
        )
        report = verify_attestation(signed(self.made(claim, guardrail, labels, old, new)), policy)
        assert measured.change == 0
        assert [check.name for check in report.failed] == ["decision"]
        assert "nothing was measured" in report.failed[0].detail
        told = self.made(claim, guardrail, labels, old, new, unmeasured(guardrail, "no row is yes"))
        report = verify_attestation(signed(told), policy)
        assert report.ok
        assert not told.decision.accepted  # type: ignore[union-attr]


def _raised(told: Attribution, by: float) -> Attribution:
    """More gain, and all of it Carol's, who is not paid; her interval with it."""
    carol = told.credits[2]
    interval = Interval(carol.value + by - 0.2, carol.value + by + 0.2, 0.95)
    more = replace(carol, value=carol.value + by, standard_error=0.1, interval=interval)
    if interval.low > 0:
        more = replace(more, standard_error=0.2, interval=Interval(more.value - 0.5, more.value + 0.5, 0.95))
    return replace(told, gain=told.gain + by, credits=(*told.credits[:2], more))


def check_fails(claim: DeltaOneClaim) -> bool:
    try:
        check_attribution(claim, 0.95)
    except IntegrityError:
        return True
    return False
