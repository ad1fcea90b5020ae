"""Which type a column of text cells has, found from every cell of the file.

Readers that look at the first rows guess wrong in the 30,001st, and readers that only ask "is it a number?"
turn the postcode `00123` into 123. A column is a number here only if writing the number gives the text back
in meaning; whatever is in doubt stays text, which loses nothing, and a note says which value decided it.

| type     | every cell that is not empty is                                                             |
|----------|---------------------------------------------------------------------------------------------|
| boolean  | `true` or `false`, in any case                                                               |
| integer  | decimal digits that fit in 64 bits, perhaps with `-`; no `+`, no leading zeros                |
| float    | the same with a point or an exponent, or an integer of at most 15 digits                      |
| date     | `2024-02-29`                                                                                 |
| datetime | `2024-02-29 10:00:00` or with a `T`, perhaps with up to 6 digits of a second; no time zone     |
| empty    | (there is none)                                                                              |
| text     | anything else, `NaN`, `NA` and `null` included                                               |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

EXACT_INTEGER_DIGITS = 15
"""Integers of so many digits are exact as doubles."""
_SURELY_64_BITS = 18
_NEARLY = 0.9


class CellType(StrEnum):
    """The types a column of text cells can have."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    DATETIME = "datetime"
    TEXT = "text"
    EMPTY = "empty"


CELL_PATTERNS = {  # each also matches the empty text, which is a missing value in a typed column
    CellType.INTEGER: r"^(?:0|-?[1-9][0-9]{0,18})?$",
    CellType.FLOAT: (
        rf"^(?:-?(?:0|[1-9][0-9]{{0,{EXACT_INTEGER_DIGITS - 1}}})"
        r"|-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)"
        r"|-?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+))?$"
    ),
    CellType.BOOLEAN: r"^(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])?$",
    CellType.DATE: r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$",
    CellType.DATETIME: r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)?$",
}
_WIDER = {CellType.INTEGER: (CellType.FLOAT,)}
_ALL = (CellType.INTEGER, CellType.FLOAT, CellType.BOOLEAN, CellType.DATE, CellType.DATETIME)


@dataclass(slots=True)
class _Column:
    """What is known of one column so far; `kind` fits every cell seen."""

    kind: CellType = CellType.EMPTY
    inexact_as_float: bool = False
    note: str = ""

    @property
    def candidates(self) -> tuple[CellType, ...]:
        if self.kind is CellType.EMPTY:
            return _ALL
        if self.kind is CellType.TEXT:
            return ()
        return (self.kind, *_WIDER.get(self.kind, ()))


class ColumnTypes:
    """Learns the types of text columns from one block of rows after another.

    >>> import polars as pl
    >>> types = ColumnTypes(["zip", "n"])
    >>> types.see(pl.DataFrame({"zip": ["10115", "00123"], "n": ["1", None]}))
    >>> {name: str(kind) for name, kind in types.result().items()}
    {'zip': 'text', 'n': 'integer'}
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = {name: _Column() for name in columns}
        self._rows = 0

    def see(self, block: pl.DataFrame) -> None:
        """Take the next rows into account; all columns of `block` are text."""
        import polars as pl

        open_columns = [name for name, column in self._columns.items() if column.candidates]
        likely = {name: self._columns[name].candidates[0] for name in open_columns}
        facts = block.select(  # one pass over all columns in parallel, for the type that each most likely has
            *(pl.col(name).str.len_bytes().max().alias(f"length {name}") for name in open_columns),
            *(
                pl.col(name).str.contains(CELL_PATTERNS[kind]).all().alias(f"fits {name}")
                for name, kind in likely.items()
            ),
        )
        for name in open_columns:
            longest = facts[f"length {name}"][0]
            if longest:
                self._learn(name, block[name], longest, fits_likely=facts[f"fits {name}"][0])
        self._rows += block.height

    def result(self) -> dict[str, CellType]:
        """The type of each column, in the file's order."""
        return {name: column.kind for name, column in self._columns.items()}

    def notes(self) -> list[str]:
        """What is worth telling: columns that a few values kept from being numbers."""
        return [column.note for column in self._columns.values() if column.note]

    def _learn(self, name: str, cells: pl.Series, longest: int, *, fits_likely: bool) -> None:
        column = self._columns[name]
        likely, *others = column.candidates
        if fits_likely and _convertible(cells, likely, longest):
            kind = likely
        else:
            fitting = (
                kind for kind in others if _matches(cells, kind) and _convertible(cells, kind, longest)
            )
            kind = next(fitting, CellType.TEXT)
        if kind is CellType.FLOAT and column.inexact_as_float:
            kind = CellType.TEXT
            column.note = (
                f"Column {name!r} is read as text: it has integers of more than "
                f"{EXACT_INTEGER_DIGITS} digits "
                "beside fractions, and no number type holds both exactly"
            )
        elif kind is CellType.TEXT:
            column.note = self._why_text(name, cells)
        elif kind is CellType.INTEGER and longest > EXACT_INTEGER_DIGITS:
            column.inexact_as_float |= not _matches(cells, CellType.FLOAT)
        column.kind = kind

    def _why_text(self, name: str, cells: pl.Series) -> str:
        """A note if nearly all cells of the block are numbers; a column of words needs none."""
        present = cells.is_not_null() & (cells != "")
        numeric = cells.str.contains(CELL_PATTERNS[CellType.FLOAT]) | cells.str.contains(
            CELL_PATTERNS[CellType.INTEGER]
        )
        odd = (present & ~numeric).arg_true()
        if not len(odd) or len(odd) > (1 - _NEARLY) * int(present.sum()):
            return ""
        row = int(odd[0])
        return (
            f"Column {name!r} is read as text and not as numbers because of row {self._rows + row + 1:,}: "
            f"{cells[row][:40]!r}"
        )


def _matches(cells: pl.Series, kind: CellType) -> bool:
    return bool(cells.str.contains(CELL_PATTERNS[kind]).all())


def _convertible(cells: pl.Series, kind: CellType, longest: int) -> bool:
    """Whether cells that have the form of `kind` are also values of it: 64 bits, a day that exists."""
    import polars as pl

    if kind is CellType.INTEGER and longest > _SURELY_64_BITS:
        values = cells.cast(pl.Int64, strict=False)
    elif kind is CellType.DATE:
        values = cells.str.to_date("%Y-%m-%d", strict=False)
    elif kind is CellType.DATETIME:
        values = cells.str.replace("T", " ", literal=True).str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", strict=False
        )
    else:
        return True
    return not (values.is_null() & cells.is_not_null() & (cells != "")).any()
