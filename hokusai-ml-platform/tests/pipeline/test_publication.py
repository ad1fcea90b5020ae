"""Publishing: results are whole or absent, a lost server costs nothing, and a spool has one owner at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters.memory_runs import MemoryRunStore
from hokusai.domain.journal import RunJournal, StepEntry, TrackedRun
from hokusai.domain.model import ModelArtifact
from hokusai.errors import (
    BackendUnavailableError,
    ConflictError,
    DataError,
    HokusaiError,
    InvalidInputError,
    NotFoundError,
)
from hokusai.pipeline.publication import Publication, RunOutputs, flush, publish, waiting_journals

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
FORK = multiprocessing.get_context("fork")
MODEL = ModelArtifact("1.0.0", "mock_baseline", "model.json", b"{}", {}, 1)
KINDS = {
    "delta_output": "delta_output_7.json",
    "attestation": "attestation_7.json",
    "report": "report_7.html",
    "predictions": "predictions_7.parquet",
    "zk_output": "delta_output_zk_7.json",
}
NAMES = tuple(KINDS.values())


class FailingStore(MemoryRunStore):
    """Loses its server at a chosen moment."""

    def __init__(self, at: str, problem: HokusaiError | None = None) -> None:
        super().__init__()
        self.at = at
        self.problem = problem or BackendUnavailableError("MLflow cannot be reached: gone")

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        if self.at == "open":
            raise self.problem
        return super().open_runs(journal)

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        if self.at == "write":
            raise self.problem
        super().write(journal, run, artifacts)
        if self.at == "end of write":
            raise self.problem


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def outputs(run_id: str = "7") -> RunOutputs:
    return RunOutputs(
        run_id=run_id,
        delta_output={
            "baseline_model": {"model_id": "1.0.0", "mlflow_run_id": None},
            "new_model": {"model_id": "2.0.0", "mlflow_run_id": None},
        },
        attestation=b'{"payload": "x"}',
        report="<p>größer</p>",
        predictions=b"PAR1",
        zk_output={"schema_version": "1.0"},
        models={"baseline": MODEL, "new": replace(MODEL, model_id="2.0.0")},
        other_files={"data_manifest.json": b"[]"},
    )


def journal(run_id: str = "7") -> RunJournal:
    steps = tuple(StepEntry(name, 1000, 2000) for name in ("load_baseline_model", "train_new_model"))
    return RunJournal(run_id, "demo", {"seed": "42"}, {"pipeline:delta_one_score": 0.05}, {}, steps, ())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parent_of(store: MemoryRunStore) -> Any:
    (run,) = (run for run in store.runs.values() if run.parent is None)
    return run


class TestPublish:
    def test_everything_is_written_and_delivered(self, home: Path, out: Path) -> None:
        store = MemoryRunStore()
        published = publish(outputs(), journal(), store, home, out)
        assert names_in(out) == sorted(NAMES)
        assert published.files == {kind: out / name for kind, name in KINDS.items()}
        assert (published.spool, published.reason) == (None, "")
        assert waiting_journals(home) == []
        assert names_in(home / "journals") == []
        run = parent_of(store)
        assert run.status == "FINISHED"
        assert set(run.artifacts) == {
            *NAMES,
            "data_manifest.json",
            "models/baseline/model.json",
            "models/new/model.json",
        }

    def test_an_older_format_that_cannot_say_it_is_left_out(self, home: Path, out: Path) -> None:
        published = publish(replace(outputs(), zk_output=None), journal(), MemoryRunStore(), home, out)
        assert names_in(out) == sorted(set(NAMES) - {"delta_output_zk_7.json"})
        assert "zk_output" not in published.files

    def test_the_files_hold_the_ids_of_the_tracked_runs(self, home: Path, out: Path) -> None:
        store = MemoryRunStore()
        published = publish(outputs(), journal(), store, home, out)
        assert published.tracked is not None
        ids = published.tracked.step_run_ids
        for content in (published.files["delta_output"].read_bytes(), parent_of(store).artifacts[NAMES[0]]):
            delta = json.loads(content)
            assert delta["baseline_model"]["mlflow_run_id"] == ids["load_baseline_model"]
            assert delta["new_model"]["mlflow_run_id"] == ids["train_new_model"]

    def test_again_replaces_what_the_first_attempt_left(self, home: Path, out: Path) -> None:
        publish(outputs(), journal(), FailingStore("open"), home, out)
        (home / "journals" / "7" / "artifacts" / "of the first attempt").touch()
        store = MemoryRunStore()
        publish(outputs(), journal(), store, home, out)
        assert "of the first attempt" not in parent_of(store).artifacts
        assert waiting_journals(home) == []

    def test_two_runs_at_once_into_one_folder(self, home: Path, out: Path) -> None:
        store = MemoryRunStore()
        done: list[Publication] = []
        threads = [
            threading.Thread(
                target=lambda i=i: done.append(publish(outputs(i), journal(i), store, home, out))
            )
            for i in "123456"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 6
        assert names_in(out) == sorted(name.replace("7", i) for name in NAMES for i in "123456")

    def test_text_that_is_not_unicode_is_kept_readable(self, home: Path, out: Path) -> None:
        odd = replace(
            outputs(), report="file \udcff.csv", delta_output={**outputs().delta_output, "f": "\udcff"}
        )
        published = publish(odd, journal(), MemoryRunStore(), home, out)
        assert json.loads(published.files["delta_output"].read_bytes())["f"] == "\udcff"
        assert published.files["report"].read_bytes() == b"file \\udcff.csv"


class TestLostServer:
    @pytest.mark.parametrize("at", ["open", "write", "end of write"])
    def test_costs_nothing(self, at: str, home: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
        store = FailingStore(at)
        published = publish(outputs(), journal(), store, home, out)
        assert names_in(out) == sorted(NAMES)
        assert published.spool == home / "journals" / "7"
        assert "gone" in published.reason
        assert (published.tracked is None) == (at == "open")
        store.at = "never"
        assert waiting_journals(home) == [published.spool]
        tracked = flush(published.spool, store)
        assert len(store.runs) == 3
        assert published.tracked in (None, tracked)
        assert parent_of(store).params == {"seed": "42"}
        assert set(NAMES) < set(parent_of(store).artifacts)
        assert waiting_journals(home) == []
        assert not published.spool.exists()
        with pytest.raises(NotFoundError, match="no journal"):
            flush(published.spool, store)

    def test_what_the_server_refuses_does_not_fail_the_run_either(self, home: Path, out: Path) -> None:
        store = FailingStore("write", InvalidInputError("MLflow refuses: a changed param"))
        published = publish(outputs(), journal(), store, home, out)
        assert "a changed param" in published.reason
        assert names_in(out) == sorted(NAMES)

    def test_a_mistake_in_a_program_is_not_taken_for_it(self, home: Path, out: Path) -> None:
        class Broken(MemoryRunStore):
            def open_runs(self, journal: RunJournal) -> TrackedRun:
                raise TypeError("a bug")

        with pytest.raises(TypeError, match="a bug"):
            publish(outputs(), journal(), Broken(), home, out)
        assert names_in(out) == []

    def test_still_away_keeps_the_journal(self, home: Path, out: Path) -> None:
        published = publish(outputs(), journal(), FailingStore("open"), home, out)
        assert published.spool is not None
        for at in ("open", "write"):
            with pytest.raises(BackendUnavailableError):
                flush(published.spool, FailingStore(at))
        assert waiting_journals(home) == [published.spool]


class TestUnwritable:
    def test_an_output_folder_that_is_a_file(self, home: Path, out: Path) -> None:
        out.touch()
        store = MemoryRunStore()
        with pytest.raises(InvalidInputError, match=r"folder cannot be made.*out") as caught:
            publish(outputs(), journal(), store, home, out)
        assert "--output-dir" in caught.value.hint
        assert store.runs == {}
        assert waiting_journals(home) == []

    def test_a_home_that_is_a_file(self, home: Path, out: Path) -> None:
        home.touch()
        with pytest.raises(InvalidInputError, match="folder cannot be made"):
            publish(outputs(), journal(), MemoryRunStore(), home, out)
        assert not out.exists()

    def test_a_folder_in_the_place_of_a_file(self, home: Path, out: Path) -> None:
        (out / NAMES[0]).mkdir(parents=True)
        with pytest.raises(InvalidInputError, match="cannot be put in its place"):
            publish(outputs(), journal(), MemoryRunStore(), home, out)
        assert names_in(out) == [NAMES[0]]

    @pytest.mark.parametrize("limit", [10, 40, 100, 400, 900])
    def test_a_disk_that_fills_up_leaves_nothing(self, limit: int, home: Path, out: Path) -> None:
        """The largest file that a process may write stands for the space that is left."""

        def with_little_space() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                publish(replace(outputs(), report="r" * 1000), journal(), MemoryRunStore(), home, out)
            except InvalidInputError as problem:
                os._exit(42 if "cannot be written" in str(problem) else 43)
            os._exit(0)

        process = FORK.Process(target=with_little_space)
        process.start()
        process.join(60)
        assert process.exitcode == 42
        assert names_in(out) == []
        assert waiting_journals(home) == []
        assert names_in(home / "journals") == []


class TestFlush:
    @pytest.fixture
    def spool(self, home: Path, out: Path) -> Path:
        published = publish(outputs(), journal(), FailingStore("open"), home, out)
        assert published.spool is not None
        return published.spool

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda _: "",
            lambda _: "[]",
            lambda _: "5",
            lambda text: text.replace("hokusai-journal-v1", "hokusai-journal-v9"),
            lambda text: text.replace('"experiment"', '"experimant"'),
            lambda text: text.replace('"42"', "42"),
            lambda text: text.replace("0.05", '"0.05"'),
            lambda _: "\udcff",
        ],
        ids=["half", "empty", "list", "number", "version", "field", "param", "metric", "encoding"],
    )
    def test_a_damaged_journal_is_said_so_and_kept(self, damage: Callable[[str], str], spool: Path) -> None:
        file = spool / "journal.json"
        damaged = damage(file.read_text())
        assert damaged != file.read_text()
        file.write_bytes(damaged.encode(errors="surrogateescape"))
        store = MemoryRunStore()
        with pytest.raises(DataError, match="The journal is damaged"):
            flush(spool, store)
        assert store.runs == {}
        assert file.exists()

    def test_by_two_at_once_delivers_once(self, spool: Path) -> None:
        entered, go_on = threading.Event(), threading.Event()

        class Slow(MemoryRunStore):
            def open_runs(self, journal: RunJournal) -> TrackedRun:
                entered.set()
                assert go_on.wait(60)
                return super().open_runs(journal)

        first = Slow()
        thread = threading.Thread(target=flush, args=(spool, first))
        thread.start()
        assert entered.wait(60)
        process = FORK.Process(target=self._second, args=(spool,))
        process.start()
        process.join(60)
        go_on.set()
        thread.join(60)
        assert process.exitcode == 42
        assert parent_of(first).status == "FINISHED"
        assert not spool.exists()

    @staticmethod
    def _second(spool: Path) -> None:
        try:
            flush(spool, MemoryRunStore())
        except ConflictError:
            os._exit(42)

    def test_waits_while_its_run_is_being_published(self, home: Path, out: Path) -> None:
        refused: list[Exception] = []

        class Asking(MemoryRunStore):
            def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
                (spool,) = waiting_journals(home)
                with pytest.raises(ConflictError) as caught:
                    flush(spool, MemoryRunStore())
                refused.append(caught.value)
                super().write(journal, run, artifacts)

        publish(outputs(), journal(), Asking(), home, out)
        assert len(refused) == 1

    def test_the_lock_ends_with_its_holder(self, spool: Path) -> None:
        class Dying(MemoryRunStore):
            def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
                os._exit(9)

        process = FORK.Process(target=flush, args=(spool, Dying()))
        process.start()
        process.join(60)
        assert process.exitcode == 9
        store = MemoryRunStore()
        flush(spool, store)
        assert parent_of(store).status == "FINISHED"

    def test_in_the_order_in_which_they_came(self, home: Path, out: Path) -> None:
        for run_id in ("9", "10", "1"):
            publish(outputs(run_id), journal(run_id), FailingStore("open"), home, out)
        assert [path.name for path in waiting_journals(home)] == ["9", "10", "1"]
