"""`hokusai lineage`, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.cli import door, main
from hokusai.core.registry import ModelRegistry
from hokusai.domain.records import CONTRIBUTOR, METRICS, PARENT, SEMVER
from hokusai.domain.stages import Move, Stage, StageEvent

TREE = """\
● churn/1.0.0  accuracy 0.5  rmse 4
├─○ churn/1.0.1  accuracy 0.25 (-0.25)  by bob
○ churn/1.1.0  accuracy 0.75 (+0.25)  rmse 4.5 (+0.5)  by 0x742D…2341

From churn/1.0.0 to churn/1.1.0: accuracy +0.25, rmse +0.5
0x742D35cc6634C0532925A3B844BC9E7595f62341: 1 version, 1 better than the parent: accuracy +0.25, rmse +0.5
bob: 1 version, 0 better than the parent: accuracy -0.25
"""


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryModelStore:
    """The commands work on a registry in memory."""
    store = MemoryModelStore()
    rows = [
        {SEMVER: "1.0.0", METRICS: '{"accuracy": 0.5, "rmse": 4}'},
        {SEMVER: "1.0.1", METRICS: '{"accuracy": 0.25}', PARENT: "churn/1.0.0", CONTRIBUTOR: "bob"},
        {
            SEMVER: "1.1.0",
            METRICS: '{"accuracy": 0.75, "rmse": 4.5}',
            PARENT: "churn/1.0.0",
            CONTRIBUTOR: "0x742D35cc6634C0532925A3B844BC9E7595f62341",
        },
    ]
    for tags in rows:
        store.add_version("churn", store.upload("churn", {"model": b"bytes"}), tags)
    found = ModelRegistry(store=store, ledger=MemoryLedger(), actor="ada", poll_seconds=0)
    monkeypatch.setattr(door, "registry", lambda: found)
    monkeypatch.chdir(tmp_path)
    for variable in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    return store


def hokusai(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("reference", ["churn", "churn/1.0.0"])
def test_shows_a_plain_tree_where_no_terminal_is(reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai(reference) == 0
    assert capsys.readouterr().out == TREE


def test_colours_better_green_and_worse_red(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert hokusai("churn") == 0
    shown = capsys.readouterr().out
    assert "\x1b[32m (+0.25)" in shown
    assert "\x1b[31m (-0.25)" in shown
    assert "\x1b[31m (+0.5)" in shown, "a higher error is worse"


def test_shows_what_is_in_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    door.registry().stages.move("churn", lambda _: StageEvent(Move.PROMOTE, "1.1.0", Stage.PRODUCTION))
    assert hokusai("churn") == 0
    assert "churn/1.1.0  [production]" in capsys.readouterr().out


@pytest.mark.parametrize("forced", [False, True])
def test_text_from_a_record_cannot_command_the_terminal(
    forced: bool,
    registry: MemoryModelStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = {
        SEMVER: "2.0.0",
        METRICS: '{"\\u001b]0;a\\u0007": 1}',
        PARENT: "x\x1b[2J/1\n[red]",
        CONTRIBUTOR: "[b]",
    }
    registry.add_version("churn", registry.upload("churn", {"model": b"bytes"}), evil)
    if forced:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
    for kind in ("tree", "mermaid", "json"):
        assert hokusai("churn", "--format", kind) == 0
        shown = capsys.readouterr().out
        assert "\x07" not in shown
        assert "\x1b[2J" not in shown
        assert "\x1b]0" not in shown
        assert not any(line.startswith("[red]") for line in shown.splitlines())
        assert kind != "tree" or "by [b]" in shown


@pytest.mark.parametrize("flags", [["--json"], ["--format", "json"], ["--json", "--format", "json"]])
def test_json_is_the_whole_lineage(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("churn", *flags) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == door.registry().get_model_lineage("churn").to_dict()
    assert told["latest_version"] == "1.1.0"


def test_mermaid_is_a_flowchart(capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("churn", "--format", "mermaid") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flowchart TD"
    assert '    v0 -->|"accuracy -0.25<br/>bob"| v1' in lines


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.png", b"\x89PNG"),
        ("a.svg", b"<?xml"),
        ("a.mmd", b"flowchart"),
        ("a.json", b"{"),
        ("a.txt", b"\xe2\x97\x8f churn"),
    ],
)
def test_the_ending_of_the_file_says_what_is_written(
    name: str, start: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hokusai("churn", "--output", name) == 0
    assert Path(name).read_bytes().startswith(start)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"Written: {name}\n")


def test_a_picture_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("churn", "--format", "png") == 1
    assert "--output lineage.png" in capsys.readouterr().err


def test_contradicting_formats_are_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("churn", "--json", "--format", "png") == 2
    assert "contradict" in capsys.readouterr().err


def test_an_unknown_name_is_one_sentence_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("chrun") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Did you mean 'churn'?" in said.err
    assert "Traceback" not in said.err


def test_a_folder_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert hokusai("churn", "--output", "nowhere/a.svg") == 1
    assert "nowhere" in capsys.readouterr().err
