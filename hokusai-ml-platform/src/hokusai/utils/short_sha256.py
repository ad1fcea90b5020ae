"""SHA-256 of short messages, of which there are millions: keys of rows, cells.

OpenSSL, which `hashlib` uses, hashes long messages faster than Python's own code, but allocates more before it begins:
of a message of one block that is most of the time. Both give the same digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

SHORT_BYTES: Final = 119
"""The longest message of two blocks, padding included; from three or four on OpenSSL is faster."""


def sha256_for(length: int) -> Callable[..., Any]:
    """The faster of the two makers of hash objects, for messages of about so many bytes.

    >>> sha256_for(3)(b"abc").hexdigest() == hashlib.sha256(b"abc").hexdigest()
    True
    """
    return _own() if length <= SHORT_BYTES else hashlib.sha256


def _own() -> Callable[..., Any]:
    for module in ("_sha2", "_sha256"):  # since Python 3.12, and before; a build of Python may have neither
        try:
            found: Callable[..., Any] = import_module(module).sha256
        except (ImportError, AttributeError):
            continue
        return found
    return hashlib.sha256
