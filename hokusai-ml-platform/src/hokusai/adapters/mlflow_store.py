"""The one way to open MLflow: a client on explicit URIs, and one border where its errors become ours.

Whether a server can be used is found out before MLflow is imported, which takes seconds, and by a call that any
MLflow answers and that needs its tables and our credentials. Nothing here touches MLflow's global state.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hokusai.adapters.mlflow_sqlite import SQLITE, check_sqlite, create_database, sqlite_path
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    ConflictError,
    HokusaiError,
    InvalidInputError,
    MissingExtraError,
    NotFoundError,
)
from hokusai.utils.redaction import mask_url_passwords

if TYPE_CHECKING:
    import requests
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

_PROBE = "/api/2.0/mlflow/experiments/search?max_results=1"
_PROBE_SECONDS = 5.0
_BUSY_SECONDS = (
    20.0  # a server that is there but has much to do answers late: it has as long as for any other request
)
# A server that is gone is told to the user within seconds; MLflow's own default retries for minutes.
_CLIENT_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# Without it MLflow's interface opens such an experiment as if it held traces of language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
_KINDS: dict[str, type[HokusaiError]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFoundError,
    "NOT_FOUND": NotFoundError,
    "RESOURCE_ALREADY_EXISTS": ConflictError,
    "ALREADY_EXISTS": ConflictError,
    "RESOURCE_CONFLICT": ConflictError,
    "INVALID_STATE": ConflictError,
    "ABORTED": ConflictError,
    "INVALID_PARAMETER_VALUE": InvalidInputError,
    "BAD_REQUEST": InvalidInputError,
}
_MISTAKES = (TypeError, AttributeError, KeyError, NameError, AssertionError)
_FORBIDDEN = ("PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED")
_OTHER_SCHEMA = "out-of-date database schema"


def check_reachable(tracking_uri: str) -> None:
    """Find out, cheaply and without importing MLflow, whether a tracking server or database can be used.

    Raises:
        BackendUnavailableError: The server does not answer, is no MLflow server, or refuses us.
        ConfigurationError: The URI is of no kind that MLflow serves, or the SQLite file cannot be one.
        MissingExtraError: The database's driver is not installed.
    """
    scheme = urlsplit(tracking_uri).scheme
    if scheme in ("http", "https"):
        _probe_server(tracking_uri)
    elif tracking_uri.startswith(SQLITE):
        check_sqlite(sqlite_path(tracking_uri))
    elif scheme.startswith(("postgresql", "mysql", "mssql")):
        _probe_database(with_driver(tracking_uri))
    elif scheme not in ("databricks", "databricks-uc"):
        kept = "MLflow's file store is retired." if scheme in ("", "file") else "Other kinds are not known."
        raise ConfigurationError(
            f"MLFLOW_TRACKING_URI is {mask_url_passwords(tracking_uri)!r}, which is neither a server nor a database",
            hint=f"Use http://host:port, sqlite:///file.db or postgresql://user@host/database. {kept}",
        )


def open_client(tracking_uri: str) -> MlflowClient:
    """A client on `tracking_uri`; an SQLite database is created first if there is none.

    Raises:
        BackendUnavailableError: The server or database cannot be reached.
        ConfigurationError: See `check_reachable`.
    """
    check_reachable(tracking_uri)
    uri = with_driver(tracking_uri)
    with quiet_mlflow():
        from mlflow import MlflowClient

        if uri.startswith(SQLITE):
            create_database(sqlite_path(uri))
        with translated(uri):
            return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: MlflowClient, name: str, artifact_location: str | None) -> str:
    """The id of the experiment called `name`: found, restored or made, whoever else is making it."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location, tags=_EXPERIMENT_TAGS))
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextlib.contextmanager
def translated(tracking_uri: str) -> Iterator[None]:
    """The border to MLflow: what it and the stores behind it raise becomes an error of ours.

    Only what says that the server or store failed becomes `BackendUnavailableError`. What MLflow refuses or does
    not have becomes the error that fits, and a mistake in a program stays what it is.
    """
    try:
        yield
    except HokusaiError:
        raise
    except Exception as problem:
        own = _own_error(problem, tracking_uri)
        if own is None:
            raise
        raise own from problem


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


def with_driver(uri: str) -> str:
    """`uri` with the driver that is installed with the extra `server`, where it names none.

    SQLAlchemy 2.1 looks for psycopg 3 by default; what MLflow's users have is psycopg2.

    >>> with_driver("postgresql://me@host/mlflow"), with_driver("http://host:5000")
    ('postgresql+psycopg2://me@host/mlflow', 'http://host:5000')
    """
    scheme, separator, rest = uri.partition("://")
    return f"postgresql+psycopg2{separator}{rest}" if scheme in ("postgresql", "postgres") else uri


def quoted(value: str) -> str:
    """`value` as a literal in a filter of MLflow, which knows two kinds of quotes and no way to escape them.

    >>> quoted("it's")
    '"it\\'s"'

    Raises:
        InvalidInputError: It holds both kinds, so MLflow cannot search for it.
    """
    if "'" in value and '"' in value:
        raise InvalidInputError(
            f"MLflow cannot search for {value!r}", hint="Use a name without one of the two kinds of quotes."
        )
    return f'"{value}"' if "'" in value else f"'{value}'"


def _probe_server(uri: str) -> None:
    import requests

    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    try:
        answer = requests.get(
            uri.rstrip("/") + _PROBE,
            headers={"Authorization": f"Bearer {token}"} if token and not user else {},
            auth=(user, password or "") if user else None,
            timeout=(_PROBE_SECONDS, _BUSY_SECONDS),
            verify=_certificates(),
        )
    except (requests.RequestException, ValueError) as problem:
        raise _unreachable(uri, _reason(problem)) from problem
    if answer.status_code in (401, 403):
        if "MLFLOW_TRACKING_AUTH" in os.environ or "MLFLOW_TRACKING_AWS_SIGV4" in os.environ:
            return  # a plugin signs MLflow's own requests, not this one
        raise _forbidden(uri, f"HTTP {answer.status_code}")
    if answer.status_code >= 500:
        raise _unreachable(uri, f"HTTP {answer.status_code}")
    if answer.status_code != 200 or not _is_json_object(answer):
        raise BackendUnavailableError(
            f"Something answers there, but it is no MLflow server (HTTP {answer.status_code})",
            where=mask_url_passwords(uri),
            hint="Check the host, port and path in MLFLOW_TRACKING_URI.",
        )


def _certificates() -> bool | str:
    """What MLflow's own variables say about TLS, for `requests`."""
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        return False
    return os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True


def _is_json_object(answer: requests.Response) -> bool:
    try:
        return isinstance(answer.json(), dict)
    except ValueError:
        return False


def _probe_database(uri: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    limit = {"connect_timeout": int(_PROBE_SECONDS)} if uri.startswith("postgresql+psycopg") else {}
    try:
        engine = create_engine(uri, connect_args=limit)
        with engine.connect():
            pass
        engine.dispose()
    except (ArgumentError, ValueError) as problem:
        raise ConfigurationError(
            "MLFLOW_TRACKING_URI is not a database URI that SQLAlchemy can read",
            where=mask_url_passwords(uri),
            hint="Write it as postgresql://user:password@host:5432/database.",
        ) from problem
    except ImportError as problem:
        raise MissingExtraError(
            f"The database's driver is not installed: {problem}",
            where=mask_url_passwords(uri),
            hint="Install it: pip install 'hokusai-ml-platform[server]'.",
        ) from problem
    except SQLAlchemyError as problem:
        raise _unreachable(uri, _reason(problem)) from problem


def _own_error(problem: Exception, uri: str) -> HokusaiError | None:
    """What `problem` is in our words; None if it is not MLflow's, nor a store's."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import DBAPIError

    reason, where = _reason(problem), mask_url_passwords(uri)
    if isinstance(problem, MlflowException):
        return _from_mlflow(problem, reason, where)
    absent = isinstance(problem, FileNotFoundError | NotADirectoryError | IsADirectoryError)
    lost = isinstance(problem, RequestException | DBAPIError | OSError) and not absent
    # Clients of object stores have exceptions of their own, which need not be importable here.
    if lost or type(problem).__module__.partition(".")[0] in ("boto3", "botocore", "s3transfer", "urllib3"):
        return _lost(reason, where)
    return None


def _from_mlflow(problem: MlflowException, reason: str, where: str) -> HokusaiError | None:
    code, cause = problem.error_code, problem.__cause__
    if _OTHER_SCHEMA in reason:
        return ConfigurationError(
            "MLflow's database was made by another version of MLflow",
            where=where,
            hint="Back it up, then run: mlflow db upgrade URI (or install the MLflow that made it).",
        )
    if code in _FORBIDDEN:
        return _forbidden(where, reason)
    if kind := _KINDS.get(code):
        return (
            kind(f"MLflow refuses: {reason}", where=where)
            if not _is_database(cause)
            else _lost(reason, where)
        )
    # MLflow's database layer wraps whatever is raised in it, mistakes in a program too.
    return None if isinstance(cause, _MISTAKES) else _lost(reason, where)


def _is_database(cause: BaseException | None) -> bool:
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

    return isinstance(cause, DBAPIError) and not isinstance(
        cause, DataError | IntegrityError | ProgrammingError
    )


def _reason(problem: BaseException) -> str:
    """The one line of an exception that tells what happened, without passwords."""
    text = str(problem).strip()
    if number := re.search(r"\[Errno -?\d+\] ([^'\")\n]+)", text):
        return number[1].strip()
    if cause := re.search(r"Caused by \w+\(['\"]([^'\"]+)['\"]\)", text):
        return cause[1]
    if "timed out" in text.lower():
        return "no answer in time"
    line = text.splitlines()[0] if text else type(problem).__name__
    return mask_url_passwords(line[:500])


def _lost(reason: str, where: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"MLflow did not do what was asked: {reason}",
        where=where,
        hint="Check MLFLOW_TRACKING_URI and that the server runs.",
    )


def _forbidden(uri: str, reason: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"The MLflow server refuses us ({reason})",
        where=mask_url_passwords(uri),
        hint="Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
    )


def _unreachable(uri: str, reason: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"MLflow cannot be reached: {reason}",
        where=mask_url_passwords(uri),
        hint="Start the server, or unset MLFLOW_TRACKING_URI to use the embedded default.",
    )
