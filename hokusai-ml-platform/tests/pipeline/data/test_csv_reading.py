"""CSV files of the kinds that common readers get wrong without a word."""

import csv
import datetime as dt
import io
import math
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError
from hokusai.pipeline.data import csv_proof
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.scan import Limits, ReadOptions


@pytest.fixture
def read(tmp_path: Path):
    def reader(content: bytes, name: str = "a.csv") -> Table:
        path = tmp_path / name
        path.write_bytes(content)
        return read_table(path)

    return reader


def refused(read, content: bytes, pattern: str, name: str = "a.csv") -> str:
    with pytest.raises(DataError, match=pattern) as caught:
        read(content, name)
    assert name in str(caught.value)
    return str(caught.value)


class TestEncoding:
    def test_a_utf8_mark_is_not_part_of_the_first_name(self, read) -> None:
        assert read(b"\xef\xbb\xbfa,b\n1,2\n").frame.to_dict(as_series=False) == {"a": [1], "b": [2]}

    def test_a_mark_and_a_quoted_first_name(self, read) -> None:
        assert read(b'\xef\xbb\xbf"a",b\n1,2\n').frame.columns == ["a", "b"]

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    def test_utf16_and_utf32_are_known_by_their_mark(self, read, encoding: str) -> None:
        table = read("\ufeffa,b\né,日\n".encode(encoding))
        assert (table.frame.rows(), table.source.encoding) == ([("é", "日")], encoding)

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    def test_utf16_and_utf32_without_a_mark_are_known_by_their_nul_bytes(self, read, encoding: str) -> None:
        table = read("a,b\né,日\n".encode(encoding))
        assert (table.frame.rows(), table.source.encoding) == ([("é", "日")], encoding)
        assert any(encoding in one and "byte-order mark" in one for one in table.source.assumed)

    def test_text_without_a_mark_that_is_not_all_in_its_encoding_is_refused(self, read) -> None:
        text = "a,b\n" + "1,2\n" * 2000
        refused(read, text.encode("utf-16-le") + b"\x00\xd8", r"not utf-16-le: .*line 2,002")

    def test_numbers_of_two_bytes_are_no_text(self, read) -> None:
        refused(read, b"".join(bytes((n, 0)) for n in range(1, 120)), r"NUL byte stands at byte 1 \(line 1\)")

    def test_two_encodings_in_one_file(self, read) -> None:
        refused(read, "a\né\n".encode() + "é\n".encode("latin-1"), r"not UTF-8.*at byte 5 \(line 3\)")

    def test_encoded_surrogates_are_refused(self, read) -> None:
        refused(read, b"a\n\xed\xa0\x80\n", r"not UTF-8.*line 2")

    def test_the_byte_is_counted_over_blocks(self, read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_proof, "BLOCK_BYTES", 8)
        refused(read, "a,b\né,2\n".encode() + b"1,2\n" * 10 + b"3,\xe9\n", r"0xe9 at byte 51 \(line 13\)")

    def test_a_nul_byte(self, read) -> None:
        refused(read, b"a,b\n1,\x002\n", r"1 row cannot be read: line 2 has a NUL byte")

    def test_invisible_characters_and_compositions_are_kept_as_they_are(self, read) -> None:
        twins = ["\u202eabc", "a\u200bb", "\u00e9", "e\u0301", "=1+1"]
        assert read(("t\n" + "\n".join(twins) + "\n").encode()).frame["t"].to_list() == twins


class TestLines:
    @pytest.mark.parametrize("content", [b"a,b\r\n1,2\r\n3,4\r\n", b"a,b\n1,2\r\n3,4\n", b"a,b\r\n1,2\n3,4"])
    def test_line_ends_may_be_lf_crlf_mixed_and_missing_at_the_end(self, read, content: bytes) -> None:
        assert read(content).frame.rows() == [(1, 2), (3, 4)]

    @pytest.mark.parametrize("end", ["\r", ""])
    def test_carriage_returns_alone_may_end_all_lines(self, read, end: str) -> None:
        table = read(f'a,b\r1,"x\r\n\ry"\r3,4{end}'.encode())
        assert table.frame.rows() == [(1, "x\r\n\ry"), (3, "4")]
        assert table.source.assumed == ("Its lines end in a carriage return (CR) alone",)

    @pytest.mark.parametrize("content", [b"a,b\n1,2\r3,4\n", b'a,b\n"x",1\r"y",2\n', b"a,b\n1,2\n3,4\r5\n"])
    def test_carriage_returns_beside_line_feeds_are_refused(self, read, content: bytes) -> None:
        refused(read, content, "line [23] has (a carriage return within a line|a quote that does not fit)")

    def test_line_ends_inside_quotes_are_content(self, read) -> None:
        content = b'a,b\n"x\ry",1\n"p\nq",2\n"u\r\nv",3\n'
        assert read(content).frame["a"].to_list() == ["x\ry", "p\nq", "u\r\nv"]

    @pytest.mark.parametrize("content", [b"a,b\n\n1,2\n\n\r\n3,4\n\n", b'a,b\n\n"1",2\n\n3,"4"\n\r\n'])
    def test_blank_lines_are_no_records(self, read, content: bytes) -> None:
        table = read(content)
        assert (table.rows_read, table.frame.rows()) == (2, [(1, 2), (3, 4)])

    def test_blank_lines_inside_quotes_are_content(self, read) -> None:
        assert read(b'a,b\n\n"x\n\ny",1\n').frame.rows() == [("x\n\ny", 1)]

    def test_blank_lines_in_a_file_of_one_column(self, read) -> None:
        table = read(b'a\n\nx\n\n""\n')
        assert table.frame["a"].to_list() == ["x", ""]
        (note,) = table.notes
        assert "2 blank lines were not taken for rows" in note
        assert any("1 blank line was" in one for one in read(b"a\r\n1\r\n\r\n2\r\n").notes)
        assert read(b"a,b\n\n1,2\n").notes == read(b'a\n"\n\n"\n').notes == ()

    def test_blank_lines_beside_rows_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"a\n1\n\n1,2\n\n3\n")
        table = read_table(tmp_path / "a.csv", ReadOptions(on_error="reject"))
        assert (table.frame["a"].to_list(), len(table.rejects)) == ([1, 3], 1)
        assert any("2 blank lines" in note for note in table.notes)

    def test_rows_that_begin_like_comments_are_all_there(self, tmp_path: Path) -> None:
        lines = [f"#t{i},{i}" for i in range(900)] + [f"w{i},{i}" for i in range(100)]
        (tmp_path / "a.csv").write_text("\n".join(lines))
        for options in (ReadOptions(has_header=False), ReadOptions()):
            table = read_table(tmp_path / "a.csv", options)
            assert (table.rows_read, table.frame.height) == (1000, 1000)

    def test_numbers_of_too_many_digits_stay_apart(self, tmp_path: Path) -> None:
        cells = ["12345678901234567.5", "12345678901234567.0", "12345678901234568.25"]
        path = tmp_path / "a.csv"
        path.write_text("a,b\n" + "".join(f"{cell},1\n" for cell in cells))
        table = read_table(path)
        assert table.frame["a"].to_list() == cells
        assert "row 1 has a number of more than 17 digits" in table.notes[0]
        told = read_table(path, ReadOptions(types={"a": "float"}))
        assert told.frame["a"].to_list() == [float(cell) for cell in cells]

    def test_a_blank_first_line(self, read) -> None:
        refused(read, b"\na,b\n1,2\n", "Line 1 is blank")

    @pytest.mark.parametrize("content", [b"a,b\n", b"a,b", b"a,b\n\n\n", b'"a","b"\r\n'])
    def test_only_a_header(self, read, content: bytes) -> None:
        refused(read, content, "header but no rows")

    def test_only_blanks(self, read) -> None:
        refused(read, b" \n \n", "nothing but blanks")


class TestShape:
    def test_long_and_short_records_are_both_refused_by_line(self, read) -> None:
        message = refused(read, b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3\n", "2 rows cannot be read")
        assert (
            "line 3 has wrong number of fields (2 where the header has 3); "
            "line 4 has wrong number of fields (4 where the header has 3)" in message
        )

    def test_lines_are_physical_lines_also_after_quoted_line_ends(self, read) -> None:
        refused(read, b'a,b\n"x\ny\nz",1\n1\n', "1 row cannot be read: line 5 has")

    def test_a_file_cut_off_within_a_row(self, read) -> None:
        refused(read, b"a,b,c\n1,2,3\n4,5", "line 3 has wrong number of fields .2 ")

    def test_at_most_twenty_lines_are_listed(self, read) -> None:
        message = refused(read, b"a,b\n" + b"1\n" * 50, "50 rows")
        assert message.count("wrong number") == 20
        assert "; and 30 more" in message
        assert "line 22" not in message

    def test_widths_are_checked_over_blocks(self, read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_proof, "BLOCK_BYTES", 16)
        refused(
            read, b"a,b\n" + b"1,2\n" * 20 + b"1\n" + b'"1",2\n' * 20 + b"3\n", "line 22 has .*; line 43 has "
        )

    def test_header_names(self, read) -> None:
        refused(read, b"a,b,a\n1,2,3\n", r"more than once: 'a' \(columns 1, 3\)")
        refused(read, b"a,,b,\n1,2,3,4\n", "no name for columns 2 and 4 of 4")

    def test_padded_names_are_kept(self, read) -> None:
        assert read(b" a , b\n1,2\n").frame.columns == [" a ", " b"]

    def test_twenty_thousand_columns(self, read) -> None:
        names = ",".join(f"c{i}" for i in range(20_000))
        table = read(f"{names}\n{','.join('1' * 20_000)}\n".encode())
        assert (table.frame.width, table.frame["c19999"][0]) == (20_000, 1)

    def test_tabs_by_name_or_by_content(self, read) -> None:
        content = b'a\tb\n1\t"x\ty"\n'
        for name in ("a.tsv", "a.csv", "a.txt"):
            table = read(content, name)
            assert (table.format, table.frame.rows()) == ("tsv", [(1, "x\ty")])

    def test_a_comma_is_content_in_tsv(self, read) -> None:
        assert read(b"a,1\tb\n1\t2\n", "a.tsv").frame.columns == ["a,1", "b"]


class TestQuotes:
    def test_an_unquoted_empty_field_is_null_and_a_quoted_one_is_the_empty_text(self, read) -> None:
        assert read(b'a,b\n,x\n"",y\nz,w\n').frame["a"].to_list() == [None, "", "z"]

    def test_in_a_column_of_numbers_both_are_null(self, read) -> None:
        assert read(b'a,b\n,1\n"",2\n"3",4\n').frame["a"].to_list() == [None, None, 3]

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b'a,b\n1,"x\n2,y\n3,z\n', 2),
            (b'a,b\n1,2\n"x,1\n"y",2\n', 3),
            (b'a,b\n5" pipe,1\n', 2),
            (b'a,b\n"x"y",1\n', 2),
            (b'a,b\n"x" ,1\n', 2),
            (b'a,b\n "x",1\n', 2),
        ],
    )
    def test_quotes_that_do_not_fit_are_refused(self, read, content: bytes, line: int) -> None:
        refused(
            read,
            content,
            f"line {line} has a quote that does not fit|line {line} has a quote that is never closed",
        )

    @pytest.mark.parametrize("n_before", [0, 1, 19, 20, 25])
    def test_a_quote_never_closed_is_one_fault_beside_others(self, read, n_before: int) -> None:
        plural = "s" if n_before else ""
        message = refused(
            read,
            b"a,b\n" + b"1\n" * n_before + b'3,"x\n' + b"4,5\n" * 30,
            f"{n_before + 1} row{plural} cannot",
        )
        assert message.count("never closed") == (n_before < 20)
        assert message.count("wrong number of fields (") == min(n_before, 20)

    def test_a_quote_never_closed_stops_at_a_limit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_proof, "BLOCK_BYTES", 64)
        path = tmp_path / "a.csv"
        path.write_bytes(b'a,b\n1,2\n3,"x\n' + b"4,5\n" * 10_000)
        with pytest.raises(DataError, match=r"longer than 256 bytes.*never closed"):
            read_table(path, ReadOptions(limits=Limits(record_bytes=256)))

    def test_the_limit_of_the_csv_module_is_left_as_it_was(self, read) -> None:
        before = csv.field_size_limit()
        read(b'a\n"x"\n')
        assert csv.field_size_limit() == before


class TestTypes:
    def column(self, read, *cells: str) -> pl.Series:
        return read(("a,b\n" + "".join(f"{cell},1\n" for cell in cells)).encode()).frame["a"]

    def test_leading_zeros_stay_text(self, read) -> None:
        assert self.column(read, "10115", "00123").to_list() == ["10115", "00123"]
        assert self.column(read, "007.5").to_list() == ["007.5"]

    def test_numbers(self, read) -> None:
        assert self.column(read, "1", "-2", "0").to_list() == [1, -2, 0]
        assert self.column(read, "1", ".5", "2.", "-1E+3", "0.0").to_list() == [1.0, 0.5, 2.0, -1000.0, 0.0]

    def test_the_ends_of_64_bits(self, read) -> None:
        ends = ["9223372036854775807", "-9223372036854775808"]
        assert self.column(read, *ends).to_list() == [2**63 - 1, -(2**63)]
        assert self.column(read, *ends, "9223372036854775808").dtype == pl.String
        assert self.column(read, "1" * 30).to_list() == ["1" * 30]

    @pytest.mark.parametrize("cells", [("9007199254740993", "0.5"), ("0.5", "9007199254740993")])
    def test_large_integers_beside_fractions_stay_text(self, read, cells: tuple[str, str]) -> None:
        table = read(("a,b\n" + "".join(f"{cell},1\n" for cell in cells)).encode())
        assert table.frame["a"].to_list() == list(cells)
        assert "more than 15 digits beside fractions" in table.notes[0]

    def test_the_same_over_blocks_and_with_a_note(self, read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_proof, "BLOCK_BYTES", 64)
        table = read(b"a,b\n" + b"9007199254740993,1\n" * 20 + b"0.5,1\n" * 20)
        assert table.frame["a"].dtype == pl.String
        assert table.frame["a"][0] == "9007199254740993"
        assert "more than 15 digits beside fractions" in table.notes[0]

    @pytest.mark.parametrize(
        "word", ["NA", "None", "null", "nan", "NaN", "Infinity", "+5", "1,000", "0x10", "1_0", " 5"]
    )
    def test_words_and_ornaments_keep_a_column_text(self, read, word: str) -> None:
        quoted = f'"{word}"' if "," in word else word
        assert self.column(read, "1", quoted).to_list() == ["1", word]

    def test_one_late_word_is_noted_with_its_row(self, read) -> None:
        table = read(b"a,b\n" + b"1,2\n" * 30_000 + b"abc,2\n")
        assert table.frame["a"].dtype == pl.String
        assert table.notes == (
            "Column 'a' is read as text and not as numbers because of row 30,001, which is no number",
        )

    @pytest.mark.parametrize(
        ("kind", "good", "odd"),
        [
            ("date", "2024-02-28", "2024-02-30"),
            ("time", "2024-02-28 10:00:00", "2024-02-28 24:00:00"),
            ("time", "2024-02-28T10:00:00", "2024-02-28T10:00:00Z"),
        ],
    )
    def test_so_is_one_day_or_time_that_is_none(self, read, kind: str, good: str, odd: str) -> None:
        table = read(("a,b\n" + f"{good},2\n" * 50 + f"{odd},2\n").encode())
        assert table.frame["a"].dtype == pl.String
        assert table.notes == (
            f"Column 'a' is read as text and not as {kind}s because of row 51, which is no {kind}",
        )

    def test_a_column_of_words_is_not_noted(self, read) -> None:
        assert read(b"a,b\nx,2\ny,3\n").notes == ()

    @pytest.mark.parametrize("word", ["1e999", "-1E400", "1" * 310 + ".5"])
    def test_a_number_beyond_doubles_stays_text(self, read, word: str) -> None:
        assert self.column(read, "1.5", word).to_list() == ["1.5", word]

    def test_subnormals_are_exact(self, read) -> None:
        assert self.column(read, "4.9e-324", "2.2250738585072011e-308").to_list() == [
            4.9e-324,
            2.2250738585072011e-308,
        ]

    def test_booleans_in_any_case_but_not_mixed_with_others(self, read) -> None:
        assert self.column(read, "true", "False", "TRUE", '""').to_list() == [True, False, True, None]
        assert self.column(read, "true", "yes").to_list() == ["true", "yes"]
        assert self.column(read, "true", "1").to_list() == ["true", "1"]

    def test_iso_dates_only(self, read) -> None:
        assert self.column(read, "2024-02-29", "").to_list() == [dt.date(2024, 2, 29), None]
        assert self.column(read, "2024-02-30").to_list() == ["2024-02-30"]
        assert self.column(read, "01/02/2024").to_list() == ["01/02/2024"]
        assert self.column(read, "2024-01-02T03:04:05", "2024-01-02 03:04:05.5").to_list() == [
            dt.datetime(2024, 1, 2, 3, 4, 5),
            dt.datetime(2024, 1, 2, 3, 4, 5, 500_000),
        ]

    def test_a_column_without_values(self, read) -> None:
        assert read(b"a,b\n,1\n,2\n").frame["a"].to_list() == [None, None]

    def test_floats_read_as_python_reads_them(self, read) -> None:
        rng = random.Random(5)
        texts = [repr(rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300)) for _ in range(2000)]
        assert self.column(read, *texts).to_list() == [float(text) for text in texts]


def oracle(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


cells = st.text(alphabet=st.sampled_from('ab0,"\n é 🙂\t;-.'), max_size=6)


@settings(max_examples=75)
@given(
    rows=st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([1, 7, 64, 1 << 20]),
)
@example(rows=[["", ""], ["a", "\n"]], quoting=csv.QUOTE_MINIMAL, end="\r\n", block=1)
def test_every_record_and_cell_survives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoting: int, end: str, block: int
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=quoting, lineterminator=end)
    writer.writerows([["p", "q"], *rows, ["text", "text"]])  # the last row keeps both columns text
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_proof, "BLOCK_BYTES", block)
        table = read_table(path)
    expected = oracle(buffer.getvalue())[1:]
    assert table.rows_read == table.frame.height == len(expected)
    assert [["" if cell is None else cell for cell in row] for row in table.frame.rows()] == expected


@settings(max_examples=100)
@given(content=st.text(alphabet=st.sampled_from('ab,"\n\r'), min_size=1, max_size=30))
@example(content='a"b\n1\n')
def test_any_text_is_read_in_full_or_refused(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(content, encoding="utf-8", newline="")
    try:
        table = read_table(path)
    except DataError:
        return
    header, *records = oracle(content)
    assert table.frame.columns == header
    assert [["" if cell is None else str(cell) for cell in row] for row in table.frame.rows()] == records


BY_PYTHON: dict[str, Callable[[str], object]] = {
    "Int64": int,
    "Float64": float,
    "Boolean": lambda cell: cell.lower() == "true",
    "Date": dt.date.fromisoformat,
    "Datetime(time_unit='us', time_zone=None)": dt.datetime.fromisoformat,
    "String": str,
}
columns_of_cells = [
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["true", "FALSE", "True"]),
    st.dates().map(str),
    st.datetimes().map(lambda time: time.isoformat(" ", "microseconds")),
    st.sampled_from(["1", "2.5", "x", "2024-01-01", "true", '"', ",", "\n"]),
]


@settings(max_examples=60)
@given(
    data=st.data(), n_rows=st.integers(1, 8), block=st.sampled_from([1, 40, 1 << 20]), quoted=st.booleans()
)
def test_typed_cells_are_what_python_makes_of_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, n_rows: int, block: int, quoted: bool
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(columns_of_cells), min_size=2, max_size=4))
    columns = [data.draw(st.lists(kind | st.just(""), min_size=n_rows, max_size=n_rows)) for kind in kinds]
    rows = list(zip(*columns, strict=True))
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(
        [[f"c{i}" for i in range(len(columns))], *rows]
    )
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_proof, "BLOCK_BYTES", block)
        frame = read_table(path).frame
    makers = [BY_PYTHON[str(dtype)] for dtype in frame.dtypes]
    expected = [
        tuple(make(cell) if cell else None for make, cell in zip(makers, row, strict=True)) for row in rows
    ]
    assert [tuple(None if cell == "" else cell for cell in row) for row in frame.rows()] == expected


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pl.DataFrame({f"f{i}": pl.int_range(100_000, eager=True) * 0.5 for i in range(5)}).write_csv(path)
    table = read_table(path)
    assert table.rows_read == 100_000
    assert math.isclose(table.frame["f0"].sum(), 0.5 * 100_000 * 99_999 / 2)
