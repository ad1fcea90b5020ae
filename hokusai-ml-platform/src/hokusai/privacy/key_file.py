"""The key behind the tokens: from the settings, or made on first use and kept in one file.

It has no default: whoever knows the key can try all phone numbers. Nor is it derived from a seed, which is printed in
every report. A token can be recomputed as long as the key exists, so to destroy the key is to forget the people.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hokusai.errors import ConfigurationError, InvalidInputError, NotFoundError
from hokusai.privacy.tokens import KEY_BYTES, Tokenizer
from hokusai.utils.files import read_limited, require_private

KEY_FILE = Path("keys") / "pii.key"
"""Where in the home folder a generated key is kept, as hexadecimal text."""

_MOST_BYTES = 4096
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE64 = re.compile(r"[0-9A-Za-z+/]{8,}={1,2}")  # padded, as 16, 32 and 64 bytes are: so it is no path
_HOW_TO_MAKE = "Make one with: openssl rand -hex 32"


@dataclass(frozen=True, slots=True)
class PiiKey:
    """A tokenizer, and where its key came from.

    Attributes:
        tokenizer: Made with the key.
        path: The key's file; None if the settings gave its text.
        generated: Whether it was made just now, which the user should be told.
    """

    tokenizer: Tokenizer
    path: Path | None
    generated: bool = False


def load_pii_key(configured: str | None, home: Path) -> PiiKey:
    """The key for personal data.

    Args:
        configured: From the settings: the key in hexadecimal or padded base 64, or the path of a file with such text.
        home: The home folder; without `configured`, its key is used, and made if there is none.

    Raises:
        ConfigurationError: The key is too short or no such text, its file is missing, or others than its owner may
            read it.
        InvalidInputError: The home folder cannot be written.
    """
    given = (configured or "").strip()
    if given:
        key = _key(given)
        if key is not None:
            return PiiKey(Tokenizer(key), None)
        path = Path(given).expanduser()
        # what cannot be read is not told: it may be a key with a slip of the pen in it
        return PiiKey(Tokenizer(_read(path, where="HOKUSAI_PII_KEY")), path)
    path = home / KEY_FILE
    generated = not path.exists() and _generate(path)
    return PiiKey(Tokenizer(_read(path, where=str(path))), path, generated)


def _key(text: str) -> bytes | None:
    """The bytes that the text stands for; None if it is neither hexadecimal nor padded base 64."""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _BASE64.fullmatch(text):
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            return None
    return None


def _read(path: Path, *, where: str) -> bytes:
    try:
        text = read_limited(path, _MOST_BYTES).decode("ascii", "replace").strip()
    except (NotFoundError, InvalidInputError, OSError) as exc:
        why = exc.what if isinstance(exc, NotFoundError | InvalidInputError) else str(exc.strerror)
        raise ConfigurationError(
            "What is given as the key for personal data is none: it is neither hexadecimal nor padded base 64, "
            f"and it names no file that can be read: {why[:1].lower()}{why[1:]}",
            where=where,
            hint=_HOW_TO_MAKE,
        ) from None
    require_private(path, what="The key for personal data")
    key = _key(text)
    if key is None:
        raise ConfigurationError(
            "The key for personal data is neither hexadecimal nor base 64", where=str(path), hint=_HOW_TO_MAKE
        )
    return key


def _generate(path: Path) -> bool:
    """Make a key at `path`, unless another process does so meanwhile; whether it was made here.

    The whole file gets its name in one step that fails if the name is taken: nobody reads half a key, and of two
    processes one makes it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".pii-", suffix=".tmp")  # with mode 0600
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_hex(KEY_BYTES) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.link(name, path)
        finally:
            Path(name).unlink()
    except FileExistsError:
        return False
    except OSError as exc:
        raise InvalidInputError(
            f"The key for personal data cannot be made: {exc.strerror}",
            where=str(path),
            hint="Set HOKUSAI_HOME to a folder that may be written, or HOKUSAI_PII_KEY to a key.",
        ) from exc
    return True
