"""An improvement as somebody reports it: metrics before and after, and whose data it was. Nobody has measured it here.

The numbers arrive as text and floats of other people's programs. They are taken as the decimal numbers that they print
as, so that 0.88 - 0.85 is 0.03. Without rows there is no telling how sure they are, and nothing here pretends to.

>>> report = ReportedImprovement.of(
...     {"accuracy": 0.85, "log_loss": 0.5}, {"accuracy": 0.88, "log_loss": 0.4}, {"contributor": "ann", "samples": 10}
... )
>>> report.delta
{'accuracy': 0.03, 'log_loss': -0.1}
>>> report.delta_one, [metric.improved for metric in report.metrics]
(Fraction(3, 100), [True, True])
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hokusai.domain.metrics import Scale, common_metric_name, find_metric_spec, metric_direction
from hokusai.domain.reported_contribution import ReportedContribution
from hokusai.errors import MetricError


@dataclass(frozen=True, slots=True)
class ReportedMetric:
    """One metric before and after.

    Attributes:
        name: As it was reported.
        baseline: Value of the baseline model, exactly.
        new: Value of the improved model.
        higher_is_better: Which way is better.
        scale: How its change becomes a fraction; None where that is not known, and it stays out of DeltaOne.
    """

    name: str
    baseline: Fraction
    new: Fraction
    higher_is_better: bool
    scale: Scale | None

    @property
    def delta(self) -> Fraction:
        """New minus baseline, in the metric's own unit."""
        return self.new - self.baseline

    @property
    def improved(self) -> bool:
        """Whether it changed for the better."""
        return self.delta > 0 if self.higher_is_better else self.delta < 0

    @property
    def gain(self) -> Fraction | None:
        """Direction-aware, unit-free change, as DeltaOne averages it; None where there is none."""
        better = self.delta if self.higher_is_better else -self.delta
        if self.scale is not Scale.TARGET_UNITS:
            return better if self.scale else None
        if self.baseline:
            return better / abs(self.baseline)
        return Fraction((better > 0) - (better < 0))  # from no error at all: all of it


@dataclass(frozen=True, slots=True)
class ReportedImprovement:
    """Metrics before and after, and the data that is said to have done it. Make one with `of`.

    Attributes:
        metrics: In the order in which the baseline's were reported.
        contribution: The data.
    """

    metrics: tuple[ReportedMetric, ...]
    contribution: ReportedContribution

    @classmethod
    def of(
        cls,
        baseline_metrics: Mapping[str, float],
        improved_metrics: Mapping[str, float],
        data_contribution: Mapping[str, Any],
        *,
        higher_is_better: Mapping[str, bool] | None = None,
    ) -> ReportedImprovement:
        """Read a report.

        Args:
            baseline_metrics: Name to value of the baseline model. Shares are fractions: 0.85, not 85.
            improved_metrics: Likewise of the improved model; the same metrics, by any of their names.
            data_contribution: As `ReportedContribution.of` takes it.
            higher_is_better: Which way is better, of metrics whose name does not say it.

        Raises:
            MetricError: No metrics, one that is on one side only or there twice, a value that is no finite number or
                cannot be one of its metric, or a metric of which nobody knows which way is better.
            InvalidInputError: As `ReportedContribution.of`.
        """
        old, new = (
            _by_common_name("baseline", baseline_metrics),
            _by_common_name("improved", improved_metrics),
        )
        if old.keys() != new.keys():
            alone = [f"{names[0]!r} is among the {side} metrics only" for side, names in _one_sided(old, new)]
            raise MetricError("; ".join(alone), hint="Give the same metrics of both models.")
        if not old:
            raise MetricError("There are no metrics to compare")
        directions = {common_metric_name(name): way for name, way in (higher_is_better or {}).items()}
        metrics = tuple(
            _metric(name, value, new[common][1], directions.get(common))
            for common, (name, value) in old.items()
        )
        return cls(metrics, ReportedContribution.of(data_contribution))

    @property
    def delta(self) -> dict[str, float]:
        """Metric to new minus baseline, in the metric's own unit."""
        return {metric.name: float(metric.delta) for metric in self.metrics}

    @property
    def weights(self) -> dict[str, Fraction]:
        """Metric to its weight in DeltaOne: the same for each that has a gain."""
        names = [metric.name for metric in self.metrics if metric.gain is not None]
        return {name: Fraction(1, len(names)) for name in names}

    @property
    def delta_one(self) -> Fraction | None:
        """The weighted average of the gains, a fraction; None where no metric has one."""
        weights = self.weights
        if not weights:
            return None
        return sum((weights[m.name] * m.gain for m in self.metrics if m.gain is not None), Fraction(0))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know before using it."""
        left_out = sorted(metric.name for metric in self.metrics if metric.gain is None)
        told = (
            [f"{', '.join(left_out)}: no part of DeltaOne, since nothing tells the unit"] if left_out else []
        )
        return (*told, *self.contribution.warnings)


def exact_decimal(name: str, value: object) -> Fraction:
    """A reported number as the decimal number that it prints as.

    Raises:
        MetricError: It is no finite number; a truth value and a text are none.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise MetricError(f"The metric {name!r} is {value!r}, which is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MetricError(
            f"The metric {name!r} is {number}",
            hint="Only finite numbers can be compared; leave out what could not be measured.",
        )
    return Fraction(str(value))  # numpy's numbers too print the shortest decimal that is theirs


def _by_common_name(side: str, given: object) -> dict[str, tuple[str, Fraction]]:
    """Common name to (name as given, value)."""
    if not isinstance(given, Mapping):
        raise MetricError(
            f"The {side} metrics are {type(given).__name__}, and a dict of name to number was expected"
        )
    found: dict[str, tuple[str, Fraction]] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise MetricError(f"A metric's name is {name!r}", where=f"{side} metrics", hint="Give it a name.")
        common = common_metric_name(name)
        if common in found:
            raise MetricError(f"{found[common][0]!r} and {name!r} are one metric", where=f"{side} metrics")
        found[common] = (name, exact_decimal(name, value))
    return found


def _one_sided(
    old: Mapping[str, tuple[str, Fraction]], new: Mapping[str, tuple[str, Fraction]]
) -> Iterator[tuple[str, tuple[str, Fraction]]]:
    yield from (("baseline", named) for common, named in old.items() if common not in new)
    yield from (("improved", named) for common, named in new.items() if common not in old)


def _metric(name: str, old: Fraction, new: Fraction, told: bool | None) -> ReportedMetric:
    spec = find_metric_spec(name)
    direction = metric_direction(name)
    if told is not None and direction is not None and told != (direction > 0):
        raise MetricError(
            f"Of {name!r}, {'higher' if direction > 0 else 'lower'} is better, and the opposite was said",
            where="higher_is_better",
        )
    if told is None and direction is None:
        raise MetricError(
            f"Nothing tells whether a higher {name!r} is better",
            where="higher_is_better",
            hint=f"Say it: higher_is_better={{{name!r}: True}} or False.",
        )
    if spec is not None:
        for value in (old, new):
            _check_range(name, value, spec.scale, signed=spec.name == "r2")
    better = direction > 0 if direction is not None else bool(told)
    return ReportedMetric(name, old, new, better, spec.scale if spec else None)


def _check_range(name: str, value: Fraction, scale: Scale, *, signed: bool) -> None:
    if scale is Scale.SHARE and value > 1:
        hint = (
            f"Give a fraction, not per cent: {float(value / 100):g}." if value <= 100 else "Give a fraction."
        )
        raise MetricError(f"The metric {name!r} is {float(value):g}, and cannot be above 1", hint=hint)
    if value < 0 and not signed:
        raise MetricError(f"The metric {name!r} is {float(value):g}, and cannot be below 0")
