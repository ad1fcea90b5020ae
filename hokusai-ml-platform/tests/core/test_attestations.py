"""Attestations in the ledger, from a released file and from statements of other kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.attestation.benchmark_statement import benchmark_statement_bytes
from hokusai.attestation.envelope import Envelope, Signature, keyid, sign
from hokusai.attestation.statement import STATEMENT_TYPE
from hokusai.core.attestations import Attestations
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.domain.metrics import Task
from hokusai.errors import ConflictError, IntegrityError, NotFoundError

RELEASED = Path(__file__).parents[1] / "attestation" / "data" / "delta-one-v1.json"
A, B = "aa" * 32, "bb" * 32


@pytest.fixture
def shelf() -> Attestations:
    return Attestations(MemoryLedger(), "ann")


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def statement(**members: object) -> bytes:
    """A statement of a kind of somebody else's."""
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "predicateType": "https://example.org/review/v1",
            "subject": [
                {"name": "benchmark", "digest": {"sha256": A}},
                {"name": "x", "digest": {"sha1": "0"}},
            ],
            "predicate": {},
            **members,
        }
    )


class TestAReleasedAttestation:
    def test_is_found_by_everything_that_it_is_about(self, shelf: Attestations) -> None:
        envelope = Envelope.parse(RELEASED.read_bytes())
        facts = shelf.put(envelope, model_id="churn/1.1.0")
        told = parse_json(envelope.payload)
        assert isinstance(told, dict)
        digests = {one["name"]: one["digest"]["sha256"] for one in told["subject"]}
        assert facts.statement_sha256 == sha256_hex(envelope.payload)
        assert facts.new_model_sha256 == digests["new-model"]
        (contribution, *_) = told["predicate"]["contributions"]
        for asked in (
            {"model_sha256": digests["new-model"]},
            {"model_sha256": digests["baseline-model"]},
            {"benchmark_sha256": digests["benchmark"]},
            {"subject_sha256": contribution["sha256"]},
            {"contributor": contribution["contributor"].upper()},
            {"contributor": contribution["wallet"].lower()},
        ):
            assert shelf.find(**asked) == [facts], asked
        assert shelf.find(model_sha256=B) == []
        assert facts.dry_run is told["predicate"]["dryRun"]

    def test_is_given_back_to_the_byte(self, shelf: Attestations) -> None:
        envelope = Envelope.parse(RELEASED.read_bytes())
        facts = shelf.put(envelope)
        assert shelf.get(facts.statement_sha256) == envelope
        assert shelf.get(facts.statement_sha256).to_bytes() == envelope.to_bytes()

    def test_that_somebody_else_signs_has_both_signatures(self, shelf: Attestations) -> None:
        envelope = Envelope.parse(RELEASED.read_bytes())
        shelf.put(envelope)
        alone = sign(envelope.payload, [key(7)])
        facts = shelf.put(alone)
        assert facts.signed_by == (envelope.signatures[0].keyid, keyid(key(7).public_key()))
        assert shelf.get(facts.statement_sha256) == envelope.signed_by(key(7))

    def test_with_a_forged_signature_cannot_displace_the_true_one(self, shelf: Attestations) -> None:
        envelope = Envelope.parse(RELEASED.read_bytes())
        digest = shelf.put(envelope).statement_sha256
        forged = Envelope(
            envelope.payload, envelope.payload_type, (Signature(envelope.signatures[0].keyid, bytes(64)),)
        )
        with pytest.raises(ConflictError, match="another signature"):
            shelf.put(forged)
        assert shelf.get(digest) == envelope

    def test_that_was_broken_is_refused(self, shelf: Attestations) -> None:
        told = parse_json(Envelope.parse(RELEASED.read_bytes()).payload)
        assert isinstance(told, dict)
        del told["predicate"]["deltaOne"]
        with pytest.raises(IntegrityError, match="'deltaOne' is missing"):
            shelf.put(sign(canonical_json(told), [key(1)]))


class TestAStatementOfAnotherKind:
    def test_is_kept_with_the_subjects_that_have_a_digest(self, shelf: Attestations) -> None:
        facts = shelf.put(sign(statement(), [key(1)]))
        assert facts.subjects == (("benchmark", A),)
        assert shelf.find(benchmark_sha256=A) == [facts]
        assert facts.contributors == ()

    def test_names_its_contributors_and_its_benchmark_in_the_same_way(self, shelf: Attestations) -> None:
        predicate = {
            "dryRun": True,
            "benchmarkRecord": {"sha256": B},
            "contributions": [{"contributor": "Ann", "wallet": None}, {"contributor": "Ann"}, {"x": 1}, 5],
        }
        facts = shelf.put(sign(statement(predicate=predicate), [key(1)]))
        assert [one.contributor_id for one in facts.contributors] == ["Ann"]
        assert shelf.find(contributor="ann", benchmark_sha256=B) == [facts]
        assert facts.dry_run

    def test_of_a_benchmarks_owner_is_found_by_its_record(self, shelf: Attestations) -> None:
        benchmark = Benchmark(
            "churn", A, Task.CLASSIFICATION, "label", 1000, "accuracy", 0.01, labels_root="cd" * 32
        )
        facts = shelf.put(sign(benchmark_statement_bytes(benchmark), [key(1)]))
        assert shelf.find(benchmark_sha256=benchmark.sha256) == [facts]
        assert shelf.find(benchmark_sha256=A) == [facts]

    @pytest.mark.parametrize(
        ("payload", "said"),
        [
            (b"\xff", "not a statement"),
            (b"[]", "not an in-toto statement"),
            (statement(_type="https://in-toto.io/Statement/v0.1"), "not an in-toto statement"),
            (statement(subject=None), "not an in-toto statement"),
            (statement(subject=[{"name": "x", "digest": {"sha256": "abc"}}]), "Not a SHA-256 digest"),
            (statement(predicate={"contributions": [{"contributor": "a", "wallet": ""}]}), "wallet"),
        ],
    )
    def test_that_is_none_is_refused(self, shelf: Attestations, payload: bytes, said: str) -> None:
        with pytest.raises(IntegrityError, match=said):
            shelf.put(sign(payload, [key(1)]))
        assert shelf.find() == []


def test_what_is_not_there_is_said_to_be(shelf: Attestations) -> None:
    with pytest.raises(NotFoundError):
        shelf.get(A)
