"""Models by what they answer with: a class, a number, or anything else.

They are what `ModelFactory.create_model` makes, and stand around a model of any framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from hokusai.core.models.base import HokusaiModel, ModelType
from hokusai.core.models.formats import layout_of
from hokusai.core.models.packing import pack
from hokusai.core.models.wrapping import wrap
from hokusai.errors import InvalidInputError


class TaskModel(HokusaiModel):
    """A model of a known type around one of any framework.

    Args:
        model_id: Its id.
        version: Its semantic version.
        model: The model that answers, of any framework; without one nothing can be predicted yet.
        config: How it was made, JSON values; kept in `config`.
        metadata: As for `HokusaiModel`.
        metrics: As for `HokusaiModel`.
        **details: As for `HokusaiModel`.
    """

    type: ClassVar[ModelType] = ModelType.CUSTOM

    def __init__(
        self,
        model_id: str = "",
        version: str = "",
        model: Any = None,
        config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(model_id, self.type, version, metadata, metrics, **details)
        self.config = dict(config or {})
        self.wrapped = None if model is None else wrap(model)

    @property
    def native(self) -> Any:
        """The framework's object; None without a model."""
        return getattr(self.wrapped, "native", self.wrapped)

    def predict(self, data: Any) -> Any:
        """The wrapped model's prediction.

        Raises:
            InvalidInputError: No model was given.
        """
        return self._answering().predict(data)

    def save(self, path: str | Path) -> None:
        """Write the wrapped model into the folder `path`, with what MLflow needs to load it."""
        pack(self._answering()).write(Path(path))

    @classmethod
    def load(cls, path: str | Path, *, trust: bool = False) -> Self:
        """The model in the folder `path`.

        Raises:
            InvalidInputError: The folder holds no model.
            UntrustedModelError: Loading its format runs its author's code, and `trust` is not given.
        """
        folder = Path(path)
        return cls(model=layout_of(folder).read(folder, trust=trust))

    def _answering(self) -> HokusaiModel:
        if self.wrapped is None:
            raise InvalidInputError(
                f"The {self.model_type} model {self.model_id} has no model to predict with",
                where=self.model_id,
                hint="Make it with model=…, the fitted object of any framework.",
            )
        return self.wrapped


class ClassificationModel(TaskModel):
    """A model that answers with a class."""

    type = ModelType.CLASSIFICATION

    def predict_proba(self, data: Any) -> Any:
        """The probability of each class, shape (n_rows, n_classes).

        Raises:
            InvalidInputError: The wrapped model knows no probabilities.
        """
        found = getattr(self._answering(), "predict_proba", None)
        if found is None:
            raise InvalidInputError("The wrapped model has no predict_proba", where=self.model_id)
        return found(data)


class RegressionModel(TaskModel):
    """A model that answers with a number."""

    type = ModelType.REGRESSION


class CustomModel(TaskModel):
    """A model that answers with anything."""

    type = ModelType.CUSTOM
