"""The DeltaOne JSON: `delta_output_{run_id}.json`, with exactly the keys that the specification gives.

All of it follows from the inputs, byte for byte, except the fields named in `VOLATILE`: when and under which
ids this run took place.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from hokusai.domain.attribution import Attribution
from hokusai.domain.contribution import Contribution
from hokusai.domain.decision import Decision
from hokusai.domain.delta import COMPUTATION_METHOD, Comparison
from hokusai.domain.model import ModelArtifact

SCHEMA_VERSION = "1.0"
VOLATILE: tuple[tuple[str, ...], ...] = (
    ("pipeline_metadata",),
    ("evaluation_metadata", "evaluation_timestamp"),
    ("evaluation_metadata", "pipeline_run_id"),
    ("baseline_model", "mlflow_run_id"),
    ("new_model", "mlflow_run_id"),
)
"""The documented volatile block. Everything else is the same for the same inputs."""


def delta_output(
    *,
    comparison: Comparison,
    baseline: ModelArtifact,
    new: ModelArtifact,
    contributions: Sequence[Contribution],
    attribution: Attribution,
    decision: Decision,
    data_manifest: Mapping[str, Any],
    benchmark: Mapping[str, Any],
    run_id: str,
    timestamp: str,
    config: Mapping[str, Any],
    dry_run: bool,
) -> dict[str, Any]:
    """The whole object, in the specification's order of keys; MLflow run ids are filled in on publication."""
    baseline_metrics = {d.metric.name: d.baseline_value for d in comparison.deltas}
    new_metrics = {d.metric.name: d.new_value for d in comparison.deltas}
    training = {
        "base_samples": new.base_samples,
        "contributed_samples": new.contributed_samples,
        "contribution_ratio": new.contribution_ratio,
        "estimator_params": dict(new.params),
        "model_sha256": new.sha256,
        "data_manifest": dict(data_manifest),
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "delta_computation": {
            "delta_one_score": comparison.delta_one,
            "metric_deltas": {
                d.metric.name: {
                    "baseline_value": d.baseline_value,
                    "new_value": d.new_value,
                    "absolute_delta": d.absolute_delta,
                    "relative_delta": d.relative_delta,
                    "improvement": d.improvement,
                }
                for d in comparison.deltas
            },
            "computation_method": COMPUTATION_METHOD,
            "metrics_included": [name for name, weight in comparison.weights.items() if weight > 0],
            "improved_metrics": [d.metric.name for d in comparison.deltas if d.improvement],
            "degraded_metrics": [d.metric.name for d in comparison.deltas if d.degradation],
        },
        "baseline_model": {
            "model_id": baseline.model_id,
            "model_type": baseline.model_type,
            "metrics": baseline_metrics,
            "mlflow_run_id": None,
        },
        "new_model": {
            "model_id": new.model_id,
            "model_type": new.model_type,
            "metrics": new_metrics,
            "mlflow_run_id": None,
            "training_metadata": training,
        },
        "contributor_attribution": _attribution(contributions, attribution, new, data_manifest),
        "decision": decision.to_dict(),
        "evaluation_metadata": {
            "benchmark_dataset": dict(benchmark),
            "evaluation_timestamp": timestamp,
            "pipeline_run_id": run_id,
        },
        "pipeline_metadata": {
            "run_id": run_id,
            "timestamp": timestamp,
            "config": dict(config),
            "dry_run": dry_run,
        },
    }


def without_volatile(output: Mapping[str, Any]) -> dict[str, Any]:
    """`output` without what differs between two runs on the same inputs."""
    stable = copy.deepcopy(dict(output))
    for *path, last in VOLATILE:
        holder = stable
        for key in path:
            holder = holder[key]
        holder.pop(last, None)
    return stable


def credit_dict(attribution: Attribution) -> dict[str, Any]:
    """Who is credited with what, as JSON values."""
    return {
        "method": attribution.method.value,
        "gain": attribution.gain,
        "seeds": attribution.seeds,
        "evaluations": attribution.evaluations,
        "sampling_error": attribution.sampling_error,
        "note": attribution.note,
        "without_contribution": attribution.without,
        "contributors": [
            {
                "contributor_id": credit.contributor.contributor_id,
                "wallet_address": str(credit.contributor.wallet) if credit.contributor.wallet else None,
                "payable": credit.contributor.payable,
                "value": credit.value,
                "standard_error": credit.standard_error,
                "interval": [credit.interval.low, credit.interval.high] if credit.interval else None,
                "weight_bps": credit.weight_bps,
                "rows": credit.rows,
                "unpaid": credit.unpaid or None,
            }
            for credit in attribution.credits
        ],
    }


def _attribution(
    contributions: Sequence[Contribution],
    attribution: Attribution,
    new: ModelArtifact,
    data_manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """One contributor as plain values, as the specification shows it; several as lists in one order.

    `contributor_weights` are the specification's: shares of the training rows. What anybody is credited with stands in
    `contributor_credit`.
    """
    single = len(contributions) == 1
    wallets = [str(c.contributor.wallet) if c.contributor.wallet else None for c in contributions]
    names = [c.contributor.contributor_id for c in contributions]
    total = (new.base_samples or 0) + new.contributed_samples
    weights = [c.rows_accepted / total if total else 0.0 for c in contributions]
    return {
        "contributor_id": names[0] if single else names,
        "wallet_address": wallets[0] if single else wallets,
        "data_hash": data_manifest["data_hash"],
        "contributor_weights": weights[0] if single else weights,
        "contributed_samples": new.contributed_samples,
        "total_samples": total,
        "data_manifest": dict(data_manifest),
        "contributor_credit": credit_dict(attribution),
    }
