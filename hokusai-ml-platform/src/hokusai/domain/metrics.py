"""The metrics that models are compared by: name, direction, and how a change enters DeltaOne.

One table, so that "is lower better?" and "are f1 and f1_score the same?" have one answer everywhere.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from hokusai.errors import MetricError


class Task(StrEnum):
    """What a model predicts."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Scale(StrEnum):
    """How a change in a metric becomes a unit-free fraction that can be averaged with others."""

    SHARE = "share"
    """Already unit-free, at most 1: its absolute change counts."""
    TARGET_UNITS = "target_units"
    """Measured in units of the target: its change relative to the baseline counts."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric that two models can be compared by."""

    name: str
    task: Task
    higher_is_better: bool
    scale: Scale

    @property
    def direction(self) -> int:
        """+1 where higher is better, -1 where lower is better."""
        return 1 if self.higher_is_better else -1


_SPECS = (
    MetricSpec("accuracy", Task.CLASSIFICATION, True, Scale.SHARE),
    MetricSpec("precision", Task.CLASSIFICATION, True, Scale.SHARE),
    MetricSpec("recall", Task.CLASSIFICATION, True, Scale.SHARE),
    MetricSpec("f1", Task.CLASSIFICATION, True, Scale.SHARE),
    MetricSpec("auroc", Task.CLASSIFICATION, True, Scale.SHARE),
    MetricSpec("rmse", Task.REGRESSION, False, Scale.TARGET_UNITS),
    MetricSpec("mae", Task.REGRESSION, False, Scale.TARGET_UNITS),
    MetricSpec("r2", Task.REGRESSION, True, Scale.SHARE),
)
METRICS: dict[str, MetricSpec] = {spec.name: spec for spec in _SPECS}
ALIASES: dict[str, str] = {"f1_score": "f1", "auc": "auroc", "roc_auc": "auroc", "r2_score": "r2"}


def metric_spec(name: str) -> MetricSpec:
    """The metric called `name`, by its own name or an alias.

    Raises:
        MetricError: No such metric; the text suggests the nearest name.

    >>> metric_spec("f1_score").name
    'f1'
    """
    spec = METRICS.get(ALIASES.get(name, name))
    if spec is not None:
        return spec
    near = difflib.get_close_matches(name, [*METRICS, *ALIASES], n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known metrics: {', '.join(METRICS)}."
    raise MetricError(f"No metric is called {name!r}", hint=hint)


def metrics_for(task: Task) -> tuple[MetricSpec, ...]:
    """The metrics that `task` is evaluated by, in reporting order."""
    return tuple(spec for spec in _SPECS if spec.task is task)


def find_metric_spec(name: str) -> MetricSpec | None:
    """The metric called `name`, by its own name, an alias or the convention's full name; None if it is another.

    >>> [spec.name for spec in map(find_metric_spec, ("auc", "model:f1_score", "reply_rate")) if spec]
    ['auroc', 'f1']
    """
    base = name.removeprefix("model:")
    return METRICS.get(ALIASES.get(base, base))


def common_metric_name(name: str) -> str:
    """One spelling for all spellings of a metric; the name of an unknown metric is returned unchanged.

    >>> common_metric_name("f1_score"), common_metric_name("usage:reply_rate")
    ('f1', 'usage:reply_rate')
    """
    spec = find_metric_spec(name)
    return spec.name if spec else name


_LOWER_IS_BETTER = re.compile(
    r"(^|[_.:])(loss|error|errors|mse|rmse|mae|mape|smape|brier|ece|perplexity|latency|duration|cost|wer|cer|"
    r"fpr|fnr|misses|memory|size)([_.]|$)"
)
_HIGHER_IS_BETTER = re.compile(
    r"(^|[_.:])(accuracy|precision|recall|f1|f1_score|auc|auroc|auprc|r2|mcc|kappa|bleu|rouge|ndcg|map|mrr|throughput|"
    r"conversion_rate|reply_rate|engagement_rate|click_through_rate|retention_rate|success_rate)([_.]|$)"
)


def metric_direction(name: str) -> int | None:
    """+1 where higher is better, -1 where lower is better; None where neither a spec nor the name tells.

    >>> [metric_direction(name) for name in ("auc", "val_log_loss", "pipeline:error_rate", "latency_ms", "score")]
    [1, -1, -1, -1, None]
    """
    spec = find_metric_spec(name)
    if spec is not None:
        return spec.direction
    if _LOWER_IS_BETTER.search(name.lower()):
        return -1
    return 1 if _HIGHER_IS_BETTER.search(name.lower()) else None
