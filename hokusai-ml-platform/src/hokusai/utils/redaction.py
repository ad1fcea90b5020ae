"""What must not be read in a log, an error text or a repr, and how it is blotted out.

One home for the rule, because a secret leaks through the one place that has its own copy of it. Wallet
addresses and token ids are public, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

_SECRET_KEY = re.compile(
    r"(^|[_.\-])(password|sslpassword|passwd|pwd|signature|secret|secrets|token|authorization|credentials?|pepper|salt)$"
    r"|[_.\-]key$",
    re.IGNORECASE,
)
_PUBLIC_KEYS = frozenset(
    {"public_key", "primary_key", "foreign_key", "cache_key", "sort_key", "partition_key"}
)
# A password may hold anything, a slash too; a port number before a path is none.
_URL_PASSWORD = re.compile(
    r"(?P<before>\b[a-z][a-z0-9+.\-]*://[^\s:/?#@\"']*:)(?!\d{1,5}[/?#])[^\s\"']+(?=@)", re.IGNORECASE
)
_URL_TOKEN = re.compile(r"(?P<before>\bhttps?://)[^\s:/?#@\"']+(?=@)", re.IGNORECASE)
_URL_OPTION = re.compile(r"(?P<before>[?&](?P<name>[\w.\-]+)=)[^\s&#\"']+")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret.

    >>> [is_secret_name(name) for name in ("api_key", "SECRET_KEY", "wallet", "token_id", "public_key")]
    [True, True, False, False, False]
    """
    return name.lower() not in _PUBLIC_KEYS and _SECRET_KEY.search(name) is not None


def redact(value: object, name: str = "") -> object:
    """`value` without the secrets in it: whole fields by their name, passwords inside URLs by their place.

    >>> redact({"api_key": "s3cret", "wallet": "0xab", "uri": "postgresql://me:pw@host/db"})
    {'api_key': '***', 'wallet': '0xab', 'uri': 'postgresql://me:***@host/db'}
    """
    if name and value is not None and is_secret_name(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return mask_url_passwords(value) if isinstance(value, str) else value


def mask_url_passwords(text: str) -> str:
    """`text` with the secrets of each URL in it replaced: a password, a token in its place, options named so.

    >>> mask_url_passwords("cannot reach redis://:hunter2@cache:6379/0")
    'cannot reach redis://:***@cache:6379/0'
    >>> mask_url_passwords("https://t0ken@host, postgresql://host/db?user=me&password=pw")
    'https://***@host, postgresql://host/db?user=me&password=***'
    """
    text = _URL_TOKEN.sub(rf"\g<before>{MASK}", _URL_PASSWORD.sub(rf"\g<before>{MASK}", text))
    return _URL_OPTION.sub(_masked_option, text)


def _masked_option(found: re.Match[str]) -> str:
    return found["before"] + MASK if is_secret_name(found["name"]) else found[0]
