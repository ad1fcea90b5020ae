"""What stands where personal data stood, and how it is kept from being taken for personal data again.

A token has 26 letters and digits, and a mask the name of a kind, `[phone]`, which beside a number would make it one.
So before a text is searched, each is covered by characters that are in no pattern, one for one, and nothing that was
cleaned once is changed by cleaning it again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hokusai.privacy.kinds import ALL_KINDS
from hokusai.privacy.tokens import TOKEN_PATTERN

if TYPE_CHECKING:
    import polars as pl

DECLARED: Final = "personal"
"""The kind of what the caller says is personal, where nothing shows of which kind it is."""
COVER: Final = "\ufffc"
"""OBJECT REPLACEMENT CHARACTER: stands for something that is not text."""

_STAND_IN: Final = rf"{TOKEN_PATTERN}|\[(?:{'|'.join([*ALL_KINDS, DECLARED])})\]"
_WHOLE: Final = rf"^\s*(?:{_STAND_IN})\s*$"
_COVERED: Final = re.compile(_STAND_IN)


def mask(kind: str) -> str:
    """What stands for a value of a kind that is masked.

    >>> mask("email")
    '[email]'
    """
    return f"[{kind}]"


def shielded(text: pl.Series) -> pl.Series:
    """`text` with every token and mask covered, character for character, so that offsets stay what they are.

    >>> import polars as pl
    >>> shielded(pl.Series(["to [email]", None])).to_list()
    ['to ￼￼￼￼￼￼￼', None]
    """
    import polars as pl

    rows = text.str.contains(_STAND_IN).arg_true()
    if not len(rows):
        return text
    covered = [_COVERED.sub(lambda found: COVER * len(found[0]), cell) for cell in text.gather(rows)]
    return replaced_at(text, rows, pl.Series(covered, dtype=pl.String))


def is_stand_in(text: pl.Series) -> pl.Series:
    """Whether each cell is a token or a mask and nothing else; null stays null."""
    return text.str.contains(_WHOLE)


def replaced_at(text: pl.Series, rows: pl.Series, cells: pl.Series) -> pl.Series:
    """`text` with other cells at some rows; it is not changed itself."""
    return text.clone().scatter(rows, cells)
