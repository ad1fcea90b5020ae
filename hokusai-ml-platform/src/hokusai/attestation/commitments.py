"""Commitments to labels and predictions: one root a column, from which single rows can be opened later.

The rows are hidden by salts, and the salts follow from the column itself, so that the same content gives the same
statement (docs/formats/hokusai-rows-v1.md). That has a price: whoever can guess a whole column, every row of it, can
find his guess confirmed. A secret takes that away; whoever wants to make the root again then needs it too.

>>> made = commit(
...     ["no", "yes"], ["no", "no"], ["no", "yes"],
...     benchmark_sha256="be" * 32, baseline_model_sha256="b0" * 32, new_model_sha256="0e" * 32,
... )
>>> made.labels == label_root(["no", "yes"], "be" * 32)
True
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hokusai.attestation.merkle import InclusionProof, MerkleTree, leaf_hash
from hokusai.attestation.numbers import decimal_text
from hokusai.domain.canonical import canonical_json
from hokusai.domain.commitments import SCHEME, Commitments
from hokusai.errors import InvalidInputError
from hokusai.utils.short_sha256 import sha256_for

SALT_BYTES = 16
LEAST_SECRET = 16
"""Bytes of a secret that nobody finds by trying."""

Values = Sequence[str] | Sequence[float]
"""A column in the benchmark's row order: class names (`hokusai.domain.labels.class_name`), or numbers."""


def commit(
    labels: Values,
    baseline: Values,
    new: Values,
    *,
    benchmark_sha256: str,
    baseline_model_sha256: str,
    new_model_sha256: str,
    secret: bytes = b"",
) -> Commitments:
    """The commitments to three columns of the same rows.

    Args:
        labels: (n_rows,) the truth.
        baseline: (n_rows,) what the baseline model said.
        new: (n_rows,) what the new model said.
        benchmark_sha256: Digest of the benchmark's bytes, hex.
        baseline_model_sha256: Digest of the baseline model's file.
        new_model_sha256: Digest of the new model's file.
        secret: What keeps a guess of a whole column from being confirmed; the same for everything that is committed
            to in one statement. Of at least 16 bytes; empty for none.

    Raises:
        InvalidInputError: The columns differ in length, have no row, or hold a number that is not finite; or the secret
            is shorter.
    """
    columns = row_columns(
        labels,
        baseline,
        new,
        benchmark_sha256=benchmark_sha256,
        baseline_model_sha256=baseline_model_sha256,
        new_model_sha256=new_model_sha256,
        secret=secret,
    )
    return Commitments(*(column.root.hex() for column in columns))


def label_root(labels: Values, benchmark_sha256: str, *, secret: bytes = b"") -> str:
    """The commitment to the labels, hex: all that a benchmark's owner needs before anybody contributes.

    Raises:
        InvalidInputError: There is no row, or a number that is not finite.
    """
    return CommittedColumn.of("labels", labels, (benchmark_sha256,), secret).root.hex()


def row_columns(
    labels: Values,
    baseline: Values,
    new: Values,
    *,
    benchmark_sha256: str,
    baseline_model_sha256: str,
    new_model_sha256: str,
    secret: bytes = b"",
) -> tuple[CommittedColumn, CommittedColumn, CommittedColumn]:
    """Labels, baseline's and new model's predictions, ready to be opened. Arguments as in `commit`."""
    if not len(labels) == len(baseline) == len(new):
        raise InvalidInputError(
            f"Three columns of the same rows are committed to; they have {len(labels)}, {len(baseline)} and {len(new)}"
        )
    return (
        CommittedColumn.of("labels", labels, (benchmark_sha256,), secret),
        CommittedColumn.of("baseline", baseline, (benchmark_sha256, baseline_model_sha256), secret),
        CommittedColumn.of("new", new, (benchmark_sha256, new_model_sha256), secret),
    )


@dataclass(frozen=True)
class CommittedColumn:
    """A column with its salts and its tree.

    Attributes:
        values: The bytes of each row's value.
        salts: 16 bytes for each row, one after the other.
    """

    values: tuple[bytes, ...]
    salts: bytes

    @classmethod
    def of(cls, role: str, values: Values, context: tuple[str, ...], secret: bytes = b"") -> CommittedColumn:
        """The column in its `role` ("labels", "baseline" or "new").

        Args:
            role: What the column is.
            values: (n_rows,) class names or numbers.
            context: Digests, hex, of what it belongs to: the benchmark, and the model whose predictions it holds.
            secret: As in `commit`.
        """
        if not len(values):
            raise InvalidInputError("A commitment is to at least one row", where=role)
        texts = _texts(values)
        content = hashlib.sha256(struct.pack(f">{len(texts)}I", *map(len, texts)) + b"".join(texts))
        about = {
            "format": SCHEME,
            "column": role,
            "context": list(context),
            "rows": len(texts),
            "content": content.hexdigest(),
        }
        key = hmac.digest(_hmac_key(secret), canonical_json(about), "sha256")
        return cls(texts, hashlib.shake_256(key).digest(SALT_BYTES * len(texts)))

    @cached_property
    def root(self) -> bytes:
        """The commitment."""
        return self._tree.root

    def open(self, row: int) -> tuple[bytes, InclusionProof]:
        """The salt of a row, and the proof that its leaf is in the tree.

        Raises:
            InvalidInputError: There is no such row.
        """
        proof = self._tree.prove(row)
        return self.salts[row * SALT_BYTES :][:SALT_BYTES], proof

    @cached_property
    def _tree(self) -> MerkleTree:
        sha256 = sha256_for(SALT_BYTES + 1)  # looked up once: this loop is most of what a commitment costs
        salts, size = self.salts, SALT_BYTES
        leaves = [
            sha256(b"\x00" + salts[at : at + size] + value).digest()
            for at, value in zip(range(0, len(salts), size), self.values, strict=True)
        ]
        return MerkleTree(b"".join(leaves))


def leaf(salt: bytes, value: bytes) -> bytes:
    """The leaf of one row: SHA-256 of a zero byte, the salt and the value.

    Raises:
        InvalidInputError: The salt has another length, so that salt and value could be cut elsewhere.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidInputError(f"A salt has {SALT_BYTES} bytes, got {len(salt)}")
    return leaf_hash(salt + value)


def require_secret(secret: bytes) -> bytes:
    """A secret that somebody gave, which is one.

    Raises:
        InvalidInputError: It has fewer than 16 bytes.
    """
    if len(secret) < LEAST_SECRET:
        raise InvalidInputError(
            f"A secret has at least {LEAST_SECRET} bytes, got {len(secret)}",
            hint="Make one with: head -c 32 /dev/urandom > secret",
        )
    return secret


def value_bytes(value: str | float) -> bytes:
    """A class name in UTF-8, or a number as the RFC 8785 text of its double.

    Raises:
        InvalidInputError: The number is not finite, or the text has no UTF-8.

    >>> value_bytes("spam"), value_bytes(2.0), value_bytes(-0.0), value_bytes(1e-7)
    (b'spam', b'2', b'0', b'1e-7')
    """
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise InvalidInputError("A class name has a lone surrogate, which UTF-8 cannot hold") from exc
    text = repr(float(value))  # where it has no exponent, RFC 8785 writes the same, but for ".0"
    if "e" in text or "n" in text:
        return decimal_text(float(value)).encode()
    return b"0" if text == "-0.0" else text.removesuffix(".0").encode()


def _hmac_key(secret: bytes) -> bytes:
    """Another key for every secret: HMAC takes a short key and the same with zeros behind it for one."""
    if not secret:
        return b""
    return hashlib.sha256(struct.pack(">Q", len(secret)) + require_secret(secret)).digest()


def _texts(values: Values) -> tuple[bytes, ...]:
    different = {value for value in values if isinstance(value, str)}  # few, as a rule
    if not different:
        return tuple(map(value_bytes, values))
    encoded = {name: value_bytes(name) for name in different}
    try:
        return tuple([encoded[name] for name in values])  # type: ignore[index]  # a number is no key, which is found
    except KeyError as exc:
        raise InvalidInputError("A column is of class names or of numbers, not of both") from exc
