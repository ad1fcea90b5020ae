"""The servers of the stack as session fixtures: a test says `def test_…(redis_server)` and gets a real one.

Each starts with the first test that asks for it, and is gone when the session ends, or is killed. Under
pytest-xdist every worker has its own PostgreSQL, Redis and S3, which start within a second and are free to be
emptied. An MLflow server takes ten times that, so all workers share one: the controller, which outlives them,
starts it on request, with a PostgreSQL and an S3 of its own behind it. A test on it therefore uses names that
nobody else uses.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Client, Listener
from typing import Any, cast

import pytest

from hokusai.errors import HokusaiError
from hokusai.stack.mlflow import MlflowServer, start_mlflow
from hokusai.stack.postgres import PostgresServer, start_postgres
from hokusai.stack.redis import RedisServer, start_redis
from hokusai.stack.s3 import S3Server, start_s3


class SharedMlflow:
    """The one MLflow server of a test session, started when somebody first asks for it."""

    def __init__(self) -> None:
        self._servers = ExitStack()
        self._lock = threading.Lock()
        self._server: MlflowServer | None = None
        self._listener: Listener | None = None
        self._key = secrets.token_bytes(32)

    def get(self) -> MlflowServer:
        """Its address; the first call waits for its start."""
        with self._lock:
            if self._server is None:
                with ExitStack() as starting:
                    postgres = starting.enter_context(start_postgres())
                    s3 = starting.enter_context(start_s3())
                    self._server = starting.enter_context(
                        start_mlflow(
                            backend_store_uri=postgres.uri,
                            artifacts_destination=s3.uri("mlflow"),
                            env=s3.env(),
                        )
                    )
                    self._servers = starting.pop_all()
            return self._server

    def invitation(self) -> tuple[str, bytes]:
        """What another process needs in order to ask: `ask(*invitation)`."""
        if self._listener is None:
            self._listener = Listener(family="AF_UNIX", backlog=64, authkey=self._key)
            threading.Thread(target=self._answer, args=(self._listener,), daemon=True).start()
        return str(self._listener.address), self._key

    def close(self) -> None:
        """Stop the servers, if they were started."""
        if self._listener is not None:
            self._listener.close()
        with self._lock:
            self._servers.close()

    def _answer(self, listener: Listener) -> None:
        while True:
            try:
                with listener.accept() as connection:
                    try:
                        connection.send(self.get())
                    except HokusaiError as error:
                        connection.send(error)
            except OSError:  # closed, or the asking worker is gone
                return


def ask(address: str, key: bytes) -> MlflowServer:
    """Get the address of the shared server from the process that has it."""
    with Client(address, family="AF_UNIX", authkey=key) as connection:
        answer = connection.recv()
    if isinstance(answer, HokusaiError):
        raise answer
    return cast(MlflowServer, answer)


SHARED = pytest.StashKey[SharedMlflow]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare to share, in the process that outlives the workers; nothing is started."""
    if not hasattr(config, "workerinput"):
        config.stash[SHARED] = SharedMlflow()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist whom to ask."""
    node.workerinput["hokusai_shared_mlflow"] = node.config.stash[SHARED].invitation()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was shared."""
    if SHARED in config.stash:
        config.stash[SHARED].close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server with an empty database `mlflow_db`, for this worker alone."""
    with start_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """An empty Redis server, for this worker alone."""
    with start_redis() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server with an empty bucket `hokusai`, for this worker alone."""
    with start_s3() as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_server(request: pytest.FixtureRequest) -> MlflowServer:
    """An MLflow server on PostgreSQL and S3, shared by all workers."""
    invitation = getattr(request.config, "workerinput", {}).get("hokusai_shared_mlflow")
    return ask(*invitation) if invitation else request.config.stash[SHARED].get()
