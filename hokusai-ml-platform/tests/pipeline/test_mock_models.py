"""Mock models: their skill is a dial, and they are the same in every run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.mock_models import MockModel, mock_baseline, mock_retrained

ROWS = 40_000
LABELS = np.arange(ROWS) % 2


@given(st.text(max_size=5), st.floats(0.1, 9), st.integers(0, 2**70))
def test_a_stored_mock_comes_back(role: str, signal: float, seed: int) -> None:
    mock = MockModel(role, signal, seed)
    assert MockModel.from_artifact(mock.artifact("1.0.0", "mock", 10)) == mock


def test_the_baseline_is_right_as_often_as_its_signal_says() -> None:
    """Two classes `signal` apart in unit noise are told apart with probability Phi(signal / 2)."""
    right = (mock_baseline(1).class_scores(LABELS, 2).argmax(axis=1) == LABELS).mean()
    assert right == pytest.approx(0.5 * (1 + math.erf(1 / math.sqrt(2))), abs=0.006)  # Phi(1) = 0.8413


def test_probabilities_sum_to_one() -> None:
    scores = mock_baseline(1).class_scores(np.arange(30) % 5, 5)
    assert scores.shape == (30, 5)
    assert np.allclose(scores.sum(axis=1), 1)


def test_regression_error_is_the_spread_over_the_signal() -> None:
    target = np.random.default_rng(0).normal(50, 10, ROWS)
    error = mock_baseline(1).values(target) - target
    assert error.std() == pytest.approx(target.std() / 2, rel=0.02)


def test_a_constant_target_is_answered() -> None:
    assert np.isfinite(mock_baseline(1).values(np.full(10, 3.0))).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_contribution_is_never_worse(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 2.0 <= mock_retrained(1, low).signal <= mock_retrained(1, high).signal <= 3.6


def test_mistakes_are_mostly_shared_and_follow_from_the_seed() -> None:
    old, new = mock_baseline(1), mock_retrained(1, 0.5)
    noise = [m.values(np.zeros(ROWS)) * m.signal for m in (old, new)]
    # shared part 1 - 0.35^2 of each variance
    assert np.corrcoef(*noise)[0, 1] == pytest.approx(1 - 0.35**2, abs=0.01)
    assert (mock_baseline(1).class_scores(LABELS, 2) == old.class_scores(LABELS, 2)).all()
    assert (mock_baseline(2).class_scores(LABELS, 2) != old.class_scores(LABELS, 2)).any()


def test_the_content_is_canonical_json() -> None:
    artifact = mock_baseline(7).artifact("1.0.0", "mock_baseline", 500)
    assert isinstance(artifact, ModelArtifact)
    assert artifact.content == b'{"role":"baseline","seed":"7","signal":2,"type":"mock_baseline"}'
