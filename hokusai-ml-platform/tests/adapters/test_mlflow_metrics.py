"""Every `MetricSink` keeps the same contract; MLflow's also has runs, and versions that refuse a colon.

MLflow is the real one, on SQLite. Its schema takes seconds to build, so one database is built and copied.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hokusai.adapters.memory_metrics import MemoryMetricSink
from hokusai.adapters.mlflow_metrics import NAME_FORM_TAG, MlflowMetricSink
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.errors import BackendUnavailableError, MetricError, NotFoundError
from hokusai.ports import MetricSink
from hokusai.utils.metrics import MetricLogger

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "metrics-test"
_RULE = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( )"
REFUSALS = {
    # As reported by users of these versions: mlflow/mlflow#12940 and verl-project/verl#119.
    "2.15": f"Invalid metric name: '{{}}'. {_RULE}, and slashes (/).",
    "2.20": f"Invalid value \"{{}}\" for parameter 'metrics[0].name' supplied: {_RULE} and slashes (/).",
    # On Windows this version names the colon in the text by which it refuses it: mlflow/mlflow#13529.
    "2.16": f"Invalid metric name: '{{}}'. {_RULE}, colon(:) and slashes (/).",
}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}"


@pytest.fixture
def mlflow_sink(uri: str, tmp_path: Path) -> MlflowMetricSink:
    return MlflowMetricSink(uri, EXPERIMENT, str(tmp_path / "artifacts"))


@pytest.fixture
def fluent(uri: str) -> Iterator[Any]:
    """MLflow's global state on the test's database, and as it was afterwards."""
    with quiet_mlflow():
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        yield mlflow
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.set_tracking_uri(before)


class RefusingClient:
    """The real client, with the door of an older server: it refuses names with a colon, in its own words.

    An older MLflow cannot be installed beside the present one, so its refusal is the one thing that is
    played here; what gets past the door is stored by the real MLflow.
    """

    def __init__(self, client: MlflowClient, refusal: str) -> None:
        self._client = client
        self._refusal = refusal
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
        from mlflow.exceptions import RestException

        for item in [*metrics, *tags]:
            if ":" in item.key:
                self.refused += 1
                text = self._refusal.format(item.key)
                raise RestException({"error_code": "INVALID_PARAMETER_VALUE", "message": text})
        self._client.log_batch(run_id, metrics=metrics, params=params, tags=tags)


class Refusing:
    """Opens one `RefusingClient`, which a test can look at."""

    def __init__(self, refusal: str = REFUSALS["2.15"]) -> None:
        self.refusal = refusal
        self.client: RefusingClient | None = None

    def __call__(self, uri: str) -> Any:
        self.client = RefusingClient(open_client(uri), self.refusal)
        return self.client


@pytest.fixture(params=["memory", "mlflow", "mlflow that refuses colons"])
def sink(request: pytest.FixtureRequest) -> MetricSink:
    if request.param == "memory":
        return MemoryMetricSink()
    if request.param == "mlflow":
        return request.getfixturevalue("mlflow_sink")
    return MlflowMetricSink(request.getfixturevalue("uri"), EXPERIMENT, open_client=Refusing())


class TestEverySink:
    def test_gives_back_what_was_logged(self, sink: MetricSink) -> None:
        metrics = {"model:accuracy": 0.9, "plain": -1.5, "own:deep.name_1": 1e-300}
        assert sink.get_metrics(sink.log_metrics(metrics)) == metrics

    def test_keeps_one_run_if_none_is_named(self, sink: MetricSink) -> None:
        first = sink.log_metrics({"model:accuracy": 0.9})
        assert sink.log_metrics({"usage:reply_rate": 0.1}) == first
        assert sink.get_metrics(first) == {"model:accuracy": 0.9, "usage:reply_rate": 0.1}

    def test_gives_back_the_value_of_the_latest_step(self, sink: MetricSink) -> None:
        run_id = sink.log_metrics({"model:accuracy": 0.7}, step=5)
        sink.log_metrics({"model:accuracy": 0.6}, step=4)
        assert sink.get_metrics(run_id) == {"model:accuracy": 0.7}

    def test_logs_to_the_run_that_is_named(self, sink: MetricSink) -> None:
        run_id = sink.log_metrics({"model:accuracy": 0.9})
        assert sink.log_metrics({"model:recall": 0.8}, run_id=run_id) == run_id
        assert sink.get_metrics(run_id) == {"model:accuracy": 0.9, "model:recall": 0.8}

    def test_does_not_know_a_run_that_is_not_there(self, sink: MetricSink) -> None:
        with pytest.raises(NotFoundError):
            sink.get_metrics("0" * 32)

    def test_takes_more_metrics_than_a_batch_holds(self, sink: MetricSink) -> None:
        metrics = {f"model:m{number}": float(number) for number in range(2001)}
        assert sink.get_metrics(sink.log_metrics(metrics)) == metrics

    def test_serves_the_metric_logger(self, sink: MetricSink) -> None:
        logger = MetricLogger(sink=sink)
        run_id = logger.log_metric_with_metadata("model:accuracy", 0.9, {"dataset": "benchmark_v1"})
        logger.log_metrics({"pipeline:duration_seconds": 2}, run_id=run_id)
        assert run_id
        assert logger.get_metrics_by_prefix(run_id, "model:") == {"model:accuracy": 0.9}


class TestMlflow:
    def test_makes_a_finished_run_in_the_experiment(
        self, mlflow_sink: MlflowMetricSink, uri: str, tmp_path: Path
    ) -> None:
        run_id = mlflow_sink.log_metrics({"model:accuracy": 0.9})
        client = open_client(uri)
        run = client.get_run(run_id)
        experiment = client.get_experiment(run.info.experiment_id)
        assert (experiment.name, experiment.artifact_location) == (EXPERIMENT, str(tmp_path / "artifacts"))
        assert run.info.status == "FINISHED"
        assert run.data.metrics == {"model:accuracy": 0.9}
        assert NAME_FORM_TAG not in run.data.tags

    def test_continues_an_experiment_that_is_there(self, mlflow_sink: MlflowMetricSink, uri: str) -> None:
        experiment_id = open_client(uri).create_experiment(EXPERIMENT)
        run_id = mlflow_sink.log_metrics({"model:accuracy": 0.9})
        assert open_client(uri).get_run(run_id).info.experiment_id == experiment_id

    def test_logs_to_the_run_that_the_user_started(
        self, mlflow_sink: MlflowMetricSink, fluent: Any, uri: str
    ) -> None:
        with fluent.start_run() as run:
            assert mlflow_sink.log_metrics({"model:accuracy": 0.9}) == run.info.run_id
            assert mlflow_sink.get_metrics(run.info.run_id) == {"model:accuracy": 0.9}
        after = mlflow_sink.log_metrics({"model:accuracy": 0.8})
        assert after != run.info.run_id
        assert open_client(uri).get_run(run.info.run_id).data.metrics == {"model:accuracy": 0.9}

    def test_leaves_the_user_s_run_open(self, mlflow_sink: MlflowMetricSink, fluent: Any, uri: str) -> None:
        with fluent.start_run() as run:
            mlflow_sink.log_metrics({"model:accuracy": 0.9})
            assert open_client(uri).get_run(run.info.run_id).info.status == "RUNNING"

    def test_finds_the_user_s_run_in_another_store(
        self, empty_database: Path, tmp_path: Path, fluent: Any
    ) -> None:
        (tmp_path / "other").mkdir()
        other = shutil.copy(empty_database, tmp_path / "other" / "mlflow.db")
        sink = MlflowMetricSink(f"sqlite:///{other}", EXPERIMENT)
        with fluent.start_run() as run:
            assert sink.log_metrics({"model:accuracy": 0.9}) == run.info.run_id
            assert sink.get_metrics(run.info.run_id) == {"model:accuracy": 0.9}

    def test_leaves_mlflow_s_global_state_alone(self, mlflow_sink: MlflowMetricSink) -> None:
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow_sink.log_metrics({"model:accuracy": 0.9})
        assert mlflow.get_tracking_uri() == before
        assert mlflow.active_run() is None

    def test_keeps_notes_as_tags(self, mlflow_sink: MlflowMetricSink, uri: str) -> None:
        note = {"dataset": "b1", "rows": "10"}
        run_id = mlflow_sink.log_metrics({"model:accuracy": 0.9}, notes={"model:accuracy": note})
        tags = open_client(uri).get_run(run_id).data.tags
        assert json.loads(tags["hokusai.metric.model:accuracy"]) == note

    def test_leaves_the_names_of_others_alone(self, mlflow_sink: MlflowMetricSink, uri: str) -> None:
        run_id = mlflow_sink.log_metrics({"model:accuracy": 0.9})
        open_client(uri).log_metric(run_id, "train/loss", 0.1)
        assert mlflow_sink.get_metrics(run_id) == {"model:accuracy": 0.9, "train/loss": 0.1}

    def test_says_which_run_is_not_there(self, mlflow_sink: MlflowMetricSink) -> None:
        with pytest.raises(NotFoundError, match=r"MLflow has no run '0{32}'"):
            mlflow_sink.log_metrics({"model:accuracy": 0.9}, run_id="0" * 32)

    def test_says_what_mlflow_refuses(self, mlflow_sink: MlflowMetricSink) -> None:
        with pytest.raises(MetricError, match=r"MLflow refuses these metrics.*250"):
            mlflow_sink.log_metrics({"x" * 251: 1.0})

    def test_says_that_the_server_is_not_there(self) -> None:
        sink = MlflowMetricSink("http://me:hunter2@127.0.0.1:9", EXPERIMENT)
        with pytest.raises(BackendUnavailableError) as caught:
            sink.log_metrics({"model:accuracy": 0.9})
        assert "hunter2" not in f"{caught.value}{sink!r}"


class TestMlflowThatRefusesColons:
    @pytest.mark.parametrize("version", REFUSALS)
    def test_stores_the_names_with_a_slash(self, version: str, uri: str) -> None:
        sink = MlflowMetricSink(uri, EXPERIMENT, open_client=Refusing(REFUSALS[version]))
        note = {"dataset": "b1"}
        run_id = sink.log_metrics({"model:accuracy": 0.9, "plain": 1.0}, notes={"model:accuracy": note})
        data = open_client(uri).get_run(run_id).data
        assert data.metrics == {"model/accuracy": 0.9, "plain": 1.0}
        assert json.loads(data.tags["hokusai.metric.model/accuracy"]) == note

    def test_is_asked_once(self, uri: str) -> None:
        refusing = Refusing()
        sink = MlflowMetricSink(uri, EXPERIMENT, open_client=refusing)
        for value in (0.7, 0.8, 0.9):
            sink.log_metrics({"model:accuracy": value})
        assert refusing.client is not None
        assert refusing.client.refused == 1

    def test_reads_the_same_through_a_sink_that_never_met_a_refusal(
        self, uri: str, mlflow_sink: MlflowMetricSink
    ) -> None:
        run_id = MlflowMetricSink(uri, EXPERIMENT, open_client=Refusing()).log_metrics({"own:accuracy": 0.9})
        assert mlflow_sink.get_metrics(run_id) == {"own:accuracy": 0.9}

    def test_prefers_the_colon_where_a_run_has_both(self, uri: str, mlflow_sink: MlflowMetricSink) -> None:
        old = MlflowMetricSink(uri, EXPERIMENT, open_client=Refusing())
        run_id = old.log_metrics({"model:accuracy": 0.8, "model:recall": 0.5})
        mlflow_sink.log_metrics({"model:accuracy": 0.9}, run_id=run_id)
        assert mlflow_sink.get_metrics(run_id) == {"model:accuracy": 0.9, "model:recall": 0.5}

    def test_does_not_take_another_refusal_for_it(self, uri: str) -> None:
        sink = MlflowMetricSink(uri, EXPERIMENT, open_client=Refusing())
        with pytest.raises(MetricError, match="Names may only contain"):
            sink.log_metrics({"F1?": 1.0})

    def test_goes_on_with_the_colon_if_that_was_not_what_was_refused(
        self, mlflow_sink: MlflowMetricSink, uri: str
    ) -> None:
        with pytest.raises(MetricError, match="Names may only contain"):
            mlflow_sink.log_metrics({"what: a name?": 1.0})
        run_id = mlflow_sink.log_metrics({"model:accuracy": 0.9})
        assert open_client(uri).get_run(run_id).data.metrics == {"model:accuracy": 0.9}
