"""Column summaries and profiles: right by hand and by Polars, and the same for any batches and any order."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.canonical import canonical_json
from hokusai.errors import SchemaError
from hokusai.pipeline.data.column_states import ColumnProfile, ColumnStates
from hokusai.pipeline.data.value_hash import hash_values

SCHEMA = {"n": pl.Int64(), "f": pl.Float64(), "t": pl.String(), "d": pl.Date(), "b": pl.Boolean()}

rows_of = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 3)),
        st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 0.1, 0.2])),
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=9)),
        st.one_of(st.none(), st.dates()),
        st.one_of(st.none(), st.booleans()),
    ),
    min_size=1,
    max_size=60,
)


def profiles(*batches: pl.DataFrame) -> tuple[ColumnProfile, ...]:
    states = ColumnStates(SCHEMA, moments=True)
    for batch in batches:
        states.see(batch)
    return states.profiles()


def profile_of(column: pl.Series) -> ColumnProfile:
    frame = column.alias("c").to_frame()
    (profile,) = ColumnStates(frame.schema, moments=True).see(frame).profiles()
    return profile


@settings(max_examples=40)
@given(rows_of, st.integers(1, 20), st.randoms(use_true_random=False))
def test_batches_order_and_merging_do_not_matter(rows, size: int, random) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    whole = profiles(frame)
    shuffled = list(rows)
    random.shuffle(shuffled)
    other = pl.DataFrame(shuffled, schema=SCHEMA, orient="row")
    assert profiles(*other.iter_slices(size)) == whole
    merged = ColumnStates(SCHEMA, moments=True)
    for batch in reversed(list(other.iter_slices(size))):
        merged.merge(ColumnStates(SCHEMA, moments=True).see(batch, {"t": hash_values(batch["t"])}))
    assert merged.profiles() == whole


@settings(max_examples=40)
@given(rows_of)
def test_counts_and_ranges_are_those_of_polars(rows) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(pl.col("f").fill_nan(None))
    for summary in ColumnStates(SCHEMA).see(frame).summaries():
        column = frame[summary.name]
        assert summary.nulls == column.null_count()
        assert summary.unique == column.drop_nulls().n_unique()
        if summary.name == "d" and summary.low is not None:
            assert (summary.low, summary.high) == (str(column.min()), str(column.max()))
        if summary.name in "tb":
            assert summary.low is None


def test_a_profile_by_hand() -> None:
    profile = profile_of(
        pl.Series([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, None, float("inf"), float("nan")])
    )
    # The example of Wikipedia's page on the standard deviation: mean 5, sum of squared distances 32, over 7 here.
    assert (profile.mean, profile.deviation) == (5.0, (32 / 7) ** 0.5)
    assert (profile.rows, profile.infinite) == (11, 1)
    assert (profile.summary.nulls, profile.summary.unique) == (2, 6)  # infinity is a sixth value
    assert (profile.summary.low, profile.summary.high) == (2.0, 9.0)
    assert profile.quantiles == {"0.05": 2.0, "0.25": 4.0, "0.5": 4.0, "0.75": 5.0, "0.95": 9.0}
    assert len(profile.histogram) == 30
    assert sum(rows for _, _, rows in profile.histogram) == 8
    assert profile.histogram[0] == (2.0, pytest.approx(2 + 7 / 30), 1)


def test_many_distinct_values_are_estimated_and_said_to_be() -> None:
    frame = pl.DataFrame({"id": range(200_000), "text": [f"u{i}" for i in range(200_000)]})
    states = ColumnStates(frame.schema)
    for batch in frame.iter_slices(65_536):
        states.see(batch)
    for summary in states.summaries():
        assert summary.unique_error == 0.003906  # 1 / sqrt(65535)
        assert abs(summary.unique / 200_000 - 1) < 4 * 0.0039
    assert states["id"].values is None


def test_types_that_json_cannot_hold_are_written_as_text_or_seconds() -> None:
    ranges = [
        (pl.Series([2**63 - 1, 1]), (1, "9223372036854775807")),
        (pl.Series([Decimal("1.50"), Decimal("2.25")]), ("1.50", "2.25")),
        (pl.Series([date(2024, 1, 2), date(2023, 1, 2)]), ("2023-01-02", "2024-01-02")),
        (pl.Series([datetime(2024, 1, 2, 3, 4, 5)]), ("2024-01-02T03:04:05", "2024-01-02T03:04:05")),
        (pl.Series([timedelta(hours=1)]), (3600.0, 3600.0)),
    ]
    for column, expected in ranges:
        profile = profile_of(column)
        assert (profile.summary.low, profile.summary.high) == expected
        assert canonical_json(profile.to_dict())


class TestShownValues:
    def test_what_few_rows_have_is_not_shown(self) -> None:
        column = pl.Series(["red"] * 9 + ["blue"] * 5 + ["Ann Smith"] * 4)
        assert profile_of(column).values == (("red", 9), ("blue", 5))

    def test_columns_with_many_values_show_none(self) -> None:
        profile = profile_of(pl.Series([f"person {i % 21}" for i in range(210)]))
        assert profile.values == ()
        assert "person" not in json.dumps(profile.to_dict())

    def test_long_texts_are_no_categories(self) -> None:
        assert profile_of(pl.Series(["x" * 201] * 50)).values == ()


def test_a_column_that_is_all_null() -> None:
    profile = profile_of(pl.Series([None, None]))
    assert (profile.summary.dtype, profile.summary.nulls, profile.summary.unique) == ("null", 2, 0)


def test_dates_are_binned_by_day() -> None:
    profile = profile_of(pl.Series([date(2000, 1, 1), date(2000, 1, 3), date(2000, 1, 3)]))
    assert profile.histogram[0][::2] == (0.0, 1)
    assert profile.histogram[-1][1:] == (2.0, 2)


def test_a_batch_of_another_schema_is_refused() -> None:
    states = ColumnStates(SCHEMA)
    with pytest.raises(SchemaError):
        states.see(pl.DataFrame({"n": [1]}))
    with pytest.raises(SchemaError):
        states.merge(ColumnStates({"n": pl.Int64()}))
