"""Dates of birth in text: a date with a word such as "born" beside it. A date alone is nobody's birthday."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from hokusai.privacy.context import Found, after, before, is_glued

_WORDS = (
    r"\b(?:born|d\.?o\.?b\.?|birth(?:day|date|s)?|geb(?:oren|urtsdatum|urtstag)?|n[ée]e? (?:le|en)|naissance"
    r"|nacid[oa]|nacimiento|nat[oa] (?:il|a)|data di nascita|nascita|nascid[oa]|nascimento|geboren|födelsedatum"
    r"|geboortedatum|(?:[a-z]{1,12}_){0,2}(?:birth_?(?:date|day)|date_?of_?birth|dob))\b|生年月日|誕生日|\bb-?day\b"
)
HINT = (
    r"(?i-u:born|d\.?o\.?b|birth|b-?day|geb|naissan|naci[dm]|nasci[mdt]|nat[oa] (?:il|a)|elsedat)"
    r"|[nN][eéEÉ][eE]? (?:le|en)|[月生]日"
)
"""Rust regex without counting, for the quick pass over all rows."""
_NEAR = (
    r"(?i:born|d\.?o\.?b|birth|b-?day|geb|n[ée]e? (?:le|en)|naissance|nacid|nacimiento|nat[oa] (?:il|a)|nascita|nascid"
    r"|nascimento|födelse|geboorte|生年月日|誕生日)"
)
GATE = rf"{_NEAR}[^0-9]{{0,45}}[0-9]|[0-9日Z][ (,:-]{{0,20}}{_NEAR}"
"""Rust regex for the rows that are left."""
GATE_TOLD = r"[0-9]{2}"
_WORD = re.compile(f"(?i){_WORDS}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro",
            "february feb februar février fevrier febrero febbraio fevereiro",
            "march mar märz maerz mars marzo março marco",
            "april apr avril abril aprile",
            "may mai mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août aout agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre decembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = r"(?:" + "|".join(sorted(_MONTHS, key=lambda name: (-len(name), name))) + r")\b\.?"
_TIME = (
    r"(?:[T ](?P<clock>[0-9]{1,2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?: ?[AP]M\b)?"
    r"(?:Z|(?P<zone>[+-][0-9]{2}:?[0-9]{2}))?)?"
)
"""A time of day, which programs write behind a date that has none."""
_DATE = re.compile(
    r"(?i)(?:(?:(?P<iso>[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2})"
    r"|(?P<numeric>[0-9]{1,2}(?P<separator>[-/.] ?)[0-9]{1,2}(?P=separator)(?:[0-9]{4}|[0-9]{2})))"
    rf"{_TIME}"
    r"|(?P<compact>[12][0-9]{7})"
    r"|(?P<kanji>[0-9]{4}年 ?[0-9]{1,2}月 ?[0-9]{1,2}日)"
    rf"|(?P<day_first>[0-9]{{1,2}}(?:st|nd|rd|th|er|\.|º)?[ -]{{1,2}}(?:de |of )?{_MONTH}"
    r",?[ -]{0,2}(?:de |del )?[0-9]{4})"
    rf"|(?P<month_first>{_MONTH} {{0,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?,? {{1,2}}[0-9]{{4}}))"
)
_NO_BIRTH = re.compile(r"(?i)\bnew[ -]born\b|\bborn in the u\.s\.a\.? *$")
"""A new born product, a record of 1984."""
_OTHER_EVENT = re.compile(r"(?i)\b(?:register|sign|join|creat|updat|since|hired|start|died|order|party)")
_NUMBER = re.compile(r"[0-9]+")
_WORDS_ONLY = re.compile(r"[^\W\d_]+")
_FIRST_YEAR, _LAST_YEAR = 1880, 2100
_PIVOT = 40


def spans(text: str, *, told: bool = False) -> Iterator[Found]:
    """The dates of birth in a text; the canonical form is ISO 8601.

    Slashes are read month first where both readings exist, dots and hyphens day first; a year of two digits above
    40 is of the last century. Eight digits without separators are year, month and day. A time of day behind the date
    belongs to it and does not count, unless it has a zone: then the date is that in UTC.

    Args:
        text: What to look through.
        told: Whether the column is known to hold them, so that no word has to stand beside.

    >>> list(spans("Born 12 March 1984, signed up 2024-01-05"))
    [(5, 18, '1984-03-12')]
    """
    for found in _DATE.finditer(text):
        date = _iso(found)
        if date and (told or _is_birth(text, found.start(), found.end())) and _is_whole(text, found):
            yield found.start(), found.end(), date


def _is_birth(text: str, start: int, end: int) -> bool:
    """Whether a word stands before the date with no other date between, or right after it in brackets."""
    words = before(text, start)
    word = None
    for word in _WORD.finditer(words):  # noqa: B007 - the last one
        pass
    if word is not None:
        if _NO_BIRTH.search(words):
            return False
        return not _DATE.search(words, word.end()) and not _OTHER_EVENT.search(words, word.end())
    return _WORD.match(after(text, end, 20).lstrip(" (,:-")) is not None


def _is_whole(text: str, found: re.Match[str]) -> bool:
    right = text[found.end() : found.end() + 2]
    if is_glued(text[max(0, found.start() - 1) : found.start()]) or is_glued(right[:1]):
        return False
    return not (len(right) == 2 and right[0] in "-/." and right[1].isdigit())


def _iso(found: re.Match[str]) -> str | None:
    numbers = [int(number) for number in _NUMBER.findall(found[0])][:3]
    if found["iso"] or found["kanji"]:
        year, month, day = numbers
    elif found["compact"]:
        year, month, day = (int(found[0][part]) for part in (slice(4), slice(4, 6), slice(6, 8)))
    elif found["numeric"]:
        first, second, year = numbers
        if len(_NUMBER.findall(found[0])[2]) == 2:
            year += 1900 if year > _PIVOT else 2000
        month_first = second > 12 or (first <= 12 and "/" in found[0])
        month, day = (first, second) if month_first else (second, first)
    else:
        name = next(word for word in _WORDS_ONLY.findall(found[0].lower()) if word in _MONTHS)
        month, (day, year) = _MONTHS[name], numbers
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        date = datetime.date(year, month, day)
        return (_in_utc(date, found["clock"], found["zone"]) if found["zone"] else date).isoformat()
    except ValueError:
        return None


def _in_utc(date: datetime.date, clock: str, zone: str) -> datetime.date:
    """The date in UTC: tables keep moments so, whatever zone they were written in."""
    moment = f"{date}T{clock:0>5}{zone}"
    return datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC).date()
