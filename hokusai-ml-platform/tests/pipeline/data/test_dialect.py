"""How a text is written is found from its first records, or said by the options."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.dialect import Dialect, ReturnsAsLineFeeds, dialect_of
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.source_file import OpenedFile


@pytest.fixture
def found(tmp_path: Path):
    def find(content: str, **options: object) -> Dialect:
        path = tmp_path / "a.csv"
        path.write_bytes(content.encode())
        return dialect_of(OpenedFile(path), ReadOptions(**options))

    return find


class TestDelimiter:
    @pytest.mark.parametrize(
        ("content", "delimiter"),
        [
            ("a,b\n1,2\n", ","), ("a;b\n1;2\n", ";"), ("a|b\n1|2\n", "|"), ("a\tb\n1\t2\n", "\t"), ("a\n1\n", ","),
            ("x;y\n1,5;2,5\n", ";"), ("1,5;2,5\n3,5;4,5\n", ";"), ("a,b\nx;y,1\n", ","), ("a,b,c;d\n1,2,3;4\n", ","),
            ('a,b\n"x;y;z",1\n"u;v;w",2\n', ","), ("a,b\n1\n1,2,3\n", ","), ('"a;b",c\n1,2\n', ","),
            ("a|b,c|d\n1|2|3\n4|5|6\n", "|"),
        ],
    )  # fmt: skip
    def test_it_is_what_makes_records_alike(self, found, content: str, delimiter: str) -> None:
        assert found(content).delimiter == delimiter

    def test_the_options_win(self, found) -> None:
        dialect = found("a;b,c\n1;2,3\n", delimiter=";")
        assert (dialect.columns, dialect.assumed) == (("a", "b,c"), ())
        assert found("a:b\n1:2\n", delimiter=":").columns == ("a", "b")

    @pytest.mark.parametrize("delimiter", ["", "::", "\n", '"', "é", "\0"])
    def test_what_cannot_separate_is_refused(self, found, delimiter: str) -> None:
        if delimiter:
            with pytest.raises(ConfigurationError, match="cannot separate"):
                found("a,b\n1,2\n", delimiter=delimiter)

    @settings(max_examples=50)
    @given(
        rows=st.lists(
            st.lists(st.text('abc ,;|\t"\n', max_size=6), min_size=3, max_size=3), min_size=2, max_size=6
        ),
        delimiter=st.sampled_from(",;|\t"),
    )
    def test_quoted_fields_may_hold_the_others(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
    ) -> None:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["x", "y", "z"], *rows])
        path = tmp_path_factory.mktemp("dialect") / "a.csv"
        path.write_bytes(buffer.getvalue().encode())
        assert dialect_of(OpenedFile(path), ReadOptions()).delimiter == delimiter


class TestSpreadsheets:
    def test_they_say_the_delimiter_in_a_line_of_its_own(self, found) -> None:
        dialect = found("sep=;\r\na;b,c\r\n1;2,3\r\n")
        assert (dialect.delimiter, dialect.columns, dialect.skipped_lines) == (";", ("a", "b,c"), 2)
        assert dialect.assumed == (
            "Its first line (sep=) was written by a spreadsheet, and left out", "Its fields are separated by ';'"
        )  # fmt: skip
        assert found("sep=x,b\n1,2\n").columns == ("sep=x", "b")
        with pytest.raises(ConfigurationError, match="cannot separate"):
            found('sep="\na,b\n1,2\n')
        with pytest.raises(DataError, match="has no rows"):
            found("sep=;\n")


class TestHeader:
    @pytest.mark.parametrize(
        "content",
        ["1,2\n3,4\n", "2024-01-01,1.5\n2024-01-02,2.5\n", "1;2,5\n3;4,5\n", "true,1\nfalse,2\n", "5\n6\n"],
    )
    def test_values_like_the_following_ones_are_data(self, found, content: str) -> None:
        dialect = found(content)
        assert dialect.columns == tuple(f"column_{i + 1}" for i in range(dialect.width))
        assert (dialect.skipped_bytes, dialect.skipped_lines) == (0, 0)
        told = "It has no header: its first record is like the following ones; if it is the header, say so: --header"
        assert told in dialect.assumed

    @pytest.mark.parametrize(
        "content", ["a,2\n3,4\n", "1,2\nx,4\n", "id\n6\n", "1,2\n", "2019,label\n1.5,yes\n"]
    )
    def test_anything_else_is_a_header(self, found, content: str) -> None:
        assert found(content).columns == tuple(content.splitlines()[0].split(","))

    @pytest.mark.parametrize(
        ("content", "places"),
        [
            ("1,good,0.5\n2,bad,0.25\n3,good,0.1\n", "columns 1 and 3"), ("alice,31\nbob,47\n", "column 2"),
            ("x,2024-01-01\ny,2024-01-02\n", "column 2"), ("good,7\nbad,N/A\ngood,8\n", "column 2"),
            ("x,1,2\ny,3,4\n", "columns 2 and 3"),
        ],
    )  # fmt: skip
    def test_a_value_over_values_is_data_whatever_else_there_is(
        self, found, content: str, places: str
    ) -> None:
        dialect = found(content)
        assert dialect.skipped_bytes == 0
        told = (
            f"its first record is like the following ones in {places}; if it is the header, say so: --header"
        )
        assert told in dialect.assumed[0]

    @pytest.mark.parametrize(
        "content",
        [
            "alice,good\nbob,bad\n", "name,2019,2020\nann,1,2\n", "name,1,2,3\nann,7,8,9\n", "t\nx\n",
            "5,apple\n1.5,pear\n",
        ],
    )  # fmt: skip
    def test_a_doubtful_header_is_said_to_be_one(self, found, content: str) -> None:
        dialect = found(content)
        assert dialect.columns == tuple(content.splitlines()[0].split(","))
        assert "taken for the header, but could be data" in dialect.assumed[0]
        assert found(content, has_header=True).assumed == ()
        assert found(content, types={dialect.columns[0]: "text"}).assumed == ()

    @pytest.mark.parametrize(
        "content",
        ["id,text\n1,a\n", "id,text\nq1,a\n", "id,text\na,how are you\n", "n,2019\n1,2\n", "a,b\n"],
    )
    def test_a_clear_header_needs_no_word(self, found, content: str) -> None:
        assert found(content).columns == tuple(content.splitlines()[0].split(","))
        assert found(content).assumed == ()

    @pytest.mark.parametrize(
        "content",
        [
            '"2019","2020"\n1,2\n', '"2019"\n1\n', '"2019","2020"\n1,"a,b"\n', '"2019","7"\n,""\n', '"1,5","2"\n1,2\n',
            '"2019","city"\n1,"Berlin"\n', '"2019"\t"2020"\n1\t2\n', '"true"\r\nfalse\r\n', '"1","2"\n3,4\n"5""",6\n',
        ],
    )  # fmt: skip
    def test_numbers_that_alone_stand_in_quotes_are_names(self, found, content: str) -> None:
        dialect = found(content)
        separator = dialect.delimiter
        assert list(dialect.columns) == next(csv.reader([content.splitlines()[0]], delimiter=separator))
        assert dialect.skipped_lines == 1
        assert not any("header" in told for told in dialect.assumed)

    @pytest.mark.parametrize(
        "content",
        ['"1","2"\n"3","4"\n', '"1",2\n3,4\n', '1,2\n"3",4\n', '"1","2"\n"3",\n"5",\n', '"1"\n"2"\n3\n'],
    )
    def test_numbers_in_quotes_like_the_following_ones_are_data(self, found, content: str) -> None:
        assert found(content).skipped_lines == 0

    def test_the_options_win(self, found) -> None:
        assert found("1,2\n3,4\n", has_header=True).columns == ("1", "2")
        assert found("a,b\n3,4\n", has_header=False, columns=("x", "y")).columns == ("x", "y")
        assert found("\n\na,b\n", has_header=False).columns == ("column_1", "column_2")

    def test_a_header_may_have_line_ends_in_its_names(self, found) -> None:
        dialect = found('"a\nb",c\n1,2\n')
        assert (dialect.columns, dialect.skipped_bytes, dialect.skipped_lines) == (("a\nb", "c"), 8, 2)

    def test_a_header_with_a_quote_never_closed(self, found) -> None:
        with pytest.raises(DataError, match="Line 1 has a quote or a carriage return that does not fit"):
            found('a,"b\n1,2\n')


class TestComments:
    def test_they_count_as_lines(self, found) -> None:
        dialect = found("# by us\n#\n\na,b\n1,2\n")
        assert (dialect.columns, dialect.skipped_bytes, dialect.skipped_lines) == (("a", "b"), 15, 4)

    def test_a_name_may_begin_with_a_number_sign(self, found) -> None:
        assert found("# by us\n#id,b\n1,2\n").columns == ("#id", "b")
        assert found("#id\n").columns == ("#id",)

    @pytest.mark.parametrize(
        ("content", "comments", "columns"),
        [
            ("#tag,n\n#happy,1\nok,2\n", 0, ("#tag", "n")), ("# by us\n#tag,n\n#happy,1\nok,2\n", 1, ("#tag", "n")),
            ("# by us, and you\n# on 2024-01-01\na,b\n1,2\n", 2, ("a", "b")), ("#a;b\n#c;1\nd;2\n", 0, ("#a", "b")),
            ("#tag,n\n#short\n\n#happy,1\nok,2\n", 0, ("#tag", "n")),
            ("#t,1\n#u,2\nv,3\n", 0, ("column_1", "column_2")),
            ("#happy\n#sad\nok\n", 0, ("#happy",)),
        ],
    )  # fmt: skip
    def test_a_line_with_as_many_fields_as_the_others_is_none(
        self, found, content: str, comments: int, columns: tuple[str, ...]
    ) -> None:
        dialect = found(content)
        has_header = dialect.columns[0] != "column_1"
        assert (dialect.columns, dialect.skipped_lines) == (columns, comments + has_header)
        told = [one for one in dialect.assumed if "comments" in one]
        assert told == [f"Lines on top that begin with # were taken for comments: {comments}"] * bool(
            comments
        )

    def test_none_is_one_where_there_is_no_header(self, found) -> None:
        for content in ("#t1,1\n#t2,2\nw,3\n", "# a\n# b\nc\n", "#a,1\n#b\n"):
            dialect = found(content, has_header=False)
            assert (dialect.skipped_bytes, dialect.assumed) == (0, ())

    @pytest.mark.parametrize(
        "content", ["# happy, 1\nok,2\n", "# happy,1\n#sad,2\nok,3\n", "# by us\nid\n1\n"]
    )
    def test_what_may_be_either_is_refused_by_its_line(self, found, content: str) -> None:
        with pytest.raises(DataError, match=r"Line 1 begins with #.* --no-header"):
            found(content)


@settings(max_examples=100)
@given(text=st.text(alphabet='a,"\r\n', max_size=30), n_bytes=st.integers(1, 8))
def test_returns_become_line_feeds_outside_quotes_only(text: str, n_bytes: int) -> None:
    expected, within = "", False
    for character in text:
        within ^= character == '"'
        expected += "\n" if character == "\r" and not within else character
    reader = ReturnsAsLineFeeds(io.BytesIO(text.encode()))
    assert b"".join(iter(lambda: reader.read(n_bytes), b"")).decode() == expected
