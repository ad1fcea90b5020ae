"""Mock data: the file's schema, other rows, the same bytes each time."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import SchemaError
from hokusai.pipeline.benchmark import frame_bytes, frame_sha256
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.dry_run import mock_base_frame, mock_benchmark

FIXTURE = Path(__file__).parents[3] / "data/test_fixtures/test_queries.csv"


@pytest.fixture(scope="module")
def queries() -> pl.DataFrame:
    return read_table(FIXTURE).frame


def test_the_fixture(queries: pl.DataFrame) -> None:
    assert queries.columns == ["query_id", "query_text", "feature_1", "feature_2", "feature_3", "label"]
    assert queries.height == 100
    assert queries["query_id"].n_unique() == queries["query_text"].n_unique() == 100
    assert sorted(queries["label"].unique()) == [0, 1]


def test_schema_size_classes_and_ranges_follow_the_file(queries: pl.DataFrame) -> None:
    base = mock_base_frame(queries, "label", 42)
    assert (base.schema, base.height) == (queries.schema, 500)
    assert sorted(base["label"].unique()) == [0, 1]
    assert base["feature_2"].min() == queries["feature_2"].min()
    assert base["feature_2"].max() == queries["feature_2"].max()
    assert base["query_id"].n_unique() == 500


def test_edge_cases_are_in_it(queries: pl.DataFrame) -> None:
    base = mock_base_frame(queries, "label", 42)
    assert base["feature_1"].null_count() > 0
    assert (base["feature_1"] == 0.0).any()
    assert {"", "返金してください"} & set(base["query_text"])
    assert base["query_text"].str.len_chars().max() == 300
    assert base["label"].null_count() == 0


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(queries: pl.DataFrame) -> None:
    assert frame_bytes(mock_base_frame(queries, "label", 42)) == frame_bytes(
        mock_base_frame(queries, "label", 42)
    )
    assert frame_sha256(mock_base_frame(queries, "label", 42)) != frame_sha256(
        mock_base_frame(queries, "label", 43)
    )
    base, benchmark = mock_base_frame(queries, "label", 42), mock_benchmark(queries, "label", 42, rows=500)
    assert not set(base["query_id"]) & set(benchmark["query_id"])
    shared = set(base["query_text"]) & set(benchmark["query_text"]) - {None}
    assert len(shared) <= 10, "no more than the odd cases, which both hold"


def test_other_kinds_of_columns_and_targets() -> None:
    frame = pl.DataFrame(
        {
            "id": range(40),
            "flag": [True, False] * 20,
            "city": ["Rome", "Oslo"] * 20,
            "day": [dt.date(2024, 1, 1 + i % 28) for i in range(40)],
            "at": [dt.datetime(2024, 1, 1, i % 24) for i in range(40)],
            "nothing": pl.Series([None] * 40, dtype=pl.String),
            "huge": [-(2**63), 2**63 - 1] * 20,
            "price": [i * 1.25 for i in range(40)],
        }
    )
    base = mock_base_frame(frame, "price", 1, rows=100)
    assert base.schema == frame.schema
    assert set(base["city"].drop_nulls()) == {"Rome", "Oslo"}
    assert base["nothing"].null_count() == 100
    assert set(base["price"]) == set(frame["price"])
    assert base["id"].min() == 40
    assert mock_base_frame(frame, "id", 1, rows=10).height == 10


def test_a_class_that_is_rare_in_the_file_still_occurs() -> None:
    frame = pl.DataFrame({"x": range(1000), "y": ["common"] * 999 + ["rare"]})
    assert (
        mock_benchmark(frame, "y", 3, rows=20)["y"].value_counts().filter(pl.col("y") == "rare")["count"][0]
        >= 2
    )


def test_a_target_that_is_missing_or_empty(queries: pl.DataFrame) -> None:
    with pytest.raises(SchemaError, match=r"'lable' is missing.*'label'"):
        mock_base_frame(queries, "lable", 1)
    with pytest.raises(SchemaError, match="no value"):
        mock_base_frame(pl.DataFrame({"y": [None, None]}), "y", 1)
