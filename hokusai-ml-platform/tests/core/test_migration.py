"""Taking over an MLflow registry: each version gets its one version, digest, stage and entry, however often it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.core.migration import MIGRATED, MigrationReport, migrate
from hokusai.core.registry import ModelRegistry
from hokusai.core.stage_log import StageLog
from hokusai.core.version_rules import Rules, Scheme
from hokusai.domain.records import ACTOR, SEMVER, SHA256, ModelRecord
from hokusai.domain.stages import Stage
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.ports import ModelStore, Upload

NO_DIGESTS = Rules(digests=False)


class Registry:
    """A registry in memory that others' tools wrote."""

    def __init__(self) -> None:
        self.store, self.ledger = MemoryModelStore(), MemoryLedger()

    def add(
        self,
        name: str = "churn",
        tags: Mapping[str, str] | None = None,
        description: str = "",
        **files: bytes,
    ) -> ModelRecord:
        upload = self.store.upload(name, files) if files else Upload(f"gone:/{name}")
        return self.store.add_version(name, upload, tags or {}, description)

    def migrate(self, rules: Rules = NO_DIGESTS, *, dry_run: bool = False) -> MigrationReport:
        return migrate(self.store, self.ledger, StageLog(self.store), "ada", rules, dry_run=dry_run)

    def versions(self, name: str = "churn") -> list[str]:
        return [str(row.version) for row in self.store.versions(name)]

    def state(self) -> object:
        return (
            [replace(row, updated_ms=0) for row in self.store.versions()],
            [(e.happening, e.sequence) for e in self.ledger.events()],
            {name: self.store.aliases(name) for name in self.store.names()},
        )


@pytest.fixture
def registry() -> Registry:
    return Registry()


class TestVersions:
    @pytest.mark.parametrize(
        ("tag", "value", "expected"),
        [
            ("version", "1.4.0", "1.4.0"),
            ("semver", "v2.0.1-rc.1", "2.0.1-rc.1"),
            ("model_version", "1.2", "1.2.0"),
            ("semantic_version", "7", "7.0.0"),
            ("version", "1.0.0+build.5", "1.0.0+build.5"),
            ("version", "latest", "0.1.0"),
            ("version", "2024.01.15", "0.1.0"),
            ("release", "3.1.4", "0.1.0"),
        ],
    )
    def test_come_from_a_tag_that_states_one(
        self, registry: Registry, tag: str, value: str, expected: str
    ) -> None:
        registry.add(tags={tag: value})
        registry.migrate()
        assert registry.versions() == [expected]

    @pytest.mark.parametrize(
        ("description", "expected"),
        [
            ("1.4.0", "1.4.0"),
            ("Version 2.1.0: more data", "2.1.0"),
            ("v3.0.0-rc.1, a trial", "3.0.0-rc.1"),
            ("release 4.0.0.", "4.0.0"),
            ("Trained with scikit-learn 1.3.0", "0.1.0"),
            ("10.0.0.1 is where it runs", "0.1.0"),
        ],
    )
    def test_come_from_a_description_that_begins_with_one(
        self, registry: Registry, description: str, expected: str
    ) -> None:
        registry.add(description=description)
        registry.migrate()
        assert registry.versions() == [expected]

    def test_come_from_an_alias_that_spells_one(self, registry: Registry) -> None:
        registry.add()
        registry.store.set_alias("churn", "v1-2-0", 1)
        registry.migrate()
        assert registry.versions() == ["1.2.0"]

    def test_come_from_the_tag_that_the_caller_names_and_from_no_other(self, registry: Registry) -> None:
        registry.add(tags={"release": "3.1.4", "version": "9.9.9"})
        registry.add(tags={"version": "9.9.9"})
        registry.migrate(Rules(version_tag="release", digests=False))
        assert registry.versions() == ["3.1.4", "0.2.0"]

    @pytest.mark.parametrize(
        ("scheme", "expected"),
        [
            ("0.N.0", ["0.1.0", "0.2.0"]),
            ("N.0.0", ["1.0.0", "2.0.0"]),
            ("0.0.N", ["0.0.1", "0.0.2"]),
        ],
    )
    def test_are_derived_from_the_number_where_none_is_stated(
        self, registry: Registry, scheme: Scheme, expected: list[str]
    ) -> None:
        registry.add(), registry.add()
        registry.migrate(Rules(scheme=scheme, digests=False))
        assert registry.versions() == expected

    def test_that_several_state_belong_to_the_lowest_number(self, registry: Registry) -> None:
        for _ in range(3):
            registry.add(tags={"version": "1.0.0"})
        report = registry.migrate()
        assert registry.versions() == ["1.0.0", "0.2.0", "0.3.0"]
        assert [note for note in report.plans[0].notes if "Number 2 states 1.0.0" in note]

    def test_that_are_derived_give_way_to_stated_ones(self, registry: Registry) -> None:
        registry.add(), registry.add()
        registry.add(tags={"version": "0.2.0"})
        registry.add(tags={"version": "0.2.1"})
        registry.migrate()
        assert registry.versions() == ["0.1.0", "0.2.2", "0.2.0", "0.2.1"]

    def test_of_hokusai_stay(self, registry: Registry) -> None:
        registry.add(tags={"version": "1.0.0"})
        registry.add(tags={SEMVER: "1.0.0", ACTOR: "bob", SHA256: "0" * 64})
        registry.migrate()
        assert registry.versions() == ["0.1.0", "1.0.0"]

    def test_given_away_while_somebody_registered_the_same_are_given_back(self, registry: Registry) -> None:
        # As a run leaves it that was killed before it could look again.
        registry.add(tags={"version": "1.0.0", SEMVER: "1.0.0"})
        registry.add(tags={SEMVER: "1.0.0", ACTOR: "bob", SHA256: "0" * 64})
        registry.migrate()
        assert registry.versions() == ["0.1.0", "1.0.0"]

    def test_of_a_name_that_hokusai_cannot_carry_are_named_and_the_others_taken_over(
        self, registry: Registry
    ) -> None:
        registry.add("a@b")
        registry.add("churn")
        report = registry.migrate()
        assert list(report.refused) == ["a@b"]
        assert "'@'" in report.refused["a@b"]
        assert registry.versions() == ["0.1.0"]

    def test_are_only_taken_over_of_the_models_asked_for(self, registry: Registry) -> None:
        registry.add("churn"), registry.add("lead-a"), registry.add("lead-b")
        registry.migrate(Rules(digests=False, names="lead-*"))
        assert [registry.versions(name) for name in ("churn", "lead-a", "lead-b")] == [
            ["None"],
            ["0.1.0"],
            ["0.1.0"],
        ]

    def test_by_an_unknown_scheme_are_refused(self) -> None:
        with pytest.raises(InvalidInputError, match=r"0\.N\.0, N\.0\.0, 0\.0\.N"):
            Rules(scheme="1.N.0")  # type: ignore[arg-type]

    def test_with_token_tags_that_cannot_be_used_are_named(self, registry: Registry) -> None:
        registry.add(tags={"hokusai_token_id": "MSG", "benchmark_metric": "m", "benchmark_value": "1"})
        registry.add(tags={"hokusai_token_id": "msg", "benchmark_metric": "m", "benchmark_value": "1"})
        first, second = registry.migrate().plans[0].versions
        assert "'msg'" in first.notes[0]
        assert second.notes == ()


class TestStages:
    def stages(self, registry: Registry) -> dict[str, str | None]:
        board = StageLog(registry.store).board("churn")
        return {stage.value: board.current(stage) for stage in Stage if board.current(stage)}

    def test_of_mlflow_become_moves(self, registry: Registry) -> None:
        for _ in range(4):
            registry.add()
        registry.store.set_legacy_stage("churn", 1, "Archived")
        registry.store.set_legacy_stage("churn", 3, "Production")
        registry.store.set_legacy_stage("churn", 4, "Staging")
        report = registry.migrate()
        board = StageLog(registry.store).board("churn")
        assert self.stages(registry) == {"production": "0.3.0", "staging": "0.4.0"}
        assert dict(board.deprecated) == {"0.1.0": "Taken over from MLflow: stage Archived"}
        assert {event.actor for event in board.history} == {"ada"}
        assert registry.store.aliases("churn") == {"production": 3, "staging": 4}
        assert report.moved == 3
        assert report.plans[0].placed == {1: "deprecated", 3: "production", 4: "staging"}

    def test_of_mlflow_that_several_versions_are_in_go_to_the_newest(self, registry: Registry) -> None:
        for _ in range(3):
            registry.add()
            registry.store.set_legacy_stage("churn", len(registry.versions()), "Production")
        report = registry.migrate()
        assert self.stages(registry) == {"production": "0.3.0"}
        assert report.plans[0].notes == ("Number 3 is taken into production (stage Production); not 1, 2",)

    def test_called_archived_may_be_left_alone(self, registry: Registry) -> None:
        registry.add()
        registry.store.set_legacy_stage("churn", 1, "Archived")
        registry.migrate(Rules(digests=False, deprecate_archived=False))
        assert StageLog(registry.store).board("churn").history == ()

    def test_come_from_aliases_before_older_stages(self, registry: Registry) -> None:
        for _ in range(3):
            registry.add()
        registry.store.set_alias("churn", "champion", 1)
        registry.store.set_legacy_stage("churn", 2, "Production")
        registry.store.set_alias("churn", "blue", 3)
        registry.migrate()
        assert self.stages(registry) == {"production": "0.1.0"}
        assert registry.store.aliases("churn") == {"champion": 1, "blue": 3, "production": 1}
        assert registry.store.version("churn", 3).free_tags == {"mlflow_alias.blue": "true"}

    def test_that_an_alias_names_are_as_the_alias_says(self, registry: Registry) -> None:
        registry.add(), registry.add()
        registry.store.set_alias("churn", "production", 1)
        registry.store.set_legacy_stage("churn", 2, "Staging")
        report = registry.migrate()
        assert self.stages(registry) == {"production": "0.1.0", "staging": "0.2.0"}
        assert report.plans[0].placed == {1: "production", 2: "staging"}
        assert not registry.migrate().changed

    def test_that_hokusai_moved_meanwhile_stay(self, registry: Registry) -> None:
        registry.add(), registry.add()
        registry.store.set_legacy_stage("churn", 1, "Production")
        registry.migrate()
        registry.store.set_legacy_stage("churn", 2, "Production")
        assert not registry.migrate().changed
        assert self.stages(registry) == {"production": "0.1.0"}

    def test_of_an_alias_that_moved_move_its_tag(self, registry: Registry) -> None:
        registry.add(), registry.add()
        registry.store.set_alias("churn", "blue", 1)
        registry.migrate()
        registry.store.set_alias("churn", "blue", 2)
        registry.migrate()
        assert [row.free_tags for row in registry.store.versions("churn")] == [
            {},
            {"mlflow_alias.blue": "true"},
        ]


class TestRuns:
    def filled(self) -> Registry:
        registry = Registry()
        for number in range(1, 8):
            registry.add(tags={"version": f"1.{number // 2}.0"})
            registry.add("lead")
        registry.store.set_legacy_stage("churn", 5, "Production")
        registry.store.set_alias("lead", "champion", 2)
        return registry

    def test_that_are_rehearsed_write_nothing_and_show_everything(self) -> None:
        registry = self.filled()
        before = registry.state()
        report = registry.migrate(dry_run=True)
        assert registry.state() == before
        assert not report.changed
        shown = json.loads(json.dumps(report.to_dict()))["models"][0]["versions"]
        assert [(v["mlflow_version"], v["version"], v["rule"]) for v in shown] == [
            (1, "1.0.0", "tag version"),
            (2, "1.1.0", "tag version"),
            (3, "0.3.0", "derived 0.N.0"),
            (4, "1.2.0", "tag version"),
            (5, "0.5.0", "derived 0.N.0"),
            (6, "1.3.0", "tag version"),
            (7, "0.7.0", "derived 0.N.0"),
        ]
        assert shown[4]["stage"] == "production"

    def test_write_entries_and_the_index(self) -> None:
        registry = self.filled()
        report = registry.migrate()
        assert (report.versions, report.versioned, report.moved, report.entries) == (14, 14, 2, 16)
        entry = registry.ledger.events(kind=MIGRATED)[0].happening
        assert (entry.subject, entry.actor) == ("churn/1.0.0", "ada")
        assert entry.details["mlflow_version"] == 1
        assert entry.details["rule"] == "tag version"
        assert [e.happening.subject for e in registry.ledger.events(kind="model.promoted")] == [
            "churn/0.5.0",
            "lead/0.2.0",
        ]
        found = registry.ledger.index.get(registry.store.location, "churn", "0.5.0")
        assert found == registry.store.version("churn", 5)

    def test_a_second_time_do_nothing(self) -> None:
        registry = self.filled()
        registry.migrate()
        before = registry.state()
        assert not registry.migrate().changed
        assert registry.state() == before

    def test_tell_how_far_they_are(self) -> None:
        registry, told = self.filled(), []
        migrate(
            registry.store,
            registry.ledger,
            StageLog(registry.store),
            "ada",
            NO_DIGESTS,
            progress=lambda done, total: told.append((done, total)),
        )
        assert told[-1] == (14, 14)
        assert told == sorted(told)


class TestDigests:
    def test_are_taken_of_every_artefact_and_missing_ones_are_named(self, registry: Registry) -> None:
        registry.add(**{"model.bin": b"abc"})
        registry.add()
        report = registry.migrate(Rules())
        first, second = registry.store.versions("churn")
        assert first.stored is not None
        # SHA-256 of "abc", as FIPS 180-2 gives it.
        assert first.stored.files == {
            "model.bin": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        }
        assert first.stored.size_bytes == 3
        assert second.stored is None
        assert str(second.version) == "0.2.0"
        assert list(report.missing) == ["churn/2"]
        assert (report.versioned, report.digested) == (2, 1)

    def test_that_cannot_be_taken_of_one_version_do_not_stop_the_rest(self, registry: Registry) -> None:
        class Hostile(MemoryModelStore):
            def download(self, record: ModelRecord, folder: Path) -> None:
                if record.number == 1:
                    raise RecursionError("nested too deep")
                super().download(record, folder)

        registry.store = Hostile()
        registry.add(**{"model.bin": b"abc"})
        registry.add(MLmodel=b"[" * 100_000)
        registry.add(**{"model.bin": b"abc"})
        report = registry.migrate(Rules())
        assert report.missing == {"churn/1": "nested too deep"}
        assert (report.versioned, report.digested, report.refused) == (3, 2, {})

    def test_are_added_to_what_was_taken_over_without(self, registry: Registry) -> None:
        registry.add(**{"model.bin": b"abc"})
        registry.migrate(NO_DIGESTS)
        report = registry.migrate(Rules())
        assert (report.versioned, report.digested) == (0, 1)
        told = [event.happening.details["sha256"] for event in registry.ledger.events(kind=MIGRATED)]
        assert told == [None, registry.store.version("churn", 1).sha256]
        assert not registry.migrate(Rules()).changed


N_VERSIONS = 12


def write_as_others_do(uri: str, name: str, artifact: str = "/nowhere") -> None:
    """A registry as plain MLflow clients write one: tags, aliases, and stages of the older kind."""
    client = open_client(uri)
    with quiet_mlflow():
        client.create_registered_model(name)
        for number in range(1, N_VERSIONS + 1):
            tags = {"version": f"1.{number // 2}.0"} if number % 3 else {"trained_by": "somebody"}
            client.create_model_version(name, artifact, tags=tags)
        client.transition_model_version_stage(name, "3", "Archived")
        client.transition_model_version_stage(name, "7", "Production")
        client.transition_model_version_stage(name, "9", "Production")
        client.transition_model_version_stage(name, "10", "Staging")
        client.set_registered_model_alias(name, "blue", "2")


EXPECTED = [
    "1.0.0",  # number 1 states it
    "1.1.0",
    "0.3.0",
    "1.2.0",
    "0.5.0",  # states 1.2.0 too
    "0.6.0",
    "1.3.0",
    "1.4.0",
    "0.9.0",
    "1.5.0",
    "0.11.0",  # states 1.5.0 too
    "0.12.0",
]


def outcome(store: ModelStore, ledger: SqlLedger, name: str) -> object:
    """All that a take-over writes, but for times, and numbers that depend on the order of the writers."""
    board = StageLog(store).board(name)
    return {
        "versions": [str(row.version) for row in store.versions(name)],
        "tags": [dict(row.tags) for row in store.versions(name)],
        "aliases": store.aliases(name),
        "moves": [(e.move, e.version, e.stage, e.reason, e.actor) for e in board.history],
        "deprecated": dict(board.deprecated),
        "trail": sorted(
            (h.kind, h.subject, h.actor, str(h.details.get("rule")), str(h.details.get("mlflow_version")))
            for h in (event.happening for event in ledger.events())
            if h.subject.startswith(f"{name}/")
        ),
        "index": [ledger.index.numbered(store.location, name, n) for n in range(1, N_VERSIONS + 1)]
        == store.versions(name),
    }


class TestOnMlflow:
    @pytest.mark.parametrize("kind", ["sqlite", "server"])
    def test_the_whole_registry_is_taken_over(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        name = f"churn-{uuid.uuid4().hex[:8]}"
        uri = (
            f"sqlite:///{tmp_path}/mlflow.db"
            if kind == "sqlite"
            else request.getfixturevalue("mlflow_server").url
        )
        write_as_others_do(uri, name, "s3://nowhere/model" if kind == "server" else "/nowhere")
        store, ledger = MlflowModelStore(uri), SqlLedger(f"sqlite:///{tmp_path}/hokusai.db")
        rules = Rules(digests=False, names=name)
        report = migrate(store, ledger, StageLog(store), "ada", rules)
        assert [str(row.version) for row in store.versions(name)] == EXPECTED
        board = StageLog(store).board(name)
        assert (board.current(Stage.PRODUCTION), board.current(Stage.STAGING)) == ("0.9.0", "1.5.0")
        assert list(board.deprecated) == ["0.3.0"]
        assert store.aliases(name) == {"production": 9, "staging": 10, "blue": 2}
        assert (report.versioned, report.moved, report.entries) == (12, 3, 15)
        assert not migrate(store, ledger, StageLog(store), "ada", rules).changed

    def test_a_model_that_mlflow_saved_is_loaded_after_its_bytes_were_checked(self, tmp_path: Path) -> None:
        with quiet_mlflow():
            import mlflow.sklearn
        rows, labels = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        with quiet_mlflow(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.sklearn.save_model(
                LogisticRegression().fit(rows, labels), str(tmp_path / "saved"), pip_requirements=[]
            )
        client = open_client(f"sqlite:///{tmp_path}/mlflow.db")
        client.create_registered_model("churn")
        client.create_model_version("churn", str(tmp_path / "saved"), tags={"version": "1.2.0"})
        store, ledger = (
            MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db"),
            SqlLedger(f"sqlite:///{tmp_path}/hokusai.db"),
        )
        assert migrate(store, ledger, StageLog(store), "ada").digested == 1

        registry = ModelRegistry(store=store, ledger=ledger, actor="ada")
        assert list(registry.load_model("churn/1.2.0").predict(rows)) == labels
        saved = next((tmp_path / "saved").glob("model.*"))
        saved.write_bytes(saved.read_bytes() + b"x")
        with pytest.raises(IntegrityError, match=saved.name):
            registry.load_model("churn/1.2.0")

    def test_a_run_that_was_killed_is_continued_to_the_same_end(self, tmp_path: Path) -> None:
        write_as_others_do(f"sqlite:///{tmp_path}/undisturbed/mlflow.db", "churn")
        for when in KILLED_WHEN:
            shutil.copytree(tmp_path / "undisturbed", tmp_path / when)
        killed(tmp_path)
        end = taken_over(tmp_path / "undisturbed")
        assert [taken_over(tmp_path / when) for when in KILLED_WHEN] == [end, end]
        assert end["versions"] == EXPECTED
        assert end["index"] is True


KILLED_WHEN = {
    "among the versions": "SELECT count(*) >= 5 FROM model_version_tags WHERE key = 'hokusai.semver'",
    "among the moves": "SELECT count(*) >= 1 FROM model_versions WHERE name LIKE 'hokusai-log.%'",
}
"""What is written when the process ends: before it writes anything else, so that it cannot be through first."""
KILLED = """
    import os, signal, sqlite3, sys
    import mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store
    from sqlalchemy import Engine, event
    from hokusai import wiring
    from hokusai.cli import main

    def die_when(query):
        def look(connection):
            with sqlite3.connect("mlflow.db") as database:
                if database.execute(query).fetchone()[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "begin", look)

    for folder, query in zip(sys.argv[1::2], sys.argv[2::2]):
        if not os.fork():
            os.chdir(folder)
            os.environ["HOKUSAI_HOME"] = folder
            die_when(query)
            main(["migrate", "from-mlflow", "--no-digests"])
        status = os.wait()[1]
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
"""


def killed(folder: Path) -> None:
    """Take over each registry by the real command, which is killed at its moment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOKUSAI_", "MLFLOW_"))}
    moments = [word for when, query in KILLED_WHEN.items() for word in (str(folder / when), query)]
    command = [sys.executable, "-c", textwrap.dedent(KILLED), *moments]
    subprocess.run(command, env={**kept, "HOKUSAI_ACTOR": "ada"}, stdout=subprocess.DEVNULL, check=True)


def taken_over(folder: Path) -> Any:
    """What there is once the registry in a folder was taken over, from where it stood."""
    store = MlflowModelStore(f"sqlite:///{folder}/mlflow.db")
    ledger = SqlLedger(f"sqlite:///{folder}/hokusai.db")
    assert migrate(store, ledger, StageLog(store), "ada", Rules(digests=False)).changed
    return outcome(store, ledger, "churn")
