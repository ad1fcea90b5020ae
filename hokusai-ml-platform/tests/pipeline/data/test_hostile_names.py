"""What a column is called changes nothing: no name is a pattern, a keyword or a name of ours."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.pipeline.data.checks import check_table
from hokusai.pipeline.data.columns import col, selected
from hokusai.pipeline.data.duplicates import deduplicate
from hokusai.pipeline.data.label_noise import LabelNoise, find_label_noise
from hokusai.pipeline.data.merging import merge
from hokusai.pipeline.data.near_duplicates import near_duplicates
from hokusai.pipeline.data.profiling import profile_files
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.row_matching import first_occurrence, occurs_in
from hokusai.pipeline.data.sampling import stratified_sample
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Recipe, integrate_files

HOSTILE = (
    "*", "^.*$", "^a.*$", "ab", "a,b", 'a"b', "a\tb", " a ", "'", "hokusai", "row", "len", "literal", "value 0",
    "missing 0", "0", "1", "joined", "word", "count", "index", "label", "\u202eabc", "שלום", "🙂", "x" * 5_000, "{}",
    "%s", "$1", "_rows", "=1+1", "None", "__class__", "length *", "fits *",
)  # fmt: skip
NAMES = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6, unique=True)


def rows_with(names: list[str]) -> pl.DataFrame:
    """Columns of whole numbers, text, fractions and days in turn; the last row repeats the first."""
    days = ["2024-01-01", None, "x", "2024-01-01"]
    kinds = ([1, 2, 3, 1], ["p", "q q", None, "p"], [0.5, None, 1.5, 0.5], days)
    return pl.DataFrame({name: kinds[i % 4] for i, name in enumerate(names)})


@settings(max_examples=15)
@given(NAMES)
@example(["*", "^a.*$", "ab"])
@example(["^.*$", "value 0", "*", "missing 0"])
def test_files_come_back_with_the_names_that_they_had(names: list[str]) -> None:
    frame = rows_with(names)
    schema = DataSchema((ColumnRule(names[0], "integer", minimum=0, nullable=False),))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        frame.write_csv(place / "a.csv")
        frame.write_ndjson(place / "a.jsonl")
        frame.write_parquet(place / "a.parquet")
        hashes = set()
        for source, result in (("a.csv", "o.jsonl"), ("a.jsonl", "o.parquet"), ("a.parquet", "o.csv")):
            done = integrate_files(place / source, place / result, recipe=Recipe(schema=schema, pii=None))
            assert (done.manifest.rows.kept, done.manifest.rows.duplicates) == (3, 1)
            assert [column.name for column in done.manifest.columns] == names
            found = read_table(place / result).frame
            hashes.add(done.manifest.hash.data_hash)
            assert found.columns == names or result == "o.csv"  # a spreadsheet is kept from running `=1+1`
            assert found.height == 3
        assert len(hashes) == 1
        profile_files([place / "a.csv"])


@pytest.mark.parametrize("key", ["*", "^.*$", "row", "0"])
def test_an_update_by_such_a_key(key: str, tmp_path: Path) -> None:
    base = pl.DataFrame({"ab": ["x", "y"], key: [1, 2], "only": [5, 6]})
    new = pl.DataFrame({"ab": ["z", "w"], key: [2, 3]})
    base.write_parquet(tmp_path / "base.parquet")
    new.write_parquet(tmp_path / "new.parquet")
    expected = [("x", 1, 5), ("z", 2, 6), ("w", 3, None)]
    assert merge(base, new, "update", key=key).frame.rows() == expected
    recipe = Recipe(how="update", key=(key,), pii=None)
    integrate_files(
        tmp_path / "new.parquet", tmp_path / "out.parquet", base=tmp_path / "base.parquet", recipe=recipe
    )
    assert pl.read_parquet(tmp_path / "out.parquet").rows() == expected


@pytest.mark.parametrize("name", ["*", "^.*$"])
def test_every_step_looks_at_the_named_column_alone(name: str) -> None:
    frame = pl.DataFrame(
        {"ab": ["a b c d", "e f g h", "i j k l"], name: ["m n o p", "m n o p", "q r s t"], "n": [1, 2, 3]}
    )
    other = pl.DataFrame({"ab": ["other", "words"], name: ["m n o p", "u v w x"], "n": [8, 9]})
    assert selected(frame, [name]).columns == [name]
    assert frame.select(col(name).str.len_chars()).columns == [name]
    assert deduplicate(frame, [name])[0].height == 2
    assert near_duplicates(frame, [name]).first_row.tolist() == [0, 0, 2]
    assert near_duplicates(frame, [name], within=["ab"]).first_row.tolist() == [0, 1, 2]
    assert occurs_in(frame, other, [name]).to_list() == [True, True, False]
    assert first_occurrence(frame, [name]).to_list() == [0, 0, 2]
    assert stratified_sample(frame, 2, name).height == 2
    schema = DataSchema((ColumnRule(name, "text", unique=True),))
    assert check_table(frame, schema).ok_mask.to_list() == [True, False, True]


def test_a_schema_that_types_such_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("*,^a.*$,ab\n1,2024-01-01,x\n2,true,y\n")
    read = ReadOptions(types={"*": "float", "^a.*$": "date"}, on_error="reject")
    table = read_table(tmp_path / "a.csv", read)
    assert table.frame.rows()[0][0] == 1.0
    assert [(reject.row, reject.column, reject.reason) for reject in table.rejects] == [
        (2, "^a.*$", "wrong type")
    ]


def test_labels_are_judged_by_such_columns() -> None:
    frame = pl.DataFrame({"*": [0.0, 9.0] * 40, "^.*$": ["red", "blue"] * 40, "len": ["a", "b"] * 40})
    found = find_label_noise(frame, "len")
    assert isinstance(found, LabelNoise)
    assert found.share == 0
