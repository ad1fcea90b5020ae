"""The cells of a column as they lie in memory, for loops in machine code; nothing is copied.

Arrow's layout: the values, of which those of null cells may be anything, and a bit for each cell that has a value.
All arrays are read-only, always: for others Numba would compile its loops once more.

References:
    Arrow Columnar Format, Physical Memory Layout and Variable-size Binary View Layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


class WordCells(NamedTuple):
    """Cells of 64 bits.

    Attributes:
        words: One for each, uint64 of shape (n,).
        valid: Bits; none if no cell is null.
        first: The place of the first cell's bit.
    """

    words: NDArray[np.uint64]
    valid: NDArray[np.uint8]
    first: int

    @classmethod
    def of(cls, column: pl.Series) -> WordCells:
        """Those of a column of a type of 64 bits.

        >>> import polars as pl
        >>> WordCells.of(pl.Series([7, 8])).words.tolist()
        [7, 8]
        """
        array = _arrow(column)
        return cls(_words(array.buffers()[1], array.offset, len(array)), *_valid(array))


class ViewCells(NamedTuple):
    """Texts.

    Attributes:
        views: Two words for each: its length, and the text or where it is; uint64 of shape (2 n,).
        buffers: The addresses of the buffers that have the longer texts, uint64.
        valid: Bits; none if no cell is null.
        first: The place of the first cell's bit.
        held: What must live as long as the addresses are used.
    """

    views: NDArray[np.uint64]
    buffers: NDArray[np.uint64]
    valid: NDArray[np.uint8]
    first: int
    held: Any

    @classmethod
    def of(cls, column: pl.Series) -> ViewCells:
        """Those of a column of text or binary.

        >>> import polars as pl
        >>> ViewCells.of(pl.Series(["abcd", None])).views[0] == 4 | int.from_bytes(b"abcd", "little") << 32
        np.True_
        """
        import numpy as np

        array = _arrow(column)
        _, views, *buffers = array.buffers()
        addresses = np.array([buffer.address for buffer in buffers], np.uint64)
        return cls(_words(views, 2 * array.offset, 2 * len(array)), addresses, *_valid(array), array)


def _arrow(column: pl.Series) -> Any:
    import polars as pl

    return column.alias("").rechunk().to_arrow(compat_level=pl.CompatLevel.newest())


def _words(buffer: Any, start: int, size: int) -> NDArray[np.uint64]:
    import numpy as np

    return np.frombuffer(buffer if size else b"", np.uint64)[start : start + size]


def _valid(array: Any) -> tuple[NDArray[np.uint8], int]:
    import numpy as np

    bits = array.buffers()[0] if array.null_count else None
    return np.frombuffer(bits if bits is not None else b"", np.uint8), array.offset
