"""The owner's commitment to a benchmark, signed before anybody contributes: `benchmark-commitment/v1`.

It says what will be measured on what, with which weights and by which rule, and binds the owner to every label without
showing one. A DeltaOne statement names it by its digest; whoever verifies takes the owner's keys from his own policy.
That it was signed before contributions came is for whoever received it then to say: there is no time in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.node import Node
from hokusai.attestation.numbers import Json
from hokusai.attestation.statement import STATEMENT_TYPE
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.commitments import SCHEME
from hokusai.domain.metrics import metric_spec
from hokusai.errors import HokusaiError, IntegrityError, InvalidInputError

BENCHMARK_PREDICATE_TYPE = "https://hokusai.dev/attestations/benchmark-commitment/v1"

NON_CLAIMS = (
    "It does not say when it was signed: who received it before contributions came can say so.",
    "It does not say that the labels are right, or that nobody else knows them.",
    "The commitment hides the labels only from those who cannot guess all of them.",
)
"""What a reader must not take from a benchmark commitment."""


def build_benchmark_statement(benchmark: Benchmark) -> Json:
    """The in-toto Statement v1 by which the owner of `benchmark` commits to it.

    Raises:
        InvalidInputError: The benchmark has no commitment to its labels.
    """
    if benchmark.labels_root is None:
        raise InvalidInputError(
            "A benchmark without a commitment to its labels binds its owner to nothing",
            where=benchmark.name,
            hint="Make it with hokusai.attestation.commitments.label_root.",
        )
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "benchmark", "digest": {"sha256": benchmark.data_sha256}}],
        "predicateType": BENCHMARK_PREDICATE_TYPE,
        "predicate": {
            "benchmark": benchmark.to_dict(),
            "recordSha256": benchmark.sha256,
            "labels": {"scheme": SCHEME, "root": benchmark.labels_root, "rows": benchmark.n_rows},
            "nonClaims": list(NON_CLAIMS),
        },
    }


def benchmark_statement_bytes(benchmark: Benchmark) -> bytes:
    """The canonical bytes of that statement: what the owner signs, and what the digest is of."""
    return canonical_json(build_benchmark_statement(benchmark))


def read_benchmark_statement(payload: bytes) -> Benchmark:
    """The benchmark that the signed bytes of a commitment are about.

    Raises:
        IntegrityError: They are not, byte for byte, what `benchmark_statement_bytes` writes.
    """
    try:
        top = Node(parse_json(payload), document="benchmark commitment v1")
        for name, expected in (("_type", STATEMENT_TYPE), ("predicateType", BENCHMARK_PREDICATE_TYPE)):
            if top[name].value != expected:
                raise top[name].wrong(f"expected {expected!r}")
        record = top["predicate"]["benchmark"]
        record.members()
        benchmark = Benchmark.from_dict(record.value)  # type: ignore[arg-type]  # an object, as was just checked
        if benchmark_statement_bytes(benchmark) == payload:
            return benchmark
    except IntegrityError:
        raise
    except (HokusaiError, ValueError, ArithmeticError, RecursionError) as exc:
        raise IntegrityError(f"Not a benchmark commitment v1: {exc}") from exc
    raise IntegrityError("The benchmark commitment says what does not follow from its benchmark")


@dataclass(frozen=True, slots=True)
class CommittedBenchmark:
    """A benchmark commitment whose signatures were verified.

    Attributes:
        benchmark: What was committed to.
        statement_sha256: Digest of the signed bytes, hex.
        signed_by: Ids of the owner's keys that signed.
    """

    benchmark: Benchmark
    statement_sha256: str
    signed_by: tuple[str, ...]


def check_benchmark(claim: DeltaOneClaim, committed: CommittedBenchmark) -> str:
    """The statement is about the benchmark that its owner committed to, and uses it as he said.

    Raises:
        IntegrityError: It is not, or the statement names another commitment.
    """
    benchmark, comparison = committed.benchmark, claim.comparison
    facts: Sequence[tuple[str, object, object]] = (
        ("commitment", claim.benchmark_statement_sha256, committed.statement_sha256),
        ("record", claim.benchmark_record_sha256, benchmark.sha256),
        ("data", claim.benchmark_sha256, benchmark.data_sha256),
        ("labels", None if claim.commitments is None else claim.commitments.labels, benchmark.labels_root),
        ("number of rows", comparison.n_rows, benchmark.n_rows),
        ("task", comparison.task, benchmark.task),
        ("target column", claim.target_column, benchmark.target_column),
        ("primary metric", comparison.primary.metric, metric_spec(benchmark.primary_metric).name),
        ("rule", None if claim.decision is None else claim.decision.rule, benchmark.rule),
    )
    for name, said, agreed in facts:
        if said != agreed:
            raise IntegrityError(
                f"The benchmark's {name} is {_short(agreed)} in its owner's commitment, "
                f"and {'not stated' if said is None else _short(said)} in the statement"
            )
    if (comparison.n_units is None) != (benchmark.unit_column is None):
        raise IntegrityError(
            f"The benchmark's column of units is {benchmark.unit_column} in its owner's commitment, and the "
            f"statement's errors are between {'rows' if comparison.n_units is None else 'units'}"
        )
    weights = dict(comparison.weights)
    agreed_weights = {metric_spec(name).name: weight for name, weight in benchmark.weights.items()}
    if benchmark.weights and weights != agreed_weights:
        raise IntegrityError("The weights are not those that the benchmark's owner committed to")
    if not benchmark.weights and len(set(weights.values())) > 1:
        raise IntegrityError("The benchmark's owner committed to equal weights, and these are not")
    return f"{benchmark.name!r}, committed to by {', '.join(committed.signed_by)}"


def parse_benchmark_envelope(data: bytes) -> tuple[Envelope, str]:
    """An owner's commitment as it stands in a file, and the digest of its signed bytes."""
    envelope = Envelope.parse(data)
    return envelope, sha256_hex(envelope.payload)


def _short(value: object) -> str:
    return str(value)[:80]
