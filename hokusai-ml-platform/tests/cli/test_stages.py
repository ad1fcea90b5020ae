"""`hokusai promote`, `rollback`, `withdraw` and `history`, as somebody types them, on the embedded default."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.warm_python import warm

Hokusai = Callable[..., Any]


def fill(hokusai: Hokusai, model_files: list[str]) -> None:
    """For `churn` and `shelf`: churn/1.0.0 and churn/1.1.0."""
    for file, version in zip(model_files, ("1.0.0", "1.1.0"), strict=False):
        hokusai("models", "register", file, "--name", "churn", "--version", version)


def in_use(run: Hokusai) -> dict[str, str | None]:
    """Stage to version."""
    stages: dict[str, str | None] = run("history", "churn", "--json").json["stages"]
    return stages


class TestPromote:
    def test_puts_a_version_into_production(self, churn: Hokusai) -> None:
        done = churn("promote", "churn/1.0.0")
        assert (done.code, done.out) == (0, "churn/1.0.0 is in production.\n")
        assert in_use(churn) == {"development": None, "staging": None, "production": "1.0.0"}

    def test_says_what_it_took_the_place_of(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0")
        assert churn("promote", "churn/1.1.0").out == "churn/1.1.0 is in production, in place of 1.0.0.\n"

    def test_its_json(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0", "--stage", "staging")
        told = churn("promote", "churn/1.1.0", "--stage", "stage", "--reason", "better", "--json").json
        assert {name: told[name] for name in ("model_id", "stage", "previous", "changed")} == {
            "model_id": "churn/1.1.0",
            "stage": "staging",
            "previous": "1.0.0",
            "changed": True,
        }
        assert (told["event"]["move"], told["event"]["reason"]) == ("promote", "better")

    def test_the_same_again_changes_nothing(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0")
        assert (
            churn("promote", "churn/1.0.0").out
            == "churn/1.0.0 was in production already; nothing is changed.\n"
        )
        assert churn("promote", "churn/1.0.0", "--json").json["changed"] is False
        assert len(churn("history", "churn", "--json").json["events"]) == 1

    def test_what_is_in_one_stage_goes_to_the_next(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.1.0", "--stage", "dev")
        assert churn("promote", "churn@dev", "--stage", "prod").out == "churn/1.1.0 is in production.\n"
        assert in_use(churn) == {"development": None, "staging": None, "production": "1.1.0"}

    def test_only_if_the_stage_holds_what_was_expected(self, churn: Hokusai) -> None:
        assert churn("promote", "churn/1.0.0", "--expected", "none").code == 0
        refused = churn("promote", "churn/1.1.0", "--expected", "none")
        assert (refused.code, refused.out) == (1, "")
        assert "production of churn holds 1.0.0, and no version was expected" in refused.err
        assert in_use(churn)["production"] == "1.0.0"
        assert churn("promote", "churn/1.1.0", "--expected", "1.0.0").code == 0
        assert in_use(churn)["production"] == "1.1.0"

    def test_a_name_alone_is_refused(self, shelf: Hokusai) -> None:
        done = shelf("promote", "churn")
        assert done.code == 1
        assert "Write name/version" in done.err

    @pytest.mark.parametrize(
        ("reference", "says"),
        [
            ("churn/9.0.0", "churn has no version 9.0.0"),
            ("chrun/1.0.0", "Did you mean 'churn'?"),
            ("churn/1.0", "Not a semantic version"),
        ],
    )
    def test_what_there_is_not_is_refused(self, shelf: Hokusai, reference: str, says: str) -> None:
        done = shelf("promote", reference, "--json")
        assert (done.code, done.out) == (1, "")
        assert says in done.err

    def test_a_deleted_version_is_refused(self, churn: Hokusai) -> None:
        churn("models", "delete", "churn/1.1.0", "--yes")
        assert "churn/1.1.0 is deleted" in churn("promote", "churn/1.1.0").err

    def test_an_unknown_stage_is_a_wrong_command(self, hokusai: Hokusai) -> None:
        done = hokusai("promote", "churn/1.0.0", "--stage", "archive")
        assert done.code == 2
        assert "Stages are development, staging, production." in done.err


class TestRollback:
    def test_goes_back_to_the_version_before(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0")
        churn("promote", "churn/1.1.0")
        done = churn("rollback", "churn", "--reason", "slow")
        assert (done.code, done.out) == (0, "churn/1.0.0 is in production, in place of 1.1.0.\n")
        assert in_use(churn)["production"] == "1.0.0"
        assert churn("models", "show", "churn@production", "--json").json["version"] == "1.0.0"

    def test_goes_to_the_version_that_is_named(self, churn: Hokusai, model_files: list[str]) -> None:
        churn("models", "register", model_files[2], "--name", "churn", "--version", "1.2.0")
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            churn("promote", f"churn/{version}", "--stage", "staging")
        told = churn("rollback", "churn", "--to", "1.0.0", "--stage", "staging", "--json").json
        assert (told["model_id"], told["previous"], told["changed"]) == ("churn/1.0.0", "1.2.0", True)

    def test_where_there_is_nothing_to_go_back_to_it_is_refused(self, churn: Hokusai) -> None:
        assert "so there is nothing to roll back" in churn("rollback", "churn").err
        churn("promote", "churn/1.0.0")
        done = churn("rollback", "churn", "--json")
        assert (done.code, done.out) == (1, "")
        assert "Before 1.0.0 no version of churn was in production" in done.err

    def test_of_a_model_that_there_is_not(self, shelf: Hokusai) -> None:
        assert "No model is called 'chrun'" in shelf("rollback", "chrun").err
        assert "Not a model name" in shelf("rollback", "churn/1.0.0").err


class TestWithdraw:
    def test_leaves_the_stage_empty(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0")
        done = churn("withdraw", "churn", "--stage", "production", "--reason", "recall")
        assert (done.code, done.out) == (0, "churn/1.0.0 has left production, which is empty now.\n")
        assert in_use(churn)["production"] is None
        assert "so there is nothing to roll back" in churn("rollback", "churn").err

    def test_an_empty_stage_is_refused(self, shelf: Hokusai) -> None:
        done = shelf("withdraw", "churn", "--stage", "staging")
        assert done.code == 1
        assert "No version of churn is in staging" in done.err

    def test_the_stage_has_to_be_named(self, hokusai: Hokusai) -> None:
        assert hokusai("withdraw", "churn").code == 2


class TestHistory:
    def test_shows_who_did_what_when_and_why(self, churn: Hokusai) -> None:
        before = datetime.now(UTC).replace(microsecond=0)
        churn("promote", "churn/1.0.0", "--reason", "first\nof [bold]all[/]\x1b[2J")
        churn("promote", "churn/1.1.0")
        churn("rollback", "churn", "--reason", "slow")
        shown = churn("history", "churn").out
        assert "\x1b" not in shown
        lines = shown.splitlines()
        assert lines[:4] == ["production: 1.0.0", "staging: none", "development: none", ""]
        assert lines[4].split() == ["when", "who", "what", "why"]
        told = churn("history", "churn", "--json").json["events"]
        first, second, third = lines[5:]
        assert first.startswith(f"{told[0]['at'][:10]} {told[0]['at'][11:19]} UTC  {told[0]['actor']}  ")
        assert before <= datetime.fromisoformat(told[0]["at"]) <= datetime.now(UTC)
        assert "promoted 1.0.0 to production" in first
        assert first.endswith("first of [bold]all[/]\ufffd[2J")
        assert second.endswith("promoted 1.1.0 to production, in place of 1.0.0")
        assert "rolled production back to 1.0.0" in third
        assert third.endswith("slow")

    def test_its_json_is_the_whole_story(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0", "--stage", "staging")
        churn("withdraw", "churn", "--stage", "staging")
        told = churn("history", "churn", "--json").json
        assert told["name"] == "churn"
        assert [(event["move"], event["version"], event["stage"]) for event in told["events"]] == [
            ("promote", "1.0.0", "staging"),
            ("withdraw", "1.0.0", "staging"),
        ]

    def test_of_a_model_that_was_never_moved(self, shelf: Hokusai) -> None:
        done = shelf("history", "churn")
        assert (done.code, done.out) == (0, "production: none\nstaging: none\ndevelopment: none\n")

    def test_of_a_model_that_there_is_not(self, shelf: Hokusai) -> None:
        done = shelf("history", "chrun", "--json")
        assert (done.code, done.out) == (1, "")
        assert "Did you mean 'churn'?" in done.err


class TestAsProcesses:
    """What one process has written the next one reads."""

    def test_promote_here_and_read_there(self, churn: Hokusai) -> None:
        command = warm("-m", "hokusai.cli")
        done = subprocess.run(
            [*command, "promote", "churn/1.1.0"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "churn/1.1.0 is in production.\n"
        shown = subprocess.run(
            [*command, "models", "list", "--stage", "production", "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert [one["model_id"] for one in json.loads(shown.stdout)["models"]] == ["churn/1.1.0"]
        assert in_use(churn)["production"] == "1.1.0"

    def test_of_two_who_expect_the_same_one_wins(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0", "--stage", "staging")
        command = warm("-m", "hokusai.cli", "promote", "--expected", "none")
        rivals = [
            subprocess.Popen(
                [*command, f"churn/{version}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for version in ("1.0.0", "1.1.0")
        ]
        said = [rival.communicate(timeout=120) for rival in rivals]
        assert sorted(rival.returncode for rival in rivals) == [0, 1], said
        loser = next(err for (_, err), rival in zip(said, rivals, strict=True) if rival.returncode)
        assert "and no version was expected" in loser
