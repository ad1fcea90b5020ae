"""Keccak-256 by published digests; they pass through each way the padding can fall."""

from __future__ import annotations

import hashlib

import pytest

from hokusai.domain.keccak import keccak_256

PUBLISHED = [
    (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),  # Yellow Paper, KEC(())
    (b"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),  # Yellow Paper, empty trie
    (b"\xc0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),  # Yellow Paper, no ommers
    (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    (b"testing", "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02"),
    (b"hello world", "47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad"),
    (bytes([1, 2, 3, 4, 5]), "7d87c5ea75f7378bb701e404c50639161af3eff66293e9f375b5f17eb50476f4"),
    (
        b"The quick brown fox jumps over the lazy dog",
        "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
    ),
]


@pytest.mark.parametrize(("data", "digest"), PUBLISHED)
def test_published_digests(data: bytes, digest: str) -> None:
    assert keccak_256(data).hex() == digest


# Lengths at which the padding falls differently (the rate is 136 bytes), by pycryptodome 3.
AT_THE_RATE = [
    (135, "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446"),
    (136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"),
    (137, "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39"),
    (272, "cf7fcd4f705ee749930d19ca84561a9bf62516bd90a471545fa2f49fdc7e63c8"),
    (500, "459d4d3dec1737165314cd15cafa5da1b779b796156dcb87415ee2ddc1dd417e"),
]


@pytest.mark.parametrize(("length", "digest"), AT_THE_RATE)
def test_lengths_around_the_rate(length: int, digest: str) -> None:
    assert keccak_256(b"a" * length).hex() == digest


def test_is_not_the_sha3_of_the_standard_library() -> None:
    assert keccak_256(b"") != hashlib.sha3_256(b"").digest()
