"""JSON and JSON Lines of the kinds that common readers get wrong without a word."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError
from hokusai.pipeline.data import json_columns, json_reading
from hokusai.pipeline.data.reading import Table, read_table


@pytest.fixture
def read(tmp_path: Path):
    def reader(content: bytes | str, name: str = "a.json") -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path)

    return reader


def refused(read, content: bytes | str, pattern: str, name: str = "a.json") -> None:
    with pytest.raises(DataError, match=pattern) as caught:
        read(content, name)
    assert name in str(caught.value)


class TestArray:
    def test_plain_records(self, read) -> None:
        table = read('[{"a": 1, "b": "x", "c": true, "d": 1.5}, {"a": null, "b": "", "c": false, "d": 2}]')
        assert table.format == "json"
        assert table.frame.rows() == [(1, "x", True, 1.5), (None, "", False, 2.0)]

    def test_a_mark_blanks_and_a_wrong_suffix(self, read) -> None:
        assert read(b'\xef\xbb\xbf \n [ {"a": 1} ] \n', "a.csv").frame.rows() == [(1,)]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
    def test_wide_encodings(self, read, encoding: str) -> None:
        refused(read, '[{"a": 1}]'.encode(encoding), "iconv")

    def test_latin1_is_refused_with_its_byte(self, read) -> None:
        refused(read, '[{"a": "é"}]'.encode("latin-1"), r"0xe9 at byte 8 \(line 1\)")

    @pytest.mark.parametrize(
        ("content", "pattern"),
        [
            ('[{"a": NaN}]', "Record 1 .*NaN is not JSON"),
            ('[{"a": 1}, {"a": -Infinity}]', "Record 2 .*-Infinity is not JSON"),
            ('[{"a": 1, "a": 2}]', "Record 1 .*key 'a' stands twice"),
            ('[{"a": 1},]', "comma follows the last record"),
            ('[{"a": 1}, {"a": 2', "ends within record 2"),
            ('[{"a": "x', "ends within record 1"),
            ('[{"a": 1}', "After record 1, the file ends"),
            ('[{"a": 1} {"a": 2}]', "After record 1, '{' follows"),
            ('[{"a": 1}] x', "Text follows the end"),
            ("[]", "no rows"),
            ("[1, 2]", "Record 1 is not an object but number"),
            ('[{"a": 1}, null]', "Record 2 is not an object but null"),
            ("[{}]", "no keys"),
            ('[{"": 1}]', "without a name"),
            ('[{"a": [1]}]', "'a' holds a list in record 1"),
            ('[{"a": 1}, {"a": {"b": 1}}]', "'a' holds an object in record 2"),
            ('[{"a": 9223372036854775808}]', "integer of 19 digits, beyond 64 bits"),
            ('[{"a": 1e999}]', "beyond the range"),
            ('[{"a": "\\ud800"}]', "surrogate"),
            ('[{"a": 1}, {"a": "x"}]', "'a' is number in record 1, but text in record 2: 'x'"),
            ('[{"a": true}, {"a": 1}]', "'a' is boolean in record 1, but number in record 2"),
            ('[{"a": 9007199254740993}, {"a": 0.5}]', "9007199254740993, which would be rounded"),
            ('[{"a" 1}]', "Record 1 .*expecting ':'"),
            ('[{"a": ' + "[" * 5000 + "]" * 5000 + "}]", "Record 1 .*nested too deeply"),
            ('[{"a": ' + "1" * 5000 + "}]", "Record 1"),
        ],
    )
    def test_what_is_refused(self, read, content: str, pattern: str) -> None:
        refused(read, content, pattern)

    def test_a_late_key_and_a_missing_one_are_null_and_noted(self, read) -> None:
        rows = [{"a": i} for i in range(150)] + [{"a": 1, "late": "x"}]
        table = read(json.dumps(rows))
        assert table.frame["late"].to_list() == [None] * 150 + ["x"]
        assert table.notes == ("Column 'late' is absent from 150 of 151 records, and read as missing there",)

    def test_late_changes_are_found_over_batches(self, read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_columns, "BATCH_RECORDS", 2)
        monkeypatch.setattr(json_reading, "BLOCK_BYTES", 7)
        rows = [{"a": 1}] * 5 + [{"a": 0.5, "b": True}]
        assert read(json.dumps(rows)).frame.rows() == [(1.0, None)] * 5 + [(0.5, True)]
        refused(read, json.dumps([*rows, {"a": "x"}]), "number in record 1, but text in record 7")
        refused(
            read, json.dumps([{"a": 1}, {"a": 2**53 + 1}, {"a": 1}, {"a": 0.5}]), "record 2 holds .*rounded"
        )
        refused(read, json.dumps(rows)[:-3], "ends within record 6")

    def test_keys_that_are_always_null(self, read) -> None:
        assert read('[{"a": 1, "b": null}]').frame["b"].to_list() == [None]


class TestLines:
    def test_plain_lines_blank_lines_and_crlf(self, read) -> None:
        for name in ("a.jsonl", "a.ndjson", "a.json", "a.csv"):
            table = read('{"a": 1}\r\n\n{"a": 2.5}\n   \n{"a": null}', name)
            assert (table.format, table.frame["a"].to_list()) == ("jsonl", [1.0, 2.5, None])

    def test_bad_lines_are_listed_together(self, read) -> None:
        content = '{"a": 1}\n{"a": }\n\n{"a": 1, "a": 2}\n{"a": NaN}\n{"a"'
        refused(
            read, content, "4 lines are not.*line 2:.*line 4: the key 'a'.*line 5: NaN.*line 6:", "a.jsonl"
        )

    def test_at_most_twenty_are_listed(self, read) -> None:
        refused(read, '{"a": 1}\n' + "{\n" * 30, "line 21: .*; and 10 more", "a.jsonl")

    def test_an_object_over_several_lines(self, read) -> None:
        refused(read, '{\n "data": [\n {"a": 1}\n ]\n}', "JSON array", "a.json")

    def test_a_wrapped_list_on_one_line(self, read) -> None:
        refused(read, '{"data": [{"a": 1}]}', "'data' holds a list in line 1.*store the list alone")

    def test_columns_instead_of_rows(self, read) -> None:
        refused(read, '{"a": [1, 2], "b": [3, 4]}', "'a' holds a list")

    def test_large_integers_and_late_changes(self, read) -> None:
        refused(
            read, '{"a": 1}\n{"a": 123456789012345678901}', "line 2 holds an integer of 21 digits", "a.jsonl"
        )
        refused(
            read, '{"a": 1}\n' * 3000 + '{"a": "x"}', "number in line 1, but text in line 3,001", "a.jsonl"
        )

    def test_a_line_that_is_no_object(self, read) -> None:
        refused(read, '{"a": 1}\n[1]\n', "Line 2 is not an object but list", "a.jsonl")


values = st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
records = st.fixed_dictionaries(
    {},
    optional={
        "n": values,
        "t": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "b": st.booleans(),
    },
)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(records, min_size=1, max_size=9).filter(any), block=st.sampled_from([1, 13, 1 << 20]))
def test_every_record_and_value_survives_in_both_formats(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], block: int
) -> None:
    folder = tmp_path_factory.mktemp("json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reading, "BLOCK_BYTES", block)
        patch.setattr(json_columns, "BATCH_RECORDS", 2)
        for name, content in (
            ("a.json", json.dumps(rows, ensure_ascii=False)),
            ("a.jsonl", "\n".join(json.dumps(row) for row in rows)),
        ):
            (folder / name).write_text(content, encoding="utf-8", newline="")
            table = read_table(folder / name)
            assert table.rows_read == len(rows)
            for row, read in zip(rows, table.frame.rows(named=True), strict=True):
                assert {key: row.get(key) for key in read} == read
                assert set(row) <= set(read)


def test_a_file_of_many_records_has_its_types(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    pl.DataFrame({"a": pl.int_range(50_000, eager=True), "b": ["x"] * 50_000}).write_ndjson(path)
    table = read_table(path)
    assert (table.rows_read, table.frame.schema) == (50_000, {"a": pl.Int64, "b": pl.String})
