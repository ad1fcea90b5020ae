"""Opening MLflow: what can be used is found out within seconds, and every failure has its own name."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from hokusai.adapters.mlflow_store import check_reachable, open_client, quiet_mlflow, translated
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    ConflictError,
    HokusaiError,
    InvalidInputError,
    NotFoundError,
)

URI = "http://me:hunter2@127.0.0.1:5000"


class Answers:
    """A web server that gives one answer to every request, and remembers what it was asked."""

    def __init__(self, status: int, body: bytes, seconds: float = 0) -> None:
        self.asked: list[tuple[str, str | None]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Authorization")))
                time.sleep(seconds)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class Starter:
    def __init__(self) -> None:
        self.running: list[Answers] = []

    def __call__(self, status: int, body: bytes = b"{}", seconds: float = 0) -> Answers:
        self.running.append(Answers(status, body, seconds))
        return self.running[-1]


@pytest.fixture
def answering() -> Iterator[Starter]:
    starter = Starter()
    yield starter
    for running in starter.running:
        running.server.shutdown()
        running.server.server_close()


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MLFLOW_TRACKING_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class TestServers:
    def test_one_that_answers_can_be_used(self, answering: Starter) -> None:
        server = answering(200)
        check_reachable(f"http://127.0.0.1:{server.port}/prefix/")
        assert server.asked == [("/prefix/api/2.0/mlflow/experiments/search?max_results=1", None)]

    def test_the_real_one_can_be_used(self, mlflow_server: Any) -> None:
        check_reachable(mlflow_server.url)

    @pytest.mark.parametrize("status", [401, 403])
    def test_one_that_refuses_us(self, answering: Starter, status: int) -> None:
        with pytest.raises(BackendUnavailableError, match=rf"refuses us \(HTTP {status}\)") as caught:
            check_reachable(f"http://127.0.0.1:{answering(status).port}")
        assert "MLFLOW_TRACKING_TOKEN" in caught.value.hint

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_one_that_is_broken(self, answering: Starter, status: int) -> None:
        with pytest.raises(BackendUnavailableError, match=f"cannot be reached: HTTP {status}"):
            check_reachable(f"http://127.0.0.1:{answering(status).port}")

    @pytest.mark.parametrize(("status", "body"), [(200, b"<html>Log in</html>"), (404, b"{}"), (200, b"[]")])
    def test_one_that_is_something_else(self, answering: Starter, status: int, body: bytes) -> None:
        with pytest.raises(BackendUnavailableError, match="no MLflow server"):
            check_reachable(f"http://127.0.0.1:{answering(status, body).port}")

    def test_one_that_is_not_there(self, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []  # between tries, as MLflow's own client does for minutes
        monkeypatch.setattr(time, "sleep", waits.append)
        with pytest.raises(BackendUnavailableError, match="cannot be reached: Connection refused"):
            open_client(f"http://me:hunter2@127.0.0.1:{closed_port}")
        assert waits == []

    def test_one_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hokusai.adapters.mlflow_store._BUSY_SECONDS", 0.2)  # 20 s is too long for a test
        with (
            socket.create_server(("127.0.0.1", 0)) as deaf,
            pytest.raises(BackendUnavailableError, match="in time"),
        ):
            check_reachable(f"http://127.0.0.1:{deaf.getsockname()[1]}")

    def test_one_that_has_much_to_do(self, answering: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is there, so it is given longer to answer than to be found."""
        monkeypatch.setattr("hokusai.adapters.mlflow_store._PROBE_SECONDS", 0.3)
        check_reachable(f"http://127.0.0.1:{answering(200, seconds=0.6).port}")

    def test_one_with_no_such_name(self) -> None:
        with pytest.raises(BackendUnavailableError, match=r"cannot be reached.*nowhere\.invalid"):
            check_reachable("http://nowhere.invalid:5000")

    def test_credentials_in_the_address_are_sent(self, answering: Starter) -> None:
        server = answering(200)
        check_reachable(f"http://me:hunter2@127.0.0.1:{server.port}")
        assert server.asked[0][1] == "Basic bWU6aHVudGVyMg=="

    def test_credentials_in_the_environment_are_sent(
        self, answering: Starter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = answering(200)
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
        check_reachable(f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
        check_reachable(f"http://127.0.0.1:{server.port}")
        assert [sent for _, sent in server.asked] == ["Bearer t0ken", "Basic bWU6aHVudGVyMg=="]


class TestAddresses:
    @pytest.mark.parametrize("uri", ["file:///data/mlruns", "mlruns", "./mlruns"])
    def test_the_file_store_is_retired(self, uri: str) -> None:
        with pytest.raises(ConfigurationError, match="file store is retired"):
            check_reachable(uri)

    @pytest.mark.parametrize("uri", ["ftp://host/x", "sqlite:mlflow.db", "sqlite://"])
    def test_other_kinds_are_not_known(self, uri: str) -> None:
        with pytest.raises(ConfigurationError, match="neither a server nor a database"):
            check_reachable(uri)

    def test_a_database_that_is_not_there(self, closed_port: int) -> None:
        with pytest.raises(BackendUnavailableError, match=r"refused|connection failed") as caught:
            check_reachable(f"postgresql://me:hunter2@127.0.0.1:{closed_port}/mlflow")
        assert "hunter2" not in str(caught.value)
        assert "me:***@127.0.0.1" in caught.value.where

    def test_a_database_without_its_tables_can_be_used(self, postgres_server: Any) -> None:
        check_reachable(postgres_server.uri)

    def test_a_database_name_that_does_not_exist(self, postgres_server: Any) -> None:
        with pytest.raises(BackendUnavailableError, match=r'"nope" does not exist'):
            check_reachable(postgres_server.uri.rpartition("/")[0] + "/nope")

    def test_an_address_that_is_none(self) -> None:
        with pytest.raises(HokusaiError):
            check_reachable("postgresql://me:hunter2@host:port/mlflow")

    @pytest.mark.parametrize(
        "uri",
        [
            "http://me:hunter2@127.0.0.1:9",
            "http://me:hunter2@[::1]:9",
            "http://me:hunter2@nowhere.invalid",
            "http://me:hunter2@127.0.0.1:port",
            "postgresql://me:hunter2@127.0.0.1:9/x",
            "postgresql://me:hunter2@host:port/mlflow",
            "ftp://me:hunter2@host/x",
        ],
    )
    def test_no_password_is_shown(self, uri: str) -> None:
        with pytest.raises(HokusaiError) as caught:
            check_reachable(uri)
        assert "hunter2" not in f"{caught.value}{caught.value.where}{caught.value.hint}"


class TestBorder:
    @pytest.fixture(autouse=True)
    def mlflow(self) -> None:
        with quiet_mlflow():
            import mlflow  # noqa: F401

    MEANINGS: ClassVar = {
        "INVALID_PARAMETER_VALUE": InvalidInputError,
        "BAD_REQUEST": InvalidInputError,
        "RESOURCE_DOES_NOT_EXIST": NotFoundError,
        "RESOURCE_ALREADY_EXISTS": ConflictError,
        "PERMISSION_DENIED": BackendUnavailableError,
        "INTERNAL_ERROR": BackendUnavailableError,
        "TEMPORARILY_UNAVAILABLE": BackendUnavailableError,
    }

    @pytest.mark.parametrize("code", MEANINGS)
    def test_what_the_server_says_keeps_its_meaning(self, code: str) -> None:
        from mlflow.exceptions import RestException

        with pytest.raises(self.MEANINGS[code]) as caught, translated(URI):
            raise RestException({"error_code": code, "message": "the reason"})
        assert type(caught.value) is self.MEANINGS[code]
        assert "the reason" in str(caught.value)
        assert "cannot be reached" not in str(caught.value)

    @pytest.mark.parametrize(
        "mistake", [TypeError, AttributeError, KeyError, ZeroDivisionError, FileNotFoundError]
    )
    def test_a_mistake_in_a_program_stays_what_it_is(self, mistake: type[Exception]) -> None:
        with pytest.raises(mistake), translated(URI):
            raise mistake("x")

    def test_a_mistake_that_mlflow_wraps_is_not_hidden(self) -> None:
        from mlflow.exceptions import MlflowException

        with pytest.raises(MlflowException), translated(URI):
            raise MlflowException("x") from TypeError("x")

    @pytest.mark.parametrize("kind", [ConnectionResetError, TimeoutError, OSError])
    def test_a_lost_connection(self, kind: type[Exception]) -> None:
        with pytest.raises(BackendUnavailableError), translated(URI):
            raise kind("http://me:hunter2@host is gone")

    def test_no_password_crosses_it(self) -> None:
        from mlflow.exceptions import MlflowException

        with pytest.raises(HokusaiError) as caught, translated(URI):
            raise MlflowException(f"API request to {URI}/api failed")
        assert "hunter2" not in str(caught.value)

    def test_our_own_errors_pass(self) -> None:
        with pytest.raises(NotFoundError, match="mine"), translated(URI):
            raise NotFoundError("mine")

    def test_a_database_that_lost_a_table_meanwhile(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
        client = open_client(uri)
        execute(tmp_path / "mlflow.db", "DROP TABLE experiments")
        with pytest.raises(BackendUnavailableError, match="no such table"), translated(uri):
            client.create_experiment("x")

    def test_a_database_of_another_mlflow(self, tmp_path: Path) -> None:
        open_client(f"sqlite:///{tmp_path / 'mlflow.db'}")
        other = Path(shutil.copy(tmp_path / "mlflow.db", tmp_path / "other.db"))
        execute(other, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
        with pytest.raises(ConfigurationError, match="another version of MLflow") as caught:
            open_client(f"sqlite:///{other}")
        assert "mlflow db upgrade" in caught.value.hint


def execute(database: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


PROGRAM = """
import sys
from hokusai.adapters.mlflow_models import MlflowModelFiles
from hokusai.adapters.mlflow_store import open_client
from hokusai.errors import NotFoundError

client = open_client(sys.argv[1])
client.create_registered_model("m")
import mlflow
before = mlflow.tracking._tracking_service.utils._tracking_uri
for reference in ("models:/m/1", "models:/m@production", "m/1.0.0", "runs:/" + "0" * 32 + "/m", "models:/m-1"):
    try:
        MlflowModelFiles(sys.argv[1]).fetch(reference)
    except NotFoundError:
        pass
assert (before, mlflow.tracking._tracking_service.utils._tracking_uri) == (None, None)
assert mlflow.active_run() is None
"""


def test_the_working_folder_and_mlflow_s_global_state_are_left_alone(tmp_path: Path) -> None:
    """In a process of its own, since this one's MLflow has served other tests."""
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert list(work.iterdir()) == []
