"""Metrics kept in this process: for tests, notebooks and dry runs that must leave nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from uuid import uuid4

from hokusai.errors import NotFoundError


class MemoryMetricSink:
    """A `MetricSink` that forgets everything when it goes.

    A run comes into being when it is first logged to.

    >>> sink = MemoryMetricSink()
    >>> sink.get_metrics(sink.log_metrics({"model:accuracy": 0.9}))
    {'model:accuracy': 0.9}
    """

    def __init__(self) -> None:
        self.notes: dict[str, dict[str, Mapping[str, str]]] = {}
        """What was noted, by run id and metric name."""
        self._values: dict[str, dict[str, tuple[int, float]]] = {}
        self._own_run_id = uuid4().hex
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"MemoryMetricSink({len(self._values)} runs)"

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        *,
        step: int = 0,
        run_id: str | None = None,
        notes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """Record numbers by metric name; see `MetricSink`."""
        run_id = run_id or self._own_run_id
        with self._lock:
            values = self._values.setdefault(run_id, {})
            for name, value in metrics.items():
                latest, _ = values.get(name, (step, value))
                if step >= latest:
                    values[name] = (step, value)
            self.notes.setdefault(run_id, {}).update(notes or {})
        return run_id

    def get_metrics(self, run_id: str) -> dict[str, float]:
        """The latest value of each metric of a run; see `MetricSink`."""
        if run_id not in self._values:
            raise NotFoundError(f"No metrics were logged to a run {run_id!r}")
        return {name: value for name, (_, value) in self._values[run_id].items()}
