"""Whether the cells of a column look like names of people, where its own name leaves that open.

A column `name` or `nom` may hold products, and a column `customer` names, firms or numbers. Capitals tell little, so
some of the cells have to be names that many people have (`known_names`). But goods are called after people too (Anna
Dress), and so are firms, towns and books: in a column `name` most of the others have to read like names as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.known_names import is_persons_name, reads_as_name

if TYPE_CHECKING:
    import polars as pl

LEAST_SHARE_NAMED: Final = 0.3
"""Of names that many people have among the cells that say something, in a column of names, be it of things."""
LEAST_SHARE_AMONG_THINGS: Final = 2 / 3
"""The same where another column says that the rows are about goods, such as a price: books are called after people."""
LEAST_SHARE_OPEN: Final = 0.25
"""The same in a column that is not one of names: firms are called after people too."""
_LEAST_SHARE_ALIKE: Final = 0.5
"""Of these and what else reads like a name, in a column that may list things."""
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
        unless_shown: Whether the column's name says that it holds names, be it of things: what to answer if no cell
            says anything. Then half of the cells at least have to read like names.

    >>> import polars as pl
    >>> hold_people(pl.Series(["Roe, Jane", "Mr. John Doe"]), 0.1, unless_shown=False)
    True
    >>> hold_people(pl.Series(["Chaise Bleue", "Table", "C-1001"]), 0.1, unless_shown=True)
    False
    """
    import polars as pl

    names = alike = asked = 0
    for cell in cells.cast(pl.String).to_list():
        text = cell.strip()
        if text.startswith(_LEFT_NAMES):
            names += 1
            alike += 1
        elif not text or _LEFT.fullmatch(text):
            continue
        else:
            plain = text.replace(",", " ")
            may_be = _may_be_name(plain)
            is_name = may_be and (_LATIN.search(plain) is None or is_persons_name(plain))
            names += is_name
            alike += is_name or (may_be and reads_as_name(plain))
        asked += 1
    if not asked:
        return unless_shown
    return names >= least_share * asked and (not unless_shown or alike >= _LEAST_SHARE_ALIKE * asked)


def _may_be_name(text: str) -> bool:
    """Whether letters alone stand here, and few; of scripts other than the Latin nothing else is known."""
    if len(text) > _MOST_CHARACTERS or _NO_NAME.search(text) or not _LETTER.search(text):
        return False
    return not _LATIN.search(text) or len(text.split()) <= _MOST_WORDS
