"""Whether data contradicts itself: equal features with different labels, and cells of one column in several formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import cells_of

if TYPE_CHECKING:
    import polars as pl

    from hokusai.pipeline.data.row_sample import RowSample

_FORMATS = {
    "number": r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$",
    "number with decimal comma": r"^\s*[+-]?\d+,\d+\s*$",
    "date as year-month-day": r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ].{0,40})?$",
    "date with slashes": r"^\s*\d{1,4}/\d{1,2}/\d{1,4}([T ].{0,40})?$",
    "date with points": r"^\s*\d{1,2}\.\d{1,2}\.\d{2,4}([T ].{0,40})?$",
    "truth value": r"^(?i)\s*(true|false|yes|no)\s*$",
}


@dataclass(frozen=True, slots=True)
class ColumnFormat:
    """The format that most cells of a text column have.

    Attributes:
        column: The column.
        format: Such as `number`; empty for free text.
        share: Cells of that format over all cells with a value; 1 for free text, which has no format to break.
    """

    column: str
    format: str
    share: float


def label_agreement(sample: RowSample) -> tuple[int, int] | None:
    """Among the sampled combinations of features, how many have one label only, and how many there are.

    None without labels or without a whole combination in the sample.

    >>> import polars as pl
    >>> from hokusai.pipeline.data.row_sample import RowSample
    >>> frame = pl.DataFrame({"x": [1, 1, 2, 2], "y": ["a", "b", "a", "a"]})
    >>> label_agreement(RowSample(["x"], "y").see(frame))
    (1, 2)
    """
    import numpy as np

    combinations = sample.combinations()
    if sample.target is None or not len(combinations):
        return None
    _, labels = np.unique(combinations, return_counts=True)
    return int((labels == 1).sum()), len(labels)


def column_formats(rows: pl.DataFrame) -> tuple[ColumnFormat, ...]:
    """The main format of each text column; of columns with a value.

    >>> import polars as pl
    >>> column_formats(pl.DataFrame({"day": ["2024-01-02", "2024-02-03", "1/2/2024", "2024-03-04"]}))
    (ColumnFormat(column='day', format='date as year-month-day', share=0.75),)
    """
    import polars as pl

    found: list[ColumnFormat] = []
    for name in (name for name, dtype in rows.schema.items() if dtype == pl.String):
        cells = cells_of(rows, name).drop_nulls()
        if not len(cells):
            continue
        counts = {kind: int(cells.str.contains(pattern).sum()) for kind, pattern in _FORMATS.items()}
        free = len(cells) - sum(counts.values())
        kind, most = max(counts.items(), key=lambda item: item[1])
        if most > free:
            found.append(ColumnFormat(name, kind, most / len(cells)))
        else:
            found.append(ColumnFormat(name, "", 1.0))
    return tuple(found)
