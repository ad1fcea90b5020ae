"""The metric naming convention: one spelling for each number, whoever measures it.

A dashboard, a contract and a comparison of two models all find a metric by its name, so a name that drifts
(`F1`, `f1-score`, `model_f1`) is a metric that is lost. A name is `category:base`, for example
`model:f1_score`; the category may be missing. MLflow up to 2.15, and every MLflow on Windows, refuses the
colon: there a name is stored with a slash in its place, which no valid name contains, so nothing is lost.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from hokusai.errors import MetricError

METRIC_NAME_PATTERN: Final = r"^([a-z]+:)?[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
"""The specification's pattern; the whole name has to match it."""

_NAME = re.compile(METRIC_NAME_PATTERN)
_CATEGORY = re.compile(r"[a-z]+")


class MetricCategory(StrEnum):
    """What a metric is about. The pattern allows other categories too; these have a meaning here."""

    USAGE = "usage"
    """How people respond to what the model does."""
    MODEL = "model"
    """How well, and how fast, a model predicts."""
    PIPELINE = "pipeline"
    """How a pipeline run went."""
    CUSTOM = "custom"
    """Anything particular to one use."""


STANDARD_METRICS: Final[dict[str, str]] = {
    "usage:reply_rate": "Share of messages that got a reply, in [0, 1]",
    "usage:conversion_rate": "Share of users who did what was hoped for, in [0, 1]",
    "usage:engagement_rate": "Share of users who interacted at all, in [0, 1]",
    "usage:click_through_rate": "Share of impressions that were clicked, in [0, 1]",
    "usage:retention_rate": "Share of users who came back, in [0, 1]",
    "model:accuracy": "Share of rows predicted correctly, in [0, 1]",
    "model:precision": "Share of positive predictions that are right, in [0, 1]",
    "model:recall": "Share of positive rows that were found, in [0, 1]",
    "model:f1_score": "Harmonic mean of precision and recall, in [0, 1]",
    "model:auroc": "Area under the ROC curve, in [0, 1]",
    "model:latency_ms": "Time for one prediction, in milliseconds",
    "model:throughput_qps": "Predictions a second",
    "pipeline:data_processed": "Number of rows processed",
    "pipeline:success_rate": "Share of runs or items that succeeded, in [0, 1]",
    "pipeline:duration_seconds": "Wall time, in seconds",
    "pipeline:memory_usage_mb": "Peak memory, in megabytes",
    "pipeline:error_rate": "Share of runs or items that failed, in [0, 1]",
    "custom:metric": "A placeholder for a metric particular to one use",
}
"""The predefined metrics, each with what it measures and its unit."""

_MIGRATIONS: Final[dict[str, str]] = {
    "accuracy": "model:accuracy",
    "precision": "model:precision",
    "recall": "model:recall",
    "f1_score": "model:f1_score",
    "f1": "model:f1_score",
    "auc": "model:auroc",
    "auroc": "model:auroc",
    "latency": "model:latency_ms",
    "reply_rate": "usage:reply_rate",
    "conversion_rate": "usage:conversion_rate",
    "processing_time": "pipeline:duration_seconds",
    "duration": "pipeline:duration_seconds",
}


class MetricValidationError(MetricError):
    """A metric's name or value breaks the convention; the text shows a spelling that would do."""

    code = "metric_convention"


def validate_metric_name(name: object) -> bool:
    r"""Whether `name` follows the convention.

    >>> [validate_metric_name(name) for name in ("model:accuracy", "accuracy", "F1 Score", "accuracy\n")]
    [True, True, False, False]
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def parse_metric_name(name: str) -> tuple[str | None, str]:
    """Split a name into its category, or None, and its base.

    Raises:
        MetricValidationError: The name does not follow the convention.

    >>> parse_metric_name("model:accuracy")
    ('model', 'accuracy')
    >>> parse_metric_name("accuracy")
    (None, 'accuracy')
    """
    category, colon, base = checked_metric_name(name).rpartition(":")
    return (category if colon else None), base


def format_metric_name(category: MetricCategory | str | None, name: str) -> str:
    """The full name of metric `name` in `category`; the inverse of `parse_metric_name`.

    A name that already carries this very category is returned as it is.

    Raises:
        MetricValidationError: The result would not follow the convention, or `name` is in another category.

    >>> format_metric_name(MetricCategory.MODEL, "accuracy")
    'model:accuracy'
    >>> format_metric_name("model", "model:accuracy")
    'model:accuracy'
    """
    if category is None:
        return checked_metric_name(name)
    if not _CATEGORY.fullmatch(category):
        raise MetricValidationError(
            f"{str(category)!r} cannot be a metric category",
            hint="A category is made of lower-case letters, for example 'model'.",
        )
    own, base = parse_metric_name(name)
    if own not in (None, category):
        raise MetricValidationError(
            f"The metric {name!r} belongs to {own!r}, not to {str(category)!r}",
            hint=f"Log it as a metric of {own!r}, or drop the prefix.",
        )
    return f"{category}:{base}"


def migrate_metric_name(name: str) -> str:
    """The conventional name for an older one; any name that is not a known older one is returned unchanged.

    >>> migrate_metric_name("accuracy"), migrate_metric_name("f1"), migrate_metric_name("model:auroc")
    ('model:accuracy', 'model:f1_score', 'model:auroc')
    """
    return _MIGRATIONS.get(name, name)


def stored_metric_name(name: str, colon_allowed: bool = True) -> str:
    """The name under which a metric is stored.

    Args:
        name: A metric name.
        colon_allowed: Whether the store takes `:` in a name. If not, `/` stands for it.

    >>> stored_metric_name("model:accuracy", colon_allowed=False)
    'model/accuracy'
    """
    return name if colon_allowed else name.replace(":", "/", 1)


def original_metric_name(stored: str) -> str:
    """The metric name that `stored_metric_name` stored; a name it cannot have made is returned unchanged.

    A store of ours may also hold names that others wrote, such as `train/loss`; only the caller can know
    whether a slash there is ours (`hokusai.adapters.mlflow_metrics` marks its runs for that).

    >>> original_metric_name("model/accuracy"), original_metric_name("model:accuracy")
    ('model:accuracy', 'model:accuracy')
    """
    original = stored.replace("/", ":", 1)
    return original if validate_metric_name(original) else stored


def checked_metric_name(name: str) -> str:
    """`name` itself, if it follows the convention.

    Raises:
        MetricValidationError: It does not; the hint proposes the nearest name that does.
    """
    if validate_metric_name(name):
        return name
    raise MetricValidationError(
        f"{name!r} is not a metric name: lower case, digits and underscores, as in 'model:f1_score'",
        hint=_suggestion(name),
    )


def _suggestion(name: object) -> str:
    if not isinstance(name, str):
        return "Give the name as text."
    prefix, colon, rest = name.lower().rpartition(":")
    category = re.sub(r"[^a-z]", "", prefix) if colon else ""
    base = re.sub(r"[^a-z0-9_.]+", "_", rest).strip("_.")
    candidate = migrate_metric_name(f"{category}:{base}" if category else base)
    return f"Did you mean {candidate!r}?" if validate_metric_name(candidate) else ""
