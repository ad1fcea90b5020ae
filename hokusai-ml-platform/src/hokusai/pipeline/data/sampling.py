"""A sample that has the same rows on every machine, in any order of the rows and with any engine.

A row is drawn by what it holds and by the seed: SHA-256 is taken of the seed and the row's digest together, and the
rows with the smallest results are taken. Such hashes are as good as random numbers (whoever knows the seed can make
rows that will be drawn, so it is no lottery), and no generator has to be in the same state, nor rows in the same order.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.columns import require_columns, selected
from hokusai.pipeline.data.digest_order import sort_order
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.row_digests import row_digests

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_PURPOSE = b"hokusai-sample-v1"


def stratified_sample(
    frame: Frame,
    sample_size: int | None = None,
    column: str | Sequence[str] = (),
    *,
    share: float | None = None,
    seed: int = 42,
) -> Frame:
    """Draw rows so that each value of a column has its share of them.

    Args:
        frame: A pandas, Polars or pyarrow table.
        sample_size: How many rows; the table itself comes back if it has no more.
        column: The column or columns whose values make the strata, a missing value one too; none for a plain sample.
        share: Instead of `sample_size`, which part of the rows, in [0, 1]; rounded to whole rows.
        seed: Another one draws other rows.

    Returns:
        The drawn rows as they were, in their order, in the same kind of table.

    Raises:
        InvalidInputError: Not exactly one of `sample_size` and `share` is given, or it is out of range.
        SchemaError: There is no such column, or a column has values that have no digest.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"n": range(100), "label": ["a"] * 70 + ["b"] * 29 + ["c"]})
    >>> stratified_sample(rows, 10, "label")["label"].value_counts().sort("label").rows()
    [('a', 6), ('b', 3), ('c', 1)]
    """
    import polars as pl

    rows, give_back = to_polars(frame)
    size = _size(rows.height, sample_size, share)
    columns = [column] if isinstance(column, str) else list(dict.fromkeys(column))
    require_columns(rows.columns, columns, "")
    if size >= rows.height:
        return frame
    strata = _strata(selected(rows, columns)) if columns else pl.zeros(rows.height, pl.UInt32, eager=True)
    return give_back.rows(draw(row_digests(rows), strata.to_numpy(), size, seed=seed))


def draw(
    digests: NDArray[np.uint8], strata: NDArray[np.integer], size: int, *, seed: int
) -> NDArray[np.int64]:
    """Which rows are drawn.

    Args:
        digests: Of the rows, shape (n_rows, 32).
        strata: For each row the number of its stratum, from 0; of two with equal claims the lower one is served first.
        size: How many rows, at most n_rows.
        seed: What else decides.

    Returns:
        Positions in ascending order, of shape (size,).
    """
    import numpy as np

    quotas = apportion(np.bincount(strata).tolist(), size)
    ranks = np.empty(len(digests), np.int64)
    ranks[sort_order(_seeded(digests, seed))] = np.arange(len(digests))
    order = np.lexsort((ranks, strata))
    starts = np.cumsum([0, *np.bincount(strata)[:-1]])
    chosen = [order[start : start + quota] for start, quota in zip(starts, quotas, strict=True)]
    return np.sort(np.concatenate(chosen))


def apportion(counts: Sequence[int], size: int) -> list[int]:
    """Divide `size` seats in proportion to `counts`, by largest remainders (Hamilton's method).

    If there are enough seats for all, who has less than one by proportion gets one, and the rest is divided among the
    others.

    Args:
        counts: Rows of each stratum; one without rows gets no seat.
        size: Seats, at most the sum of `counts`.

    >>> apportion([70, 29, 1], 10), apportion([5, 5, 5], 2)
    ([6, 3, 1], [1, 1, 0])
    """
    total, left = sum(counts), size
    seats = [0] * len(counts)
    by_count = sorted((i for i, count in enumerate(counts) if count), key=counts.__getitem__)
    sharing = 0
    if size >= len(by_count):
        while sharing < len(by_count) and counts[by_count[sharing]] * left < total:
            seats[by_count[sharing]] = 1
            total, left = total - counts[by_count[sharing]], left - 1
            sharing += 1
    remainders = []
    for i in by_count[sharing:]:
        seats[i], remainder = divmod(counts[i] * left, total)
        remainders.append((-remainder, i))
    for _, i in heapq.nsmallest(size - sum(seats), remainders):
        seats[i] += 1
    return seats


def _seeded(digests: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """SHA-256 of SHA-256("hokusai-sample-v1:SEED") and the digest, for each digest."""
    import numpy as np

    sha256 = hashlib.sha256
    prefix = sha256(b"%s:%d" % (_PURPOSE, seed)).digest()
    whole: list[bytes] = np.ascontiguousarray(digests).view("V32")[:, 0].tolist()
    return np.frombuffer(b"".join([sha256(prefix + digest).digest() for digest in whole]), np.uint8).reshape(
        -1, 32
    )


def _strata(values: pl.DataFrame) -> pl.Series:
    """Numbers of the strata in the order of their digests, which is the same for any order of the rows."""
    distinct = values.unique()
    order = sort_order(row_digests(distinct))
    names = [str(i) for i in range(values.width)]  # so that no name is taken for the number's
    numbered = distinct[order].rename(dict(zip(values.columns, names, strict=True))).with_row_index("number")
    matched = values.rename(dict(zip(values.columns, names, strict=True))).join(
        numbered, on=names, how="left", nulls_equal=True, maintain_order="left"
    )
    return matched["number"]


def _size(height: int, sample_size: int | None, share: float | None) -> int:
    if (sample_size is None) == (share is None):
        raise InvalidInputError("A sample needs either sample_size or share", hint="Give one of them.")
    if share is not None:
        if not 0 <= share <= 1:
            raise InvalidInputError(f"The share {share} is not between 0 and 1")
        return round(height * share)
    if not isinstance(sample_size, int) or sample_size < 0:
        raise InvalidInputError(
            f"A sample of {sample_size} rows cannot be drawn",
            hint="Give a whole number, or a share of the rows.",
        )
    return sample_size
