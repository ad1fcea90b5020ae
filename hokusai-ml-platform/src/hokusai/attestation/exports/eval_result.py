"""A DeltaOne statement as an in-toto `eval-result` v0.2, which says of one model that it met a threshold.

The predicate is a draft (in-toto/attestation, pull request 575), so it is an export and not the source of truth: its
evidence is the digest of our own statement. It wants the time of the evaluation and who made it, neither of which a
DeltaOne statement knows; whoever exports says them.
"""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction

from hokusai.attestation.envelope import PAYLOAD_TYPE
from hokusai.attestation.numbers import Json
from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import STATEMENT_TYPE
from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import InvalidInputError

PREDICATE_TYPE = "https://b7n0de.com/attestation/eval-result/v0.2"
SUITE = {"name": "hokusai-delta-one", "version": "1"}

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f]+")


def eval_result(payload: bytes, *, evaluator: str, evaluated_at: str) -> bytes:
    """The canonical bytes of an eval-result statement, to be signed as DSSE.

    The claims are those of the decision, if there is one: the primary metric's gain against the rule's threshold, and
    its one-sided p-value against the rule's level. Otherwise that DeltaOne is above zero.

    Args:
        payload: The signed bytes of a DeltaOne statement.
        evaluator: URI of the party that ran the evaluation.
        evaluated_at: When, as RFC 3339 with an offset.

    Raises:
        IntegrityError: `payload` is no DeltaOne statement.
        InvalidInputError: The URI or the time is none, a threshold has no finite decimal text, or it was a dry run.
    """
    claim = read_statement(parse_json(payload))
    if claim.dry_run:
        raise InvalidInputError("A dry run is no evaluation of any model, so it is not exported as one")
    if not _URI.fullmatch(evaluator):
        raise InvalidInputError(
            f"Not a URI: {evaluator[:80]!r}", where="evaluator", hint="As in https://example.org."
        )
    _check_time(evaluated_at)
    predicate: Json = {
        "evaluator": {"id": evaluator},
        "evaluatedAt": evaluated_at,
        "suite": dict(SUITE),
        "claims": _claims(claim),
        "sampleSize": claim.comparison.n_rows,
        "model": {"name": "new-model", "digest": {"sha256": claim.new_model_sha256}},
        "dataset": {"name": "benchmark", "digest": {"sha256": claim.benchmark_sha256}},
        "assuranceLevel": "self_attested",
        "subjectProfile": "public-model",
        "evidence": [
            {"name": "delta-one/v1", "digest": {"sha256": sha256_hex(payload)}, "mediaType": PAYLOAD_TYPE}
        ],
    }
    if claim.benchmark_statement_sha256 is not None:
        predicate["preRegistration"] = {"alg": "sha256", "value": claim.benchmark_statement_sha256}
    version = claim.libraries.get("hokusai-ml-platform")
    if version:
        predicate["harness"] = {"name": "hokusai-ml-platform", "version": version}
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "new-model", "digest": {"sha256": claim.new_model_sha256}}],
            "predicateType": PREDICATE_TYPE,
            "contentRootAlg": "jcs-sha256-v1",
            "predicate": predicate,
        }
    )


def finite_decimal(value: Fraction) -> str:
    """An exact number as decimal text without an exponent, as JSON numbers lose digits and are refused.

    Raises:
        InvalidInputError: Its decimal expansion does not end.

    >>> finite_decimal(Fraction(1, 100)), finite_decimal(Fraction(-5, 2)), finite_decimal(Fraction(3))
    ('0.01', '-2.5', '3')
    """
    digits, rest = 0, value.denominator
    while rest % 10 == 0:
        rest, digits = rest // 10, digits + 1
    for factor in (2, 5):
        while rest % factor == 0:
            rest, digits = rest // factor, digits + 1
    if rest != 1:
        raise InvalidInputError(f"{value} has no decimal text that ends", where="threshold")
    scaled = abs(value.numerator) * 10**digits // value.denominator
    text = str(scaled).rjust(digits + 1, "0")
    whole, part = text[: len(text) - digits], text[len(text) - digits :].rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{f'.{part}' if part else ''}"


def _claims(claim: DeltaOneClaim) -> list[Json]:
    comparison, decision = claim.comparison, claim.decision
    if decision is None:
        score = comparison.delta_one if comparison.exact is None else comparison.exact
        return [{"metric": "delta_one", "comparator": ">", "threshold": "0", "passed": score > 0}]
    primary, rule = comparison.delta(comparison.primary.metric), decision.rule
    verdicts = {reason.verdict.value for reason in decision.reasons}
    return [
        {
            "metric": f"{primary.metric.name}_gain",
            "comparator": ">=",
            "threshold": finite_decimal(rule.threshold),
            "passed": "below_threshold" not in verdicts,
        },
        {
            "metric": f"{primary.metric.name}_gain_one_sided_p_value",
            "comparator": "<",
            "threshold": finite_decimal(Fraction(repr(rule.alpha))),
            "passed": "not_significant" not in verdicts,
        },
    ]


def _check_time(text: str) -> None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or "T" not in text:
        raise InvalidInputError(
            f"Not an RFC 3339 time with an offset: {text[:40]!r}",
            where="evaluated_at",
            hint="As in 2026-03-01T12:00:00Z.",
        )
