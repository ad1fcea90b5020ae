"""The fixtures, in a pytest session of their own whose leftovers can be counted."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from hokusai.stack.mlflow import MlflowServer
from hokusai.stack.pytest_plugin import SharedMlflow, ask

TESTS = """
import json, os, pathlib, urllib.request, psutil, pytest

def note(name, **facts):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    pathlib.Path(os.environ["NOTES"], f"{worker}-{name}.json").write_text(json.dumps(facts))

@pytest.mark.parametrize("number", range(2))
def test_redis(redis_server, number):
    note("redis", url=redis_server.url, children=[c.pid for c in psutil.Process().children(recursive=True)])

@pytest.mark.parametrize("number", range(2))
def test_mlflow(request, number):
    if os.environ.get("WITH_MLFLOW"):
        url = request.getfixturevalue("mlflow_server").url
        with urllib.request.urlopen(url + "/version", timeout=10) as answer:
            note("mlflow", url=url, version=answer.read().decode())
"""


def run_session(folder: Path, *options: str, **variables: str) -> dict[str, dict]:
    """Run the tests above in a new process; what they noted, by worker and server."""
    (folder / "notes").mkdir()
    (folder / "test_inner.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "hokusai.stack.pytest_plugin", *options]
    env = {**os.environ, "NOTES": str(folder / "notes"), "TMPDIR": str(folder), **variables}
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(folder.glob("hokusai-*")) == []
    return {path.stem: json.loads(path.read_text()) for path in (folder / "notes").iterdir()}


def test_a_server_lives_as_long_as_the_session(tmp_path):
    notes = run_session(tmp_path)
    (facts,) = notes.values()
    assert len(facts["children"]) == 2  # the keeper and the server, once for two tests
    assert not any(psutil.pid_exists(pid) for pid in facts["children"])


def test_workers_have_a_redis_each(tmp_path):
    notes = run_session(tmp_path, "-n2", "--dist=each")
    assert set(notes) == {"gw0-redis", "gw1-redis"}
    assert notes["gw0-redis"]["url"] != notes["gw1-redis"]["url"]
    assert not any(psutil.pid_exists(pid) for facts in notes.values() for pid in facts["children"])


# In the place of MLflow, which takes ten seconds to start; the real one is shared by all tests of this repository.
QUICK_MLFLOW = """
import contextlib, http.server, threading
from hokusai.stack import pytest_plugin
from hokusai.stack.mlflow import MlflowServer

class Version(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.started_on)

@contextlib.contextmanager
def start(*, backend_store_uri, artifacts_destination, env):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Version) as server:
        server.started_on = f"{backend_store_uri} {artifacts_destination} {sorted(env)}".encode()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield MlflowServer(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()

pytest_plugin.start_mlflow = start
"""


def test_workers_share_one_mlflow_server(tmp_path):
    (tmp_path / "conftest.py").write_text(QUICK_MLFLOW)
    notes = run_session(tmp_path, "-n2", "--dist=each", "-k", "mlflow", WITH_MLFLOW="1")
    assert set(notes) == {"gw0-mlflow", "gw1-mlflow"}
    assert notes["gw0-mlflow"] == notes["gw1-mlflow"]
    assert re.match(r"postgresql://.* s3://\S+/mlflow .*AWS_", notes["gw0-mlflow"]["version"])


def test_an_answer_reaches_those_who_are_invited_and_have_the_key():
    shared = SharedMlflow()
    shared._server = MlflowServer("http://127.0.0.1:5000")  # as if started: what travels is the address
    address, key = shared.invitation()
    try:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask(address, key))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [MlflowServer("http://127.0.0.1:5000")] * 5
    finally:
        shared.close()
