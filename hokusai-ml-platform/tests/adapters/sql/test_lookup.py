"""Look-ups go the short way: no test of their answers would notice if each went the long one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, column, literal_column, select, table

from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.adapters.sql.schema import LedgerSchema
from hokusai.domain.records import ModelRecord
from hokusai.errors import HokusaiError
from hokusai.ports import Page

ROW = ModelRecord("churn", 1, tags={"hokusai.semver": "1.0.0", "hokusai_token_id": "msg-ai"})


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hokusai.db"
    found: str = request.getfixturevalue("postgres_database")
    LedgerSchema(found).upgrade()
    return found


def test_no_lookup_needs_the_long_way(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index = SqlLedger(url).index
    index.put("here", [ROW])
    assert index.get("here", "churn", "1.0.0") == ROW  # what is asked once a process may be asked at length

    def at_length(*_: Any) -> Any:
        raise AssertionError("asked at length")

    monkeypatch.setattr(Database, "rows", at_length)
    for _ in range(7):  # PostgreSQL changes to a plan for all values after five
        assert index.get("here", "churn", "1.0.0") == ROW
        assert index.numbered("here", "churn", 1) == ROW
        assert index.latest("here", "churn") == ROW
        assert index.page("here", Page(token_id="msg-ai")) == [ROW]
        assert index.mark("here", "none") is None


def test_a_mistake_in_a_query_is_not_asked_again_in_silence(url: str) -> None:
    database = Database(url)
    missing = select(literal_column("1")).select_from(table("no_such_table", column("a")))
    with pytest.raises(HokusaiError):
        database.lookup(missing.where(column("a") == bindparam("a")), {"a": 1})
    with pytest.raises(KeyError):
        database.lookup(select(bindparam("a")), {})
