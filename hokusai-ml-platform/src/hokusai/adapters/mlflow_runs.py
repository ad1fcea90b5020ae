"""Run tracking on MLflow: one parent run a pipeline run, one nested run a step.

Runs are found again by two tags, so writing the same journal twice gives the same runs: a resumed pipeline,
a retried step or a later flush continue what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.adapters.mlflow_store import check_reachable, open_client, quiet_mlflow, translated
from hokusai.domain.journal import DatasetEntry, RunJournal, StepEntry, TrackedRun
from hokusai.utils.metrics import stored_metric_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

_RUN_TAG = "hokusai.run_id"
_STEP_TAG = "hokusai.step"
_PARENT_TAG = "mlflow.parentRunId"
_PARENT = "-"
_PARAM_LIMIT = 6000
_PARAMS_A_BATCH = 100
_METRICS_A_BATCH = 1000
_DIGEST_LIMIT = 36


class MlflowRunStore:
    """Writes pipeline journals to MLflow.

    Args:
        tracking_uri: The server or database.
        artifact_location: Root for the artefacts of experiments that this store creates. None leaves the
            choice to the server.
    """

    def __init__(self, tracking_uri: str, artifact_location: str | None) -> None:
        self.tracking_uri = tracking_uri
        self._artifact_location = artifact_location
        self._opened: MlflowClient | None = None
        self._colon_allowed = True

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the server or database can be used now."""
        check_reachable(self.tracking_uri)

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        """Find or create the run of `journal` and those of its steps."""
        with quiet_mlflow(), self._border():
            experiment_id = self._experiment(journal.experiment)
            began = min((entry.started_ms for entry in journal.steps), default=0)
            parent = self._upsert(experiment_id, journal.run_id, _PARENT, f"hokusai-{journal.run_id}", began)
            steps = {
                entry.step: self._upsert(
                    experiment_id, journal.run_id, entry.step, entry.step, entry.started_ms, parent
                )
                for entry in journal.steps
            }
            return TrackedRun(parent, steps, experiment_id)

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        """Write all that `journal` says into its runs, store the folder `artifacts`, and end the runs."""
        with quiet_mlflow(), self._border():
            for entry in journal.steps:
                self._write_step(entry, run.step_run_ids[entry.step])
            ended = max((entry.ended_ms for entry in journal.steps), default=0)
            self._log(run.run_id, journal.params, journal.metrics, journal.tags, ended)
            self._log_datasets(run.run_id, journal.datasets)
            if any(artifacts.iterdir()):
                self._client.log_artifacts(run.run_id, str(artifacts))
            failed = any(entry.status == "FAILED" for entry in journal.steps)
            self._client.set_terminated(run.run_id, "FAILED" if failed else "FINISHED", end_time=ended)

    @property
    def _client(self) -> MlflowClient:
        if self._opened is None:
            self._opened = open_client(self.tracking_uri)
        return self._opened

    def _border(self) -> Any:
        self._client  # noqa: B018 - opened outside the border, which has its own errors
        return translated(self.tracking_uri)

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            location = f"{self._artifact_location.rstrip('/')}/{name}" if self._artifact_location else None
            try:
                return str(self._client.create_experiment(name, artifact_location=location))
            except MlflowException as problem:
                if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = self._client.get_experiment_by_name(name)
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _upsert(
        self, experiment_id: str, run_id: str, step: str, name: str, began: int, parent: str | None = None
    ) -> str:
        mine = f"tags.`{_RUN_TAG}` = '{run_id}' and tags.`{_STEP_TAG}` = '{step}'"
        found = self._client.search_runs([experiment_id], mine, max_results=1)
        if found:
            return str(found[0].info.run_id)
        tags = {_RUN_TAG: run_id, _STEP_TAG: step} | ({_PARENT_TAG: parent} if parent else {})
        run = self._client.create_run(experiment_id, start_time=began or None, tags=tags, run_name=name)
        return str(run.info.run_id)

    def _write_step(self, entry: StepEntry, run_id: str) -> None:
        self._log(run_id, entry.params, entry.metrics, entry.tags, entry.ended_ms)
        self._client.set_terminated(run_id, entry.status, end_time=entry.ended_ms)

    def _log(
        self,
        run_id: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        at_ms: int,
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException

        param_rows = [Param(key, value[:_PARAM_LIMIT]) for key, value in params.items()]
        tag_rows = [RunTag(key, value) for key, value in tags.items()]
        for start in range(0, max(len(param_rows), len(tag_rows)), _PARAMS_A_BATCH):
            stop = start + _PARAMS_A_BATCH
            self._client.log_batch(run_id, params=param_rows[start:stop], tags=tag_rows[start:stop])

        def metric_rows() -> list[Any]:
            allowed = self._colon_allowed
            return [Metric(stored_metric_name(k, allowed), v, at_ms, 0) for k, v in metrics.items()]

        if not metrics:
            return
        try:
            self._client.log_batch(run_id, metrics=metric_rows()[:_METRICS_A_BATCH])
        except MlflowException as problem:
            # Older servers refuse ":" in a name; the stored form is reversible.
            if not self._colon_allowed or "name" not in str(problem).lower():
                raise
            self._colon_allowed = False
            self._client.log_batch(run_id, metrics=metric_rows()[:_METRICS_A_BATCH])

    def _log_datasets(self, run_id: str, datasets: tuple[DatasetEntry, ...]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(
                Dataset(
                    name=entry.name,
                    digest=entry.sha256[:_DIGEST_LIMIT],
                    source_type="sha256",
                    source=f'{{"sha256": "{entry.sha256}"}}',
                    profile=f'{{"num_rows": {entry.rows}}}',
                ),
                [InputTag("mlflow.data.context", entry.context)],
            )
            for entry in datasets
        ]
        if inputs:
            self._client.log_inputs(run_id, inputs)
