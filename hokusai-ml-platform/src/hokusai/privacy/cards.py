"""Payment cards in text: the networks' number ranges, their lengths, and Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

from hokusai.privacy.checksums import luhn
from hokusai.privacy.context import (
    MOST_BESIDE,
    Found,
    before,
    is_numbered_thing,
    outside_lists,
    stands_alone,
    unlisted,
)

DOTTED = r"[0-9]{4}\.[0-9]{4}\.[0-9]{4}\.[0-9]{4}|[0-9]{4}\.[0-9]{6}\.[0-9]{5}"
GATE = rf"[0-9](?:[ _/-]{{0,3}}[0-9]){{11}}|{DOTTED}"
NETWORKS = (
    r"(?:4[0-9]{15}|4[0-9]{18}"  # Visa
    r"|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}"  # Discover
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|3(?:0[0-5]|09|[689][0-9])[0-9]{13}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14}|62[0-9]{17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{8,15}"  # Maestro
    r"|220[0-4][0-9]{12})"  # Mir
)
"""First digits and lengths of ISO/IEC 7812 issuers, as the networks publish them; Python and Rust."""
_NETWORKS = re.compile(NETWORKS)
_SHORTEST = 12
_RUN = re.compile(r"[0-9][0-9 ._/-]*[0-9]")
_GROUP = re.compile(r"[0-9]+")
_WRITTEN = re.compile(
    r"[2-6](?:[0-9]{11,18}"
    r"|[0-9]{3}([ ._/-]{1,3})(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{6}\1[0-9]{4,5}|[0-9]{4}\1[0-9]{5}"
    r"|[0-9]{4}\1[0-9]{4}\1[0-9]{3})"
    r"|[0-9]{5}([ ._/-]{1,3})[0-9]{13})\b",
    re.ASCII,
)
"""In one piece, or in the groups in which cards are written."""
_HALVES = re.compile(r"[0-9]{8}([ ._/-]{1,3})[0-9]{8}")
"""Two numbers of eight digits are common: as halves of a card they count only with no third beside them."""
_PARTING = re.compile(r"[ ._/-]+")
_EXPIRY = re.compile(r" ?/ ?(?:0[1-9]|1[0-2])/(?:20)?[0-9]{2}\b")
_CARD_WORD = re.compile(
    r"(?i)\b(?:cards?|visa|master ?card|amex|american express|credit|debit|cc|pan|karte|kreditkarte|carte|tarjeta"
    r"|carta|cart[aã]o|カード)\b"
)
_GLUED_WORD = re.compile(r"(?i)(?:^|[^a-z])(?:card|visa|mastercard|amex)[_-]?$")


def spans(text: str) -> Iterator[Found]:
    """The cards in a text; the canonical form is the digits.

    >>> list(spans("paid with 4111 1111 1111 1111 today, order 4111111111111111"))
    [(10, 29, '4111111111111111')]
    """
    found = [
        card
        for left, right in outside_lists(text, partial(_may_be_listed, text))
        for run in _RUN.finditer(text, left, right)
        if run.end() - run.start() >= _SHORTEST
        for card in _in_run(text, run.start(), run.end())
    ]
    if found:
        alone = unlisted(text, found)
        yield from (card for card in found if card[0] in alone or _is_named(text, card[0]))


def is_card(digits: str) -> bool:
    """Whether digits are a possible card number: a network's range and length, and Luhn's digit.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("1234567812345670")
    (True, False, False)
    """
    return _NETWORKS.fullmatch(digits) is not None and luhn(digits)


def _in_run(text: str, start: int, end: int) -> Iterator[Found]:
    """The cards among digits with nothing but separators between."""
    halves = _HALVES.fullmatch(text, start, end)
    at = start
    for group in _GROUP.finditer(text, start, end):
        left = group.start()
        if left < at or not (written := halves or _WRITTEN.match(text, left, end)):
            continue
        digits = _PARTING.sub("", written[0])
        right = written.end()
        if is_card(digits) and _is_apart(text, left, right, grouped=len(digits) < right - left):
            yield left, right, digits
            at = right
        if halves:
            return


def _may_be_listed(text: str, start: int, end: int) -> bool:
    """Whether a list of numbers may be one of cards: it begins with one, or a word says so."""
    first = islice(_GROUP.finditer(text, start, end), MOST_BESIDE + 1)
    written = (_WRITTEN.match(text, group.start()) for group in first)
    return any(each and is_card(_PARTING.sub("", each[0])) for each in written) or _is_named(text, start)


def _is_apart(text: str, left: int, right: int, *, grouped: bool) -> bool:
    """Whether nothing around the digits makes them part of a decimal, of a longer code, or a numbered thing."""
    start, behind = max(0, left - 2), right if _EXPIRY.match(text, right) else right + 2
    if not stands_alone(text[start:behind], left - start, right - start):
        labelled = _GLUED_WORD.search(text[max(0, left - 12) : left]) is not None
        return labelled and stands_alone(text[left:behind], 0, right - left)
    return grouped or not is_numbered_thing(before(text, left)) or _is_named(text, left)


def _is_named(text: str, left: int) -> bool:
    """Whether a word for cards stands before a number."""
    words = before(text, left)
    return _CARD_WORD.search(words) is not None or _GLUED_WORD.search(words) is not None
