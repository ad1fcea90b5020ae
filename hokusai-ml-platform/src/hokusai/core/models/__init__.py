"""Models of any framework as one kind of object, and as files and back.

- `base`           `HokusaiModel`: what every model can do; `ModelType`
- `factory`        `ModelFactory`: models by name of their type, and `wrap` for the object of any framework
- `tasks`          `ClassificationModel`, `RegressionModel`, `CustomModel`
- `packing`        `pack`, `unpack`, `describe`: a model as files with digests, and back without running foreign code

Behind them: `wrapping` (which framework an object is of, and which wrapper fits), one file for each framework
(`sklearn_model`, `xgboost_model`, …), `answers` (what comes back is of the kind that went in), `signature`, `pickling`,
`skops_file` (scikit-learn objects as bytes), `mlmodel_file` (what lets plain MLflow load it), and `formats` (what a
folder holds, and who reads it).

No framework is imported before a model of it is used.
"""

from hokusai.core.models.base import HokusaiModel, ModelType
from hokusai.core.models.factory import ModelFactory
from hokusai.core.models.packing import PackedModel, describe, is_safe, pack, unpack
from hokusai.core.models.tasks import ClassificationModel, CustomModel, RegressionModel

__all__ = [
    "ClassificationModel",
    "CustomModel",
    "HokusaiModel",
    "ModelFactory",
    "ModelType",
    "PackedModel",
    "RegressionModel",
    "describe",
    "is_safe",
    "pack",
    "unpack",
]
