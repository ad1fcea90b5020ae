"""Signing keys: configured or made once, readable by their owner alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from hokusai.attestation.envelope import keyid
from hokusai.attestation.keys import (
    KEY_FILE,
    load_default_trust,
    load_public_key,
    load_signing_key,
    private_pem,
    public_path,
    public_pem,
)
from hokusai.errors import ConfigurationError, InvalidInputError, NotFoundError


def _pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


class TestMadeOnFirstUse:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        first = load_signing_key(None, tmp_path / "home")
        second = load_signing_key(None, tmp_path / "home")
        assert (first.generated, second.generated) == (True, False)
        assert first.keyid == second.keyid
        assert first.path == second.path == tmp_path / "home" / "keys" / "attestation-ed25519.pem"

    def test_only_the_owner_reads_it_and_the_public_half_lies_beside_it(self, tmp_path: Path) -> None:
        key = load_signing_key(None, tmp_path)
        assert key.path is not None
        assert key.path.stat().st_mode & 0o777 == 0o600
        assert key.path.parent.stat().st_mode & 0o777 == 0o700
        beside = tmp_path / "keys" / "attestation-ed25519.pub.pem"
        assert keyid(load_pem_public_key(beside.read_bytes())) == key.keyid
        assert sorted(p.name for p in key.path.parent.iterdir()) == [
            "attestation-ed25519.pem",
            "attestation-ed25519.pub.pem",
        ]

    def test_a_wrong_public_half_is_put_right(self, tmp_path: Path) -> None:
        key = load_signing_key(None, tmp_path)
        beside = public_path(tmp_path / KEY_FILE)
        for wrong in (b"", public_pem(Ed25519PrivateKey.generate().public_key())):
            beside.write_bytes(wrong)
            load_signing_key(None, tmp_path)
            assert keyid(load_public_key(beside)) == key.keyid

    def test_is_not_shown(self, tmp_path: Path) -> None:
        assert "Ed25519PrivateKey" not in repr(load_signing_key(None, tmp_path))

    def test_processes_at_once_end_with_one_key(self, tmp_path: Path) -> None:
        program = (
            "import sys, pathlib\n"
            "from hokusai.attestation.keys import load_signing_key\n"
            "sys.stdin.read()\n"  # until all are ready
            "key = load_signing_key(None, pathlib.Path(sys.argv[1]))\n"
            "print(key.keyid, key.generated)\n"
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(6)
        ]
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        said = [process.communicate(timeout=120)[0].split() for process in running]
        assert len({key_id for key_id, _ in said}) == 1
        assert sorted(generated for _, generated in said) == ["False"] * 5 + ["True"]

    def test_a_home_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")
        with pytest.raises(
            InvalidInputError, match=r"folder for the signing key cannot be made.*HOKUSAI_HOME"
        ):
            load_signing_key(None, tmp_path / "home")


class TestConfigured:
    @pytest.mark.parametrize("escape", [False, True])
    def test_as_text(self, tmp_path: Path, escape: bool) -> None:
        key = Ed25519PrivateKey.generate()
        text = private_pem(key).decode()
        loaded = load_signing_key(text.replace("\n", "\\n") if escape else text, tmp_path)
        assert loaded.keyid == keyid(key.public_key())
        assert (loaded.path, loaded.generated) == (None, False)
        assert list(tmp_path.iterdir()) == []

    def test_as_a_path(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        path.write_bytes(private_pem(Ed25519PrivateKey.generate()))
        path.chmod(0o600)
        assert load_signing_key(str(path), tmp_path / "home").path == path

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
    def test_refuses_a_file_that_others_can_use(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "key.pem"
        path.write_bytes(private_pem(Ed25519PrivateKey.generate()))
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match=rf"mode {mode:04o}.*chmod 600"):
            load_signing_key(str(path), tmp_path)

    def test_refuses_a_generated_file_that_others_can_use(self, tmp_path: Path) -> None:
        load_signing_key(None, tmp_path)
        (tmp_path / KEY_FILE).chmod(0o644)
        with pytest.raises(ConfigurationError, match="read by others"):
            load_signing_key(None, tmp_path)

    def test_a_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"no such file .*openssl genpkey"):
            load_signing_key(str(tmp_path / "gone.pem"), tmp_path)

    @pytest.mark.parametrize(
        ("pem", "reason"),
        [
            (_pem(generate_private_key(SECP256R1())), "not an Ed25519 key"),
            (_pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")), "is encrypted"),
            (public_pem(Ed25519PrivateKey.generate().public_key()), "not a private key"),
            (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "not a private key"),
        ],
    )
    def test_anything_but_a_plain_ed25519_key(self, tmp_path: Path, pem: bytes, reason: str) -> None:
        with pytest.raises(ConfigurationError, match=reason) as caught:
            load_signing_key(pem.decode(), tmp_path)
        assert "c2VjcmV0" not in str(caught.value)
        assert caught.value.__cause__ is None


class TestTrust:
    def test_is_our_own_key(self, tmp_path: Path) -> None:
        key = load_signing_key(None, tmp_path)
        trusted = load_default_trust(None, tmp_path)
        assert trusted is not None
        assert (trusted.keyid, trusted.path) == (key.keyid, tmp_path / KEY_FILE)

    def test_is_nobodys_whose_public_half_alone_is_there(self, tmp_path: Path) -> None:
        """Whoever sends a folder with an attestation can put a public key into it."""
        load_signing_key(None, tmp_path)
        (tmp_path / KEY_FILE).unlink()
        assert public_path(tmp_path / KEY_FILE).exists()
        assert load_default_trust(None, tmp_path) is None

    def test_is_what_the_private_half_says_and_not_the_public_one(self, tmp_path: Path) -> None:
        key = load_signing_key(None, tmp_path)
        beside = public_path(tmp_path / KEY_FILE)
        beside.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
        trusted = load_default_trust(None, tmp_path)
        assert trusted is not None
        assert trusted.keyid == key.keyid
        beside.unlink()
        load_default_trust(None, tmp_path)
        assert not beside.exists()

    @pytest.mark.parametrize("linked", [KEY_FILE, KEY_FILE.parent])
    def test_is_no_link_to_a_key(self, tmp_path: Path, linked: Path) -> None:
        load_signing_key(None, tmp_path / "other")
        link = tmp_path / "home" / linked
        link.parent.mkdir(parents=True)
        link.symlink_to(tmp_path / "other" / linked)
        with pytest.raises(ConfigurationError, match=r"is a link.*--key PUB\.pem"):
            load_default_trust(None, tmp_path / "home")

    def test_is_no_key_of_another_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        load_signing_key(None, tmp_path)
        monkeypatch.setattr("os.getuid", lambda: 12345678)
        with pytest.raises(ConfigurationError, match=r"of another user.*--key PUB\.pem"):
            load_default_trust(None, tmp_path)

    def test_is_no_key_that_others_can_read(self, tmp_path: Path) -> None:
        load_signing_key(None, tmp_path)
        (tmp_path / KEY_FILE).chmod(0o644)
        with pytest.raises(ConfigurationError, match=r"chmod 600"):
            load_default_trust(None, tmp_path)

    def test_is_the_configured_key_if_there_is_one(self, tmp_path: Path) -> None:
        load_signing_key(None, tmp_path)
        key = Ed25519PrivateKey.generate()
        trusted = load_default_trust(private_pem(key).decode(), tmp_path)
        assert trusted is not None
        assert trusted.keyid == keyid(key.public_key())

    def test_is_nobody_without_a_key_and_makes_none(self, tmp_path: Path) -> None:
        assert load_default_trust(None, tmp_path) is None
        assert list(tmp_path.iterdir()) == []


class TestPublicKey:
    @pytest.mark.parametrize(
        "pem",
        [
            b"",
            b"hello",
            private_pem(Ed25519PrivateKey.generate()),
            generate_private_key(SECP256R1())
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ],
    )
    def test_refuses_what_is_none(self, tmp_path: Path, pem: bytes) -> None:
        (tmp_path / "k.pem").write_bytes(pem)
        with pytest.raises(InvalidInputError, match="Not an Ed25519 public key"):
            load_public_key(tmp_path / "k.pem")

    def test_a_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match="no such file"):
            load_public_key(tmp_path / "k.pem")
