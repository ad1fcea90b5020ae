"""Names of people in text, where the words around them say that they are names.

Without a language model, a name in the middle of a sentence cannot be told from a street or a firm. So only these are
found: a title and capitalised words ("Mrs Ada Lovelace"), "my name is …", salutations, signatures and labels, also
those of mails (`letters`). Where capitals do not help ("name: ada lovelace", "MR JOHN SMITH") or the label is one of
firms too ("customer:"), the name has to be one that many people have. What else people write about people stays; a
manifest says so with `ner: not_run`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy import letters
from hokusai.privacy.context import Found
from hokusai.privacy.known_names import (
    has_known_surname,
    is_known_given,
    is_known_name,
    is_part_of_name,
    is_persons_name,
    names_thing,
    reads_as_name,
)
from hokusai.privacy.letters import CLOSINGS
from hokusai.privacy.name_shapes import (
    DETAIL_NEXT,
    FULL,
    INITIALS,
    NAME,
    NAME_END,
    PARTICLES,
    TWO,
    UPPER,
    canonical,
    ends,
    is_initial,
    own_words,
)

_DEGREES = "med|phil|rer|nat|jur|ing|dent|vet|oec|pol|theol|habil|h\\. ?c|mult"
"""What stands behind a German title: `Dr. rer. nat.`"""
_TITLES = (
    r"Mrs|Mr|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Madam|Herrn|Herr|Frau|Mme|Mlle|Monsieur|Madame|Mademoiselle"
    r"|Señora|Señor|Señorita|Sra|Srta|Signora|Signor|Sig\.ra|Senhora|Senhor|Dott|[Dd]hr|[Mm]evr|[Mm]evrouw|Meneer"
)
_LOUD_TITLES = "MRS|MR|MS|MISS|DR|PROF|SIR|HERRN|HERR|FRAU|MME|SRA|SR"
_LOUD_NAME = rf"[{UPPER}](?:['\u2019-]?[{UPPER}]){{1,24}}"
_ANY_NAME = r"[^\W\d_]{2,24}(?:['\u2019-][^\W\d_]{1,24})?"
_ANY_NAMES = rf"{_ANY_NAME}(?:[ ]{{1,2}}(?:{_ANY_NAME}|[^\W\d_]\.)){{1,2}}"
_KNOWN_NAMES = rf"(?:(?P<name>{TWO})|(?P<small>{_ANY_NAMES}))"
_INTRODUCTIONS = (
    r"[Mm]y (?:full )?name is|[Mm]y name['\u2019]s|[Mm]ein Name ist|[Ii]ch hei(?:ß|ss)e|[Jj]e m['\u2019]appelle"
    r"|[Mm]on nom est|[Mm]e llamo|[Mm]i nombre es|[Mm]i chiamo|[Mm]eu nome é"
)
_PART_LABELS = (
    r"(?:first|last|family|given|middle)(?:['\u2019]s)?[ _]?name|surname|[fl]name"
    r"|nachname|vorname|prénom|apellidos?|cognome"
)
_LABELS = (
    r"(?:full|customer|patient|contact|employee|client|account holder|cardholder|passenger|guest)(?:['\u2019]s)?"
    rf"[ _]?name|{_PART_LABELS}|cardholder|attn|nom|nombre completo|signed(?: by)?"
)
_KNOWN_LABELS = (
    r"contact(?: person)?|patient|customer|client|kunde|ansprechpartner(?:in)?|cliente|paciente|nombre|nome"
    r"|author|employee|recipient|sender|owner|manager|agent|assignee|(?:sales )?rep|beneficiary|payee|student|teacher"
    r"|driver|tenant|doctor|spouse|next of kin|user|assigned to|reported by|reporter"
)
_PEOPLES_LABELS = (
    r"customer|kunde|ansprechpartner(?:in)?|cliente|paciente|author|employee|recipient|sender|owner|manager|assignee"
    r"|sales rep|beneficiary|payee|student|teacher|tenant|doctor|spouse|next of kin"
)
"""Beside these stand people, firms and offices, and hardly programs."""
_WEAK_LABELS = rf"name|{_KNOWN_LABELS}"
_FULL_NAMES = (
    r"(?:full|customer|patient|contact|employee|client|account holder|cardholder|passenger|guest)(?:['\u2019]s)? ?name"
    r"|cardholder|contact(?: person)?|patient"
)
_SIGN = r"[ ]?[:=][ ]{0,3}"
_SIGN_OR_DASH = rf"(?:{_SIGN}|[ ]{{1,2}}-[ ]{{1,2}})"
_LABEL_START = r"(?:\b|_)"
"""As in `customer_first_name`."""
_LINE_START = r"(?:^|[\r\n,;|(]|[.!?][ ])[ ]{0,3}"
_SALUTATIONS = (
    r"Dear|Hi|Hello|Liebe[r]?|Cher|Chère|Estimad[oa]|Querid[oa]|Gentile|Car[oa]|Prezad[oa]|Bonjour|Hallo"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:(?:{_TITLES})\b\.?(?:-Ing\.)?[ ]{{1,2}}(?:(?:{_DEGREES})\.[ ]{{0,2}}){{0,4}}){{1,3}}"
        rf"(?P<name>{PARTICLES}{FULL})",
        rf"\b(?:{_INTRODUCTIONS})[ ]{{1,2}}(?P<name>{PARTICLES}{FULL})",
        rf"{_LABEL_START}(?i:{_LABELS}){_SIGN}(?P<name>{PARTICLES}{FULL})",
        rf"\b(?i:contact(?: person)?|patient){_SIGN}(?P<name>{TWO})",
        rf"\b(?:{CLOSINGS})[,!.]?[ ]{{0,2}}[\r\n]{{1,3}}[ -]{{0,3}}(?P<name>{FULL})[ ]{{0,2}}(?:[\r\n]|$)",
        rf"\b(?:{_SALUTATIONS})[ ]{{1,2}}(?P<name>{FULL})[ ]{{0,2}}[,!:\n]",
    )
)
_UNLISTED = re.compile(rf"\b(?i:{_PEOPLES_LABELS}){_SIGN}(?P<name>{TWO})")
"""A name that few people have: nothing in it may be the word of a firm, an office or a thing."""
_OPEN_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_LINE_START}(?i:name){_SIGN}(?P<name>{TWO})",
        # As lists have it, last name first.
        rf"(?:\b(?i:{_FULL_NAMES})|{_LINE_START}(?i:name)){_SIGN}"
        rf"(?P<name>{PARTICLES}{NAME},[ ]{{1,2}}{NAME}(?:[ ](?:{NAME}|[{UPPER}]\.?))?)",
    )
)
"""What may be the name of a thing too, or run into a sentence: what stands after it decides."""
_KNOWN_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_LABEL_START}(?i:{_LABELS}|{_KNOWN_LABELS}){_SIGN_OR_DASH}{_KNOWN_NAMES}",
        rf"\b(?:{_INTRODUCTIONS})[ ]{{1,2}}{_KNOWN_NAMES}",
        rf"{_LINE_START}(?i:(?:(?:my|your|his|her|their)[ ]{{1,2}})?name){_SIGN_OR_DASH}{_KNOWN_NAMES}",
    )
)
"""What may be anything: it has to be a name that many people have."""
_KNOWN_TITLED = re.compile(
    rf"\b(?:(?:{_LOUD_TITLES})\b\.?[ ]{{1,2}}){{1,3}}"
    rf"(?P<name>{INITIALS}{_LOUD_NAME}(?:[ ]{{1,2}}(?:{_LOUD_NAME}|[{UPPER}]\.)){{0,2}})"
    rf"|\b(?:Sr\.?|Sig\.|señor(?:it)?a?)[ ]{{1,2}}(?P<foreign>{PARTICLES}{FULL})"
    rf"|(?:^|[\s(,;:])M\.[ ]{{1,2}}(?P<french>{PARTICLES}{NAME}(?:[ ]{{1,2}}{NAME})?)"
)
"""`MR` is also a merge request, `Sr.` a senior, and `M.` anything: here too."""
_HONOURED = re.compile(rf"\b(?:Don|Doña|Dona)[ ]{{1,2}}(?P<name>{TWO})")
"""`Don` is also a given name, and the beginning of books, towns and drinks: a given name and a surname follow."""
_QUIET_TITLED = re.compile(
    rf"\b(?:mrs|mr|dr|prof)\b\.?[ ]{{1,2}}(?P<name>{_ANY_NAME}(?:[ ]{{1,2}}{_ANY_NAME})?)"
)
_QUIET = re.compile(rf"{_LABEL_START}(?i:{_PART_LABELS}){_SIGN}(?P<name>{_ANY_NAME})")
_CLOSING = re.compile(CLOSINGS)
_BRAND = re.compile(r"Dr\.? (?:Martens|Oetker|Scholl)\b|Mr\.? (?:Coffee|Clean|Muscle|Potato)\b")
"""What is sold under a title."""
_FIELD_END = r"""\\?["']?[ ]?[:=][ ]{0,3}\\?"""
_VALUE = '(?:[^"{}\\\\\r\n<>{{}}$%=@/:_\x1e\x1f]|\\\\u[0-9a-fA-F]{{4}}){{1,60}}'
_IN_QUOTES = (
    rf"""{_FIELD_END}(?:"(?P<double>{_VALUE.format("")})\\?"|'(?P<single>{_VALUE.format("'")})\\?')"""
)
_PERSON_FIELD = re.compile(
    r"(?i:(?:first|last|full|family|given|middle|maiden|legal|customer|client|patient|employee|contact|author|sender"
    r"|recipient|passenger|guest|owner|card_?holder|account_?holder)_?name|surname|forename|nachname|vorname"
    rf"|familienname|pr[eé]nom|nombre_?completo|apellidos?|cognome|card_?holder){_IN_QUOTES}"
)
"""A field of JSON or an argument, such as `"first_name":"Jane"`: what its quotes hold is a name, as in a column."""
_OPEN_FIELD = re.compile(rf"""(?:^|[\s{{(\[,;"'])(?i:{_WEAK_LABELS}){_IN_QUOTES}""")
"""Likewise, of people or of things."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_CODE_NEXT = re.compile(r"-?[0-9]|[(\[_]|\.[a-z]|::")
"""What makes of a word a code, or a piece of a program: `surname = Element.text`."""
_LABEL_NEXT = re.compile(r"[ ]{0,2}[,;|\r\n]{1,3}[ ]{0,3}[^\W\d_]{2,24}(?:[ _-][^\W\d_]{2,24})?[ ]?[:=]")
_LABEL_END = r"(?i-u:[demnoprsty])\\?[\x22']? ?(?:[:=]|- )"
"""How all labels end, with their sign: to follow the words themselves takes far more of the regex engine's states."""
HINT = (
    rf"(?:{_TITLES.replace('|Señora|Señor|Señorita', '')}|{_LOUD_TITLES}|ñor(?:it)?a?|Sr|mrs?|dr|prof)\.?(?:-Ing\.)? "
    r"|y (?:full )?name|ein Name ist |ch hei|appelle |on nom est |e llamo |i nombre es |i chiamo |eu nome "
    rf"|{_LABEL_END}|(?:{_SALUTATIONS}) |(?:Don|Doña|Dona|Sig\.|M\.) |{letters.HINT}"
)
"""Rust regex for the quick pass over all rows, made for speed alone: no counting, nothing before it but letters, and as
few different characters as there can be, since the regex engine's tables grow with them."""
_ANY_TITLE = rf"(?-u:\b)(?:{_TITLES}|{_LOUD_TITLES}|Sr|mrs?|dr|prof)\.?(?:-Ing\.)? "
_FIELD = rf"""(?i:name|pr[eé]nom|apellidos?|cognome|completo|holder|{_KNOWN_LABELS})\\?["']? ?[:=] {{0,3}}\\?["']"""
_CAPITAL = r"\p{Lu}"
GATE = (
    rf"{_ANY_TITLE}.*{_CAPITAL}|(?-u:\b)(?:mrs?|dr|prof)\.? {{1,2}}[\p{{L}}\p{{N}}]"
    rf"|Señor[a-z]* {{1,2}}{_CAPITAL}|(?:{_INTRODUCTIONS}) {{1,2}}\p{{L}}|{_FIELD}"
    rf"|(?i:{_LABELS}|{_WEAK_LABELS})(?: ?[:=]| {{1,2}}-) {{0,3}}[\p{{L}}\p{{N}}]"
    rf"|(?:{_SALUTATIONS}|Don|Doña|Dona|Sig\.|(?:^|[\s(,;:])M\.|señor(?:it)?a?) {{1,2}}\p{{L}}|{letters.GATE}"
)
"""Rust regex for the rows that are left."""
_NO_VALUES_TEXT = """
a all an and anonymous any api app args asc at blank bool boolean bug by char code config data db default deleted
desc dev e empty error example faker false field file first float for from given hidden id image in input int
integer invalid is it key last library list log max maximum middle min minimum missing model module must name names
new nil no none not null number object of on optional or other package page param params placeholder plan please
private project read redacted report required same sample script see server service should str string style surname
table task tbc tbd team test text the this to tool true type undefined unique unknown unnamed unset user username
valid value varchar version view was web with yes your
"""
_NO_VALUES = frozenset(_NO_VALUES_TEXT.split())
"""What stands behind a label where a form or a schema is spoken of, and nobody."""
_TITLES_PLAIN = _TITLES.lower().replace(r"\.", " ")
_DEGREES_PLAIN = _DEGREES.replace(r"\. ?", " ")
LEADING_TITLES = rf"^(?:(?:{_TITLES_PLAIN}|sr)(?: -ing)? (?:(?:{_DEGREES_PLAIN}) )*)+"
"""Rust regex: what stands before a name in its canonical form and is no part of it."""


def spans(text: str) -> Iterator[Found]:
    """The names that words around them give away; the canonical form is in lower case, blanks single.

    The title is no part of a span: "Mrs" stays, the name goes.

    >>> [canonical for _, _, canonical in spans("Dear Mrs Ada Lovelace, my name is José van Dyck.")]
    ['ada lovelace', 'josé van dyck']
    """
    for start, end in dict.fromkeys(_places(text)):  # one name may be given away twice
        if start < end:
            yield start, end, canonical(text[start:end])


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each name; empty places are none."""
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span("name")
            name = text[start:end]
            nobody = _says_nothing(name) or _CLOSING.fullmatch(name) or _BRAND.match(text, found.start())
            if not nobody and not _CODE_NEXT.match(text, end):
                yield own_words(text, start, end)
    for pattern in _OPEN_PATTERNS:
        found_open = pattern.search(text)
        while found_open:
            start, end = own_words(text, *found_open.span("name"))
            name = text[start:end]
            is_name = " " in name and _is_person(text, end) and _speaks_of_someone(text, name, end)
            if is_name:
                yield start, end
            found_open = pattern.search(text, end if is_name else start)
    for pattern in _KNOWN_PATTERNS:
        for found in pattern.finditer(text):
            yield (_known if found["name"] else _known_small)(text, *found.span(found.lastgroup or 0))
    for found in _KNOWN_TITLED.finditer(text):
        yield _known_titled(text, *found.span(found.lastgroup or 0))
    for found in _HONOURED.finditer(text):
        start, end = own_words(text, *found.span("name"))
        name = text[start:end]
        is_name = is_known_given(name.partition(" ")[0]) and has_known_surname(name) and not names_thing(name)
        yield start, end if is_name else start
    yield from letters.spans(text)
    for found in _QUIET_TITLED.finditer(text):
        start, end = found.span("name")
        first = text[start:end].partition(" ")[0]
        alone = start + len(first) * is_known_name(first)
        yield start, max(alone, _known_small(text, start, end)[1])
    if ":" in text or "=" in text:
        yield from _labelled(text)
        yield from _fields(text)


def _labelled(text: str) -> Iterator[tuple[int, int]]:
    """What stands behind a label of people alone, whoever has that name."""
    for found in _UNLISTED.finditer(text):
        start, end = found.span("name")
        name = text[start:end]
        is_whole = not name.isupper() and own_words(text, start, end) == (start, end)
        if is_whole and reads_as_name(name) and ends(text, end):
            yield start, end
    for found in _QUIET.finditer(text):
        start, end = found.span("name")
        name = text[start:end]
        one_case = name.islower() or name.isupper() or name[1:].islower()  # as `firstName` is not
        if one_case and not _says_nothing(name) and ends(text, end) and not _CODE_NEXT.match(text, end):
            yield start, end


def _fields(text: str) -> Iterator[tuple[int, int]]:
    """What stands in the quotes behind a field that is called as names are."""
    for pattern in (_PERSON_FIELD, _OPEN_FIELD):
        for found in pattern.finditer(text):
            start, end = found.span(found.lastgroup or 0)
            value = text[start:end]
            if pattern is _OPEN_FIELD:
                is_name = " " in value.strip() and is_persons_name(value.replace(",", " "))
            else:
                is_name = _WORD.search(value) is not None and not _says_nothing(value)
            if is_name:
                yield start, end


def _says_nothing(name: str) -> bool:
    first, _, rest = name.partition(" ")
    return first.lower() in _NO_VALUES and first != "Max" and not is_initial(first, rest)


def _known(text: str, start: int, end: int) -> tuple[int, int]:
    """Capitalised words, if they are a name that many people have; else nothing."""
    start, end = own_words(text, start, end)
    name = text[start:end]
    return (start, end) if " " in name and is_known_name(name) and not names_thing(name) else (start, start)


def _known_small(text: str, start: int, end: int) -> tuple[int, int]:
    """As many words in small letters as are such a name: up to a known surname, or all that stands there."""
    words = [(found[0], found.end()) for found in _WORD.finditer(text, start, end)]
    known = next((at for at, (word, _) in enumerate(words) if not is_known_name(word)), len(words))
    if known < 2 or is_known_given(words[known - 1][0]):
        for count in range(len(words), 1, -1):
            some = [word.lower() for word, _ in words[:count]]
            if (
                is_known_given(some[0])
                and _NO_VALUES.isdisjoint(some)
                and _is_person(text, words[count - 1][1])
            ):
                return start, words[count - 1][1]
    return start, words[known - 1][1] if known > 1 else start


def _known_titled(text: str, start: int, end: int) -> tuple[int, int]:
    """The name behind a title that may be none: the surname alone, or with the given names before it."""
    start, end = own_words(text, start, end)
    words = [(found[0], found.end()) for found in _WORD.finditer(text, start, end)]
    right = start
    for at, (word, after) in enumerate(words):
        if len(word) == 1:
            continue
        given = at > 0 and (is_known_given(words[at - 1][0]) or len(words[at - 1][0]) == 1)
        if not given and not is_known_name(word):
            break
        right = after
    return start, right


def _is_person(text: str, end: int) -> bool:
    """Whether what may be a name ends here, and no label of a thing comes next, such as `Price:`."""
    if DETAIL_NEXT.match(text, end):
        return True
    return NAME_END.match(text, end) is not None and not _LABEL_NEXT.match(text, end)


def _speaks_of_someone(text: str, name: str, end: int) -> bool:
    """Whether capitalised words behind `name:` are somebody's: many have one of them, or a label of people is next."""
    if DETAIL_NEXT.match(text, end):
        return True
    return not names_thing(name) and any(map(is_part_of_name, _WORD.findall(name)))
