"""The log of stages: one chain whoever races, caches that never refuse wrongly, and a mirror that is repaired."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_sqlite import create_database
from hokusai.adapters.mlflow_store import open_client
from hokusai.core.stage_log import StageLog
from hokusai.domain.records import DELETED, DEPRECATED, SEMVER
from hokusai.domain.stages import Move, Stage, StageBoard, StageEvent
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import BackendUnavailableError, ConflictError, IntegrityError, InvalidInputError
from hokusai.ports import ModelStore, Upload
from tests.warm_python import warm

PRODUCTION, STAGING = Stage.PRODUCTION, Stage.STAGING
VERSIONS = [f"1.{minor}.0" for minor in range(4)]


def promotion(version: str, stage: Stage = PRODUCTION) -> Callable[[StageBoard], StageEvent | None]:
    """Puts `version` into `stage` unless it is there."""

    def make(board: StageBoard) -> StageEvent | None:
        now = board.current(stage)
        return None if now == version else StageEvent(Move.PROMOTE, version, stage, now, "ada")

    return make


def rollback(board: StageBoard) -> StageEvent:
    """Puts the version before back into production."""
    before = board.before(PRODUCTION)
    if before is None:
        raise ConflictError("nothing before")
    return StageEvent(Move.ROLLBACK, before, PRODUCTION, board.current(PRODUCTION), "bob")


def with_versions(store: ModelStore, name: str = "churn") -> ModelStore:
    for number, version in enumerate(VERSIONS, start=1):
        store.add_version(name, Upload(source="hokusai:event"), {SEMVER: version, "number": str(number)})
    return store


@pytest.fixture
def store() -> ModelStore:
    return with_versions(MemoryModelStore())


class Watched(MemoryModelStore):
    """A store that can do something, or fail, right before one of its methods runs."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, list[Callable[[], None]]] = {}
        self.calls: list[str] = []

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self.before.get(method):
            self.before[method].pop(0)()

    def add_version(self, *args: Any, **kwargs: Any) -> Any:
        self._called("add_version")
        return super().add_version(*args, **kwargs)

    def versions(self, *args: Any, **kwargs: Any) -> Any:
        self._called("versions")
        return super().versions(*args, **kwargs)

    def set_alias(self, *args: Any, **kwargs: Any) -> None:
        self._called("set_alias")
        super().set_alias(*args, **kwargs)

    def alias(self, *args: Any, **kwargs: Any) -> Any:
        self._called("alias")
        return super().alias(*args, **kwargs)


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    with_versions(watched)
    return watched


class TestMove:
    def test_is_read_by_every_other_process(self, store: ModelStore):
        written = StageLog(store).move("churn", promotion("1.0.0"))
        board = StageLog(store).board("churn")
        assert board.history == (written,)
        assert (board.current(PRODUCTION), written.number, written.expected) == ("1.0.0", 1, 0)

    def test_that_has_nothing_to_do_writes_nothing(self, store: ModelStore):
        log = StageLog(store)
        log.move("churn", promotion("1.0.0"))
        assert log.move("churn", promotion("1.0.0")) is None
        assert len(store.versions(LOG_PREFIX + "churn")) == 1

    def test_that_is_refused_writes_nothing(self, store: ModelStore):
        with pytest.raises(ConflictError, match="nothing to roll back"):
            StageLog(store).move("churn", lambda _: StageEvent(Move.ROLLBACK, "1.0.0", PRODUCTION))
        assert store.versions(LOG_PREFIX + "churn") == []

    def test_of_a_version_that_was_moved_by_its_number_goes_on_by_its_number(self, store: ModelStore):
        row = store.add_version("churn", Upload(source="hokusai:event"), {}).number
        log = StageLog(store)
        log.move("churn", lambda _: StageEvent(Move.PROMOTE, str(row), STAGING, row=row))
        store.set_tags("churn", row, {SEMVER: "0.1.0"})
        with pytest.raises(ConflictError, match="is in staging"):
            log.move("churn", lambda _: StageEvent(Move.DELETE, "0.1.0", row=row))
        log.move("churn", lambda _: StageEvent(Move.PROMOTE, "0.1.0", PRODUCTION, row=row))
        board = StageLog(store).board("churn")
        assert [board.current(stage) for stage in Stage] == [None, None, str(row)]
        assert board.key_of("0.1.0", row) == str(row)
        assert store.aliases("churn") == {"production": row}

    @pytest.mark.parametrize("told", [{"reason": "\ud800"}, {"actor": 7}, {"version": "garbage"}])
    def test_that_no_reader_would_believe_is_not_written(self, store: ModelStore, told: dict[str, Any]):
        event = replace(StageEvent(Move.PROMOTE, "1.0.0", PRODUCTION), **told)
        with pytest.raises(InvalidInputError, match="none that a reader would take for one"):
            StageLog(store).move("churn", lambda _: event)
        assert store.versions(LOG_PREFIX + "churn") == []

    def test_costs_one_row_and_the_alias_that_changes(self, watched: Watched):
        log = StageLog(watched)
        log.move("churn", promotion("1.0.0"))
        watched.calls.clear()
        event = log.move("churn", lambda board: StageEvent(Move.PROMOTE, "1.1.0", PRODUCTION, "1.0.0", row=2))
        assert event is not None
        assert watched.calls == ["add_version", "set_alias"]

    def test_on_an_old_board_is_not_refused_for_what_is_no_longer_so(self, store: ModelStore):
        old, other = StageLog(store), StageLog(store)
        old.move("churn", lambda _: StageEvent(Move.DEPRECATE, "1.0.0"))
        other.move("churn", lambda _: StageEvent(Move.REINSTATE, "1.0.0"))
        assert old.move("churn", promotion("1.0.0")) is not None

    def test_on_an_old_board_is_not_skipped_for_what_is_no_longer_so(self, store: ModelStore):
        old, other = StageLog(store), StageLog(store)
        old.move("churn", promotion("1.0.0"))
        other.move("churn", promotion("1.1.0"))
        assert old.move("churn", promotion("1.0.0")).previous == "1.1.0"
        assert StageLog(store).board("churn").current(PRODUCTION) == "1.0.0"

    def test_on_an_old_board_that_is_allowed_there_is_refused_where_it_no_longer_is(self, store: ModelStore):
        old, other = StageLog(store), StageLog(store)
        old.move("churn", promotion("1.0.0"))
        other.move("churn", lambda _: StageEvent(Move.DEPRECATE, "1.1.0", reason="biased"))
        with pytest.raises(ConflictError, match="is deprecated: biased"):
            old.move("churn", promotion("1.1.0"))
        assert store.alias("churn", "production") == 1

    def test_that_loses_its_race_is_made_again(self, watched: Watched):
        log, other = StageLog(watched), StageLog(watched)
        log.board("churn")
        watched.before["add_version"] = [lambda: other.move("churn", promotion("1.1.0"))]
        won = log.move("churn", promotion("1.2.0"))
        assert won is not None
        assert won.previous == "1.1.0"
        assert [event.version for event in StageLog(watched).board("churn").history] == ["1.1.0", "1.2.0"]
        assert watched.aliases("churn") == {"production": 3}

    @pytest.mark.parametrize("read_before", [True, False])
    def test_that_insists_on_its_stage_is_refused_if_somebody_moves_it_meanwhile(
        self, watched: Watched, read_before: bool
    ):
        log, other = StageLog(watched), StageLog(watched)
        for version in VERSIONS[:3]:
            (log if read_before else other).move("churn", promotion(version))
        watched.before["add_version"] = [lambda: other.move("churn", rollback)]
        with pytest.raises(
            ConflictError, match=r"Somebody else moved first: bob rolled production back to 1\.1\.0"
        ):
            log.move("churn", rollback, insists=True)
        assert StageLog(watched).board("churn").current(PRODUCTION) == "1.1.0"

    def test_that_insists_is_not_refused_for_what_was_moved_before_it_was_asked_for(self, store: ModelStore):
        old, other = StageLog(store), StageLog(store)
        old.move("churn", promotion("1.0.0"))
        other.move("churn", promotion("1.1.0"))
        threading.Event().wait(0.005)  # the clock that tells the two apart counts milliseconds
        done = old.move("churn", rollback, insists=True)
        assert (done.version, done.previous) == ("1.0.0", "1.1.0")

    def test_that_insists_does_not_mind_moves_elsewhere(self, watched: Watched):
        log, other = StageLog(watched), StageLog(watched)
        for version in VERSIONS[:2]:
            log.move("churn", promotion(version))
        watched.before["add_version"] = [lambda: other.move("churn", promotion("1.3.0", STAGING))]
        assert log.move("churn", rollback, insists=True).version == "1.0.0"

    def test_that_was_sent_twice_has_happened_once(self):
        class Stuttering(MemoryModelStore):
            def add_version(self, name: str, *args: Any, **kwargs: Any) -> Any:
                first = super().add_version(name, *args, **kwargs)
                return super().add_version(name, *args, **kwargs) if name.startswith(LOG_PREFIX) else first

        log = StageLog(with_versions(Stuttering()))
        assert log.move("churn", promotion("1.0.0")).number == 1
        assert log.move("churn", promotion("1.1.0")).number == 3
        assert [event.version for event in log.board("churn").history] == ["1.0.0", "1.1.0"]

    def test_of_threads_that_race_are_one_chain(self, store: ModelStore):
        logs = [StageLog(store) for _ in range(3)]
        done: list[StageEvent] = []

        def race(log: StageLog, first: int) -> None:
            for turn in range(15):
                event = log.move("churn", promotion(VERSIONS[(first + turn) % 4]))
                done.extend([event] if event else [])

        threads = [threading.Thread(target=race, args=(log, i)) for i, log in enumerate(logs * 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alias = store.alias("churn", "production")  # asked before a reader can repair it
        board = StageLog(store).board("churn")
        assert_one_chain(board)
        assert {event.number for event in board.history} == {event.number for event in done}
        assert [event.previous for event in board.history[1:]] == [e.version for e in board.history[:-1]]
        assert alias == 1 + VERSIONS.index(board.current(PRODUCTION))


class TestMirror:
    def test_follows_promotion_rollback_and_withdrawal(self, store: ModelStore):
        log = StageLog(store)
        log.move("churn", promotion("1.0.0", STAGING))
        assert store.aliases("churn") == {"staging": 1}
        log.move("churn", promotion("1.0.0"))
        assert store.aliases("churn") == {"production": 1}
        log.move("churn", promotion("1.1.0"))
        log.move("churn", rollback)
        assert store.aliases("churn") == {"production": 1}
        log.move("churn", lambda board: StageEvent(Move.WITHDRAW, "1.0.0", PRODUCTION))
        assert store.aliases("churn") == {}

    def test_marks_versions_that_are_out_of_use(self, store: ModelStore):
        log = StageLog(store)
        log.move("churn", lambda _: StageEvent(Move.DEPRECATE, "1.0.0", reason="biased"))
        log.move("churn", lambda _: StageEvent(Move.DELETE, "1.1.0"))
        assert store.version("churn", 1).tags[DEPRECATED] == "biased"
        assert store.version("churn", 2).tags[DELETED] == "no reason was given"
        log.move("churn", lambda _: StageEvent(Move.REINSTATE, "1.0.0"))
        log.move("churn", lambda _: StageEvent(Move.RESTORE, "1.1.0"))
        assert {DEPRECATED, DELETED}.isdisjoint(
            store.version("churn", 1).tags | store.version("churn", 2).tags
        )

    def test_that_could_not_be_written_is_written_by_the_next_reader(self, watched: Watched):
        def away() -> None:
            raise BackendUnavailableError("MLflow is away")

        watched.before["set_alias"] = [away]
        StageLog(watched).move("churn", promotion("1.0.0"))
        assert watched.aliases("churn") == {}
        assert StageLog(watched).board("churn").current(PRODUCTION) == "1.0.0"
        assert watched.aliases("churn") == {"production": 1}

    def test_that_comes_late_does_not_hide_a_newer_move(self, watched: Watched):
        late, other = StageLog(watched), StageLog(watched)
        watched.before["set_alias"] = [lambda: other.move("churn", promotion("1.1.0"))]
        late.move("churn", promotion("1.0.0"))
        assert watched.aliases("churn") == {"production": 2}  # asked before a reader can repair it
        assert StageLog(watched).board("churn").current(PRODUCTION) == "1.1.0"

    def test_tells_and_repairs_what_somebody_changed_by_hand(self, store: ModelStore):
        log = StageLog(store)
        log.move("churn", promotion("1.0.0"))
        log.move("churn", lambda _: StageEvent(Move.DEPRECATE, "1.1.0", reason="biased"))
        assert log.mirror_faults("churn") == []
        store.set_alias("churn", "production", 3)
        store.set_alias("churn", "staging", 4)
        store.set_tags("churn", 2, {DEPRECATED: None})
        faults = [
            "The alias staging of churn points to number 4, and the history says nothing",
            "The alias production of churn points to number 3, and the history says number 1",
            "The tags of churn/1.1.0 do not say what the history says: deprecated",
        ]
        assert log.mirror_faults("churn") == faults
        assert log.mirror("churn", log.board("churn")) == faults
        assert log.mirror_faults("churn") == []
        assert log.mirror("churn", log.board("churn")) == []
        assert store.aliases("churn") == {"production": 1}

    def test_tells_rows_of_the_history_that_are_gone(self, store: ModelStore):
        log = StageLog(store)
        for version in VERSIONS[:3]:
            log.move("churn", promotion(version))
        store.remove_version(LOG_PREFIX + "churn", 2)
        with pytest.raises(IntegrityError, match="Row 2 of the history of churn is gone from MLflow"):
            log.mirror_faults("churn")


class TestRowsThatAreGone:
    @pytest.mark.parametrize("gone", [[1], [2], [1, 2]])
    def test_stop_a_new_reader_and_leave_the_aliases_as_they_are(self, store: ModelStore, gone: list[int]):
        log = StageLog(store)
        for version in VERSIONS[:3]:
            log.move("churn", promotion(version))
        for number in gone:
            store.remove_version(LOG_PREFIX + "churn", number)
        new = StageLog(store)
        for ask in (lambda: new.board("churn"), lambda: new.move("churn", promotion("1.3.0"))):
            with pytest.raises(IntegrityError, match=f"Row {gone[0]} of the history of churn is gone"):
                ask()
        assert store.alias("churn", "production") == 3
        assert [row.number for row in store.versions(LOG_PREFIX + "churn")] == sorted({1, 2, 3} - set(gone))

    def test_do_not_stop_who_had_read_them(self, store: ModelStore):
        log = StageLog(store)
        for version in VERSIONS[:3]:
            log.move("churn", promotion(version))
        store.remove_version(LOG_PREFIX + "churn", 2)
        log.move("churn", promotion("1.3.0"))
        assert log.board("churn").current(PRODUCTION) == "1.3.0"

    def test_are_noticed_in_mlflow_where_removing_the_whole_history_begins_it_anew(self, tmp_path: Path):
        uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
        store, client = with_versions(MlflowModelStore(uri, str(tmp_path / "artifacts"))), open_client(uri)
        for version in VERSIONS[:3]:
            StageLog(store).move("churn", promotion(version))
        client.delete_model_version(LOG_PREFIX + "churn", "2")
        with pytest.raises(IntegrityError, match="Row 2 of the history of churn is gone") as caught:
            StageLog(store).board("churn")
        assert "remove the model hokusai-log.churn in MLflow" in caught.value.hint
        client.delete_registered_model(LOG_PREFIX + "churn")
        log = StageLog(store)
        assert log.board("churn").current(PRODUCTION) == "1.2.0"
        log.move("churn", promotion("1.3.0"))
        assert log.board("churn").before(PRODUCTION) == "1.2.0"


class TestAliasesWithoutHistory:
    def test_are_the_stages(self, store: ModelStore):
        store.set_alias("churn", "production", 2)
        store.set_alias("churn", "staging", 3)
        log = StageLog(store)
        board = log.board("churn")
        assert [board.current(stage) for stage in Stage] == [None, "1.2.0", "1.1.0"]
        store.set_alias("churn", "production", 1)
        assert log.board("churn").current(PRODUCTION) == "1.0.0"
        assert log.mirror_faults("churn") == []

    def test_are_written_down_by_the_first_move(self, store: ModelStore):
        store.set_alias("churn", "production", 2)
        store.set_alias("churn", "staging", 3)
        log = StageLog(store)
        log.board("churn")
        store.set_alias("churn", "production", 1)  # what counts is what they say when the move is made
        log.move("churn", promotion("1.3.0"))
        for reader in (log, StageLog(store)):
            board = reader.board("churn")
            assert [board.current(stage) for stage in Stage] == [None, "1.2.0", "1.3.0"]
            assert board.before(PRODUCTION) == "1.0.0"
        assert store.aliases("churn") == {"production": 4, "staging": 3}

    def test_of_a_version_without_a_semantic_version_name_its_number(self, store: ModelStore):
        row = store.add_version("churn", Upload(source="hokusai:event"), {})
        store.set_alias("churn", "production", row.number)
        assert StageLog(store).board("churn").current(PRODUCTION) == "5"

    def test_of_a_model_that_is_not_there_are_none(self, store: ModelStore):
        assert StageLog(store).board("nobody").holders() == ()


PROCESSES = """
import os, signal, sys, traceback
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import quiet_mlflow
from hokusai.core.stage_log import StageLog
from hokusai.domain.stages import Move, Stage, StageEvent
with quiet_mlflow():  # once; then processes are forked that have opened nothing yet
    import mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store
uri, location, name = sys.argv[1:]

def race(first):
    log = StageLog(MlflowModelStore(uri, location or None))
    log.board(name)
    os.write(1, b"ready\\n")
    os.read(wait_here, 1)  # until the other end is closed
    for turn in range(6):
        version = f"1.{(first + turn) % 4}.0"
        def make(board):
            now = board.current(Stage.PRODUCTION)
            return None if now == version else StageEvent(Move.PROMOTE, version, Stage.PRODUCTION, now, str(first))
        event = log.move(name, make)
        os.write(1, f"{event.number if event else 0}\\n".encode())

wait_here, release = os.pipe()
children = []
for first in range(3):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(release)
        try:
            race(first)
        except BaseException:
            traceback.print_exc()
            os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)
sys.stdin.read()
os.close(release)
for child in children:
    os.waitpid(child, 0)
"""


@pytest.fixture(params=["sqlite", "postgres", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and place for files of an MLflow, embedded, on PostgreSQL, and as a server."""
    if request.param == "sqlite":
        create_database(tmp_path / "mlflow.db")
        yield f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "artifacts")
    elif request.param == "postgres":
        server, database = request.getfixturevalue("postgres_server"), f"stages_{uuid4().hex[:12]}"
        engine = create_engine(server.sqlalchemy_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {database}"))
        engine.dispose()
        yield server.uri.replace("mlflow_db", database), str(tmp_path / "artifacts")
    else:
        yield request.getfixturevalue("mlflow_server").url, ""


@pytest.mark.slow
def test_processes_that_race_make_one_chain_and_the_aliases_are_its_end(place: tuple[str, str]):
    uri, location = place
    name = f"churn-{uuid4().hex[:12]}"
    store = with_versions(MlflowModelStore(uri, location or None), name)
    starter = subprocess.Popen(
        warm("-W", "ignore", "-c", PROCESSES, uri, location, name),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert [starter.stdout.readline() for _ in range(3)] == ["ready\n"] * 3
    told = starter.communicate(timeout=120)[0].split()  # closes its input: they may begin
    assert starter.returncode == 0
    assert len(told) == 3 * 6
    alias = store.alias(name, "production")  # asked before a reader can repair it
    board = StageLog(store).board(name)
    assert_one_chain(board)
    written = {int(number) for number in told} - {0}
    assert {event.number for event in board.history} == written
    assert [event.previous for event in board.history[1:]] == [event.version for event in board.history[:-1]]
    assert alias == 1 + VERSIONS.index(board.current(PRODUCTION))
    assert StageLog(store).mirror_faults(name) == []


def assert_one_chain(board: StageBoard) -> None:
    assert [event.expected for event in board.history] == [0, *(event.number for event in board.history[:-1])]
