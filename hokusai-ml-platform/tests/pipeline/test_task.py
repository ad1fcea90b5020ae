"""What is predicted from what."""

import datetime as dt

import polars as pl
import pytest

from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import features_of
from hokusai.pipeline.task import ColumnKinds, column_kinds, find_id_column, infer_task


@pytest.mark.parametrize(
    "values",
    [
        ["spam", "ham", None],
        [True, False],
        [0, 1, 1],
        [0.0, 1.0, float("nan"), None],
        list(range(10)) * 5,
        list(range(20)) * 5,
        [5] * 3,
    ],
)
def test_classification(values: list[object]) -> None:
    assert infer_task(pl.Series("y", values)) is Task.CLASSIFICATION


@pytest.mark.parametrize(
    "values",
    [[0.5, 1.0, 1.0], [1, 2, 3, 4], list(range(21)) * 5, list(range(10)) * 4, [float(i) for i in range(300)]],
)
def test_regression(values: list[object]) -> None:
    assert infer_task(pl.Series("y", values)) is Task.REGRESSION


def test_what_cannot_be_predicted() -> None:
    with pytest.raises(SchemaError, match="'y' has no value"):
        infer_task(pl.Series("y", [None, None]))
    with pytest.raises(SchemaError, match="holds dates"):
        infer_task(pl.Series("y", [dt.date(2024, 1, 1)]))


def test_features() -> None:
    frame = pl.DataFrame({"id": [1], "a": [1], "b": [2], "label": [0]})
    assert features_of(frame, "label", "id") == ("a", "b")
    assert features_of(frame, "label") == ("id", "a", "b")
    assert features_of(frame, "label", None, ["b", "a", "b"]) == ("b", "a")
    with pytest.raises(SchemaError, match="'c' is missing"):
        features_of(frame, "label", None, ["c"])
    with pytest.raises(SchemaError, match="also named as a feature"):
        features_of(frame, "label", None, ["a", "label"])
    with pytest.raises(SchemaError, match="no column to predict from"):
        features_of(frame.select("id", "label"), "label", "id")
    with pytest.raises(SchemaError, match=r"'lable' is missing.*'label'"):
        features_of(frame, "lable")


def test_an_id_column_is_known_by_name_and_values() -> None:
    frame = pl.DataFrame({"x_id": [1, 1], "query_id": ["a", "b"], "label": [0, 1]})
    assert find_id_column(frame, "label") == "query_id"
    assert find_id_column(frame, "query_id") is None
    assert find_id_column(pl.DataFrame({"id": [1, None], "paid": [1, 2]}), "y") is None
    assert find_id_column(pl.DataFrame({"id": [0.1, 0.2]}), "y") is None


def test_kinds_of_columns() -> None:
    frame = pl.DataFrame(
        {
            "n": range(10),
            "f": [0.5] * 10,
            "b": [True, False] * 5,
            "c": ["x", "y"] * 5,
            "t": [f"text {i}" for i in range(10)],
            "d": [dt.date(2024, 1, 1)] * 10,
            "e": pl.Series([None] * 10, dtype=pl.String),
        }
    )
    assert column_kinds(frame, frame.columns) == ColumnKinds(
        numeric=("n", "f"), boolean=("b",), categorical=("c",), text=("t",), datetime=("d",), empty=("e",)
    )


def test_many_repeated_texts_are_text() -> None:
    frame = pl.DataFrame({"t": [f"w{i}" for i in range(101)] * 3})
    assert column_kinds(frame, ["t"]).text == ("t",)
    assert column_kinds(frame.filter(pl.col("t") != "w0"), ["t"]).categorical == ("t",)
