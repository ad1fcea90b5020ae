"""The quality of data in named parts: each with its value, its weight, its formula and where that comes from.

A single number without its reasons invites gaming, so there is none: a score is shown with its parts, and what could
not be measured is named with the reason instead of being counted as good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table as RichTable

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "completeness": 1.0,
    "validity": 1.0,
    "uniqueness": 1.0,
    "labelled": 1.0,
    "consistency": 1.0,
    "label_balance": 1.0,
    "outliers": 1.0,
    "drift": 1.0,
    "label_noise": 1.0,
}
"""The parts of the score, in the order of the report. Equal weights claim no knowledge of what matters more."""


@dataclass(frozen=True, slots=True)
class QualityPart:
    """One measured part of the quality.

    Attributes:
        name: Such as `completeness`.
        value: A share in [0, 1]; 1 is best.
        weight: Its weight in the score, above 0.
        formula: How the value is computed.
        detail: The numbers that went in, for people; no value of anybody's data.
        reference: Where the method comes from, if it has a source.
    """

    name: str
    value: float
    weight: float
    formula: str
    detail: str = ""
    reference: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain data; an empty reference is left out."""
        return {key: getattr(self, key) for key in self.__slots__ if key != "reference" or self.reference}


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The quality of a set of rows.

    Attributes:
        parts: What was measured, in the order of `DEFAULT_WEIGHTS`.
        skipped: Part to the reason why it was not measured; it takes no part in the score.
        label_share: Class to its share of the labelled rows, largest first; empty where there are no classes.
        rows: Rows that were looked at.
        ignored: Columns that are no features, as they only identify rows or were not named: of them, only whether
            cells have a value counts.
    """

    parts: tuple[QualityPart, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    label_share: Mapping[str, float] = field(default_factory=dict)
    rows: int = 0
    ignored: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """The weighted mean of the parts that were measured; 0 if there are none."""
        total = math.fsum(part.weight for part in self.parts)
        return rounded(math.fsum(part.weight * part.value for part in self.parts) / total) if total else 0.0

    @property
    def components(self) -> dict[str, float]:
        """Part to value."""
        return {part.name: part.value for part in self.parts}

    @property
    def formula(self) -> str:
        """How the score comes from the parts."""
        if not self.parts:
            return "mean of no part: nothing could be measured"
        names = ", ".join(part.name for part in self.parts)
        if len({part.weight for part in self.parts}) < 2:
            return f"mean of {names}"
        weighted = ", ".join(f"{part.weight:g} x {part.name}" for part in self.parts)
        return f"weighted mean of {weighted}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data that has a canonical JSON form."""
        return {
            "score": self.score,
            "formula": self.formula,
            "components": self.components,
            "label_share": dict(self.label_share),
            "rows": self.rows,
            "parts": [part.to_dict() for part in self.parts],
            "skipped": dict(self.skipped),
            **({"ignored": list(self.ignored)} if self.ignored else {}),
        }

    def __str__(self) -> str:
        width = max([len(name) for name in (*self.components, *self.skipped)], default=0)
        lines = [f"Quality {self.score:.3f}, the {self.formula} ({self.rows:,} rows)"]
        lines += [f"  {p.name:<{width}}  {p.value:.3f}  weight {p.weight:g}  {p.detail}" for p in self.parts]
        lines += [f"  {name:<{width}}  not measured: {why}" for name, why in self.skipped.items()]
        lines += [f"  no features: {', '.join(self.ignored)}"] if self.ignored else []
        return "\n".join(lines)

    def __rich__(self) -> RichTable:
        from rich.markup import escape as plain_text
        from rich.table import Table as RichTable

        table = RichTable(
            title=f"Quality {self.score:.3f}", caption=plain_text(self.formula), title_justify="left"
        )
        for heading in ("part", "value", "weight", "how it is computed", "what was found"):
            table.add_column(heading, justify="right" if heading in ("value", "weight") else "left")
        for part in self.parts:
            table.add_row(
                part.name,
                f"{part.value:.3f}",
                f"{part.weight:g}",
                plain_text(part.formula),
                plain_text(part.detail),
            )
        for name, why in self.skipped.items():
            table.add_row(name, "-", "-", "not measured", plain_text(why), style="dim")
        return table

    def _repr_html_(self) -> str:
        rows = [
            (p.name, f"{p.value:.3f}", f"{p.weight:g}", p.formula, p.detail, p.reference) for p in self.parts
        ]
        rows += [(name, "-", "-", "not measured", why, "") for name, why in self.skipped.items()]
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        heads = ("part", "value", "weight", "how it is computed", "what was found", "source")
        return (
            f"<table><caption>Quality {self.score:.3f}: {escape(self.formula)}, {self.rows:,} rows</caption>"
            f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>{body}</tbody></table>"
        )


def rounded(value: float) -> float:
    """A share as it is published: the last bit of a platform's logarithm does not show in a digest.

    >>> rounded(1 / 3)
    0.333333
    """
    return round(value, 6)
