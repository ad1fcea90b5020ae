"""What a column holds as a whole: told by its name, or by what nearly all of its cells look like.

A column of e-mail addresses need not be searched like free text, and a column of surnames cannot be found by any
pattern. A name decides by its words: `email_address` and `eMailAddress` are one thing, `description` has no `ip` in
it, and `email_count` is about e-mail but holds none. Where a name announces something that has a recognisable form,
some of the cells must look like it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from hokusai.privacy.detector import matches_whole
from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.header_words import (
    ABOUT,
    BY_WHOM,
    CLEAR,
    COUNTING,
    HALVES,
    IDS_OR_NUMBERS,
    MAYBE_ADDRESS,
    ONLY_ALONE,
    PEOPLE,
    THINGS,
    WHICH,
    WHICH_PERSON,
    WHOM,
)
from hokusai.privacy.kinds import ALL_KINDS, DEFAULT_REGIONS, PiiKind
from hokusai.privacy.people_columns import Beside, hold_names, hold_people, own_text

if TYPE_CHECKING:
    import polars as pl

LEAST_SHARE: Final = 0.9
"""Of the cells that must be of a kind for the column to be so by its content."""

_LEAST_LOOK: Final = 0.1
_NUMBER: Final = r"^\s*\(?\+? ?(?:[0-9][\s()._/\-]*){%s}$"
_LOOKS: Final[dict[PiiKind, str]] = {
    PiiKind.EMAIL: "[@\uff20]",
    PiiKind.PHONE: _NUMBER % "6,16",
    PiiKind.CARD: _NUMBER % "12,19",
    PiiKind.IBAN: r"^\s*[A-Za-z]{2}\s?[0-9]{2}[\s.A-Za-z0-9\-]{8,50}$",
    PiiKind.IP: (
        r"^\s*\[?(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8})"
        r"(?:[]/%:].{0,20})?\s*$"
    ),
    PiiKind.CRYPTO_ADDRESS: r"^\s*(?:0x)?[0-9A-Za-z]{25,100}\s*$",
    PiiKind.DATE_OF_BIRTH: r"[0-9]{4}|[0-9]{1,2}[^0-9]{1,5}[0-9]{1,2}[^0-9]{1,5}[0-9]{2}",
    PiiKind.NATIONAL_ID: r"(?:[0-9][^0-9]{0,3}){5}",
}
"""What a cell of a kind looks like at least; names and addresses have no form that all share."""
_DOUBTFUL: Final = frozenset({PiiKind.PERSON_NAME, PiiKind.POSTAL_ADDRESS})
_OF_PEOPLE: Final = frozenset(
    {PiiKind.PERSON_NAME, PiiKind.EMAIL, PiiKind.PHONE, PiiKind.DATE_OF_BIRTH, PiiKind.NATIONAL_ID}
)
_ADDRESS_LOOK: Final = rf"\p{{L}}.*\s|\s.*\p{{L}}|[^\x00-\x{{24F}}]{{4}}|{TAKEN_OUT}"
"""More than one word, in the scripts that leave blanks; for a column whose name is just `address` or `direccion`."""
_ADDRESS_SURELY: Final = (
    rf"\p{{L}}{{2}}.*\s.*[0-9]|[0-9].*\s.*\p{{L}}{{2}}|〒|[^\x00-\x{{24F}}]{{6}}.*[0-9]|{TAKEN_OUT}"
)
"""Words and a number; for a column that may hold towns or people."""
_LEAST_ADDRESSES: Final = 0.5
_BY_CONTENT: Final = (
    PiiKind.EMAIL,
    PiiKind.IBAN,
    PiiKind.CARD,
    PiiKind.CRYPTO_ADDRESS,
    PiiKind.IP,
    PiiKind.NATIONAL_ID,
    PiiKind.PHONE,
)
"""Kinds with a form of their own; a column of dates is one of births only if it says so."""
_DIGITS_TELL: Final = frozenset({PiiKind.CARD})
"""Kinds whose bare digits check themselves. Any ten digits may be a phone number, or an order's."""
_LEAST_CHECKED: Final = 10**11
"""The least number of twelve digits, as the shortest card has."""
_AS_NUMBERS: Final = frozenset({PiiKind.PHONE, PiiKind.CARD, PiiKind.NATIONAL_ID, PiiKind.DATE_OF_BIRTH})
"""Kinds that are stored as numbers; a number is no name."""
_VERSION_WORDS: Final = frozenset({"version", "ver", "release", "build", "firmware"})
_AFTER_VERSION: Final = frozenset({"string", "number", "no", "nr", "tag", "name", "id", "code"})
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[^\W\d_A-Za-z]+", re.UNICODE)
_IP_VERSION: Final = re.compile(r"(?i)ipv(?=[46])")
_FRACTION: Final = r"^[+-]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]+)?$"
_FIRST_ACCENT: Final = "\u0300"
_LAST_ACCENT: Final = "\u036f"
_EXPANDED: Final = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})


def kind_by_name(column: str) -> PiiKind | None:
    """What the name of a column announces, if anything.

    >>> kind_by_name("customerEmail"), kind_by_name("Numéro de téléphone"), kind_by_name("dob")
    (<PiiKind.EMAIL: 'email'>, <PiiKind.PHONE: 'phone'>, <PiiKind.DATE_OF_BIRTH: 'date_of_birth'>)
    >>> kind_by_name("description"), kind_by_name("zip_code_lookup"), kind_by_name("email_count")
    (None, None, None)
    """
    return _announced(column)[0]


def is_about_people(column: str) -> bool:
    """Whether a column is named by a word for people alone, so that only its cells tell whether they are names.

    >>> is_about_people("customer"), is_about_people("Emergency Contact"), is_about_people("customer_segment")
    (True, True, False)
    >>> is_about_people("created_by"), is_about_people("assignedTo"), is_about_people("created")
    (True, True, False)
    """
    words = header_words(column)
    if words[-1:] == ("by",) or words in _phrases(BY_WHOM):
        return True
    return not _words(WHOM).isdisjoint(words) and (_words(WHOM) | _words(WHICH_PERSON)).issuperset(words)


def hold_addresses(cells: pl.Series, column: str, *, regions: Collection[str] = DEFAULT_REGIONS) -> bool:
    """Whether a column is named by where somebody lives or gets something, and its cells are addresses.

    >>> import polars as pl
    >>> hold_addresses(pl.Series(["1 Mill Rd"]), "ship_to"), hold_addresses(pl.Series(["Bonn"]), "Wohnort")
    (True, False)
    """
    if header_words(column) not in _phrases(MAYBE_ADDRESS) or not len(cells):
        return False
    return _share_of_addresses(cells, _ADDRESS_SURELY, regions) >= _LEAST_ADDRESSES


def is_of_things(column: str) -> bool:
    """Whether a column's name says that rows are about goods.

    >>> is_of_things("unit_price"), is_of_things("ISBN"), is_of_things("age")
    (True, True, False)
    """
    return not _words(THINGS).isdisjoint(header_words(column))


def may_hold_ids(column: str) -> bool:
    """Whether a column is named as ids of people are, and numbers of things too, so that only check digits tell.

    >>> may_hold_ids("ID No."), may_hold_ids("SIN"), may_hold_ids("id"), may_hold_ids("order_id_number")
    (True, True, False, False)
    """
    words = header_words(column)
    return _words(ABOUT).isdisjoint(words) and any(_contains(words, phrase) for phrase in _id_phrases())


def is_of_people(column: str) -> bool:
    """Whether a column's name says clearly that rows are about people: where things are listed, none has an e-mail.

    >>> is_of_people("first_name"), is_of_people("email"), is_of_people("name"), is_of_people("iban")
    (True, True, False, False)
    """
    kind, clear = _announced(column)
    return clear and kind in _OF_PEOPLE


def is_half_of_names(column: str) -> bool:
    """Whether a column's name says that it holds given names, or surnames: beside it, `name` may be the other half.

    >>> is_half_of_names("first_name"), is_half_of_names("Nachname"), is_half_of_names("user_name")
    (True, True, False)
    """
    words = header_words(column)
    return _announced(column)[0] is PiiKind.PERSON_NAME and any(
        _contains(words, half) for half in _phrases(HALVES)
    )


def name_part(column: str) -> tuple[str, ...]:
    """The words of a name that ends in `first` or `last`: beside one another, such columns may be halves of names.

    >>> name_part("Last"), name_part("user_first"), name_part("first_seen")
    (('last',), ('user', 'first'), ())
    """
    words = header_words(column)
    return words if words[-1:] in (("first",), ("last",)) else ()


def says_version(column: str) -> bool:
    """Whether a column is named as one of versions, where `10.2.14.7` is no IP address.

    >>> [name for name in ("fw_version", "appVersion", "build_number", "build_log", "release_ip") if says_version(name)]
    ['fw_version', 'appVersion', 'build_number']
    """
    words = list(header_words(column))
    while words and words[-1] in _AFTER_VERSION:
        words.pop()
    return bool(words) and words[-1] in _VERSION_WORDS


def kind_by_content(
    cells: pl.Series,
    *,
    column: str = "",
    kinds: Collection[PiiKind] = ALL_KINDS,
    regions: Collection[str] = DEFAULT_REGIONS,
) -> PiiKind | None:
    """What at least nine of ten cells are, each as a whole.

    Args:
        cells: A sample without null: text or numbers, a thousand or so.
        column: Its name, which may say that dotted numbers are versions.
        kinds: The kinds that it may be.
        regions: Countries, as ISO 3166 codes, whose national formats count.
    """
    return kinds_by_content([cells], [column], kinds=kinds, regions=regions)[0]


def kinds_by_content(
    samples: Sequence[pl.Series],
    columns: Sequence[str],
    *,
    kinds: Collection[PiiKind] = ALL_KINDS,
    regions: Collection[str] = DEFAULT_REGIONS,
) -> list[PiiKind | None]:
    """What `kind_by_content` says of each of many columns; all cells are looked at in one go.

    Args:
        samples: Cells of each column, without null.
        columns: Their names.
        kinds: The kinds that they may be.
        regions: Countries, as ISO 3166 codes, whose national formats count.
    """
    import polars as pl

    found: list[PiiKind | None] = [None] * len(samples)
    of_type: dict[pl.DataType, list[int]] = {}
    for at, sample in enumerate(samples):
        if len(sample) and not _are_small_numbers(sample):
            of_type.setdefault(sample.dtype, []).append(at)
    if not of_type:
        return found
    asked = [at for some in of_type.values() for at in some]
    looked_for = [kind for kind in _BY_CONTENT if kind in kinds]
    text = pl.concat([as_text(pl.concat([samples[at] for at in some])) for some in of_type.values()])
    lengths = [len(samples[at]) for at in asked]
    column = pl.Series("column", asked, dtype=pl.UInt32)
    cells = pl.DataFrame([column.repeat_by(pl.Series(lengths)).explode().alias("column"), text.alias("text")])
    cell = pl.col("text")
    looks = cells.select(
        "column", fraction=cell.str.contains(_FRACTION), **{kind: _looks(cell, kind) for kind in looked_for}
    )
    shares = looks.group_by("column").mean()
    # `0.345961` could pass for a telephone number, but measures something.
    shares = shares.filter(pl.col("fraction") <= 1 - LEAST_SHARE)
    versions = [at for at in asked if says_version(columns[at])]
    for kind in looked_for:
        likely = {at for at, share in shares.select("column", kind).iter_rows() if share >= LEAST_SHARE}
        likely -= {at for at in likely if found[at]}
        if kind is PiiKind.IP:
            likely -= set(versions)
        if not likely:
            continue
        own = cells.filter(looks[kind] & cells["column"].is_in(list(likely)))
        whole = own.select("column", matches_whole(own["text"], kind, regions=regions).alias("whole"))
        for at, count in whole.group_by("column").agg(pl.col("whole").sum()).iter_rows():
            if count >= LEAST_SHARE * len(samples[at]):
                found[at] = kind
    return found


def looks_like(
    cells: pl.Series,
    kind: PiiKind,
    column: str = "",
    *,
    beside: Beside = "",
    regions: Collection[str] = DEFAULT_REGIONS,
) -> bool:
    """Whether a sample of cells without null can be what the column's name announces.

    A name is trusted as far as the cells do not speak against it: at least one in ten must have the look of the kind,
    if it has one. No cells say nothing. Things have names too, and `address` is a word of other trades.

    Args:
        cells: As they came, or plain.
        kind: What the name announces.
        column: The name; without it, it is taken to be clear.
        beside: What other columns say that the rows are about.
        regions: Countries, as ISO 3166 codes, whose national formats count.
    """
    if cells.dtype.is_numeric() and kind not in _AS_NUMBERS:
        return False
    look = _LOOKS.get(kind)
    if column and kind in _DOUBTFUL and not _announced(column)[1]:
        if kind is PiiKind.PERSON_NAME:
            if is_about_people(column):
                return hold_people(cells, regions=regions)
            return hold_names(cells, beside, regions=regions)
        return not len(cells) or _share_of_addresses(cells, _ADDRESS_LOOK, regions) >= _LEAST_LOOK
    if look is None or not len(cells):
        return True
    likely = as_text(cells).str.contains(look)
    if cells.dtype.is_float():
        likely &= cells.floor() == cells
    return int(likely.sum()) >= _LEAST_LOOK * len(cells)


def _share_of_addresses(cells: pl.Series, look: str, regions: Collection[str]) -> float:
    """Of cells that look like one, among those that are not of another kind; none if all are."""
    import polars as pl

    own = pl.Series(own_text(as_text(cells), PiiKind.POSTAL_ADDRESS, regions), dtype=pl.String)
    asked = own.filter(own.str.contains(r"[\p{L}\p{N}]"))
    return int(asked.str.contains(look).sum()) / len(asked) if len(asked) else 0.0


def as_text(cells: pl.Series) -> pl.Series:
    """Cells as somebody would write them: a whole number that is stored as a fraction has no `.0`.

    The same moment is the same text whatever its unit and zone: in UTC, and a date alone at midnight.
    """
    import polars as pl

    if isinstance(cells.dtype, pl.Datetime):
        moments = (
            cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if cells.dtype.time_zone else cells
        )
        written = moments.dt.strftime("%Y-%m-%d %H:%M:%S%.f")
        return written.str.strip_suffix(" 00:00:00").alias(cells.name)
    if not cells.dtype.is_float():
        return cells.cast(pl.String)
    exact = pl.first().is_finite() & (pl.first().abs() <= 2.0**53)
    whole = exact & (pl.first().floor() == pl.first())
    number = pl.when(whole).then(pl.first()).otherwise(0).cast(pl.Int64).cast(pl.String)
    texts = pl.when(whole).then(number).otherwise(pl.first().cast(pl.String))
    return cells.to_frame().select(texts.alias(cells.name)).to_series()


def says_ssn(column: str) -> bool:
    """Whether a column's name announces numbers of the United States' Social Security: numbers lose their noughts.

    >>> says_ssn("user_ssn"), says_ssn("passport")
    (True, False)
    """
    words = header_words(column)
    return "ssn" in words or _contains(words, ("social", "security"))


def header_words(column: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case and without accents; digits only separate them.

    >>> header_words("userEMailAddress2"), header_words("IPAddr"), header_words("Straße_Nr.")
    (('user', 'e', 'mail', 'address'), ('ip', 'addr'), ('strasse', 'nr'))
    """
    spelled = _IP_VERSION.sub("ipv", column).translate(_EXPANDED)
    decomposed = unicodedata.normalize("NFKD", spelled)
    plain = "".join(char for char in decomposed if not _FIRST_ACCENT <= char <= _LAST_ACCENT)
    return tuple(word.lower() for word in _PARTS.findall(unicodedata.normalize("NFC", plain)))


@lru_cache(maxsize=4_096)
def _announced(column: str) -> tuple[PiiKind | None, bool]:
    """What the name of a column announces, and whether its words have no other meaning."""
    words = header_words(column)
    if not words or len(words) > 12 or words[0] in _words(COUNTING) or _words(ABOUT).intersection(words):
        return None, False
    found: list[tuple[int, PiiKind]] = []  # of two phrases the longer one is meant: `email address`
    for kind, phrases in () if _first_words().isdisjoint(words) else _clear_phrases().items():
        found += [(len(phrase), kind) for phrase in phrases if _contains(words, phrase)]
    if found:
        return max(found, key=lambda one: one[0])[1], True
    lone = {_lone_words()[word] for word in words if word in _lone_words()}
    if len(lone) != 1:
        return None, False
    kind = lone.pop()
    beside = _words(PEOPLE) if kind is PiiKind.PERSON_NAME else _words(PEOPLE) | _words(WHICH)
    return (kind if sum(word not in beside for word in words) == 1 else None), False


@lru_cache(maxsize=8)
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(maxsize=1)
def _clear_phrases() -> dict[PiiKind, tuple[tuple[str, ...], ...]]:
    return {kind: _phrases(text) for kind, text in CLEAR.items()}


@lru_cache(maxsize=1)
def _id_phrases() -> tuple[tuple[str, ...], ...]:
    return _phrases(IDS_OR_NUMBERS)


@lru_cache(maxsize=1)
def _first_words() -> frozenset[str]:
    return frozenset(phrase[0] for phrases in _clear_phrases().values() for phrase in phrases)


@lru_cache(maxsize=1)
def _lone_words() -> dict[str, PiiKind]:
    return {word: kind for kind, text in ONLY_ALONE.items() for (word,) in _phrases(text)}


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(header_words(phrase) for phrase in text.split(","))


def _looks(cell: pl.Expr, kind: PiiKind) -> pl.Expr:
    likely = cell.str.contains(_LOOKS[kind])
    return likely if kind in _DIGITS_TELL else likely & ~cell.str.contains(r"^\s*[0-9]+\s*$")


def _are_small_numbers(cells: pl.Series) -> bool:
    """Whether all are whole numbers of fewer digits than check themselves; then no look at their text is needed."""
    if not (cells.dtype.is_integer() or cells.dtype.is_float()):
        return False
    low, high = float(cells.min()), float(cells.max())  # type: ignore[arg-type]
    if not 0 <= low <= high < _LEAST_CHECKED:
        return False
    return cells.dtype.is_integer() or bool((cells.floor() == cells).all())


def _contains(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    length = len(phrase)
    return any(words[start : start + length] == phrase for start in range(len(words) - length + 1))
