"""The older `delta_output_zk` JSON, for readers that still take it, with real hashes in it.

Its keys are those of the earlier platform; what stands behind them is not: a model's hash is of the model's bytes, a
dataset's of the data's bytes, and the root is that of a tree. Everything comes from the signed statement but what says
when and where the run took place, which no hash covers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.merkle import leaf_hash, merkle_root
from hokusai.attestation.reader import read_statement
from hokusai.domain.canonical import canonical_json, digest, parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution
from hokusai.domain.delta import COMPUTATION_METHOD
from hokusai.domain.metrics import Task
from hokusai.errors import InvalidInputError

SCHEMA_VERSION = "1.0"
ENVIRONMENTS = ("production", "staging", "test", "development")

_RUN_ID = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the format has beside the statement; none of it is hashed or signed.

    Attributes:
        run_id: Letters, digits, `_` and `-`.
        timestamp: In UTC, ISO 8601.
        pipeline_version: Of what made it.
        environment: One of `ENVIRONMENTS`.
        baseline_model_id, new_model_id: As the registry calls them.
        baseline_mlflow_run_id, new_mlflow_run_id: Where MLflow has them, if it does.
    """

    run_id: str
    timestamp: str
    pipeline_version: str
    environment: str = "production"
    baseline_model_id: str = "baseline"
    new_model_id: str = "new"
    baseline_mlflow_run_id: str | None = None
    new_mlflow_run_id: str | None = None

    def __post_init__(self) -> None:
        if not _RUN_ID.fullmatch(self.run_id):
            raise InvalidInputError(
                f"The format takes run ids of letters, digits, _ and - only, got {self.run_id[:80]!r}",
                where="run_id",
            )
        if self.environment not in ENVIRONMENTS:
            raise InvalidInputError(
                f"{self.environment!r} is none of {', '.join(ENVIRONMENTS)}", where="environment"
            )


def zk_output(envelope: Envelope, facts: RunFacts) -> dict[str, Any]:
    """An attestation in the older format.

    Args:
        envelope: The signed attestation; verify it first, nothing is verified here.
        facts: What the format has beside it.

    Raises:
        IntegrityError: It carries no delta-one statement.
        InvalidInputError: It is of a regression, which the format, where accuracy is required, cannot say.
    """
    claim = read_statement(parse_json(envelope.payload))
    if claim.comparison.task is not Task.CLASSIFICATION:
        raise InvalidInputError(
            "The older format knows classification only: it requires an accuracy",
            hint="Give readers of a regression the attestation itself.",
        )
    comparison = claim.comparison
    signature = envelope.signatures[0]
    contributors = list(_contributors(claim))
    return {
        "schema_version": SCHEMA_VERSION,
        "metadata": {
            "pipeline_run_id": facts.run_id,
            "timestamp": facts.timestamp,
            "pipeline_version": facts.pipeline_version,
            "environment": facts.environment,
            "dry_run": claim.dry_run,
        },
        "evaluation_results": {
            "baseline_metrics": {d.metric.name: d.baseline_value for d in comparison.deltas},
            "new_metrics": {d.metric.name: d.new_value for d in comparison.deltas},
            "benchmark_metadata": {
                "size": comparison.n_rows,
                "type": comparison.task.value,
                "features": list(claim.feature_columns),
                "dataset_hash": claim.benchmark_sha256,
            },
            "evaluation_timestamp": facts.timestamp,
        },
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
            "metrics_included": list(comparison.weights),
            "improved_metrics": [d.metric.name for d in comparison.deltas if d.improvement],
            "degraded_metrics": [d.metric.name for d in comparison.deltas if d.degradation],
        },
        "models": {
            "baseline": _model(
                facts.baseline_model_id,
                facts.baseline_mlflow_run_id,
                claim.baseline_model_sha256,
                claim.baseline_estimator,
                {d.metric.name: d.baseline_value for d in comparison.deltas},
            ),
            "new": {
                **_model(
                    facts.new_model_id,
                    facts.new_mlflow_run_id,
                    claim.new_model_sha256,
                    claim.new_estimator,
                    {d.metric.name: d.new_value for d in comparison.deltas},
                ),
                "training_metadata": {
                    "base_samples": claim.base_rows,
                    "contributed_samples": claim.contributed_rows,
                    "contribution_ratio": claim.contributed_rows / (claim.base_rows + claim.contributed_rows),
                },
            },
        },
        "contributors": contributors,
        "attestation": {
            "hash_tree_root": hash_tree_root(envelope.payload, claim).hex(),
            "proof_ready": claim.commitments is not None and not claim.dry_run,
            "signature_blob": base64.b64encode(signature.sig).decode("ascii"),
            "verification_key": signature.keyid,
            "proof_system": "none",
            "public_inputs_hash": sha256_hex(canonical_json(public_inputs(claim))),
        },
    }


def hash_tree_root(payload: bytes, claim: DeltaOneClaim) -> bytes:
    """The root of the tree (RFC 6962) over what an attestation stands on.

    Its entries, in order: the statement's bytes; then, 32 bytes each, the digests of the statement's subjects (baseline
    model, new model, benchmark, base data if there is some, each contribution); then, if there are commitments, the
    roots of labels, baseline predictions and new predictions.
    """
    digests = [sha256 for _, sha256 in claim.subjects]
    if claim.commitments is not None:
        digests += [claim.commitments.labels, claim.commitments.baseline, claim.commitments.new]
    return merkle_root(leaf_hash(entry) for entry in (payload, *map(bytes.fromhex, digests)))


def public_inputs(claim: DeltaOneClaim) -> dict[str, object]:
    """What a proof of the score would be given in public: the row count, the joint counts, and the commitments."""
    counts = claim.comparison.counts
    commitments = claim.commitments
    return {
        "benchmarkRows": claim.comparison.n_rows,
        "cells": [] if counts is None else [[list(cell), count] for cell, count in counts.cells],
        "commitments": None
        if commitments is None
        else [commitments.scheme, commitments.labels, commitments.baseline, commitments.new],
    }


def _model(
    model_id: str,
    run_id: str | None,
    sha256: str,
    estimator: Estimator | None,
    metrics: Mapping[str, float],
) -> dict[str, Any]:
    known = {} if estimator is None else {"training_config_hash": _config_hash(estimator)}
    return {
        "model_id": model_id,
        "model_type": "unknown" if estimator is None else estimator.import_path,
        "model_hash": sha256,
        **known,
        "mlflow_run_id": run_id,
        "metrics": dict(metrics),
    }


def _config_hash(estimator: Estimator) -> str:
    return digest({"importPath": estimator.import_path, "params": dict(estimator.params)})


def _contributors(claim: DeltaOneClaim) -> Iterator[dict[str, Any]]:
    columns = len(claim.feature_columns) + 1
    for contribution, credit in zip(claim.contributions, claim.credits, strict=True):
        yield {
            "id": contribution.contributor.contributor_id,
            "data_hash": contribution.sha256,
            "data_manifest": {
                "data_hash": contribution.sha256,
                "row_count": contribution.rows_read,
                "column_count": columns,
            },
            "weight": float(credit),
            "contributed_samples": contribution.rows_accepted,
            "validation_status": "valid" if contribution.rows_accepted else "invalid",
            **_wallet(contribution),
        }


def _wallet(contribution: Contribution) -> dict[str, str]:
    wallet = contribution.contributor.wallet
    return {"wallet_address": wallet.checksummed} if wallet is not None and wallet.payable else {}
