"""What a file is: its bytes decide, its name is only a hint, and where the two differ, that is said."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.source_file import OpenedFile
from hokusai.pipeline.data.unpacking import compression_of

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "arrow")

_SNIFF_BYTES = 1 << 16
_SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    ".arrows": "arrow",
}  # fmt: skip
_COMPRESSED_SUFFIXES = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_NO_DATA = (
    (rb"\s*<(?i:!doctype|html|head|body|table|\?xml)\b", "a web page or XML", "Where it came from an address, open "
     "that in a browser: it may be a message that something went wrong. Export the data as CSV, JSON or Parquet."),
    (rb"\x80[\x02-\x05]", "a Python pickle", "It is not read, since to read one is to run what its author wrote: save "
     "the table with to_parquet() or to_csv()."),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or another Office file", "Save the sheet as CSV."),
    (rb"%PDF-", "a PDF", "Export the data as CSV, JSON or Parquet."),
    (rb"SQLite format 3\0", "a SQLite database", "Export the table as CSV."),
    (rb"\x89HDF\r\n", "an HDF5 file", "Export the table as Parquet or CSV."),
    (rb"\x93NUMPY", "a NumPy array", "Export it as Parquet or CSV, with names for its columns."),
    (rb"Obj\x01", "an Avro file", "Export it as Parquet."),
    (rb"ORC", "an ORC file", "Export it as Parquet."),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", "an image", "Export the data as CSV, JSON or Parquet."),
)  # fmt: skip
"""Files that are given by mistake: how they begin, what they are, what to do."""
_HOLDS_A_LIST = re.compile(rb'\{\s*"[^"]*"\s*:\s*\[')
_MORE_FIELDS = re.compile(rb"[^\r\n]*[,;\t|][^\r\n]*[\r\n]+[^\r\n]")
"""How delimited text with several columns begins: a line with a delimiter, and one more line."""
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ARROW_STREAM = b"\xff\xff\xff\xff"


def format_of(file: OpenedFile, told: str | None = None) -> str:
    """Which of `FORMATS` a file has; what differs from its name is added to `file.assumed`.

    `tsv` is only a hint for the delimiter, which the reader finds from the text.

    Args:
        file: The file.
        told: The format, if it is known.

    Raises:
        ConfigurationError: There is no such format.
        DataError: The file holds nothing, or not what its name says.
    """
    if told is not None and told not in FORMATS:
        raise ConfigurationError(f"There is no format {told!r}", hint=f"Formats are {', '.join(FORMATS)}.")
    hint, said_compression = _named(file.name)
    if file.compression != said_compression:
        file.assumed.append(
            f"It is compressed with {file.compression}, which its name does not say"
            if file.compression
            else f"It is not compressed, although its name says {said_compression}"
        )
    head = file.head(_SNIFF_BYTES)
    _refuse_no_data(head, file.name)
    if told is None:
        found = _by_magic(head, hint, file) or _of_text(file.text_head(_SNIFF_BYTES), hint, file)
        if hint and found != hint and {found, hint} != {"csv", "tsv"}:
            file.assumed.append(f"It is {found}, although its name says {hint}")
    else:
        found = told
        _check_told(head, told, file)
    if file.compression:
        _refuse_within_compressed(head, found, file)
    return found


def _named(name: str) -> tuple[str, str]:
    """The format and the compression that a name says; empty where it says none."""
    path = Path(name.lower())
    compression = _COMPRESSED_SUFFIXES.get(path.suffix, "")
    return _SUFFIXES.get(path.with_suffix("").suffix if compression else path.suffix, ""), compression


def _by_magic(head: bytes, hint: str, file: OpenedFile) -> str:
    if head.startswith(b"PAR1"):
        if not file.compression:
            _check_parquet_end(file)
        return "parquet"
    if head.startswith((b"ARROW1", _ARROW_STREAM)):
        return "arrow"
    if hint in ("parquet", "arrow") and not file.mark and _BINARY.search(head):
        begins = "'PAR1'" if hint == "parquet" else "'ARROW1'"
        raise DataError(
            f"The name says {hint.capitalize()}, but the bytes do not: they do not begin with {begins}",
            where=file.name,
            hint="If the file is of another format, rename it; otherwise export it again.",
        )
    return ""


def _check_told(head: bytes, told: str, file: OpenedFile) -> None:
    begins = {"parquet": (b"PAR1",), "arrow": (b"ARROW1", _ARROW_STREAM)}.get(told)
    if begins and not file.compression and not head.startswith(begins):
        raise DataError(
            f"The format was said to be {told.capitalize()}, but the bytes do not begin with {begins[0].decode()!r}",
            where=file.name,
            hint="Leave the format out: it is found from the bytes.",
        )


def _refuse_no_data(head: bytes, name: str) -> None:
    for begins, what, hint in _NO_DATA:
        if re.match(begins, head):
            raise DataError(f"The file is {what}, and no data that can be read", where=name, hint=hint)


def _check_parquet_end(file: OpenedFile) -> None:
    with file.path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - 4, 0))
        if stream.read(4) != b"PAR1" or size < 12:
            raise DataError(
                "The Parquet file is cut off: it begins as Parquet, but its end is missing",
                where=file.name,
                hint="Copy or export it again.",
            )


def _of_text(head: bytes, hint: str, file: OpenedFile) -> str:
    text = head.lstrip()
    if not text:
        raise DataError("The file holds nothing but blanks", where=file.name, hint="Give a file with rows.")
    if _looks_like_json(text, hint):
        return "json" if text.startswith(b"[") else _of_object(text, hint)
    if hint in ("json", "jsonl") and not _MORE_FIELDS.match(text):
        raise DataError(
            f"The name says JSON, but the first character is {chr(text[0])!r}",
            where=file.name,
            hint="An array of objects begins with [, JSON Lines begin with {; if this is CSV, rename it.",
        )
    return "tsv" if hint == "tsv" else "csv"


def _of_object(text: bytes, hint: str) -> str:
    """JSON Lines if every line seems to be a record; JSON if one object holds all records."""
    if hint == "jsonl":
        return "jsonl"
    line, end, rest = text.partition(b"\n")
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return "json" if end or _HOLDS_A_LIST.match(line) else "jsonl"
    holds_lists = any(isinstance(value, list) for value in first.values())
    return "json" if holds_lists and not rest.strip() else "jsonl"


def _looks_like_json(text: bytes, hint: str) -> bool:
    """Whether `text` opens a JSON array or object, and not a CSV header whose first name begins so."""
    if text[:1] not in (b"[", b"{"):
        return False
    follows = text[1:].lstrip()[:1]
    return hint in ("json", "jsonl") or follows in ((b"{", b"]") if text.startswith(b"[") else (b'"', b"}"))


def _refuse_within_compressed(head: bytes, found: str, file: OpenedFile) -> None:
    if found in ("parquet", "arrow"):
        raise DataError(
            f"The file is {found}, compressed as a whole with {file.compression}",
            where=file.name,
            hint=f"Unpack it first: {found} files are compressed inside, and read from several places.",
        )
    if compression_of(head, file.name):
        raise DataError("The file is compressed twice", where=file.name, hint="Unpack it once.")
