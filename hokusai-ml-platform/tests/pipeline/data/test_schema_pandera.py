"""Schemas of pandera as ours: the same rows are refused, and what cannot be said is named."""

from __future__ import annotations

import re
import warnings
from types import ModuleType
from typing import Any

import pandas as pd
import polars as pl
import pytest

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import ConfigurationError
from hokusai.pipeline.data.checks import check_table
from hokusai.pipeline.data.pandera_schema import from_pandera
from hokusai.pipeline.data.schema import as_schema

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pandera's own, on import
    import pandera.pandas
    import pandera.polars

Check = pandera.polars.Check
Column = pandera.polars.Column


def rule_of(*checks: Any, dtype: Any = None, **more: Any) -> ColumnRule:
    schema, left_out = from_pandera(
        pandera.polars.DataFrameSchema({"x": Column(dtype, list(checks), **more)})
    )
    assert left_out == ()
    return schema.columns[0]


@pytest.mark.parametrize(
    ("dtype", "type_"),
    [
        (pl.Int64, "integer"), (pl.UInt8, "integer"), (pl.Float32, "float"), (pl.Boolean, "boolean"),
        (pl.String, "text"), (pl.Categorical, "text"), (pl.Date, "date"), (pl.Datetime("ms", "UTC"), "datetime"),
        (pl.Decimal(10, 2), "float"), (None, "any"),
    ],
)  # fmt: skip
def test_types_of_polars(dtype: Any, type_: str) -> None:
    assert rule_of(dtype=dtype).type == type_


@pytest.mark.parametrize(
    ("dtype", "type_"),
    [
        ("int64", "integer"), ("Int64", "integer"), ("uint8", "integer"), ("float32", "float"), ("bool", "boolean"),
        ("boolean", "boolean"), ("string", "text"), (str, "text"), ("datetime64[ns]", "datetime"),
        ("datetime64[ns, UTC]", "datetime"), ("category", "any"), (object, "any"), (None, "any"),
    ],
)  # fmt: skip
def test_types_of_pandas(dtype: Any, type_: str) -> None:
    schema, left_out = from_pandera(pandera.pandas.DataFrameSchema({"x": pandera.pandas.Column(dtype)}))
    assert (schema.columns[0].type, left_out) == (type_, ())


def test_flags_and_bounds() -> None:
    assert rule_of(dtype=int) == ColumnRule("x", "integer", nullable=False)
    assert rule_of(Check.ge(0), Check.lt(1), dtype=float, nullable=True) == ColumnRule(
        "x", "float", minimum=0, below=1
    )
    assert rule_of(
        Check.in_range(0, 1, include_min=False), dtype=float, required=False, unique=True
    ) == ColumnRule("x", "float", required=False, nullable=False, above=0, maximum=1, unique=True)
    assert rule_of(Check.isin(["b", "a"]), dtype=str).allowed == ("b", "a")
    assert rule_of(Check.eq(5), dtype=int).allowed == (5,)


CELLS = ["", "a", "ab", "abc", "a.", "a.b", "xaby", "A\nB", "ab\n", "lab", None]


@pytest.mark.parametrize(
    "check",
    [
        Check.str_matches("a"), Check.str_matches("ab|x"), Check.str_contains("a.b"), Check.str_startswith("a."),
        Check.str_endswith("ab"), Check.str_length(1, 2), Check.str_length(2), Check.str_length(exact_value=3),
        Check.isin(["a", "ab"]),
    ],
    ids=lambda check: str(check.name),
)  # fmt: skip
def test_the_same_rows_are_refused_as_by_pandera(check: Any) -> None:
    frame = pl.DataFrame({"x": CELLS})
    theirs = pandera.polars.DataFrameSchema({"x": Column(str, check, nullable=True)})
    try:
        theirs.validate(frame, lazy=True)
        refused = set()
    except pandera.errors.SchemaErrors as problem:
        refused = set(problem.failure_cases["index"])
    ours = check_table(frame, as_schema(theirs)).ok_mask
    assert refused == set((~ours).arg_true())
    assert 0 < len(refused) < len(CELLS)


def test_a_compiled_pattern_keeps_its_flags() -> None:
    rule = rule_of(Check.str_matches(re.compile("ab.", re.IGNORECASE | re.DOTALL)), dtype=str)
    frame = pl.DataFrame({"x": ["AB\n", "xAB\n", "ab"]})
    assert check_table(frame, DataSchema((rule,))).ok_mask.to_list() == [True, False, False]


def test_uniqueness_and_strictness() -> None:
    schema, _ = from_pandera(
        pandera.polars.DataFrameSchema({"a": Column(int), "b": Column(int)}, strict=True, unique=["a", "b"])
    )
    assert (schema.extra, schema.unique_together) == ("refuse", (("a", "b"),))
    one, _ = from_pandera(pandera.polars.DataFrameSchema({"a": Column(int)}, unique="a"))
    assert (one.extra, one.columns[0].unique) == ("allow", True)


def test_a_model_is_its_schema() -> None:
    class Rows(pandera.polars.DataFrameModel):
        age: int = pandera.polars.Field(ge=0, nullable=True)

    assert as_schema(Rows).columns == (ColumnRule("age", "integer", minimum=0),)


@pytest.mark.parametrize(
    ("kind", "options", "column", "said"),
    [
        (pandera.polars, {}, Column(int, Check(lambda data: data)), "column 'x': check <lambda>"),
        (pandera.polars, {}, Column(str, Check.notin(["a"])), "column 'x': check notin"),
        (pandera.polars, {}, Column(str, Check.str_matches("(?=a)")), "column 'x': check str_matches"),
        (pandera.polars, {}, Column(int, Check.ge(0, raise_warning=True)), "check greater_than_or_equal_to"),
        (pandera.polars, {}, Column(int, [Check.ge(0), Check.ge(5)]), "check greater_than_or_equal_to"),
        (pandera.polars, {}, Column(pl.List(pl.Int64)), r"column 'x': type List\(Int64\)"),
        (pandera.polars, {}, Column(int, regex=True), "column 'x': a pattern of names"),
        (pandera.polars, {"ordered": True}, Column(int), "the table: the order of its columns"),
        (pandera.polars, {"strict": "filter"}, Column(int), "the table: columns that are filtered out"),
        (pandera.polars, {"checks": Check(lambda data: data)}, Column(int), "the table: check <lambda>"),
        (
            pandera.pandas,
            {"index": pandera.pandas.Index(int)},
            pandera.pandas.Column(int),
            "the table: its index",
        ),
    ],
)
def test_what_cannot_be_said_is_named_and_not_left_out_in_silence(
    kind: ModuleType, options: dict[str, Any], column: Any, said: str
) -> None:
    theirs = kind.DataFrameSchema({"x": column}, **options)
    _, left_out = from_pandera(theirs)
    assert len(left_out) == 1
    assert re.search(said, left_out[0])
    with pytest.raises(ConfigurationError, match="what cannot be translated"):
        as_schema(theirs)


def test_something_else_of_pandera_is_no_schema() -> None:
    with pytest.raises(ConfigurationError, match="is no pandera schema of a table"):
        from_pandera(pandera.pandas.SeriesSchema(int))


def test_bounds_of_pandas_moments_are_moments() -> None:
    column = pandera.pandas.Column("datetime64[ns]", pandera.pandas.Check.ge(pd.Timestamp("2024-01-01")))
    schema, _ = from_pandera(pandera.pandas.DataFrameSchema({"x": column}))
    assert schema.columns[0].minimum == "2024-01-01 00:00:00"
