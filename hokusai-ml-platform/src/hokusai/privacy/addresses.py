"""Postal addresses in text: a number and a street word, in the forms of a few languages, with what follows them.

A house without a street word ("Flat 3, The Oaks") is not found; nor is a town alone, which is nobody's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.context import Found, before
from hokusai.privacy.names import UPPER, canonical

_WORD = rf"[{UPPER}][^\W\d_]{{1,24}}(?:['\u2019-][^\W\d_]{{1,24}})?\b\.?"
_TOWN = rf"{_WORD}(?: {{1,2}}{_WORD}){{0,2}}"
_STREETS = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way|Parkway|Pkwy"
    "|Circle|Cir|Highway|Hwy|Close|Crescent|Cres|Gardens|Grove|Mews|Row|Walk|Alley|Trail|Plaza|Loop|Pike"
)
_UNIT = r"(?:,? {1,2}(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Flat|Room|Rm|#)\.? ?#?[0-9A-Za-z-]{1,6})?"
_US_TOWN = (
    rf"(?:[,\n]{{1,2}} {{0,2}}{_TOWN})?(?:,? {{1,2}}[A-Z]{{2}}\b)?(?: {{1,2}}[0-9]{{5}}(?:-[0-9]{{4}})?\b)?"
)
_UK_CODE = r"(?:,? {1,2}[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}\b)?"
_CODE_AND_TOWN = rf"(?:[,\n]{{1,2}} {{0,2}}(?:[A-Z]{{1,2}}-)?[0-9]{{4,5}} {{1,2}}{_TOWN})"
_FRENCH = (
    r"rue|avenue|av\.|boulevard|bd\.?|place|allée|chemin|impasse|quai|cours|route|square|passage|faubourg"
)
_ROMANCE = r"Calle|C/|Avda\.?|Avenida|Av\.|Plaza|Paseo|Carrer|Rua|R\.|Travessa|Alameda|Viale|Piazza|Corso|Largo|Vicolo"
_GERMAN = r"straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|chaussee|steig|promenade"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b[0-9]{{1,6}}[A-Za-z]?(?:-[0-9]{{1,5}})? {{1,2}}(?:[NSEW]{{1,2}}\.? {{1,2}})?"
        rf"(?:(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th)) {{1,2}}){{1,4}}?(?:{_STREETS})\b\.?(?: [NSEW]{{1,2}}\b)?"
        rf"{_UNIT}{_US_TOWN}{_UK_CODE}",
        rf"\b(?:P\. ?O\. ?|PO |P ?O |Post Office |Post)[Bb]ox #?[0-9]{{1,6}}\b{_US_TOWN}{_UK_CODE}",
        rf"\b(?:Postfach|Apartado(?: de [Cc]orreos)?|Casella [Pp]ostale|Caixa [Pp]ostal|Boîte [Pp]ostale)"
        rf" #?[0-9]{{1,6}}\b{_CODE_AND_TOWN}?",
        rf"\b(?:{_WORD}[ -])?[{UPPER}][^\W\d_]{{2,24}}(?:[ -][{UPPER}])?(?:{_GERMAN}) {{1,2}}[0-9]{{1,4}}"
        rf"(?: ?[a-h]\b)?(?:-[0-9]{{1,4}})?{_CODE_AND_TOWN}?",
        rf"\b{_TOWN}[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring) {{1,2}}[0-9]{{1,4}}"
        rf"(?: ?[a-h]\b)?{_CODE_AND_TOWN}?",
        rf"\b(?:{_WORD}[ -]){{0,2}}{_WORD} [0-9]{{1,3}} ?[a-h]?{_CODE_AND_TOWN.replace('4,5', '5')}",
        rf"\b[0-9]{{1,4}}(?: ?(?:bis|ter|quater))?,? {{1,2}}(?:{_FRENCH}) "
        rf"(?:(?:de|du|des|la|le|les|de la) |d['\u2019]|l['\u2019]){{0,3}}{_TOWN}{_CODE_AND_TOWN}?",
        rf"\b(?:{_ROMANCE}) {{0,2}}(?:(?:de|del|della|dei|da|do|dos|das|la|las|los|el) ){{0,3}}{_TOWN}"
        rf",? {{1,2}}(?:n[º°o]\.? ?)?[0-9]{{1,4}}\b(?:,? [0-9][º°ª]?(?: ?[A-Z])?\b)?{_CODE_AND_TOWN}?",
        rf"\bVia (?:(?:de|del|della|dei|da|la) ){{0,2}}{_TOWN},? {{1,2}}[0-9]{{1,3}}\b{_CODE_AND_TOWN}?",
        r"〒 ?[0-9]{3}-[0-9]{4}(?: ?[一-龥ぁ-んァ-ヶ々ー0-9-]{2,40})?",
    )
)
_NO_STREETS_TEXT = """
the this that my your our his her their a an no every each one some any best long good other first last
only same hinweg rückweg umweg ausweg heimweg arbeitsplatz sitzplatz parkplatz stellplatz tabellenplatz
listenplatz startplatz lageplatz
"""
_NO_STREETS = frozenset(_NO_STREETS_TEXT.split())
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_TIME_WORD = re.compile(r"(?i)\b(?:in|since|by|of|until|from|before|after|year|during) $")
HINT = (
    rf"(?-u:\b)(?:{_STREETS})(?-u:\b)|[Bb]ox #?[0-9]|Postfach|Apartado|[Pp]ostale?"
    rf"|(?:{_GERMAN}|Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring) {{1,2}}[0-9]"
    r"|[0-9] ?[a-h]?[,\n]{1,2} {0,2}(?:[A-Z]{1,2}-)?[0-9]{5} "
    rf"|[0-9r],? {{1,2}}(?:{_FRENCH}) |(?:{_ROMANCE})|Via |〒"
)
"""Rust regex without long counts, for the quick pass over all rows."""
GATE = (
    rf"[0-9][A-Za-z]? {{1,2}}[^\n]{{1,110}}(?-u:\b)(?:{_STREETS})(?-u:\b)|[Bb]ox #?[0-9]|Postfach|Apartado|[Pp]ostale?"
    rf"|(?:{_GERMAN}) {{1,2}}[0-9]|(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring) {{1,2}}[0-9]"
    r"|[0-9] ?[a-h]?[,\n]{1,2} {0,2}(?:[A-Z]{1,2}-)?[0-9]{5} {1,2}"
    rf"|[0-9r],? {{1,2}}(?:{_FRENCH}) |(?:{_ROMANCE}) {{0,2}}[^\n0-9]{{1,110}}[0-9]|Via [^\n0-9]{{1,90}}[0-9]|〒"
)
"""Rust regex for the rows that are left."""


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form is that of `names`.

    >>> [canonical for _, _, canonical in spans("to 221B Baker Street, London NW1 6XE or Am Markt 5, 04109 Leipzig")]
    ['221b baker street london nw1 6xe', 'am markt 5 04109 leipzig']
    """
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            if not _is_prose(text, found):
                yield found.start(), found.end(), canonical(found[0])


def _is_prose(text: str, found: re.Match[str]) -> bool:
    """Whether this is "2 The Best Way" or "in 2020 Wall Street" and no address."""
    words = [word.strip(".,").lower() for word in found[0].split(" ", 2)]
    if not _NO_STREETS.isdisjoint(words[:2]):
        return True
    return (
        _YEAR.fullmatch(words[0]) is not None and _TIME_WORD.search(before(text, found.start())) is not None
    )
