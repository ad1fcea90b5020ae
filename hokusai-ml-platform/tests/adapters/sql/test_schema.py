"""How a database comes to have the ledger's tables, at first, later, by several at once, and when one is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from hokusai.adapters.sql import schema, tables
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.adapters.sql.schema import MIGRATIONS, LedgerSchema
from hokusai.adapters.sql.trail import append
from hokusai.domain.audit import Happening, chain_faults
from hokusai.errors import BackendUnavailableError, ConfigurationError, IntegrityError

NEXT = '''
"""Adds a table, for a test."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0003", "0002"
def upgrade() -> None:
    op.create_table("hokusai_second", sa.Column("id", sa.Integer, primary_key=True))
'''
OPEN_AND_WRITE = """
import sys
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.domain.audit import Happening
ledger = SqlLedger(sys.argv[1])
sys.stdin.readline()
ledger.record([Happening("opened", "ledger", sys.argv[2])])
"""
UPGRADE = """
import sys
from hokusai.adapters.sql.schema import LedgerSchema
schema = LedgerSchema(sys.argv[1])
sys.stdin.readline()
before, after = schema.upgrade()
print(before.found, after.found)
"""


@pytest.fixture
def a_later_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code as it will be when the schema has one more version."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0003_second.py").write_text(NEXT)
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(tables, "REVISIONS", ("0001", "0002", "0003"))


def sqlite_schema(path: Path) -> set[tuple[str, ...]]:
    """All that a file holds besides rows, without regard to how its SQL is written."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
        ).fetchall()
    return {(*row[:3], re.sub(r"\s+", " ", row[3]).strip()) for row in rows}


def postgres_schema(uri: str) -> dict[str, list[tuple[object, ...]]]:
    """All that a database holds besides rows."""
    ours = "NOT LIKE 'pg\\_%' AND table_schema = 'public'"
    queries = {
        "columns": "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, "
        f"character_maximum_length FROM information_schema.columns WHERE table_name {ours}",
        "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    }
    with closing(psycopg2.connect(uri)) as connection, connection.cursor() as cursor:
        found = {}
        for name, query in queries.items():
            cursor.execute(query)
            found[name] = sorted(cursor.fetchall(), key=str)
        return found


def processes(code: str, n: int, *arguments: str) -> list[subprocess.Popen[str]]:
    """Processes that run `code` up to its `readline`."""
    return [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments, str(i)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(n)
    ]


def finish(started: list[subprocess.Popen[str]]) -> list[str]:
    """Let all go on at once, and give what they print."""
    time.sleep(1.5)  # their imports, so that they do what follows at the same time
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in started]
    for process, (_, errors) in zip(started, answers, strict=True):
        assert process.returncode == 0, errors
    return [out.strip() for out, _ in answers]


class TestOneTruth:
    def test_what_is_made_at_once_is_what_the_migrations_make_on_sqlite(self, tmp_path: Path) -> None:
        made, migrated = tmp_path / "made.db", tmp_path / "migrated.db"
        SqlLedger(f"sqlite:///{made}").check()
        sqlite3.connect(migrated).close()
        LedgerSchema(f"sqlite:///{migrated}").upgrade()
        assert sqlite_schema(made) == sqlite_schema(migrated)
        assert len(sqlite_schema(made)) > 20

    def test_what_is_made_at_once_is_what_the_migrations_make_on_postgresql(
        self, postgres_server: object, request: pytest.FixtureRequest, postgres_database: str
    ) -> None:
        Database(postgres_database).once(schema.create)
        made = postgres_schema(postgres_database)
        with closing(psycopg2.connect(postgres_database)) as connection, connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            connection.commit()
        LedgerSchema(postgres_database).upgrade()
        assert postgres_schema(postgres_database) == made
        assert all(made.values())

    def test_the_code_knows_every_migration(self) -> None:
        files = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
        assert tuple(files) == tables.REVISIONS


class TestAFileOfOurOwn:
    def test_is_made_when_it_is_first_used_and_nothing_else_is_left(self, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b" / "ledger.db"
        ledger = SqlLedger(f"sqlite:///{path}")
        assert not path.parent.exists()
        ledger.check()
        ledger.close()
        assert [file.name for file in path.parent.iterdir()] == ["ledger.db"]
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_is_made_without_alembic(self, tmp_path: Path) -> None:
        code = (
            "import sys; from hokusai.adapters.sql.ledger import SqlLedger; SqlLedger(sys.argv[1]).check(); "
            "sys.exit('alembic' in sys.modules)"
        )
        for _ in range(2):  # made, then opened
            done = subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path / 'x.db'}"], check=False)
            assert done.returncode == 0

    def test_is_made_once_when_several_processes_open_it_at_once(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
        finish(processes(OPEN_AND_WRITE, 3, url))
        ledger = SqlLedger(url)
        assert sorted(event.happening.actor for event in ledger.events()) == ["0", "1", "2"]
        assert chain_faults(ledger.events(), ledger.head()) == []

    @pytest.mark.parametrize("after_seconds", [0.0, 0.005, 0.01, 0.02, 0.04])
    def test_survives_that_whoever_makes_it_is_killed(self, tmp_path: Path, after_seconds: float) -> None:
        url = f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
        (process,) = processes(OPEN_AND_WRITE, 1, url)
        time.sleep(1.5)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(after_seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        ledger = SqlLedger(url)
        ledger.record([Happening("opened", "ledger", "me")])
        assert chain_faults(ledger.events(), ledger.head()) == []
        assert ledger.events()[-1].happening.actor == "me"

    def test_shares_a_file_with_other_tables(self, tmp_path: Path) -> None:
        path = tmp_path / "shared.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num)")
            connection.execute("INSERT INTO alembic_version VALUES ('mlflow')")
            connection.commit()
        SqlLedger(f"sqlite:///{path}").record([Happening("k", "s", "a")])
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("mlflow",)]

    def test_is_upgraded_when_it_is_next_used(self, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        old = SqlLedger(url)
        old.record([Happening("k", "s", "a")])
        request.getfixturevalue("a_later_release")
        assert LedgerSchema(url).state().verdict == "upgraded when it is next used"
        new = SqlLedger(url)
        assert [event.happening.subject for event in new.events()] == ["s"]
        assert LedgerSchema(url).state().is_current
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
            assert connection.execute("SELECT count(*) FROM hokusai_second").fetchone() == (0,)

    def test_an_upgrade_that_fails_changes_nothing(
        self, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        path = tmp_path / "ledger.db"
        SqlLedger(f"sqlite:///{path}").check()
        before = sqlite_schema(path)
        request.getfixturevalue("a_later_release")
        broken = NEXT + "    raise RuntimeError('power cut')\n"
        (tmp_path / "migrations" / "versions" / "0003_second.py").write_text(broken)
        with pytest.raises(RuntimeError, match="power cut"):
            SqlLedger(f"sqlite:///{path}").check()
        assert sqlite_schema(path) == before
        assert LedgerSchema(f"sqlite:///{path}").state().found == "0002"

    def test_is_refused_if_a_later_release_made_it(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.db"
        SqlLedger(f"sqlite:///{path}").check()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE hokusai_schema_version SET version_num = '0099'")
            connection.execute("UPDATE hokusai_about SET value = '7.1.0'")
            connection.commit()
        for use in (SqlLedger(f"sqlite:///{path}").check, LedgerSchema(f"sqlite:///{path}").upgrade):
            with pytest.raises(ConfigurationError, match=r"version 0099.*hokusai-ml-platform>=7\.1\.0"):
                use()

    def test_looking_at_it_does_not_make_it(self, tmp_path: Path) -> None:
        state = LedgerSchema(f"sqlite:///{tmp_path / 'x' / 'ledger.db'}").state()
        assert (state.found, state.is_usable) == (None, True)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("content", [b"not a database, but long enough to have a header" * 40, b""])
    def test_a_file_that_is_something_else(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "ledger.db"
        path.write_bytes(content)
        ledger = SqlLedger(f"sqlite:///{path}")
        if not content:  # what an interrupted `touch` leaves is as good as nothing
            ledger.check()
            return
        with pytest.raises(ConfigurationError, match="file is not a database"):
            ledger.check()
        assert path.read_bytes() == content

    def test_a_folder_in_its_place(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="HOKUSAI_DATABASE_URL"):
            SqlLedger(f"sqlite:///{tmp_path}").check()

    def test_a_file_in_the_place_of_its_folder(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("")
        with pytest.raises(ConfigurationError, match="HOKUSAI_HOME"):
            SqlLedger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}").check()

    def test_a_writer_that_does_not_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "ledger.db"
        ledger = SqlLedger(f"sqlite:///{path}")
        ledger.check()
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            monkeypatch.setattr("hokusai.adapters.sql.engine.BUSY_SECONDS", 0)
            monkeypatch.setattr("hokusai.adapters.sql.engine._PRAGMAS", ())
            impatient = SqlLedger(f"sqlite:///{path}")
            assert impatient.head().count == 0  # readers do not wait
            with pytest.raises(BackendUnavailableError, match="locked"):
                impatient.record([Happening("k", "s", "a")])

    def test_a_head_that_somebody_removed(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.db"
        ledger = SqlLedger(f"sqlite:///{path}")
        ledger.record([Happening("k", "s", "a")])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM hokusai_audit_head")
            connection.commit()
        with pytest.raises(IntegrityError, match="hokusai audit verify"):
            ledger.record([Happening("k", "s", "a")])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_first_release_is_upgraded_with_what_it_holds(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_database")
    else:
        sqlite3.connect(tmp_path / "old.db").close()
    old = Database(url)
    old.once(lambda connection: schema.migrate(connection, "0001"))
    old.once(lambda connection: append(connection, [Happening("made", "before", "ann")]))
    old.close()
    assert LedgerSchema(url).upgrade()[0].found == "0001"
    ledger = SqlLedger(url)
    ledger.record([Happening("made", "after", "ann")])
    assert [event.happening.subject for event in ledger.events()] == ["before", "after"]
    assert chain_faults(ledger.events(), ledger.head()) == []
    assert (ledger.attestations.find(), ledger.benchmarks.find()) == ([], [])
    ledger.close()


class TestAServer:
    def test_is_refused_until_it_is_upgraded(self, postgres_database: str) -> None:
        ledger = SqlLedger(postgres_database)
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"no ledger yet .*Run: hokusai db upgrade"):
                ledger.check()
        before, after = LedgerSchema(postgres_database).upgrade()
        assert (before.found, after.found) == (None, "0002")
        ledger.check()  # without being made anew

    def test_is_upgraded_once_when_several_do_so_at_once(self, postgres_database: str) -> None:
        answers = finish(processes(UPGRADE, 3, postgres_database))
        assert sorted(answers) == ["0002 0002", "0002 0002", "None 0002"]
        SqlLedger(postgres_database).check()

    def test_is_refused_when_it_is_older(
        self, postgres_database: str, request: pytest.FixtureRequest
    ) -> None:
        LedgerSchema(postgres_database).upgrade()
        SqlLedger(postgres_database).record([Happening("k", "s", "a")])
        request.getfixturevalue("a_later_release")
        with pytest.raises(ConfigurationError, match=r"older .*Run: hokusai db upgrade"):
            SqlLedger(postgres_database).check()
        before, after = LedgerSchema(postgres_database).upgrade()
        assert (before.found, after.found) == ("0002", "0003")
        assert SqlLedger(postgres_database).head().count == 1

    def test_is_refused_when_it_is_newer(self, postgres_database: str) -> None:
        LedgerSchema(postgres_database).upgrade()
        with closing(psycopg2.connect(postgres_database)) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE hokusai_schema_version SET version_num = '0099'")
            connection.commit()
        for use in (SqlLedger(postgres_database).check, LedgerSchema(postgres_database).upgrade):
            with pytest.raises(ConfigurationError, match=r"pip install 'hokusai-ml-platform>="):
                use()

    def test_shows_no_password(self, postgres_database: str) -> None:
        ledger = SqlLedger(postgres_database)
        secret = postgres_database.split(":")[2].partition("@")[0]
        with pytest.raises(ConfigurationError) as refused:
            ledger.check()
        for text in (str(refused.value), repr(ledger), ledger.location, repr(ledger.index)):
            assert secret not in text
        assert "***" in ledger.location

    def test_the_short_spelling_of_hosting_providers_is_understood(self, postgres_database: str) -> None:
        LedgerSchema(postgres_database.replace("postgresql://", "postgres://")).upgrade()


class TestAddresses:
    @pytest.mark.parametrize(
        "url", ["", "nonsense", "mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "postgresql://h:port/d"]
    )
    def test_of_no_kind_that_can_be_used(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="HOKUSAI_DATABASE_URL"):
            SqlLedger(url)

    def test_where_nobody_answers(self) -> None:
        ledger = SqlLedger("postgresql://me:secret@127.0.0.1:9/x")
        with pytest.raises(BackendUnavailableError, match="refused") as lost:
            ledger.check()
        assert "secret" not in str(lost.value)


def test_a_forked_child_uses_connections_of_its_own(tmp_path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.record([Happening("k", "s", "parent")])
    child = os.fork()
    if child == 0:
        try:
            ledger.record([Happening("k", "s", "child")])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ledger.record([Happening("k", "s", "parent")])
    assert [event.happening.actor for event in ledger.events()] == ["parent", "child", "parent"]
