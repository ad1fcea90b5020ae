"""Rows to a file, batch by batch, that is whole or absent (`utils.files`). The format follows the name.

What is written reads back as it was. Where a format cannot hold a value, that is an error, and not another value; where
it does not hold a type, the writer says so (`written_types`).
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.columns import col
from hokusai.pipeline.data.headers import header_in_quotes
from hokusai.pipeline.data.written_types import KIND_WORDS, WrittenTypes
from hokusai.utils.files import open_atomically
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import polars as pl

OUTPUT_SUFFIXES = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".json": "json", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip
COMPRESSED_SUFFIXES = {".gz": "gzip", ".zst": "zstd"}
"""What may follow the suffix of a text format."""
_LOOKED_AT = 16_384
"""Rows by which it is judged whether values of a column repeat."""
_WITHOUT_TEXT = "ux"
"""Logical types of values that text does not give back: durations and bytes."""
_FORMULA = r"^([=+\-@\t\r])"


class RowWriter(Protocol):
    """Takes the batches of one table, in order."""

    def write(self, batch: pl.DataFrame) -> None:
        """Write the next rows."""

    def close(self) -> None:
        """Write what ends the file."""

    def notes(self) -> tuple[str, ...]:
        """What whoever reads the file has to know, after the last row."""


def output_format(path: Path) -> str:
    """The format that a name asks for.

    Raises:
        InvalidInputError: It names none that is written.
    """
    named = path.with_suffix("") if _compression(path) else path
    found = OUTPUT_SUFFIXES.get(named.suffix.lower())
    if found is None:
        raise InvalidInputError(
            f"No format is known by the suffix {named.suffix!r}",
            where=str(path),
            hint=f"Use one of {', '.join(OUTPUT_SUFFIXES)}; text may be compressed: .csv.gz, .jsonl.zst.",
        )
    if named is not path and found in ("parquet", "arrow"):
        raise InvalidInputError(
            f"A {found} file is not compressed as a whole",
            where=str(path),
            hint=f"Leave {path.suffix} out.",
        )
    return found


def check_held(path: Path, schema: Mapping[str, pl.DataType]) -> None:
    """Check that the format of `path` can hold these columns.

    Raises:
        InvalidInputError: A column's values have no text.
    """
    if output_format(path) in ("parquet", "arrow"):
        return
    for column in canonical_columns(schema):
        if column.kind in _WITHOUT_TEXT:
            raise _not_held(f"Column {column.name!r} holds {KIND_WORDS[column.kind]}", "CSV and JSON")


@contextlib.contextmanager
def writing(path: Path, schema: dict[str, pl.DataType], *, safe_csv: bool = False) -> Iterator[RowWriter]:
    """A writer for `path`, whose file appears there when the block ends, and not at all if it fails.

    Args:
        path: Where to; its folder must exist, and its suffix says which format.
        schema: The columns and their types; no rows make a file with these columns.
        safe_csv: Whether text that a spreadsheet would run as a formula gets a leading `'` (CSV and TSV). That is for
            people's eyes: the file is no longer the same data.

    Raises:
        InvalidInputError: The suffix is unknown; or the file cannot be written: the folder is missing or closed to us,
            or the disk is full; from `write` too, if the format cannot hold a value.
    """
    kind = output_format(path)
    check_held(path, schema)
    with open_atomically(path) as file, _packed(file, _compression(path)) as stream:
        writer = _writer(kind, stream, schema, safe_csv=safe_csv)
        try:
            yield writer
        except BaseException:
            with contextlib.suppress(
                Exception
            ):  # the file goes; only the writer's own memory is to be let go
                writer.close()
            raise
        writer.close()


def _writer(kind: str, stream: IO[bytes], schema: dict[str, pl.DataType], *, safe_csv: bool) -> RowWriter:
    if kind in ("csv", "tsv"):
        return _DelimitedWriter(stream, schema, "\t" if kind == "tsv" else ",", safe=safe_csv)
    if kind in ("json", "jsonl"):
        return _JsonWriter(stream, schema, array=kind == "json")
    return _ArrowWriter(stream, schema, parquet=kind == "parquet")


def _compression(path: Path) -> str:
    return COMPRESSED_SUFFIXES.get(path.suffix.lower(), "")


@contextlib.contextmanager
def _packed(file: IO[bytes], compression: str) -> Iterator[IO[bytes]]:
    """The stream whose bytes go to the file compressed; the same bytes make the same file at any time."""
    if compression == "gzip":
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zstd":
        import zstandard

        with zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as stream:
            yield stream
    else:
        yield file


class _DelimitedWriter:
    def __init__(
        self, stream: IO[bytes], schema: dict[str, pl.DataType], separator: str, *, safe: bool
    ) -> None:
        import polars as pl

        self._stream, self._separator, self._safe = stream, separator, safe
        self._types = WrittenTypes(schema, delimited=True)
        if any("\0" in name for name in schema):
            raise _not_held("The name of a column has a NUL character")
        self._write(pl.DataFrame(schema=schema), header=True)

    def write(self, batch: pl.DataFrame) -> None:
        import polars as pl

        _refuse_what_is_lost(batch)
        batch = _as_doubles(batch)
        self._types.see(batch)
        if self._safe:
            batch = batch.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'$1"))
        self._write(batch, header=False)

    def _write(self, batch: pl.DataFrame, *, header: bool) -> None:
        quotes: Any = "always" if header and header_in_quotes(batch.columns) else "necessary"
        batch.write_csv(self._stream, include_header=header, separator=self._separator, quote_style=quotes)

    def close(self) -> None:
        """Nothing ends a delimited file."""

    def notes(self) -> tuple[str, ...]:
        return () if self._safe else self._types.notes()


class _JsonWriter:
    """Objects, one a line; in an array, with commas between them."""

    def __init__(self, stream: IO[bytes], schema: dict[str, pl.DataType], *, array: bool) -> None:
        self._stream, self._array = stream, array
        self._before = b"[\n"
        self._types = WrittenTypes(schema, delimited=False)

    def write(self, batch: pl.DataFrame) -> None:
        batch = _as_doubles(batch)
        self._types.see(batch)
        if not self._array:
            batch.write_ndjson(self._stream)
        elif batch.height:
            # A line end never stands within a record: in text it is written as an escape.
            lines = batch.write_ndjson().encode().rstrip(b"\n")
            self._stream.write(self._before + lines.replace(b"\n", b",\n"))
            self._before = b",\n"

    def close(self) -> None:
        """End the array; nothing ends a file of lines."""
        if self._array:
            self._stream.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")

    def notes(self) -> tuple[str, ...]:
        return self._types.notes()


class _ArrowWriter:
    def __init__(self, stream: IO[bytes], schema: dict[str, pl.DataType], *, parquet: bool) -> None:
        import polars as pl

        self._stream, self._parquet = stream, parquet
        self._nothing = pl.DataFrame(schema=schema)
        self._layout = self._nothing.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        self._writer: Any = None

    def write(self, batch: pl.DataFrame) -> None:
        import polars as pl

        self._writer = self._writer or self._begun(batch)
        self._writer.write_table(batch.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._layout))

    def close(self) -> None:
        (self._writer or self._begun(self._nothing)).close()

    def notes(self) -> tuple[str, ...]:
        return ()

    def _begun(self, first: pl.DataFrame) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._parquet:
            return pa.ipc.new_file(self._stream, self._layout)
        return pq.ParquetWriter(
            self._stream, self._layout, compression="zstd", use_dictionary=_repetitive(first)
        )


def _repetitive(batch: pl.DataFrame) -> list[str]:
    """The columns of few different values: for the others a dictionary takes a third of the time and more room."""
    import polars as pl

    plain = [name for name, dtype in batch.schema.items() if not dtype.is_nested() and dtype != pl.Object]
    counts = batch.select(col(name).head(_LOOKED_AT).n_unique() for name in plain).row(0) if plain else ()
    most = min(batch.height, _LOOKED_AT) // 4
    return [name for name, count in zip(plain, counts, strict=True) if count <= most]


def _refuse_what_is_lost(batch: pl.DataFrame) -> None:
    """Refuse what no reader of delimited text gives back: NUL, and a missing value that makes a line blank."""
    import polars as pl

    texts = [name for name, dtype in batch.schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    if texts:
        has_nul = batch.select(
            col(name).cast(pl.String).str.contains("\0", literal=True).any() for name in texts
        )
        for name, found in zip(texts, has_nul.row(0), strict=True):
            if found:
                raise _not_held(f"Column {name!r} has a text with a NUL character")
    if batch.width == 1 and batch.to_series().null_count():
        raise _not_held(
            f"Column {batch.columns[0]!r} is the only one and misses a value: the line would be blank"
        )


def _as_doubles(batch: pl.DataFrame) -> pl.DataFrame:
    """The rows with all floats as doubles: the short text of a float of 32 bits is that of another double."""
    import polars as pl

    floats = [name for name, dtype in batch.schema.items() if dtype.is_float()]
    infinite = batch.select(col(name).is_infinite().sum() for name in floats).row(0) if floats else ()
    for name, count in zip(floats, infinite, strict=True):
        if count:
            raise _not_held(f"Column {name!r} has {quantity(count, 'infinite number')}", "CSV and JSON")
    return batch.with_columns(pl.col(pl.Float32).cast(pl.Float64))


def _not_held(what: str, where: str = "delimited text") -> InvalidInputError:
    others = ".parquet or .arrow" if where == "CSV and JSON" else ".parquet, .arrow or .jsonl"
    return InvalidInputError(
        f"{what}, which {where} cannot hold", hint=f"Write {others} instead, or take it out of the data."
    )
