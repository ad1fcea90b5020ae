"""Verify an attestation offline: who signed it, and whether what it says is consistent to the last digit.

A signature says who speaks, not that he is right; the holder of the key could sign nonsense. So everything
that can be worked out again is worked out again, and the report lists what was checked, and what cannot be
checked here. Keys, weights, primary metric and threshold come from the verifier's policy, never from the
statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation import agreed, checks
from hokusai.attestation.benchmark_statement import (
    CommittedBenchmark,
    check_benchmark,
    parse_benchmark_envelope,
    read_benchmark_statement,
)
from hokusai.attestation.envelope import Envelope, keyid
from hokusai.attestation.envelope import verify as verify_signatures
from hokusai.attestation.numbers import Json
from hokusai.attestation.openings import Openings, challenged_rows, check_openings
from hokusai.attestation.policy import Policy
from hokusai.attestation.predictions import RowPredictions, read_predictions
from hokusai.attestation.reader import read_statement
from hokusai.attestation.recompute import check_predictions
from hokusai.attestation.statement import build_statement
from hokusai.domain.canonical import canonical_json, parse_json, require_sha256, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.stats.from_counts import COUNT_METRICS

T = TypeVar("T")


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


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """What a report comes to."""

    VERIFIED = "verified"
    NOT_EVIDENCE = "not evidence"
    """Sound, but of a dry run on mock data."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What was checked, in order, and what was not.

    Attributes:
        checks: Every check, also those that were skipped because an earlier one failed.
        not_checked: What this verifier cannot or was not asked to check, in words.
        signed_by: Ids of the trusted keys that signed.
        statement_sha256: Digest of the signed bytes; None if there are none to speak of.
        statement: The signed statement; None unless its signature holds.
        claim: The statement as a noun; None unless it could be read.
    """

    checks: tuple[Check, ...]
    not_checked: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    statement_sha256: str | None = None
    statement: Json | None = None
    claim: DeltaOneClaim | None = None

    @property
    def ok(self) -> bool:
        """Whether no check failed. A dry run fails its own check unless the policy allows it."""
        return all(check.status is not Status.FAILED for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status is Status.FAILED)

    @property
    def verdict(self) -> Verdict:
        """What the checks come to. A dry run is never `VERIFIED`."""
        if any(check.name != "real run" for check in self.failed):
            return Verdict.REFUSED
        dry = self.claim is not None and self.claim.dry_run
        return Verdict.NOT_EVIDENCE if dry else Verdict.VERIFIED

    def to_dict(self) -> Json:
        """The report as JSON."""
        return {
            "verdict": self.verdict.value,
            "ok": self.ok,
            "statementSha256": self.statement_sha256,
            "signedBy": list(self.signed_by),
            "checks": [{"name": c.name, "status": c.status.value, "detail": c.detail} for c in self.checks],
            "notChecked": list(self.not_checked),
        }


def verify_attestation(
    envelope_bytes: bytes, policy: Policy, materials: Materials | None = None
) -> VerificationReport:
    """Check an attestation.

    Nothing that a trusted key has not signed is looked into. After that, each check runs by itself, so that
    the report shows all that is wrong.

    Args:
        envelope_bytes: The attestation file's content.
        policy: What is insisted on.
        materials: What else is at hand.

    Returns:
        The report; look at its `verdict` (or `ok`). Content that is wrong never raises.
    """
    log = _Log()
    envelope = log.step("envelope", lambda: Envelope.parse(envelope_bytes), _signers)
    signed_by: tuple[str, ...] | None = None
    if envelope is not None:
        signed_by = log.step(
            "signature",
            lambda: _signed_by(envelope, policy, policy.trusted_keys, policy.threshold),
            lambda ids: f"by {', '.join(ids)}",
        )
    if envelope is None or signed_by is None:
        return VerificationReport(log.with_the_rest_skipped())
    return _examine(log, envelope.payload, signed_by, policy, materials or Materials())


def examine_statement(
    payload: bytes, policy: Policy, materials: Materials | None = None
) -> VerificationReport:
    """All checks of a statement that nobody has signed yet: what a second signer wants to know before he signs."""
    log = _Log()
    log.skip("envelope", "the statement alone is looked at")
    log.skip("signature", "the statement alone is looked at")
    return _examine(log, payload, (), policy, materials or Materials())


def _examine(
    log: _Log, payload: bytes, signed_by: tuple[str, ...], policy: Policy, materials: Materials
) -> VerificationReport:
    sha256 = sha256_hex(payload)
    statement = log.step("canonical bytes", lambda: _canonical(payload), lambda _: f"SHA-256 {sha256}")
    read = (
        None
        if statement is None
        else log.step("statement", lambda: _read(statement), lambda _: "DeltaOne v1")
    )
    if statement is None or read is None:
        return VerificationReport(log.with_the_rest_skipped(), (), signed_by, sha256, statement)
    claim, rebuilt = read
    stated, right = _predicate(statement), _predicate(rebuilt)
    log.check("subjects", lambda: _check_subjects(claim, statement, rebuilt))
    log.check("joint counts", lambda: checks.check_task(claim))
    log.check("metrics", lambda: checks.check_metrics(claim))
    log.check("deltas", lambda: checks.check_deltas(claim, stated, right))
    log.check("gains", lambda: checks.check_gains(claim, stated, right))
    log.check("intervals", lambda: checks.check_uncertainty(claim, policy.confidence))
    log.check("significance", lambda: checks.check_significance(claim))
    log.check("weights", lambda: checks.check_weights(claim, policy.weights))
    log.check("DeltaOne", lambda: checks.check_delta_one(claim, stated, right))
    log.check("primary record", lambda: checks.check_primary(claim, policy.primary_metric))
    log.check("contributors", lambda: checks.check_contributors(claim, stated, right))
    log.check("nothing else", lambda: _check_nothing_else(statement, rebuilt))
    _check_agreed(log, claim, policy)
    recomputed = _check_materials(log, claim, sha256, policy, materials)
    log.check("real run", lambda: _check_real(claim, policy))
    notes = _not_checked(claim, policy, materials, recomputed, opened=log.passed("openings"))
    return VerificationReport(tuple(log.checks), notes, signed_by, sha256, statement, claim)


def _check_agreed(log: _Log, claim: DeltaOneClaim, policy: Policy) -> None:
    """What was decided, and who is credited: where the statement says so, or the policy asks for it."""
    if claim.decision is None and policy.rule is None and not policy.require_accepted:
        log.skip("decision", "the statement has none")
    else:
        log.check(
            "decision",
            lambda: agreed.check_decision(claim, policy.rule, accepted=policy.require_accepted),
        )
    if claim.attribution is None:
        log.skip("attribution", "the statement has none: credit goes by accepted rows")
    else:
        log.check("attribution", lambda: agreed.check_attribution(claim, policy.confidence))


def _check_materials(
    log: _Log, claim: DeltaOneClaim, sha256: str, policy: Policy, materials: Materials
) -> tuple[str, ...]:
    """Whatever is at hand, and whatever the policy wants to be at hand; what could be worked out again from rows."""
    recomputed: tuple[str, ...] | None = None
    if policy.owner_keys or materials.benchmark_statement is not None:
        log.check("benchmark", lambda: _check_benchmark(claim, policy, materials.benchmark_statement))
    else:
        log.skip("benchmark", "no commitment of the benchmark's owner was given")
    predictions = materials.predictions
    if predictions is None:
        log.skip("predictions", "no predictions were given")
    else:
        recomputed = log.step(
            "predictions",
            lambda: _check_predictions(claim, predictions, materials.secret),
            lambda names: f"{', '.join(names)} of {claim.comparison.n_rows} rows, worked out again",
        )
    if policy.min_openings or materials.openings is not None:
        log.check("openings", lambda: _check_openings(claim, sha256, policy, materials.openings))
    else:
        log.skip("openings", "no rows were opened")
    if materials.files:
        log.check("files", lambda: _check_files(claim, materials.files))
    else:
        log.skip("files", "no file was given to compare")
    return recomputed or ()


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


CHECK_NAMES = (
    "envelope",
    "signature",
    "canonical bytes",
    "statement",
    "subjects",
    "joint counts",
    "metrics",
    "deltas",
    "gains",
    "intervals",
    "significance",
    "weights",
    "DeltaOne",
    "primary record",
    "contributors",
    "nothing else",
    "decision",
    "attribution",
    "benchmark",
    "predictions",
    "openings",
    "files",
    "real run",
)
"""Every check, in the order in which it is made."""


class _Log:
    """Collects checks: a step gives a value that later ones need, a check gives a sentence."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def step(self, name: str, run: Callable[[], T], say: Callable[[T], str]) -> T | None:
        """What `run` gives; None if it refused, which is then noted."""
        try:
            value = run()
        except HokusaiError as exc:
            self.checks.append(Check(name, Status.FAILED, str(exc)))
            return None
        except (ArithmeticError, RecursionError, ValueError) as exc:
            # Hostile content: numbers of thousands of digits, lists a thousand deep.
            self.checks.append(
                Check(name, Status.FAILED, f"The content is out of bounds: {type(exc).__name__}")
            )
            return None
        self.checks.append(Check(name, Status.PASSED, say(value)))
        return value

    def check(self, name: str, run: Callable[[], str]) -> None:
        self.step(name, run, str)

    def passed(self, name: str) -> bool:
        """Whether the check called `name` was made and passed."""
        return any(check.name == name and check.status is Status.PASSED for check in self.checks)

    def skip(self, name: str, why: str) -> None:
        self.checks.append(Check(name, Status.SKIPPED, why))

    def with_the_rest_skipped(self) -> tuple[Check, ...]:
        """All checks, those after the last one as skipped because of it."""
        last = self.checks[-1].name
        for name in CHECK_NAMES[len(self.checks) :]:
            self.skip(name, f"because the check {last!r} failed")
        return tuple(self.checks)


def _canonical(payload: bytes) -> Json:
    statement = parse_json(payload)
    if canonical_json(statement) != payload:
        raise IntegrityError("The signed bytes are not in the canonical form of RFC 8785")
    if not isinstance(statement, dict):
        raise IntegrityError("The signed bytes are not a statement: expected a JSON object")
    return statement


def _read(statement: Json) -> tuple[DeltaOneClaim, Json]:
    claim = read_statement(statement)
    return claim, build_statement(claim)


def _predicate(statement: Json) -> Json:
    predicate = statement["predicate"]
    if not isinstance(predicate, dict):  # pragma: no cover - it could not have been read
        raise IntegrityError("The predicate is not an object")
    return predicate


def _check_subjects(claim: DeltaOneClaim, statement: Json, rebuilt: Json) -> str:
    for name, sha256 in claim.subjects:
        require_sha256(sha256, name)
    difference = checks.first_difference(statement["subject"], rebuilt["subject"], "$.subject")
    if difference:
        raise IntegrityError(f"The subjects do not fit the contributions: {difference}")
    checks.check_sources(claim)
    return ", ".join(name for name, _ in claim.subjects)


def _check_nothing_else(statement: Json, rebuilt: Json) -> str:
    """The statement is exactly what its facts give: no unknown field, no number in another spelling."""
    difference = checks.first_difference(statement, rebuilt)
    if difference:
        raise IntegrityError(f"The statement says what does not follow from its facts: {difference}")
    return "the statement is, byte for byte, what its facts give"


def _check_files(claim: DeltaOneClaim, files: Mapping[str, str]) -> str:
    found = match_files(claim, files)
    return "; ".join(f"{name} is {', '.join(subjects)}" for name, subjects in found.items())


def _signed_by(
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


def _check_benchmark(claim: DeltaOneClaim, policy: Policy, data: bytes | None) -> str:
    if not policy.owner_keys:
        raise IntegrityError(
            "A commitment of the benchmark's owner was given, but the policy names no key of his"
        )
    if data is None:
        raise IntegrityError(
            "The policy asks for the commitment of the benchmark's owner, and none was given"
        )
    envelope, sha256 = parse_benchmark_envelope(data)
    signed_by = _signed_by(envelope, policy, policy.owner_keys, policy.owner_threshold)
    benchmark = read_benchmark_statement(envelope.payload)
    return check_benchmark(claim, CommittedBenchmark(benchmark, sha256, signed_by))


def _check_predictions(claim: DeltaOneClaim, given: RowPredictions | Path, secret: bytes) -> tuple[str, ...]:
    task = claim.comparison.task
    predictions = read_predictions(given, task) if isinstance(given, Path) else given
    return check_predictions(claim, predictions, secret=secret)


def _check_openings(claim: DeltaOneClaim, sha256: str, policy: Policy, data: bytes | None) -> str:
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


def _check_real(claim: DeltaOneClaim, policy: Policy) -> str:
    if not claim.dry_run:
        return "not a dry run"
    said = "DRY RUN on mock data: NOT EVIDENCE of any improvement"
    if not policy.allow_dry_run:
        raise IntegrityError(said)
    return f"{said}; the policy allows it"


def _signers(envelope: Envelope) -> str:
    return f"DSSE, signed by {', '.join(signature.keyid for signature in envelope.signatures)}"


def _not_checked(
    claim: DeltaOneClaim, policy: Policy, materials: Materials, recomputed: tuple[str, ...], *, opened: bool
) -> tuple[str, ...]:
    comparison = claim.comparison
    names = [delta.metric.name for delta in comparison.deltas if delta.metric.name not in recomputed]
    believed = [name for name in names if comparison.counts is None or name not in COUNT_METRICS]
    if comparison.n_units is not None:
        errors = [*(delta.metric.name for delta in comparison.deltas), "DeltaOne"]
    else:
        by_counts = comparison.counts is not None and set(comparison.weights) <= set(COUNT_METRICS)
        errors = [*believed, *([] if by_counts or "DeltaOne" in recomputed else ["DeltaOne"])]
    notes: list[str] = []
    if believed:
        weighted = [name for name in believed if name in comparison.weights]
        through = f", and so the share of {', '.join(weighted)} in DeltaOne" if weighted else ""
        notes.append(f"the values of {', '.join(believed)}: they need the benchmark rows{through}")
    if errors:
        notes.append(f"standard errors of {', '.join(errors)}: the counts do not determine them")
    on_these = " on the opened rows" if opened else ""
    notes.append(
        f"that the counts came from these models and this benchmark: run the models again{on_these} to know"
    )
    old, new = claim.baseline_estimator, claim.new_estimator
    if old is not None and old.import_path != new.import_path:
        notes.append(
            f"that the data made the difference: the models are of two kinds, {old.import_path} and {new.import_path}"
        )
    notes += agreed.signers_word(claim)
    if policy.weights is None:
        notes.append("whether the weights are the agreed ones: the policy names none")
    if policy.primary_metric is None:
        notes.append("whether the primary metric is the agreed one: the policy names none")
    if claim.decision is not None and policy.rule is None:
        notes.append("whether the rule of the decision is the agreed one: the policy names none")
    if claim.benchmark_statement_sha256 is not None and materials.benchmark_statement is None:
        notes.append("the commitment of the benchmark's owner: it was not given")
    if claim.commitments is not None and not opened and "commitments" not in recomputed:
        notes.append("what the commitments are to: neither predictions nor opened rows were given")
    present = set(materials.files.values())
    missing = [name for name, sha256 in claim.subjects if sha256 not in present]
    if missing:
        notes.append(f"the files behind {', '.join(missing)}: they were not given")
    notes += [f"the evidence {item.name!r} ({item.media_type})" for item in claim.evidence]
    return tuple(notes)
