"""The rows that both models are measured on: held out of the base data, and written down to the byte.

A verifier must be able to draw the same rows again and to digest the same bytes, with another version of
every library. So the draw uses SHA-256 and row order only, and the bytes are a format of our own, small
enough to write again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline.data.row_matching import first_occurrence, normalised_text

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

HOLDOUT_VERSION = "hokusai-holdout/v1"
MAX_BINS = 10
_ROWS_PER_BIN = 5
_BLOCK_ROWS = 50_000


def stratified_holdout(
    frame: pl.DataFrame,
    target: str,
    task: Task,
    share: float = 0.25,
    *,
    seed: int,
    content: Sequence[str] | None = None,
    id_column: str | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide a frame into the rows to train on and the rows to measure on.

    Rows that are equal in `content`, as `row_matching` says, stay together, so that no held-out row is also
    trained on, whatever its other columns hold. Each group of equal rows belongs to the stratum of its first
    row: a class, or for regression one of up to 10 bins of equal size by rank. Within each stratum the groups
    are ordered by SHA-256 of `hokusai-holdout/v1:SEED:POSITION` (the position of the group's first row, from
    0), and the first ones are held out up to `share` of the stratum's rows. Every stratum with two groups or
    more is in both parts. Both keep the rows' order. Rows without a target are not held out.

    Args:
        frame: The base data.
        target: The column to predict.
        task: What is predicted.
        share: Of each stratum's rows, in (0, 1).
        seed: Another seed gives another draw.
        content: The columns that make a row what it is: the features and the target. If absent, all columns
            but `id_column`.
        id_column: A column that is not part of a row's content, where `content` is absent.

    Returns:
        (rest, held out).

    Raises:
        SchemaError: There are not enough different rows to divide.
    """
    import numpy as np
    import polars as pl

    if not 0 < share < 1:
        raise ValueError(f"share is {share}, but must lie between 0 and 1")
    if content is None:
        content = [name for name in frame.columns if name != id_column]
    first = first_occurrence(frame, content).to_numpy()
    groups, sizes = np.unique(first, return_counts=True)
    strata = _strata(frame[target], task)[groups]
    held = [_draw(groups[strata == s], sizes[strata == s], share, seed) for s in np.unique(strata) if s >= 0]
    chosen = np.isin(first, np.concatenate(held)) if held else np.zeros(len(first), dtype=bool)
    if not chosen.any():
        raise SchemaError(
            f"No benchmark can be held out of {frame.height:,} rows of base data: "
            "no class has two different rows",
            hint="Give more base data, or a benchmark of its own with --benchmark-data.",
        )
    mask = pl.Series(chosen)
    return frame.filter(~mask), frame.filter(mask)


def frame_bytes(frame: pl.DataFrame) -> bytes:
    r"""The frame as canonical CSV: the same rows give the same bytes in every process, version and machine.

    `hokusai-frame/v1`: UTF-8, a comma between fields, LF after each record, the header first. Text (and the
    names in the header) always stands in quotes, a quote in it is doubled; everything else stands bare:
    integers in decimal, floats as the shortest text that reads back as the same double (Python's `repr`; -0.0
    as `0.0`), `true` and `false`, dates as `2024-02-29`, times as `2024-02-29T10:00:00.000000`. Null and NaN
    are empty.

    >>> import polars as pl
    >>> frame_bytes(pl.DataFrame({"q": ["hi", None], "x": [1.5, 2.0], "n": [1, 2]})).decode()
    '"q","x","n"\n"hi",1.5,1\n,2.0,2\n'
    """
    import polars as pl

    header = ",".join(_quoted(name) for name in frame.columns)
    pieces = [header.encode() + b"\n"]
    for block in frame.iter_slices(_BLOCK_ROWS):
        cells = pl.DataFrame([_cells(column) for column in block.iter_columns()])
        lines = cells.select(pl.concat_str(pl.all().fill_null(""), separator=",")).to_series()
        pieces.append("\n".join(lines.to_list()).encode() + b"\n")
    return b"".join(pieces)


def frame_sha256(frame: pl.DataFrame) -> str:
    """SHA-256 of `frame_bytes`, hex."""
    return hashlib.sha256(frame_bytes(frame)).hexdigest()


def _strata(target: pl.Series, task: Task) -> np.ndarray:
    """The number of each row's stratum, shape (n_rows,); -1 where the target is missing."""
    import numpy as np
    import polars as pl

    values = target.fill_nan(None) if target.dtype.is_float() else target
    if values.dtype == pl.String:
        values = values.zip_with(normalised_text(values).is_not_null(), pl.Series([None], dtype=pl.String))
    if task is Task.CLASSIFICATION:
        rank = values.cast(pl.String).rank("dense")
        return np.asarray((rank.cast(pl.Int64) - 1).fill_null(-1).to_numpy())
    present = len(values) - values.null_count()
    n_bins = max(1, min(MAX_BINS, present // _ROWS_PER_BIN))
    rank = values.rank("ordinal").cast(pl.Int64) - 1
    return np.asarray((rank * n_bins // max(1, present)).fill_null(-1).to_numpy())


def _draw(groups: np.ndarray, sizes: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The groups of one stratum that are held out."""
    import numpy as np

    if len(groups) < 2:
        return groups[:0]
    keys = [
        hashlib.sha256(f"{HOLDOUT_VERSION}:{seed}:{group}".encode()).digest() for group in groups.tolist()
    ]
    order = np.array(sorted(range(len(groups)), key=keys.__getitem__))
    wanted = share * int(sizes.sum())
    n_groups = int(np.searchsorted(np.cumsum(sizes[order]), wanted + 0.5, side="right"))
    held: np.ndarray = groups[order[: min(max(n_groups, 1), len(groups) - 1)]]
    return held


def _cells(column: pl.Series) -> pl.Series:
    """The column as the text of its fields."""
    import polars as pl

    dtype = column.dtype
    if dtype.is_float():
        doubles = column.cast(pl.Float64).fill_nan(None).to_list()
        values = [None if value is None else repr(value + 0.0) for value in doubles]
        return pl.Series(column.name, values, dtype=pl.String)
    if dtype == pl.Boolean or dtype.is_integer():
        return column.cast(pl.String)
    if dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return column.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    text = column.cast(pl.String).str.replace_all('"', '""', literal=True)
    return pl.Series(column.name, '"' + text + '"')


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
