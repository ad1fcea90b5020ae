"""A new MLflow database: the one that MLflow's migrations make, whole or absent, whoever races or is killed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters.mlflow_sqlite import check_sqlite, create_database, migrate, schema_sql, shipped_schema
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.errors import ConfigurationError

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def mlflow() -> Any:
    """Imported once, before the processes of these tests are forked."""
    with quiet_mlflow():
        import mlflow
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store

        return mlflow


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "home" / "mlflow.db"


def use(database: Path) -> list[str]:
    """Write to the database through MLflow, and read from all of it that we use."""
    client = open_client(f"sqlite:///{database}")
    client.create_run(client.create_experiment(f"by-{os.getpid()}-{time.time_ns()}"))
    client.search_registered_models()
    return sorted(experiment.name for experiment in client.search_experiments())


def table(database: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def structure(database: Path) -> dict[str, Any]:
    """All that SQLite knows of a database's structure.

    The constraints of a table are sorted: alembic copies tables, and a copy's constraints are in no fixed order.
    """
    found: dict[str, Any] = {}
    for kind, name, of, sql in table(database, "SELECT type, name, tbl_name, sql FROM sqlite_master"):
        lines = sorted(line.strip().rstrip(",") for line in (sql or "").splitlines())
        columns = table(database, f"PRAGMA table_xinfo('{name}')") if kind == "table" else []
        found[f"{kind} {name}"] = (of, lines, columns)
    return found


class TestSchema:
    def test_is_the_one_that_the_migrations_make(self, tmp_path: Path) -> None:
        """If this fails after an upgrade of MLflow: write `schema_sql` of a migrated file beside the old one."""
        shipped = shipped_schema()
        assert shipped is not None, (
            "the installed MLflow has no schema that ships with us: first use takes seconds"
        )
        restored, migrated = tmp_path / "restored.db", tmp_path / "migrated.db"
        with contextlib.closing(sqlite3.connect(restored)) as connection:
            connection.executescript(shipped.read_text(encoding="utf-8"))
        with quiet_mlflow():
            migrate(migrated)
        assert structure(restored) == structure(migrated)
        inserted = [line for line in schema_sql(migrated).splitlines() if line.startswith("INSERT")]
        assert inserted == [line for line in schema_sql(restored).splitlines() if line.startswith("INSERT")]
        assert len(inserted) == 2  # the revision, and the default workspace
        assert table(migrated, "PRAGMA user_version") == table(restored, "PRAGMA user_version")

    def test_a_new_database_has_it_and_one_experiment(self, tmp_path: Path, database: Path) -> None:
        create_database(database)
        reference = tmp_path / "reference.db"
        with contextlib.closing(sqlite3.connect(reference)) as connection:
            shipped = shipped_schema()
            assert shipped is not None
            connection.executescript(shipped.read_text(encoding="utf-8"))
        assert structure(database) == structure(reference)
        assert len(structure(database)) > 100
        for rows in ("SELECT * FROM alembic_version", "SELECT * FROM workspaces"):
            assert table(database, rows) == table(reference, rows)
            assert len(table(database, rows)) == 1
        assert table(database, "SELECT experiment_id, name, artifact_location FROM experiments") == [
            (0, "Default", str(database.parent / "artifacts"))
        ]

    def test_an_mlflow_that_we_do_not_know_makes_its_own(
        self, database: Path, mlflow: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Another MLflow cannot be installed beside this one; only its number is played.
        monkeypatch.setattr(mlflow, "__version__", "9.9.9")
        assert shipped_schema() is None
        with quiet_mlflow():
            create_database(database)
        monkeypatch.undo()
        assert len(use(database)) == 2

    def test_writers_do_not_block_readers(self, database: Path) -> None:
        create_database(database)
        assert table(database, "PRAGMA journal_mode") == [("wal",)]

    def test_what_is_there_is_left_alone(self, database: Path) -> None:
        create_database(database)
        names = use(database)
        create_database(database)
        assert [name for (name,) in table(database, "SELECT name FROM experiments ORDER BY name")] == names


class TestFirstOpen:
    def test_by_several_processes_at_once(self, database: Path) -> None:
        barrier = FORK.Barrier(4)

        def open_it() -> None:
            barrier.wait()
            use(database)

        processes = [FORK.Process(target=open_it) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0, 0, 0, 0]
        assert len(use(database)) == 1 + 4 + 1
        assert [path.name for path in database.parent.glob(".mlflow-db-*")] == []

    @pytest.mark.parametrize("known", [True, False], ids=["from the shipped schema", "by migrations"])
    def test_after_a_kill_in_the_middle_of_it(
        self, known: bool, tmp_path: Path, mlflow: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not known:
            monkeypatch.setattr(mlflow, "__version__", "9.9.9")
        killed = 0
        for number, delay in enumerate((0.0, 0.01, 0.02, 0.04, 0.08, 0.3)):
            database = tmp_path / str(number) / "mlflow.db"
            process = FORK.Process(target=lambda database=database: create_database(database))
            process.start()
            time.sleep(delay)
            killed += kill(process)
            assert not database.exists() or table(database, "SELECT count(*) FROM experiments") == [(1,)]
        assert killed >= 1
        monkeypatch.undo()
        assert len(use(tmp_path / "0" / "mlflow.db")) == 2
        assert len(use(tmp_path / "5" / "mlflow.db")) == 2


def kill(process: BaseProcess) -> bool:
    """Whether it was still at work."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


class TestPlaces:
    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.db"
        path.write_text("Dear diary, today I was taken for a database.")
        with pytest.raises(ConfigurationError, match=r"not an SQLite database \(.*notes\.db\)"):
            check_sqlite(path)
        assert path.read_text().startswith("Dear diary")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="is a folder"):
            check_sqlite(tmp_path)

    def test_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="is not a folder"):
            check_sqlite(tmp_path / "file" / "home" / "mlflow.db")

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc, which nobody may write to")
    def test_a_place_that_cannot_be_written_to(self) -> None:
        with pytest.raises(ConfigurationError, match="cannot be written") as caught:
            create_database(Path("/proc/hokusai/mlflow.db"))
        assert "HOKUSAI_HOME" in caught.value.hint

    def test_memory(self) -> None:
        with pytest.raises(ConfigurationError, match="in memory"):
            check_sqlite(Path(":memory:"))

    def test_a_name_with_spaces_and_letters(self, tmp_path: Path) -> None:
        assert len(use(tmp_path / "größe & more" / "ml flow.db")) == 2
