"""The words around digits that say whether they are a telephone number, in the languages that people write in.

Ten digits may be anything; beside "call" they are a number, beside "calls in total" they are a count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hokusai.privacy.context import after, before, is_numbered_thing

_WORDS_TEXT = """
tel tél telephone telephones téléphone telefon telefone telefono teléfono telefonnummer telefonnr phone
phones fax telefax mobile mob mobil mobilnummer mobiltelefon cell cel cellphone cellulare celular móvil
movil handy handynummer rufnummer portable call calls calling called ring dial dialed whatsapp sms reach
contact hotline helpline landline numéro numéros fone fon teléf telf phonenumber ph tlf tfno gsm
appeler appelez appelle rappeler rappelez joindre joignable llamar llame llámame llámanos llámeme llámenos
localizable chiamare chiama chiamami chiamate chiami raggiungibile rufen rufe ruf anrufen anruf rückruf
erreichbar reachable ligue ligar telefonar zadzwoń contacto contatto contato kontakt
"""
WORDS = frozenset(_WORDS_TEXT.split())
_ROOTS_TEXT = """
tel ph fon fax mob mov cel handy ruf able call ring dial sms reach onta line tlf tfno gsm app joindre llam localiz
chiam raggi reich lig
"""
ROOTS = _ROOTS_TEXT.split()
ROOTS_ELSEWHERE = ["tél", "móv", "numéro", "llám", "zadzwoń", "電話", "携帯", "☎", "📞", "फ़ोन"]
"""Pieces of which each of the words has one: without any of them in the text, no word need be looked for."""
_ALL_ROOTS = [*ROOTS, *ROOTS_ELSEWHERE]
_SIGNS = ("電話", "携帯", "☎", "📞", "फ़ोन")
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMBER_IS = (
    r"(?:^|[^A-Za-z])(?:(?:my|his|her|our|your|their)(?: (?:new|old|own|home|work|private|personal|direct))?"
    r" (?:number|nr|no)\.?(?: is now| is| was)?|txt"
    r"|text (?:(?:me|us|him|her|them)(?: back)?(?: at| on)?|back at|to)"
    r"|(?:mein|dein|sein|ihr|unser|eur)e?(?: neue)? (?:nummer|nr)\.?(?: ist| lautet)?"
    r"|(?:mi|tu|su|nuestro|meu|seu|nosso|mio|tuo|suo|nostro) n[uú]mero(?: es| é| è)?|llama al?"
    r"|(?:mój|twój|jego|jej|nasz) numer(?: to)?)[ :=]{1,3}"
)
_NUMBER_ROOTS = (" nu", " nú", " no", " nr", "txt", "text ", "llama")
_NUMBER = re.compile(_NUMBER_IS)
_NUMBER_BEFORE = re.compile(rf"{_NUMBER_IS}$")
"""What right before a number says that it is somebody's, where `number` alone would say little."""
GATE = (
    rf"(?i:{_NUMBER_IS})[0-9(]"
    rf"|(?i:(?:^|[^A-Za-z])(?:{'|'.join(sorted(WORDS))})(?:[^A-Za-z]|$))|{'|'.join(_SIGNS)}"
)
"""Rust regex: it matches wherever a word of these stands."""
_ID = re.compile(r"(?:(?:^|[^A-Za-z])(?:[iI][dD]s?)|[a-z]Ids?)[^A-Za-z0-9]*$")
"""What right before a number says that it numbers calls or devices."""
_COUNTED = re.compile(
    r"(?i)\b(?:number of|total|count|durations?|users|price|cost|spend|sales|revenue|bytes|seconds|function)\b"
)
_COUNTED_AFTER = re.compile(
    r"(?i) ?(?:times|ms|ns|secs?|seconds|users|people|customers|subscribers|downloads|calls|characters|rows|tokens"
    r"|steps|bytes|points|dollars|euros|units|views|inhabitants|percent|of the)\b"
)
"""What beside digits in one piece says that they count something."""
_DRAWN = re.compile(
    r"(?i)lott|loto|\bnumbers\b|zahlen|tirage|estrazion|sorte[io]|\bdr(?:aw|ew)|bingo|keno|millions|powerball"
)


def may_be_named(text: str) -> bool:
    """Whether a word for telephones stands anywhere in a text; pieces of words are looked for first, which is quick."""
    lower = text.lower()
    if _says_number(lower, _NUMBER):
        return True
    if not _has_one(lower, ROOTS if lower.isascii() else _ALL_ROOTS):
        return False
    return _has_one(lower, _SIGNS) or not WORDS.isdisjoint(_LETTERS.findall(lower))


def is_named(text: str, left: int, right: int, *, in_one_piece: bool) -> bool:
    """Whether a word for telephones stands before a number, in full, and it is not said to number or count a thing.

    >>> is_named("call 4155552671", 5, 15, in_one_piece=True)
    True
    >>> is_named("called 4155552671 times", 7, 17, in_one_piece=True)
    False
    """
    words = before(text, left)
    start = left - len(words)
    tokens = _LETTERS.finditer(words)
    cut = start > 0 and text[start - 1].isalpha()  # "par|cel" is no cell phone
    whole = {token[0].lower() for token in tokens if token.start() or not cut}
    named = not WORDS.isdisjoint(whole) or any(sign in words for sign in _SIGNS)
    if not (named or _says_number(words.lower(), _NUMBER_BEFORE)):
        return False
    if is_numbered_thing(words) or _ID.search(words):
        return False
    return not in_one_piece or not (_COUNTED.search(words) or _COUNTED_AFTER.match(after(text, right)))


def is_drawn(text: str, left: int) -> bool:
    """Whether the numbers that begin here are said to be those of a lottery, or just numbers.

    >>> is_drawn("lottery 06 12 34 41 45", 8)
    True
    """
    return _DRAWN.search(before(text, left)) is not None


def _says_number(lower: str, pattern: re.Pattern[str]) -> bool:
    """Whether there is "my number is" or the like."""
    return _has_one(lower, _NUMBER_ROOTS) and pattern.search(lower) is not None


def _has_one(text: str, pieces: Sequence[str]) -> bool:
    for piece in pieces:  # noqa: SIM110 - `any` takes five times as long, and this is done for each text
        if piece in text:
            return True
    return False
