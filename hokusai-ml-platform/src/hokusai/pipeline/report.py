"""The report for people: one HTML file that needs nothing else, with the delta, the data's path, the credit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from hokusai.domain.attribution import Attribution, AttributionMethod
from hokusai.domain.contribution import Contribution
from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison, Interval, MetricDelta
from hokusai.domain.metrics import Scale
from hokusai.domain.model import ModelArtifact
from hokusai.utils.text import printable

_PLOT_LEFT, _PLOT_RIGHT = 120.0, 610.0


@dataclass(frozen=True, slots=True)
class _PlotRow:
    """One metric's place in the plot, in its coordinates."""

    name: str
    low: float
    at: float
    high: float
    tone: str
    text: str


def render_report(
    *,
    run_id: str,
    timestamp: str,
    comparison: Comparison,
    baseline: ModelArtifact,
    new: ModelArtifact,
    contributions: Sequence[Contribution],
    attribution: Attribution,
    decision: Decision,
    benchmark: Mapping[str, Any],
    quality: Sequence[tuple[str, str]],
    statement_digest: str,
    warnings: Sequence[str],
    dry_run: bool,
) -> str:
    """The report as HTML; everything that comes from outside is escaped."""
    from jinja2 import Environment, StrictUndefined

    zero, rows = _plot(comparison)
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: printable(value) if isinstance(value, str) else value,
    )
    template = environment.from_string(
        files("hokusai.pipeline").joinpath("report.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        run_id=run_id,
        timestamp=timestamp,
        comparison=comparison,
        baseline=baseline,
        new=new,
        contributions=contributions,
        attribution=attribution,
        decision=decision,
        method=method_sentence(attribution),
        benchmark=benchmark,
        quality=quality,
        statement_digest=statement_digest,
        warnings=warnings,
        dry_run=dry_run,
        headline=percentage_points(comparison.delta_one),
        verdict=verdict(comparison),
        zero=zero,
        rows=rows,
        row_tones={row.name: row.tone for row in rows},
        relative=[d.metric.name for d in comparison.deltas if d.metric.scale is Scale.TARGET_UNITS],
        positive_class=positive_class(comparison),
        weights={name: f"{float(weight):.3g}" for name, weight in comparison.weights.items()},
        pp=percentage_points,
        p=_p_value,
        num=number,
        tone=_tone,
    )


def method_sentence(attribution: Attribution) -> str:
    """How credit was worked out, for people."""
    trained = f"{attribution.evaluations:,} coalitions of contributors"
    times = "" if attribution.seeds == 1 else f", each with {attribution.seeds} seeds"
    match attribution.method:
        case AttributionMethod.SHAPLEY:
            return f"Shapley values: models were trained on all {trained}{times}."
        case AttributionMethod.SHAPLEY_MONTE_CARLO:
            error = percentage_points(attribution.sampling_error or 0.0)
            return (
                f"Shapley values over sampled orders: models were trained on {trained}{times}; sampling leaves an "
                f"error of up to {error}."
            )
        case AttributionMethod.LEAVE_ONE_OUT:
            return "Leave one out: what is lost without each. Duplicates of one another earn nothing."
        case AttributionMethod.PROPORTIONAL:
            return "Proportional to the rows used: how much was given, not how much it was worth."


def percentage_points(fraction: float) -> str:
    """A fraction for people.

    >>> percentage_points(0.0332)
    '+3.32 pp'
    """
    return f"{100 * fraction:+.2f} pp"


def number(value: float, sign: str = "-") -> str:
    """A number for people: four decimals, or as many digits as tell it apart; `sign` "+" shows both signs.

    >>> number(0.88401), number(57.1234), number(12345.6), number(0.25, "+"), number(0.00001234)
    ('0.8840', '57.12', '12,346', '+0.2500', '1.234e-05')
    """
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e9):
        return f"{value:{sign}.3e}"
    decimals = 4 if size < 10 else max(0, 3 - int(math.log10(size)))
    return f"{value:{sign},.{decimals}f}"


def verdict(comparison: Comparison) -> str:
    """What the numbers say, in one sentence."""
    if comparison.significant:
        return "The new model is better: the whole interval lies above zero."
    if comparison.significantly_worse:
        return "The new model is worse: the whole interval lies below zero."
    if comparison.delta_one > 0:
        return "The new model may be better, but the difference is within the noise of this benchmark."
    if comparison.delta_one < 0:
        return "The new model may be worse, but the difference is within the noise of this benchmark."
    return "There is no difference."


def positive_class(comparison: Comparison) -> str | None:
    """The class that precision, recall and F1 are about, where there are two classes."""
    counts = comparison.counts
    return None if counts is None or counts.positive is None else counts.classes[counts.positive]


def _plot(comparison: Comparison) -> tuple[float, list[_PlotRow]]:
    gains = [_gain_interval(delta) for delta in comparison.deltas]
    entries = [
        *((d.metric.name, d.gain, interval) for d, interval in zip(comparison.deltas, gains, strict=True)),
        ("DeltaOne", comparison.delta_one, comparison.interval),
    ]
    reach = max(max(abs(i.low), abs(i.high)) for _, _, i in entries) or 1.0
    middle, half = (_PLOT_LEFT + _PLOT_RIGHT) / 2, (_PLOT_RIGHT - _PLOT_LEFT) / 2 - 10

    def place(value: float) -> float:
        return round(middle + half * value / reach, 1)

    rows = [
        _PlotRow(
            name,
            place(interval.low),
            place(gain),
            place(interval.high),
            _tone(gain, interval),
            percentage_points(gain),
        )
        for name, gain, interval in entries
    ]
    return middle, rows


def _gain_interval(delta: MetricDelta) -> Interval:
    """The interval of a metric's gain: direction-aware, and relative for a metric in target units."""
    unit = abs(delta.baseline_value) if delta.metric.scale is Scale.TARGET_UNITS else 1.0
    ends = sorted(
        delta.metric.direction * end / (unit or 1.0) for end in (delta.interval.low, delta.interval.high)
    )
    return Interval(ends[0], ends[1], delta.interval.confidence)


def _tone(gain: float, interval: Interval | None = None) -> str:
    low, high = (interval.low, interval.high) if interval else (gain, gain)
    return "good" if low > 0 else "bad" if high < 0 else "even"


def _p_value(value: float) -> str:
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"
