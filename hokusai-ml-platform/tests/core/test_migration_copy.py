"""Copying models from one MLflow into another: all of them, in order, once."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.core.migration import MigrationReport, migrate
from hokusai.core.migration_copy import MIGRATED_FROM, CopyReport, copy_models, source_pointers
from hokusai.core.stage_log import StageLog
from hokusai.core.version_rules import Rules
from hokusai.domain.records import ACTOR, DELETED, SEMVER
from hokusai.domain.stages import Stage
from hokusai.errors import BackendUnavailableError, ConfigurationError
from hokusai.ports import ModelStore, Upload


def fill(store: ModelStore, name: str) -> None:
    for number in (1, 2, 3):
        upload = store.upload(name, {"model.bin": b"model %d" % number, "data/x": b"x"})
        store.add_version(name, upload, {"version": f"{number}.1.0"}, f"text {number}")
    store.set_alias(name, "champion", 3)
    store.set_alias(name, "blue", 1)


def take_over(source: ModelStore, target: ModelStore, name: str = "*") -> tuple[CopyReport, MigrationReport]:
    stages = StageLog(target)
    copied = copy_models(source, target, stages, name)
    return copied, migrate(
        target,
        MemoryLedger(),
        stages,
        "ada",
        Rules(names=name),
        pointers=source_pointers(source, target),
    )


class TestCopy:
    @pytest.mark.parametrize("kind", ["memory", "mlflow"])
    def test_has_all_of_its_source(self, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        name = f"churn-{uuid.uuid4().hex[:8]}"
        source: ModelStore = MemoryModelStore()
        target: ModelStore = MemoryModelStore()
        if kind == "mlflow":
            source = MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db")
            target = MlflowModelStore(request.getfixturevalue("mlflow_server").url)
        fill(source, name)
        copied, report = take_over(source, target, name)
        rows = target.versions(name)
        assert [(str(row.version), row.description) for row in rows] == [
            ("1.1.0", "text 1"),
            ("2.1.0", "text 2"),
            ("3.1.0", "text 3"),
        ]
        assert rows[1].tags[MIGRATED_FROM] == f"{source.location}/{name}/2"
        target.download(rows[1], tmp_path / "got")
        assert (tmp_path / "got" / "model.bin").read_bytes() == b"model 2"
        assert (tmp_path / "got" / "data" / "x").read_bytes() == b"x"
        assert target.aliases(name) == {"champion": 3, "blue": 1, "production": 3}
        assert (copied.copied, report.digested, report.moved) == (3, 3, 1)
        again, second = take_over(source, target, name)
        assert (again.copied, again.present, second.versioned, second.moved) == (0, 3, 0, 0)

    def test_goes_on_where_it_stopped(self) -> None:
        source, target = MemoryModelStore(), Failing()
        fill(source, "churn")
        with pytest.raises(BackendUnavailableError):
            take_over(source, target)
        assert len(target.versions("churn")) == 1
        target.left = 100
        copied, _ = take_over(source, target)
        assert (copied.copied, copied.present) == (2, 1)
        assert [str(row.version) for row in target.versions("churn")] == ["1.1.0", "2.1.0", "3.1.0"]

    def test_of_a_version_without_files_is_named(self) -> None:
        source, target = MemoryModelStore(), MemoryModelStore()
        source.add_version("churn", Upload("memory:/gone"), {})
        copied, report = take_over(source, target)
        assert list(copied.missing) == ["churn/1"]
        assert [str(row.version) for row in target.versions("churn")] == ["0.1.0"]
        assert list(report.missing) == ["churn/1"]

    def test_takes_older_stages_along(self) -> None:
        source, target = MemoryModelStore(), MemoryModelStore()
        target.add_version("churn", Upload("memory:/gone"), {SEMVER: "9.0.0", ACTOR: "bob"})
        fill(source, "churn")
        source.set_legacy_stage("churn", 2, "Staging")
        take_over(source, target)
        board = StageLog(target).board("churn")
        assert (board.current(Stage.PRODUCTION), board.current(Stage.STAGING)) == ("3.1.0", "2.1.0")
        assert target.alias("churn", "staging") == 3

    def test_gives_way_to_versions_that_are_there(self) -> None:
        source, target = MemoryModelStore(), MemoryModelStore()
        source.add_version("churn", source.upload("churn", {"m": b"1"}), {SEMVER: "1.0.0", ACTOR: "eve"})
        target.add_version("churn", Upload("memory:/gone"), {SEMVER: "1.0.0", ACTOR: "bob"})
        take_over(source, target)
        assert [str(row.version) for row in target.versions("churn")] == ["1.0.0", "0.2.0"]

    def test_leaves_out_what_is_deleted(self) -> None:
        source, target = MemoryModelStore(), MemoryModelStore()
        source.add_version("churn", Upload("memory:/x"), {SEMVER: "1.0.0", DELETED: "wrong data"})
        copied, _ = take_over(source, target)
        assert target.versions("churn") == []
        assert copied.refused == {"churn/1.0.0": "It is deleted there: wrong data"}

    def test_of_a_registry_into_itself_is_refused(self) -> None:
        store = MemoryModelStore()
        with pytest.raises(ConfigurationError, match="itself"):
            copy_models(store, store, StageLog(store))


class Failing(MemoryModelStore):
    """A store that is lost after a number of uploads."""

    left = 1

    def upload(self, *args: object, **more: object) -> Upload:
        if not self.left:
            raise BackendUnavailableError("gone")
        self.left -= 1
        return super().upload(*args, **more)  # type: ignore[arg-type]
