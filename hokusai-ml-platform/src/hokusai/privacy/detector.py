"""Where personal data stands in text: one quick pass over all rows, careful checks on the few that it leaves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from hokusai.privacy.kinds import ALL_KINDS, PiiKind

if TYPE_CHECKING:
    import polars as pl

DEFAULT_REGIONS = ("US", "GB", "FR", "DE", "IT", "ES", "JP", "BR", "IN")
"""Whose national phone formats and ids are looked for; numbers with a country code are found for all regions."""


def find(
    text: pl.Series,
    kinds: Collection[PiiKind] = ALL_KINDS,
    *,
    regions: Collection[str] = DEFAULT_REGIONS,
    column_kind: PiiKind | None = None,
) -> pl.DataFrame:
    """Every span of personal data in a column of text.

    Args:
        text: Strings, shape (n_rows,); null cells hold nothing.
        kinds: What to look for.
        regions: Countries, as ISO 3166 codes, whose national formats count.
        column_kind: What the column is known to hold: its name stands for the words that would otherwise have to
            stand beside a number.

    Returns:
        One row a span, by row and start, none overlapping: `row` (u32), `start`, `end` (characters of the original
        text, u32), `kind` (string) and `canonical` (the form that is the same for all spellings of one value).
    """
    raise NotImplementedError


def matches_whole(text: pl.Series, kind: PiiKind, *, regions: Collection[str] = DEFAULT_REGIONS) -> pl.Series:
    """Whether each cell, blanks around it aside, is one value of this kind and nothing else; null stays null."""
    raise NotImplementedError


def canonical_whole(
    text: pl.Series, kind: PiiKind, *, regions: Collection[str] = DEFAULT_REGIONS
) -> pl.Series:
    """The canonical form of each cell that is one value of this kind; null elsewhere."""
    raise NotImplementedError
