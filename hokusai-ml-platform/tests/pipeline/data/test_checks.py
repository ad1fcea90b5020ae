"""Rows held against a schema."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.domain.schema_report import Rule
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline.data.checks import check, check_table, raise_unless_ok
from hokusai.pipeline.data.column_values import fit
from hokusai.pipeline.data.scan import Reject


def failing(values: pl.Series, **rules: Any) -> list[Any]:
    """The values that do not fit one column's rules."""
    result = check(values.alias("x").to_frame(), DataSchema((ColumnRule("x", **rules),)))
    return values.filter(~result.ok_mask).to_list()


class TestTypes:
    @pytest.mark.parametrize(
        ("type_", "good", "bad"),
        [
            ("integer", ["0", "-7", "9223372036854775807", "", None], ["007", "+7", "1.0", "1e3", " 7", "seven",
             "9223372036854775808", "٣"]),
            ("float", ["0.5", "-1e-3", "7", ".5", "123456789012345", ""], ["1,5", "NaN", "inf", "1e999", "0x1F",
             "1234567890123456", "1_000"]),
            ("boolean", ["true", "FALSE", ""], ["yes", "1", "t"]),
            ("date", ["2024-02-29", ""], ["2023-02-29", "29.02.2024", "2024-2-29", "2024-02-29 10:00:00"]),
            ("datetime", ["2024-02-29 10:00:00", "2024-02-29T10:00:00.123456", ""], ["2024-02-29",
             "2024-02-29 25:00:00", "2024-02-29T10:00:00Z"]),
            ("text", ["", "7", "anything"], []),
        ],
    )  # fmt: skip
    def test_of_text_cells_are_their_forms(self, type_: str, good: list[str | None], bad: list[str]) -> None:
        assert failing(pl.Series([*good, *bad], dtype=pl.String), type=type_) == bad

    @pytest.mark.parametrize(
        ("type_", "values", "bad"),
        [
            ("integer", pl.Series([1.0, 2.5, None, float("nan"), float("inf"), 1e300]), [2.5, float("inf"), 1e300]),
            ("integer", pl.Series([2**63, 1], dtype=pl.UInt64), [2**63]),
            ("integer", pl.Series([Decimal("1.00"), Decimal("1.50")]), [Decimal("1.50")]),
            ("integer", pl.Series([True, None]), [True]),
            ("float", pl.Series([2**53, 2**53 + 1, -(2**53)]), [2**53 + 1]),
            ("float", pl.Series([1, 2], dtype=pl.Int8), []),
            ("float", pl.Series([Decimal("1.5")]), []),
            ("float", pl.Series([0.5, float("-inf"), float("nan")]), [float("-inf")]),
            ("boolean", pl.Series([0, 1]), [0, 1]),
            ("date", pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 1)]), [dt.datetime(2024, 1, 1, 1)]),
            ("date", pl.Series([20240101]), [20240101]),
            ("datetime", pl.Series([dt.date(2024, 1, 1)]), []),
            ("text", pl.Series([10115, None]), [10115]),
            ("text", pl.Series(["a"], dtype=pl.Categorical), []),
            ("text", pl.Series([["a"], None]), [["a"]]),
            ("integer", pl.Series([None, None], dtype=pl.Null), []),
        ],
    )  # fmt: skip
    def test_of_other_cells_are_kept_where_nothing_is_lost(
        self, type_: str, values: pl.Series, bad: list[Any]
    ) -> None:
        assert failing(values, type=type_) == bad

    def test_a_moment_is_a_date_by_its_day_in_utc(self) -> None:
        moments = pl.Series([dt.datetime(2024, 1, 1, 23), dt.datetime(2024, 1, 2)]).dt.replace_time_zone(
            "UTC"
        )
        berlin = moments.dt.convert_time_zone("Europe/Berlin")
        assert failing(berlin, type="date") == [berlin[0]]

    def test_fit_gives_each_type_its_dtype_whatever_it_was_stored_as(self) -> None:
        schema = DataSchema(
            tuple(
                ColumnRule(t, t) for t in ("integer", "float", "boolean", "date", "datetime", "text", "any")
            )
        )
        as_text = pl.DataFrame(
            {
                "integer": ["7", "x"], "float": ["0.5", "x"], "boolean": ["TRUE", "x"], "date": ["2024-02-29", "x"],
                "datetime": ["2024-02-29T10:00:00", "x"], "text": ["7", "x"], "any": [1, 2], "more": [1, 2],
            }
        )  # fmt: skip
        expected = pl.DataFrame(
            {
                "integer": [7, None], "float": [0.5, None], "boolean": [True, None],
                "date": [dt.date(2024, 2, 29), None], "datetime": [dt.datetime(2024, 2, 29, 10), None],
                "text": ["7", "x"], "any": [1, 2], "more": [1, 2],
            }
        )  # fmt: skip
        assert_frame_equal(fit(as_text, schema), expected)
        assert_frame_equal(fit(expected, schema), expected)
        nan = fit(pl.DataFrame({"float": [float("nan"), 1.0]}), DataSchema((ColumnRule("float", "float"),)))
        assert nan["float"].to_list() == [None, 1.0]


class TestRules:
    def test_bounds_include_their_ends_unless_they_are_above_and_below(self) -> None:
        values = pl.Series([-0.1, 0.0, 0.5, 1.0, 1.1, None])
        assert failing(values, minimum=0, maximum=1) == [-0.1, 1.1]
        assert failing(values, above=0, below=1) == [-0.1, 0.0, 1.0, 1.1]

    def test_bounds_hold_for_the_value_of_a_text_cell(self) -> None:
        assert failing(pl.Series(["9", "10", "11"]), type="integer", maximum=10) == ["11"]

    def test_large_integers_are_not_compared_as_doubles(self) -> None:
        values = pl.Series([2**60, 2**60 + 1])
        assert failing(values, type="integer", maximum=2**60) == [2**60 + 1]

    def test_dates_and_times_are_compared_as_such(self) -> None:
        days = pl.Series([dt.date(2023, 12, 31), dt.date(2024, 1, 1)])
        assert failing(days, type="date", minimum="2024-01-01") == [dt.date(2023, 12, 31)]
        berlin = pl.Series([dt.datetime(2024, 1, 1, 0, 30)]).dt.replace_time_zone("Europe/Berlin")
        assert failing(berlin, type="datetime", below="2024-01-01") == []
        assert failing(berlin, type="datetime", above="2024-01-01") == berlin.to_list()

    def test_null_is_wrong_only_where_a_value_is_needed(self) -> None:
        assert failing(pl.Series(["a", None, ""]), type="text", nullable=False) == [None]
        assert failing(pl.Series(["1", None, ""]), type="integer", nullable=False) == [None, ""]
        assert failing(pl.Series([1.0, float("nan")]), nullable=False)[0] != 1.0
        assert failing(pl.Series([None, 5]), minimum=0, allowed=(5,)) == []

    def test_allowed_values_are_compared_as_the_type(self) -> None:
        assert failing(pl.Series(["0", "1", "2"]), type="integer", allowed=(0, 1)) == ["2"]
        assert failing(pl.Series(["good", "Good", ""]), allowed=("good",)) == ["Good", ""]
        assert failing(pl.Series([1.0, 2.0, 2.5]), allowed=(1, 2.5)) == [2.0]

    def test_many_allowed_values_are_as_one(self) -> None:
        values = pl.Series(range(5_000))
        assert failing(values, allowed=tuple(range(4_998))) == [4_998, 4_999]
        days = pl.Series([dt.date(2024, 1, 1), dt.date(2024, 1, 2), None])
        assert failing(days, type="date", allowed=("2024-01-01",)) == [dt.date(2024, 1, 2)]
        assert failing(pl.Series([True, False]), allowed=(True,)) == [False]

    def test_a_column_without_values_keeps_every_rule_that_is_about_values(self) -> None:
        nothing = pl.Series([None, None], dtype=pl.Null)
        assert (
            failing(nothing, pattern="a")
            == failing(nothing, minimum=0)
            == failing(nothing, allowed=(1,))
            == []
        )
        assert failing(nothing, type="text", nullable=False) == [None, None]
        text = DataSchema((ColumnRule("x", "text"),))
        assert fit(nothing.alias("x").to_frame(), text).schema == {"x": pl.String}

    def test_bounds_beyond_64_bits_are_bounds_still(self) -> None:
        assert failing(pl.Series([2**63 - 1]), type="integer", maximum=2**64) == []

    def test_a_pattern_is_for_the_whole_text(self) -> None:
        values = pl.Series(["DE", "DEU", "DE\n", "de", "FR|DE", "x\nDE"])
        assert failing(values, pattern="[A-Z]{2}") == ["DEU", "DE\n", "de", "FR|DE", "x\nDE"]
        assert failing(pl.Series(["a", "b", "ab"]), pattern="a|b") == ["ab"]

    @pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", "(a{1000}){1000}"])
    def test_a_pattern_that_cannot_be_used_is_refused(self, pattern: str) -> None:
        with pytest.raises(ConfigurationError, match="not a regular expression in Rust"):
            check(pl.DataFrame({"x": ["a"]}), DataSchema((ColumnRule("x", pattern=pattern),)))

    def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time(self) -> None:
        assert len(failing(pl.Series(["a" * 1_000_000 + "!"]), pattern="(a|a)*(a|a)*")) == 1


class TestNames:
    def test_a_column_may_be_called_what_it_likes(self) -> None:
        frame = pl.DataFrame({"a": [1, -1], "missing a": ["x", None], "0": [1, 2]})
        schema = DataSchema(
            (
                ColumnRule("a", minimum=0, nullable=False),
                ColumnRule("missing a", nullable=False),
                ColumnRule("0", maximum=1),
            )
        )
        counts = {problem.column: problem.count for problem in check(frame, schema).report.problems}
        assert counts == {"a": 1, "missing a": 1, "0": 1}


class TestColumns:
    FRAME = pl.DataFrame({"Label": [1], "id": [2]})

    def test_a_missing_column_is_named_with_what_was_probably_meant(self) -> None:
        report = check(
            self.FRAME, DataSchema((ColumnRule("label"), ColumnRule("note", required=False)))
        ).report
        (problem,) = report.problems
        assert (problem.rule, problem.column) == (Rule.MISSING_COLUMN, "label")
        assert report.to_text().endswith("column 'label': it is missing; did you mean 'Label'?")
        assert report.rows_failed == 1

    def test_other_columns_are_refused_only_where_the_schema_says_so(self) -> None:
        rules = (ColumnRule("id"),)
        assert check(self.FRAME, DataSchema(rules)).report.ok
        (problem,) = check(self.FRAME, DataSchema(rules, "refuse")).report.problems
        assert (problem.rule, problem.column) == (Rule.EXTRA_COLUMN, "Label")

    def test_columns_of_a_unique_group_must_be_there(self) -> None:
        report = check_table(self.FRAME, DataSchema(unique_together=(("id", "day"),))).report
        assert [problem.column for problem in report.problems] == ["day"]

    def test_a_schema_without_rules_is_kept_by_everything(self) -> None:
        result = check(self.FRAME, DataSchema())
        assert result.report.ok
        assert result.ok_mask.to_list() == [True]

    def test_an_empty_table_keeps_every_rule(self) -> None:
        result = check_table(self.FRAME.clear(), DataSchema((ColumnRule("id", "text", unique=True),)))
        assert (result.report.ok, result.report.rows_checked, len(result.ok_mask)) == (True, 0, 0)


class TestUniqueness:
    def test_the_earliest_row_stays_and_null_is_never_equal(self) -> None:
        schema = DataSchema((ColumnRule("id", unique=True),))
        result = check_table(pl.DataFrame({"id": [5, None, 5, None, 5]}), schema)
        assert result.ok_mask.to_list() == [True, True, False, True, False]
        (problem,) = result.report.problems
        assert (problem.rule, problem.rows, problem.found) == (Rule.NOT_UNIQUE, (3, 5), ("5", "5"))

    def test_values_are_compared_as_the_type(self) -> None:
        schema = DataSchema((ColumnRule("n", "float", unique=True),))
        assert check_table(pl.DataFrame({"n": ["1", "1.0", "1e0", "01"]}), schema).ok_mask.to_list() == [
            True, False, False, False,
        ]  # fmt: skip

    def test_a_row_that_is_set_aside_for_something_else_holds_no_key(self) -> None:
        schema = DataSchema((ColumnRule("id", unique=True), ColumnRule("age", minimum=0)))
        result = check_table(pl.DataFrame({"id": [1, 1, 1], "age": [-1, 1, 1]}), schema)
        assert result.ok_mask.to_list() == [False, True, False]
        assert [r.reason for r in result.rejects()] == ["too small", "not unique"]

    def test_a_row_that_repeats_one_key_holds_no_other(self) -> None:
        schema = DataSchema((ColumnRule("a", unique=True), ColumnRule("b", unique=True)))
        frame = pl.DataFrame({"a": [1, 1, 3], "b": ["x", "y", "y"]})
        assert check_table(frame, schema).ok_mask.to_list() == [True, False, True]

    def test_of_a_group_all_values_must_be_equal(self) -> None:
        schema = DataSchema(unique_together=(("a", "b"),))
        frame = pl.DataFrame({"a": [1, 1, 1, None, None], "b": ["x", "y", "x", "x", "x"]})
        result = check_table(frame, schema)
        assert result.ok_mask.to_list() == [True, True, False, True, True]
        assert str(result.report).splitlines()[1] == (
            "row 3, column 'a, b': found 1, 'x', expected values that no earlier row has together"
        )


class TestResult:
    SCHEMA = DataSchema(
        (
            ColumnRule("id", nullable=False),
            ColumnRule("age", "integer", minimum=0),
            ColumnRule("mail", pattern=".+@.+"),
        )
    )
    FRAME = pl.DataFrame({"id": [1, None, 3], "age": ["-1", "-2", "x"], "mail": ["anna", "b@c", "bob"]})

    def test_a_row_has_one_reason_the_first_by_the_order_of_the_schema_and_the_report_has_all(self) -> None:
        result = check(self.FRAME, self.SCHEMA, source="a.csv")
        assert list(result.rejects()) == [
            Reject("a.csv", 1, "too small", "age", "expected at least 0"),
            Reject("a.csv", 2, "no value", "id", "expected a value"),
            Reject("a.csv", 3, "wrong type", "age", "expected a whole number of 64 bits"),
        ]
        counts = {(p.column, str(p.rule)): p.count for p in result.report.problems}
        assert counts == {
            ("id", "no value"): 1, ("age", "too small"): 2, ("age", "wrong type"): 1, ("mail", "wrong form"): 2,
        }  # fmt: skip
        assert result.report.rows_failed == 3

    def test_rejects_quote_nothing(self) -> None:
        assert not any(
            "anna" in str(reject) or "bob" in str(reject)
            for reject in check(self.FRAME, self.SCHEMA).rejects()
        )

    def test_rows_have_the_numbers_of_their_source(self) -> None:
        assert [r.row for r in check(self.FRAME, self.SCHEMA, first_row=100).rejects()] == [101, 102, 103]
        numbers = pl.Series([7, 9, 50])
        assert [r.row for r in check(self.FRAME, self.SCHEMA, rows=numbers).rejects()] == [7, 9, 50]

    def test_refusing_names_rows_and_rules_but_no_values(self) -> None:
        report = check(self.FRAME, self.SCHEMA, source="a.csv").report
        with pytest.raises(SchemaError) as caught:
            raise_unless_ok(report)
        assert str(caught.value).startswith(
            "3 of 3 rows do not fit the schema: row 1, column 'age': too small, expected at least 0; row 2, column"
        )
        assert "anna" not in str(caught.value)
        assert caught.value.where == "a.csv"
        assert caught.value.report is report
        raise_unless_ok(check(self.FRAME.clear(), self.SCHEMA).report)


_CELL = st.sampled_from(["", "0", "1", "-1", "7", "007", "x", "2024-01-01", None])


@given(st.lists(st.tuples(_CELL, _CELL), max_size=30), st.lists(st.integers(0, 30), max_size=4))
@settings(max_examples=40)
def test_batches_add_up_to_the_report_of_the_whole(rows: list[tuple[Any, Any]], cuts: list[int]) -> None:
    schema = DataSchema(
        (
            ColumnRule("a", "integer", minimum=0, nullable=False),
            ColumnRule("b", pattern="[0-9]+", allowed=("7", "x", "")),
        )
    )
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    whole = check(frame, schema)
    report, rejects, mask = whole.report.__class__(), [], []
    edges = sorted({0, *(min(cut, frame.height) for cut in cuts), frame.height})
    for start, stop in itertools.pairwise(edges):
        part = check(frame[start:stop], schema, first_row=start)
        report += part.report
        rejects += part.rejects()
        mask += part.ok_mask.to_list()
    assert (report, rejects, mask) == (whole.report, list(whole.rejects()), whole.ok_mask.to_list())
    assert fit(frame, schema).filter(whole.ok_mask)["a"].null_count() == 0
