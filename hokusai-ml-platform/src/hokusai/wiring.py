"""Settings in, adapters out: the one answer to "what runs in production?".

No other module names an adapter. Importing this one plugs the defaults into the places that work without
being told where to (`hokusai.utils.metrics`); it loads no adapter and reads no setting until it is asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hokusai.utils import metrics

if TYPE_CHECKING:
    from hokusai.ports import MetricSink
    from hokusai.utils.config import Settings


def metric_sink(settings: Settings) -> MetricSink:
    """Where metrics go: MLflow. Equal settings give the same sink, hence the same run."""
    return _mlflow_metric_sink(settings.mlflow_uri, settings.experiment_name, settings.artifact_location)


@lru_cache(maxsize=16)
def _mlflow_metric_sink(uri: str, experiment_name: str, artifact_location: str | None) -> MetricSink:
    from hokusai.adapters.mlflow_metrics import MlflowMetricSink

    return MlflowMetricSink(uri, experiment_name, artifact_location)


def _metric_sink_of_the_environment() -> MetricSink:
    from hokusai.utils.config import Settings

    return metric_sink(Settings.load())


metrics.provide_sink(_metric_sink_of_the_environment)
