"""Every JSON, Parquet and path case of the list of nasty files, each with what becomes of it.

An outcome is the rows that are read, or the words with which the file is refused; where rows can be set aside, also
the rows that are. Nothing may be lost without a word: what is read, is compared cell by cell.
"""

import datetime as dt
import io
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hokusai.errors import DataError, HokusaiError
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.json_records import proved_records, read_record
from hokusai.pipeline.data.reading import open_table, read_table
from hokusai.pipeline.data.scan import ReadOptions

REJECT = ReadOptions(on_error="reject")


@dataclass(frozen=True)
class Case:
    """A nasty file.

    Attributes:
        name: Of the file.
        content: Its bytes.
        refused: A pattern of the words with which it is refused; empty if it is read.
        rows: What is read, if it is.
        noted: A pattern of what is assumed or noted of it.
        kept: Rows that are kept where rows at fault are set aside; None if the file is refused then, too.
        rejected: The numbers of those that are not.
    """

    name: str
    content: bytes
    refused: str = ""
    rows: tuple[Any, ...] = ()
    noted: str = ""
    kept: tuple[Any, ...] | None = None
    rejected: tuple[int, ...] = ()


def parquet_bytes(frame: pl.DataFrame | pa.Table) -> bytes:
    buffer = io.BytesIO()
    if isinstance(frame, pl.DataFrame):
        frame.write_parquet(buffer)
    else:
        parquet.write_table(frame, buffer, compression="zstd")
    return buffer.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


DEEP = b"[" * 5000 + b"]" * 5000
PLAIN = parquet_bytes(pl.DataFrame({"a": list(range(100)), "s": ["text"] * 100}))

JSON = {
    "NaN": Case("a.json", b'[{"a": NaN}, {"a": 1}]', "NaN is not JSON", kept=((1,),), rejected=(1,)),
    "infinity": Case("a.json", b'[{"a": -Infinity}, {"a": 1}]', "-Infinity", kept=((1,),), rejected=(1,)),
    "duplicate keys": Case("a.json", b'[{"a": 1, "a": 2}, {"a": 3}]', "'a' stands twice", kept=((3,),), rejected=(1,)),
    "duplicate keys, one escaped": Case("a.json", b'[{"a": 1, "\\u0061": 2}]', "'a' stands twice"),
    "5,000 deep": Case("a.json", b'[{"a": ' + DEEP + b"}]", "nested too deeply"),
    "trailing comma": Case("a.json", b'[{"a": 1},]', "comma follows the last record"),
    "trailing comma in a record": Case("a.json", b'[{"a": 1,}]', "Record 1 is not usable JSON"),
    "truncated": Case("a.json", b'[{"a": 1}, {"a": 2', "ends within record 2"),
    "lone surrogate": Case(
        "a.json", b'[{"a": "\\ud800"}, {"a": "\\ud83d\\ude00"}]', "surrogate", kept=(("\U0001f600",),), rejected=(1,)
    ),
    "lone surrogate in a key": Case("a.json", b'[{"\\udfff": 1}]', "a key holds half of a surrogate pair"),
    "wrapped": Case("a.json", b'{"data": [{"a": 1}, {"a": 2}]}', rows=((1,), (2,)), noted="under the key 'data'"),
    "columnar dict": Case("a.json", b'{"a": [1, 2], "b": ["x", "y"]}', rows=((1, "x"), (2, "y")),
                          noted="holds columns"),
    "byte-order mark": Case("a.json", b'\xef\xbb\xbf[{"a": 1}]', rows=((1,),)),
    "utf-16": Case("a.json", '[{"a": "é"}]'.encode("utf-16"), rows=(("é",),)),
    "bigint": Case("a.json", b'[{"a": 123456789012345678901}, {"a": 1}]', "21 digits", kept=((1,),), rejected=(1,)),
    "bigint beside a fraction": Case(
        "a.json", b'[{"a": 9007199254740993}, {"a": 0.5}]', "rounded", kept=((0.5,),), rejected=(1,)
    ),
    "largest integers": Case(
        "a.json", b'[{"a": 9223372036854775807}, {"a": -9223372036854775808}]', rows=((2**63 - 1,), (-(2**63),))
    ),
    "beyond a double": Case("a.json", b'[{"a": 1e999}, {"a": 0.5}]', "range of a double",
                            kept=((0.5,),), rejected=(1,)),
    "subnormal": Case("a.json", b'[{"a": 5e-324}]', rows=((5e-324,),)),
    "mixed types": Case(
        "a.json", b'[{"a": 1}, {"a": "x"}, {"a": 2}]', "number in record 1, but text", kept=((1,), (2,)), rejected=(2,)
    ),
    "booleans among numbers": Case("a.json", b'[{"a": true}, {"a": 1}, {"a": 0}]', "boolean in record 1, but number",
                                   kept=((1,), (0,)), rejected=(1,)),
    "missing keys": Case("a.json", b'[{"a": 1}, {"b": "x"}, {}]', rows=((1, None), (None, "x"), (None, None)),
                         noted="'a' is absent from 2 of 3"),
    "always null": Case("a.json", b'[{"a": null, "b": 1}]', rows=((None, 1),)),
    "NUL in a text": Case("a.json", b'[{"a": "x\\u0000y"}]', rows=(("x\0y",),)),
    "line separators in a text": Case("a.json", '[{"a": "x\u2028y\u0085z"}]'.encode(), rows=(("x\u2028y\u0085z",),)),
    "only blanks": Case("a.json", b" \n\n", "nothing but blanks"),
    "empty array": Case("a.json", b"[]", "no rows"),
}  # fmt: skip

JSONL = {
    "bad line": Case("a.jsonl", b'{"a": 1}\n{"a": \n{"a": 3}\n', "line 2: expecting value",
                     kept=((1,), (3,)), rejected=(2,)),
    "blank lines": Case("a.jsonl", b'\n{"a": 1}\n\n  \n{"a": 2}\n\n', rows=((1,), (2,))),
    "late new key": Case("a.jsonl", b'{"a": 1}\n' * 200 + b'{"a": 1, "b": "x"}\n',
                         rows=(*(((1, None),) * 200), (1, "x")), noted="'b' is absent from 200 of 201"),
    "late float": Case("a.jsonl", b'{"a": 1}\n' * 200 + b'{"a": 1.5}\n', rows=(*(((1.0,),) * 200), (1.5,))),
    "late type change": Case("a.jsonl", b'{"a": 1}\n' * 200 + b'{"a": "x"}\n', "number in line 1, but text in line 201",
                             kept=((1,),) * 200, rejected=(201,)),
    "NaN": Case("a.jsonl", b'{"a": 1}\n{"a": NaN}\n', "line 2: NaN", kept=((1,),), rejected=(2,)),
    "duplicate keys": Case("a.jsonl", b'{"a": 1}\n{"a": 1, "a": 2}\n', "line 2: the key 'a'",
                           kept=((1,),), rejected=(2,)),
    "bigint": Case("a.jsonl", b'{"a": 1}\n{"a": 99999999999999999999}\n', "line 2 holds an integer of 20 digits",
                   kept=((1,),), rejected=(2,)),
    "truncated": Case("a.jsonl", b'{"a": 1}\n{"a": 2', "line 2", kept=((1,),), rejected=(2,)),
    "two records on a line": Case("a.jsonl", b'{"a": 1},{"a": 2}\n{"a": 3}\n', "line 1: extra data",
                                  kept=((3,),), rejected=(1,)),
    "one record on two lines, two on one": Case(
        "a.jsonl", b'{"a": 1},{"a": 2}\n{"a": "x}\n{","b": "y"}\n{"a": 4}\n', "3 lines are not",
        kept=((4,),), rejected=(1, 2, 3)),
    "two records on the only line": Case("a.jsonl", b'{"a": 1},{"a": 2}', "line 1: extra data"),
    "carriage returns": Case("a.jsonl", b'{"a": 1}\r\n{"a": 2}\r\n', rows=((1,), (2,))),
    "no line end": Case("a.jsonl", b'{"a": 1}', rows=((1,),)),
    "lists": Case("a.jsonl", b'{"a": 1}\n{"a": [1]}\n', "holds a list in line 2", kept=((1,),), rejected=(2,)),
}  # fmt: skip

PARQUET = {
    "truncated": Case("a.parquet", PLAIN[:-20], "cut off"),
    "bit flip in the footer": Case("a.parquet", flipped(PLAIN, len(PLAIN) - 6), "damaged"),
    "fake magic": Case("a.parquet", b"PAR1" + b"\0" * 50 + b"\x10\0\0\0PAR1", "damaged"),
    "duplicate columns": Case(
        "a.parquet", parquet_bytes(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])),
        "same name: 'a'",
    ),
    "null-typed and dictionary": Case(
        "a.parquet",
        parquet_bytes(pa.table({"n": pa.nulls(2), "d": pa.array(["x", None]).dictionary_encode()})),
        rows=((None, "x"), (None, None)),
    ),
    "the year 148108": Case(
        "a.parquet", parquet_bytes(pa.table({"t": pa.array([2**62, 0], pa.timestamp("us"))})), "after 9999",
        kept=((dt.datetime(1970, 1, 1),),), rejected=(1,),
    ),
    "binary column": Case("a.parquet", parquet_bytes(pa.table({"b": [b"x\xff"]})), rows=((b"x\xff",),)),
    "dictionary bomb": Case("a.parquet", parquet_bytes(pa.table({"a": ["x" * 1_000_000] * 300})),
                            "200 times its size"),
    "named .csv": Case("a.csv", parquet_bytes(pl.DataFrame({"a": [1]})), rows=((1,),),
                       noted="although its name says csv"),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{kind}: {name}") for kind, cases in
             (("JSON", JSON), ("JSON Lines", JSONL), ("Parquet", PARQUET)) for name, c in cases.items()],
)  # fmt: skip
def test_each_nasty_file_has_its_outcome(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.name
    path.write_bytes(case.content)
    if case.refused:
        with pytest.raises(DataError, match=case.refused):
            read_table(path)
    else:
        table = read_table(path)
        assert table.frame.rows() == list(case.rows)
        assert table.rows_read == len(case.rows)
        assert case.noted in " ".join((*table.source.assumed, *table.notes))
    if case.kept is not None:
        table = read_table(path, REJECT)
        assert table.frame.rows() == list(case.kept)
        assert tuple(reject.row for reject in table.rejects) == case.rejected
        assert table.rows_read == len(case.kept) + len(case.rejected)


def test_what_is_set_aside_quotes_no_value(tmp_path: Path) -> None:
    secret = "jane.doe@example.com"
    lines = [
        '{"a": 1}',
        '{"a": "%s"}',
        '{"a": "%s", "a": 1}',
        '{"a": "%s"',
        '{"a": 1} %s',
        '["%s"]',
        '{"a": ["%s"]}',
    ]
    content = "\n".join(line.replace("%s", secret) for line in lines)
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(DataError) as refused:
        read_table(path)
    rejects = read_table(path, REJECT).rejects
    assert len(rejects) == 6
    assert secret not in str(refused.value) + repr(rejects)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet", "a.arrow"])
def test_names_that_look_like_patterns_are_names(tmp_path: Path, name: str) -> None:
    columns = {"*": 1, "^a.*$": 2, "a b": 3, "ab": 4}
    path = tmp_path / name
    frame = pl.DataFrame([columns, dict.fromkeys(columns, 7)])
    {"a.json": frame.write_json, "a.jsonl": frame.write_ndjson, "a.parquet": frame.write_parquet,
     "a.arrow": frame.write_ipc}[name](path)  # fmt: skip
    for options in (ReadOptions(), ReadOptions(types={"*": "float", "ab": "integer"}, on_error="reject")):
        assert read_table(path, options).frame.rows(named=True) == [columns, dict.fromkeys(columns, 7)]


def test_65536_identical_rows_are_all_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1, "b": "x"}\n' * 65_536)
    table = read_table(path)
    assert (table.rows_read, table.frame.height, table.frame["a"].sum()) == (65_536, 65_536, 65_536)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_file_that_changes_between_the_passes_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('[{"a": 1}]' if name == "a.json" else '{"a": 1}')
    scan = open_table(path)
    path.write_text('[{"a": 7}]' if name == "a.json" else '{"a": 7}')
    os.utime(path, ns=(0, 0))
    with pytest.raises(DataError, match="changed while it was being read"):
        list(scan.batches())


def test_pipes_and_devices_are_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    outcome: list[BaseException] = []

    def read() -> None:
        try:
            read_table(tmp_path / "a.json")
        except DataError as problem:
            outcome.append(problem)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert "pipe" in str(outcome)
    with pytest.raises(DataError, match="pipe, socket or device"):
        expand_paths("/dev/null")


# What the fast parser and Polars give, is what the standard library gives, wherever they are believed.

numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=18).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
strings = st.text(st.characters(), max_size=6).map(json.dumps) | st.sampled_from(
    ['"\\":"', '":"', '"},{"', '"\\\\"']
)
scalars = st.one_of(
    numbers, strings, st.sampled_from(["null", "true", "false", "NaN", "[]", '{"b":1}', "nul", ""])
)
blanks = st.sampled_from(["", " ", "\t", "  ", "\r"])
pairs = st.tuples(blanks, st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"c:"']), blanks, scalars)
objects = st.lists(pairs, max_size=3).map(
    lambda found: "{" + ",".join(f"{before}{key}{after}:{value}" for before, key, after, value in found) + "}"
)
several = st.lists(objects, min_size=1, max_size=3).map(",".join)


@settings(max_examples=100)
@given(st.lists(objects | several | st.text(max_size=8), min_size=1, max_size=4))
def test_proved_records_are_those_of_the_standard_library(lines: list[str]) -> None:
    raw = [line.encode("utf-8", "surrogatepass") for line in lines]
    proved = proved_records(raw)
    one_by_one = [read_record(line, 1, 1).values for line in raw]
    if proved is not None:
        # A record may be proved and still be at fault for a key without a name: the survey finds that.
        named = [values if all(key.strip() for key in values) else None for values in proved]
        assert named == one_by_one


@settings(max_examples=75)
@given(st.lists(numbers, min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "numbers.jsonl"
    path.write_text("\n".join(f'{{"a": {text}}}' for text in texts))
    try:
        table = read_table(path, REJECT)
    except HokusaiError:
        return
    rejected = {reject.row for reject in table.rejects}
    expected = [json.loads(text) for row, text in enumerate(texts, 1) if row not in rejected]
    assert table.frame["a"].to_list() == expected


@settings(max_examples=100)
@given(st.data())
def test_no_text_crashes_the_readers_or_loses_a_record(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = [{"a": 1, "b": "x, y"}, {"a": 2.5, "b": None}, {"a": -3, "b": '{"q": [1]}'}]
    whole = data.draw(
        st.sampled_from([json.dumps(rows), json.dumps(rows, indent=1), "\n".join(map(json.dumps, rows)),
                         json.dumps({"data": rows}), json.dumps({"a": [1, 2], "b": ["x", "y"]})])
    ).encode()  # fmt: skip
    at = data.draw(st.integers(0, len(whole)))
    put = data.draw(
        st.binary(max_size=4) | st.sampled_from([b"{", b"}", b"[", b"]", b",", b'"', b":", b"\n", b"\\"])
    )
    path = tmp_path_factory.getbasetemp() / data.draw(st.sampled_from(["f.json", "f.jsonl"]))
    path.write_bytes(whole[:at] + put + whole[at + data.draw(st.integers(0, 3)) :])
    try:
        table = read_table(path, REJECT)
    except HokusaiError:
        return
    assert table.rows_read == table.frame.height + len(table.rejects)
    try:
        strict = read_table(path)
    except HokusaiError:
        assert table.rejects
        return
    assert not table.rejects
    assert strict.frame.equals(table.frame)


@settings(max_examples=50)
@given(st.binary(max_size=60), st.sampled_from(["f.json", "f.jsonl", "f.parquet", "f.arrow"]), st.sampled_from(
    [b"", b"[{", b'{"', b"[", b"PAR1", b"ARROW1\0\0", b"\xef\xbb\xbf[", b"\xff\xfe"]))  # fmt: skip
def test_random_bytes_end_in_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, name: str, begin: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(begin + noise)
    try:
        table = read_table(path, REJECT)
    except HokusaiError:
        return
    assert table.rows_read == table.frame.height + len(table.rejects)
