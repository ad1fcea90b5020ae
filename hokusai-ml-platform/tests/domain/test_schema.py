"""Schemas: valid by construction, strict to read."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import ConfigurationError


class TestColumnRule:
    @pytest.mark.parametrize(
        ("rules", "type_"),
        [
            ({}, "any"),
            ({"type": "string"}, "text"),
            ({"type": "int"}, "integer"),
            ({"type": "number"}, "float"),
            ({"minimum": 0}, "float"),
            ({"allowed": [0, 1]}, "integer"),
            ({"allowed": [0, 0.5]}, "float"),
            ({"allowed": [True, False]}, "boolean"),
            ({"allowed": ["a"]}, "text"),
            ({"pattern": "[a-z]+"}, "text"),
        ],
    )
    def test_the_type_follows_from_the_rules_where_it_is_not_said(
        self, rules: dict[str, Any], type_: str
    ) -> None:
        assert ColumnRule("x", **rules).type == type_

    @pytest.mark.parametrize(
        ("rules", "said"),
        [
            ({"type": "integr"}, "'integr' is no type of a column.*Did you mean 'integer'"),
            ({"minimum": 3, "maximum": 2}, "No value is between 3 and 2"),
            ({"above": 2, "maximum": 2}, "No value is between 2 and 2"),
            ({"type": "text", "minimum": 1}, "minimum is for numbers, dates and times, but the type is text"),
            ({"type": "integer", "pattern": "x"}, "A pattern is for text, but the type is integer"),
            ({"type": "text", "allowed": [1]}, "1 is not text.*Write text in quotes"),
            ({"type": "boolean", "allowed": [1]}, "1 is not true or false"),
            ({"type": "integer", "allowed": [True]}, "True is not a whole number"),
            ({"allowed": ["a", 1]}, "of several types: integer, text"),
            ({"allowed": ["a", "a"]}, "given twice"),
            ({"type": "integer", "allowed": [0.5]}, "0.5 is not a whole number"),
            ({"allowed": "abc"}, "Allowed values are a list"),
            ({"minimum": float("nan")}, "nan is not a number"),
            ({"allowed": [float("inf")]}, "NaN and infinity"),
            ({"minimum": "2024-01-01"}, "the type is not said.*Add type: date"),
            ({"type": "date", "minimum": "1.2.2024"}, "'1.2.2024' is not a date"),
            ({"type": "date", "minimum": "2024-01-01 10:00"}, "is a time, but the type is date"),
            ({"unique": "yes"}, "unique is true or false, not 'yes'"),
            ({"pattern": 5}, "A pattern is text"),
        ],
    )
    def test_a_rule_that_cannot_be_meant_is_refused(self, rules: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigurationError, match=said) as caught:
            ColumnRule("age", **rules)
        assert caught.value.where == "schema, column 'age'"

    def test_bounds_of_times_become_one_form_whatever_zone_they_were_in(self) -> None:
        berlin = dt.timezone(dt.timedelta(hours=1))
        rule = ColumnRule(
            "at", "datetime", minimum=dt.datetime(2024, 1, 1, tzinfo=berlin), maximum="2024-06-01"
        )
        assert (rule.minimum, rule.maximum) == ("2023-12-31 23:00:00", "2024-06-01 00:00:00")
        assert ColumnRule("day", "date", minimum=dt.date(2024, 2, 29)).minimum == "2024-02-29"

    def test_touching_bounds_leave_one_value(self) -> None:
        assert ColumnRule("x", minimum=2, maximum=2).minimum == 2

    def test_many_allowed_values_are_shortened_for_people(self) -> None:
        assert ColumnRule("x", allowed=("a", "b")).allowed_words == "one of 'a', 'b'"
        assert ColumnRule("x", allowed=tuple(range(12))).allowed_words.endswith("8, 9 and 2 more")


class TestDataSchema:
    def test_says_types_required_columns_and_keys(self) -> None:
        schema = DataSchema(
            (ColumnRule("id", "text", unique=True), ColumnRule("note", required=False)),
            unique_together=(("day", "id"),),
        )
        assert schema.types == {"id": "text"}
        assert schema.required == ("id", "day")
        assert schema.unique_keys == (("id",), ("day", "id"))

    def test_more_columns_can_be_required_and_keep_their_rules(self) -> None:
        schema = DataSchema((ColumnRule("note", "text", required=False),)).requiring(["note", "label"])
        assert schema.required == ("note", "label")
        assert schema.columns[0] == ColumnRule("note", "text")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ({"colums": {}}, "'colums' is nothing that the schema can say.*Did you mean 'columns'"),
            ({"columns": {"a": {"minimun": 0}}}, "'minimun' is nothing that column 'a' can say.*'minimum'"),
            ({"columns": {"a": 5}}, "The rules of column 'a' are 5"),
            ({"columns": ["a"]}, "columns is not a mapping"),
            ({"columns": {"a": {"nullable": 0}}}, "nullable is true or false, not 0"),
            ({"extra": "forbid"}, "extra is allow or refuse, not 'forbid'"),
            ({"version": 2}, "of version 2, and 1 is"),
            ({"version": True}, "of version True"),
            ({"unique_together": ["ab"]}, "not a list of lists"),
            ({"unique_together": [["a"]]}, "'a' is no group.*unique: true"),
            ({"unique_together": [["a", "a"]]}, "no group"),
        ],
    )
    def test_what_it_does_not_know_is_refused(self, content: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigurationError, match=said):
            DataSchema.from_dict(content)

    def test_a_column_has_one_rule(self) -> None:
        with pytest.raises(ConfigurationError, match="Column 'a' has two rules"):
            DataSchema((ColumnRule("a"), ColumnRule("a", "text")))

    def test_a_type_alone_is_short_for_a_rule(self) -> None:
        assert DataSchema.from_dict({"columns": {"a": "integer", "b": None}}).columns == (
            ColumnRule("a", "integer"),
            ColumnRule("b"),
        )

    def test_the_digest_is_that_of_the_canonical_notation(self) -> None:
        text = (
            '{"columns":{"n":{"allowed":["9007199254740993"],"type":"integer"}},"extra":"allow","version":1}'
        )
        schema = DataSchema((ColumnRule("n", allowed=(2**53 + 1,)),))
        assert schema.digest == hashlib.sha256(text.encode()).hexdigest()


_RULES = st.one_of(
    st.builds(ColumnRule, st.just("a"), st.sampled_from(["any", "boolean", "text", "date"]), st.booleans()),
    st.builds(
        ColumnRule,
        st.just("b"),
        st.just("integer"),
        minimum=st.integers(-(2**60), 0),
        below=st.integers(1, 2**60),
        unique=st.booleans(),
    ),
    st.builds(ColumnRule, st.just("c"), allowed=st.lists(st.text(), min_size=1, unique=True).map(tuple)),
)


@given(st.lists(_RULES, unique_by=lambda rule: rule.name).map(tuple), st.sampled_from(["allow", "refuse"]))
@settings(max_examples=40)
def test_reading_what_was_written_gives_the_schema_back(columns: tuple[ColumnRule, ...], extra: Any) -> None:
    schema = DataSchema(columns, extra)
    assert DataSchema.from_dict(schema.to_dict()) == schema
