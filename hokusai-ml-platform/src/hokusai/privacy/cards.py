"""Payment cards in text: the networks' number ranges, their lengths, and Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.checksums import luhn
from hokusai.privacy.context import Found, before, is_numbered_thing, stands_alone

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
_RUN = re.compile(r"[0-9][0-9 ._/-]*[0-9]")
_GROUP = re.compile(r"[0-9]+")
_GROUPINGS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (4, 4, 4, 3), (6, 13))
_HALVES = (8, 8)
"""Two numbers of eight digits are common: as halves of a card they count only with no third beside them."""
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
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= 12:
            yield from _in_run(text, run.start(), run.end())


def is_card(digits: str) -> bool:
    """Whether digits are a possible card number: a network's range and length, and Luhn's digit.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("1234567812345670")
    (True, False, False)
    """
    return _NETWORKS.fullmatch(digits) is not None and luhn(digits)


def _in_run(text: str, start: int, end: int) -> Iterator[Found]:
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    lengths = [right - left for left, right in groups]
    in_halves = tuple(lengths) == _HALVES
    at = 0
    while at < len(groups):
        taken = 0
        if 12 <= lengths[at] <= 19:
            taken = 1
        elif in_halves and at == 0:
            taken = 2
        elif lengths[at] in (4, 6):
            taken = next((len(g) for g in _GROUPINGS if tuple(lengths[at : at + len(g)]) == g), 0)
        if taken:
            left, right = groups[at][0], groups[at + taken - 1][1]
            between = {text[groups[i][1] : groups[i + 1][0]] for i in range(at, at + taken - 1)}
            digits = "".join(text[a:b] for a, b in groups[at : at + taken])
            if (
                len(between) <= 1
                and len("".join(between)) <= 3
                and is_card(digits)
                and _is_apart(text, left, right, grouped=taken > 1)
            ):
                yield left, right, digits
                at += taken
                continue
        at += 1


def _is_apart(text: str, left: int, right: int, *, grouped: bool) -> bool:
    """Whether nothing around the digits makes them part of a decimal, of a longer code, or a numbered thing."""
    start, behind = max(0, left - 2), right if _EXPIRY.match(text, right) else right + 2
    if not stands_alone(text[start:behind], left - start, right - start):
        labelled = _GLUED_WORD.search(text[max(0, left - 12) : left]) is not None
        return labelled and stands_alone(text[left:behind], 0, right - left)
    words = before(text, left)
    return grouped or not is_numbered_thing(words) or _CARD_WORD.search(words) is not None
