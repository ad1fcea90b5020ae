"""A file as a stream of typed batches: what every reader gives, and what a reader is told.

A scan has proved the whole file before it gives its first batch: the types fit every row, the records are counted
apart from the parser, and what could not be used is set aside with a reason. So whoever takes the batches, one by one
or all together, gets the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from hokusai.domain.manifest import SourceFile

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 65_536

OnError = Literal["raise", "reject"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost whoever reads it; beyond, it is refused before memory is gone.

    Attributes:
        unpacked_bytes: Of a compressed file, and of the pages and dictionaries of a Parquet or Arrow file.
        ratio: Unpacked bytes over stored bytes, once there are more than 64 MB of them; also the cells of a table over
            the values that its JSON records give, once there are more than 4 million of them.
        columns: Columns of a table.
        record_bytes: One record or line.
    """

    unpacked_bytes: int = 1 << 40
    ratio: int = 200
    columns: int = 100_000
    record_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is known about a file beforehand; what is left open is found from its bytes, and noted.

    Attributes:
        format: `csv`, `tsv`, `json`, `jsonl`, `parquet` or `arrow`.
        encoding: Of its text, by Python's name.
        delimiter: One character.
        has_header: Whether the first line names the columns.
        columns: Names to use where there is no header.
        types: Column to the type it must have (a `CellType` of delimited files): cells that do not fit are faults.
        on_error: `raise` refuses the file at its first faults; `reject` sets the rows aside that have any.
        limits: What it may cost.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool | None = None
    columns: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    on_error: OnError = "raise"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was set aside.

    Attributes:
        source: Name of its file, or what the frame is called.
        row: Its number among all records of the source, counted from 1, rejected ones too.
        reason: A short constant text, the same for all rows with this fault, such as `wrong number of fields`.
        column: Where; empty if it is the row as a whole.
        detail: What was expected and found, for people; it quotes nothing that may be anybody's data.
        line: The line of the file on which it begins, from 1; 0 for frames and files without lines. A reader of text
            tells it of the rows that it sets aside, and of others when it is asked (`LocatingScan`).
        sha256: Digest of the raw record, by which whoever has the file finds it again; in Parquet and Arrow that of the
            row as it was read (docs/formats/hokusai-data-v1.md). It is told when the line is, and empty for frames.
    """

    source: str
    row: int
    reason: str
    column: str = ""
    detail: str = ""
    line: int = 0
    sha256: str = ""


class TableScan(Protocol):
    """A file that was proved, ready to be read."""

    @property
    def source(self) -> SourceFile:
        """The file, and what was assumed about it."""

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns' settled types, in the file's order."""

    @property
    def rows_read(self) -> int:
        """Records in the file, counted apart from the parser, rejected ones included."""

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Rows that no batch has, one entry a row, by row number."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, such as a column of numbers that one value turned into text."""

    def batches(self) -> Iterator[pl.DataFrame]:
        """All rows that were not rejected, in order; can be called again. Each batch has `schema`; missing values
        are null, never NaN. The batches' heights are for the reader to choose: results must not depend on them.
        """


@runtime_checkable
class TextScan(Protocol):
    """A scan of a file whose types were found from its cells."""

    @property
    def valueless(self) -> frozenset[str]:
        """Columns without any value, whose type nobody said: they fit every type in another file."""


@runtime_checkable
class LocatingScan(Protocol):
    """A scan that can say where a row stands which a later step sets aside."""

    def locate(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Line and digest, as in `Reject`, of rows that batches have.

        Args:
            rows: Their numbers, from 1, ascending.
        """
