"""Every nasty file is read in full, read with each missing row accounted for, or refused in words that help."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError, HokusaiError
from hokusai.pipeline.data import csv_proof
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.frames import to_pandas, to_polars
from hokusai.pipeline.data.reading import open_table, read_table
from hokusai.pipeline.data.scan import Limits, ReadOptions, TableScan
from tests.growth import assert_grows_with_size

from .nasty_files import ALL, NastyFile


@pytest.fixture(params=ALL, ids=lambda nasty: nasty.case)
def nasty(request: pytest.FixtureRequest) -> NastyFile:
    return request.param


def saved(nasty: NastyFile, folder: Path) -> Path:
    path = folder / nasty.name
    path.write_bytes(nasty.content)
    return path


def options(nasty: NastyFile, on_error: str) -> ReadOptions:
    return ReadOptions(types=nasty.types, limits=nasty.limits, on_error=on_error)


def test_strictly_it_is_read_in_full_or_refused(nasty: NastyFile, tmp_path: Path) -> None:
    path = saved(nasty, tmp_path)
    if nasty.refused:
        with pytest.raises(DataError, match=nasty.refused) as caught:
            read_table(path, options(nasty, "raise"))
        assert nasty.name in str(caught.value)
    else:
        check(nasty, open_table(path, options(nasty, "raise")))


def test_tolerantly_each_row_is_kept_or_set_aside(nasty: NastyFile, tmp_path: Path) -> None:
    path = saved(nasty, tmp_path)
    if nasty.refused and not nasty.rejected:
        with pytest.raises(DataError, match=nasty.refused):
            read_table(path, options(nasty, "reject"))
    else:
        check(nasty, open_table(path, options(nasty, "reject")))


def check(nasty: NastyFile, scan: TableScan) -> None:
    frames = list(scan.batches())
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=scan.schema)
    if isinstance(nasty.rows, int):
        assert frame.height == nasty.rows
    else:
        assert frame.rows() == nasty.rows
    assert [(reject.line, reject.reason) for reject in scan.rejects] == list(nasty.rejected)
    assert scan.rows_read == frame.height + len(scan.rejects)
    assert len(scan.source.assumed) == len(nasty.assumed)
    assert all(words in "; ".join(scan.source.assumed) for words in nasty.assumed)
    assert len(scan.notes) == len(nasty.notes)
    assert all(words in "; ".join(scan.notes) for words in nasty.notes)
    assert scan.source.sha256 == hashlib.sha256(nasty.content).hexdigest()


@pytest.mark.parametrize(
    "nasty", [n for n in ALL if n.rows is not None and len(n.content) < 1 << 20], ids=lambda nasty: nasty.case
)
def test_as_a_pandas_table_it_has_the_same_hash(nasty: NastyFile, tmp_path: Path) -> None:
    rows = read_table(saved(nasty, tmp_path), options(nasty, "reject")).frame
    assert dataset_hash(to_polars(to_pandas(rows))[0]) == dataset_hash(rows)


@settings(max_examples=40)
@given(
    cells=st.lists(
        st.sampled_from(
            [(), (9007199254740993, 1), ("true", "False"), ("2024-02-29",), ("2024-02-29 01:02:03.4",), (0.5, -7)]
        ).flatmap(lambda values: st.lists(st.sampled_from(["", *map(str, values)]), min_size=3, max_size=3)),
        min_size=2, max_size=4,
    )
)  # fmt: skip
def test_columns_of_every_type_with_missing_values_have_one_hash(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("kinds") / "a.csv"
    names = [f"c{i}" for i in range(len(cells))]
    path.write_text("\n".join(",".join(row) for row in [names, *zip(*cells, strict=True)]))
    rows = read_table(path).frame
    assert dataset_hash(to_polars(to_pandas(rows))[0]) == dataset_hash(rows)


class TestRejects:
    def test_they_name_row_line_and_the_raw_bytes_by_digest(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b'a,b\n"x\ny",1\n\nsecret\nz,q\nw,2\n')
        scan = open_table(path, ReadOptions(types={"b": "integer"}, on_error="reject"))
        short, misfit = scan.rejects
        assert (short.source, short.row, short.line, short.column) == ("a.csv", 2, 5, "")
        assert short.sha256 == hashlib.sha256(b"secret\n").hexdigest()
        assert (misfit.row, misfit.line, misfit.column) == (3, 6, "b")
        assert misfit.sha256 == hashlib.sha256(b"z,q\n").hexdigest()
        assert "secret" not in repr(scan.rejects) + repr(scan.notes) + repr(scan.source)
        assert pl.concat(scan.batches()).rows() == [("x\ny", 1), ("w", 2)]

    def test_errors_quote_no_values(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b'a,b\nsecret,1,2\nsecret" x,1\nsecret,3\n')
        with pytest.raises(DataError, match="2 rows cannot be read") as caught:
            read_table(path, ReadOptions(types={"b": "integer"}))
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
    def test_they_do_not_depend_on_how_the_file_is_cut_into_blocks(
        self, block_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = b'a,b\n1,2\n5" x,1\n"p\nq",3\n\n7\n"r\n","s"\nz,w\nx"\n"u",5\n9,"v\n8,1\n'
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        monkeypatch.setattr(csv_proof, "BLOCK_BYTES", block_bytes)
        scan = open_table(path, ReadOptions(types={"b": "integer"}, on_error="reject"))
        assert pl.concat(scan.batches()).rows() == [("1", 2), ("p\nq", 3), ("u", 5)]
        assert [(r.row, r.line) for r in scan.rejects] == [
            (2, 3), (4, 7), (5, 8), (6, 10), (7, 11), (9, 13), (10, 14)
        ]  # fmt: skip
        assert scan.rows_read == 10

    def test_many_of_them_cost_no_more_than_few(self, tmp_path: Path) -> None:
        def of_rows(triples: int):
            path = tmp_path / f"{triples}.csv"
            path.write_bytes(b"a,b\n" + b"x,1\n2\n3,4\n" * triples)

            def read() -> None:
                scan = open_table(path, ReadOptions(types={"a": "integer"}, on_error="reject"))
                assert (scan.rows_read, len(scan.rejects)) == (3 * triples, 2 * triples)
                assert [reject.line for reject in scan.rejects] == [
                    n for n in range(2, 3 * triples + 2) if n % 3 != 1
                ]
                assert [batch["a"].unique().to_list() for batch in scan.batches()] == [[3]]

            return read

        assert_grows_with_size(of_rows, 1_250, 10_000)


class TestOptions:
    def read(self, tmp_path: Path, content: bytes, **given: object) -> pl.DataFrame:
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        return read_table(path, ReadOptions(**given)).frame

    def test_a_header_of_numbers_if_it_is_said_to_be_one(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, b"2019,2020\n1,2\n", has_header=True).columns == ["2019", "2020"]

    def test_names_for_a_file_without_a_header(self, tmp_path: Path) -> None:
        frame = self.read(tmp_path, b"x,1\ny,2\n", has_header=False, columns=("t", "n"))
        assert frame.to_dict(as_series=False) == {"t": ["x", "y"], "n": [1, 2]}
        assert self.read(tmp_path, b"t,n\ny,2\n", columns=("t", "n")).rows() == [("y", 2)]
        with pytest.raises(DataError, match="3 column names are given, but the first record has 2"):
            self.read(tmp_path, b"x,1\n", has_header=False, columns=("t", "n", "m"))

    def test_an_encoding_is_followed_strictly(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, "t\nğş\n".encode("cp1254"), encoding="windows-1254").rows() == [("ğş",)]
        with pytest.raises(DataError, match=r"not ascii.*byte 3 \(line 2\)"):
            self.read(tmp_path, "t\nxé\n".encode("latin-1"), encoding="ascii")
        with pytest.raises(DataError, match=r"not UTF-8.*\(line 2\)"):
            self.read(tmp_path, "t\nxé\n".encode("latin-1"), encoding="utf-8")

    def test_a_mark_and_what_is_told_must_agree(self, tmp_path: Path) -> None:
        content = "\ufefft\né\n".encode("utf-16-be")
        assert self.read(tmp_path, content, encoding="utf-16").rows() == [("é",)]
        with pytest.raises(
            HokusaiError, match="said to be cp1252, but the file begins with the mark of utf-16-be"
        ):
            self.read(tmp_path, content, encoding="cp1252")

    def test_types_are_kept_to(self, tmp_path: Path) -> None:
        content = b"a,b,c\n1,true,2024-01-01\n2,,\n"
        frame = self.read(tmp_path, content, types={"a": "text", "b": "boolean", "c": "datetime", "z": "text"},
                          on_error="reject")  # fmt: skip
        assert frame.rows() == [("2", None, None)]
        assert [str(dtype) for dtype in frame.dtypes[:2]] == ["String", "Boolean"]

    @pytest.mark.parametrize(
        "given", [{"types": {"a": "number"}}, {"encoding": "klingon"}, {"encoding": "hex"}, {"delimiter": "::"},
                  {"delimiter": '"'}, {"format": "xls"}],
    )  # fmt: skip
    def test_what_there_is_not_is_refused(self, tmp_path: Path, given: dict[str, object]) -> None:
        with pytest.raises(HokusaiError, match=r"no text encoding|cannot|no format"):
            self.read(tmp_path, b"a,b\n1,2\n", **given)


def records_by_the_csv_module(content: bytes) -> int | None:
    """Records after the header, if all have its width; None if the module does not accept the text."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode(), newline=""), strict=True) if row]
    except (csv.Error, UnicodeDecodeError):
        return None
    return len(rows) - 1 if rows and {len(row) for row in rows} == {len(rows[0])} else None


def accounted(
    path: Path, block_bytes: int, on_error: str = "reject"
) -> tuple[TableScan, list[object]] | None:
    """The scan and what came of it, after its account was checked; None if the file is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_proof, "BLOCK_BYTES", block_bytes)
        try:
            scan = open_table(path, ReadOptions(on_error=on_error, limits=Limits(record_bytes=1 << 16)))
        except HokusaiError as refusal:
            assert "defect" not in str(refusal)
            return None
        rows = [row for batch in scan.batches() for row in batch.rows()]
    assert scan.rows_read == len(rows) + len(scan.rejects)
    assert [reject.row for reject in scan.rejects] == sorted({reject.row for reject in scan.rejects})
    return scan, [rows, scan.rejects, scan.schema, scan.notes, scan.source]


blocks = st.sampled_from([1, 5, 32])
piece = st.sampled_from(
    [b"a", b"7", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\xe9", "é".encode(), b"\0", b";", b"#"]
)


@settings(max_examples=60)
@given(content=st.binary(min_size=1, max_size=200), block_bytes=blocks)
@example(content=b"\t", block_bytes=1)
def test_random_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, block_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(content)
    accounted(path, block_bytes)


@settings(max_examples=75)
@given(pieces=st.lists(piece, min_size=1, max_size=40), block_bytes=blocks)
@example(pieces=[b"a", b",", b"a", b"\n", b'"', b"\n", b"a", b"\n", b'"', b"7"], block_bytes=1)
@example(pieces=["é".encode(), b",7\n\0,7\n\xe9,7"], block_bytes=5)
def test_what_becomes_of_text_made_of_nasty_pieces_depends_on_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], block_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(b"x,y\n" + b"".join(pieces))
    tolerant, in_one_block = accounted(path, block_bytes), accounted(path, 1 << 20)
    strict = accounted(path, block_bytes, "raise")
    assert (tolerant is None) == (in_one_block is None)
    if tolerant and in_one_block:
        assert tolerant[1] == in_one_block[1]
        assert (strict is None) == bool(tolerant[0].rejects)
    else:
        assert strict is None


GOOD = b'id,text,n\n1,"a, b",2.5\n2,"line\nend",3.5\n3,"say ""x""",4.5\n4,\xc3\xa9t\xc3\xa9,5.5\n5,,6.5\n'


@settings(max_examples=100)
@given(
    changes=st.lists(
        st.tuples(st.integers(10, len(GOOD) - 1), st.sampled_from(b',"\n\rx\0\xff')), max_size=4
    ),
    block_bytes=blocks,
)
def test_a_file_with_changed_bytes_keeps_its_account(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], block_bytes: int
) -> None:
    content = bytearray(GOOD)
    for at, byte in changes:
        content[at] = byte
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(content)
    found = accounted(path, block_bytes)
    expected = records_by_the_csv_module(bytes(content))
    if found and not found[0].rejects and found[0].source.encoding == "utf-8":
        assert found[0].rows_read == expected


@settings(max_examples=40)
@given(at=st.integers(0, 80), byte=st.integers(0, 255), cut=st.integers(0, 80))
def test_damaged_gzip_is_refused_or_read_in_full(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: int
) -> None:
    content = bytearray(gzip.compress(GOOD, mtime=0))
    if at < len(content):
        content[at] = byte
    path = tmp_path_factory.mktemp("fuzz") / "a.csv.gz"
    path.write_bytes(content[: len(content) - cut] or b"x")
    try:
        table = read_table(path)
    except HokusaiError:
        return
    assert table.rows_read == 5
