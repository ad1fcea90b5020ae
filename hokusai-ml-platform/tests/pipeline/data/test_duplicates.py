"""Repeated rows are found by content in every kind of table, in memory as on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.digest_log import DigestLog, first_match
from hokusai.pipeline.data.duplicates import deduplicate, first_of_each
from hokusai.pipeline.data.relations import key_matches
from hokusai.pipeline.data.row_digests import row_digests

ROWS = pl.DataFrame(
    {
        "id": [1, 2, 1, 3, 2, None, None],
        "v": [0.0, 1.5, -0.0, 1.5, None, float("nan"), None],
        "t": ["a", "b", "a", "b", "b", None, None],
    }
)


class TestDeduplicate:
    def test_whole_rows_are_compared_by_content(self) -> None:
        kept, account = deduplicate(ROWS)
        assert kept["id"].to_list() == [1, 2, 3, 2, None]
        assert account == RowAccount(read=7, kept=5, duplicates=2)

    def test_by_key_a_row_without_one_repeats_nothing(self) -> None:
        kept, account = deduplicate(ROWS, "id")
        assert kept["id"].to_list() == [1, 2, 3, None, None]
        assert account.duplicates == 2

    def test_of_a_key_of_several_columns_some_may_be_missing(self) -> None:
        frame = pl.DataFrame({"a": ["x", "x", None, None], "b": [None, None, None, None]})
        assert deduplicate(frame, ["a", "b"])[0]["a"].to_list() == ["x", None, None]

    @pytest.mark.parametrize(("keep", "at"), [("first", [0, 1, 2]), ("last", [2, 3, 4]), ("none", [2])])
    def test_which_row_is_kept(self, keep: Any, at: list[int]) -> None:
        frame = pl.DataFrame({"k": ["a", "b", "c", "a", "b"], "at": range(5)})
        assert deduplicate(frame, "k", keep)[0]["at"].to_list() == at

    def test_text_is_not_normalised(self) -> None:
        frame = pl.DataFrame({"t": ["No", "no", "no "]})
        assert deduplicate(frame)[1].duplicates == 0

    def test_a_pandas_table_keeps_index_and_dtypes(self) -> None:
        frame = pd.DataFrame(
            {"i": pd.array([1, None, 1, None], dtype="Int8"), "c": pd.Categorical(["x", "y", "x", "y"])},
            index=[40, 30, 20, 10],
        )
        kept, _ = deduplicate(frame)
        assert_frame_equal(kept, frame.iloc[:2])

    def test_nothing_to_leave_out_gives_the_table_itself(self) -> None:
        frame = pd.DataFrame({"x": [1, 2]})
        assert deduplicate(frame)[0] is frame

    @pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame({"x": []}), pl.DataFrame({"x": [1]})])
    def test_small_tables(self, frame: pl.DataFrame) -> None:
        assert deduplicate(frame)[1] == RowAccount(frame.height, frame.height)

    def test_refuses_what_it_cannot_do(self) -> None:
        with pytest.raises(InvalidInputError, match="keep='any' is unknown"):
            deduplicate(ROWS, keep="any")  # type: ignore[arg-type]
        with pytest.raises(SchemaError, match="'uid' is missing"):
            deduplicate(ROWS, "uid")
        with pytest.raises(InvalidInputError, match="No column"):
            deduplicate(ROWS, [])


cells = st.sampled_from([None, 0.0, -0.0, 1.0, float("nan")])


@given(rows=st.lists(st.tuples(cells, st.sampled_from([None, "", "a"])), max_size=12))
@settings(max_examples=40)
def test_it_agrees_with_polars_and_with_the_log_on_disk(
    rows: list[tuple[object, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pl.DataFrame(rows, {"x": pl.Float64, "t": pl.String}, orient="row")
    expected = frame.fill_nan(None).unique(keep="first", maintain_order=True)
    kept, _ = deduplicate(frame)
    assert kept.fill_nan(None).equals(expected)
    with DigestLog(tmp_path_factory.getbasetemp(), block_rows=3) as log:
        log.append(row_digests(frame))
        in_memory = first_of_each(row_digests(frame)) != np.arange(frame.height)
        assert log.duplicates().tolist() == in_memory.tolist()


@given(
    base=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"])), max_size=8),
    new=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"])), max_size=8),
)
@settings(max_examples=40)
def test_keys_match_by_value_as_they_do_by_digest(
    base: list[tuple[int, str]], new: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.getbasetemp()
    frames = [pl.DataFrame(rows, {"a": pl.Int64, "b": pl.String}, orient="row") for rows in (base, new)]
    by_value = np.full(len(new), -1)
    for new_row, base_row in key_matches(
        *(frame.with_row_index("at") for frame in frames), ["a", "b"], "at"
    ).rows():
        by_value[new_row] = base_row
    with DigestLog(folder) as base_log, DigestLog(folder) as new_log:
        base_log.append(row_digests(frames[0]))
        new_log.append(row_digests(frames[1]))
        assert first_match(new_log, base_log).tolist() == by_value.tolist()


def test_digests_that_agree_in_their_first_bytes_are_told_apart() -> None:
    digests = np.zeros((4, 32), np.uint8)
    digests[1, 31] = digests[3, 31] = 1
    digests[2, 8] = 1
    assert first_of_each(digests).tolist() == [0, 1, 2, 1]
