"""Needs: what the verbs ask of the world, each as a small protocol, on one page.

A port is written for its caller, not after the API of the store behind it. The adapters in `hokusai.adapters`
meet them; `hokusai.wiring` chooses which.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hokusai.domain.audit import AuditEvent, AuditHead, Happening
from hokusai.domain.benchmark import Benchmark, BenchmarkUse, UsePurpose
from hokusai.domain.journal import RunJournal, TrackedRun
from hokusai.domain.records import ModelRecord
from hokusai.domain.stored_attestation import AttestationFacts, StoredAttestation

# Declared beside its caller, which stands in the layer below this one.
from hokusai.utils.metrics import MetricSink

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "AttestationShelf",
    "BatchEngine",
    "BenchmarkShelf",
    "Ledger",
    "MetricSink",
    "ModelFile",
    "ModelFiles",
    "ModelIndex",
    "ModelStore",
    "Orphan",
    "Page",
    "ParquetPart",
    "RemoteFile",
    "RemoteFiles",
    "RunStore",
    "Upload",
]


class RunStore(Protocol):
    """Keeps what pipeline runs did. Writing the same journal twice changes nothing."""

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the store can be used now."""

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        """Find or create the run of a journal, and one nested run for each of its steps."""

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        """Write all of the journal into its runs, store the folder `artifacts` with them, and end them."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A stored model's bytes, the name of its file, and the id by which it was asked for."""

    model_id: str
    file_name: str
    content: bytes


class ModelFiles(Protocol):
    """Finds stored models."""

    def fetch(self, reference: str) -> ModelFile:
        """The model that `reference` names: `name/semver`, or a URI of the store.

        Raises:
            NotFoundError: There is no such model.
            UntrustedModelError: It is stored in a form that cannot be loaded safely.
            BackendUnavailableError: The store cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class Upload:
    """Files of a model that are stored, and not yet registered.

    Attributes:
        source: Where they are, as `ModelStore.add_version` takes it.
        run_id: The run that they belong to, if the store keeps them under one.
        model_id: MLflow's id of the logged model that holds them, if any.
    """

    source: str
    run_id: str | None = None
    model_id: str | None = None


@dataclass(frozen=True, slots=True)
class Orphan:
    """Stored files that no version refers to: what a registration leaves that was killed or lost its race."""

    source: str
    size_bytes: int
    age_seconds: float


class ModelStore(Protocol):
    """Rows of models and their versions, and the files behind them. No rule of ours is in here.

    A version's number is one more than the highest that was committed before, and its tags are written in the same
    transaction as its row: this is what the rules in `hokusai.core.claims` stand on.
    """

    @property
    def location(self) -> str:
        """Which store this is, without passwords; equal for equal stores."""

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the store can be used now."""

    def has_news(self) -> bool:
        """Whether somebody else has written since this was asked last; False where that cannot be told at once."""

    def upload(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None = None) -> Upload:
        """Store the files of a model, whole or not at all; path within the artefact to content.

        Raises:
            BackendUnavailableError: They could not be stored (no space, no server); nothing is left behind.
        """

    def discard(self, source: str) -> None:
        """Remove uploaded files that no version refers to."""

    def download(self, record: ModelRecord, into: Path) -> None:
        """Fetch all files of a version into a folder.

        Raises:
            NotFoundError: They are gone.
        """

    def has_files(self, record: ModelRecord) -> bool | None:
        """Whether the files of a version are there; None where only downloading them would tell."""

    def fetch(self, source: str, into: Path) -> str:
        """Fetch the files that a model URI (`runs:/…`, `models:/…`, a path, `s3://…`) names; gives the URI resolved."""

    def orphans(self) -> Iterator[Orphan]:
        """Uploaded files that no version refers to."""

    def add_version(
        self, name: str, upload: Upload, tags: Mapping[str, str], description: str = ""
    ) -> ModelRecord:
        """Add a row with all its tags in one transaction; the model itself is made if it is new."""

    def remove_version(self, name: str, number: int) -> None:
        """Take a row out of sight for good; its number is not used again."""

    def version(self, name: str, number: int) -> ModelRecord:
        """One row.

        Raises:
            NotFoundError: There is none.
        """

    def versions(
        self,
        name: str | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        above: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[ModelRecord]:
        """Rows of one model or of all, ordered by number, that carry all of `tags` and have a number above `above`."""

    def changed_since(self, updated_ms: int, limit: int = 100_000) -> list[ModelRecord]:
        """Rows of all models that were made, or changed by us, at `updated_ms` or later; the latest change first."""

    def names(self) -> list[str]:
        """Names of all models, sorted, the stores' own bookkeeping included."""

    def set_tags(self, name: str, number: int, tags: Mapping[str, str | None]) -> ModelRecord:
        """Set tags of a row, or remove those that are None; `changed_since` shows it. Gives the row as it is then."""

    def alias(self, name: str, alias: str) -> int | None:
        """The number of the version that `alias` points to."""

    def set_alias(self, name: str, alias: str, number: int | None) -> None:
        """Point `alias` to a version, or remove it."""

    def aliases(self, name: str) -> dict[str, int]:
        """Every alias of a model and the number that it points to. Slow for a model of many versions."""

    def legacy_stages(self, name: str) -> dict[int, str]:
        """Number to stage (`Staging`, `Production`, `Archived`) of the versions in one of MLflow's older stages."""


@dataclass(frozen=True, slots=True)
class Page:
    """What `ModelIndex.page` is asked for: all that is given must hold. Newest first, a page at a time.

    Attributes:
        name, token_id, contributor, parent_id, model_type, sha256: Exact values; a contributor in any case.
        parent_name: The name in the parent's id.
        tags: Free tags, exact values.
        include_deleted: Whether deleted versions are listed too.
        limit: At most so many.
        after: The (created_ms, name, number) of the last one on the page before.
    """

    name: str | None = None
    token_id: str | None = None
    contributor: str | None = None
    parent_id: str | None = None
    parent_name: str | None = None
    model_type: str | None = None
    sha256: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    include_deleted: bool = False
    limit: int = 100
    after: tuple[int, str, int] | None = None


class ModelIndex(Protocol):
    """Rows of one `ModelStore`, copied to where they are found at once. It may be thrown away at any time.

    Every method takes the store's `location` first, so that one index serves several stores.
    """

    def put(self, location: str, records: Iterable[ModelRecord]) -> None:
        """Write rows as they are now; the same row twice changes nothing."""

    def drop(self, location: str, rows: Collection[tuple[str, int]] | None = None) -> None:
        """Forget rows by (name, number), or all of the store, its marks too."""

    def get(self, location: str, name: str, version_key: str) -> ModelRecord | None:
        """The lowest-numbered row that carries the semantic version with this key."""

    def numbered(self, location: str, name: str, number: int) -> ModelRecord | None:
        """One row by MLflow's number."""

    def unclaimed_below(self, location: str, name: str, number: int, version_key: str) -> bool:
        """Whether every row below `number` is here, none above, and each carries another semantic version."""

    def latest(self, location: str, name: str) -> ModelRecord | None:
        """The highest release that is neither deleted nor deprecated; a pre-release where there is no other."""

    def page(self, location: str, wanted: Page) -> list[ModelRecord]:
        """One page of rows."""

    def names(self, location: str) -> list[str]:
        """Names of all models that have rows here, sorted."""

    def count(self, location: str) -> int:
        """How many rows there are."""

    def mark(self, location: str, key: str) -> str | None:
        """A note of how far the copy goes, such as the time of the last poll."""

    def set_mark(self, location: str, key: str, value: str) -> None:
        """Write such a note."""


class AttestationShelf(Protocol):
    """Keeps signed statements. One that is there is never changed or removed; it can only gain signatures."""

    def put(self, attestation: StoredAttestation, *, actor: str = "") -> StoredAttestation:
        """Keep an attestation, and write `attestation.stored` to the audit trail unless it brings nothing new.

        Returns:
            What is kept: with the signatures of every copy of this statement that was put, each key's once, and the
            first model id that was told.

        Raises:
            ConflictError: A key that signed the copy that is kept is said to have signed otherwise.
        """

    def get(self, statement_sha256: str) -> StoredAttestation:
        """The attestation of the statement with this digest.

        Raises:
            NotFoundError: There is none.
        """

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

        Args:
            model_sha256: Digest of the baseline model or of the new one.
            contributor: Id or wallet of a contributor, in any case.
            benchmark_sha256: Digest of the benchmark's bytes or of its record.
            subject_sha256: Digest of any file that the statement is about.
            limit: At most so many.
            after: The digest of the last statement on the page before.

        Raises:
            NotFoundError: There is no statement `after`.
        """


class BenchmarkShelf(Protocol):
    """Keeps benchmarks, which never change, and counts their uses. All methods but `put` need one that is there.

    Raises:
        NotFoundError: There is no such benchmark.
    """

    def put(self, benchmark: Benchmark, *, actor: str = "") -> None:
        """Keep a benchmark, and write `benchmark.added` to the audit trail; one that is there stays as it is."""

    def get(self, sha256: str) -> Benchmark:
        """The benchmark with this identity."""

    def find(self, name: str | None = None, *, prefix: str = "") -> list[Benchmark]:
        """Benchmarks of a name, or whose identity begins with `prefix`, or all; the latest put first."""

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
        """Count a use, and write `benchmark.used` to the audit trail; the same subject again is the same use.

        Args:
            benchmark_sha256: Which benchmark.
            purpose: What for; its uses are numbered 1, 2, … without gaps.
            subject: Content that was measured.
            submitter: On whose behalf; compared without regard to case.
            limit: How many uses for this purpose one submitter may have.
            actor: Who counts it.

        Raises:
            ConflictError: It was opened for another payment already, or the submitter has no use left.
        """

    def uses(
        self,
        benchmark_sha256: str,
        *,
        purpose: UsePurpose | None = None,
        submitter: str | None = None,
    ) -> list[BenchmarkUse]:
        """The uses of a benchmark, in the order in which they were counted."""

    def ladder(self, benchmark_sha256: str) -> tuple[bytes, int]:
        """What is remembered for the next submission's feedback, and its version; nothing and 0 at first."""

    def set_ladder(self, benchmark_sha256: str, state: bytes, *, version: int) -> int:
        """Replace what is remembered at `version`, and give the version that it has then.

        Raises:
            ConflictError: Somebody else replaced it meanwhile.
        """


class Ledger(Protocol):
    """What MLflow has no notion of: the audit trail, the index of models, attestations and benchmarks."""

    @property
    def location(self) -> str:
        """Which database this is, without passwords."""

    @property
    def index(self) -> ModelIndex:
        """The index of models."""

    @property
    def attestations(self) -> AttestationShelf:
        """The signed statements."""

    @property
    def benchmarks(self) -> BenchmarkShelf:
        """The benchmarks and their uses."""

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the ledger can be used now."""

    def record(
        self,
        happenings: Sequence[Happening],
        *,
        location: str = "",
        records: Iterable[ModelRecord] = (),
    ) -> list[AuditEvent]:
        """Append to the audit trail and put rows into the index of `location`, in one transaction."""

    def events(
        self,
        *,
        after: int = 0,
        limit: int | None = None,
        kind: str | None = None,
        subject: str | None = None,
        newest_first: bool = False,
    ) -> list[AuditEvent]:
        """Entries of the audit trail with a sequence number above `after`."""

    def head(self) -> AuditHead:
        """The head that is kept beside the entries.

        Raises:
            IntegrityError: It is gone: somebody removed it.
        """

    def has(self, kind: str, subject: str, details: Mapping[str, Any]) -> bool:
        """Whether the trail has an entry of this kind and subject whose details contain all of `details`."""


@dataclass(frozen=True, slots=True)
class ParquetPart:
    """A batch that whoever works on it reads itself: one row group of a Parquet file.

    Attributes:
        path: Where the file is, as every machine that works on batches sees it.
        row_group: Which, from 0.
    """

    path: str
    row_group: int

    def read(self) -> pa.Table:
        """The rows."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            return file.read_row_group(self.row_group)


class BatchEngine(Protocol):
    """Runs one function on many batches, here or on other machines."""

    def map_batches(
        self, batches: Iterable[pa.Table | ParquetPart], kernel: Callable[[pa.Table], pa.Table]
    ) -> Iterator[tuple[int, pa.Table]]:
        """What `kernel` makes of each batch, with its number from 0, in the order of the batches.

        A batch comes to the kernel as it was given, neither cut nor joined with others. What a kernel found out about
        its batch beside rows (a state to merge with the others' states) travels in the metadata of its table's schema.

        Raises:
            HokusaiError: What the kernel raised.
            BackendUnavailableError: The machines that do the work cannot be reached, or died.
        """


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that is somewhere else, as it was when it was found.

    Attributes:
        address: Such as `s3://bucket/folder/a.csv`.
        size_bytes: Its size as stored.
        version: What changes when its bytes do.
    """

    address: str
    size_bytes: int
    version: str


class RemoteFiles(Protocol):
    """Data files on other machines, read by fetching a copy."""

    def find(self, pattern: str) -> list[RemoteFile]:
        """The files that an address names, sorted by address: one, or those that match its glob.

        In a glob, `*`, `?` and `[...]` stay within a folder, and `**` reaches into sub-folders.

        Raises:
            DataError: There is none, or they may not be read.
            BackendUnavailableError: Whoever keeps them cannot be reached.
        """

    def fetch(self, file: RemoteFile) -> Path:
        """A whole copy of a file on this machine, under its own base name; made once for each version.

        Raises:
            DataError: The file has changed since it was found, or is gone, or there is no room for it.
            BackendUnavailableError: Whoever keeps it cannot be reached.
        """
