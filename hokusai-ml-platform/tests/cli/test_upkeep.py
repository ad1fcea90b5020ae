"""`hokusai migrate`, `hokusai doctor`, `hokusai index`: what is shown, as text and as JSON, and the exit codes."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters.mlflow_sqlite import schema_sql
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.cli import main


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of two models that a plain MLflow client wrote."""
    home = tmp_path_factory.mktemp("template")
    client = open_client(f"sqlite:///{home}/mlflow.db")
    (home / "model").mkdir()
    (home / "model" / "weights.bin").write_bytes(b"abc")
    with quiet_mlflow():
        for name in ("churn", "lead"):
            client.create_registered_model(name)
        client.create_model_version("churn", "/nowhere", tags={"version": "1.0.0"})
        client.create_model_version("churn", "/nowhere", tags={"version": "1.0.0"})
        client.create_model_version("lead", "/nowhere", description="v2.0.0")
        client.set_registered_model_alias("churn", "champion", "1")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("MLFLOW_TRACKING_URI", "POSTGRES_URI", "HOKUSAI_DATABASE_URL", "REDIS_HOST"):
        monkeypatch.delenv(variable, raising=False)
    shutil.copytree(template, tmp_path / "home")
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOKUSAI_ACTOR", "ada")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


class Hokusai:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(args)
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def json(self, *args: str, code: int = 0) -> Any:
        ended, out, _ = self(*args, "--json")
        assert ended == code, out
        return json.loads(out)


@pytest.fixture
def hokusai(capsys: pytest.CaptureFixture[str]) -> Hokusai:
    return Hokusai(capsys)


class TestMigrate:
    def test_shows_the_whole_plan_and_writes_nothing(self, home: Path, hokusai: Hokusai) -> None:
        before = schema_sql(home / "mlflow.db")
        code, out, _ = hokusai("migrate", "from-mlflow", "--dry-run", "--no-digests")
        assert code == 0
        rows = [line.split() for line in out.splitlines()[1:4]]
        assert rows == [
            ["churn", "1", "1.0.0", "tag", "version", "production", "version"],
            ["churn", "2", "0.2.0", "derived", "0.N.0", "version"],
            ["lead", "1", "2.0.0", "description", "version"],
        ]
        assert "! churn: Number 2 states 1.0.0 (tag version) too; number 1 has it" in out
        assert (
            "3 versions of 2 models: 3 would get a semantic version, 1 a stage. Nothing was written." in out
        )
        assert schema_sql(home / "mlflow.db") == before

    def test_takes_over_and_a_second_time_does_nothing(self, home: Path, hokusai: Hokusai) -> None:
        code, out, _ = hokusai("migrate", "from-mlflow")
        assert code == 0
        assert "3 got a semantic version, 0 a digest, 3 without files; 1 moves of stages and 4 audit" in out
        assert "nothing was left to be done" in hokusai("migrate", "from-mlflow")[1]
        shown = hokusai.json("models", "show", "churn@production")
        assert (shown["model_id"], shown["mlflow_version"]) == ("churn/1.0.0", 1)
        assert hokusai("audit", "verify")[0] == 0
        assert hokusai("doctor")[0] == 0

    def test_tells_everything_as_json(self, home: Path, hokusai: Hokusai) -> None:
        told = hokusai.json("migrate", "from-mlflow", "--scheme", "N.0.0", "--name", "ch*")
        assert [model["name"] for model in told["models"]] == ["churn"]
        assert [v["version"] for v in told["models"][0]["versions"]] == ["1.0.0", "2.0.0"]
        assert told["versioned"] == 2
        assert sorted(told["missing_artifacts"]) == ["churn/1", "churn/2"]

    def test_copies_another_registry_first(self, home: Path, hokusai: Hokusai, tmp_path: Path) -> None:
        home.rename(tmp_path / "other")
        source = f"sqlite:///{tmp_path}/other/mlflow.db"
        rehearsed = hokusai.json("migrate", "from-mlflow", "--source", source, "--dry-run")
        assert [v["version"] for m in rehearsed["models"] for v in m["versions"]] == [
            "1.0.0",
            "0.2.0",
            "2.0.0",
        ]
        assert hokusai.json("index", "rebuild")["rows"] == 0
        told = hokusai.json("migrate", "from-mlflow", "--source", source)
        assert (told["copied"], told["versioned"], told["moved"]) == (3, 3, 1)
        assert hokusai.json("models", "show", "churn@production")["model_id"] == "churn/1.0.0"
        assert hokusai.json("migrate", "from-mlflow", "--source", source)["copied"] == 0
        code, _, err = hokusai("migrate", "from-mlflow", "--source", f"sqlite:///{tmp_path}/nothing.db")
        assert code == 1
        assert "There is no such database" in err

    def test_refuses_an_unknown_scheme(self, home: Path, hokusai: Hokusai) -> None:
        code, _, err = hokusai("migrate", "from-mlflow", "--scheme", "1.N.0")
        assert code == 2
        assert "'0.N.0', 'N.0.0', '0.0.N'" in err


class TestIndex:
    def test_is_made_again(self, home: Path, hokusai: Hokusai) -> None:
        assert hokusai.json("index", "status")["versions"] == 0
        code, out, _ = hokusai("index", "rebuild")
        assert (code, out.startswith("3 versions of 2 models indexed in ")) == (0, True)
        status = hokusai.json("index", "status")
        assert (status["models"], status["versions"]) == (2, 3)
        assert status["polled_at"] is not None

    def test_says_what_cannot_be_read_as_json(self, home: Path, hokusai: Hokusai) -> None:
        told = hokusai.json("index", "rebuild")
        assert (told["rows"], told["unreadable"], told["dropped"]) == (3, {}, 0)


class TestDoctor:
    def test_finds_nothing_on_a_new_folder(self, home: Path, hokusai: Hokusai) -> None:
        shutil.rmtree(home)
        code, out, _ = hokusai("doctor", "--deep")
        assert code == 0
        assert out.splitlines()[-1] == "All is well."
        assert [line.split()[1] for line in out.splitlines()[1:4]] == ["ledger", "mlflow", "artifacts"]

    def test_mends_what_is_left_behind(self, home: Path, hokusai: Hokusai) -> None:
        draft = home / ".mlflow-db-x1"
        draft.mkdir()
        os.utime(draft, (0, 0))
        code, out, _ = hokusai("doctor")
        assert code == 1
        assert f"draft-left-behind {draft}" in out
        assert "1 thing is left to be mended; 1 of them: hokusai doctor --repair." in out
        code, out, _ = hokusai("doctor", "--repair")
        assert code == 0
        assert "Mended draft-left-behind" in out
        assert not draft.exists()
        assert hokusai.json("audit", "log", "--kind", "doctor.repaired")

    def test_is_not_held_up_by_servers_that_say_nothing(
        self, home: Path, hokusai: Hokusai, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
            port = silent.getsockname()[1]
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
            monkeypatch.setenv("HOKUSAI_DATABASE_URL", f"postgresql://me@127.0.0.1:{port}/db")
            monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
            monkeypatch.setenv("REDIS_PORT", str(port))
            told = hokusai.json("doctor", "--timeout", "2", code=1)
        assert [hop["ok"] for hop in told["hops"]] == [False] * 4
        assert {hop["problem"] for hop in told["hops"]} == {"There was no answer within 2 seconds"}

    def test_names_runs_that_wait_for_mlflow(self, home: Path, hokusai: Hokusai) -> None:
        journal = home / "journals" / "1795"
        journal.mkdir(parents=True)
        (journal / "journal.json").write_text("{}")
        told = hokusai.json("doctor", code=1)
        assert [(f["name"], f["subject"]) for f in told["findings"]] == [
            ("no-semantic-version", f"sqlite:///{home}/mlflow.db"),
            ("journal-waiting", "1795"),
        ]

    def test_tells_of_dead_servers_without_passwords(
        self, home: Path, hokusai: Hokusai, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
        monkeypatch.setenv("HOKUSAI_DATABASE_URL", "postgresql://me:s3cret@127.0.0.1:1/db")
        monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
        monkeypatch.setenv("REDIS_PORT", "1")
        code, out, err = hokusai("doctor")
        assert code == 1
        assert "s3cret" not in out + err
        assert out.count("✗") == 4
        assert "postgresql://me:***@127.0.0.1:1/db" in out
        assert "redis: Redis cannot be reached: Connection refused." in out
        told = hokusai.json("doctor", code=1)
        assert [hop["ok"] for hop in told["hops"]] == [False] * 4
        assert told["not_checked"]
