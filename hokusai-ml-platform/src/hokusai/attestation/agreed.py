"""What was decided and who is credited, worked out again from the numbers that stand in the statement."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from hokusai.attestation.checks import below_rows
from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Decision, GuardrailOutcome, Verdict
from hokusai.domain.delta import MetricDelta
from hokusai.domain.metrics import common_metric_name
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.stats.decide import decide, guardrail_outcome
from hokusai.stats.from_counts import zero_denominators
from hokusai.stats.payment import Worth, pay
from hokusai.stats.student_t import t_critical_value
from hokusai.stats.wald import critical_value

_ROUNDING = 1e-9
_SEEDS_APART = 5.0
"""Standard errors of DeltaOne that other seeds may gain more on average than the one that was attested."""

_MOST_SEEDS = 10_000
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
            p-value with it; so where a rule was agreed on, or acceptance is asked for, no decision rests on units
            that nobody agreed on.
    """
    decision = claim.decision
    if decision is None:
        raise IntegrityError("The statement has no decision, and the policy asks for one")
    if wanted is not None and decision.rule != wanted:
        raise IntegrityError(
            f"The decision is by {_rule_text(decision.rule)}; agreed is {_rule_text(wanted)}"
        )
    if claim.comparison.n_units is not None and units is None and (wanted is not None or accepted):
        raise IntegrityError(
            f"The decision rests on errors between {claim.comparison.n_units} units, and no units were agreed on",
            hint="If they were, name their column in the policy: units.",
        )
    if (wanted is not None or accepted) and claim.comparison.primary.metric in below_rows(claim.comparison):
        raise IntegrityError(
            f"The decision is on {claim.comparison.primary.metric}, whose error between units is below that between "
            "rows: it is to be the larger of both"
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


def check_attribution(
    claim: DeltaOneClaim,
    confidence: float,
    *,
    methods: Collection[AttributionMethod] = (),
    min_seeds: int = 1,
) -> str:
    """The gain is the comparison's, values are as their method makes them, and weights as the values make them.

    Args:
        claim: With an attribution, or without.
        confidence: Coverage that the intervals must have.
        methods: Those that were agreed on, one of which it must be by; none takes the signer's.
        min_seeds: How often each model must have been trained, at least.
    """
    attribution = claim.attribution
    if attribution is None:
        asked = ", and the policy asks for one" if methods else ""
        raise IntegrityError(f"The statement has no attribution{asked}")
    everybody, method = attribution.credits, attribution.method
    if methods and method not in methods:
        wanted = " or ".join(_METHODS[one] for one in methods)
        raise IntegrityError(f"Credit is by {_METHODS[method]}; agreed is {wanted}")
    if attribution.seeds < min_seeds:
        raise IntegrityError(
            f"Each model was trained {attribution.seeds} times; agreed is at least {min_seeds}"
        )
    _check_gain(attribution, claim)
    for credit in everybody:
        _check_interval(credit, confidence, method)
    _check_values(attribution)
    _check_effort(attribution)
    for credit, (weight, reason) in zip(everybody, _paid(attribution), strict=True):
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
    texts = _own_words(claim)
    if texts:
        notes.append(f"{', '.join(texts)}: these words are the signer's own, not those that the numbers give")
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
        notes.append(
            "that different contributors are different people: whoever splits his data among several names can raise "
            "his share"
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
    undefined = _undefined(outcome, claim)
    if undefined is not None:
        raise IntegrityError(f"Guardrail {name}: nothing was measured: {undefined}")
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
    return replace(found[0], n_rows=claim.comparison.n_rows) if found else None


def _undefined(outcome: GuardrailOutcome, claim: DeltaOneClaim) -> str | None:
    """Why the metric of a guardrail has no value of its own on these rows, or None."""
    counts = claim.comparison.counts
    if outcome.guardrail.slice is not None or counts is None:
        return None
    return dict(zero_denominators(counts)).get(common_metric_name(outcome.guardrail.metric))


def _check_gain(attribution: Attribution, claim: DeltaOneClaim) -> None:
    """What is shared out is the comparison's DeltaOne less what no contribution is needed for.

    With one seed that is the very number. With more, DeltaOne is that of the first, and the gain is the mean: it may
    not lie above DeltaOne by more than a few of its standard errors.
    """
    comparison = claim.comparison
    whole = comparison.delta_one if comparison.exact is None else float(comparison.exact)
    without = attribution.without or 0.0
    above = attribution.gain + without - whole
    slack = _ROUNDING * max(1.0, abs(whole), abs(without))
    more = _SEEDS_APART * max(comparison.standard_error, 1 / comparison.n_rows)
    if above > slack + more * (attribution.seeds > 1) or (attribution.seeds == 1 and above < -slack):
        nobodys = "" if attribution.without is None else f" less {without:.6g}, which is nobody's"
        raise IntegrityError(
            f"DeltaOne is {whole:.6g}{nobodys}, and a gain of {attribution.gain:.6g} was shared out"
        )


def _check_values(attribution: Attribution) -> None:
    """Values of a method that shares the gain out whole sum to it; by rows, each is known."""
    gain, method, everybody = attribution.gain, attribution.method, attribution.credits
    size = max(1.0, abs(gain), *(abs(credit.value) for credit in everybody))
    if method in (AttributionMethod.SHAPLEY, AttributionMethod.SHAPLEY_MONTE_CARLO):
        total = math.fsum(credit.value for credit in everybody)
        if abs(total - gain) > _ROUNDING * size:
            raise IntegrityError(f"Shapley values sum to the gain {gain:.6g}; these sum to {total:.6g}")
    elif method is AttributionMethod.PROPORTIONAL:
        rows = sum(credit.rows for credit in everybody)
        for credit in everybody:
            share = gain * credit.rows / rows
            if abs(credit.value - share) > _ROUNDING * size:
                raise IntegrityError(
                    f"{credit.contributor.contributor_id} gave {credit.rows} of {rows} rows, a part of {share:.6g}; "
                    f"the statement says {credit.value:.6g}"
                )


def _check_effort(attribution: Attribution) -> None:
    """As many models were trained as the method takes, and orders were sampled where it samples."""
    method, error = attribution.method, attribution.sampling_error
    players = sum(credit.rows > 0 for credit in attribution.credits)
    coalitions = 2**players - 1
    least, most = {
        AttributionMethod.SHAPLEY: (coalitions, coalitions),
        AttributionMethod.SHAPLEY_MONTE_CARLO: (1, coalitions),
        AttributionMethod.LEAVE_ONE_OUT: (min(players + 1, coalitions), min(players + 1, coalitions)),
        AttributionMethod.PROPORTIONAL: (0, 1),
    }[method]
    if not least <= attribution.evaluations <= most:
        raise IntegrityError(
            f"By {_METHODS[method]}, {players} contributors have {most} coalitions to measure; "
            f"{attribution.evaluations} were measured"
        )
    if not 1 <= attribution.seeds <= _MOST_SEEDS:
        raise IntegrityError(f"Nobody trains each model {attribution.seeds} times")
    if (method is AttributionMethod.SHAPLEY_MONTE_CARLO) == (error is None):
        raise IntegrityError("The error of sampling does not go with the method")
    errors = [c.standard_error for c in attribution.credits if c.standard_error is not None]
    if error is not None and not 0 <= error <= max(errors, default=math.inf) * (1 + _ROUNDING):
        raise IntegrityError(
            f"An error of sampling of {error:.6g} is more than all errors of the values hold"
        )


def _paid(attribution: Attribution) -> list[tuple[int, str]]:
    """(basis points, why nothing is paid) of each, as they follow from the values."""
    worths = [Worth(c.contributor.contributor_id, c.value, c.interval, c.rows) for c in attribution.credits]
    return pay(worths, attribution.method)


def _own_words(claim: DeltaOneClaim) -> list[str]:
    """Texts in the statement that do not follow from its numbers, by what they are about."""
    texts = []
    decision, attribution = claim.decision, claim.attribution
    if decision is not None:
        try:
            again = decide(claim.comparison, decision.rule, outcomes=decision.guardrails)
        except (HokusaiError, StopIteration):  # which the check of the decision reports
            again = decision
        follow = {reason.detail for reason in again.reasons}
        outside = {reason.verdict for reason in decision.reasons} & set(_SEEN_IN_THE_RUN)
        if any(r.detail not in follow for r in decision.reasons if r.verdict not in outside):
            texts.append("the decision's reasons")
        for outcome in decision.guardrails:
            delta = _measured(outcome, claim)
            if outcome.change is None or delta is None:
                continue
            if (
                guardrail_outcome(outcome.guardrail, delta, 1 - 2 * decision.rule.alpha).reason
                != outcome.reason
            ):
                texts.append(f"what is said of {outcome.guardrail.name}")
    if attribution is not None:
        words = [reason for _, reason in _paid(attribution)]
        if words != [credit.unpaid for credit in attribution.credits]:
            texts.append("why somebody is not paid")
        if attribution.note:
            texts.append("the note on the attribution")
    return texts


def _check_interval(credit: Credit, confidence: float, method: AttributionMethod) -> None:
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
    # Student's t lies between the normal limit and one degree of freedom; sampled orders may add to the width.
    widths = credit.value - interval.low, interval.high - credit.value
    least, most = critical_value(confidence) * error, t_critical_value(confidence, 1) * error
    if method is AttributionMethod.SHAPLEY_MONTE_CARLO:
        most = math.inf
    slack = 1e-6 * (most if math.isfinite(most) else least) + _ROUNDING * abs(credit.value)
    if min(widths) < least - slack or max(widths) > most + slack:
        raise IntegrityError(f"{name}: the interval is not one that a standard error of {error:.6g} gives")


def _rule_text(rule: AcceptanceRule) -> str:
    guardrails = ", ".join(f"{g.name} {g.margin:g}" for g in rule.guardrails) or "no guardrail"
    return f"{rule.min_rows} rows, threshold {rule.threshold}, alpha {rule.alpha:g}, {guardrails}"


def _listed(verdicts: list[Verdict]) -> str:
    return ", ".join(verdict.value.replace("_", " ") for verdict in verdicts)
