"""From a finished comparison to the signed statement of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from hokusai.attestation.commitments import Values, commit
from hokusai.attestation.envelope import Signer, keyid, sign
from hokusai.attestation.predictions import UNIT, score_column
from hokusai.attestation.statement import statement_bytes
from hokusai.domain.attribution import Attribution
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.contribution import Contributed
from hokusai.pipeline.evaluation import Evaluation
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts

_DECIDING_LIBRARIES = ("hokusai-ml-platform", "numpy", "polars")
_DECIDING_IN_REAL_RUNS = ("scikit-learn",)

MAX_SCORES = 4_000_000
"""A model's scores by class, where they are more than these, are not written; AUROC is the signer's word then."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """A signed envelope as it stands in a file, the digest of its statement, and the id of the key."""

    envelope: bytes
    statement_sha256: str
    keyid: str


def attest(
    plan: RunPlan,
    facts: Facts,
    contributed: Contributed,
    baseline: ModelArtifact,
    new: ModelArtifact,
    comparison: Comparison,
    evaluation: Evaluation,
    attribution: Attribution,
    decision: Decision,
    key: Signer,
) -> Attestation:
    """The signed statement of what a run found. Only content: the same inputs give the same statement."""
    statement = statement_bytes(
        DeltaOneClaim(
            baseline_model_sha256=baseline.sha256,
            new_model_sha256=new.sha256,
            benchmark_sha256=facts.benchmark_sha256,
            contributions=tuple(contributed.contributions),
            comparison=comparison,
            target_column=plan.target_column,
            feature_columns=tuple(facts.features),
            base_rows=new.base_samples or 0,
            new_estimator=Estimator(new.model_type, dict(new.params)),
            baseline_estimator=Estimator(baseline.model_type, dict(baseline.params)),
            libraries=_versions(_DECIDING_LIBRARIES + (() if plan.dry_run else _DECIDING_IN_REAL_RUNS)),
            base_data_sha256=facts.base_sha256,
            dry_run=plan.dry_run,
            decision=decision,
            attribution=attribution,
            commitments=commit(
                *row_values(evaluation),
                benchmark_sha256=facts.benchmark_sha256,
                baseline_model_sha256=baseline.sha256,
                new_model_sha256=new.sha256,
            ),
            benchmark_record_sha256=None if plan.benchmark is None else plan.benchmark.sha256,
            benchmark_statement_sha256=plan.benchmark_statement_sha256,
        )
    )
    envelope = sign(statement, [key])
    return Attestation(envelope.to_bytes() + b"\n", sha256_hex(statement), keyid(key.public_key()))


def row_values(evaluation: Evaluation) -> tuple[Values, Values, Values]:
    """Labels, baseline's and new model's predictions, row by row, as people read them: class names, or numbers."""
    labels, old, new = (
        column.tolist()
        if evaluation.task is Task.REGRESSION
        else [evaluation.classes[i] for i in column.tolist()]
        for column in (evaluation.target, evaluation.baseline, evaluation.new)
    )
    return labels, old, new


def predictions_file(evaluation: Evaluation) -> bytes:
    """The rows behind the numbers as Parquet (`hokusai.attestation.predictions`), for whoever verifies with them."""
    import polars as pl

    labels, old, new = row_values(evaluation)
    frame = pl.DataFrame({"row": range(len(labels)), "label": labels, "baseline": old, "new": new})
    for model, scores in (("baseline", evaluation.baseline_scores), ("new", evaluation.new_scores)):
        if scores is not None and scores.ndim == 1:
            frame = frame.with_columns(pl.Series(score_column(model), scores))
        elif scores is not None and scores.size <= MAX_SCORES:
            of_class = zip(evaluation.classes, scores.T, strict=True)
            frame = frame.with_columns(pl.Series(score_column(model, name), one) for name, one in of_class)
    if evaluation.units is not None:  # by number: who they are is nobody's business
        frame = frame.with_columns(pl.Series(UNIT, evaluation.units))
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def _versions(names: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in names}
