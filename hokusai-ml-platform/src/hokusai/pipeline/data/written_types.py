"""Which columns of a text file a reader would take for another type than they were written as.

Text says nothing of its types: a reader finds them from the cells, and a postcode becomes an integer, a date in JSON
text. Then the rows have another hash. So whoever writes text watches it by the reader's own rule, and tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hokusai.pipeline.data.canonical_columns import Kind, canonical_columns
from hokusai.pipeline.data.cell_types import CellType, ColumnTypes
from hokusai.pipeline.data.columns import cells_of
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    import polars as pl

KIND_OF_TYPE: Mapping[str, Kind] = {
    CellType.BOOLEAN: "b",
    CellType.INTEGER: "i",
    CellType.FLOAT: "f",
    CellType.DATE: "d",
    CellType.DATETIME: "t",
    CellType.TEXT: "s",
    CellType.EMPTY: "s",
}
"""The logical type of `hokusai-data-v1` that a column has by what a reader found in it."""
KIND_WORDS: Mapping[Kind, str] = {
    "b": "booleans", "i": "integers", "f": "numbers", "t": "times", "d": "dates", "h": "times of day", "u": "durations",
    "s": "text", "x": "bytes",
}  # fmt: skip
"""What the values of each logical type are called."""

_MOST_TOLD = 10
_READ_FROM_CELLS = "bifdt"
"""Logical types that a reader of delimited text finds again, if there is a value."""
_READ_FROM_JSON = "bif"


class WrittenTypes:
    """Watches the rows of a text file.

    Args:
        schema: The columns and their types.
        delimited: Whether all values become text without a mark, as in CSV; otherwise it is JSON.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"zip": ["10115"], "n": [1]})
    >>> written = WrittenTypes(rows.schema, delimited=True)
    >>> written.see(rows)
    >>> written.misread()
    {'zip': ('s', 'i')}
    """

    def __init__(self, schema: Mapping[str, pl.DataType], *, delimited: bool) -> None:
        self._kinds: dict[str, Kind] = {column.name: column.kind for column in canonical_columns(schema)}
        self._order = list(schema)
        self._found_again = _READ_FROM_CELLS if delimited else _READ_FROM_JSON
        texts = [name for name in schema if self._kinds[name] == "s"]
        self._texts = ColumnTypes(texts if delimited else [])
        self._without_value = {name for name in schema if self._kinds[name] != "s"}

    def see(self, batch: pl.DataFrame) -> None:
        """Take the next rows into account."""
        import polars as pl

        self._without_value -= {
            name for name in self._without_value if cells_of(batch, name).null_count() < batch.height
        }
        if texts := self._texts.open:
            cells = pl.DataFrame({name: cells_of(batch, name).cast(pl.String) for name in texts})
            self._texts.see(cells, range(1, batch.height + 1))

    def misread(self) -> dict[str, tuple[Kind, Kind]]:
        """The columns that a reader takes for another logical type: what they are, and for what they are taken."""
        found = {name: KIND_OF_TYPE[kind] for name, kind in self._texts.result().items()}
        taken = {name: found.get(name) or self._taken_for(name) for name in self._order}
        return {name: (self._kinds[name], kind) for name, kind in taken.items() if kind != self._kinds[name]}

    def notes(self) -> tuple[str, ...]:
        """What whoever reads the file has to know, in a sentence."""
        misread = self.misread()
        if not misread:
            return ()
        told = [
            f"{name!r} would be {KIND_WORDS[taken]} and not {KIND_WORDS[kind]}"
            for name, (kind, taken) in list(misread.items())[:_MOST_TOLD]
        ]
        if len(misread) > _MOST_TOLD:
            told.append(f"and so on, {quantity(len(misread), 'column')} in all")
        return (
            f"A text file does not say its types. Read without them it has another hash: {', '.join(told)}. To read it "
            "as it was written, give them: `hokusai data hash FILE --manifest MANIFEST`, or --schema; Parquet and "
            "Arrow files hold their types themselves",
        )

    def _taken_for(self, name: str) -> Kind:
        kind = self._kinds[name]
        return kind if kind in self._found_again and name not in self._without_value else "s"
