"""A lineage as text: a tree of lines, and a Mermaid flowchart.

The tree is drawn as version control draws its history: the main line runs straight down and side branches stand to
the right of it. An indentation a generation would make ten thousand generations a picture of two hundred megabytes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.lineage_parts import LineageEdge, LineageNode, direction
from hokusai.domain.metrics import common_metric_name, metric_direction
from hokusai.utils.text import one_line

if TYPE_CHECKING:
    from hokusai.domain.lineage import Lineage

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One version as a line of a drawing.

    Attributes:
        node: The version.
        edge: The step that led to it.
        lane: 0 for the main line of a tree, one more for each side branch it stands in.
        branches: Whether it is the first of a side branch.
        starts: Whether it is a root.
    """

    node: LineageNode
    edge: LineageEdge | None
    lane: int
    branches: bool
    starts: bool

    @property
    def lead(self) -> str:
        """The lines to the left of it, and its own mark."""
        lanes = "│ " * (self.lane - 1) + "├─" if self.branches else "│ " * self.lane
        return lanes + ("✗" if self.node.missing or self.node.deleted else "●" if self.starts else "○")


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric of a version: its value, and its change since the parent, each None if it is not known."""

    metric: str
    value: float | None
    delta: float | None

    @property
    def value_text(self) -> str:
        """The metric and its value."""
        return self.metric if self.value is None else f"{self.metric} {self.value:.4g}"

    @property
    def delta_text(self) -> str:
        """The change, in brackets; empty if it is not known."""
        return "" if self.delta is None else f"({self.delta:+.4g})"

    @property
    def verdict(self) -> int:
        """+1 for better than the parent, -1 for worse, 0 for the same or unknown."""
        better = direction(self.metric) * (self.delta or 0.0)
        return (better > 0) - (better < 0)


def rows(lineage: Lineage) -> Iterator[Row]:
    """Every version once, each after its parent, side branches before the main line goes on."""
    main = _main_children(lineage)
    for root in lineage.roots:
        waiting = [(root, 0, False)]
        while waiting:
            node, lane, branches = waiting.pop()
            yield Row(node, lineage.edge_to(node.model_id), lane, branches, node is root)
            straight = main.get(node.model_id)
            children = lineage.children(node.model_id)
            waiting += [(child, lane, False) for child in children if child.model_id == straight]
            waiting += [(child, lane + 1, True) for child in children[::-1] if child.model_id != straight]


def readings(node: LineageNode, edge: LineageEdge | None) -> list[Reading]:
    """What to show of the metrics of a version that `edge` led to."""
    deltas = dict(edge.delta) if edge else {}
    shown = [Reading(name, node.metrics[name], deltas.get(common_metric_name(name))) for name in node.metrics]
    told = {common_metric_name(name) for name in node.metrics}
    return shown + [Reading(name, None, delta) for name, delta in deltas.items() if name not in told]


def short_contributor(contributor: WalletAddress | None) -> str:
    """A contributor as a few characters; an address is cut in its middle.

    >>> short_contributor(WalletAddress("0x742d35Cc6634C0532925a3b844Bc9e7595f62341"))
    '0x742d…2341'
    """
    if contributor is None:
        return ""
    text = one_line(contributor.text)
    return (
        f"{text[:6]}…{text[-4:]}"
        if contributor.payable
        else text[:41] + ("…" if len(text) > 42 else text[41:])
    )


def text_tree(lineage: Lineage) -> str:
    """See `Lineage.to_text`."""
    lines: list[str] = []
    for row in rows(lineage):
        if row.starts and lines:
            lines.append("")
        lines.append(f"{row.lead} {'  '.join(_words(row))}")
    remarks = notes(lineage)
    lines += ["", *remarks] if remarks else []
    return "\n".join(lines)


def notes(lineage: Lineage) -> list[str]:
    """What a reader should know of the lineage besides, a sentence each."""
    found = []
    for cycle in lineage.cycles:
        listed = cycle if len(cycle) <= _MOST_NAMED else (*cycle[: _MOST_NAMED - 1], "…", cycle[-1])
        ring = " → ".join(one_line(own) for own in (*listed, cycle[0]))
        found.append(f"A cycle was cut: {ring}. {one_line(cycle[0])} is drawn as a root.")
    found += [
        f"{one_line(node.model_id)} is named as a parent, and is not there."
        for node in lineage.nodes
        if node.missing
    ]
    found += [
        f"{one_line(node.model_id)}: {one_line(node.trouble)}" for node in lineage.nodes if node.trouble
    ]
    guessed = {m for edge in lineage.edges for m in edge.delta if metric_direction(m) is None}
    if guessed:
        found.append(
            f"Higher is taken as better, which is not known: {one_line(', '.join(sorted(guessed)))}."
        )
    return found


def mermaid(lineage: Lineage) -> str:
    """See `Lineage.to_mermaid`."""
    # Ids are counted, not made from names: two names could be written alike, or as a word of the language.
    ids = {node.model_id: f"v{place}" for place, node in enumerate(lineage.nodes)}
    lines = ["flowchart TD"]
    for node in lineage.nodes:
        words = [node.model_id, *(f"{name} {value:.4g}" for name, value in node.metrics.items())]
        words += [f"({', '.join(node.marks)})"] if node.marks else []
        lines.append(f'    {ids[node.model_id]}["{"<br/>".join(map(_escaped, words))}"]{_style(node)}')
    for edge in lineage.edges:
        words = [f"{metric} {delta:+.4g}" for metric, delta in edge.delta.items()]
        words += [short_contributor(edge.contributor)] if edge.contributor else []
        label = f'|"{"<br/>".join(map(_escaped, words))}"|' if words else ""
        lines.append(f"    {ids[edge.parent]} -->{label} {ids[edge.child]}")
    lines += [
        "    classDef production fill:#d5f0dc,stroke:#1a7f37,stroke-width:2px,color:#1f2328",
        "    classDef staging fill:#fff4d1,stroke:#9a6700,color:#1f2328",
        "    classDef gone stroke-dasharray:4 3,color:#8a8f96",
    ]
    return "\n".join(lines)


def _words(row: Row) -> list[str]:
    node = row.node
    words = [node.model_id]
    words += [f"[{', '.join(node.marks)}]"] if node.marks else []
    words += [f"{reading.value_text} {reading.delta_text}".rstrip() for reading in readings(node, row.edge)]
    words += [f"by {short_contributor(node.contributor)}"] if node.contributor else []
    return [one_line(word) for word in words]


def _style(node: LineageNode) -> str:
    if node.missing or node.deleted:
        return ":::gone"
    return f":::{node.stage.value}" if node.stage and node.stage.value in ("production", "staging") else ""


def _escaped(text: str) -> str:
    """`text` as Mermaid shows it: its quotes, brackets, Markdown and HTML stand as numbered characters."""
    clean = one_line(text)
    return re.sub(r"[^\w /.+:-]|_|\.(?= )", lambda found: f"#{ord(found[0])};", clean)


def _main_children(lineage: Lineage) -> dict[str, str]:
    """Id to the id of the child that goes on straight: towards `latest`, else the one with most after it.

    Whatever stands in a side branch is thus at most half of a tree (but once), so drawings stay narrow.
    """
    sizes = dict.fromkeys((node.model_id for node in lineage.nodes), 1)
    for edge in reversed(lineage.edges):
        sizes[edge.parent] += sizes[edge.child]
    main: dict[str, str] = {}
    for edge in lineage.edges:
        best = main.get(edge.parent)
        if best is None or sizes[edge.child] > sizes[best]:
            main[edge.parent] = edge.child
    if lineage.latest:
        path = [node.model_id for node in lineage.path_to(lineage.latest.model_id)]
        main |= dict(itertools.pairwise(path))
    return main
