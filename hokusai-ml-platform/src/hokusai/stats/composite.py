"""Weights, and DeltaOne: the weighted average of the gains with one standard error for the whole sum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hokusai.domain.metrics import MetricSpec, Task, metric_spec, metrics_for
from hokusai.errors import MetricError
from hokusai.stats.measured import Measured, standard_error, weighted_influence
from hokusai.stats.wald import Inference, infer

Weight = float | Fraction | Decimal
"""A number that is not negative; integers included."""


@dataclass(frozen=True, slots=True)
class DeltaOne:
    """The weighted average of the gains.

    Attributes:
        value: A fraction; 0.01 is one percentage point.
        exact: The same as an exact fraction, where every weighted metric has one.
        sure: Its standard error, interval and p-value.
    """

    value: float
    exact: Fraction | None
    sure: Inference


def task_metric(name: str, task: Task) -> MetricSpec:
    """The metric called `name`, which must be one of `task`'s.

    Raises:
        MetricError: No such metric, or one of the other task.
    """
    spec = metric_spec(name)
    if spec.task is not task:
        known = ", ".join(s.name for s in metrics_for(task))
        raise MetricError(
            f"{name!r} is a {spec.task} metric, the task is {task}", hint=f"Choose from: {known}."
        )
    return spec


def parse_weights(weights: Mapping[str, Weight], task: Task) -> dict[str, Fraction]:
    """The weights by metric name, zeros left out, as exact fractions that sum to exactly 1.

    A float stands for the decimal number that it prints as: 0.1 is 1/10.

    Raises:
        MetricError: An unknown or repeated metric, a weight that is negative or no finite number, or none
            above zero.

    >>> {k: str(v) for k, v in parse_weights({"f1_score": 0.1, "accuracy": 0.3}, Task.CLASSIFICATION).items()}
    {'f1': '1/4', 'accuracy': '3/4'}
    """
    parsed: dict[str, Fraction] = {}
    for name, weight in weights.items():
        metric = task_metric(name, task).name
        if metric in parsed:
            raise MetricError(f"The metric {metric!r} has two weights, one of them under the name {name!r}")
        parsed[metric] = _exact_weight(name, weight)
    total = sum(parsed.values(), Fraction(0))
    if not total:
        raise MetricError("No metric has a weight above zero", hint='Give at least one, such as {"f1": 1}.')
    return {metric: weight / total for metric, weight in parsed.items() if weight}


def equal_weights(measured: Sequence[Measured]) -> dict[str, Fraction]:
    """The same weight for every metric."""
    return {m.metric.name: Fraction(1, len(measured)) for m in measured}


def delta_one(measured: Sequence[Measured], weights: Mapping[str, Fraction], confidence: float) -> DeltaOne:
    """The weighted average of the gains of the metrics that `weights` names, all of which are in `measured`.

    Its influences are the weighted sums of the metrics' own, which takes care of covariances. Errors that the
    influences know nothing of (`Measured.gain_unestimated`) are added in full, which is the most that any
    correlation could make of them. With a single weighted metric, DeltaOne is that metric's gain and takes
    over its p-value where that comes from a better test than Wald's. Where any of the metrics has Student's degrees
    of freedom, so has DeltaOne.
    """
    parts = [(weights[m.metric.name], m) for m in measured if m.metric.name in weights]
    gains = [(weight, m.exact_gain) for weight, m in parts]
    exact: Fraction | None = Fraction(0)
    for weight, gain in gains:
        exact = None if exact is None or gain is None else exact + weight * gain
    value = float(exact) if exact is not None else math.fsum(float(w) * m.gain for w, m in parts)
    influence = weighted_influence([(float(weight), m) for weight, m in parts])
    sure = infer(
        value,
        standard_error(influence) + math.fsum(float(w) * m.gain_unestimated for w, m in parts),
        confidence=confidence,
        p_value=parts[0][1].p_value if len(parts) == 1 else None,
        size=math.fsum(float(w) * m.gain_size for w, m in parts),
        freedom=next((m.freedom for _, m in parts if m.freedom is not None), None),
    )
    return DeltaOne(value, exact, sure)


def _exact_weight(name: str, weight: Weight) -> Fraction:
    try:
        exact = Fraction(str(weight))  # a float's shortest decimal text; numpy's numbers print the same way
    except (ValueError, ZeroDivisionError):
        raise MetricError(
            f"The weight of {name!r} is not a finite number: {weight!r}",
            hint="Weights are numbers, zero or more.",
        ) from None
    if exact < 0:
        raise MetricError(f"The weight of {name!r} is negative: {weight}", hint="Weights are zero or more.")
    return exact
