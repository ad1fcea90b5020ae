"""The one way to open MLflow: a client on explicit URIs, on a database that is whole.

MLflow creates its SQLite schema by some seventy migrations on first use. Two processes that do this at once,
or one that is killed meanwhile, leave a database that no later MLflow opens. So a new database is built under
a temporary name and linked into place when it is complete. Nothing here touches MLflow's global state.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hokusai.errors import BackendUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PROBE_SECONDS = 5.0
_SQLITE = "sqlite:///"
# A server that is gone is told to the user within seconds; MLflow's own default retries for minutes.
_CLIENT_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def check_reachable(tracking_uri: str) -> None:
    """Find out, cheaply and without importing MLflow, whether a tracking server or database can be used.

    Raises:
        BackendUnavailableError: The server does not answer, or refuses us.
        ConfigurationError: The URI is of no kind that MLflow serves, or the SQLite file cannot be one.
    """
    scheme = urlsplit(tracking_uri).scheme
    if scheme in ("http", "https"):
        _probe_server(tracking_uri)
    elif scheme == "sqlite":
        _probe_sqlite(sqlite_path(tracking_uri))
    elif scheme.startswith(("postgresql", "mysql", "mssql")):
        _probe_database(tracking_uri)
    elif scheme in ("databricks", "databricks-uc"):
        return
    else:
        raise ConfigurationError(
            f"MLFLOW_TRACKING_URI is {tracking_uri!r}, which is neither a server nor a database",
            hint="Use http://host:port, sqlite:///file.db or postgresql://…; MLflow's file store is retired.",
        )


def open_client(tracking_uri: str) -> MlflowClient:
    """A client on `tracking_uri`; an SQLite database is created first if there is none.

    Raises:
        BackendUnavailableError: The server or database cannot be reached.
        ConfigurationError: See `check_reachable`.
    """
    check_reachable(tracking_uri)
    with quiet_mlflow():
        from mlflow import MlflowClient

        if urlsplit(tracking_uri).scheme == "sqlite":
            _create_sqlite(sqlite_path(tracking_uri))
        with translated(tracking_uri):
            return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


@contextlib.contextmanager
def translated(tracking_uri: str) -> Iterator[None]:
    """Turn what MLflow and its HTTP layer raise into `BackendUnavailableError`; the border to MLflow."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as problem:
        first_line = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise BackendUnavailableError(
            f"MLflow did not do what was asked: {first_line}",
            where=_without_password(tracking_uri),
            hint="Check MLFLOW_TRACKING_URI and that the server runs.",
        ) from problem


@contextlib.contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Import and open MLflow without telemetry, migration chatter and its dependencies' deprecations."""
    for name, value in _CLIENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow.store.db.utils", "mlflow.tracking.fluent", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def sqlite_path(uri: str) -> Path:
    """The file that a `sqlite:///…` URI names."""
    return Path(uri.removeprefix(_SQLITE).partition("?")[0])


def _create_sqlite(path: Path) -> None:
    if path.exists():
        return
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy import create_engine

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-db-", dir=path.parent) as folder:
        draft = Path(folder) / "mlflow.db"
        engine = create_engine(f"{_SQLITE}{draft}")
        _initialize_tables(engine)
        engine.dispose()
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            # Writers do not block readers then, and a commit costs half; the mode is kept in the file.
            connection.execute("PRAGMA journal_mode=WAL")
        with contextlib.suppress(FileExistsError):  # somebody else was first; theirs is as good
            os.link(draft, path)


def _probe_server(uri: str) -> None:
    request = urllib.request.Request(f"{uri.rstrip('/')}/health", method="GET")  # noqa: S310 - http(s) only
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):  # noqa: S310 - checked by the caller
            return
    except urllib.error.HTTPError as answer:
        if answer.code in (401, 403):
            raise BackendUnavailableError(
                f"The MLflow server refuses us (HTTP {answer.code})",
                where=_without_password(uri),
                hint="Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
            ) from answer
        if answer.code >= 500:
            raise _unreachable(uri, f"HTTP {answer.code}") from answer
        # Any other answer means that somebody is there; a proxy may not pass /health on.
    except (urllib.error.URLError, OSError, ValueError) as problem:
        raise _unreachable(uri, str(getattr(problem, "reason", problem))) from problem


def _probe_sqlite(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            magic = file.read(16)
        if magic and magic != b"SQLite format 3\x00":
            raise ConfigurationError(
                "The file that MLFLOW_TRACKING_URI names is not an SQLite database",
                where=str(path),
                hint="Name another file; Hokusai creates one that does not exist.",
            )
    folder = next(parent for parent in (path.absolute().parent, *path.absolute().parents) if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigurationError(
            "MLflow's database cannot be written",
            where=str(path),
            hint="Set HOKUSAI_HOME to a folder that you may write to.",
        )


def _probe_database(uri: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(uri)
        with engine.connect():
            pass
        engine.dispose()
    except (SQLAlchemyError, ImportError) as problem:
        raise _unreachable(uri, str(problem).strip().splitlines()[0]) from problem


def _unreachable(uri: str, reason: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"MLflow cannot be reached: {reason}",
        where=_without_password(uri),
        hint="Start the server, or unset MLFLOW_TRACKING_URI to use the embedded default.",
    )


def _without_password(uri: str) -> str:
    parts = urlsplit(uri)
    if not parts.password:
        return uri
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()
