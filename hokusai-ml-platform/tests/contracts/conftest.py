"""Every adapter of a port that several contracts are run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.sql import schema
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.ports import Ledger


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger: in memory, in a file, and on a real server."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "sqlite":
        opened = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    else:
        uri = request.getfixturevalue("postgres_database")
        made = Database(uri)
        made.once(schema.create)  # held equal to what the migrations make by tests of its own
        made.close()
        opened = SqlLedger(uri)
    yield opened
    opened.close()
