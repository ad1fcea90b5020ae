"""Nothing that ends in logs quotes a value: no error, note, manifest or list of rejected rows."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pyarrow import parquet

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import HokusaiError
from hokusai.pipeline.data.alignment import align
from hokusai.pipeline.data.checks import check_table, raise_unless_ok
from hokusai.pipeline.data.expected_effect import expected_effect
from hokusai.pipeline.data.label_noise import find_label_noise
from hokusai.pipeline.data.merging import merge
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.recipe import Recipe
from hokusai.pipeline.data.reconcile import Source, common_types
from hokusai.pipeline.data.sampling import stratified_sample
from hokusai.pipeline.data.scan import Limits, ReadOptions
from hokusai.pipeline.data.streaming import integrate_files

SECRET = "zq7secret"
NUMBER = 9_173_205_846_173_205_846
"""A whole number that nobody would write by chance, and that no double holds."""

CSV = {
    "ragged": f"a,b\n1,2\n{SECRET},2,3\n",
    "quote in the middle": f'a,b\n1,x"{SECRET}\n',
    "quote never closed": f'a,b\n1,2\n"{SECRET},3\n',
    "text behind a quote": f'a,b\n1,"x"{SECRET}\n',
    "a NUL": f"a,b\n1,{SECRET}\0\n",
    "one word in numbers": "a,b\n" + "1,2\n" * 40 + f"{SECRET},2\n",
    "decimal commas": "a;b\n" + "1,5;2\n" * 40 + f"{SECRET};2\n",
    "integers too large beside fractions": f"a,b\n{NUMBER},1\n0.5,2\n",
    "not the type": f"a,b\n1,2\n{SECRET},4\n",
    "bytes that are no text": f"a,b\n1,{SECRET}\n".encode() + b"\xff\xfe,1\n",
    "a zip": b"PK\x03\x04" + SECRET.encode(),
}
JSON = {
    "broken": f'{{"a": 1}}\n{{"a": "{SECRET}"\n',
    "two kinds": f'{{"a": 1}}\n{{"a": "{SECRET}"}}\n',
    "nested": f'{{"a": 1}}\n{{"a": ["{SECRET}"]}}\n',
    "no object": f'{{"a": 1}}\n"{SECRET}"\n',
    "too large": f'{{"a": 1}}\n{{"a": {NUMBER}{NUMBER}}}\n',
    "beside fractions": f'{{"a": 0.5}}\n{{"a": {NUMBER}}}\n',
    "half a pair": f'{{"a": "x"}}\n{{"a": "{SECRET}\\ud800"}}\n',
    "text behind it": f'[{{"a": 1}}] {SECRET}',
    "a bad escape": f'{{"a": "\\x{SECRET}"}}\n',
    "columns that differ in length": f'{{"a": ["{SECRET}", "b"], "b": [1]}}',
    "cut off": f'[{{"a": "{SECRET}',
}


def tells_nothing(text: str) -> None:
    assert "secret" not in text
    assert str(NUMBER)[:12] not in text


def told_by(work: Callable[[], object]) -> str:
    """What an error says, with its hint and with everything it came from, as a log would have it; or the result."""
    try:
        return repr(work())
    except HokusaiError as error:
        said, cause = [repr(vars(error)), str(error.hint)], error
        while cause is not None:
            said.append(str(cause))
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)  # type: ignore[assignment]
        return "\n".join(said)


@pytest.mark.parametrize("on_error", ["raise", "reject"])
@pytest.mark.parametrize("case", [*CSV, *JSON])
def test_readers(case: str, on_error: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = CSV.get(case) or JSON[case]
    path = tmp_path / ("data.csv" if case in CSV else "data.json")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for types in ({}, {"a": "integer"}, {"a": "date"}, {"a": "boolean"}, {"a": "float"}):
        options = ReadOptions(types=types, on_error=on_error)  # type: ignore[arg-type]

        def read(options: ReadOptions = options) -> object:
            table = read_table(path, options)
            return table.rejects, table.source, table.notes

        with caplog.at_level(logging.DEBUG):
            tells_nothing(told_by(read))
    tells_nothing(caplog.text)


@pytest.mark.parametrize("kind", ["integer", "float", "date", "boolean", "empty"])
def test_typed_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for values in ([SECRET, "1"], [NUMBER, 1], [float(NUMBER), 0.5]):
        pl.DataFrame({"a": values}).write_parquet(path)
        for on_error in ("raise", "reject"):
            options = ReadOptions(types={"a": kind}, on_error=on_error)  # type: ignore[arg-type]
            tells_nothing(told_by(lambda options=options: read_table(path, options).rejects))


def test_damaged_files(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pl.DataFrame({"a": [SECRET, SECRET + "2"]}).to_arrow(), buffer, compression="none")
    whole = buffer.getvalue()
    path = tmp_path / "a.parquet"
    for at in range(4, len(whole) - 8, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        said = told_by(lambda: read_table(path).rejects)
        assert SECRET not in said


def test_steps_on_tables() -> None:
    secret, numbers = (
        pl.DataFrame({"k": [SECRET, SECRET], "v": [1, 2]}),
        pl.DataFrame({"k": [1, 2], "v": [NUMBER, 2]}),
    )
    other = pl.DataFrame({"k": [SECRET], "v": [5]})
    halves = pl.DataFrame({"k": [1, 3], "v": [0.5, 1.5]})
    labelled = pl.DataFrame(
        {"x": [SECRET + str(i) for i in range(60)], "y": [f"{SECRET}a", f"{SECRET}b"] * 30}
    )
    rule = DataSchema(
        (ColumnRule("k", "integer", minimum=10**19, unique=True), ColumnRule("v", allowed=(7,)))
    )
    steps: list[Callable[[], object]] = [
        lambda: merge(secret, other, "update", key="k"),
        lambda: merge(other, secret, "update", key="k"),
        lambda: merge(other, other.with_columns(v=6), "update", key="k", on_conflict="raise"),
        lambda: merge(numbers, secret, "append").notes,
        lambda: align([("a", numbers), ("b", secret)], ["k", "v"]),
        lambda: align([("a", halves), ("b", numbers)], ["k", "v"]),
        lambda: common_types([Source("a", numbers), Source("b", secret)], ["k"]),
        lambda: common_types([Source("a", halves), Source("b", numbers)], ["v"]),
        lambda: common_types(
            [Source("a", numbers), Source("b", secret.with_columns(k=pl.lit(f"0{NUMBER}")))], ["k"]
        ),
        lambda: raise_unless_ok(check_table(secret, rule).report),
        lambda: raise_unless_ok(check_table(numbers, rule).report),
        lambda: list(check_table(secret, rule).rejects()),
        check_table(secret, rule).report.to_dict,
        lambda: stratified_sample(secret, 1, "k") is None,
        lambda: find_label_noise(labelled, "y"),
        lambda: expected_effect(labelled, labelled, "y"),
    ]
    for step in steps:
        try:
            said = repr(step())
        except (
            HokusaiError
        ) as error:  # a report that hangs on an error has samples, for whoever asks it for them
            said = f"{error} {error.hint} {error.__cause__} {error.__context__}"
        tells_nothing(said)


def test_the_account_of_an_integration(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id,n\n" + "".join(f"{i},{i}\n" for i in range(40)) + f"40,{SECRET}\n41,1,2\n1,1\n1,1\n"
    )
    schema = DataSchema((ColumnRule("id", "integer", unique=True, maximum=30), ColumnRule("n", "integer")))
    recipe = Recipe(schema=schema, pii=None, read=ReadOptions(on_error="reject", limits=Limits()))
    done = integrate_files(
        tmp_path / "a.csv", tmp_path / "out.csv", recipe=recipe, rejects=tmp_path / "r.jsonl"
    )
    assert done.manifest.rows.rejected > 2
    tells_nothing((tmp_path / "r.jsonl").read_text())
    tells_nothing(json.dumps(done.manifest.to_dict()))
    assert done.report is not None
    tells_nothing(done.report.to_text())
