"""Compressed bytes, unpacked piece by piece and counted, so that a small file cannot fill the memory or the disk.

gzip (several members too) and zstd (several frames) are read; each must be whole, and nothing may follow. What a
file is, its first bytes say, not its name.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from hokusai.errors import DataError

if TYPE_CHECKING:
    from hokusai.pipeline.data.scan import Limits

RATIO_MATTERS_FROM = 64 << 20
"""Unpacked bytes below which no ratio is refused: a short file of zeros packs very well and harms nobody."""

_READ = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_NOT_READ = (
    (b"PK\x03\x04", "zip", "unzip"),
    (b"PK\x05\x06", "zip", "unzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ\x00", "xz", "unxz"),
)
_STORED_PIECE = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS
_ZSTD_PIECE = 1 << 10
"""Stored bytes given to zstd at once: it has no bound for what comes out, but 1 KB makes 33 MB at the most."""
_ZSTD_WINDOW = 128 << 20


class ByteReader(Protocol):
    """What gives bytes: a file, or what unpacks or decodes one."""

    def read(self, n_bytes: int, /) -> bytes:
        """Up to `n_bytes` more; empty only at the end."""


def compression_of(head: bytes, name: str) -> str:
    """Which compression the first bytes of a file show.

    Returns:
        `gzip`, `zstd`, or empty if there is none.

    Raises:
        DataError: It is one that is not read.

    >>> compression_of(bytes.fromhex("1f8b08"), "a.csv")
    'gzip'
    """
    for magic, kind in _READ.items():
        if head.startswith(magic):
            return kind
    for magic, kind, tool in _NOT_READ:
        if head.startswith(magic):
            excel = " If it is an Excel workbook, save the sheet as CSV." if kind == "zip" else ""
            raise DataError(
                f"The file is compressed ({kind}), which is not read",
                where=name,
                hint=f"Unpack it first ({tool}), or compress it with gzip or zstd.{excel}",
            )
    return ""


def exactly(stream: ByteReader, n_bytes: int) -> bytes:
    """The next `n_bytes`; fewer only at the end."""
    parts: list[bytes] = []
    while n_bytes and (data := stream.read(n_bytes)):
        parts.append(data)
        n_bytes -= len(data)
    return b"".join(parts)


class UnpackingReader:
    """Reads the unpacked bytes of a compressed file.

    Args:
        stored: The file, at its beginning.
        compression: `gzip` or `zstd`.
        name: Of the file, for messages.
        limits: `unpacked_bytes` and `ratio` are kept.
    """

    def __init__(self, stored: ByteReader, compression: str, name: str, limits: Limits) -> None:
        self._stored = stored
        self._name = name
        self._limits = limits
        self._kind = compression
        self._pieces = self._gzip() if compression == "gzip" else self._zstd()
        self._pending = b""
        self._taken = 0
        self._given = 0

    def read(self, n_bytes: int, /) -> bytes:
        """Up to `n_bytes` unpacked bytes; empty only at the end of the file.

        Raises:
            DataError: The file is cut off or damaged, something follows its end, or it unpacks beyond the limits.
        """
        parts: list[bytes] = []
        wanted = n_bytes
        while wanted:
            if not self._pending:
                self._pending = next(self._pieces, b"")
                if not self._pending:
                    break
                self._count(len(self._pending))
            parts.append(self._pending[:wanted])
            self._pending = self._pending[wanted:]
            wanted -= len(parts[-1])
        return b"".join(parts)

    def _count(self, unpacked: int) -> None:
        self._given += unpacked
        if self._given > self._limits.unpacked_bytes:
            raise self._bomb(f"unpacks to more than {self._limits.unpacked_bytes:,} bytes")
        if self._given > RATIO_MATTERS_FROM and self._given > self._limits.ratio * self._taken:
            raise self._bomb(f"unpacks to more than {self._limits.ratio} times its size")

    def _next_stored(self) -> bytes:
        data = self._stored.read(_STORED_PIECE)
        self._taken += len(data)
        return data

    def _gzip(self) -> Iterator[bytes]:
        data = self._next_stored()
        while data:
            member = zlib.decompressobj(_GZIP)
            while not member.eof:
                if not data:
                    raise self._cut_off()
                try:
                    piece = member.decompress(data, 1 << 20)
                except zlib.error as problem:
                    raise self._damaged() from problem
                data = member.unconsumed_tail
                if piece:
                    yield piece
                if not data and not member.eof:
                    data = self._next_stored()
            data = member.unused_data or self._next_stored()
            while data and not data.strip(b"\0"):  # blocks of tapes are filled up with zeros
                data = self._next_stored()
            if data and not data.startswith(b"\x1f"):
                raise self._trailing()

    def _zstd(self) -> Iterator[bytes]:
        import zstandard

        unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        frame = unpacker.decompressobj()
        within = False
        while stored := self._next_stored():
            for start in range(0, len(stored), _ZSTD_PIECE):
                data = stored[start : start + _ZSTD_PIECE]
                while data:
                    try:
                        piece = frame.decompress(data)
                    except zstandard.ZstdError as problem:
                        raise self._damaged() from problem
                    if piece:
                        yield piece
                    data, within = b"", not frame.eof
                    if frame.eof:
                        data = frame.unused_data
                        frame = unpacker.decompressobj()
        if within:
            raise self._cut_off()

    def _cut_off(self) -> DataError:
        return DataError(
            f"The {self._kind} file is cut off: its end is missing",
            where=self._name,
            hint="Copy or compress it again.",
        )

    def _damaged(self) -> DataError:
        return DataError(
            f"The {self._kind} file is damaged, or something that is not {self._kind} follows its end",
            where=self._name,
            hint="Copy or compress it again.",
        )

    def _trailing(self) -> DataError:
        return DataError(
            f"Something that is not {self._kind} follows the end of the {self._kind} file",
            where=self._name,
            hint="Unpack it with a tool of your trust, look at it, and compress it again.",
        )

    def _bomb(self, what: str) -> DataError:
        return DataError(
            f"The {self._kind} file {what}",
            where=self._name,
            hint="If this is meant, unpack it first, or raise the limits.",
        )
