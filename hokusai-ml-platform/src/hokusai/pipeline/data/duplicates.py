"""Rows that repeat an earlier one, in all columns or by key.

Rows are the same if their digests are (`row_digests`): every value is equal, whatever the width of its type, and
missing values equal each other. A row with a mask in it, such as `[email]`, repeats none: what was masked may differ.
This is the rule of the dataset's hash, and the one by which duplicates are found on
disk (`digest_log`), so that both agree. What merely reads alike is for `near_duplicates`; what a model would take for
the same, for `row_matching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.columns import require_columns, selected
from hokusai.pipeline.data.digest_order import sort_order
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.privacy.stand_ins import holds_mask

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

Keep = Literal["first", "last", "none"]


def deduplicate(
    frame: Frame, subset: str | Sequence[str] | None = None, keep: Keep = "first"
) -> tuple[Frame, RowAccount]:
    """Leave out rows that repeat another.

    Args:
        frame: A pandas, Polars or pyarrow table.
        subset: Columns that make rows the same, such as a key; all, if absent. A row without a value in any of them
            has no key, and repeats nothing; nor does one with a mask in one of them.
        keep: Of rows that are the same the `first`, the `last`, or `none`.

    Returns:
        The kept rows as they were, in their order, in the same kind of table; and the account.

    Raises:
        InvalidInputError: `keep` is none of these.
        SchemaError: A column of `subset` is missing, or has values that have no digest, such as lists.

    >>> import polars as pl
    >>> rows, account = deduplicate(pl.DataFrame({"id": [1, 1, None, None], "v": [0.0, -0.0, 2.0, 3.0]}), "id")
    >>> rows.rows(), account.duplicates
    ([(1, 0.0), (None, 2.0), (None, 3.0)], 1)
    """
    import numpy as np

    if keep not in get_args(Keep):
        raise InvalidInputError(f"keep={keep!r} is unknown", hint=f"Use one of {', '.join(get_args(Keep))}.")
    rows, give_back = to_polars(frame)
    firsts = first_rows(rows, subset)
    own = firsts == np.arange(rows.height)
    if keep == "last":
        lasts = np.arange(rows.height)
        np.maximum.at(lasts, firsts, np.arange(rows.height))
        own = lasts[firsts] == np.arange(rows.height)
    elif keep == "none":
        own &= np.bincount(firsts, minlength=rows.height) == 1
    kept = np.flatnonzero(own)
    account = RowAccount(rows.height, len(kept), duplicates=rows.height - len(kept))
    return (frame if len(kept) == rows.height else give_back.rows(kept)), account


def first_of_each(digests: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each digest the position of the first that is equal.

    Args:
        digests: Shape (n_rows, 32).

    Returns:
        Positions of shape (n_rows,), from 0; a row repeats an earlier one where its entry is not its own position.
    """
    import numpy as np

    firsts = np.arange(len(digests))
    if len(digests) < 2:
        return firsts
    order = sort_order(digests)
    words = np.ascontiguousarray(digests).view(np.uint64)[order]
    starts = np.flatnonzero(np.append(True, (words[1:] != words[:-1]).any(axis=1)))
    least = np.minimum.reduceat(order, starts)
    firsts[order] = np.repeat(least, np.diff(np.append(starts, len(order))))
    return firsts


def first_rows(rows: pl.DataFrame, subset: str | Sequence[str] | None = None) -> NDArray[np.int64]:
    """For each row the position of the first that is the same in `subset`, or in all columns; see `deduplicate`."""
    import numpy as np
    import polars as pl

    columns = rows.columns if subset is None else subset_columns(rows, subset)
    compared = selected(rows, columns)
    firsts = first_of_each(row_digests(compared))
    if subset is not None:
        keyless = compared.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
        firsts = np.where(keyless, np.arange(rows.height), firsts)
    repeats = np.flatnonzero(firsts != np.arange(rows.height))
    masked = repeats[holds_mask(compared[repeats]).to_numpy()] if len(repeats) else repeats
    firsts[masked] = masked
    return firsts


def subset_columns(rows: pl.DataFrame, subset: str | Sequence[str], name: str = "") -> list[str]:
    """The named columns, which must be there.

    Raises:
        InvalidInputError: None is named.
        SchemaError: One is missing in the table that `name` names.
    """
    columns = [subset] if isinstance(subset, str) else list(dict.fromkeys(subset))
    if not columns:
        raise InvalidInputError("No column is named in subset", hint="Leave it out to compare whole rows.")
    require_columns(rows.columns, columns, name)
    return columns
