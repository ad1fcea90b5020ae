"""One file becomes one table, with every record accounted for, or a message that says what is wrong with it.

Common readers lose data without a word: short rows are filled up, `00123` becomes 123, a column that first
appears in record 101 is dropped, of two equal keys one wins. Here the bytes decide what the file is (its name
is only a hint), each format has a strict reader, the number of records is counted apart from the reader and
compared, and the digest is that of the very bytes that were read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hokusai.errors import DataError
from hokusai.pipeline.data.csv_reading import read_csv
from hokusai.pipeline.data.files import check_readable
from hokusai.pipeline.data.json_reading import read_json, read_jsonl
from hokusai.pipeline.data.parquet_reading import read_parquet
from hokusai.pipeline.data.source_file import HashedFile, check_conservation

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet")
_SNIFF_BYTES = 1 << 16
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"PK\x03\x04", "zip", "unzip"),
    (b"PK\x05\x06", "zip", "unzip"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"BZh91AY", "bzip2", "bunzip2"),
    (b"\xfd7zXZ\x00", "xz", "unxz"),
)
_WIDE_ENCODINGS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file that was read: its rows, and what identifies its bytes.

    Attributes:
        frame: The rows, in the file's order. Missing values are null, never NaN.
        name: The file's base name.
        sha256: Digest of the file's bytes, hex.
        size_bytes: The file's size.
        rows_read: Records in the file, counted apart from the frame; equal to its height.
        format: One of `FORMATS`.
        notes: What a reader should know, such as a column of numbers that one value turned into text.
    """

    frame: pl.DataFrame
    name: str
    sha256: str
    size_bytes: int
    rows_read: int
    format: str
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        return f"Table({self.name}, {self.format}, {self.rows_read:,} rows x {self.frame.width} columns)"


def read_table(path: str | Path) -> Table:
    """Read one data file: CSV, TSV, JSON (an array of objects), JSON Lines or Parquet.

    Args:
        path: The file.

    Returns:
        The table; `rows_read` records, all of them in `frame`.

    Raises:
        DataError: The file cannot be read in full; the text names the line or record and what to do.
    """
    path = Path(path)
    check_readable(path)
    try:
        with path.open("rb") as stream:
            found = detect_format(stream, path.name)
            stream.seek(0)
            file = HashedFile(stream, path.name)
            if found == "parquet":
                frame, rows, notes = read_parquet(file)
            elif found == "json":
                frame, rows, notes = read_json(file)
            elif found == "jsonl":
                frame, rows, notes = read_jsonl(file)
            else:
                frame, rows, notes = read_csv(file, "\t" if found == "tsv" else ",")
            sha256 = file.sha256()
            file.check_unchanged()
    except OSError as problem:
        raise DataError(f"The file cannot be read: {problem.strerror}", where=path.name) from problem
    check_conservation(path.name, rows, frame.height)
    return Table(frame, path.name, sha256, file.size_bytes, rows, found, tuple(notes))


def detect_format(stream: BinaryIO, name: str) -> str:
    """What the file is, by its bytes first and its name second.

    Returns:
        One of `FORMATS`.

    Raises:
        DataError: It is compressed, in an encoding that is not read, or not what its name says.
    """
    head = stream.read(_SNIFF_BYTES)
    _refuse_other_kinds(head, name)
    hint = _SUFFIXES.get(Path(name).suffix.lower(), "")
    if head.startswith(b"PAR1"):
        stream.seek(-4, os.SEEK_END)
        if stream.read(4) != b"PAR1" or stream.tell() < 12:
            raise DataError(
                "The Parquet file is cut off: it begins as Parquet, but its end is missing",
                where=name,
                hint="Copy or export it again.",
            )
        return "parquet"
    if hint == "parquet":
        raise DataError(
            "The name says Parquet, but the bytes do not: they do not begin with 'PAR1'",
            where=name,
            hint="If the file is of another format, rename it; otherwise export it again.",
        )
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise DataError("The file holds nothing but blanks", where=name, hint="Give a file with rows.")
    if _looks_like_json(text, hint):
        return "jsonl" if text.startswith(b"{") else "json"
    if hint in ("json", "jsonl"):
        raise DataError(
            f"The name says JSON, but the first character is {chr(text[0])!r}",
            where=name,
            hint="An array of objects begins with [, JSON Lines begin with {; if this is CSV, rename it.",
        )
    return _delimited(head.removeprefix(b"\xef\xbb\xbf"), name, hint)


def _refuse_other_kinds(head: bytes, name: str) -> None:
    for magic, kind, tool in _COMPRESSED:
        if head.startswith(magic):
            excel = " If it is an Excel workbook, save the sheet as CSV." if kind == "zip" else ""
            raise DataError(
                f"The file is compressed ({kind}), and compressed files are not read",
                where=name,
                hint=f"Unpack it first ({tool}).{excel}",
            )
    for mark, encoding in _WIDE_ENCODINGS:
        if head.startswith(mark):
            raise DataError(
                f"The file is {encoding}, not UTF-8: byte 0 begins a {encoding} byte-order mark",
                where=name,
                hint=f"Convert it: iconv -f {encoding} -t UTF-8, or save it as 'CSV UTF-8'.",
            )
    if head.startswith(b"ARROW1"):
        raise DataError(
            "The file is Arrow IPC (Feather), which is not read", where=name, hint="Export it as Parquet."
        )


def _looks_like_json(text: bytes, hint: str) -> bool:
    """Whether `text` opens a JSON array or object, and not a CSV header whose first name begins so."""
    if text[:1] not in (b"[", b"{"):
        return False
    follows = text[1:].lstrip()[:1]
    return hint in ("json", "jsonl") or follows in ((b"{", b"]") if text.startswith(b"[") else (b'"', b"}"))


def _delimited(head: bytes, name: str, hint: str) -> str:
    """CSV or TSV, by the delimiter that the header line has."""
    header = head.splitlines()[0] if head.splitlines() else b""
    if b"," in header and not (hint == "tsv" and b"\t" in header):
        return "csv"
    if b"\t" in header or hint == "tsv":
        return "tsv"
    for delimiter in (b";", b"|"):
        if delimiter in header:
            raise DataError(
                f"The columns are separated by {delimiter.decode()!r}, not by commas (line 1)",
                where=name,
                hint="Export it with commas, and with a point as decimal mark, or as TSV.",
            )
    return "csv"
