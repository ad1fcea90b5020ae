"""The messages of an Arrow IPC file, read far enough to know how large they are.

pyarrow does not say what a compressed buffer unpacks to before it has unpacked it. The metadata is a FlatBuffer, of
which little is needed here: where a record batch's buffers stand, and whether they are compressed. Then each buffer
begins with its unpacked size.

References:
    Apache Arrow, "Arrow Columnar Format", IPC streaming and file format; format/Message.fbs and format/File.fbs.
    FlatBuffers, "FlatBuffer Internals".
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

FILE_MAGIC = b"ARROW1"

_CONTINUES = 0xFFFFFFFF
_MAX_METADATA = 64 << 20
# Fields by their position in the tables of Message.fbs, RecordBatch, DictionaryBatch and Footer.
_MESSAGE_KIND, _MESSAGE_HEADER, _MESSAGE_BODY = 1, 2, 3
_DICTIONARY_DATA = 1
_BATCH_BUFFERS, _BATCH_COMPRESSION = 2, 3
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_IS_DICTIONARY, _IS_BATCH = 2, 3


def stream_messages(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(metadata, position of the body) of each message of a stream.

    Raises:
        EOFError: The stream does not end with its end mark, so that nobody knows whether more was to follow.
        ValueError: Something follows the end mark, or a message is not one.
    """
    at = 0
    while True:
        metadata, body = _message(stream, at)
        if not metadata:
            stream.seek(body)
            if stream.read(1):
                raise ValueError("something follows the end of the stream")
            return
        yield metadata, body
        at = body + Table.root(metadata).int64(_MESSAGE_BODY)


def file_messages(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(metadata, position of the body) of each dictionary and record batch that a file's footer names.

    Raises:
        EOFError: The end of the file is missing.
        ValueError: The footer or a message is not one.
    """
    size = stream.seek(0, io.SEEK_END)
    tail_bytes = 4 + len(FILE_MAGIC)
    if size < tail_bytes + 8:
        raise EOFError
    stream.seek(size - tail_bytes)
    tail = _exactly(stream, tail_bytes)
    length = int.from_bytes(tail[:4], "little", signed=True)
    if tail[4:] != FILE_MAGIC or not 0 < length <= size - tail_bytes:
        raise EOFError
    stream.seek(size - tail_bytes - length)
    footer = Table.root(_exactly(stream, length))
    for part in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES):
        for offset in footer.blocks(part):
            yield _message(stream, offset)


def unpacked_bytes(stream: BinaryIO, metadata: bytes, body: int) -> int:
    """What the buffers of a message take once they are unpacked.

    Raises:
        EOFError: The file ends before the body does.
        ValueError: The metadata is not that of a message.
    """
    message = Table.root(metadata)
    kind = message.int8(_MESSAGE_KIND)
    header = message.table(_MESSAGE_HEADER)
    if kind == _IS_DICTIONARY and header is not None:
        header = header.table(_DICTIONARY_DATA)
    if kind not in (_IS_DICTIONARY, _IS_BATCH) or header is None:
        return 0
    compressed = header.table(_BATCH_COMPRESSION) is not None
    total = 0
    for offset, length in header.buffers(_BATCH_BUFFERS):
        if compressed and length:
            stream.seek(body + offset)
            stated = int.from_bytes(_exactly(stream, 8), "little", signed=True)
            total += stated if stated >= 0 else length  # -1: this buffer is not compressed after all
        else:
            total += max(0, length)
    return total


class Table:
    """A table of a FlatBuffer: fields by their position in the schema, each absent or somewhere in `data`.

    Raises:
        ValueError: An offset points outside of the data.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - self._read("<i", at)
        self._n_fields = (self._read("<H", self._fields) - 4) // 2

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The table that `data` holds."""
        if len(data) < 4:
            raise ValueError("the metadata is empty")
        return cls(data, struct.unpack_from("<I", data)[0])

    def int8(self, field: int) -> int:
        """A number of 8 bits; 0 if absent."""
        at = self._position(field)
        return self._read("<b", at) if at else 0

    def int64(self, field: int) -> int:
        """A number of 64 bits that is not negative; 0 if absent."""
        at = self._position(field)
        value = self._read("<q", at) if at else 0
        if value < 0:
            raise ValueError("a length is negative")
        return value

    def table(self, field: int) -> Table | None:
        """A table within this one."""
        at = self._position(field)
        return Table(self._data, at + self._read("<I", at)) if at else None

    def buffers(self, field: int) -> Iterator[tuple[int, int]]:
        """(offset, length) of each buffer of a vector of them."""
        for at in self._vector(field, 16):
            yield self._read("<q", at), self._read("<q", at + 8)

    def blocks(self, field: int) -> Iterator[int]:
        """The offset of each block of a vector of them; a block's lengths are those that its message states."""
        for at in self._vector(field, 24):
            yield self._read("<q", at)

    def _vector(self, field: int, item_bytes: int) -> Iterator[int]:
        at = self._position(field)
        if not at:
            return
        start = at + self._read("<I", at)
        yield from range(start + 4, start + 4 + item_bytes * self._read("<I", start), item_bytes)

    def _position(self, field: int) -> int:
        if field >= self._n_fields:
            return 0
        offset = self._read("<H", self._fields + 4 + 2 * field)
        return self._at + offset if offset else 0

    def _read(self, form: str, at: int) -> int:
        if not 0 <= at <= len(self._data) - struct.calcsize(form):
            raise ValueError("the metadata points outside of itself")
        return int(struct.unpack_from(form, self._data, at)[0])


def _message(stream: BinaryIO, at: int) -> tuple[bytes, int]:
    """A message's metadata, empty at the end of a stream, and where its body begins."""
    if at < 0:
        raise ValueError("a message begins before the file")
    stream.seek(at)
    first = int.from_bytes(_exactly(stream, 4), "little")
    prefix = 4
    if first == _CONTINUES:  # since Arrow 0.15; before, the length came first
        first = int.from_bytes(_exactly(stream, 4), "little")
        prefix = 8
    if first > _MAX_METADATA:
        raise ValueError("a message's metadata is too long")
    return _exactly(stream, first), at + prefix + first


def _exactly(stream: BinaryIO, n_bytes: int) -> bytes:
    parts = []
    while n_bytes and (data := stream.read(n_bytes)):
        parts.append(data)
        n_bytes -= len(data)
    if n_bytes:
        raise EOFError
    return b"".join(parts)
