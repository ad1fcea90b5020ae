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
import tempfile
import threading
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.domain.canonical import parse_json
from hokusai.errors import BackendUnavailableError, ConfigurationError, IntegrityError, InvalidInputError

TIMEOUT_SECONDS = 30.0
_SIGNATURE_BYTES = 64
_SHOWN = 200
_MOST_BYTES = 64 * 1024


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
        code, answer, complaint = self._ask(data)
        if code:
            said = complaint.decode("utf-8", "replace").strip()[:_SHOWN]
            raise BackendUnavailableError(
                f"The signer command ended with the exit code {code}{f': {said}' if said else ''}",
                where=name,
            )
        signature = _signature(answer, name)
        try:
            self.public.verify(signature, data)
        except InvalidSignature as exc:
            raise IntegrityError(
                "The signer command's answer is no signature by the key that was named",
                where=name,
                hint="Look at HOKUSAI_SIGNER_PUBLIC_KEY, and sign the bytes themselves, not a digest of them.",
            ) from exc
        return signature

    def _ask(self, data: bytes) -> tuple[int, bytes, bytes]:
        """(exit code, answer, complaints) of the command; of what it says no more is read than an answer can be."""
        name = self.command[0]
        complaints: list[bytes] = []
        with tempfile.TemporaryFile() as asked:  # a pipe could be full before the command has read it
            asked.write(data)
            asked.seek(0)
            try:
                process = subprocess.Popen(  # a list of arguments from the user's own settings, no shell
                    self.command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
            except OSError as exc:
                raise ConfigurationError(
                    f"The signer command cannot be run: {exc.strerror}",
                    where=name,
                    hint="Give its whole path.",
                ) from exc
        with process:
            out, err = process.stdout, process.stderr
            if out is None or err is None:
                raise AssertionError("pipes were asked for")
            late = threading.Event()

            def give_up() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(self.timeout_seconds, give_up)
            reader = threading.Thread(target=lambda: complaints.append(err.read(_MOST_BYTES)), daemon=True)
            timer.start()
            reader.start()
            try:
                answer = out.read(_MOST_BYTES)
                if len(answer) == _MOST_BYTES:
                    process.kill()
                code = process.wait()
                reader.join()
            finally:
                timer.cancel()
        if late.is_set():
            raise BackendUnavailableError(
                f"The signer command did not answer within {self.timeout_seconds:g} seconds", where=name
            )
        if len(answer) == _MOST_BYTES:
            raise IntegrityError("The signer command says far more than a signature", where=name)
        return code, answer, complaints[0]


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
