"""What every ledger writes to its audit trail when something is put on its shelves."""

from __future__ import annotations

from hokusai.domain.audit import Happening
from hokusai.domain.benchmark import Benchmark, BenchmarkUse
from hokusai.domain.stored_attestation import AttestationFacts

STORED = "attestation.stored"
ADDED = "benchmark.added"
USED = "benchmark.used"


def stored(facts: AttestationFacts, actor: str) -> Happening:
    """That an attestation was put, or gained a signature or a model id."""
    details = {
        "predicate_type": facts.predicate_type,
        "new_model_sha256": facts.new_model_sha256,
        "model_id": facts.model_id,
        "signed_by": list(facts.signed_by),
        "dry_run": facts.dry_run,
    }
    return Happening(STORED, facts.statement_sha256, actor, details)


def benchmark_added(benchmark: Benchmark, actor: str) -> Happening:
    """That a benchmark was put."""
    details = {"name": benchmark.name, "data_sha256": benchmark.data_sha256, "rows": benchmark.n_rows}
    return Happening(ADDED, benchmark.sha256, actor, details)


def benchmark_used(use: BenchmarkUse, actor: str) -> Happening:
    """That somebody looked at a benchmark."""
    details = {name: value for name, value in use.to_dict().items() if name != "benchmark_sha256"}
    return Happening(USED, use.benchmark_sha256, actor, details)
