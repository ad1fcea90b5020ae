"""A sample has the shares of the strata, and the same rows whatever the order, types and kind of the table."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.sampling import apportion, draw, stratified_sample

ROWS = pl.DataFrame(
    {
        "n": range(1000),
        "label": ["common"] * 900 + ["some"] * 95 + [None] * 5,
        "x": [i / 7 for i in range(1000)],
    }
)


def numbers(frame: pl.DataFrame) -> list[int]:
    return sorted(frame["n"].to_list())


class TestStratifiedSample:
    def test_each_stratum_has_its_share(self) -> None:
        sample = stratified_sample(ROWS, 100, "label")
        assert dict(sample["label"].value_counts().rows()) == {"common": 90, "some": 9, None: 1}

    def test_rows_keep_their_order(self) -> None:
        assert stratified_sample(ROWS, 100, "label")["n"].is_sorted()

    def test_neither_order_nor_types_nor_the_order_of_columns_matter(self) -> None:
        other = ROWS.sample(fraction=1, shuffle=True, seed=5).select("x", "n", "label")
        other = other.with_columns(pl.col("n").cast(pl.UInt16), pl.col("label").cast(pl.Categorical))
        assert numbers(stratified_sample(other, 100, "label")) == numbers(
            stratified_sample(ROWS, 100, "label")
        )

    def test_these_rows_are_drawn_on_every_machine(self) -> None:
        seed = hashlib.sha256(b"hokusai-sample-v1:42").digest()
        hashes = [hashlib.sha256(seed + bytes(digest)).hexdigest() for digest in row_digests(ROWS)]
        smallest = sorted(range(1000), key=hashes.__getitem__)[:20]
        assert numbers(stratified_sample(ROWS, 20)) == sorted(smallest)

    def test_another_seed_draws_other_rows(self) -> None:
        first, second = (numbers(stratified_sample(ROWS, 100, seed=seed)) for seed in (1, 2))
        # of 100 rows 10 are expected to be drawn again; more than 30 has a probability below 1e-8
        assert len(set(first) & set(second)) <= 30

    def test_a_larger_sample_holds_the_smaller_one(self) -> None:
        assert set(numbers(stratified_sample(ROWS, 50))) < set(numbers(stratified_sample(ROWS, 60)))

    def test_a_share_and_several_columns(self) -> None:
        frame = pl.DataFrame({"a": [0, 0, 1, 1] * 25, "b": [0, 1] * 50, "n": range(100)})
        sample = stratified_sample(frame, column=["a", "b"], share=0.2)
        assert sample.group_by("a", "b").len()["len"].to_list() == [5, 5, 5, 5]

    def test_equal_rows_may_be_drawn_in_part(self) -> None:
        assert stratified_sample(pl.DataFrame({"n": [1] * 10}), 3).height == 3

    def test_a_table_with_no_more_rows_comes_back_itself(self) -> None:
        frame = ROWS.to_pandas()
        assert stratified_sample(frame, 1000, "label") is frame

    def test_a_pandas_table_keeps_index_and_dtypes(self) -> None:
        frame = pd.DataFrame(
            {"c": pd.Categorical(["x", "y"] * 10), "n": pd.array(range(20), dtype="Int16")},
            index=range(100, 120),
        )
        sample = stratified_sample(frame, 4, "c")
        assert_frame_equal(sample, frame.loc[sample.index])
        assert sample["c"].tolist().count("x") == 2

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({}, "either sample_size or share"),
            ({"sample_size": 3, "share": 0.1}, "either sample_size or share"),
            ({"share": 1.5}, "not between 0 and 1"),
            ({"sample_size": -1}, "of -1 rows"),
            ({"sample_size": 0.5}, "of 0.5 rows"),
        ],
    )
    def test_sizes_that_make_no_sense(self, asked: dict[str, float], words: str) -> None:
        with pytest.raises(InvalidInputError, match=words):
            stratified_sample(ROWS, **asked)  # type: ignore[arg-type]

    def test_a_column_that_is_not_there(self) -> None:
        with pytest.raises(SchemaError, match=r"'Label' is missing.*'label'"):
            stratified_sample(ROWS, 10, "Label")

    def test_nothing_may_be_asked_for(self) -> None:
        assert stratified_sample(ROWS, 0, "label").height == 0


def test_of_strata_with_equal_claims_the_lower_number_is_served() -> None:
    digests = row_digests(ROWS[:4])
    assert set(draw(digests, np.array([1, 0, 1, 0]), 1, seed=1)) < {1, 3}


class TestApportion:
    @pytest.mark.parametrize(
        ("counts", "size", "seats"),
        [
            ([50, 30, 20], 10, [5, 3, 2]),
            ([47, 16, 158, 81, 76, 22], 10, [1, 1, 3, 2, 2, 1]),  # then 8 for 362: 1.04 3.49 1.79 1.68
            ([999, 1], 10, [9, 1]),
            ([997, 1, 1, 1], 4, [1, 1, 1, 1]),
            ([70, 29, 1], 10, [6, 3, 1]),  # 9 seats for 99 rows: 6.36 and 2.64
            ([500, 400, 1, 1, 1, 1], 10, [3, 3, 1, 1, 1, 1]),  # 6 seats for 900 rows: 3.33 and 2.67
            ([10, 10], 3, [2, 1]),
            ([7], 3, [3]),
            ([0, 4, 0, 4], 2, [0, 1, 0, 1]),
            ([], 0, []),
        ],
    )
    def test_by_hand(self, counts: list[int], size: int, seats: list[int]) -> None:
        assert apportion(counts, size) == seats

    @given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=8), data=st.data())
    @settings(max_examples=50)
    def test_all_seats_are_given_and_none_beyond_the_rows(
        self, counts: list[int], data: st.DataObject
    ) -> None:
        size = data.draw(st.integers(0, sum(counts)))
        seats = apportion(counts, size)
        assert sum(seats) == size
        assert all(0 <= seat <= count for seat, count in zip(seats, counts, strict=True))
        if size >= len(counts):
            assert min(seats) >= 1
        quotas = [Fraction(count * size, sum(counts)) for count in counts]
        if min(quotas) >= 1:  # nobody had to be raised to one seat
            assert all(abs(seat - quota) < 1 for seat, quota in zip(seats, quotas, strict=True))
