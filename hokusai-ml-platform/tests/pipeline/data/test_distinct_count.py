"""Distinct counts: exact up to k, near beyond, the same in any order."""

from collections.abc import Iterator

import numpy as np
import pytest

from hokusai.pipeline.data import distinct_count, value_hash
from hokusai.pipeline.data.distinct_count import DistinctCount, least_different


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of this file both ways."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (distinct_count, value_hash):
            patch.setattr(module, "pays", lambda work: request.param)
        yield


def hashes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 2**64, n, dtype=np.uint64)


@pytest.mark.parametrize("n", [0, 1, 99, 100])
def test_is_exact_up_to_k(n: int) -> None:
    values = hashes(n)
    count = DistinctCount(k=100).see(values).see(values)
    assert (count.estimate(), count.relative_error()) == (n, 0.0)


def test_beyond_k_the_estimate_is_within_its_error() -> None:
    # 1 / sqrt(1023) = 3.1265 %; the mean of 20 estimates is within four standard errors, their spread is as stated.
    estimates = [DistinctCount(k=1024).see(hashes(50_000, seed)).estimate() / 50_000 for seed in range(20)]
    assert DistinctCount(k=1024).see(hashes(50_000)).relative_error() == 0.031265
    assert abs(np.mean(estimates) - 1) < 4 * 0.0313 / 20**0.5
    assert 0.015 < np.std(estimates) < 0.06


def test_k_and_one_more_is_an_estimate() -> None:
    count = DistinctCount(k=100).see(hashes(101))
    assert count.relative_error() > 0
    assert 50 < count.estimate() < 200


def test_order_and_division_do_not_matter() -> None:
    values = hashes(5_000)
    whole = DistinctCount(k=64).see(values).estimate()
    for pieces in (2, 7, 500):
        parts = [DistinctCount(k=64).see(part) for part in np.array_split(values[::-1], pieces)]
        merged = DistinctCount(k=64)
        for part in reversed(parts):
            merged.merge(part)
        assert merged.estimate() == whole


@pytest.mark.parametrize("most", [1, 3, 4, 9])
def test_the_least_hashes_once_each(most: int) -> None:
    found = least_different(np.array([9, 2**64 - 1, 9, 3, 3, 1, 2**64 - 1], dtype=np.uint64), most)
    assert found.tolist() == [1, 3, 9, 2**64 - 1][:most]
    assert not len(least_different(np.empty(0, dtype=np.uint64), most))


def test_the_hash_of_null_is_no_value() -> None:
    count = DistinctCount(k=2).see(np.array([0, 5, 0, 2**64 - 1], dtype=np.uint64))
    assert count.estimate() == 2
    assert (
        count.see(np.array([0, 7], dtype=np.uint64)).relative_error() == 1.0
    )  # three of more than two, by estimate
