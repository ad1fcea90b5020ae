"""One type for each column over all files."""

import datetime as dt

import polars as pl
import pytest

from hokusai.errors import SchemaError
from hokusai.pipeline.data.reconcile import Source, common_types, conform


def common(*columns: pl.Series, untyped: bool = True) -> pl.DataType:
    sources = [Source(f"{i}.csv", column.alias("x").to_frame(), untyped) for i, column in enumerate(columns)]
    return common_types(sources, ["x"])["x"]


def test_what_means_the_same_gets_one_type() -> None:
    assert common(pl.Series([1, 2]), pl.Series([1.5])) == pl.Float64
    assert common(pl.Series([1], dtype=pl.Int8), pl.Series([1], dtype=pl.UInt32)) == pl.Int64
    assert common(pl.Series([1.5], dtype=pl.Float32), pl.Series([1.5])) == pl.Float64
    assert common(pl.Series([dt.date(2024, 1, 1)]), pl.Series([dt.datetime(2024, 1, 1)])) == pl.Datetime("us")
    assert common(pl.Series(["a"], dtype=pl.Categorical), pl.Series(["b"])) == pl.String
    assert common(pl.Series(["a"], dtype=pl.Enum(["a"])), pl.Series(["b"], dtype=pl.Enum(["b"]))) == pl.String


def test_a_type_that_all_have_stays() -> None:
    for dtype in (pl.Categorical(), pl.Enum(["a", "b"])):
        assert common(pl.Series(["a"], dtype=dtype), pl.Series(["b", None], dtype=dtype)) == dtype


def test_a_column_without_values_fits_every_type() -> None:
    nothing = pl.Series([None, None], dtype=pl.String)
    assert common(nothing, pl.Series([1, 2])) == pl.Int64
    assert common(pl.Series([True]), nothing) == pl.Boolean
    assert common(nothing, nothing) == pl.String
    assert conform(nothing.alias("x").to_frame(), {"x": pl.Int64()})["x"].to_list() == [None, None]


def test_codes_without_a_leading_zero_join_those_with_one() -> None:
    with_zero, without = pl.Series(["00123", "10115"]), pl.Series([10115, 20095])
    for columns in ((with_zero, without), (without, with_zero)):
        assert common(*columns) == pl.String
    assert conform(without.alias("x").to_frame(), {"x": pl.String()})["x"].to_list() == ["10115", "20095"]


def test_but_not_if_the_numbers_were_numbers_in_the_file_or_the_text_is_no_code() -> None:
    with pytest.raises(SchemaError):
        common(pl.Series(["00123"]), pl.Series([10115]), untyped=False)
    with pytest.raises(SchemaError):
        common(pl.Series(["red", "00123"]), pl.Series([10115]))


def test_text_among_numbers_names_file_column_row_and_value() -> None:
    with pytest.raises(SchemaError, match=r"'x' holds text, but numbers in 0\.csv; look at row 3 \(1\.csv\)"):
        common(pl.Series([1.5]), pl.Series(["1", None, "n/a", "?"]))
    with pytest.raises(SchemaError, match="row 2"):
        common(pl.Series([1.5]), pl.Series(["1", "007"]))
    with pytest.raises(SchemaError, match=r"holds numbers, but text in 0\.csv; look at row 2"):
        common(pl.Series(["a"]), pl.Series([None, 5]))
    with pytest.raises(SchemaError, match="holds booleans, but numbers"):
        common(pl.Series([1]), pl.Series([True]))
    with pytest.raises(SchemaError, match="holds dates, but text"):
        common(pl.Series(["a"]), pl.Series([dt.date(2024, 1, 1)]))
    with pytest.raises(SchemaError, match="holds durations, but dates"):
        common(pl.Series([dt.date(2024, 1, 1)]), pl.Series([dt.timedelta(1)]))
    with pytest.raises(SchemaError, match="holds bytes, but text"):
        common(pl.Series(["a"]), pl.Series([b"a"]))


def test_integers_that_a_double_cannot_hold_are_refused_beside_fractions() -> None:
    with pytest.raises(SchemaError, match="in row 2 here an integer that would be rounded"):
        common(pl.Series([0.5]), pl.Series([1, 9007199254740993]))


def test_nothing_is_copied_without_need() -> None:
    frame = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    assert conform(frame, {"y": pl.String(), "x": pl.Int64()}).columns == ["y", "x"]
