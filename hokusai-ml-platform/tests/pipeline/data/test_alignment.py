"""Frames come to the same columns and types, or the one that does not fit is named without its values."""

import polars as pl
import pytest

from hokusai.errors import SchemaError
from hokusai.pipeline.data.alignment import TypeChange, align


def test_columns_are_filled_up_and_ordered() -> None:
    first, second = pl.DataFrame({"a": [1], "b": ["x"]}), pl.DataFrame({"c": [True], "a": [2]})
    frames, changes = align([("one", first), ("two", second)], ["b", "a", "c"])
    assert [frame.rows() for frame in frames] == [[("x", 1, None)], [(None, 2, True)]]
    assert frames[0].schema == frames[1].schema == {"b": pl.String, "a": pl.Int64, "c": pl.Boolean}
    assert changes == ()


def test_changes_of_types_are_told() -> None:
    frames = [("one", pl.DataFrame({"a": [1]})), ("two", pl.DataFrame({"a": [0.5]}))]
    assert align(frames, ["a"])[1] == (TypeChange("a", ("Int64", "Float64"), "Float64"),)


def test_integers_beyond_64_bits_are_refused_without_quoting_them() -> None:
    large = pl.DataFrame({"a": pl.Series([2**63], dtype=pl.UInt64)})
    with pytest.raises(SchemaError, match=r"integers beyond 64 bits \(two\)") as refused:
        align([("one", pl.DataFrame({"a": [1]})), ("two", large)], ["a"])
    assert str(2**63) not in str(refused.value)
    assert refused.value.__context__ is None
