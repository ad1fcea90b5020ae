"""Drift by hand-computed divergences, and against SciPy."""

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.spatial.distance import jensenshannon

from hokusai.pipeline.data.column_states import ColumnState, ColumnStates
from hokusai.pipeline.data.drift import column_drift, jensen_shannon, population_stability


def state_of(values: object, **options: object) -> ColumnState:
    frame = pl.DataFrame({"c": pl.Series(values, **options)})  # type: ignore[arg-type]
    return ColumnStates(frame.schema).see(frame)["c"]


def test_divergence_by_hand() -> None:
    # p = (1, 0), q = (1/2, 1/2): m = (3/4, 1/4), H(m) = 0.811278, H(p) = 0, H(q) = 1.
    assert jensen_shannon([7, 0], [1, 1]) == pytest.approx(0.8112781244591328 - 0.5)
    rng = np.random.default_rng(0)
    for _ in range(5):
        p, q = rng.integers(1, 50, 8), rng.integers(1, 50, 8)
        assert jensen_shannon([*map(int, p)], [*map(int, q)]) == pytest.approx(jensenshannon(p, q, 2) ** 2)


def test_stability_index_by_hand() -> None:
    # Half a row more each: (2/4, 2/4) and (1/4, 3/4): -1/4 ln(1/2) + 1/4 ln(3/2).
    expected = -0.25 * math.log(0.5) + 0.25 * math.log(1.5)
    assert population_stability([1, 1], [0, 1]) == pytest.approx(
        sum((q - p) * math.log(q / p) for p, q in ((0.5, 0.25), (0.5, 0.75)))
    )
    assert population_stability([1, 1], [0, 1]) == pytest.approx(expected)


def test_categories_are_compared_value_by_value_with_null_as_one_more() -> None:
    drift = column_drift(state_of(["a"] * 50 + [None] * 50), state_of(["b"] * 60))
    assert drift is not None
    assert (drift.name, drift.divergence) == ("c", 1.0)
    # (50, 50 null) against (50, 0): the divergence of (1/2, 1/2) and (1, 0).
    half = column_drift(state_of(["a"] * 50 + [None] * 50), state_of(["a"] * 60))
    assert half is not None
    assert half.divergence == pytest.approx(0.311278, abs=1e-6)


def test_numbers_are_compared_over_the_deciles_of_the_base() -> None:
    rng = np.random.default_rng(1)
    base = state_of(rng.normal(0, 1, 20_000))
    same, moved = state_of(rng.normal(0, 1, 20_000)), state_of(rng.normal(1, 1, 20_000))
    none, large = column_drift(base, same), column_drift(base, moved)
    assert none is not None
    assert large is not None
    assert none.divergence < 0.001 < 0.1 < large.divergence
    # The true shares of N(1, 1) between the deciles of N(0, 1), worked out with the normal distribution.
    from scipy.stats import norm

    shares = np.diff(norm.cdf(np.concatenate([[-np.inf], norm.ppf(np.arange(1, 10) / 10), [np.inf]]), 1))
    assert large.psi == pytest.approx(float(((shares - 0.1) * np.log(shares / 0.1)).sum()), abs=0.03)


def test_a_value_on_the_border_of_two_intervals_is_in_the_lower_one() -> None:
    # The deciles of 0 to 199 are 19, 39 and so on, so that each interval has a tenth of the base: p = (.1, ..., .1);
    # 19 is in the first and 20 in the second: q = (.5, .5, 0, ...), m = (.3, .3, .05, ...).
    drift = column_drift(state_of(range(200)), state_of([19, 20] * 30))
    assert drift is not None
    entropy_of_middle = -2 * 0.3 * math.log2(0.3) - 8 * 0.05 * math.log2(0.05)
    assert drift.divergence == pytest.approx(entropy_of_middle - (math.log2(10) + 1) / 2, abs=1e-6)


def test_dates_are_compared() -> None:
    base = [date(2020, 1, 1) + timedelta(days=i) for i in range(300)]
    later = [day + timedelta(days=600) for day in base]
    drift = column_drift(state_of(base), state_of(later))
    assert drift is not None
    assert drift.divergence > 0.7


@pytest.mark.parametrize(
    ("base", "new"),
    [
        ([f"text {i}" for i in range(200)], [f"word {i}" for i in range(200)]),
        ([1.0] * 49, [2.0] * 500),
        ([1.5 * i for i in range(2_000)], [str(i) for i in range(2_000)]),
        ([None] * 100, [1] * 100),
    ],
)
def test_what_cannot_be_compared_fairly_is_not(base: list[object], new: list[object]) -> None:
    assert column_drift(state_of(base), state_of(new)) is None
