"""`hokusai audit` and `hokusai db`, as somebody types them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.cli import cli, main
from hokusai.domain.audit import Happening


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and no .env file of somebody else's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
    for name in ("HOKUSAI_DATABASE_URL", "POSTGRES_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def ledger(home: Path) -> SqlLedger:
    """A ledger with three entries, where the settings say."""
    ledger = SqlLedger(f"sqlite:///{home / 'hokusai.db'}")
    ledger.record(
        [
            Happening("model.registered", "churn/1.0.0", "ann", {"sha256": "ab"}),
            Happening("model.registered", "churn/1.1.0", "ann\x1b[2J", {"sha256": "cd"}),
            Happening("model.promoted", "churn/1.1.0", "bob", {"stage": "production"}),
        ]
    )
    return ledger


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(home: Path) -> None:
    with closing(sqlite3.connect(home / "hokusai.db")) as connection:
        connection.execute("DROP TRIGGER hokusai_audit_events_no_update")
        connection.execute("UPDATE hokusai_audit_events SET actor = 'eve' WHERE sequence = 2")
        connection.commit()


class TestLog:
    def test_shows_the_newest_first(self, ledger: SqlLedger) -> None:
        lines = run("audit", "log").stdout.splitlines()
        assert lines[0].split() == ["#", "When", "Who", "What", "Subject", "Details"]
        assert [line.split()[0] for line in lines[1:]] == ["3", "2", "1"]
        assert "bob" in lines[1] and "churn/1.1.0" in lines[1] and "stage=production" in lines[1]

    def test_takes_no_orders_from_what_it_shows(self, ledger: SqlLedger) -> None:
        assert "\x1b[2J" not in run("audit", "log").stdout
        assert "\x1b" not in run("audit", "log", "--json").stdout

    def test_shows_what_is_asked_for(self, ledger: SqlLedger) -> None:
        def sequences(*options: str) -> list[int]:
            return [event["sequence"] for event in json.loads(run("audit", "log", "--json", *options).stdout)]

        assert sequences() == [3, 2, 1]
        assert sequences("--limit", "1") == [3]
        assert sequences("--subject", "churn/1.1.0") == [3, 2]
        assert sequences("--kind", "model.registered", "--subject", "churn/1.1.0") == [2]

    def test_says_so_where_there_is_nothing(self) -> None:
        assert run("audit", "log").stdout == "The audit trail is empty.\n"
        assert run("audit", "log", "--kind", "x").stdout == "The audit trail has no such entry.\n"


class TestVerify:
    def test_of_a_sound_trail_prints_its_head(self, ledger: SqlLedger) -> None:
        result = run("audit", "verify")
        head = ledger.head()
        assert result.exit_code == 0
        assert result.stdout == f"SOUND  3 entries, none changed, removed or moved\nHead: 3:{head.hash}\n"
        assert run("audit", "verify", "--head", f"3:{head.hash}").exit_code == 0

    def test_of_an_edited_trail_names_the_entry(self, ledger: SqlLedger, home: Path) -> None:
        edit(home)
        result = run("audit", "verify")
        assert result.exit_code == 1
        assert result.stdout.startswith("✗ Entry 2 was changed after it was written\nNOT SOUND")
        told = json.loads(run("audit", "verify", "--json").stdout)
        assert (told["sound"], told["head"]["count"], len(told["faults"])) == (False, 3, 1)

    def test_misses_a_noted_head(self, ledger: SqlLedger) -> None:
        result = run("audit", "verify", "--head", "4:" + "0" * 64)
        assert result.exit_code == 1
        assert "Entry 4, whose hash was noted, is not there any more" in result.stdout

    def test_a_head_that_is_none_is_a_wrong_command_line(self) -> None:
        assert run("audit", "verify", "--head", "latest").exit_code == 2


class TestExport:
    def test_verifies_without_the_ledger(self, ledger: SqlLedger, home: Path, tmp_path: Path) -> None:
        file = tmp_path / "trail.jsonl"
        assert run("audit", "export", "--output", str(file)).exit_code == 0
        edit(home)
        assert run("audit", "verify", "--file", str(file)).exit_code == 0
        assert run("audit", "verify", "--file", str(file), "--head", f"3:{ledger.head().hash}").exit_code == 0
        file.write_bytes(file.read_bytes().replace(b'"bob"', b'"eve"'))
        assert run("audit", "verify", "--file", str(file)).exit_code == 1

    def test_to_standard_output_is_the_same(self, ledger: SqlLedger, tmp_path: Path) -> None:
        run("audit", "export", "--output", str(tmp_path / "trail.jsonl"))
        assert run("audit", "export").stdout_bytes == (tmp_path / "trail.jsonl").read_bytes()

    def test_that_cannot_be_written_leaves_nothing(
        self, ledger: SqlLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["audit", "export", "--output", str(tmp_path / "none" / "trail.jsonl")])
        assert ended.value.code == 1
        assert "The export cannot be written: No such file or directory" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["absent.jsonl", "."])
    def test_that_is_not_there(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["audit", "verify", "--file", name])
        assert ended.value.code == 1
        assert "The export cannot be read" in capsys.readouterr().err


class TestDb:
    def test_makes_a_file_and_says_what_it_is(self, home: Path) -> None:
        before = run("db", "status")
        assert before.exit_code == 0 and "made when it is first used" in before.stdout
        assert not (home / "hokusai.db").exists()
        assert run("db", "upgrade").stdout.startswith("The ledger was made, with version 0002: sqlite:")
        assert run("db", "upgrade").stdout.startswith("The ledger is up to date (version 0002): sqlite:")
        told = json.loads(run("db", "status", "--json").stdout)
        assert (told["found"], told["needed"], told["is_usable"]) == ("0002", "0002", True)

    def test_makes_a_server_ready(
        self, postgres_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("HOKUSAI_DATABASE_URL", postgres_database)
        before = run("db", "status")
        assert before.exit_code == 1 and "no ledger yet; run: hokusai db upgrade" in before.stdout
        with pytest.raises(SystemExit):
            main(["audit", "log"])
        assert "Run: hokusai db upgrade" in capsys.readouterr().err
        assert run("db", "upgrade").exit_code == 0
        assert run("audit", "log").stdout == "The audit trail is empty.\n"
        assert run("db", "status").exit_code == 0
