"""`hokusai data`, as somebody types it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hokusai.stack.s3 import S3Server
from tests.warm_python import warm

Hokusai = Callable[..., Any]

SCHEMA = """
columns:
  query_id: {type: text, nullable: false, unique: true}
  query_text: text
  feature_1: {type: float, minimum: -10}
  label: {allowed: [0, 1]}
"""


def write(path: Path, rows: list[tuple[str, str, float, int]]) -> str:
    pl.DataFrame(rows, schema=["query_id", "query_text", "feature_1", "label"], orient="row").write_csv(path)
    return path.name


def rows(prefix: str, count: int) -> list[tuple[str, str, float, int]]:
    return [
        (f"{prefix}{i}", f"where is parcel {prefix}{i}", (i * 7919 % 100) / 10, i * 7919 % 100 // 50)
        for i in range(count)
    ]


@pytest.fixture
def home(hokusai: Hokusai, tmp_path: Path) -> Path:
    """A folder with base data, good new data, bad new data and a schema; it is the working directory."""
    base, good = rows("b", 200), rows("n", 60)
    write(tmp_path / "base.csv", base)
    write(tmp_path / "good.csv", good)
    bad = [
        *good[:10],
        ("x1", "five", 1.5, 5),
        ("n3", "another", 2.0, 1),
        ("x2", "cold", -11.0, 0),
        ("x3", "mail ada@example.org", 1.5, 1),
        base[7],
        good[2],
    ]
    write(tmp_path / "bad.csv", bad)
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    return tmp_path


class TestCheck:
    def test_good_rows_would_be_accepted(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai(
            "data", "check", "good.csv", "--schema", "schema.yaml", "--base", "base.csv", "--target", "label"
        )
        assert done.code == 0
        assert "60 rows read = 60 kept + 0 rejected + 0 duplicates" in done.out
        assert "All 60 rows fit the schema." in done.out
        assert "No personal data was found" in done.out
        assert re.search(r"A quick model's accuracy goes from .* held-out base rows", done.out)
        assert done.out.splitlines()[-1] == "All 60 new rows would be accepted."
        assert sorted(path.name for path in home.iterdir()) == [
            "bad.csv",
            "base.csv",
            "good.csv",
            "schema.yaml",
        ]

    def test_a_column_that_is_not_there_is_named(self, hokusai: Hokusai, home: Path) -> None:
        for option in ("--near", "--key"):
            done = hokusai("data", "check", "good.csv", option, "lable")
            assert done.code != 0
            assert "'lable' is missing" in done.err
            assert "Did you mean 'label'" in done.err

    @pytest.mark.parametrize(
        "names", [("none.csv", "some.csv"), ("some.csv", "none.jsonl"), ("none.jsonl", "none.csv")]
    )
    def test_a_column_without_values_fits_every_type(
        self, hokusai: Hokusai, home: Path, names: tuple[str, str]
    ) -> None:
        (home / "none.csv").write_text("a,k\nx,\ny,\n")
        (home / "none.jsonl").write_text('{"a": "v", "k": null}\n{"a": "w", "k": null}\n')
        (home / "some.csv").write_text("a,k\nz,1\nw,2\n")
        done = hokusai("data", "merge", *names, "--output", "o.parquet", "--pii", "report")
        assert done.code == 0, done.err
        written = pl.read_parquet(home / "o.parquet")
        assert written.height == 4
        assert written.schema["k"] == (pl.Int64 if "some.csv" in names else pl.String)

    def test_a_date_of_the_year_0_is_no_date(self, hokusai: Hokusai, home: Path) -> None:
        (home / "y0.csv").write_text("d,n\n0000-01-01,1\n2024-01-01,2\n0001-01-01,3\n")
        assert "3 rows read = 3 kept" in hokusai("data", "check", "y0.csv").out
        (home / "y0.yaml").write_text("columns: {d: {type: date}}\n")
        clean = ("data", "clean", "y0.csv", "--schema", "y0.yaml", "--rejects", "r.jsonl")
        done = hokusai(*clean, "--output", "o.parquet")
        assert done.code == 0, done.err
        assert "3 rows read = 2 kept + 1 rejected" in done.out

    def test_schema_and_profile_name_nobody(self, hokusai: Hokusai, home: Path) -> None:
        lines = ["Mr. Ada Lovelace,call +49 30 901820,yes,2125550100\n", "x,billing,no,2125550101\n"] * 60
        (home / "pers.csv").write_text("who,note,good,phone\n" + "".join(lines))
        for command in (("schema", "--ranges"), ("profile",)):
            done = hokusai("data", command[0], "pers.csv", *command[1:])
            assert done.code == 0, done.err
            assert "Lovelace" not in done.out
            assert "901820" not in done.out
            assert "21255501" not in done.out
            assert "yes" in done.out  # what names nobody is told

    def test_says_what_repeats_by_key_and_what_nearly_does(self, hokusai: Hokusai, home: Path) -> None:
        (home / "two.csv").write_text(
            "id,text\n1,the parcel came late and nobody told me why it was so late\n"
            "1,thanks\n2,the parcel came late and nobody told me why it was so late!\n"
        )
        counted = {
            (): "3 rows read = 3 kept + 0 rejected + 0 duplicates",
            ("--key", "id"): "3 rows read = 2 kept + 0 rejected + 1 duplicates",
            ("--near", "text"): "3 rows read = 2 kept + 0 rejected + 1 duplicates",
        }
        for options, said in counted.items():
            assert said in hokusai("data", "check", "two.csv", *options).out, options

    def test_bad_rows_are_named_with_reason_and_place(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "check", "bad.csv", "--schema", "schema.yaml", "--base", "base.csv")
        assert done.code == 1
        assert "16 rows read = 11 kept + 3 rejected + 2 duplicates" in done.out
        lines = [re.split(r"\s{2,}", line) for line in done.out.splitlines()]
        assert ["label", "value not allowed", "one of 0, 1", "1", "11"] in lines
        assert ["feature_1", "too small", "at least -10", "1", "13"] in lines
        assert ["query_id", "not unique", "a value that no earlier row has", "1", "12"] in lines
        assert ["query_text", "email", "1", "content", "hashed"] in lines
        assert done.out.splitlines()[-1].startswith("3 of 16 rows would be rejected")

    def test_what_stands_in_the_cells_is_shown_only_if_asked_for(self, hokusai: Hokusai, home: Path) -> None:
        command = ("data", "check", "bad.csv", "--schema", "schema.yaml")
        assert "-11.0" not in hokusai(*command).out
        assert "13: -11.0" in hokusai(*command, "--values").out
        assert "ada@" not in hokusai(*command, "--values", "--json").out
        problems = hokusai(*command, "--json").json["schema"]["problems"]
        assert all("found" not in problem for problem in problems)
        with_values = hokusai(*command, "--json", "--values").json["schema"]["problems"]
        assert {(p["column"], *p["found"]) for p in with_values if p["count"] == 1} >= {
            ("feature_1", "-11.0")
        }

    def test_as_json_it_is_the_full_account(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai(
            "data", "check", "bad.csv", "--schema", "schema.yaml", "--base", "base.csv", "--target", "label",
            "--benchmark-rows", "1000", "--json",
        )  # fmt: skip
        told = done.json
        assert told["accepted"] is False
        assert told["manifest"]["rows"] == {
            "read": 16,
            "kept": 11,
            "rejected": 3,
            "duplicates": 2,
            "near_duplicates": 0,
        }
        assert (
            told["manifest"]["sources"][0]["sha256"]
            == hashlib.sha256((home / "bad.csv").read_bytes()).hexdigest()
        )
        assert {(reject["row"], reject["reason"]) for reject in told["rejects"]} == {
            (11, "value not allowed"), (12, "not unique"), (13, "too small"),
        }  # fmt: skip
        assert 0 <= told["quality"]["score"] <= 1
        assert "text" in told["effect"] or "reason" in told["effect"]
        # Connor (1987) with d = 0.1, 95 % and 80 %: 1,000 D^2 >= (1.95996 sqrt(.1) + .84162 sqrt(.1 - D^2))^2
        assert told["benchmark"]["detectable_delta"] == pytest.approx(0.028, abs=0.0005)

    def test_rows_can_be_held_against_what_the_base_data_always_is(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        (home / "new.csv").write_text("query_id,query_text,feature_1,label\na,x,0.5,1\n,x,0.5,1\n")
        done = hokusai("data", "check", "new.csv", "--base", "base.csv", "--like-base", "--json")
        assert (done.code, done.json["manifest"]["rejects"]) == (1, {"no value": 1})
        assert hokusai("data", "check", "good.csv", "--base", "base.csv", "--like-base").code == 0

    def test_tells_what_a_merge_would_do(self, hokusai: Hokusai, home: Path) -> None:
        (home / "new.csv").write_text("query_id,query_text,feature_1,label\nb0,other,1.5,1\nz,new,2.5,0\n")
        merging = ("--how", "update", "--key", "query_id", "--target", "label")
        seen = hokusai("data", "check", "new.csv", "--base", "base.csv", *merging)
        line = "200 rows of base data + 1 added = 201 rows; 1 changed (in "
        assert (seen.code, line in seen.out) == (0, True), seen.out
        assert seen.out.splitlines()[-1] == "All 2 new or changed rows would be accepted."
        assert line in hokusai("data", "merge", "base.csv", "new.csv", *merging, "--output", "o.csv").out

    def test_compares_raw_values_with_tokens_by_the_key_that_made_them(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        (home / "old.csv").write_text("id,email\n1,ada@example.org\n2,bob@example.org\n")
        (home / "new.csv").write_text("id,email\n1,ADA@example.org\n3,eve@example.org\n")
        hokusai("data", "check", "old.csv")
        assert not (home / "home").exists()
        assert hokusai("data", "clean", "old.csv", "--output", "tokens.csv").code == 0
        seen = hokusai("data", "check", "new.csv", "--base", "tokens.csv", "--json")
        done = hokusai("data", "merge", "tokens.csv", "new.csv", "--output", "all.csv", "--json")
        assert json.loads(seen.out)["manifest"]["rows"] == json.loads(done.out)["rows"]
        assert json.loads(done.out)["rows"]["duplicates"] == 1

    def test_a_file_that_only_repeats_the_base_is_not_accepted(self, hokusai: Hokusai, home: Path) -> None:
        (home / "copy.csv").write_bytes((home / "base.csv").read_bytes())
        done = hokusai("data", "check", "copy.csv", "--base", "base.csv")
        assert (done.code, done.out.splitlines()[-1]) == (1, "Every row repeats one that is there already.")

    def test_tells_what_cleaning_will_leave_out_and_writes_nothing(
        self, hokusai: Hokusai, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOKUSAI_HOME", str(home / "own"))
        (home / "new.csv").write_text("email,v\nAda@Example.org,1\nada@example.org,1\nbob@example.org,2\n")
        before = set(home.iterdir())
        for pii, duplicates in (((), 1), (("--pii", "mask"), 0), (("--pii", "report"), 0)):
            seen = hokusai("data", "check", "new.csv", *pii, "--json").json["manifest"]["rows"]
            assert {path for path in home.iterdir() if path.name != "own"} == before
            done = hokusai("data", "clean", "new.csv", *pii, "--output", "o.csv", "--json").json["rows"]
            assert seen == done
            assert seen["duplicates"] == duplicates
            (home / "o.csv").unlink()
        (home / "own" / "keys" / "pii.key").unlink()
        table = hokusai("data", "check", "new.csv").out
        assert "would be" in table
        assert "hashed" in table
        assert not (home / "own" / "keys" / "pii.key").exists()

    def test_a_policy_says_where_personal_data_may_stand(self, hokusai: Hokusai, home: Path) -> None:
        (home / "policy.yaml").write_text("allow: [query_text]\n")
        assert "query_text" in str(hokusai("data", "check", "bad.csv", "--json").json["manifest"]["pii"])
        done = hokusai("data", "check", "bad.csv", "--policy", "policy.yaml", "--json")
        assert done.json["manifest"]["pii"]["findings"] == []

    def test_a_missing_column_is_named_with_what_was_meant(self, hokusai: Hokusai, home: Path) -> None:
        (home / "new.csv").write_text("query_id,query_text,feature_1,Label\na,x,0.5,1\n")
        done = hokusai("data", "check", "new.csv", "--schema", "schema.yaml")
        assert done.code == 1
        assert "Column 'label' is missing" in done.err
        assert "Did you mean 'Label'?" in done.err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("good.csv", "--like-base"), "--like-base needs --base"),
            (("good.csv", "--how", "replace"), "--how replace needs --base"),
            (("good.csv", "--base", "base.csv", "--how", "update"), "--how update needs --key"),
            ((), "Missing argument 'FILE"),
            (("good.csv", "--format", "xls"), "'xls' is not one of"),
        ],
    )
    def test_a_command_line_that_is_wrong_has_exit_code_2(
        self, hokusai: Hokusai, home: Path, arguments: tuple[str, ...], said: str
    ) -> None:
        done = hokusai("data", "check", *arguments)
        assert done.code == 2
        assert said in done.err

    def test_a_file_that_is_not_there_is_an_error_in_one_sentence(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "check", "god.csv")
        assert done.code == 2
        assert done.err.startswith("Error: There is no such file (god.csv)")
        assert "Traceback" not in done.err

    def test_a_script_can_tell_a_file_that_is_bad_from_one_that_is_not_there(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        bad = hokusai("data", "check", "bad.csv", "--schema", "schema.yaml", "--json")
        assert (bad.code, bad.json["accepted"]) == (1, False)
        missing = hokusai("data", "check", "god.csv", "--json")
        assert missing.code == 2
        assert missing.json["error"]["message"].startswith("There is no such file")
        assert missing.json["error"]["where"] == "god.csv"
        unlike = hokusai("data", "clean", "god.csv", "--output", "o.csv", "--pii", "mask", "--json")
        assert (unlike.code, unlike.json["error"]["code"]) == (1, missing.json["error"]["code"])


class TestProfile:
    def test_tells_each_column(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "profile", "base.csv")
        assert done.code == 0
        lines = [re.split(r"\s{2,}", line) for line in done.out.splitlines()]
        assert lines[0] == ["200 rows, 4 columns"]
        # i * 7919 mod 100 takes every value from 0 to 99 twice, for 7919 and 100 have no common factor
        assert ["label", "int64", "0", "2", "0", "0", "1", "0.5", "0=100, 1=100"] in lines
        feature = next(line for line in lines if line[0] == "feature_1")
        assert [feature[i] for i in (1, 2, 3, 4, 6, 7)] == ["float64", "0", "100", "0", "9.9", "4.95"]

    def test_of_a_column_of_personal_data_no_value_is_told(self, hokusai: Hokusai, home: Path) -> None:
        pl.DataFrame({"birth_year": [1950, 1961] * 10, "surname": ["Lovelace", "Hopper"] * 10}).write_csv(
            home / "p.csv"
        )
        told = hokusai("data", "profile", "p.csv", "--json")
        assert "Hopper" not in told.out
        assert "surname" in told.json["personal"]

    def test_plots_are_pictures_and_a_page(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "profile", "base.csv", "--plots", "plots", "--json")
        names = [Path(path).name for path in done.json["plots"]]
        assert "profile.html" in names
        pictures = [name for name in names if name.endswith(".png")]
        assert pictures
        assert (home / "plots" / pictures[0]).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


class TestHeader:
    def test_is_told_or_found(self, hokusai: Hokusai, home: Path) -> None:
        (home / "h.csv").write_text("1,2\n3,4\n5,6\n")
        rows = {}
        for option in ("--header", "--no-header", ""):
            done = hokusai("data", "convert", "h.csv", *filter(None, [option]), "--output", "o.csv", "--json")
            rows[option] = (done.json["columns"], done.json["rows"])
        assert rows["--header"] == (["1", "2"], 2)
        assert rows["--no-header"] == rows[""] == (["column_1", "column_2"], 3)


class TestClean:
    def test_writes_clean_rows_lists_the_others_and_accounts_for_all(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        done = hokusai(
            "data", "clean", "bad.csv", "--output", "clean.parquet", "--rejects", "rejects.jsonl",
            "--manifest", "m.json",
            "--schema", "schema.yaml", "--pii", "mask",
        )  # fmt: skip
        assert done.code == 0
        clean = pl.read_parquet(home / "clean.parquet")
        rejects = [json.loads(line) for line in (home / "rejects.jsonl").read_text().splitlines()]
        told = json.loads((home / "m.json").read_text())
        assert (clean.height, len(rejects), told["rows"]["duplicates"]) == (12, 3, 1)
        assert told["rows"]["read"] == 16
        assert "ada@" not in (home / "m.json").read_text() + (home / "rejects.jsonl").read_text()
        assert hokusai("data", "hash", "clean.parquet", "--json").json["data_hash"] == told["data_hash"]

    def test_the_quality_is_that_of_the_preview(self, hokusai: Hokusai, home: Path) -> None:
        options = ("--schema", "schema.yaml", "--target", "label", "--feature", "feature_1", "--json")
        seen = hokusai("data", "check", "bad.csv", *options).json["quality"]
        done = hokusai(
            "data", "clean", "bad.csv", "--pii", "report", "--output", "o.csv", "--rejects", "r", *options
        )
        assert done.json["quality"] == seen
        assert seen["ignored"] == ["query_id", "query_text"]

    def test_masks_hashes_or_drops(self, hokusai: Hokusai, home: Path) -> None:
        (home / "p.csv").write_text("id,note\n1,write to ada@example.org now\n2,fine\n")
        texts = {}
        for action in ("mask", "hash", "drop", "report"):
            assert hokusai("data", "clean", "p.csv", "--output", f"{action}.csv", "--pii", action).code == 0
            texts[action] = pl.read_csv(home / f"{action}.csv")["note"][0]
        assert texts["mask"] == "write to [email] now"
        assert re.fullmatch(r"write to pii:email:[a-z2-7]+:[a-z2-7]{26} now", texts["hash"])
        assert texts["report"] == "write to ada@example.org now"
        assert "ada" not in texts["drop"]

    def test_a_policy_file_says_more_than_one_word(self, hokusai: Hokusai, home: Path) -> None:
        (home / "p.csv").write_text("id,note,contact\n1,ada@example.org,ada@example.org\n")
        (home / "policy.yaml").write_text("default: mask\nby_column: {note: report}\n")
        assert hokusai("data", "clean", "p.csv", "--output", "o.csv", "--policy", "policy.yaml").code == 0
        assert pl.read_csv(home / "o.csv").row(0) == (1, "ada@example.org", "[email]")

    def test_a_policy_and_a_word_for_all_at_once_are_refused(self, hokusai: Hokusai, home: Path) -> None:
        (home / "policy.yaml").write_text("default: report\n")
        command = ("data", "clean", "good.csv", "--output", "o.csv", "--policy", "policy.yaml")
        done = hokusai(*command, "--pii", "mask")
        assert done.code == 2
        assert "Give one of --pii and --policy" in done.err
        assert not (home / "o.csv").exists()

    def test_without_a_list_of_rejects_a_fault_refuses_the_file_and_nothing_is_written(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        done = hokusai(
            "data", "clean", "bad.csv", "--output", "o.csv", "--schema", "schema.yaml", "--pii", "mask"
        )
        assert done.code == 1
        assert "row 11, column 'label': value not allowed, expected one of 0, 1" in done.err
        assert "ada@" not in done.err
        assert sorted(path.name for path in home.iterdir()) == [
            "bad.csv",
            "base.csv",
            "good.csv",
            "schema.yaml",
        ]

    def test_duplicates_can_be_kept(self, hokusai: Hokusai, home: Path) -> None:
        command = ("data", "clean", "bad.csv", "--pii", "mask")
        assert hokusai(*command, "--output", "a.csv", "--json").json["rows"]["kept"] == 15
        assert (
            hokusai(*command, "--output", "b.csv", "--keep-duplicates", "--json").json["rows"]["kept"] == 16
        )

    def test_leaves_out_rows_with_the_key_of_an_earlier_one(self, hokusai: Hokusai, home: Path) -> None:
        (home / "k.csv").write_text("id,v\n1,a\n2,b\n1,c\n")
        told = hokusai("data", "clean", "k.csv", "--key", "id", "--output", "o.csv", "--json").json
        assert told["rows"] == {
            "read": 3, "kept": 2, "rejected": 0, "duplicates": 1, "near_duplicates": 0,
        }  # fmt: skip
        assert (home / "o.csv").read_text() == "id,v\n1,a\n2,b\n"
        (home / "more.csv").write_text("id,v\n2,z\n3,d\n")
        merged = hokusai("data", "merge", "o.csv", "more.csv", "--key", "id", "--output", "m.csv")
        assert merged.code == 0
        assert (home / "m.csv").read_text() == "id,v\n1,a\n2,b\n3,d\n"

    def test_cleaning_what_was_cleaned_changes_nothing(self, hokusai: Hokusai, home: Path) -> None:
        first = hokusai("data", "clean", "bad.csv", "--output", "a.parquet", "--json").json
        again = hokusai("data", "clean", "a.parquet", "--output", "b.parquet", "--json").json
        assert again["hash"] == first["hash"]
        assert again["rows"]["kept"] == first["rows"]["kept"] == again["rows"]["read"]


class TestMerge:
    def test_an_update_changes_and_adds_by_key(self, hokusai: Hokusai, home: Path) -> None:
        write(home / "a.csv", [("1", "one", 0.5, 0), ("2", "two", 1.5, 1)])
        write(home / "b.csv", [("2", "deux", 1.5, 1), ("3", "trois", 2.5, 0)])
        command = ("data", "merge", "a.csv", "b.csv", "--pii", "report")
        assert hokusai(*command, "--output", "u.csv", "--how", "update", "--key", "query_id").code == 0
        assert pl.read_csv(home / "u.csv")["query_text"].to_list() == ["one", "deux", "trois"]
        assert hokusai(*command, "--output", "p.csv").code == 0
        assert pl.read_csv(home / "p.csv")["query_text"].to_list() == ["one", "two", "deux", "trois"]
        assert hokusai(*command, "--output", "r.csv", "--how", "replace").code == 0
        assert pl.read_csv(home / "r.csv")["query_text"].to_list() == ["deux", "trois"]

    def test_what_became_of_each_row_and_how_good_they_are_is_shown(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        write(home / "a.csv", [("1", "one", 0.5, 0), ("2", "two", 1.5, 1), ("4", "four", 1.5, 1)])
        write(home / "b.csv", [("2", "deux", 1.5, 1), ("3", "trois", 2.5, 0), ("1", "one", 0.5, 0)])
        command = ("data", "merge", "a.csv", "b.csv", "--pii", "report", "--target", "label", "--output")
        updated = hokusai(*command, "u.csv", "--how", "update", "--key", "query_id").out.splitlines()
        assert "3 rows of base data + 1 added = 4 rows; 1 changed (in 'query_text' 1), 1 unchanged" in updated
        appended = hokusai(*command, "p.csv").out.splitlines()
        assert "3 rows of base data + 2 added = 5 rows; already there: 1" in appended
        replaced = hokusai(*command, "r.csv", "--how", "replace").out.splitlines()
        assert "3 rows of base data replaced by 3 rows" in replaced
        assert any(line.split()[:2] == ["a.csv", "(base)"] for line in updated)
        (told,) = (line for line in updated if line.startswith("Quality "))
        # of 3 rows read one was there already; labels are 1 and 0; all else is as it should be or not measured
        assert told.startswith("Quality 0.9")
        assert "labelled" in told

    def test_an_update_needs_a_key(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "merge", "base.csv", "good.csv", "--output", "o.csv", "--how", "update")
        assert done.code == 1
        assert "needs key columns" in done.err
        assert not (home / "o.csv").exists()


class TestOptionsThatNameColumns:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("check", "good.csv", "--target", "labl"),
            ("check", "good.csv", "--feature", "labl"),
            ("check", "good.csv", "--near", "labl"),
            ("check", "good.csv", "--base", "base.csv", "--key", "labl"),
            ("clean", "good.csv", "--output", "o.csv", "--pii", "mask", "--target", "labl"),
            ("clean", "good.csv", "--output", "o.csv", "--pii", "mask", "--key", "labl"),
            ("merge", "base.csv", "good.csv", "--output", "o.csv", "--pii", "mask", "--target", "labl"),
            ("merge", "base.csv", "good.csv", "--output", "o.csv", "--pii", "mask", "--how", "update", "--key", "labl"),
        ],
    )  # fmt: skip
    def test_are_a_wrong_command_line_if_it_is_not_there(
        self, hokusai: Hokusai, home: Path, arguments: tuple[str, ...]
    ) -> None:
        done = hokusai("data", *arguments)
        assert done.code == 2
        assert "'labl' is missing" in done.err
        assert "Did you mean 'label'?" in done.err
        done = hokusai("data", *arguments, "--json")
        assert (done.code, done.json["error"]["hint"]) == (2, "Did you mean 'label'?")

    @pytest.mark.parametrize(
        ("rule", "hint"),
        [
            ("personal: [labl]", "Did you mean 'label'?"),
            ("by_column: {label.x: drop}", "Make it a rule for 'label'"),
            ("allow: [label.x.y]", "Make it a rule for 'label'"),
        ],
    )
    def test_are_a_wrong_command_line_if_a_policy_cannot_be_obeyed(
        self, hokusai: Hokusai, home: Path, rule: str, hint: str
    ) -> None:
        (home / "p.yaml").write_text(rule)
        for command in (
            ("check",),
            ("clean", "--output", "o.csv"),
            ("merge", "base.csv", "--output", "o.csv"),
        ):
            done = hokusai("data", *command, "good.csv", "--policy", "p.yaml", "--json")
            assert (done.code, done.json["error"]["hint"].startswith(hint)) == (2, True)
        (home / "p.yaml").write_text("default: mask\nby_column: {labl: drop}\n")
        done = hokusai("data", "check", "good.csv", "--policy", "p.yaml")
        assert (done.code, "a rule for column 'labl', which is not there; perhaps 'label'" in done.out) == (
            0,
            True,
        )

    @pytest.mark.parametrize("command", [("clean", "--output", "o.csv"), ("check",)])
    def test_are_a_wrong_command_line_if_the_policy_drops_it(
        self, hokusai: Hokusai, home: Path, command: tuple[str, ...]
    ) -> None:
        lines = [f"ada{i}@example.org,{i % 2}\n" for i in range(40)]
        (home / "mails.csv").write_text("mail,label\n" + "".join(lines))
        for named in (("--target", "mail"), ("--target", "label", "--feature", "mail")):
            done = hokusai("data", *command, "mails.csv", "--pii", "drop", *named)
            assert done.code == 2, done.err
            assert "Column 'mail'" in done.err
            assert "choose another action" in done.err
        done = hokusai("data", *command, "mails.csv", "--pii", "drop", "--near", "mail")
        assert done.code == 0, done.err
        assert "40 rows read = 40 kept" in done.out

    def test_are_another_thing_than_a_schema_that_wants_a_column(self, hokusai: Hokusai, home: Path) -> None:
        (home / "want.yaml").write_text("columns: {labl: integer}\n")
        for command in (("check",), ("clean", "--output", "o.csv", "--pii", "mask")):
            done = hokusai("data", *command, "good.csv", "--schema", "want.yaml")
            assert (done.code, "'labl' is missing" in done.err) == (1, True)


class TestHash:
    def test_is_the_same_for_every_format_and_order_of_columns(self, hokusai: Hokusai, home: Path) -> None:
        for name in ("base.parquet", "base.jsonl", "base.arrow", "base.tsv"):
            assert hokusai("data", "convert", "base.csv", "--output", name).code == 0
        pl.read_csv(home / "base.csv").select("label", "feature_1", "query_text", "query_id").write_csv(
            home / "turned.csv"
        )
        names = ("base.csv", "base.parquet", "base.jsonl", "base.arrow", "base.tsv", "turned.csv")
        hashes = {json.dumps(hokusai("data", "hash", name, "--json").json) for name in names}
        assert len(hashes) == 1

    def test_the_order_of_rows_changes_the_data_hash_and_not_the_content_root(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        pl.read_csv(home / "base.csv").reverse().write_csv(home / "reversed.csv")
        one, other = (hokusai("data", "hash", name, "--json").json for name in ("base.csv", "reversed.csv"))
        assert one["content_root"] == other["content_root"]
        assert one["data_hash"] != other["data_hash"]

    @pytest.mark.parametrize("name", ["out.csv", "out.json", "out.tsv.gz", "out.jsonl.zst"])
    def test_of_a_text_file_is_that_of_its_manifest_if_this_is_given(
        self, hokusai: Hokusai, home: Path, name: str
    ) -> None:
        rows = pl.DataFrame(
            {
                "zip": ["10115", "20095"],
                "day": [dt.date(2024, 1, 1), None],
                "opens": [dt.time(9), dt.time(10, 0, 0, 5)],
            }
        )
        rows.write_parquet(home / "typed.parquet")
        hashed = hokusai("data", "hash", "typed.parquet", "--json").json
        output = ("--output", name, "--manifest", "m.json", "--pii", "mask", "--rejects", "r.jsonl")
        cleaned = hokusai("data", "clean", "typed.parquet", *output)
        converted = hokusai("data", "convert", "typed.parquet", "--output", f"2{name}")
        for done in (cleaned, converted):
            assert "does not say its types" in done.out
            assert "'opens' would be text and not times of day" in done.out
        assert hokusai("data", "hash", name, "--json").json["data_hash"] != hashed["data_hash"]
        told = hokusai("data", "hash", name, "--manifest", "m.json", "--json").json
        assert told == {**hashed, "as_in_manifest": True}
        assert "has this hash" in hokusai("data", "hash", name, "--manifest", "m.json").out
        other = hokusai("data", "hash", "base.csv", "--manifest", "m.json")
        assert (other.code, "has another, " + hashed["data_hash"] in other.out) == (1, True)
        assert hokusai("data", "convert", name, "--manifest", "m.json", "--output", "o.arrow").code == 0
        assert hokusai("data", "hash", "o.arrow", "--json").json == hashed
        assert (
            hokusai("data", "prove", name, "--manifest", "m.json", "--row", "2", "--output", "p.json").code
            == 0
        )
        assert hokusai("data", "verify", "p.json", "--root", hashed["data_hash"], "--file", name).code == 0
        foreign = hokusai("data", "prove", "base.csv", "--manifest", "m.json", "--row", "2")
        assert (foreign.code, "The data is not what m.json tells of" in foreign.err) == (1, True)
        (home / "r.jsonl").write_text("{}")
        told = hokusai("data", "hash", name, "--manifest", "m.json")
        assert (told.code, "r.jsonl is of another run" in told.out) == (1, True)
        for done in (("convert", name, "--output", "n.arrow"), ("prove", name, "--row", "1")):
            foreign = hokusai("data", *done, "--manifest", "m.json")
            assert foreign.code == 1
            assert "The list of rejects is not what m.json tells of" in foreign.err
        (home / "r.jsonl").unlink()
        rows.reverse().write_parquet(home / "other.parquet")
        (home / name).write_bytes((home / "base.csv").read_bytes())
        for file in (name, "other.parquet"):
            foreign = hokusai("data", "convert", file, "--manifest", "m.json", "--output", "n.arrow")
            assert (foreign.code, "The data is not what m.json tells of" in foreign.err) == (1, True)
        assert not (home / "n.arrow").exists()

    def test_of_a_text_file_follows_the_types_of_a_schema(self, hokusai: Hokusai, home: Path) -> None:
        pl.DataFrame({"zip": ["10115"], "n": [1]}).write_parquet(home / "typed.parquet")
        (home / "types.yaml").write_text("columns: {zip: text}\n")
        done = hokusai("data", "convert", "typed.parquet", "--output", "t.csv", "--json")
        assert ["'zip' would be integers" in note for note in done.json["notes"]] == [True]
        hashes = [
            hokusai("data", "hash", *arguments, "--json").json
            for arguments in (("typed.parquet",), ("t.csv", "--schema", "types.yaml"), ("t.csv",))
        ]
        assert hashes[0] == hashes[1] != hashes[2]
        both = hokusai("data", "hash", "t.csv", "--schema", "types.yaml", "--manifest", "types.yaml")
        assert (both.code, "Give one of --schema and --manifest" in both.err) == (2, True)

    def test_is_the_same_in_s3(
        self, hokusai: Hokusai, home: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in s3_server.env().items():
            monkeypatch.setenv(name, value)
        client = s3_server.client()
        client.create_bucket(Bucket="sent")
        client.upload_file(str(home / "base.csv"), "sent", "2024/base.csv")
        client.close()
        remote = hokusai("data", "hash", "s3://sent/2024/*.csv", "--json")
        assert remote.json == hokusai("data", "hash", "base.csv", "--json").json


class TestProofs:
    ROW = '{"query_id": "b16", "query_text": "where is parcel b16", "feature_1": 0.4, "label": 0}'
    ABSENT = '{"query_id": "b16", "query_text": "where is parcel b16", "feature_1": 0.4, "label": 1}'

    @pytest.fixture
    def hashes(self, hokusai: Hokusai, home: Path) -> dict[str, str]:
        found: dict[str, str] = hokusai("data", "hash", "base.csv", "--json").json
        return found

    def test_a_row_is_proved_to_be_at_its_place(
        self, hokusai: Hokusai, home: Path, hashes: dict[str, str]
    ) -> None:
        assert hokusai("data", "prove", "base.csv", "--row", "17", "--output", "p.json").code == 0
        assert "parcel" not in (home / "p.json").read_text()
        printed = hokusai("data", "prove", "base.csv", "--row", "17", "--json").json
        assert printed == json.loads((home / "p.json").read_text())
        root = ("--root", hashes["data_hash"])
        lines = (home / "base.csv").read_text().splitlines()
        (home / "one.csv").write_text(f"{lines[0]}\n{lines[17]}\n")
        for row in (("--row-json", self.ROW), ("--file", "base.csv"), ("--file", "one.csv")):
            done = hokusai("data", "verify", "p.json", *root, *row)
            assert (done.code, done.out) == (0, "Proved. The row is row 17 of the dataset of 200 rows.\n")
        told = hokusai("data", "verify", "p.json", *root, "--row-json", self.ROW, "--json").json
        assert told == {"verified": True, "present": True, "row": 17, "rows": 200}

    def test_presence_and_absence_are_proved_by_the_content_root(
        self, hokusai: Hokusai, home: Path, hashes: dict[str, str]
    ) -> None:
        for row, said in ((self.ROW, "is in the dataset"), (self.ABSENT, "is not in the dataset")):
            assert hokusai("data", "prove", "base.csv", "--row-json", row, "--output", "p.json").code == 0
            done = hokusai("data", "verify", "p.json", "--root", hashes["content_root"], "--row-json", row)
            assert (done.code, said in done.out) == (0, True)

    def test_what_is_not_proved_has_exit_code_1(
        self, hokusai: Hokusai, home: Path, hashes: dict[str, str]
    ) -> None:
        hokusai("data", "prove", "base.csv", "--row", "17", "--output", "p.json")
        other_row = hokusai(
            "data", "verify", "p.json", "--root", hashes["data_hash"], "--row-json", self.ABSENT
        )
        assert (other_row.code, "another row" in other_row.err) == (1, True)
        assert "row 17" in other_row.err
        other_root = hokusai("data", "verify", "p.json", "--root", "0" * 64, "--row-json", self.ROW)
        assert (other_root.code, "another dataset" in other_root.err) == (1, True)
        proof = json.loads((home / "p.json").read_text())
        digest = proof["group"]["digests"][0]
        proof["group"]["digests"][0] = ("0" if digest[0] != "0" else "1") + digest[1:]
        (home / "p.json").write_text(json.dumps(proof))
        forged = hokusai("data", "verify", "p.json", "--root", hashes["data_hash"], "--row-json", self.ROW)
        assert forged.code == 1

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (("prove", "base.csv"), 2, "Give one of --row and --row-json"),
            (("prove", "base.csv", "--row", "201"), 1, "There is no row 201: there are 200"),
            (("prove", "base.csv", "--row", "0"), 2, "0 is not in the range"),
            (("prove", "base.csv", "--row-json", "[1]"), 1, "A row is a JSON object"),
            (
                ("prove", "base.csv", "--row-json", '{"query_id": "b1", "text": "x"}'),
                1,
                "missing: 'feature_1', 'label', 'query_text'; not in the dataset: 'text'",
            ),
            (("verify", "schema.yaml", "--root", "00", "--row-json", "{}"), 1, "Not JSON"),
            (("verify", "schema.yaml", "--root", "00"), 2, "Give one of --row-json and --file"),
        ],
    )
    def test_faults_are_said_in_a_sentence(
        self, hokusai: Hokusai, home: Path, arguments: tuple[str, ...], code: int, said: str
    ) -> None:
        done = hokusai("data", *arguments)
        assert (done.code, said in done.err, "Traceback" in done.err) == (code, True, False)


class TestConvert:
    def test_only_the_copy_for_people_is_made_safe_for_spreadsheets(
        self, hokusai: Hokusai, home: Path
    ) -> None:
        (home / "f.csv").write_text("id,note\n1,=1+1\n2,@x\n3,fine\n")
        assert hokusai("data", "convert", "f.csv", "--output", "safe.csv", "--safe-csv").code == 0
        assert (home / "safe.csv").read_text() == "id,note\n1,'=1+1\n2,'@x\n3,fine\n"
        assert hokusai("data", "convert", "f.csv", "--output", "same.csv").code == 0
        assert (home / "same.csv").read_text() == (home / "f.csv").read_text()
        assert hokusai("data", "convert", "f.csv", "--output", "x.parquet", "--safe-csv").code == 2

    def test_json_and_packed_text_have_the_same_rows(self, hokusai: Hokusai, home: Path) -> None:
        expected = hokusai("data", "hash", "good.csv", "--json").json["data_hash"]
        for name in ("o.json", "o.csv.gz", "o.v2.jsonl.zst"):
            for command in (("convert",), ("clean", "--pii", "report")):
                assert hokusai("data", *command, "good.csv", "--output", name).code == 0
                assert hokusai("data", "hash", name, "--json").json["data_hash"] == expected

    def test_a_suffix_that_is_not_known_is_refused(self, hokusai: Hokusai, home: Path) -> None:
        done = hokusai("data", "convert", "good.csv", "--output", "o.xlsx")
        assert done.code == 1
        assert "No format is known by the suffix '.xlsx'" in done.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("convert", "good.csv", "--output", "./good.csv"), "good.csv"),
        (("convert", "*.csv", "--output", "bad.csv"), "bad.csv"),
        (("clean", "good.csv", "--output", "good.csv"), "good.csv"),
        (("clean", "good.csv", "--output", "o.csv", "--rejects", "good.csv"), "good.csv"),
        (("clean", "good.csv", "--output", "o.csv", "--manifest", "good.csv"), "good.csv"),
        (("clean", "good.csv", "--output", "o.json", "--manifest", "o.json"), "o.json"),
        (
            (
                "clean",
                "good.csv",
                "--output",
                "o.csv",
                "--manifest",
                "schema.yaml",
                "--schema",
                "schema.yaml",
            ),
            "schema",
        ),
        (("merge", "base.csv", "good.csv", "--output", "base.csv"), "base.csv"),
        (("merge", "base.csv", "good.csv", "--output", "o.csv", "--manifest", "base.csv"), "base.csv"),
        (("schema", "good.csv", "--output", "good.csv"), "good.csv"),
        (("prove", "good.csv", "--row", "1", "--output", "good.csv"), "good.csv"),
    ],
)
def test_nothing_is_written_over_what_is_read(
    hokusai: Hokusai, home: Path, arguments: tuple[str, ...], hint: str
) -> None:
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    done = hokusai("data", *arguments)
    assert done.code == 1
    assert "would be written over" in done.err
    assert hint in done.err
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before


class TestSchema:
    def test_what_is_taken_from_data_fits_it(self, hokusai: Hokusai, home: Path) -> None:
        assert hokusai("data", "schema", "base.csv", "--ranges", "--output", "taken.yaml").code == 0
        assert hokusai("data", "check", "base.csv", "--schema", "taken.yaml").code == 0
        assert hokusai("data", "check", "bad.csv", "--schema", "taken.yaml").code == 1
        told = hokusai("data", "schema", "base.csv", "--ranges", "--json").json
        assert told["columns"]["feature_1"] == {
            "type": "float",
            "nullable": False,
            "minimum": 0.0,
            "maximum": 9.9,
        }
        assert hokusai("data", "schema", "base.csv").out.startswith("version: 1\n")


def test_text_in_data_cannot_steer_the_terminal(hokusai: Hokusai, home: Path) -> None:
    (home / "e.csv").write_text('"a\x1b[2J",b\n"x\x1b[31m",1\n' + '"x\x1b[31m",2\n' * 9)
    for command in (("profile",), ("check",), ("check", "--values")):
        done = hokusai("data", command[0], "e.csv", *command[1:])
        assert "\x1b" not in done.out + done.err


def test_on_a_terminal_values_are_shown(home: Path) -> None:
    command = [sys.executable, "-m", "hokusai.cli", "data", "check", "bad.csv", "--schema", "schema.yaml"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execv(sys.executable, command)
    shown = b""
    try:
        with contextlib.suppress(OSError):  # its other end is closed
            while news := os.read(terminal, 4096):
                shown += news
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    screen = shown.decode()
    assert os.waitstatus_to_exitcode(status) == 1
    assert "13: -11.0" in screen
    assert "\x1b[31mtoo small" in screen


KILLED_WHEN_ALL_IS_WRITTEN = """
import os, signal, sys
from hokusai.cli import main

def look(happening, arguments):
    if happening == "os.rename" and str(arguments[1]).endswith("out.jsonl"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(look)
main(sys.argv[1:])
"""


def test_a_killed_command_leaves_no_half_written_file(tmp_path: Path) -> None:
    """At the last moment before the file has its name, so that none is missed on a busy machine."""
    pl.DataFrame({"id": range(1000), "text": ["some words of text"] * 1000}).write_csv(tmp_path / "big.csv")
    command = warm("-c", KILLED_WHEN_ALL_IS_WRITTEN, "data", "convert", "big.csv", "--output", "out.jsonl")
    environment = {**os.environ, "HOKUSAI_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    assert done.returncode, "it was done before it could be killed"
    assert not (tmp_path / "out.jsonl").exists()
    assert [path.stat().st_size > 0 for path in tmp_path.glob(".out.jsonl*")] == [True]
