"""Lineage: which version of a model was made from which, by whose data, and how much better it became.

A `Lineage` is a set of trees of versions. It is read from the versions' own facts, so it can be drawn of whatever
the registry holds: versions whose parent is gone show the gap, and cycles that somebody made by hand are cut.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.lineage_links import Names, link
from hokusai.domain.lineage_parts import (
    ContributorImpact,
    Improvement,
    LineageEdge,
    LineageNode,
    add_up,
    edge_between,
    node_of,
)
from hokusai.domain.metrics import common_metric_name
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import Stage
from hokusai.errors import NotFoundError

__all__ = ["ContributorImpact", "Improvement", "Lineage", "LineageEdge", "LineageNode"]


@dataclass(frozen=True, repr=False)
class Lineage:
    """Versions and the steps between them. Make one with `Lineage.of`.

    Attributes:
        model_id: What was asked for: a model's name, or the id of a version.
        nodes: The versions, oldest first and no child before its parent; missing parents are among them.
        edges: The steps, in the order of the children; a version has one parent at most.
        cycles: Cycles that were cut, each beginning with the version that was made a root.

    >>> from hokusai.domain.records import METRICS, PARENT, SEMVER, ModelRecord
    >>> base = ModelRecord("churn", 1, tags={SEMVER: "1.0.0", METRICS: '{"accuracy": 0.5}'})
    >>> better = ModelRecord(
    ...     "churn", 2, tags={SEMVER: "1.1.0", METRICS: '{"accuracy": 0.75}', PARENT: "churn/1.0.0"}
    ... )
    >>> lineage = Lineage.of([better, base])
    >>> lineage
    <Lineage of churn: 2 versions, latest churn/1.1.0, accuracy +0.25>
    >>> print(lineage.to_text())
    ● churn/1.0.0  accuracy 0.5
    ○ churn/1.1.0  accuracy 0.75 (+0.25)
    """

    model_id: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    cycles: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(
        cls,
        records: Iterable[ModelRecord],
        focus: str | None = None,
        *,
        stages: Mapping[str, Stage] | None = None,
    ) -> Lineage:
        """The lineage of `records`, all of which are in it, once each, in whatever order they come.

        Args:
            records: Versions, of one model or of several.
            focus: The name or id that was asked for; `latest` is looked for from there on. By default the
                name of the oldest.
            stages: Model id to the stage it is in, as far as that is known.

        Raises:
            NotFoundError: No record has the name or id `focus`.
        """
        names = Names(records)
        links = link(names)
        known = {names.find(own) or own: stage for own, stage in (stages or {}).items()}
        nodes = {
            own: LineageNode(own)
            if record is None
            else node_of(record, own, links.parents.get(own), known.get(own))
            for own, record in links.records.items()
        }
        edges = tuple(
            edge_between(nodes[node.parent_id], node) for node in nodes.values() if node.parent_id is not None
        )
        first = next((node.name for node in nodes.values() if not node.missing), "")
        asked = first if focus is None else names.find(focus) or focus
        if nodes and asked not in nodes and all(node.name != asked for node in nodes.values()):
            raise _not_found(asked, [*nodes, *(node.name for node in nodes.values())])
        return cls(asked, tuple(nodes.values()), edges, links.cycles)

    @cached_property
    def roots(self) -> tuple[LineageNode, ...]:
        """The versions that were made from no other one here."""
        return tuple(node for node in self.nodes if node.parent_id is None)

    @cached_property
    def latest(self) -> LineageNode | None:
        """Where the lineage leads: the highest version of the model that was registered last, from the focus on.

        Versions that are deleted or deprecated count only where there is no other, pre-releases likewise.
        """
        found = [node for node in self._from_the_focus() if not node.missing]
        usable = [node for node in found if not node.deleted and not node.deprecated]
        found = usable or [node for node in found if not node.deleted] or found
        return max((node for node in found if node.name == found[-1].name), key=_height, default=None)

    @property
    def latest_version(self) -> str | None:
        """The version of `latest`."""
        return self.latest.version if self.latest else None

    @property
    def total_versions(self) -> int:
        """How many versions there are; missing parents are not counted."""
        return sum(not node.missing for node in self.nodes)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The versions as plain dicts, oldest first."""
        return [self._entry(node) for node in self.nodes if not node.missing]

    @property
    def total_improvement(self) -> dict[str, float]:
        """Metric to how much better `latest` is than its root."""
        return {metric: gain.improvement for metric, gain in self.improvement_to().items()}

    @cached_property
    def contributors(self) -> tuple[ContributorImpact, ...]:
        """What each contributor's data did; who improved most often comes first."""
        groups: dict[str, tuple[WalletAddress, list[LineageEdge]]] = {}
        for edge in self.edges:
            who = edge.contributor
            if who is not None and not self._by_id[edge.child].deleted:
                account = who.text.lower() if who.payable else who.text
                groups.setdefault(account, (who, []))[1].append(edge)
        impacts = [_impact(who, edges) for who, edges in groups.values()]
        return tuple(sorted(impacts, key=lambda impact: (-impact.improvements, impact.contributor.text)))

    def node(self, model_id: str) -> LineageNode:
        """The version with this id.

        Raises:
            NotFoundError: It is not in this lineage.
        """
        found = self._by_id.get(model_id)
        if found is None:
            raise _not_found(model_id, self._by_id)
        return found

    def children(self, model_id: str) -> tuple[LineageNode, ...]:
        """The versions that were made from this one, oldest first."""
        return self._children.get(self.node(model_id).model_id, ())

    def edge_to(self, model_id: str) -> LineageEdge | None:
        """The step that led to this version; None for a root."""
        return self._edge_to.get(self.node(model_id).model_id)

    def path_to(self, model_id: str) -> tuple[LineageNode, ...]:
        """The versions from the root to this one, both included."""
        path = [self.node(model_id)]
        while path[-1].parent_id is not None:
            path.append(self._by_id[path[-1].parent_id])
        return tuple(reversed(path))

    def improvement_to(self, model_id: str | None = None) -> dict[str, Improvement]:
        """Metric to how far it went from the root to this version, or to `latest`."""
        if model_id is None and self.latest is None:
            return {}
        path = self.path_to(model_id or self.latest.model_id)  # type: ignore[union-attr]  # seen just above
        return add_up(self._edge_to[node.model_id] for node in path[1:])

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "model_id": self.model_id,
            "lineage": self.entries,
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
            "roots": [node.model_id for node in self.roots],
            "cycles": [list(cycle) for cycle in self.cycles],
            "cumulative_improvement": {m: gain.to_dict() for m, gain in self.improvement_to().items()},
            "contributors": [impact.to_dict() for impact in self.contributors],
            "total_versions": self.total_versions,
            "latest_version": self.latest_version,
        }

    def to_text(self) -> str:
        """As a tree of lines, for logs and plain terminals."""
        from hokusai.domain.lineage_text import text_tree

        return text_tree(self)

    def to_mermaid(self) -> str:
        """As a Mermaid flowchart; viewers draw up to 500 steps unless they are told otherwise."""
        from hokusai.domain.lineage_text import mermaid

        return mermaid(self)

    def __repr__(self) -> str:
        count = self.total_versions
        parts = [f"{count} version{'' if count == 1 else 's'}"]
        parts += [f"latest {self.latest.model_id}"] if self.latest else []
        parts += [f"{m} {gain.delta:+.4g}" for m, gain in list(self.improvement_to().items())[:3]]
        return f"<Lineage of {self.model_id}: {', '.join(parts)}>"

    @cached_property
    def _by_id(self) -> dict[str, LineageNode]:
        return {node.model_id: node for node in self.nodes}

    @cached_property
    def _edge_to(self) -> dict[str, LineageEdge]:
        return {edge.child: edge for edge in self.edges}

    @cached_property
    def _children(self) -> dict[str, tuple[LineageNode, ...]]:
        found: dict[str, list[LineageNode]] = {}
        for edge in self.edges:
            found.setdefault(edge.parent, []).append(self._by_id[edge.child])
        return {parent: tuple(children) for parent, children in found.items()}

    def _from_the_focus(self) -> list[LineageNode]:
        """The focus, or all versions of that name, and what was made from them; oldest first."""
        inside: set[str] = set()
        for node in self.nodes:
            if self.model_id in (node.model_id, node.name) or node.parent_id in inside:
                inside.add(node.model_id)
        return [node for node in self.nodes if node.model_id in inside]

    def _entry(self, node: LineageNode) -> dict[str, Any]:
        edge = self._edge_to.get(node.model_id)
        spelled = {common_metric_name(name): name for name in node.metrics}
        return {
            "model_id": node.model_id,
            "baseline_id": node.parent_id,
            "version": node.version,
            "metrics": dict(node.metrics),
            "timestamp": node.created_at.isoformat() if node.created_at else None,
            "delta_metrics": {spelled.get(name, name): change for name, change in edge.delta.items()}
            if edge
            else {},
            "contributor_address": str(node.contributor) if node.contributor else None,
        }


def _height(node: LineageNode) -> tuple[bool, bool, str, int]:
    version, number = (node.record.version, node.record.number) if node.record else (None, 0)
    if version is None:
        return False, False, "", number
    return True, not version.is_prerelease, version.sortable, -number


def _impact(who: WalletAddress, edges: list[LineageEdge]) -> ContributorImpact:
    better = sum(any(gain > 0 for gain in edge.improvement.values()) for edge in edges)
    return ContributorImpact(who, tuple(edge.child for edge in edges), better, add_up(edges))


def _not_found(asked: str, known: Iterable[str]) -> NotFoundError:
    near = difflib.get_close_matches(asked, list(dict.fromkeys(known)), n=1)
    return NotFoundError(
        f"{asked!r} is not in this lineage",
        where="model id",
        hint=f"Did you mean {near[0]!r}?" if near else "",
    )
