"""What came in, what became of every row of it, and what the result is: the data manifest.

Whoever is paid for data, or trusts a model that was trained on it, has to be able to follow each row. So the nouns
here cannot be made with an account that does not add up, and they hold no value of anybody's data except the ranges
of numbers and dates. A manifest is content: no time, path or run id takes part in its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hokusai.domain.canonical import digest, require_sha256
from hokusai.errors import IntegrityError, InvalidInputError

MANIFEST_VERSION = "hokusai-manifest-v1"
_HASH_SPEC = "hokusai-data-v1"
_NOT_DIGESTED = ("engine", "written", "manifest_digest")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read.

    Attributes:
        name: Its base name; with a number before it where an earlier one has the same.
        sha256: Digest of its bytes as they are stored, compressed ones included; hex.
        size_bytes: Its size as stored.
        format: `csv`, `tsv`, `json`, `jsonl`, `parquet` or `arrow`.
        encoding: Of its text; empty for binary formats.
        compression: `gzip`, `zstd`, or empty.
        delimiter: Between the fields of a delimited file.
        assumed: What was concluded from the bytes and not told, in sentences.
    """

    name: str
    sha256: str
    size_bytes: int
    format: str
    encoding: str = ""
    compression: str = ""
    delimiter: str = ""
    assumed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what does not apply is left out."""
        optional = {
            "encoding": self.encoding,
            "compression": self.compression,
            "delimiter": self.delimiter,
            "assumed": list(self.assumed),
        }
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "format": self.format,
            **{name: value for name, value in optional.items() if value},
        }


@dataclass(frozen=True, slots=True)
class RowAccount:
    """Where the rows went: rows read = kept + rejected + duplicates, always.

    Attributes:
        read: Rows that came in.
        kept: Rows that are in the result.
        rejected: Rows set aside, each with a reason.
        duplicates: Rows that repeat an earlier one: exactly, by key or nearly.
        near_duplicates: Those of `duplicates` that repeat one only nearly.

    Raises:
        IntegrityError: The numbers do not add up.

    >>> RowAccount(read=10, kept=7, rejected=1, duplicates=2) + RowAccount(read=1, kept=1)
    RowAccount(read=11, kept=8, rejected=1, duplicates=2, near_duplicates=0)
    """

    read: int
    kept: int
    rejected: int = 0
    duplicates: int = 0
    near_duplicates: int = 0

    def __post_init__(self) -> None:
        parts = (self.kept, self.rejected, self.duplicates)
        if min(*parts, self.near_duplicates) < 0 or self.near_duplicates > self.duplicates:
            raise IntegrityError(f"The account of rows has impossible counts: {self}")
        if self.read != sum(parts):
            raise IntegrityError(
                f"{self.read:,} rows came in, but {self.kept:,} kept, {self.rejected:,} rejected and "
                f"{self.duplicates:,} duplicates are {sum(parts):,}",
                hint="Nothing was used. This is a defect: please report it with the data's layout.",
            )

    def __add__(self, other: RowAccount) -> RowAccount:
        return RowAccount(
            self.read + other.read,
            self.kept + other.kept,
            self.rejected + other.rejected,
            self.duplicates + other.duplicates,
            self.near_duplicates + other.near_duplicates,
        )

    def to_dict(self) -> dict[str, int]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column of the result.

    Attributes:
        name: Its name.
        dtype: Its type, such as `int64` or `string`.
        nulls: Cells without a value.
        unique: Distinct values, null not counted.
        unique_error: Relative standard error of `unique`; 0 where it was counted exactly.
        low: Least value of a number or date, as a number or ISO text; None for others, which may hold people's data.
        high: Greatest value, likewise.
    """

    name: str
    dtype: str
    nulls: int
    unique: int
    unique_error: float = 0.0
    low: float | int | str | None = None
    high: float | int | str | None = None


@dataclass(frozen=True, slots=True)
class PiiFinding:
    """Personal data of one kind in one column: how much, never what.

    Attributes:
        column: Where.
        kind: What, such as `email`.
        action: What was done: `hash`, `mask`, `drop` or `report`.
        cells: How many cells held at least one.
        found_by: `content` or `column name`.
    """

    column: str
    kind: str
    action: str
    cells: int
    found_by: str = "content"


@dataclass(frozen=True, slots=True)
class PiiSummary:
    """All findings, and how tokens were made.

    Attributes:
        findings: By column and kind.
        key_id: Which key made the tokens, never the key; empty if nothing was hashed.
        algorithm: Of the tokens; empty likewise.
        ner: Whether a model for names in free text ran: `not_run`, or its name.
    """

    findings: tuple[PiiFinding, ...] = ()
    key_id: str = ""
    algorithm: str = ""
    ner: str = "not_run"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        by_kind: dict[str, int] = {}
        for finding in self.findings:
            by_kind[finding.kind] = by_kind.get(finding.kind, 0) + finding.cells
        rows = [{name: getattr(f, name) for name in f.__slots__} for f in self.findings]
        return {
            "by_kind": dict(sorted(by_kind.items())),
            "findings": rows,
            "key_id": self.key_id,
            "algorithm": self.algorithm,
            "ner": self.ner,
        }


@dataclass(frozen=True, slots=True)
class Transformation:
    """One thing that was done to all rows, in order.

    Attributes:
        name: Such as `remove_pii`.
        rows_before: Rows it was given.
        rows_after: Rows it left.
        details: Its parameters and counts, JSON values.
    """

    name: str
    rows_before: int
    rows_after: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "rows_before": self.rows_before,
            "rows_after": self.rows_after,
            **({"details": dict(self.details)} if self.details else {}),
        }


@dataclass(frozen=True, slots=True)
class DatasetHash:
    """What identifies the rows of a dataset, however they are stored (docs/formats/hokusai-data-v1.md).

    Attributes:
        data_hash: Root over the rows in their order; hex.
        content_root: Root over the rows' sorted digests: the same for any order of the rows; hex.
        rows: How many rows.
        spec: The specification of both.
    """

    data_hash: str
    content_root: str
    rows: int
    spec: str = _HASH_SPEC

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, given: object) -> DatasetHash:
        """The way back.

        Raises:
            InvalidInputError: It is not what `to_dict` gives.
        """
        told = _members(given, cls.__slots__, "hash")
        for name in ("data_hash", "content_root"):
            require_sha256(_text(told, name), name)
        _count(told, "rows")
        if told["spec"] != _HASH_SPEC:
            raise InvalidInputError(f"The hash is not of {_HASH_SPEC}", where="spec")
        return cls(**told)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written before the manifest.

    Attributes:
        role: `output` or `rejects`.
        path: Where, seen from the manifest's folder.
        sha256: Digest of its bytes; hex.
        size_bytes: Its size.
    """

    role: str
    path: str
    sha256: str
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, given: object) -> WrittenFile:
        """The way back.

        Raises:
            InvalidInputError: It is not what `to_dict` gives.
        """
        told = _members(given, cls.__slots__, "written")
        _text(told, "role")
        if "\0" in (path := _text(told, "path")) or not path:
            raise InvalidInputError("A path is empty or holds a NUL", where="path")
        require_sha256(_text(told, "sha256"), "sha256")
        _count(told, "size_bytes")
        return cls(**told)


@dataclass(frozen=True, slots=True)
class DataManifest:
    """The full account of a dataset.

    Attributes:
        hash: Of the rows of the result, after personal data was taken out.
        columns: Of the result.
        rows: Where the incoming rows went.
        sources: Files that were read; none for a frame from memory.
        base: Files of the base data that they were merged with.
        pii: Personal data that was found.
        rejects: Reason to number of rejected rows; the numbers sum to `rows.rejected`.
        quality: `QualityReport.to_dict()`, if it was assessed.
        transformations: What was done, in order.
        notes: What a reader has to know, in sentences.
        engine: How it was computed, and why so; takes no part in the digest.
        written: The files that were written with it, if it was written itself; they take no part in the digest either,
            since the same rows may be in another file.

    Raises:
        IntegrityError: Counts contradict each other.
    """

    hash: DatasetHash
    columns: tuple[ColumnSummary, ...]
    rows: RowAccount
    sources: tuple[SourceFile, ...] = ()
    base: tuple[SourceFile, ...] = ()
    pii: PiiSummary = field(default_factory=PiiSummary)
    rejects: Mapping[str, int] = field(default_factory=dict)
    quality: Mapping[str, Any] | None = None
    transformations: tuple[Transformation, ...] = ()
    notes: tuple[str, ...] = ()
    engine: str = ""
    written: tuple[WrittenFile, ...] = ()

    def __post_init__(self) -> None:
        if sum(self.rejects.values()) != self.rows.rejected:
            raise IntegrityError(
                f"{self.rows.rejected:,} rows were rejected, but {sum(self.rejects.values()):,} have a reason"
            )

    @property
    def source_path(self) -> str:
        """The names of the files, joined by commas."""
        return ", ".join(source.name for source in self.sources)

    def content(self) -> dict[str, Any]:
        """What the digest covers: the same input gives the same content, on any machine and engine."""
        pieces: dict[str, Any] = {
            "version": MANIFEST_VERSION,
            "source_path": self.source_path,
            "data_hash": self.hash.data_hash,
            "row_count": self.hash.rows,
            "column_count": len(self.columns),
            "columns": [column.name for column in self.columns],
            "dtypes": {column.name: column.dtype for column in self.columns},
            "null_counts": {column.name: column.nulls for column in self.columns},
            "unique_counts": {column.name: column.unique for column in self.columns},
            "unique_errors": {c.name: c.unique_error for c in self.columns if c.unique_error},
            "ranges": {c.name: {"min": c.low, "max": c.high} for c in self.columns if c.low is not None},
            "hash": self.hash.to_dict(),
            "rows": self.rows.to_dict(),
            "sources": [source.to_dict() for source in self.sources],
            "pii": self.pii.to_dict(),
            "rejects": dict(sorted(self.rejects.items())),
            "transformations": [step.to_dict() for step in self.transformations],
            "notes": list(self.notes),
        }
        if self.base:
            pieces["base"] = [source.to_dict() for source in self.base]
        if self.quality is not None:
            pieces["quality"] = dict(self.quality)
        return pieces

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `content()`, hex."""
        return digest(self.content())

    def to_dict(self) -> dict[str, Any]:
        """The specification's manifest, with the full account and its digest."""
        told = {"written": [file.to_dict() for file in self.written]} if self.written else {}
        return {**self.content(), "engine": self.engine, **told, "manifest_digest": self.digest}


def require_unchanged(manifest: Mapping[str, Any]) -> None:
    """Check that a manifest which was read back says what it said when it was written.

    Whoever means to deceive can compute the digest anew; this is for mistakes. The hash of the rows is what is trusted.

    Args:
        manifest: What `DataManifest.to_dict` gave.

    Raises:
        IntegrityError: Its digest is of another content, or missing.
        InvalidInputError: It has no canonical form.
    """
    content = {name: value for name, value in manifest.items() if name not in _NOT_DIGESTED}
    told = manifest.get("manifest_digest")
    if told != digest(content):
        raise IntegrityError(
            "The manifest was changed after it was written: its content does not have its manifest_digest",
            hint="Take the file as it was written, or write it again.",
        )
    root = content.get("hash")
    if not isinstance(root, Mapping) or (root.get("data_hash"), root.get("rows")) != (
        content.get("data_hash"),
        content.get("row_count"),
    ):
        raise IntegrityError("The manifest contradicts itself: it has two hashes or two numbers of rows")


def _members(given: object, names: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(given, dict) or given.keys() != set(names):
        raise InvalidInputError(f"Expected the members {', '.join(names)}", where=what)
    return given


def _text(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise InvalidInputError("Expected a text", where=name)
    return str(told[name])


def _count(told: Mapping[str, Any], name: str) -> None:
    if type(told[name]) is not int or told[name] < 0:
        raise InvalidInputError("Expected a whole number, not below 0", where=name)
