"""Every adapter of a port that several contracts are run on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import Connection, text

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.sql import schema, tables
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.ports import Ledger
from hokusai.stack.postgres import PostgresServer


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger: in memory, in a file, and on a real server."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "sqlite":
        opened = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    else:
        opened = SqlLedger(request.getfixturevalue("emptied_postgres")())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def emptied_postgres(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Empties the one database that all tests share, and tells its URI: to make one took longer than most tests."""
    name = f"ledger_{uuid.uuid4().hex}"
    with closing(psycopg2.connect(postgres_server.uri)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    uri = postgres_server.uri.removesuffix(postgres_server.database) + name
    database = Database(uri)
    database.once(schema.create)  # held equal to what the migrations make by tests of its own
    new = {table: database.rows(table.select()) for table in tables.metadata.sorted_tables}

    def empty(connection: Connection) -> None:
        connection.execute(
            text("SET LOCAL session_replication_role = replica")
        )  # the trail's guards look away
        connection.execute(text(f"TRUNCATE {', '.join(table.name for table in new)} RESTART IDENTITY"))
        for table, rows in new.items():
            if rows:
                connection.execute(table.insert(), [row._asdict() for row in rows])

    def emptied() -> str:
        database.write(empty)
        return uri

    yield emptied
    database.close()
