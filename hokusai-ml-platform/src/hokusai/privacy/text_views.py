"""A look at the bytes of a column of text where they lie, without a copy and without a pattern.

Polars keeps each text in 16 bytes as Arrow's "string view": its length, and then all of it if it has 12 bytes or fewer;
else its first four bytes, the number of a buffer and where it begins there.

References:
    Arrow Columnar Format, Variable-size Binary View Layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_VIEW_BYTES, _LENGTH_BYTES, _SHORT_BYTES = 16, 4, 12
_AT_ONCE = 1 << 16
"""Bytes; what is made of them stays in the cache."""


def first_bytes(text: pl.Series) -> NDArray[np.uint8]:
    """The first byte of each text in UTF-8, shape (n_rows,); of an empty one 0, of a null anything.

    >>> import polars as pl
    >>> bytes(first_bytes(pl.Series(["[email]", "a longer text than fits", ""])))
    b'[a\\x00'
    """
    return _views(text)[0][:, _LENGTH_BYTES]


def may_hold(text: pl.Series, character: str) -> bool:
    """Whether a character of ASCII may stand in some text of the column: no is sure.

    >>> import polars as pl
    >>> may_hold(pl.Series(["to [email]", None]), "["), may_hold(pl.Series(["nothing", "x" * 20]), "[")
    (True, False)
    """
    import numpy as np

    views, buffers = _views(text)
    lengths = views.view(np.uint32)[:, 0]
    if sum(buffer.size for buffer in buffers) > 2 * int(lengths.sum(dtype=np.int64)):  # of a longer column
        return bool(text.str.contains(character, literal=True).any())
    code = ord(character)
    if (views == code).any():  # in a text, or in a number
        short = lengths <= _SHORT_BYTES
        if short.any() and (views[short, _LENGTH_BYTES:] == code).any():
            return True
    held = (np.frombuffer(buffer, np.uint8) for buffer in buffers)
    return any(
        (data[at : at + _AT_ONCE] == code).any() for data in held for at in range(0, len(data), _AT_ONCE)
    )


def _views(text: pl.Series) -> tuple[NDArray[np.uint8], list[Any]]:
    """The views, shape (n_rows, 16), and the buffers with the texts that do not fit in."""
    import numpy as np
    import polars as pl

    array = text.alias("").rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    _, views, *buffers = array.buffers()
    each = np.frombuffer(views, np.uint8).reshape(-1, _VIEW_BYTES)
    return each[array.offset : array.offset + len(array)], buffers
