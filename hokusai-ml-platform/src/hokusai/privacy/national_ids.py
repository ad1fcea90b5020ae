"""National identity and tax numbers in text, each by its own check digits, and by words beside it where those are weak.

Passports have none that all countries share: they count beside their word alone, and in every region.

A bare run of nine digits is nobody's number: without a word such as "SSN" beside it, it is not taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial

from hokusai.privacy.checksums import luhn, mod11_10, verhoeff
from hokusai.privacy.context import (
    Found,
    after,
    before,
    is_numbered_thing,
    outside_lists,
    stands_alone,
    unlisted,
)

GATE = (
    r"[0-9](?:[ ./-]?[0-9]){8}|[XYZxyz0-9]-?[0-9]{7}-?[A-Za-z]|[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]"
    r"|[A-Z]{1,3}[0-9]{6}|[0-9]{2}[A-Z]{2}[0-9]{5}|[A-Z][0-9][0-9A-Z]{7}"
    r"|[A-Za-z]{5}[0-9]{4}[A-Za-z]|[12] ?[0-9]{2} ?[0-9]{2} ?2[ABab]"
    r"|[A-Za-z]{6}[0-9LMNP-Vlmnp-v]{2}[A-EHLMPR-Ta-ehlmpr-t][0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{3}"
)
"""Rust regex that matches wherever one of the schemes does; plain words have none of its shapes."""
_WORD_CHARACTERS = 40
_FEW = 3
"""So many that look like ids are looked at at once; lists are only looked for among more."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One country's number.

    Attributes:
        region: ISO 3166 code; `_PASSPORT` for what is of every region.
        written: Its shape.
        is_valid: Whether the letters and digits, upper case, without separators, pass its check.
        words: What people write beside it.
        certain: Whether the digits alone, as written, are enough; else a word has to stand near.
            `_is_anything` where the check is so strong that not even "order no." before it speaks against it.
    """

    region: str
    written: re.Pattern[str]
    is_valid: Callable[[str], bool]
    words: re.Pattern[str]
    certain: Callable[[str], bool]

    @property
    def gate(self) -> str:
        """Rust regex that matches wherever `written` does; Rust has no references back to a separator."""
        plain = self.written.pattern.replace(r"\b", r"(?-u:\b)")
        separator = _CAPTURED.search(plain)
        if separator is None:
            return plain
        return plain.replace(separator[0], separator[1]).replace(r"\1", separator[1])

    @property
    def belief(self) -> str:
        """Rust regex for what a text must have too where no column says what it holds; empty if that is nothing."""
        shape = _CERTAIN_SHAPES.get(self.certain)
        if shape is None:
            return ""
        words = self.words.pattern.replace(r"\b", r"(?-u:\b)").replace(r"\W", "[^0-9A-Za-z_]")
        return f"{shape}|{words}"

    def spans(self, text: str, *, told: bool = False) -> Iterator[Found]:
        """The numbers of this country in a text.

        Args:
            text: What to look through.
            told: Whether the column is known to hold national ids, so that no word has to stand beside.
        """
        found = [
            (number.start(), number.end(), _plain(number))
            for number in self._written(text, told=told)
            if self.is_valid(_plain(number)) and stands_alone(text, number.start(), number.end())
        ]
        by_digits = not told and any(self.certain(text[start:end]) for start, end, _ in found)
        alone = unlisted(text, found) if by_digits else ()
        for start, end, plain in found:
            if told or self._is_believed(text, start, end, listed=start not in alone):
                yield start, end, f"{self.region}:{self.canonical(plain)}"

    def canonical(self, number: str) -> str:
        """One spelling of a number: Sweden's with and without the century are one."""
        return number[-_SWEDISH_DIGITS:] if self.region == "SE" else number

    def _written(self, text: str, *, told: bool) -> list[re.Match[str]]:
        """What is written like an id; where that is much, outside of lists of other numbers."""
        every = list(self.written.finditer(text))
        if told or len(every) <= _FEW:
            return every
        stretches = outside_lists(text, partial(self._may_be_listed, text))
        return [number for left, right in stretches for number in self.written.finditer(text, left, right)]

    def _may_be_listed(self, text: str, start: int, end: int) -> bool:
        """Whether a list of numbers may be one of ids: it begins with one, or a word says so."""
        first = self.written.search(text, start, end)
        return (first is not None and self.is_valid(_plain(first))) or (
            self.words.search(before(text, start, _WORD_CHARACTERS)) is not None
        )

    def _is_believed(self, text: str, start: int, end: int, *, listed: bool) -> bool:
        if self.certain is _is_anything and not listed:
            return True
        words = before(text, start, _WORD_CHARACTERS)
        numbered = is_numbered_thing(words)
        if self.region == _PASSPORT and numbered:
            return False  # its shape is that of many codes
        return (
            (not listed and not numbered and self.certain(text[start:end]))
            or self.words.search(words) is not None
            or self.words.search(after(text, end, _WORD_CHARACTERS)) is not None
        )


@cache
def schemes(regions: tuple[str, ...] | frozenset[str]) -> tuple[Scheme, ...]:
    """The numbers of some regions, and passports; regions without one that is known add none."""
    return tuple(scheme for scheme in _SCHEMES if scheme.region in regions or scheme.region == _PASSPORT)


@cache
def shapes(regions: tuple[str, ...]) -> str:
    """Rust regex of all that a number of some regions can look like."""
    return "|".join(dict.fromkeys(f"(?:{scheme.gate})" for scheme in schemes(regions)))


@cache
def belief(schemes: tuple[Scheme, ...]) -> str:
    """Rust regex for what a text with a number of one of the schemes has too, where no column says what it holds.

    A scheme that needs no words or grouping has its own shape here.
    """
    return "|".join(dict.fromkeys(f"(?:{scheme.belief or scheme.gate})" for scheme in schemes))


def spans(text: str, regions: Collection[str], *, told: bool = False) -> Iterator[Found]:
    """The national ids in a text; the canonical form is the region and the number without separators.

    >>> list(spans("SSN 123-45-6789, CPF 529.982.247-25, order 123456789", ("US", "BR")))
    [(4, 15, 'US:123456789'), (21, 35, 'BR:52998224725')]
    """
    for scheme in schemes(tuple(regions)):
        yield from scheme.spans(text, told=told)


def checked_spans(text: str) -> Iterator[Found]:
    """The national ids of all regions that prove themselves by check digits, with no word beside them.

    >>> list(checked_spans("85070998057")), list(checked_spans("078051120"))
    ([(0, 11, 'PL:85070998057')], [])
    """
    for scheme in _SCHEMES:
        if scheme.is_valid not in _UNCHECKED:
            yield from scheme.spans(text, told=True)


_CAPTURED = re.compile(r"\((\[[^]]*\]\??| \?)\)")
_SEPARATORS = re.compile(r"[ ./+-]")
_SWEDISH_DIGITS = 10


def _plain(written: re.Match[str]) -> str:
    return _SEPARATORS.sub("", written[0]).upper()


def _is_ssn(number: str) -> bool:
    """United States: no area 000, 666 or 900 and above, no group 00, no serial 0000 (SSA, since 2011).

    Individual taxpayer numbers (area 900 and above, group 50-65, 70-88, 90-92 or 94-99) count as well.
    """
    area, group, serial = number[:3], int(number[3:5]), number[5:]
    if serial == "0000" or area in ("000", "666") or len(set(number)) == 1:
        return False
    if area >= "900":
        return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99
    return group != 0


def _is_nino(number: str) -> bool:
    """United Kingdom, National Insurance: letters that are in use (HMRC manual NIM39110)."""
    return number[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _is_nhs(number: str) -> bool:
    """United Kingdom, National Health Service: weights 10 to 2, modulus 11."""
    check = 11 - sum(int(d) * w for d, w in zip(number, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(number[9]) and len(set(number)) > 1


def _is_nir(number: str) -> bool:
    """France: sex, year, month, place, order; key 97 minus the rest modulo 97; Corsica's 2A is 19 and 2B is 18."""
    month = int(number[3:5])
    if not (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99):
        return False
    return 97 - int(number[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(number[13:])


def _is_steuer_id(number: str) -> bool:
    """Germany: ISO 7064 MOD 11,10; of the first ten digits exactly one comes twice or three times."""
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return (
        number[0] != "0"
        and counts[-1] in (2, 3)
        and counts[:-1] == [1] * (len(counts) - 1)
        and mod11_10(number)
    )


def _is_dni(number: str) -> bool:
    """Spain: the letter is the number modulo 23; X, Y, Z of foreigners stand for 0, 1, 2."""
    digits = str("XYZ".find(number[0])) + number[1:8] if number[0] in "XYZ" else number[:8]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[8] and len(set(digits)) > 1


_ODD_VALUES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2 + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def _is_codice_fiscale(code: str) -> bool:
    """Italy: the last letter is a weighted sum of the others modulo 26 (decree of 23 December 1976)."""
    total = sum(
        (int(c, 36) - 10 if c.isalpha() else int(c)) if place % 2 else _ODD_VALUES[c]
        for place, c in enumerate(code[:15])
    )
    return chr(ord("A") + total % 26) == code[15]


def _is_cpf(number: str) -> bool:
    """Brazil, persons: two digits modulo 11, weights 10 to 2 and 11 to 2."""
    return len(set(number)) > 1 and all(
        (sum(int(number[i]) * (length + 1 - i) for i in range(length)) * 10 % 11) % 10 == int(number[length])
        for length in (9, 10)
    )


def _is_cnpj(number: str) -> bool:
    """Brazil, firms: two digits modulo 11, weights 2 to 9 from the right, again and again."""
    return len(set(number)) > 1 and all(
        (sum(int(number[i]) * ((length - 1 - i) % 8 + 2) for i in range(length)) * 10 % 11) % 10
        == int(number[length])
        for length in (12, 13)
    )


def _is_aadhaar(number: str) -> bool:
    """India: twelve digits, the first from 2 to 9, Verhoeff."""
    return number[0] not in "01" and len(set(number)) > 1 and verhoeff(number)


def _is_my_number(number: str) -> bool:
    """Japan: weights 2 to 7 from the right, then again from 2, modulo 11 (ordinance 85 of 2014, article 5)."""
    total = sum(int(digit) * (place % 6 + 2) for place, digit in enumerate(reversed(number[:11])))
    return (0 if total % 11 <= 1 else 11 - total % 11) == int(number[11])


def _is_tfn(number: str) -> bool:
    """Australia, tax file number: weights 1 4 3 7 5 8 6 9 10, modulo 11."""
    return sum(int(d) * w for d, w in zip(number, (1, 4, 3, 7, 5, 8, 6, 9, 10), strict=True)) % 11 == 0


def _is_bsn(number: str) -> bool:
    """Netherlands: weights 9 to 2 and -1, modulo 11."""
    return sum(int(d) * w for d, w in zip(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0


def _is_pesel(number: str) -> bool:
    """Poland: weights 1 3 7 9, modulo 10."""
    return sum(int(d) * w for d, w in zip(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True)) % 10 == 0


def _is_personnummer(number: str) -> bool:
    """Sweden: a date, whose day is 60 higher for people who are not registered, and Luhn's digit."""
    number = number[-_SWEDISH_DIGITS:]
    return 1 <= int(number[2:4]) <= 12 and 1 <= int(number[4:6]) % 60 <= 31 and luhn(number)


def _is_passport(number: str) -> bool:
    return sum(map(str.isdigit, number)) >= 5 and len(set(number)) > 1


def _is_anything(_: str) -> bool:
    return True


def _never(_: str) -> bool:
    return False


def _is_grouped(written: str) -> bool:
    return _SEPARATORS.search(written) is not None


def _is_hyphenated(written: str) -> bool:
    return written.count("-") == 2


_UNCHECKED = (_is_ssn, _is_nino, _is_passport, _is_anything)
"""What looks at the shape alone."""
_CERTAIN_SHAPES = {
    _never: "^\\b$",
    _is_grouped: "[0-9][ ./-][0-9]",
    _is_hyphenated: "[0-9]{3}-[0-9]{2}-[0-9]{4}",
}
"""Rust regexes: without the shape, digits are certain by none of these tests."""


def _is_person(written: str) -> bool:
    return written[3:4] == "P" and written.isupper()


def _scheme(
    region: str, written: str, is_valid: Callable[[str], bool], words: str, certain: Callable[[str], bool]
) -> Scheme:
    return Scheme(region, re.compile(written, re.ASCII), is_valid, re.compile(f"(?i){words}"), certain)


_PASSPORT = "passport"
_SCHEMES = (
    _scheme(
        "US",
        r"\b[0-9]{3}([ -]?)[0-9]{2}\1[0-9]{4}\b",
        _is_ssn,
        r"\bssn\b|\bsoc(?:ial)?\.? sec(?:urity)?\b|\bitin\b|\btaxpayer id|\btax id|\btin\b|social\W{0,2}number",
        _is_hyphenated,
    ),
    _scheme(
        "GB",
        r"\b[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]"
        r" ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]\b",
        _is_nino,
        r"\bnino\b|\bni (?:no|num)|national insurance|\bnational ins\b",
        lambda written: written.count(" ") == 4 and written.isupper(),
    ),
    _scheme("GB", r"\b[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{4}\b", _is_nhs, r"\bnhs\b", _never),
    _scheme(
        "FR",
        r"\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[ABab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
        _is_nir,
        r"\bnir\b|s[ée]curit[ée] sociale|\binsee\b|num[ée]ro de s[ée]cu|\bsecu\b|\bsécu\b|carte vitale",
        _is_anything,
    ),
    _scheme(
        "DE",
        r"\b[0-9]{2}([ /-]?)[0-9]{3}\1[0-9]{3}\1[0-9]{3}\b",
        _is_steuer_id,
        r"steuer|\bid-?nr\b|\btin\b|\bsteuerid\b|\btax id",
        _is_grouped,
    ),
    _scheme(
        "ES",
        r"\b(?:[XYZxyz]-?|[0-9])[0-9]{7}-?[A-Za-z]\b",
        _is_dni,
        r"\bdni\b|\bnie\b|\bnif\b|documento|identidad",
        lambda written: written.isupper(),
    ),
    _scheme(
        "IT",
        r"\b[A-Za-z]{6}[0-9LMNP-Vlmnp-v]{2}[A-EHLMPR-Ta-ehlmpr-t][0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{3}"
        r"[A-Za-z]\b",
        _is_codice_fiscale,
        r"codice fiscale|\bcf\b|\bc\.f\.",
        _is_anything,
    ),
    _scheme("BR", r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", _is_cpf, r"\bcpf\b", _is_anything),
    _scheme("BR", r"\b[0-9]{11}\b", _is_cpf, r"\bcpf\b", _never),
    _scheme("BR", r"\b[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}\b", _is_cnpj, r"\bcnpj\b", _is_anything),
    _scheme("BR", r"\b[0-9]{14}\b", _is_cnpj, r"\bcnpj\b", _never),
    _scheme(
        "IN",
        r"\b[2-9][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}\b",
        _is_aadhaar,
        r"a[a]?dha?ar|\buid\b|आधार",
        _is_grouped,
    ),
    _scheme(
        "IN",
        r"\b[A-Za-z]{3}[PCHFATBLJGpchfatbljg][A-Za-z][0-9]{4}[A-Za-z]\b",
        _is_anything,
        r"\bpan\b|income tax|permanent account",
        _is_person,
    ),
    _scheme(
        "JP",
        r"\b[0-9]{4}([ -]?)[0-9]{4}\1[0-9]{4}\b",
        _is_my_number,
        r"マイナンバー|個人番号|my ?number|individual number",
        _never,
    ),
    _scheme(
        "CA",
        r"\b[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{3}\b",
        luhn,
        r"\bsin\b|social insurance|\bnas\b",
        _never,
    ),
    _scheme("AU", r"\b[0-9]{3}( ?)[0-9]{3}\1[0-9]{3}\b", _is_tfn, r"\btfn\b|tax file", _never),
    _scheme("NL", r"\b[0-9]{9}\b", _is_bsn, r"\bbsn\b|burgerservice|\bsofi\b", _never),
    _scheme("PL", r"\b[0-9]{11}\b", _is_pesel, r"\bpesel\b", _never),
    _scheme(
        "SE",
        r"\b(?:18|19|20)?[0-9]{2}[01][0-9][0-9]{2}[-+]?[0-9]{4}\b",
        _is_personnummer,
        r"person(?:nummer|nr)|\bpersnr\b|\bpnr\b",
        _never,
    ),
    _scheme(
        _PASSPORT,
        r"\b(?:[A-Z]{1,3}[0-9]{6,8}|[0-9]{9}|[0-9]{2}[A-Z]{2}[0-9]{5}|[A-Z][0-9][0-9A-Z]{7})\b",
        _is_passport,
        r"\bpasse?port\b|reisepass|\bpassnummer\b|pasaporte|passaporto|パスポート|旅券",
        _never,
    ),
)
REGIONS = frozenset(scheme.region for scheme in _SCHEMES) - {_PASSPORT}
