"""From versions that name their parents to trees: who is whose parent, what is missing, and which cycles to cut.

A version has one parent at most, so what is left when cycles are cut is a set of trees. Nothing here recurses: a
lineage of ten thousand generations is as good as one of three.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hokusai.domain.records import ModelRecord

_Age = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Links:
    """Versions and their parents, by id.

    Attributes:
        records: Id to version; a missing parent's is None. Parents before children, else oldest first.
        parents: Id to the parent's id, for all that have one.
        cycles: The cycles that were cut, each from the version that was made a root up to its own parent.
    """

    records: Mapping[str, ModelRecord | None]
    parents: Mapping[str, str]
    cycles: tuple[tuple[str, ...], ...]


class Names:
    """Which version a text names: by its id, its semantic version with or without build, or MLflow's number."""

    def __init__(self, records: Iterable[ModelRecord]) -> None:
        unique = {(record.name, record.number): record for record in records}
        self.records: dict[str, ModelRecord] = {}
        self._known: dict[str, str] = {}
        for _, record in sorted(unique.items()):
            numbered = f"{record.name}/{record.number}"
            # Of two rows with the same version the lower number holds it, as everywhere in the registry.
            own = record.model_id if record.model_id not in self._known else numbered
            self.records[own] = record
            self._known[numbered] = self._known[own] = own
            if record.version is not None:
                self._known.setdefault(f"{record.name}/{record.version.key}", own)

    def find(self, text: str) -> str | None:
        """The id of the version that `text` names."""
        name, slash, version = text.rpartition("/")
        return self._known.get(text) or self._known.get(name + slash + version.partition("+")[0])


def link(names: Names) -> Links:
    """Find every version's parent, cut cycles, and put all into order."""
    parents = {
        own: names.find(record.parent_id) or record.parent_id
        for own, record in names.records.items()
        if record.parent_id
    }
    ages: dict[str, _Age] = {own: _age(record) for own, record in names.records.items()}
    for child, parent in parents.items():
        if parent not in names.records:  # as old as its oldest child, and before it
            ages[parent] = min(ages.get(parent, ages[child]), (ages[child][0], "", 0))
    cycles = _cycles(parents, ages)
    for cycle in cycles:
        del parents[cycle[0]]
    ordered = _oldest_first(parents, ages)
    return Links({own: names.records.get(own) for own in ordered}, parents, cycles)


def _age(record: ModelRecord) -> _Age:
    return record.created_ms, record.name, record.number


def _cycles(parents: Mapping[str, str], ages: Mapping[str, _Age]) -> tuple[tuple[str, ...], ...]:
    """Every cycle, children's children first to last, beginning with its oldest version."""
    done: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in sorted(parents):
        walk: dict[str, None] = {}
        here: str | None = start
        while here is not None and here not in done and here not in walk:
            walk[here] = None
            here = parents.get(here)
        if here is not None and here in walk:
            upwards = list(walk)[list(walk).index(here) :]
            downwards = upwards[::-1]
            first = min(range(len(downwards)), key=lambda place: ages[downwards[place]])
            found.append(tuple(downwards[first:] + downwards[:first]))
        done.update(walk)
    return tuple(sorted(found, key=lambda cycle: ages[cycle[0]]))


def _oldest_first(parents: Mapping[str, str], ages: Mapping[str, _Age]) -> list[str]:
    """All ids by age, but no child before its parent, whatever the clocks said."""
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    ready = [(age, own) for own, age in ages.items() if own not in parents]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, own = heapq.heappop(ready)
        ordered.append(own)
        for child in children.get(own, ()):
            heapq.heappush(ready, (ages[child], child))
    return ordered
