"""How much personal data was found, where and of which kind; never what it was.

Counts of batches merge to the counts of the whole, in any order and grouping, and become the manifest's summary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hokusai.domain.manifest import PiiFinding, PiiSummary
from hokusai.privacy.tokens import ALGORITHM

BY_NAME: Final = "column name"
BY_CONTENT: Final = "content"
BY_CALLER: Final = "named as personal"
IN_NAMES: Final = "(the names of the columns)"
"""Stands for a column where the column's name itself is personal data, and must not be told."""


class Found(NamedTuple):
    """What is counted apart: which column, which kind, what was done, and how it was found."""

    column: str
    kind: str
    action: str
    found_by: str


@dataclass(frozen=True)
class PiiCounts:
    """Cells with personal data.

    Attributes:
        cells: How many cells held at least one value, by where and what.
        names: How many names of columns did. All batches have the same columns, so these are not summed.
        key_id: Of the key that made tokens; empty if none was needed.

    >>> one = PiiCounts({Found("q", "email", "hash", "content"): 2}, key_id="mlq7bkdb")
    >>> [(f.column, f.kind, f.cells) for f in (one + PiiCounts() + one).summary().findings]
    [('q', 'email', 4)]
    """

    cells: Mapping[Found, int] = field(default_factory=dict)
    names: Mapping[Found, int] = field(default_factory=dict)
    key_id: str = ""

    def __add__(self, other: PiiCounts) -> PiiCounts:
        cells = dict(self.cells)
        for found, count in other.cells.items():
            cells[found] = cells.get(found, 0) + count
        names = dict(self.names)
        for found, count in other.names.items():
            names[found] = max(names.get(found, 0), count)
        return PiiCounts(cells, names, self.key_id or other.key_id)

    @property
    def total(self) -> int:
        """Cells and names, a cell once for each kind it held."""
        return sum(self.cells.values()) + sum(self.names.values())

    def summary(self) -> PiiSummary:
        """As the manifest tells it, in an order that depends on nothing."""
        rows = sorted([*self.cells.items(), *self.names.items()])
        findings = tuple(
            PiiFinding(found.column, found.kind, found.action, count, found.found_by)
            for found, count in rows
            if count
        )
        return PiiSummary(findings, self.key_id, ALGORITHM if self.key_id else "")
