"""What a file is, by its bytes; its digest; the conservation of rows."""

import bz2
import hashlib
import io
import lzma
import os
import zipfile
from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import DataError
from hokusai.pipeline.data.reading import open_table, read_table
from hokusai.pipeline.data.source_file import OpenedFile, check_conservation


def write(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", content)
    return buffer.getvalue()


class TestFormat:
    @pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.csv.gz"])
    def test_other_compressions_are_refused_whatever_their_name(self, tmp_path: Path, name: str) -> None:
        plain = b"a,b\n1,2\n"
        for content, kind in (
            (zipped(plain), "zip"), (bz2.compress(plain), "bzip2"), (lzma.compress(plain), "xz"),
        ):  # fmt: skip
            with pytest.raises(DataError, match=rf"compressed \({kind}\).*Unpack"):
                read_table(write(tmp_path, name, content))

    def test_parquet_is_known_by_its_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        pl.DataFrame({"a": [1, 2]}).write_parquet(path)
        assert (read_table(path).format, read_table(path).frame["a"].to_list()) == ("parquet", [1, 2])

    def test_a_name_that_the_bytes_deny(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="says Parquet, but the bytes do not"):
            read_table(write(tmp_path, "a.parquet", b"a,b\n\x00\x01\n"))
        with pytest.raises(DataError, match="says JSON, but the first character is 'a'"):
            read_table(write(tmp_path, "a.json", b"a b\n1 2\n"))

    def test_a_header_that_begins_like_json_is_still_csv(self, tmp_path: Path) -> None:
        assert read_table(write(tmp_path, "a.csv", b"[id],{x}\n1,2\n")).frame.columns == ["[id]", "{x}"]

    def test_an_unknown_suffix_is_read_by_content(self, tmp_path: Path) -> None:
        assert read_table(write(tmp_path, "data", b"a,b\n1,2\n")).format == "csv"

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no such file"):
            read_table(tmp_path / "a.csv")


class TestDigest:
    @pytest.mark.parametrize(
        ("name", "content"),
        [("a.csv", b'a\n"x"\n\n1\n'), ("a.json", b' [{"a": 1}] \n\n'), ("a.jsonl", b'{"a": 1}\n')],
    )
    def test_it_is_that_of_the_files_bytes(self, tmp_path: Path, name: str, content: bytes) -> None:
        table = read_table(write(tmp_path, name, content))
        assert (table.sha256, table.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))

    def test_parquet_too(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        pl.DataFrame({"a": [1]}).write_parquet(path)
        assert read_table(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_a_file_that_changes_meanwhile_is_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", b"a\n1\n")
        file = OpenedFile(path)
        assert file.sha256 == hashlib.sha256(b"a\n1\n").hexdigest()
        with path.open("ab") as other:
            other.write(b"2\n")
        with pytest.raises(DataError, match="changed while it was being read"):
            file.check_unchanged()
        with pytest.raises(DataError, match="changed while it was being read"), file.text():
            pass

    def test_a_file_that_changes_between_proof_and_batches_is_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", b"a\n1\n")
        scan = open_table(path)
        path.write_bytes(b"a\n2\n")
        os.utime(path, ns=(1, 1))
        with pytest.raises(DataError, match="changed while it was being read"):
            next(scan.batches())

    def test_a_table_shows_what_it_is(self, tmp_path: Path) -> None:
        assert (
            repr(read_table(write(tmp_path, "a.csv", b"a,b\n1,2\n")))
            == "Table(a.csv, csv, 1 rows x 2 columns)"
        )


def test_conservation_is_enforced() -> None:
    with pytest.raises(DataError, match="3 records were counted in the file, but 2 rows"):
        check_conservation("a.csv", 3, 2)
