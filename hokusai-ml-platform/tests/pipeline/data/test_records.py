"""Blocks of delimited text: what is proved by position agrees with parsers that go character by character."""

import csv
import io

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError
from hokusai.pipeline.data import records
from hokusai.pipeline.data.records import RecordBlocks, cut, examine, prove, record_ranges

nasty = st.text(alphabet=st.sampled_from('ab,"\n\r'), min_size=1, max_size=24).map(str.encode)


def oracle(block: bytes) -> list[list[str]]:
    """Rows by the standard library; a line without anything is none."""
    reader = csv.reader(io.StringIO(block.decode(), newline=""), strict=True)
    return [row for row in reader if row]


@settings(max_examples=200)
@given(block=nasty, width=st.integers(1, 3))
@example(block=b'"a""b",\n', width=2)
@example(block=b'a,b\n"",""\r\n', width=2)
@example(block=b",\na,b,c,\n", width=3)  # as many separators as three records of three would have
@example(block=b"a,b,c\na\n", width=2)
def test_what_is_proved_is_what_the_csv_module_reads(block: bytes, width: int) -> None:
    proved = prove(block, ",", width)
    slow = examine(block, ",", width, last=True)
    if proved is None:
        assert slow.faults or block.endswith(b"\r")
        return
    rows = oracle(block)
    assert {len(row) for row in rows} <= {width}
    assert proved.rows == slow.rows == len(rows)
    assert proved.text == slow.text
    assert not slow.faults
    if proved.rows:
        schema = {str(i): pl.String for i in range(width)}
        parsed = pl.read_csv(proved.text, has_header=False, schema=schema)
        assert [["" if cell is None else cell for cell in row] for row in parsed.rows()] == rows


@settings(max_examples=100)
@given(block=nasty, width=st.integers(1, 3))
def test_sound_records_and_faults_are_the_whole_block(block: bytes, width: int) -> None:
    found = examine(block, ",", width, last=True)
    assert found.consumed == len(block)
    again = prove(found.text, ",", width)
    assert again is not None
    assert again.rows == found.rows
    assert sorted(fault.number for fault in found.faults) == [fault.number for fault in found.faults]
    taken_out = b"".join(block[start:stop] for start, stop in found.cuts)
    assert len(taken_out) + len(found.text) == len(block)
    blank = len(taken_out) - sum(fault.stop - fault.start for fault in found.faults)
    assert taken_out.count(b"\n") + taken_out.count(b"\r") >= blank  # only line ends go without a fault


class TestExamine:
    def faults(self, block: bytes, width: int = 2) -> list[tuple[int, bytes, str]]:
        found = examine(block, ",", width, last=True)
        return [(f.number, block[f.start : f.stop], f.reason) for f in found.faults]

    def test_a_stray_quote_costs_its_line_alone(self) -> None:
        assert self.faults(b'1,2\n5" pipe,1\n"x",4\n') == [(1, b'5" pipe,1\n', records.BAD_QUOTES)]

    def test_a_quote_closed_in_a_later_record_costs_the_line_where_it_opened(self) -> None:
        assert self.faults(b'1,"x\n2,"y"\n3,4\n') == [(0, b'1,"x\n', records.BAD_QUOTES)]

    def test_after_a_quote_never_closed_nothing_is_known(self) -> None:
        expected = [(1, b'3,"x\n', records.NEVER_CLOSED), (2, b"4,5\n", records.NEVER_CLOSED)]
        assert self.faults(b'1,2\n3,"x\n\n4,5\n') == expected

    def test_other_reasons(self) -> None:
        assert self.faults(b"1,2,3\n4,5\n6\n") == [
            (0, b"1,2,3\n", records.WRONG_WIDTH), (2, b"6\n", records.WRONG_WIDTH)
        ]  # fmt: skip
        assert self.faults(b"1,\0\n\xff,2\n3\r,4\n5,6") == [
            (0, b"1,\0\n", records.NUL_BYTE), (1, b"\xff,2\n", records.BAD_BYTES), (2, b"3\r,4\n", records.BARE_CR)
        ]  # fmt: skip

    def test_what_may_go_on_in_the_next_block_is_left(self) -> None:
        found = examine(b'1,2\n3,"x\n', ",", 2, last=False)
        assert (found.rows, found.consumed, list(found.faults)) == (1, 4, [])


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(st.text(alphabet='a,"\n\r é', max_size=5), min_size=2, max_size=2), max_size=8),
    block_bytes=st.integers(1, 30),
)
def test_blocks_end_where_records_end(rows: list[list[str]], block_bytes: int) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    text = buffer.getvalue().encode()
    blocks = list(RecordBlocks(io.BytesIO(text), block_bytes, 1 << 20, "a.csv"))
    assert b"".join(blocks) == text
    assert [row for block in blocks for row in oracle(block)] == rows


def test_a_record_without_an_end_is_refused_at_the_limit() -> None:
    blocks = RecordBlocks(io.BytesIO(b'a\n"' + b"x\n" * 1000), 16, 100, "a.csv")
    with pytest.raises(DataError, match=r"longer than 100 bytes \(a.csv\)"):
        list(blocks)


def test_ranges_and_cuts() -> None:
    text = b'"a\nb",1\nc,2\r\nd,3'
    assert record_ranges(text).tolist() == [[0, 8], [8, 13], [13, 16]]
    assert cut(text, [(0, 8), (13, 16)]) == b"c,2\r\n"
    assert cut(text, []) == text


@settings(max_examples=100)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "", "", "x", '""', '","']), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    closed=st.booleans(),
)
def test_records_without_a_value_are_known(rows: list[list[str]], end: str, closed: bool) -> None:
    text = end.join(",".join(row) for row in rows) + (end if closed else "")
    proved = prove(text.encode(), ",", 3)
    assert proved is not None
    assert proved.empty == [i for i, row in enumerate(rows) if row == ["", "", ""]]
