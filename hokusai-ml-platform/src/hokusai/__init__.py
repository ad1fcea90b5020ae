"""Hokusai: models that improve through contributed data.

Somebody contributes data; a model is retrained on it; Hokusai measures how much better the model became
(the DeltaOne score), proves it (a signed attestation), credits the contributor, and serves the better model.

The pieces, from the outside in:

- `hokusai.cli`          the command `hokusai`: pipeline, models, stages, audit, doctor, attestations
- `hokusai.pipeline`     the steps from contributed data to DeltaOne, one file each
- `hokusai.tracking`     lineage and contributors, asked for and drawn
- `hokusai.core`         the registry: models, versions, stages, tokens; its index, doctor and migration
- `hokusai.attestation`  the signed statement of an improvement, and its offline verifier
- `hokusai.stats`        the paired comparison of two models on the same rows
- `hokusai.stack`        PostgreSQL, Redis, S3 and MLflow on this machine, without Docker
- `hokusai.domain`       the nouns: versions, records, stages, metrics, deltas, contributors, journals
- `hokusai.ports`        what the verbs need from the world; `hokusai.adapters` provides it
- `hokusai.wiring`       settings in, adapters out: what runs in production
- `hokusai.errors`       every failure, as one tree
- `hokusai.utils`        settings, logging, the metric naming convention

Where to start: `hokusai pipeline run --help`, or `python -m src.pipeline.hokusai_pipeline run --help` in a
checkout. Importing this package loads nothing heavy; the names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hokusai import wiring as _wiring  # noqa: F401 - plugs in the defaults; loads nothing heavy

if TYPE_CHECKING:
    from hokusai.attestation.verify import verify_attestation
    from hokusai.core.registry import ModelRegistry
    from hokusai.core.versioning import ModelVersionManager
    from hokusai.domain.contribution import Contribution, Contributor
    from hokusai.domain.delta import Comparison, MetricDelta
    from hokusai.domain.identifiers import WalletAddress
    from hokusai.errors import HokusaiError
    from hokusai.stats.paired import compare_classifiers, compare_regressors
    from hokusai.utils.config import Settings

_HOMES = {
    "Comparison": "hokusai.domain.delta",
    "Contribution": "hokusai.domain.contribution",
    "Contributor": "hokusai.domain.contribution",
    "HokusaiError": "hokusai.errors",
    "MetricDelta": "hokusai.domain.delta",
    "ModelRegistry": "hokusai.core.registry",
    "ModelVersionManager": "hokusai.core.versioning",
    "Settings": "hokusai.utils.config",
    "WalletAddress": "hokusai.domain.identifiers",
    "compare_classifiers": "hokusai.stats.paired",
    "compare_regressors": "hokusai.stats.paired",
    "verify_attestation": "hokusai.attestation.verify",
}
__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Contribution",
    "Contributor",
    "HokusaiError",
    "MetricDelta",
    "ModelRegistry",
    "ModelVersionManager",
    "Settings",
    "WalletAddress",
    "__version__",
    "compare_classifiers",
    "compare_regressors",
    "verify_attestation",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hokusai' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
