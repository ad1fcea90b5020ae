"""Every `RunStore` keeps the same contract: in memory, on MLflow's SQLite, and on a real MLflow server.

What was written is read back with a plain `MlflowClient`, so that it is there for others too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters.memory_runs import MemoryRunStore
from hokusai.adapters.mlflow_metrics import MlflowMetricSink
from hokusai.adapters.mlflow_runs import MlflowRunStore
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.domain.journal import DatasetEntry, RunJournal, StepEntry
from hokusai.errors import HokusaiError, NotFoundError
from hokusai.ports import RunStore

MOST_HISTORIES = 20
BEGAN, ENDED = 1_700_000_000_000, 1_700_000_009_500


@dataclass(frozen=True)
class Seen:
    """A run as somebody else sees it."""

    name: str
    parent: str | None
    status: str
    times: tuple[int, int | None]
    params: dict[str, str]
    metrics: dict[str, list[float]]
    """Every value ever logged, by name; of many metrics only the last one."""
    tags: dict[str, str]
    datasets: set[tuple[str, str, str]]
    """Name, digest, context."""
    artifacts: dict[str, bytes]


@dataclass
class Place:
    """A store, and how to look at what is in it."""

    store: RunStore
    see: Callable[[str], Seen]
    count: Callable[[str], int]
    """How many runs there are in an experiment."""


def memory_place() -> Place:
    store = MemoryRunStore()

    def see(run_id: str) -> Seen:
        run = store.runs[run_id]
        return Seen(
            run.name,
            run.parent,
            run.status,
            (run.started_ms, run.ended_ms),
            dict(run.params),
            {name: [value] for name, value in run.metrics.items()},
            dict(run.tags),
            {(d.name, d.sha256, d.context) for d in run.datasets},
            dict(run.artifacts),
        )

    return Place(store, see, lambda _experiment: len(store.runs))


def mlflow_place(uri: str, artifacts: str | None, tmp_path: Path) -> Place:
    with quiet_mlflow():
        from mlflow import MlflowClient

    def client() -> Any:
        with quiet_mlflow():
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

    def files(run_id: str) -> dict[str, bytes]:
        root = tmp_path / f"downloaded-{uuid.uuid4().hex}"
        root.mkdir()
        client().download_artifacts(run_id, "", str(root))
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def history(run_id: str, name: str) -> list[float]:
        return [point.value for point in client().get_metric_history(run_id, name)]

    def see(run_id: str) -> Seen:
        run = client().get_run(run_id)
        return Seen(
            run.info.run_name,
            run.data.tags.get("mlflow.parentRunId"),
            run.info.status,
            (run.info.start_time, run.info.end_time),
            run.data.params,
            {name: history(run_id, name) for name in run.data.metrics}
            if len(run.data.metrics) <= MOST_HISTORIES
            else {name: [value] for name, value in run.data.metrics.items()},
            {k: v for k, v in run.data.tags.items() if not k.startswith(("mlflow.", "hokusai."))},
            {
                (i.dataset.name, i.dataset.digest, tag.value)
                for i in run.inputs.dataset_inputs
                for tag in i.tags
                if tag.key == "mlflow.data.context"
            },
            files(run_id),
        )

    def count(experiment: str) -> int:
        found = client().get_experiment_by_name(experiment)
        return len(client().search_runs([found.experiment_id], max_results=1000))

    return Place(MlflowRunStore(uri, artifacts), see, count)


@pytest.fixture(params=["memory", "sqlite", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    if request.param == "memory":
        return memory_place()
    if request.param == "sqlite":
        return mlflow_place(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", str(tmp_path / "store"), tmp_path)
    return mlflow_place(request.getfixturevalue("mlflow_server").url, None, tmp_path)


@pytest.fixture
def on_server(mlflow_server: Any, tmp_path: Path) -> Place:
    return mlflow_place(mlflow_server.url, None, tmp_path)


@pytest.fixture
def journal() -> RunJournal:
    unique = uuid.uuid4().hex
    return RunJournal(
        run_id=f"1795-{unique}",
        experiment=f"contract-{unique}",
        params={"seed": "42", "verhältnis": "größer als ½ 📈"},
        metrics={"pipeline:delta_one_score": 0.0518, "model:accuracy.delta_low": -1e-300},
        tags={"note": "ein Lauf", "empty": ""},
        steps=(
            StepEntry("start", BEGAN, BEGAN + 500, metrics={"pipeline:duration_seconds": 0.5}),
            StepEntry("train_new_model", BEGAN + 500, ENDED, params={"model_type": "x"}, tags={"try": "2"}),
        ),
        datasets=(
            DatasetEntry("日本.csv", "ab" * 32, "contribution", 10),
            DatasetEntry("benchmark", "cd" * 32, "evaluation", 5),
        ),
    )


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    (folder / "models" / "new").mkdir(parents=True)
    (folder / "models" / "new" / "model.skops").write_bytes(bytes(range(256)))
    (folder / "report é.html").write_text("<p>ü</p>", encoding="utf-8")
    return folder


class TestOpenRuns:
    def test_gives_one_run_and_one_nested_in_it_for_each_step(
        self, place: Place, journal: RunJournal
    ) -> None:
        run = place.store.open_runs(journal)
        assert list(run.step_run_ids) == ["start", "train_new_model"]
        whole, step = place.see(run.run_id), place.see(run.step_run_ids["train_new_model"])
        assert (whole.name, whole.parent, whole.status) == (f"hokusai-{journal.run_id}", None, "RUNNING")
        assert (step.name, step.parent, step.status) == ("train_new_model", run.run_id, "RUNNING")
        assert (whole.times[0], step.times[0]) == (BEGAN, BEGAN + 500)

    def test_finds_them_again(self, place: Place, journal: RunJournal) -> None:
        first = place.store.open_runs(journal)
        assert place.store.open_runs(journal) == first
        assert place.count(journal.experiment) == 3

    def test_adds_the_steps_that_are_new(self, place: Place, journal: RunJournal) -> None:
        first = place.store.open_runs(replace(journal, steps=journal.steps[:1]))
        second = place.store.open_runs(journal)
        assert second.run_id == first.run_id
        assert second.step_run_ids["start"] == first.step_run_ids["start"]
        assert place.count(journal.experiment) == 3

    def test_keeps_runs_of_different_ids_apart(self, place: Place, journal: RunJournal) -> None:
        ids = ["o'brien", 'say "hi"', "größe", "50%", "a\\b", "a_b", "a.b"]
        runs = [place.store.open_runs(replace(journal, run_id=run_id)).run_id for run_id in ids]
        assert len(set(runs)) == len(ids)
        again = [place.store.open_runs(replace(journal, run_id=run_id)).run_id for run_id in ids]
        assert again == runs

    def test_takes_a_run_without_steps(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        bare = replace(journal, steps=())
        run = place.store.open_runs(bare)
        place.store.write(bare, run, artifacts)
        assert place.see(run.run_id).status == "FINISHED"


class TestWrite:
    def test_gives_back_everything(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        run = place.store.open_runs(journal)
        place.store.write(journal, run, artifacts)
        whole = place.see(run.run_id)
        assert whole.params == journal.params
        assert whole.metrics == {name: [value] for name, value in journal.metrics.items()}
        assert whole.tags == journal.tags
        assert {(n, c) for n, _, c in whole.datasets} == {
            ("日本.csv", "contribution"),
            ("benchmark", "evaluation"),
        }
        assert all(digest in ("ab" * 32, "ab" * 18, "cd" * 32, "cd" * 18) for _, digest, _ in whole.datasets)
        assert whole.artifacts == {
            "models/new/model.skops": bytes(range(256)),
            "report é.html": "<p>ü</p>".encode(),
        }
        assert (whole.status, whole.times) == ("FINISHED", (BEGAN, ENDED))

    def test_gives_back_each_step(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        run = place.store.open_runs(journal)
        place.store.write(journal, run, artifacts)
        start, train = (place.see(run.step_run_ids[name]) for name in ("start", "train_new_model"))
        assert start.metrics == {"pipeline:duration_seconds": [0.5]}
        assert (start.status, start.times) == ("FINISHED", (BEGAN, BEGAN + 500))
        assert (train.params, train.tags, train.times) == (
            {"model_type": "x"},
            {"try": "2"},
            (BEGAN + 500, ENDED),
        )

    def test_twice_changes_nothing(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        run = place.store.open_runs(journal)
        place.store.write(journal, run, artifacts)
        before = place.see(run.run_id), place.see(run.step_run_ids["start"])
        place.store.write(journal, place.store.open_runs(journal), artifacts)
        assert (place.see(run.run_id), place.see(run.step_run_ids["start"])) == before
        assert place.count(journal.experiment) == 3

    def test_a_failed_step_fails_the_run(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        start, train = journal.steps
        failed = replace(journal, steps=(start, replace(train, status="FAILED")))
        run = place.store.open_runs(failed)
        place.store.write(failed, run, artifacts)
        assert place.see(run.run_id).status == "FAILED"
        assert place.see(run.step_run_ids["start"]).status == "FINISHED"
        assert place.see(run.step_run_ids["train_new_model"]).status == "FAILED"

    def test_drops_nothing_of_what_is_much(self, place: Place, journal: RunJournal, artifacts: Path) -> None:
        much = replace(
            journal,
            params={f"param_{n}": str(n) for n in range(230)},
            tags={f"tag_{n}": str(n) for n in range(130)},
            metrics={f"model:m{n}": float(n) for n in range(1203)},
        )
        run = place.store.open_runs(much)
        place.store.write(much, run, artifacts)
        whole = place.see(run.run_id)
        assert whole.metrics == {name: [value] for name, value in much.metrics.items()}
        assert (whole.params, whole.tags) == (much.params, much.tags)

    def test_takes_infinity_and_what_is_not_a_number(
        self, place: Place, journal: RunJournal, artifacts: Path
    ) -> None:
        odd = replace(journal, metrics={"a": float("nan"), "b": float("inf"), "c": -float("inf")})
        for _ in range(2):
            run = place.store.open_runs(odd)
            place.store.write(odd, run, artifacts)
        (a,), (b,), (c,) = (place.see(run.run_id).metrics[name] for name in "abc")
        assert a != a  # only NaN differs from itself
        assert (b > 1e308, c < -1e308) == (True, True)

    def test_says_that_the_folder_is_gone(self, place: Place, journal: RunJournal, tmp_path: Path) -> None:
        run = place.store.open_runs(journal)
        with pytest.raises(NotFoundError, match="nowhere"):
            place.store.write(journal, run, tmp_path / "nowhere")


class TestMlflowLimits:
    """MLflow cuts a param at 6,000 characters and a tag at 8,000, and takes 1,000,000 bytes a batch."""

    @pytest.fixture(params=["sqlite", "server"])
    def mlflow(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Place:
        monkeypatch.chdir(tmp_path)
        if request.param == "sqlite":
            return mlflow_place(f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "store"), tmp_path)
        return request.getfixturevalue("on_server")

    def test_a_long_value_is_stored_whole_as_a_file(
        self, mlflow: Place, journal: RunJournal, artifacts: Path
    ) -> None:
        long = replace(journal, params={"fits": "é" * 6000, "a/b c": "ü" * 6001}, tags={"long": "t" * 8001})
        run = mlflow.store.open_runs(long)
        mlflow.store.write(long, run, artifacts)
        whole = mlflow.see(run.run_id)
        assert whole.params["fits"] == "é" * 6000
        stored = {
            name: data.decode() for name, data in whole.artifacts.items() if name.startswith("long_values/")
        }
        assert sorted(stored.values()) == sorted(["ü" * 6001, "t" * 8001])
        for value, limit, count in ((whole.params["a/b c"], 6000, 6001), (whole.tags["long"], 8000, 8001)):
            assert len(value) == limit
            note = value.rpartition(" … ")[2]
            assert note.startswith(f"[{count} characters; whole in long_values/")
            assert note.removesuffix("]").rpartition(" ")[2] in stored

    def test_values_that_fill_more_than_one_request(
        self, mlflow: Place, journal: RunJournal, artifacts: Path
    ) -> None:
        big = replace(journal, params={f"p{n}": "ж" * 6000 for n in range(90)})
        run = mlflow.store.open_runs(big)
        mlflow.store.write(big, run, artifacts)
        assert mlflow.see(run.run_id).params == big.params

    def test_a_name_that_mlflow_refuses_is_our_error(
        self, mlflow: Place, journal: RunJournal, artifacts: Path
    ) -> None:
        odd = replace(journal, metrics={"what?": 1.0})
        run = mlflow.store.open_runs(odd)
        with pytest.raises(HokusaiError, match="MLflow refuses") as caught:
            mlflow.store.write(odd, run, artifacts)
        assert caught.value.code == "invalid_input"

    def test_both_kinds_of_quotes_cannot_be_searched(self, mlflow: Place, journal: RunJournal) -> None:
        with pytest.raises(HokusaiError, match="cannot search"):
            mlflow.store.open_runs(replace(journal, run_id="'\""))

    def test_a_deleted_experiment_is_restored(self, mlflow: Place, journal: RunJournal) -> None:
        first = mlflow.store.open_runs(journal)
        client = mlflow.store._opened  # type: ignore[attr-defined]
        client.delete_experiment(first.experiment_id)
        assert mlflow.store.open_runs(journal).experiment_id == first.experiment_id
        assert client.get_experiment(first.experiment_id).lifecycle_stage == "active"


class RefusingClient:
    """The real client with the door of an older server, which cannot be installed beside it: no name with a colon."""

    def __init__(self, uri: str) -> None:
        self._client = open_client(uri)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
        from mlflow.exceptions import RestException

        if any(":" in metric.key for metric in metrics):
            text = "Invalid metric name. Names may only contain alphanumerics, and slashes (/)."
            raise RestException({"error_code": "INVALID_PARAMETER_VALUE", "message": text})
        self._client.log_batch(run_id, metrics=metrics, params=params, tags=tags)


def test_a_server_that_refuses_colons_gets_slashes(
    tmp_path: Path, journal: RunJournal, artifacts: Path
) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    store = MlflowRunStore(uri, str(tmp_path / "store"), open_client=RefusingClient)  # type: ignore[arg-type]
    run = store.open_runs(journal)
    store.write(journal, run, artifacts)
    data = open_client(uri).get_run(run.run_id).data
    assert data.metrics == {"pipeline/delta_one_score": 0.0518, "model/accuracy.delta_low": -1e-300}
    assert data.params == journal.params
    # The sink reads the tag, and turns the names back.
    assert MlflowMetricSink(uri, "x").get_metrics(run.run_id) == journal.metrics


def test_nothing_appears_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: RunJournal, artifacts: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    place = mlflow_place(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", str(tmp_path / "store"), tmp_path)
    run = place.store.open_runs(journal)
    place.store.write(journal, run, artifacts)
    assert list(work.iterdir()) == []
