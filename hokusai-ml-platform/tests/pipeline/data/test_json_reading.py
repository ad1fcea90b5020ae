"""JSON and JSON Lines of the kinds that common readers get wrong without a word."""

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError
from hokusai.pipeline.data import json_pieces, json_reading
from hokusai.pipeline.data.cell_types import ColumnTypes
from hokusai.pipeline.data.json_numbers import RoundedFloat, may_lose_digits, read_float
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.scan import Limits, ReadOptions
from hokusai.pipeline.data.source_file import NotUtf8Error, OpenedFile
from tests.growth import assert_grows_with_size


@pytest.fixture
def read(tmp_path: Path):
    def reader(content: bytes | str, name: str = "a.json", options: ReadOptions | None = None) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, options)

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
    def test_wide_encodings_with_a_mark(self, read, encoding: str) -> None:
        assert read('[{"a": "é"}]'.encode(encoding)).frame.rows() == [("é",)]

    def test_another_encoding_is_read_and_noted_or_as_it_was_told(self, read) -> None:
        content = '[{"a": "café"}, {"a": "naïve"}]'.encode("latin-1")
        guessed = read(content)
        assert guessed.frame["a"].to_list() == ["café", "naïve"]
        assert any("encoding was taken for" in sentence for sentence in guessed.source.assumed)
        told = read(content, options=ReadOptions(encoding="latin-1"))
        assert told.frame["a"].to_list() == ["café", "naïve"]

    def test_bytes_that_are_not_utf8_are_found_at_their_place(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        for content, place in (
            (b'[{"a": "\xe9"}]', r"0xe9 at byte 8 \(line 1\)"),
            (b'[{"a": 1},\n {"a": "\xe9"}]', r"0xe9 at byte 19 \(line 2\)"),
        ):
            path.write_bytes(content)
            with pytest.raises(NotUtf8Error, match=place):
                json_reading.scan_json(OpenedFile(path), ReadOptions())
            path.write_bytes(content.strip(b"[]").replace(b"},", b"}"))
            with pytest.raises(NotUtf8Error, match="0xe9"):
                json_reading.scan_jsonl(OpenedFile(path), ReadOptions())

    def test_lines_that_are_not_utf8_are_set_aside_among_others(self, read) -> None:
        content = '{"a": "é"}\n'.encode() * 3 + b'{"a": "\x81\xe9"}\n' + '{"a": "ü"}\n'.encode()
        table = read(content, "a.jsonl", ReadOptions(on_error="reject", encoding="utf-8"))
        assert table.frame["a"].to_list() == ["é", "é", "é", "ü"]
        assert [(r.row, r.line, r.reason) for r in table.rejects] == [(4, 4, "not UTF-8")]

    @pytest.mark.parametrize(
        ("content", "pattern"),
        [
            ('[{"a": NaN}]', "record 1: NaN is not JSON"),
            ('[{"a": 1}, {"a": -Infinity}]', "record 2: -Infinity is not JSON"),
            ('[{"a": 1, "a": 2}]', "record 1: the key 'a' stands twice"),
            ('[{"a": 1},]', "comma follows the last record"),
            ('[{"a": 1}, {"a": 2', "ends within record 2"),
            ('[{"a": "x', "ends within record 1"),
            ('[{"a": 1}', "After record 1, the file ends"),
            ('[{"a": 1} {"a": 2}]', "After record 1, '{' follows"),
            ('[{"a": 1}] x', "Text follows the end"),
            ("[]", "no rows"),
            ("[1, 2]", "2 records are .*record 1: it is not an object but number"),
            ('[{"a": 1}, null]', "record 2: it is not an object but null"),
            ("[{}]", "no keys"),
            ('[{"": 1}]', "without a name"),
            ('[{"a": [1]}, {"a": 2}]', "'a' holds a list in record 1, but number in record 2"),
            (
                '[{"a": [9007199254740992]}]',
                "'a' in record 1 holds an integer of 16 digits within a list or object",
            ),
            ('[{"a": [1e999]}]', "record 1 holds a number beyond the range of a double within"),
            (
                '[{"a": ' + "[" * 101 + "]" * 101 + "}]",
                "record 1 holds lists or objects .*more than 100 deep",
            ),
            ('[{"a": [{"b": 1, "b": 2}]}]', "record 1: the key 'b' stands twice"),
            ('[{"a": [NaN]}]', "NaN is not JSON"),
            ('[{"a": {"b": ["\\ud800"]}}]', "column 'a' holds half of a surrogate"),
            ('[{"a": 1}, {"a": {"b": 1}}]', "'a' holds an object in record 2"),
            ('[{"a": 9223372036854775808}]', "integer of 19 digits, beyond 64 bits"),
            ('[{"a": 1e999}]', "beyond the range"),
            (
                '[{"a": 1.5}, {"a": 1e-999}]',
                "record 2 holds a number beyond the range of a double .*nearer to 0",
            ),
            ('[{"a":-1.5E-0400}]', "nearer to 0"),
            ('[{"a": 0.' + "0" * 330 + "1}]", "nearer to 0"),
            ('[{"a": [1e-999]}]', "record 1 holds a number beyond the range of a double within"),
            (
                '[{"a": 0.5}, {"a": 0.123456789012345678}]',
                "'a' in record 2 holds a number of 18 digits, which a double would round.*schema says",
            ),
            ('[{"a": 123456789012345678e3}]', "number of 18 digits"),
            ('[{"a": -1234567890.1234567890}]', "number of 19 digits"),
            ('[{"a":1}, {"a":123456789012345678.0000001}]', "number of 25 digits"),
            (
                '[{"a": {"b": [0.123456789012345678]}}]',
                "18 digits within a list or object, which a double would",
            ),
            ('{"a": [0.5, 0.123456789012345678], "b": [1, 2]}', "'a' in row 2 holds a number of 18 digits"),
            ('{"a": [[0.123456789012345678], []], "b": [1, 2]}', "'a' in row 1 holds a number of 18 digits"),
            ('[{"a": "\\ud800"}]', "surrogate"),
            ('[{"a": 1}, {"a": "x"}]', "'a' is number in record 1, but text in record 2 "),
            ('[{"a": true}, {"a": 1}]', "'a' is boolean in record 1, but number in record 2"),
            (
                '[{"a": 9007199254740993}, {"a": 0.5}]',
                "record 1 holds an integer of 16 digits, which would be rounded",
            ),
            ('[{"a" 1}]', "Record 1 .*expecting ':'"),
            ('[{"a": ' + "[" * 5000 + "]" * 5000 + "}]", "Record 1 .*nested too deeply"),
            ('[{"a": ' + "1" * 5000 + "}]", "record 1: a number has thousands"),
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
        monkeypatch.setattr(json_pieces, "BLOCK_BYTES", 7)
        monkeypatch.setattr(json_reading, "BATCH_BYTES", 40)
        rows = [{"a": 1}] * 5 + [{"a": 0.5, "b": True}]
        assert read(json.dumps(rows)).frame.rows() == [(1.0, None)] * 5 + [(0.5, True)]
        refused(read, json.dumps([*rows, {"a": "x"}]), "number in record 1, but text in record 7")
        refused(
            read, json.dumps([{"a": 1}, {"a": 2**53 + 1}, {"a": 1}, {"a": 0.5}]), "record 2 holds .*rounded"
        )
        refused(read, json.dumps(rows)[:-3], "ends within record 6")

    def test_keys_that_are_always_null(self, read) -> None:
        assert read('[{"a": 1, "b": null}]').frame["b"].to_list() == [None]


class TestManyKeys:
    @staticmethod
    def sparse(count: int, width: int) -> list[dict[str, int]]:
        """Records of two of `width` keys each; the key `k0` is sometimes given as null."""
        return [
            {f"k{i % width}": None if i % width == 0 else i, f"k{(7 * i + 1) % width}": -i}
            for i in range(count)
        ]

    @pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
    @pytest.mark.parametrize("cells", [1, 50, 1 << 22])
    def test_rows_do_not_depend_on_where_batches_are_cut(
        self, read, monkeypatch: pytest.MonkeyPatch, name: str, cells: int
    ) -> None:
        monkeypatch.setattr(json_reading, "BATCH_CELLS", cells)
        monkeypatch.setattr(json_pieces, "BLOCK_BYTES", 300)
        records = self.sparse(60, 20)
        lines = "\n".join(map(json.dumps, records))
        table = read(lines if name == "a.jsonl" else json.dumps(records), name)
        keys = list(dict.fromkeys(key for record in records for key in record))
        assert table.frame.columns == keys
        assert table.frame.rows() == [tuple(record.get(key) for key in keys) for record in records]
        absent = sum("k3" not in record for record in records)
        assert f"Column 'k3' is absent from {absent} of 60 records, and read as missing there" in table.notes

    def test_no_batch_has_more_cells_than_are_allowed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_reading, "BATCH_CELLS", 2_000)
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join(map(json.dumps, self.sparse(500, 100))))
        heights = [
            batch.height for batch in json_reading.scan_jsonl(OpenedFile(path), ReadOptions()).batches()
        ]
        assert (sum(heights), max(heights)) == (500, 20)

    @pytest.mark.parametrize("on_error", ["raise", "reject"])
    def test_few_bytes_cannot_ask_for_a_table_of_any_size(self, on_error: str, read) -> None:
        def of_keys(count: int):
            content = "".join(f'{{"k{i}": 1}}\n' for i in range(count))

            def refused() -> None:
                with pytest.raises(DataError, match=f"{count:,} different keys, but each of them has only 1"):
                    read(content, "a.jsonl", ReadOptions(on_error=on_error))

            return refused

        assert_grows_with_size(of_keys, 2_500, 20_000)  # the cells would be 64 times as many

    def test_a_sparse_table_within_reason_is_read_and_noted_briefly(self, read) -> None:
        table = read("\n".join(map(json.dumps, self.sparse(300, 100))), "a.jsonl")
        assert table.frame.shape == (300, 100)
        assert len(table.notes) == 21
        assert table.notes[-1] == "So are 80 more columns from some records"

    def test_a_record_of_very_many_keys_is_read(self, read) -> None:
        content = json.dumps({f"c{i}": i for i in range(20_000)})
        assert read(content, "a.jsonl").frame.row(0) == tuple(range(20_000))


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
        refused(read, '{\n "a": 1,\n "b": 2\n}', "JSON array", "a.jsonl")
        refused(read, '{\n "a": 1,\n "b": 2\n}', "one object, but neither a list", "a.json")

    def test_large_integers_and_late_changes(self, read) -> None:
        refused(
            read, '{"a": 1}\n{"a": 123456789012345678901}', "line 2 holds an integer of 21 digits", "a.jsonl"
        )
        refused(
            read, '{"a": 1}\n' * 3000 + '{"a": "x"}', "number in line 1, but text in line 3,001", "a.jsonl"
        )

    def test_a_line_that_is_no_object(self, read) -> None:
        refused(read, '{"a": 1}\n[1]\n', "line 2: it is not an object but list", "a.jsonl")


class TestOtherForms:
    @pytest.mark.parametrize(
        "content",
        ['{"data": [{"a": 1}, {"a": 2}]}', '{\n  "data": [\n    {"a": 1},\n    {"a": 2}\n  ]\n}\n'],
    )
    def test_a_list_that_one_key_wraps_is_read_and_noted(self, read, content: str) -> None:
        table = read(content)
        assert (table.format, table.frame["a"].to_list()) == ("json", [1, 2])
        assert table.source.assumed == ("The rows are the list under the key 'data'",)

    @pytest.mark.parametrize(
        ("content", "pattern"),
        [
            ('{"data": [{"a": 1}], "next": null}', "More follows the list of records"),
            ('{"data": [{"a": 1}]', "ends within its array"),
            ('{"data": [{"a": 1}', "After record 1, the file ends"),
            ('{"data": [{"a": 1}]} x', "Text follows"),
            ('{"a": {"0": 1}, "b": {"0": 2}}', "orient='records'"),
            ('{"a": [1, 2], "b": [1]}', "'b' has 1 values, 'a' has 2"),
            ('{"a": [1, NaN]}', "NaN is not JSON"),
            ('{"a": [1], "a": [2]}', "key 'a' stands twice"),
            ('{"a": []}', "no rows"),
            ('{"columns": ["a"], "data": [[1], [2]]}', "names of columns beside .*orient='records'"),
            ('{"columns": ["a"], "index": [0], "data": [[1]]}', "names of columns beside .*orient='records'"),
        ],
    )
    def test_what_is_refused(self, read, content: str, pattern: str) -> None:
        refused(read, content, pattern)

    def test_columns_instead_of_rows_are_read_and_noted(self, read) -> None:
        table = read('{"a": [1, 2.5], "b": ["x", null]}')
        assert table.frame.rows() == [(1.0, "x"), (2.5, None)]
        assert "The file holds columns" in table.source.assumed[0]

    def test_columns_are_read_up_to_the_length_of_a_record(self, read) -> None:
        options = ReadOptions(limits=Limits(record_bytes=10))
        with pytest.raises(DataError, match=r"more than 10 bytes.*JSON Lines"):
            read('{"a": [1, 2], "b": [3, 4]}', options=options)


class TestDigits:
    """No digit of a number is lost without a word, by the rule that CSV has."""

    @settings(max_examples=40, deadline=None)
    @given(
        digits=st.text("0123456789", min_size=16, max_size=22),
        point=st.integers(0, 16),
        power=st.sampled_from(["", "e-3", "E+20"]),
    )
    def test_json_refuses_what_csv_keeps_as_text(self, digits: str, point: int, power: str) -> None:
        number = f"{int(digits[:point] or '0')}.{digits[point:]}{power}"
        as_text = ColumnTypes(["a"])
        as_text.see(pl.DataFrame({"a": [number]}), [2])
        kept_as_text = as_text.result()["a"] == "text"
        one = json.loads(number, parse_float=read_float)
        assert isinstance(one, RoundedFloat) == kept_as_text
        assert may_lose_digits(f'{{"a":{number}}}'.encode()) or not kept_as_text

    def test_what_a_double_gives_back_is_kept_however_long_it_is(self, read) -> None:
        texts = [
            "0.1000000000000000055511151231257827",
            "0.30000000000000000000",
            "1700000000000000000",
            "2e300",
        ]
        lines = "".join(f'{{"a{number}": {text}}}\n' for number, text in enumerate(texts))
        found = read(lines, "a.jsonl").frame
        assert [found[name].drop_nulls()[0] for name in found.columns] == [
            0.1,
            0.3,
            1_700_000_000_000_000_000,
            2e300,
        ]

    def test_a_schema_that_says_float_has_them_rounded(self, read) -> None:
        options = ReadOptions(types={"a": "float"})
        content = '{"a": 0.5}\n{"a": 0.123456789012345678}\n'
        assert read(content, "a.jsonl", options).frame["a"].to_list() == [0.5, 0.12345678901234568]
        assert read('{"a": [0.5, 0.123456789012345678]}', "a.json", options).frame["a"].to_list() == [
            0.5,
            0.12345678901234568,
        ]

    def test_one_that_must_be_whole_has_no_fraction_that_is_too_small_to_see(self, read) -> None:
        options = ReadOptions(types={"a": "integer"}, on_error="reject")
        table = read('{"a": 5.0}\n{"a": 5.00000000000000000001}\n', "a.jsonl", options)
        assert table.frame["a"].to_list() == [5]
        assert [(r.row, r.detail) for r in table.rejects] == [
            (2, "expected a whole number of 64 bits, found a fraction")
        ]


class TestSettingAside:
    """`on_error="reject"`: whoever has the file finds each record again, and the rest is read."""

    reject = ReadOptions(on_error="reject")

    def test_lines_with_every_kind_of_fault(self, read) -> None:
        lines = [
            '{"a": 1, "t": "x"}', "{bad", '{"a": 1, "a": 2}', '{"a": NaN}', "[1]", "",
            '{"a": "ten"}', '{"a": [1]}', '{"a": 9223372036854775808}', '{"a": 1e999}', '{"t": "\\ud800"}',
            '{"": 1}', '{"a": 2.5}', '{"a": 9007199254740993}', '{"a": null, "t": "y"}', '{"a": 0.900719925474099312}',
        ]  # fmt: skip
        table = read("\n".join(lines), "a.jsonl", self.reject)
        assert table.frame.rows() == [(1.0, "x"), (2.5, None), (None, "y")]
        assert table.rows_read == 15
        assert [(r.row, r.line, r.reason) for r in table.rejects] == [
            (2, 2, "not JSON"), (3, 3, "key twice in one object"), (4, 4, "NaN or infinity"),
            (5, 5, "not an object"), (6, 7, "another kind of value"), (7, 8, "nested value"),
            (8, 9, "number that is not kept"), (9, 10, "number that is not kept"), (10, 11, "half a surrogate pair"),
            (11, 12, "key without a name"), (13, 14, "number that is not kept"),
            (15, 16, "number that is not kept"),
        ]  # fmt: skip
        for reject in table.rejects:
            assert reject.sha256 == hashlib.sha256(lines[reject.line - 1].encode()).hexdigest()
            assert "ten" not in reject.detail
            assert "90071992" not in reject.detail

    def test_the_kind_that_most_values_have_is_kept(self, read) -> None:
        table = read('[{"a": "x"}, {"a": 1}, {"a": 2}, {"a": true}]', options=self.reject)
        assert table.frame["a"].to_list() == [1, 2]
        assert [(r.row, r.column, r.detail) for r in table.rejects] == [
            (1, "a", "number is expected, text found"), (4, "a", "number is expected, boolean found"),
        ]  # fmt: skip

    def test_records_of_an_array_know_their_line(self, read) -> None:
        content = '[\n {"a": 1},\n {"a": NaN,\n  "b": 1},\n\n {"a":\n 3}, 7\n]'
        table = read(content, options=self.reject)
        assert table.frame["a"].to_list() == [1, 3]
        assert [(r.row, r.line, r.reason) for r in table.rejects] == [
            (2, 3, "NaN or infinity"), (4, 7, "not an object")
        ]  # fmt: skip
        assert table.rejects[0].sha256 == hashlib.sha256(b'{"a": NaN,\n  "b": 1}').hexdigest()

    def test_columns_that_only_rejected_records_have_are_none(self, read) -> None:
        table = read('[{"a": 1}, {"a": "x", "late": 2}, {"a": 3}]', options=self.reject)
        assert table.frame.rows() == [(1,), (3,)]
        assert table.frame.columns == ["a"]

    def test_an_array_whose_records_cannot_be_told_apart_is_refused(self, read) -> None:
        for content in ('[{"a": 1}, {"a" 2}, {"a": 3}]', '[{"a": 1}, {"a": 2'):
            with pytest.raises(DataError, match=r"[Rr]ecord 2"):
                read(content, options=self.reject)

    def test_a_file_without_a_usable_record_is_refused(self, read) -> None:
        with pytest.raises(DataError, match="No record can be used"):
            read("[1, 2]", options=self.reject)

    def test_the_account_does_not_depend_on_the_pieces(self, read, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [{"a": i, "b": 'x}, {"y'} for i in range(30)]
        for i in (3, 4, 17, 29):
            rows[i]["a"] = "no"
        content = json.dumps(rows, indent=1)
        expected = read(content, options=self.reject)
        assert [r.row for r in expected.rejects] == [4, 5, 18, 30]
        for block, batch in ((1, 1), (1, 100), (50, 400), (333, 1)):
            monkeypatch.setattr(json_pieces, "BLOCK_BYTES", block)
            monkeypatch.setattr(json_reading, "BATCH_BYTES", batch)
            table = read(content, options=self.reject)
            assert table.frame.equals(expected.frame)
            assert table.rejects == expected.rejects


class TestTypesThatWereTold:
    def test_values_are_converted(self, read) -> None:
        types = {"i": "integer", "f": "float", "d": "date", "t": "datetime", "s": "text"}
        content = (
            '[{"i": 2.0, "f": 1, "d": "2024-02-29", "t": "2024-02-29T10:00:00.5", "s": "1"},'
            ' {"i": 3, "f": null, "d": null, "t": "2024-03-01 00:00:00", "s": null}]'
        )
        table = read(content, options=ReadOptions(types=types))
        assert table.frame.rows() == [
            (2, 1.0, dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 10, 0, 0, 500_000), "1"),
            (3, None, None, dt.datetime(2024, 3, 1), None),
        ]
        assert table.frame.dtypes == [pl.Int64, pl.Float64, pl.Date, pl.Datetime("us"), pl.String]

    @pytest.mark.parametrize(
        ("kind", "value", "found"),
        [
            ("text", "1", "number"),
            ("integer", '"1"', "text"),
            ("integer", "1.5", "a fraction"),
            ("integer", "true", "boolean"),
            ("float", "9007199254740993", "rounded"),
            ("date", '"2023-02-29"', "other text"),
            ("date", '"2024-02-29 "', "other text"),
            ("datetime", '"2024-02-29"', "other text"),
            ("boolean", "0", "number"),
            ("integer", "[1]", "a list"),
        ],
    )
    def test_a_value_of_another_type_is_a_fault(self, read, kind: str, value: str, found: str) -> None:
        content = f'{{"a": null}}\n{{"a": {value}}}\n'
        types = {"a": kind}
        with pytest.raises(DataError, match=f"'a' must be {kind}, but holds .*{found}.*in line 2"):
            read(content, "a.jsonl", ReadOptions(types=types))
        table = read(content, "a.jsonl", ReadOptions(types=types, on_error="reject"))
        assert [(r.row, r.column) for r in table.rejects] == [(2, "a")]
        assert table.frame["a"].to_list() == [None]

    def test_integers_written_as_fractions_do_not_round_their_neighbours(self, read) -> None:
        content = '[{"a": 2.0}, {"a": 9007199254740993}]'
        with pytest.raises(DataError, match="record 2 holds an integer of 16 digits, which would be rounded"):
            read(content, options=ReadOptions(types={"a": "integer"}))
        table = read(content, options=ReadOptions(types={"a": "integer"}, on_error="reject"))
        assert [(r.row, r.reason) for r in table.rejects] == [(2, "wrong type")]
        exact = read('[{"a": 9007199254740993}]', options=ReadOptions(types={"a": "integer"}))
        assert exact.frame["a"].to_list() == [9007199254740993]


def test_more_keys_than_the_limit_are_refused(read) -> None:
    content = "\n".join(f'{{"k{i}": 1}}' for i in range(11))
    with pytest.raises(DataError, match="more than 10 different keys"):
        read(content, "a.jsonl", ReadOptions(limits=Limits(columns=10)))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_record_that_never_ends_is_refused_before_memory_is_gone(
    read, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_pieces, "BLOCK_BYTES", 100)
    content = '[{"a": "' + "x" * 5000 + '"}]'
    with pytest.raises(DataError, match=r"(Record|Line) 1 is longer than 1,000"):
        read(
            content.strip("[]") if name == "a.jsonl" else content,
            name,
            ReadOptions(limits=Limits(record_bytes=1000)),
        )


values = st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
records = st.fixed_dictionaries(
    {},
    optional={
        "n": values,
        "t": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "b": st.booleans(),
    },
)


@settings(max_examples=50)
@given(rows=st.lists(records, min_size=1, max_size=9).filter(any), block=st.sampled_from([1, 13, 1 << 20]))
def test_every_record_and_value_survives_in_both_formats(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], block: int
) -> None:
    folder = tmp_path_factory.mktemp("json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "BLOCK_BYTES", block)
        patch.setattr(json_reading, "BATCH_BYTES", 3 * block)
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


def test_a_second_pass_that_finds_something_else_is_never_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": null}\n')
    scan = json_reading.scan_jsonl(OpenedFile(path), ReadOptions())
    (span,) = scan.spans
    for wrong in (
        dataclasses.replace(scan, nulls={"a": 0}),
        dataclasses.replace(scan, spans=(dataclasses.replace(span, offset=1),)),
        dataclasses.replace(scan, spans=(dataclasses.replace(span, height=1),)),
    ):
        with pytest.raises(DataError, match=r"found other values than the first|records were counted"):
            list(wrong.batches())


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_small_numbers_are_kept_and_such_as_only_look_so_are_read_fast(
    read, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    uuid, exact = "3f2e-1234e-4321-12e-999", [5e-324, -2.5e-310, 1e-250, 0.0, 1e-120]
    written = ["5e-324", "-2.5e-310", "1e-250", "0e-999", "1e-120"]
    rows = [f'{{"id": "{uuid}", "a": {number}}}' for number in written]
    text = "\n".join(rows) if name == "a.jsonl" else f"[{', '.join(rows)}]"
    table = read(text, name)
    assert table.frame["a"].to_list() == exact
    monkeypatch.setattr("hokusai.pipeline.data.json_records._STRICT", None)  # what reads where there is doubt
    assert read(f'{{"id": "{uuid}", "a": 1e-120}}\n', "b.jsonl").frame["a"].to_list() == [1e-120]
