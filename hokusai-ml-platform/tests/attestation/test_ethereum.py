"""Signatures for Ethereum, held against eth-account."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from hokusai.attestation.ethereum import ORDER, EthereumKey, recover
from hokusai.errors import ConfigurationError, IntegrityError

KEY = EthereumKey(bytes(range(1, 33)))
DIGEST = bytes(range(32))


@given(secret=st.integers(1, ORDER - 1), digest=st.binary(min_size=32, max_size=32))
def test_address_signature_and_recovery_are_those_of_eth_account(secret: int, digest: bytes) -> None:
    key = EthereumKey(secret.to_bytes(32, "big"))
    known = Account.from_key(key.secret)
    signature = key.sign(digest)
    assert key.address == known.address
    assert signature == bytes(known.unsafe_sign_hash(digest).signature)
    assert recover(digest, signature) == known.address


def test_the_other_signature_of_the_same_digest_is_refused() -> None:
    signature = KEY.sign(DIGEST)
    high = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes([27 + 28 - signature[64]])
    # it is a valid signature of the same key, which is what makes it dangerous
    assert Account._recover_hash(DIGEST, signature=twin) == KEY.address
    with pytest.raises(IntegrityError, match="upper half"):
        recover(DIGEST, twin)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        bytes(66),
        bytes(65),
        b"\xff" * 32 + b"\x01" * 32 + b"\x1b",
        KEY.sign(DIGEST)[:64] + b"\x00",
    ],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(IntegrityError):
        recover(DIGEST, signature)


@pytest.mark.parametrize("place", range(65))
def test_a_signature_with_a_changed_byte_is_not_its_signers(place: int) -> None:
    changed = bytearray(KEY.sign(DIGEST))
    changed[place] ^= 1
    try:
        signer = recover(DIGEST, bytes(changed))
    except IntegrityError:
        return
    assert signer != KEY.address


@pytest.mark.parametrize("text", ["", "0x", "0x12", "zz" * 32, "00" * 32, f"{ORDER:064x}", "0x" + "11" * 33])
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        EthereumKey.parse(text)
    assert not text.strip("0x") or text not in str(caught.value)


def test_a_key_is_read_from_a_file_that_none_but_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "attester.key"
    path.write_text("0x" + KEY.secret.hex() + "\n")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="may be read by others"):
        EthereumKey.read(path)
    path.chmod(0o600)
    assert EthereumKey.read(path) == KEY
    assert KEY.secret.hex() not in repr(KEY)
