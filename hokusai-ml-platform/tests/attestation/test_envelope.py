"""DSSE by its own example, by another implementation, and by what it must refuse."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from hokusai.attestation.envelope import PAYLOAD_TYPE, Envelope, keyid, pae, sign, verify
from hokusai.errors import IntegrityError, InvalidInputError

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"another key for tests, 32 bytes.")


class TestFormat:
    def test_what_is_signed_is_the_example_of_the_protocol(self) -> None:
        assert pae("http://example.com/HelloWorld", b"hello world") == (
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        )

    def test_lengths_are_of_bytes(self) -> None:
        assert pae("é", "é".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"

    def test_the_key_id_is_the_digest_of_the_der_key(self, key: Ed25519PrivateKey) -> None:
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        der = bytes.fromhex("302a300506032b6570032100") + raw  # RFC 8410, section 4
        assert keyid(key.public_key()) == "sha256:" + hashlib.sha256(der).hexdigest()

    def test_the_same_statement_and_key_give_the_same_bytes(self, key: Ed25519PrivateKey) -> None:
        assert sign(b"{}", [key]).to_bytes() == sign(b"{}", [key]).to_bytes()

    def test_reading_is_the_inverse_of_writing(self, envelope: Envelope) -> None:
        assert Envelope.parse(envelope.to_bytes()) == envelope
        indented = json.dumps(json.loads(envelope.to_bytes()), indent=4).encode() + b"\n"
        assert Envelope.parse(indented) == envelope


class TestAgainstSecuresystemslib:
    def _their_key(self, key: Ed25519PrivateKey) -> SSlibKey:
        return SSlibKey.from_crypto(key.public_key(), keyid=keyid(key.public_key()))

    def test_it_verifies_our_bytes(self, envelope: Envelope, key: Ed25519PrivateKey) -> None:
        theirs = OtherEnvelope.from_dict(json.loads(envelope.to_bytes()))
        assert set(theirs.verify([self._their_key(key)], 1)) == {keyid(key.public_key())}
        assert theirs.payload == envelope.payload

    def test_we_verify_its_bytes(self, key: Ed25519PrivateKey) -> None:
        theirs = OtherEnvelope(b'{"some":"statement"}', PAYLOAD_TYPE, {})
        for each in (key, OTHER_KEY):
            theirs.sign(CryptoSigner(each, self._their_key(each)))
        read = Envelope.parse(json.dumps(theirs.to_dict()).encode())
        assert read.payload == b'{"some":"statement"}'
        assert len(verify(read, [key.public_key(), OTHER_KEY.public_key()], 2)) == 2

    def test_ours_is_theirs_to_the_byte(self, key: Ed25519PrivateKey) -> None:
        theirs = OtherEnvelope(b"payload", PAYLOAD_TYPE, {})
        theirs.sign(CryptoSigner(key, self._their_key(key)))
        assert json.loads(sign(b"payload", [key]).to_bytes()) == theirs.to_dict()


class TestSeveralSigners:
    def test_each_signer_counts_once(self, envelope: Envelope, key: Ed25519PrivateKey) -> None:
        both = envelope.signed_by(OTHER_KEY).signed_by(key)
        trusted = [key.public_key(), OTHER_KEY.public_key()]
        assert len(both.signatures) == 2
        assert set(verify(both, trusted, 2)) == {keyid(k) for k in trusted}
        with pytest.raises(IntegrityError, match="1 of 2 needed"):
            verify(envelope, trusted, 2)

    def test_a_signer_who_is_not_trusted_does_no_harm(
        self, envelope: Envelope, key: Ed25519PrivateKey
    ) -> None:
        assert verify(envelope.signed_by(OTHER_KEY), [key.public_key()]) == (keyid(key.public_key()),)

    def test_a_signer_who_is_not_trusted_does_not_count(self, envelope: Envelope) -> None:
        with pytest.raises(IntegrityError, match="is not trusted"):
            verify(envelope, [OTHER_KEY.public_key()])

    @pytest.mark.parametrize("threshold", [0, -1, 2])
    def test_the_threshold_must_be_one_that_can_be_met(self, envelope: Envelope, key, threshold: int) -> None:
        with pytest.raises(InvalidInputError, match=f"Cannot ask for {threshold}"):
            verify(envelope, [key.public_key(), key.public_key()], threshold)

    def test_signing_needs_a_key(self) -> None:
        with pytest.raises(InvalidInputError, match="at least one signing key"):
            sign(b"x", [])


def _changed(envelope: Envelope, **fields: object) -> bytes:
    return json.dumps({**json.loads(envelope.to_bytes()), **fields}).encode()


class TestParseRefuses:
    def test_a_file_that_is_too_long(self) -> None:
        with pytest.raises(IntegrityError, match="longer than"):
            Envelope.parse(b" " * (16 * 1024 * 1024 + 1))

    @pytest.mark.parametrize(
        "data", [b"", b"null", b"[]", b'"x"', b"{}", b"\x80", b"not json", b"[" * 100_000]
    )
    def test_what_is_no_envelope(self, data: bytes) -> None:
        with pytest.raises(IntegrityError, match="Not a"):
            Envelope.parse(data)

    def test_a_key_that_stands_twice(self, envelope: Envelope) -> None:
        text = envelope.to_bytes().decode()
        with pytest.raises(IntegrityError, match="stands twice"):
            Envelope.parse(text.replace('{"payload"', '{"payload":"e30=","payload"').encode())

    @pytest.mark.parametrize(
        "fields",
        [
            {"note": "not signed"},
            {"payload": 1},
            {"payload": "e30"},  # without padding
            {"payload": "e30=\n"},
            {"payload": "e3-_"},  # the URL alphabet
            {"payload": "e31="},  # bits that do not count are not zero
            {"payloadType": None},
            {"signatures": []},
            {"signatures": {}},
            {"signatures": ["x"]},
            {"signatures": [{"keyid": "k"}]},
            {"signatures": [{"keyid": "k", "sig": "e30="}]},
            {"signatures": [{"keyid": "", "sig": base64.b64encode(bytes(64)).decode()}]},
            {"signatures": [{"keyid": "\x1b[2J", "sig": base64.b64encode(bytes(64)).decode()}]},
            {"signatures": [{"keyid": "k", "sig": base64.b64encode(bytes(64)).decode(), "cert": "x"}]},
            {"signatures": [{"keyid": "k", "sig": base64.b64encode(bytes(64)).decode()}] * 2},
            {
                "signatures": [
                    {"keyid": f"{i}", "sig": base64.b64encode(bytes(64)).decode()} for i in range(65)
                ]
            },
        ],
    )
    def test_loose_forms(self, envelope: Envelope, fields: dict[str, object]) -> None:
        with pytest.raises(IntegrityError, match="Not a"):
            Envelope.parse(_changed(envelope, **fields))
