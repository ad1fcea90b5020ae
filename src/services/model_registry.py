"""`HokusaiModelRegistry`: `hokusai.core.registry.ModelRegistry` under its older name, whose answers are dicts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Unpack

import hokusai.wiring  # noqa: F401 - plugs in where models are kept
from hokusai.core.registration import FactsGiven
from hokusai.core.registry import ModelRegistry

__all__ = ["HokusaiModelRegistry"]


class HokusaiModelRegistry(ModelRegistry):
    """A model registry whose `register_*` methods describe what they registered; all else is as in `ModelRegistry`."""

    def register_baseline(  # type: ignore[override]  # the older answer is a dict
        self,
        model: object,
        model_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        version: str | None = None,
        metrics: Mapping[str, float] | None = None,
        **facts: Unpack[FactsGiven],
    ) -> dict[str, Any]:
        """Register the model that improvements are measured from; unnamed ones are `baseline_001`, `baseline_002`."""
        given: FactsGiven = {**facts, "metadata": metadata}
        known = set(self.catalog.names()) if name is None else set()
        named = name or next(own for n in count(1) if (own := f"baseline_{n:03d}") not in known)
        return self._told(
            super().register_baseline(model, named, version, metrics, model_type=model_type, **given)
        )

    def register_improved_model(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Register a model that contributed data made better than its baseline."""
        return self._told(super().register_improved_model(*args, **kwargs))

    def get_model_lineage(self, reference: str) -> list[dict[str, Any]]:  # type: ignore[override]
        """The versions of a model and what they come from, oldest first."""
        return list(super().get_model_lineage(reference).entries)

    def _told(self, model_id: str) -> dict[str, Any]:
        record = self.get_model(model_id)
        return {
            "model_id": model_id,
            "model_name": record.name,
            "version": str(record.version),
            "model_type": record.model_type,
            "run_id": record.run_id,
            "registration_timestamp": record.created_at.isoformat(),
            "metrics": dict(record.metrics),
            "baseline_id": record.parent_id,
            "contributor": str(record.contributor) if record.contributor else None,
        }
