"""What was decided and who is credited, worked out again from the numbers that stand in the statement."""

from __future__ import annotations

import math

from hokusai.domain.attribution import AttributionMethod, Credit
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Decision, GuardrailOutcome, Verdict
from hokusai.domain.delta import MetricDelta
from hokusai.domain.metrics import common_metric_name
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.stats.decide import decide, guardrail_outcome
from hokusai.stats.payment import Worth, pay

_ROUNDING = 1e-9
_SEEN_IN_THE_RUN = (Verdict.BENCHMARK_MISMATCH, Verdict.LEAKAGE)
"""Reasons that the statement's numbers do not show; they can only speak against the improvement."""

_METHODS = {
    AttributionMethod.SHAPLEY: "exact Shapley values",
    AttributionMethod.SHAPLEY_MONTE_CARLO: "sampled Shapley values",
    AttributionMethod.LEAVE_ONE_OUT: "leave one out",
    AttributionMethod.PROPORTIONAL: "accepted rows",
}


def check_decision(
    claim: DeltaOneClaim, wanted: AcceptanceRule | None, *, accepted: bool, units: str | None = None
) -> str:
    """The decision is by the wanted rule, and follows from the comparison and the guardrails' measurements.

    Args:
        claim: With a decision, or without.
        wanted: The rule that it must be by, if one was agreed.
        accepted: Whether only an accepted improvement passes.
        units: The column of units that was agreed on. Which rows are of one unit is the signer's word, and every
            p-value with it; so no decision rests on units that nobody agreed on.
    """
    decision = claim.decision
    if decision is None:
        raise IntegrityError("The statement has no decision, and the policy asks for one")
    if wanted is not None and decision.rule != wanted:
        raise IntegrityError(
            f"The decision is by {_rule_text(decision.rule)}; agreed is {_rule_text(wanted)}"
        )
    if claim.comparison.n_units is not None and units is None:
        raise IntegrityError(
            f"The decision rests on errors between {claim.comparison.n_units} units, and no units were agreed on",
            hint="If they were, name their column in the policy: units.",
        )
    for outcome in decision.guardrails:
        _check_outcome(outcome, decision, claim)
    try:
        again = decide(claim.comparison, decision.rule, outcomes=decision.guardrails)
    except (HokusaiError, StopIteration) as exc:
        raise IntegrityError(f"The decision is on what was not compared: {exc}") from exc
    if again.guardrails != decision.guardrails:
        raise IntegrityError("The decision does not have one outcome for each guardrail, in the rule's order")
    stated = [reason.verdict for reason in decision.reasons]
    follows = _with_what_the_run_saw([reason.verdict for reason in again.reasons], stated)
    if stated != follows:
        raise IntegrityError(f"The numbers give {_listed(follows)}, the statement says {_listed(stated)}")
    if accepted and not decision.accepted:
        raise IntegrityError(f"The improvement was not accepted: {_listed(stated)}")
    agreed = "" if wanted is None else ", by the agreed rule"
    return f"{'accepted' if decision.accepted else f'rejected: {_listed(stated)}'}{agreed}"


def check_attribution(claim: DeltaOneClaim, confidence: float) -> str:
    """Values sum to the gain where they must, and weights are those that values and intervals give."""
    attribution = claim.attribution
    if attribution is None:
        raise IntegrityError("The statement has no attribution")
    everybody, method = attribution.credits, attribution.method
    if attribution.seeds < 1 or (method is AttributionMethod.SHAPLEY_MONTE_CARLO) == (
        attribution.sampling_error is None
    ):
        raise IntegrityError("No model was trained, or the error of sampling does not go with the method")
    for credit in everybody:
        _check_interval(credit, confidence)
    if method is AttributionMethod.SHAPLEY:
        total = math.fsum(credit.value for credit in everybody)
        size = max(abs(attribution.gain), *(abs(credit.value) for credit in everybody))
        if abs(total - attribution.gain) > _ROUNDING * max(1.0, size):
            raise IntegrityError(
                f"Shapley values sum to the gain {attribution.gain:.6g}; these sum to {total:.6g}"
            )
        players = sum(credit.rows > 0 for credit in everybody)
        if attribution.evaluations != 2**players - 1:
            raise IntegrityError(
                f"{players} contributors have {2**players - 1} coalitions; {attribution.evaluations} were measured"
            )
    worths = [Worth(c.contributor.contributor_id, c.value, c.interval, c.rows) for c in everybody]
    for credit, (weight, reason) in zip(everybody, pay(worths, method), strict=True):
        if credit.weight_bps != weight:
            why = f" ({reason})" if reason else ""
            raise IntegrityError(
                f"{credit.contributor.contributor_id} should have {weight} basis points{why}, "
                f"the statement says {credit.weight_bps}"
            )
    shares = ", ".join(f"{c.contributor.contributor_id} {c.weight_bps}" for c in everybody if c.weight_bps)
    unpaid = [credit.contributor.contributor_id for credit in everybody if not credit.weight_bps]
    left = f"; nothing for {', '.join(unpaid)}" if unpaid else ""
    return f"by {_METHODS[method]}, in basis points: {shares or 'nobody'}{left}"


def signers_word(claim: DeltaOneClaim, *, benchmark_agreed: bool = False) -> list[str]:
    """What of decision and attribution a statement's own numbers do not show, in words.

    Args:
        claim: What the statement says.
        benchmark_agreed: Whether the commitment of the benchmark's owner stands behind it.
    """
    notes = []
    if claim.decision is not None:
        outside = [
            outcome.guardrail.name
            for outcome in claim.decision.guardrails
            if _measured(outcome, claim) is None and outcome.change is not None
        ]
        if outside:
            notes.append(f"the measurements behind the guardrails {', '.join(outside)}")
        agreed = "" if benchmark_agreed else ", and that the benchmark was the agreed one"
        notes.append(f"that no benchmark row was trained on{agreed}")
    if claim.attribution is not None:
        notes.append(
            f"what each contributor's data was worth (a gain of {claim.attribution.gain:.6g} was shared out): "
            "train the models without it to know"
        )
    return notes


def _with_what_the_run_saw(follows: list[Verdict], stated: list[Verdict]) -> list[Verdict]:
    """The reasons that follow from the numbers, and those stated ones that the numbers cannot show."""
    against = [
        *(verdict for verdict in follows if verdict is not Verdict.ACCEPTED),
        *(verdict for verdict in stated if verdict in _SEEN_IN_THE_RUN),
    ]
    return sorted(against, key=list(Verdict).index) or [Verdict.ACCEPTED]


def _check_outcome(outcome: GuardrailOutcome, decision: Decision, claim: DeltaOneClaim) -> None:
    """What the noun itself does not refuse: that the measurement is another than the comparison's."""
    name = outcome.guardrail.name
    if outcome.change is None or outcome.bound is None or outcome.allowed is None:
        return  # not measured, and so a breach by construction
    if outcome.bound > outcome.change:
        raise IntegrityError(f"Guardrail {name}: its lower bound lies above its estimate")
    delta = _measured(outcome, claim)
    if delta is None:
        return
    again = guardrail_outcome(outcome.guardrail, delta, 1 - 2 * decision.rule.alpha)
    pairs = (
        (outcome.change, again.change),
        (outcome.bound, again.bound),
        (outcome.allowed, again.allowed),
    )
    size = 1.0 + abs(delta.absolute_delta) + delta.standard_error
    if any(one is None or other is None or abs(one - other) > _ROUNDING * size for one, other in pairs):
        raise IntegrityError(
            f"Guardrail {name}: the comparison gives {again.change:.6g} (at least {again.bound:.6g}), "
            f"the statement says {outcome.change:.6g} (at least {outcome.bound:.6g})"
        )


def _measured(outcome: GuardrailOutcome, claim: DeltaOneClaim) -> MetricDelta | None:
    """The delta that a guardrail is on, where the comparison has it."""
    if outcome.guardrail.slice is not None:
        return None
    name = common_metric_name(outcome.guardrail.metric)
    found = [delta for delta in claim.comparison.deltas if delta.metric.name == name]
    return found[0] if found else None


def _check_interval(credit: Credit, confidence: float) -> None:
    name, interval, error = credit.contributor.contributor_id, credit.interval, credit.standard_error
    if (interval is None) != (error is None):
        raise IntegrityError(f"{name}: a standard error goes with an interval")
    if interval is None or error is None:
        return
    if interval.confidence != confidence:
        raise IntegrityError(
            f"{name}: the interval is of {interval.confidence}, the policy asks for {confidence}"
        )
    if error < 0 or not interval.low <= credit.value <= interval.high:
        raise IntegrityError(f"{name}: the interval does not hold its value, or the error is below zero")


def _rule_text(rule: AcceptanceRule) -> str:
    guardrails = ", ".join(f"{g.name} {g.margin:g}" for g in rule.guardrails) or "no guardrail"
    return f"{rule.min_rows} rows, threshold {rule.threshold}, alpha {rule.alpha:g}, {guardrails}"


def _listed(verdicts: list[Verdict]) -> str:
    return ", ".join(verdict.value.replace("_", " ") for verdict in verdicts)
