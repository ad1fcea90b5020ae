"""A signed mint request as JSON on the wire: written in one way, and read without trust.

The message travels through a queue that anybody may have written to. So whatever is in it is checked, what follows from
other members is worked out again, and nothing beside what is known is let through.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from hokusai.attestation.eip712 import Eip712Domain
from hokusai.attestation.mint import MOST_SIGNATURES, SignedMintRequest
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.delta import Comparison, to_bps
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.mint import MintRequest, Payee
from hokusai.errors import IntegrityError, InvalidInputError

MAX_MESSAGE_BYTES = 256 * 1024
MESSAGE_TYPE, SCHEMA_VERSION = "mint_request", "1.0"

_HASH = re.compile(r"0x[0-9a-f]{64}")
_SIGNATURE = re.compile(r"0x[0-9a-f]{130}")
_UINT = re.compile(r"0|[1-9][0-9]{0,77}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_EVALUATION = (
    "metric_name",
    "metric_family",
    "baseline_score_bps",
    "new_score_bps",
    "max_cost_usd_micro",
    "actual_cost_usd_micro",
)
_STATISTICS = (
    "sample_size_baseline",
    "sample_size_candidate",
    "ci_low_bps",
    "ci_high_bps",
    "p_value",
    "effect_size_bps",
    "statistical_method",
    "statistical_reason",
)
_MEMBERS = (
    "message_type",
    "schema_version",
    "message_id",
    "timestamp",
    "model_id",
    "model_id_uint",
    "eval_id",
    "benchmark_spec_id",
    "dataset_hash",
    "attestation_hash",
    "idempotency_key",
    "baseline_commitment",
    "candidate_commitment",
    "attester_signatures",
    "totalSamples",
    "deadline",
    "evaluation",
    "contributors",
)


def write_message(
    signed: SignedMintRequest, *, model_id: str, timestamp: str, comparison: Comparison | None = None
) -> bytes:
    """The message in canonical JSON.

    Args:
        signed: What is asked for, with its signatures.
        model_id: The model's name, for people; it is not signed.
        timestamp: When it is sent, such as 2026-01-01T00:00:00Z; it is not signed.
        comparison: Adds the primary metric's statistics, for people; they are not signed.

    Raises:
        InvalidInputError: The time is not in that form.
    """
    request = signed.request
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidInputError(f"Not a time in UTC: {timestamp!r}", where="timestamp")
    message = {
        "message_type": MESSAGE_TYPE,
        "schema_version": SCHEMA_VERSION,
        "message_id": str(uuid.uuid5(uuid.NAMESPACE_OID, signed.digest.hex())),
        "timestamp": timestamp,
        "model_id": model_id,
        "model_id_uint": str(request.model_id),
        "eval_id": request.evaluation_id,
        "benchmark_spec_id": request.benchmark_id,
        "dataset_hash": "0x" + request.dataset_sha256,
        "attestation_hash": "0x" + request.attestation_sha256,
        "idempotency_key": "0x" + request.idempotency_key,
        "baseline_commitment": "0x" + request.baseline_sha256,
        "candidate_commitment": "0x" + request.candidate_sha256,
        "attester_signatures": ["0x" + signature.hex() for signature in signed.signatures],
        "totalSamples": request.total_samples,
        "deadline": request.deadline,
        "evaluation": {
            "metric_name": request.metric_name,
            "metric_family": request.metric_family,
            "baseline_score_bps": request.baseline_score_bps,
            "new_score_bps": request.candidate_score_bps,
            "max_cost_usd_micro": request.max_cost_usd_micro,
            "actual_cost_usd_micro": request.actual_cost_usd_micro,
            **({} if comparison is None else _statistics(comparison)),
        },
        "contributors": [
            {"wallet_address": payee.wallet, "weight_bps": payee.weight_bps, "recipientKind": payee.kind}
            for payee in request.payees
        ],
    }
    return canonical_json(message)


def read_message(data: bytes, domain: Eip712Domain) -> SignedMintRequest:
    """The request in a message, for the contract that the reader speaks to; its signatures are not judged here.

    Raises:
        IntegrityError: It is not such a message, contradicts itself, or has members that nobody knows.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise IntegrityError(f"Not a mint request: longer than {MAX_MESSAGE_BYTES} bytes")
    try:
        return _read(parse_json(data), domain)
    except InvalidInputError as problem:
        raise IntegrityError(f"Not a mint request: {problem.what}", where=problem.where) from problem


def _read(value: object, domain: Eip712Domain) -> SignedMintRequest:
    message = _object(value, _MEMBERS, "$")
    if (message["message_type"], message["schema_version"]) != (MESSAGE_TYPE, SCHEMA_VERSION):
        raise InvalidInputError("Another type or version of message", where="$.message_type")
    for name, form in (("timestamp", _TIMESTAMP), ("model_id_uint", _UINT)):
        _text(message[name], f"$.{name}", form)
    for name in ("model_id", "message_id", "eval_id", "benchmark_spec_id"):
        _text(message[name], f"$.{name}")
    evaluation = _object(message["evaluation"], _EVALUATION, "$.evaluation", optional=_STATISTICS)
    signatures = _list(message["attester_signatures"], "$.attester_signatures", MOST_SIGNATURES)
    payees = []
    for i, item in enumerate(_list(message["contributors"], "$.contributors", 100)):
        where = f"$.contributors[{i}]"
        optional = ("submissionId", "contributionBatchId", "contributorId", "recipientKind")
        one = _object(item, ("wallet_address", "weight_bps"), where, optional=optional)
        address = WalletAddress.parse(_text(one["wallet_address"], f"{where}.wallet_address"))
        if address.checksum_holds is False:
            raise InvalidInputError("The checksum does not hold", where=f"{where}.wallet_address")
        kind = _text(one.get("recipientKind", "wallet"), f"{where}.recipientKind")
        payees.append(Payee(address.checksummed, _whole(one["weight_bps"], f"{where}.weight_bps"), kind))
    request = MintRequest(
        model_id=int(message["model_id_uint"]),
        evaluation_id=message["eval_id"],
        baseline_score_bps=evaluation["baseline_score_bps"],
        candidate_score_bps=evaluation["new_score_bps"],
        max_cost_usd_micro=evaluation["max_cost_usd_micro"],
        actual_cost_usd_micro=evaluation["actual_cost_usd_micro"],
        total_samples=message["totalSamples"],
        benchmark_id=message["benchmark_spec_id"],
        dataset_sha256=_hash(message, "dataset_hash"),
        attestation_sha256=_hash(message, "attestation_hash"),
        metric_name=evaluation["metric_name"],
        metric_family=evaluation["metric_family"],
        baseline_sha256=_hash(message, "baseline_commitment"),
        candidate_sha256=_hash(message, "candidate_commitment"),
        deadline=message["deadline"],
        payees=tuple(payees),
    )
    if _hash(message, "idempotency_key") != request.idempotency_key:
        raise InvalidInputError("It does not follow from model and attestation", where="$.idempotency_key")
    return SignedMintRequest(
        request,
        domain,
        tuple(
            bytes.fromhex(_text(item, f"$.attester_signatures[{i}]", _SIGNATURE)[2:])
            for i, item in enumerate(signatures)
        ),
    )


def _statistics(comparison: Comparison) -> dict[str, Any]:
    delta = comparison.delta(comparison.primary.metric)
    return {
        "sample_size_baseline": comparison.n_rows,
        "sample_size_candidate": comparison.n_rows,
        "ci_low_bps": to_bps(delta.interval.low),
        "ci_high_bps": to_bps(delta.interval.high),
        "p_value": delta.p_value,
        "effect_size_bps": comparison.primary.delta_bps,
        "statistical_method": delta.method,
    }


def _object(
    value: object, needed: tuple[str, ...], where: str, *, optional: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInputError("An object is expected", where=where)
    missing = [name for name in needed if name not in value]
    unknown = [name for name in value if name not in needed and name not in optional]
    if missing or unknown:
        said = [f"{name} is missing" for name in missing] + [f"{name[:60]!r} is unknown" for name in unknown]
        raise InvalidInputError("; ".join(said[:5]), where=where)
    return value


def _list(value: object, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise InvalidInputError(f"A list of at most {most} is expected", where=where)
    return value


def _text(value: object, where: str, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not value or (form is not None and not form.fullmatch(value)):
        wanted = "text" if form is None else f"text like {form.pattern}"
        raise InvalidInputError(f"Expected {wanted}, got {str(value)[:80]!r}", where=where)
    return value


def _whole(value: object, where: str) -> int:
    if type(value) is not int:
        raise InvalidInputError(f"A whole number is expected, got {str(value)[:80]!r}", where=where)
    return value


def _hash(message: Mapping[str, Any], name: str) -> str:
    return _text(message[name], f"$.{name}", _HASH)[2:]
