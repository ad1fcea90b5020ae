"""Every rejected row is named by its true number, line and bytes, whichever step set it aside."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from hokusai.domain.schema import DataSchema
from hokusai.pipeline.data import csv_proof
from hokusai.pipeline.data.integrator import DataIntegrator
from hokusai.pipeline.data.rejects import read_rejects
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.tokens import Tokenizer

HEADER = b"id,age,note\n"
RECORDS = {
    1: b"1,31,fine\n",
    2: b"2,30\n",
    3: b'3,29,"two\nlines"\n',
    4: b"4,-5,young\n",
    5: b"5,old,said in words\n",
    6: b'1,28,"again,\n\nan id"\n',
    7: b"7,-1,younger\n",
    8: b"8,40,fine\n",
}
REASONS = {
    2: "wrong number of fields",
    4: "too small",
    5: "wrong type",
    6: "not unique",
    7: "too small",
}
SCHEMA = DataSchema.from_dict(
    {"columns": {"id": {"type": "integer", "unique": True}, "age": {"type": "integer", "minimum": 0}}}
)


@pytest.mark.parametrize("block_bytes", [24, 60, 8 << 20])
def test_rows_set_aside_by_reader_schema_and_key_are_listed_by_number_with_line_and_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(
        csv_proof, "BLOCK_BYTES", block_bytes
    )  # a file of several blocks, without 8 MB of rows
    path = tmp_path / "new.csv"
    path.write_bytes(HEADER + b"\n" + b"".join(RECORDS.values()))
    integrate_files(
        path,
        tmp_path / "out.csv",
        recipe=Recipe(SCHEMA, None, read=ReadOptions(on_error="reject")),
        rejects=tmp_path / "rejects.jsonl",
    )
    found = list(read_rejects(tmp_path / "rejects.jsonl"))
    assert {each.row: each.reason for each in found} == REASONS
    assert [each.row for each in found] == sorted(REASONS)
    lines = path.read_bytes().split(b"\n")
    for each in found:
        record = RECORDS[each.row]
        assert lines[each.line - 1] + b"\n" == record.splitlines(keepends=True)[0]
        assert each.sha256 == hashlib.sha256(record).hexdigest()
        assert each.source == "new.csv"


def test_so_are_those_of_json_lines(tmp_path: Path) -> None:
    records = [b'{"id":1,"age":30}', b'{"id":2,"age":-1}', b'{"id":3,"age":"old"}', b'{"id":1, "age":4}']
    path = tmp_path / "new.jsonl"
    path.write_bytes(b"\n\n".join(records) + b"\n")
    integrate_files(
        path,
        recipe=Recipe(SCHEMA, None, read=ReadOptions(on_error="reject")),
        rejects=tmp_path / "rejects.jsonl",
    )
    assert [
        (each.row, each.line, each.reason, each.sha256) for each in read_rejects(tmp_path / "rejects.jsonl")
    ] == [
        (row, 2 * row - 1, reason, hashlib.sha256(records[row - 1]).hexdigest())
        for row, reason in ((2, "too small"), (3, "wrong type"), (4, "not unique"))
    ]


@pytest.mark.parametrize(
    ("policy", "has_digests"),
    [(PiiPolicy(), False), (PiiPolicy(default="mask"), False), (PiiPolicy(default="report"), True)],
)
def test_where_personal_data_is_taken_out_there_is_no_digest_to_try_it_against(
    tmp_path: Path, policy: PiiPolicy, *, has_digests: bool
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,age\n1,30\n2,-1\nbroken\n")
    integrate_files(
        path,
        recipe=Recipe(SCHEMA, policy, read=ReadOptions(on_error="reject")),
        tokenizer=Tokenizer(bytes(32)),
        rejects=tmp_path / "rejects.jsonl",
    )
    found = list(read_rejects(tmp_path / "rejects.jsonl"))
    assert [(each.row, each.line, bool(each.sha256)) for each in found] == [
        (2, 3, has_digests),
        (3, 4, has_digests),
    ]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_those_of_files_without_lines_have_the_digest_of_the_row_as_it_was_read(
    tmp_path: Path, suffix: str
) -> None:
    rows = pl.DataFrame(
        {"id": [1, 2, 1, 4, 5], "age": [31, -5, 28, 40, -1], "x": [0, 1, 2, 2**64 - 1, None]},
        schema_overrides={"x": pl.UInt64},
    )
    path = tmp_path / f"new.{suffix}"
    rows.write_parquet(path) if suffix == "parquet" else rows.write_ipc(path)
    integrate_files(
        path,
        recipe=Recipe(SCHEMA, None, read=ReadOptions(on_error="reject")),
        rejects=tmp_path / "rejects.jsonl",
    )
    told = [(one.row, one.line, one.reason, one.sha256) for one in read_rejects(tmp_path / "rejects.jsonl")]
    as_read = rows.with_columns(x=pl.Series([0, 1, 2, None, None]))
    digests = [bytes(digest).hex() for digest in row_digests(as_read)]
    assert told == [
        (2, 0, "too small", digests[1]),
        (3, 0, "not unique", digests[2]),
        (4, 0, "value that is not kept", digests[3]),
        (5, 0, "too small", digests[4]),
    ]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    contents = {"x": "id,age\n1,-1\n2\n3,30\n", "y": "id,age\n4,31\n3,32\n", "z": "id,age\n\n6,-2\n7,33\n"}
    for folder, content in contents.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(content)
    paths = [tmp_path / folder / "a.csv" for folder in contents]
    done = integrate_files(
        paths,
        recipe=Recipe(SCHEMA, None, read=ReadOptions(on_error="reject")),
        rejects=tmp_path / "rejects.jsonl",
    )
    assert [source.name for source in done.manifest.sources] == ["a.csv", "(2) a.csv", "(3) a.csv"]
    assert all(source.format == "csv" for source in done.manifest.sources)
    assert sorted(
        (one.source, one.row, one.line, one.reason, one.sha256)
        for one in read_rejects(tmp_path / "rejects.jsonl")
    ) == [
        ("(2) a.csv", 2, 3, "not unique", hashlib.sha256(b"3,32\n").hexdigest()),
        ("(3) a.csv", 1, 3, "too small", hashlib.sha256(b"6,-2\n").hexdigest()),
        ("a.csv", 1, 2, "too small", hashlib.sha256(b"1,-1\n").hexdigest()),
        ("a.csv", 2, 3, "wrong number of fields", hashlib.sha256(b"2\n").hexdigest()),
    ]
    integrator = DataIntegrator(pii="report", schema=SCHEMA, read=ReadOptions(on_error="reject"))
    rows = integrator.reject_invalid(integrator.load_data(paths))
    assert [(one.source, one.row) for one in integrator.rejects(rows)] == [
        ("a.csv", 2), ("a.csv", 1), ("(2) a.csv", 2), ("(3) a.csv", 1),
    ]  # fmt: skip


def test_steps_one_by_one_name_each_row_of_several_files_by_its_own_number(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,age\n1\n2,-1\n3,30\n")
    second.write_text("id,age\n4,31\n5,6,7\n6,-2\n7,99\n")
    integrator = DataIntegrator(pii="report", read=ReadOptions(on_error="reject"))
    rows = integrator.load_data([first, second])
    rows = integrator.reject_invalid(rows, schema={"columns": {"age": {"minimum": 0}}})
    rows = integrator.remove_pii(rows)
    rows = integrator.reject_invalid(rows, schema={"columns": {"age": {"maximum": 90}}})
    assert sorted((each.source, each.row, each.reason) for each in integrator.rejects(rows)) == [
        ("a.csv", 1, "wrong number of fields"),
        ("a.csv", 2, "too small"),
        ("b.csv", 2, "wrong number of fields"),
        ("b.csv", 3, "too small"),
        ("b.csv", 4, "too large"),
    ]
