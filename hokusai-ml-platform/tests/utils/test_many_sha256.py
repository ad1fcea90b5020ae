"""Many messages at once have the digests that each has alone, with machine code and without."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.utils import compiled, many_sha256
from hokusai.utils.many_sha256 import EndToEnd, HmacSha256, sha256_many

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-2, appendix B.1."""


@pytest.fixture(params=["hashlib", "lanes"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    lanes = request.param == "lanes"
    monkeypatch.setattr(compiled, "pays", lambda work: lanes)
    if not lanes:
        monkeypatch.setitem(sys.modules, "hokusai.utils.sha256_lanes", None)  # cannot be imported
    return str(request.param)


def digests_of(beginnings: list[bytes], rests: list[bytes] | None = None) -> list[str]:
    table = np.frombuffer(b"".join(beginnings), np.uint8).reshape(len(beginnings), -1)
    made = sha256_many(table, EndToEnd.of(pl.Series(rests, dtype=pl.Binary)) if rests is not None else None)
    assert made.shape == (len(beginnings), 32)
    return [row.tobytes().hex() for row in made]


@pytest.mark.usefixtures("way")
class TestBothWays:
    def test_the_published_digest(self) -> None:
        assert digests_of([b"abc"]) == [ABC]

    @pytest.mark.parametrize("width", [1, 55, 56, 63, 64, 65, 119, 120, 128, 513])
    def test_every_number_of_messages_around_the_lanes(self, width: int) -> None:
        for n in (0, 1, 15, 16, 17, 33):
            messages = [bytes((i + at) % 256 for at in range(width)) for i in range(n)]
            table = np.frombuffer(b"".join(messages), np.uint8).reshape(n, width)
            expected = b"".join(hashlib.sha256(message).digest() for message in messages)
            assert sha256_many(table).tobytes() == expected

    @given(
        st.integers(0, 130), st.lists(st.integers(0, 400), min_size=1, max_size=60), st.integers(0, 2**32 - 1)
    )
    @settings(max_examples=40)
    def test_messages_of_any_lengths(self, width: int, lengths: list[int], seed: int) -> None:
        random = np.random.default_rng(seed)
        beginnings = [random.bytes(width) for _ in lengths]
        rests = [random.bytes(length) for length in lengths]
        expected = [
            hashlib.sha256(first + rest).hexdigest() for first, rest in zip(beginnings, rests, strict=True)
        ]
        assert digests_of(beginnings, rests) == expected

    def test_a_slice_of_a_column_and_a_table_that_is_a_view(self) -> None:
        rests = pl.Series(["zero", "eins", "zwei", "drei"])[1:3]
        table = np.arange(24, dtype=np.uint8).reshape(2, 12)[:, ::2]
        made = sha256_many(table, EndToEnd.of(rests))
        expected = [
            hashlib.sha256(table[i].tobytes() + word).digest() for i, word in enumerate((b"eins", b"zwei"))
        ]
        assert [row.tobytes() for row in made] == expected

    @pytest.mark.parametrize("key", [b"", b"k" * 32, b"k" * 64])
    def test_hmac_is_that_of_python(self, key: bytes) -> None:
        messages = [b"m" * length for length in (0, 1, 31, 54, 55, 56, 64, 119, 120, 500)]
        made = HmacSha256(key).many(EndToEnd.of(pl.Series(messages)))
        assert [row.tobytes() for row in made] == [hmac.digest(key, one, "sha256") for one in messages]

    def test_a_very_long_message(self) -> None:
        rests = [b"x" * ((1 << 20) + 1), b"y"]
        assert digests_of([b"a", b"b"], rests) == [
            hashlib.sha256(b"a" + rests[0]).hexdigest(),
            hashlib.sha256(b"by").hexdigest(),
        ]


def test_a_few_messages_do_not_load_numba_and_many_do() -> None:
    code = """
import sys
import numpy as np
from hokusai.utils.many_sha256 import sha256_many
sha256_many(np.zeros((1000, 8), np.uint8))
assert "numba" not in sys.modules
sha256_many(np.zeros((400_000, 8), np.uint8))
assert "numba" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_numba_nothing_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "find_spec", lambda _: None)
    compiled.can_compile.cache_clear()
    try:
        assert not compiled.pays(10**9)
    finally:
        compiled.can_compile.cache_clear()
    assert many_sha256.sha256_many(np.zeros((1, 1), np.uint8)).shape == (1, 32)
