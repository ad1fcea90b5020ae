"""Log metrics by their conventional names, to wherever this installation keeps them.

    log_model_metrics({"accuracy": 0.89, "latency_ms": 15.2})     # model:accuracy, model:latency_ms

Names and values are checked before anything is written, so a typo or a NaN is an error where it is made and
not a gap in a dashboard weeks later. The convention itself is in `metric_names`. This module knows no store:
it talks to a `MetricSink`, and `hokusai.wiring` plugs in the one that the settings choose.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Protocol, TypedDict

from hokusai.errors import HokusaiError
from hokusai.utils.default import Default
from hokusai.utils.logging import get_logger
from hokusai.utils.metric_names import (
    METRIC_NAME_PATTERN,
    STANDARD_METRICS,
    MetricCategory,
    MetricValidationError,
    format_metric_name,
    migrate_metric_name,
    original_metric_name,
    parse_metric_name,
    stored_metric_name,
    validate_metric_name,
)

__all__ = [
    "log_model_metrics",
    "log_pipeline_metrics",
    "log_usage_metrics",
    "MetricLogger",
    "MetricSink",
    "MetricSummary",
    "MetricCategory",
    "MetricValidationError",
    "METRIC_NAME_PATTERN",
    "STANDARD_METRICS",
    "validate_metric_name",
    "validate_metric_value",
    "parse_metric_name",
    "format_metric_name",
    "migrate_metric_name",
    "stored_metric_name",
    "original_metric_name",
    "default_sink",
    "provide_sink",
]

_log = get_logger(__name__)


class MetricSink(Protocol):
    """Where measured numbers go, and where they are read back from."""

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        *,
        step: int = 0,
        run_id: str | None = None,
        notes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """Record numbers by metric name.

        Args:
            metrics: Checked names and finite values.
            step: Position in each metric's history.
            run_id: The run that they belong to. Without one the sink decides, and stays with its decision.
            notes: What is to be remembered about a metric, by metric name.

        Returns:
            The id of the run that holds them.

        Raises:
            NotFoundError: There is no run `run_id`.
            MetricError: The store refuses a name or value.
            BackendUnavailableError: The store cannot be reached.
        """
        ...

    def get_metrics(self, run_id: str) -> dict[str, float]:
        """The latest value of each metric of a run, by metric name.

        Raises:
            NotFoundError: There is no run `run_id`.
            BackendUnavailableError: The store cannot be reached.
        """
        ...


class MetricSummary(TypedDict):
    """One metric over several measurements."""

    mean: float
    min: float
    max: float
    median: float
    count: int


def log_model_metrics(
    metrics: Mapping[str, float],
    *,
    step: int | None = None,
    run_id: str | None = None,
    raise_on_error: bool = True,
    sink: MetricSink | None = None,
) -> str | None:
    """Log how well a model does; names get the prefix `model:` unless they have it.

    Args:
        metrics: Finite numbers by name.
        step: Position in each metric's history; 0 if not given.
        run_id: The run to log to. By default the active MLflow run, else one run of this process.
        raise_on_error: False logs a warning instead of raising, and logs those metrics that are valid.
        sink: Where to log to; by default what the settings choose.

    Returns:
        The id of the run that holds the metrics, or None if nothing was logged.

    Raises:
        MetricValidationError: A name or value breaks the convention; nothing was logged.
        BackendUnavailableError: The store cannot be reached.
    """
    logger = MetricLogger(sink=sink)
    return logger._log(metrics, MetricCategory.MODEL, step=step, raise_on_error=raise_on_error, run_id=run_id)


def log_pipeline_metrics(
    metrics: Mapping[str, float],
    *,
    step: int | None = None,
    run_id: str | None = None,
    raise_on_error: bool = True,
    sink: MetricSink | None = None,
) -> str | None:
    """Log how a pipeline run went, as `pipeline:…`; see `log_model_metrics`."""
    logger = MetricLogger(sink=sink)
    return logger._log(
        metrics, MetricCategory.PIPELINE, step=step, raise_on_error=raise_on_error, run_id=run_id
    )


def log_usage_metrics(
    metrics: Mapping[str, float],
    *,
    step: int | None = None,
    run_id: str | None = None,
    raise_on_error: bool = True,
    sink: MetricSink | None = None,
) -> str | None:
    """Log how people respond to a model, as `usage:…`; see `log_model_metrics`."""
    logger = MetricLogger(sink=sink)
    return logger._log(metrics, MetricCategory.USAGE, step=step, raise_on_error=raise_on_error, run_id=run_id)


class MetricLogger:
    """Checks metrics against the convention and logs them.

    Args:
        allow_legacy_names: Let names through that break the convention, with one warning each, so that an
            older code base can move name by name.
        sink: Where to log to; by default what the settings choose, at each call.
    """

    def __init__(self, allow_legacy_names: bool = False, *, sink: MetricSink | None = None) -> None:
        self.allow_legacy_names = allow_legacy_names
        self._sink = sink
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"MetricLogger(allow_legacy_names={self.allow_legacy_names}, sink={self._sink or 'default'})"

    def log_metric(
        self,
        name: str,
        value: float,
        step: int | None = None,
        raise_on_error: bool = True,
        *,
        run_id: str | None = None,
    ) -> str | None:
        """Log one metric under the name as given; see `log_model_metrics` for the arguments."""
        return self._log({name: value}, step=step, raise_on_error=raise_on_error, run_id=run_id)

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        step: int | None = None,
        raise_on_error: bool = True,
        *,
        run_id: str | None = None,
    ) -> str | None:
        """Log several metrics in one write; see `log_model_metrics` for the arguments."""
        return self._log(metrics, step=step, raise_on_error=raise_on_error, run_id=run_id)

    def log_metric_with_metadata(
        self,
        name: str,
        value: float,
        metadata: Mapping[str, object],
        step: int | None = None,
        raise_on_error: bool = True,
        *,
        run_id: str | None = None,
    ) -> str | None:
        """Log one metric together with facts about it, such as the data set that it was measured on.

        The facts stay with the run, one set per metric: a later call for the same metric replaces them.
        """
        facts = {str(key): str(fact) for key, fact in metadata.items()}
        return self._log({name: value}, step=step, raise_on_error=raise_on_error, run_id=run_id, facts=facts)

    def get_metrics_by_prefix(self, run_id: str, prefix: MetricCategory | str) -> dict[str, float]:
        """The metrics of a run whose names begin with `prefix`, or that are in that category.

        Raises:
            NotFoundError: There is no run `run_id`.
            BackendUnavailableError: The store cannot be reached.
        """
        start = f"{prefix}:" if isinstance(prefix, MetricCategory) else prefix
        found = (self._sink or default_sink()).get_metrics(run_id)
        return {name: found[name] for name in sorted(found) if name.startswith(start)}

    @staticmethod
    def aggregate_metrics(measurements: Iterable[Mapping[str, float]]) -> dict[str, MetricSummary]:
        """Summarise several sets of metrics, for example one a fold, by metric name.

        Raises:
            MetricValidationError: A value is not a finite number.

        >>> MetricLogger.aggregate_metrics([{"model:auroc": 0.5}, {"model:auroc": 1.0}])
        {'model:auroc': {'mean': 0.75, 'min': 0.5, 'max': 1.0, 'median': 0.75, 'count': 2}}
        """
        from statistics import fmean, median  # brings decimal and fractions along

        by_name: dict[str, list[float]] = {}
        for metrics in measurements:
            for name, value in metrics.items():
                by_name.setdefault(name, []).append(_checked_value(name, value))
        return {
            name: MetricSummary(
                mean=fmean(values),
                min=min(values),
                max=max(values),
                median=median(values),
                count=len(values),
            )
            for name, values in sorted(by_name.items())
        }

    def _log(
        self,
        metrics: Mapping[str, float],
        category: MetricCategory | None = None,
        *,
        step: int | None,
        raise_on_error: bool,
        run_id: str | None,
        facts: Mapping[str, str] | None = None,
    ) -> str | None:
        usable: dict[str, float] = {}
        for name, value in metrics.items():
            try:
                self._add(usable, self._full_name(category, name), value)
            except MetricValidationError as problem:
                if raise_on_error:
                    raise
                _log.warning("metric not logged", metric=str(name), reason=str(problem))
        if not usable:
            return None
        notes = dict.fromkeys(usable, facts) if facts else None
        try:
            sink = self._sink or default_sink()
            return sink.log_metrics(usable, step=step or 0, run_id=run_id, notes=notes)
        except HokusaiError as problem:
            if raise_on_error:
                raise
            _log.warning("metrics not logged", metrics=sorted(usable), reason=str(problem))
            return None

    @staticmethod
    def _add(usable: dict[str, float], name: str, value: float) -> None:
        number = _checked_value(name, value)
        if name in usable:
            raise MetricValidationError(f"The metric {name!r} is given twice")
        usable[name] = number

    def _full_name(self, category: MetricCategory | None, name: str) -> str:
        legacy = isinstance(name, str) and name.strip() != "" and not validate_metric_name(name)
        if not (legacy and self.allow_legacy_names):
            return format_metric_name(category, name)
        if name not in self._warned:
            self._warned.add(name)
            _log.warning("metric name breaks the convention", metric=name)
        return name


def validate_metric_value(value: object) -> bool:
    """Whether `value` is a finite real number; NaN, infinities, bools and text are not.

    >>> [validate_metric_value(value) for value in (0.5, 3, float("nan"), True, "0.5")]
    [True, True, False, False, False]
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of a float
        return False


default_sink = Default[[], MetricSink](
    "There is nowhere to log metrics to",
    "Import hokusai.wiring, which plugs in what the settings choose, or pass sink=….",
)
"""Where metrics go when no sink is given; asked for at each call."""
provide_sink = default_sink.provide


def _checked_value(name: str, value: float) -> float:
    if not validate_metric_value(value):
        raise MetricValidationError(
            f"The metric {name!r} has the value {value!r}, which is not a finite number",
            hint="Give an int or a float; of an array or tensor, its .item().",
        )
    return float(value)
