"""Signing by somebody else's hand: a command that holds the key (a hardware module, a cloud KMS, another user's agent).

The command gets the bytes that are signed (DSSE's pre-authentication encoding) on its standard input and answers with
the Ed25519 signature, its 64 bytes or their base64. It is never given to a shell. What it answers is verified with the
public key that was named, before anybody sees it.
"""

from __future__ import annotations

import base64
import binascii
import shlex
import subprocess
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.domain.canonical import parse_json
from hokusai.errors import BackendUnavailableError, ConfigurationError, IntegrityError, InvalidInputError

TIMEOUT_SECONDS = 30.0
_SIGNATURE_BYTES = 64
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """An Ed25519 key that a command holds.

    Attributes:
        command: The program and its arguments.
        public: The public half, which every answer is held against.
        timeout_seconds: How long the command may take.
    """

    command: tuple[str, ...]
    public: Ed25519PublicKey
    timeout_seconds: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        if not self.command or not self.command[0]:
            raise ConfigurationError("The signer command names no program")

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return self.public

    def sign(self, data: bytes, /) -> bytes:
        """The signature of `data`, 64 bytes.

        Raises:
            ConfigurationError: There is no such program.
            BackendUnavailableError: It failed, or took too long.
            IntegrityError: Its answer is no signature of `data` by the named key.
        """
        name = self.command[0]
        try:
            done = subprocess.run(  # a list of arguments from the user's own settings, no shell
                self.command, input=data, capture_output=True, timeout=self.timeout_seconds, check=False
            )
        except OSError as exc:
            raise ConfigurationError(
                f"The signer command cannot be run: {exc.strerror}", where=name, hint="Give its whole path."
            ) from exc
        except subprocess.TimeoutExpired as exc:
            raise BackendUnavailableError(
                f"The signer command did not answer within {self.timeout_seconds:g} seconds", where=name
            ) from exc
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[:_SHOWN]
            raise BackendUnavailableError(
                f"The signer command ended with the exit code {done.returncode}{f': {said}' if said else ''}",
                where=name,
            )
        signature = _signature(done.stdout, name)
        try:
            self.public.verify(signature, data)
        except InvalidSignature as exc:
            raise IntegrityError(
                "The signer command's answer is no signature by the key that was named",
                where=name,
                hint="Look at HOKUSAI_SIGNER_PUBLIC_KEY, and sign the bytes themselves, not a digest of them.",
            ) from exc
        return signature


def parse_command(text: str) -> tuple[str, ...]:
    """The program and its arguments in a setting: a JSON list, or words as a shell would part them.

    Raises:
        ConfigurationError: It is neither.

    >>> parse_command("/opt/sign --key 'my key'"), parse_command('["/opt/sign", "a b"]')
    (('/opt/sign', '--key', 'my key'), ('/opt/sign', 'a b'))
    """
    try:
        words = parse_json(text.encode()) if text.lstrip().startswith("[") else shlex.split(text)
    except (InvalidInputError, ValueError) as exc:
        raise ConfigurationError(
            f"The signer command cannot be read: {exc}", where="HOKUSAI_SIGNER_COMMAND"
        ) from exc
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ConfigurationError("The signer command is not a list of words", where="HOKUSAI_SIGNER_COMMAND")
    return tuple(words)


def _signature(answer: bytes, name: str) -> bytes:
    if len(answer) == _SIGNATURE_BYTES:
        return answer
    try:
        raw = base64.b64decode(answer.strip(), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != _SIGNATURE_BYTES:
        raise IntegrityError(
            f"The signer command answered {len(answer)} bytes; expected a signature of {_SIGNATURE_BYTES} bytes, "
            "or its base64",
            where=name,
        )
    return raw
