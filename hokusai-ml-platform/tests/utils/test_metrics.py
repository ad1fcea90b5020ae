"""Logging metrics through a sink: what is written, and what is refused before anything is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.adapters.memory_metrics import MemoryMetricSink
from hokusai.errors import BackendUnavailableError, ConfigurationError, NotFoundError
from hokusai.utils.metrics import (
    MetricCategory,
    MetricLogger,
    MetricValidationError,
    log_model_metrics,
    log_pipeline_metrics,
    log_usage_metrics,
    provide_sink,
    validate_metric_value,
)


class LostSink:
    """A sink whose server is gone."""

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        *,
        step: int = 0,
        run_id: str | None = None,
        notes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        raise BackendUnavailableError("MLflow cannot be reached", where="http://mlflow:5000")

    def get_metrics(self, run_id: str) -> dict[str, float]:
        raise BackendUnavailableError("MLflow cannot be reached", where="http://mlflow:5000")


@pytest.fixture
def sink() -> MemoryMetricSink:
    return MemoryMetricSink()


@pytest.fixture
def default(sink: MemoryMetricSink) -> Iterator[MemoryMetricSink]:
    """`sink` as the process's default, and what was the default back afterwards."""
    before = provide_sink(lambda: sink)
    yield sink
    provide_sink(before)


class TestConvenience:
    def test_logs_the_examples_of_the_specification(self, default: MemoryMetricSink) -> None:
        run_id = log_model_metrics({"accuracy": 0.89, "f1_score": 0.87, "latency_ms": 15.2})
        log_pipeline_metrics({"duration_seconds": 120.5, "data_processed": 10000, "success_rate": 0.98})
        log_usage_metrics({"reply_rate": 0.1523, "conversion_rate": 0.0821})
        assert run_id is not None
        assert default.get_metrics(run_id) == {
            "model:accuracy": 0.89,
            "model:f1_score": 0.87,
            "model:latency_ms": 15.2,
            "pipeline:duration_seconds": 120.5,
            "pipeline:data_processed": 10000.0,
            "pipeline:success_rate": 0.98,
            "usage:reply_rate": 0.1523,
            "usage:conversion_rate": 0.0821,
        }

    def test_does_not_prefix_twice(self, sink: MemoryMetricSink) -> None:
        run_id = log_model_metrics({"model:accuracy": 0.9}, sink=sink)
        assert run_id and sink.get_metrics(run_id) == {"model:accuracy": 0.9}

    def test_logs_to_the_run_that_is_named(self, sink: MemoryMetricSink) -> None:
        assert log_usage_metrics({"reply_rate": 0.1}, run_id="r1", sink=sink) == "r1"
        assert sink.get_metrics("r1") == {"usage:reply_rate": 0.1}

    def test_of_nothing_logs_nothing(self, sink: MemoryMetricSink) -> None:
        assert log_model_metrics({}, sink=sink) is None

    @pytest.mark.parametrize(
        ("log", "metrics"),
        [
            (log_model_metrics, {"accuracy": 0.9, "usage:reply_rate": 0.1}),
            (log_model_metrics, {"accuracy": 0.9, "F1 Score": 0.1}),
            (log_pipeline_metrics, {"success_rate": 0.9, "duration_seconds": math.nan}),
            (log_usage_metrics, {"reply_rate": 0.9, "usage:reply_rate": 0.8}),
        ],
    )
    def test_logs_nothing_if_one_metric_is_wrong(
        self, log: Callable[..., str | None], metrics: dict[str, float], sink: MemoryMetricSink
    ) -> None:
        with pytest.raises(MetricValidationError):
            log(metrics, run_id="r1", sink=sink)
        with pytest.raises(NotFoundError):
            sink.get_metrics("r1")

    def test_may_skip_what_is_wrong_and_says_so(
        self, sink: MemoryMetricSink, caplog: pytest.LogCaptureFixture
    ) -> None:
        metrics = {"accuracy": 0.9, "F1 Score": 0.1, "recall": math.inf}
        log_model_metrics(metrics, run_id="r1", raise_on_error=False, sink=sink)
        assert sink.get_metrics("r1") == {"model:accuracy": 0.9}
        assert [message.split(" reason=")[0] for message in caplog.messages] == [
            "metric not logged metric='F1 Score'",
            "metric not logged metric='recall'",
        ]


class TestDefaultSink:
    def test_is_missed_with_what_to_do(self, default: MemoryMetricSink) -> None:
        provide_sink(None)
        with pytest.raises(ConfigurationError, match=r"nowhere to log metrics to.*hokusai\.wiring"):
            log_model_metrics({"accuracy": 0.9})

    def test_is_asked_for_at_each_call(self, default: MemoryMetricSink) -> None:
        logger = MetricLogger()
        logger.log_metric("model:accuracy", 0.9, run_id="r1")
        other = MemoryMetricSink()
        provide_sink(lambda: other)
        logger.log_metric("model:accuracy", 0.8, run_id="r1")
        assert default.get_metrics("r1") == {"model:accuracy": 0.9}
        assert other.get_metrics("r1") == {"model:accuracy": 0.8}


class TestMetricLogger:
    def test_logs_a_name_as_it_is(self, sink: MemoryMetricSink) -> None:
        logger = MetricLogger(sink=sink)
        logger.log_metric("accuracy", 0.9, run_id="r1")
        logger.log_metrics({"own:thing.a": 1, "model:recall": 0.5}, run_id="r1")
        assert sink.get_metrics("r1") == {"accuracy": 0.9, "own:thing.a": 1.0, "model:recall": 0.5}

    def test_keeps_the_latest_step(self, sink: MemoryMetricSink) -> None:
        logger = MetricLogger(sink=sink)
        logger.log_metric("model:accuracy", 0.7, 2, run_id="r1")
        logger.log_metric("model:accuracy", 0.6, step=1, run_id="r1")
        assert sink.get_metrics("r1") == {"model:accuracy": 0.7}

    def test_keeps_metadata_with_the_metric(self, sink: MemoryMetricSink) -> None:
        facts = {"dataset": "benchmark_v1", "rows": 1000}
        MetricLogger(sink=sink).log_metric_with_metadata("model:accuracy", 0.9, facts, run_id="r1")
        assert sink.get_metrics("r1") == {"model:accuracy": 0.9}
        assert sink.notes["r1"] == {"model:accuracy": {"dataset": "benchmark_v1", "rows": "1000"}}

    def test_finds_metrics_by_prefix_or_category(self, sink: MemoryMetricSink) -> None:
        logger = MetricLogger(sink=sink)
        logger.log_metrics({"model:recall": 1, "model:accuracy": 2, "models": 3, "usage:x": 4}, run_id="r1")
        model = {"model:accuracy": 2.0, "model:recall": 1.0}
        assert logger.get_metrics_by_prefix("r1", "model:") == model
        assert logger.get_metrics_by_prefix("r1", MetricCategory.MODEL) == model
        assert logger.get_metrics_by_prefix("r1", "model:a") == {"model:accuracy": 2.0}
        assert logger.get_metrics_by_prefix("r1", "pipeline:") == {}

    def test_lets_legacy_names_through_if_told_to_and_warns_once(
        self, sink: MemoryMetricSink, caplog: pytest.LogCaptureFixture
    ) -> None:
        logger = MetricLogger(allow_legacy_names=True, sink=sink)
        logger.log_metric("F1 Score", 0.5, run_id="r1")
        logger.log_metric("F1 Score", 0.6, 1, run_id="r1")
        assert sink.get_metrics("r1") == {"F1 Score": 0.6}
        assert caplog.messages == ["metric name breaks the convention metric='F1 Score'"]

    @pytest.mark.parametrize("name", ["", "  ", None, 3])
    def test_does_not_take_everything_for_a_legacy_name(self, name: str, sink: MemoryMetricSink) -> None:
        with pytest.raises(MetricValidationError):
            MetricLogger(allow_legacy_names=True, sink=sink).log_metric(name, 0.5)

    def test_refuses_legacy_names_otherwise(self, sink: MemoryMetricSink) -> None:
        with pytest.raises(MetricValidationError, match="Did you mean 'model:f1_score'"):
            MetricLogger(sink=sink).log_metric("F1 Score", 0.5)

    def test_passes_on_that_the_server_is_gone(self) -> None:
        with pytest.raises(BackendUnavailableError):
            MetricLogger(sink=LostSink()).log_metric("model:accuracy", 0.9)

    def test_may_go_on_without_the_server_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        logger = MetricLogger(sink=LostSink())
        assert logger.log_metric("model:accuracy", 0.9, raise_on_error=False) is None
        assert caplog.messages[0].startswith(
            "metrics not logged metrics=['model:accuracy'] reason='MLflow cannot"
        )

    def test_says_what_it_is(self, sink: MemoryMetricSink) -> None:
        assert (
            repr(MetricLogger(sink=sink))
            == "MetricLogger(allow_legacy_names=False, sink=MemoryMetricSink(0 runs))"
        )


class TestValues:
    @pytest.mark.parametrize(
        "value", [0, -1, 0.5, 1e308, np.float32(0.5), np.float64(0.5), np.int64(3), Fraction(1, 2)]
    )
    def test_that_are_finite_numbers_are_taken(self, value: object) -> None:
        assert validate_metric_value(value)

    @pytest.mark.parametrize(
        "value",
        [
            *(math.nan, math.inf, -math.inf, np.float64("nan"), True, np.True_, "0.5", None, [1], 1j),
            *(10**400, Decimal("0.5"), np.array([0.5])),
        ],
    )
    def test_that_are_not_are_refused(self, value: object) -> None:
        assert not validate_metric_value(value)

    def test_are_refused_with_name_and_value(self, sink: MemoryMetricSink) -> None:
        with pytest.raises(MetricValidationError, match=r"'model:accuracy' has the value nan.*\.item\(\)"):
            MetricLogger(sink=sink).log_metric("model:accuracy", math.nan)

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_every_finite_float_is_taken(self, value: float) -> None:
        assert validate_metric_value(value)


class TestAggregate:
    def test_summarises_by_name(self) -> None:
        folds = [{"model:recall": 0.2, "model:auroc": 0.5}, {"model:recall": 0.9}, {"model:recall": 0.4}]
        summary = MetricLogger.aggregate_metrics(folds)
        assert summary == {
            "model:auroc": {"mean": 0.5, "min": 0.5, "max": 0.5, "median": 0.5, "count": 1},
            "model:recall": {"mean": 0.5, "min": 0.2, "max": 0.9, "median": 0.4, "count": 3},
        }

    def test_of_nothing_is_nothing(self) -> None:
        assert MetricLogger.aggregate_metrics([]) == {}

    def test_refuses_what_is_no_number(self) -> None:
        with pytest.raises(MetricValidationError, match="'x' has the value nan"):
            MetricLogger.aggregate_metrics([{"x": math.nan}])

    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
    def test_lies_between_the_extremes(self, values: list[float]) -> None:
        (summary,) = MetricLogger.aggregate_metrics({"x": value} for value in values).values()
        assert summary["count"] == len(values)
        assert summary["min"] <= summary["median"] <= summary["max"]
        assert summary["min"] - 1e-9 <= summary["mean"] <= summary["max"] + 1e-9
