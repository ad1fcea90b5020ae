"""What tests of several parts need from the real servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from hokusai.stack.postgres import PostgresServer


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URI of an empty database, for one test alone; gone after it, or PostgreSQL would go on tidying hundreds."""
    name = f"test_{uuid.uuid4().hex}"
    with closing(psycopg2.connect(postgres_server.uri)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
        yield postgres_server.uri.removesuffix(postgres_server.database) + name
        connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
