"""What one contributor's data did to models, over time: what the registry knows, and what was put down besides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.lineage_parts import Improvement, direction


@dataclass(frozen=True, slots=True)
class Impact:
    """What somebody's data did to one model.

    Attributes:
        model_id: Which model.
        delta: Metric, by its common name, to new minus old.
        at: When the model was registered, or the impact put down, UTC.
        registered: Whether the registry knows the model as this contributor's; else somebody put it down.
    """

    model_id: str
    delta: Mapping[str, float]
    at: datetime
    registered: bool

    @property
    def improved(self) -> bool:
        """Whether a metric became better."""
        return any(direction(metric) * change > 0 for metric, change in self.delta.items())

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "model_id": self.model_id,
            "delta": dict(self.delta),
            "improved": self.improved,
            "at": self.at.isoformat(),
            "registered": self.registered,
        }


@dataclass(frozen=True, slots=True)
class ImpactHistory:
    """All impacts of one contributor.

    Attributes:
        contributor: Who.
        impacts: Oldest first; of one model there may be several.
        attestations: Digests of the signed statements that credit the contributor, the latest first.
    """

    contributor: WalletAddress
    impacts: tuple[Impact, ...]
    attestations: tuple[str, ...] = ()

    @property
    def models(self) -> int:
        """How many models there are."""
        return len({impact.model_id for impact in self.impacts})

    @property
    def improvements(self) -> int:
        """How many models became better in at least one metric."""
        return len({impact.model_id for impact in self.impacts if impact.improved})

    @property
    def total(self) -> dict[str, Improvement]:
        """Metric to the sum over all models."""
        return _add_up(self.impacts)

    @property
    def by_model(self) -> dict[str, dict[str, Improvement]]:
        """Name of a model to metric to the sum over its versions."""
        names: dict[str, list[Impact]] = {}
        for impact in self.impacts:
            names.setdefault(impact.model_id.rpartition("/")[0] or impact.model_id, []).append(impact)
        return {name: _add_up(impacts) for name, impacts in names.items()}

    def over_time(self, metric: str) -> tuple[tuple[datetime, float], ...]:
        """(time, sum of the deltas of `metric` up to then), oldest first."""
        deltas: list[float] = []
        course = []
        for impact in self.impacts:
            if metric in impact.delta:
                deltas.append(impact.delta[metric])
                course.append((impact.at, math.fsum(deltas)))
        return tuple(course)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "contributor": str(self.contributor),
            "payable": self.contributor.payable,
            "models": self.models,
            "improvements": self.improvements,
            "total": {metric: gain.to_dict() for metric, gain in self.total.items()},
            "by_model": {
                name: {metric: gain.to_dict() for metric, gain in gains.items()}
                for name, gains in self.by_model.items()
            },
            "impacts": [impact.to_dict() for impact in self.impacts],
            "attestations": list(self.attestations),
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{metric} {gain.delta:+.4g}" for metric, gain in list(self.total.items())[:3])
        count = self.models
        return f"<Impact of {self.contributor}: {count} model{'' if count == 1 else 's'}{', ' if told else ''}{told}>"


def _add_up(impacts: Iterable[Impact]) -> dict[str, Improvement]:
    deltas: dict[str, list[float]] = {}
    for impact in impacts:
        for metric, delta in impact.delta.items():
            deltas.setdefault(metric, []).append(delta)
    return {metric: Improvement(metric, math.fsum(own), len(own)) for metric, own in sorted(deltas.items())}
