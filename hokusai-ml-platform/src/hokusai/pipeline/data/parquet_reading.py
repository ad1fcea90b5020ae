"""Parquet, row group by row group, within limits that its footer cannot talk its way around.

The first pass reads all values and counts what they unpack to; the second gives them in batches. The Rust and C++
readers of damaged files may end in a panic or in any of their own errors: each becomes one `DataError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hokusai.pipeline.data.arrow_columns import BATCH_BYTES, Unpacked
from hokusai.pipeline.data.arrow_scan import ArrowScan, damage_named, prove
from hokusai.pipeline.data.scan import BATCH_ROWS, ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

    from hokusai.pipeline.data.source_file import OpenedFile

_PAGE_BYTES = 1 << 20


def scan_parquet_file(file: OpenedFile, options: ReadOptions) -> ArrowScan:
    """Scan a Parquet file.

    Raises:
        DataError: It is damaged, unpacks beyond the limits, or holds what a table cannot hold.
    """
    return prove(file, options, "parquet", ParquetFileReader(file, options))


class ParquetFileReader:
    """Gives a Parquet file's schema and batches; see `arrow_scan.ArrowReader`."""

    def __init__(self, file: OpenedFile, options: ReadOptions) -> None:
        self._file = file
        with self._opened([]) as opened:
            self.schema: pa.Schema = opened.schema_arrow
            footer = opened.metadata
            self.rows: int | None = footer.num_rows
            chunks = [
                (footer.row_group(group).num_rows, footer.row_group(group).column(i))
                for group in range(footer.num_row_groups)
                for i in range(footer.num_columns)
            ]
            unpacked = Unpacked(file, options.limits)
            rows_per_byte = 1.0
            for rows, chunk in chunks:
                unpacked.add(max(0, chunk.total_uncompressed_size))
                rows_per_byte = min(
                    rows_per_byte, rows / max(1, chunk.total_uncompressed_size * len(self.schema))
                )
            with_dictionary = {chunk.path_in_schema for _, chunk in chunks if chunk.has_dictionary_page}
        self._batch_rows = max(1, min(BATCH_ROWS, int(BATCH_BYTES * rows_per_byte)))
        self._dictionaries = sorted(with_dictionary)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order."""
        with self._opened(self._dictionaries) as opened:
            yield from opened.iter_batches(batch_size=self._batch_rows, use_threads=False)

    @contextmanager
    def _opened(self, dictionaries: list[str]) -> Iterator[parquet.ParquetFile]:
        from pyarrow import parquet

        self._file.sha256  # noqa: B018 - from then on, the bytes come straight from the file, and can be sought
        with (
            self._file.unpacked() as stream,
            damage_named("Parquet", self._file.name),
            parquet.ParquetFile(
                stream, read_dictionary=dictionaries, pre_buffer=False, buffer_size=_PAGE_BYTES
            ) as opened,
        ):
            yield opened
