"""Who gave a row first: several contributions are compared, and the earliest has the credit for what they share.

Whoever copies the rows of others, as they are or slightly changed, must not be paid for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.manifest import RowAccount
from hokusai.pipeline.data.alignment import align
from hokusai.pipeline.data.duplicates import first_rows, subset_columns
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.near_duplicates import THRESHOLD, near_duplicates

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Credited:
    """One contribution after all were compared.

    Attributes:
        contributor: Whose it is.
        frame: The rows for which this contributor has the credit, exactly as they came.
        account: Of all rows of the contribution.
        repeated: Whose earlier rows the duplicates repeat, and how many; the contributor's own too.
    """

    contributor: str
    frame: Frame
    account: RowAccount
    repeated: Mapping[str, int]


def deduplicate_across(
    contributions: Sequence[tuple[str, Frame]],
    subset: str | Sequence[str] | None = None,
    *,
    text: str | Sequence[str] | None = None,
    within: Sequence[str] = (),
    threshold: float = THRESHOLD,
    seed: int = 42,
) -> tuple[Credited, ...]:
    """Leave out rows that repeat one of an earlier contribution, or of the same.

    Args:
        contributions: Contributor and table, the earliest first; a contributor may occur more than once. A column
            that a table lacks is missing in all its rows.
        subset: Columns that make rows the same; all columns of all tables, if absent.
        text: Columns of text by which rows are compared for near duplicates too (`near_duplicates`, which also says
            what `within`, `threshold` and `seed` are).

    Raises:
        SchemaError: A column is of different kinds, or a named one is missing.

    >>> import polars as pl
    >>> ann, bob = pl.DataFrame({"x": [1, 2, 2]}), pl.DataFrame({"x": [2.0, 3.0]})
    >>> of_ann, of_bob = deduplicate_across([("ann", ann), ("bob", bob)])
    >>> of_bob.frame["x"].to_list(), of_ann.repeated, of_bob.repeated
    ([3.0], {'ann': 1}, {'ann': 1})
    """
    import numpy as np

    if not contributions:
        return ()
    opened = [(name, *to_polars(frame)) for name, frame in contributions]
    for name, rows, _ in opened:
        if subset is not None:
            subset_columns(rows, subset, name)
    stacked = _stacked([(name, rows) for name, rows, _ in opened])
    exact = first_rows(stacked, subset)
    firsts = exact
    if text is not None:
        near = near_duplicates(stacked, text, within=within, threshold=threshold, seed=seed).first_row
        firsts = _resolved(np.where(exact == np.arange(len(exact)), near, exact))

    ends = np.cumsum([rows.height for _, rows, _ in opened])
    credited = []
    for (name, rows, give_back), end in zip(opened, ends, strict=True):
        at = np.arange(end - rows.height, end)
        own = firsts[at] == at
        owners = np.searchsorted(ends, firsts[at][~own], side="right")
        repeated: dict[str, int] = {}
        for owner, count in zip(*np.unique(owners, return_counts=True), strict=True):
            whose = opened[owner][0]
            repeated[whose] = repeated.get(whose, 0) + int(count)
        left_out, nearly = int((~own).sum()), int((~own & (exact[at] == at)).sum())
        account = RowAccount(rows.height, rows.height - left_out, duplicates=left_out, near_duplicates=nearly)
        credited.append(Credited(name, give_back.rows(np.flatnonzero(own)), account, repeated))
    return tuple(credited)


def _stacked(frames: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    import polars as pl

    columns = list(dict.fromkeys(column for _, rows in frames for column in rows.columns))
    aligned, _ = align(frames, columns)
    return pl.concat(aligned, rechunk=False)


def _resolved(firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the one at the end of the chain of firsts."""
    while (firsts[firsts] != firsts).any():
        firsts = firsts[firsts]
    return firsts
