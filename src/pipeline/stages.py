"""What every step of a pipeline gets without saying so: a record of what it did, and a policy on failure.

A failure that will come again is not worth a retry: an empty file stays empty however often it is read.
A `HokusaiError` is such a failure unless a server could not be reached; it is told in one sentence, without a
traceback, and ends the run. All others may pass (a lost connection, a full disk, a killed process) and are
left to Metaflow's `@retry`, traceback and all. In the step `start` nothing has been done that would be worth
waiting for, so there every `HokusaiError` is final: who mistyped a server's address is told at once, and once.

    @pipeline_defaults()
    class HokusaiPipeline(FlowSpec): ...

Every step then appends to the artifact `journal` an entry of the shape

    {"step": "train_new_model", "attempt": 0, "started_ms": 1763718000000, "ended_ms": 1763718001250,
     "status": "FINISHED" or "FAILED", "error": None or {"code": "data_invalid", "message": "..."}}

(`attempt` counts from 0; a task among several of one step has its number as `branch` besides), and tells of its life
as it goes, one JSON object a line, in the file that HOKUSAI_PROGRESS_FILE names:

    {"event": "started" | "finished" | "failed", "step": ..., "attempt": ..., "seconds": ..., "error": ...}

(with `branch` again)

and whatever else a step hands to `report`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metaflow import FlowMutator, current, user_step_decorator
from metaflow.exception import METAFLOW_EXIT_DISALLOW_RETRY, MetaflowExceptionWrapper

from hokusai.errors import BackendUnavailableError, HokusaiError

if TYPE_CHECKING:
    from metaflow import FlowSpec

PROGRESS_FILE = "HOKUSAI_PROGRESS_FILE"
RETRIES = 2
_FIRST = "start"  # Metaflow's name for the first step of any flow

Entry = dict[str, Any]


def is_permanent(error: BaseException) -> bool:
    """Whether trying again would fail again.

    >>> from hokusai.errors import DataError
    >>> is_permanent(DataError("The file is empty"))
    True
    >>> is_permanent(BackendUnavailableError("MLflow does not answer")), is_permanent(ConnectionResetError())
    (False, False)
    """
    return isinstance(error, HokusaiError) and not isinstance(error, BackendUnavailableError)


def stage_lifecycle(
    step_name: str, flow: FlowSpec, inputs: Iterable[FlowSpec] | None, _attributes: Mapping[str, Any]
) -> Generator[None, None, None]:
    """The wrapper around one step, as Metaflow's `user_step_decorator` wants it.

    Raises:
        SystemExit: The step raised a HokusaiError: 202 (do not retry) if it is permanent or the step is `start`,
            else 1. A step with `@catch` raises it as it is, for Metaflow to catch.
    """
    earlier = _earlier_entries(flow, inputs)
    # Before the step's body: a join that calls merge_artifacts finds the journal merged already.
    flow.journal = earlier
    entry: Entry = {"step": step_name, "attempt": current.retry_count, "started_ms": _now_ms()}
    if flow.index is not None:
        entry["branch"] = flow.index
    _report("started", entry)
    try:
        yield
    except Exception as error:
        failure = {"code": _code(error), "message": str(error)}
        entry |= {"ended_ms": _now_ms(), "status": "FAILED", "error": failure}
        flow.journal = [*earlier, entry]
        _report("failed", entry)
        if isinstance(error, HokusaiError) and not _is_caught(flow, step_name):
            # Leaving this way Metaflow keeps the artifacts and prints no traceback. What it would have noted
            # about the failure, so that `task.exception` and `resume` know of it, is noted here.
            flow._exception = MetaflowExceptionWrapper(error)
            flow._task_ok = False
            print(f"{step_name} failed [{error.code}]: {error}", file=sys.stderr, flush=True)
            final = is_permanent(error) or step_name == _FIRST
            raise SystemExit(METAFLOW_EXIT_DISALLOW_RETRY if final else 1) from error
        raise
    entry |= {"ended_ms": _now_ms(), "status": "FINISHED", "error": None}
    flow.journal = [*earlier, entry]
    _report("finished", entry)


stage = user_step_decorator(stage_lifecycle)


class pipeline_defaults(FlowMutator):  # noqa: N801 - a decorator, read as one
    """Gives every step of a flow `@stage`, and `@retry` where the step has none of its own.

    Write `@pipeline_defaults()`: without the brackets Metaflow puts an object in the place of the class.

    Args:
        retries: How often a step is tried again after a passing failure. By keyword.
    """

    def init(self, retries: int = RETRIES) -> None:
        """Metaflow's way of handing over the arguments."""
        self._retries = retries

    def mutate(self, mutable_flow: Any) -> None:
        """Metaflow's hook: called once for the flow, before its decorators take effect."""
        for _, mutable_step in mutable_flow.steps:
            mutable_step.add_decorator(stage)
            mutable_step.add_decorator(
                "retry", deco_kwargs={"times": self._retries, "minutes_between_retries": 0}
            )


def report(line: Mapping[str, Any]) -> None:
    """Tell whoever watches the run one more thing, as a line of the progress file.

    That nobody can watch is no reason to fail, but it is said.
    """
    path = os.environ.get(PROGRESS_FILE)
    if not path:
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")  # in one piece: steps at once do not mix
        finally:
            os.close(descriptor)
    except OSError as error:
        print(f"The progress of this step cannot be shown: {error}", file=sys.stderr)


def _earlier_entries(flow: FlowSpec, inputs: Iterable[FlowSpec] | None) -> list[Entry]:
    """The journal so far; in a join that of every branch, each entry once, in order of time."""
    if inputs is None:
        return list(getattr(flow, "journal", []))
    entries: list[Entry] = []
    for branch in inputs:
        entries += [entry for entry in getattr(branch, "journal", []) if entry not in entries]
    return sorted(entries, key=lambda entry: entry["started_ms"])


def _is_caught(flow: FlowSpec, step_name: str) -> bool:
    return any(decorator.name == "catch" for decorator in getattr(flow, step_name).decorators)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, HokusaiError) else type(error).__name__


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _report(event: str, entry: Entry) -> None:
    line = {"event": event, "step": entry["step"], "attempt": entry["attempt"]}
    if "branch" in entry:
        line["branch"] = entry["branch"]
    if event != "started":
        line |= {"seconds": (entry["ended_ms"] - entry["started_ms"]) / 1000, "error": entry["error"]}
    report(line)
