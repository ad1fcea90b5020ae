"""Columns in which each cell is one value: checked and put into canonical form as a whole, not cell by cell.

The answers are those of the patterns for free text with the column's name for a witness; the work is done in Polars
and numpy, because a column of e-mail addresses has to pass at the speed of reading it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from hokusai.privacy import addresses, births, cards, emails, ibans, ips, names, national_ids, wallets
from hokusai.privacy.context import Found
from hokusai.privacy.folding import fold_column
from hokusai.privacy.kinds import DEFAULT_REGIONS, PiiKind
from hokusai.privacy.phone_columns import phone_column

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

_SHORT_CHARACTERS = 64
_LEAST_SHARE_CHECKED = 0.8


def matches_whole(text: pl.Series, kind: PiiKind, *, regions: Collection[str] = DEFAULT_REGIONS) -> pl.Series:
    """Whether each cell, blanks around it aside, is by itself one value of this kind; null stays null.

    Stricter than `canonical_whole`: no name of a column helps. A date alone is not a date of birth, and a name or
    an address is one only with the words that `names` and `addresses` ask for.

    >>> import polars as pl
    >>> matches_whole(pl.Series(["a@b.co", "a@b.co or c@d.ee", None]), PiiKind.EMAIL).to_list()
    [True, False, None]
    """
    import polars as pl

    codes = tuple(regions)
    match kind:
        case PiiKind.DATE_OF_BIRTH:
            matched = pl.Series([False]).new_from_index(0, len(text))
        case PiiKind.NATIONAL_ID:
            matched = _national_ids(text, codes, told=False).is_not_null()
        case PiiKind.PERSON_NAME:
            matched = _by_spans(text, names.spans).is_not_null()
        case PiiKind.POSTAL_ADDRESS:
            matched = _by_spans(text, addresses.spans).is_not_null()
        case PiiKind.PHONE:
            matched = phone_column(_trimmed(text), codes, told=False).is_not_null()
        case _:
            matched = canonical_whole(text, kind, regions=codes).is_not_null()
    both = pl.DataFrame({"matched": matched, "known": text.is_not_null()})
    return both.select(pl.when("known").then("matched").alias(text.name)).to_series()


def canonical_whole(
    text: pl.Series, kind: PiiKind, *, regions: Collection[str] = DEFAULT_REGIONS
) -> pl.Series:
    """The canonical form of each cell that is one value of this kind; null elsewhere.

    The column is known to hold this kind, so that bare digits are phone numbers here, any date is one of birth, and
    any words are a name or an address.

    Raises:
        MissingExtraError: Phones are asked for and `phonenumbers` is not installed.

    >>> import polars as pl
    >>> canonical_whole(pl.Series([" Ann@B.co ", "none"]), PiiKind.EMAIL).to_list()
    ['ann@b.co', None]
    """
    codes = tuple(regions)
    match kind:
        case PiiKind.EMAIL:
            found = _emails(text)
        case PiiKind.PHONE:
            found = phone_column(_trimmed(text), codes, told=True)
        case PiiKind.CARD:
            found = _cards(_trimmed(text))
        case PiiKind.IBAN:
            found = _ibans(_trimmed(text))
        case PiiKind.IP:
            found = _ips(_trimmed(text))
        case PiiKind.CRYPTO_ADDRESS:
            found = _wallets(_trimmed(text))
        case PiiKind.NATIONAL_ID:
            found = _national_ids(text, codes, told=True)
        case PiiKind.DATE_OF_BIRTH:
            found = _by_spans(text, lambda cell: births.spans(cell, told=True))
        case PiiKind.PERSON_NAME:
            words = _words(text)
            name = words.str.replace(names.LEADING_TITLES, "")
            found = name.zip_with(name.str.contains(r"\p{L}").fill_null(value=False), words)
        case PiiKind.POSTAL_ADDRESS:
            found = _words(text)
    return found.alias(text.name)


def hold_checked_ids(text: pl.Series) -> bool:
    """Whether the cells, none of them null, are national ids by their check digits, of whatever region.

    One random number in four passes the checks of some country. Where numbers were stored as such, those that begin
    with a nought have lost it.

    >>> import polars as pl
    >>> hold_checked_ids(pl.Series(["85070998057", "44051401359"])), hold_checked_ids(pl.Series(["85070998051"]))
    (True, False)
    """
    return len(text) > 0 and _checked_ids(text).count() >= _LEAST_SHARE_CHECKED * len(text)


def _trimmed(text: pl.Series) -> pl.Series:
    return fold_column(text, blot=False)[0].str.strip_chars()


def _national_ids(text: pl.Series, regions: tuple[str, ...], *, told: bool) -> pl.Series:
    """Those of the regions; where the column is told to hold some, those of others by their check digits."""
    found = _by_spans(
        text,
        lambda cell: national_ids.spans(cell, regions, told=told),
        f"^(?:{national_ids.shapes(regions)})$",
    )
    if not told or not (open_ := found.is_null() & text.is_not_null()).any():
        return found
    rows = open_.arg_true()
    return found.scatter(rows, _checked_ids(text.gather(rows)))


def _checked_ids(text: pl.Series) -> pl.Series:
    shapes = national_ids.shapes(tuple(sorted(national_ids.REGIONS)))
    return _by_spans(text, national_ids.checked_spans, f"^(?:{shapes})$")


def _by_spans(text: pl.Series, spans: Callable[[str], Iterable[Found]], shape: str = "") -> pl.Series:
    """Each distinct cell through the patterns for free text; it counts if one span is all of it.

    Args:
        text: The cells.
        spans: What finds values in a text.
        shape: Rust regex that matches every cell that is one value.
    """
    import polars as pl

    cells = _trimmed(text)
    distinct = cells.drop_nulls().unique()
    distinct = distinct.filter(distinct.str.contains(shape))
    canonical = []
    for cell in distinct.to_list():
        whole = [found for start, end, found in spans(cell) if start == 0 and end == len(cell)]
        canonical.append(whole[0] if whole else None)
    return cells.replace_strict(
        distinct, pl.Series(canonical, dtype=pl.String), default=None, return_dtype=pl.String
    )


def _emails(text: pl.Series) -> pl.Series:
    """Addresses that are in canonical form as they are, in one go; then the others."""
    import polars as pl

    cell = pl.first().str
    is_done = cell.contains(emails.CANONICAL) & (cell.len_bytes() <= _SHORT_CHARACTERS)
    rows = text.to_frame().select(~is_done).to_series().fill_null(value=False).arg_true()
    if not len(rows):
        return text
    return text.clone().scatter(rows, _other_emails(_trimmed(text.gather(rows))))


def _other_emails(cells: pl.Series) -> pl.Series:
    """Common addresses by one pattern, those with letters of other scripts by a wider one, the rest one by one."""
    import polars as pl

    address = cells.str.to_lowercase()
    common = address.set(address.str.contains(emails.NO_DOMAIN).fill_null(value=False), None)
    foreign = (common.str.len_bytes() != common.str.len_chars()).fill_null(value=False).arg_true()
    if len(foreign):
        common = common.scatter(foreign, common.gather(foreign).str.normalize("NFC"))

    def whole(cell: str) -> str | None:
        return next(
            (found for start, end, found in emails.spans(cell) if (start, end) == (0, len(cell))), None
        )

    found = common.set(~common.str.contains(emails.WHOLE).fill_null(value=False), None)
    if len(foreign):
        short = common.gather(foreign)
        short = short.set((short.str.len_chars() > _SHORT_CHARACTERS).fill_null(value=False), None)
        fits = short.str.contains(emails.WHOLE_ELSEWHERE).fill_null(value=False)
        found = found.scatter(foreign.filter(fits), short.filter(fits))
    rows = (found.is_null() & common.is_not_null()).arg_true()
    rows = rows.filter(common.gather(rows).str.contains(emails.GATE))
    if not len(rows):
        return found
    return found.scatter(
        rows, pl.Series([whole(cell) for cell in common.gather(rows).to_list()], dtype=pl.String)
    )


def _cards(cells: pl.Series) -> pl.Series:
    """Network and length by pattern, Luhn's digit in numpy over all cells at once."""
    import numpy as np
    import polars as pl

    dotted = cells.str.contains(f"^(?:{cards.DOTTED})$").fill_null(value=False)
    plain = cells.zip_with(~dotted, cells.str.replace_all(".", "", literal=True)) if dotted.any() else cells
    digits = plain.str.replace_all("[ _/-]", "", literal=False)
    digits = digits.set(~digits.str.contains(f"^{cards.NETWORKS}$").fill_null(False), None)
    rows = digits.is_not_null().arg_true()
    if not len(rows):
        return digits
    values = _characters(digits.gather(rows), 19, right=True).astype(np.int16) - ord("0")
    doubled = values[:, -2::-2] * 2
    doubled -= 9 * (doubled > 9)
    total = values[:, -1::-2].sum(axis=1) + doubled.sum(axis=1)
    return digits.scatter(rows.filter(pl.Series(total % 10 != 0)), None)


def _ibans(cells: pl.Series) -> pl.Series:
    """Shape and country by pattern, the check digits by a division written out by hand, column by column."""
    import numpy as np
    import polars as pl

    codes = cells.str.replace_all("[ .-]", "", literal=False).str.to_uppercase()
    shape = codes.str.contains("^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$") & (codes.str.count_matches("[0-9]") >= 8)
    length = codes.str.slice(0, 2).replace_strict(ibans.LENGTHS, default=None, return_dtype=pl.UInt32)
    codes = codes.set(~(shape & (codes.str.len_bytes() == length)).fill_null(False), None)
    rows = codes.is_not_null().arg_true()
    if not len(rows):
        return codes
    kept = codes.gather(rows)
    characters = _characters(kept.str.slice(4) + kept.str.slice(0, 4), 34, right=True).astype(np.int64)
    rest = np.zeros(len(rows), dtype=np.int64)
    for column in characters.T:
        letter = column >= ord("A")
        value = np.where(letter, column - ord("A") + 10, column - ord("0"))
        rest = (rest * np.where(letter, 100, 10) + value) % 97
    return codes.scatter(rows.filter(pl.Series(rest != 1)), None)


def _characters(text: pl.Series, width: int, *, right: bool) -> npt.NDArray[np.uint8]:
    """ASCII text as a matrix of bytes, shape (n_rows, width), filled up with zeros."""
    import numpy as np

    filled = text.str.pad_start(width, "0") if right else text.str.pad_end(width, "0")
    joined = "".join(filled.to_list()).encode("ascii")
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(text), width)


def _ips(cells: pl.Series) -> pl.Series:
    octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    return _with_rest(cells, rf"^{octet}(?:\.{octet}){{3}}$", r":|[0-9]\.", ips.canonical)


def _wallets(cells: pl.Series) -> pl.Series:
    lower = cells.set(cells.str.contains(f"^{wallets.ETHEREUM}$").fill_null(False), None)
    rest = _with_rest(lower, r"^\b$", wallets.GATE, wallets.canonical)
    return rest.zip_with(rest.is_not_null(), cells.set(lower.is_not_null(), None).str.to_lowercase())


def _with_rest(cells: pl.Series, plain: str, gate: str, canonical: Callable[[str], str | None]) -> pl.Series:
    """Cells that match `plain` as they are, those that match `gate` one by one, null elsewhere."""
    import polars as pl

    found = cells.set(~cells.str.contains(plain).fill_null(False), None)
    rows = (found.is_null() & cells.str.contains(gate).fill_null(False)).arg_true()
    if not len(rows):
        return found
    return found.scatter(
        rows, pl.Series([canonical(cell) for cell in cells.gather(rows).to_list()], dtype=pl.String)
    )


def _words(text: pl.Series) -> pl.Series:
    """Names and addresses of a column that is known to hold them: any words, as `names.canonical` has them."""
    import polars as pl

    cell = pl.col("cell")
    canonical = (
        cell.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\s.,]+", " ").str.strip_chars()
    )
    return (
        fold_column(text)[0]
        .to_frame("cell")
        .select(pl.when(cell.str.contains(r"\p{L}")).then(canonical))
        .to_series()
    )
