"""Lists and objects in files: one text for one value, whatever the format, and a cell like any other from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.manifest import RowAccount
from hokusai.errors import DataError, InvalidInputError
from hokusai.pipeline.data import json_pieces, json_reading
from hokusai.pipeline.data.arrow_columns import in_pieces
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.reading import open_table, read_table
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.row_proofs import digest_of
from hokusai.pipeline.data.scan import Limits, ReadOptions
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy

ROWS: list[dict[str, Any]] = [
    {"id": 1, "tags": ["b", "a"], "meta": {"n": 1.0, "who": {"z": True, "a": "é"}}},
    {"id": 2, "tags": None, "meta": {"n": 2.5, "who": None}},
    {"id": 3, "tags": [], "meta": None},
    {"id": 4, "tags": ["a\n", None], "meta": {"who": {"a": '"'}}},
]
TAGS = ['["b","a"]', None, "[]", '["a\\n",null]']
META = ['{"n":1,"who":{"a":"é","z":true}}', '{"n":2.5}', None, '{"who":{"a":"\\""}}']
"""By hand after RFC 8785: keys in order, no blanks, 1.0 as 1; members without a value left out."""


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".json":
            path.write_text(json.dumps(rows, indent=1))
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case _:
            table = pa.Table.from_pylist(rows)
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet", ".arrow"])
def test_every_format_gives_the_same_texts_and_says_so(tmp_path: Path, suffix: str) -> None:
    table = read_table(write(tmp_path / f"a{suffix}", ROWS))
    assert table.frame["tags"].to_list() == TAGS
    assert table.frame["meta"].to_list() == META
    assert table.notes == (
        "Column 'tags' holds lists, each of which was read as its JSON text",
        "Column 'meta' holds objects, each of which was read as its JSON text",
    )
    plain = pl.DataFrame({"id": [1, 2, 3, 4], "tags": TAGS, "meta": META})
    assert dataset_hash(table.frame) == dataset_hash(plain)


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_where_a_text_is_cut_makes_no_difference(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"a": [{"x": 1}, {"y": [{"z": "},{"}]}], "b": n} for n in range(30)]
    path = write(tmp_path / f"a{suffix}", rows)
    whole = read_table(path).frame
    assert whole["a"].to_list() == ['[{"x":1},{"y":[{"z":"},{"}]}]'] * 30
    monkeypatch.setattr(json_pieces, "BLOCK_BYTES", 11)
    monkeypatch.setattr(json_reading, "BATCH_BYTES", 90)
    assert read_table(path).frame.equals(whole)


def test_a_list_over_two_lines_makes_no_record_of_them(tmp_path: Path) -> None:
    """The three lines are no records, though they are three between commas: `{"a": [1, {}]}`, two in the third."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": [1\n{}]}\n{"x": 1},{"y": 2}\n')
    with pytest.raises(DataError, match="3 lines are not a JSON object"):
        read_table(path)


def test_a_map_is_an_object_and_a_key_twice_is_a_fault(tmp_path: Path) -> None:
    column = pa.array([[("b", 1), ("a", None)], None, [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))
    pq.write_table(pa.table({"m": column, "id": [1, 2, 3]}), tmp_path / "m.parquet")
    table = read_table(tmp_path / "m.parquet", ReadOptions(on_error="reject"))
    assert table.frame.rows() == [('{"b":1}', 1), (None, 2)]
    assert [(r.row, r.reason, r.detail) for r in table.rejects] == [
        (3, "value that is not kept", "a map with a key twice")
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_json_does_not_keep_is_a_fault_of_its_row(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", [{"a": [1, 2**53 - 1]}, {"a": [2**53]}, {"a": [-(2**53)]}])
    table = read_table(path, ReadOptions(on_error="reject"))
    assert table.frame["a"].to_list() == ["[1,9007199254740991]"]
    assert [(r.row, r.reason) for r in table.rejects] == [
        (2, "value that is not kept"),
        (3, "value that is not kept"),
    ]
    with pytest.raises(DataError, match=r"2 values cannot be kept|integer of 16 digits within a list"):
        read_table(path)


def test_nan_is_missing_and_infinity_is_a_fault(tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": [[0.5, float("nan")], [float("inf")]]}), tmp_path / "v.parquet")
    table = read_table(tmp_path / "v.parquet", ReadOptions(on_error="reject"))
    assert table.frame["v"].to_list() == ["[0.5,null]"]
    assert [r.row for r in table.rejects] == [2]


def test_plain_values_beside_lists_are_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"a": ["x"]}, {"a": "x"}, {"a": {"k": 1}}, {"a": None}, {"a": 3}])
    table = read_table(path, ReadOptions(on_error="reject"))
    assert table.frame["a"].to_list() == ['["x"]', '{"k":1}', None]
    assert [(r.row, r.detail) for r in table.rejects] == [
        (2, "a list or object is expected, text found"),
        (5, "a list or object is expected, number found"),
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_column_that_must_be_text_may_hold_lists(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", [{"a": ["x"]}, {"a": None}])
    assert read_table(path, ReadOptions(types={"a": "text"})).frame["a"].to_list() == ['["x"]', None]


def test_one_object_of_objects_may_be_columns_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": {"0": 1}, "b": {"0": 2}}')
    with pytest.raises(DataError, match=r"may be columns .*orient='records'"):
        read_table(tmp_path / "a.json")


def test_personal_data_within_is_found_as_in_text(tmp_path: Path) -> None:
    rows = [{"id": 1, "to": [{"mail": "ada@example.org"}, "x"]}, {"id": 2, "to": ["nobody"]}]
    for suffix in (".jsonl", ".parquet"):
        kept = (
            rows
            if suffix == ".jsonl"
            else [{"id": 1, "to": ["ada@example.org"]}, {"id": 2, "to": ["nobody"]}]
        )
        path = write(tmp_path / f"in{suffix}", kept)
        out = tmp_path / "out.csv"
        done = integrate_files(path, out, recipe=Recipe(pii=PiiPolicy(default="mask")))  # type: ignore[arg-type]
        assert "ada@" not in out.read_text()
        assert "[email]" in pl.read_csv(out)["to"][0]
        assert [(f.column, f.kind, f.cells) for f in done.manifest.pii.findings] == [("to", "email", 1)]
        assert (
            f"in{suffix}: Column 'to' holds lists, each of which was read as its JSON text"
            in done.manifest.notes
        )


def test_the_digest_of_a_row_can_be_made_from_its_json(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path / "a.jsonl", ROWS)).frame
    columns = canonical_columns(frame.schema)
    made = [digest_of({**dict.fromkeys(("id", "tags", "meta")), **row}, columns) for row in ROWS]
    assert made == [bytes(digest) for digest in row_digests(frame)]
    with pytest.raises(InvalidInputError, match="'meta' is not a text"):
        digest_of({"id": 1, "tags": None, "meta": {"n": 2**60}}, columns)


def test_repeated_rows_are_found_whatever_the_format(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", ROWS)
    two = write(tmp_path / "b.parquet", ROWS[::-1])
    done = integrate_files([one, two], recipe=Recipe(pii=None))
    assert done.manifest.rows == RowAccount(read=8, kept=4, duplicates=4)


def test_a_few_bytes_cannot_ask_for_texts_of_any_size(tmp_path: Path) -> None:
    """A dictionary with one long word, in lists: 1 MB of file for 2 GB of text."""
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["x" * 1_000_000]))
    lists = pa.ListArray.from_arrays(pa.array(range(2_001), pa.int32()), long)
    table = pa.table({"a": lists})
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    pieces = list(in_pieces(table.to_batches()[0]))
    assert sum(piece.num_rows for piece in pieces) == 2_000
    assert max(piece.num_rows for piece in pieces) <= 67
    with pytest.raises(DataError, match="unpacks to more than"):
        open_table(tmp_path / "a.arrow", ReadOptions(limits=Limits(unpacked_bytes=100_000_000)))


PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)


def around(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=3), values, max_size=3)


NESTED = around(PLAIN | around(PLAIN | around(PLAIN)))


def without_missing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_missing(item) for key, item in value.items() if item is not None}
    return [without_missing(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=40)
@given(values=st.lists(NESTED, min_size=2, max_size=6), array=st.booleans())
def test_any_value_of_json_is_kept(
    values: list[Any], array: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"nested.{'json' if array else 'jsonl'}"
    rows = [{"n": n, "v": value} for n, value in enumerate(values)]
    frame = read_table(write(path, rows)).frame
    assert frame["n"].to_list() == list(range(len(values)))
    assert [json.loads(text) for text in frame["v"]] == [without_missing(value) for value in values]
