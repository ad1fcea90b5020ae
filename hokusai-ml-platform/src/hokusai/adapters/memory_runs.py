"""Pipeline runs kept in this process: for tests and notebooks that must leave nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from hokusai.domain.journal import DatasetEntry, RunJournal, TrackedRun
from hokusai.errors import NotFoundError


@dataclass
class MemoryRun:
    """One run: that of a pipeline, or of one of its steps.

    Attributes:
        name: How it is shown.
        parent: The id of the run that it is nested in.
        status: RUNNING until it is written, then as the journal says.
    """

    name: str
    parent: str | None
    started_ms: int
    status: str = "RUNNING"
    ended_ms: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetEntry, ...] = ()
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


class MemoryRunStore:
    """A `RunStore` that forgets everything when it goes."""

    def __init__(self) -> None:
        self.runs: dict[str, MemoryRun] = {}
        """What was written, by id."""
        self._opened: dict[tuple[str, str], TrackedRun] = {}

    def __repr__(self) -> str:
        return f"MemoryRunStore({len(self.runs)} runs)"

    def check(self) -> None:
        """Nothing to find out: memory is there."""

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        """Find or create the run of `journal` and those of its steps."""
        found = self._opened.get((journal.experiment, journal.run_id))
        began = min((entry.started_ms for entry in journal.steps), default=0)
        parent = found.run_id if found else self._create(f"hokusai-{journal.run_id}", None, began)
        known = found.step_run_ids if found else {}
        steps = {
            entry.step: known.get(entry.step) or self._create(entry.step, parent, entry.started_ms)
            for entry in journal.steps
        }
        run = TrackedRun(parent, {**known, **steps}, journal.experiment)
        self._opened[journal.experiment, journal.run_id] = run
        return TrackedRun(parent, steps, journal.experiment)

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        """Write all that `journal` says into its runs, keep the files in `artifacts`, and end the runs."""
        if not artifacts.is_dir():
            raise NotFoundError("The folder of files to store with a run is gone", where=str(artifacts))
        for entry in journal.steps:
            step = self.runs[run.step_run_ids[entry.step]]
            step.params, step.metrics, step.tags = dict(entry.params), dict(entry.metrics), dict(entry.tags)
            step.status, step.ended_ms = entry.status, entry.ended_ms
        whole = self.runs[run.run_id]
        whole.params, whole.metrics, whole.tags = (
            dict(journal.params),
            dict(journal.metrics),
            dict(journal.tags),
        )
        whole.datasets = journal.datasets
        files = (path for path in artifacts.rglob("*") if path.is_file())
        whole.artifacts = {path.relative_to(artifacts).as_posix(): path.read_bytes() for path in files}
        whole.ended_ms = max((entry.ended_ms for entry in journal.steps), default=None)
        whole.status = "FAILED" if any(e.status == "FAILED" for e in journal.steps) else "FINISHED"

    def _create(self, name: str, parent: str | None, began: int) -> str:
        run_id = uuid4().hex
        self.runs[run_id] = MemoryRun(name, parent, began)
        return run_id
