"""Outliers by hand."""

import numpy as np

from hokusai.pipeline.data.number_bins import NumberBins
from hokusai.pipeline.data.outliers import Outliers, find_outliers


def found_in(values: object) -> Outliers | None:
    return find_outliers(NumberBins().see(np.array(values, dtype=np.float64)))


def test_the_limit_by_hand() -> None:
    # 101 values 0 to 100: median 50, MAD 25, so values farther than 3.5 * 25 / 0.6745 = 129.73 from 50 are far out.
    rest = list(range(101))
    assert found_in(rest) == Outliers(101, 0, 0.0, 100.0)
    assert found_in([*rest, *rest, *rest, 179.625]) == Outliers(304, 0, 0.0, 179.625)
    assert found_in([*rest, *rest, *rest, 179.75]) == Outliers(304, 1, 0.0, 100.0)
    # One more on each side makes the 52nd of 103 distances the MAD, 26: the limit is 134.9.
    assert found_in([*rest, 184, -84]) == Outliers(103, 0, -84.0, 184.0)
    assert found_in([*rest, 185, -85]) == Outliers(103, 2, 0.0, 100.0)


def test_outliers_cannot_hide_each_other() -> None:
    values = [*range(60), *[10_000_000] * 40]
    found = found_in(values)
    assert found is not None
    assert found.outlying == 40
    # By mean and standard deviation not one of them would be beyond 3 deviations.
    assert (np.abs(np.array(values) - np.mean(values)) / np.std(values) > 3).sum() == 0


def test_nothing_is_said_of_few_values_or_of_half_equal_ones() -> None:
    assert found_in(range(29)) is None
    assert found_in([0] * 60 + list(range(1, 50))) is None
    assert found_in([]) is None
