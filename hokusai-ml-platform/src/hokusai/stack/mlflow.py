"""A full MLflow server: tracking, model registry and artefacts behind one address, as production has it.

It runs with one worker unless told otherwise, without the job runner (eight more processes) and without
telemetry. Its tables are made by one process at a time: two servers that meet an empty database both try to
make them, and all but one fail.
"""

from __future__ import annotations

import fcntl
import http.client
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hokusai.errors import BackendUnavailableError
from hokusai.stack.process import LOCALHOST, claim_port, environment, start_process
from hokusai.stack.running import Running, server_folder
from hokusai.utils.extras import require, require_distribution

SETUP_LOCK = 0x686F6B75736169  # "hokusai" in ASCII: the number of an advisory lock in PostgreSQL


@dataclass(frozen=True)
class MlflowServer:
    """The address of an MLflow server.

    Attributes:
        url: Its tracking and registry URI, for example `http://127.0.0.1:5000`.
    """

    url: str

    def env(self) -> dict[str, str]:
        """The environment variables that point Hokusai, and MLflow's own client, at this server."""
        return {"MLFLOW_TRACKING_URI": self.url}


def start_mlflow(
    *,
    backend_store_uri: str | None = None,
    artifacts_destination: str | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    port: int | None = None,
    workers: int = 1,
    ready_within_seconds: float = 180.0,
) -> Running[MlflowServer]:
    """Start an MLflow server on this machine, on 127.0.0.1 only.

    Clients reach the artefacts through the server, so they need no key to the store behind it.

    Args:
        backend_store_uri: Where its tables are: an SQLAlchemy URL, or a plain `postgresql://…`. By default
            an SQLite file in the folder.
        artifacts_destination: Where the artefacts go: a folder or an `s3://…` address; by default into the
            folder.
        env: What the server needs besides, for example `S3Server.env()`.
        folder: Keep the defaults above and the log here; a temporary folder by default.
        port: TCP port; any free one by default.
        workers: Processes that answer requests.
        ready_within_seconds: How long the start, and first of all the creation of the tables, may take.

    Raises:
        MissingExtraError: The extra `stack` is not installed.
        BackendUnavailableError: The server did not start, or its database cannot be reached.
    """
    require_distribution("mlflow", "stack")  # the base installation has mlflow-skinny, which has no server
    with server_folder("mlflow", folder) as (home, temporary):
        store = _in_full(backend_store_uri or f"sqlite:///{home / 'mlflow.db'}")
        artifacts = artifacts_destination or str(home / "artifacts")
        with _one_at_a_time(store):
            number = claim_port(port)
            server = MlflowServer(f"http://{LOCALHOST}:{number}")
            process = start_process(
                "MLflow",
                [
                    sys.executable,
                    "-m",
                    "mlflow",
                    "server",
                    "--host",
                    LOCALHOST,
                    "--port",
                    str(number),
                    "--workers",
                    str(workers),
                ],
                is_ready=lambda: _finds_default_experiment(number),
                log_path=home / "mlflow.log",
                # The address of the database holds a password: it goes through the environment, not the
                # command line.
                env=environment(
                    without=("MLFLOW_", "_MLFLOW_"),
                    **{
                        **(env or {}),
                        "MLFLOW_BACKEND_STORE_URI": store,
                        "MLFLOW_ARTIFACTS_DESTINATION": artifacts
                        if "://" in artifacts
                        else str(Path(artifacts).absolute()),
                        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                        "MLFLOW_DISABLE_TELEMETRY": "true",
                    },
                ),
                cwd=home,
                remove=temporary,
                ready_within_seconds=ready_within_seconds,
            )
    return Running(server, process)


def _in_full(uri: str) -> str:
    """Name what a plain address leaves open: the driver that the extra installs, and where a relative file
    is.

    SQLAlchemy 2.1 would look for psycopg 3; the server runs in a folder of its own.

    >>> _in_full("postgresql://u:p@h/d"), _in_full("sqlite:////data/a.db")
    ('postgresql+psycopg2://u:p@h/d', 'sqlite:////data/a.db')
    """
    scheme, _, rest = uri.partition("://")
    if scheme in {"postgresql", "postgres"}:
        return f"postgresql+psycopg2://{rest}"
    if scheme == "sqlite":
        return f"sqlite:///{Path(rest.removeprefix('/')).absolute()}"
    return uri


@contextmanager
def _one_at_a_time(store: str) -> Iterator[None]:
    """Wait until nobody else is starting a server on the same tables.

    The lock ends with its holder, and the holder's own start has a deadline, so the wait has an end too.
    """
    scheme, _, rest = store.partition("://")
    if scheme == "sqlite":
        file = Path(rest.removeprefix("/"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f"{file.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    elif scheme == "postgresql+psycopg2":
        psycopg2 = require("psycopg2", "stack")
        try:
            connection = psycopg2.connect(f"postgresql://{rest}", connect_timeout=10)
        except psycopg2.OperationalError as error:
            raise BackendUnavailableError(
                f"MLflow's database cannot be reached: {str(error).strip()}",
                hint="Start it first, or look whether address, user and password are right.",
            ) from error
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", (SETUP_LOCK,))
                yield
        finally:
            connection.close()
    else:
        yield


def _finds_default_experiment(port: int) -> bool:
    """One call that reaches the tables; `/health` would answer without them."""
    connection = http.client.HTTPConnection(LOCALHOST, port, timeout=10)
    try:
        connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
