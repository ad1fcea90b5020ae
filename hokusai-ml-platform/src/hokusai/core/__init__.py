"""Models and their versions: what an application embeds.

- `registry`    `ModelRegistry`: register, find, load and delete versions; tokens; lineage
- `versioning`  `ModelVersionManager`: stages, promotion and rollback, comparison, clean-up
- `models`      `HokusaiModel` and the wrappers for each framework; models as files and back
- `registration` how a version comes into being
- `claims`      who owns a version; `stage_log`: which version is in which stage
- `catalog`     finding models; `rebuild`: its index made again
- `migration`   taking over an MLflow registry; `doctor`: what is wrong, and its repair

The names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hokusai.core.models import (
        ClassificationModel,
        CustomModel,
        HokusaiModel,
        ModelFactory,
        ModelType,
        RegressionModel,
    )
    from hokusai.core.registration import Registration
    from hokusai.core.registry import ModelRegistry
    from hokusai.core.versioning import ModelVersionManager

_HOMES = {
    "ClassificationModel": "hokusai.core.models",
    "CustomModel": "hokusai.core.models",
    "HokusaiModel": "hokusai.core.models",
    "ModelFactory": "hokusai.core.models",
    "ModelRegistry": "hokusai.core.registry",
    "ModelType": "hokusai.core.models",
    "ModelVersionManager": "hokusai.core.versioning",
    "Registration": "hokusai.core.registration",
    "RegressionModel": "hokusai.core.models",
}
__all__ = [
    "ModelRegistry",
    "ModelVersionManager",
    "Registration",
    "HokusaiModel",
    "ModelFactory",
    "ModelType",
    "ClassificationModel",
    "RegressionModel",
    "CustomModel",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hokusai.core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
