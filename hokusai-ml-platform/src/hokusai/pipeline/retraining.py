"""The new model: the same kind as the baseline, trained on base and contributed data together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hokusai.core.models.skops_file import SUFFIX, load_model
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.baseline import chosen_estimator, estimator_seed, next_id
from hokusai.pipeline.contribution import Contributed, training_frame
from hokusai.pipeline.mock_models import NEW_TYPE, mock_retrained
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts
from hokusai.pipeline.training import fit, make_estimator, model_bytes, refit, stated_params

if TYPE_CHECKING:
    import polars as pl


def retrain(plan: RunPlan, facts: Facts, contributed: Contributed, baseline: ModelArtifact) -> ModelArtifact:
    """Train the baseline's kind of model on base data plus the accepted contributed rows.

    Raises:
        SchemaError: The estimator refuses the data.
        IntegrityError: An input file changed since the run began.
    """
    accepted = sum(c.rows_accepted for c in contributed.contributions)
    base_rows = facts.base_rows
    if plan.dry_run:
        model = mock_retrained(plan.seed, accepted / (accepted + base_rows))
        return model.artifact(next_id(baseline), NEW_TYPE, base_rows, accepted)
    fitted, path, params = fit_like(plan, facts, baseline, lambda: training_frame(plan, facts, contributed))
    return ModelArtifact(
        next_id(baseline), path, f"model{SUFFIX}", model_bytes(fitted), params, base_rows, accepted
    )


def fit_like(
    plan: RunPlan, facts: Facts, baseline: ModelArtifact, rows: Callable[[], pl.DataFrame], repeat: int = 0
) -> tuple[Any, str, dict[str, Any]]:
    """(a model of the baseline's kind fitted to `rows()`, its import path, its stated parameters).

    Args:
        plan, facts: The run's.
        baseline: Whose kind and parameters it gets, unless the plan names an estimator.
        rows: Makes what it is fitted to. It is not held here: `fit` lets it go once it has its own table of it.
        repeat: Another number, another seed.

    Raises:
        SchemaError: The estimator refuses the data.
    """
    seed = estimator_seed(plan, repeat)
    if plan.baseline_model is not None and plan.estimator is None:
        kind = load_model(baseline.content, where=baseline.file_name)
        return refit(kind, rows(), plan.target_column, facts.kinds, seed), baseline.model_type, {}
    path, params = chosen_estimator(plan, facts.task)
    estimator = make_estimator(path, params, seed, facts.task)
    fitted = fit(estimator, rows(), plan.target_column, facts.kinds, has_gaps=facts.has_gaps)
    return fitted, path, stated_params(estimator, params)
