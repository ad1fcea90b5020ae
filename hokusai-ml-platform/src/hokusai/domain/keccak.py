"""Keccak-256, the hash of Ethereum, which the standard library does not have.

`hashlib.sha3_256` is the later NIST standard: same permutation, other padding, other digests. Addresses need
the original. Pure Python is enough: an address takes about a millisecond, and nothing else in Hokusai hashes
with it.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_RATE_BYTES = 136
"""1600 bits of state minus twice the 256 bits of output."""
_ROTATIONS = (
    (0, 36, 3, 41, 18),
    (1, 44, 10, 45, 2),
    (62, 6, 43, 15, 61),
    (28, 55, 25, 21, 56),
    (27, 20, 39, 8, 14),
)


def keccak_256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `data`.

    >>> keccak_256(b"").hex()[:16]
    'c5d2460186f7233c'

    References:
        The Keccak reference, version 3.0 (2011), sections 1.1 and 1.2; padding 0x01 … 0x80, as Ethereum
        has it.
    """
    padding = bytearray(_RATE_BYTES - len(data) % _RATE_BYTES)
    padding[0] |= 0x01
    padding[-1] |= 0x80
    padded = data + padding
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), _RATE_BYTES):
        for i in range(_RATE_BYTES // 8):
            word = padded[start + 8 * i : start + 8 * i + 8]
            lanes[i % 5][i // 5] ^= int.from_bytes(word, "little")
        lanes = _permute(lanes)
    return b"".join(lanes[i][0].to_bytes(8, "little") for i in range(4))


def _permute(a: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600]: 24 rounds of theta, rho, pi, chi and iota on the 5 x 5 lanes `a[x][y]`."""
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[x - 1] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = _rotate(a[x][y] ^ d[x], _ROTATIONS[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        for j in range(7):
            if lfsr & 1:
                a[0][0] ^= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
    return a


def _rotate(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK
