"""Bins of numbers: exact for small whole numbers, near for all others, the same in any order."""

import math
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data import number_bins
from hokusai.pipeline.data.number_bins import NumberBins, weighted_quantiles


def test_small_whole_numbers_are_counted_exactly() -> None:
    points, counts = NumberBins().see(np.array([0.0, -0.0, 3.0, -7.0, 2048.0, 3.0, -2047.0])).points()
    assert points.tolist() == [-2047.0, -7.0, 0.0, 3.0, 2048.0]
    assert counts.tolist() == [1, 1, 2, 2, 1]


@settings(max_examples=50)
@given(st.lists(st.floats(-(2.0**64), 2.0**64, allow_subnormal=True), min_size=1, max_size=40))
def test_a_bin_is_nearer_to_zero_by_less_than_a_thousandth(values: list[float]) -> None:
    for value in values:
        ((point,), (count,)) = NumberBins().see(np.array([value])).points()
        assert count == 1
        if abs(value) < 2.0**-64:
            assert point == 0
        else:
            assert abs(value) * (1 - 2.0**-10) < abs(point) <= abs(value)
            assert (point < 0) == (value < 0)
    points, _ = NumberBins().see(np.array(values)).points()
    assert (np.diff(points) > 0).all()


def test_what_is_beyond_the_range_is_counted_at_its_ends() -> None:
    points, counts = NumberBins().see(np.array([1e300, -1e300, 5e-324])).points()
    assert points.tolist() == [-(2.0**64), 0.0, 2.0**64]
    assert counts.tolist() == [1, 1, 1]


def test_quantiles_are_those_of_numpy_within_the_bins_width() -> None:
    values = np.random.default_rng(3).lognormal(0, 2, 10_001)
    shares = [0.01, 0.25, 0.5, 0.9, 1.0]
    expected = np.quantile(values, shares, method="inverted_cdf")
    assert NumberBins().see(values).quantiles(shares) == pytest.approx(expected.tolist(), rel=1e-3)
    assert NumberBins().quantiles(shares) == []


def test_quantiles_of_repeated_values_by_hand() -> None:
    # 1, 1, 1, 5: three quarters of the values do not exceed 1.
    assert weighted_quantiles(np.array([1.0, 5.0]), np.array([3, 1]), [0.0, 0.75, 0.76]) == [1.0, 1.0, 5.0]


def test_order_and_division_do_not_matter() -> None:
    values = np.random.default_rng(4).normal(0, 100, 3_000)
    whole = NumberBins().see(values).points()
    merged = NumberBins()
    for part in np.array_split(values[::-1], 9):
        merged.merge(NumberBins().see(part))
    assert [a.tolist() for a in merged.points()] == [a.tolist() for a in whole]


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"], scope="class")
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_bins, "pays", lambda work: request.param)
        yield


@pytest.mark.usefixtures("way")
class TestMeasure:
    @settings(max_examples=50)
    @given(st.lists(st.none() | st.floats() | st.sampled_from([-0.0, 2.0**64, -(2.0**-64), 5e-324, 1e300])))
    def test_doubles_are_binned_and_told_as_one_by_one(self, values: list[float | None]) -> None:
        bins = NumberBins()
        nulls, infinite, low, high = bins.measure(pl.Series(values, dtype=pl.Float64))
        finite = [value for value in values if value is not None and math.isfinite(value)]
        assert nulls == sum(value is None or math.isnan(value) for value in values)
        assert infinite == len(values) - nulls - len(finite)
        assert (low, high) == ((min(finite), max(finite)) if finite else (None, None))
        assert all(math.copysign(1.0, end) == 1.0 for end in (low, high) if end == 0.0)  # no -0.0
        points, counts = NumberBins().see(np.array(finite, dtype=np.float64)).points()
        assert [found.tolist() for found in bins.points()] == [points.tolist(), counts.tolist()]

    @pytest.mark.parametrize(
        "dtype", [pl.Int8, pl.UInt32, pl.Int64, pl.UInt64, pl.Float32, pl.Decimal(20, 2)]
    )
    def test_every_type_of_number_is_measured(self, dtype: pl.DataType) -> None:
        column = pl.Series([5, 5, 0, None, 100], dtype=dtype).slice(1)
        bins = NumberBins()
        assert bins.measure(column) == (1, 0, 0, 100)
        assert [found.tolist() for found in bins.points()] == [[0.0, 5.0, 100.0], [1, 1, 1]]

    def test_the_range_of_whole_numbers_is_exact(self) -> None:
        _, _, low, high = NumberBins().measure(pl.Series([2**62 + 1, -(2**63), 2**63 - 1]))
        assert (low, high) == (-(2**63), 2**63 - 1)


def test_counts_stand_for_repeated_values() -> None:
    values, counts = np.array([1.5, -7.0, 1e9, np.inf]), np.array([3, 1, 2, 4])
    counted, repeated = NumberBins(), NumberBins()
    assert counted.measure(pl.Series(values), counts) == (0, 4, -7.0, 1e9)
    repeated.see(np.repeat(values[:-1], counts[:-1]))
    assert [found.tolist() for found in counted.points()] == [found.tolist() for found in repeated.points()]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64])
def test_a_batch_without_rows_has_no_size(dtype: type[pl.DataType]) -> None:
    bins = NumberBins()
    assert tuple(bins.measure(pl.Series([], dtype=dtype))) == (0, 0, None, None)
