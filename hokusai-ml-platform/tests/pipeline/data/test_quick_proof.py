"""The compiled walk over delimited text: whatever it says, the proof by position and the patterns of types say too."""

from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data import csv_proof, quick_proof
from hokusai.pipeline.data.cell_types import EXACT_INTEGER_DIGITS, CellType, ColumnTypes, all_fit
from hokusai.pipeline.data.csv_reading import scan_csv
from hokusai.pipeline.data.records import prove
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.source_file import OpenedFile

TYPES = (CellType.INTEGER, CellType.FLOAT, CellType.BOOLEAN, CellType.DATE, CellType.DATETIME)
ORDINARY = {
    CellType.INTEGER: ["0", "7", "-7", "120", "123456789012345", ""],
    CellType.FLOAT: [
        "0",
        "-0",
        "1.",
        ".5",
        "-0.25",
        "12",
        "1e5",
        "1.5E-07",
        "2e+30",
        "0.30000000000000004",
        "",
    ],
    CellType.BOOLEAN: ["true", "FALSE", "True", ""],
    CellType.DATE: ["2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29", ""],
    CellType.DATETIME: ["2024-02-29 23:59:59", "2024-02-29T00:00:00.123456", "1970-01-01T10:00:00.5", ""],
}
nasty = st.text(alphabet=st.sampled_from('ab,"\n\r'), min_size=1, max_size=24).map(str.encode)
cells = st.one_of(
    st.sampled_from([cell for of_one in ORDINARY.values() for cell in of_one]),
    st.text(alphabet="0123456789-+.eET: ", max_size=28),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.from_regex(
        r"[0-9]{3}[0-9]-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,7})?)?", fullmatch=True
    ),
    st.sampled_from(["tru", "truee", "falsy", "f", "-", ".", "-.", "e5", "1e", "1e+", "00", "-0", "01.5", "1.5.2"]),
    st.sampled_from(["1900-02-29", "2100-02-29", "2023-04-31", "0000-01-01", "2024-13-01", "2024-00-10", "2024-01-00"]),
)  # fmt: skip


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_proof, "pays", lambda _: True)


@settings(max_examples=100)
@given(block=nasty, width=st.integers(1, 3))
@example(block=b'"a"b,c\n', width=2)
@example(block=b'a,"b\n', width=2)
@example(block=b'a,"b"\n"', width=2)
@example(block=b"a\r,b\n", width=2)
@example(block=b"a,b\r\nc,d\n", width=2)
@example(block=b",\na,b\n", width=2)
def test_what_is_proved_in_one_walk_is_proved_by_position(block: bytes, width: int) -> None:
    quick = quick_proof.quick_proof(block, ",", [None] * width)
    proved = prove(block, ",", width)
    if quick is None:
        assert proved is None or proved.cuts or proved.empty or not block.endswith(b"\n")
    else:
        assert proved is not None
        assert asdict(quick) == asdict(replace(proved, empty=()))


@settings(max_examples=60)
@given(row=st.lists(cells, min_size=2, max_size=30), kind=st.sampled_from(TYPES))
def test_a_settled_column_has_nothing_to_teach(row: list[str], kind: CellType) -> None:
    proved = quick_proof.quick_proof(",".join([*row, "x\n"]).encode(), ",", [*[kind] * len(row), None])
    assert proved is not None
    assert len(row) not in proved.settled
    settled = [row[at] for at in proved.settled]
    if settled:
        assert all_fit(pl.Series(settled), kind)
        types = ColumnTypes(["c"])
        for some in (ORDINARY[kind][1:], settled):  # as if nothing had been settled
            types.see(pl.DataFrame({"c": some}), range(1, len(some) + 1))
        assert types.result() == {"c": kind}
        assert kind is not CellType.INTEGER or max(map(len, settled)) <= EXACT_INTEGER_DIGITS


@pytest.mark.parametrize("kind", TYPES)
def test_ordinary_values_are_settled(kind: CellType) -> None:
    block = "".join(f"{cell};x\r\n" for cell in ORDINARY[kind]).encode()
    proved = quick_proof.quick_proof(block, ";", [kind, None])
    assert proved is not None
    assert proved.settled == {0}


@pytest.mark.parametrize("delimiter", [" ", ":", "-", ".", "e", "5", "T"])
def test_a_value_does_not_swallow_the_delimiter(delimiter: str) -> None:
    block = b"2024-01-02 10:00:00 6\n1.5e5e5\n"
    for kind in TYPES:
        assert quick_proof.quick_proof(block, delimiter, [kind, kind]) is None


def test_a_quoted_cell_is_looked_at_again() -> None:
    proved = quick_proof.quick_proof(b'1,"2"\n3,"x\n"\n', ",", [CellType.INTEGER, CellType.INTEGER])
    assert proved is not None
    assert (proved.settled, proved.rows, proved.lines) == ({0}, 2, 3)


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(cells, cells.map(lambda cell: f'"{cell}"'), cells), min_size=4, max_size=12),
    declared=st.sampled_from([None, *TYPES]),
)
def test_a_file_is_the_same_with_and_without(
    rows: list[tuple[str, str, str]], declared: CellType | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "quick.csv"
    ordinary = "".join(
        f"{n},w{n},{n}.5\n" for n in range(40)
    )  # so that there are types before there are surprises
    path.write_text("a,b,c\n" + ordinary + "".join(",".join(row) + "\n" for row in rows))
    options = ReadOptions(types={"c": declared} if declared else {}, on_error="reject")
    found = []
    for quick in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_proof, "BLOCK_BYTES", 64)
            patch.setattr(quick_proof, "pays", lambda _, quick=quick: quick)
            scan = scan_csv(OpenedFile(Path(path)), options)
            batches = [batch for batch in scan.batches() if batch.height]
            found.append((scan.schema, scan.notes, scan.rejects, [batch.rows() for batch in batches]))
    assert found[0] == found[1]
