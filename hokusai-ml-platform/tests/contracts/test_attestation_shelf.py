"""Every `AttestationShelf` keeps the same contract: in memory, on SQLite, and on a real PostgreSQL server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from hokusai.domain.audit import chain_faults
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.stored_attestation import AttestationFacts, StatementSignature, StoredAttestation
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Ledger

WALLET = "0x742D35Cc6634C0532925a3b844Bc9e7595f62341"
ANN = Contributor("Ann", WalletAddress.parse(WALLET))
BOB = Contributor("bob")


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def attestation(
    name: str = "one",
    *,
    old: str = "old",
    new: str = "new",
    benchmark: str = "benchmark",
    people: tuple[Contributor, ...] = (),
    keys: tuple[str, ...] = ("k1",),
    model_id: str | None = None,
) -> StoredAttestation:
    """An attestation whose statement is its name; the model `old` has the digest of that text, and so on."""
    facts = AttestationFacts(
        statement_sha256=digest(name),
        predicate_type="https://example.org/kind/v1",
        subjects=(("old", digest(old)), ("new", digest(new)), ("data/1", digest(f"data of {name}"))),
        baseline_model_sha256=digest(old),
        new_model_sha256=digest(new),
        benchmark_sha256=digest(benchmark),
        benchmark_record_sha256=digest(f"record of {benchmark}"),
        contributors=people,
        model_id=model_id,
        dry_run=name == "rehearsal",
    )
    signatures = tuple(StatementSignature(key, f"by {key}".encode()) for key in keys)
    return StoredAttestation(name.encode(), "text/plain", signatures, facts)


def happenings(ledger: Ledger) -> list[str]:
    return [event.happening.kind for event in ledger.events()]


class TestPut:
    def test_gives_back_what_was_put(self, ledger: Ledger) -> None:
        first = attestation("rehearsal", people=(ANN, BOB), keys=("k1", "k2"), model_id="churn/1.0.0")
        assert ledger.attestations.put(first, actor="ann") == first
        assert ledger.attestations.get(digest("rehearsal")) == first
        assert ledger.attestations.find() == [first.facts]
        assert first.facts.signed_by == ("k1", "k2")

    def test_writes_who_put_what_into_the_trail(self, ledger: Ledger) -> None:
        ledger.attestations.put(attestation(model_id="churn/1.0.0"), actor="ann")
        (event,) = ledger.events()
        assert (event.happening.kind, event.happening.actor) == ("attestation.stored", "ann")
        assert event.happening.subject == digest("one")
        assert event.happening.details["new_model_sha256"] == digest("new")
        assert event.happening.details["signed_by"] == ["k1"]

    def test_the_same_again_changes_nothing(self, ledger: Ledger) -> None:
        first = ledger.attestations.put(attestation(people=(ANN,)))
        assert ledger.attestations.put(attestation(people=(ANN,))) == first
        assert len(ledger.attestations.find()) == 1
        assert happenings(ledger) == ["attestation.stored"]

    def test_with_other_signatures_keeps_them_all(self, ledger: Ledger) -> None:
        ledger.attestations.put(attestation(keys=("k1", "k2")))
        kept = ledger.attestations.put(attestation(keys=("k3", "k2"), model_id="churn/1.0.0"))
        assert kept.facts.signed_by == ("k1", "k2", "k3")
        assert [signature.sig for signature in kept.signatures] == [b"by k1", b"by k2", b"by k3"]
        assert kept.facts.model_id == "churn/1.0.0"
        assert ledger.attestations.get(digest("one")) == kept
        assert happenings(ledger) == ["attestation.stored"] * 2

    def test_keeps_the_model_id_that_was_told_first(self, ledger: Ledger) -> None:
        ledger.attestations.put(attestation(model_id="churn/1.0.0"))
        assert ledger.attestations.put(attestation()).facts.model_id == "churn/1.0.0"
        assert ledger.attestations.put(attestation(model_id="other/1.0.0")).facts.model_id == "churn/1.0.0"

    def test_refuses_another_signature_of_the_same_key(self, ledger: Ledger) -> None:
        first = ledger.attestations.put(attestation())
        forged = replace(first, signatures=(StatementSignature("k1", b"forged"),))
        with pytest.raises(ConflictError, match="another signature of the key k1"):
            ledger.attestations.put(forged)
        assert ledger.attestations.get(digest("one")) == first

    def test_takes_as_many_bytes_as_an_envelope_may_have(self, ledger: Ledger) -> None:
        payload = bytes(range(256)) * 4096 * 12  # 12 MiB, which base64 makes 16 MiB of
        facts = AttestationFacts(sha256(payload).hexdigest(), "kind", ())
        large = StoredAttestation(payload, "any/bytes", (StatementSignature("k", b"\0\xff"),), facts)
        ledger.attestations.put(large)
        assert ledger.attestations.get(facts.statement_sha256) == large

    def test_by_many_at_once_keeps_every_signature(self, ledger: Ledger) -> None:
        names = [f"k{i}" for i in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: ledger.attestations.put(attestation(keys=(key,))), names))
        assert sorted(ledger.attestations.get(digest("one")).facts.signed_by) == names
        assert chain_faults(ledger.events(), ledger.head()) == []
        assert happenings(ledger) == ["attestation.stored"] * 8


class TestGet:
    def test_of_what_is_not_there(self, ledger: Ledger) -> None:
        with pytest.raises(NotFoundError, match="no attestation"):
            ledger.attestations.get(digest("unknown"))


class TestFind:
    @pytest.fixture(autouse=True)
    def shelf(self, ledger: Ledger) -> None:
        """Three attestations: model a became b, b became c; both were measured on x, and c again on y."""
        for one in (
            attestation("first", old="a", new="b", benchmark="x", people=(ANN,)),
            attestation("second", old="b", new="c", benchmark="x", people=(ANN, BOB)),
            attestation("third", old="b", new="c", benchmark="y", people=(Contributor("0xAB" * 300),)),
        ):
            ledger.attestations.put(one)

    def test_gives_the_newest_to_which_all_applies(self, ledger: Ledger) -> None:
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({}, ["third", "second", "first"]),
            ({"limit": 2}, ["third", "second"]),
            ({"model_sha256": digest("a")}, ["first"]),
            ({"model_sha256": digest("b")}, ["third", "second", "first"]),
            ({"model_sha256": digest("z")}, []),
            ({"benchmark_sha256": digest("x")}, ["second", "first"]),
            ({"benchmark_sha256": digest("record of y")}, ["third"]),
            ({"contributor": "ann"}, ["second", "first"]),
            ({"contributor": "ANN"}, ["second", "first"]),
            ({"contributor": WALLET.lower()}, ["second", "first"]),
            ({"contributor": WALLET.upper()}, ["second", "first"]),
            ({"contributor": "an"}, []),
            ({"contributor": "0xab" * 300}, ["third"]),
            ({"subject_sha256": digest("data of first")}, ["first"]),
            ({"subject_sha256": digest("x")}, []),  # the benchmark's bytes are no subject of these
            ({"model_sha256": digest("c"), "contributor": "bob"}, ["second"]),
            ({"model_sha256": digest("c"), "contributor": "bob", "benchmark_sha256": digest("y")}, []),
            ({"model_sha256": digest("b"), "contributor": "ann", "limit": 1}, ["second"]),
            ({"after": digest("third")}, ["second", "first"]),
            ({"after": digest("first")}, []),
            ({"after": digest("third"), "contributor": "bob"}, ["second"]),
            ({"after": digest("second"), "contributor": "ann", "limit": 5}, ["first"]),
            ({"contributor": "\0"}, []),
        ]
        for asked, found in cases:
            facts = ledger.attestations.find(**asked)
            assert [one.statement_sha256 for one in facts] == [digest(name) for name in found], asked

    def test_by_what_is_no_digest(self, ledger: Ledger) -> None:
        for name in ("model_sha256", "benchmark_sha256", "subject_sha256", "after"):
            with pytest.raises(InvalidInputError, match="Not a SHA-256"):
                ledger.attestations.find(**{name: "\0"})  # type: ignore[arg-type]

    def test_after_what_is_not_there(self, ledger: Ledger) -> None:
        with pytest.raises(NotFoundError):
            ledger.attestations.find(after=digest("unknown"))

    def test_an_attestation_that_is_signed_again_stays_at_its_place(self, ledger: Ledger) -> None:
        ledger.attestations.put(attestation("first", old="a", new="b", benchmark="x", keys=("k9",)))
        facts = ledger.attestations.find(contributor="ann")
        assert [one.statement_sha256 for one in facts] == [digest("second"), digest("first")]
        assert facts[1].signed_by == ("k1", "k9")


class TestWhatIsNoAttestation:
    def test_bytes_of_another_digest(self) -> None:
        with pytest.raises(InvalidInputError, match="Not a SHA-256"):
            AttestationFacts("abc", "kind", ())
