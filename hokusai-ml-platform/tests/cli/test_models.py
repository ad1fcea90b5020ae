"""`hokusai models`, as somebody types it, on the embedded default."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import pty
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hokusai.cli import door, output
from tests.warm_python import warm

Hokusai = Callable[..., Any]
WALLET = "0x742d35cc6634c0532925a3b844bc9e7595f62341"


def fill(hokusai: Hokusai, model_files: list[str]) -> None:
    """For `churn` and `shelf`: churn/1.0.0, a baseline, and churn/1.1.0, which improves on it."""
    add = ("models", "register", "--name", "churn")
    hokusai(
        *add,
        model_files[0],
        "--version",
        "1.0.0",
        "--metric",
        "accuracy=0.9",
        "--tag",
        "team=red",
        "--baseline",
    )
    hokusai(
        *add, model_files[1], "--version", "1.1.0", "--metric", "accuracy=0.93", "--metric", "loss=0.2",
        "--parent", "churn/1.0.0", "--contributor", WALLET,
    )  # fmt: skip


class TestRegister:
    def test_says_the_id_and_the_digest(self, hokusai: Hokusai, model_files: list[str]) -> None:
        done = hokusai("models", "register", model_files[0], "--name", "churn", "--version", "1.0.0")
        digest = hashlib.sha256(Path(model_files[0]).read_bytes()).hexdigest()
        assert done.code == 0
        assert done.out.splitlines()[0] == "Registered churn/1.0.0"
        assert digest in done.out

    def test_every_option_becomes_a_fact(self, hokusai: Hokusai, model_files: list[str]) -> None:
        hokusai(
            "models",
            "register",
            model_files[0],
            "--name",
            "churn",
            "--version",
            "1.0.0",
            "--metric",
            "f1=0.5",
        )
        done = hokusai(
            "models", "register", model_files[1], "--name", "churn", "--version", "2.0.0-rc.1",
            "--metric", "f1=0.75", "--metric", "reply:rate=1e-3", "--tag", "note=a=b", "--parent", "churn/1.0.0",
            "--contributor", WALLET, "--baseline", "--token-id", "msg-ai", "--benchmark-metric", "reply_rate",
            "--benchmark-value", "0.1342", "--description", "Größer", "--json",
        )  # fmt: skip
        assert done.json["created"] is True
        model = done.json["model"]
        assert model["model_id"] == "churn/2.0.0-rc.1"
        assert model["metrics"] == {"f1": 0.75, "reply:rate": 0.001}
        assert model["delta"] == {"f1": 0.25}
        assert model["tags"] == {"note": "a=b"}
        assert (model["parent"], model["contributor"]) == ("churn/1.0.0", WALLET)
        assert model["is_baseline"] is True
        assert (model["token_id"], model["benchmark_metric"], model["benchmark_value"]) == (
            "msg-ai",
            "reply_rate",
            0.1342,
        )
        assert model["description"] == "Größer"
        assert model["stage"] is None
        assert datetime.fromisoformat(model["created_at"]).utcoffset() == timedelta(0)

    def test_the_same_again_changes_nothing_and_says_so(self, shelf: Hokusai, model_files: list[str]) -> None:
        again = ("models", "register", model_files[0], "--name", "churn", "--version", "1.0.0")
        assert "was registered before with the same content" in shelf(*again).out
        assert shelf(*again, "--json").json["created"] is False
        assert len(shelf("models", "list", "--json").json["models"]) == 2

    def test_another_content_under_the_version_is_refused(
        self, shelf: Hokusai, model_files: list[str]
    ) -> None:
        done = shelf("models", "register", model_files[2], "--name", "churn", "--version", "1.0.0", "--json")
        assert (done.code, done.out) == (1, "")
        assert "churn/1.0.0 is registered already, with other content" in done.err

    def test_without_a_version_it_is_the_next_minor_one(self, churn: Hokusai, model_files: list[str]) -> None:
        done = churn("models", "register", model_files[2], "--name", "churn", "--json")
        assert done.json["model"]["version"] == "1.2.0"

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--metric", "accuracy"], "'accuracy' is not of the form name=value"),
            (["--metric", "accuracy=high"], "accuracy is 'high', and a finite number was expected"),
            (["--metric", "accuracy=nan"], "accuracy is 'nan'"),
            (["--metric", "f1=1", "--metric", "f1=2"], "'f1' is given twice"),
            (["--tag", "=red"], "'=red' is not of the form name=value"),
            (
                ["--token-id", "msg-ai"],
                "--token-id, --benchmark-metric and --benchmark-value belong together",
            ),
        ],
    )
    def test_options_that_cannot_be_read_are_a_wrong_command(
        self, hokusai: Hokusai, model_files: list[str], options: list[str], says: str
    ) -> None:
        done = hokusai("models", "register", model_files[0], "--name", "churn", *options)
        assert done.code == 2
        assert says in " ".join(done.err.split())

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--name", "a/b"], "Not a model name"),
            (["--name", "churn", "--version", "1.0"], "Did you mean '1.0.0'?"),
            (["--name", "churn", "--parent", "none/1.0.0"], "No model is called 'none'"),
            (["--name", "churn", "--tag", "hokusai.sha256=0"], "Hokusai's own"),
            (
                ["--name", "m", "--token-id", "MSG", "--benchmark-metric", "f1", "--benchmark-value", "1"],
                "Invalid token ID 'MSG'",
            ),
        ],
    )
    def test_what_cannot_be_registered_is_refused(
        self, hokusai: Hokusai, model_files: list[str], options: list[str], says: str
    ) -> None:
        done = hokusai("models", "register", model_files[0], *options)
        assert (done.code, done.out) == (1, "")
        assert says in done.err
        assert hokusai("models", "list", "--json").json["models"] == []


class TestWhatIsRegistered:
    """FILE is read in the form that its ending names."""

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("model.skops", b"no zip", "not a skops file"),
            ("model.skops", pickle.dumps({}), "The model file is a pickle"),
            ("model.h5", b"x", "A model file cannot end in '.h5'"),
            ("model", b"x", "A model file needs an ending"),
            ("model.onnx", b"x", "not an ONNX graph"),
            ("model.ubj", b"x", "The model file cannot be read"),
            ("model.txt", b"x", "The model file cannot be read"),
        ],
    )
    def test_what_is_no_model_is_refused(
        self, hokusai: Hokusai, tmp_path: Path, name: str, content: bytes, says: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        done = hokusai("models", "register", name, "--name", "churn")
        assert done.code == 1
        assert says in done.err
        assert not (tmp_path / "home").exists(), "nothing is opened before the file is read"

    def test_a_file_that_is_not_there_is_named(self, hokusai: Hokusai) -> None:
        done = hokusai("models", "register", "none.skops", "--name", "churn")
        assert done.code == 1
        assert "There is no such model file (none.skops)" in done.err

    @pytest.mark.parametrize("ending", ["pkl", "joblib"])
    def test_a_pickle_is_not_loaded_unless_trusted(
        self, hokusai: Hokusai, tmp_path: Path, ending: str
    ) -> None:
        joblib = pytest.importorskip("joblib")
        from sklearn.dummy import DummyClassifier

        class Bomb:
            def __reduce__(self) -> tuple[Any, ...]:
                return (Path.touch, (tmp_path / "exploded",))

        save = (
            joblib.dump
            if ending == "joblib"
            else lambda thing, path: Path(path).write_bytes(pickle.dumps(thing))
        )
        save(Bomb(), f"bomb.{ending}")
        done = hokusai("models", "register", f"bomb.{ending}", "--name", "churn")
        assert done.code == 1
        assert "The model file is a pickle" in done.err
        assert "--trust" in done.err
        assert not (tmp_path / "exploded").exists()

        save(DummyClassifier(strategy="constant", constant=1).fit([[0], [0]], [0, 1]), f"good.{ending}")
        done = hokusai(
            "models", "register", f"good.{ending}", "--name", "churn", "--version", "1.0.0", "--trust"
        )
        assert (done.code, done.out.splitlines()[0]) == (0, "Registered churn/1.0.0")
        assert list(door.registry().load_model("churn/1.0.0").predict([[5]])) == [1]

    def test_a_booster_of_xgboost(self, hokusai: Hokusai, tmp_path: Path) -> None:
        xgboost = pytest.importorskip("xgboost")
        matrix = xgboost.DMatrix([[0.0], [1.0], [2.0], [3.0]], label=[0, 0, 1, 1])
        booster = xgboost.train({"objective": "binary:logistic"}, matrix, 3)
        for ending in ("ubj", "json"):
            booster.save_model(f"model.{ending}")
            done = hokusai(
                "models", "register", f"model.{ending}", "--name", ending, "--version", "1.0.0", "--json"
            )
            assert done.code == 0, done.err
            loaded = door.registry().load_model(f"{ending}/1.0.0")
            expected = booster.predict(matrix)
            assert loaded.predict([[0.0], [1.0], [2.0], [3.0]]) == pytest.approx(list(expected))

    def test_a_booster_of_lightgbm(self, hokusai: Hokusai, tmp_path: Path) -> None:
        lightgbm = pytest.importorskip("lightgbm")
        import numpy as np

        rows = np.arange(100, dtype=float).reshape(-1, 1)
        params = {"objective": "binary", "verbose": -1, "num_threads": 1}
        booster = lightgbm.train(params, lightgbm.Dataset(rows, (rows[:, 0] > 50).astype(int)), 3)
        booster.save_model("model.txt")
        done = hokusai("models", "register", "model.txt", "--name", "boosted", "--version", "1.0.0", "--json")
        assert done.code == 0, done.err
        assert door.registry().load_model("boosted").predict(rows) == pytest.approx(booster.predict(rows))

    def test_what_mlflow_wrote_is_registered_as_it_is(
        self, hokusai: Hokusai, model_files: list[str], tmp_path: Path
    ) -> None:
        hokusai("models", "register", model_files[0], "--name", "churn", "--version", "1.0.0")
        record = hokusai("models", "show", "churn", "--json").json
        options = ("--version", "1.0.0", "--metric", "f1=0.5", "--json")
        by_folder = hokusai("models", "register", record["source"], "--name", "copy", *options)
        by_uri = hokusai("models", "register", "models:/churn/1", "--name", "other", *options)
        for done in (by_folder, by_uri):
            assert done.code == 0, done.err
            assert done.json["model"]["sha256"] == record["sha256"]
            assert done.json["model"]["metrics"] == {"f1": 0.5}

    def test_a_folder_without_a_model_is_refused(self, hokusai: Hokusai, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        done = hokusai("models", "register", "folder", "--name", "churn")
        assert done.code == 1
        assert "The folder has no MLmodel file (folder)" in done.err


class TestList:
    def test_newest_first_with_what_matters(self, shelf: Hokusai) -> None:
        done = shelf("models", "list")
        header, newest, oldest = done.out.splitlines()
        assert header.split() == ["model", "stage", "metrics", "contributor", "registered"]
        assert newest.startswith("churn/1.1.0 ")
        assert "accuracy 0.93, loss 0.2" in newest
        assert "0x742d…2341" in newest
        assert re.search("just now|min ago", newest)
        assert oldest.startswith("churn/1.0.0 ")
        assert oldest.endswith("baseline")

    def test_shows_the_stage_each_is_in(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0", "--stage", "prod")
        listed = churn("models", "list", "--json").json["models"]
        assert {one["model_id"]: one["stage"] for one in listed} == {
            "churn/1.1.0": None,
            "churn/1.0.0": "production",
        }
        only = churn("models", "list", "--stage", "production", "--json").json["models"]
        assert [one["model_id"] for one in only] == ["churn/1.0.0"]

    def test_page_after_page_gives_each_once(self, churn: Hokusai, model_files: list[str]) -> None:
        churn("models", "register", model_files[2], "--name", "other", "--version", "3.0.0")
        seen, after = [], []
        for _ in range(3):
            page = churn("models", "list", "--limit", "1", "--json", *after)
            seen += [one["model_id"] for one in page.json["models"]]
            after = ["--after", page.json["next"]]
        assert seen == ["other/3.0.0", "churn/1.1.0", "churn/1.0.0"]
        assert (page.json["more"], page.json["next"]) == (False, None)

    def test_says_that_there_are_more_beside_the_table(self, shelf: Hokusai) -> None:
        done = shelf("models", "list", "--limit", "1")
        assert len(done.out.splitlines()) == 2
        assert done.err == "There are more: --after churn/1.1.0\n"
        assert shelf("models", "list", "--limit", "2").err == ""

    def test_filters(self, shelf: Hokusai) -> None:
        both, old, new = ["churn/1.1.0", "churn/1.0.0"], ["churn/1.0.0"], ["churn/1.1.0"]
        for options, found in (
            (["--name", "churn"], both),
            (["--name", "none"], []),
            (["--contributor", WALLET.upper().replace("0X", "0x")], new),
            (["--tag", "team=red"], old),
            (["--tag", "team=blue"], []),
            (["--token", "msg-ai"], []),
        ):
            listed = shelf("models", "list", "--json", *options).json["models"]
            assert [one["model_id"] for one in listed] == found, options

    def test_what_is_not_there_is_said(self, hokusai: Hokusai) -> None:
        assert hokusai("models", "list").out.startswith("Nothing is registered.")
        assert hokusai("models", "list", "--tag", "a=b").out == "No version is like that.\n"
        assert hokusai("models", "list", "--json").json == {"models": [], "more": False, "next": None}

    def test_an_unknown_stage_is_a_wrong_command(self, hokusai: Hokusai) -> None:
        done = hokusai("models", "list", "--stage", "prodution")
        assert done.code == 2
        assert "Did you mean 'production'?" in done.err

    def test_one_that_cannot_be_read_does_not_hide_the_others(self, churn: Hokusai) -> None:
        registry = door.registry()
        sound = registry.get_model("churn/1.0.0").tags
        for tag, value in (("hokusai.size_bytes", "many"), ("hokusai.files", "[]"), ("hokusai.metrics", "{")):
            damaged = registry.store.set_tags("churn", 1, {tag: value})
            registry.ledger.index.put(registry.store.location, [damaged])
            listed = churn("models", "list", "--json").json["models"]
            assert listed[0]["metrics"] == {"accuracy": 0.93, "loss": 0.2}
            assert f"The tag {tag} of churn version 1 is not" in listed[1]["faults"][0]
            shown = churn("models", "list")
            assert (shown.code, len(shown.out.splitlines())) == (0, 3)
            registry.store.set_tags("churn", 1, {tag: sound[tag]})
        assert "is not the JSON that Hokusai wrote" in shown.out


class TestShow:
    def test_all_facts_are_readable(self, shelf: Hokusai, model_files: list[str]) -> None:
        shown = {
            line[:11].strip(): line[13:] for line in shelf("models", "show", "churn/1.1.0").out.splitlines()
        }
        assert shown["model"] == "churn/1.1.0"
        assert shown["metrics"] == "accuracy=0.93, loss=0.2"
        assert shown["change"] == "accuracy +0.03"
        assert shown["parent"] == "churn/1.0.0"
        assert shown["contributor"] == WALLET
        assert shown["SHA-256"] == hashlib.sha256(Path(model_files[1]).read_bytes()).hexdigest()
        assert shown["input"] == "float64[-1x2]"
        assert "C=2" in shown["parameters"]
        assert "stage" not in shown

    def test_every_way_to_name_a_version(self, churn: Hokusai) -> None:
        churn("promote", "churn/1.0.0")
        for reference in ("churn/1.0.0", "churn/1", "churn@production", "models:/churn/1"):
            shown = churn("models", "show", reference, "--json").json
            assert (shown["model_id"], shown["stage"]) == ("churn/1.0.0", "production"), reference

    def test_a_name_alone_is_its_latest_release(self, shelf: Hokusai) -> None:
        assert shelf("models", "show", "churn", "--json").json["model_id"] == "churn/1.1.0"

    def test_a_name_that_is_nearly_right_is_suggested(self, shelf: Hokusai) -> None:
        done = shelf("models", "show", "chrun/1.0.0")
        assert (done.code, done.out) == (1, "")
        assert "Did you mean 'churn'?" in done.err

    def test_text_from_the_store_does_not_steer_the_terminal(
        self, hokusai: Hokusai, model_files: list[str]
    ) -> None:
        evil = "\x1b[2Jgone\x9b2J [bold]x[/]"
        hokusai("models", "register", model_files[0], "--name", "m", "--version", "1.0.0",
                "--description", evil, "--tag", f"note={evil}")  # fmt: skip
        done = hokusai("models", "show", "m")
        assert "\x1b" not in done.out
        assert "\x9b" not in done.out
        assert "[bold]x[/]" in done.out
        as_json = hokusai("models", "show", "m", "--json")
        assert "\x1b" not in as_json.out
        assert "\x9b" not in as_json.out
        assert as_json.json["description"] == evil


class TestTag:
    def test_sets_and_removes(self, churn: Hokusai) -> None:
        done = churn("models", "tag", "churn/1.0.0", "owner=ada", "--remove", "team")
        assert done.out == "churn/1.0.0: owner=ada, team removed\n"
        assert churn("models", "show", "churn/1.0.0", "--json").json["tags"] == {"owner": "ada"}

    def test_nothing_to_change_is_said(self, shelf: Hokusai) -> None:
        assert shelf("models", "tag", "churn/1.0.0", "team=red").out == "churn/1.0.0: nothing to change\n"

    def test_its_json_is_the_version_as_it_is_now(self, churn: Hokusai) -> None:
        assert churn("models", "tag", "churn@dev", "a=1").code == 1
        assert churn("models", "tag", "churn/1.0.0", "a=1", "--json").json["tags"] == {
            "a": "1",
            "team": "red",
        }

    def test_facts_of_hokusai_are_refused(self, shelf: Hokusai) -> None:
        assert "Hokusai's own" in shelf("models", "tag", "churn/1.0.0", "hokusai.parent=x").err
        assert "Hokusai's own" in shelf("models", "tag", "churn/1.0.0", "--remove", "hokusai.sha256").err

    def test_without_tags_it_is_a_wrong_command(self, shelf: Hokusai) -> None:
        assert shelf("models", "tag", "churn/1.0.0").code == 2
        assert shelf("models", "tag", "churn/1.0.0", "a=1", "--remove", "a").code == 2


class TestCompare:
    def test_shows_what_got_better(self, shelf: Hokusai) -> None:
        lines = shelf("models", "compare", "churn/1.0.0", "churn/1.1.0").out.splitlines()
        assert lines[0].split() == ["churn/1.0.0", "churn/1.1.0", "difference"]
        assert lines[1].split() == ["accuracy", "0.9", "0.93", "better", "(+0.03)"]

    def test_its_json(self, shelf: Hokusai) -> None:
        told = shelf("models", "compare", "churn/1.1.0", "churn/1.0.0", "--json").json
        assert told["metrics"]["accuracy"]["delta"] == pytest.approx(-0.03)
        assert told["metrics"]["accuracy"]["verdict"] == "worse"
        assert told["relation"] == "child"

    def test_of_one_model_only(self, churn: Hokusai, model_files: list[str]) -> None:
        churn("models", "register", model_files[2], "--name", "other", "--version", "1.0.0")
        done = churn("models", "compare", "churn/1.0.0", "other/1.0.0")
        assert done.code == 1
        assert "versions of different models" in done.err


class TestDelete:
    def test_deletes_and_restores(self, churn: Hokusai) -> None:
        done = churn("models", "delete", "churn/1.1.0", "--yes", "--reason", "leaks")
        assert done.out == "Deleted churn/1.1.0. Restore it: hokusai models restore churn/1.1.0\n"
        assert [m["model_id"] for m in churn("models", "list", "--json").json["models"]] == ["churn/1.0.0"]
        everything = churn("models", "list", "--deleted").out
        assert everything.splitlines()[1].split()[0] == "churn/1.1.0"
        assert everything.splitlines()[1].endswith("deleted")
        assert "leaks" in churn("models", "show", "churn/1.1.0").out
        assert churn("models", "restore", "churn/1.1.0").out == "Restored churn/1.1.0\n"
        assert churn("models", "show", "churn/1.1.0", "--json").json["deleted"] is None

    def test_where_nobody_can_answer_it_does_not_ask(self, shelf: Hokusai) -> None:
        done = shelf("models", "delete", "churn/1.1.0")
        assert done.code == 2
        assert "give --yes" in done.err
        assert shelf("models", "show", "churn/1.1.0", "--json").json["deleted"] is None

    def test_a_parent_and_what_is_in_a_stage_are_refused(self, churn: Hokusai) -> None:
        assert "is the parent of churn/1.1.0" in churn("models", "delete", "churn/1.0.0", "--yes").err
        churn("promote", "churn/1.1.0", "--stage", "staging")
        done = churn("models", "delete", "churn/1.1.0", "--yes", "--json")
        assert (done.code, done.out) == (1, "")
        assert "is in staging" in done.err

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    @pytest.mark.parametrize(("answer", "code", "deleted"), [("n", 1, False), ("y", 0, True)])
    def test_asks_in_a_terminal(self, churn: Hokusai, answer: str, code: int, deleted: bool) -> None:
        ended, shown = in_terminal(["models", "delete", "churn/1.1.0"], answer)
        assert "Delete churn/1.1.0? [y/N]" in shown
        assert ended == code
        assert (churn("models", "show", "churn/1.1.0", "--json").json["deleted"] is not None) is deleted


class TestTheTerminal:
    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_colour_is_for_terminals_that_want_it(
        self, churn: Hokusai, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        churn("promote", "churn/1.0.0")
        assert "\x1b" not in churn("models", "list").out
        assert "\x1b[1;32mproduction" in in_terminal(["models", "list"])[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "32m" not in in_terminal(["models", "list"])[1]

    def test_a_pipe_gets_whole_lines(self, churn: Hokusai) -> None:
        name = "a-name-that-is-longer-than-any-terminal-is-wide-" * 3 + "x"
        churn("models", "tag", "churn/1.1.0", f"note={name}")
        environment = {**os.environ, "COLUMNS": "40"}
        command = warm("-m", "hokusai.cli", "models")
        shown = subprocess.run(
            [*command, "show", "churn"], env=environment, capture_output=True, text=True, check=True
        )
        assert f"note={name}\n" in shown.stdout
        listed = subprocess.run(
            [*command, "list"], env=environment, capture_output=True, text=True, check=True
        )
        assert len(listed.stdout.splitlines()) == 3
        told = subprocess.run([*command, "list", "--json"], capture_output=True, text=True, check=True)
        assert len(json.loads(told.stdout)["models"]) == 2

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_a_narrow_terminal_gets_facts_below_each_other(
        self, shelf: Hokusai, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "40")
        shown = plain(in_terminal(["models", "list"])[1])
        assert shown[:3] == [
            "model        churn/1.1.0",
            "metrics      accuracy 0.93, loss 0.2",
            "contributor  0x742d…2341",
        ]
        assert re.fullmatch(r"registered   (just now|\d+ min ago)", shown[3])
        monkeypatch.setenv("COLUMNS", "80")
        assert plain(in_terminal(["models", "list"])[1])[1].split()[:2] == ["churn/1.1.0", "accuracy"]


def plain(shown: str) -> list[str]:
    """The lines of a screen without styles and without the blanks that fill them."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]


def in_terminal(arguments: list[str], answer: str = "") -> tuple[int, str]:
    """Exit code and screen of a command in a terminal of its own."""
    command = warm("-m", "hokusai.cli", *arguments)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    shown = b""
    try:
        if answer:
            while b"[y/N]" not in shown:
                shown += os.read(terminal, 4096)
            os.write(terminal, f"{answer}\n".encode())
        while True:
            try:
                news = os.read(terminal, 4096)
            except OSError:  # its other end is closed
                break
            if not news:
                break
            shown += news
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


class TestTimes:
    def test_how_long_ago(self) -> None:
        now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
        ages = [
            (timedelta(seconds=-5), "just now"),
            (timedelta(seconds=59), "just now"),
            (timedelta(seconds=60), "1 min ago"),
            (timedelta(hours=23, minutes=59), "23 h ago"),
            (timedelta(days=29), "29 d ago"),
            (timedelta(days=30), "2026-04-01"),
        ]
        assert [output.ago(now - age, now) for age, _ in ages] == [text for _, text in ages]
