"""An attestation as the ledger keeps it: the signed bytes, and what they are found by.

The ledger reads no format. Whoever puts an attestation there has read its statement, and says beside the bytes what
they are about; `hokusai.core.attestations` does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hokusai.domain.canonical import require_sha256, sha256_hex
from hokusai.domain.contribution import Contributor, party_key
from hokusai.errors import ConflictError, IntegrityError, InvalidInputError

MOST_SIGNATURES = 64
"""How many parties can sign one statement."""


@dataclass(frozen=True, slots=True)
class StatementSignature:
    """One party's signature of a statement.

    Attributes:
        keyid: By which key it is said to be.
        sig: Its bytes.
    """

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class AttestationFacts:
    """What an attestation is found by, without its bytes, which may be many.

    Attributes:
        statement_sha256: The identity: digest of the bytes that are signed.
        predicate_type: What kind of statement it is.
        subjects: (name, SHA-256) of every file that it is about.
        baseline_model_sha256, new_model_sha256: The models that are compared, if it compares any.
        benchmark_sha256: Digest of the benchmark's bytes, if there is one.
        benchmark_record_sha256: Identity of the benchmark's record, if it names one.
        contributors: Whose contributions it credits.
        model_id: Under which the new model is registered, if it is known to be.
        dry_run: Whether it is of a rehearsal: no evidence of anything.
        signed_by: Ids of the keys that are said to have signed.
    """

    statement_sha256: str
    predicate_type: str
    subjects: tuple[tuple[str, str], ...]
    baseline_model_sha256: str | None = None
    new_model_sha256: str | None = None
    benchmark_sha256: str | None = None
    benchmark_record_sha256: str | None = None
    contributors: tuple[Contributor, ...] = ()
    model_id: str | None = None
    dry_run: bool = False
    signed_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_sha256(self.statement_sha256, "statement_sha256")
        for name, sha256 in self.subjects:
            require_sha256(sha256, name)
        for name in ("baseline_model", "new_model", "benchmark", "benchmark_record"):
            sha256 = getattr(self, f"{name}_sha256")
            if sha256 is not None:
                require_sha256(sha256, name)

    def found_by(self) -> Iterator[tuple[str, str]]:
        """(kind, key) of everything that it is found by."""
        found = {
            *(("subject", sha256) for _, sha256 in self.subjects),
            *(("model", sha256) for sha256 in (self.baseline_model_sha256, self.new_model_sha256) if sha256),
            *(
                ("benchmark", sha256)
                for sha256 in (self.benchmark_sha256, self.benchmark_record_sha256)
                if sha256
            ),
            *(("contributor", party_key(one.contributor_id)) for one in self.contributors),
            *(("contributor", party_key(str(one.wallet))) for one in self.contributors if one.wallet),
        }
        yield from sorted(found)


@dataclass(frozen=True, slots=True)
class StoredAttestation:
    """A signed statement, and what is known of it.

    Attributes:
        payload: The bytes that are signed; they belong to `facts.statement_sha256`.
        payload_type: Their type, which is signed too.
        signatures: One or more, each of another key.
        facts: What it is found by.
    """

    payload: bytes = field(repr=False)
    payload_type: str
    signatures: tuple[StatementSignature, ...]
    facts: AttestationFacts

    def __post_init__(self) -> None:
        if sha256_hex(self.payload) != self.facts.statement_sha256:
            raise IntegrityError(
                "The statement's bytes do not have the digest that they are stored under",
                where=self.facts.statement_sha256,
            )
        keyids = tuple(signature.keyid for signature in self.signatures)
        if not 1 <= len(set(keyids)) == len(keyids) <= MOST_SIGNATURES:
            raise InvalidInputError(
                f"An attestation has 1 to {MOST_SIGNATURES} signatures, each of another key; got {len(keyids)}",
                where=self.facts.statement_sha256,
            )
        if self.facts.signed_by != keyids:
            object.__setattr__(self, "facts", replace(self.facts, signed_by=keyids))

    @property
    def statement_sha256(self) -> str:
        """The identity: digest of the bytes that are signed."""
        return self.facts.statement_sha256

    def with_signatures_of(self, other: StoredAttestation) -> StoredAttestation:
        """This, with the signatures that another copy of the same statement has besides, and its model id.

        Raises:
            ConflictError: A key is said to have signed in two ways; or there are more signatures than can be.
            IntegrityError: The other is of another statement.
        """
        if (self.payload, self.payload_type) != (other.payload, other.payload_type):
            raise IntegrityError("These are two statements, not copies of one", where=self.statement_sha256)
        known = {signature.keyid: signature.sig for signature in self.signatures}
        for signature in other.signatures:
            if known.setdefault(signature.keyid, signature.sig) != signature.sig:
                raise ConflictError(
                    f"The attestation is kept with another signature of the key {signature.keyid[:80]}; a key signs a "
                    "statement in one way, so that one of the two does not hold",
                    where=self.statement_sha256,
                    hint="Verify both with: hokusai attest verify",
                )
        if len(known) > MOST_SIGNATURES:
            raise ConflictError(
                f"Together the copies have {len(known)} signatures, and at most {MOST_SIGNATURES} can be kept",
                where=self.statement_sha256,
            )
        signatures = tuple(StatementSignature(keyid, sig) for keyid, sig in known.items())
        facts = replace(self.facts, model_id=self.facts.model_id or other.facts.model_id)
        return replace(self, signatures=signatures, facts=facts)


def search_keys(
    *,
    model_sha256: str | None = None,
    contributor: str | None = None,
    benchmark_sha256: str | None = None,
    subject_sha256: str | None = None,
) -> dict[str, str]:
    """Kind to key, as `AttestationFacts.found_by` has them, of what is asked for.

    Raises:
        InvalidInputError: A digest is none.
    """
    digests = {"model": model_sha256, "benchmark": benchmark_sha256, "subject": subject_sha256}
    asked = {kind: require_sha256(text, kind) for kind, text in digests.items() if text is not None}
    return asked if contributor is None else {**asked, "contributor": party_key(contributor)}
