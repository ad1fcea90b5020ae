"""What stands around a match: the words and characters that tell a phone number from an order number.

Windows are short and stop at personal data that was already taken out, so that cleaning text twice changes nothing.
"""

from __future__ import annotations

import re

WINDOW_CHARACTERS = 30
"""How far a word may stand from the value that it explains."""
REMOVED = "\x1f"
"""Stands in the searched text for each character of a token or mask that an earlier cleaning left."""
CLAIMED = "\x1e"
"""Stands in the searched text for each character of a value that a more certain kind has claimed."""

Found = tuple[int, int, str]
"""Start, end (characters) and canonical form of one value."""


_FIRST_WITHOUT_BLANKS = "\u2e80"
_NUMBERED_THING = re.compile(
    r"(?i)\b(?:(?:order|invoice|tracking|ref|reference|serial|sku|timestamp|imei|isbn|issn|ean|upc|gtin|barcode|asin|doi"
    r"|uuid|hash|commit|ticket|bestell\w*|rechnung\w*|auftrag\w*|artikel\w*|commande|facture|pedido|factura)"
    r"(?:[ _-]?(?:id|no|nr|num|number|code|key))?\b[\s.:#=\"'()-]{0,4}(?:is )?"
    r"|(?:part|item|model|case|build|batch|lot|transaction|trace|request|session|job|product|article|device|build)"
    r"(?:[ _-]?(?:id|no|nr|num|number|code|key)\b[\s.:#=\"'()-]{0,4}(?:is )?|[ ]?[#:=][ ]?)"
    r"|(?:part|item|model|modell|mod[eè]le|modelo|modello|build|lot|product|article|device|version|type) )$"
)
"""What stands right before a number that numbers a thing."""


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
    if left and is_glued(left[-1]):
        return False
    # "card:4111…" is a label; "ab-4111" and "0.4111" are pieces.
    if len(left) == 2 and left[-1] in "-+" and is_glued(left[0]):
        return False
    if len(left) == 2 and left[-1] in "./,:" and left[0].isdigit():
        return False
    if right and is_glued(right[0]):
        return False
    return not (len(right) == 2 and right[0] in "-./:" and is_glued(right[1]))


def is_numbered_thing(words: str) -> bool:
    """Whether the words right before a number say that it numbers a thing.

    >>> is_numbered_thing("your order no. "), is_numbered_thing("in order to call ")
    (True, False)
    """
    return _NUMBERED_THING.search(words) is not None


def is_glued(character: str) -> bool:
    """Whether a character beside a number makes both one word. Chinese and Japanese leave no blanks, so theirs do not.

    >>> is_glued("a"), is_glued("_"), is_glued(""), is_glued("は")
    (True, True, False, False)
    """
    return character == "_" or (character.isalnum() and character < _FIRST_WITHOUT_BLANKS)
