"""Ethereum keys: sign a digest so that a contract can tell who did, and tell it oneself.

Signatures are 65 bytes, r, s and v, as contracts take them: v is 27 or 28, and s is in the lower half, since the other
half would give every signature a twin (EIP-2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.keccak import keccak_256
from hokusai.errors import ConfigurationError, IntegrityError
from hokusai.utils.extras import require
from hokusai.utils.files import read_secret

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1's group (SEC 2, version 2.0, section 2.4.1)."""

_MAX_KEY_BYTES = 1024
_HOW_TO_WRITE = "It is 32 bytes, written as 0x and 64 hex digits."


@dataclass(frozen=True, slots=True)
class EthereumKey:
    """A secp256k1 key; its secret is not shown by `repr`."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32 or not 0 < int.from_bytes(self.secret, "big") < ORDER:
            raise ConfigurationError("Not an Ethereum private key", hint=_HOW_TO_WRITE)

    @classmethod
    def parse(cls, text: str) -> EthereumKey:
        """The key that 64 hex digits are, with `0x` or without.

        Raises:
            ConfigurationError: They are none.
        """
        digits = text.strip().removeprefix("0x")
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        return cls(secret if len(digits) == 64 else b"")

    @classmethod
    def read(cls, path: Path) -> EthereumKey:
        """The key in a file that none but its owner may read.

        Raises:
            ConfigurationError: There is none, or others may read it.
        """
        text = read_secret(path, _MAX_KEY_BYTES, what="The Ethereum key", hint=_HOW_TO_WRITE)
        return cls.parse(text.decode("ascii", "replace"))

    @property
    def address(self) -> str:
        """Its account, in EIP-55 mixed case."""
        return _address(_coincurve().PrivateKey(self.secret).public_key)

    def sign(self, digest: bytes) -> bytes:
        """The 65 bytes r, s, v over a 32-byte digest; the same digest gives the same bytes (RFC 6979)."""
        compact: bytes = _coincurve().PrivateKey(self.secret).sign_recoverable(digest, hasher=None)
        return compact[:64] + bytes([compact[64] + 27])


def recover(digest: bytes, signature: bytes) -> str:
    """The account that signed a 32-byte digest, in EIP-55 mixed case.

    Raises:
        IntegrityError: It is no signature of that digest by anybody, or not in the form that contracts take.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise IntegrityError(
            "Not a signature that a contract takes: 65 bytes ending in 27 or 28 are expected"
        )
    if int.from_bytes(signature[32:64], "big") > ORDER // 2:
        raise IntegrityError(
            "Not a signature that a contract takes: its s is in the upper half of the group's order"
        )
    coincurve = _coincurve()
    try:
        compact = signature[:64] + bytes([signature[64] - 27])
        key = coincurve.PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as problem:  # the library has no error of its own for this
        raise IntegrityError("Nobody's signature of this digest") from problem
    return _address(key)


def _address(public: Any) -> str:
    uncompressed: bytes = public.format(compressed=False)
    return WalletAddress("0x" + keccak_256(uncompressed[1:])[-20:].hex()).checksummed


def _coincurve() -> Any:
    return require("coincurve", "eth")
