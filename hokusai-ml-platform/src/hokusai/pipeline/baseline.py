"""The model that the new one is compared with: loaded, trained on the base data, or mocked."""

from __future__ import annotations

import re
from pathlib import Path

from hokusai.core.models.skops_file import SUFFIX, load_model
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.domain.seeds import derive_seed
from hokusai.errors import ConfigurationError, NotFoundError
from hokusai.pipeline.mock_models import BASELINE_TYPE, mock_baseline
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Reference
from hokusai.pipeline.training import (
    DEFAULT_ESTIMATORS,
    fit,
    make_estimator,
    model_bytes,
    reason,
    stated_params,
)
from hokusai.ports import ModelFile, ModelFiles
from hokusai.utils.extras import require
from hokusai.utils.files import read_limited

FIRST_ID, SECOND_ID = "1.0.0", "2.0.0"
_NAME_SEMVER = re.compile(r"[^/:]+/\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_MLFLOW_URI = re.compile(r"(models|runs|mlflow-artifacts):/.+")
_LARGEST_MODEL_BYTES = 4 << 30


def load(plan: RunPlan, known: Reference, stored: ModelFiles) -> ModelArtifact:
    """The baseline model of a run.

    Raises:
        NotFoundError: The model that the plan names does not exist.
        UntrustedModelError: It is in a form that cannot be loaded safely.
        SchemaError: It cannot be trained on the base data.
    """
    if plan.dry_run:
        return mock_baseline(plan.seed).artifact(FIRST_ID, BASELINE_TYPE, known.base.height)
    if plan.baseline_model is not None:
        return _loaded(_find(plan.baseline_model, stored), known.facts.task)
    path, params = chosen_estimator(plan, known.facts.task)
    estimator = make_estimator(path, params, estimator_seed(plan), known.facts.task)
    model = fit(estimator, known.base, plan.target_column, known.facts.kinds, has_gaps=known.facts.has_gaps)
    stated = stated_params(estimator, params)
    return ModelArtifact(FIRST_ID, path, f"model{SUFFIX}", model_bytes(model), stated, known.base.height)


def chosen_estimator(plan: RunPlan, task: Task) -> tuple[str, dict[str, object]]:
    """Import path and arguments of the plan's estimator, or of the default for `task`."""
    path, params = (plan.estimator, {}) if plan.estimator else DEFAULT_ESTIMATORS[task]
    return path, dict(params) | dict(plan.estimator_params)


def estimator_seed(plan: RunPlan, repeat: int = 0) -> int:
    """One seed for both models, so that they differ by their data and not by chance; another for each repetition."""
    return derive_seed(plan.seed, "train", f"estimator {repeat}" if repeat else "estimator")


def next_id(baseline: ModelArtifact) -> str:
    """The id that the retrained model goes by: the next minor version of a named baseline."""
    name, _, semver = baseline.model_id.rpartition("/")
    if not _NAME_SEMVER.fullmatch(baseline.model_id):
        return SECOND_ID
    major, minor, *_ = semver.split(".")
    return f"{name}/{major}.{int(minor) + 1}.0"


def check_reference(reference: str) -> None:
    """Check that `reference` is a file, or has the form of a stored model's name.

    Raises:
        ConfigurationError: It is neither.
    """
    named = _MLFLOW_URI.fullmatch(reference) or _NAME_SEMVER.fullmatch(reference)
    if not named and not Path(reference).is_file():
        raise ConfigurationError(
            f"There is no model {reference!r}",
            where="--baseline-model",
            hint="Give name/1.2.0, an MLflow URI such as models:/name/3 or runs:/id/path, or an existing skops file.",
        )


def _find(reference: str, stored: ModelFiles) -> ModelFile:
    path = Path(reference)
    if path.is_file():
        return ModelFile(FIRST_ID, path.name, read_limited(path, _LARGEST_MODEL_BYTES))
    check_reference(reference)
    try:
        return stored.fetch(reference)
    except NotFoundError as problem:
        raise NotFoundError(
            problem.what, where=problem.where, hint="Check --baseline-model and MLFLOW_TRACKING_URI."
        ) from problem


def _loaded(file: ModelFile, task: Task) -> ModelArtifact:
    model = load_model(file.content, where=file.file_name)
    kind = _estimator_type(model, file.file_name)
    if kind != {Task.CLASSIFICATION: "classifier", Task.REGRESSION: "regressor"}[task]:
        raise ConfigurationError(
            f"The baseline model is a {kind or 'model of no known kind'}, but the task is {task}",
            where=file.file_name,
            hint="Give --task, or a model that fits the target column.",
        )
    cls = type(model.steps[-1][1] if hasattr(model, "steps") else model)
    return ModelArtifact(
        file.model_id, f"{_public_module(cls)}.{cls.__name__}", file.file_name, file.content, {}, None
    )


def _estimator_type(model: object, where: str) -> str | None:
    utils, validation = require("sklearn.utils", "ml"), require("sklearn.utils.validation", "ml")
    try:
        validation.check_is_fitted(model)
        kind: str | None = utils.get_tags(model).estimator_type
    except (TypeError, ValueError, AttributeError) as problem:
        raise ConfigurationError(
            f"The baseline model is not a fitted scikit-learn model: {reason(problem)}",
            where=where,
            hint="Store the model after it was fitted.",
        ) from problem
    return kind


def _public_module(cls: type) -> str:
    """The module that people import `cls` from: without the private parts of its path."""
    return ".".join(part for part in cls.__module__.split(".") if not part.startswith("_"))
