"""The text of tokens in machine code, for columns of millions of values. Only `tokens` imports this module."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

_U = np.uint64
_FIVE = _U(31)


@compiled
def written(
    prefix: NDArray[np.uint8], alphabet: NDArray[np.uint8], macs: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`prefix` and the first 130 bits in base 32, for each 32 bytes; shape (n, len(prefix) + 26)."""
    n, width = len(macs), len(prefix)
    text = np.empty((n, width + 26), np.uint8)
    for row in range(n):
        first, second = _U(0), _U(0)
        for byte in range(8):
            first = (first << _U(8)) | _U(macs[row, byte])
            second = (second << _U(8)) | _U(macs[row, 8 + byte])
        for place in range(width):
            text[row, place] = prefix[place]
        for place in range(12):
            text[row, width + place] = alphabet[(first >> _U(59 - 5 * place)) & _FIVE]
            text[row, width + 13 + place] = alphabet[(second >> _U(58 - 5 * place)) & _FIVE]
        # Two characters have bits of two words.
        text[row, width + 12] = alphabet[((first << _U(1)) | (second >> _U(63))) & _FIVE]
        text[row, width + 25] = alphabet[((second << _U(2)) | (_U(macs[row, 16]) >> _U(6))) & _FIVE]
    return text
