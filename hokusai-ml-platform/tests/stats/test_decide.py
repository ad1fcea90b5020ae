"""The decision on an improvement: every reason, in order, from numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from hokusai.domain.decision import (
    AcceptanceRule,
    Decision,
    Guardrail,
    GuardrailOutcome,
    Reason,
    Verdict,
)
from hokusai.domain.delta import Comparison, Interval, MetricDelta, PrimaryRecord
from hokusai.domain.metrics import METRICS, Task
from hokusai.errors import InvalidInputError
from hokusai.stats.decide import decide, guardrail_outcome, outcome_of, unmeasured
from hokusai.stats.paired import compare_classifiers

A, B = "a" * 64, "b" * 64


def compared(only_baseline: int, only_new: int, n_rows: int = 1000) -> Comparison:
    """Two classifiers of which each alone is right in so many rows; in all others both are."""
    labels = [i % 2 for i in range(n_rows)]
    baseline, new = list(labels), list(labels)
    for i in range(only_new):
        baseline[i] = 1 - labels[i]
    for i in range(only_new, only_new + only_baseline):
        new[i] = 1 - labels[i]
    return compare_classifiers(labels, baseline, new, classes=("no", "yes"), primary="accuracy")


def regressed(gain: float, p_value: float = 1e-6) -> Comparison:
    """Two regressors, the second with a mean absolute error that is less by a share of the first's, 0.5."""
    new = 0.5 * (1 - gain)
    delta = MetricDelta(
        METRICS["mae"], 0.5, new, gain, 0.001, Interval(new - 0.502, new - 0.498, 0.95), p_value, "told"
    )
    primary = PrimaryRecord("mae", None, None, 0)
    return Comparison(
        Task.REGRESSION,
        1000,
        "",
        (delta,),
        {"mae": Fraction(1)},
        gain,
        0.001,
        delta.interval,
        p_value,
        None,
        None,
        primary,
    )


def verdicts(decision: Decision) -> list[Verdict]:
    return [reason.verdict for reason in decision.reasons]


class TestThresholdAndSignificance:
    @pytest.mark.parametrize(
        ("only_baseline", "only_new", "expected"),
        [
            (10, 25, [Verdict.ACCEPTED]),  # +1.5 points, p = .006
            (20, 33, [Verdict.ACCEPTED]),  # +1.3 points, p = .037: two-sided it would be .075
            (0, 10, [Verdict.ACCEPTED]),  # exactly one point
            (0, 9, [Verdict.BELOW_THRESHOLD]),
            (20, 31, [Verdict.NOT_SIGNIFICANT]),  # +1.1 points, p = .062
            (5, 6, [Verdict.BELOW_THRESHOLD, Verdict.NOT_SIGNIFICANT]),
            (0, 0, [Verdict.BELOW_THRESHOLD, Verdict.NOT_SIGNIFICANT]),
            (25, 10, [Verdict.BELOW_THRESHOLD, Verdict.NOT_SIGNIFICANT]),
        ],
    )
    def test_are_both_asked_of_the_primary_metric(
        self, only_baseline: int, only_new: int, expected: list[Verdict]
    ) -> None:
        decision = decide(compared(only_baseline, only_new), AcceptanceRule())
        assert verdicts(decision) == expected
        assert decision.accepted == (expected == [Verdict.ACCEPTED])

    def test_the_level_is_held_against_the_one_sided_mid_p_value(self) -> None:
        worse, better = 20, 33
        mid_p = float(binom.sf(better, 53, 0.5) + binom.pmf(better, 53, 0.5) / 2)
        above, below = (replace(AcceptanceRule(), alpha=mid_p * factor) for factor in (1.001, 0.999))
        assert decide(compared(worse, better), above).accepted
        assert verdicts(decide(compared(worse, better), below)) == [Verdict.NOT_SIGNIFICANT]
        assert f"one-sided p = {mid_p:.4g}" in decide(compared(worse, better), below).reasons[0].detail
        lost = decide(compared(better, worse), below).reasons[-1].detail
        assert f"one-sided p = {1 - mid_p:.4g}" in lost

    def test_a_loss_is_called_one(self) -> None:
        below, not_shown = decide(compared(30, 10), AcceptanceRule()).reasons
        assert below.detail == (
            "accuracy lost 2.0000 percentage points, and a gain of at least +1.0000 percentage points is asked for"
        )
        assert not_shown.detail == (
            f"accuracy shows no gain: one-sided p = {1 - _mid_p(30, 10):.4g}, and it has to be below 0.05"
        )

    def test_a_gain_in_units_of_the_target_is_a_share_of_the_baselines_error(self) -> None:
        rule = AcceptanceRule(threshold=Fraction(2, 100))
        assert decide(regressed(0.02), rule).accepted
        assert decide(regressed(0.02 - 1e-15), rule).accepted  # rounding
        refused = decide(regressed(0.0199), rule)
        assert refused.reasons == (
            Reason(
                Verdict.BELOW_THRESHOLD,
                "mae gained +1.9900 % of the baseline's value, and at least +2.0000 % of the baseline's value is "
                "asked for",
            ),
        )

    @pytest.mark.parametrize("gain", [math.nan, math.inf, -math.inf])
    def test_a_gain_that_is_no_number_counts_for_nothing(self, gain: float) -> None:
        assert verdicts(decide(regressed(gain), AcceptanceRule())) == [
            Verdict.BELOW_THRESHOLD,
            Verdict.NOT_SIGNIFICANT,
        ]

    def test_a_p_value_that_is_no_number_counts_for_nothing(self) -> None:
        assert verdicts(decide(regressed(0.1, math.nan), AcceptanceRule())) == [Verdict.NOT_SIGNIFICANT]

    def test_a_threshold_of_zero_still_needs_a_gain(self) -> None:
        rule = AcceptanceRule(threshold=Fraction(0))
        assert verdicts(decide(compared(0, 0), rule)) == [Verdict.NOT_SIGNIFICANT]

    @given(st.integers(0, 40), st.integers(0, 40))
    @settings(max_examples=25, deadline=None)
    def test_never_accept_an_improvement_both_ways(self, b: int, c: int) -> None:
        rule = AcceptanceRule(min_rows=1, threshold=Fraction(0), alpha=0.49)
        there, back = decide(compared(b, c, 100), rule), decide(compared(c, b, 100), rule)
        assert not (there.accepted and back.accepted)
        assert (there.accepted or back.accepted) == (b != c and _mid_p(b, c) < 0.49)


def _mid_p(b: int, c: int) -> float:
    more, n = max(b, c), b + c
    return float(binom.sf(more, n, 0.5) + binom.pmf(more, n, 0.5) / 2)


class TestReasons:
    def test_are_all_told_in_order(self) -> None:
        guardrail = Guardrail("recall", 0.01)
        decision = decide(
            compared(5, 6),
            AcceptanceRule(min_rows=1001, guardrails=(guardrail,)),
            benchmark_sha256=A,
            expected_sha256=B,
            leaked_rows=3,
        )
        assert verdicts(decision) == [verdict for verdict in Verdict if verdict is not Verdict.ACCEPTED]
        assert [reason.detail for reason in decision.reasons[:4]] == [
            "The benchmark has 1000 rows, and at least 1001 are needed",
            f"The benchmark agreed on is {B}, and {A} was used",
            "The new model was trained on 3 of the benchmark's own rows",
            "accuracy gained +0.1000 percentage points, and at least +1.0000 percentage points is asked for",
        ]
        assert not decision.accepted
        assert decision.verdict is Verdict.TOO_FEW_ROWS

    def test_that_the_benchmark_agreed_on_was_used_has_to_be_known(self) -> None:
        rule, sound = AcceptanceRule(), compared(0, 20)
        assert decide(sound, rule, benchmark_sha256=A, expected_sha256=A).accepted
        assert decide(sound, rule, benchmark_sha256=A).accepted
        assert verdicts(decide(sound, rule, expected_sha256=A)) == [Verdict.BENCHMARK_MISMATCH]

    def test_acceptance_says_why(self) -> None:
        held = outcome_of(Guardrail("recall", 0.01), baseline=0.9, change=0.0, bound=0.0)
        rule = AcceptanceRule(guardrails=(held.guardrail,))
        (reason,) = decide(compared(0, 20), rule, outcomes=[held]).reasons
        assert reason.detail == (
            "accuracy gained +2.0000 percentage points, and at least +1.0000 percentage points is asked for; one-sided "
            "p = 4.768e-07, below 0.05; 1 guardrail held"
        )  # 2^-20 / 2

    def test_a_primary_metric_that_was_not_compared_is_a_mistake(self) -> None:
        broken = replace(compared(0, 20), primary=PrimaryRecord("auroc", 0, 0, 0))
        with pytest.raises(InvalidInputError, match=r"not among those .*auroc"):
            decide(broken, AcceptanceRule())

    def test_a_negative_number_of_leaked_rows_is_a_mistake(self) -> None:
        with pytest.raises(InvalidInputError, match="negative"):
            decide(compared(0, 20), AcceptanceRule(), leaked_rows=-1)


class TestGuardrails:
    def test_without_a_measurement_are_breached(self) -> None:
        first, second = Guardrail("recall", 0.5), Guardrail("latency_ms", 5)
        rule = AcceptanceRule(guardrails=(first, second))
        decision = decide(compared(0, 20), rule, outcomes=[unmeasured(second, "no clock")])
        assert [reason.detail for reason in decision.reasons] == [
            "recall was not measured: there is no outcome for it",
            "latency_ms was not measured: no clock",
        ]
        assert [outcome.guardrail for outcome in decision.guardrails] == [first, second]
        assert all(outcome.breached and outcome.bound is None for outcome in decision.guardrails)

    @pytest.mark.parametrize(("margin", "breached"), [(0.009, False), (0.0089, True)])
    def test_hold_where_the_lower_bound_is_within_the_margin(self, margin: float, breached: bool) -> None:
        delta = self.delta(-0.004, 0.003)
        outcome = guardrail_outcome(Guardrail("recall", margin), delta)
        assert outcome.bound == pytest.approx(-0.004 - 1.644853627 * 0.003)  # -0.008935
        assert outcome.breached is breached

    def test_are_held_at_the_level_that_is_asked(self) -> None:
        guardrail = Guardrail("recall", 0.01)
        at_one_percent = guardrail_outcome(guardrail, self.delta(-0.004, 0.003), confidence=0.98)
        assert at_one_percent.bound == pytest.approx(-0.004 + norm.ppf(0.01) * 0.003)
        told = guardrail_outcome(guardrail, self.delta(-0.004, 0.003), confidence=0.95)
        assert told.bound == -0.0123  # the interval's own, which need not be Wald's

    def test_of_what_should_be_low_look_at_the_other_end(self) -> None:
        delta = replace(self.delta(0.02, 0.01), metric=METRICS["mae"], interval=Interval(0.001, 0.041, 0.9))
        outcome = guardrail_outcome(Guardrail("mae", 0.05), delta)
        assert outcome.change == pytest.approx(-0.02)
        assert (outcome.bound, outcome.breached) == (-0.041, False)
        assert guardrail_outcome(Guardrail("mae", 0.04), delta).breached

    def test_may_be_relative_to_the_baseline(self) -> None:
        guardrail = Guardrail("latency_ms", 0.1, relative=True)
        held = outcome_of(guardrail, baseline=20.0, change=-1.0, bound=-2.0)
        assert (held.allowed, held.breached) == (-2.0, False)
        assert outcome_of(guardrail, baseline=19.9, change=-1.0, bound=-2.0).breached

    def test_know_no_negative_zero(self) -> None:
        outcome = outcome_of(Guardrail("recall", 0.0), baseline=0.5, change=-0.0, bound=-0.0)
        assert [math.copysign(1, x or 0.0) for x in (outcome.change, outcome.bound, outcome.allowed)] == [
            1,
            1,
            1,
        ]
        assert not outcome.breached

    def test_whose_bound_is_no_number_are_breached(self) -> None:
        for bound in (math.nan, math.inf):
            outcome = outcome_of(Guardrail("recall", 0.1), baseline=0.5, change=0.0, bound=bound)
            assert outcome == unmeasured(outcome.guardrail, "what was measured is no finite number")

    def test_speak_of_their_own_metric_only(self) -> None:
        with pytest.raises(InvalidInputError, match="says nothing of 'recall'"):
            guardrail_outcome(Guardrail("precision", 0.1), self.delta(0.0, 0.1))
        assert not guardrail_outcome(
            Guardrail("f1_score", 0.1), replace(self.delta(0.0, 0.01), metric=METRICS["f1"])
        ).breached

    def test_that_are_not_in_the_rule_or_there_twice_are_a_mistake(self) -> None:
        outcome = unmeasured(Guardrail("recall", 0.1), "x")
        with pytest.raises(InvalidInputError, match="no such guardrail"):
            decide(compared(0, 20), AcceptanceRule(), outcomes=[outcome])
        rule = AcceptanceRule(guardrails=(outcome.guardrail,))
        with pytest.raises(InvalidInputError, match="two outcomes"):
            decide(compared(0, 20), rule, outcomes=[outcome, outcome])

    @pytest.mark.parametrize(
        ("bound", "allowed", "breached"),
        [
            (-0.2, -0.1, False),
            (-0.05, -0.1, True),
            (-0.2, -0.3, False),
            (None, None, False),
            (0.0, None, False),
        ],
    )
    def test_cannot_be_said_to_hold_against_their_own_numbers(
        self, bound: float | None, allowed: float | None, breached: bool
    ) -> None:
        with pytest.raises(InvalidInputError, match="breached"):
            GuardrailOutcome(Guardrail("recall", 0.1), 0.0, bound, allowed, breached, "told")

    @staticmethod
    def delta(change: float, error: float) -> MetricDelta:
        interval = Interval(change - 0.0083, change + 0.0083, 0.95)
        return MetricDelta(METRICS["recall"], 0.8, 0.8 + change, change, error, interval, 0.5, "told")
