"""What a pipeline run did, as plain data.

Steps write nothing to a tracking server themselves. They leave entries; one writer turns the whole journal
into tracked runs at the end, or later, when a server that was lost is back. Writing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = "hokusai-journal-v1"


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step of a run: when it ran, how it ended, what it measured.

    Times are milliseconds since the epoch, UTC. `status` is MLflow's word: FINISHED or FAILED.
    """

    step: str
    started_ms: int
    ended_ms: int
    status: str = "FINISHED"
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A dataset that the run read, by the digest of its real bytes. `context` says what for."""

    name: str
    sha256: str
    context: str
    rows: int


@dataclass(frozen=True, slots=True)
class RunJournal:
    """A whole pipeline run, ready to be written to a tracking server.

    Attributes:
        run_id: The engine's id of this run; a resumed run keeps the id of the run that it continues.
        experiment: Name of the experiment that the run belongs to.
        params, metrics, tags: What describes the run as a whole.
        steps: One entry a step, in order.
        datasets: What was read.
    """

    run_id: str
    experiment: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    steps: tuple[StepEntry, ...]
    datasets: tuple[DatasetEntry, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data; `from_dict` is its inverse."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunJournal:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: The data is not a journal of this format.
        """
        fields: dict[str, Any] = dict(data) if isinstance(data, Mapping) else {}
        if fields.pop("format", None) != FORMAT:
            raise ValueError(f"not a {FORMAT} journal")
        try:
            fields["steps"] = tuple(StepEntry(**entry) for entry in fields["steps"])
            fields["datasets"] = tuple(DatasetEntry(**entry) for entry in fields["datasets"])
            journal = cls(**fields)
            _check(journal)
            for entry in journal.steps:
                _check(entry)
            return journal
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a complete {FORMAT} journal: {problem}") from problem


def _check(part: RunJournal | StepEntry) -> None:
    for kind, values in ((str, part.params), ((int, float), part.metrics), (str, part.tags)):
        if not isinstance(values, Mapping) or not all(isinstance(value, kind) for value in values.values()):
            raise TypeError("a value is of the wrong kind")


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where a journal stands on the tracking server."""

    run_id: str
    step_run_ids: Mapping[str, str]
    experiment_id: str
