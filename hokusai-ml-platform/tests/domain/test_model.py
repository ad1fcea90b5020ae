"""A model is its bytes."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.model import ModelArtifact

MODEL = ModelArtifact("churn/1.0.0", "sklearn.A", "m.skops", b"abc", {"C": 1}, 900, 100)


def test_its_identity_is_the_sha_256_of_its_bytes() -> None:
    # FIPS 180-4, the example "abc"
    assert MODEL.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert replace(MODEL, content=b"").sha256.startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize(
    ("base", "contributed", "ratio"),
    [(900, 100, 0.1), (None, 100, 1.0), (0, 0, 0.0), (None, 0, 0.0), (50, 0, 0.0)],
)
def test_the_contributed_share(base: int | None, contributed: int, ratio: float) -> None:
    assert replace(MODEL, base_samples=base, contributed_samples=contributed).contribution_ratio == ratio


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_contributed_share_is_a_share(base: int, contributed: int) -> None:
    assert 0 <= replace(MODEL, base_samples=base, contributed_samples=contributed).contribution_ratio <= 1


def test_it_travels_between_steps_and_prints_short() -> None:
    assert MODEL.sha256  # worked out once, and not part of what travels or is compared
    assert pickle.loads(pickle.dumps(MODEL)) == MODEL == replace(MODEL)
    assert repr(MODEL) == "<ModelArtifact churn/1.0.0 sklearn.A sha256:ba7816bf8f01… 3 bytes>"
