"""The telephone numbering plans of the world, compiled from libphonenumber's metadata.

`phonenumbers` itself takes 150 microseconds to parse, validate and format one number. Its metadata are regular
expressions, so a column of numbers can be checked as a whole; this file reads them and answers the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from hokusai.errors import InvalidInputError
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from phonenumbers import NumberFormat, PhoneMetadata

_KINDS_OF_NUMBER = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
_CLASS = re.compile(r"\\d|\[[^]]*\]")
_CAPTURED = re.compile(r"\(((?:[^()]|\(\?:[^()]*\))*)\)")
_FIRST_GROUP = re.compile(r"\\\d")
_GROUP = re.compile("[0-9]+")
NORTH_AMERICAN = (3, 3, 4)
BRACKETS = str.maketrans("", "", "()")
"""Takes out what some write around an area code, and others do not."""
_BETWEEN = "[ ()./-]{1,3}"
_LIKE_A_DAY = ((4, 4), (2, 2), (2, 2))
_NO_YEAR = "(?:[03-9][0-9]|1[0-8]|2[1-9])[0-9]{2}"
"""What numbers in such groups begin with: 2024-01-18 is a day."""
_MOST_LENGTHS = 4
"""Fixed lines of more lengths than this are loose: nearly any digits are one, as in Germany and Italy."""
_LOOSE_KINDS = ("pager", "uan", "voicemail")
_NOTHING = r"[^\s\S]"
_WRITTEN_GROUP = re.compile(r"(?:[0-9]|\\[0-9])+")
_LEAST_ABROAD = 11
"""Digits from which a number may be read as one of another country that lost its plus."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberingPlan:
    """How the numbers of one region are built.

    Attributes:
        region: ISO 3166 code, or `001` for numbers without a country.
        country_code: Such as `44`.
        valid: Pattern of a complete national number without trunk prefix; portable between Python and Rust.
        firm: The same without the kinds that are loose: nearly any digits are one, as with fixed lines of Germany.
        mobile: The same of mobile numbers alone.
        prefix: Pattern of what is dialled before it within the country; empty if nothing is.
        transform: What a prefix with a carrier code is replaced with; empty if it is only cut off.
        styles: How people group the digits.
        may_need_prefix: Whether people always write the trunk prefix before some numbers.
    """

    region: str
    country_code: str
    valid: str
    firm: str
    mobile: str
    prefix: str
    transform: str
    styles: tuple[_Style, ...]
    may_need_prefix: bool

    def is_valid(self, national: str) -> bool:
        """Whether these digits are a complete national number."""
        return _compiled(self.valid).fullmatch(national) is not None

    def is_firm(self, national: str) -> bool:
        """Whether a complete national number is of a kind that is not loose.

        >>> plan("DE").is_firm("15123454983"), plan("DE").is_firm("4915123454983")
        (True, False)
        """
        return self.firm == self.valid or _compiled(self.firm).fullmatch(national) is not None

    def is_mobile(self, national: str) -> bool:
        """Whether a national number is one of a mobile telephone."""
        return _compiled(self.mobile).fullmatch(national) is not None

    def may_group(self, lengths: tuple[int, ...]) -> bool:
        """Whether some number of the region is written in groups of so many digits."""
        return any(style.may_group(lengths) for style in self.styles)

    @property
    def prefix_habit(self) -> bool | None:
        """Whether people write the trunk prefix: always, never, or (None) for some of the numbers only."""
        habits = {style.needs_prefix for style in self.styles}
        return habits.pop() if len(habits) == 1 else None

    def national(self, dialled: str) -> str | None:
        """The national number in digits that were dialled within the country; None if there is none.

        A trunk prefix that people always write (the 0 of `020 7946 0958`) has to be there: without it, any
        ten digits would be somebody's phone.
        """
        if self.is_valid(dialled) and not self._needs_prefix(dialled):
            return dialled
        stripped = self.without_prefix(dialled)
        return stripped if stripped is not None and self.is_valid(stripped) else None

    def without_prefix(self, dialled: str) -> str | None:
        """The digits after the trunk prefix; None if they do not start with it."""
        if not self.prefix or not (found := _compiled(self.prefix).match(dialled)) or not found.end():
            return None
        if self.transform and found.lastindex and found.group(found.lastindex) is not None:
            return found.expand(self.transform) + dialled[found.end() :]
        return dialled[found.end() :]

    def rendering(self, national: str) -> str:
        """The number as the region's people write it, such as `020 7946 0958`."""
        for style in self.styles:
            if found := style.match(national):
                return found.expand(style.template)
        return national

    def groups_so(self, national: str, lengths: tuple[int, ...]) -> bool:
        """Whether people of the region write this number in groups of so many digits, with a trunk prefix or without.

        >>> plan("IN").groups_so("9876543210", (5, 5)), plan("BR").groups_so("9876543210", (5, 5))
        (True, False)
        """
        if self.country_code == "1" and lengths[-3:] == NORTH_AMERICAN:
            return True
        written = next(filter(None, (style.renderings(national) for style in self.styles)), ())
        return len(lengths) > 1 and any(lengths == tuple(map(len, _GROUP.findall(each))) for each in written)

    def _needs_prefix(self, national: str) -> bool:
        if not self.may_need_prefix:
            return False
        for style in self.styles:
            if style.match(national):
                return style.needs_prefix
        return False


def in_country(digits: str, lengths: tuple[int, ...], known: tuple[NumberingPlan, ...]) -> str | None:
    """The E.164 form of digits that were dialled within one of some countries; None if none has such a number.

    Args:
        digits: All of them.
        lengths: How many stand together, by which the countries that have such a number are told apart.
        known: Plans of the countries, the likeliest first.
    """
    likeliest = first = None
    for plan in known:
        if national := plan.national(digits):
            number = f"+{plan.country_code}{national}"
            grouped = plan.groups_so(national, lengths)
            firm = plan.is_firm(national)
            if grouped and ((firm and not likeliest) or plan.is_mobile(national)):
                return number
            if not grouped and not firm:
                number = abroad(digits) or number
            if len(lengths) == 1:
                return number
            likeliest = likeliest or (number if grouped else None)
            first = first or number
    return likeliest or first


def abroad(digits: str) -> str | None:
    """The E.164 form of digits that are a country code and a complete number of that country; None if they may not be.

    >>> abroad("4915123454983"), abroad("01512345498"), abroad("4155552671")
    ('+4915123454983', None, None)
    """
    found = international(digits) if len(digits) >= _LEAST_ABROAD else None
    return found if found == f"+{digits}" else None


@cache
def grouped(regions: tuple[str, ...]) -> str:
    """Rust regex: it matches wherever digits stand in groups as long as those of some number of the regions.

    Of two groups, which prove less, only those count between which stands what the region's people write there.

    Raises:
        MissingExtraError: `phonenumbers` is not installed.
        InvalidInputError: A region is unknown.

    >>> bool(re.search(grouped(("GB",)), "at 020 7946 0958")), bool(re.search(grouped(("GB",)), "0.123456"))
    (True, False)
    """
    known = plans(regions)
    shapes = {style.shape for each in known for style in each.styles if len(style.group_lengths) > 1}
    if any(each.country_code == "1" for each in known):
        shapes.add(_shape([(length, length) for length in NORTH_AMERICAN], _BETWEEN))
    return rf"(?:^|[^0-9])(?:{'|'.join(sorted(shapes)) or _NOTHING})(?:[^0-9]|$)"


@cache
def plans(regions: tuple[str, ...]) -> tuple[NumberingPlan, ...]:
    """The plans of some regions.

    Raises:
        MissingExtraError: `phonenumbers` is not installed.
        InvalidInputError: A region is unknown.
    """
    return tuple(plan(region) for region in regions)


@cache
def plan(region: str) -> NumberingPlan:
    """The plan of one region.

    Raises:
        MissingExtraError: `phonenumbers` is not installed.
        InvalidInputError: The region is unknown.

    >>> plan("GB").national("02079460958"), plan("GB").rendering("2079460958")
    ('2079460958', '020 7946 0958')
    """
    metadata = require("phonenumbers", "data").PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        raise InvalidInputError(
            f"{region!r} is no region with phone numbers of its own",
            where="regions",
            hint="Give ISO 3166 codes of two letters, such as US, GB or DE.",
        )
    return _plan(metadata)


@cache
def plans_of_code(country_code: str) -> tuple[NumberingPlan, ...]:
    """The plans of all regions that share a country code; none if there is no such code.

    >>> [plan.region for plan in plans_of_code("44")]
    ['GB', 'GG', 'IM', 'JE']
    """
    library = require("phonenumbers", "data")
    regions = library.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code), ())
    found = []
    for region in regions:
        if region == library.REGION_CODE_FOR_NON_GEO_ENTITY:
            metadata = library.PhoneMetadata.metadata_for_nongeo_region(int(country_code), None)
        else:
            metadata = library.PhoneMetadata.metadata_for_region(region, None)
        found.append(_plan(metadata))
    return tuple(found)


@cache
def country_codes() -> tuple[str, ...]:
    """All country codes; none is the beginning of another.

    >>> len(country_codes()) > 200, country_codes()[:3]
    (True, ('1', '20', '211'))
    """
    return tuple(sorted(map(str, require("phonenumbers", "data").COUNTRY_CODE_TO_REGION_CODE)))


def international(digits: str) -> str | None:
    """The E.164 form of the digits after a plus; None if they are nobody's number.

    >>> international("442079460958"), international("4402079460958"), international("999123")
    ('+442079460958', '+442079460958', None)
    """
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        if not rest or code[0] == "0":
            return None
        sharing = plans_of_code(code)
        if any(each.is_valid(rest) for each in sharing):
            return "+" + digits
        # The (0) of "+44 (0)20 ...", by the rules of the largest of the regions that share the code.
        stripped = sharing[0].without_prefix(rest) if sharing else None
        if stripped is not None and any(each.is_valid(stripped) for each in sharing):
            return f"+{code}{stripped}"
    return None


@dataclass(frozen=True, slots=True)
class _Style:
    """One way in which numbers of a region are grouped."""

    leading: str
    pattern: str
    template: str
    bare_template: str
    needs_prefix: bool
    group_lengths: tuple[tuple[int, int], ...]
    bare_lengths: tuple[tuple[int, int], ...]

    def may_group(self, lengths: tuple[int, ...]) -> bool:
        """Whether groups of so many digits can be what `template` makes of some number."""
        return len(lengths) == len(self.group_lengths) and all(
            low <= length <= high for length, (low, high) in zip(lengths, self.group_lengths, strict=True)
        )

    @property
    def most_digits(self) -> int:
        """No number that is written so has more."""
        return sum(high for _, high in self.group_lengths)

    @property
    def shape(self) -> str:
        """Regex of digits in two groups or more that can be what `template` makes of some number."""
        between = _BETWEEN
        if len(self.group_lengths) == 2:
            sign = re.escape(_WRITTEN_GROUP.split(self.template)[1].translate(BRACKETS))
            between = f"[()]{{0,2}}{sign}[()]{{0,2}}"
        return _shape(self.group_lengths, between)

    def match(self, national: str) -> re.Match[str] | None:
        """The groups of a number that is written so."""
        if self.leading and not _compiled(self.leading).match(national):
            return None
        return _compiled(self.pattern).fullmatch(national)

    def renderings(self, national: str) -> tuple[str, ...]:
        """A number that is written so: with the trunk prefix, and without where people leave it out."""
        found = self.match(national)
        if found is None:
            return ()
        return (
            (found.expand(self.template),)
            if self.needs_prefix
            else (found.expand(self.template), found.expand(self.bare_template))
        )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when first needed: most texts are about the numbers of one or two regions."""
    return re.compile(pattern)


def _plan(metadata: PhoneMetadata) -> NumberingPlan:
    general = metadata.general_desc
    patterns, firm, mobile = [], [], _NOTHING
    for name in _KINDS_OF_NUMBER:
        described = getattr(metadata, name)
        if described is not None and described.national_number_pattern:
            pattern = described.national_number_pattern.replace(r"\d", "[0-9]")
            if pattern not in patterns:
                patterns.append(pattern)
            lengths = described.possible_length or (general.possible_length if general else ())
            if name not in _LOOSE_KINDS and (name != "fixed_line" or len(lengths) <= _MOST_LENGTHS):
                firm.append(pattern)
            if name == "mobile":
                mobile = pattern
    valid = "(?:" + "|".join(patterns) + ")"
    prefix = metadata.national_prefix_for_parsing or ""
    least = min(general.possible_length or (0,)) if general else 0
    styles = _styles(metadata.id, str(metadata.country_code))
    styles = tuple(
        style for style in styles if style.most_digits >= least
    )  # others are of local numbers alone
    return NumberingPlan(
        metadata.id,
        str(metadata.country_code),
        valid,
        valid if set(firm) == set(patterns) else "(?:" + "|".join(firm or [_NOTHING]) + ")",
        f"(?:{mobile})",
        prefix,
        metadata.national_prefix_transform_rule or "",
        styles,
        any(style.needs_prefix for style in styles),
    )


@cache
def _styles(region: str, country_code: str) -> tuple[_Style, ...]:
    library = require("phonenumbers", "data").PhoneMetadata
    if region == "001":
        metadata = library.metadata_for_nongeo_region(int(country_code), None)
    else:
        metadata = library.metadata_for_region(region, None)
    formats = list(metadata.number_format)
    main = require("phonenumbers", "data").COUNTRY_CODE_TO_REGION_CODE[int(country_code)][0]
    if not formats and main != region:
        return _styles(main, country_code)
    return tuple(_style(each, metadata.national_prefix or "") for each in formats)


def _style(written: NumberFormat, trunk: str) -> _Style:
    rule = written.national_prefix_formatting_rule or ""
    template = written.format or ""
    if rule:
        template = _FIRST_GROUP.sub(lambda group: rule.replace(r"\1", group[0]), template, count=1)
    leading = written.leading_digits_pattern
    needs_prefix = (
        bool(trunk)
        and rule.replace("(", "").startswith(trunk)
        and not written.national_prefix_optional_when_formatting
    )
    bare = template if needs_prefix else written.format or ""
    return _Style(
        leading[-1] if leading else "",
        written.pattern or "",
        template,
        bare,
        needs_prefix,
        group_lengths=_group_lengths(written.pattern or "", template),
        bare_lengths=_group_lengths(written.pattern or "", bare),
    )


def _group_lengths(pattern: str, template: str) -> tuple[tuple[int, int], ...]:
    r"""How many digits at least and at most each group has that the template writes.

    >>> _group_lengths(r"(\d{2})(\d{3,4})(\d{4})", r"0\1 \2-\3")
    ((3, 3), (3, 4), (4, 4))
    """
    widths = [_width(group) for group in _CAPTURED.findall(_CLASS.sub("x", pattern))]
    lengths = []
    for written in _WRITTEN_GROUP.findall(template):
        references = [widths[int(reference) - 1] for reference in re.findall(r"\\([0-9])", written)]
        literal = len(re.sub(r"\\[0-9]", "", written))
        lengths.append(
            (literal + sum(low for low, _ in references), literal + sum(high for _, high in references))
        )
    return tuple(lengths)


def _shape(lengths: Sequence[tuple[int, int]], between: str) -> str:
    groups = [f"[0-9]{{{low},{high}}}" for low, high in lengths]
    if lengths == _LIKE_A_DAY:
        groups[0] = _NO_YEAR
    return between.join(groups)


def _width(group: str) -> tuple[int, int]:
    """The least and greatest number of digits that a group of a pattern takes, generously."""
    if "|" in group or "(" in group:
        return 1, 15
    low = high = 0
    for _, exact, bounds in re.findall(r"([x0-9])(?:\{(\d+)\}|\{(\d+,\d+)\})?", group):
        least, most = (int(bound) for bound in (bounds or f"{exact or 1},{exact or 1}").split(","))
        low, high = low + least, high + most
    return low, high
