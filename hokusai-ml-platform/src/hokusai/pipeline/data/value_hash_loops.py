"""The hash of `value_hash` in machine code, for tables of millions of cells. Only `value_hash` imports this module."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

_U = np.uint64
_GAMMA = _U(0x9E3779B97F4A7C15)
_FIRST = _U(0xBF58476D1CE4E5B9)
_SECOND = _U(0x94D049BB133111EB)


@compiled
def mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """What the finaliser of SplitMix64 makes of each word; shape (n,)."""
    found = np.empty_like(words)
    for i in range(len(words)):
        found[i] = _mix(words[i])
    return found


@compiled
def mixed_texts(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hash of each text; `data` holds them end to end, and text i begins at `offsets[i]`; shape (n,)."""
    n = len(offsets) - 1
    found = np.empty(n, np.uint64)
    for i in range(n):
        start, stop = _U(offsets[i]), _U(offsets[i + 1])
        total, number = stop - start, _U(0)
        while stop - start >= _U(8):
            word = _U(0)
            for byte in range(8):  # becomes one load
                word |= _U(data[start + _U(byte)]) << _U(8 * byte)
            total += _mix(word + number * _GAMMA)
            start += _U(8)
            number += _U(1)
        if start < stop:
            word = _U(0)
            for byte in range(stop - start):
                word |= _U(data[start + _U(byte)]) << (_U(8) * _U(byte))
            total += _mix(word + number * _GAMMA)
        found[i] = _mix(total)
    return found


@compiled
def _mix(word: Any) -> Any:
    word += _GAMMA
    word = (word ^ (word >> _U(30))) * _FIRST
    word = (word ^ (word >> _U(27))) * _SECOND
    return word ^ (word >> _U(31))
