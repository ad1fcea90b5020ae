"""The Merkle tree over the digests of rows, and the one hash that it ends in.

Sixteen digests make one entry of the tree, so that the tree costs a tenth of the digests below it and a proof is still
short. The last hash binds what the tree does not say: the specification, the order, the columns and the number of rows.
The specification is docs/formats/hokusai-data-v1.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from hokusai.attestation.merkle import HASH_BYTES, RootBuilder, leaf_hash
from hokusai.domain.manifest import DatasetHash
from hokusai.pipeline.data.canonical_columns import CanonicalColumn, header_digest
from hokusai.utils.many_sha256 import EndToEnd, sha256_many

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPEC = "hokusai-data-v1"
GROUP_ROWS = 16
"""Digests in an entry of the tree; the last entry may have fewer."""

Order = Literal["rows", "content"]
"""Of the digests: that of the rows, or ascending."""

_GROUP_BYTES = GROUP_ROWS * HASH_BYTES


class DigestTree:
    """Takes digests piece by piece; what it remembers does not grow with them.

    >>> import numpy as np
    >>> digests = np.arange(20 * 32, dtype=np.uint8).reshape(20, 32)
    >>> whole, pieces = DigestTree(), DigestTree()
    >>> whole.add(digests)
    >>> for row in digests:
    ...     pieces.add(row.reshape(1, 32))
    >>> whole.root() == pieces.root(), len(pieces)
    (True, 20)
    """

    def __init__(self) -> None:
        self._groups = RootBuilder()
        self._begun = b""
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, digests: NDArray[np.uint8]) -> None:
        """Append the next digests, uint8 of shape (n_rows, 32)."""
        self._rows += len(digests)
        waiting = self._begun + digests.tobytes()
        whole = len(waiting) - len(waiting) % _GROUP_BYTES
        self._groups.add(group_leaves(waiting[:whole]))
        self._begun = waiting[whole:]

    def root(self) -> bytes:
        """The root over all digests so far."""
        groups = self._groups.copy()
        groups.add(group_leaves(self._begun))
        return groups.root()


def hash_of_digests(
    columns: Iterable[CanonicalColumn],
    chunks: Iterable[NDArray[np.uint8]],
    sorted_chunks: Iterable[NDArray[np.uint8]],
) -> DatasetHash:
    """The hash of rows whose digests come in pieces.

    Args:
        columns: `canonical_columns` of the rows.
        chunks: All digests in the order of the rows, arrays of shape (n, 32).
        sorted_chunks: All digests in ascending order, likewise.
    """
    header = header_digest(columns)
    in_order, by_content = DigestTree(), DigestTree()
    for digests in chunks:
        in_order.add(digests)
    for digests in sorted_chunks:
        by_content.add(digests)
    return DatasetHash(
        data_hash=final_hash("rows", header, len(in_order), in_order.root()),
        content_root=final_hash("content", header, len(by_content), by_content.root()),
        rows=len(in_order),
        spec=SPEC,
    )


def group_leaves(digests: bytes) -> bytes:
    """The leaf hashes of digests that begin with a group; the last group may be incomplete."""
    import numpy as np

    whole = len(digests) // _GROUP_BYTES
    offsets = np.arange(0, (whole + 1) * _GROUP_BYTES, _GROUP_BYTES, dtype=np.int64)
    offsets.flags.writeable = False
    groups = EndToEnd(offsets, np.frombuffer(digests, np.uint8))
    leaves = sha256_many(np.zeros((whole, 1), np.uint8), groups).tobytes()
    last = digests[whole * _GROUP_BYTES :]
    return leaves + leaf_hash(last) if last else leaves


def final_hash(order: Order, header: bytes, rows: int, root: bytes, *, spec: str = SPEC) -> str:
    """The published hash: hex of SHA-256 over specification, order, columns, number of rows and root.

    Args:
        order: Of the digests below the root.
        header: `header_digest` of the columns.
        rows: How many rows.
        root: Of the tree.
        spec: Name of the specification.
    """
    tag = f"{spec}\x00{order}\x00".encode()
    return hashlib.sha256(tag + header + rows.to_bytes(8, "big") + root).hexdigest()
