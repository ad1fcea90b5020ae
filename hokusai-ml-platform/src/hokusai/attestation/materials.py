"""What a verifier has at hand beside an attestation, and the checks that it makes possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.benchmark_statement import (
    CommittedBenchmark,
    check_benchmark,
    parse_benchmark_envelope,
    read_benchmark_statement,
)
from hokusai.attestation.envelope import Envelope, keyid
from hokusai.attestation.envelope import verify as verify_signatures
from hokusai.attestation.openings import Openings, challenged_rows, check_openings
from hokusai.attestation.policy import Policy
from hokusai.attestation.predictions import RowPredictions, read_predictions
from hokusai.attestation.recompute import check_predictions
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Materials:
    """What a verifier has at hand beside the attestation; each of it lets more be checked.

    Attributes:
        files: Name to SHA-256 (hex) of files, each of which must be one that the statement is about.
        benchmark_statement: The benchmark owner's signed commitment, as it stands in its file.
        predictions: Labels and both models' predictions, or the file that holds them.
        openings: Opened rows, as they stand in their file.
        secret: What the commitments were made with, where that was a secret.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    benchmark_statement: bytes | None = None
    predictions: RowPredictions | Path | None = None
    openings: bytes | None = None
    secret: bytes = field(default=b"", repr=False)


def trusted_signers(
    envelope: Envelope, policy: Policy, keys: Sequence[Ed25519PublicKey], threshold: int
) -> tuple[str, ...]:
    """Ids of the keys that signed, without those that are revoked for this statement."""
    sha256 = sha256_hex(envelope.payload)
    counted = [key for key in keys if not policy.is_revoked(key, sha256)]
    revoked = ", ".join(sorted(keyid(key) for key in keys if policy.is_revoked(key, sha256)))
    if threshold > len({keyid(key) for key in counted}):
        raise IntegrityError(f"Too few trusted keys are left: revoked for this statement is {revoked}")
    try:
        return verify_signatures(envelope, counted, threshold)
    except IntegrityError as exc:
        if not revoked:
            raise
        raise IntegrityError(f"{exc.what}; revoked for this statement is {revoked}") from exc


def check_owner(claim: DeltaOneClaim, policy: Policy, data: bytes | None) -> str:
    """The commitment of the benchmark's owner, whose keys the policy names, stands behind the claim."""
    if not policy.owner_keys:
        raise IntegrityError(
            "A commitment of the benchmark's owner was given, but the policy names no key of his"
        )
    if data is None:
        raise IntegrityError(
            "The policy asks for the commitment of the benchmark's owner, and none was given"
        )
    envelope, sha256 = parse_benchmark_envelope(data)
    signed_by = trusted_signers(envelope, policy, policy.owner_keys, policy.owner_threshold)
    benchmark = read_benchmark_statement(envelope.payload)
    if policy.units != benchmark.unit_column:
        raise IntegrityError(
            f"The column of units is {benchmark.unit_column} in the owner's commitment, {policy.units} in the policy"
        )
    return check_benchmark(claim, CommittedBenchmark(benchmark, sha256, signed_by))


def check_rows(claim: DeltaOneClaim, given: RowPredictions | Path, secret: bytes) -> tuple[str, ...]:
    """What follows from labels and predictions is so; names of what was worked out again."""
    task = claim.comparison.task
    predictions = read_predictions(given, task) if isinstance(given, Path) else given
    return check_predictions(claim, predictions, secret=secret)


def check_opened(claim: DeltaOneClaim, sha256: str, policy: Policy, data: bytes | None) -> str:
    """Opened rows are what was committed to, and as many and those that the policy asks for."""
    if data is None:
        raise IntegrityError(f"The policy asks for {policy.min_openings} opened rows, and none were given")
    openings = Openings.parse(data)
    check_openings(openings, claim, sha256)
    opened, n_rows = {row.row for row in openings.rows}, claim.comparison.n_rows
    if len(opened) < min(policy.min_openings, n_rows):
        raise IntegrityError(f"The policy asks for {policy.min_openings} opened rows, got {len(opened)}")
    drawn = ""
    if policy.challenge is not None:
        missing = set(challenged_rows(sha256, policy.challenge, n_rows, policy.min_openings)) - opened
        if missing:
            raise IntegrityError(f"The challenge asks for row {min(missing)} too, which was not opened")
        drawn = ", with all that the challenge asks for"
    return f"{len(opened)} of {n_rows} rows are what was committed to{drawn}"


def check_files(claim: DeltaOneClaim, files: Mapping[str, str]) -> str:
    """Every file is one that the statement is about."""
    found = match_files(claim, files)
    return "; ".join(f"{name} is {', '.join(subjects)}" for name, subjects in found.items())


def match_files(claim: DeltaOneClaim, files: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Which subjects each file is.

    Args:
        claim: What a statement says.
        files: File name to SHA-256 of its bytes, hex.

    Raises:
        IntegrityError: A file is none of the subjects.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, sha256 in files.items():
        found[name] = tuple(subject for subject, digest in claim.subjects if digest == sha256)
        if not found[name]:
            raise IntegrityError(
                f"{name} (SHA-256 {sha256}) is none of the files that the statement is about"
            )
    return found


def check_benchmark_files(benchmark: Benchmark, files: Mapping[str, str]) -> str:
    """Every file is the benchmark's data."""
    for name, sha256 in files.items():
        if sha256 != benchmark.data_sha256:
            raise IntegrityError(f"{name} (SHA-256 {sha256}) is not the benchmark's data")
    return f"{', '.join(files)} is the benchmark's data"
