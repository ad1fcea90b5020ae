"""SHA-256 and HMAC-SHA-256 of many messages: one call, however many there are, and the same digests either way.

A few go through `hashlib`. Where a process has so many that it pays (`compiled`), they are hashed sixteen at a time by
machine code that Numba makes (`sha256_lanes`): five to ten times as fast where the processor has no instructions for
SHA-256, and still without a Python object for each message where it has.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hokusai.utils import compiled
from hokusai.utils.short_sha256 import sha256_for

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

DIGEST_BYTES: Final = 32
BLOCK_BYTES: Final = 64
_LONG_BYTES = 1 << 20
"""With messages as long as this there is nothing to be saved, and sixteen of them need room."""
_AT_ONCE: Final = 256


class EndToEnd(NamedTuple):
    """Many byte strings in one.

    Both arrays are read-only, always: for others Numba would compile its loops once more.

    Attributes:
        offsets: Where each begins, and where the last one ends, int64 of shape (n + 1,).
        data: Their bytes.
    """

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, column: pl.Series) -> EndToEnd:
        """Those of a column of text or binary without null."""
        import numpy as np
        import polars as pl

        array = column.alias("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = array.buffers()
        bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
        return cls(bounds, np.frombuffer(data if data is not None else b"", np.uint8))

    @classmethod
    def of_nothing(cls, n: int) -> EndToEnd:
        """`n` empty ones."""
        import numpy as np

        return cls(np.frombuffer(bytes(8 * (n + 1)), np.int64), np.frombuffer(b"", np.uint8))

    def to_list(self) -> list[bytes]:
        """Each as an object."""
        first = int(self.offsets[0])
        data = self.data[first : self.offsets[-1]].tobytes()
        return [data[start:stop] for start, stop in pairwise((self.offsets - first).tolist())]

    @property
    def longest(self) -> int:
        """Size in bytes of the longest."""
        import numpy as np

        return int(np.diff(self.offsets).max(initial=0))


def sha256_many(beginnings: NDArray[np.uint8], rests: EndToEnd | None = None) -> NDArray[np.uint8]:
    """The digests of messages.

    Args:
        beginnings: What each begins with, bytes of shape (n, width).
        rests: What follows, n byte strings; None for nothing.

    Returns:
        uint8 of shape (n, 32).

    >>> import numpy as np
    >>> one = sha256_many(np.frombuffer(b"abc", np.uint8).reshape(1, 3))
    >>> one.tobytes() == hashlib.sha256(b"abc").digest()
    True
    """
    import numpy as np

    if compiled.pays(len(beginnings)) and (rests is None or rests.longest <= _LONG_BYTES):
        from hokusai.utils import sha256_lanes

        rests = rests or EndToEnd.of_nothing(len(beginnings))
        return sha256_lanes.digests(np.ascontiguousarray(beginnings), *rests, sha256_lanes.START, 0)
    width = beginnings.shape[1]
    firsts: Sequence[bytes] = (
        np.ascontiguousarray(beginnings).view(f"V{width}")[:, 0].tolist()
        if width
        else [b""] * len(beginnings)
    )
    if rests is None:
        sha256 = sha256_for(width)  # looked up once: these loops are what a digest costs
        digests = b"".join([sha256(first).digest() for first in firsts])
    else:
        sha256 = hashlib.sha256
        digests = b"".join(
            [sha256(first + rest).digest() for first, rest in zip(firsts, rests.to_list(), strict=True)]
        )
    return np.frombuffer(digests, np.uint8).reshape(-1, DIGEST_BYTES)


class HmacSha256:
    """HMAC-SHA-256 with one key.

    Args:
        key: At most 64 bytes.

    References:
        RFC 2104.
    """

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(BLOCK_BYTES, b"\0")
        self._blocks = tuple(bytes(byte ^ mask for byte in padded) for mask in (0x36, 0x5C))
        sha256 = sha256_for(BLOCK_BYTES)
        self._inner, self._outer = (sha256(block) for block in self._blocks)

    def many(self, messages: EndToEnd) -> NDArray[np.uint8]:
        """The MAC of each message, uint8 of shape (n, 32).

        `hmac` looks its algorithm up anew for every message. Here both states that a MAC begins with are made once.
        """
        import numpy as np

        if compiled.pays(2 * (len(messages.offsets) - 1)) and messages.longest <= _LONG_BYTES:
            return self._compiled(messages)
        # The loops over a few messages (so that their states stay in the cache) run in C.
        values, state = messages.to_list(), type(self._inner)
        macs = []
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            inners: list[Any] = list(map(state.copy, repeat(self._inner, len(some))))
            deque(map(state.update, inners, some), maxlen=0)
            outers: list[Any] = list(map(state.copy, repeat(self._outer, len(some))))
            deque(map(state.update, outers, map(state.digest, inners)), maxlen=0)
            macs.append(b"".join(map(state.digest, outers)))
        return np.frombuffer(b"".join(macs), np.uint8).reshape(-1, DIGEST_BYTES)

    def _compiled(self, messages: EndToEnd) -> NDArray[np.uint8]:
        import numpy as np

        from hokusai.utils import sha256_lanes as lanes

        inner, outer = (lanes.absorbed(np.frombuffer(block, np.uint8)) for block in self._blocks)
        n = len(messages.offsets) - 1
        digests = lanes.digests(np.empty((n, 0), np.uint8), *messages, inner, BLOCK_BYTES)
        return lanes.digests(digests, *EndToEnd.of_nothing(n), outer, BLOCK_BYTES)
