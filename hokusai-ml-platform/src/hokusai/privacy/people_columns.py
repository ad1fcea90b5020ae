"""Whether the cells of a column look like names of people, where its own name leaves that open.

A column `name` or `nom` may hold products, and a column `customer` names, firms or numbers. Capitals tell little, so
some of the cells have to be names that many people have (`known_names`). But goods are called after people too (Anna
Dress), and so are firms, towns and books: in a column `name` most of the others have to read like names as well.
What is of another kind, such as an e-mail address among names, says nothing, whether it was cleaned or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal

from hokusai.privacy.detector import find
from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.kinds import ALL_KINDS, DEFAULT_REGIONS, PiiKind
from hokusai.privacy.known_names import is_persons_name, names_thing, reads_as_name

if TYPE_CHECKING:
    import polars as pl

Beside = Literal["", "goods", "people", "names"]
"""What other columns say that the rows are about: `names` if one is of a half of names, as `first_name` is."""

_LEAST_SHARE_NAMED: Final = 0.3
"""Of names that many people have among the cells that say something, in a column of names, be it of things."""
_LEAST_SHARE_AMONG_THINGS: Final = 2 / 3
"""The same beside a column of goods, such as a price: books are called after people."""
_LEAST_SHARE_OPEN: Final = 0.25
"""The same beside or in a column that is of people, if not of names: firms are called after people too."""
_LEAST_SHARE_ALIKE: Final = 0.5
"""Of these and what else reads like a name, in a column that may list things."""
_MOST_CHARACTERS: Final = 60
_MOST_WORDS: Final = 5
_NO_NAME: Final = re.compile(r"[0-9@/_:!?<>{}()=+*&%$#\\\[\]]")
_LATIN: Final = re.compile("[A-Za-z]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_SAYS_SOMETHING: Final = re.compile(r"\w")
_LEFT: Final = re.compile(TAKEN_OUT)
_LEFT_NAMES: Final = (f"pii:{PiiKind.PERSON_NAME}:", f"[{PiiKind.PERSON_NAME}]")


def hold_people(cells: pl.Series, *, regions: Collection[str] = DEFAULT_REGIONS) -> bool:
    """Whether enough cells are names of people, in a column that is named by a word for people, such as `customer`.

    Args:
        cells: Text without null, as it came.
        regions: Countries, as ISO 3166 codes, whose national formats count.

    >>> import polars as pl
    >>> hold_people(pl.Series(["Roe, Jane", "x@example.org"])), hold_people(pl.Series(["C-1001", "Acme"]))
    (True, False)
    """
    named, _, asked = _counts(own_text(cells, PiiKind.PERSON_NAME, regions), single=False)
    return asked > 0 and named >= _LEAST_SHARE_OPEN * asked


def hold_names(cells: pl.Series, beside: Beside = "", *, regions: Collection[str] = DEFAULT_REGIONS) -> bool:
    """Whether the cells of a column of names are those of people, and not of things. If there are none, they may be.

    Args:
        cells: Text without null, as it came.
        beside: What other columns say.
        regions: Countries, as ISO 3166 codes, whose national formats count.

    >>> import polars as pl
    >>> [hold_names(pl.Series([name]), "people") for name in ("Thandeka Mbiyozo", "Red Lamp")]
    [True, False]
    """
    texts = own_text(cells, PiiKind.PERSON_NAME, regions)
    named, alike, asked = _counts(texts, single=beside == "names")
    if not asked:
        return not texts
    reads_alike = alike >= _LEAST_SHARE_ALIKE * asked
    if beside in ("people", "names"):
        return 2 * alike > asked or named >= _LEAST_SHARE_OPEN * asked
    least = _LEAST_SHARE_AMONG_THINGS if beside == "goods" else _LEAST_SHARE_NAMED
    return reads_alike and named >= least * asked


def own_text(cells: pl.Series, kind: PiiKind, regions: Collection[str]) -> list[str]:
    """What cells say about being of a kind: without what is of another, be it in the clear, a token or a mask.

    So the answer is the same before and after cleaning. Blank cells are left out.

    >>> import polars as pl
    >>> own_text(pl.Series(["Jane Roe", "a@b.co", "[email]", "[person_name]", " "]), PiiKind.PERSON_NAME, ["US"])
    ['Jane Roe', '', '', '[person_name]']
    """
    import polars as pl

    text = cells.cast(pl.String)
    text = text.filter(text.str.contains(r"\S"))
    own = text.to_list()
    spans = find(text, [one for one in ALL_KINDS if one is not kind], regions=regions, column_kind=kind)
    for row, start, end in spans.select("row", "start", "end").reverse().iter_rows():
        own[row] = f"{own[row][:start]} {own[row][end:]}"
    stand_ins = (f"pii:{kind}:", f"[{kind}]")
    return [
        _LEFT.sub(lambda left: left[0] if left[0].startswith(stand_ins) else " ", one).strip() for one in own
    ]


def _counts(texts: list[str], *, single: bool) -> tuple[int, int, int]:
    """How many are names that many people have, how many read like names at all, and how many say anything.

    What an earlier cleaning left in the place of a name counts as one.

    Args:
        texts: What `own_text` gives.
        single: Whether one capitalised word may be a name.
    """
    named = alike = asked = 0
    for text in texts:
        if not _SAYS_SOMETHING.search(text):
            continue
        asked += 1
        if text.startswith(_LEFT_NAMES):
            named += 1
            alike += 1
            continue
        plain = text.replace(",", " ")
        if not _may_be_name(plain):
            continue
        is_name = _LATIN.search(plain) is None or is_persons_name(plain)
        named += is_name
        alike += is_name or reads_as_name(plain) or (single and _is_capitalised(plain))
    return named, alike, asked


def _is_capitalised(text: str) -> bool:
    return text[0].isupper() and " " not in text and not names_thing(text)


def _may_be_name(text: str) -> bool:
    """Whether letters alone stand here, and few; of scripts other than the Latin nothing else is known."""
    if len(text) > _MOST_CHARACTERS or _NO_NAME.search(text) or not _LETTER.search(text):
        return False
    return not _LATIN.search(text) or len(text.split()) <= _MOST_WORDS
