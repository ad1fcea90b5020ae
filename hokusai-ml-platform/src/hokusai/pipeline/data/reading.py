"""One file becomes a scan, or a table, with every record accounted for, or a message that says what is wrong.

Common readers lose data without a word: short rows are filled up, `00123` becomes 123, a column that first
appears in record 101 is dropped, of two equal keys one wins. Here the bytes decide what the file is (its name
is only a hint), each format has a strict reader, the number of records is counted apart from the reader and
compared, and the digest is that of the very bytes that were read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.domain.manifest import SourceFile
from hokusai.pipeline.data.arrow_reading import scan_arrow
from hokusai.pipeline.data.csv_reading import scan_csv
from hokusai.pipeline.data.encodings import guess_encoding, recognise_unmarked
from hokusai.pipeline.data.files import check_readable
from hokusai.pipeline.data.formats import FORMATS, format_of
from hokusai.pipeline.data.json_reading import scan_json, scan_jsonl
from hokusai.pipeline.data.parquet_reading import scan_parquet_file
from hokusai.pipeline.data.scan import ReadOptions, Reject, TableScan
from hokusai.pipeline.data.source_file import NotUtf8Error, OpenedFile, check_conservation

if TYPE_CHECKING:
    import polars as pl

_SCANS: Mapping[str, Callable[[OpenedFile, ReadOptions], TableScan]] = {
    "csv": scan_csv,
    "tsv": scan_csv,
    "json": scan_json,
    "jsonl": scan_jsonl,
    "parquet": scan_parquet_file,
    "arrow": scan_arrow,
}

__all__ = ["FORMATS", "Table", "open_table", "open_tables", "read_table"]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file that was read: its rows, and what identifies its bytes.

    Attributes:
        frame: The rows, in the file's order. Missing values are null, never NaN.
        name: The file's base name.
        sha256: Digest of the file's bytes, hex.
        size_bytes: The file's size.
        rows_read: Records in the file, counted apart from the frame; its height and the rejected ones.
        format: One of `FORMATS`.
        notes: What a reader should know, such as a column of numbers that one value turned into text.
        source: The file as the manifest names it, with its encoding and what was assumed.
        rejects: Rows that were set aside.
    """

    frame: pl.DataFrame
    name: str
    sha256: str
    size_bytes: int
    rows_read: int
    format: str
    notes: tuple[str, ...] = field(default=())
    source: SourceFile | None = None
    rejects: tuple[Reject, ...] = ()

    def __repr__(self) -> str:
        return f"Table({self.name}, {self.format}, {self.rows_read:,} rows x {self.frame.width} columns)"


def open_table(path: str | Path, options: ReadOptions | None = None, *, name: str | None = None) -> TableScan:
    """Prove one data file, so that its rows can be read in batches.

    Args:
        path: The file: delimited text, JSON, JSON Lines, Parquet or Arrow; text may be compressed.
        options: What is known about it.
        name: What to call it; its base name, if absent.

    Returns:
        The scan.

    Raises:
        DataError: The file cannot be read in full; the text names the line or record and what to do.
        ConfigurationError: The options name a format, encoding or type that there is not.
    """
    path = Path(path)
    options = options or ReadOptions()
    check_readable(path)
    file = OpenedFile(path, name or path.name, options.limits)
    if options.encoding is not None:
        file.be_told_encoding(options.encoding)
    else:
        recognise_unmarked(file)
    found = format_of(file, options.format)
    scan = _scan(file, replace(options, format=found))
    file.check_unchanged()
    return scan


def open_tables(paths: Sequence[Path], options: ReadOptions | None = None) -> list[TableScan]:
    """Prove files that are read together; see `open_table`. Of two with one name the later has its number before it."""
    return [
        open_table(path, options, name=name) for path, name in zip(paths, _told_apart(paths), strict=True)
    ]


def read_table(path: str | Path, options: ReadOptions | None = None, *, name: str | None = None) -> Table:
    """Read one data file into memory; see `open_table`.

    Returns:
        The table; of its `rows_read` records, those in `rejects` are not in `frame`.
    """
    import polars as pl

    scan = open_table(path, options, name=name)
    frames = list(scan.batches())
    frame = pl.concat(frames, rechunk=False) if frames else pl.DataFrame(schema=scan.schema)
    source = scan.source
    check_conservation(source.name, scan.rows_read, frame.height + len(scan.rejects))
    return Table(
        frame,
        source.name,
        source.sha256,
        source.size_bytes,
        scan.rows_read,
        source.format,
        scan.notes,
        source,
        scan.rejects,
    )


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """A name for each file, such as `a.csv`, `b.csv` and `(2) a.csv`; the suffix stays at the end."""
    names: list[str] = []
    for path in paths:
        numbered = (f"({number}) {path.name}" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain([path.name], numbered) if name not in names))
    return names


def _scan(file: OpenedFile, options: ReadOptions) -> TableScan:
    """The scan; text that turns out not to be UTF-8 is read again in the encoding that it seems to have."""
    scan = _SCANS[str(options.format)]
    try:
        return scan(file, options)
    except NotUtf8Error:
        encoding = "" if options.encoding or file.mark else guess_encoding(file)
        if encoding:
            file.encoding = encoding
        elif options.on_error == "reject" and not file.bad_bytes:
            file.bad_bytes = True
        else:
            raise
    return scan(file, options)
