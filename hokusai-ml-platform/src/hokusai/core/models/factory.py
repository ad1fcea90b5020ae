"""Models by the name of their type, and the face for an object of any framework."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from hokusai.core.models.base import HokusaiModel, ModelType
from hokusai.core.models.tasks import ClassificationModel, CustomModel, RegressionModel
from hokusai.core.models.wrapping import wrap
from hokusai.errors import InvalidInputError


class ModelFactory:
    """Makes models.

    >>> ModelFactory.create_model("regression", "price", "1.0.0", model=len).predict([1, 2, 3])
    3
    """

    _classes: ClassVar[dict[str, type[HokusaiModel]]] = {
        ModelType.CLASSIFICATION.value: ClassificationModel,
        ModelType.REGRESSION.value: RegressionModel,
        ModelType.CUSTOM.value: CustomModel,
    }

    @classmethod
    def create_model(
        cls,
        model_type: str,
        model_id: str,
        version: str,
        config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **details: Any,
    ) -> HokusaiModel:
        """A model of a known type.

        Args:
            model_type: One of `ModelType`, or a type that was registered.
            model_id: Its id.
            version: Its semantic version.
            config: How it is made, JSON values.
            metadata: Anything else that is known of it.
            **details: What the class takes besides, such as `model` and `metrics`.

        Raises:
            InvalidInputError: There is no such type.
        """
        known = cls._classes.get(str(model_type))
        if known is None:
            near = difflib.get_close_matches(str(model_type), cls._classes, n=1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            raise InvalidInputError(
                f"There is no model type {model_type!r}",
                where="model_type",
                hint=f"{guess}Known are {', '.join(sorted(cls._classes))}; add one by register_model_class.",
            )
        if config is not None:
            details["config"] = config
        if "model_type" in inspect.signature(known).parameters:
            details["model_type"] = str(model_type)
        return known(model_id=model_id, version=version, metadata=metadata, **details)

    @classmethod
    def register_model_class(cls, model_type: str, model_class: type[HokusaiModel]) -> None:
        """Make models of `model_type` from `model_class` from now on.

        Raises:
            InvalidInputError: It is no class of `HokusaiModel`.
        """
        if not (isinstance(model_class, type) and issubclass(model_class, HokusaiModel)):
            raise InvalidInputError(
                f"{model_class!r} is no subclass of HokusaiModel",
                where="model_class",
                hint="Derive it from HokusaiModel, or use ModelFactory.wrap for an object.",
            )
        cls._classes[str(model_type)] = model_class

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], **details: Any) -> HokusaiModel:
        """The model that `HokusaiModel.to_dict` told of; the object that predicts is given as `model`.

        Raises:
            InvalidInputError: Something is missing, or there is no such type.
        """
        lacking = [name for name in ("model_type", "model_id", "version") if not told.get(name)]
        if lacking:
            raise InvalidInputError(f"The description lacks {', '.join(lacking)}", where="told")
        known = {name: told[name] for name in ("config", "metadata", "metrics") if name in told}
        return cls.create_model(told["model_type"], told["model_id"], told["version"], **known, **details)

    @staticmethod
    def wrap(model: Any, **identity: Any) -> HokusaiModel:
        """The wrapper that fits an object of any framework; see `hokusai.core.models.wrapping.wrap`."""
        return wrap(model, **identity)
