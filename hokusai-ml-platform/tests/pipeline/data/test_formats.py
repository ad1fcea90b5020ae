"""What a file is, by its bytes, whatever its name says; and that the difference is told."""

import gzip
import pickle
from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.formats import format_of
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.source_file import OpenedFile


@pytest.fixture
def saved(tmp_path: Path):
    def save(name: str, content: bytes) -> OpenedFile:
        path = tmp_path / name
        path.write_bytes(content)
        return OpenedFile(path)

    return save


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\n1,2\n", "csv"), (b"[id],{x}\n1,2\n", "csv"), (b'{x}\n"a"\n', "csv"), (b"\xef\xbb\xbf[ {", "json"),
        (b'\n [\n{"a": 1}]', "json"), (b"[]", "json"), (b'{"a": 1}\n{"a": 2}\n', "jsonl"), (b'{"a": 1}', "jsonl"),
        (b'{"data": [{"a": 1}]}\n', "json"), (b'{"a": [1, 2]}\n{"a": [3]}\n', "jsonl"), (b'{\n"a": [1]\n}\n', "json"),
        (b'{"data": [' + b'{"a": 1},' * 10_000 + b"{}]}", "json"), (b'{"a": "' + b"x" * 70_000 + b'"}\n', "jsonl"),
        ('\ufeff[{"a": 1}]'.encode("utf-16-le"), "json"), (b"ARROW1\0\0", "arrow"), (b"\xff\xff\xff\xff\x10", "arrow"),
    ],
)  # fmt: skip
def test_bytes_decide(saved, content: bytes, found: str) -> None:
    for name in ("data", "data.txt", "data.csv"):
        file = saved(name, content)
        assert format_of(file) == found
        said = [f"It is {found}, although its name says csv"] if name == "data.csv" and found != "csv" else []
        assert file.assumed == said
    if found != "arrow":
        assert format_of(saved("data.gz", gzip.compress(content))) == found


def test_a_name_decides_where_bytes_do_not(saved) -> None:
    assert format_of(saved("a.json", b'{"a": [1,\n2]}')) == "json"
    assert format_of(saved("a.jsonl", b'{"a": [1,\n2]}')) == "jsonl"
    assert format_of(saved("a.tsv", b"a\n1\n")) == format_of(saved("a.tab", b"a\n1\n")) == "tsv"


def test_parquet_is_known_at_both_ends(saved, tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    file = saved("a.csv", whole)
    assert (format_of(file), file.assumed) == ("parquet", ["It is parquet, although its name says csv"])
    with pytest.raises(DataError, match="is cut off"):
        format_of(saved("a.parquet", whole[:-1]))
    with pytest.raises(DataError, match="says Parquet, but the bytes do not"):
        format_of(saved("a.parquet", b"a,b\n1,\x012\n"))
    with pytest.raises(DataError, match="says Arrow, but the bytes do not"):
        format_of(saved("a.feather", b"\x00\x01"))


def test_a_binary_file_that_was_compressed_as_a_whole_is_refused(saved) -> None:
    for content in (b"PAR1xxxxPAR1", b"ARROW1\0\0"):
        with pytest.raises(DataError, match=r"compressed as a whole with gzip.*Unpack it first"):
            format_of(saved("a.gz", gzip.compress(content)))


def test_a_binary_format_that_is_told_and_is_not_there_is_refused_with_what_to_do(saved) -> None:
    for told, begins in (("parquet", "PAR1"), ("arrow", "ARROW1")):
        with pytest.raises(
            DataError, match=rf"said to be .* do not begin with '{begins}'.*Leave the format out"
        ):
            format_of(saved("a.csv", b"a,b\n1,2\n"), told)


def test_what_is_told_is_followed_unless_there_is_no_such_format(saved) -> None:
    assert format_of(saved("a.json", b"a,b\n1,2\n"), "csv") == "csv"
    with pytest.raises(ConfigurationError, match="no format 'xls'"):
        format_of(saved("a.csv", b"a,b\n1,2\n"), "xls")


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.parquet", "a.arrow"])
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet", "arrow"])
def test_a_wrong_suffix_is_recognised_whatever_it_is(tmp_path: Path, name: str, kind: str) -> None:
    frame, path = pl.DataFrame({"id": [1, 2], "text": ["x", "y"]}), tmp_path / name
    match kind:
        case "csv":
            frame.write_csv(path)
        case "json":
            frame.write_json(path)
        case "jsonl":
            frame.write_ndjson(path)
        case "parquet":
            frame.write_parquet(path)
        case _:
            frame.write_ipc(path)
    table = read_table(path)
    assert table.frame.rows() == frame.rows()
    assert table.format == kind
    said = name.removeprefix("a.")
    assert table.source is not None
    expected = () if said == kind else (f"It is {kind}, although its name says {said}",)
    assert table.source.assumed == expected


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><body>404, not found</body></html>\n", "a web page or XML"),
        (b"\n <HTML>\n", "a web page"), (b'<?xml version="1.0"?>\n<a/>', "a web page or XML"),
        (pickle.dumps([1, 2]), "a Python pickle.*run what its author wrote"), (b"%PDF-1.7\n1,2\n", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"), (b"SQLite format 3\0", "a SQLite database"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_named(saved, content: bytes, what: str) -> None:
    for name in ("a.csv", "a.json", "a.parquet", "a"):
        with pytest.raises(DataError, match=f"The file is {what}"):
            format_of(saved(name, content))


def test_a_column_may_be_named_like_the_beginning_of_a_page(saved) -> None:
    assert format_of(saved("a.csv", b"<htmlx>,b\n1,2\n")) == "csv"


def test_a_name_that_says_json_over_other_text(saved) -> None:
    with pytest.raises(DataError, match="says JSON, but the first character is 'a'"):
        format_of(saved("a.json.gz", gzip.compress(b"a,b\n")))
