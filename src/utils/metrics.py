"""Metric logging under the platform's naming convention; an alias of `hokusai.utils.metrics`.

Importing it plugs in the store that the settings choose: the embedded MLflow database unless
`MLFLOW_TRACKING_URI` says otherwise.
"""

import hokusai.wiring  # noqa: F401 - plugs in where metrics go
from hokusai.utils.metrics import (
    METRIC_NAME_PATTERN,
    STANDARD_METRICS,
    MetricCategory,
    MetricLogger,
    MetricValidationError,
    format_metric_name,
    log_model_metrics,
    log_pipeline_metrics,
    log_usage_metrics,
    migrate_metric_name,
    parse_metric_name,
    validate_metric_name,
    validate_metric_value,
)

__all__ = [
    "log_model_metrics",
    "log_pipeline_metrics",
    "log_usage_metrics",
    "MetricLogger",
    "MetricCategory",
    "MetricValidationError",
    "METRIC_NAME_PATTERN",
    "STANDARD_METRICS",
    "validate_metric_name",
    "validate_metric_value",
    "parse_metric_name",
    "format_metric_name",
    "migrate_metric_name",
]
