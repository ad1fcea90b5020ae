"""Which columns only tell rows apart."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from hokusai.pipeline.data.identifiers import identifiers

ROWS = range(40)


@pytest.mark.parametrize(
    ("name", "values", "identifies"),
    [
        ("n", [500 + i for i in ROWS], True),
        ("n", [500 + 2 * i for i in ROWS], True),  # the range has 79 integers, and 40 rows
        ("n", [500 + 3 * i for i in ROWS], False),
        ("queryId", [i * i * 7919 for i in ROWS], True),
        ("order_id", [i * i * 7919 for i in ROWS], True),
        ("income", [20_000 + i * i * 7919 for i in ROWS], False),
        ("grid", [i * i * 7919 for i in ROWS], False),  # the word is not "id"
        ("id", [i // 2 for i in ROWS], False),
        ("id", [None, *ROWS[1:]], False),
        ("code", [f"{i:x}-{i * 7919:x}" for i in ROWS], True),
        ("code", ["a", "b"] * 20, False),
        ("text", [f"where is parcel {i}" for i in ROWS], False),
        ("x", [i / 7 for i in ROWS], False),
        ("^.*$", [f"q{i}" for i in ROWS], True),
    ],
)
def test_a_column_identifies_rows_by_what_is_in_it(name: str, values: list[Any], identifies: bool) -> None:
    assert identifiers(pl.DataFrame({"hour": [i % 12 for i in ROWS], name: values})) == (name,) * identifies


def test_few_rows_tell_nothing_and_what_is_declared_is_believed() -> None:
    few = pl.DataFrame({"id": [1, 2, 3], "code": ["a", "a", "b"]})
    assert identifiers(few) == ()
    assert identifiers(few, ["code", "absent"]) == ("code",)
