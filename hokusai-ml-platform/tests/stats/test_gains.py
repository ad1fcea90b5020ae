"""The gain that is shared out is the comparison's DeltaOne, and its influences give the comparison's error."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.errors import InvalidInputError
from hokusai.stats.gains import RowGain, classifier_gain, regressor_gain
from hokusai.stats.measured import standard_error
from hokusai.stats.paired import compare_classifiers, compare_regressors

BINARY = {"accuracy": Fraction(1, 2), "f1": Fraction(1, 3), "auroc": Fraction(1, 6)}


def classified(n_classes: int, n: int = 240, seed: int = 0) -> dict[str, Any]:
    """Labels, two models' answers, and scores that lead to about such answers."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, n_classes, n)
    answers = [
        np.where(draw.random(n) < right, labels, draw.integers(0, n_classes, n)) for right in (0.6, 0.75)
    ]
    tables = [np.eye(n_classes)[answer] + draw.normal(0, 0.4, (n, n_classes)) for answer in answers]
    scores = [table[:, 1] if n_classes == 2 else table for table in tables]
    return {
        "labels": labels,
        "baseline": answers[0],
        "new": answers[1],
        "baseline_scores": scores[0],
        "new_scores": scores[1],
    }


def gain(given_: dict[str, Any], n_classes: int, weights: dict[str, Fraction] = BINARY) -> RowGain:
    return classifier_gain(**given_, n_classes=n_classes, weights=weights)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(
    "weights", [BINARY, {"accuracy": Fraction(1)}, {"precision": Fraction(1, 4), "recall": Fraction(3, 4)}]
)
def test_of_classifiers_is_their_delta_one_with_its_error(
    n_classes: int, weights: dict[str, Fraction]
) -> None:
    given_ = classified(n_classes)
    names = tuple("abcd"[:n_classes])
    compared = compare_classifiers(**given_, classes=names, weights=weights)
    found = gain(given_, n_classes, weights)
    assert found.value == pytest.approx(compared.delta_one, rel=1e-12)
    assert standard_error(found.influence) == pytest.approx(compared.standard_error, rel=1e-12)
    assert found.influence.sum() == pytest.approx(0.0, abs=1e-9)


def test_of_regressors_is_their_delta_one_with_its_error() -> None:
    draw = np.random.default_rng(1)
    target = draw.normal(10, 3, 150)
    baseline, new = target + draw.normal(0, 2, 150), target + draw.normal(0.1, 1.5, 150)
    weights = {"rmse": Fraction(2, 3), "r2": Fraction(1, 3)}
    compared = compare_regressors(target, baseline, new, weights=weights)
    found = regressor_gain(target, baseline, new, weights=weights)
    assert found.value == pytest.approx(compared.delta_one, rel=1e-12)
    assert standard_error(found.influence) == pytest.approx(compared.standard_error, rel=1e-9)


def test_worked_out_by_hand() -> None:
    """Of ten answers six were right and eight are: accuracy rises by 0.2, and each row moves it by its own change."""
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    baseline = np.array([0, 0, 0, 1, 1, 0, 0, 1, 1, 1])
    new = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1])
    found = classifier_gain(labels, baseline, new, n_classes=2, weights={"accuracy": Fraction(1)})
    assert found.value == pytest.approx(0.2)
    changes = np.array([0, 0, 0, 1, 0, 0, 1, 0, 0, 0])
    np.testing.assert_allclose(found.influence, changes - 0.2, atol=1e-12)


@given(st.integers(2, 4), st.integers(0, 10_000))
def test_swapped_models_gain_the_opposite(n_classes: int, seed: int) -> None:
    forth = classified(n_classes, 60, seed)
    back = {
        "labels": forth["labels"],
        "baseline": forth["new"],
        "new": forth["baseline"],
        "baseline_scores": forth["new_scores"],
        "new_scores": forth["baseline_scores"],
    }
    one, other = gain(forth, n_classes), gain(back, n_classes)
    assert one.value == pytest.approx(-other.value, abs=1e-12)
    np.testing.assert_allclose(one.influence, -other.influence, atol=1e-12)


@given(st.integers(2, 4), st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(n_classes: int, seed: int) -> None:
    straight = classified(n_classes, 60, seed)
    order = np.random.default_rng(seed).permutation(60)
    mixed = {name: values[order] for name, values in straight.items()}
    one, other = gain(straight, n_classes), gain(mixed, n_classes)
    assert one.value == pytest.approx(other.value, abs=1e-12)
    np.testing.assert_allclose(one.influence[order], other.influence, atol=1e-12)


def test_a_model_gains_nothing_over_itself() -> None:
    given_ = classified(3)
    same = given_ | {"new": given_["baseline"], "new_scores": given_["baseline_scores"]}
    found = gain(same, 3)
    assert found.value == 0.0
    assert not found.influence.any()


def test_auroc_cannot_be_weighed_without_scores() -> None:
    given_ = classified(2) | {"new_scores": None}
    with pytest.raises(InvalidInputError, match="AUROC has a weight"):
        gain(given_, 2)


def test_arrays_of_different_lengths_are_refused() -> None:
    given_ = classified(2)
    with pytest.raises(InvalidInputError):
        gain(given_ | {"new": given_["new"][1:]}, 2)


def test_with_units_the_influences_are_those_of_the_units() -> None:
    given_ = classified(2)
    units = [f"user{i // 6}" for i in range(240)]
    compared = compare_classifiers(**given_, classes=("a", "b"), weights=BINARY, units=units)
    found = classifier_gain(**given_, n_classes=2, weights=BINARY, units=units)
    assert found.influence.shape == (40,)
    assert found.value == pytest.approx(compared.delta_one, rel=1e-12)
    assert standard_error(found.influence) == pytest.approx(compared.standard_error, rel=1e-12)
