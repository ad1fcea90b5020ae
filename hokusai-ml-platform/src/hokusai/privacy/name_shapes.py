"""How names are written in text, in capitals, and the words that are nobody's."""

from __future__ import annotations

import re
import unicodedata

from hokusai.privacy.known_names import is_known_name

UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŘŚŞŠȘŤȚŪŮŰŲŹŻŽ"
NAME = rf"[{UPPER}][^\W\d_]{{0,24}}(?:['\u2019-][^\W\d_]{{1,24}}){{0,2}}"
PARTICLES = (
    r"(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|bin|ibn|al|el|zu|ter|ten|st\.|mac|mc)[ ]){0,3}"
)
TWO = rf"{NAME}[ ]{{1,2}}{PARTICLES}(?:(?:{NAME}|[{UPPER}]\.)[ ]{{1,2}}{PARTICLES}){{0,2}}{NAME}"
INITIALS = rf"(?:[{UPPER}]\.[ ]{{0,2}}){{0,3}}"
FULL = rf"{INITIALS}{NAME}(?:[ ]{{1,2}}{PARTICLES}(?:[{UPPER}]\.|{NAME})){{0,3}}"
NAME_END = re.compile(r"[ ]{0,2}(?:[.,;|)\r\n]|$)")
DETAIL_NEXT = re.compile(
    r"(?i)[ ]{0,2}(?:[,;|\r\n]{1,3}[ ]{0,3})?(?:tel|telephone|phone|mobile|fax|e-?mail|dob|date of birth|born"
    r"|birth|birthday|address|age|ssn|passport|gender|sex|occupation|profession|nationality|employer|diagnosis"
    r"|(?:first|last|family|given|middle)[ _]?name|surname)\b"
)
"""What people have and things have not."""
_NO_NAMES_TEXT = """
Sir Madam Sirs Customer Customers Team All Hiring Manager Colleague Colleagues Friend Friends Everyone
Support Member Members User Users Client Valued Editor Editors Reader Readers Parents Students Student
Guest Guests Committee There World Folks Guys Kitty Santa Diary God Lord Mr Mrs Ms Dr Prof Professor
Doctor Pepper Herr Frau Damen Herren Kunde Kundin Monsieur Madame Cliente The This That It I We You Our
Your My A An Not No Yes True False None Null Unknown Anonymous Admin Administrator Test Service Sales
Department Company Software Engineer Engineering Director Product Data Account Accounts Office
University Hospital School Bank Inc Ltd Llc Gmbh Corp Please To From Re And Or For Regarding Subject
Date Email Phone Address Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March
April June July August September October November December Google Amazon Microsoft Apple Alexa Siri
Recruiter Applicant Candidate Neighbor Neighbour Mom Dad Mum Mother Father Universe Right Who
Billing Management Accounting Payroll Marketing Reception Purchasing Procurement Logistics Shipping
Robot First Last Full Middle Given Family Name Names Surname
"""
_NO_NAMES = frozenset(_NO_NAMES_TEXT.split())
_ALSO_LAST_NAMES = frozenset({"An", "Lord", "Friend", "Guest"})
"""Of these, the last names of many: Nguyễn Văn An, Dr. Mark Lord."""


def canonical(text: str) -> str:
    """One spelling of a name or address: NFKC, lower case, single blanks, no dots and commas.

    >>> canonical(" Ada  K. LOVELACE ")
    'ada k lovelace'
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    return " ".join(plain.replace(".", " ").replace(",", " ").split())


def own_words(text: str, start: int, end: int) -> tuple[int, int]:
    """A name without the words from the first one on that is nobody's name; empty if that is the first of all."""
    at = start
    for word in text[start:end].split(" "):
        nobody = word.rstrip(",") in _NO_NAMES or (
            word.isupper() and word.strip(".,").capitalize() in _NO_NAMES
        )
        is_last = at > start and at + len(word) == end and word in _ALSO_LAST_NAMES
        if nobody and not is_last and not is_initial(word, text[at + len(word) + 1 : end]):
            return start, start + len(text[start:at].rstrip(" ,"))
        at += len(word) + 1
    return start, end


def ends(text: str, end: int) -> bool:
    """Whether a name may end here: at a sign, or before what people have."""
    return (NAME_END.match(text, end) or DETAIL_NEXT.match(text, end)) is not None


def is_initial(word: str, rest: str) -> bool:
    """Whether a word is one letter of a name, and no article: with a dot, or before a name that many people have."""
    if len(word.removesuffix(".")) != 1 or not rest:
        return False
    return word.endswith(".") or is_known_name(rest.partition(" ")[0])
