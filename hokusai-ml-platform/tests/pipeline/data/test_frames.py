"""Whatever kind of table goes in comes out, with its index and dtypes, and no digit or name is lost."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from hokusai.errors import DataError
from hokusai.pipeline.data.frames import to_pandas, to_polars
from hokusai.pipeline.data.integrator import DataIntegrator

BIG = 2**62 + 1  # not a double


def pandas_zoo() -> pd.DataFrame:
    """A column of each dtype that pandas users have, each with a missing value where it can hold one."""
    return pd.DataFrame(
        {
            "int8": np.array([1, 2, 3], "int8"),
            "uint64": np.array([1, 2, 2**64 - 1], "uint64"),
            "float": [1.5, np.nan, -0.5],
            "float32": np.array([1.5, np.nan, -0.5], "float32"),
            "bool": [True, False, True],
            "Int64": pd.array([BIG, None, 3], dtype="Int64"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "str": ["a", None, "c"],
            "string": pd.array(["a", None, "c"], dtype="string"),
            "object text": pd.Series(["a", None, "c"], dtype=object),
            "object ints": pd.Series([BIG, None, 2], dtype=object),
            "object dates": pd.Series([dt.date(2020, 1, 1), None, None], dtype=object),
            "object decimals": pd.Series([Decimal("1.10"), None, None], dtype=object),
            "object nothing": pd.Series([None, None, None], dtype=object),
            "category": pd.Categorical(["x", None, "y"], categories=["y", "x"], ordered=True),
            "category of ints": pd.Categorical([7, None, 5]),
            "seconds": pd.to_datetime(["2020-01-01", None, "2020-01-03"]).astype("datetime64[s]"),
            "zone": pd.to_datetime(["2020-01-01", None, "2020-01-03"]).tz_localize("Europe/Paris"),
            "arrow": pd.array([BIG, None, 2], dtype="int64[pyarrow]"),
        }
    )


def test_every_pandas_dtype_comes_back_with_its_values() -> None:
    frame = pandas_zoo()
    rows, give_back = to_polars(frame)
    assert_frame_equal(give_back(rows), frame)


def test_values_come_in_as_what_they_are() -> None:
    rows, _ = to_polars(pandas_zoo())
    assert rows["Int64"].to_list() == [BIG, None, 3]
    assert rows["float"].to_list() == [1.5, None, -0.5]
    assert rows["object dates"].to_list() == [dt.date(2020, 1, 1), None, None]
    assert rows["category"].cast(pl.String).to_list() == ["x", None, "y"]
    assert rows["zone"].dtype == pl.Datetime("us", "Europe/Paris")


def test_nan_is_null_for_polars_too() -> None:
    frame = pl.DataFrame({"x": [1.0, float("nan"), None], "n": [1, 2, None]})
    rows, give_back = to_polars(frame)
    assert rows["x"].to_list() == [1.0, None, None]
    assert isinstance(give_back(rows), pl.DataFrame)


def test_lazy_in_gives_lazy_out() -> None:
    rows, give_back = to_polars(pl.LazyFrame({"x": [3, 4]}))
    for lazy in (give_back(rows), give_back.changed(rows), give_back.rows([0, 1])):
        assert isinstance(lazy, pl.LazyFrame)
        assert lazy.collect().to_dict(as_series=False) == {"x": [3, 4]}


def test_pyarrow_in_gives_pyarrow_out() -> None:
    table = pa.table({"x": [3, 4, None], "t": ["a", "b", "c"]})
    rows, give_back = to_polars(table)
    assert isinstance(give_back(rows), pa.Table)
    assert give_back.rows([2, 0]).to_pydict() == {"x": [None, 3], "t": ["c", "a"]}


class TestDecimalsOfMoreThan38Digits:
    """Polars has none, and would panic; they are doubles, as in a Parquet file."""

    cells = (Decimal("1e50"), Decimal("1.5"), None)

    @pytest.mark.parametrize(
        "table",
        [
            pd.DataFrame({"a": pd.Series(cells, dtype=object)}),
            pd.DataFrame({"a": pd.array(cells, dtype=pd.ArrowDtype(pa.decimal256(76, 20)))}),
            pa.table({"a": pa.chunked_array([pa.array([cell], pa.decimal256(76, 20)) for cell in cells])}),
        ],
    )
    def test_come_in_and_go_back_as_doubles(self, table: Any) -> None:
        rows, give_back = to_polars(table)
        assert rows.to_dict(as_series=False) == {"a": [1e50, 1.5, None]}
        assert type(give_back(rows)) is type(table)
        assert to_polars(give_back(rows))[0].equals(rows)

    def test_other_rows_stay_what_they_were(self) -> None:
        rows, give_back = to_polars(pd.DataFrame({"a": self.cells}, index=[5, 6, 7]))
        assert give_back.rows([1])["a"].to_dict() == {6: Decimal("1.5")}
        assert give_back.changed(rows).index.tolist() == [5, 6, 7]

    def test_beside_columns_whose_names_are_no_text_the_names_are_told(self) -> None:
        with pytest.raises(DataError, match="1 column names are not text"):
            to_polars(pd.DataFrame({7: self.cells}))


class TestIndex:
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=[10, 20, 30])

    def test_rows_keep_theirs(self) -> None:
        _, give_back = to_polars(self.frame)
        assert_frame_equal(give_back.rows([2, 0]), self.frame.loc[[30, 10]])

    def test_changed_rows_keep_theirs(self) -> None:
        rows, give_back = to_polars(self.frame)
        changed = give_back.changed(rows.with_columns(pl.col("x") * 2))
        assert changed.index.tolist() == [10, 20, 30]
        assert changed["x"].tolist()[::2] == [2.0, 6.0]

    def test_new_rows_are_numbered_anew(self) -> None:
        rows, give_back = to_polars(self.frame)
        assert give_back(rows).index.tolist() == [0, 1, 2]

    def test_one_with_a_name_is_a_column_and_comes_back_as_the_index(self) -> None:
        frame = pd.DataFrame(
            {
                "query_id": pd.array([7, 8, 9], dtype="int32"),
                "day": pd.to_datetime(["2024-02-29"] * 3),
                "x": [1.5, 2, 3],
            }
        ).set_index(["query_id", "day"])
        rows, give_back = to_polars(frame)
        assert rows.columns == ["query_id", "day", "x"]
        assert rows["query_id"].to_list() == [7, 8, 9]
        assert_frame_equal(give_back(rows), frame)
        assert_frame_equal(give_back.rows([2, 0]), frame.iloc[[2, 0]])
        changed = give_back.changed(rows.with_columns(pl.col("query_id") * 10))
        assert changed.index.get_level_values("query_id").tolist() == [70, 80, 90]
        assert give_back(rows.drop("query_id")).index.names == ["day"]
        assert give_back(rows.select("x")).index.tolist() == [0, 1, 2]

    def test_one_with_a_name_has_the_hash_of_its_columns_and_loses_its_people(self) -> None:
        frame = pd.DataFrame(
            {"mail": ["ada@example.org", "bob@example.org", "ada@example.org"], "x": [1, 2, 1]}
        )
        integrator = DataIntegrator(pii="mask")
        indexed = frame.set_index("mail")
        assert integrator.calculate_data_hash(indexed) == integrator.calculate_data_hash(frame)
        assert integrator.deduplicate(indexed, "mail").index.tolist() == [
            "ada@example.org",
            "bob@example.org",
        ]
        cleaned = integrator.remove_pii(indexed)
        assert (cleaned.index.name, cleaned.index.tolist()) == ("mail", ["[email]"] * 3)

    @pytest.mark.parametrize(
        ("index", "words"),
        [
            (
                pd.MultiIndex.from_tuples([(1, 2)], names=["a", None]),
                "1 of the 2 levels of the index have no name",
            ),
            (pd.Index([1], name="x"), "The index has the name of a column, 'x'"),
            (pd.Index([1], name=7), "1 column names are not text"),
        ],
    )
    def test_one_that_cannot_be_columns_is_refused(self, index: pd.Index, words: str) -> None:
        with pytest.raises(DataError, match=words):
            to_polars(pd.DataFrame({"x": [1]}, index=index))


class TestResultsThatPandasCannotSayPlainly:
    def test_integers_and_booleans_with_missing_values_stay_exact(self) -> None:
        _, give_back = to_polars(pd.DataFrame({"i": [1, 2], "b": [True, False]}))
        result = give_back(pl.DataFrame({"i": [BIG, None], "b": [True, None], "new": [None, BIG]}))
        assert result.dtypes.astype(str).tolist() == ["Int64", "boolean", "Int64"]
        assert result["i"][0] == BIG
        assert result["new"][1] == BIG

    def test_a_column_that_became_text_is_text(self) -> None:
        _, give_back = to_polars(pd.DataFrame({"i": [1, 2]}))
        assert give_back(pl.DataFrame({"i": ["tok1", "tok2"]}))["i"].tolist() == ["tok1", "tok2"]

    def test_a_value_beyond_the_categories_is_not_dropped(self) -> None:
        rows, give_back = to_polars(pd.DataFrame({"c": pd.Categorical(["x", "y"])}))
        result = give_back(pl.DataFrame({"c": ["x", "z"]}, schema={"c": rows.schema["c"]}))
        assert result["c"].tolist() == ["x", "z"]

    def test_no_columns_still_have_rows(self) -> None:
        _, give_back = to_polars(pd.DataFrame({"a": [1, 2]}))
        assert give_back(pl.DataFrame(height=2)).shape == (2, 0)

    def test_dates_and_times_of_day_stay_what_they_are(self) -> None:
        rows = pl.DataFrame(
            {"day": [dt.date(2024, 2, 29), None], "none": pl.Series([None, None], dtype=pl.Date)}
            | {"at": pl.Series([1, None], dtype=pl.Int64).cast(pl.Time)}  # a nanosecond after midnight
        )
        frame = to_pandas(rows)
        assert frame["day"].dt.year.tolist() == [2024, pd.NA]
        assert to_polars(frame)[0].equals(rows)
        assert to_polars(frame)[0].schema == rows.schema


class TestRefuses:
    @pytest.mark.parametrize(
        ("column", "words"),
        [
            (
                [None, 12345, "secret"],
                r"Column 'bad' holds objects of different types \(int in row 2, str in row 3\).*as text: ",
            ),
            ([True, 12345], "Column 'bad' holds objects of different types"),
            ([2**70, 1], "Column 'bad' holds objects of different types"),
            ([1.0, True], "Column 'bad' holds objects of different types"),
            (pd.Series([1.5, 2**53 + 1], dtype=object), "Column 'bad' holds objects of different types"),
            ([object()], "Column 'bad' holds objects of different types"),
            (pd.period_range("2020", periods=2, freq="D"), r"Column 'bad' holds values of type period\[D\]"),
            (pd.interval_range(0, 2), "Column 'bad' holds values of type interval"),
            ([1j], "Column 'bad' holds values of type complex128"),
            (
                [Decimal("1e100"), Decimal("1.5")],
                "Column 'bad' holds decimals that .* need more than 76 digits",
            ),
            (
                pd.array([[Decimal(1)]], dtype=pd.ArrowDtype(pa.list_(pa.decimal256(50, 2)))),
                r"Column 'bad' holds values of type list<.*decimal256",
            ),
            ([Decimal("Infinity")], "Column 'bad' holds decimals that are infinite"),
            (
                [Decimal(10**50 + 1), None, 1],
                "'bad' .* more than 38 digits, and 1 value .* the first in row 1",
            ),
        ],
    )
    def test_columns_that_no_file_could_hold(self, column: Any, words: str) -> None:
        frame = pd.DataFrame({"bad": column})
        frame.insert(0, "good", 1)
        with pytest.raises(DataError, match=words) as refused:
            to_polars(frame)
        assert "secret" not in str(refused.value)
        assert refused.value.__context__ is None  # a traceback would show what the converter quotes

    def test_names_that_are_not_text(self) -> None:
        with pytest.raises(DataError, match="1 column names are not text, the first is a int"):
            to_polars(pd.DataFrame({"a": [1], 7: [2]}))

    def test_a_name_that_stands_twice(self) -> None:
        with pytest.raises(DataError, match="Two columns have the same name"):
            to_polars(pd.DataFrame([[1, 2]], columns=["a", "a"]))

    @pytest.mark.parametrize("thing", [[1, 2], {"a": [1]}, "a.csv", None])
    def test_what_is_no_table(self, thing: Any) -> None:
        with pytest.raises(DataError, match="is not a table"):
            to_polars(thing)
