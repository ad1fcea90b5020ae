"""Numbers of JSON as doubles, and those of which a double does not keep every digit.

JSON does not limit its numbers, and its readers round them without a word. Here what would be 0, infinite or rounded
is told from the rest. The rule for digits is that of CSV (`cell_types`): of more than 17 a number must be what its
double gives back.
"""

from __future__ import annotations

import math
import re

_FLOAT_DIGITS = 17
"""So many digits are enough for every double; what has more is rounded, or says no more than these."""
_SMALL_POWER = re.compile(rb"-0*(?:[2-9]|[1-9][0-9])[0-9]{2}")
_MANTISSA = re.compile(rb"(?:[:,\[ \t\r\n]-?|\A)[0-9.]+[eE]\Z")
_MANTISSA_BYTES = 64
_NOT_ZERO = re.compile("-?[0.]*[1-9]")
_MANY_ZEROS = b"0" * 100
"""With fewer behind the point and a power above -200, a number is far from the least that a double holds."""
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_ONE_MORE = b"0" * (_FLOAT_DIGITS + 1)
_BOTH_SIDES = "|".join(rf"[0-9]{{{n}}}\.[0-9]{{{_FLOAT_DIGITS - n}}}" for n in range(_FLOAT_DIGITS))
_MORE_DIGITS = (
    rf"[:,\[ \t\r\n]-?(?:0\.0*[1-9][0-9]{{{_FLOAT_DIGITS}}}"
    rf"|[1-9](?:{_BOTH_SIDES}|[0-9]{{{_FLOAT_DIGITS},}}[.eE]))"
)
"""A number of more digits with a point or an exponent; for Polars, which searches ten times as fast as `re`."""


class RoundedFloat(float):
    """The double next to a number of more digits than it gives back: so many `digits`."""

    digits: int


def read_float(text: str) -> float:
    """The number; infinite, as one that is too large, if it is so small that it would be 0.

    >>> type(read_float("0.12345678901234567")).__name__, type(read_float("0.123456789012345678")).__name__
    ('float', 'RoundedFloat')
    """
    number = float(text)
    if number == 0 and _NOT_ZERO.match(text):
        return math.inf
    digits = _digits(text)
    if len(digits) <= _FLOAT_DIGITS or not math.isfinite(number):
        return number
    if digits == _digits(f"{number:.{len(digits) - 1}e}"):
        return number
    rounded = RoundedFloat(number)
    rounded.digits = len(digits)
    return rounded


def may_lose_digits(text: bytes) -> bool:
    """Whether a number may stand in a JSON text of which a double does not keep every digit."""
    return _may_be_too_small(text) or _may_be_rounded(text)


def find_rounded(value: object) -> RoundedFloat | None:
    """A number that was rounded in a value, if there is one; without recursion, since lists may be nested deeply."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, RoundedFloat):
            return one
        if isinstance(one, list | dict):
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return None


def _may_be_too_small(text: bytes) -> bool:
    """Whether the fast parser may have made 0 of a number."""
    return _MANY_ZEROS in text or any(
        _MANTISSA.search(text[max(0, power.start() - _MANTISSA_BYTES) : power.start()])
        for power in _SMALL_POWER.finditer(text)
        if text[power.start() - 1 : power.start()] in (b"e", b"E")
    )


def _may_be_rounded(text: bytes) -> bool:
    import polars as pl

    if _ONE_MORE not in text.translate(_AS_ZEROS, b"."):
        return False
    return bool(pl.Series([text.decode()]).str.contains(_MORE_DIGITS).any())


def _digits(number: str) -> str:
    """Those before the exponent, from the first that is not zero to the last."""
    return number.lower().partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")
