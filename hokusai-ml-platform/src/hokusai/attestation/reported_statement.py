"""A reported improvement as a signed in-toto Statement, for whoever has numbers and no rows.

It is no DeltaOne statement, and its type says so: the numbers are somebody's word, they have no errors, and nothing can
be paid on them. What the signature gives is that this was said, of this data, by whoever holds the key, and has not
been changed since. As everywhere, the same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.envelope import Envelope, Signer, sign, verify
from hokusai.attestation.numbers import Json, decimal_text, fraction_json, percentage_points
from hokusai.attestation.statement import STATEMENT_TYPE
from hokusai.domain.canonical import canonical_json, digest, parse_json, sha256_hex
from hokusai.domain.delta import COMPUTATION_METHOD
from hokusai.domain.reported import ReportedImprovement, ReportedMetric
from hokusai.errors import HokusaiError, IntegrityError, InvalidInputError

PREDICATE_TYPE = "https://hokusai.dev/attestations/reported-improvement/v1"

NON_CLAIMS = (
    "It does not say that any model has these metrics: they were reported, and nothing was measured.",
    "It does not say that the models differ by more than chance: without benchmark rows there is no standard error.",
    "It does not say that the contributed data caused the change, or that it exists.",
    "It is no ground to pay anybody: for that, compare the models on a benchmark and attest DeltaOne.",
)
"""What a reader must not take from it, as it stands in every one."""

VERSION = "2.0"


def statement_bytes(report: ReportedImprovement) -> bytes:
    """The canonical bytes of the statement: what is signed, and what the digest is of."""
    return _written(report, report.warnings, NON_CLAIMS)


def attest(report: ReportedImprovement, keys: Sequence[Signer]) -> dict[str, Any]:
    """The signed report as a dict: what it says in plain numbers, its digest, and the envelope that proves it.

    Raises:
        InvalidInputError: No key is given.
    """
    return _told(report, sign(statement_bytes(report), keys))


def check_reported(
    attestation: Mapping[str, Any], trusted_keys: Sequence[Ed25519PublicKey], threshold: int = 1
) -> ReportedImprovement:
    """The report in an attestation that `attest` gave: signed by trusted keys, and nothing beside it says otherwise.

    Args:
        attestation: The dict, as it was given or read from JSON.
        trusted_keys: Whose signatures count.
        threshold: How many different ones must have signed.

    Raises:
        InvalidInputError: The threshold is below one or above the number of keys.
        IntegrityError: Too few trusted keys signed it, it is no such statement, its arithmetic does not hold, or the
            plain numbers are others than those that were signed.
    """
    envelope = envelope_of(attestation)
    verify(envelope, trusted_keys, threshold)
    report = read_report(envelope.payload)
    if _told(report, envelope) != attestation:
        raise IntegrityError("What stands beside the signed statement says something else than the statement")
    return report


def envelope_of(attestation: Mapping[str, Any]) -> Envelope:
    """The envelope within an attestation.

    Raises:
        IntegrityError: There is none, or it is not one.
    """
    try:
        return Envelope.parse(canonical_json(attestation["envelope"]))
    except (KeyError, TypeError, InvalidInputError) as problem:
        raise IntegrityError("The attestation has no envelope") from problem


def read_report(payload: bytes) -> ReportedImprovement:
    """The report that a statement was written from.

    Raises:
        IntegrityError: It is no such statement, or not one that `statement_bytes` would write.
    """
    try:
        statement: Any = parse_json(payload)
        predicate = statement["predicate"]
        [contribution] = predicate["contributions"]
        metrics = predicate["metrics"]
        report = ReportedImprovement.of(
            {name: _fraction(metric["baseline"]) for name, metric in metrics.items()},  # type: ignore[misc]
            {name: _fraction(metric["new"]) for name, metric in metrics.items()},  # type: ignore[misc]
            {
                "contributor_address": contribution["wallet"],
                "contributor_id": contribution["contributor"],
                "data_hash": contribution["dataHash"],
                "samples": contribution["samples"],
                "quality_score": None
                if contribution["qualityScore"] is None
                else float(contribution["qualityScore"]),
                **parse_json(contribution["other"].encode()),  # type: ignore[dict-item]
            },
            higher_is_better={name: metric["higherIsBetter"] for name, metric in metrics.items()},
        )
        # The sentences are the signer's: they may have been worded otherwise then.
        written = _written(report, _texts(predicate["warnings"]), _texts(predicate["nonClaims"]))
        report.delta  # noqa: B018  # numbers beyond a double are refused here
    except (HokusaiError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as problem:
        raise IntegrityError(f"Not the statement of a reported improvement: {problem}") from problem
    if written != payload:
        raise IntegrityError(
            "Not the statement of a reported improvement: its parts do not follow from each other"
        )
    return report


def _written(report: ReportedImprovement, warnings: Sequence[str], non_claims: Sequence[str]) -> bytes:
    said: Json = {
        "metrics": {metric.name: _metric(metric) for metric in report.metrics},
        "contributions": [_contribution(report)],
    }
    data = report.contribution.data_sha256
    subjects = [("reported-numbers", digest(said)), *([("contributed-data", data)] if data else [])]
    predicate: Json = {
        **said,
        "deltaOne": _delta_one(report),
        "measured": False,
        "warnings": list(warnings),
        "nonClaims": list(non_claims),
    }
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def _told(report: ReportedImprovement, envelope: Envelope) -> dict[str, Any]:
    contribution, score = report.contribution, report.delta_one
    wallet = contribution.contributor.wallet
    signed: Any = parse_json(envelope.to_bytes())
    statement: Any = parse_json(envelope.payload)
    return {
        "version": VERSION,
        "predicate_type": PREDICATE_TYPE,
        "measured": False,
        "delta_metrics": report.delta,
        "delta_one_score": None if score is None else float(score),
        "deltaone_value": None if score is None else float(100 * score),
        "contributor_info": {
            "id": contribution.contributor.contributor_id,
            "address": None if wallet is None else str(wallet),
            "payable": contribution.contributor.payable,
        },
        "data_contribution": {
            "dataset_hash": contribution.data_hash,
            "data_size": contribution.samples,
            "quality_score": contribution.quality_score,
            "other": dict(contribution.other),
        },
        "warnings": statement["predicate"]["warnings"],
        "non_claims": statement["predicate"]["nonClaims"],
        "attestation_hash": "0x" + sha256_hex(envelope.payload),
        "signature": signed["signatures"][0]["sig"],
        "keyid": signed["signatures"][0]["keyid"],
        "envelope": signed,
    }


def _delta_one(report: ReportedImprovement) -> Json | None:
    score = report.delta_one
    if score is None:
        return None
    return {
        "score": fraction_json(score),
        "display": percentage_points(score),
        "weights": {name: fraction_json(weight) for name, weight in report.weights.items()},
        "computationMethod": COMPUTATION_METHOD,
    }


def _metric(metric: ReportedMetric) -> Json:
    return {
        "baseline": fraction_json(metric.baseline),
        "new": fraction_json(metric.new),
        "delta": fraction_json(metric.delta),
        "gain": None if metric.gain is None else fraction_json(metric.gain),
        "higherIsBetter": metric.higher_is_better,
    }


def _contribution(report: ReportedImprovement) -> Json:
    told = report.contribution
    wallet = told.contributor.wallet
    return {
        "contributor": told.contributor.contributor_id,
        "wallet": None if wallet is None else str(wallet),
        "payable": told.contributor.payable,
        "dataHash": told.data_hash,
        "samples": told.samples,
        "qualityScore": None if told.quality_score is None else decimal_text(told.quality_score),
        "other": canonical_json(dict(told.other)).decode(),  # as text: its numbers may be of any kind
    }


def _fraction(node: Mapping[str, str]) -> Fraction:
    return Fraction(int(node["num"]), int(node["den"]))


def _texts(node: object) -> list[str]:
    if not isinstance(node, list) or not all(isinstance(item, str) for item in node):
        raise ValueError("a list of sentences was expected")
    return node
