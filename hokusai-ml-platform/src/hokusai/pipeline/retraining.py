"""The new model: the same kind as the baseline, trained on base and contributed data together."""

from __future__ import annotations

from hokusai.core.models.skops_file import SUFFIX, load_model
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.baseline import chosen_estimator, estimator_seed, next_id
from hokusai.pipeline.contribution import Contributed, training_frame
from hokusai.pipeline.mock_models import NEW_TYPE, mock_retrained
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts
from hokusai.pipeline.training import fit, make_estimator, model_bytes, refit, stated_params


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
    path, params = chosen_estimator(plan, facts.task)
    if plan.baseline_model is not None and plan.estimator is None:
        kind = load_model(baseline.content, where=baseline.file_name)
        path, params = baseline.model_type, {}
        fitted = refit(
            kind,
            training_frame(plan, facts, contributed),
            plan.target_column,
            facts.kinds,
            estimator_seed(plan),
        )
    else:
        estimator = make_estimator(path, params, estimator_seed(plan), facts.task)
        fitted = fit(
            estimator,
            # Not held here: `fit` lets it go once it has made its own table of it.
            training_frame(plan, facts, contributed),
            plan.target_column,
            facts.kinds,
            has_gaps=facts.has_gaps,
        )
        params = stated_params(estimator, params)
    return ModelArtifact(
        next_id(baseline), path, f"model{SUFFIX}", model_bytes(fitted), params, base_rows, accepted
    )
