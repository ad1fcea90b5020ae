"""Where certain bytes stand in a block, as one bit a byte: what counting and comparing costs least with.

For 64 bytes there is one word, whose lowest bit is the first byte. So the quotes, separators and line ends of a
block of 8 MB are 1 MB each, and what stands between quotes is found for 64 bytes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint64]

_ALL_BUT_ONE = 63


def bits_of(data: NDArray[np.uint8], byte: int) -> Bits:
    """Which bytes of `data` are `byte`; the last word is always 0.

    >>> import numpy as np
    >>> bits_of(np.frombuffer(b"a,b,", dtype=np.uint8), ord(",")).tolist()
    [10, 0]
    """
    import numpy as np

    packed = np.packbits(data == byte, bitorder="little")
    words = np.zeros(len(data) // 64 + 2, dtype="<u8")
    words.view(np.uint8)[: len(packed)] = packed
    return words if len(data) % 64 else words[:-1]


def between(quotes: Bits) -> Bits:
    """Which bytes have an odd number of quotes up to them, an opening quote itself included.

    A prefix exclusive-or within each word, by doubling the distance, then over the words.

    >>> import numpy as np
    >>> between(np.array([0b0010_0100], dtype=np.uint64)).tolist()
    [28]
    """
    import numpy as np

    within = quotes.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        within ^= within << np.uint64(distance)
    odd = np.bitwise_xor.accumulate(within >> np.uint64(_ALL_BUT_ONE))
    within[1:] ^= np.uint64(0) - odd[:-1]  # all bits of a word, if the words before hold an odd number
    return within


def places(bits: Bits) -> NDArray[np.int64]:
    """The positions of the bytes that are marked, in order.

    >>> import numpy as np
    >>> places(np.array([0, 5], dtype=np.uint64)).tolist()
    [64, 66]
    """
    import numpy as np

    marked = np.flatnonzero(bits != 0)
    each = np.unpackbits(bits[marked].view(np.uint8), bitorder="little").view(np.bool_)
    at = np.flatnonzero(each)
    found: NDArray[np.int64] = marked[at >> 6] * 64 + (at & _ALL_BUT_ONE)
    return found


def counted(bits: Bits, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many marked bytes stand before each position.

    >>> import numpy as np
    >>> counted(np.array([0b1011, 1], dtype=np.uint64), np.array([0, 1, 3, 64])).tolist()
    [0, 1, 2, 3]
    """
    import numpy as np

    in_word = np.bitwise_count(bits)
    before = np.cumsum(in_word, dtype=np.int64) - in_word
    word, bit = at >> 6, (at & _ALL_BUT_ONE).astype(np.uint64)
    below = (np.uint64(1) << bit) - np.uint64(1)
    found: NDArray[np.int64] = before[word] + np.bitwise_count(bits[word] & below)
    return found
