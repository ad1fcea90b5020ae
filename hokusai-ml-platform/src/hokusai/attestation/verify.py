"""Verify an attestation offline: who signed it, and whether what it says is consistent to the last digit.

A signature says who speaks, not that he is right; the holder of the key could sign nonsense. So everything
that can be worked out again is worked out again, and the report lists what was checked, and what cannot be
checked here. Keys, weights, primary metric and threshold come from the verifier's policy, never from the
statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hokusai.attestation import agreed, checks
from hokusai.attestation.benchmark_statement import (
    read_benchmark_statement,
)
from hokusai.attestation.envelope import Envelope
from hokusai.attestation.materials import (
    Materials,
    check_benchmark_files,
    check_files,
    check_opened,
    check_owner,
    check_rows,
    trusted_signers,
)
from hokusai.attestation.numbers import Json
from hokusai.attestation.policy import Policy
from hokusai.attestation.reader import read_statement
from hokusai.attestation.report import CheckLog, VerificationReport
from hokusai.attestation.statement import IDENTITIES_NON_CLAIM, build_statement, non_claims
from hokusai.domain.canonical import canonical_json, parse_json, require_sha256, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.delta import Comparison
from hokusai.errors import IntegrityError
from hokusai.stats.from_counts import COUNT_METRICS


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
    log = CheckLog(CHECK_NAMES)
    envelope = log.step("envelope", lambda: Envelope.parse(envelope_bytes), _signers)
    signed_by: tuple[str, ...] | None = None
    if envelope is not None:
        signed_by = log.step(
            "signature",
            lambda: trusted_signers(envelope, policy, policy.trusted_keys, policy.threshold),
            lambda ids: f"by {', '.join(ids)}",
        )
    if envelope is None or signed_by is None:
        return VerificationReport(log.with_the_rest_skipped())
    return _examine(log, envelope.payload, signed_by, policy, materials or Materials())


def verify_benchmark_commitment(
    envelope_bytes: bytes, policy: Policy, materials: Materials | None = None
) -> VerificationReport:
    """Check a benchmark commitment by itself, as whoever receives it before contributing does.

    Args:
        envelope_bytes: The commitment file's content.
        policy: Its `owner_keys`, or where it has none its `trusted_keys`, say whose signature counts.
        materials: With `files`, one of which may be the benchmark's data.
    """
    log, materials = CheckLog(BENCHMARK_CHECK_NAMES), materials or Materials()
    keys, threshold = policy.owner_keys or policy.trusted_keys, policy.threshold
    if policy.owner_keys:
        threshold = policy.owner_threshold
    envelope = log.step("envelope", lambda: Envelope.parse(envelope_bytes), _signers)
    signed_by: tuple[str, ...] | None = None
    if envelope is not None:
        signed_by = log.step(
            "signature",
            lambda: trusted_signers(envelope, policy, keys, threshold),
            lambda ids: f"by {', '.join(ids)}",
        )
    if envelope is None or signed_by is None:
        return VerificationReport(log.with_the_rest_skipped())
    sha256, payload = sha256_hex(envelope.payload), envelope.payload
    benchmark = log.step(
        "statement",
        lambda: read_benchmark_statement(payload),
        lambda read: f"benchmark commitment v1 of {read.name!r}, record {read.sha256}",
    )
    if benchmark is None:
        return VerificationReport(log.with_the_rest_skipped(), (), signed_by, sha256)
    if materials.files:
        log.check("files", lambda: check_benchmark_files(benchmark, materials.files))
    else:
        log.skip("files", "no file was given to compare")
    notes = (
        "when it was signed: keep its digest, if you received it before anybody contributed",
        "the labels",
    )
    return VerificationReport(tuple(log.checks), notes, signed_by, sha256, _canonical(payload))


def examine_statement(
    payload: bytes, policy: Policy, materials: Materials | None = None
) -> VerificationReport:
    """All checks of a statement that nobody has signed yet: what a second signer wants to know before he signs."""
    log = CheckLog(CHECK_NAMES)
    log.skip("envelope", "the statement alone is looked at")
    log.skip("signature", "the statement alone is looked at")
    return _examine(log, payload, (), policy, materials or Materials())


def _examine(
    log: CheckLog, payload: bytes, signed_by: tuple[str, ...], policy: Policy, materials: Materials
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
    log.check("significance", lambda: checks.check_significance(claim, policy.units))
    log.check("weights", lambda: checks.check_weights(claim, policy.weights))
    log.check("DeltaOne", lambda: checks.check_delta_one(claim, stated, right))
    log.check("primary record", lambda: checks.check_primary(claim, policy.primary_metric))
    log.check("contributors", lambda: checks.check_contributors(claim, stated, right))
    log.check("nothing else", lambda: _check_nothing_else(statement, rebuilt))
    _check_agreed(log, claim, policy)
    recomputed = _check_materials(log, claim, sha256, policy, materials)
    log.check("real run", lambda: _check_real(claim, policy))
    notes = _not_checked(claim, policy, materials, recomputed, log.passed)
    return VerificationReport(tuple(log.checks), notes, signed_by, sha256, statement, claim)


def _check_agreed(log: CheckLog, claim: DeltaOneClaim, policy: Policy) -> None:
    """What was decided, and who is credited: where the statement says so, or the policy asks for it."""
    if claim.decision is None and policy.rule is None and not policy.require_accepted:
        log.skip("decision", "the statement has none")
    else:
        log.check(
            "decision",
            lambda: agreed.check_decision(
                claim, policy.rule, accepted=policy.require_accepted, units=policy.units
            ),
        )
    if claim.attribution is None and not policy.attribution_methods:
        log.skip("attribution", "the statement has none: credit goes by accepted rows")
    else:
        log.check(
            "attribution",
            lambda: agreed.check_attribution(
                claim, policy.confidence, methods=policy.attribution_methods, min_seeds=policy.min_seeds
            ),
        )


def _check_materials(
    log: CheckLog, claim: DeltaOneClaim, sha256: str, policy: Policy, materials: Materials
) -> tuple[str, ...]:
    """Whatever is at hand, and whatever the policy wants to be at hand; what could be worked out again from rows."""
    recomputed: tuple[str, ...] | None = None
    if policy.owner_keys or materials.benchmark_statement is not None:
        log.check("benchmark", lambda: check_owner(claim, policy, materials.benchmark_statement))
    else:
        log.skip("benchmark", "no commitment of the benchmark's owner was given")
    predictions = materials.predictions
    if predictions is None:
        log.skip("predictions", "no predictions were given")
    else:
        recomputed = log.step(
            "predictions",
            lambda: check_rows(claim, predictions, materials.secret),
            lambda names: f"{', '.join(names)} of {claim.comparison.n_rows} rows, worked out again",
        )
    if policy.min_openings or materials.openings is not None:
        log.check("openings", lambda: check_opened(claim, sha256, policy, materials.openings))
    else:
        log.skip("openings", "no rows were opened")
    if materials.files:
        log.check("files", lambda: check_files(claim, materials.files))
    else:
        log.skip("files", "no file was given to compare")
    return recomputed or ()


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
"""Every check of a DeltaOne statement, in the order in which it is made."""

BENCHMARK_CHECK_NAMES = ("envelope", "signature", "statement", "files")
"""Every check of a benchmark commitment."""


def _canonical(payload: bytes) -> Json:
    statement = parse_json(payload)
    if canonical_json(statement) != payload:
        raise IntegrityError("The signed bytes are not in the canonical form of RFC 8785")
    if not isinstance(statement, dict):
        raise IntegrityError("The signed bytes are not a statement: expected a JSON object")
    return statement


def _read(statement: Json) -> tuple[DeltaOneClaim, Json]:
    claim = read_statement(statement)
    rebuilt = build_statement(claim)
    said, today = _predicate(statement), _predicate(rebuilt)
    before = [text for text in non_claims(claim) if text != IDENTITIES_NON_CLAIM]
    if said.get("nonClaims") == before:  # it was written before that stood there, and says no more by it
        today["nonClaims"] = before
    return claim, rebuilt


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


def _check_real(claim: DeltaOneClaim, policy: Policy) -> str:
    if not claim.dry_run:
        return "not a dry run"
    said = "DRY RUN on mock data: NOT EVIDENCE of any improvement"
    if not policy.allow_dry_run:
        raise IntegrityError(said)
    return f"{said}; the policy allows it"


def _signers(envelope: Envelope) -> str:
    return f"DSSE, signed by {', '.join(signature.keyid for signature in envelope.signatures)}"


def _units_not_checked(comparison: Comparison, policy: Policy) -> Iterator[str]:
    if comparison.n_units is None:
        return
    column = "the agreed column: the policy names none" if policy.units is None else f"{policy.units!r}"
    yield (
        f"whether the {comparison.n_units} units, between which every error is, are those of {column}; compare the "
        "predictions with the benchmark's rows to know"
    )
    for name in checks.below_rows(comparison):
        yield f"{name}'s error: between units it is below that between rows, as units of choice can have it"


def _not_checked(
    claim: DeltaOneClaim,
    policy: Policy,
    materials: Materials,
    recomputed: tuple[str, ...],
    passed: Callable[[str], bool],
) -> tuple[str, ...]:
    """In words; `passed` says of a check by its name whether it was made and passed."""
    comparison = claim.comparison
    names = [delta.metric.name for delta in comparison.deltas if delta.metric.name not in recomputed]
    believed = [name for name in names if comparison.counts is None or name not in COUNT_METRICS]
    if comparison.n_units is not None:
        everything = (*(delta.metric.name for delta in comparison.deltas), "DeltaOne")
        errors = [name for name in everything if name not in recomputed]
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
    on_these = " on the opened rows" if passed("openings") else ""
    notes.append(
        f"that the counts came from these models and this benchmark: run the models again{on_these} to know"
    )
    old, new = claim.baseline_estimator, claim.new_estimator
    if old is not None and old.import_path != new.import_path:
        notes.append(
            f"that the data made the difference: the models are of two kinds, {old.import_path} and {new.import_path}"
        )
    notes += agreed.signers_word(claim, benchmark_agreed=passed("benchmark"))
    notes += _units_not_checked(comparison, policy)
    if policy.weights is None:
        notes.append("whether the weights are the agreed ones: the policy names none")
    if policy.primary_metric is None:
        notes.append("whether the primary metric is the agreed one: the policy names none")
    if claim.decision is not None and policy.rule is None:
        notes.append("whether the rule of the decision is the agreed one: the policy names none")
    if claim.benchmark_statement_sha256 is not None and materials.benchmark_statement is None:
        notes.append("the commitment of the benchmark's owner: it was not given")
    if claim.commitments is not None and not passed("openings") and "commitments" not in recomputed:
        notes.append("what the commitments are to: neither predictions nor opened rows were given")
    present = set(materials.files.values())
    missing = [name for name, sha256 in claim.subjects if sha256 not in present]
    if missing:
        notes.append(f"the files behind {', '.join(missing)}: they were not given")
    notes += [f"the evidence {item.name!r} ({item.media_type})" for item in claim.evidence]
    return tuple(notes)
