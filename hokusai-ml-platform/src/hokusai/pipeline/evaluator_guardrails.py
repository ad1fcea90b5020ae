"""Guardrails measured on two models' answers: metrics, slices, scorers, time and size.

A guardrail holds only if non-inferiority is shown: the one-sided bound of its change lies above minus its margin. What
cannot be measured is a breach, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hokusai.domain.decision import AcceptanceRule, Guardrail, GuardrailOutcome
from hokusai.domain.delta import Comparison, MetricDelta
from hokusai.domain.metrics import MetricSpec, Scale, Task, common_metric_name, find_metric_spec
from hokusai.domain.scorer import Scorer
from hokusai.errors import HokusaiError, MetricError
from hokusai.pipeline.evaluation import Evaluation
from hokusai.pipeline.evaluator_latency import Latency, median_increase
from hokusai.pipeline.evaluator_models import Candidate
from hokusai.pipeline.evaluator_rows import Rows, inside
from hokusai.pipeline.evaluator_scorers import Scored, scorer_delta
from hokusai.stats.decide import guardrail_outcome, outcome_of, unmeasured

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATENCY, SIZE, BRIER = "latency_ms", "size_bytes", "brier"
BRIER_METRIC = MetricSpec(BRIER, Task.CLASSIFICATION, higher_is_better=False, scale=Scale.SHARE)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two models that answered the same rows.

    Attributes:
        rows: The rows.
        models: The baseline and the new one.
        answers: What they said.
        probabilities: Whether both models' scores are probabilities.
        scored: What scorers are called with, for each.
        scorers: By name.
        latency: Of each, if they were timed.
        compare: Compares an evaluation, at a confidence, on units.
        drawn: By name, the values on resampled rows of scorers that give all rows one number.
        seed: For what is drawn.
    """

    rows: Rows
    models: tuple[Candidate, Candidate]
    answers: Evaluation
    probabilities: bool
    scored: tuple[Scored, Scored]
    scorers: Mapping[str, Scorer]
    latency: tuple[Latency, Latency] | None
    compare: Callable[[Evaluation, float, Any], Comparison]
    drawn: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    seed: int = 0


def measured(pair: Pair, rule: AcceptanceRule) -> tuple[GuardrailOutcome, ...]:
    """The outcome of every guardrail of `rule`, in order."""
    return tuple(_outcome(pair, guardrail, rule.alpha) for guardrail in rule.guardrails)


def part_of(evaluation: Evaluation, rows: NDArray[Any]) -> Evaluation:
    """The answers to some of the rows, by an index or a mask."""

    def part(values: Any) -> Any:
        return None if values is None else values[rows]

    return replace(
        evaluation,
        target=part(evaluation.target),
        baseline=part(evaluation.baseline),
        new=part(evaluation.new),
        baseline_scores=part(evaluation.baseline_scores),
        new_scores=part(evaluation.new_scores),
    )


def brier_delta(pair: Pair, confidence: float, rows: Any = slice(None), units: Any = None) -> MetricDelta:
    """How the Brier score changed.

    Raises:
        MetricError: A model gives no probabilities.
    """
    from hokusai.stats.calibration import row_brier
    from hokusai.stats.outcomes import OutcomeKind, compare_outcomes

    answers = pair.answers
    if not pair.probabilities or answers.baseline_scores is None or answers.new_scores is None:
        raise MetricError("it needs the probabilities of both models")
    old, new = (
        row_brier(answers.target[rows], scores[rows], len(answers.classes))
        for scores in (answers.baseline_scores, answers.new_scores)
    )
    return compare_outcomes(
        old, new, BRIER_METRIC, kind=OutcomeKind.CONTINUOUS, confidence=confidence, units=units
    )


def _outcome(pair: Pair, guardrail: Guardrail, alpha: float) -> GuardrailOutcome:
    try:
        if guardrail.metric == SIZE:
            return _size(pair, guardrail)
        if guardrail.metric == LATENCY:
            return _time(pair, guardrail, alpha)
        delta = _delta(pair, guardrail, 1 - 2 * alpha)
        if delta.metric.direction != guardrail.direction:
            better = "higher" if delta.metric.higher_is_better else "lower"
            return unmeasured(
                guardrail, f"{better} {delta.metric.name} is better, the guardrail says otherwise"
            )
        return guardrail_outcome(guardrail, delta, 1 - 2 * alpha)
    except HokusaiError as problem:
        return unmeasured(guardrail, problem.what)


def _delta(pair: Pair, guardrail: Guardrail, confidence: float) -> MetricDelta:
    rows: Any = slice(None)
    if guardrail.slice is not None:
        rows = inside(pair.rows, *guardrail.slice)
    units = None if pair.rows.units is None else pair.rows.units[rows]
    name = common_metric_name(guardrail.metric)
    if name in pair.scorers:
        old, new = (one.part(rows) for one in pair.scored)
        return scorer_delta(
            pair.scorers[name],
            old,
            new,
            confidence=confidence,
            units=units,
            seed=pair.seed,
            drawn=pair.drawn.get(name) if guardrail.slice is None else None,
        )
    if name == BRIER:
        return brier_delta(pair, confidence, rows, units)
    spec = find_metric_spec(name)
    if spec is None:
        known = ", ".join([*pair.scorers, LATENCY, SIZE])
        raise MetricError(f"there is no such metric and no such scorer; there are {known}")
    if spec.task is not pair.rows.task:
        raise MetricError(f"it is a metric of {spec.task.value}, and this is {pair.rows.task.value}")
    compared = pair.compare(part_of(pair.answers, rows), confidence, units)
    found = next((delta for delta in compared.deltas if delta.metric.name == spec.name), None)
    if found is None:
        raise MetricError("it cannot be computed on these rows")
    return found


def _size(pair: Pair, guardrail: Guardrail) -> GuardrailOutcome:
    if guardrail.slice is not None:
        return unmeasured(guardrail, "a model has one size, whatever the rows")
    for model in pair.models:
        if model.size_bytes is None:
            return unmeasured(
                guardrail, f"the size of {model.name} is not known, because it cannot be stored"
            )
    old, new = (float(model.size_bytes or 0) for model in pair.models)
    change = guardrail.direction * (new - old)
    return outcome_of(guardrail, baseline=old, change=change, bound=change)


def _time(pair: Pair, guardrail: Guardrail, alpha: float) -> GuardrailOutcome:
    if guardrail.slice is not None:
        return unmeasured(guardrail, "time is measured over all rows")
    if guardrail.direction > 0:
        return unmeasured(guardrail, "less time is better, the guardrail says otherwise")
    if pair.latency is None:
        return unmeasured(guardrail, "the models were not timed")
    old, new = pair.latency
    found = median_increase(old.samples, new.samples, alpha)
    if found is None:
        return unmeasured(
            guardrail,
            f"{len(old.samples)} rounds are too few for a bound at alpha {alpha:g}; allow more time",
        )
    change, bound = found
    return outcome_of(guardrail, baseline=old.row.p50, change=-change, bound=-bound)
