"""Telephone numbers in text.

Digits with blanks are everywhere, so a number has to earn its name: by a plus and a valid country code, by being
written exactly as its country writes numbers, or by a word such as "phone" beside it. That took the precision of a
validity check alone from 0.52 to 1.00 on hard negatives, at the same recall.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from hokusai.privacy import phone_words
from hokusai.privacy.context import Found, before, is_glued
from hokusai.privacy.numbering import (
    BRACKETS,
    NORTH_AMERICAN,
    NumberingPlan,
    grouped,
    in_country,
    international,
    plans,
)

GATE = r"[0-9](?:[ ()./-]{0,3}[0-9]){6}"
_RUN = re.compile(r"[0-9][0-9 ()./-]*[0-9]")
_CLOCK = r"[0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?"
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_TIME = re.compile(rf"(?:{_YEAR}-{_MONTH}-{_DAY}|{_DAY}[./]{_DAY}[./]{_YEAR})(?:(?:T|,? ){_CLOCK})?|{_CLOCK}")
_DIGIT_NEXT = re.compile(r"[ ()./-]{0,3}[0-9]")
_WIDE = re.compile(r"[ ()./-]{4,}")
_GROUP = re.compile(r"[0-9]+")
_EXIT_CODES = ("00", "011")
"""What is dialled before a country code, in North America and elsewhere."""
_EXTENSION = re.compile(r" ?(?:x|ext\.?|extension|Durchwahl|poste) ?[0-9]{1,6}\b")
_DATE = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?: [0-9]{1,2})?"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}(?: [0-9]{1,2})?"
)
_HIGHEST_DRAWN = "60"
_LABEL = re.compile(r"[^\W\d_][ :=.(\"'\[-]{1,4}$")
_LEAST_DIALLED = 11
"""Digits of the shortest number that is believed to be one of another country beside a word, without a plus."""
_MOST_GROUPS = 7
_LONGEST_RUN = 60
_DIGITS = (7, 15)


def belief(regions: tuple[str, ...]) -> str:
    """What else a text must have where no column says that it holds numbers; a Rust regex.

    That is a plus, what is dialled before a country code, digits grouped as in one of the regions, or a word for
    telephones. Text is full of other digits (orders, times, decimals), and a regular expression passes them over a
    hundred times as fast as Python does.
    """
    dialled = rf"(?:^\.?|[^0-9.]|[^0-9]\.)(?:{'|'.join(_EXIT_CODES)})"
    return rf"\+ ?[0-9(]|{dialled}|{grouped(regions)}|{phone_words.GATE}"


def spans(text: str, regions: tuple[str, ...], *, told: bool = False) -> Iterator[Found]:
    """The numbers in a text; the canonical form is E.164, or the digits alone if no region has such a number.

    Args:
        text: What to look through.
        regions: Whose national formats count, the first one first.
        told: Whether the column is known to hold numbers, so that no word has to stand beside them.

    Raises:
        MissingExtraError: `phonenumbers` is not installed.

    >>> list(spans("call 020 7946 0958 or +1 (415) 555-2671, order 4155552671", ("GB", "US")))
    [(5, 18, '+442079460958'), (22, 39, '+14155552671')]
    """
    known = plans(regions)
    worded: bool | None = True if told else None  # not looked for yet
    for run in _runs(text):
        start = _left_edge(text, 0, run.start())
        if run.end() - start < _DIGITS[0]:
            continue
        if worded is None:
            worded = phone_words.may_be_named(text)
        for gap in _WIDE.finditer(text, run.start(), run.end()):
            yield from _in_run(text, start, gap.start(), known, worded, told=told)
            start = gap.end()
        yield from _in_run(text, start, run.end(), known, worded, told=told)


def _runs(text: str) -> Iterator[re.Match[str]]:
    """Digits that stand together, but for days and times of day, which texts are full of."""
    at = 0
    while run := _RUN.search(text, at):
        time = _TIME.match(text, run.start())
        if time and _is_time(text, *time.span()):
            at = time.end()
        else:
            yield run
            at = run.end()


def _is_time(text: str, start: int, end: int) -> bool:
    """Whether what reads as a day or a time of day is one, and no piece of longer digits."""
    if start and text[start - 1] in "+(":
        return False
    more = text[end : end + 1].isdigit() if ":" in text[start:end] else _DIGIT_NEXT.match(text, end)
    return not more


def _in_run(
    text: str, start: int, end: int, known: tuple[NumberingPlan, ...], worded: bool, *, told: bool
) -> Iterator[Found]:
    """The numbers among digits that stand together: from each group on, the longest that is one.

    Args:
        text: What the run stands in.
        start: Where the run begins.
        end: Where it ends.
        known: Plans of the regions that count.
        worded: Whether a word for telephones may stand in the text at all.
        told: Whether the column is known to hold numbers.
    """
    if end - start > _LONGEST_RUN and text.find("+", start, end) < 0:
        return  # a list of numbers
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    lengths = [right - left for left, right in groups]
    if not (worded or _may_hold(tuple(lengths), known) or "+" in text[start : groups[0][0]]) and not any(
        text.startswith(_EXIT_CODES, left) for left, _ in groups
    ):
        return
    first, proven = 0, False
    while first < len(groups) and end - groups[first][0] >= _DIGITS[0] - 1:
        left = _left_edge(text, start, groups[first][0])
        digits = sum(lengths[first : first + _MOST_GROUPS])
        for last in range(min(len(groups), first + _MOST_GROUPS), first, -1):
            if digits < _DIGITS[0]:
                break
            if digits <= _DIGITS[1]:
                window = tuple(lengths[first:last])
                found = _number(text, left, groups[first:last], window, known, worded, told=told)
                if found:
                    right = groups[last - 1][1]
                    extension = _EXTENSION.match(text, right)
                    yield left, extension.end() if extension else right, found
                    first, proven = last - 1, True
                    break
            digits -= lengths[last - 1]
        first += 1
    left = _left_edge(text, start, groups[0][0])
    if worded and not proven and _is_meant(text, left, groups, tuple(lengths), told=told):
        yield left, groups[-1][1], "".join([text[a:b] for a, b in groups])


def _is_meant(
    text: str, left: int, groups: list[tuple[int, int]], lengths: tuple[int, ...], *, told: bool
) -> bool:
    """Whether digits that no plan knows are meant for a number: grouped, no date, and a word stands before them.

    People mistype their numbers and leave out area codes; what they called a phone number is still personal.
    """
    return (
        len(lengths) > 1
        and _DIGITS[0] <= sum(lengths) <= _DIGITS[1]
        and _is_apart(text, left, groups[-1][1])
        and not _DATE.fullmatch(text, left, groups[-1][1])
        and not _is_plain_number(text, left, groups, lengths)
        and (told or phone_words.is_named(text, left, groups[-1][1], in_one_piece=False))
    )


def _left_edge(text: str, start: int, digit: int) -> int:
    """Where a number begins whose first digit is here: at the plus or parenthesis before it.

    A blank may stand behind the plus (`+ 49 30`), unless a number stands before it: that is a sum.
    """
    at = digit
    if at - start >= 2 and text[at - 2 : at] == "+ ":
        prior = text[max(0, at - 4) : at - 2].rstrip(" ")
        return at if prior and (prior[-1].isdigit() or prior[-1] in ")+") else at - 2
    while at > start and text[at - 1] in "+(" and digit - at < 2:
        at -= 1
    return at


def _number(
    text: str,
    left: int,
    groups: list[tuple[int, int]],
    lengths: tuple[int, ...],
    known: tuple[NumberingPlan, ...],
    worded: bool,
    *,
    told: bool,
) -> str | None:
    right = groups[-1][1]
    plus = "+" in text[left : groups[0][0]]
    abroad = text.startswith(_EXIT_CODES, left)
    likely = _likely(lengths, known)
    if likely and (
        _is_plain_number(text, left, groups, lengths)
        or _is_drawn(text, left, groups, lengths)
        or _DATE.fullmatch(text, left, right)
    ):
        likely = ()
    # "212-555-0123/212-555-0124" are two.
    side_by_side = bool(likely) and len(lengths) > 2 and "/" not in text[left:right]
    if not (worded or likely or plus or abroad) or not _is_apart(
        text, left, right, side_by_side=side_by_side
    ):
        return None
    digits = "".join([text[start:end] for start, end in groups])
    spaced = plus and text.startswith("+ ", left)
    if plus and ((found := international(digits) if not spaced or len(lengths) > 1 else None) or not spaced):
        return found
    outward = international(digits[2:]) if likely and text.startswith("00", left) else None
    if found := outward or _as_written(likely, digits, lengths, text[left:right]):
        return found
    named = told or (worded and phone_words.is_named(text, left, right, in_one_piece=len(lengths) == 1))
    named = named and not _DATE.fullmatch(text, left, right)
    # Behind a plus and a blank, digits in one piece are a sum unless a word says more.
    dialled = digits if spaced else digits[2 + digits.startswith("011") :]
    if (named if spaced else abroad and (named or len(lengths) > 1)) and (found := international(dialled)):
        return found
    return _in_country_or_out(text, left, digits, lengths, known) if named else None


def _as_written(
    likely: tuple[NumberingPlan, ...], digits: str, lengths: tuple[int, ...], written: str
) -> str | None:
    """The number of the first region that writes it so; one of a loose kind gives way to a mobile of another region."""
    loose = None
    for plan in likely:
        if national := _written_by(plan, digits, lengths, written):
            number = f"+{plan.country_code}{national}"
            if plan.is_mobile(national) or (not loose and plan.is_firm(national)):
                return number
            loose = loose or number
    return loose


def _in_country_or_out(
    text: str, left: int, digits: str, lengths: tuple[int, ...], known: tuple[NumberingPlan, ...]
) -> str | None:
    """The number that digits are beside a word for telephones: a country's own, or one abroad that lost its plus."""
    found = in_country(digits, lengths, known)
    if (
        found is None
        and len(lengths) == 1
        and len(digits) >= _LEAST_DIALLED
        and _LABEL.search(before(text, left))
    ):
        return international(digits)
    return found


def _is_plain_number(text: str, left: int, groups: list[tuple[int, int]], lengths: tuple[int, ...]) -> bool:
    """Whether digits with blanks read as thousands (`371 697 580`) or as a piece of a list of numbers."""
    right = groups[-1][1]
    between = {text[end:start] for (_, end), (start, _) in pairwise(groups)}
    if not between <= {" ", "."}:
        return False
    in_list = (
        text[right : right + 2].strip(" ").isdigit() or text[max(0, left - 2) : left].strip(" ").isdigit()
    )
    return set(lengths[1:]) == {3} or (in_list and "." not in between)


def _is_drawn(text: str, left: int, groups: list[tuple[int, int]], lengths: tuple[int, ...]) -> bool:
    """Whether pairs of digits, as French numbers have them, read as those of a lottery: in order, or called so."""
    if set(lengths) != {2}:
        return False
    pairs = [text[start:end] for start, end in groups]
    in_order = pairs == sorted(pairs) and pairs[-1] <= _HIGHEST_DRAWN
    return in_order or phone_words.is_drawn(text, left)


@lru_cache(maxsize=4096)
def _may_hold(lengths: tuple[int, ...], known: tuple[NumberingPlan, ...]) -> bool:
    """Whether some of these groups, side by side, are as long as those of some number."""
    return any(
        _likely(lengths[first:last], known)
        for first in range(len(lengths))
        for last in range(first + 2, min(len(lengths), first + _MOST_GROUPS) + 1)
    )


@lru_cache(maxsize=4096)
def _likely(lengths: tuple[int, ...], known: tuple[NumberingPlan, ...]) -> tuple[NumberingPlan, ...]:
    """The regions in which some number is written in groups of so many digits."""
    if len(lengths) == 1:
        return ()
    american = lengths in (NORTH_AMERICAN, (1, *NORTH_AMERICAN))
    return tuple(plan for plan in known if (american and plan.country_code == "1") or plan.may_group(lengths))


def _written_by(plan: NumberingPlan, digits: str, lengths: tuple[int, ...], written: str) -> str | None:
    """The national number, if the digits are one that is grouped exactly as the region's people group it.

    Two groups prove less, so there the blanks and hyphens have to be the region's too.
    """
    national = plan.national(digits)
    if national is None:
        return None
    if plan.country_code == "1" and lengths[-3:] == NORTH_AMERICAN:
        return national
    rendering = plan.rendering(national)
    if len(lengths) <= 2:
        return national if rendering.translate(BRACKETS) == written.translate(BRACKETS) else None
    return national if lengths == tuple(len(group) for group in _GROUP.findall(rendering)) else None


def _is_apart(text: str, left: int, right: int, *, side_by_side: bool = False) -> bool:
    """Whether the number is not glued to letters, a decimal point or more digits."""
    prior, next_ = text[max(0, left - 2) : left], text[right : right + 2]
    if prior and (
        is_glued(prior[-1])
        or prior[-1] in "-#$€£@+"
        or (prior[-1] == "/" and text[left] != "+" and not (side_by_side and prior[0].isdigit()))
        or (prior[-1] == "." and prior[0].isdigit())
    ):
        return False
    if len(prior) == 2 and prior[-1] in "()=" and prior[0].isdigit():
        return False
    if next_ and (is_glued(next_[0]) or next_[0] in "%°€$£"):
        return _EXTENSION.match(text, right) is not None
    if len(next_) < 2 or not next_[1].isdigit():
        return True
    return next_[0] not in "./-:)" or (side_by_side and next_[0] == "/")
