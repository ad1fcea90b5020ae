"""What stands around a match: the words and characters that tell a phone number from an order number.

Windows are short and stop at personal data that was already taken out, so that cleaning text twice changes nothing.
"""

from __future__ import annotations

import re

WINDOW_CHARACTERS = 30
"""How far a word may stand from the value that it explains."""
REMOVED = "\x1f"
"""Stands in the searched text for each character of a token or mask that an earlier cleaning left."""

Found = tuple[int, int, str]
"""Start, end (characters) and canonical form of one value."""


_NUMBERED_THING = re.compile(
    r"(?i)\b(?:order|invoice|tracking|track|ref(?:erence)?|serial|sku|part|item|model|ticket|case|build|batch|lot"
    r"|timestamp|imei|isbn|issn|ean|upc|gtin|barcode|asin|doi|transaction|trace|request|session|job|commit|hash"
    r"|uuid|product|article|bestell\w*|rechnung\w*|auftrag\w*|artikel\w*|commande|facture|pedido|factura)"
    r"(?:[ _-]?(?:id|no|nr|num|number|code|key))?\b[\s.:#=\"'()-]{0,4}(?:is )?$"
)


def before(text: str, start: int, width: int = WINDOW_CHARACTERS) -> str:
    """The characters before a match, as far as nothing was taken out of them.

    >>> before("phone: 12", 7)
    'phone: '
    """
    return text[max(0, start - width) : start].rpartition(REMOVED)[2]


def after(text: str, end: int, width: int = WINDOW_CHARACTERS) -> str:
    """The characters after a match, likewise.

    >>> after("12 is my phone", 2, 6)
    ' is my'
    """
    return text[end : end + width].partition(REMOVED)[0]


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a number is not a piece of something longer: a word, a decimal, a hyphenated code.

    >>> stands_alone("id 4111.", 3, 7), stands_alone("0.4111", 2, 6), stands_alone("ab-4111", 3, 7)
    (True, False, False)
    """
    left, right = text[max(0, start - 2) : start], text[end : end + 2]
    if left and _is_word(left[-1]):
        return False
    # "card:4111…" is a label; "ab-4111" and "0.4111" are pieces.
    if len(left) == 2 and (
        left[-1] in "-+" and _is_word(left[0]) or left[-1] in "./,:" and left[0].isdigit()
    ):
        return False
    if right and _is_word(right[0]):
        return False
    return not (len(right) == 2 and right[0] in "-./:" and _is_word(right[1]))


def is_numbered_thing(words: str) -> bool:
    """Whether the words right before a number say that it numbers a thing.

    >>> is_numbered_thing("your order no. "), is_numbered_thing("in order to call ")
    (True, False)
    """
    return _NUMBERED_THING.search(words) is not None


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
