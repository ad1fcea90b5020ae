"""Files that are read in the types that a manifest or a schema tells of them.

A text file does not say its types, and its readers find others where cells look like them (`written_types`). Whoever
has the manifest that was written with the file, or a schema, can say what the columns were. Readers are told the types
that they know; times of day, which they take for text, become times here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.domain.canonical import parse_json
from hokusai.domain.manifest import MANIFEST_VERSION, DatasetHash, WrittenFile, require_unchanged
from hokusai.errors import DataError, IntegrityError, InvalidInputError, SchemaError
from hokusai.pipeline.data.canonical_columns import CanonicalColumn, Kind, canonical_columns
from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.columns import cells_of
from hokusai.pipeline.data.digest_log import DigestLog
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.written_files import is_as_told, place_of
from hokusai.pipeline.data.written_types import KIND_OF_TYPE, KIND_WORDS
from hokusai.utils.files import read_limited
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import polars as pl

    from hokusai.domain.schema import DataSchema

_MOST_MANIFEST_BYTES = 256 << 20
_TOLD_TO_READERS: Mapping[Kind, CellType] = {
    "b": CellType.BOOLEAN,
    "i": CellType.INTEGER,
    "f": CellType.FLOAT,
    "d": CellType.DATE,
    "t": CellType.DATETIME,
    "s": CellType.TEXT,
}
_KIND_OF_DTYPE: Mapping[str, Kind] = {
    "boolean": "b", "float16": "f", "float32": "f", "float64": "f", "datetime": "t", "date": "d", "time": "h",
    "duration": "u", "string": "s", "categorical": "s", "enum": "s", "null": "s", "decimal": "f", "binary": "x",
    **{f"{sign}int{bits}": "i" for sign in ("", "u") for bits in (8, 16, 32, 64, 128)},
}  # fmt: skip
"""The logical type of a column by the type that a manifest has of it."""


@dataclass(frozen=True, slots=True)
class ToldTypes:
    """What is said about the columns of files.

    Attributes:
        kinds: Column to its logical type in `hokusai-data-v1`; of others nothing is said.
        where: Who says it.
        data_hash: Of the rows, if that is said too.
        content_root: Likewise.
        written: The files that were written with the manifest that says it, each with its place.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    where: str = ""
    data_hash: str = ""
    content_root: str = ""
    written: tuple[tuple[WrittenFile, Path], ...] = ()

    @classmethod
    def of_columns(cls, columns: Iterable[CanonicalColumn], where: str) -> ToldTypes:
        """Those of the columns of a dataset."""
        return cls({column.name: column.kind for column in columns}, where)

    @classmethod
    def of_schema(cls, schema: DataSchema, where: str) -> ToldTypes:
        """Those that a schema names."""
        return cls({name: KIND_OF_TYPE[kind] for name, kind in schema.types.items()}, where)

    @classmethod
    def of_manifest(cls, path: Path) -> ToldTypes:
        """Those of the columns of a result, from the manifest that was written with it.

        Raises:
            DataError: The file is no such manifest, or was changed after it was written.
        """
        content = parse_json(read_limited(path, _MOST_MANIFEST_BYTES))
        manifest: dict[str, Any] = content if isinstance(content, dict) else {}
        dtypes = manifest.get("dtypes")
        if not isinstance(dtypes, dict) or manifest.get("version") != MANIFEST_VERSION:
            raise DataError(
                f"The file is no {MANIFEST_VERSION} manifest",
                where=str(path),
                hint="Give the file that `hokusai data clean` or `merge` wrote with --manifest.",
            )
        unknown = sorted({str(dtype) for dtype in dtypes.values() if str(dtype) not in _KIND_OF_DTYPE})
        if unknown:
            raise DataError(
                f"The manifest has types that are not known: {', '.join(unknown)}", where=str(path)
            )
        kinds = {name: _KIND_OF_DTYPE[dtype] for name, dtype in dtypes.items()}
        try:
            written = [WrittenFile.from_dict(entry) for entry in _list(manifest.get("written", []))]
            roots = DatasetHash.from_dict(manifest.get("hash"))
        except InvalidInputError as problem:
            raise DataError(
                f"The manifest's hash or files are not as they are written: {problem.where}: {problem.what}",
                where=str(path),
            ) from problem
        try:
            require_unchanged(manifest)
        except IntegrityError as problem:
            raise DataError(problem.what, where=str(path), hint=problem.hint) from problem
        places = tuple((file, place_of(file, path)) for file in written)
        return cls(kinds, path.name, roots.data_hash, roots.content_root, places)

    def require_bytes(self, paths: Iterable[Path]) -> None:
        """Check that files which the manifest tells of are the ones that were written with it.

        Raises:
            DataError: One is not.
        """
        asked = {path.resolve() for path in paths}
        for file, place in self.written:
            if place.resolve() in asked and not is_as_told(place, file):
                raise self._of_another_run(place.name)

    def require_root(self, root: str, where: str) -> None:
        """Check that a proof is about the rows that the manifest tells of, by the hash that it leads to.

        Raises:
            DataError: They are not.
        """
        if root not in (self.data_hash, self.content_root):
            raise self._of_another_run(where)

    def require_rejects(self) -> None:
        """Check that the list of rejects is the one that was written with the manifest, if it is there.

        Raises:
            DataError: It is not.
        """
        if foreign := self.foreign_rejects():
            raise self._of_another_run(foreign.name, "list of rejects")

    def foreign_rejects(self) -> Path | None:
        """The list of rejects, if it is there and not the one that was written with the manifest."""
        lists = [(file, place) for file, place in self.written if file.role == "rejects"]
        there = [one for one in lists if isfile(one[1])]  # noqa: PTH113  # Path.is_file fails for too long a name
        return next((place for file, place in there if not is_as_told(place, file)), None)

    def _of_another_run(self, where: str, what: str = "data") -> DataError:
        return DataError(
            f"The {what} is not what {self.where} tells of: the two are of different runs, or one of them was changed",
            where=where,
            hint="A run that is killed at its end leaves an old manifest beside a new output. Run it again.",
        )

    def for_readers(self) -> dict[str, str]:
        """The types that readers know."""
        told = {name: _TOLD_TO_READERS.get(kind) for name, kind in self.kinds.items()}
        return {name: str(kind) for name, kind in told.items() if kind is not None}


class TypedFiles:
    """Files that were proved, as one table in the types that were told.

    Args:
        paths: The files.
        options: What else is known of them.
        told: The types.

    Attributes:
        columns: The columns that the files have together, and their types.
        rows: How many rows they have.

    Raises:
        DataError: A file cannot be read in full, or not in these types.
        SchemaError: The files do not fit together.
    """

    def __init__(self, paths: Sequence[Path], options: ReadOptions, told: ToldTypes) -> None:
        import polars as pl

        types = {**options.types, **told.for_readers()}
        self._told = told
        self._scans = [open_table(path, replace(options, types=types)) for path in paths]
        self._read = common_columns(self._scans)
        self.columns: dict[str, Any] = {
            name: pl.Time() if told.kinds.get(name) == "h" and dtype == pl.String else dtype
            for name, dtype in self._read.items()
        }
        self.rows = sum(scan.rows_read for scan in self._scans)

    def require_told(self) -> None:
        """Check that the columns are what was said of them.

        Raises:
            SchemaError: One is not.
        """
        for column in canonical_columns(self.columns):
            told = self._told.kinds.get(column.name, column.kind)
            if told != column.kind:
                raise SchemaError(
                    f"Column {column.name!r} holds {KIND_WORDS[column.kind]}, and {KIND_WORDS[told]} by "
                    f"{self._told.where}",
                    where=self._scans[0].source.name,
                    hint="Either it tells of another file, or values of this type are not read from such a file.",
                )

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows in order.

        Raises:
            DataError: A text is no time of day, though it was told to be one.
        """
        times = [name for name, dtype in self.columns.items() if dtype != self._read[name]]
        for scan in self._scans:
            for batch in scan.batches():
                rows = conformed(batch, self._read)
                for name in times:
                    rows = rows.with_columns(_times(cells_of(rows, name), name, scan.source.name))
                yield rows

    def told_batches(self) -> Iterator[pl.DataFrame]:
        """As `batches`; the end is only reached if the rows have the hash that was told, if one was.

        Raises:
            DataError: They have another.
        """
        if not self._told.data_hash:
            yield from self.batches()
            return
        with tempfile.TemporaryDirectory(prefix=".hokusai-") as folder, DigestLog(folder) as log:
            for batch in self.batches():
                log.append(row_digests(batch))
                yield batch
            found = log.dataset_hash(self.columns).data_hash
        self._told.require_root(found, ", ".join(scan.source.name for scan in self._scans))


def _list(given: object) -> list[object]:
    if not isinstance(given, list):
        raise InvalidInputError("Expected a list", where="written")
    return given


def _times(texts: pl.Series, name: str, where: str) -> pl.Series:
    values = texts.str.to_time("%H:%M:%S%.f", strict=False)
    if odd := values.null_count() - texts.null_count():
        raise DataError(
            f"Column {name!r} must hold times of day, as which {quantity(odd, 'value')} cannot be read",
            where=where,
            hint="Is it the manifest of this file?",
        )
    return values.alias(name)
