"""Arrow IPC: the file format, which Feather V2 is, and the stream format, record batch by record batch.

Both are read by pyarrow, after this module has looked at what pyarrow takes on trust: a compressed buffer states its
own unpacked size, and a stream that is cut off between two batches looks like one that ends there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from hokusai.errors import DataError
from hokusai.pipeline.data.arrow_columns import Unpacked
from hokusai.pipeline.data.arrow_messages import FILE_MAGIC, file_messages, stream_messages, unpacked_bytes
from hokusai.pipeline.data.arrow_scan import ArrowScan, damage_named, prove
from hokusai.pipeline.data.scan import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from hokusai.pipeline.data.source_file import OpenedFile


def scan_arrow(file: OpenedFile, options: ReadOptions) -> ArrowScan:
    """Scan an Arrow IPC file, of the file or the stream format.

    Raises:
        DataError: It is damaged, cut off, unpacks beyond the limits, or holds what a table cannot hold.
    """
    is_file = file.head(len(FILE_MAGIC)) == FILE_MAGIC
    reader = ArrowFileReader(file, options) if is_file else ArrowStreamReader(file, options)
    return prove(file, options, "arrow", reader)


class ArrowFileReader:
    """Gives the batches of the file format, in the order of its footer; see `arrow_scan.ArrowReader`."""

    def __init__(self, file: OpenedFile, options: ReadOptions) -> None:
        import pyarrow as pa

        self._file = file
        self.rows: int | None = None
        with _opened(file) as stream:
            _check_sizes(file, options, stream)
            with pa.ipc.open_file(stream) as opened:
                self.schema = opened.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order."""
        import pyarrow as pa

        with _opened(self._file) as stream, pa.ipc.open_file(stream) as opened:
            for number in range(opened.num_record_batches):
                yield opened.get_batch(number)


class ArrowStreamReader:
    """Gives the batches of the stream format; see `arrow_scan.ArrowReader`."""

    def __init__(self, file: OpenedFile, options: ReadOptions) -> None:
        import pyarrow as pa

        self._file = file
        self.rows: int | None = None
        with _opened(file) as stream:
            _check_sizes(file, options, stream)
            with pa.ipc.open_stream(stream) as opened:
                self.schema = opened.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order."""
        import pyarrow as pa

        with _opened(self._file) as stream, pa.ipc.open_stream(stream) as opened:
            yield from opened


@contextmanager
def _opened(file: OpenedFile) -> Iterator[BinaryIO]:
    file.sha256  # noqa: B018 - from then on, the bytes come straight from the file, and can be sought
    with file.unpacked() as stream, damage_named("Arrow", file.name):
        yield cast(BinaryIO, stream)


def _check_sizes(file: OpenedFile, options: ReadOptions, stream: BinaryIO) -> None:
    """Check what all messages say that they unpack to, and that they are all there."""
    unpacked = Unpacked(file, options.limits)
    head = stream.read(len(FILE_MAGIC))
    messages = file_messages(stream) if head == FILE_MAGIC else stream_messages(stream)
    try:
        for metadata, body in messages:
            unpacked.add(unpacked_bytes(stream, metadata, body))
    except EOFError as problem:
        raise DataError(
            "The Arrow file is cut off: its end is missing", where=file.name, hint="Copy or export it again."
        ) from problem
    stream.seek(0, io.SEEK_SET)
