"""Two versions of a model side by side, as they were registered: what got better, what changed, what breaks callers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hokusai.domain.lineage_parts import by_common_name, direction
from hokusai.domain.records import ModelRecord
from hokusai.domain.signatures import SignatureCheck, check_signatures
from hokusai.domain.versions import Part

_NONE = "-"

Relation = Literal["same", "parent", "ancestor", "child", "descendant", "none"]


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric of two versions; a value is None where it was not given."""

    name: str
    a: float | None
    b: float | None

    @property
    def delta(self) -> float | None:
        """B minus A."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def verdict(self) -> Literal["better", "worse", "same", "unknown"]:
        """What B is, in the metric's own direction; higher is better where the metric is not a known one."""
        if self.delta is None:
            return "unknown"
        gain = direction(self.name) * self.delta
        return "better" if gain > 0 else "worse" if gain < 0 else "same"


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A hyper-parameter that differs; `absent` names the side that has none."""

    name: str
    a: Any
    b: Any
    absent: Literal["a", "b"] | None = None


@dataclass(frozen=True)
class VersionComparison:
    """Version B against version A.

    Attributes:
        a, b: The versions.
        metrics: Every metric that either has, by common name, sorted.
        signature: Whether callers of A can call B.
        params: The hyper-parameters that differ, sorted.
        relation: What A is to B.
    """

    a: ModelRecord
    b: ModelRecord
    metrics: tuple[MetricChange, ...]
    signature: SignatureCheck
    params: tuple[ParameterChange, ...]
    relation: Relation

    @property
    def metrics_delta(self) -> dict[str, float]:
        """B minus A of each metric that both have."""
        return {change.name: change.delta for change in self.metrics if change.delta is not None}

    @property
    def improved(self) -> tuple[str, ...]:
        """The metrics in which B is better."""
        return tuple(change.name for change in self.metrics if change.verdict == "better")

    @property
    def worsened(self) -> tuple[str, ...]:
        """The metrics in which B is worse."""
        return tuple(change.name for change in self.metrics if change.verdict == "worse")

    @property
    def is_improvement(self) -> bool:
        """Whether B is better in at least one metric, and worse in none."""
        return bool(self.improved) and not self.worsened

    @property
    def same_content(self) -> bool | None:
        """Whether the stored bytes are the same; None if a digest is not known."""
        return self.a.sha256 == self.b.sha256 if self.a.sha256 and self.b.sha256 else None

    @property
    def sizes(self) -> tuple[int | None, int | None]:
        """Bytes of A and of B."""
        sizes = [record.stored.size_bytes if record.stored else None for record in (self.a, self.b)]
        return sizes[0], sizes[1]

    @property
    def part(self) -> Part:
        """The part of the version that this change is worth.

        major: callers of A cannot call B. minor: a metric got better, or B takes or gives more than A. patch: else.
        """
        if self.signature.compatible is False:
            return "major"
        return "minor" if self.improved or self.signature.extended else "patch"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "a": self.a.model_id,
            "b": self.b.model_id,
            "relation": self.relation,
            "is_improvement": self.is_improvement,
            "same_content": self.same_content,
            "metrics": {
                change.name: {"a": change.a, "b": change.b, "delta": change.delta, "verdict": change.verdict}
                for change in self.metrics
            },
            "signature": {"compatible": self.signature.compatible, "reasons": list(self.signature.reasons)},
            "params": {change.name: {"a": change.a, "b": change.b} for change in self.params},
            "size_bytes": {"a": self.sizes[0], "b": self.sizes[1]},
            "model_type": {"a": self.a.model_type or None, "b": self.b.model_type or None},
        }

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """What, A, B, and what is to be said of it: lines of a table."""
        for change in self.metrics:
            delta = "" if change.delta is None else f" ({change.delta:+.4g})"
            yield change.name, _number(change.a), _number(change.b), f"{change.verdict}{delta}"
        for param in self.params:
            a, b = (
                _NONE if param.absent == side else repr(value)
                for side, value in (("a", param.a), ("b", param.b))
            )
            yield param.name, a, b, "differs"
        compatible = {True: "compatible", False: "incompatible", None: "unknown"}[self.signature.compatible]
        yield "signature", "", "", ": ".join((compatible, "; ".join(self.signature.reasons))).rstrip(": ")
        yield "type", self.a.model_type or _NONE, self.b.model_type or _NONE, ""
        a, b = (_NONE if size is None else f"{size:,} bytes" for size in self.sizes)
        yield "size", a, b, ""
        yield "lineage", "", "", _RELATIONS[self.relation]

    def __repr__(self) -> str:
        said = [f"{c.name} {c.delta:+.4g} {c.verdict}" for c in self.metrics if c.delta is not None]
        return f"<VersionComparison {self.a.model_id} → {self.b.model_id}: {', '.join(said) or 'no common metric'}>"


_RELATIONS: Mapping[Relation, str] = {
    "same": "the same version",
    "parent": "A is the parent of B",
    "ancestor": "A is an ancestor of B",
    "child": "A is a child of B",
    "descendant": "A descends from B",
    "none": "neither descends from the other",
}


def compare(a: ModelRecord, b: ModelRecord, relation: Relation) -> VersionComparison:
    """Version `b` against version `a`; `relation` is what `a` is to `b`."""
    old, new = by_common_name(a.metrics), by_common_name(b.metrics)
    metrics = tuple(MetricChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    signatures = [record.stored.signature if record.stored else None for record in (a, b)]
    return VersionComparison(a, b, metrics, check_signatures(*signatures), tuple(_changed(a, b)), relation)


def _changed(a: ModelRecord, b: ModelRecord) -> Iterator[ParameterChange]:
    old, new = (record.stored.params if record.stored else {} for record in (a, b))
    for name in sorted({*old, *new}):
        if name not in new:
            yield ParameterChange(name, old[name], None, "b")
        elif name not in old:
            yield ParameterChange(name, None, new[name], "a")
        elif (type(old[name]), old[name]) != (type(new[name]), new[name]):
            yield ParameterChange(name, old[name], new[name])


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.6g}"
