"""Taking over an existing MLflow registry, in place: its versions get semantic versions, digests, stages and a trail.

Nothing is moved or removed: rows get tags, the history of stages gets moves, the audit trail and the index get
entries. Every step is worked out afresh from what is there (`hokusai.core.migration_plan`), so a run may be killed
anywhere and started again, and people may go on registering meanwhile.
"""

from __future__ import annotations

import contextlib
import fnmatch
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hokusai.core.found_files import found_model
from hokusai.core.migration_plan import TAKEN_OVER, ModelPlan, PlannedVersion, plan_model
from hokusai.core.stage_log import StageLog
from hokusai.core.trail import entries
from hokusai.core.version_rules import Rules
from hokusai.domain.audit import Happening
from hokusai.domain.records import ACTOR, BUILD, SEMVER, SHA256, ModelFacts, ModelRecord
from hokusai.domain.stages import Move, StageBoard, StageEvent
from hokusai.domain.versions import LOG_PREFIX, check_model_name
from hokusai.errors import (
    BackendUnavailableError,
    ConflictError,
    HokusaiError,
)
from hokusai.ports import Ledger, ModelStore

MIGRATED = "model.migrated"
"""The audit entry of a version that was taken over. It vouches for nothing: the bytes were found, not made here."""

Progress = Callable[[int, int], None]
"""Told now and then how many versions are done, and of how many."""
Pointers = Callable[[str], tuple[Mapping[str, int], Mapping[int, str]]]
"""The aliases and the older stages of a model, by number of the version."""

_KINDS = {Move.PROMOTE: "model.promoted", Move.DEPRECATE: "model.deprecated"}
T = TypeVar("T")
_ROUNDS = 5
_WRITERS = 4  # a server, or the disk, is waited for most of the time
_ENTRIES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a take-over did, or would do.

    Attributes:
        location: The store, without passwords.
        plans: Model by model, as it was planned at the start.
        is_dry_run: Whether nothing was written.
        versions: How many versions there are in these models.
        versioned, digested, moved: How many were given a semantic version, a digest; how many moves were written.
        entries: How many audit entries were written.
        missing: Model id to reason: versions without a digest because their files cannot be had.
        refused: Model to reason: models that could not be taken over, or not wholly.
        copied: How many versions were copied from another store.
    """

    location: str
    plans: tuple[ModelPlan, ...]
    is_dry_run: bool
    versions: int = 0
    versioned: int = 0
    digested: int = 0
    moved: int = 0
    entries: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    copied: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.versioned or self.digested or self.moved or self.entries or self.copied)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "location": self.location,
            "dry_run": self.is_dry_run,
            "models": [plan.to_dict() for plan in self.plans],
            "versions": self.versions,
            "versioned": self.versioned,
            "digested": self.digested,
            "moved": self.moved,
            "audit_entries": self.entries,
            "copied": self.copied,
            "missing_artifacts": dict(self.missing),
            "refused": dict(self.refused),
        }


def migrate(
    store: ModelStore,
    ledger: Ledger,
    stages: StageLog,
    actor: str,
    rules: Rules | None = None,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    pointers: Pointers | None = None,
) -> MigrationReport:
    """Take over every model of `store` that `rules` name. What is done already stays as it is.

    Args:
        store: The registry.
        ledger: Where the audit trail and the index are.
        stages: The histories of stages in `store`.
        actor: Who does it.
        rules: How.
        dry_run: Write nothing.
        progress: Told how far it is.
        pointers: Where aliases and older stages come from, if not from `store`.

    Raises:
        BackendUnavailableError: A server was lost on the way; run it again when it is back.
    """
    return _Migration(store, ledger, stages, actor, rules or Rules(), pointers).run(dry_run, progress)


class _Migration:
    """One take-over: what it works on, and what it has done so far."""

    def __init__(
        self,
        store: ModelStore,
        ledger: Ledger,
        stages: StageLog,
        actor: str,
        rules: Rules,
        pointers: Pointers | None,
    ) -> None:
        self._store, self._ledger, self._stages = store, ledger, stages
        self._actor, self._rules = actor, rules
        self._pointers = pointers or (lambda name: (store.aliases(name), store.legacy_stages(name)))
        self._told: set[tuple[object, ...]] = set()
        self._missing: dict[tuple[str, int], str] = {}
        self._refused: dict[str, str] = {}
        self._versioned: set[tuple[str, int]] = set()
        self._digested: set[tuple[str, int]] = set()
        self._moved = self._entries = 0

    def run(self, dry_run: bool, progress: Progress | None) -> MigrationReport:
        names = [name for name in self._store.names() if not name.startswith(LOG_PREFIX)]
        chosen = fnmatch.filter(names, self._rules.names)
        plans = [plan for name in chosen if (plan := self._guarded(name, self._plan)) is not None]
        total, done = sum(len(plan.versions) for plan in plans), 0
        if not dry_run:
            self._told = set(_told(self._ledger, self._store.location))
            for plan in plans:
                tell = partial(_tell, progress, done, total)
                self._guarded(plan.name, partial(self._take_over, plan, tell))
                done += len(plan.versions)
                tell(len(plan.versions))
        return MigrationReport(
            location=self._store.location,
            plans=tuple(plans),
            is_dry_run=dry_run,
            versions=total,
            versioned=len(self._versioned),
            digested=len(self._digested),
            moved=self._moved,
            entries=self._entries,
            missing={f"{name}/{number}": why for (name, number), why in self._missing.items()},
            refused=self._refused,
        )

    def _guarded(self, name: str, work: Callable[[str], T]) -> T | None:
        """Do one model's work; a fault of this model is noted, and does not stop the others."""
        try:
            return work(check_model_name(name))
        except BackendUnavailableError:
            raise
        except HokusaiError as problem:
            self._refused[name] = str(problem)
            return None

    def _plan(self, name: str) -> ModelPlan:
        aliases, legacy_stages = self._pointers(name)
        plan = plan_model(
            name,
            self._store.versions(name),
            self._rules,
            aliases=aliases,
            legacy_stages=legacy_stages,
            board=self._stages.board(name),
        )
        known = self._missing
        return replace(
            plan,
            versions=tuple(
                replace(planned, needs_digest=False) if (name, planned.record.number) in known else planned
                for planned in plan.versions
            ),
        )

    def _take_over(self, plan: ModelPlan, tell: Callable[[int], None], name: str) -> None:
        # Worked out again until nothing is left: others may have registered a version that was given away here.
        for _ in range(_ROUNDS):
            if plan.is_done:
                break
            self._write(plan, tell)
            plan = self._plan(name)
        self._write_trail(plan)

    def _write(self, plan: ModelPlan, tell: Callable[[int], None]) -> None:
        todo = [planned for planned in plan.versions if not planned.is_done]
        already = len(plan.versions) - len(todo)
        rows: list[ModelRecord] = []
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="hokusai-migration") as writers:
            for done, row in enumerate(writers.map(self._write_version, todo), start=1):
                rows += [row] if row is not None else []
                tell(already + done)
        self._ledger.index.put(self._store.location, rows)
        if plan.moves:
            self._stages.forget(plan.name)  # what aliases said of versions that had no semantic version then
        for move in plan.moves:
            with contextlib.suppress(ConflictError):  # somebody moved it meanwhile, and knows better
                written = self._stages.move(
                    plan.name, partial(_unless_done, replace(move, actor=self._actor))
                )
                self._moved += written is not None

    def _write_version(self, planned: PlannedVersion) -> ModelRecord | None:
        record, key = planned.record, (planned.record.name, planned.record.number)
        tags = dict(planned.tags)
        if planned.needs_digest:
            tags |= self._digest_tags(planned)
        if planned.is_new:
            if planned.version.build:
                tags[BUILD] = planned.version.build
            tags[SEMVER] = planned.version.key  # last: a version that has it is complete
        if not tags:
            return None
        row = self._store.set_tags(record.name, record.number, tags)
        if planned.is_new:
            self._versioned.add(key)
        if SHA256 in tags:
            self._digested.add(key)
        return row

    def _digest_tags(self, planned: PlannedVersion) -> dict[str, str]:
        record = planned.record
        try:
            with tempfile.TemporaryDirectory(prefix="hokusai-migration-") as folder:
                self._store.download(record, Path(folder))
                stored = found_model(Path(folder))
            tags = ModelFacts(version=planned.version, stored=stored).tags()
        except BackendUnavailableError:
            raise
        except Exception as problem:  # noqa: BLE001 - the files are anybody's; one version must not stop the rest
            self._missing[record.name, record.number] = str(problem) or type(problem).__name__
            return {}
        return {tag: value for tag, value in tags.items() if tag not in (SEMVER, BUILD, *record.tags)}

    def _write_trail(self, plan: ModelPlan) -> None:
        """Entries for all that was taken over, by this run or by one that was killed before it could say so."""
        happenings, rows = [], []
        for planned in plan.versions:
            row = planned.record
            told = (row.model_id, row.number, row.sha256)
            if ACTOR not in row.tags and row.version is not None and told not in self._told:
                happenings.append(self._version_happening(planned))
                rows.append(row)
        board = self._stages.board(plan.name)
        for event in board.history:
            if event.reason.startswith(TAKEN_OVER) and (plan.name, event.number) not in self._told:
                happenings.append(self._move_happening(plan.name, event))
        for start in range(0, len(happenings), _ENTRIES_AT_ONCE):
            part = slice(start, start + _ENTRIES_AT_ONCE)
            self._ledger.record(happenings[part], location=self._store.location, records=rows[part])
        self._entries += len(happenings)

    def _version_happening(self, planned: PlannedVersion) -> Happening:
        row = planned.record
        told = {
            "store": self._store.location,
            "mlflow_version": row.number,
            "rule": planned.rule,
            "sha256": row.sha256,
        }
        return Happening(MIGRATED, row.model_id, self._actor, told)

    def _move_happening(self, name: str, event: StageEvent) -> Happening:
        told = {
            "store": self._store.location,
            "stage": event.stage.value if event.stage else None,
            "reason": event.reason,
            "event": event.number,
        }
        return Happening(_KINDS[event.move], f"{name}/{event.version}", event.actor, told)


def _told(ledger: Ledger, location: str) -> Iterator[tuple[object, ...]]:
    """What the trail says already of versions and moves that were taken over in this store."""
    for entry in entries(ledger, MIGRATED):
        details = entry.happening.details
        if details.get("store") == location:
            yield entry.happening.subject, details.get("mlflow_version"), details.get("sha256")
    for kind in _KINDS.values():
        for entry in entries(ledger, kind):
            details = entry.happening.details
            if details.get("store") == location and "event" in details:
                yield entry.happening.subject.rpartition("/")[0], details["event"]


def _unless_done(event: StageEvent, board: StageBoard) -> StageEvent | None:
    if event.stage is not None:
        return event if board.current(event.stage) is None else None
    return None if event.version in board.deprecated else event


def _tell(progress: Progress | None, before: int, total: int, done: int) -> None:
    if progress is not None:
        progress(before + done, total)
