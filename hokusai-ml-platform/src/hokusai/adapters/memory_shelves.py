"""Attestations and benchmarks kept in this process, beside the audit trail of a ledger in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from hokusai.adapters.shelf_events import benchmark_added, benchmark_used, stored
from hokusai.domain.audit import Happening
from hokusai.domain.benchmark import Benchmark, BenchmarkUse, UsePurpose, checked_use
from hokusai.domain.canonical import require_sha256
from hokusai.domain.contribution import party_key
from hokusai.domain.stored_attestation import AttestationFacts, StoredAttestation, search_keys
from hokusai.errors import ConflictError, NotFoundError

_Record = Callable[[Sequence[Happening]], object]


class MemoryAttestationShelf:
    """An `AttestationShelf` that forgets everything when it goes.

    Args:
        record: Appends to the audit trail.
    """

    def __init__(self, record: _Record) -> None:
        self._lock = threading.Lock()
        self._record = record
        self._kept: dict[str, StoredAttestation] = {}

    def __repr__(self) -> str:
        return f"MemoryAttestationShelf({len(self._kept)} attestations)"

    def put(self, attestation: StoredAttestation, *, actor: str = "") -> StoredAttestation:
        """Keep an attestation, or the signatures that it brings to the copy that is kept."""
        with self._lock:
            kept = self._kept.get(attestation.statement_sha256)
            merged = kept.with_signatures_of(attestation) if kept else attestation
            if merged != kept:
                self._record([stored(merged.facts, actor)])
                self._kept[merged.statement_sha256] = merged
            return merged

    def get(self, statement_sha256: str) -> StoredAttestation:
        """The attestation of the statement with this digest."""
        kept = self._kept.get(require_sha256(statement_sha256, "attestation"))
        if kept is None:
            raise NotFoundError("There is no attestation of this statement", where=statement_sha256)
        return kept

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
        """What is known of attestations to which all that is given applies, the latest put first."""
        asked = search_keys(
            model_sha256=model_sha256,
            contributor=contributor,
            benchmark_sha256=benchmark_sha256,
            subject_sha256=subject_sha256,
        )
        with self._lock:
            kept = list(self._kept.values())[::-1]
        if after is not None:
            kept = kept[kept.index(self.get(after)) + 1 :]
        return [one.facts for one in kept if asked.items() <= set(one.facts.found_by())][:limit]


class MemoryBenchmarkShelf:
    """A `BenchmarkShelf` that forgets everything when it goes.

    Args:
        record: Appends to the audit trail.
    """

    def __init__(self, record: _Record) -> None:
        self._lock = threading.Lock()
        self._record = record
        self._kept: dict[str, Benchmark] = {}
        self._uses: dict[str, list[BenchmarkUse]] = {}
        self._ladders: dict[str, tuple[bytes, int]] = {}

    def __repr__(self) -> str:
        return f"MemoryBenchmarkShelf({len(self._kept)} benchmarks)"

    def put(self, benchmark: Benchmark, *, actor: str = "") -> None:
        """Keep a benchmark; one that is there stays as it is."""
        with self._lock:
            if benchmark.sha256 not in self._kept:
                self._record([benchmark_added(benchmark, actor)])
                self._kept[benchmark.sha256] = benchmark
                self._uses[benchmark.sha256] = []

    def get(self, sha256: str) -> Benchmark:
        """The benchmark with this identity."""
        kept = self._kept.get(require_sha256(sha256, "benchmark"))
        if kept is None:
            raise NotFoundError("There is no such benchmark", where=sha256)
        return kept

    def find(self, name: str | None = None, *, prefix: str = "") -> list[Benchmark]:
        """Benchmarks of a name, or whose identity begins with `prefix`, or all; the latest put first."""
        with self._lock:
            kept = list(self._kept.values())[::-1]
        return [one for one in kept if name in (None, one.name) and one.sha256.startswith(prefix)]

    def use(
        self,
        benchmark_sha256: str,
        purpose: UsePurpose,
        subject: str,
        submitter: str,
        *,
        limit: int | None = None,
        actor: str = "",
    ) -> BenchmarkUse:
        """Count a use; the same subject again is the same use."""
        self.get(benchmark_sha256)
        wanted = BenchmarkUse(benchmark_sha256, purpose, subject, submitter, number=1)
        with self._lock:
            counted = [use for use in self._uses[benchmark_sha256] if use.purpose is purpose]
            before = [use for use in counted if use.subject == subject]
            if before:
                return before[0]
            own = sum(party_key(use.submitter) == party_key(submitter) for use in counted)
            wanted = replace(wanted, number=len(counted) + 1)
            use = checked_use(wanted, by_submitter=own, limit=limit)
            self._record([benchmark_used(use, actor)])
            self._uses[benchmark_sha256].append(use)
            return use

    def uses(
        self,
        benchmark_sha256: str,
        *,
        purpose: UsePurpose | None = None,
        submitter: str | None = None,
    ) -> list[BenchmarkUse]:
        """The uses of a benchmark, in the order in which they were counted."""
        self.get(benchmark_sha256)
        return [
            use
            for use in self._uses[benchmark_sha256]
            if purpose in (None, use.purpose)
            and (submitter is None or party_key(use.submitter) == party_key(submitter))
        ]

    def ladder(self, benchmark_sha256: str) -> tuple[bytes, int]:
        """What is remembered for the next submission's feedback, and its version."""
        self.get(benchmark_sha256)
        return self._ladders.get(benchmark_sha256, (b"", 0))

    def set_ladder(self, benchmark_sha256: str, state: bytes, *, version: int) -> int:
        """Replace what is remembered at `version`, and give the version that it has then."""
        self.get(benchmark_sha256)
        with self._lock:
            if self._ladders.get(benchmark_sha256, (b"", 0))[1] != version:
                raise ConflictError(
                    "Somebody else's submission was answered meanwhile", where=benchmark_sha256
                )
            self._ladders[benchmark_sha256] = (state, version + 1)
            return version + 1
