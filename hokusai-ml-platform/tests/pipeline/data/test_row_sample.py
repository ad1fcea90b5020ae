"""Samples of rows that depend on the rows alone."""

from pathlib import Path

import polars as pl
import pytest

from hokusai.pipeline.data.row_sample import RowSample


@pytest.fixture
def rows() -> pl.DataFrame:
    """3,000 rows, 1,000 combinations of features with three labels each of which one is repeated."""
    n = 3_000
    return pl.DataFrame(
        {
            "x": [i % 1_000 for i in range(n)],
            "t": [f"text {i % 1_000}" for i in range(n)],
            "y": ["ab"[i // 1_000 % 2] for i in range(n)],
        }
    )


def sample_of(*batches: pl.DataFrame, k: int) -> RowSample:
    sample = RowSample(["x", "t"], "y", k)
    for batch in batches:
        sample.see(batch)
    return sample


def test_a_small_table_is_sampled_whole_without_repeated_rows(rows: pl.DataFrame) -> None:
    sample = sample_of(rows, k=2_000)
    assert sample.is_complete
    assert sample.frame().sort("x", "y").rows() == rows.unique().sort("x", "y").rows()


def test_all_labels_of_a_sampled_combination_are_in_it(rows: pl.DataFrame) -> None:
    sample = sample_of(rows, k=301)
    assert not sample.is_complete
    frame = sample.frame()
    assert frame.height == 300  # the 301st row is half of a combination
    assert frame.group_by("x").len()["len"].unique().to_list() == [2]


@pytest.mark.parametrize("k", [7, 100, 301, 1_999, 2_000, 5_000])
def test_order_division_and_merging_do_not_matter(rows: pl.DataFrame, k: int) -> None:
    whole = sample_of(rows, k=k).frame()
    assert sample_of(*rows.reverse().iter_slices(97), k=k).frame().equals(whole)
    merged = RowSample(["x", "t"], "y", k)
    for batch in rows.sample(fraction=1.0, shuffle=True, seed=5).iter_slices(700):
        merged.merge(sample_of(batch, k=k))
    assert merged.frame().equals(whole)
    assert merged.is_complete == (k >= 2_000)


def test_two_equal_halves_that_were_cut_stay_cut(rows: pl.DataFrame) -> None:
    half = sample_of(rows, k=10)
    assert not half.merge(sample_of(rows, k=10)).is_complete


def test_what_a_part_has_forgotten_stays_forgotten(rows: pl.DataFrame) -> None:
    cut = sample_of(rows, k=101)
    empty = RowSample(["x", "t"], "y", 101).merge(cut)
    assert not empty.is_complete
    assert empty.frame().equals(cut.frame())
    # A part that saw few rows has all of them, but beyond the other's limit the sample would have gaps.
    few = sample_of(rows[:50], k=101).merge(cut)
    assert few.frame().equals(cut.frame())


def test_the_sample_is_uniform_over_the_combinations(rows: pl.DataFrame) -> None:
    # 250 of the numbers 0 to 999: their mean is 499.5 with a standard error of about 16.
    mean = sample_of(rows, k=501).frame()["x"].mean()
    assert isinstance(mean, float)
    assert abs(mean - 499.5) < 64


def test_rows_without_a_label_are_left_out() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3], "y": ["a", None, "b"]})
    assert RowSample(["x"], "y").see(frame).frame().sort("x")["x"].to_list() == [1, 3]


def test_long_text_is_told_apart_but_kept_short() -> None:
    frame = pl.DataFrame({"t": ["a" * 10_000 + end for end in "xyx"]})
    sampled = RowSample(["t"]).see(frame).frame()
    assert sampled["t"].str.len_chars().to_list() == [2_000, 2_000]


def test_a_sample_does_not_keep_the_batches_that_it_was_drawn_from() -> None:
    def anonymous_mb() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1_000

    def batch(number: int) -> pl.DataFrame:
        return pl.DataFrame({"t": [f"{number}{row:0200d}" for row in range(20_000)]})

    sample = RowSample(["t"]).see(batch(0))
    before = anonymous_mb()
    for number in range(1, 81):
        sample.see(batch(number))
    assert anonymous_mb() - before < 60  # the batches have 320 MB, of which the sample would keep 128
