"""What stands where personal data stood.

The detector never takes it for personal data (`folding.TAKEN_OUT`), so that nothing that was cleaned once is changed by
cleaning it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.tokens import TOKEN_PATTERN

if TYPE_CHECKING:
    import polars as pl

DECLARED: Final = "personal"
"""The kind of what the caller says is personal, where nothing shows of which kind it is."""

_WHOLE: Final = rf"^\s*(?:{TAKEN_OUT}|{TOKEN_PATTERN}|\[{DECLARED}\])\s*$"


def mask(kind: str) -> str:
    """What stands for a value of a kind that is masked.

    >>> mask("email")
    '[email]'
    """
    return f"[{kind}]"


def is_stand_in(text: pl.Series) -> pl.Series:
    """Whether each cell is a token or a mask and nothing else; null stays null.

    >>> import polars as pl
    >>> is_stand_in(pl.Series(["[email]", "to [email]", None])).to_list()
    [True, False, None]
    """
    return text.str.contains(_WHOLE)


def replaced_at(text: pl.Series, rows: pl.Series, cells: pl.Series) -> pl.Series:
    """`text` with other cells at some rows; it is not changed itself."""
    return text.clone().scatter(rows, cells)
