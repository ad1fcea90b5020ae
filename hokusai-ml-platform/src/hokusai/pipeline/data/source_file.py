"""A file as the readers of all formats see it: digested, unpacked, decoded, read as often as needed; and the words
of their errors.

The bytes that were digested must be those that were read, in every pass: each pass opens the file anew and compares
its identity, size and time of change with those at the start.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hokusai.domain.manifest import SourceFile
from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.encodings import DecodingReader, encoding_named, mark_of
from hokusai.pipeline.data.scan import Limits
from hokusai.pipeline.data.unpacking import ByteReader, UnpackingReader, compression_of, exactly

_MAGIC_BYTES = 8
_HASHED_PIECE = 1 << 20


class OpenedFile:
    """A file that is read as often as needed, always from its beginning.

    Args:
        path: The file.
        name: What to call it in messages; its base name, if absent.
        limits: What it may cost.

    Attributes:
        compression: `gzip`, `zstd` or empty, by its first bytes.
        encoding: Of its text: by its mark, else UTF-8 until somebody knows better.
        bad_bytes: Whether lines of UTF-8 text with wrong bytes are set aside, and not the end of it.
        assumed: What was concluded so far, in sentences.

    Raises:
        DataError: It cannot be read, or is compressed in a way that is not read.
    """

    def __init__(self, path: Path, name: str = "", limits: Limits | None = None) -> None:
        self.path = path
        self.name = name or path.name
        self.limits = limits or Limits()
        self.assumed: list[str] = []
        self.bad_bytes = False
        self._sha256 = ""
        with path.open("rb") as stream:
            self._status = os.fstat(stream.fileno())
            head = stream.read(_MAGIC_BYTES)
        self.compression = compression_of(head, self.name)
        self.encoding, self.mark = mark_of(self.head(4))

    @property
    def size_bytes(self) -> int:
        """Its size as stored."""
        return self._status.st_size

    @property
    def sha256(self) -> str:
        """The digest of the stored bytes, hex; taken in the first pass that reads them all, or else now."""
        if not self._sha256:
            with self._stored() as stream:
                while stream.read(_HASHED_PIECE):
                    pass
        return self._sha256

    def be_told_encoding(self, name: str) -> None:
        """Take the text for being in the encoding that somebody names.

        Raises:
            ConfigurationError: There is no such encoding, or the file begins with the mark of another.
        """
        told = encoding_named(name)
        if self.mark and not self.encoding.startswith(told):
            raise ConfigurationError(
                f"The encoding is said to be {told}, but the file begins with the mark of {self.encoding}",
                where=self.name,
                hint="Leave the encoding out: the mark tells it.",
            )
        if not self.mark:
            self.encoding = told

    @contextmanager
    def unpacked(self) -> Iterator[ByteReader]:
        """Its bytes from the beginning, unpacked.

        Raises:
            DataError: The file was changed meanwhile; from `read`: see `UnpackingReader`.
        """
        with self._stored() as stored:
            if self.compression:
                yield UnpackingReader(stored, self.compression, self.name, self.limits)
            else:
                yield stored

    @contextmanager
    def text(self) -> Iterator[ByteReader]:
        """Its text from the beginning, as bytes of UTF-8 without a mark.

        Text that is UTF-8 already is passed on as it is: the reader checks it, and raises `not_utf8`. Any other
        encoding is decoded strictly.

        Raises:
            DataError: As for `unpacked`; from `read`: the text is not in its encoding.
        """
        with self.unpacked() as stream:
            exactly(stream, len(self.mark))
            utf8 = self.encoding == "utf-8"
            yield stream if utf8 else DecodingReader(stream, self.encoding, self.name)

    def head(self, n_bytes: int) -> bytes:
        """The first unpacked bytes."""
        with self.unpacked() as stream:
            return exactly(stream, n_bytes)

    def text_head(self, n_bytes: int) -> bytes:
        """The first bytes of `text()`; the last character may be cut."""
        with self.text() as stream:
            return exactly(stream, n_bytes)

    def source(self, kind: str, delimiter: str = "", assumed: Sequence[str] = ()) -> SourceFile:
        """The file as the manifest names it; `kind` is its format."""
        binary = kind in ("parquet", "arrow")
        return SourceFile(
            self.name,
            self.sha256,
            self.size_bytes,
            kind,
            encoding="" if binary else self.encoding,
            compression=self.compression,
            delimiter=delimiter,
            assumed=(*self.assumed, *assumed),
        )

    def check_unchanged(self) -> None:
        """Check that nobody wrote to the file since it was opened.

        Raises:
            DataError: Somebody did.
        """
        self._compare(self.path.stat())

    @contextmanager
    def _stored(self) -> Iterator[ByteReader]:
        try:
            with self.path.open("rb", buffering=0) as stream:
                self._compare(os.fstat(stream.fileno()))
                yield stream if self._sha256 else _Hashing(stream, self)
                self._compare(os.fstat(stream.fileno()))
        except OSError as problem:
            raise DataError(f"The file cannot be read: {problem.strerror}", where=self.name) from problem

    def _compare(self, now: os.stat_result) -> None:
        then = self._status
        if _identity(now) != _identity(then):
            raise DataError(
                "The file was changed while it was being read",
                where=self.name,
                hint="Wait until it is written, or copy it, then run again.",
            )


class _Hashing:
    """The stored bytes on their first way through."""

    def __init__(self, stream: BinaryIO, file: OpenedFile) -> None:
        self._stream = stream
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, n_bytes: int, /) -> bytes:
        data = self._stream.read(n_bytes)
        self._digest.update(data)
        if n_bytes and not data:
            self._file._sha256 = self._digest.hexdigest()
        return data


class NotUtf8Error(DataError):
    """Text that was taken for UTF-8 is not."""


def not_utf8(name: str, byte: int, offset: int, line: int) -> NotUtf8Error:
    """The error for text that is not UTF-8, with the place of its first wrong byte."""
    return NotUtf8Error(
        f"The text is not UTF-8: byte 0x{byte:02x} at byte {offset:,} (line {line:,})",
        where=name,
        hint="Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8'), or say which encoding it has.",
    )


def check_conservation(name: str, counted: int, in_frame: int) -> None:
    """Check that as many rows stand in the frame as records were counted in the file.

    Raises:
        DataError: The numbers differ, or there is no row.
    """
    if counted != in_frame:
        raise DataError(
            f"{counted} records were counted in the file, but {in_frame} rows came out of the reader",
            where=name,
            hint="Nothing was used. This is a defect of the reader: please report it with the file.",
        )
    if not counted:
        raise DataError("The file has no rows", where=name, hint="Give a file with at least one row.")


def listed(problems: Sequence[str], total: int, limit: int = 20) -> str:
    """Up to `limit` problems as one text, with how many more there are."""
    more = f"; and {total - limit:,} more" if total > limit else ""
    return "; ".join(problems[:limit]) + more


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
