"""A new MLflow database on SQLite: whole or absent, and there within milliseconds.

MLflow creates its schema by some seventy migrations, each a commit that waits for the disk. Two processes that
do this at once, or one that is killed meanwhile, leave a file that no MLflow opens again. So the database is
built under another name and linked into place when it is complete; and for the MLflow that we lock, the outcome
of all its migrations ships beside this file, as SQL, so that they need not be run. For any other they are.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import time
from pathlib import Path

from hokusai.errors import ConfigurationError

SQLITE = "sqlite:///"
_SQLITE_MAGIC = b"SQLite format 3\x00"
_DEFAULT_EXPERIMENT = (
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, "
    "last_update_time, workspace) VALUES (0, 'Default', ?, 'active', ?, ?, 'default')"
)


def sqlite_path(uri: str) -> Path:
    """The file that a `sqlite:///…` URI names.

    >>> str(sqlite_path("sqlite:////data/mlflow.db"))
    '/data/mlflow.db'
    """
    return Path(uri.removeprefix(SQLITE).partition("?")[0])


def check_sqlite(path: Path) -> None:
    """Find out whether `path` is, or can become, a database that we may write to.

    Raises:
        ConfigurationError: It cannot.
    """
    if path.name in ("", ":memory:"):
        raise ConfigurationError(
            "MLFLOW_TRACKING_URI names a database in memory, which would be gone before the next step",
            hint="Name a file, as in sqlite:///mlflow.db.",
        )
    if path.is_dir():
        raise ConfigurationError(
            "MLflow's database is a folder, and a file was expected",
            where=str(path),
            hint="Name a file in MLFLOW_TRACKING_URI, as in sqlite:///mlflow.db.",
        )
    if path.exists():
        try:
            with path.open("rb+") as file:
                magic = file.read(len(_SQLITE_MAGIC))
        except OSError as problem:
            raise _not_writable(path, problem.strerror) from problem
        if magic and magic != _SQLITE_MAGIC:
            raise ConfigurationError(
                "The file that MLFLOW_TRACKING_URI names is not an SQLite database",
                where=str(path),
                hint="Name another file; Hokusai creates one that does not exist.",
            )
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise _not_writable(path, f"{folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_writable(path, f"{folder} may not be written to")


def create_database(path: Path) -> None:
    """Make an empty MLflow database at `path`, unless something is there already.

    Raises:
        ConfigurationError: The place cannot be written to.
    """
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mlflow-db-", dir=path.parent) as folder:
            draft = Path(folder) / "mlflow.db"
            schema = shipped_schema()
            if schema is not None:
                with contextlib.closing(sqlite3.connect(draft)) as connection:
                    connection.executescript(schema.read_text(encoding="utf-8"))
            else:
                migrate(draft)
            _complete(draft, artifacts=path.absolute().parent / "artifacts")
            _put_in_place(draft, path)
    except OSError as problem:
        raise _not_writable(path, problem.strerror or str(problem)) from problem
    except sqlite3.Error as problem:
        raise _not_writable(path, str(problem)) from problem


def shipped_schema() -> Path | None:
    """The schema of the installed MLflow, if it ships with us."""
    from mlflow import __version__

    file = Path(__file__).with_name(f"mlflow_schema_{__version__.replace('.', '_')}.sql")
    return file if file.is_file() else None


def migrate(path: Path) -> None:
    """Create the tables at `path` as MLflow does, by its own migrations."""
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy import create_engine, event

    engine = create_engine(f"{SQLITE}{path}")

    @event.listens_for(engine, "connect")
    def _in_no_hurry_to_the_disk(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(
            "PRAGMA synchronous=OFF"
        )  # it is a draft: `_put_in_place` waits for the disk, once

    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()


def schema_sql(path: Path) -> str:
    """Everything in a new database as SQL: what `shipped_schema` is written with, and compared with."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _complete(draft: Path, artifacts: Path) -> None:
    now = time.time_ns() // 1_000_000
    with contextlib.closing(sqlite3.connect(draft)) as connection:
        # MLflow itself would put this experiment's files into whatever folder the first process started in.
        connection.execute(_DEFAULT_EXPERIMENT, (str(artifacts), now, now))
        connection.commit()
        # Writers do not block readers then, and a commit costs half; the mode is kept in the file.
        connection.execute("PRAGMA journal_mode=WAL")


def _put_in_place(draft: Path, path: Path) -> None:
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # somebody else was first; theirs is as good
    except OSError:  # a file system without links
        if not path.exists():
            draft.replace(path)


def _not_writable(path: Path, reason: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"MLflow's database cannot be written: {reason}",
        where=str(path),
        hint="Set HOKUSAI_HOME to a folder that you may write to, or MLFLOW_TRACKING_URI to a server.",
    )
