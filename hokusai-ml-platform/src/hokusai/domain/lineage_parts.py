"""What a lineage is made of: versions, the steps between them, and what the steps add up to.

Deltas go by one spelling of a metric (`f1` for `f1_score`), so that they can be added over versions that were
registered by different people; the metrics of a version keep the names they were given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import common_metric_name, metric_direction
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import Stage
from hokusai.errors import HokusaiError


@dataclass(frozen=True)
class LineageNode:
    """One version in a lineage.

    Attributes:
        model_id: Its id; unique in the lineage.
        record: The version itself; None for one that others name as their parent and that is not there.
        parent_id: The node it was made from; None for a root, and where a cycle was cut.
        metrics: Metric name to value, as registered; finite numbers only.
        contributor: Whose data made it.
        delta: The recorded change of each metric against the parent, as registered.
        stage: Where it is used, if that is known.
        trouble: What of the version could not be read, in words; empty for a sound one.
    """

    model_id: str
    record: ModelRecord | None = None
    parent_id: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    contributor: WalletAddress | None = None
    delta: Mapping[str, float] = field(default_factory=dict)
    stage: Stage | None = None
    trouble: str = ""

    @property
    def missing(self) -> bool:
        """Whether it is only known from what its children say."""
        return self.record is None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.record.name if self.record else self.model_id.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The semantic version, or MLflow's number where there is none."""
        if self.record is None:
            return self.model_id.rpartition("/")[2]
        return str(self.record.version or self.record.number)

    @property
    def created_at(self) -> datetime | None:
        """When it was registered, UTC."""
        return self.record.created_at if self.record else None

    @property
    def is_baseline(self) -> bool:
        """Whether it was registered as a baseline."""
        return self.record is not None and self.record.is_baseline

    @property
    def deleted(self) -> bool:
        """Whether it was deleted."""
        return self.record is not None and self.record.deleted is not None

    @property
    def deprecated(self) -> bool:
        """Whether it should not be used any more."""
        return self.record is not None and self.record.deprecated is not None

    @property
    def marks(self) -> tuple[str, ...]:
        """What to say of it besides its numbers: `production`, `baseline`, `deprecated`, `deleted`, `missing`."""
        flags = {
            "baseline": self.is_baseline,
            "deprecated": self.deprecated,
            "deleted": self.deleted,
            "missing": self.missing,
            "unreadable": bool(self.trouble),
        }
        return (*((self.stage.value,) if self.stage else ()), *(mark for mark, on in flags.items() if on))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "model_id": self.model_id,
            "name": self.name,
            "version": self.version,
            "mlflow_version": self.record.number if self.record else None,
            "created_at": _iso(self.created_at),
            "metrics": dict(self.metrics),
            "contributor": str(self.contributor) if self.contributor else None,
            "parent": self.parent_id,
            "stage": self.stage.value if self.stage else None,
            "is_baseline": self.is_baseline,
            "deprecated": self.deprecated,
            "deleted": self.deleted,
            "missing": self.missing,
            "trouble": self.trouble or None,
        }


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """One step of a lineage: a version, and the one that was made from it.

    Attributes:
        parent, child: Ids of the two versions.
        contributor: Whose data made the step.
        delta: Common metric name to the child's value minus the parent's.
        recorded: The metrics whose delta was recorded at registration; the others are worked out from the values.
    """

    parent: str
    child: str
    contributor: WalletAddress | None = None
    delta: Mapping[str, float] = field(default_factory=dict)
    recorded: frozenset[str] = frozenset()

    @property
    def improvement(self) -> dict[str, float]:
        """Metric to how much better the child is: the delta, turned round where lower is better."""
        return {metric: direction(metric) * delta for metric, delta in self.delta.items()}

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "parent": self.parent,
            "child": self.child,
            "contributor": str(self.contributor) if self.contributor else None,
            "delta": dict(self.delta),
            "improvement": self.improvement,
            "recorded": sorted(self.recorded),
        }


@dataclass(frozen=True, slots=True)
class Improvement:
    """How far a metric went over several steps.

    Attributes:
        metric: Its common name.
        delta: The sum of its deltas, new minus old.
        steps: How many steps have a delta of it.
    """

    metric: str
    delta: float
    steps: int

    @property
    def direction_known(self) -> bool:
        """Whether it is a metric of which Hokusai knows which way is better; else higher is taken as better."""
        return metric_direction(self.metric) is not None

    @property
    def higher_is_better(self) -> bool:
        """Which way is better."""
        return direction(self.metric) > 0

    @property
    def improvement(self) -> float:
        """How much better it became; negative where it became worse."""
        return direction(self.metric) * self.delta

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "delta": self.delta,
            "improvement": self.improvement,
            "higher_is_better": self.higher_is_better,
            "direction_known": self.direction_known,
            "steps": self.steps,
        }


@dataclass(frozen=True, slots=True)
class ContributorImpact:
    """What one contributor's data did.

    Attributes:
        contributor: The contributor, as written in the oldest version.
        versions: Ids of the versions made with their data, oldest first; deleted ones are left out.
        improvements: How many of them are better than their parent in at least one metric.
        gains: Metric to the sum over these versions.
    """

    contributor: WalletAddress
    versions: tuple[str, ...]
    improvements: int
    gains: Mapping[str, Improvement]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "contributor": str(self.contributor),
            "payable": self.contributor.payable,
            "versions": list(self.versions),
            "improvements": self.improvements,
            "gains": {metric: gain.to_dict() for metric, gain in self.gains.items()},
        }


def direction(metric: str) -> int:
    """+1 where higher is better, -1 where lower is better; +1 for a metric that is not known."""
    return metric_direction(metric) or 1


def node_of(record: ModelRecord, model_id: str, parent_id: str | None, stage: Stage | None) -> LineageNode:
    """A version as a node; a tag that somebody spoilt costs its own fact, and not the whole lineage."""
    troubles: list[str] = []
    facts: dict[str, Any] = {"metrics": {}, "contributor": None, "delta": {}}
    for fact in facts:
        try:
            facts[fact] = getattr(record, fact)
        except HokusaiError as problem:
            troubles.append(str(problem))
    for fact in ("metrics", "delta"):
        numbers = {name: float(value) for name, value in facts[fact].items() if _is_number(value)}
        troubles += [f"{fact}: {name!r} is no finite number" for name in facts[fact] if name not in numbers]
        facts[fact] = numbers
    return LineageNode(model_id, record, parent_id, stage=stage, trouble=" ".join(troubles), **facts)


def edge_between(parent: LineageNode, child: LineageNode) -> LineageEdge:
    """The step from `parent` to `child`: what was recorded of it, and what both have a value of."""
    recorded = by_common_name(child.delta)
    old, new = by_common_name(parent.metrics), by_common_name(child.metrics)
    computed = {metric: new[metric] - old[metric] for metric in new if metric in old}
    delta = {metric: value for metric, value in (computed | recorded).items() if math.isfinite(value)}
    return LineageEdge(
        parent.model_id, child.model_id, child.contributor, dict(sorted(delta.items())), frozenset(recorded)
    )


def add_up(edges: Iterable[LineageEdge]) -> dict[str, Improvement]:
    """Metric to the sum of its deltas over `edges`."""
    deltas: dict[str, list[float]] = {}
    for edge in edges:
        for metric, delta in edge.delta.items():
            deltas.setdefault(metric, []).append(delta)
    return {
        metric: Improvement(metric, _sum(deltas[metric]), len(deltas[metric])) for metric in sorted(deltas)
    }


def by_common_name(metrics: Mapping[str, float]) -> dict[str, float]:
    """`metrics` by common names; where a metric is there twice, the one that bears the common name counts."""
    spelt = {common_metric_name(name): metrics[name] for name in sorted(metrics, reverse=True)}
    return spelt | {name: metrics[name] for name in spelt if name in metrics}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def _sum(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
