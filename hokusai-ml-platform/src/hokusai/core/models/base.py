"""What every model can do, whatever made it.

Whoever writes a model of an own kind derives from `HokusaiModel` and says how it predicts, how it is saved and how
it is loaded. Objects of known frameworks need none of this: `ModelFactory.wrap` gives them the same face.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from hokusai.domain.records import check_metrics


class ModelType(StrEnum):
    """What a model answers with."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CUSTOM = "custom"


class HokusaiModel(ABC):
    """A model with an identity, metrics and metadata.

    Args:
        model_id: Its id, such as `churn/1.2.0`; empty where it has none yet.
        model_type: What kind it is: one of `ModelType`, or the import path of its class.
        version: Its semantic version; empty where it has none yet.
        metadata: Anything else that is known of it, JSON values.
        metrics: Metric name to finite number.
        **details: More metadata.

    Raises:
        MetricError: A metric is not a finite number.
    """

    def __init__(
        self,
        model_id: str = "",
        model_type: str = "",
        version: str = "",
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        **details: Any,
    ) -> None:
        self.model_id = model_id
        self.model_type = str(model_type)
        self.version = version
        self.metadata: dict[str, Any] = {**(metadata or {}), **details}
        self.metrics: dict[str, float] = check_metrics(metrics or {})
        self.created_at = datetime.now(UTC)

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """The prediction for `data`; JSON-like data give JSON values, arrays and tables give an array."""

    def __call__(self, data: Any) -> Any:
        """As `predict`."""
        return self.predict(data)

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`."""

    @classmethod
    @abstractmethod
    def load(cls, path: str | Path) -> Self:
        """The model that `save` wrote into the folder `path`."""

    def batch_predict(self, items: Sequence[Any]) -> list[Any]:
        """One prediction for each of `items`."""
        return [self.predict(item) for item in items]

    def get_metrics(self) -> dict[str, float]:
        """A copy of the metrics."""
        return dict(self.metrics)

    def to_dict(self) -> dict[str, Any]:
        """What is known of it, as JSON values; `ModelFactory.from_dict` reads it."""
        return {
            "model_id": self.model_id,
            "model_type": self.model_type,
            "version": self.version,
            "metadata": dict(self.metadata),
            "metrics": dict(self.metrics),
            "created_at": self.created_at.isoformat(),
        }

    def __repr__(self) -> str:
        measured = [f"{name}={value:g}" for name, value in list(self.metrics.items())[:3]]
        parts = [self.model_id, self.model_type.rpartition(".")[2], *measured]
        return f"<{type(self).__name__} {' '.join(part for part in parts if part)}>"
