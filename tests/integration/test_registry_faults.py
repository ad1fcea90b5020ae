"""What the registry survives: processes killed anywhere, racing each other, servers that go, disks that fill.

The processes and servers are real. After every fault the doctor explains what it finds, repairs it, and finds nothing
more; and whatever somebody was told is registered is there.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sqlalchemy import create_engine, text

from hokusai import wiring
from hokusai.adapters.mlflow_store import quiet_mlflow, with_driver
from hokusai.adapters.sql.schema import LedgerSchema
from hokusai.core.doctor import diagnose
from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager
from hokusai.domain.audit import chain_faults
from hokusai.domain.records import SEMVER
from hokusai.domain.stages import Stage
from hokusai.errors import BackendUnavailableError, IntegrityError
from hokusai.stack.mlflow import start_mlflow
from hokusai.stack.postgres import PostgresServer, start_postgres
from hokusai.utils.config import Settings
from tests.warm_python import warm

ROWS = np.random.default_rng(3).normal(size=(4, 3))
ACTORS = str(Path(__file__).with_name("registry_actors.py"))


@dataclass(frozen=True)
class Place:
    """Where a registry is: its folder, the variables that lead there, and a model that nobody else has."""

    home: Path
    variables: dict[str, str]
    model: str = "churn"

    def settings(self) -> Settings:
        return Settings(
            home=self.home,
            tracking_uri=self.variables.get("MLFLOW_TRACKING_URI"),
            hokusai_database_url=self.variables.get("HOKUSAI_DATABASE_URL"),
        )

    def registry(self) -> ModelRegistry:
        found = wiring.registry_backends(self.settings())
        return ModelRegistry(store=found.store, ledger=found.ledger, actor="checker", poll_seconds=0)

    def act(self, scenario: str, **told: Any) -> list[dict[str, Any]]:
        """What the processes of a scenario said."""
        done = self._python("-W", "ignore", ACTORS, json.dumps({"scenario": scenario, **told}))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def hokusai(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "hokusai.cli", *arguments)

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOKUSAI_", "MLFLOW_"))
        }
        return subprocess.run(
            warm(*arguments),
            env={**kept, "HOKUSAI_HOME": str(self.home), **self.variables},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(tmp_path, {})


@pytest.fixture
def postgres_place(tmp_path: Path, postgres_server: PostgresServer) -> Place:
    return _on_postgres(tmp_path, postgres_server)


@pytest.fixture(scope="module")
def two_workers(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server with two workers on PostgreSQL; shared, so names have to be new."""
    folder = tmp_path_factory.mktemp("served")
    store = _on_postgres(folder, postgres_server).variables["MLFLOW_TRACKING_URI"]
    with start_mlflow(backend_store_uri=store, artifacts_destination=str(folder), workers=2) as server:
        yield server.url


@pytest.fixture
def server_place(tmp_path: Path, postgres_server: PostgresServer, two_workers: str) -> Place:
    behind = _on_postgres(tmp_path, postgres_server).variables
    return Place(tmp_path, {**behind, "MLFLOW_TRACKING_URI": two_workers}, f"churn-{os.urandom(6).hex()}")


@pytest.fixture(params=["sqlite", "postgres", pytest.param("server", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


class TestRaces:
    def test_one_process_owns_a_version_and_the_others_are_told(self, place: Place) -> None:
        said = place.act("same", processes=4, versions=5, name=place.model)
        for number in range(5):
            about = [line for line in said if line["version"] == f"1.{number}.0"]
            outcomes = sorted(str(line.get("created", line.get("error"))) for line in about)
            assert outcomes == ["ConflictError", "ConflictError", "ConflictError", "True"]
        keys = [record.tags[SEMVER] for record in place.registry().store.versions(place.model)]
        assert sorted(keys) == [f"1.{number}.0" for number in range(5)]
        assert_healthy(place)

    def test_eight_processes_register_up_to_200_versions(self, place: Place) -> None:
        each = 5 if place.variables else 25  # what 200 show of a server, 40 show as well
        said = place.act("different", processes=8, versions=each, name=place.model)
        expected = sorted(
            f"{place.model}/{process}.{number}.0" for process in range(1, 9) for number in range(each)
        )
        assert [line for line in said if "error" in line] == []
        assert sorted(line["id"] for line in said) == expected
        registry = place.registry()
        assert sorted(record.model_id for record in registry.versions_of(place.model)) == expected
        assert len(registry.ledger.events(kind="model.registered")) == 8 * each
        assert_healthy(place)

    def test_three_processes_open_a_new_store_at_once(self, sqlite_place: Place) -> None:
        said = sqlite_place.act("different", processes=3, versions=1, name="churn")
        assert sorted(line.get("id", line.get("text")) for line in said) == [
            f"churn/{n}.0.0" for n in (1, 2, 3)
        ]
        assert_healthy(sqlite_place)

    def test_of_two_promotions_that_expect_the_same_one_wins(self, sqlite_place: Place) -> None:
        """What two that expect nothing leave behind, on every kind of store: `core/test_versioning.py`."""
        place = sqlite_place
        place.act("different", processes=2, versions=1, name=place.model)
        said = place.act("promote", processes=2, versions=1, name=place.model, expected=None)
        assert sorted(line.get("error", "won") for line in said) == ["ConflictError", "won"]
        assert_linear(place)


POINTS = (
    "before upload", "sync 1", "sync 2", "sync 4", "after upload", "before add_version", "after add_version",
    "before record", "after record",
)  # fmt: skip
MOVING = ("after add_version", "before set_alias", "after set_alias", "before record")
DELAYS = (0.02, 0.11, 0.19, 0.31, 0.46, 0.62)


@pytest.fixture(scope="module")
def graves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """By the point at which a process was killed there: a registry in a folder of its own."""
    found = {}
    for scenario, key, values in (
        ("die", "points", POINTS),
        ("promote_and_die", "points", MOVING),
        ("die_by_the_clock", "delays", DELAYS),
    ):
        folder = tmp_path_factory.mktemp(scenario)
        homes = [folder / str(index) for index in range(len(values))]
        told = {key: values, "homes": [str(home) for home in homes], "processes": len(values)}
        said = Place(folder, {}).act(scenario, **told)
        assert said == [{"process": index, "killed": 9} for index in range(len(values))]
        found |= {f"{scenario} {value}": Place(home, {}) for value, home in zip(values, homes, strict=True)}
    return found


class TestKilled:
    @pytest.mark.parametrize("point", POINTS)
    def test_at_any_point_of_a_registration(self, graves: dict[str, Place], point: str) -> None:
        place = graves[f"die {point}"]
        registry = place.registry()
        whole = registry.find("churn/1.0.0")
        assert (whole is not None) == (point in ("after add_version", "before record", "after record"))
        assert_explained_and_repaired(place)
        again = registry.register(_same_model(), "churn", "1.0.0")
        assert again.created == (whole is None)
        assert registry.load_model("churn/1.0.0").predict(ROWS).shape == (4,)
        assert_healthy(place)

    @pytest.mark.parametrize("delay", DELAYS)
    def test_at_moments_that_nobody_chose(self, graves: dict[str, Place], delay: float) -> None:
        place = graves[f"die_by_the_clock {delay}"]
        assert_explained_and_repaired(place)
        registry = place.registry()
        numbers = [record.number for record in registry.versions_of("churn")]
        assert numbers == list(range(len(numbers), 0, -1))
        assert registry.load_model("churn").predict(ROWS).shape == (4,)

    @pytest.mark.parametrize("point", MOVING)
    def test_in_a_promotion(self, graves: dict[str, Place], point: str) -> None:
        place = graves[f"promote_and_die {point}"]
        assert place.registry().get_model("churn@production").model_id == "churn/1.0.0"
        assert_explained_and_repaired(place)
        assert place.registry().store.alias("churn", "production") == 1

    @pytest.mark.parametrize("point", ["after upload", "after add_version"])
    def test_at_the_seams_of_a_registration_on_postgres(self, postgres_place: Place, point: str) -> None:
        assert postgres_place.act("die", points=[point]) == [{"process": 0, "killed": 9}]
        assert_explained_and_repaired(postgres_place)
        postgres_place.registry().register(_same_model(), "churn", "1.0.0")
        assert_healthy(postgres_place)


class TestGone:
    @pytest.mark.slow
    def test_mlflow(self, tmp_path: Path) -> None:
        with start_mlflow(artifacts_destination=str(tmp_path / "served")) as server:
            place = Place(tmp_path, {"MLFLOW_TRACKING_URI": server.url})
            registry = place.registry()
            registry.register_model(_same_model(), "churn", "1.0.0")
        with pytest.raises(BackendUnavailableError):
            registry.register_model(_same_model(1), "churn", "1.1.0")
        assert registry.get_model("churn/1.0.0").number == 1  # from the index
        with pytest.raises(BackendUnavailableError):
            ModelVersionManager(registry).promote_model("churn", "1.0.0")
        diagnosis = diagnose(wiring.installation(place.settings()), timeout_seconds=5)
        assert [hop.name for hop in diagnosis.hops if not hop.ok][:1] == ["mlflow"]

    def test_postgres_and_back(self, tmp_path: Path) -> None:
        with start_postgres(folder=tmp_path / "pg") as server:
            place, port = _on_postgres(tmp_path, server), int(server.uri.rpartition(":")[2].partition("/")[0])
            registry = place.registry()
            registry.register_model(_same_model(), "churn", "1.0.0")
        with pytest.raises(BackendUnavailableError):
            registry.register_model(_same_model(1), "churn", "1.1.0")
        with start_postgres(folder=tmp_path / "pg", port=port):
            assert registry.register_model(_same_model(1), "churn", "1.1.0") == "churn/1.1.0"
            assert [record.model_id for record in registry.versions_of("churn")] == [
                "churn/1.1.0",
                "churn/1.0.0",
            ]
            assert_explained_and_repaired(place)

    def test_space_on_the_disk(self, sqlite_place: Place) -> None:
        said = sqlite_place.act("full_disk", name="big", version="1.0.0", bytes=1_500_000)
        assert [line.get("error") for line in said] == ["BackendUnavailableError"], said
        registry = sqlite_place.registry()
        assert registry.find("big/1.0.0") is None
        assert list(registry.store.orphans()) == []
        assert_healthy(sqlite_place)


class TestByHand:
    def test_a_truncated_artefact_is_not_loaded(self, sqlite_place: Place) -> None:
        registry = sqlite_place.registry()
        registry.register_model(_same_model(), "churn", "1.0.0")
        file = next(sqlite_place.home.rglob("*.skops"))
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:-10])
        with pytest.raises(IntegrityError, match=file.name):
            registry.load_model("churn/1.0.0")
        diagnosis = diagnose(wiring.installation(sqlite_place.settings()), deep=True)
        assert [finding.subject for finding in diagnosis.findings if finding.is_fault] == ["churn/1.0.0"]

    def test_an_edited_event_log_is_noticed(self, sqlite_place: Place) -> None:
        sqlite_place.registry().register_model(_same_model(), "churn", "1.0.0")
        assert sqlite_place.hokusai("audit", "verify").returncode == 0
        with closing(sqlite3.connect(sqlite_place.home / "hokusai.db")) as connection:
            for (trigger,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f'DROP TRIGGER "{trigger}"')
            tables = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            events = next(
                name for name in tables if "event" in name or ("audit" in name and "head" not in name)
            )
            changed = connection.execute(f"UPDATE \"{events}\" SET actor = 'somebody else'")
            assert changed.rowcount >= 1
            connection.commit()
        verdict = sqlite_place.hokusai("audit", "verify")
        assert verdict.returncode == 1
        assert "changed" in verdict.stdout + verdict.stderr


def assert_healthy(place: Place) -> None:
    diagnosis = diagnose(wiring.installation(place.settings()))
    assert diagnosis.is_healthy, diagnosis.to_dict()
    ledger = place.registry().ledger
    assert chain_faults(ledger.events(), ledger.head()) == []


def assert_explained_and_repaired(place: Place) -> None:
    """After the doctor's repairs no fault is left."""
    diagnose(wiring.installation(place.settings()), repair=True, older_than_hours=0)
    left = diagnose(wiring.installation(place.settings()), older_than_hours=0)
    assert left.is_healthy, left.to_dict()
    assert_healthy(place)


def assert_linear(place: Place) -> None:
    """Every move follows the one before, and MLflow's aliases say what the last ones say."""
    registry = place.registry()
    board = registry.stages.board(place.model)
    assert [event.expected for event in board.history] == [0, *(event.number for event in board.history)][:-1]
    for stage in Stage:
        key = board.current(stage)
        number = registry.get_model(place.model, key).number if key else None
        assert registry.store.alias(place.model, stage.value) == number
    assert_healthy(place)


def _same_model(seed: int = 0) -> LogisticRegression:
    rows = np.random.default_rng(seed).normal(size=(40, 3))
    return LogisticRegression().fit(rows, rows[:, 0] + 0.1 * rows[:, 1] > 0)


def _on_postgres(folder: Path, server: PostgresServer) -> Place:
    """MLflow's tables and the ledger's, in a new database."""
    template = _template(server.uri)
    uri = _new_database(server.uri, f"TEMPLATE {template}")
    return Place(folder, {"MLFLOW_TRACKING_URI": uri, "HOKUSAI_DATABASE_URL": uri})


@lru_cache
def _template(server_uri: str) -> str:
    """A database with both sets of tables, which take ten seconds to make."""
    uri = _new_database(server_uri)
    with quiet_mlflow():
        from mlflow.store.db.utils import _initialize_tables

        engine = create_engine(with_driver(uri))
        _initialize_tables(engine)
        engine.dispose()
    schema = LedgerSchema(uri)
    schema.upgrade()
    schema.close()  # a database can be a template while nobody is connected to it
    return uri.rpartition("/")[2]


def _new_database(server_uri: str, options: str = "") -> str:
    name = f"registry_{os.urandom(6).hex()}"
    engine = create_engine(with_driver(server_uri), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {options}"))
    engine.dispose()
    return f"{server_uri.rpartition('/')[0]}/{name}"
