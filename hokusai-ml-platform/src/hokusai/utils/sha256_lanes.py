"""SHA-256 of many messages at once, in machine code: each vector register holds the same word of several messages.

A processor without instructions for SHA-256 hashes a single message word by word; of sixteen messages it can do each
step with one or two instructions of its vector unit. Messages may differ in length: a lane whose message ends
takes the next one. Only `utils.many_sha256` imports this module, which needs Numba.

References:
    FIPS 180-4, Secure Hash Standard, sections 4.1.2 (functions), 4.2.2 (constants), 5.1.1 (padding), 6.2.2.
    Gueron and Krasnov (2012), Simultaneous hashing of multiple messages, J. Information Security 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled
from hokusai.utils.sha256_intrinsics import LANES, copy_bytes, prefer_wide_vectors, take_blocks

BLOCK = 64
_LEAST_PADDING = 9
_IDLE = 1 << 62
_ROUNDS = 64
_U = np.uint32
_Index = np.uint64

_CONSTANTS = np.array([
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
], np.uint32)  # fmt: skip
START = np.array([
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
], np.uint32)  # fmt: skip
"""The state before the first block."""


@compiled
def digests(
    fixed: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    state: NDArray[np.uint32],
    hashed: int,
) -> NDArray[np.uint8]:
    """The digests of messages, each a row of `fixed` and then a piece of `data`; shape (n, 32).

    Args:
        fixed: Beginnings of the messages, all of one size, shape (n, width).
        offsets: Where in `data` each message goes on, and where the last one ends; shape (n + 1,).
        data: The rest of the messages, end to end.
        state: What the hash begins with: `START`, or what a common beginning of whole blocks left of it.
        hashed: Size in bytes of that common beginning.
    """
    n, width = fixed.shape
    longest = 0
    for row in range(n):
        longest = max(longest, offsets[row + 1] - offsets[row])
    found = np.empty(8 * n, np.uint32)
    beginnings = fixed.ravel()
    room = (width + longest + _LEAST_PADDING + BLOCK - 1) // BLOCK * BLOCK
    padded = np.zeros(LANES * room, np.uint8)
    as_words = padded.view(np.uint32)
    states = np.zeros(8 * LANES, np.uint32)
    work = np.empty(8 * LANES, np.uint32)
    words = np.empty(_ROUNDS * LANES, np.uint32)
    message = np.full(LANES, -1, np.int64)
    at = np.zeros(LANES, np.int64)
    left = np.zeros(LANES, np.int64)
    begun = ended = 0
    while True:
        for lane in range(LANES):
            if left[lane] != 0:
                continue
            if message[lane] >= 0:
                _put(found, message[lane], states, lane)
                ended += 1
            at[lane], left[lane], message[lane] = lane * room // 4, _IDLE, -1
            if begun < n:
                start = lane * room
                size = width + offsets[begun + 1] - offsets[begun]
                copy_bytes(padded, start, beginnings, begun * width, width)
                copy_bytes(padded, start + width, data, offsets[begun], size - width)
                left[lane] = _pad(padded, start, size, hashed)
                _copy_state(states, lane, state)
                message[lane] = begun
                begun += 1
        if ended == n:
            return found.view(np.uint8).reshape(n, 32)
        steps = left.min()
        for step in range(steps):
            take_blocks(words, as_words, at, 16 * step)
            _compress(states, work, words)
        for lane in range(LANES):
            if message[lane] >= 0:
                left[lane] -= steps
                at[lane] += 16 * steps


# Indices without a sign cannot mean "from the end", which is what makes these loops five times as fast.


@compiled
def _copy_state(states: NDArray[np.uint32], lane: int, state: NDArray[np.uint32]) -> None:
    first = _Index(lane)
    for i in range(_Index(8)):
        states[i * _Index(LANES) + first] = state[i]


@compiled
def _pad(padded: NDArray[np.uint8], start: int, size: int, hashed: int) -> int:
    """Put the padding behind a message of `size` bytes that begins at `start`; gives the number of its blocks."""
    blocks = (size + _LEAST_PADDING + BLOCK - 1) // BLOCK
    first, end = _Index(start + size), _Index(start + blocks * BLOCK)
    for i in range(first, end - _Index(8)):
        padded[i] = 0
    padded[first] = 0x80
    bits = _Index(8 * (hashed + size))
    for i in range(_Index(8)):
        padded[end - _Index(1) - i] = (bits >> (_Index(8) * i)) & _Index(0xFF)
    return blocks


@compiled
def _put(found: NDArray[np.uint32], row: int, states: NDArray[np.uint32], lane: int) -> None:
    first, begin = _Index(lane), _Index(8 * row)
    for i in range(_Index(8)):
        found[begin + i] = _swapped(states[i * _Index(LANES) + first])


@compiled
def _swapped(x: Any) -> Any:
    """The four bytes of a word in the other order."""
    return _U(x << _U(24)) | _U((x << _U(8)) & _U(0xFF0000)) | _U((x >> _U(8)) & _U(0xFF00)) | _U(x >> _U(24))


@compiled
def _compress(
    states: NDArray[np.uint32],
    work: NDArray[np.uint32],
    words: NDArray[np.uint32],
) -> None:
    """One block of every lane. Word w of lane l stands at w * LANES + l, so that the inner loops become vectors."""
    prefer_wide_vectors()
    for i in range(16 * LANES):
        words[i] = _swapped(words[i])
    for first in range(16 * LANES, _ROUNDS * LANES, LANES):
        for i in range(first, first + LANES):
            w15, w2 = words[i - 15 * LANES], words[i - 2 * LANES]
            s0 = _turned(w15, 7) ^ _turned(w15, 18) ^ _U(w15 >> _U(3))
            s1 = _turned(w2, 17) ^ _turned(w2, 19) ^ _U(w2 >> _U(10))
            words[i] = _U(_U(words[i - 16 * LANES] + s0) + _U(words[i - 7 * LANES] + s1))
    for i in range(8 * LANES):
        work[i] = states[i]
    for first in range(0, _ROUNDS, 8):
        k0, k1, k2, k3 = (
            _CONSTANTS[first],
            _CONSTANTS[first + 1],
            _CONSTANTS[first + 2],
            _CONSTANTS[first + 3],
        )
        k4, k5, k6, k7 = (
            _CONSTANTS[first + 4],
            _CONSTANTS[first + 5],
            _CONSTANTS[first + 6],
            _CONSTANTS[first + 7],
        )
        w = first * LANES
        for i in range(LANES):
            a, b, c, d = work[i], work[LANES + i], work[2 * LANES + i], work[3 * LANES + i]
            e, f, g, h = work[4 * LANES + i], work[5 * LANES + i], work[6 * LANES + i], work[7 * LANES + i]
            # Each line is a round; instead of moving the eight values on, the names do.
            d, h = _round(a, b, c, d, e, f, g, h, _U(k0 + words[w + i]))
            c, g = _round(h, a, b, c, d, e, f, g, _U(k1 + words[w + LANES + i]))
            b, f = _round(g, h, a, b, c, d, e, f, _U(k2 + words[w + 2 * LANES + i]))
            a, e = _round(f, g, h, a, b, c, d, e, _U(k3 + words[w + 3 * LANES + i]))
            h, d = _round(e, f, g, h, a, b, c, d, _U(k4 + words[w + 4 * LANES + i]))
            g, c = _round(d, e, f, g, h, a, b, c, _U(k5 + words[w + 5 * LANES + i]))
            f, b = _round(c, d, e, f, g, h, a, b, _U(k6 + words[w + 6 * LANES + i]))
            e, a = _round(b, c, d, e, f, g, h, a, _U(k7 + words[w + 7 * LANES + i]))
            work[i], work[LANES + i], work[2 * LANES + i], work[3 * LANES + i] = a, b, c, d
            work[4 * LANES + i], work[5 * LANES + i], work[6 * LANES + i], work[7 * LANES + i] = e, f, g, h
    for i in range(8 * LANES):
        states[i] += work[i]


@compiled
def _round(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, word: Any) -> Any:
    """What a round makes of `d` and `h`; `word` is its constant and its word of the schedule, added."""
    s1 = _turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)
    s0 = _turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)
    t1 = _U(_U(_U(h + s1) + _U((e & f) ^ (~e & g))) + word)
    t2 = _U(s0 + _U((a & b) ^ (a & c) ^ (b & c)))
    return _U(d + t1), _U(t1 + t2)


@compiled
def _turned(x: Any, bits: int) -> Any:
    return _U(_U(x >> _U(bits)) | _U(x << _U(32 - bits)))


@compiled
def absorbed(block: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The state after one block of 64 bytes, from `START`."""
    states = np.empty(8 * LANES, np.uint32)
    words = np.empty(_ROUNDS * LANES, np.uint32)
    _copy_state(states, 0, START)
    take_blocks(words, block.view(np.uint32), np.zeros(LANES, np.int64), 0)
    _compress(states, np.empty_like(states), words)
    return states[::LANES].copy()
