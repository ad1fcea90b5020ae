"""SHA-256 of short messages, of which there are millions: rows, keys, nodes of a tree.

OpenSSL, which `hashlib` uses, hashes a long message twice as fast as CPython's own code, but takes a microsecond to
begin: three quarters of the time that a message of one block takes. Both give the same digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

SHORT_BYTES: Final = 183
"""The longest message of three blocks, padding included; from the fourth block on OpenSSL is faster."""


def sha256_for(length: int) -> Callable[[bytes], Any]:
    """The faster of the two makers of hash objects, for messages of about so many bytes.

    >>> sha256_for(3)(b"abc").hexdigest() == hashlib.sha256(b"abc").hexdigest()
    True
    """
    return _OWN if length <= SHORT_BYTES else hashlib.sha256


def _own() -> Callable[[bytes], Any]:
    for module in ("_sha2", "_sha256"):  # since Python 3.12, and before; a build may have neither
        try:
            found: Callable[[bytes], Any] = import_module(module).sha256
        except (ImportError, AttributeError):
            continue
        return found
    return hashlib.sha256


_OWN: Final = _own()
