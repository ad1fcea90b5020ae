"""Rows become files that are whole or absent, in the format that the name says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.writers import OUTPUT_SUFFIXES, writing

ROWS = pl.DataFrame(
    {
        "n": [1, None, 3],
        "x": [0.1, -0.0, None],
        "t": ["a,b", "", None],
        "flag": [True, None, False],
    }
)


PACKED = [f"{text}{packed}" for text in (".csv", ".tsv", ".json", ".jsonl") for packed in (".gz", ".zst")]


@pytest.mark.parametrize(
    "suffix",
    [*(suffix for suffix in OUTPUT_SUFFIXES if suffix not in (".pq", ".feather", ".ndjson")), *PACKED],
)
def test_what_is_written_in_batches_reads_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with writing(path, dict(ROWS.schema)) as writer:
        for batch in ROWS.iter_slices(2):
            writer.write(batch)
    assert read_table(path).frame.equals(ROWS, null_equal=True)


@pytest.mark.parametrize(
    "names",
    [
        ("2019", "2020", "2021"), ("7",), ("2024-01-01", "true"), ("1,5", "2,5"), ("2019", "city"), ("#id", "b"),
        ("a;b", "c"), ("sep=;", "b"), ("PAR1", "b"), ("ORCs", "x"), ("\ufeffid", "b"), ("[a", "b"), ('{"a"', "b"),
        ("a b", "é"), (" a", "b "), ('say "a"', "b"), ("a\nb", "c"), ("-", "?"), ("a|b;c", "d\te"), ("# by us", "x"),
        ("nan", "inf"), ("<html>", "b"), ("%PDF-", "b"), ("1", "1.0"), ("*", "^a.*$"),
    ],
)  # fmt: skip
def test_a_header_of_any_names_is_read_as_one(
    tmp_path: Path, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _file: None)  # the disk is not what is tested
    for i, value in enumerate([1, True, "word", "a;b", "2,5", "", None]):
        if value is None and len(names) == 1:
            continue  # such a file is not written
        rows = pl.DataFrame({name: [value, value] for name in names})
        path = tmp_path / f"out{'.csv' if i % 2 else '.tsv'}"
        with writing(path, dict(rows.schema)) as writer:
            writer.write(rows)
        read = read_table(path)
        assert (read.frame.columns, read.rows_read) == (list(names), 2), path.read_text()


def test_no_rows_make_a_file_with_the_columns(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet", ".arrow"):
        with writing(tmp_path / f"out{suffix}", dict(ROWS.schema)):
            pass
    assert (tmp_path / "out.csv").read_text() == "n,x,t,flag\n"
    assert pl.read_parquet(tmp_path / "out.parquet").schema == ROWS.schema
    assert pl.read_ipc(tmp_path / "out.arrow").schema == ROWS.schema


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet", ".arrow", ".json", ".jsonl.gz", ".csv.zst"):
        path = tmp_path / f"out{suffix}"
        path.write_text("before")
        with pytest.raises(RuntimeError), writing(path, dict(ROWS.schema)) as writer:
            writer.write(ROWS)
            raise RuntimeError
        assert path.read_text() == "before"
        assert len(list(tmp_path.iterdir())) == 1
        path.unlink()


def test_other_programs_read_json_and_packed_text(tmp_path: Path) -> None:
    for name in ("out.json", "out.json.gz", "out.csv.gz", "out.csv.zst"):
        with writing(tmp_path / name, dict(ROWS.schema)) as writer:
            for batch in (ROWS[:0], ROWS[:2], ROWS[2:]):
                writer.write(batch)
    expected = [
        {"n": 1, "x": 0.1, "t": "a,b", "flag": True},
        {"n": None, "x": -0.0, "t": "", "flag": None},
        {"n": 3, "x": None, "t": None, "flag": False},
    ]
    assert json.loads((tmp_path / "out.json").read_text()) == expected
    assert json.loads(gzip.decompress((tmp_path / "out.json.gz").read_bytes())) == expected
    text = gzip.decompress((tmp_path / "out.csv.gz").read_bytes())
    assert text == b'n,x,t,flag\n1,0.1,"a,b",true\n,-0.0,"",\n3,,,false\n'
    with zstandard.open(tmp_path / "out.csv.zst", "rb") as stream:
        assert stream.read() == text
    with writing(tmp_path / "none.json", dict(ROWS.schema)):
        pass
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_the_same_rows_make_the_same_packed_file_at_any_time_and_under_any_name(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        with writing(tmp_path / name, dict(ROWS.schema)) as writer:
            writer.write(ROWS)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert (tmp_path / "a.csv.gz").read_bytes()[4:8] == bytes(
        4
    )  # RFC 1952: MTIME 0, no time stamp is available


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (pl.DataFrame({"n": [1, 2], "u": ["a", "b\0"]}), "Column 'u' has a text with a NUL character"),
        (pl.DataFrame({"u": ["a\0"]}, schema={"u": pl.Categorical}), "Column 'u' has a text with a NUL"),
        (pl.DataFrame({"a\0": [1]}), "The name of a column has a NUL"),
        (pl.DataFrame({"u": ["x", None]}), "Column 'u' is the only one and misses a value"),
    ],
)
def test_what_no_reader_of_delimited_text_gives_back_is_refused(
    tmp_path: Path, rows: pl.DataFrame, found: str
) -> None:
    for suffix in (".csv", ".tsv.gz"):
        with (
            pytest.raises(InvalidInputError, match=found),
            writing(tmp_path / f"out{suffix}", dict(rows.schema)) as writer,
        ):
            writer.write(rows)
    assert list(tmp_path.iterdir()) == []
    with writing(tmp_path / "out.jsonl", dict(rows.schema)) as writer:
        writer.write(rows)
    assert read_table(tmp_path / "out.jsonl").frame.rows() == rows.rows()


def test_formulas_are_defused_only_where_asked_for(tmp_path: Path) -> None:
    rows = pl.DataFrame({"t": ["=1+1", "+1", "-1", "@x", "\tx", "a=1", None], "n": [-1] * 7})
    for safe, expected in ((False, "=1+1,-1"), (True, "'=1+1,-1")):
        with writing(tmp_path / "out.csv", dict(rows.schema), safe_csv=safe) as writer:
            writer.write(rows)
        assert (tmp_path / "out.csv").read_text().splitlines()[1] == expected
    cells = pl.read_csv(tmp_path / "out.csv")["t"].to_list()
    assert cells == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "a=1", None]


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.gz", "out.parquet.gz", "nowhere/out.csv"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError), writing(tmp_path / name, dict(ROWS.schema)):
        pass


def test_only_columns_whose_values_repeat_get_a_dictionary(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"id": [str(n) for n in range(1_000)], "label": ["yes", "no"] * 500, "a.b": [1] * 1_000}
    )
    path = tmp_path / "out.parquet"
    with writing(path, dict(rows.schema)) as writer:
        writer.write(rows)
    group = pq.ParquetFile(path).metadata.row_group(0)
    kinds = {group.column(i).path_in_schema: group.column(i).has_dictionary_page for i in range(3)}
    assert kinds == {"id": False, "label": True, "a.b": True}
    assert pl.read_parquet(path).equals(rows)
