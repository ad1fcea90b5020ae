"""Schemas from data that is known to be good."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.schema import ColumnRule
from hokusai.pipeline.data.checks import check_table
from hokusai.pipeline.data.schema_inference import SchemaInference, infer_schema, infer_schema_of_files


def rule(values: list[Any], name: str = "x", *, ranges: bool = False, dtype: Any = None) -> ColumnRule:
    return infer_schema(pl.DataFrame({name: pl.Series(values, dtype=dtype)}), ranges=ranges).columns[0]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2], "integer"), ([1.5], "float"), ([True], "boolean"), (["a"], "text"), ([dt.date(2024, 1, 1)], "date"),
        ([dt.datetime(2024, 1, 1)], "datetime"), ([None, None], "any"), ([["a"]], "any"),
    ],
)  # fmt: skip
def test_the_type_is_the_one_of_the_data(values: list[Any], type_: str) -> None:
    assert rule(values).type == type_


def test_a_column_needs_a_value_where_a_hundred_rows_all_have_one() -> None:
    assert not rule([1] * 100).nullable
    assert rule([1] * 99).nullable
    assert rule([1] * 100 + [None]).nullable
    assert rule([1.0] * 100 + [float("nan")]).nullable


def test_text_of_few_values_is_listed_and_other_text_is_not() -> None:
    assert rule(["b", "a"] * 50).allowed == ("a", "b")
    assert rule([f"{i}" for i in range(20)] * 10).allowed == tuple(sorted(f"{i}" for i in range(20)))
    assert rule([f"{i}" for i in range(21)] * 10).allowed == ()
    assert rule([f"{i}" for i in range(11)] * 9 + ["0"]).allowed == ()  # fewer than ten rows for each
    assert rule(["a"] * 99).allowed == ()
    assert rule([0, 1] * 100).allowed == ()


def test_values_of_a_column_that_is_named_like_personal_data_are_not_listed() -> None:
    assert rule(["Anna", "Bob"] * 100, "surname").allowed == ()


def test_values_of_a_column_that_cleaning_takes_for_personal_data_are_not_told() -> None:
    days = [f"19{50 + i % 40}-01-0{1 + i % 9}" for i in range(399)]
    frame = pl.DataFrame(
        {
            "customer": ["Jane Roe", "Peter Patel", "Acme GmbH"] * 133,
            "client": ["Roe, Jane", "Patel, Peter", "Lee, Ann"] * 133,
            "contact": ["ada qqq", "bob xyz", "eve abc"] * 133,
            "born": pl.Series(days).str.to_date(),
            "phone": [12125550100 + i for i in range(399)],
            "status": ["open", "closed", "lost"] * 133,
            "due": pl.Series(days).str.to_date(),
        }
    )
    rules = {rule.name: rule for rule in infer_schema(frame, ranges=True).columns}
    assert [name for name, rule in rules.items() if rule.allowed] == ["status"]
    assert [name for name, rule in rules.items() if rule.minimum is not None] == ["due"]


def test_what_the_first_rows_of_any_file_show_to_be_personal_is_not_told(tmp_path: Path) -> None:
    pl.DataFrame({"client": ["ACME 1", "ACME 2"] * 100}).write_csv(tmp_path / "a.csv")
    assert infer_schema_of_files(tmp_path / "a.csv").columns[0].allowed == ("ACME 1", "ACME 2")
    pl.DataFrame({"client": ["Jane Roe", "Peter Patel"] * 100}).write_csv(tmp_path / "b.csv")
    assert infer_schema_of_files([tmp_path / "a.csv", tmp_path / "b.csv"]).columns[0].allowed == ()


def test_ranges_are_rules_only_if_asked_for() -> None:
    assert rule([1, 5]).minimum is None
    assert (rule([1, 5], ranges=True).minimum, rule([1, 5], ranges=True).maximum) == (1, 5)
    day = rule([dt.date(2024, 2, 1), None, dt.date(2024, 1, 1)], ranges=True)
    assert (day.minimum, day.maximum) == ("2024-01-01", "2024-02-01")
    assert rule([0.5, float("nan")], ranges=True).maximum == 0.5
    assert rule([0.5, float("inf")], ranges=True).maximum is None  # or the row would break it
    berlin = pl.Datetime("us", "Europe/Berlin")
    assert (
        rule([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)], ranges=True, dtype=berlin).minimum
        == "2024-01-01 00:00:00"
    )
    assert rule(["a", "b"], ranges=True).minimum is None


_ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.one_of(st.none(), st.floats(), st.integers(-5, 5))),
    max_size=40,
)


@given(_ROWS, st.lists(st.integers(0, 40), max_size=3), st.booleans())
@settings(max_examples=40)
def test_good_rows_keep_their_schema_and_batches_do_not_change_it(
    rows: list[Any], cuts: list[int], ranges: bool
) -> None:
    frame = pl.DataFrame(rows * 4, schema={"t": pl.String, "n": pl.Float64}, orient="row")
    frame = frame.with_columns(pl.when(pl.col("n").is_finite()).then("n"))
    schema = infer_schema(frame, ranges=ranges)
    assert check_table(frame, schema).report.ok
    edges = sorted({0, *(min(cut, frame.height) for cut in cuts), frame.height})
    parts = [SchemaInference(frame.schema) for _ in edges]
    for part, (start, stop) in zip(parts, itertools.pairwise(edges), strict=False):
        part.see(frame[start:stop])
    whole = parts[0]
    for part in parts[1:]:
        whole = part.merge(whole)
    assert whole.result(ranges=ranges) == schema


def test_infinite_numbers_fit_the_schema_that_was_taken_from_them() -> None:
    frame = pl.DataFrame({"f": [1.0, 2.0, float("inf")]})
    parts = [frame[:1], frame[1:]]
    schema = infer_schema(frame, ranges=True)
    assert schema.columns[0].type == "any"
    assert check_table(frame, schema).ok_mask.all()
    seen = SchemaInference(frame.schema)
    for part in parts:
        seen.see(part)
    assert seen.result(ranges=True) == schema
