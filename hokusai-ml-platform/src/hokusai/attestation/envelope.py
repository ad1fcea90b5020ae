"""DSSE, the envelope that carries a statement with its signatures.

The signature covers the exact bytes and their type, so a verifier need not canonicalise anything before it
knows who signed. Several parties can sign one statement. Reading is stricter than DSSE asks: unknown fields,
doubled keys and loose base64 are refused, because what is not signed must not look as if it were.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.errors import IntegrityError, InvalidInputError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 16 * 1024 * 1024
"""Far above a usual attestation (3 kB to 1 MB), far below what exhausts memory."""

_SIGNATURE_BYTES = 64
_MAX_SIGNATURES = 64


class Signer(Protocol):
    """Whoever can sign with an Ed25519 key: the key itself, or what stands before one that is kept elsewhere."""

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of `data`, 64 bytes."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One party's signature: who is said to have made it, and its bytes."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its type and signatures. `Envelope.parse(x.to_bytes()) == x`."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The envelope as it stands in a file: canonical JSON."""
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode("ascii"),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode("ascii")}
                    for s in self.signatures
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """Read an envelope; blanks between its parts do not matter.

        Raises:
            IntegrityError: It is too long, not JSON, or has a field too many, too few or of the wrong type.
        """
        if len(data) > MAX_ENVELOPE_BYTES:
            raise IntegrityError(f"Not an attestation: longer than {MAX_ENVELOPE_BYTES} bytes")
        try:
            document = parse_json(data)
        except InvalidInputError as exc:
            raise IntegrityError(f"Not an attestation: {exc}") from exc
        payload, payload_type, signatures = _fields(document, ("payload", "payloadType", "signatures"), "$")
        if not isinstance(payload_type, str):
            raise IntegrityError("Not a DSSE envelope: the payload type must be text", where="$.payloadType")
        if not isinstance(signatures, list) or not 1 <= len(signatures) <= _MAX_SIGNATURES:
            raise IntegrityError(
                f"Not a DSSE envelope: expected 1 to {_MAX_SIGNATURES} signatures", where="$.signatures"
            )
        read = tuple(_signature(item, f"$.signatures[{i}]") for i, item in enumerate(signatures))
        if len({s.keyid for s in read}) < len(read):
            raise IntegrityError("Not a DSSE envelope: a key has signed twice", where="$.signatures")
        return cls(_base64(payload, "$.payload"), payload_type, read)

    def signed_by(self, key: Signer) -> Envelope:
        """This envelope with one more signature; a key that has signed already replaces its own.

        Raises:
            InvalidInputError: It has as many signatures as an envelope can carry.
        """
        public = key.public_key()
        made = Signature(keyid(public), key.sign(pae(self.payload_type, self.payload)))
        others = tuple(s for s in self.signatures if s.keyid != made.keyid)
        if len(others) >= _MAX_SIGNATURES:
            raise InvalidInputError(f"An attestation carries at most {_MAX_SIGNATURES} signatures")
        return Envelope(self.payload, self.payload_type, (*others, made))


def sign(payload: bytes, keys: Sequence[Signer]) -> Envelope:
    """An envelope around `payload`, signed by each of `keys`. Ed25519 is deterministic: so is it.

    Raises:
        InvalidInputError: No key is given.
    """
    if not keys:
        raise InvalidInputError("An attestation needs at least one signing key")
    envelope = Envelope(payload, PAYLOAD_TYPE, ())
    for key in keys:
        envelope = envelope.signed_by(key)
    return envelope


def verify(
    envelope: Envelope, trusted_keys: Sequence[Ed25519PublicKey], threshold: int = 1
) -> tuple[str, ...]:
    """The ids of the trusted keys that signed.

    A signature by a key that is not trusted is no fault, it only does not count: anybody may add one.

    Args:
        envelope: What was read.
        trusted_keys: Whose signature counts.
        threshold: How many different trusted keys must have signed.

    Raises:
        InvalidInputError: The threshold is below one or above the number of keys.
        IntegrityError: The payload has another type, or too few trusted keys signed it.
    """
    by_id = {keyid(key): key for key in trusted_keys}
    if not 1 <= threshold <= len(by_id):
        raise InvalidInputError(f"Cannot ask for {threshold} signatures of {len(by_id)} trusted keys")
    if envelope.payload_type != PAYLOAD_TYPE:
        raise IntegrityError(f"The payload type is {envelope.payload_type[:80]!r}, expected {PAYLOAD_TYPE!r}")
    message = pae(envelope.payload_type, envelope.payload)
    good: list[str] = []
    bad: list[str] = []
    for signature in envelope.signatures:
        key = by_id.get(signature.keyid)
        if key is not None:
            (good if _holds(key, signature.sig, message) else bad).append(signature.keyid)
    if len(good) < threshold:
        said = [f"the signature of {k} does not hold: the file was changed after signing" for k in bad]
        said += [f"{s.keyid[:80]} is not trusted" for s in envelope.signatures if s.keyid not in by_id]
        raise IntegrityError(f"{len(good)} of {threshold} needed trusted signatures: {'; '.join(said)}")
    return tuple(good)


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'

    References:
        secure-systems-lab/dsse, protocol.md, "Signature definition".
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def keyid(key: Ed25519PublicKey) -> str:
    """`sha256:` and the SHA-256 of the key's DER SubjectPublicKeyInfo, in hex."""
    return "sha256:" + sha256_hex(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _holds(key: Ed25519PublicKey, sig: bytes, message: bytes) -> bool:
    try:
        key.verify(sig, message)
    except InvalidSignature:
        return False
    return True


def _signature(item: object, where: str) -> Signature:
    key_id, sig = _fields(item, ("keyid", "sig"), where)
    if not isinstance(key_id, str) or not key_id.isprintable() or not key_id:
        raise IntegrityError("Not a DSSE envelope: the key id must be text", where=f"{where}.keyid")
    raw = _base64(sig, f"{where}.sig")
    if len(raw) != _SIGNATURE_BYTES:
        raise IntegrityError("Not an Ed25519 signature: expected 64 bytes", where=f"{where}.sig")
    return Signature(key_id, raw)


def _fields(document: object, names: tuple[str, ...], where: str) -> tuple[object, ...]:
    if not isinstance(document, dict):
        raise IntegrityError("Not a DSSE envelope: expected an object", where=where)
    if set(document) != set(names):
        got = ", ".join(sorted(map(repr, document)))
        raise IntegrityError(
            f"Not a DSSE envelope: expected exactly {', '.join(names)}; got {got[:200]}", where=where
        )
    return tuple(document[name] for name in names)


def _base64(text: object, where: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None or base64.b64encode(raw).decode("ascii") != text:
        raise IntegrityError("Not a DSSE envelope: expected standard base64 with padding", where=where)
    return raw
