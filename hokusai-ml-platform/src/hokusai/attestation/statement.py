"""The claim as an in-toto Statement, whose RFC 8785 bytes are what is signed.

One number rule holds for the whole document. JSON numbers are integers below 2^53: counts, indexes, and an
estimator's integer parameters. Every other number is text: a ratio of counts is `{"num": "…", "den": "…"}`,
reduced, both in decimal; basis points are decimal integers; a measured number is the RFC 8785 text of its
double, which reads back as the same double. A float inside an estimator's parameters is `{"float": "…"}`, so
that it stays apart from a text and from an integer.

The same claim gives the same bytes. `hokusai.attestation.reader` is the inverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from hokusai.attestation.credited import attribution_json, interval_json
from hokusai.attestation.decided import decision_json
from hokusai.attestation.numbers import Json, decimal_text, fraction_json, is_writable, percentage_points
from hokusai.domain.canonical import canonical_json
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution
from hokusai.domain.delta import (
    COMPUTATION_METHOD,
    Comparison,
    Interval,
    JointCounts,
    MetricDelta,
    PrimaryRecord,
)
from hokusai.errors import InvalidInputError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://hokusai.dev/attestations/delta-one/v1"
COUNT_COLUMNS = ["label", "baseline", "new"]

NON_CLAIMS = (
    "It does not say that the predictions behind the counts came from the hashed models: "
    "to know that, run the models on the benchmark again.",
    "It does not say that the benchmark is representative, or that it was unknown to the contributors.",
    "It does not say that the contributed data is lawful to use, correct, or the contributors' own.",
    "Standard errors, and metrics that the joint counts do not determine (AUROC, regression errors), "
    "are the signer's word.",
)
"""What a reader must not take from a DeltaOne statement, as it stands in every one of them."""

DRY_RUN_NON_CLAIM = "It says nothing at all about any model: this was a dry run on mock data. NOT EVIDENCE."
"""What stands first among them if the run was a rehearsal."""

COMMITMENTS_NON_CLAIM = (
    "The commitments hold the signer to one label and one prediction of each model for each row; they do not "
    "say that these are right. Have rows opened that you choose, and run the models on them. They hide the "
    "rows only from those who cannot guess a whole column."
)
"""What is added where there are commitments."""

ATTRIBUTION_NON_CLAIM = (
    "What each contributor's data was worth is the signer's word: "
    "to know it, train the models with and without it again."
)
"""What is added where there is an attribution."""

IDENTITIES_NON_CLAIM = (
    "It does not say that different contributors are different people: Shapley values can be raised by splitting "
    "one identity into several."
)
"""What is added there too; the first statements with an attribution went without it."""

UNITS_NON_CLAIM = (
    "Which rows belong to one unit, and with it every standard error and p-value, is the signer's word."
)
"""What is added where errors are those between units of rows."""


def build_statement(claim: DeltaOneClaim) -> Json:
    """The in-toto Statement v1 of `claim`, as JSON.

    Raises:
        InvalidInputError: A number in it is not finite, or an estimator's parameter is not JSON.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in claim.subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": _predicate(claim),
    }


def statement_bytes(claim: DeltaOneClaim) -> bytes:
    """The canonical bytes of the statement of `claim`: what is signed, and what the digest is of.

    Raises:
        InvalidInputError: As `build_statement`.
    """
    return canonical_json(build_statement(claim))


def non_claims(claim: DeltaOneClaim) -> Iterator[str]:
    """What the statement of `claim` does not say, sentence by sentence."""
    if claim.dry_run:
        yield DRY_RUN_NON_CLAIM
    yield from NON_CLAIMS
    if claim.comparison.n_units is not None:
        yield UNITS_NON_CLAIM
    if claim.commitments is not None:
        yield COMMITMENTS_NON_CLAIM
    if claim.attribution is not None:
        yield ATTRIBUTION_NON_CLAIM
        yield IDENTITIES_NON_CLAIM


def _predicate(claim: DeltaOneClaim) -> Json:
    comparison = claim.comparison
    return {
        "dryRun": claim.dry_run,
        "task": {
            "kind": comparison.task.value,
            "averaging": comparison.averaging,
            "targetColumn": claim.target_column,
            "featureColumns": list(claim.feature_columns),
        },
        "estimators": {
            "baseline": None if claim.baseline_estimator is None else _estimator(claim.baseline_estimator),
            "new": _estimator(claim.new_estimator),
        },
        "libraries": dict(claim.libraries),
        "training": {"baseRows": claim.base_rows, "contributedRows": claim.contributed_rows},
        "benchmarkRows": comparison.n_rows,
        "jointCounts": None if comparison.counts is None else _counts(comparison.counts),
        "metrics": {delta.metric.name: _metric(delta) for delta in comparison.deltas},
        "deltaOne": _delta_one(comparison),
        "primary": _primary(comparison.primary),
        "creditMethod": claim.credit_method,
        "contributions": [
            _contribution(contribution, credit, subject=f"contributed-data/{i}")
            for i, (contribution, credit) in enumerate(
                zip(claim.contributions, claim.credits, strict=True), start=1
            )
        ],
        "warnings": list(comparison.warnings),
        "evidence": [
            {"name": item.name, "digest": {"sha256": item.sha256}, "mediaType": item.media_type}
            for item in claim.evidence
        ],
        **_optional(claim),
        "nonClaims": list(non_claims(claim)),
    }


def _optional(claim: DeltaOneClaim) -> Json:
    """The members that a statement has only where the claim says something."""
    members: Json = {}
    if claim.comparison.n_units is not None:
        members["benchmarkUnits"] = claim.comparison.n_units
    if claim.decision is not None:
        members["decision"] = decision_json(claim.decision)
    if claim.attribution is not None:
        members["attribution"] = attribution_json(claim.attribution)
    if claim.commitments is not None:
        members["commitments"] = {
            "scheme": claim.commitments.scheme,
            "labels": claim.commitments.labels,
            "baselinePredictions": claim.commitments.baseline,
            "newPredictions": claim.commitments.new,
        }
    if claim.benchmark_record_sha256 is not None:
        members["benchmarkRecord"] = {"sha256": claim.benchmark_record_sha256}
    if claim.benchmark_statement_sha256 is not None:
        members["benchmarkStatement"] = {"sha256": claim.benchmark_statement_sha256}
    return members


def _estimator(estimator: Estimator) -> Json:
    return {"importPath": estimator.import_path, "params": _params(estimator.params, "params")}


def _params(value: object, where: str) -> object:
    """A parameter with each float tagged, so that the document has no JSON number but integers."""
    if isinstance(value, float):
        return {"float": decimal_text(value)}
    if isinstance(value, list | tuple):
        return [_params(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        if set(value) == {"float"}:
            raise InvalidInputError('An object with the one key "float" means a number here', where=where)
        return {key: _params(item, f"{where}.{key}") for key, item in value.items()}
    return value  # anything else is for the canonical form to take or to refuse


def _counts(counts: JointCounts) -> Json:
    return {
        "classes": list(counts.classes),
        "positive": counts.positive,
        "columns": list(COUNT_COLUMNS),
        "cells": [[list(cell), count] for cell, count in counts.cells],
    }


def _metric(delta: MetricDelta) -> Json:
    if delta.exact is not None and not all(map(is_writable, delta.exact)):
        delta = replace(delta, exact=None)
    if delta.exact is None:
        baseline, new = decimal_text(delta.baseline_value), decimal_text(delta.new_value)
        change, gain = decimal_text(delta.absolute_delta), decimal_text(delta.gain)
        values: Json = {"baseline": baseline, "new": new, "delta": change, "gain": gain}
    else:
        old, now = delta.exact
        values = {
            "baseline": fraction_json(old),
            "new": fraction_json(now),
            "delta": fraction_json(now - old),
            "gain": fraction_json(delta.metric.direction * (now - old)),
        }
    return {
        **values,
        **_uncertainty(delta.standard_error, delta.interval, delta.p_value),
        "method": delta.method,
    }


def _delta_one(comparison: Comparison) -> Json:
    exact = comparison.exact
    score = comparison.delta_one if exact is None or not is_writable(exact) else exact
    return {
        "score": fraction_json(score) if isinstance(score, Fraction) else decimal_text(score),
        "display": percentage_points(score),
        "weights": {name: fraction_json(weight) for name, weight in comparison.weights.items()},
        "computationMethod": COMPUTATION_METHOD,
        **_uncertainty(comparison.standard_error, comparison.interval, comparison.p_value),
    }


def _uncertainty(standard_error: float, interval: Interval, p_value: float) -> Json:
    return {
        "standardError": decimal_text(standard_error),
        "interval": interval_json(interval),
        "pValue": decimal_text(p_value),
    }


def _primary(record: PrimaryRecord) -> Json:
    return {
        "metric": record.metric,
        "baselineBps": None if record.baseline_bps is None else str(record.baseline_bps),
        "newBps": None if record.new_bps is None else str(record.new_bps),
        "deltaBps": str(record.delta_bps),
    }


def _contribution(contribution: Contribution, credit: Fraction, *, subject: str) -> Json:
    wallet = contribution.contributor.wallet
    return {
        "subject": subject,
        "sha256": contribution.sha256,
        "sizeBytes": contribution.size_bytes,
        "contributor": contribution.contributor.contributor_id,
        "wallet": None if wallet is None else str(wallet),
        "payable": contribution.contributor.payable,
        "credit": fraction_json(credit),
        "rows": {
            "read": contribution.rows_read,
            "accepted": contribution.rows_accepted,
            "duplicate": contribution.rows_duplicate,
            "inBase": contribution.rows_in_base,
            "inBenchmark": contribution.rows_in_benchmark,
            "withoutLabel": contribution.rows_without_label,
        },
    }
