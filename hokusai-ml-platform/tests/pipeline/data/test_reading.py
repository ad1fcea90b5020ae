"""What a file is, by its bytes; its digest; Parquet; the conservation of rows."""

import bz2
import datetime as dt
import hashlib
import io
import lzma
import os
import struct
import zipfile
from decimal import Decimal
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
            read_table(write(tmp_path, "a.parquet", b"a,b\n1,2\n"))
        with pytest.raises(DataError, match="says JSON, but the first character is 'a'"):
            read_table(write(tmp_path, "a.json", b"a,b\n1,2\n"))

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


class TestParquet:
    def parquet(self, tmp_path: Path, frame: pl.DataFrame) -> Path:
        path = tmp_path / "a.parquet"
        frame.write_parquet(path)
        return path

    def test_cut_off_files(self, tmp_path: Path) -> None:
        whole = self.parquet(tmp_path, pl.DataFrame({"a": list(range(1000))})).read_bytes()
        for length in (4, 8, 100, len(whole) // 2, len(whole) - 1):
            with pytest.raises(DataError, match="cut off"):
                read_table(write(tmp_path, "b.parquet", whole[:length]))

    def test_a_false_magic_at_both_ends(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="damaged"):
            read_table(write(tmp_path, "b.parquet", b"PAR1" + b"x" * 40 + struct.pack("<i", 20) + b"PAR1"))

    def test_a_damaged_footer_never_ends_in_a_panic(self, tmp_path: Path) -> None:
        whole = bytearray(
            self.parquet(tmp_path, pl.DataFrame({"a": ["x"] * 50, "b": [1.5] * 50})).read_bytes()
        )
        for at in range(len(whole) - 300, len(whole) - 4, 7):
            broken = bytearray(whole)
            broken[at] ^= 0xFF
            try:
                table = read_table(write(tmp_path, "b.parquet", bytes(broken)))
            except DataError:
                continue
            assert table.rows_read == table.frame.height

    def test_no_rows(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no rows"):
            read_table(self.parquet(tmp_path, pl.DataFrame({"a": []}, schema={"a": pl.Int64})))

    def test_types_that_a_table_holds(self, tmp_path: Path) -> None:
        frame = pl.DataFrame(
            {
                "nan": pl.Series([1.5, float("nan"), None]),
                "small": pl.Series([1, 2, 3], dtype=pl.Int8),
                "unsigned": pl.Series([1, 2, 3], dtype=pl.UInt64),
                "category": pl.Series(["x", "y", None], dtype=pl.Categorical),
                "kind": pl.Series(["x", "y", "x"], dtype=pl.Enum(["x", "y"])),
                "nothing": pl.Series([None, None, None], dtype=pl.Null),
                "price": pl.Series([Decimal("1.25"), None, Decimal("3.50")]),
                "day": [dt.date(2024, 1, 1)] * 3,
                "far": pl.Series([2**62, 0, None], dtype=pl.Int64).cast(pl.Datetime("us")),
            }
        )
        table = read_table(self.parquet(tmp_path, frame))
        assert table.frame["nan"].to_list() == [1.5, None, None]
        assert table.frame["unsigned"].dtype == pl.Int64
        assert table.frame["category"].to_list() == ["x", "y", None]
        assert table.frame["kind"].dtype == table.frame["nothing"].dtype == pl.String
        assert table.frame["price"].to_list() == [1.25, None, 3.5]
        assert "'price' is Decimal" in table.notes[0]
        assert table.frame["small"].dtype == pl.Int8

    @pytest.mark.parametrize(
        ("column", "pattern"),
        [
            (pl.Series("a", [[1], [2]]), "'a' has the type List"),
            (pl.Series("a", [{"x": 1}, {"x": 2}]), "'a' has the type Struct"),
            (pl.Series("a", [b"x", b"y"]), "'a' has the type Binary"),
            (pl.Series("a", [dt.timedelta(1), None]), "'a' has the type Duration"),
            (
                pl.Series("a", [1, 2**64 - 1], dtype=pl.UInt64),
                "row 2 holds an integer beyond 64 bits: 18446744073709551615",
            ),
            (pl.Series("a", [1.0, float("inf")]), "row 2 holds an infinite number"),
            (pl.Series(" ", [1]), "no name"),
        ],
    )
    def test_types_that_it_does_not(self, tmp_path: Path, column: pl.Series, pattern: str) -> None:
        with pytest.raises(DataError, match=pattern):
            read_table(self.parquet(tmp_path, column.to_frame()))

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        path = tmp_path / "a.parquet"
        pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
        with pytest.raises(DataError, match="not readable"):
            read_table(path)
