"""Metrics in MLflow: into the user's active run if there is one, else into one run of this process.

Clients are explicit: the only global state of MLflow that is looked at is a run that the user started, since
that is where he expects his numbers. A store that refuses `:` in names is found out by its refusal (an old
server behind a new client gives no other sign) and gets the stored form of the names. The run is tagged for
it, so that reading turns back our names and leaves the `train/loss` of others alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Final

from hokusai.adapters.mlflow_store import experiment_id, open_client, quiet_mlflow, translated
from hokusai.errors import MetricError, NotFoundError
from hokusai.utils.logging import get_logger
from hokusai.utils.metric_names import original_metric_name, stored_metric_name
from hokusai.utils.redaction import mask_url_passwords

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

NAME_FORM_TAG: Final = "hokusai.metric_names"
SLASH_FORM: Final = "slash"
_NOTE_TAG = "hokusai.metric"
# MLflow takes 1,000 items a batch, of which 100 tags.
_METRICS_A_BATCH = 900
_TAGS_A_BATCH = 100
_NAME_REFUSED = "Names may only contain"

_log = get_logger(__name__)


class MlflowMetricSink:
    """A `MetricSink` on an MLflow server or database.

    Args:
        tracking_uri: The server or database.
        experiment_name: Where to start a run when nobody says which run to log to.
        artifact_location: For an experiment that has to be created; None leaves it to the server.
        open_client: How a client is made.
    """

    def __init__(
        self,
        tracking_uri: str,
        experiment_name: str,
        artifact_location: str | None = None,
        *,
        open_client: Callable[[str], MlflowClient] = open_client,
    ) -> None:
        self.tracking_uri = tracking_uri
        self.experiment_name = experiment_name
        self._artifact_location = artifact_location
        self._open_client = open_client
        self._opened: MlflowClient | None = None
        self._own_run_id: str | None = None
        self._refuses_colon: set[str] = set()
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"MlflowMetricSink({mask_url_passwords(self.tracking_uri)!r}, {self.experiment_name!r})"

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        *,
        step: int = 0,
        run_id: str | None = None,
        notes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """Record numbers by metric name; see `MetricSink`."""
        entry = _Entry(metrics, notes or {}, step, at_ms=int(time.time() * 1000))
        with self._lock, quiet_mlflow():
            active = _active_run(run_id)
            if active is not None:
                uri, run_id = active
                client = _client_of_active_run(uri)
            else:
                uri, client = self.tracking_uri, self._client()
            with translated(uri):
                run_id = run_id or self._own_run(client)
                self._write(client, uri, run_id, entry)
                if run_id == self._own_run_id:
                    # Ended after each write: a process that is killed then leaves no run that looks alive.
                    client.set_terminated(run_id)
        return run_id

    def get_metrics(self, run_id: str) -> dict[str, float]:
        """The latest value of each metric of a run; see `MetricSink`."""
        with self._lock, quiet_mlflow():
            from mlflow.exceptions import MlflowException

            active = _active_run(run_id)
            uri = active[0] if active else self.tracking_uri
            client = _client_of_active_run(uri) if active else self._client()
            with translated(uri):
                try:
                    data = client.get_run(run_id).data
                except MlflowException as problem:
                    raise _own_error(problem, run_id) from problem
        if data.tags.get(NAME_FORM_TAG) != SLASH_FORM:
            return dict(data.metrics)
        originals = {original_metric_name(name): value for name, value in data.metrics.items()}
        # Both forms of one name mean that the server was renewed during the run: the colon came later.
        return originals | {name: value for name, value in data.metrics.items() if ":" in name}

    def _client(self) -> MlflowClient:
        if self._opened is None:
            self._opened = self._open_client(self.tracking_uri)
        return self._opened

    def _own_run(self, client: MlflowClient) -> str:
        if self._own_run_id is None:
            run = client.create_run(self._experiment_id(client), run_name="metrics")
            self._own_run_id = str(run.info.run_id)
            _log.info("metrics go to a new run", run_id=self._own_run_id, experiment=self.experiment_name)
        return self._own_run_id

    def _experiment_id(self, client: MlflowClient) -> str:
        return experiment_id(client, self.experiment_name, self._artifact_location)

    def _write(self, client: MlflowClient, uri: str, run_id: str, entry: _Entry) -> None:
        from mlflow.exceptions import MlflowException

        if uri not in self._refuses_colon:
            try:
                _log_batches(client, run_id, entry, colon_allowed=True)
            except MlflowException as problem:
                if not is_name_refusal(problem) or not any(":" in name for name in entry.metrics):
                    raise _own_error(problem, run_id) from problem
            else:
                return
        try:
            _log_batches(client, run_id, entry, colon_allowed=False)
        except MlflowException as problem:
            raise _own_error(problem, run_id) from problem
        if uri not in self._refuses_colon:
            self._refuses_colon.add(uri)
            _log.info("this MLflow refuses ':' in names; metrics are stored with '/'", uri=uri)


@dataclass(frozen=True, slots=True)
class _Entry:
    metrics: Mapping[str, float]
    notes: Mapping[str, Mapping[str, str]]
    step: int
    at_ms: int


def _log_batches(client: MlflowClient, run_id: str, entry: _Entry, *, colon_allowed: bool) -> None:
    from mlflow.entities import Metric, RunTag

    rows = [
        Metric(stored_metric_name(name, colon_allowed), value, entry.at_ms, entry.step)
        for name, value in entry.metrics.items()
    ]
    tags = [
        RunTag(
            f"{_NOTE_TAG}.{stored_metric_name(name, colon_allowed)}", json.dumps(dict(note), sort_keys=True)
        )
        for name, note in entry.notes.items()
    ]
    if not colon_allowed:
        tags.insert(0, RunTag(NAME_FORM_TAG, SLASH_FORM))
    while rows or tags:
        client.log_batch(run_id, metrics=rows[:_METRICS_A_BATCH], tags=tags[:_TAGS_A_BATCH])
        del rows[:_METRICS_A_BATCH], tags[:_TAGS_A_BATCH]


def _active_run(run_id: str | None) -> tuple[str, str] | None:
    """The tracking URI and id of the run that the user started in this thread, if it is the one meant."""
    import mlflow

    run = mlflow.active_run()
    if run is None or run_id not in (None, run.info.run_id):
        return None
    return str(mlflow.get_tracking_uri()), str(run.info.run_id)


def _client_of_active_run(uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def is_name_refusal(problem: MlflowException) -> bool:
    """Whether a store says by `problem` that it does not take a name as it is spelled."""
    # The list of characters that follows is no guide: MLflow 2.16 names the colon just where it refuses it.
    return problem.error_code == "INVALID_PARAMETER_VALUE" and _NAME_REFUSED in str(problem)


def _own_error(problem: MlflowException, run_id: str) -> Exception:
    if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
        return NotFoundError(f"MLflow has no run {run_id!r}", hint="Give the id of an existing run.")
    if problem.error_code == "INVALID_PARAMETER_VALUE":
        return MetricError(f"MLflow refuses these metrics: {str(problem).splitlines()[0]}", where=run_id)
    unchanged: Exception = problem
    return unchanged
