"""What a scorer may give, and what is said of one that gives something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hokusai.domain.scorer import Scorer
from hokusai.errors import MetricError
from hokusai.pipeline.evaluator_scorers import (
    Scored,
    resampled,
    row_scores,
    scorer_delta,
    scorer_value,
    whole_score,
)

GIVEN = Scored(np.array(["a", "b", "a"]), np.array(["a", "a", "a"]), None, "churn/1.0.0")

CALLS: list[int] = []


def scorer(function: Callable[..., Any], *, per_row: bool = True) -> Scorer:
    return Scorer("own", function, higher_is_better=True, version="1", per_row=per_row, source="text")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda t, p: [1.0, float("nan"), 2.0],
            r"gives nan to 1 of 3 rows of churn/1.0.0 \(first in row 1\)",
        ),
        (lambda t, p: [1.0, 2.0, float("inf")], r"gives inf to 1 of 3 rows.*first in row 2"),
        (lambda t, p: [1.0, 2.0], r"was given 3 rows of churn/1.0.0 and gave the shape \(2,\)"),
        (lambda t, p: 0.5, "per_row=False"),
        (lambda t, p: ["x"] * 3, "gives no numbers"),
        (lambda t, p: 1 / 0, "failed for churn/1.0.0: ZeroDivisionError"),
        (lambda t, p, s: s, "needs scores, and churn/1.0.0 gives none"),
    ],
)
def test_a_scorer_of_rows_that_fails_is_told_by_name_and_row(function: Any, reason: str) -> None:
    with pytest.raises(MetricError, match=reason):
        row_scores(scorer(function), GIVEN)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda t, p: float("nan"), "gives nan for churn/1.0.0"),
        (lambda t, p: t == p, "per_row=True"),
        (lambda t, p: "good", "one number was expected"),
        (lambda t, p: None, "one number was expected"),
    ],
)
def test_a_scorer_of_all_rows_that_fails_is_told_by_name(function: Any, reason: str) -> None:
    with pytest.raises(MetricError, match=reason):
        whole_score(scorer(function, per_row=False), GIVEN)


def test_truth_values_count_as_0_and_1() -> None:
    assert row_scores(scorer(lambda t, p: t == p), GIVEN).tolist() == [1.0, 0.0, 1.0]


def test_a_scorer_that_needs_every_class_fails_on_too_many_draws() -> None:
    def of_b(truth: Any, said: Any) -> float:
        return float((said[truth == "b"] == "b").sum() / (truth == "b").sum() if "b" in truth else "none")

    # One row of three is of class b: (2/3)^3 = 30 % of the draws lack it.
    with pytest.raises(MetricError, match=r"could not score (2[4-9]|3[0-5])\d of 1000 resamples.*ValueError"):
        scorer_value(scorer(of_b, per_row=False), GIVEN)


def test_units_are_drawn_as_a_whole() -> None:
    units = np.array(["u", "v", "u"])
    drawn = resampled(scorer(lambda t, p: len(t), per_row=False), [GIVEN], units)
    # Two draws of the units of two rows and of one: 4, 3 or 2 rows.
    assert set(drawn[:, 0].tolist()) == {2.0, 3.0, 4.0}


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    of_rows = scorer(lambda t, p: float((t == p).mean()), per_row=False)
    first, again, other = (resampled(of_rows, [GIVEN], seed=seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("per_row", [True, False])
def test_a_scorer_that_favours_who_comes_second_is_told(per_row: bool) -> None:
    def counting(truth: Any, said: Any) -> Any:
        CALLS.append(1)
        return np.full(len(truth), len(CALLS)) if per_row else len(CALLS)

    counted = Scorer("count", counting, True, "1", per_row=per_row)
    with pytest.raises(MetricError, match="count gives other numbers when it is asked again"):
        scorer_delta(counted, GIVEN, GIVEN)
    with pytest.raises(MetricError, match=r"asked again about the same rows of churn/1\.0\.0"):
        scorer_value(counted, GIVEN)
