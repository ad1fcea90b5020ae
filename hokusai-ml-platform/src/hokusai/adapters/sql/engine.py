"""One database: its connections, its transactions, and the border where its errors become ours.

A read is one statement outside any transaction, so that PostgreSQL needs one round trip for it. A write is a function
that runs within one transaction, and once more on a new connection if the old one was lost before anything could
have been committed: a server that was restarted is noticed by nobody.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from hokusai.adapters.mlflow_store import with_driver
from hokusai.adapters.sql.spoken import Spoken, spoken
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    HokusaiError,
    InvalidInputError,
    MissingExtraError,
)
from hokusai.utils.redaction import mask_url_passwords

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import Executable

T = TypeVar("T")
_Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

BUSY_SECONDS = 30
_CONNECT_SECONDS = 5
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # what the audit trail has confirmed survives a power cut
    "PRAGMA mmap_size=1073741824",  # halves the time of a look-up in a large file
)


class Database:
    """A pool of connections to one SQLite file or PostgreSQL database, for all threads of a process.

    Args:
        url: `sqlite:///file.db` or `postgresql://user:password@host:port/database`.
        on_open: Called with the database before its first use, until it succeeds.

    Raises:
        ConfigurationError: The URL is of no such kind.
        MissingExtraError: The database's driver is not installed.
    """

    def __init__(self, url: str, on_open: Callable[[Database], None] | None = None) -> None:
        self.location = mask_url_passwords(url)
        self._engine = _engine(url, self.location)
        self._on_open = on_open
        self._opening = threading.Lock()
        self._is_open = on_open is None
        self._pid = os.getpid()
        self._spoken: dict[Executable, Spoken] = {}

    def __repr__(self) -> str:
        return f"Database({self.location!r})"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of our own."""
        return self._engine.dialect.name == "sqlite"

    @property
    def path(self) -> str:
        """The file of an SQLite database."""
        return self._engine.url.database or ""

    def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """What a query gives; it is asked once more if the connection was lost."""
        self._open()
        with self._translated():
            try:
                return self._rows(statement, parameters)
            except DBAPIError as problem:
                if not problem.connection_invalidated:
                    raise
            return self._rows(statement, parameters)

    def lookup(
        self, statement: Executable, parameters: Mapping[str, Any], *, often: bool = False
    ) -> Sequence[Any]:
        """As `rows`, for little more than the database itself costs; see `spoken` for what can be asked so."""
        self._open()
        query = self._spoken.get(statement)
        if query is None:
            query = self._spoken[statement] = spoken(statement, self._engine.dialect, often=often)
        try:
            connection = self._engine.raw_connection()
            try:
                return query.ask(connection, parameters)
            except BaseException:
                connection.invalidate()
                raise
            finally:
                connection.close()
        except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
            return self.rows(
                statement, parameters
            )  # on another connection; or it says in our words what is wrong

    def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any | None:
        """The first row of a query."""
        rows = self.rows(statement, parameters)
        return rows[0] if rows else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; it must be fit to be run again if its connection was lost.

        Raises:
            BackendUnavailableError: The database is away. Nothing was written, or the text says that it is not known.
        """
        self._open()
        with self._translated():
            try:
                return self._transaction(work)
            except DBAPIError as problem:
                if not problem.connection_invalidated:
                    raise
            return self._transaction(work)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads, outside any transaction and without `on_open`."""
        with self._translated(), self._engine.connect() as connection:
            return work(connection)

    def once(self, work: Callable[[Connection], T]) -> T:
        """As `write`, without `on_open` and without a second attempt: for what opens a database."""
        with self._translated():
            return self._transaction(work)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    def _open(self) -> None:
        if self._pid != os.getpid():  # a fork: the parent's connections are not ours
            self._engine.dispose(close=False)
            self._pid = os.getpid()
            self._opening = threading.Lock()
        if self._is_open:
            return
        with self._opening:
            if not self._is_open and self._on_open is not None:
                self._on_open(self)
            self._is_open = True

    def _rows(self, statement: Executable, parameters: _Parameters) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
            try:
                result = work(connection)
            except BaseException:
                _roll_back(connection)
                raise
            try:
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as problem:
                if problem.connection_invalidated:
                    raise _uncertain(self.location) from problem
                _roll_back(connection)
                raise
            return result

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except HokusaiError:
            raise
        except SQLAlchemyError as problem:
            raise _own_error(problem, self.location) from problem


def _engine(url: str, where: str) -> Engine:
    hint = "Use sqlite:///file.db or postgresql://user:password@host:5432/database in HOKUSAI_DATABASE_URL."
    try:
        parsed = make_url(with_driver(url))
        kind = parsed.get_backend_name()
        if kind == "sqlite" and parsed.database and parsed.database != ":memory:":
            engine = create_engine(
                parsed, isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS}
            )
            event.listen(engine, "connect", _prepare_sqlite)
            return engine
        if kind == "postgresql":
            return create_engine(
                parsed,
                isolation_level="AUTOCOMMIT",
                executemany_mode="values_plus_batch",
                connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "hokusai"},
            )
    except (ArgumentError, ValueError) as problem:
        raise ConfigurationError("The ledger's address cannot be read", where=where, hint=hint) from problem
    except ImportError as problem:
        raise MissingExtraError(
            f"The ledger's driver is not installed: {problem}",
            where=where,
            hint="Install it: pip install 'hokusai-ml-platform[server]'.",
        ) from problem
    raise ConfigurationError("The ledger can be a file of SQLite, or PostgreSQL", where=where, hint=hint)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _roll_back(connection: Connection) -> None:
    """Leave the transaction; a connection that cannot is given up, so that nobody goes on in it."""
    if connection.invalidated:
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except SQLAlchemyError:
        connection.invalidate()


def _uncertain(where: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        "The connection to the ledger was lost while the last write was confirmed, so it may or may not be there",
        where=where,
        hint="Look with: hokusai audit log. What is missing is found and mended by: hokusai doctor.",
    )


def _own_error(problem: SQLAlchemyError, where: str) -> HokusaiError:
    import sqlite3

    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    reason = mask_url_passwords(str(cause).strip().partition("\n")[0])
    if isinstance(cause, sqlite3.Error):
        away = "locked" in reason or "full" in reason or "I/O" in reason
        if away:
            return BackendUnavailableError(f"The ledger cannot be used now: {reason}", where=where)
        return ConfigurationError(
            f"The ledger's file cannot be used: {reason}",
            where=where,
            hint="Set HOKUSAI_HOME to a folder that you may write to, or HOKUSAI_DATABASE_URL to a database.",
        )
    if type(cause).__name__ in ("UndefinedTable", "UndefinedColumn", "InsufficientPrivilege"):
        return ConfigurationError(
            f"The ledger's tables cannot be used: {reason}", where=where, hint="Run: hokusai db upgrade"
        )
    if type(cause).__name__ in ("DataError", "UntranslatableCharacter", "ValueError"):
        return InvalidInputError(f"The ledger cannot store this: {reason}", where=where)
    return BackendUnavailableError(
        f"The ledger cannot be reached: {reason}",
        where=where,
        hint="Check HOKUSAI_DATABASE_URL (or POSTGRES_URI), and that the server runs.",
    )
