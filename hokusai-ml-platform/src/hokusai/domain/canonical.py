"""THE JSON form that is hashed or signed, and the one digest.

Two parties agree on a digest only if they agree on every byte. RFC 8785 (JSON Canonicalization Scheme)
fixes key order, escapes and number text, so nothing else in Hokusai serialises JSON for hashing. `parse_json`
is the strict way back: what it accepts has one meaning (no duplicate keys, no NaN, no integer that a double
cannot hold).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator

import rfc8785

from hokusai.errors import InvalidInputError

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly; larger ones are written as decimal text."""

MAX_DEPTH = 200
"""How deep lists and objects may be nested in what is read."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


def canonical_json(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Equal values give equal bytes, whatever the order of their keys; `parse_json` gives the value back.

    Args:
        value: None, bool, int, float, str, list or tuple, dict with str keys, nested as wanted.

    Raises:
        InvalidInputError: The value has no canonical form (NaN, infinity, an integer beyond 2^53, a key that
            is not text, a lone surrogate, another type, a cycle); `where` is the JSON path.

    >>> canonical_json({"b": 1.0, "a": "é"}).decode()
    '{"a":"é","b":1}'

    References:
        RFC 8785, JSON Canonicalization Scheme (JCS), sections 3.2.2 and 3.2.3.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself, at run time
    except ValueError as exc:  # its own errors, and UnicodeEncodeError for a surrogate in a key
        path, what = next(_troubles(value, "$"), ("$", str(exc)))
        raise InvalidInputError(f"Not representable as canonical JSON: {what}", where=path) from exc
    except RecursionError as exc:
        raise InvalidInputError(
            "Not representable as canonical JSON: nested too deeply, or contains itself", where="$"
        ) from exc


def parse_json(text: bytes) -> object:
    """Read JSON that must have exactly one meaning.

    Raises:
        InvalidInputError: Not UTF-8, not JSON, a key twice in one object, NaN or infinity, an integer that a
            double cannot hold, a lone surrogate, or nested too deeply.

    >>> parse_json(b'{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    _refuse_depth(text)
    try:
        value: object = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_exact,
        )
    except UnicodeDecodeError as exc:
        raise InvalidInputError(f"Not UTF-8 text: byte {exc.start} cannot be decoded") from exc
    except json.JSONDecodeError as exc:
        raise InvalidInputError(f"Not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}") from exc
    except RecursionError as exc:
        raise InvalidInputError("Not usable JSON: nested too deeply") from exc
    if b"\\ud" in text.lower():  # an escaped surrogate: half a pair is not text
        for path, what in _troubles(value, "$"):
            raise InvalidInputError(f"Not usable JSON: {what}", where=path)
    return value


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data`, as 64 lower-case hex digits.

    >>> sha256_hex(b"")[:16]
    'e3b0c44298fc1c14'
    """
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """The digest of a JSON value: SHA-256 of its canonical bytes, as hex.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return sha256_hex(canonical_json(value))


def require_sha256(text: str, what: str) -> str:
    """`text`, which must be 64 lower-case hex digits.

    Raises:
        InvalidInputError: It is not.
    """
    if not _SHA256.fullmatch(text):
        raise InvalidInputError(f"Not a SHA-256 digest in lower-case hex: {text[:80]!r}", where=what)
    return text


def _refuse_depth(text: bytes) -> None:
    """Refuse what is nested too deeply before it is read.

    The reader in C takes the stack that it needs, and stops at Python's limit of recursion; where a library has raised
    that limit, a text of brackets ends the process.
    """
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRUCTURE.finditer(text):
        mark = found[0]
        depth += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if depth > MAX_DEPTH:
            raise InvalidInputError("Not usable JSON: nested too deeply")


def _troubles(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Each (path, reason) for which `value` has no canonical form; walked only after a failure."""
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _troubles(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            trouble = _trouble(key) if isinstance(key, str) else f"it is {type(key).__name__}, not text"
            if trouble:
                yield path, f"the key {key!r}: {trouble}"
            else:
                yield from _troubles(item, f"{path}.{key}")
    elif trouble := _trouble(value):
        yield path, trouble


def _trouble(scalar: object) -> str:
    """Why a value that holds no others has no canonical form; empty if it has one."""
    match scalar:
        case None | bool():
            return ""
        case str():
            broken = any("\ud800" <= char <= "\udfff" for char in scalar)
            return "the text has a lone surrogate, which UTF-8 cannot hold" if broken else ""
        case int():
            beyond = abs(scalar) > MAX_SAFE_INTEGER
            return f"the integer {scalar} is beyond 2^53 - 1; write it as text" if beyond else ""
        case float():
            return "" if math.isfinite(scalar) else f"{scalar} is not a JSON number"
    return f"{type(scalar).__name__} is not a JSON type"


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInputError(f"Not usable JSON: the key {twice!r} stands twice in one object")
    return seen


def _refuse_constant(name: str) -> object:
    raise InvalidInputError(f"Not JSON: {name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidInputError(f"Not usable JSON: the number {text} does not fit a double")
    return number


def _exact(text: str) -> int | float:
    # 100000000000000000000 is how RFC 8785 writes the double 1e20: a float, then, or it could not be written
    # again.
    if len(text) <= 15:
        return int(text)
    as_float = float(text)
    if abs(as_float) <= MAX_SAFE_INTEGER:
        return int(text)
    if not math.isfinite(as_float) or rfc8785.dumps(as_float) != text.encode():
        raise InvalidInputError(f"Not usable JSON: the integer {text[:40]} does not fit a double")
    return as_float
