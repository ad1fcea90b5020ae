"""Names of people in text, where the words around them say that they are names.

Without a language model, a name in the middle of a sentence cannot be told from a street or a firm. So only these are
found: a title and capitalised words ("Mrs Ada Lovelace"), "my name is …", salutations, signatures and labels. What
else people write about people stays; a manifest says so with `ner: not_run`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from hokusai.privacy.context import Found

UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŘŚŞŠȘŤȚŪŮŰŲŹŻŽ"
_NAME = rf"[{UPPER}][^\W\d_]{{0,24}}(?:['\u2019-][^\W\d_]{{1,24}}){{0,2}}"
_PARTICLES = (
    r"(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|bin|ibn|al|el|zu|ter|ten|st\.|mac|mc)[ ]){0,3}"
)
_TWO = rf"{_NAME}[ ]{{1,2}}{_PARTICLES}(?:(?:{_NAME}|[{UPPER}]\.)[ ]{{1,2}}{_PARTICLES}){{0,2}}{_NAME}"
_FULL = rf"{_NAME}(?:[ ]{{1,2}}{_PARTICLES}(?:{_NAME}|[{UPPER}]\.)){{0,3}}"
_TITLES = (
    r"Mrs|Mr|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Madam|Herrn|Herr|Frau|Mme|Mlle|Monsieur|Madame|Mademoiselle"
    r"|Señora|Señor|Señorita|Sra|Srta|Signora|Signor|Sig\.ra|Senhora|Senhor|Dott"
)
_INTRODUCTIONS = (
    r"[Mm]y (?:full )?name is|[Mm]y name['\u2019]s|[Mm]ein Name ist|[Ii]ch hei(?:ß|ss)e|[Jj]e m['\u2019]appelle"
    r"|[Mm]on nom est|[Mm]e llamo|[Mm]i nombre es|[Mm]i chiamo|[Mm]eu nome é"
)
_LABELS = (
    r"(?:[Ff]irst|[Ll]ast|[Ff]ull|[Ff]amily|[Gg]iven|[Mm]iddle|[Cc]ustomer|[Pp]atient|[Cc]ontact|[Ee]mployee"
    r"|[Cc]lient|[Aa]ccount holder|[Cc]ardholder|[Pp]assenger|[Gg]uest)(?:['\u2019]s)? ?[Nn]ame|[Ss]urname"
    r"|[Cc]ardholder|[Aa]ttn|[Nn]om|[Pp]rénom|[Nn]achname|[Vv]orname|[Aa]pellidos?|[Nn]ombre completo|[Cc]ognome"
    r"|[Ss]igned(?: by)?"
)
_WEAK_LABELS = r"[Nn]ame|[Cc]ontact(?: [Pp]erson)?|[Pp]atient"
_FULL_NAMES = (
    r"(?:[Ff]ull|[Cc]ustomer|[Pp]atient|[Cc]ontact|[Ee]mployee|[Cc]lient|[Aa]ccount holder|[Cc]ardholder|[Pp]assenger"
    r"|[Gg]uest)(?:['\u2019]s)? ?[Nn]ame|[Cc]ardholder|[Cc]ontact(?: [Pp]erson)?|[Pp]atient"
)
_LINE_START = r"(?:^|[\r\n,;|(]|[.!?][ ])[ ]{0,3}"
_CLOSINGS = (
    r"(?:[Bb]est|[Kk]ind|[Ww]arm(?:est)?|[Mm]any)(?: [Rr]egards| [Ww]ishes| [Tt]hanks)|[Rr]egards|[Ss]incerely"
    r"|[Yy]ours (?:[Tt]ruly|[Ss]incerely|[Ff]aithfully)|[Cc]heers|[Tt]hanks|[Mm]it freundlichen Grüßen"
    r"|[Cc]ordialement|[Bb]ien à vous|[Ss]aludos|[Cc]ordiali saluti|[Aa]tenciosamente|Viele Grüße|Liebe Grüße"
)
_SALUTATIONS = (
    r"Dear|Hi|Hello|Liebe[r]?|Cher|Chère|Estimad[oa]|Querid[oa]|Gentile|Car[oa]|Prezad[oa]|Bonjour|Hallo"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:(?:{_TITLES})\b\.?[ ]{{1,2}}){{1,3}}(?P<name>{_FULL})",
        rf"\b(?:{_INTRODUCTIONS})[ ]{{1,2}}(?P<name>{_FULL})",
        rf"\b(?:{_LABELS})[ ]?[:=][ ]{{0,3}}(?P<name>{_FULL})",
        rf"\b(?:[Cc]ontact(?: [Pp]erson)?|[Pp]atient)[ ]?[:=][ ]{{0,3}}(?P<name>{_TWO})",
        rf"\b(?:{_CLOSINGS})[,!.]?[ ]{{0,2}}[\r\n]{{1,3}}[ -]{{0,3}}(?P<name>{_FULL})[ ]{{0,2}}(?:[\r\n]|$)",
        rf"\b(?:{_SALUTATIONS})[ ]{{1,2}}(?P<name>{_FULL})[ ]{{0,2}}[,!:\n]",
    )
)
_OPEN_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_LINE_START}[Nn]ame[ ]?[:=][ ]{{0,3}}(?P<name>{_TWO})",
        # As lists have it, last name first.
        rf"(?:\b(?:{_FULL_NAMES})|{_LINE_START}[Nn]ame)[ ]?[:=][ ]{{0,3}}"
        rf"(?P<name>{_PARTICLES}{_NAME},[ ]{{1,2}}{_NAME}(?:[ ](?:{_NAME}|[{UPPER}]\.?))?)",
    )
)
"""What may be the name of a thing too, or run into a sentence: what stands after it decides."""
_NAME_END = re.compile(r"[ ]{0,2}(?:[.,;|)\r\n]|$)")
_LABEL_NEXT = re.compile(r"[ ]{0,2}[,;|\r\n]{1,3}[ ]{0,3}[^\W\d_]{2,24}(?:[ _-][^\W\d_]{2,24})?[ ]?[:=]")
_DETAIL_NEXT = re.compile(
    r"(?i)[ ]{0,2}(?:[,;|\r\n]{1,3}[ ]{0,3})?(?:tel|telephone|phone|mobile|fax|e-?mail|dob|date of birth|born"
    r"|birth|birthday|address|age|ssn|passport|gender|sex|occupation|profession|nationality|employer|diagnosis)\b"
)
"""What people have and things have not."""
HINT = (
    rf"(?-u:\b)(?:{_TITLES})\.? |Señor|(?:{_INTRODUCTIONS}) |(?:{_LABELS}|{_WEAK_LABELS}) ?[:=]"
    rf"|(?:{_CLOSINGS})[,!.]? {{0,2}}[\r\n]|(?:{_SALUTATIONS}) "
)
"""Rust regex without counting, for the quick pass over all rows."""
_CAPITAL = r"\p{Lu}"
GATE = (
    rf"(?-u:\b)(?:{_TITLES})\.? {{1,2}}{_CAPITAL}|Señor[a-z]* {{1,2}}{_CAPITAL}|(?:{_INTRODUCTIONS}) {{1,2}}{_CAPITAL}"
    rf"|(?:{_LABELS}|{_WEAK_LABELS}) ?[:=] {{0,3}}{_PARTICLES}{_CAPITAL}|(?:{_CLOSINGS})[,!.]? {{0,2}}[\r\n]"
    rf"|(?:{_SALUTATIONS}) {{1,2}}{_CAPITAL}"
)
"""Rust regex for the rows that are left."""
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
Robot
"""
_NO_NAMES = frozenset(_NO_NAMES_TEXT.split())
LEADING_TITLES = rf"^(?:(?:{_TITLES.lower().replace('.', ' ').replace(chr(92), '')}) )+"
"""Rust regex: what stands before a name in its canonical form and is no part of it."""


def spans(text: str) -> Iterator[Found]:
    """The names that words around them give away; the canonical form is in lower case, blanks single.

    The title is no part of a span: "Mrs" stays, the name goes.

    >>> [canonical for _, _, canonical in spans("Dear Mrs Ada Lovelace, my name is José van Dyck.")]
    ['ada lovelace', 'josé van dyck']
    """
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            start, end = _own_words(text, *found.span("name"))
            if start < end:
                yield start, end, canonical(text[start:end])
    for pattern in _OPEN_PATTERNS:
        found_open = pattern.search(text)
        while found_open:
            start, end = _own_words(text, *found_open.span("name"))
            is_name = " " in text[start:end] and _is_person(text, end)
            if is_name:
                yield start, end, canonical(text[start:end])
            found_open = pattern.search(text, end if is_name else start)


def canonical(text: str) -> str:
    """One spelling of a name or address: NFKC, lower case, single blanks, no dots and commas.

    >>> canonical(" Ada  K. LOVELACE ")
    'ada k lovelace'
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    return " ".join(plain.replace(".", " ").replace(",", " ").split())


def _own_words(text: str, start: int, end: int) -> tuple[int, int]:
    """A name without the words from the first one on that is nobody's name; empty if that is the first of all."""
    at = start
    for word in text[start:end].split(" "):
        if word.rstrip(",") in _NO_NAMES:
            return start, start + len(text[start:at].rstrip(" ,"))
        at += len(word) + 1
    return start, end


def _is_person(text: str, end: int) -> bool:
    """Whether what may be a name ends here, and no label of a thing comes next, such as `Price:`."""
    if _DETAIL_NEXT.match(text, end):
        return True
    return _NAME_END.match(text, end) is not None and not _LABEL_NEXT.match(text, end)
