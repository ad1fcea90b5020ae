"""Compressed bytes come out whole, are counted while they do, and end where the file ends."""

import gzip
import hashlib
import io
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import DataError
from hokusai.pipeline.data.scan import Limits
from hokusai.pipeline.data.unpacking import UnpackingReader, compression_of


def reader(stored: bytes, kind: str, **limits: int) -> UnpackingReader:
    return UnpackingReader(io.BytesIO(stored), kind, "a.csv", Limits(**limits))


def everything(source: UnpackingReader, n_bytes: int = 1 << 16) -> bytes:
    parts = []
    while data := source.read(n_bytes):
        assert len(data) <= n_bytes
        parts.append(data)
    return b"".join(parts)


pack = {"gzip": lambda content: gzip.compress(content, mtime=0), "zstd": zstandard.ZstdCompressor().compress}
kinds = st.sampled_from(sorted(pack))


@settings(max_examples=40)
@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4), kind=kinds, n_bytes=st.integers(1, 50)
)
def test_members_one_after_the_other_are_one_text(parts: list[bytes], kind: str, n_bytes: int) -> None:
    stored = b"".join(pack[kind](part) for part in parts)
    assert everything(reader(stored, kind), n_bytes) == b"".join(parts)


@settings(max_examples=40)
@given(content=st.binary(min_size=1, max_size=300), kind=kinds, data=st.data())
def test_a_file_that_is_cut_off_is_refused(content: bytes, kind: str, data: st.DataObject) -> None:
    whole = pack[kind](content)
    stored = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(DataError, match="cut off"):
        everything(reader(stored, kind))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("behind", [b"x", b"\x1f\x8bx" * 20, b"PK\x03\x04" * 9])
def test_something_behind_the_end_is_refused(kind: str, behind: bytes) -> None:
    with pytest.raises(DataError, match=r"follows|damaged|cut off"):
        everything(reader(pack[kind](b"abc") + behind, kind))


def test_the_checksum_of_gzip_is_checked() -> None:
    stored = bytearray(pack["gzip"](b"a,b\n1,2\n"))
    stored[-8] ^= 1
    with pytest.raises(DataError, match="damaged"):
        everything(reader(bytes(stored), "gzip"))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_large_files_come_out_as_they_went_in(kind: str) -> None:
    content = b"".join(hashlib.sha256(bytes([i % 251, i // 251 % 251])).digest() for i in range(60_000))
    assert everything(reader(pack[kind](content), kind)) == content


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
class TestLimits:
    def test_a_bomb_is_refused_before_it_is_unpacked(self, kind: str) -> None:
        source = reader(pack[kind](bytes(66 << 20)), kind)
        with pytest.raises(
            DataError, match=rf"The {kind} file unpacks to more than 200 times its size \(a.csv\)"
        ):
            everything(source, 1 << 20)

    def test_a_small_file_that_packs_well_is_no_bomb(self, kind: str) -> None:
        assert len(everything(reader(pack[kind](bytes(10 << 20)), kind))) == 10 << 20

    def test_bytes_are_counted(self, kind: str) -> None:
        stored = pack[kind](bytes(2000))
        assert len(everything(reader(stored, kind, unpacked_bytes=2000))) == 2000
        with pytest.raises(DataError, match="more than 1,999 bytes"):
            everything(reader(stored, kind, unpacked_bytes=1999))


def test_a_zstd_window_that_needs_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stored = compressor.compress(b"x" * 1000) + compressor.flush()
    with pytest.raises(DataError, match="damaged"):
        everything(reader(stored, "zstd"))


def test_compressions_are_known_by_their_first_bytes() -> None:
    assert compression_of(gzip.compress(b""), "a") == "gzip"
    assert compression_of(pack["zstd"](b""), "a") == "zstd"
    assert compression_of(zlib.compress(b"a"), "a") == compression_of(b"a,b", "a") == ""
