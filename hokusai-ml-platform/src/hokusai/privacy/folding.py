"""Text as the patterns read it: full-width digits, odd blanks and invisible characters made plain.

An e-mail with a full-width at sign or a zero-width space inside and a card number with no-break spaces are read by
people without a second look, so they have to be found too. Offsets always refer to the original.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from hokusai.privacy.context import REMOVED
from hokusai.privacy.kinds import ALL_KINDS

if TYPE_CHECKING:
    import polars as pl

_KIND_NAMES = "|".join(ALL_KINDS)
TAKEN_OUT = rf"pii:(?:{_KIND_NAMES}):[0-9A-Za-z_-]{{1,64}}:[A-Z2-7a-z]{{26}}|\[(?:{_KIND_NAMES})\]"
"""What cleaning leaves in the place of personal data: tokens and masks. The same in Python and Rust."""
_TAKEN_OUT = re.compile(TAKEN_OUT)
_ODD = (
    r"[\p{Cf}\p{Zs}\p{Pd}\p{Nd}\x{2044}\x{2212}\x{2024}\x{FE50}-\x{FE6B}\x{FF01}-\x{FF5E}"
    r"\x{1D400}-\x{1D7FF}\x{24B6}-\x{24E9}&&[^\x00-\x7F]]"
)
"""Rust regex: characters that `_Plain` may replace."""


class _Plain(dict[int, str | int]):
    """Code point to what it is read as, worked out when first met."""

    def __missing__(self, code: int) -> str | int:
        character = chr(code)
        category = unicodedata.category(character)
        plain: str | int = code
        if code < 0x80:
            pass
        elif category == "Cf":
            plain = ""
        elif category == "Zs":
            plain = ord(" ")
        elif category == "Pd" or code == 0x2212:
            plain = ord("-")
        elif category == "Nd":
            plain = ord("0") + unicodedata.digit(character)
        else:
            same = unicodedata.normalize("NFKC", character)
            if len(same) == 1 and same.isascii():
                plain = ord(same)
        self[code] = plain
        return plain


_PLAIN = _Plain()


def fold(text: str) -> tuple[str, list[int] | None]:
    """One text made plain.

    Returns:
        The plain text, and for each of its characters the offset in `text`; None if they are the same.

    >>> fold("a\u200b\uff20b")
    ('a@b', [0, 2, 3])
    >>> fold("\uff11\u00a02")
    ('1 2', None)
    """
    plain = text.translate(_PLAIN)
    if len(plain) == len(text):
        return plain, None
    offsets = [at for at, character in enumerate(text) if _PLAIN[ord(character)] != ""]
    return plain, offsets


def fold_column(text: pl.Series, *, blot: bool = True) -> tuple[pl.Series, dict[int, list[int]]]:
    """A column made plain.

    Args:
        text: Strings.
        blot: Whether what earlier cleaning left in it is blotted out.

    Returns:
        The column, and the offsets of those rows whose length changed.
    """
    import polars as pl

    cell = pl.first().str
    odd = text.to_frame().select(cell.len_bytes() != cell.len_chars()).to_series().fill_null(value=False)
    moved: dict[int, list[int]] = {}
    if odd.any():
        # Only the few rows with characters of other scripts pay for the wide classes of the pattern.
        rows = odd.arg_true()
        rows = rows.filter(text.gather(rows).str.contains(_ODD))
        plain = []
        for row, cell_text in zip(rows.to_list(), text.gather(rows).to_list(), strict=True):
            folded, offsets = fold(cell_text)
            if offsets is not None:
                moved[row] = offsets
            plain.append(blotted(folded))
        if plain:
            text = text.clone().scatter(rows, plain)
    if blot and len(left := has_stand_in(text).arg_true()):
        text = text.clone().scatter(left, [blotted(one) for one in text.gather(left).to_list()])
    return text, moved


def has_stand_in(plain: pl.Series) -> pl.Series:
    """Whether there is something in a text that earlier cleaning left; null stays null."""
    return plain.str.contains(TAKEN_OUT)


def blotted(plain: str) -> str:
    """A text without what earlier cleaning left in it, of the same length.

    >>> blotted("to [email]").replace(REMOVED, "_")
    'to _______'
    """
    return _TAKEN_OUT.sub(lambda found: REMOVED * len(found[0]), plain)
