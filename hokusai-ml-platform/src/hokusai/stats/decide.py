"""Whether an improvement counts: a rule held against a comparison, with every reason against it.

Nothing in here measures anything. Whoever holds the numbers, the pipeline or the verifier of an attestation, comes to
the same decision in the same words. Whatever is not there counts against the improvement: a guardrail without a
measurement, a benchmark without a digest where one is expected, a number that is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from hokusai.domain.decision import (
    AcceptanceRule,
    Decision,
    Guardrail,
    GuardrailOutcome,
    Reason,
    Verdict,
)
from hokusai.domain.delta import Comparison, MetricDelta
from hokusai.domain.metrics import Scale, common_metric_name
from hokusai.errors import InvalidInputError
from hokusai.stats.wald import interval_around

_DIGITS = 12
"""Of a measured number; what is beyond them is rounding."""


def decide(
    comparison: Comparison,
    rule: AcceptanceRule,
    *,
    benchmark_sha256: str | None = None,
    expected_sha256: str | None = None,
    leaked_rows: int = 0,
    outcomes: Iterable[GuardrailOutcome] = (),
) -> Decision:
    """Hold `comparison` against `rule`.

    Threshold and significance are asked of the primary metric: its gain (a share's change, or the share of the
    baseline's error that is gone, for metrics in target units), and its paired p-value, one-sided. Guardrails are
    tests of non-inferiority: each has to hold, so that their number needs no correction of the level.

    Args:
        comparison: What the benchmark says of the two models.
        rule: When an improvement counts.
        benchmark_sha256: Digest of the benchmark that was used.
        expected_sha256: Digest of the benchmark that was agreed on, if one was.
        leaked_rows: Rows of the benchmark that the new model was trained on.
        outcomes: What was measured for the rule's guardrails; one that is missing counts as a breach.

    Raises:
        InvalidInputError: An outcome is of no guardrail of the rule, or of one that has another already; or the
            primary metric was not compared.

    References:
        One-sided mid-p McNemar: Fagerland, Lydersen, Laake (2013), BMC Medical Research Methodology 13:91.
        All tests have to reject, none is corrected: Berger (1982), "Multiparameter Hypothesis Testing and Acceptance
        Sampling", Technometrics 24:295-300.
    """
    if leaked_rows < 0:
        raise InvalidInputError(
            f"A number of rows cannot be negative, got {leaked_rows}", where="leaked_rows"
        )
    measured = _complete(rule, outcomes)
    primary = _primary(comparison)
    against = [
        *_too_few_rows(comparison.n_rows, rule),
        *_other_benchmark(benchmark_sha256, expected_sha256),
        *_leakage(leaked_rows),
        *_below_threshold(primary, rule),
        *_not_significant(primary, rule),
        *(Reason(Verdict.GUARDRAIL, outcome.reason) for outcome in measured if outcome.breached),
    ]
    return Decision(tuple(against) or (_acceptance(primary, rule),), rule, measured)


def guardrail_outcome(guardrail: Guardrail, delta: MetricDelta, confidence: float = 0.9) -> GuardrailOutcome:
    """What `delta` says of `guardrail`.

    Args:
        guardrail: Which.
        delta: The change of its metric, on its slice if it has one.
        confidence: Of the two-sided interval whose lower bound counts: 1 - 2 alpha, for a one-sided test at alpha.

    Raises:
        InvalidInputError: `delta` is of another metric.
    """
    if common_metric_name(guardrail.metric) != delta.metric.name:
        raise InvalidInputError(
            f"A guardrail on {guardrail.metric!r} says nothing of {delta.metric.name!r}", where=guardrail.name
        )
    change = guardrail.direction * delta.absolute_delta
    if delta.interval.confidence == confidence:
        bound = delta.interval.low if guardrail.direction > 0 else -delta.interval.high
    else:
        bound = interval_around(change, delta.standard_error, confidence, delta.freedom).low
    if not change and not delta.standard_error and delta.n_rows and delta.metric.scale is Scale.SHARE:
        # No row tells the models apart, and so few rows may not show what is there: the rule of three, whose 3 is
        # -ln(0.05) (Hanley and Lippman-Hand 1983, JAMA 249:1743-1745).
        n_units = delta.n_rows if delta.freedom is None else delta.freedom + 1
        bound = max(-1.0, math.log((1 - confidence) / 2) / n_units)
    return outcome_of(guardrail, baseline=delta.baseline_value, change=change, bound=bound)


def outcome_of(guardrail: Guardrail, *, baseline: float, change: float, bound: float) -> GuardrailOutcome:
    """What a measurement says of `guardrail`, whatever was measured.

    Args:
        guardrail: Which.
        baseline: The baseline model's value, which a relative margin is a share of.
        change: New minus baseline, in the guardrail's direction: positive is better.
        bound: Lower confidence bound of `change`.

    >>> outcome_of(Guardrail("recall", 0.01), baseline=0.8, change=-0.004, bound=-0.013).reason
    'recall may be worse by 0.013, and only 0.01 is allowed'
    """
    if not all(map(math.isfinite, (baseline, change, bound))):
        return unmeasured(guardrail, "what was measured is no finite number")
    allowed = 0.0 - guardrail.margin * (abs(baseline) if guardrail.relative else 1.0)
    change, bound = change + 0.0, bound + 0.0  # no negative zero, which has no place in a signed document
    breached = bound < allowed
    if bound >= 0:
        reason = f"{guardrail.name} is not worse: better by at least {_number(bound)}"
    else:
        limit = "only" if breached else "up to"
        reason = f"{guardrail.name} may be worse by {_number(-bound)}, and {limit} {_number(abs(allowed))} is allowed"
    return GuardrailOutcome(guardrail, change, bound, allowed, breached, reason)


def unmeasured(guardrail: Guardrail, why: str) -> GuardrailOutcome:
    """A breach, because there is no measurement; `why` says the reason in words.

    >>> unmeasured(Guardrail("latency_ms", 5), "the models were not timed").reason
    'latency_ms was not measured: the models were not timed'
    """
    return GuardrailOutcome(
        guardrail, None, None, None, breached=True, reason=f"{guardrail.name} was not measured: {why}"
    )


def _primary(comparison: Comparison) -> MetricDelta:
    for delta in comparison.deltas:
        if delta.metric.name == comparison.primary.metric:
            return delta
    raise InvalidInputError(
        "The primary metric is not among those that were compared", where=comparison.primary.metric
    )


def _complete(rule: AcceptanceRule, outcomes: Iterable[GuardrailOutcome]) -> tuple[GuardrailOutcome, ...]:
    """An outcome for each guardrail of the rule, in its order."""
    by_guardrail: dict[Guardrail, GuardrailOutcome] = {}
    for outcome in outcomes:
        if outcome.guardrail not in rule.guardrails:
            raise InvalidInputError("The rule has no such guardrail", where=outcome.guardrail.name)
        if outcome.guardrail in by_guardrail:
            raise InvalidInputError("A guardrail has two outcomes", where=outcome.guardrail.name)
        by_guardrail[outcome.guardrail] = outcome
    return tuple(
        by_guardrail.get(guardrail) or unmeasured(guardrail, "there is no outcome for it")
        for guardrail in rule.guardrails
    )


def _too_few_rows(n_rows: int, rule: AcceptanceRule) -> Iterator[Reason]:
    if n_rows < rule.min_rows:
        yield Reason(
            Verdict.TOO_FEW_ROWS, f"The benchmark has {n_rows} rows, and at least {rule.min_rows} are needed"
        )


def _other_benchmark(used: str | None, expected: str | None) -> Iterator[Reason]:
    if expected is not None and used != expected:
        found = "it is not known which was used" if used is None else f"{used} was used"
        yield Reason(Verdict.BENCHMARK_MISMATCH, f"The benchmark agreed on is {expected}, and {found}")


def _leakage(leaked_rows: int) -> Iterator[Reason]:
    if leaked_rows:
        yield Reason(
            Verdict.LEAKAGE, f"The new model was trained on {leaked_rows} of the benchmark's own rows"
        )


def _below_threshold(primary: MetricDelta, rule: AcceptanceRule) -> Iterator[Reason]:
    if not _gain(primary) >= rule.threshold:
        yield Reason(
            Verdict.BELOW_THRESHOLD,
            f"{_change_text(primary)}, and {'a gain of ' if _gain(primary) < 0 else ''}at least "
            f"{_threshold_text(primary, rule)} is asked for",
        )


def _not_significant(primary: MetricDelta, rule: AcceptanceRule) -> Iterator[Reason]:
    if not (_gain(primary) > 0 and primary.p_improvement < rule.alpha):
        name = primary.metric.name
        what = f"{name} shows no gain" if _gain(primary) <= 0 else f"The gain of {name} may be chance"
        yield Reason(
            Verdict.NOT_SIGNIFICANT,
            f"{what}: one-sided p = {_number(primary.p_improvement)}, and it has to be below {_number(rule.alpha)}",
        )


def _acceptance(primary: MetricDelta, rule: AcceptanceRule) -> Reason:
    guardrails = len(rule.guardrails)
    held = f"; {guardrails} guardrail{'s' * (guardrails > 1)} held" if guardrails else ""
    return Reason(
        Verdict.ACCEPTED,
        f"{_change_text(primary)}, and at least {_threshold_text(primary, rule)} is asked "
        f"for; one-sided p = {_number(primary.p_improvement)}, below {_number(rule.alpha)}{held}",
    )


def _gain(delta: MetricDelta) -> Fraction | float:
    """The gain: exactly, where the metric is exact; else without its rounding noise."""
    if delta.exact is not None:
        return delta.metric.direction * (delta.exact[1] - delta.exact[0])
    return Fraction(f"{delta.gain:.{_DIGITS}g}") if math.isfinite(delta.gain) else math.nan


def _change_text(delta: MetricDelta) -> str:
    """That the metric gained or lost so much."""
    points = float(_gain(delta)) * 100
    moved = f"lost {-points:.4f}" if points < 0 else f"gained {points:+.4f}"
    return f"{delta.metric.name} {moved} {_unit(delta)}"


def _threshold_text(delta: MetricDelta, rule: AcceptanceRule) -> str:
    return f"{float(rule.threshold) * 100:+.4f} {_unit(delta)}"


def _unit(delta: MetricDelta) -> str:
    share = delta.metric.scale is Scale.SHARE
    return "percentage points" if share else "% of the baseline's value"


def _number(value: float) -> str:
    return f"{value:.4g}"
