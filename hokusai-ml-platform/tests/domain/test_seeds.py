"""Derived seeds by hashlib alone, and that they depend on all of their three names."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.seeds import derive_seed


def test_known_answer_worked_out_with_hashlib() -> None:
    text = b'["hokusai-seed/v1","42","train_new_model","shuffle"]'
    first_64_bits = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
    assert derive_seed(42, "train_new_model", "shuffle") == first_64_bits >> 1


def test_known_answer_for_32_bits() -> None:
    text = b'["hokusai-seed/v1","-7","s","p"]'
    assert derive_seed(-7, "s", "p", bits=32) == int.from_bytes(hashlib.sha256(text).digest()[:4], "big")


@pytest.mark.parametrize("bits", [1, 32, 63, 256])
@given(seed=st.integers(), step=st.text(st.characters(exclude_categories=["Cs"])))
def test_fits_its_width(bits: int, seed: int, step: str) -> None:
    assert 0 <= derive_seed(seed, step, "p", bits=bits) < 2**bits


def test_names_do_not_run_into_each_other() -> None:
    texts = [("1", "ab", "c"), ("1", "a", "bc"), ("1", "a,b", "c"), ("11", "", "abc"), ("1", 'a","b', "c")]
    assert len({derive_seed(int(seed), step, purpose) for seed, step, purpose in texts}) == len(texts)
