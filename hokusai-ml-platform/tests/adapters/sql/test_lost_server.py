"""PostgreSQL goes away and comes back, while connections to it are open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.adapters.sql.schema import LedgerSchema
from hokusai.domain.audit import Happening, chain_faults
from hokusai.domain.records import ModelRecord
from hokusai.errors import BackendUnavailableError
from hokusai.ports import Page
from hokusai.stack.postgres import start_postgres

STORE = "a-store"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("pg")


def test_reads_and_writes_go_on_after_a_restart_and_fail_clearly_until_then(folder: Path) -> None:
    with start_postgres(folder=folder) as server:
        LedgerSchema(server.uri).upgrade()
        ledger = SqlLedger(server.uri)
        reader = SqlLedger(server.uri)
        for number in (1, 2, 3):
            ledger.record([Happening("k", "s", "a")], location=STORE, records=[ModelRecord("m", number)])
        assert reader.head().count == 3
    port = server.port

    for use in (
        ledger.check,
        ledger.head,
        lambda: ledger.index.page(STORE, Page()),
        lambda: ledger.index.put(STORE, [ModelRecord("m", 9)]),
        lambda: ledger.record([Happening("k", "s", "a")]),
    ):
        with pytest.raises(BackendUnavailableError) as lost:
            use()
        assert server.password not in str(lost.value)

    with start_postgres(folder=folder, port=port):
        assert reader.head().count == 3  # its connection is from before the restart
        assert reader.index.numbered(STORE, "m", 2) == ModelRecord("m", 2)
        ledger.record([Happening("k", "s", "a")], location=STORE, records=[ModelRecord("m", 4)])
        assert ledger.index.count(STORE) == 4
        assert [event.sequence for event in reader.events()] == [1, 2, 3, 4]

    with start_postgres(folder=folder, port=port):
        # The first use of a stale connection is a write: it is tried again, and written once.
        ledger.record([Happening("k", "s", "b")])
        assert reader.head().count == 5
        assert chain_faults(reader.events(), reader.head()) == []
        ledger.close()
        reader.close()
