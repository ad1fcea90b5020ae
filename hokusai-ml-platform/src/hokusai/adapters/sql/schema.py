"""How a database comes to have the ledger's tables: made whole, upgraded in one transaction, or refused.

A file of our own is made and upgraded when it is first used. A server is shared, so it is upgraded only by
`hokusai db upgrade`, and refused until then. Alembic is imported only where there is something to upgrade.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, select

from hokusai.adapters.sql import tables
from hokusai.adapters.sql.engine import Database
from hokusai.domain.audit import GENESIS_HASH
from hokusai.errors import ConfigurationError, HokusaiError

MIGRATIONS = Path(__file__).with_name("migrations")
_UPGRADE_LOCK = 0x484F_4B55_5341_49  # "HOKUSAI": one upgrade of a server's database at a time


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a database's schema stands.

    Attributes:
        location: Which database, without passwords.
        is_embedded: Whether it is a file of ours, which is made and upgraded when it is used.
        found: The version of the schema that it has; None where there is none.
        made_by: The version of Hokusai that brought it there.
    """

    location: str
    is_embedded: bool
    found: str | None = None
    made_by: str | None = None

    @property
    def needed(self) -> str:
        """The version that this code works with."""
        return tables.REVISIONS[-1]

    @property
    def is_current(self) -> bool:
        """Whether this code can work with it."""
        return self.found == self.needed

    @property
    def is_newer(self) -> bool:
        """Whether a later release than this one made it."""
        return self.found is not None and self.found not in tables.REVISIONS

    @property
    def is_usable(self) -> bool:
        """Whether this code can work with it, once it has done by itself what it does by itself."""
        return self.is_current or (self.is_embedded and not self.is_newer)

    @property
    def verdict(self) -> str:
        """What that means, in a sentence."""
        if self.is_current:
            return "ready"
        if self.is_newer:
            return f"a later Hokusai made it; {self.remedy}"
        if self.is_embedded:
            return "upgraded when it is next used" if self.found else "made when it is first used"
        return f"{'older than this Hokusai' if self.found else 'no ledger yet'}; {self.remedy}"

    @property
    def remedy(self) -> str:
        """What to do where it cannot be used."""
        if self.is_newer:
            return f"install the release that made it: pip install 'hokusai-ml-platform>={self.made_by or _release()}'"
        return "run: hokusai db upgrade"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("location", "found", "made_by", "needed", "is_usable", "verdict")
        return {name: getattr(self, name) for name in names}


class LedgerSchema:
    """The schema of one ledger, to look at and to upgrade.

    Args:
        url: As `SqlLedger` takes it.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def close(self) -> None:
        """Close its connections."""
        self._database.close()

    def state(self) -> SchemaState:
        """Where it stands; nothing is made or changed."""
        database = self._database
        if database.is_sqlite and not Path(database.path).exists():
            return SchemaState(database.location, is_embedded=True)
        return state(database)

    def upgrade(self) -> tuple[SchemaState, SchemaState]:
        """Bring it to the version of this code: how it was, and how it is.

        Raises:
            ConfigurationError: A later release made it.
        """
        return upgrade(self._database)


def ready(database: Database) -> None:
    """Make sure that the ledger's tables are there, as this code needs them.

    Raises:
        ConfigurationError: They are not, and it is not ours to change that; the text names the command that does.
    """
    if database.is_sqlite:
        _create_file(database)
    found = state(database)
    if found.is_current:
        return
    _refuse_newer(found)
    if not found.is_embedded:
        raise ConfigurationError(
            f"The ledger cannot be used: {found.verdict.partition(';')[0]}",
            where=found.location,
            hint=found.remedy[0].upper() + found.remedy[1:],
        )
    upgrade(database)


def state(database: Database) -> SchemaState:
    """Which version of the schema a database has."""
    return database.look(partial(_state, database))


def upgrade(database: Database) -> tuple[SchemaState, SchemaState]:
    """Bring the schema to the version of this code, in one transaction; several may do so at once.

    Returns:
        How it was, and how it is.

    Raises:
        ConfigurationError: A later release made it.
    """
    is_new = database.is_sqlite and not Path(database.path).exists()
    if is_new:
        _create_file(database)

    def work(connection: Connection) -> tuple[SchemaState, SchemaState]:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        before = _state(database, connection)
        _refuse_newer(before)
        if not before.is_current:
            migrate(connection)
            _sign(connection)
        return before, _state(database, connection)

    before, after = database.once(work)
    return (replace(before, found=None, made_by=None) if is_new else before), after


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations that a database lacks, up to `revision`, in the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, revision)


def create(connection: Connection) -> None:
    """Make all tables at once, as they are now; tests hold this equal to what the migrations make."""
    tables.metadata.create_all(connection, checkfirst=False)
    connection.execute(tables.schema_version.insert(), {"version_num": tables.REVISIONS[-1]})
    connection.execute(tables.audit_head.insert(), {"id": 1, "count": 0, "hash": GENESIS_HASH})
    _sign(connection)


def _state(database: Database, connection: Connection) -> SchemaState:
    there = SchemaState(database.location, database.is_sqlite)
    if not inspect(connection).has_table(tables.schema_version.name):
        return there
    found = connection.scalar(select(tables.schema_version.c.version_num))
    made_by = connection.scalar(select(tables.about.c.value).where(tables.about.c.key == "upgraded_by"))
    return replace(there, found=found, made_by=made_by)


def _sign(connection: Connection) -> None:
    """Leave word for an older release, which does not know the version of the schema that it finds."""
    connection.execute(tables.about.delete().where(tables.about.c.key == "upgraded_by"))
    connection.execute(tables.about.insert(), {"key": "upgraded_by", "value": _release()})


def _release() -> str:
    return metadata.version("hokusai-ml-platform")


def _refuse_newer(found: SchemaState) -> None:
    if found.is_newer:
        raise ConfigurationError(
            f"The ledger's tables are of version {found.found}, which Hokusai {_release()} does not know",
            where=found.location,
            hint=found.remedy[0].upper() + found.remedy[1:],
        )


def _create_file(database: Database) -> None:
    """Make a new SQLite file: whole or absent, whoever else is doing the same or is killed at it."""
    path = Path(database.path).absolute()
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ledger-", dir=path.parent) as folder:
            draft = Path(folder) / "draft.db"
            _draft(draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            _put_in_place(draft, path)
    except HokusaiError:  # some are OSErrors
        raise
    except OSError as problem:
        raise ConfigurationError(
            f"The ledger's file cannot be made: {problem.strerror or problem}",
            where=str(path),
            hint="Set HOKUSAI_HOME to a folder that you may write to, or HOKUSAI_DATABASE_URL to a database.",
        ) from problem


def _draft(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    database.once(create)
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        # Readers do not wait for a writer then; the mode is kept in the file.
        connection.execute("PRAGMA journal_mode=WAL")


def _put_in_place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # somebody else was first; theirs is as good
    except OSError:  # a file system without links
        if not path.exists():
            draft.replace(path)
