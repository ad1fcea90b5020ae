"""The look at each byte of a column, in machine code. Only `marks` imports this module."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

CODED, CLEANED = 1, 2
_U, _B = np.uint64, np.uint8
_ONE, _TWO, _EIGHT = _U(1), _U(2), _U(8)
_SIXTH_BITS = _U(0x4040404040404040)


@compiled
def marked(
    offsets: NDArray[np.int64], data: NDArray[np.uint8], alnum: NDArray[np.bool_], run: int
) -> NDArray[np.uint8]:
    """The marks of each text; shape (n,).

    Args:
        offsets: Where in `data` each text begins, and where the last one ends; shape (n + 1,).
        data: The texts, end to end.
        alnum: Which bytes are letters or digits; shape (256,).
        run: How many of these without a break are a code, 15 or more.
    """
    n = len(offsets) - 1
    found = np.empty(n, np.uint8)
    blocks = data[: len(data) // 8 * 8].view(np.uint64)
    for row in range(n):
        begin, stop = _U(offsets[row]), _U(offsets[row + 1])
        coded = cleaned = False
        for i in range(stop - begin):  # becomes vectors, which a table would not
            byte = data[begin + i]
            odd = byte > _B(0x7F)
            coded |= (_B(byte - _B(48)) < _B(11)) | (byte == _B(64)) | (byte == _B(37)) | odd  # 0 to 9 : @ %
            cleaned |= (byte == _B(91)) | (byte == _B(58)) | odd  # [ :
        if not coded:
            coded = _has_run(blocks, data, begin, stop, alnum, run)
        found[row] = _B(coded) * _B(CODED) + _B(cleaned) * _B(CLEANED)
    return found


@compiled
def _has_run(
    blocks: NDArray[np.uint64],
    data: NDArray[np.uint8],
    begin: Any,
    stop: Any,
    alnum: NDArray[np.bool_],
    run: int,
) -> bool:
    """Whether there are so many letters and digits: they fill a block of eight bytes, in which none is below "0"."""
    first, end = (begin + _U(7)) // _EIGHT, stop // _EIGHT
    for i in range(end - first if end > first else _U(0)):
        block = first + i
        eight = blocks[block]
        if (eight | (eight << _ONE) & (eight << _TWO)) & _SIXTH_BITS == _SIXTH_BITS:
            left = right = block * _EIGHT
            while left > begin and alnum[data[left - _ONE]]:
                left -= _ONE
            while right < stop and alnum[data[right]]:
                right += _ONE
            if right - left >= _U(run):
                return True
    return False
