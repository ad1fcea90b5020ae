"""The audit trail on real databases: several processes append to it, and somebody who has the password edits it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from hokusai.adapters.mlflow_store import with_driver
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.adapters.sql.schema import LedgerSchema
from hokusai.core.audit_trail import export, parse_head, verify_export, verify_trail
from hokusai.domain.audit import AuditHead, Happening, chain_faults, chain_hash
from hokusai.errors import IntegrityError, InvalidInputError

APPEND = """
import sys, threading
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.domain.audit import Happening
ledger = SqlLedger(sys.argv[1])
def work(thread):
    for i in range(10):
        ledger.record([Happening("k", "s", f"{sys.argv[2]}-{thread}", {"i": i})])
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
UNGUARD = {
    "sqlite": ["DROP TRIGGER hokusai_audit_events_no_update", "DROP TRIGGER hokusai_audit_events_no_delete"],
    "postgresql": ["ALTER TABLE hokusai_audit_events DISABLE TRIGGER ALL"],
}


@dataclass
class Place:
    """A ledger with five entries, and a way around it."""

    url: str
    ledger: SqlLedger

    def sql(self, *statements: str) -> None:
        """Run statements as somebody who has the database's password."""
        engine = create_engine(with_driver(self.url))
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    def tamper(self, *statements: str) -> None:
        """As `sql`, the guards of the table taken off first."""
        self.sql(*UNGUARD["sqlite" if self.url.startswith("sqlite") else "postgresql"], *statements)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgres_database")
        LedgerSchema(url).upgrade()
    ledger = SqlLedger(url)
    ledger.record([Happening("model.registered", f"churn/1.{i}.0", "ann", {"i": i}) for i in range(5)])
    yield Place(url, ledger)
    ledger.close()


def test_processes_and_threads_append_without_gaps(place: Place) -> None:
    started = [subprocess.Popen([sys.executable, "-c", APPEND, place.url, str(i)]) for i in range(3)]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    events = place.ledger.events(after=5)
    assert [event.sequence for event in events] == list(range(6, 126))
    assert chain_faults(place.ledger.events(), place.ledger.head()) == []
    for actor in {event.happening.actor for event in events}:
        own = [event.happening.details["i"] for event in events if event.happening.actor == actor]
        assert own == list(range(10))


@pytest.mark.parametrize(
    "statement", ["UPDATE hokusai_audit_events SET actor = 'x'", "DELETE FROM hokusai_audit_events"]
)
def test_the_table_refuses_to_be_changed(place: Place, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        place.sql(statement)
    assert verify_trail(place.ledger).is_sound


SWAP = (
    "UPDATE hokusai_audit_events SET sequence = 99 WHERE sequence = 2",
    "UPDATE hokusai_audit_events SET sequence = 2 WHERE sequence = 3",
    "UPDATE hokusai_audit_events SET sequence = 3 WHERE sequence = 99",
)
INSERT = (
    "INSERT INTO hokusai_audit_events SELECT {}, at_ms, kind, subject, actor, details, previous, hash "
    "FROM hokusai_audit_events WHERE sequence = 5"
)


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (("UPDATE hokusai_audit_events SET actor = 'bob' WHERE sequence = 3",), "Entry 3 was changed"),
        (("UPDATE hokusai_audit_events SET at_ms = at_ms + 1 WHERE sequence = 1",), "Entry 1 was changed"),
        (("UPDATE hokusai_audit_events SET details = '{\"i\":9}' WHERE sequence = 5",), "Entry 5 was changed"),
        (("UPDATE hokusai_audit_events SET details = 'no JSON' WHERE sequence = 5",), "Entry 5 was changed"),
        (("UPDATE hokusai_audit_events SET details = '[1]' WHERE sequence = 5",), "Entry 5 was changed"),
        (("UPDATE hokusai_audit_events SET at_ms = 9100000000000000000 WHERE sequence = 2",), "Entry 2 was changed"),
        (("UPDATE hokusai_audit_events SET hash = '00' WHERE sequence = 4",), "Entry 4 was changed"),
        (("DELETE FROM hokusai_audit_events WHERE sequence = 3",), "After entry 2 comes entry 4"),
        (("DELETE FROM hokusai_audit_events WHERE sequence = 1",), "After entry 0 comes entry 2"),
        (("DELETE FROM hokusai_audit_events WHERE sequence > 3",), "ends with entry 3"),
        (("DELETE FROM hokusai_audit_events",), "ends with entry 0"),
        (SWAP, "Entry 2 was changed"),
        ((INSERT.format(6),), "Entry 6 stands beyond the end"),
        ((INSERT.format(-3),), "After entry 0 comes entry -3"),
        (("DELETE FROM hokusai_audit_head",), "Entry 1 stands beyond the end of the trail, entry 0"),
        (("DELETE FROM hokusai_audit_events", "DELETE FROM hokusai_audit_head"), "has lost its head"),
        (("UPDATE hokusai_audit_head SET count = 4",), "should end with entry 4"),
    ],
)  # fmt: skip
def test_an_edit_by_hand_is_found_and_named(place: Place, statements: tuple[str, ...], fault: str) -> None:
    assert verify_trail(place.ledger).is_sound
    place.tamper(*statements)
    verdict = verify_trail(place.ledger)
    assert not verdict.is_sound
    assert any(fault in found for found in verdict.faults), verdict.faults


@pytest.mark.parametrize("sequence", [6, -3])
def test_an_entry_beyond_the_ends_is_not_believed(place: Place, sequence: int) -> None:
    asked = ("model.registered", "churn/9.0.0", {"i": 4})
    place.tamper(INSERT.format(sequence).replace("subject", "'churn/9.0.0'"))
    assert not place.ledger.has(*asked)
    assert place.ledger.has("model.registered", "churn/1.4.0", {"i": 4})


def test_a_trail_without_its_head_is_not_believed(place: Place) -> None:
    place.tamper("DELETE FROM hokusai_audit_head")
    with pytest.raises(IntegrityError, match="lost its head"):
        place.ledger.has("model.registered", "churn/1.4.0", {"i": 4})


class TestANotedHead:
    def test_is_met_again_as_the_trail_grows(self, place: Place) -> None:
        noted = place.ledger.head()
        place.ledger.record([Happening("k", "s", "a")])
        assert verify_trail(place.ledger, noted).is_sound

    def test_shows_that_the_newest_entries_were_removed_with_their_head(self, place: Place) -> None:
        noted, third = place.ledger.head(), place.ledger.events()[2]
        place.tamper(
            "DELETE FROM hokusai_audit_events WHERE sequence > 3",
            f"UPDATE hokusai_audit_head SET count = 3, hash = '{third.hash}'",
        )
        assert verify_trail(place.ledger).is_sound  # from within, there is nothing to see
        assert "Entry 5, whose hash was noted" in verify_trail(place.ledger, noted).faults[0]

    def test_shows_that_the_trail_was_written_anew(self, place: Place) -> None:
        noted, last = place.ledger.head(), place.ledger.events()[-1]
        forged = Happening(last.happening.kind, last.happening.subject, "bob", last.happening.details)
        digest = chain_hash(last.sequence, last.at_ms, forged, last.previous)
        place.tamper(
            f"UPDATE hokusai_audit_events SET actor = 'bob', hash = '{digest}' WHERE sequence = 5",
            f"UPDATE hokusai_audit_head SET hash = '{digest}'",
        )
        assert verify_trail(place.ledger).is_sound
        (fault,) = verify_trail(place.ledger, noted).faults
        assert "Entry 5 is not the one whose hash was noted" in fault


class TestAnExport:
    @pytest.fixture
    def lines(self, place: Place) -> list[bytes]:
        return list(export(place.ledger))

    def test_verifies_elsewhere(self, place: Place, lines: list[bytes]) -> None:
        assert len(lines) == 6
        verdict = verify_export(lines, place.ledger.head())
        assert verdict.is_sound
        assert verdict.head == place.ledger.head()

    @pytest.mark.parametrize(
        ("edit", "fault"),
        [
            (lambda lines: [*lines[:3], *lines[4:]], "After entry 2 comes entry 4"),
            (lambda lines: lines[:-1], "ends with entry 4"),
            (lambda lines: [*lines[:2], lines[2].replace(b'"ann"', b'"bob"'), *lines[3:]], "Entry 2 was changed"),
            (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "After entry 1 comes entry 3"),
            (lambda lines: [*lines[:2], b"garbage\n", *lines[3:]], "Line 3 is not an entry"),
            (lambda lines: [*lines[:2], lines[2].replace(b'"sequence":2', b'"sequence":true'), *lines[3:]], "Line 3"),
        ],
    )  # fmt: skip
    def test_that_was_edited_is_found_out(
        self, lines: list[bytes], edit: Callable[[list[bytes]], list[bytes]], fault: str
    ) -> None:
        verdict = verify_export(edit(lines))
        assert any(fault in found for found in verdict.faults), verdict.faults

    @pytest.mark.parametrize("first", [b"", b"{}", b"garbage", b'{"format":"hokusai-audit-v1"}', b"[1]"])
    def test_that_is_none_is_refused(self, first: bytes) -> None:
        with pytest.raises(InvalidInputError, match="hokusai audit export"):
            verify_export([first])


@pytest.mark.parametrize("text", ["", "3", "3:abc", "-1:" + "0" * 64, "01:" + "0" * 64, "3:" + "G" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="COUNT:HASH"):
        parse_head(text)


def test_a_long_trail_is_read_a_page_at_a_time(tmp_path: Path) -> None:
    with closing(SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ledger.record([Happening("k", "s", "a", {"i": i}) for i in range(2_500)])
        assert verify_trail(ledger) == verify_export(export(ledger))
        assert verify_trail(ledger, AuditHead(1_700, ledger.events(after=1_699, limit=1)[0].hash)).is_sound
