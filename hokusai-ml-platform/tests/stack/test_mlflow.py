"""Two real MLflow servers, on one PostgreSQL and S3; they take ten seconds to start, so they serve most tests."""

import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from hokusai.errors import BackendUnavailableError
from hokusai.stack import start_mlflow
from hokusai.stack.mlflow import _in_full, _one_at_a_time


@pytest.fixture(scope="module")
def pair(postgres_server, s3_server):
    """Two that start at once on the same empty tables."""
    handles = []
    with ExitStack() as stack:

        def start():
            handles.append(
                start_mlflow(
                    backend_store_uri=postgres_server.uri,
                    artifacts_destination=s3_server.uri("mlflow"),
                    env=s3_server.env(),
                )
            )
            stack.callback(handles[-1].stop)

        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(handles) == 2
        servers = [psutil.Process(handle.process.pid) for handle in handles]
        workers = [worker for server in servers for worker in server.children(recursive=True)]
        assert len(workers) == 2, "one worker each, no job runner"
        yield handles
    assert psutil.wait_procs([*servers, *workers], timeout=0)[1] == []


@pytest.fixture
def running(pair):
    return pair[0].server


@pytest.fixture
def client(running):
    from mlflow import MlflowClient

    return MlflowClient(running.url)


def test_keeps_runs_in_postgres(client, postgres_server):
    experiment = client.create_experiment("stack-runs")
    run = client.create_run(experiment)
    client.log_metric(run.info.run_id, "accuracy", 0.75, step=3)
    assert client.get_run(run.info.run_id).data.metrics == {"accuracy": 0.75}
    with closing(psycopg2.connect(postgres_server.uri)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT key, value, step FROM metrics WHERE run_uuid = %s", (run.info.run_id,))
        assert cursor.fetchall() == [("accuracy", 0.75, 3)]


def test_keeps_artifacts_in_s3_without_the_client_having_a_key(client, s3_server, tmp_path, monkeypatch):
    for name in s3_server.env():
        monkeypatch.delenv(name, raising=False)
    run = client.create_run(client.create_experiment("stack-artifacts"))
    (tmp_path / "wave.txt").write_text("kanagawa")
    client.log_artifact(run.info.run_id, str(tmp_path / "wave.txt"), "prints")
    (tmp_path / "back").mkdir()
    path = client.download_artifacts(run.info.run_id, "prints/wave.txt", str(tmp_path / "back"))
    assert Path(path).read_text() == "kanagawa"

    s3 = s3_server.client()
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="hokusai", Prefix="mlflow/")["Contents"]]
    (key,) = (key for key in keys if run.info.run_id in key)
    assert key.endswith(f"/{run.info.run_id}/artifacts/prints/wave.txt")
    assert s3.get_object(Bucket="hokusai", Key=key)["Body"].read() == b"kanagawa"
    s3.close()


def test_registers_models(client):
    client.create_registered_model("stack-model")
    version = client.create_model_version("stack-model", source="s3://elsewhere/model")
    client.set_registered_model_alias("stack-model", "production", version.version)
    assert client.get_model_version_by_alias("stack-model", "production").version == version.version


def test_shows_no_password_on_its_command_line(running, postgres_server, s3_server):
    lines = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    port = running.url.rpartition(":")[2]
    assert any(f"--port {port}" in line for line in lines)
    assert not any(postgres_server.password in line or s3_server.secret_key in line for line in lines)


def test_two_that_started_on_the_same_empty_tables_both_serve(pair):
    from mlflow import MlflowClient

    one, other = (MlflowClient(handle.server.url) for handle in pair)
    experiment = one.create_experiment("seen-by-both")
    assert other.get_experiment(experiment).name == "seen-by-both"


def test_only_one_at_a_time_makes_the_tables_of_a_file(tmp_path):
    store, inside, most = f"sqlite:///{tmp_path}/new/both.db", [], []

    def start():
        with _one_at_a_time(store):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_says_when_its_database_cannot_be_reached():
    with pytest.raises(BackendUnavailableError, match=r"MLflow's database cannot be reached.*refused"):
        start_mlflow(backend_store_uri="postgresql://u:p@127.0.0.1:1/nowhere")


def test_quotes_mlflow_itself_when_it_cannot_use_its_store(tmp_path):
    with pytest.raises(BackendUnavailableError, match="MLflow ended at start with exit status 1") as caught:
        start_mlflow(backend_store_uri="mysql+nodriver://u@127.0.0.1:1/x", folder=tmp_path)
    assert "nodriver" in caught.value.hint


def test_a_relative_file_is_the_callers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _in_full("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    assert _in_full(f"sqlite:///{tmp_path}/mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    assert _in_full("postgresql://u:p@h/d") == "postgresql+psycopg2://u:p@h/d"
    assert _in_full("postgresql+psycopg://u:p@h/d") == "postgresql+psycopg://u:p@h/d"
