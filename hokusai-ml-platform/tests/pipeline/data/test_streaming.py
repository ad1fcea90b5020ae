"""Integration of files: one result whatever the stage, the engine and the format, and every row accounted for."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.adapters.in_process_engine import InProcessEngine
from hokusai.domain.manifest import RowAccount
from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import DataError, InvalidInputError, SchemaError
from hokusai.pipeline.data.columns import UnknownColumnError
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.integrator import DataIntegrator
from hokusai.pipeline.data.merging import merge
from hokusai.pipeline.data.rejects import read_rejects
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Integration, Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import scrub
from hokusai.privacy.tokens import Tokenizer

TOKENIZER = Tokenizer(bytes(range(32)))
ADA = TOKENIZER.token("email", "ada@example.org")
TOLERANT = ReadOptions(on_error="reject")

PEOPLE = (
    "a", "", "ada@example.org", "Ada@Example.org", "bob@example.org", "write ada@example.org", "[email]", "to [email]",
    "call +12125550100", "call +1 212 555 0100", "ada@example.org or +12125550100", "bob@example.org or +12125550100",
)  # fmt: skip

BASE = pl.DataFrame({"query_id": [1, 3, 9], "note": ["hi", "old", "z"], "label": ["a", "c", "z"]})
NEW = pl.DataFrame(
    {
        "query_id": [1, 2, 2, 3],
        "note": ["hi", "write ada@example.org", "write ada@example.org", "x"],
        "label": ["a", "b", "b", "c"],
    }
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    base, new = tmp_path / "base.csv", tmp_path / "new.csv"
    BASE.write_csv(base)
    NEW.write_csv(new)
    return base, new


def integrate(
    new: Path,
    output: Path | None = None,
    base: Path | None = None,
    recipe: Recipe | None = None,
    **options: object,
) -> Integration:
    return integrate_files(new, output, base=base, recipe=recipe, tokenizer=TOKENIZER, **options)  # type: ignore[arg-type]


class TestTheResult:
    def test_of_an_append_is_the_base_and_what_is_new(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, new = files
        done = integrate(new, tmp_path / "out.parquet", base)
        assert pl.read_parquet(tmp_path / "out.parquet").rows() == [
            (1, "hi", "a"),
            (3, "old", "c"),
            (9, "z", "z"),
            (2, f"write {ADA}", "b"),
            (3, "x", "c"),
        ]
        assert done.manifest.rows == RowAccount(read=4, kept=2, duplicates=2)
        assert done.manifest.hash.rows == 5

    def test_of_an_update_has_each_row_where_its_key_was(
        self, files: tuple[Path, Path], tmp_path: Path
    ) -> None:
        base, new = files
        done = integrate(new, tmp_path / "out.csv", base, Recipe(how="update", key=("query_id",)))
        assert pl.read_csv(tmp_path / "out.csv").rows() == [
            (1, "hi", "a"),
            (3, "x", "c"),
            (9, "z", "z"),
            (2, f"write {ADA}", "b"),
        ]
        [step] = [step for step in done.manifest.transformations if step.name == "merge_datasets"]
        assert step.details == {
            "how": "update",
            "key": ["query_id"],
            "base_rows": 3,
            "added": 1,
            "changed": 1,
            "unchanged": 1,
            "conflicts": {"note": 1},
        }
        assert [source.name for source in done.manifest.base] == ["base.csv"]

    def test_of_an_update_keeps_what_the_new_rows_do_not_tell(
        self, files: tuple[Path, Path], tmp_path: Path
    ) -> None:
        base, _ = files
        new = pl.DataFrame({"query_id": [3, 9], "label": ["C", "z"]})
        new.write_csv(tmp_path / "in.csv")
        for budget in (0, 1 << 30):
            recipe = Recipe(how="update", key=("query_id",))
            done = integrate(
                tmp_path / "in.csv", tmp_path / "out.parquet", base, recipe, memory_budget_bytes=budget
            )
            result = pl.read_parquet(tmp_path / "out.parquet")
            assert result.equals(merge(BASE, new, "update", key="query_id").frame)
            assert result.rows() == [(1, "hi", "a"), (3, "old", "C"), (9, "z", "z")]
            assert done.manifest.rows == RowAccount(read=2, kept=1, duplicates=1)
            assert done.manifest.hash == dataset_hash(result)

    def test_of_a_replacement_has_no_base_rows(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, new = files
        integrate(new, tmp_path / "out.jsonl", base, Recipe(how="replace"))
        rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [row["query_id"] for row in rows] == [1, 2, 3]

    @pytest.mark.parametrize("how", ["append", "update", "replace"])
    def test_is_the_same_in_memory_on_disk_and_on_an_engine(
        self, files: tuple[Path, Path], tmp_path: Path, how: str
    ) -> None:
        base, new = files
        recipe = Recipe(how=how, key=("query_id",) if how == "update" else (), target="label")  # type: ignore[arg-type]
        ways: tuple[dict[str, object], ...] = (
            {"memory_budget_bytes": 1 << 30},
            {"memory_budget_bytes": 0},
            {"memory_budget_bytes": 0, "engine": InProcessEngine()},
        )
        outputs = [tmp_path / f"{number}.arrow" for number in range(len(ways))]
        done = [integrate(new, out, base, recipe, **way) for out, way in zip(outputs, ways, strict=True)]
        assert len({one.manifest.digest for one in done}) == 1
        frames = [pl.read_ipc(out) for out in outputs]
        assert frames[0].equals(frames[1])
        assert frames[0].equals(frames[2])
        assert dataset_hash(frames[0]) == done[0].manifest.hash

    def test_is_the_same_as_step_by_step(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, new = files
        integrator = DataIntegrator(tokenizer=TOKENIZER)
        clean = integrator.deduplicate(integrator.remove_pii(integrator.load_data(new)))
        whole = merge(integrator.remove_pii(BASE), clean, "update", key="query_id").frame
        done = integrate(new, tmp_path / "out.parquet", base, Recipe(how="update", key=("query_id",)))
        assert integrator.dataset_hash(whole) == done.manifest.hash

    @pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet", "arrow"])
    def test_has_one_hash_in_every_format(self, tmp_path: Path, suffix: str) -> None:
        rows = pl.DataFrame({"id": [1, 2, 3], "text": ["a,b", "line\nend", None], "x": [0.5, None, -1.25]})
        rows.write_csv(tmp_path / "in.csv")
        first = integrate(tmp_path / "in.csv", tmp_path / f"out.{suffix}")
        again = integrate(tmp_path / f"out.{suffix}")
        assert again.manifest.hash == first.manifest.hash == dataset_hash(rows)

    def test_of_several_files_gives_the_credit_to_the_earlier_one(self, tmp_path: Path) -> None:
        NEW[:2].write_csv(tmp_path / "a.csv")
        NEW[1:].write_csv(tmp_path / "b.csv")
        done = integrate_files([tmp_path / "a.csv", tmp_path / "b.csv"], tokenizer=TOKENIZER)
        assert dict(done.by_source) == {
            "a.csv": RowAccount(read=2, kept=2),
            "b.csv": RowAccount(read=3, kept=1, duplicates=2),
        }

    def test_has_all_columns_of_all_files(self, tmp_path: Path) -> None:
        pl.DataFrame({"id": [1], "a": [2]}).write_csv(tmp_path / "a.csv")
        pl.DataFrame({"b": [0.5], "id": [2]}).write_csv(tmp_path / "b.csv")
        integrate_files(
            [tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out.parquet", tokenizer=TOKENIZER
        )
        assert pl.read_parquet(tmp_path / "out.parquet").rows(named=True) == [
            {"id": 1, "a": 2, "b": None},
            {"id": 2, "a": None, "b": 0.5},
        ]

    @pytest.mark.parametrize("budget", [0, 1 << 30])
    def test_is_without_near_duplicates_if_asked_to(self, tmp_path: Path, budget: int) -> None:
        text = "how do I reset the password of the account that I made last year with the old address"
        pl.DataFrame({"id": [1, 2], "q": [text, "something else"]}).write_csv(tmp_path / "base.csv")
        rows = {"id": [3, 4, 5], "q": [text.upper() + "?", "a new question", "A  new question"]}
        pl.DataFrame(rows).write_csv(tmp_path / "new.csv")
        done = integrate(
            tmp_path / "new.csv",
            tmp_path / "out.csv",
            tmp_path / "base.csv",
            Recipe(near_text=("q",)),
            memory_budget_bytes=budget,
        )
        assert pl.read_csv(tmp_path / "out.csv")["id"].to_list() == [1, 2, 4]
        assert done.manifest.rows == RowAccount(read=3, kept=1, duplicates=2, near_duplicates=2)

    def test_keeps_repeated_rows_if_asked_to(self, files: tuple[Path, Path]) -> None:
        assert integrate(files[1], recipe=Recipe(deduplicate=False)).manifest.rows == RowAccount(
            read=4, kept=4
        )


class TestRepeatsByKey:
    ROWS = pl.DataFrame(
        {
            "id": [1, 2, 2, 7, None, None, 2, 9],
            "part": ["a", "a", "b", None, None, None, "a", "z"],
            "v": [0, 1, 2, 3, 4, 4, 5, 6],
        }
    )
    WAYS: tuple[dict[str, object], ...] = (
        {"memory_budget_bytes": 1 << 30},
        {"memory_budget_bytes": 0},
        {"memory_budget_bytes": 0, "engine": InProcessEngine()},
    )

    @pytest.mark.parametrize(
        ("key", "kept"), [(("id",), [0, 1, 3, 4, 4, 6]), (("id", "part"), [0, 1, 2, 3, 4, 4, 6])]
    )
    def test_are_the_same_in_memory_on_disk_and_on_an_engine(
        self, tmp_path: Path, key: tuple[str, ...], kept: list[int]
    ) -> None:
        self.ROWS.write_csv(tmp_path / "in.csv")
        assert DataIntegrator().deduplicate(self.ROWS, key)["v"].to_list() == kept
        digests = set()
        for way in self.WAYS:
            done = integrate(tmp_path / "in.csv", tmp_path / "out.parquet", recipe=Recipe(key=key), **way)
            assert pl.read_parquet(tmp_path / "out.parquet")["v"].to_list() == kept
            assert done.manifest.rows == RowAccount(read=8, kept=len(kept), duplicates=8 - len(kept))
            digests.add(done.manifest.digest)
        assert len(digests) == 1
        steps = {step.name: step for step in done.manifest.transformations}
        assert steps["deduplicate"].details == {"subset": list(key)}

    @pytest.mark.parametrize("way", WAYS)
    def test_are_found_in_the_base_data_too(self, tmp_path: Path, way: dict[str, object]) -> None:
        base = pl.DataFrame({"id": [9, 9, None, 3], "part": ["x", "y", None, "x"], "v": [-1, -2, -3, -4]})
        base.write_csv(tmp_path / "base.csv")
        self.ROWS.write_csv(tmp_path / "in.csv")
        recipe = Recipe(key=("id",))
        done = integrate(tmp_path / "in.csv", tmp_path / "out.parquet", tmp_path / "base.csv", recipe, **way)
        stepwise = DataIntegrator().deduplicate(self.ROWS, "id", against=base)
        assert stepwise["v"].to_list() == [0, 1, 3, 4, 4]
        assert pl.read_parquet(tmp_path / "out.parquet")["v"].to_list() == [-1, -2, -3, -4, 0, 1, 3, 4, 4]
        assert done.manifest.rows == RowAccount(read=8, kept=5, duplicates=3)

    def test_are_told_by_what_is_hidden_afterwards(self, tmp_path: Path) -> None:
        rows = {"mail": ["ada@example.org", "bob@example.org", "ada@example.org"], "v": [1, 2, 3]}
        pl.DataFrame(rows).write_csv(tmp_path / "in.csv")
        recipe = Recipe(key=("mail",), pii=PiiPolicy(default="mask"))  # type: ignore[arg-type]
        integrate(tmp_path / "in.csv", tmp_path / "out.csv", recipe=recipe)
        assert pl.read_csv(tmp_path / "out.csv").rows() == [("[email]", 1), ("[email]", 2)]

    def test_need_the_key_and_cannot_be_kept(self, files: tuple[Path, Path]) -> None:
        with pytest.raises(SchemaError, match="Column 'query' is missing"):
            integrate(files[1], recipe=Recipe(key=("query",)))
        with pytest.raises(InvalidInputError, match="such rows are to be kept"):
            integrate(files[1], recipe=Recipe(key=("query_id",), deduplicate=False))


class TestNearRepeats:
    NOTES = (
        "ada@example.org",
        "bob@example.org",
        "ADA@example.org !",
        "[email]",
        "[EMAIL] [email]",
        "+12125550100",
    )

    @pytest.mark.parametrize("way", TestRepeatsByKey.WAYS)
    @pytest.mark.parametrize(
        "pii",
        [
            PiiPolicy(default="mask"),  # type: ignore[arg-type]
            PiiPolicy(default="drop"),  # type: ignore[arg-type]
            PiiPolicy(by_kind={"email": "mask"}),  # type: ignore[dict-item]
            PiiPolicy(by_column={"note": "drop"}),  # type: ignore[dict-item]
            PiiPolicy(),
        ],
    )
    def test_are_told_by_what_is_hidden_afterwards(
        self, tmp_path: Path, pii: PiiPolicy, way: dict[str, object]
    ) -> None:
        base = pl.DataFrame({"v": [-1, -2, -3], "note": ["eve@example.org", "eve@example.org", "[email]"]})
        base.write_csv(tmp_path / "base.csv")
        notes = (*self.NOTES, "Eve@example.org", "+1 212 555 0101")
        pl.DataFrame({"v": range(8), "note": notes}).write_csv(tmp_path / "in.csv")
        recipe = Recipe(near_text=("note", "note"), pii=pii)
        done = integrate(tmp_path / "in.csv", tmp_path / "out.parquet", tmp_path / "base.csv", recipe, **way)
        kept = [-1, -2, -3, 0, 1, 3, 4, 5, 7]
        assert pl.read_parquet(tmp_path / "out.parquet")["v"].to_list() == kept
        assert done.manifest.rows == RowAccount(read=8, kept=6, duplicates=2, near_duplicates=2)

    def test_are_found_again_by_nobody_in_what_was_masked(self, tmp_path: Path) -> None:
        rows = {"v": range(300), "note": [f"user{i}@example.org" for i in range(300)]}
        pl.DataFrame(rows).write_csv(tmp_path / "in.csv")
        recipe = Recipe(near_text=("note",), pii=PiiPolicy(default="mask"))  # type: ignore[arg-type]
        integrate(tmp_path / "in.csv", tmp_path / "out.csv", recipe=recipe)
        again = integrate(tmp_path / "out.csv", recipe=recipe)
        assert again.manifest.rows == RowAccount(read=300, kept=300)


class TestColumnsThatThePolicyDrops:
    @pytest.mark.parametrize("named", [{"target": "mail"}, {"target": "v", "features": ("mail",)}])
    def test_are_neither_target_nor_feature(self, tmp_path: Path, named: dict[str, object]) -> None:
        rows = {"mail": [f"user{i}@example.org" for i in range(9)], "v": range(9)}
        pl.DataFrame(rows).write_csv(tmp_path / "in.csv")
        recipe = Recipe(pii=PiiPolicy(default="drop"), **named)  # type: ignore[arg-type]
        with pytest.raises(UnknownColumnError, match=r"Column 'mail' .* takes it out"):
            integrate(tmp_path / "in.csv", tmp_path / "out.csv", recipe=recipe)
        assert not (tmp_path / "out.csv").exists()


class TestTheAccount:
    SCHEMA = DataSchema((ColumnRule("id", "integer", unique=True), ColumnRule("age", "integer", minimum=0)))

    def test_names_every_rejected_row_by_its_number_in_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text("id,age\n1,30\nbroken\n2,-1\n3,40\n1,50\n4,60\n4,60\n")
        done = integrate(
            tmp_path / "in.csv",
            tmp_path / "out.csv",
            recipe=Recipe(schema=self.SCHEMA, read=TOLERANT),
            rejects=tmp_path / "rejects.jsonl",
        )
        assert done.manifest.rows == RowAccount(read=7, kept=3, rejected=3, duplicates=1)
        assert [(r.row, r.column) for r in read_rejects(tmp_path / "rejects.jsonl")] == [
            (2, ""),
            (3, "age"),
            (5, "id"),
        ]
        assert (tmp_path / "out.csv").read_text() == "id,age\n1,30\n3,40\n4,60\n"

    def test_refuses_the_file_where_nothing_may_be_set_aside(self, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text("id,age\n1,30\n2,-1\n")
        with pytest.raises(SchemaError, match="row 2, column 'age'"):
            integrate(tmp_path / "in.csv", tmp_path / "out.csv", recipe=Recipe(schema=self.SCHEMA))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]

    def test_wants_required_columns_in_every_file(self, tmp_path: Path) -> None:
        pl.DataFrame({"id": [1], "age": [2]}).write_csv(tmp_path / "a.csv")
        pl.DataFrame({"id": [2]}).write_csv(tmp_path / "b.csv")
        with pytest.raises(SchemaError, match=r"Column 'age' is missing.*b\.csv"):
            integrate_files(
                [tmp_path / "a.csv", tmp_path / "b.csv"], recipe=Recipe(self.SCHEMA), tokenizer=TOKENIZER
            )

    def test_refuses_two_rows_with_one_key(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, _ = files
        (tmp_path / "in.csv").write_text("query_id,note,label\n7,a,a\n8,b,b\n7,c,c\n")
        with pytest.raises(SchemaError, match=r"row 1, column 'query_id': not unique.*\n?.*row 3") as told:
            integrate(tmp_path / "in.csv", base=base, recipe=Recipe(how="update", key=("query_id",)))
        assert "row 2" not in str(told.value)

    def test_refuses_base_data_with_two_rows_of_one_key(
        self, files: tuple[Path, Path], tmp_path: Path
    ) -> None:
        (tmp_path / "base.csv").write_text("query_id,note,label\n7,a,a\n8,b,b\n7,c,c\n")
        recipe = Recipe(how="update", key=("query_id",), read=TOLERANT)
        with pytest.raises(SchemaError, match=r"\(query_id\) stands more than once.*row 3 \(the base data\)"):
            integrate(files[1], base=tmp_path / "base.csv", recipe=recipe)

    @pytest.mark.parametrize("budget", [0, 1 << 30])
    def test_sets_all_rows_aside_that_share_a_key_and_say_different_things(
        self, files: tuple[Path, Path], tmp_path: Path, budget: int
    ) -> None:
        base, rejects = files[0], tmp_path / "rejects.jsonl"
        text = "query_id,note,label\n7,a,a\n8,b,b\n,x,x\n7,c,c\n7,a,a\n8,b,b\n1,hi,a\n1,other,a\n"
        (tmp_path / "in.csv").write_text(text)
        recipe = Recipe(how="update", key=("query_id",), read=TOLERANT)
        done = integrate(
            tmp_path / "in.csv",
            tmp_path / "out.csv",
            base,
            recipe,
            rejects=rejects,
            memory_budget_bytes=budget,
        )
        found = [(one.row, one.reason, one.column) for one in read_rejects(rejects)]
        open_keys = [(row, "not unique", "query_id") for row in (1, 4, 5, 7, 8)]
        assert found == [*open_keys[:1], (3, "no value", "query_id"), *open_keys[1:]]
        assert done.manifest.rows == RowAccount(8, kept=1, rejected=6, duplicates=1)
        rows = pl.read_csv(tmp_path / "out.csv")
        assert rows.rows() == [(1, "hi", "a"), (3, "old", "c"), (9, "z", "z"), (8, "b", "b")]
        step_by_step = merge(BASE, pl.read_csv(tmp_path / "in.csv"), "update", repeats="reject")
        assert step_by_step.account == done.manifest.rows
        assert step_by_step.frame.equals(rows)
        assert [(one.row, one.reason, one.column) for one in step_by_step.rejects] == [
            (row, "no value in the key" if row == 3 else reason, column) for row, reason, column in found
        ]

    def test_sets_rows_without_a_key_aside(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, _ = files
        (tmp_path / "in.csv").write_text("query_id,note,label\n7,a,a\n,b,b\n")
        recipe = Recipe(how="update", key=("query_id",), read=TOLERANT)
        assert integrate(tmp_path / "in.csv", base=base, recipe=recipe).manifest.rows == RowAccount(2, 1, 1)

    def test_refuses_two_rows_with_one_key_though_one_is_as_in_the_base(
        self, files: tuple[Path, Path], tmp_path: Path
    ) -> None:
        base, _ = files
        (tmp_path / "in.csv").write_text("query_id,note,label\n1,hi,a\n1,other,a\n")
        with pytest.raises(SchemaError, match=r"row 1.*not unique.*\n?.*row 2.*not unique"):
            integrate(tmp_path / "in.csv", base=base, recipe=Recipe(how="update", key=("query_id",)))

    def test_refuses_to_round_whole_numbers(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("id,v\n1,9007199254740993\n2,5\n")
        (tmp_path / "b.csv").write_text("id,v\n3,0.5\n")
        with pytest.raises(SchemaError, match="1 whole numbers that would be rounded"):
            integrate_files([tmp_path / "a.csv", tmp_path / "b.csv"], tokenizer=TOKENIZER)
        with pytest.raises(SchemaError, match="would be rounded"):
            DataIntegrator().load_data([tmp_path / "a.csv", tmp_path / "b.csv"])

    def test_says_which_columns_a_file_lacks(self, tmp_path: Path) -> None:
        pl.DataFrame({"id": [1], "text": ["a"]}).write_csv(tmp_path / "a.csv")
        pl.DataFrame({"id": [2], "Text": ["b"]}).write_csv(tmp_path / "b.csv")
        notes = integrate_files([tmp_path / "a.csv", tmp_path / "b.csv"], tokenizer=TOKENIZER).manifest.notes
        assert "b.csv: column 'text' is not there, and read as missing; 'Text' may be 'text'" in notes

    def test_says_what_contradicts_itself(self, files: tuple[Path, Path]) -> None:
        base, new = files
        with pytest.raises(InvalidInputError, match="An update needs key columns"):
            integrate(new, base=base, recipe=Recipe(how="update"))
        with pytest.raises(InvalidInputError, match="'upsert' is no way to merge"):
            integrate(new, base=base, recipe=Recipe(how="upsert"))  # type: ignore[arg-type]
        with pytest.raises(SchemaError, match=r"Column 'label' holds numbers, but text in base\.csv"):
            NEW.with_columns(label=pl.int_range(4)).write_csv(new)
            integrate(new, base=base)

    def test_a_time_of_day_is_no_date(self, tmp_path: Path) -> None:
        rows = pl.DataFrame({"t": [dt.time(8), None, dt.time(8)], "n": [1, 2, 1]})
        rows.write_parquet(tmp_path / "new.parquet")
        done = integrate(tmp_path / "new.parquet", tmp_path / "out.parquet")
        assert done.manifest.rows == RowAccount(read=3, kept=2, duplicates=1)
        assert pl.read_parquet(tmp_path / "out.parquet").rows() == rows[:2].rows()
        pl.DataFrame({"t": [dt.date(2024, 2, 29)], "n": [3]}).write_parquet(tmp_path / "base.parquet")
        with pytest.raises(SchemaError, match=r"'t' holds times of day, but dates in base\.parquet"):
            integrate(tmp_path / "new.parquet", base=tmp_path / "base.parquet")

    @settings(max_examples=25)
    @given(
        rows=st.lists(
            st.tuples(st.integers(-3, 3), st.sampled_from(["a", "b", "", "ada@example.org"])),
            min_size=1,
            max_size=30,
        ),
        budget=st.sampled_from([0, 1 << 30]),
    )
    def test_always_adds_up(
        self, rows: list[tuple[int, str]], budget: int, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("account")
        pl.DataFrame(rows, schema={"age": pl.Int64, "text": pl.String}, orient="row").write_csv(
            folder / "in.csv"
        )
        schema = DataSchema((ColumnRule("age", "integer", minimum=0),))
        recipe = Recipe(schema=schema, read=TOLERANT)
        done = integrate(folder / "in.csv", folder / "out.parquet", recipe=recipe, memory_budget_bytes=budget)
        distinct = {row for row in rows if row[0] >= 0}
        fitting = sum(row[0] >= 0 for row in rows)
        assert done.manifest.rows == RowAccount(
            len(rows), len(distinct), len(rows) - fitting, fitting - len(distinct)
        )
        if not distinct:
            return
        # Cleaning what is clean changes nothing.
        again = integrate(folder / "out.parquet", recipe=recipe, memory_budget_bytes=budget)
        assert again.manifest.hash == done.manifest.hash
        assert again.manifest.pii.findings == ()


class TestPersonalData:
    def test_is_found_in_contributions_whatever_the_base_holds(self, tmp_path: Path) -> None:
        rows = {"id": range(30), "x": [4111111111111111] * 30}
        pl.DataFrame(rows).write_csv(tmp_path / "new.csv")
        pl.DataFrame({"id": [100, 101], "x": [12, 13]}).write_csv(tmp_path / "base.csv")
        done = integrate(tmp_path / "new.csv", tmp_path / "out.csv", tmp_path / "base.csv")
        assert "4111111111111111" not in (tmp_path / "out.csv").read_text()
        assert [(f.column, f.kind, f.cells) for f in done.manifest.pii.findings] == [("x", "card", 30)]

    @pytest.mark.parametrize("action", ["mask", "drop"])
    def test_that_is_hidden_makes_no_rows_equal(self, tmp_path: Path, action: str) -> None:
        addresses = [f"person{n}@example.org" for n in range(40)]
        pl.DataFrame({"email": addresses, "label": [n % 2 for n in range(40)]}).write_csv(tmp_path / "in.csv")
        recipe = Recipe(pii=PiiPolicy(default=action))  # type: ignore[arg-type]
        done = integrate(tmp_path / "in.csv", tmp_path / "out.parquet", recipe=recipe)
        assert done.manifest.rows == RowAccount(40, 40)
        assert dataset_hash(pl.read_parquet(tmp_path / "out.parquet")) == done.manifest.hash

    @pytest.mark.parametrize(
        ("policy", "base", "new"),
        [
            ({"default": "mask"}, "a@example.org", "b@example.org"),
            ({"default": "drop"}, "id 7", "b@example.org"),
            ({"by_column": {"email": "drop"}}, "a@example.org", "b@example.org"),
            ({}, "[email]", "b@example.org"),
            ({"default": "report"}, "a@example.org", "[email]"),
        ],
    )
    def test_that_is_hidden_is_no_key_of_an_update(
        self, tmp_path: Path, policy: dict[str, object], base: str, new: str
    ) -> None:
        for name, address in (("base.csv", base), ("new.csv", new)):
            pl.DataFrame({"email": [address], "v": [1]}).write_csv(tmp_path / name)
        recipe = Recipe(pii=PiiPolicy.parse(policy), how="update", key=("email",))
        with pytest.raises(SchemaError, match=r"in 'email' .*masked or dropped.*Hash it instead"):
            integrate(tmp_path / "new.csv", tmp_path / "out.csv", tmp_path / "base.csv", recipe)
        if "drop" not in str(policy):  # of a dropped value nothing is left to see in memory
            old, fresh = (
                scrub(pl.read_csv(tmp_path / name), PiiPolicy.parse(policy), TOKENIZER)[0]
                for name in ("base.csv", "new.csv")
            )
            with pytest.raises(SchemaError, match="in 'email'"):
                merge(old, fresh, "update", key="email")

    def test_beside_the_key_may_be_masked_in_an_update(self, tmp_path: Path) -> None:
        base, new = (
            pl.DataFrame({"id": [1, 2], "email": ["a@example.org", "[email]"], "v": [1, 2]}),
            pl.DataFrame(
                {"id": [2, 3, 1], "email": ["[email]", "b@example.org", "c@example.org"], "v": [2, 3, 4]}
            ),
        )
        base.write_csv(tmp_path / "base.csv")
        new.write_csv(tmp_path / "new.csv")
        recipe = Recipe(pii=PiiPolicy(default="mask"), how="update", key=("id",))  # type: ignore[arg-type]
        done = integrate(tmp_path / "new.csv", tmp_path / "out.csv", tmp_path / "base.csv", recipe)
        assert done.manifest.rows == RowAccount(3, kept=2, duplicates=1)
        rows = pl.read_csv(tmp_path / "out.csv").rows()
        assert rows == [(1, "[email]", 4), (2, "[email]", 2), (3, "[email]", 3)]

    @pytest.mark.parametrize("budget", [0, 1 << 30])
    def test_that_was_masked_before_makes_no_rows_equal(self, tmp_path: Path, budget: int) -> None:
        """Nobody knows whether two masks stood for one person, in one file, in the base, or in a key."""
        base = pl.DataFrame({"mail": ["[email]", "x"], "v": [1, 2]})
        new = pl.DataFrame({"mail": ["[email]", "to [email]", "to [email]", "x", "x"], "v": [1, 1, 1, 2, 3]})
        base.write_csv(tmp_path / "base.csv")
        new.write_csv(tmp_path / "new.csv")
        for key, duplicates in (((), 1), (("mail",), 2), (("v",), 4)):
            recipe = Recipe(key=key)
            for engine in (None, InProcessEngine()):
                done = integrate(
                    tmp_path / "new.csv", base=tmp_path / "base.csv", recipe=recipe,
                    memory_budget_bytes=budget, engine=engine,
                )  # fmt: skip
                assert done.manifest.rows == RowAccount(5, 5 - duplicates, duplicates=duplicates)
                told = [note for note in done.manifest.notes if "masks such as [email]" in note]
                assert [": 3;" in note for note in told] == ([] if key else [True])
            memory = DataIntegrator().deduplicate(new, list(key) or None, against=base)
            assert memory.height == 5 - duplicates

    @settings(max_examples=20)
    @given(
        rows=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(PEOPLE)), min_size=1, max_size=25),
        policy=st.sampled_from(
            [{"default": "hash"}, {"default": "mask"}, {"default": "report"},
             {"default": "mask", "by_kind": {"phone": "hash"}}, {"by_kind": {"email": "mask"}}]
        ),
        key=st.sampled_from([(), ("n",), ("text",), ("n", "text")]),
        unique=st.booleans(),
    )  # fmt: skip
    def test_that_was_cleaned_is_not_changed_by_cleaning(
        self,
        rows: list[tuple[int, str]],
        policy: dict[str, object],
        key: tuple[str, ...],
        unique: bool,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        folder = tmp_path_factory.mktemp("twice")
        columns = {"n": pl.Int64, "text": pl.String}
        pl.DataFrame(rows, schema=columns, orient="row").write_parquet(folder / "in.parquet")
        schema = DataSchema((ColumnRule("text", "text", unique=True),)) if unique else None
        recipe = Recipe(schema, PiiPolicy.parse(policy), key=key, quality=False, read=TOLERANT)
        once = integrate(folder / "in.parquet", folder / "once.parquet", recipe=recipe).manifest
        twice = integrate(folder / "once.parquet", folder / "twice.parquet", recipe=recipe).manifest
        assert twice.rows == RowAccount(once.rows.kept, once.rows.kept)
        assert twice.hash == once.hash

        integrator = DataIntegrator(pii=policy, tokenizer=TOKENIZER, schema=schema)
        memory = pl.read_parquet(folder / "once.parquet")
        again = integrator.deduplicate(integrator.remove_pii(memory), key or None)
        assert again.equals(memory)
        if schema is not None:
            assert integrator.reject_invalid(again).equals(memory)

    @pytest.mark.parametrize("action", ["hash", "mask"])
    def test_gives_the_same_step_by_step(self, tmp_path: Path, action: str) -> None:
        rows = pl.DataFrame({"n": range(len(PEOPLE) * 2), "text": [*PEOPLE, *PEOPLE]}).with_columns(
            pl.col("n") % 3
        )
        rows.write_parquet(tmp_path / "in.parquet")
        recipe = Recipe(pii=PiiPolicy(default=action))  # type: ignore[arg-type]
        integrate(tmp_path / "in.parquet", tmp_path / "out.parquet", recipe=recipe)
        steps = DataIntegrator(pii=action, tokenizer=TOKENIZER)
        if action == "hash":
            stepwise = steps.deduplicate(steps.remove_pii(rows))
        else:  # what is masked must be compared before
            stepwise = steps.remove_pii(steps.deduplicate(rows))
        assert stepwise.equals(pl.read_parquet(tmp_path / "out.parquet"))

    def test_is_not_told_by_the_range_of_its_column(self, tmp_path: Path) -> None:
        rows = {"phone": range(4155552600, 4155552630), "dob": ["1960-01-02"] * 30, "x": range(30)}
        pl.DataFrame(rows).write_csv(tmp_path / "in.csv")
        for pii in (PiiPolicy(default="report"), None):  # type: ignore[arg-type]
            content = integrate(tmp_path / "in.csv", recipe=Recipe(pii=pii)).manifest.to_dict()
            assert set(content["ranges"]) == {"x"}
            assert "415555" not in str(content)


class TestAColumnWithAPersonalName:
    """Whoever names it calls it as it is in the file; in the result and the manifest it has another name."""

    who, other = "ada@example.org", "bob@example.org"

    @pytest.mark.parametrize("default", ["hash", "mask", "drop", "report", "mixed"])
    def test_can_be_the_key_and_is_compared_as_it_was(self, tmp_path: Path, default: str) -> None:
        mixed = PiiPolicy(default="mask", by_kind={"email": "hash"})  # type: ignore[arg-type, dict-item]
        pii = mixed if default == "mixed" else PiiPolicy(default=default)  # type: ignore[arg-type]
        rows = {self.who: ["x", "y", "x"], self.other: ["one two three four"] * 3, "n": [1, 2, 3]}
        pl.DataFrame(rows).write_csv(tmp_path / "in.csv")
        out, told = tmp_path / "out.parquet", []
        for recipe, kept in (
            (Recipe(pii=pii, key=(self.who,)), [1, 2]),
            (Recipe(pii=pii, key=(self.who, self.other)), [1, 2]),
            (Recipe(pii=pii, near_text=(self.other,)), [1]),
        ):
            done = integrate(tmp_path / "in.csv", out, recipe=recipe)
            assert pl.read_parquet(out)["n"].to_list() == kept
            told.append(str(done.manifest.to_dict()))
        assert any(self.who in text or self.other in text for text in told) == (default == "report")

    @pytest.mark.parametrize("default", ["hash", "mask", "report"])
    def test_can_be_the_key_of_an_update(self, tmp_path: Path, default: str) -> None:
        base = pl.DataFrame({self.who: ["x", "y"], self.other: ["u", "v"], "n": [1, 2]})
        base.write_csv(tmp_path / "base.csv")
        base.select(self.who, n=pl.lit(7)).head(1).write_csv(tmp_path / "new.csv")
        recipe = Recipe(pii=PiiPolicy(default=default), how="update", key=(self.who,))  # type: ignore[arg-type]
        done = integrate(tmp_path / "new.csv", tmp_path / "out.csv", tmp_path / "base.csv", recipe)
        assert pl.read_csv(tmp_path / "out.csv").rows() == [("x", "u", 7), ("y", "v", 2)]
        key = done.manifest.transformations[-1].details["key"]
        assert key == [pl.read_csv(tmp_path / "out.csv").columns[0]]
        assert (key == [self.who]) == (default == "report")


class TestTheOutput:
    def test_is_never_one_of_the_inputs(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        base, new = files
        before = new.read_bytes(), base.read_bytes()
        (tmp_path / "link.csv").symlink_to(new)
        for out, rejects in ((new, None), (base, None), (tmp_path / "link.csv", None), (None, new)):
            with pytest.raises(InvalidInputError, match="would be written over"):
                integrate(new, out, base, rejects=rejects)
        with pytest.raises(InvalidInputError, match="would be written over"):
            integrate(new, tmp_path / "out.csv", rejects=tmp_path / "out.csv")
        assert before == (new.read_bytes(), base.read_bytes())

    def test_of_a_file_in_which_no_row_can_be_used_has_no_rows(self, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text("id,l\nx,1\ny,0\n")
        schema = DataSchema((ColumnRule("id", "integer"),))
        done = integrate(tmp_path / "in.csv", tmp_path / "out.csv", recipe=Recipe(schema, read=TOLERANT))
        assert done.manifest.rows == RowAccount(2, 0, 2)
        assert (tmp_path / "out.csv").read_text() == "id,l\n"

    def test_is_absent_when_the_disk_is_full(self, files: tuple[Path, Path]) -> None:
        with pytest.raises((DataError, InvalidInputError)):
            integrate(files[1], Path("/dev/full/out.parquet"))

    def test_is_whole_or_absent_when_the_process_is_killed(self, tmp_path: Path) -> None:
        rows = pl.DataFrame({"id": range(20_000)}).with_columns(
            text=pl.lit("some words ") + pl.col("id").cast(pl.String)
        )
        rows.write_csv(tmp_path / "in.csv")
        program = textwrap.dedent("""
            import os, signal, sys
            from hokusai.pipeline.data.streaming import integrate_files, Recipe

            def integrate(source, out, last_word):
                def tell(what, done, total):
                    if what == last_word and (done or total):
                        os.kill(os.getpid(), signal.SIGKILL)
                integrate_files(source, out, recipe=Recipe(pii=None), memory_budget_bytes=0, progress=tell)

            for last_word in sys.argv[3:]:
                if not os.fork():  # three processes, for one price of all imports
                    integrate(*sys.argv[1:3], last_word)
                    os._exit(0)
                status = os.wait()[1]
                assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (last_word, status)
                assert not os.path.exists(sys.argv[2]), last_word
        """)
        out = tmp_path / "out.parquet"
        words = ("Cleaning", "Finding duplicates", "Writing")
        command = [sys.executable, "-c", program, str(tmp_path / "in.csv"), str(out), *words]
        subprocess.run(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, check=True)
        assert not out.exists()
        integrate_files(tmp_path / "in.csv", out, recipe=Recipe(pii=None), memory_budget_bytes=0)
        assert pl.read_parquet(out).equals(rows)
        left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
        assert left == [], "what a killed process left behind is removed by the next"
