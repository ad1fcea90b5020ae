"""The quick SHA-256 for short messages."""

import hashlib

import pytest

from hokusai.utils.short_sha256 import SHORT_BYTES, sha256_for

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-2, appendix B.1."""


@pytest.mark.parametrize("length", [3, SHORT_BYTES + 1])
def test_gives_the_published_digest(length: int) -> None:
    assert sha256_for(length)(b"abc").hexdigest() == ABC


@pytest.mark.parametrize("length", [0, 55, 56, 63, 64, SHORT_BYTES, SHORT_BYTES + 1, 1000])
def test_gives_the_digest_of_openssl_at_every_length(length: int) -> None:
    message = bytes(i % 251 for i in range(length))
    for expected in (0, length):
        assert sha256_for(expected)(message).digest() == hashlib.sha256(message).digest()
