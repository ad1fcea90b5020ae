"""Names in letters and mails: whom they go to, whom they come from, and who signs them.

`cc:` and `attn:` are followed by people, `from:` and `to:` by towns, files and accounts as often. So behind these a
name that few people have counts only where an e-mail address follows, or where the text is a mail by its other
headers. Likewise a name that few have may stand behind "Sincerely," on its line, but not behind "Thanks,".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.context import CLAIMED, REMOVED
from hokusai.privacy.known_names import (
    is_known_given,
    is_known_name,
    is_part_of_name,
    is_persons_name,
    names_thing,
    plain_word,
    reads_as_name,
)
from hokusai.privacy.name_shapes import FULL, NAME, PARTICLES, TWO, UPPER, ends, own_words

_FORMAL_CLOSINGS = (
    r"(?:[Bb]est|[Kk]ind|[Ww]arm(?:est)?) [Rr]egards|[Rr]egards|[Ss]incerely"
    r"|[Yy]ours (?:[Tt]ruly|[Ss]incerely|[Ff]aithfully)|[Mm]it freundlichen Grüßen"
    r"|[Cc]ordialement|[Bb]ien à vous|[Cc]ordiali saluti|[Dd]istinti saluti|[Aa]tenciosamente|[Aa]tentamente"
)
_OTHER_CLOSINGS = (
    r"(?:[Bb]est|[Kk]ind|[Ww]arm(?:est)?|[Mm]any) (?:[Ww]ishes|[Tt]hanks)|[Mm]any [Rr]egards|[Cc]heers|[Tt]hanks"
    r"|[Ss]aludos|Viele Grüße|Liebe Grüße"
)
CLOSINGS = rf"{_FORMAL_CLOSINGS}|{_OTHER_CLOSINGS}"
"""What stands before a signature."""
_CLOSING = re.compile(CLOSINGS)
_ON_ONE_LINE = re.compile(
    rf"\b(?:(?P<formal>{_FORMAL_CLOSINGS})|{_OTHER_CLOSINGS}|[Ss]igned)[ ]?,[ ]{{1,3}}(?P<name>{FULL})"
)
_SIGNED_BY = re.compile(rf"\b[Ss]igned by[ ]{{1,2}}(?P<name>{TWO})")
_LINE_END = re.compile(rf"[ ]{{0,2}}[.!]?[ ]{{0,2}}(?:[\r\n<|{CLAIMED}{REMOVED}]|$)")
_SIGNATURE_END = re.compile(rf"[ ]{{0,2}}(?:[.,;|)!<\r\n{CLAIMED}{REMOVED}]|$)")
_NO_SIGNERS_TEXT = """
ihr ihre dein deine euer eure unser unsere votre notre vos nos nuestro nuestra su sus el la los las il lo gli le les
vostro vostra seu sua os as angry annoyed concerned confused dissatisfied disappointed frustrated happy long loyal
satisfied sad tired unhappy upset worried happier merry frohe buyer citizen parent shopper tenant
"""
_NO_SIGNERS = frozenset(_NO_SIGNERS_TEXT.split())
"""Who signs as somebody, or says whose he is: Ihre Sparkasse, Concerned Citizen."""

_HEADER = re.compile(
    r"(?P<start>(?:^|[\r\n])[ \t>*|-]{0,8})?\b(?:(?P<attention>[Aa]ttn|ATTN)(?:\.[ ]?:?|[ ])"
    r"|(?:(?P<people>[Cc]c|[Bb]cc|BCC|(?i:attn))|(?i:cc|from|to|reply-to|attention))[ ]?:)\*{0,2}[ ]{0,3}"
)
_MAY_BE_HEADER = re.compile(r"[CMNOcmno][ ]?:|[Tt]tn|TTN")
"""Found at once where there is none."""
_OTHER_HEADER = re.compile(
    r"(?:^|[\r\n])[ \t>*|-]{0,8}(?:[Cc]c|(?i:subject|sent|bcc|reply-to|message-id|betreff|objet|asunto|oggetto))[ ]?:"
)
"""What mails have, and forms that speak of journeys or transfers have not."""
_ADDRESS = rf"[ ]{{0,2}}<[^<>\s{CLAIMED}{REMOVED}@]{{0,64}}[@{CLAIMED}{REMOVED}][^<>\r\n]{{0,254}}>"
_SMALL = r"[^\W\d_]{2,24}(?:['\u2019-][^\W\d_]{1,24})?"
_ADDRESSEE = re.compile(
    rf"""["']?(?:(?P<listed>{PARTICLES}{NAME},[ ]{{1,2}}{NAME}(?:[ ](?:{NAME}|[{UPPER}]\.?))?)["']?{_ADDRESS}"""
    rf"""|(?P<name>{FULL})["']?(?P<address>{_ADDRESS})?|(?P<small>{_SMALL}(?:[ ]{_SMALL}){{1,2}})"""
    rf"""["']?{_ADDRESS}|<?[{CLAIMED}{REMOVED}]{{1,254}}>?)"""
    r"(?P<more>[ ]{0,2}[,;][ ]{0,3}(?:\r?\n[ \t]{1,8})?|[ ]and[ ]|[ ]&[ ])?"
)
_NO_PERSONS_TEXT = "camp cape creative fort isla king lake mount mt point prince princess queen villa"
_NO_PERSONS = frozenset(_NO_PERSONS_TEXT.split())
"""What towns, lakes and licences begin with, and names seldom."""
_NO_COPIES_TEXT = (
    "captions commons incident leads maintainers managers owners release response reviewers subtitles"
)
_NO_COPIES = frozenset(_NO_COPIES_TEXT.split())
"""Which teams have a copy; and `CC:`, in capitals, is also a card and a licence: there, names need to be known."""

HINT = (
    r"(?:gards|ishes|anks|erely|ruly|fully|heers|mente?|vous|ludos|aluti|igned)(?:[,!.]? {0,2}[\r\n]| ?, +[A-ZÀ-ž])"
    r"|(?:ichen|iele|iebe) Gr|igned by |[Cc]c ?:|CC ?:|[Tt]tn[. ]|TTN[. ]"
)
GATE = (
    rf"(?:{CLOSINGS}|[Ss]igned)(?:[,!.]? {{0,2}}[\r\n]| ?, +\p{{Lu}})|[Ss]igned by "
    r"|(?-u:\b)(?i:(?:b?cc|attn|from|to|attention) ?:|attn\.? ?:?)\** *"
    rf"(?:[\p{{Lu}}\"'<{CLAIMED}{REMOVED}]|[^\n<]+<)"
)
"""Rust regexes for the rows in which names stand so, as in `names`: for the quick pass, and for the rows left by it."""


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the names in headers and beside closings; empty ones are none.

    >>> text = "Cc: Jane Doe, Xiomara Quintanilla; Thanks, Google Maps. Kind regards, Jane"
    >>> [text[start:end] for start, end in spans(text) if start < end]
    ['Jane Doe', 'Xiomara Quintanilla', 'Jane']
    """
    if _MAY_BE_HEADER.search(text):
        yield from _addressees(text)
    if "," in text:
        yield from _signers(text)
    for found in _SIGNED_BY.finditer(text):
        start, end = own_words(text, *found.span("name"))
        if " " in text[start:end] and is_persons_name(text[start:end]):
            yield start, end


def _addressees(text: str) -> Iterator[tuple[int, int]]:
    header = _HEADER.search(text)
    if not header:
        return
    is_mail = _OTHER_HEADER.search(text) is not None
    while header:
        at = header.end()
        told = bool(header["start"] is not None and (is_mail or header["people"] or header["attention"]))
        while one := _ADDRESSEE.match(text, at):
            start, end = _addressee(text, one, told=told)
            yield start, end
            if not one["more"]:
                at = max(at, end)  # "From: Jane Doe To: John Roe"
                break
            at = one.end()
        header = _HEADER.search(text, at)


def _addressee(text: str, one: re.Match[str], *, told: bool) -> tuple[int, int]:
    """The name of one of those in a header.

    Args:
        text: All of it.
        one: What may be the name, with what follows.
        told: Whether people stand here, and no towns.
    """
    if one["small"]:
        start, end = one.span("small")
        words = one["small"].split(" ")
        is_name = is_known_given(words[0]) and is_known_name(words[-1]) and not names_thing(one["small"])
    elif one["listed"]:
        start, end = one.span("listed")
        is_name = own_words(text, start, end) == (start, end) and not names_thing(
            one["listed"].replace(",", " ")
        )
    elif one["name"]:
        start, end = _named(text, *one.span("name"), told=told, with_address=one["address"] is not None)
        is_name = True
    else:
        return 0, 0
    return (start, end) if is_name else (start, start)


def _named(text: str, start: int, end: int, *, told: bool, with_address: bool) -> tuple[int, int]:
    own = own_words(text, start, end)
    name = text[slice(*own)]
    if not name or names_thing(name) or plain_word(name.partition(" ")[0]) in _NO_PERSONS:
        return start, start
    if " " not in name:
        return own if with_address and is_part_of_name(name) else (start, start)
    if is_persons_name(name):
        return own
    unlisted = own == (start, end) and not name.isupper() and reads_as_name(name)
    unlisted = unlisted and _NO_COPIES.isdisjoint(map(plain_word, name.split()))
    return own if unlisted and (with_address or (told and ends(text, end))) else (start, start)


def _signers(text: str) -> Iterator[tuple[int, int]]:
    found = _ON_ONE_LINE.search(text)
    while found:
        start, end = found.span("name")
        if _signs(text, start, end, formal=found["formal"] is not None):
            yield start, end
        found = _ON_ONE_LINE.search(text, start)  # "Thanks, Kind regards, Jane"


def _signs(text: str, start: int, end: int, *, formal: bool) -> bool:
    name = text[start:end]
    if _CLOSING.fullmatch(name) or own_words(text, start, end) != (start, end):
        return False
    if " " not in name:
        return is_part_of_name(name) and _LINE_END.match(text, end) is not None
    if is_persons_name(name):
        return _SIGNATURE_END.match(text, end) is not None
    nobody = not _NO_SIGNERS.isdisjoint(map(plain_word, name.split()))
    return formal and not nobody and reads_as_name(name) and _LINE_END.match(text, end) is not None
