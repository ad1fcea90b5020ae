"""Whether the cells of a column look like names of people, where its own name leaves that open.

A column `name` or `nom` may hold products, and a column `customer` names, firms or numbers. Capitals tell little, so
some of the cells have to be names that many people have (`known_names`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.known_names import is_known_name

if TYPE_CHECKING:
    import polars as pl

LEAST_SHARE_NAMED: Final = 0.1
"""Of the cells that say something, in a column that says that it holds names, be it of things."""
LEAST_SHARE_OPEN: Final = 0.25
"""The same in one that does not: firms are called after people too."""
_MOST_CHARACTERS: Final = 60
_MOST_WORDS: Final = 5
_NO_NAME: Final = re.compile(r"[0-9@/_:!?<>{}()=+*&%$#\\]")
_LATIN: Final = re.compile("[A-Za-z]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_LEFT: Final = re.compile(TAKEN_OUT)
_LEFT_NAMES: Final = (f"pii:{PiiKind.PERSON_NAME}:", f"[{PiiKind.PERSON_NAME}]")


def hold_people(cells: pl.Series, least_share: float, *, unless_shown: bool) -> bool:
    """Whether enough cells are names of people, of those in which something stands.

    What an earlier cleaning left in the place of a name counts as one; in the place of something else it says nothing.

    Args:
        cells: Text without null, as it came.
        least_share: How many are enough.
        unless_shown: What to answer if no cell says anything.

    >>> import polars as pl
    >>> hold_people(pl.Series(["Roe, Jane", "Mr. John Doe"]), 0.1, unless_shown=False)
    True
    >>> hold_people(pl.Series(["Chaise Bleue", "Table", "C-1001"]), 0.1, unless_shown=True)
    False
    """
    import polars as pl

    names = asked = 0
    for cell in cells.cast(pl.String).to_list():
        text = cell.strip()
        if text.startswith(_LEFT_NAMES):
            names += 1
        elif not text or _LEFT.fullmatch(text):
            continue
        else:
            names += _is_name(text)
        asked += 1
    return names >= least_share * asked if asked else unless_shown


def _is_name(text: str) -> bool:
    if len(text) > _MOST_CHARACTERS or _NO_NAME.search(text) or not _LETTER.search(text):
        return False
    if not _LATIN.search(text):
        return True  # nothing is known of other scripts; the column's name decides
    return len(text.split()) <= _MOST_WORDS and is_known_name(text.replace(",", " "))
