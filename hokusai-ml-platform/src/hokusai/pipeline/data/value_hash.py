"""A 64-bit hash of each cell and of each row, the same on every machine and with every version of every library.

Distinct counts and samples are published, so what they rest on may not change with the version of Polars, as its own
hash does. This one is made for speed, not against an adversary: rows are identified by their SHA-256 digests, never by
this.

Definition: a cell becomes little-endian 64-bit words w_0, w_1, … Text is its UTF-8 bytes padded with zero bytes to
whole words; integers, truth values (0 and 1), days and microseconds are one word in two's complement; floats are one
word as IEEE 754 doubles, with -0.0 as 0.0 and NaN as null. With `mix` the finaliser of SplitMix64 and G its increment,
0x9E3779B97F4A7C15, all mod 2^64, the hash of a number is mix(w_0) and that of text or binary of n bytes is
mix(n + sum over i of mix(w_i + i * G)); where that is 0 it is 1. Other types are hashed as Polars' text of them. Null
is 0. A row's hash is mix(sum over its columns of the cell's hash times the column's number), so that the order of the
columns does not matter; a column's number is the BLAKE2b-64 digest of its name in UTF-8, little-endian, with its
lowest bit set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hokusai.pipeline.data.cell_buffers import ViewCells, WordCells
from hokusai.utils.compiled import pays
from hokusai.utils.many_sha256 import EndToEnd

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_GAMMA = 0x9E3779B97F4A7C15
_BLOCK_WORDS = 1 << 14
CELLS_A_HASH = 8
"""So many cells are as much work as one SHA-256."""


def hash_values(column: pl.Series) -> NDArray[np.uint64]:
    """The hash of each cell, shape (n_rows,); null is 0.

    >>> import polars as pl
    >>> hash_values(pl.Series(["a", None, "a"])).tolist()
    [15295030668532515345, 0, 15295030668532515345]

    References:
        Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators, OOPSLA (SplitMix64).
    """
    import numpy as np
    import polars as pl

    column = column.alias("")  # methods of a series take its name for a pattern
    if column.null_count() == len(column):
        return np.zeros(len(column), dtype=np.uint64)
    compiled = pays(len(column) // CELLS_A_HASH)
    fixed = _as_words(column)
    if fixed is None:
        texts = column if column.dtype in (pl.String, pl.Binary) else column.cast(pl.String)
        return _compiled_texts(texts) if compiled else _hash_bytes(texts.cast(pl.Binary))
    if compiled:
        return _compiled_words(fixed)
    if fixed.dtype.is_float():
        fixed = plain_floats(fixed)
    words = (fixed.fill_null(0) if fixed.null_count() else fixed).to_numpy().view(np.uint64)
    return _without_nulls(np.maximum(_mix(words), np.uint64(1)), fixed)


def hash_rows(
    columns: Iterable[pl.Series], hashes: Iterable[NDArray[np.uint64]] | None = None
) -> NDArray[np.uint64]:
    """The hash of each row over `columns`, shape (n_rows,).

    Args:
        columns: All of one length.
        hashes: What `hash_values` gives for them, if it is at hand.

    >>> import polars as pl
    >>> one, other = pl.Series("x", [1, 2]), pl.Series("y", ["a", "a"])
    >>> (hash_rows([one, other]) == hash_rows([other, one])).tolist()
    [True, True]
    """
    import numpy as np

    columns = list(columns)
    cells = [hash_values(column) for column in columns] if hashes is None else list(hashes)
    total = np.zeros(len(columns[0]) if columns else 0, dtype=np.uint64)
    numbers = [np.uint64(_number_of(column.name)) for column in columns]
    if pays(len(total) // CELLS_A_HASH):
        from hokusai.pipeline.data import value_hash_loops as loops

        for number, values in zip(numbers, cells, strict=True):
            loops.add_products(total, values, number)
        return loops.mixed(total)
    for number, values in zip(numbers, cells, strict=True):
        total += values * number
    return _mix(total)


def hashes_below(hashes: NDArray[np.uint64], limit: int) -> NDArray[np.uint64]:
    """Those that are at most `limit` and not of null, in order.

    >>> import numpy as np
    >>> hashes_below(np.array([9, 0, 7, 8], dtype=np.uint64), 8).tolist()
    [7, 8]
    """
    import numpy as np

    if pays(len(hashes) // CELLS_A_HASH):
        from hokusai.pipeline.data import value_hash_loops as loops

        return loops.below(hashes, np.uint64(limit))
    found: NDArray[np.uint64] = hashes[(hashes != 0) & (hashes <= np.uint64(limit))]
    return found


def plain_floats(column: pl.Series) -> pl.Series:
    """Floats with NaN as null and -0.0 as 0.0, which is equal to it but has other bits and another text.

    >>> import polars as pl
    >>> plain_floats(pl.Series([-0.0, float("nan"), 1.5])).to_list()
    [0.0, None, 1.5]
    """
    zeros = column == 0.0
    if zeros.any():
        column = column.set(zeros, 0.0)
    return column.fill_nan(None) if column.is_nan().any() else column


def _number_of(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") | 1


def _as_words(column: pl.Series) -> pl.Series | None:
    """Numbers and times as 64 bits; None for what is hashed as bytes."""
    import polars as pl

    dtype = column.dtype
    if dtype == pl.UInt64:
        return column
    if dtype.is_float():
        return column.cast(pl.Float64)
    if dtype in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32):
        return column.cast(pl.Int64)
    if dtype in (pl.Boolean, pl.Date):
        return column.cast(pl.Int32).cast(pl.Int64)
    if isinstance(dtype, pl.Datetime | pl.Duration):
        return column.dt.cast_time_unit("us").to_physical()
    return None


def _compiled_words(column: pl.Series) -> NDArray[np.uint64]:
    from hokusai.pipeline.data import value_hash_loops as loops

    cells = WordCells.of(column)
    return loops.mixed_floats(*cells) if column.dtype.is_float() else loops.mixed_words(*cells)


def _compiled_texts(column: pl.Series) -> NDArray[np.uint64]:
    from hokusai.pipeline.data import value_hash_loops as loops

    cells = ViewCells.of(column)
    return loops.mixed_views(cells.views, cells.buffers, cells.valid, cells.first)


def _hash_bytes(column: pl.Series) -> NDArray[np.uint64]:
    import numpy as np

    texts = EndToEnd.of(column.fill_null(b"") if column.null_count() else column)
    offsets = texts.offsets
    # Eight zero bytes more, so that a word can be read at every byte, also at the last one.
    held = np.zeros(int(offsets[-1]) + 8, dtype=np.uint8)
    held[:-8] = texts.data[: offsets[-1]]
    at_byte = np.ndarray((len(held) - 7,), dtype="<u8", buffer=held.data, strides=(1,))
    hashes = np.diff(offsets).astype(np.uint64)
    words_before = np.concatenate(([0], np.cumsum((np.diff(offsets) + 7) >> 3)))
    row = 0
    while row < len(column):  # blocks of rows whose words fit the processor's cache
        end = int(np.searchsorted(words_before, words_before[row] + _BLOCK_WORDS, side="right")) - 1
        end = max(end, row + 1)
        hashes[row:end] += _sum_of_words(
            at_byte, offsets[row : end + 1], words_before[row : end + 1] - words_before[row]
        )
        row = end
    return _without_nulls(np.maximum(_mix(hashes), np.uint64(1)), column)


def _sum_of_words(
    at_byte: NDArray[np.uint64], offsets: NDArray[np.int64], words_before: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """For each cell, the sum of its mixed words.

    Args:
        at_byte: The word that begins at each byte.
        offsets: Where each cell begins, and where the last one ends; (n + 1,).
        words_before: Words of all cells before each, likewise.
    """
    import numpy as np

    counts = np.diff(words_before)
    number = np.arange(words_before[-1])
    words = at_byte[np.repeat(offsets[:-1] - (words_before[:-1] << 3), counts) + (number << 3)]
    # The last word of a cell may hold bytes of the next cell; an empty cell has no word.
    last, beyond = words_before[1:] - 1, (-np.diff(offsets) & 7) << 3
    if not counts.all():
        last, beyond = last[counts > 0], beyond[counts > 0]
    words[last] &= np.uint64(2**64 - 1) >> beyond.view(np.uint64)
    number -= np.repeat(words_before[:-1], counts)
    words += number.view(np.uint64) * np.uint64(_GAMMA)
    sums = np.concatenate(([np.uint64(0)], np.cumsum(_mix(words), dtype=np.uint64)))
    return sums[words_before[1:]] - sums[words_before[:-1]]


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64, after its increment: each input bit changes half of the output bits."""
    import numpy as np

    mixed = words + np.uint64(_GAMMA)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _without_nulls(hashes: NDArray[np.uint64], column: pl.Series) -> NDArray[np.uint64]:
    if column.null_count():
        hashes[column.is_null().to_numpy()] = 0
    return hashes
