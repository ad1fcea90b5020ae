"""The export to in-toto's eval-result: what its draft asks for, from what our statement says."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.exports.eval_result import eval_result, finite_decimal
from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import statement_bytes
from hokusai.domain.canonical import canonical_json
from hokusai.errors import IntegrityError, InvalidInputError

DATA = Path(__file__).parents[1] / "data"
WHO = {"evaluator": "https://example.org/evaluator", "evaluated_at": "2026-03-01T12:00:00Z"}


def payload(name: str) -> bytes:
    return Envelope.parse((DATA / f"{name}.json").read_bytes()).payload


def test_says_what_the_draft_asks_for() -> None:
    # in-toto/attestation, pull request 575, as proofbundle 6.3.1 reads it (its verifier takes this very statement)
    statement = json.loads(eval_result(payload("delta-one-v1-full"), **WHO))
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://b7n0de.com/attestation/eval-result/v0.2",
        "contentRootAlg": "jcs-sha256-v1",
        "subject": [{"name": "new-model", "digest": {"sha256": "0e" * 32}}],
        "predicate": {
            "evaluator": {"id": "https://example.org/evaluator"},
            "evaluatedAt": "2026-03-01T12:00:00Z",
            "suite": {"name": "hokusai-delta-one", "version": "1"},
            "claims": [
                {"metric": "accuracy_gain", "comparator": ">=", "threshold": "0.01", "passed": True},
                {
                    "metric": "accuracy_gain_one_sided_p_value",
                    "comparator": "<",
                    "threshold": "0.05",
                    "passed": True,
                },
            ],
            "sampleSize": 100,
            "model": {"name": "new-model", "digest": {"sha256": "0e" * 32}},
            "dataset": {"name": "benchmark", "digest": {"sha256": "be" * 32}},
            "assuranceLevel": "self_attested",
            "subjectProfile": "public-model",
            "preRegistration": {
                "alg": "sha256",
                "value": "58d39d7bc1c62c155014ee9a827be1f8d22d70622ce306bb5de3152e3667df6e",
            },
            "evidence": [
                {
                    "name": "delta-one/v1",
                    "digest": {"sha256": "d0cfd0d8933c5bdb5df2b9044c4e93446c79e6fba107ed1b61964bca64e1f55f"},
                    "mediaType": "application/vnd.in-toto+json",
                }
            ],
            "harness": {"name": "hokusai-ml-platform", "version": "0.1.0"},
        },
    }


def test_is_canonical() -> None:
    made = eval_result(payload("delta-one-v1"), **WHO)
    assert canonical_json(json.loads(made)) == made


def test_without_a_decision_that_delta_one_is_above_zero() -> None:
    statement = json.loads(eval_result(payload("delta-one-v1"), **WHO))
    assert statement["predicate"]["claims"] == [
        {"metric": "delta_one", "comparator": ">", "threshold": "0", "passed": True}
    ]
    assert "preRegistration" not in statement["predicate"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluator": "somebody"},
        {"evaluator": "https://a b"},
        {"evaluated_at": "yesterday"},
        {"evaluated_at": "2026-03-01T12:00:00"},
        {"evaluated_at": "2026-03-01"},
        {"evaluated_at": "2026-02-30T12:00:00Z"},
    ],
)
def test_who_and_when_have_to_be_said(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        eval_result(payload("delta-one-v1"), **(WHO | wrong))


def test_a_rehearsal_is_no_evaluation() -> None:
    claim = replace(read_statement(json.loads(payload("delta-one-v1"))), dry_run=True)
    with pytest.raises(InvalidInputError, match="dry run"):
        eval_result(statement_bytes(claim), **WHO)
    with pytest.raises(IntegrityError):
        eval_result(b"{}", **WHO)


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("1/100", "0.01"), ("-1/8", "-0.125"), ("50", "50"), ("1/1250", "0.0008"), ("7/10", "0.7")],
)
def test_a_decimal_that_ends(value: str, text: str) -> None:
    assert finite_decimal(Fraction(value)) == text
    assert Fraction(text) == Fraction(value)


def test_a_decimal_that_does_not() -> None:
    with pytest.raises(InvalidInputError, match="1/3"):
        finite_decimal(Fraction(1, 3))
