"""A digest for each row, the same for the same row in any file format, order of columns, batch and machine.

A row's digest is what identifies it: duplicates are found by it, samples are drawn by it, and the dataset's hash is a
tree over all of them. docs/formats/hokusai-data-v1.md fixes every byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hokusai.pipeline.data.canonical_columns import (
    FIXED_BYTES,
    CanonicalColumn,
    canonical_columns,
    canonical_frame,
    header_digest,
)
from hokusai.pipeline.data.columns import cells_of, col
from hokusai.utils import compiled
from hokusai.utils.many_sha256 import DIGEST_BYTES, EndToEnd, sha256_many

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_ROW_TAG = b"\x02"
"""No other thing that is hashed begins with this byte: leaves of the tree have 0, its nodes 1, blocks 3."""
_BATCH_ROWS = 1 << 16
"""Rows whose bytes are in memory at once."""
_COMPILED_ROWS = 1 << 12
"""The same where a compiled loop puts them together: so little memory need not be got from the system each time."""
_CACHED_BYTES = 1 << 18
"""Rows are put together in pieces that stay in the processor's cache."""


def row_digests(frame: pl.DataFrame) -> NDArray[np.uint8]:
    """The SHA-256 digests of rows.

    The order of the columns and the width of their types do not matter; their names and logical types do.

    Args:
        frame: The rows. Select the key's columns first for digests of keys.

    Returns:
        Digests of shape (n_rows, 32).

    Raises:
        SchemaError: A column's type or value has no canonical form (`canonical_columns`).

    >>> import polars as pl
    >>> first = row_digests(pl.DataFrame({"a": [1, 2], "b": ["x", None]}))
    >>> again = row_digests(pl.DataFrame({"b": [None, "x"], "a": pl.Series([2, 1], dtype=pl.UInt8)}))
    >>> first.shape, (first[::-1] == again).all().item()
    ((2, 32), True)
    """
    import numpy as np

    columns = canonical_columns(frame.schema)
    prefix = np.frombuffer(_ROW_TAG + header_digest(columns), np.uint8)
    digests = np.empty((frame.height, DIGEST_BYTES), np.uint8)
    for start in range(0, frame.height, _BATCH_ROWS):
        rows = canonical_frame(frame.slice(start, _BATCH_ROWS))
        digests[start : start + rows.height] = _of_canonical(rows, columns, prefix)
    return digests


def _of_canonical(
    rows: pl.DataFrame, columns: Sequence[CanonicalColumn], prefix: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    import numpy as np

    if all(column.kind in FIXED_BYTES for column in columns) or not compiled.pays(0):
        return sha256_many(_fixed_parts(rows, columns, prefix), _variable_parts(rows, columns))
    beginnings = np.empty((_COMPILED_ROWS, 0), np.uint8)
    pieces = [
        sha256_many(beginnings[: len(piece.offsets) - 1], piece) for piece in _pieces(rows, columns, prefix)
    ]
    return np.concatenate([np.empty((0, DIGEST_BYTES), np.uint8), *pieces])


def _pieces(
    rows: pl.DataFrame, columns: Sequence[CanonicalColumn], prefix: NDArray[np.uint8]
) -> Iterator[EndToEnd]:
    """The bytes of rows: what `_fixed_parts` and `_variable_parts` give, put together by a compiled loop."""
    import numpy as np
    import polars as pl

    from hokusai.pipeline.data.row_bytes_loops import OFFSET, row_bytes

    newest = pl.CompatLevel.newest()  # without a copy
    arrays = [cells_of(rows, column.name).rechunk().to_arrow(compat_level=newest) for column in columns]
    told, buffers = np.zeros((len(columns), 5), np.int64), [0]
    for row, column, array in zip(told, columns, arrays, strict=True):
        validity, values, *texts = (buffer.address if buffer else 0 for buffer in array.buffers())
        width = 0 if column.kind == "b" else FIXED_BYTES.get(column.kind, 0)
        row[:] = validity, values, array.offset, width, len(buffers)
        buffers += texts
    fixed, texts_at, bytes_at = (
        np.array([i for i, column in enumerate(columns) if column.kind in kinds], np.int64)
        for kinds in (FIXED_BYTES, "s", "x")
    )
    variable, addresses = np.concatenate([texts_at, bytes_at]), np.array(buffers, np.int64)
    for start in range(0, rows.height, _COMPILED_ROWS):
        height = min(_COMPILED_ROWS, rows.height - start)
        piece = EndToEnd(*row_bytes(height, prefix, told, fixed, variable, addresses))
        for part in piece:
            part.flags.writeable = False
        yield piece
        told[:, OFFSET] += height


def _fixed_parts(
    rows: pl.DataFrame, columns: Sequence[CanonicalColumn], prefix: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """What has the same size in each row: prefix, null bits, values of fixed size, lengths of the others.

    Bytes of shape (n_rows, width).
    """
    import numpy as np
    import polars as pl

    parts: list[tuple[pl.Expr, str]] = [(bits, "u1") for bits in _null_bits(rows, columns)]
    for column in columns:
        if column.kind in FIXED_BYTES:
            values = col(column.name).cast(pl.UInt8) if column.kind == "b" else col(column.name)
            letter = {"b": "u", "f": "f"}.get(column.kind, "i")
            parts.append((values.fill_null(0), f"<{letter}{FIXED_BYTES[column.kind]}"))
    for name in _in_order(columns, "s"):
        parts.append((col(name).str.len_bytes().fill_null(0), "<u4"))
    for name in _in_order(columns, "x"):
        parts.append((col(name).bin.size().fill_null(0), "<u4"))
    types = [np.dtype(dtype) for _, dtype in parts]
    width = len(prefix) + sum(dtype.itemsize for dtype in types)
    table = np.empty((rows.height, width), np.uint8)
    made = rows.select(part.alias(str(i)) for i, (part, _) in enumerate(parts)) if parts else rows
    values_of = [column.to_numpy() for column in made.get_columns()]
    step = max(64, _CACHED_BYTES // width)
    for start in range(0, rows.height, step):
        piece = table[start : start + step]
        piece[:, : len(prefix)] = prefix
        offset = len(prefix)
        for column_values, dtype in zip(values_of, types, strict=True):
            field = np.ndarray((len(piece),), dtype, piece, offset, strides=(width,))
            field[:] = column_values[start : start + step]
            offset += dtype.itemsize
    return table


def _null_bits(rows: pl.DataFrame, columns: Sequence[CanonicalColumn]) -> list[pl.Expr]:
    """For every 8 columns in their order a byte, whose lowest bit is for the first: 1 where the value is missing."""
    import polars as pl

    nulls = dict(zip(rows.columns, rows.null_count().row(0), strict=True)) if columns else {}
    expressions = []
    for first in range(0, len(columns), 8):
        bits = pl.repeat(0, rows.height, dtype=pl.UInt8)
        for i, column in enumerate(columns[first : first + 8]):
            if nulls[column.name]:
                bits = bits | (col(column.name).is_null().cast(pl.UInt8) * pl.lit(1 << i, pl.UInt8))
        expressions.append(bits)
    return expressions


def _variable_parts(rows: pl.DataFrame, columns: Sequence[CanonicalColumn]) -> EndToEnd | None:
    """The texts of each row and then its byte strings, without anything between; None if no column has any."""
    import polars as pl

    texts, binaries = _in_order(columns, "s"), _in_order(columns, "x")
    if not texts and not binaries:
        return None
    pieces = [col(name).fill_null(b"") for name in binaries]
    if texts:
        in_one = pl.concat_str([col(name) for name in texts], ignore_nulls=True).fill_null("")
        pieces.insert(0, in_one.cast(pl.Binary) if binaries else in_one)
    joined = pieces[0]
    for piece in pieces[1:]:
        joined = joined + piece
    return EndToEnd.of(rows.select(joined.alias("joined")).to_series())


def _in_order(columns: Sequence[CanonicalColumn], kinds: str) -> list[str]:
    return [column.name for column in columns if column.kind in kinds]
