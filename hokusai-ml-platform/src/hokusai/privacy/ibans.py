"""International bank account numbers in text: the country's length and the check digits of ISO 13616."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.checksums import mod97
from hokusai.privacy.context import Found, is_glued

_PARTED_START = r"[A-Za-z]{2} [0-9]{2} [0-9A-Za-z]{4} [0-9]"
"""Where a blank stands behind the country, one stands behind each group: `in 2024 we saw` is none."""
GATE = rf"[A-Za-z]{{2}}[0-9]{{2}}(?:[ .-]?[0-9A-Za-z]){{6}}|{_PARTED_START}"
"""Longer counts would let fewer rows through, and make the quick pass over all rows slower."""
LENGTHS = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}
"""Country to length.

References:
    SWIFT, IBAN Registry, release 98.
"""
_DIGITS = re.compile(r"[0-9]{2,}")
_START = re.compile(r"\b[A-Za-z]{2}[0-9]{2}", re.ASCII)
_PARTED = re.compile(rf"\b{_PARTED_START}", re.ASCII)
_SEPARATED = re.compile(r"[ .-]?[0-9A-Za-z]+")


def spans(text: str) -> Iterator[Found]:
    """The account numbers in a text; the canonical form is in upper case without blanks.

    >>> list(spans("to DE89 3704 0044 0532 0130 00 please"))
    [(3, 30, 'DE89370400440532013000')]
    """
    for digits in _DIGITS.finditer(text):
        parted = text[digits.start() - 1 : digits.start()] == " "
        start = digits.start() - 2 - parted
        if start < 0 or not (_PARTED if parted else _START).match(text, start):
            continue
        code, used = text[start : start + 2].upper() + digits[0][:2], 4 + parted
        length = LENGTHS.get(code[:2])
        if length is None:
            continue
        written = text[start : start + 2 * length]
        while len(code) < length and (piece := _SEPARATED.match(written, used)):
            code += piece[0].lstrip(" .-").upper()
            used = piece.end()
        end = start + used
        if len(code) == length and not is_glued(text[end : end + 1]) and is_iban(code):
            yield start, end, code


def is_iban(code: str) -> bool:
    """Whether this is an account number: upper case, no blanks, of its country's length, check digits right.

    >>> is_iban("DE89370400440532013000"), is_iban("DE89370400440532013001"), is_iban("XX89370400440532013000")
    (True, False, False)
    """
    return (
        LENGTHS.get(code[:2]) == len(code)
        and code.isascii()
        and code.isalnum()
        and code[2:4].isdigit()
        and sum(map(str.isdigit, code)) >= 8
        and mod97(code)
    )
