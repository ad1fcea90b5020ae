"""What stands where personal data stood.

The detector never takes it for personal data (`folding.TAKEN_OUT`), so that nothing that was cleaned once is changed by
cleaning it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.kinds import ALL_KINDS
from hokusai.privacy.text_views import first_bytes, may_hold
from hokusai.privacy.tokens import TOKEN_PATTERN

if TYPE_CHECKING:
    import polars as pl

DECLARED: Final = "personal"
"""The kind of what the caller says is personal, where nothing shows of which kind it is."""

_MASK: Final = rf"\[(?:{'|'.join(ALL_KINDS)}|{DECLARED})\]"
_WHOLE: Final = rf"^\s*(?:{TAKEN_OUT}|{TOKEN_PATTERN}|\[{DECLARED}\])\s*$"
_BLANK: Final = r"^\s*$"
_SPACE, _NOT_ASCII = 0x20, 0x80


def mask(kind: str) -> str:
    """What stands for a value of a kind that is masked.

    >>> mask("email")
    '[email]'
    """
    return f"[{kind}]"


def is_stand_in_or_blank(text: pl.Series) -> pl.Series:
    """Whether each cell is a token or a mask and nothing else, or nothing at all; of null, no.

    >>> import polars as pl
    >>> is_stand_in_or_blank(pl.Series(["[email]", "to [email]", " ", None])).to_list()
    [True, False, True, False]
    """
    import numpy as np
    import polars as pl

    first = first_bytes(text)
    others = (first > _SPACE) & (first < _NOT_ASCII) & (first != ord("[")) & (first != ord("p"))
    likely = pl.Series(np.flatnonzero(~others), dtype=pl.get_index_type())
    cells = text.gather(likely)
    found = (cells.str.contains(_WHOLE) | cells.str.contains(_BLANK)).fill_null(value=False)
    return pl.repeat(False, len(text), dtype=pl.Boolean, eager=True).scatter(likely.filter(found), True)


def holds_mask(rows: pl.DataFrame) -> pl.Series:
    """Which rows have a mask in some cell. What stood there nobody knows: they may look alike and not be the same.

    >>> import polars as pl
    >>> holds_mask(pl.DataFrame({"n": [1, 2, 3], "note": ["to [email]", "see [1]", None]})).to_list()
    [True, False, False]
    """
    import polars as pl

    texts = pl.DataFrame(
        [
            text.alias(str(i))  # names from the data might be patterns to the engine
            for i, cells in enumerate(rows.get_columns())
            if cells.dtype in (pl.String, pl.Categorical, pl.Enum)
            and may_hold(text := cells.cast(pl.String), "[")
        ]
    )
    if not texts.width:
        return pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    held = texts.select(pl.any_horizontal(pl.all().str.contains(_MASK)))
    return held.to_series().fill_null(value=False)


def token_keys(rows: pl.DataFrame) -> frozenset[str]:
    """The ids of the keys that made the tokens in these rows.

    >>> import polars as pl
    >>> sorted(token_keys(pl.DataFrame({"a": ["by pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw", "x"]})))
    ['mlq7bkdb']
    """
    import polars as pl

    found: set[str] = set()
    for column in rows.get_columns():
        cells = column.alias("")  # methods of a series take its name for a pattern
        if cells.dtype == pl.String:
            having = cells.filter(cells.str.contains("pii:", literal=True))
            tokens = having.str.extract_all(TOKEN_PATTERN).explode().drop_nulls()
            found.update(token.split(":")[2] for token in tokens.to_list())
    return frozenset(found)


def other_key_notes(found: Iterable[tuple[str, frozenset[str]]], key_id: str) -> Iterator[str]:
    """What cannot be found out about tokens that were there before.

    Args:
        found: Files, and the keys of the tokens in them.
        key_id: The key by which others were hashed now; empty if nothing was.
    """
    for name, keys in found if key_id else ():
        if others := sorted(keys - {key_id}):
            yield (
                f"{name}: It holds tokens of another key ({', '.join(others)}). What is hashed now cannot be compared "
                "with them: rows that only that key would show to repeat one another are kept"
            )


def replaced_at(text: pl.Series, rows: pl.Series, cells: pl.Series) -> pl.Series:
    """`text` with other cells at some rows; it is not changed itself."""
    return text.clone().scatter(rows, cells)
