"""One type for each column over all files."""

import datetime as dt
from decimal import Decimal

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


def decimals(*texts: str, scale: int) -> pl.Series:
    return pl.Series([Decimal(text) for text in texts], dtype=pl.Decimal(38, scale))


def ticks(dtype: pl.DataType, *many: int) -> pl.Series:
    return pl.Series(many, dtype=pl.Int64).cast(dtype)


FRACTIONS = pl.Series([0.5])


@pytest.mark.parametrize(
    ("held", "other", "becomes"),
    [
        (pl.Series([2**53, None, -(2**53)]), FRACTIONS, pl.Float64()),
        (pl.Series([2**53, 0], dtype=pl.UInt64), FRACTIONS, pl.Float64()),
        (pl.Series([2**63 - 1], dtype=pl.UInt64), pl.Series([1]), pl.Int64()),
        (decimals("1.10", "123456789012345", scale=2), FRACTIONS, pl.Float64()),
        (decimals("0.1", scale=30), decimals("7", scale=0), pl.Float64()),
        (ticks(pl.Datetime("ns"), 1000, -1000), ticks(pl.Datetime("us"), 1), pl.Datetime("us")),
        (ticks(pl.Duration("ns"), 2000), ticks(pl.Duration("us"), 1), pl.Duration("us")),
        (ticks(pl.Duration("ms"), 2), ticks(pl.Duration("us"), 1), pl.Duration("us")),
    ],
)
def test_what_the_common_type_holds_exactly_is_not_refused(
    held: pl.Series, other: pl.Series, becomes: pl.DataType
) -> None:
    assert common(held, other) == common(other, held) == becomes
    changed = conform(held.alias("x").to_frame(), {"x": becomes})["x"]
    assert changed.cast(held.dtype).to_list() == held.to_list() or held.dtype == pl.Decimal(38, 30)


@pytest.mark.parametrize(
    ("held", "other", "what"),
    [
        (pl.Series([1, 2**53 + 1]), FRACTIONS, "integers beyond 2"),
        (pl.Series([1, 2**64 - 1], dtype=pl.UInt64), FRACTIONS, "integers beyond 2"),
        (pl.Series([1, 2**70], dtype=pl.Int128), FRACTIONS, "integers beyond 2"),
        (pl.Series([1, 2**63], dtype=pl.UInt64), pl.Series([1]), "integers beyond 64 bits"),
        (decimals("1", str(2**53 + 1), scale=0), FRACTIONS, "decimals of more digits than a double"),
        (decimals("1", "1.12345678901234567890", scale=20), FRACTIONS, "decimals of more digits"),
        (
            decimals("1", "1.12345678901234567890", scale=20),
            decimals("7", scale=0),
            "decimals of more digits",
        ),
        (ticks(pl.Datetime("ns"), 0, 1001), ticks(pl.Datetime("us"), 1), "parts of a microsecond"),
        (ticks(pl.Datetime("ns"), 0, -1), pl.Series([dt.date(2024, 1, 1)]), "parts of a microsecond"),
        (ticks(pl.Duration("ns"), 0, 1001), ticks(pl.Duration("us"), 1), "parts of a microsecond"),
        (ticks(pl.Datetime("ms"), 0, 2**62), ticks(pl.Datetime("us"), 1), "times beyond 290,000 years"),
        (ticks(pl.Date(), 0, 2**30), ticks(pl.Datetime("us"), 1), "times beyond 290,000 years"),
    ],
)
def test_what_the_common_type_would_change_is_refused_by_row(
    held: pl.Series, other: pl.Series, what: str
) -> None:
    for columns in ((held, other), (other, held)):
        with pytest.raises(
            SchemaError, match=rf"'x' is .* not exact for 1 value, the first in row 2: {what}"
        ) as refused:
            common(*columns)
        assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "other", [pl.Series([[1.5]]), pl.Series([1]), pl.Series(["1"]), pl.Series([{"b": 1}])]
)
def test_lists_and_objects_meet_only_their_own_type(other: pl.Series) -> None:
    for nested in (pl.Series([[1]]), pl.Series([{"a": 1}])):
        assert common(nested, nested) == nested.dtype
        for columns in ((nested, other), (other, nested)):
            with pytest.raises(SchemaError, match=r"'x' is of type .* to be of one type \(1\.csv\)"):
                common(*columns)


def test_nothing_is_copied_without_need() -> None:
    frame = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    assert conform(frame, {"y": pl.String(), "x": pl.Int64()}).columns == ["y", "x"]
