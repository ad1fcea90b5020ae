"""What the registry's store on MLflow owes to MLflow's other users, and what it survives.

What every store does is in `contracts/test_model_store.py`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_sqlite import migrate
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.core.models.mlmodel_file import mlflow_files
from hokusai.core.models.skops_file import dump_model
from hokusai.domain.model import ModelArtifact
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from hokusai.ports import Upload
from hokusai.stack.mlflow import MlflowServer
from hokusai.stack.postgres import PostgresServer, start_postgres
from hokusai.stack.s3 import S3Server
from tests.warm_python import warm

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.8, 0.1]])
MODEL = LogisticRegression().fit(X, [0, 1, 0, 1])
FILES: dict[str, bytes | Path] = {"model.skops": b"PK", "sub/MLmodel": b"flavors: {}\n"}
NO_FILES = Upload("hokusai:event")
PROCESSES, VERSIONS = 3, 10

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow.*"),
]


@dataclass
class Backend:
    """An MLflow, as a place for models."""

    uri: str
    artifacts: str | None
    name: str
    """A model that nobody else uses."""

    @property
    def experiments(self) -> str | None:
        """Where files of runs go."""
        return (
            Path(self.artifacts).as_uri()
            if self.artifacts and "://" not in self.artifacts
            else self.artifacts
        )

    @property
    def store(self) -> MlflowModelStore:
        return MlflowModelStore(self.uri, self.artifacts)


@pytest.fixture
def name() -> str:
    return f"churn-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def embedded(tmp_path: Path, name: str) -> Backend:
    return Backend(f"sqlite:///{tmp_path}/home/mlflow.db", str(tmp_path / "räume & #1"), name)


@pytest.fixture
def on_server(mlflow_server: MlflowServer, name: str) -> Backend:
    return Backend(mlflow_server.url, None, name)


@pytest.fixture
def on_postgres(postgres_server: PostgresServer, tmp_path: Path, name: str) -> Backend:
    # The first to open it makes the tables; the tests of this file share them.
    open_client(postgres_server.uri)
    return Backend(postgres_server.sqlalchemy_url, str(tmp_path / "store"), name)


@pytest.fixture
def on_s3(s3_server: S3Server, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Backend:
    for variable, value in s3_server.env().items():
        monkeypatch.setenv(variable, value)
    return Backend(f"sqlite:///{tmp_path}/home/mlflow.db", s3_server.uri(f"registry-{name}"), name)


@pytest.fixture(params=["embedded", "on_postgres", "on_server", "on_s3"])
def backend(request: pytest.FixtureRequest) -> Backend:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Backend)
    return found


@pytest.fixture(params=["embedded", "on_postgres", "on_server"])
def database(request: pytest.FixtureRequest) -> Backend:
    """The backends that differ in how they keep rows."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Backend)
    return found


@pytest.fixture
def fluent(backend: Backend) -> Iterator[Any]:
    """Plain MLflow, as somebody without Hokusai uses it."""
    with quiet_mlflow():
        import mlflow
        import mlflow.pyfunc
        import mlflow.sklearn

        before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
        open_client(backend.uri)
        mlflow.set_tracking_uri(backend.uri)
        mlflow.set_registry_uri(backend.uri)
        yield mlflow
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestPlainMlflow:
    def test_loads_what_we_registered(self, backend: Backend, fluent: Any) -> None:
        model = ModelArtifact("churn/1.1.0", "x", "model.skops", dump_model(MODEL), {}, 4)
        files = {model.file_name: model.content, **mlflow_files(model)}
        store = backend.store
        store.add_version(backend.name, store.upload(backend.name, files), {"hokusai.semver": "1.1.0"})
        store.set_alias(backend.name, "production", 1)
        for uri in (f"models:/{backend.name}/1", f"models:/{backend.name}@production"):
            assert (fluent.pyfunc.load_model(uri).predict(X) == MODEL.predict(X)).all()

    def test_registers_what_we_read(self, backend: Backend, fluent: Any, tmp_path: Path) -> None:
        fluent.set_experiment(experiment_id=fluent.create_experiment(backend.name, backend.experiments))
        with fluent.start_run() as run:
            logged = fluent.sklearn.log_model(
                MODEL, name="model", registered_model_name=backend.name, pip_requirements=["scikit-learn"]
            )
        store = backend.store
        record = store.version(backend.name, 1)
        assert record.run_id == run.info.run_id
        store.download(record, tmp_path / "0")
        for n, uri in enumerate(
            (f"models:/{backend.name}/1", f"models:/{logged.model_id}", f"runs:/{run.info.run_id}/model"), 1
        ):
            store.fetch(uri, tmp_path / str(n))
            assert content(tmp_path / str(n)).items() >= content(tmp_path / "0").items()
        assert {"MLmodel", "model.skops"} <= set(content(tmp_path / "0"))
        # What MLflow keeps in the same place is none of our orphans.
        assert logged.model_id not in "".join(orphan.source for orphan in store.orphans())

    def test_keeps_its_prompts_apart(self, backend: Backend, fluent: Any) -> None:
        with quiet_mlflow():
            fluent.genai.register_prompt(backend.name, "Say {{what}}")
        store = backend.store
        for _ in range(2):
            with pytest.raises(ConflictError, match="a prompt called"):
                store.add_version(backend.name, NO_FILES, {})
        assert store.versions(backend.name) == []
        assert backend.name not in store.names()

    def test_sees_the_run_that_a_model_is_from(self, backend: Backend, fluent: Any) -> None:
        experiment = fluent.create_experiment(backend.name, backend.experiments)
        with fluent.start_run(experiment_id=experiment) as run:
            pass
        store = backend.store
        upload = store.upload(backend.name, FILES, run.info.run_id)
        assert store.add_version(backend.name, upload, {}).run_id == run.info.run_id

    def test_reads_what_a_history_is(self, backend: Backend, fluent: Any) -> None:
        log = f"{LOG_PREFIX}{backend.name}"
        backend.store.add_version(log, NO_FILES, {})
        backend.store.add_version(backend.name, NO_FILES, {})
        assert "history of the stages" in fluent.MlflowClient().get_registered_model(log).description
        assert not fluent.MlflowClient().get_registered_model(backend.name).description

    def test_keeps_its_journal_mode(self, tmp_path: Path, name: str) -> None:
        migrate(tmp_path / "plain.db")
        MlflowModelStore(f"sqlite:///{tmp_path}/plain.db", str(tmp_path)).add_version(name, NO_FILES, {})
        assert sqlite3.connect(tmp_path / "plain.db").execute("PRAGMA journal_mode").fetchone() == ("delete",)


class TestLocation:
    def test_has_no_secret_and_is_equal_for_equal_stores(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        def location(uri: str) -> str:
            return MlflowModelStore(uri).location

        assert location("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
        assert location(f"sqlite:///{tmp_path}/b/../a.db?timeout=3") == f"sqlite:///{tmp_path}/a.db"
        with_password = location("postgresql://me:s3cret@db:5432/mlflow?password=s3cret")
        assert with_password == "postgresql+psycopg2://me@db:5432/mlflow"
        assert location("postgresql+psycopg2://me:other@db:5432/mlflow") == with_password
        assert (
            location("http://me:s3cret@host:5000/")
            == "http://me@host:5000"
            == location("http://me@host:5000")
        )

    def test_stays_when_the_working_folder_changes(
        self, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / "one")
        store = MlflowModelStore("sqlite:///mlflow.db", "files")
        monkeypatch.chdir(tmp_path / "two")
        record = store.add_version(name, store.upload(name, FILES), {})
        assert record.source.startswith((tmp_path / "one" / "files" / "models").as_uri())
        assert list((tmp_path / "two").iterdir()) == []

    def test_of_files_must_be_known_on_a_database(self, postgres_server: PostgresServer, name: str) -> None:
        with pytest.raises(ConfigurationError, match="MLFLOW_ARTIFACT_ROOT"):
            MlflowModelStore(postgres_server.uri).upload(name, FILES)


class TestDiscard:
    @pytest.mark.parametrize("inside", ["", "models", "models/churn", "mine"])
    def test_takes_away_nothing_but_uploads(self, embedded: Backend, inside: str) -> None:
        assert embedded.artifacts is not None
        folder = Path(embedded.artifacts) / inside
        (folder / "x").mkdir(parents=True)
        with pytest.raises(InvalidInputError, match="not uploaded by this registry"):
            embedded.store.discard(folder.as_uri())
        assert (folder / "x").exists()

    def test_takes_away_no_model_of_somebody_else(self, on_server: Backend) -> None:
        client = open_client(on_server.uri)
        model = client.create_logged_model(client.create_experiment(on_server.name), name="theirs")
        with pytest.raises(InvalidInputError, match="not uploaded by this registry"):
            on_server.store.discard(f"models:/{model.model_id}")
        assert client.get_logged_model(model.model_id).name == "theirs"


class TestS3:
    def test_keeps_files_whole_and_gives_them_up(
        self, on_s3: Backend, s3_server: S3Server, tmp_path: Path
    ) -> None:
        store = on_s3.store
        upload = store.upload(on_s3.name, FILES)
        assert upload.source.startswith(f"{on_s3.artifacts}/models/{on_s3.name}/")
        (orphan,) = store.orphans()
        assert (orphan.source, orphan.size_bytes) == (upload.source, 2 + 12)
        assert 0 <= orphan.age_seconds < 60
        record = store.add_version(on_s3.name, upload, {})
        assert list(store.orphans()) == []
        store.download(record, tmp_path / "got")
        assert content(tmp_path / "got") == FILES
        store.remove_version(on_s3.name, 1)
        store.discard(upload.source)
        listed = s3_server.client().list_objects_v2(
            Bucket=s3_server.buckets[0], Prefix=f"registry-{on_s3.name}"
        )
        assert listed.get("Contents", []) == []
        assert list(store.orphans()) == []
        with pytest.raises(NotFoundError):
            store.fetch(upload.source, tmp_path / "gone")

    def test_that_cannot_be_reached(
        self, on_s3: Backend, free_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises(BackendUnavailableError):
            on_s3.store.upload(on_s3.name, FILES)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(script: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(warm("-c", script, *arguments), stdout=subprocess.PIPE, text=True, **options)


DISK_FULL = """
import resource, sys
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.errors import BackendUnavailableError
store = MlflowModelStore(sys.argv[1], sys.argv[2])
store.names()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store.upload(sys.argv[3], {"small": b"1", "large": b"2" * 5000})
except BackendUnavailableError as problem:
    print(problem)
"""
UPLOAD_FOR_EVER = """
import sys
from hokusai.adapters.mlflow_registry import MlflowModelStore
store = MlflowModelStore(sys.argv[1], sys.argv[2])
while True:
    store.upload(sys.argv[3], {f"{n}/file": b"x" * 5000 for n in range(100)})
"""
ADD = """
import json, os, signal, sys, traceback
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import quiet_mlflow
from hokusai.ports import Upload
with quiet_mlflow():  # once; then processes are forked that have opened nothing yet
    import mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store
uri, name, processes, count = sys.argv[1:]

def add(me):
    store = MlflowModelStore(uri)
    store.names()
    os.write(1, b"ready\\n")
    os.read(wait_here, 1)  # until the other end is closed
    tags = {**{f"tag{n}": "x" for n in range(5)}, "by": str(me)}
    added = [store.add_version(name, Upload("hokusai:event"), tags).number for _ in range(int(count))]
    os.write(1, (json.dumps([me, added]) + "\\n").encode())

wait_here, release = os.pipe()
children = []
for me in range(int(processes)):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(release)
        try:
            add(me)
        except BaseException:
            traceback.print_exc()
            os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)
sys.stdin.read()
os.close(release)
for child in children:
    os.waitpid(child, 0)
"""


class TestFaults:
    def test_a_full_disk_leaves_nothing(self, embedded: Backend) -> None:
        assert embedded.artifacts is not None
        with python(DISK_FULL, embedded.uri, embedded.artifacts, embedded.name) as process:
            said = process.communicate(timeout=120)[0]
        assert "could not be stored: File too large" in said
        assert [p for p in Path(embedded.artifacts).rglob("*") if p.is_file() or p.name != embedded.name] == [
            Path(embedded.artifacts) / "models"
        ]
        assert list(embedded.store.orphans()) == []

    def test_a_killed_upload_is_not_taken_for_a_whole_one(self, embedded: Backend, tmp_path: Path) -> None:
        assert embedded.artifacts is not None
        folder, unfinished = Path(embedded.artifacts, "models", embedded.name), []
        for _ in range(10):
            process = python(UPLOAD_FOR_EVER, embedded.uri, embedded.artifacts, embedded.name)
            known = set(folder.glob("*"))
            deadline = time.monotonic() + 60
            while not set(folder.glob(".unfinished-*")) - known and time.monotonic() < deadline:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=120)
            unfinished = list(folder.glob(".unfinished-*"))
            if unfinished:
                break
        assert unfinished
        whole = [path for path in folder.iterdir() if path not in unfinished]
        assert all(len(content(path)) == 100 for path in whole)
        store = embedded.store
        found = {orphan.source: orphan for orphan in store.orphans()}
        assert set(found) == {path.as_uri() for path in (*whole, *unfinished)}
        for source in found:
            store.discard(source)
        assert list(folder.iterdir()) == []

    def test_a_server_that_goes_while_files_are_sent(
        self, on_server: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        sound = on_server.store
        before = {orphan.source for orphan in sound.orphans()}
        with Line(on_server.uri, cut_at=b"PUT ") as line, pytest.raises(BackendUnavailableError):
            MlflowModelStore(line.uri).upload(on_server.name, FILES)
        assert line.was_cut
        left = {orphan.source for orphan in sound.orphans()} - before
        assert len(left) == 1  # nobody could remove it, but it can be found
        sound.discard(left.pop())
        assert {orphan.source for orphan in sound.orphans()} == before
        assert sound.versions(on_server.name) == []

    def test_a_server_that_refuses_files_keeps_none(
        self, on_server: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = {orphan.source for orphan in on_server.store.orphans()}
        # A name that the object store behind the server cannot hold; the first file is there by then.
        files: dict[str, bytes | Path] = {"a": b"1", "b/" + "x" * 250 + "/" + "y" * 250: b"2"}
        files |= {"c/" + "/".join("z" * 200 for _ in range(8)): b"3"}
        with pytest.raises((BackendUnavailableError, InvalidInputError)):
            on_server.store.upload(on_server.name, files)
        assert {orphan.source for orphan in on_server.store.orphans()} == before

    def test_a_server_that_is_not_there(self, name: str, free_port: int) -> None:
        store = MlflowModelStore(f"http://127.0.0.1:{free_port}")
        with pytest.raises(BackendUnavailableError, match="cannot be reached"):
            store.check()
        with pytest.raises(BackendUnavailableError, match="cannot be reached"):
            store.upload(name, FILES)
        with pytest.raises(BackendUnavailableError, match="cannot be reached"):
            store.versions(name)

    def test_a_database_that_was_down_is_used_again(self, tmp_path: Path, name: str, free_port: int) -> None:
        options: dict[str, Any] = {"folder": tmp_path / "pg", "port": free_port}
        with start_postgres(**options) as server:
            store = MlflowModelStore(server.uri, str(tmp_path / "store"))
            record = store.add_version(name, NO_FILES, {"a": "1"})
        with pytest.raises(BackendUnavailableError):
            store.add_version(name, NO_FILES, {})
        with pytest.raises(BackendUnavailableError):
            store.check()
        with start_postgres(**options):
            assert store.versions(name) == [record]
            assert store.add_version(name, NO_FILES, {}).number == 2


class TestProcessesAtOnce:
    def test_get_numbers_without_gaps_and_all_tags(self, database: Backend) -> None:
        given = (database.uri, database.name, str(PROCESSES), str(VERSIONS))
        with python(ADD, *given, stdin=subprocess.PIPE) as starter:
            assert starter.stdin and starter.stdout
            assert [starter.stdout.readline() for _ in range(PROCESSES)] == ["ready\n"] * PROCESSES
            said, _ = starter.communicate(timeout=120)  # closes its input: they may begin
        numbers = [mine for _, mine in sorted(json.loads(line) for line in said.splitlines())]
        assert len(numbers) == PROCESSES
        assert sorted(number for mine in numbers for number in mine) == list(
            range(1, PROCESSES * VERSIONS + 1)
        )
        stored = database.store.versions(database.name)
        by = {record.number: record.tags["by"] for record in stored}
        assert by == {number: str(n) for n, mine in enumerate(numbers) for number in mine}
        assert all(len(record.tags) == 6 for record in stored)


class Line:
    """A line to a server that is cut when a message on it begins with `cut_at`."""

    def __init__(self, uri: str, cut_at: bytes) -> None:
        host, port = uri.removeprefix("http://").split(":")
        self._server, self._cut_at = (host, int(port)), cut_at
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.uri = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.was_cut = self._over = False

    def __enter__(self) -> Line:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            self._open += [near, far]
            if self._over:
                self._cut()
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while message := source.recv(65536):
                if message.startswith(self._cut_at):
                    self.was_cut = True
                    self._cut()
                    return
                sink.sendall(message)
            sink.close()
        except OSError:
            return

    def _cut(self) -> None:
        self._over = True
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


UPLOAD = """
import sys
from hokusai.adapters.mlflow_registry import MlflowModelStore
MlflowModelStore(sys.argv[1]).upload("churn", {"model": b"abc"})
"""


class TestSharedPlaces:
    """What another database has there is none of ours, however it came to be there."""

    def test_of_two_databases_each_lists_its_own_files(self, tmp_path: Path) -> None:
        places = [f"sqlite:///{tmp_path}/{n}/mlflow.db" for n in "ab"]
        one, two = (MlflowModelStore(uri, str(tmp_path / "files")) for uri in places)
        uploads = [store.upload("churn", FILES) for store in (one, two)]
        assert [[orphan.source for orphan in store.orphans()] for store in (one, two)] == [
            [upload.source] for upload in uploads
        ]

    def test_in_object_stores_too(self, on_s3: Backend, tmp_path: Path) -> None:
        other = MlflowModelStore(f"sqlite:///{tmp_path}/other.db", on_s3.artifacts)
        left = other.upload("churn", FILES)
        assert list(on_s3.store.orphans()) == []
        assert [orphan.source for orphan in other.orphans()] == [left.source]

    def test_a_database_that_was_made_anew_is_another(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/mlflow.db"
        with python(UPLOAD, uri) as process:
            assert process.wait(timeout=120) == 0
        (tmp_path / "mlflow.db").unlink()
        assert list((tmp_path / "artifacts/models/churn").iterdir()) != []
        assert list(MlflowModelStore(uri).orphans()) == []

    def test_files_that_were_moved_with_their_database_stay(self, tmp_path: Path) -> None:
        old = MlflowModelStore(f"sqlite:///{tmp_path}/old/mlflow.db")
        old.add_version("churn", old.upload("churn", FILES), {})
        (tmp_path / "old").rename(tmp_path / "new")
        assert list(MlflowModelStore(f"sqlite:///{tmp_path}/new/mlflow.db").orphans()) == []

    def test_files_that_are_reached_by_another_path_stay(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/mlflow.db"
        old = MlflowModelStore(uri, str(tmp_path / "old"))
        used = old.add_version("churn", old.upload("churn", FILES), {})
        left = old.upload("churn", FILES)
        (tmp_path / "old").rename(tmp_path / "new")
        store = MlflowModelStore(uri, str(tmp_path / "new"))
        assert [o.source for o in store.orphans()] == [left.source.replace("/old/", "/new/")]
        with pytest.raises(ConflictError, match="refers to these files"):
            store.discard(used.source.replace("/old/", "/new/"))
