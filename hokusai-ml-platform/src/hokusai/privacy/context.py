"""What stands around a match: the words and characters that tell a phone number from an order number.

Windows are short and stop at personal data that was already taken out, so that cleaning text twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

WINDOW_CHARACTERS = 30
"""How far a word may stand from the value that it explains."""
REMOVED = "\x1f"
"""Stands in the searched text for each character of a token or mask that an earlier cleaning left."""
CLAIMED = "\x1e"
"""Stands in the searched text for each character of a value that a more certain kind has claimed."""

Found = tuple[int, int, str]
"""Start, end (characters) and canonical form of one value."""
_WHOLE_NUMBERS = re.compile(r"[0-9]+(?: +[0-9]+)*")
_BESIDE_GROUPS = re.compile(rf"(?: {{1,8}}-?(?:[0-9]+|[{CLAIMED}{REMOVED}]+)-?)*")
_BESIDE_ONE_PIECE = re.compile(rf"(?:[ \t\r\n,;|]{{1,8}}-?(?:[0-9]+|[{CLAIMED}{REMOVED}]+)-?)*")
"""Further numbers, read away from a value on either side; other values are blotted out, or taken out already."""
_NUMBER = re.compile(r"[0-9]+")
_BLOT = re.compile(f"[{CLAIMED}{REMOVED}]+")
_LONG_LIST = re.compile(r"\b[0-9]{1,7}(?: {1,8}[0-9]{1,7}){12,}\b", re.ASCII)
_LIST_CHARACTERS = 120
MOST_BESIDE = 3
"""So many numbers as long as its groups stand beside a value in life: a postcode, pieces of a phone."""


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


def outside_lists(text: str, is_kept: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Start and end of what is to be looked through: all but long lists of short whole numbers, told at a glance.

    Args:
        text: What is looked through.
        is_kept: Whether to look through the list with that start and end too: it begins with a value or is named so.

    >>> list(outside_lists("tokens " + "2054 " * 20 + "of 4111", lambda start, end: False))
    [(0, 7), (106, 114)]
    """
    at = 0
    for found in _LONG_LIST.finditer(text):
        if not is_kept(found.start(), found.end()):
            yield at, found.start()
            at = found.end()
    yield at, len(text)


def unlisted(text: str, values: list[Found]) -> set[int]:
    """Where those of some values start that are no pieces of longer lists of whole numbers (token ids, pixels, counts).

    What stands around one and is a value itself makes no list: cards may stand side by side, also with codes between.

    Args:
        text: What they stand in.
        values: All values of one sort in it, none overlapping, by start.

    >>> text = "4111 1111 1111 1111 5500 0000 0000 0004"
    >>> unlisted(text, [(0, 19, "a"), (20, 39, "b")]), unlisted(text, [(0, 19, "a")])
    ({0, 20}, set())
    """
    blotted = text
    if len(values) > 1:
        pieces: list[str] = []
        at = 0
        for start, end, _ in values:
            pieces += (text[at:start], CLAIMED * (end - start))
            at = end
        blotted = "".join((*pieces, text[at:]))
    return {start for start, end, _ in values if not _is_listed(text[start:end], blotted, start, end)}


def _is_listed(value: str, text: str, start: int, end: int) -> bool:
    """Whether more numbers as long as its longest group go on beside a value than stand there in life."""
    if not _WHOLE_NUMBERS.fullmatch(value):
        return False
    groups = value.split()
    beside = _BESIDE_GROUPS if len(groups) > 1 else _BESIDE_ONE_PIECE
    least = max(map(len, groups))
    window = _LIST_CHARACTERS
    sides = (text[end : end + window], text[max(0, start - window) : start][::-1])
    run = " ".join(found[0] for side in sides if (found := beside.match(side)))
    numbers = _NUMBER.findall(run)
    further = sum(len(number) >= least for number in numbers)
    return further > MOST_BESIDE and len(_BLOT.findall(run)) * len(groups) <= len(numbers)


def is_glued(character: str) -> bool:
    """Whether a character beside a number makes both one word. Chinese and Japanese leave no blanks, so theirs do not.

    >>> is_glued("a"), is_glued("_"), is_glued(""), is_glued("は")
    (True, True, False, False)
    """
    return character == "_" or (character.isalnum() and character < _FIRST_WITHOUT_BLANKS)
