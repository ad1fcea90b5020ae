"""Times of models that take turns, and the bound of their difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hokusai.errors import SchemaError
from hokusai.pipeline.evaluator_latency import measure_latency, median_increase


def test_models_take_turns_on_the_same_rows_and_the_one_that_begins_changes() -> None:
    calls: list[tuple[str, int, int]] = []

    def model(name: str):
        return lambda part: calls.append((name, int(part[0]), len(part)))

    rows = np.arange(50)
    measure_latency([(model("old"), rows), (model("new"), rows)], rounds=6, batch_rows=10, seconds=60)
    single = [one for one in calls if one[2] == 1][2 * 3 :]  # after three calls of each to warm up
    assert [name for name, _, _ in single] == ["old", "new", "new", "old"] * 3
    assert (
        [first for _, first, _ in single[::2]] == [0, 8, 16, 25, 33, 41] == [at for _, at, _ in single[1::2]]
    )
    assert {size for _, _, size in calls} == {1, 10}


def test_quantiles_are_those_of_the_samples() -> None:
    found = measure_latency([(lambda part: None, [1, 2, 3])], rounds=40, seconds=60)[0]
    ranked = sorted(found.samples)
    assert (found.row.p50, found.row.p95, found.row.p99) == (ranked[19], ranked[37], ranked[39])
    assert (found.row.n_rounds, found.row.n_rows, found.batch.n_rows) == (40, 1, 3)


def test_a_slow_model_is_asked_five_times_at_least() -> None:
    found = measure_latency([(lambda part: sum(range(2000)), [1, 2])], seconds=0.0)[0]
    assert (found.row.n_rounds, found.batch.n_rounds) == (5, 5)


def test_a_model_that_cannot_answer_to_one_row_is_told() -> None:
    def needs_two(part: list[int]) -> int:
        return part[1]

    with pytest.raises(SchemaError, match="cannot answer to 1: IndexError"):
        measure_latency([(needs_two, [1, 2, 3])])


@pytest.mark.parametrize("n", [5, 20, 101, 200])
def test_the_bound_is_the_order_statistic_of_the_sign_test(n: int) -> None:
    gaps = np.random.default_rng(n).permutation(n).astype(float)  # 0 … n - 1
    found = median_increase([0.0] * n, gaps.tolist(), 0.05)
    assert found is not None
    # The largest k with P(Binomial(n, 1/2) <= k - 1) <= .05 gives the k-th largest.
    k = max(k for k in range(1, n) if binom.cdf(k - 1, n, 0.5) <= 0.05)
    assert found == ((n - 1) / 2, float(n - k))


def test_four_rounds_give_no_bound() -> None:
    assert median_increase([1.0] * 4, [2.0] * 4, 0.05) is None
