"""Attestations in the ledger: what an envelope is found by, and the envelope again from what is kept.

The ledger keeps bytes and knows no format; the envelope's format is `hokusai.attestation`'s. This is where the two
meet. Keeping an attestation verifies nothing: whoever takes one out verifies it with the keys that he trusts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hokusai.attestation.envelope import Envelope, Signature
from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import PREDICATE_TYPE, STATEMENT_TYPE
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.stored_attestation import AttestationFacts, StatementSignature, StoredAttestation
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.ports import Ledger


class Attestations:
    """The attestations of a ledger.

    Args:
        ledger: Where they are kept.
        actor: Who is working, for the audit trail.
    """

    def __init__(self, ledger: Ledger, actor: str = "") -> None:
        self._shelf = ledger.attestations
        self._actor = actor

    def put(self, envelope: Envelope, *, model_id: str | None = None) -> AttestationFacts:
        """Keep an envelope; one of the same statement that is there gains the signatures that it lacks.

        Args:
            envelope: What was signed.
            model_id: Under which the new model is registered.

        Raises:
            IntegrityError: Its payload is no in-toto statement, or no DeltaOne statement though it says so.
            ConflictError: A key that signed the copy that is kept is said to have signed otherwise.
        """
        return self._shelf.put(to_store(envelope, model_id), actor=self._actor).facts

    def get(self, statement_sha256: str) -> Envelope:
        """The envelope of the statement with this digest, with all signatures that are kept.

        Raises:
            NotFoundError: There is none.
        """
        return from_store(self._shelf.get(statement_sha256))

    def find(
        self,
        *,
        model_sha256: str | None = None,
        contributor: str | None = None,
        benchmark_sha256: str | None = None,
        subject_sha256: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[AttestationFacts]:
        """What is known of attestations to which all that is given applies, the latest put first.

        `hokusai.ports.AttestationShelf.find` says what each of these means.
        """
        return self._shelf.find(
            model_sha256=model_sha256,
            contributor=contributor,
            benchmark_sha256=benchmark_sha256,
            subject_sha256=subject_sha256,
            limit=limit,
            after=after,
        )


def to_store(envelope: Envelope, model_id: str | None = None) -> StoredAttestation:
    """An envelope as the ledger keeps it.

    Any in-toto statement can be kept. Its subjects are known by their names: `baseline-model`, `new-model`,
    `benchmark`; its contributors by `contributor` and `wallet` of the predicate's `contributions`; the benchmark's
    record by `benchmarkRecord`, or by `recordSha256` where the owner commits to it.

    Raises:
        IntegrityError: The payload is no in-toto statement, or no DeltaOne statement though it says so.
    """
    statement = _statement(envelope.payload)
    predicate_type = statement["predicateType"]
    predicate = statement.get("predicate")
    predicate = predicate if isinstance(predicate, dict) else {}
    if predicate_type == PREDICATE_TYPE:
        read_statement(statement)  # what is kept under this name can be read
    subjects = tuple(_subjects(statement["subject"]))
    by_name = dict(subjects)
    try:
        facts = AttestationFacts(
            statement_sha256=sha256_hex(envelope.payload),
            predicate_type=predicate_type,
            subjects=subjects,
            baseline_model_sha256=by_name.get("baseline-model"),
            new_model_sha256=by_name.get("new-model"),
            benchmark_sha256=by_name.get("benchmark"),
            benchmark_record_sha256=_digest_of(predicate.get("benchmarkRecord"))
            or _text(predicate.get("recordSha256")),
            contributors=tuple(dict.fromkeys(_contributors(predicate.get("contributions")))),
            model_id=model_id,
            dry_run=predicate.get("dryRun") is True,
        )
    except IntegrityError:
        raise
    except HokusaiError as problem:  # a digest or an address that is none
        raise IntegrityError(f"Not a statement that can be kept: {problem}") from problem
    signatures = tuple(StatementSignature(one.keyid, one.sig) for one in envelope.signatures)
    return StoredAttestation(envelope.payload, envelope.payload_type, signatures, facts)


def from_store(kept: StoredAttestation) -> Envelope:
    """The envelope that is kept."""
    signatures = tuple(Signature(one.keyid, one.sig) for one in kept.signatures)
    return Envelope(kept.payload, kept.payload_type, signatures)


def _statement(payload: bytes) -> Mapping[str, Any]:
    try:
        statement = parse_json(payload)
    except HokusaiError as problem:
        raise IntegrityError(f"The payload is not a statement: {problem}") from problem
    if (
        not isinstance(statement, dict)
        or statement.get("_type") != STATEMENT_TYPE
        or not isinstance(statement.get("predicateType"), str)
        or not isinstance(statement.get("subject"), list)
    ):
        raise IntegrityError("The payload is not an in-toto statement v1")
    return statement


def _subjects(items: list[Any]) -> Iterator[tuple[str, str]]:
    """(name, SHA-256) of each subject that has one."""
    for item in items:
        sha256 = _digest_of(item.get("digest")) if isinstance(item, dict) else None
        if sha256 is not None:
            yield str(item.get("name", "")), sha256


def _digest_of(value: object) -> str | None:
    return _text(value.get("sha256")) if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _contributors(items: object) -> Iterator[Contributor]:
    for item in items if isinstance(items, list) else ():
        name = item.get("contributor") if isinstance(item, dict) else None
        if isinstance(name, str):
            wallet = item.get("wallet")
            yield Contributor(name, WalletAddress.parse(wallet) if isinstance(wallet, str) else None)
