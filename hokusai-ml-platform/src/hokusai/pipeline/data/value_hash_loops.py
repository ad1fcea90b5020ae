"""The hash of `value_hash` in machine code, for tables of millions of cells.

Cells are read where they lie. `valid` has a bit for each, that of the first cell at `first`; without bits no cell is
null. Places are unsigned, since for each signed one Numba asks whether it counts from the end. Only
`value_hash`, `distinct_count` and `counted_values` import this module, which needs Numba.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

_ir: Any = import_module("llvmlite.ir")
_types: Any = import_module("numba.core.types")

_U = np.uint64
_GAMMA = _U(0x9E3779B97F4A7C15)
_FIRST = _U(0xBF58476D1CE4E5B9)
_SECOND = _U(0x94D049BB133111EB)
_0, _1, _2, _3, _7, _8, _32, _64 = map(_U, (0, 1, 2, 3, 7, 8, 32, 64))
_ALL, _LOWER_HALF = _U(0xFFFFFFFFFFFFFFFF), _U(0xFFFFFFFF)
_WITHIN_VIEW = _U(12)
"""So many bytes of text stand in the view itself."""
_INFINITE = _U(0x7FF0000000000000 << 1)
"""Bits of an infinite double without its sign; those of NaN are more."""


@compiled
def mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """What the finaliser of SplitMix64 makes of each word; shape (n,)."""
    found = np.empty_like(words)
    for i in range(len(words)):
        found[i] = _mix(words[i])
    return found


@compiled
def mixed_words(words: NDArray[np.uint64], valid: NDArray[np.uint8], first: int) -> NDArray[np.uint64]:
    """The hash of each whole number; shape (n,)."""
    found = np.empty(len(words), np.uint64)
    for i in range(len(words)):
        found[i] = max(_mix(words[i]), _1)
    _clear_nulls(found, valid, first)
    return found


@compiled
def mixed_floats(words: NDArray[np.uint64], valid: NDArray[np.uint8], first: int) -> NDArray[np.uint64]:
    """The hash of each double, given as its bits; shape (n,)."""
    found = np.empty(len(words), np.uint64)
    for i in range(len(words)):
        size = words[i] << _1
        found[i] = _0 if size > _INFINITE else max(_mix(_0 if size == _0 else words[i]), _1)
    _clear_nulls(found, valid, first)
    return found


@compiled
def mixed_views(
    views: NDArray[np.uint64], buffers: NDArray[np.uint64], valid: NDArray[np.uint8], first: int
) -> NDArray[np.uint64]:
    """The hash of each text; shape (n,).

    Args:
        views: Arrow's views of the texts, two words each; shape (2 n,).
        buffers: The address of each buffer that they name.
        valid: Bits.
        first: Where they begin.
    """
    n = _U(len(views)) >> _1
    found = np.empty(n, np.uint64)
    for i in range(n):
        low, high = views[i << _1], views[i << _1 | _1]
        size = low & _LOWER_HALF
        total = size
        if size > _WITHIN_VIEW:
            if _is_valid(valid, _U(first) + i):
                total += _mixed_at(buffers[high & _LOWER_HALF] + (high >> _32), size)
        elif size > _8:
            total += _mix(low >> _32 | high << _32)
            total += _mix((high >> _32 & _lowest(size - _8)) + _GAMMA)
        elif size > _0:
            total += _mix((low >> _32 | high << _32) & _lowest(size))
        found[i] = max(_mix(total), _1)
    _clear_nulls(found, valid, first)
    return found


@compiled
def add_products(total: NDArray[np.uint64], hashes: NDArray[np.uint64], factor: Any) -> None:
    """Add the product of each hash and `factor` to its total."""
    for i in range(len(total)):
        total[i] += hashes[i] * factor


@compiled
def below(hashes: NDArray[np.uint64], limit: Any) -> NDArray[np.uint64]:
    """Those that are not 0 and at most `limit`, in order."""
    found = np.empty(len(hashes), np.uint64)
    n = _0
    for i in range(_U(len(hashes))):
        found[n] = hashes[i]
        n += _U(hashes[i] - _1 < limit)  # 0 - 1 is the largest of all
    return found[:n].copy()


@compiled
def different(ordered: NDArray[np.uint64], most: int) -> NDArray[np.uint64]:
    """The first `most` different ones of hashes in order, which are moved to their beginning."""
    found, end = _0, _U(len(ordered))
    for i in range(end):
        ordered[found] = ordered[i]
        found += _U(i + _1 == end or ordered[i] != ordered[i + _1])
        if found == _U(most):
            break
    return ordered[:found]


@compiled
def repeated(hashes: NDArray[np.uint64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first place of each hash that is not 0, and how often it comes; or of `most` + 1, if there are so many."""
    slots = 1
    while slots < 4 * most:
        slots *= 2
    last = _U(slots - 1)
    held, number = np.zeros(slots, np.uint64), np.empty(slots, np.int64)
    places, counts = np.empty(most + 1, np.int64), np.zeros(most + 1, np.int64)
    found = 0
    for i in range(_U(len(hashes))):
        one = hashes[i]
        if one == _0:
            continue
        slot = one & last
        while held[slot] != one and held[slot] != _0:
            slot = (slot + _1) & last
        if held[slot] == _0:
            held[slot], number[slot], places[found] = one, found, i
            found += 1
            if found > most:
                break
        counts[_U(number[slot])] += 1
    return places[:found], counts[:found]


@compiled
def _mixed_at(address: Any, size: Any) -> Any:
    """The sum of the mixed words of a text of more than eight bytes."""
    total, added, end = _0, _0, address + size
    while end - address >= _8:
        total += _mix(word_at(address) + added)
        address += _8
        added += _GAMMA
    if address < end:  # the last eight bytes, without those that were read before
        total += _mix((word_at(end - _8) >> ((_8 - (end - address)) << _3)) + added)
    return total


@compiled
def _lowest(size: Any) -> Any:
    """As many lowest bytes as `size` says, from 1 to 8."""
    return _ALL >> ((_8 - size) << _3)


@compiled
def _clear_nulls(hashes: NDArray[np.uint64], valid: NDArray[np.uint8], first: int) -> None:
    if len(valid) == 0:
        return
    for i in range(_U(len(hashes))):
        if not _is_valid(valid, _U(first) + i):
            hashes[i] = _0


@compiled
def _is_valid(valid: NDArray[np.uint8], at: Any) -> Any:
    return len(valid) == 0 or valid[at >> _3] >> (at & _7) & _1 != _0


@compiled
def _mix(word: Any) -> Any:
    word += _GAMMA
    word = (word ^ (word >> _U(30))) * _FIRST
    word = (word ^ (word >> _U(27))) * _SECOND
    return word ^ (word >> _U(31))


def _intrinsic(function: Callable[..., Any]) -> Any:
    return import_module("numba.extending").intrinsic(function)


@_intrinsic
def word_at(_: Any, address: Any) -> Any:
    """The eight bytes at an address, as a little-endian number."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.load(builder.inttoptr(values[0], _ir.IntType(64).as_pointer()), align=1)

    return _types.uint64(address), code
