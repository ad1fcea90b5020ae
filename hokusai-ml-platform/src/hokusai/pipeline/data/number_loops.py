"""The bins of `number_bins` in machine code, for columns of many numbers. Only `number_bins` imports this module."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

_U = np.uint64
_1, _3, _7 = map(_U, (1, 3, 7))
_INFINITE = 0x7FF0000000000000
"""The bits of an infinite double."""


@compiled
def measured(
    values: NDArray[Any],
    valid: NDArray[np.uint8],
    first: int,
    room: NDArray[np.uint32],
    dropped_bits: int,
    zero: int,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Nulls, infinite ones, the least and the greatest finite one, the bins of these and how many each has.

    Args:
        values: float64 or int64; shape (n,).
        valid: A bit for each; none if there is no null.
        first: The place of the first cell's bit.
        room: Zeros, one for each possible bin; the counts afterwards.
        dropped_bits: Bits of a double that do not tell its bin.
        zero: The number of the bin of zero.
    """
    n, greatest = _U(len(values)), len(room) // 2
    bins, found = np.empty(min(len(values), len(room)) + 1, np.int64), _U(0)
    nulls: Any = 0
    infinite: Any = 0
    low = high = values[0]
    any_finite = False
    for i in range(n):
        place = _U(first) + i
        if len(valid) != 0 and not valid[place >> _3] >> (place & _7) & _1:
            nulls += 1
            continue
        value = values[i]
        number = np.float64(value)
        bits: Any = np.float64(abs(number)).view(np.int64)
        if bits >= _INFINITE:
            nulls += bits > _INFINITE
            infinite += bits == _INFINITE
            continue
        if not any_finite:
            low = high = value
            any_finite = True
        low, high = min(low, value), max(high, value)
        size: Any = min(max((bits >> dropped_bits) - zero, 0), greatest)
        at = _U(greatest - size if number < 0.0 else greatest + size)
        bins[found] = at  # and again, until there is a new one
        found += _U(room[at] == 0)
        room[at] += 1
    bins = bins[:found].copy()
    counts = np.empty(found, np.int64)
    for i in range(found):
        counts[i] = room[_U(bins[i])]
        bins[i] -= greatest
    return nulls, infinite, low, high, bins, counts
