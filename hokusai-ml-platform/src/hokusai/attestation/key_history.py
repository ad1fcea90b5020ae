"""The keys that signed before: kept for those who verify, when a new key signs from now on.

A history is a file beside the key, and a file can come from anybody. So it is a signed document itself: it counts only
if our own key, whose private half is at hand, has signed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hokusai.attestation.envelope import Envelope, Signature, Signer, keyid, pae
from hokusai.attestation.keys import (
    KEY_FILE,
    SigningKey,
    load_default_trust,
    only_one,
    parse_public_key,
    private_pem,
    public_path,
    public_pem,
)
from hokusai.attestation.node import Node
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.errors import HokusaiError, IntegrityError, NotFoundError
from hokusai.utils.files import read_limited, write_atomically

HISTORY_FILE = KEY_FILE.with_name("attestation-history.json")
"""Where in the home folder the history is kept."""

PAYLOAD_TYPE = "application/vnd.hokusai.key-history+json"
FORMAT = "hokusai-key-history-v1"
_MAX_BYTES = 1 << 20


def rotate(home: Path) -> tuple[SigningKey, tuple[Ed25519PublicKey, ...]]:
    """Make a new key that signs from now on; the old one's public half goes into the history, its private half away.

    The history is written first and signed by both keys, so that it holds at whatever point this is interrupted.

    Returns:
        The new key, and all earlier ones, the oldest first.

    Raises:
        NotFoundError: There is no key yet.
        ConfigurationError: The key in the home folder cannot be used.
        IntegrityError: The history that is there was not signed by the key.
    """
    path = home / KEY_FILE
    with only_one(path.parent):
        old = load_default_trust(None, home)
        if old is None:
            raise NotFoundError(
                "There is no key that could be followed by another",
                where=str(path),
                hint="`hokusai attest key` makes the first one.",
            )
        earlier = (*earlier_keys(home, old), old.public)
        new = Ed25519PrivateKey.generate()
        write_atomically(home / HISTORY_FILE, _history(earlier, (new, old.signer)))
        write_atomically(path, private_pem(new), mode=0o600)
        write_atomically(public_path(path), public_pem(new.public_key()))
    return SigningKey(new, path, generated=True), earlier


def earlier_keys(home: Path, key: SigningKey) -> tuple[Ed25519PublicKey, ...]:
    """The keys that signed before `key`, the oldest first; none if there is no history.

    Raises:
        IntegrityError: There is one, but `key` has not signed it.
        InvalidInputError: It cannot be read.
    """
    path = home / HISTORY_FILE
    try:
        data = read_limited(path, _MAX_BYTES)
    except NotFoundError:
        return ()
    try:
        envelope = Envelope.parse(data)
        signatures = {signature.keyid: signature.sig for signature in envelope.signatures}
        if envelope.payload_type != PAYLOAD_TYPE or key.keyid not in signatures:
            raise IntegrityError("our own key has not signed it")
        key.public.verify(signatures[key.keyid], pae(PAYLOAD_TYPE, envelope.payload))
        top = Node(parse_json(envelope.payload), document="key history").only("format", "keys")
        if top["format"].value != FORMAT:
            raise top["format"].wrong(f"expected {FORMAT!r}")
        found = tuple(
            parse_public_key(node.text().encode(), f"{path}, {node.path}") for node in top["keys"].items()
        )
    except (HokusaiError, InvalidSignature) as exc:
        why = exc.what if isinstance(exc, HokusaiError) else "its signature does not hold"
        raise IntegrityError(
            f"The key history does not count: {why}",
            where=str(path),
            hint="If you have not put it there, move it away.",
        ) from exc
    return tuple(one for one in found if keyid(one) != key.keyid)


def _history(keys: Sequence[Ed25519PublicKey], signers: Sequence[Signer]) -> bytes:
    payload = canonical_json({"format": FORMAT, "keys": [public_pem(key).decode("ascii") for key in keys]})
    message = pae(PAYLOAD_TYPE, payload)
    signatures = tuple(Signature(keyid(key.public_key()), key.sign(message)) for key in signers)
    return Envelope(payload, PAYLOAD_TYPE, signatures).to_bytes() + b"\n"
