"""Run tracking on MLflow: one parent run a pipeline run, one nested run a step.

Runs are found again by two tags, so writing the same journal twice gives the same runs: a resumed pipeline,
a retried step or a later flush continue what is there. Nothing is dropped because MLflow has a limit: what is
many goes in batches, and what is too long for a field is stored whole as a file of the run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.adapters.mlflow_metrics import NAME_FORM_TAG, SLASH_FORM, is_name_refusal
from hokusai.adapters.mlflow_store import (
    check_reachable,
    experiment_id,
    open_client,
    quiet_mlflow,
    quoted,
    translated,
)
from hokusai.domain.journal import DatasetEntry, RunJournal, StepEntry, TrackedRun
from hokusai.errors import NotFoundError
from hokusai.utils.metrics import stored_metric_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_TAG = "hokusai.run_id"
STEP_TAG = "hokusai.step"
LONG_VALUES = "long_values"
_PARENT_TAG = "mlflow.parentRunId"
_PARENT = "-"
_PARAM_LIMIT = 6000
_TAG_LIMIT = 8000
# MLflow takes 100 params and 100 tags a batch, and 1,000,000 bytes of JSON.
_ROWS_A_BATCH = 100
_BYTES_A_BATCH = 900_000
_BYTES_A_CHARACTER = 6  # at most, as in "\\u00e9"
_DIGEST_LIMIT = 36
_MOST_STEPS = 1000


class MlflowRunStore:
    """Writes pipeline journals to MLflow; a `RunStore`.

    Args:
        tracking_uri: The server or database.
        artifact_location: Root for the artefacts of experiments that this store creates. None leaves the
            choice to the server.
        open_client: How a client is made.
    """

    def __init__(
        self,
        tracking_uri: str,
        artifact_location: str | None,
        *,
        open_client: Callable[[str], MlflowClient] = open_client,
    ) -> None:
        self.tracking_uri = tracking_uri
        self._artifact_location = artifact_location
        self._open_client = open_client
        self._opened: MlflowClient | None = None
        self._colon_allowed = True

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the server or database can be used now."""
        check_reachable(self.tracking_uri)

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        """Find or create the run of `journal` and those of its steps."""
        with self._mlflow() as client:
            experiment = experiment_id(client, journal.experiment, self._artifact_location)
            known = _known_runs(client, experiment, journal.run_id)

            def run_of(step: str, name: str, began: int, parent: str | None) -> str:
                if step in known:
                    return known[step]
                tags = {RUN_TAG: journal.run_id, STEP_TAG: step} | ({_PARENT_TAG: parent} if parent else {})
                run = client.create_run(experiment, start_time=began or None, tags=tags, run_name=name)
                return str(run.info.run_id)

            began = min((entry.started_ms for entry in journal.steps), default=0)
            parent = run_of(_PARENT, f"hokusai-{journal.run_id}", began, None)
            steps = {e.step: run_of(e.step, e.step, e.started_ms, parent) for e in journal.steps}
            return TrackedRun(parent, steps, experiment)

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        """Write all that `journal` says into its runs, store the folder `artifacts`, and end the runs."""
        if not artifacts.is_dir():
            raise NotFoundError("The folder of files to store with a run is gone", where=str(artifacts))
        with self._mlflow() as client:
            for entry in journal.steps:
                self._write_step(client, entry, run.step_run_ids[entry.step])
            ended = max((entry.ended_ms for entry in journal.steps), default=0)
            self._log(client, run.run_id, journal.params, journal.metrics, journal.tags, ended)
            _log_datasets(client, run.run_id, journal.datasets)
            if any(artifacts.iterdir()):
                client.log_artifacts(run.run_id, str(artifacts))
            failed = any(entry.status == "FAILED" for entry in journal.steps)
            client.set_terminated(run.run_id, "FAILED" if failed else "FINISHED", end_time=ended or None)

    @contextmanager
    def _mlflow(self) -> Iterator[MlflowClient]:
        with quiet_mlflow():
            if self._opened is None:
                self._opened = self._open_client(self.tracking_uri)
            with translated(self.tracking_uri):
                yield self._opened

    def _write_step(self, client: MlflowClient, entry: StepEntry, run_id: str) -> None:
        self._log(client, run_id, entry.params, entry.metrics, entry.tags, entry.ended_ms)
        client.set_terminated(run_id, entry.status, end_time=entry.ended_ms)

    def _log(
        self,
        client: MlflowClient,
        run_id: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        at_ms: int,
    ) -> None:
        from mlflow.exceptions import MlflowException

        if self._colon_allowed:
            try:
                _log_rows(client, run_id, _rows(client, run_id, params, metrics, tags, at_ms, True))
                return
            except MlflowException as problem:
                if not is_name_refusal(problem) or not any(":" in name for name in metrics):
                    raise
                self._colon_allowed = False
        # An older server. The stored form can be turned back, and the tag says that it has to be.
        slash = {**tags, NAME_FORM_TAG: SLASH_FORM}
        _log_rows(client, run_id, _rows(client, run_id, params, metrics, slash, at_ms, False))


def _rows(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    at_ms: int,
    colon_allowed: bool,
) -> list[tuple[str, Any]]:
    """All that is to be logged to one run, each item with the name of the list it goes into."""
    from mlflow.entities import Metric, Param, RunTag

    def fitting(key: str, value: str, limit: int) -> str:
        return value if len(value) <= limit else _stored_whole(client, run_id, key, value, limit)

    named = {stored_metric_name(name, colon_allowed): value for name, value in metrics.items()}
    return [
        *(("tags", RunTag(key, fitting(key, value, _TAG_LIMIT))) for key, value in tags.items()),
        *(("params", Param(key, fitting(key, value, _PARAM_LIMIT))) for key, value in params.items()),
        *(("metrics", Metric(name, value, at_ms, 0)) for name, value in named.items()),
    ]


def _log_rows(client: MlflowClient, run_id: str, rows: Sequence[tuple[str, Any]]) -> None:
    batch: dict[str, list[Any]] = {"tags": [], "params": [], "metrics": []}
    size = 0

    def send() -> None:
        if any(batch.values()):
            client.log_batch(run_id, **{kind: list(items) for kind, items in batch.items()})
        for items in batch.values():
            items.clear()

    for kind, row in rows:
        weight = 100 + _BYTES_A_CHARACTER * (len(row.key) + len(str(row.value)))
        if len(batch[kind]) == _ROWS_A_BATCH or size + weight > _BYTES_A_BATCH:
            send()
            size = 0
        batch[kind].append(row)
        size += weight
    send()


def _known_runs(client: MlflowClient, experiment_id: str, run_id: str) -> dict[str, str]:
    """Step to MLflow's id of its run; of two that were made at once, both readers take the same one."""
    mine = f"tags.`{RUN_TAG}` = {quoted(run_id)}"
    oldest_last = ["attributes.start_time DESC", "attributes.run_id DESC"]
    found = client.search_runs([experiment_id], mine, max_results=_MOST_STEPS, order_by=oldest_last)
    return {run.data.tags[STEP_TAG]: str(run.info.run_id) for run in found if STEP_TAG in run.data.tags}


def _stored_whole(client: MlflowClient, run_id: str, key: str, value: str, limit: int) -> str:
    """As much of `value` as fits, and where the whole is: MLflow itself would cut it without a word."""
    readable = re.sub(r"[^\w.-]", "_", key)
    name = f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.txt"
    client.log_text(run_id, value, f"{LONG_VALUES}/{name}")
    note = f" … [{len(value)} characters; whole in {LONG_VALUES}/{name}]"
    return value[: limit - len(note)] + note


def _log_datasets(client: MlflowClient, run_id: str, datasets: tuple[DatasetEntry, ...]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs: list[Any] = [
        DatasetInput(
            Dataset(
                name=entry.name,
                digest=entry.sha256[:_DIGEST_LIMIT],
                source_type="sha256",
                source=json.dumps({"sha256": entry.sha256}),
                profile=json.dumps({"num_rows": entry.rows}),
            ),
            [InputTag("mlflow.data.context", entry.context)],
        )
        for entry in datasets
    ]
    if inputs:
        client.log_inputs(run_id, inputs)
