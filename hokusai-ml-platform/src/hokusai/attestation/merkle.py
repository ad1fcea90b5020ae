"""Merkle trees: one hash that commits to a list of entries, and short proofs that an entry is in it.

The shape is that of Certificate Transparency (RFC 6962, section 2.1): leaves and nodes are hashed with different
first bytes, so that neither passes for the other, and the left part of a tree is the largest complete one. A root
therefore depends on the entries and their order only, never on how they were cut into pieces on the way here.

References:
    RFC 6962, Certificate Transparency, sections 2.1 (tree) and 2.1.1 (audit paths).
    RFC 9162, Certificate Transparency Version 2.0, section 2.1.3.2 (how a path is verified).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.utils.many_sha256 import sha256_many
from hokusai.utils.short_sha256 import sha256_for

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of no entries at all."""

_MANY = 1024
"""So many nodes are hashed at once; fewer need no numpy."""
_MAX_PATH = 64
"""A path longer than this would belong to a tree of more than 2^64 entries."""


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of one entry: SHA-256 of a zero byte and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others: SHA-256 of a one byte and both."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: bytes | Iterable[bytes]) -> bytes:
    """The root above leaf hashes in their order.

    Args:
        leaves: Leaf hashes of 32 bytes: one after the other as one text of bytes, or an iterable of them.

    >>> merkle_root([]) == EMPTY_ROOT
    True
    >>> a, b, c = (leaf_hash(entry) for entry in (b"a", b"b", b"c"))
    >>> merkle_root([a, b, c]) == node_hash(node_hash(a, b), c)
    True
    """
    builder = RootBuilder()
    builder.add(leaves if isinstance(leaves, bytes) else b"".join(leaves))
    return builder.root()


class RootBuilder:
    """Takes leaf hashes piece by piece and remembers at most one hash a level: log2(n) in all.

    >>> a, b, c = (leaf_hash(entry) for entry in (b"a", b"b", b"c"))
    >>> builder = RootBuilder()
    >>> builder.add(a)
    >>> builder.add(b + c)
    >>> builder.root() == merkle_root([a, b, c])
    True
    """

    def __init__(self) -> None:
        self._unpaired: list[bytes] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, leaves: bytes) -> None:
        """Append leaf hashes, 32 bytes each, one after the other.

        Raises:
            InvalidInputError: The number of bytes is not a multiple of 32.
        """
        _require_hashes(leaves)
        self._size += len(leaves) // HASH_BYTES
        level = 0
        while leaves:
            if level == len(self._unpaired):
                self._unpaired.append(b"")
            waiting = self._unpaired[level] + leaves
            paired = len(waiting) - len(waiting) % (2 * HASH_BYTES)
            self._unpaired[level] = waiting[paired:]
            leaves = _level_above(waiting[:paired])
            level += 1

    def copy(self) -> RootBuilder:
        """Another builder with the same leaves, to which other ones can be added."""
        twin = RootBuilder()
        twin._unpaired, twin._size = self._unpaired.copy(), self._size
        return twin

    def root(self) -> bytes:
        """The root above all that was added so far."""
        root = b""
        for waiting in self._unpaired:
            if waiting:
                root = node_hash(waiting, root) if root else waiting
        return root or EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf is in a tree, at this place.

    Attributes:
        index: Of the leaf, from 0.
        size: Leaves of the tree.
        path: The hashes that lead from the leaf to the root, the leaf's own neighbour first.

    Raises:
        IntegrityError: No tree of this size has such a path.
    """

    index: int
    size: int
    path: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.size:
            raise IntegrityError(f"The proof speaks of leaf {self.index} of {self.size}")
        if any(len(step) != HASH_BYTES for step in self.path):
            raise IntegrityError("A hash of the proof does not have 32 bytes")
        expected = _path_length(self.index, self.size)
        if len(self.path) != expected:
            raise IntegrityError(
                f"The proof has {len(self.path)} hashes; leaf {self.index} of {self.size} has {expected}"
            )

    def root(self, leaf: bytes) -> bytes:
        """The root of the tree, if `leaf` is the leaf that is meant."""
        at, last, result = self.index, self.size - 1, leaf
        for step in self.path:
            while not at & 1 and at == last:  # it has no neighbour on this level and moves up as it is
                at, last = at >> 1, last >> 1
            result = node_hash(step, result) if at & 1 else node_hash(result, step)
            at, last = at >> 1, last >> 1
        return result

    def verify(self, leaf: bytes, root: bytes) -> None:
        """Check that `leaf` is in the tree that has this root.

        Raises:
            IntegrityError: It is not, or not at this place.
        """
        if len(leaf) != HASH_BYTES or self.root(leaf) != root:
            raise IntegrityError(f"The proof does not lead from leaf {self.index} to the root that was given")

    def to_dict(self) -> dict[str, Any]:
        """As plain data; hashes are hex."""
        return {"index": self.index, "size": self.size, "path": [step.hex() for step in self.path]}

    @classmethod
    def from_dict(cls, data: object) -> InclusionProof:
        """Read what `to_dict` gave, and nothing else.

        Raises:
            IntegrityError: A field is missing, unknown or of the wrong type.
        """
        if not isinstance(data, Mapping) or set(data) != {"index", "size", "path"}:
            raise IntegrityError("A proof of inclusion has the fields index, size and path")
        return cls(
            natural(data["index"], "index"), natural(data["size"], "size"), hashes(data["path"], "path")
        )


class MerkleTree:
    """All of a tree, so that many of its leaves can be proved without hashing anything twice.

    Args:
        leaves: Leaf hashes, 32 bytes each, one after the other.

    >>> a, b, c = (leaf_hash(entry) for entry in (b"a", b"b", b"c"))
    >>> tree = MerkleTree(a + b + c)
    >>> tree.root == merkle_root([a, b, c]), tree.prove(2).path == (node_hash(a, b),)
    (True, True)
    """

    def __init__(self, leaves: bytes) -> None:
        _require_hashes(leaves)
        self._levels = [leaves]
        while len(level := self._levels[-1]) > HASH_BYTES:
            paired = len(level) - len(level) % (2 * HASH_BYTES)
            self._levels.append(_level_above(level[:paired]) + level[paired:])

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    @property
    def root(self) -> bytes:
        """The root."""
        return self._levels[-1] or EMPTY_ROOT

    def prove(self, index: int) -> InclusionProof:
        """The proof that the leaf at `index`, from 0, is in this tree.

        Raises:
            InvalidInputError: There is no such leaf.
        """
        if not 0 <= index < len(self):
            raise InvalidInputError(f"There is no leaf {index} in a tree of {len(self)}")
        path, at = [], index
        for level in self._levels[:-1]:
            start = (at ^ 1) * HASH_BYTES
            neighbour = level[start : start + HASH_BYTES]
            if neighbour:
                path.append(neighbour)
            at >>= 1
        return InclusionProof(index, len(self), tuple(path))


def prove_inclusion(leaves: bytes, index: int) -> InclusionProof:
    """The proof that the leaf at `index` is in the tree above `leaves`.

    Args:
        leaves: All leaf hashes, 32 bytes each, one after the other.
        index: Of the leaf, from 0.

    Raises:
        InvalidInputError: There is no such leaf.

    >>> a, b, c = (leaf_hash(entry) for entry in (b"a", b"b", b"c"))
    >>> proof = prove_inclusion(a + b + c, 2)
    >>> proof.path == (node_hash(a, b),)
    True
    >>> proof.verify(c, merkle_root([a, b, c]))
    """
    return MerkleTree(leaves).prove(index)


def natural(value: object, field: str) -> int:
    """A number of a proof that was read: a whole one, from 0, that any JSON reader keeps.

    Raises:
        IntegrityError: It is something else.
    """
    if type(value) is not int or not 0 <= value < 2**53:
        raise IntegrityError("A proof has a number that is not a natural one below 2^53", where=field)
    return value


def hash_of_hex(value: object, field: str) -> bytes:
    """A hash of a proof that was read: 64 lower-case hex digits.

    Raises:
        IntegrityError: It is something else.
    """
    if not isinstance(value, str) or len(value) != 2 * HASH_BYTES or set(value) - set("0123456789abcdef"):
        raise IntegrityError("A proof has a hash that is not 64 lower-case hex digits", where=field)
    return bytes.fromhex(value)


def hashes(value: object, field: str, most: int = _MAX_PATH) -> tuple[bytes, ...]:
    """A list of hashes of a proof that was read.

    Raises:
        IntegrityError: It is something else, or longer than `most`.
    """
    if not isinstance(value, list) or len(value) > most:
        raise IntegrityError(f"A proof has a field that is not a list of at most {most} hashes", where=field)
    return tuple(hash_of_hex(item, f"{field}[{i}]") for i, item in enumerate(value))


def _level_above(pairs: bytes) -> bytes:
    n, size = len(pairs) // (2 * HASH_BYTES), 2 * HASH_BYTES
    if n < _MANY:
        sha256 = sha256_for(size + 1)  # looked up once: this loop is what a tree costs
        cuts = range(0, len(pairs) + 1, size)
        return b"".join([sha256(b"\x01" + pairs[start:end]).digest() for start, end in pairwise(cuts)])
    import numpy as np

    nodes = np.ones((n, 1 + size), np.uint8)
    nodes[:, 1:] = np.frombuffer(pairs, np.uint8).reshape(n, size)
    return sha256_many(nodes).tobytes()


def _path_length(index: int, size: int) -> int:
    length, last = 0, size - 1
    while last:
        length += bool(index & 1 or index < last)
        index, last = index >> 1, last >> 1
    return length


def _require_hashes(leaves: bytes) -> None:
    if len(leaves) % HASH_BYTES:
        raise InvalidInputError(f"{len(leaves)} bytes are not whole hashes of {HASH_BYTES} bytes")
