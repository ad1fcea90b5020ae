"""What a crash, or somebody's hand, can leave behind in a registry: how each is found, and how it is put right.

Every finding has a name that stays. A repair looks again before it changes anything, because the registry is in use
meanwhile.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from hokusai.core import claims
from hokusai.core.audit_trail import verify_trail
from hokusai.core.findings import Finding
from hokusai.core.found_files import file_faults
from hokusai.core.migration import MIGRATED
from hokusai.core.rebuild import POLL_OVERLAP_MS, POLLED_MARK, indexed_pages, model_pages, tag_fault
from hokusai.core.registration import REGISTERED, REGISTERED_FROM_URI
from hokusai.core.stage_log import StageLog
from hokusai.domain.audit import AuditEvent
from hokusai.domain.records import ACTOR, ModelRecord
from hokusai.domain.stages import StageBoard, StageEvent
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import BackendUnavailableError, ConflictError, HokusaiError, NotFoundError
from hokusai.ports import Ledger, ModelStore, Orphan

REPAIRED = "doctor.repaired"
_VERSION_KINDS = (REGISTERED, REGISTERED_FROM_URI, MIGRATED, REPAIRED)
_SETTLING_SECONDS = 600
_SHOWN = 3


class Examination:
    """The checks of one registry. Its rows, and what the trail says of them, are read once.

    Args:
        store: The models.
        ledger: The trail and the index.
        stages: The histories of stages.
        actor: Who works here.
        older_than_hours: From which age files without a version are taken for left over.
        deep: Whether the files of every version are read and compared with their digests.
        now_ms: What time it is.
    """

    def __init__(
        self,
        store: ModelStore,
        ledger: Ledger,
        stages: StageLog,
        actor: str,
        *,
        older_than_hours: float = 24.0,
        deep: bool = False,
        now_ms: int | None = None,
    ) -> None:
        self._store, self._ledger, self._stages, self._actor = store, ledger, stages, actor
        self._older_than_seconds, self._deep = older_than_hours * 3600, deep
        self._now_ms = int(time.time() * 1000) if now_ms is None else now_ms
        self._unreadable: dict[str, str] = {}
        self._rows: dict[tuple[str, int], ModelRecord] = {}
        self._told: set[tuple[str, object]] = set()
        self._actors: set[str] = {actor}
        self._authors: set[str] = {actor}
        self._told_moves: set[tuple[str, str]] = set()
        self._trail_is_empty = False

    def checks(self) -> list[tuple[str, Callable[[], Iterable[Finding]]]]:
        """Each check by name, in the order in which they, and their repairs, are to be run."""
        return [
            ("audit trail", self.audit_chain),
            ("models", self.models),
            ("duplicates", self.duplicates),
            ("audit entries", self.unaudited),
            ("stages", self.stages),
            ("index", self.index),
            ("left-over files", self.orphans),
            ("files of models", self.files),
        ]

    def audit_chain(self) -> Iterator[Finding]:
        """The audit trail is whole; what it says of versions is remembered for the other checks."""
        verdict = verify_trail(self._ledger, watch=self._heard)
        self._trail_is_empty = verdict.head.count == 0
        for fault in verdict.faults:
            yield Finding(
                "audit-trail-broken",
                self._ledger.location,
                f"{fault}. Somebody changed the trail behind Hokusai's back, or the database was damaged",
                "Compare with an export (`hokusai audit verify --file`) and restore the ledger from a backup.",
            )

    def models(self) -> Iterator[Finding]:
        """Every model can be read, and every version says what it is."""
        for page in model_pages(
            self._store, lambda name, problem: self._unreadable.update({name: str(problem)})
        ):
            self._rows.update({(row.name, row.number): row for row in page})
        for name, reason in self._unreadable.items():
            yield Finding(
                "model-unreadable", name, reason, "See the server's log; the other models are read."
            )
        for row in self._rows.values():
            if fault := tag_fault(row):
                yield Finding(
                    "tags-unreadable",
                    row.model_id,
                    f"{fault}. The version is found by the rest of its tags",
                    f"Set the tag right: hokusai models tag {row.model_id} NAME=VALUE, or in MLflow.",
                    is_fault=False,
                )
        plain = [row for row in self._rows.values() if row.version is None]
        if plain:
            yield Finding(
                "no-semantic-version",
                self._store.location,
                f"{_some(plain)} without a semantic version: registered straight into MLflow",
                "Take them over: hokusai migrate from-mlflow --dry-run",
                is_fault=False,
            )

    def duplicates(self) -> Iterator[Finding]:
        """No version is claimed by two rows: the lowest number has it, the others lost it in a race and crashed."""
        claimed: dict[tuple[str, str], list[ModelRecord]] = {}
        for row in sorted(self._rows.values(), key=lambda row: row.number):
            if row.version is not None:
                claimed.setdefault((row.name, row.version.key), []).append(row)
        for first, *others in claimed.values():
            for row in others:
                yield self._duplicate(first, row)

    def unaudited(self) -> Iterator[Finding]:
        """Every version registered here is in the audit trail: a crash between MLflow and the ledger leaves it out."""
        elsewhere = []
        for row in self._rows.values():
            if row.version is None or ACTOR not in row.tags or (row.model_id, row.number) in self._told:
                continue
            if row.actor not in self._actors:
                elsewhere.append(row)
            elif self._age_seconds(row) < _SETTLING_SECONDS:
                yield self._in_progress("version-without-audit-entry", row.model_id, "registered")
            else:
                yield Finding(
                    "version-without-audit-entry",
                    row.model_id,
                    f"{row.actor} registered it, and the audit trail does not say so: the process died in between",
                    "An entry that says so is written. It vouches for nothing: register the same model again to have "
                    "its bytes trusted.",
                    fix=lambda: "this entry written",
                    details={"mlflow_version": row.number, "sha256": row.sha256},
                )
        mine = [row for row in self._rows.values() if row.version and row.tags.get(ACTOR) == self._actor]
        if self._trail_is_empty and len(mine) > 1:  # one may be the first, whose process died
            yield Finding(
                "audit-trail-emptied",
                self._ledger.location,
                f"The trail is empty, though {_some(mine)} registered by {self._actor}. Somebody emptied it, or this "
                "is another ledger than before",
                "Set HOKUSAI_DATABASE_URL to the ledger it was, or restore that from a backup.",
            )
        if elsewhere:
            yield Finding(
                "registered-elsewhere",
                self._store.location,
                f"{_some(elsewhere)} registered by people whom this audit trail does not know",
                "Nothing to do, if they have a ledger of their own; else set HOKUSAI_DATABASE_URL to a common one.",
                is_fault=False,
            )

    def stages(self) -> Iterator[Finding]:
        """MLflow's aliases and tags say what the histories of stages say, and the trail tells of every move."""
        for log in [name for name in self._store.names() if name.startswith(LOG_PREFIX)]:
            name = log.removeprefix(LOG_PREFIX)
            try:
                yield from self._mirror(name)
                yield from self._moves(name)
            except BackendUnavailableError:
                raise
            except Exception as problem:  # noqa: BLE001 - anybody may write into a history; the others are read
                yield Finding(
                    "stages-unreadable",
                    name,
                    f"The history of its stages cannot be read: {problem or type(problem).__name__}",
                    f"Look at {log} in MLflow for rows that Hokusai did not write.",
                )

    def index(self) -> Iterator[Finding]:
        """The index has what MLflow has."""
        where, index = self._store.location, self._ledger.index
        mark = index.mark(where, POLLED_MARK)
        if mark is None:
            return  # it is made when it is first used
        settled_ms = int(mark) - POLL_OVERLAP_MS  # what changed later is fetched by the next poll
        known: dict[tuple[str, int], ModelRecord] = {}
        for page in indexed_pages(index, where):
            known.update({(row.name, row.number): row for row in page})
        settled = {key: row for key, row in self._rows.items() if row.updated_ms < settled_ms}
        lost = [row for key, row in settled.items() if key not in known]
        stale = [row for key, row in settled.items() if key in known and known[key].tags != row.tags]
        gone = [
            row
            for key, row in known.items()
            if key not in self._rows and row.name not in self._unreadable and row.created_ms < settled_ms
        ]
        for name, rows, words in (
            ("index-incomplete", lost, "missing from the index, so that no search finds them"),
            ("index-stale", stale, "in the index as they were before somebody changed them"),
            ("index-has-removed-rows", gone, "in the index, and gone from MLflow"),
        ):
            if rows:
                yield Finding(
                    name,
                    where,
                    f"{_some(rows)} {words}",
                    "They are read from MLflow again; or everything: hokusai index rebuild",
                    fix=partial(self._indexed_again, rows),
                )

    def orphans(self) -> Iterator[Finding]:
        """No files lie about that no version refers to: what a registration leaves that was killed or lost."""
        for orphan in self._store.orphans():
            if orphan.age_seconds < self._older_than_seconds:
                yield self._in_progress("files-without-version", orphan.source, "uploaded")
                continue
            yield Finding(
                "files-without-version",
                orphan.source,
                f"{_size(orphan.size_bytes)}, {orphan.age_seconds / 3600:.0f} hours old, and no version refers to "
                "them: a registration was killed, or lost its race",
                "They are removed.",
                fix=partial(self._discarded, orphan),
            )

    def files(self) -> Iterator[Finding]:
        """The files of every version are there, and, if they are to be read, are those that were registered."""
        for row in self._rows.values():
            if row.deleted is not None:
                continue
            if self._deep:
                faults = self._file_faults(row)
            else:
                gone = row.sha256 is not None and self._store.has_files(row) is False
                faults = ["Its files are gone"] if gone else []
            if faults:
                shown = "; ".join(faults[:_SHOWN]) + (
                    f" and {len(faults) - _SHOWN} more" if faults[_SHOWN:] else ""
                )
                yield Finding(
                    "files-damaged",
                    row.model_id,
                    f"{shown}. It cannot be loaded",
                    f"Restore {row.source} from a backup, or delete the version.",
                )

    def _heard(self, entry: AuditEvent) -> None:
        happening = entry.happening
        self._authors.add(happening.actor)
        for told in ("move", "event"):
            self._told_moves.add((happening.subject.rpartition("/")[0], str(happening.details.get(told))))
        if happening.kind in _VERSION_KINDS:
            self._told.add((happening.subject, happening.details.get("mlflow_version")))
            self._actors.add(happening.actor)

    def _mirror(self, name: str) -> Iterator[Finding]:
        faults = self._stages.mirror_faults(name)
        if faults:
            yield Finding(
                "stage-not-mirrored",
                name,
                f"{'; '.join(faults)}. A process died between a move and its alias, or somebody set the alias",
                "The aliases and tags are set as the history says.",
                fix=partial(self._mirrored, name),
            )

    def _moves(self, name: str) -> Iterator[Finding]:
        """Every move by somebody who writes to this trail is in it."""
        rows = self._store.versions(LOG_PREFIX + name)
        events = ((row.number, StageEvent.from_tags(row.number, row.tags)) for row in rows)
        for event in StageBoard(name).after(events).history:
            if (name, str(event.number)) in self._told_moves or event.actor not in self._authors:
                continue
            subject = f"{name}/{event.version}"
            if self._now_ms - event.at_ms < _SETTLING_SECONDS * 1000:
                yield self._in_progress("move-without-audit-entry", subject, "moved")
            else:
                yield Finding(
                    "move-without-audit-entry",
                    subject,
                    f"{event.told()}, and the audit trail does not say so: the process died in between, or the ledger "
                    "was away",
                    "An entry that says so is written.",
                    fix=lambda: "this entry written",
                    details={"move": event.number, "moved": event.to_dict()},
                )

    def _duplicate(self, first: ModelRecord, row: ModelRecord) -> Finding:
        what = f"Number {row.number} claims it too, and number {first.number} has it"
        if ACTOR not in row.tags:
            remedy = f"It is given a version of its own: hokusai migrate from-mlflow --name {row.name}"
            return Finding("version-claimed-twice", row.model_id, what, remedy)
        if (row.model_id, row.number) in self._told:
            return Finding(
                "version-claimed-twice",
                row.model_id,
                f"{what}; but the audit trail says that number {row.number} was registered. Somebody set the "
                f"version of number {first.number} by hand",
                f"Decide which it is, and remove the tag hokusai.semver of the other in MLflow. {_both(first, row)}",
            )
        if self._age_seconds(row) < _SETTLING_SECONDS:
            return self._in_progress("lost-duplicate", row.model_id, "registered")
        if not self._raced(first, row):
            return Finding(
                "version-claimed-twice",
                row.model_id,
                f"{what}; but they are not two registrations at once, by people whom this audit trail knows. Perhaps "
                f"somebody set the version of number {first.number} by hand",
                f"Decide which it is, and remove the tag hokusai.semver of the other in MLflow. {_both(first, row)}",
            )
        return Finding(
            "lost-duplicate",
            row.model_id,
            f"{what}. Two registered it at once, and the one that lost died before it could remove its row; "
            "everybody ignores it",
            "The row is removed.",
            fix=partial(self._duplicate_removed, row),
        )

    def _raced(self, first: ModelRecord, row: ModelRecord) -> bool:
        """Whether both rows are registrations of about the same time, and the later is by somebody of this trail."""
        apart_seconds = abs(row.created_ms - first.created_ms) / 1000
        return ACTOR in first.tags and row.actor in self._actors and apart_seconds < _SETTLING_SECONDS

    def _duplicate_removed(self, row: ModelRecord) -> str:
        owner = claims.owner(self._store, row.name, row.version) if row.version else None
        if owner is None or owner.number >= row.number:
            return "nothing: it has become the owner of its version"
        self._store.remove_version(row.name, row.number)
        self._ledger.index.drop(self._store.location, [(row.name, row.number)])
        self._rows.pop((row.name, row.number), None)
        return f"number {row.number} of {row.name} removed; number {owner.number} has {row.model_id}"

    def _mirrored(self, name: str) -> str:
        done = self._stages.mirror(name, self._stages.board(name))
        left = self._stages.mirror_faults(name)
        if left:
            raise ConflictError("; ".join(left), where=name)
        return "; ".join(done) or "nothing: it was right already"

    def _indexed_again(self, rows: Sequence[ModelRecord]) -> str:
        there, gone = [], []
        for row in rows:
            try:
                there.append(self._store.version(row.name, row.number))
            except NotFoundError:
                gone.append((row.name, row.number))
        self._ledger.index.put(self._store.location, there)
        if gone:
            self._ledger.index.drop(self._store.location, gone)
        return f"{len(there)} rows written, {len(gone)} dropped"

    def _discarded(self, orphan: Orphan) -> str:
        self._store.discard(orphan.source)
        return f"{_size(orphan.size_bytes)} removed"

    def _file_faults(self, row: ModelRecord) -> list[str]:
        try:
            with tempfile.TemporaryDirectory(prefix="hokusai-doctor-") as folder:
                self._store.download(row, Path(folder))
                return file_faults(row, Path(folder))
        except NotFoundError as problem:
            return [problem.what]
        except BackendUnavailableError:
            raise
        except HokusaiError as problem:
            return [str(problem)]

    def _age_seconds(self, row: ModelRecord) -> float:
        return (self._now_ms - row.created_ms) / 1000

    def _in_progress(self, name: str, subject: str, doing: str) -> Finding:
        return Finding(name, subject, f"Possibly still being {doing}", "Wait, and ask again.", is_fault=False)


def _some(rows: Sequence[ModelRecord]) -> str:
    shown = ", ".join(row.model_id for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    verb = "is" if len(rows) == 1 else "are"
    return f"{shown}{more} {verb}"


def _both(first: ModelRecord, second: ModelRecord) -> str:
    same = first.sha256 is not None and first.sha256 == second.sha256
    return "Both have the same content." if same else "Their contents differ."


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
