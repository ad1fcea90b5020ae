"""The key that signs attestations: from the settings, or made on first use and kept.

An attestation is worth what its key is worth. The key never has a default: what is not configured is
generated, stays in one file that only its owner can read, and is announced once. The public half lies beside
it, to be given to whoever verifies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hokusai.attestation.envelope import Signer, keyid
from hokusai.attestation.signer_command import CommandSigner, parse_command
from hokusai.errors import ConfigurationError, InvalidInputError
from hokusai.utils.files import read_limited, read_secret, write_atomically

KEY_FILE = Path("keys") / "attestation-ed25519.pem"
"""Where in the home folder a generated key is kept; the public half has the suffix `.pub.pem`."""

_MAX_KEY_BYTES = 64 * 1024
_PEM_MARK = "-----BEGIN "
_HOW_TO_MAKE = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key, and where it came from.

    Attributes:
        signer: The key itself, or the command that holds it; not shown by `repr`.
        path: Its file; None if the settings gave its text, or a command holds it.
        generated: Whether it was made just now, which the user should be told.
    """

    signer: Signer = field(repr=False)
    path: Path | None
    generated: bool = False

    @property
    def origin(self) -> str:
        """Where it is, in words."""
        if isinstance(self.signer, CommandSigner):
            return f"held by the command {self.signer.command[0]}"
        return str(self.path) if self.path else "HOKUSAI_SIGNING_KEY"

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self.signer.public_key()

    @property
    def keyid(self) -> str:
        """The id that signatures by this key carry."""
        return keyid(self.public)


def load_signing_key(
    configured: str | None, home: Path, *, command: str | None = None, command_key: str | None = None
) -> SigningKey:
    """The key to sign with.

    Args:
        configured: From the settings: the PEM text of an Ed25519 private key, or the path of its file.
        home: The home folder; where nothing is configured, its key is used, and made if there is none.
        command: From the settings: a command that signs (`hokusai.attestation.signer_command`).
        command_key: From the settings: the command's public key, as PEM text or as the path of its file.

    Raises:
        ConfigurationError: The key is not an unencrypted Ed25519 private key in PEM, its file is missing,
            others than its owner may read it, or a command is configured beside it or without its public key.
        InvalidInputError: The home folder cannot be written.
    """
    if command is not None and command.strip():
        return _held_by_command(command, command_key, configured)
    if configured is not None and configured.strip():
        return _configured(configured.strip())
    path = home / KEY_FILE
    generated = not path.exists() and _generate(path)
    key = SigningKey(_read_private(path), path, generated)
    public = public_pem(key.public)
    beside = public_path(path)
    if not beside.exists() or beside.read_bytes() != public:
        write_atomically(beside, public)
    return key


def load_default_trust(
    configured: str | None, home: Path, *, command: str | None = None, command_key: str | None = None
) -> SigningKey | None:
    """The key that a verifier trusts if none is named: our own signing key, if there is one.

    Nothing is generated or written. A public half alone is nobody's own key: it may have come with a folder that
    was downloaded together with the attestation. So the private half must be there, as this user's own file.

    Raises:
        ConfigurationError: As `load_signing_key`; or the home's key is a link, or another user's.
    """
    if command is not None and command.strip():
        return _held_by_command(command, command_key, configured)
    if configured is not None and configured.strip():
        return _configured(configured.strip())
    path = home / KEY_FILE
    if not os.path.lexists(path):
        return None
    linked = path.is_symlink() or path.parent.is_symlink()
    if linked or path.stat().st_uid != os.getuid():
        raise ConfigurationError(
            f"The key in the home folder is {'a link' if linked else 'of another user'}, "
            "so that it is not trusted as our own",
            where=str(path),
            hint="Name the signer's public key with --key PUB.pem.",
        )
    return SigningKey(_read_private(path), path)


def load_public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key from a PEM file.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It holds no Ed25519 public key in PEM.
    """
    return parse_public_key(read_limited(path, _MAX_KEY_BYTES), str(path))


def parse_public_key(data: bytes, where: str) -> Ed25519PublicKey:
    """An Ed25519 public key from PEM text; `where` says in errors where it stood.

    Raises:
        InvalidInputError: It is no Ed25519 public key in PEM.
    """
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInputError(
            "Not an Ed25519 public key in PEM",
            where=where,
            hint="Give the .pub.pem file; `hokusai attest key` prints your own.",
        )
    return key


def public_path(path: Path) -> Path:
    """Where the public half of the key in `path` is kept.

    >>> public_path(Path("keys/attestation-ed25519.pem")).name
    'attestation-ed25519.pub.pem'
    """
    return path.with_suffix(".pub.pem")


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM (SubjectPublicKeyInfo)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """A private key as unencrypted PEM (PKCS #8)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder, so that two processes at once end with one key; the lock goes with the process."""
    handle = None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as exc:
        if handle is not None:
            os.close(handle)
        raise InvalidInputError(
            f"The folder for the signing key cannot be made: {exc.strerror}",
            where=str(folder),
            hint="Set HOKUSAI_HOME to a folder that may be written, or HOKUSAI_SIGNING_KEY to a key.",
        ) from exc
    try:
        yield
    finally:
        os.close(handle)


def _generate(path: Path) -> bool:
    """Make a key at `path` unless another process has done so meanwhile; whether it was made here."""
    with only_one(path.parent):
        if path.exists():
            return False
        write_atomically(path, private_pem(Ed25519PrivateKey.generate()), mode=0o600)
        return True


def _configured(text: str) -> SigningKey:
    if text.startswith(_PEM_MARK):
        # a variable in a .env file or a compose file cannot hold a line break, and has \n for it
        return SigningKey(_parse_private(text.replace("\\n", "\n").encode(), "HOKUSAI_SIGNING_KEY"), None)
    path = Path(text).expanduser()
    return SigningKey(_read_private(path), path)


def _held_by_command(command: str, public: str | None, configured: str | None) -> SigningKey:
    if configured is not None and configured.strip():
        raise ConfigurationError(
            "There are two keys to sign with: HOKUSAI_SIGNING_KEY and HOKUSAI_SIGNER_COMMAND",
            hint="Set one of them.",
        )
    if public is None or not public.strip():
        raise ConfigurationError(
            "The signer command's public key is not known",
            where="HOKUSAI_SIGNER_PUBLIC_KEY",
            hint="Set it to the PEM text of the public key, or to its file.",
        )
    text = public.strip()
    if text.startswith(_PEM_MARK):
        key = parse_public_key(text.replace("\\n", "\n").encode(), "HOKUSAI_SIGNER_PUBLIC_KEY")
    else:
        key = load_public_key(Path(text).expanduser())
    return SigningKey(CommandSigner(parse_command(command), key), None)


def _read_private(path: Path) -> Ed25519PrivateKey:
    data = read_secret(path, _MAX_KEY_BYTES, what="The signing key", hint=_HOW_TO_MAKE)
    return _parse_private(data, str(path))


def _parse_private(data: bytes, where: str) -> Ed25519PrivateKey:
    # The library's own text is not passed on: it may quote from the key.
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise ConfigurationError(
            "The signing key is encrypted", where=where, hint="Give it unencrypted, in a file with mode 0600."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "The signing key is not a private key in PEM", where=where, hint=_HOW_TO_MAKE
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError("The signing key is not an Ed25519 key", where=where, hint=_HOW_TO_MAKE)
    return key
