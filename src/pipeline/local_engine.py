"""Runs a flow on this machine, several times faster than Metaflow alone, and ends it cleanly.

Metaflow starts a new Python for every step, and each imports the same libraries again. On Linux, for `run`
and `resume`, this engine keeps warm servers instead (`step_server`) and lets Metaflow start a tiny client for
each step (`step_client`). Nothing in Metaflow is patched: `metaflow.cli.main` takes the command to put in
front of `step ...` as an argument. Everything else (other commands, other systems, steps that run elsewhere,
or the variable HOKUSAI_LOCAL_ENGINE=process) is plain Metaflow.

In either engine a signal ends the run with all its steps, no step outlives a killed orchestrator, no run
outlives the killed `hokusai pipeline run` that shows it, and a step that has failed for good (see `stages`)
ends the run without a traceback.

    if __name__ == "__main__":
        run_flow(HokusaiPipeline, step_preload={"train_new_model": ["sklearn.linear_model"]})
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from metaflow import cli, parameters
from metaflow.exception import MetaflowException, MetaflowInternalError

from src.pipeline import step_client, step_server

if TYPE_CHECKING:
    from metaflow import FlowSpec

ENGINE = "HOKUSAI_LOCAL_ENGINE"
_ORCHESTRATOR = "HOKUSAI_ORCHESTRATOR_PID"
_WATCHER = "HOKUSAI_WATCHER_PID"  # set by hokusai.cli.flow_process
_METAFLOW_PRELOAD = ("metaflow.cli_components.step_cmd", "metaflow.plugins.datastores.local_storage")
_REMOTE = ("kubernetes", "batch")
_BACKLOG = 128
_GOODBYE_SECONDS = 5.0


def run_flow(
    flow_cls: type[FlowSpec],
    *,
    preload: Sequence[str] = (),
    step_preload: Mapping[str, Sequence[str]] | None = None,
) -> NoReturn:
    """Do what the command line says with this flow, then exit. To be called last in the flow's file.

    Args:
        flow_cls: The flow.
        preload: Modules that are cheap to import and that most steps need.
        step_preload: For a step that needs heavy modules, their names. They are imported by a server of the
            step's own, in the background, while earlier steps run. Steps with the same list share a server. A
            module that cannot be imported is left to the step, which then shows the error.

    Raises:
        SystemExit: Always: 0, Metaflow's own code, or 128 + n after signal n.
    """
    argv = sys.argv[1:]
    command = next((word for word in argv if word in ("run", "resume", "step")), None)
    if command == "step" and os.environ.get(_ORCHESTRATOR) == str(os.getppid()):
        step_server.die_with(os.getppid())
    watcher = os.environ.pop(_WATCHER, None)  # a run that a step may start is none of the watcher's
    if command not in ("run", "resume"):
        _main(flow_cls, entrypoint=None)
    if watcher and sys.platform == "linux":
        # As if it had passed on a signal. Before our handlers are there that simply ends this process.
        step_server.die_with(int(watcher), signal.SIGTERM)
    if uses_fork(flow_cls, argv):
        with _StepServers(flow_cls, preload, step_preload or {}) as servers, _Signals(servers.stop):
            _main(flow_cls, servers.entrypoint)
    if sys.platform == "linux":
        os.environ[_ORCHESTRATOR] = str(os.getpid())
    with _Signals(_terminate_children):
        _main(flow_cls, entrypoint=None)
    raise AssertionError("Metaflow's command line always exits")


def uses_fork(flow_cls: type[FlowSpec], argv: Sequence[str]) -> bool:
    """Whether a run of this flow with these arguments can and should use the fork engine.

    Raises:
        SystemExit: HOKUSAI_LOCAL_ENGINE names no engine.
    """
    choice = os.environ.get(ENGINE) or "fork"
    if choice not in ("fork", "process"):
        print(f"{ENGINE} is {choice!r}; it can be 'fork' or 'process'.", file=sys.stderr)
        sys.exit(2)
    if choice == "process" or sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    # A step that runs elsewhere, or under another interpreter, gains nothing from servers that run here.
    environments = _values(argv, "--environment") or [cli.DEFAULT_ENVIRONMENT]
    if environments != ["local"]:
        return False
    asked = _values(argv, "--with") + (cli.DEFAULT_DECOSPECS or "").split()
    steps = [member for name in dir(flow_cls) if getattr(member := getattr(flow_cls, name), "is_step", False)]
    static = [decorator.name for step in steps for decorator in step.decorators]
    return not any(spec.startswith(_REMOTE) for spec in [*asked, *static])


def _values(argv: Sequence[str], option: str) -> list[str]:
    """The values given to an option of the command line, in either notation."""
    spaced = [value for name, value in itertools.pairwise(argv) if name == option]
    return spaced + [word.partition("=")[2] for word in argv if word.startswith(f"{option}=")]


def _main(flow_cls: type[FlowSpec], entrypoint: list[str] | None) -> NoReturn:
    """Metaflow's command line, as `flow_cls()` runs it, but for the end of a run that failed for good.

    A step that forbids its retry leaves Metaflow with nothing to do and no last step. It calls that an
    internal error; but the step has already said what was wrong, so there is nothing to add.
    """
    flow = flow_cls(use_cli=False)
    with parameters.flow_context(flow_cls):
        try:
            cli.main(flow, entrypoint=entrypoint, handle_exceptions=False)
        except MetaflowInternalError as error:
            if "was not successful by the end of flow" not in str(error):
                cli.print_metaflow_exception(error)
            sys.exit(1)
        except MetaflowException as error:
            cli.print_metaflow_exception(error)
            sys.exit(1)
        except Exception as error:  # noqa: BLE001 - the outermost frame, as in Metaflow's own main
            cli.print_unknown_exception(error)
            sys.exit(1)
    sys.exit(0)


class _Signals:
    """While it is entered, SIGINT and SIGTERM stop the steps, then the run; the exit code names the signal.

    Metaflow knows what to do on KeyboardInterrupt, but takes for granted that its steps were signalled as
    well, as a terminal would do, and waits for them.
    """

    def __init__(self, stop_steps: Any) -> None:
        self._stop_steps = stop_steps
        self._received = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:  # a background job of a shell ignores SIGINT
                self._previous[number] = signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        again = bool(self._received)
        self._received = number
        self._stop_steps()
        if again:
            os._exit(128 + number)
        raise KeyboardInterrupt

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if self._received and kind is not None:
            sys.exit(128 + self._received)


def _terminate_children() -> None:
    """End the steps of the process engine: they are the orchestrator's children."""
    with contextlib.suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGTERM)


class _StepServers:
    """The servers of one run, from before Metaflow takes the command line until it is done."""

    def __init__(
        self, flow_cls: type[FlowSpec], preload: Sequence[str], step_preload: Mapping[str, Sequence[str]]
    ) -> None:
        self._flow_cls = flow_cls
        self._preload = preload
        self._step_preload = step_preload
        self._address = f"hokusai-{os.getpid()}-{secrets.token_hex(8)}"
        self._lifeline: int | None = None
        self._server = 0

    @property
    def entrypoint(self) -> list[str]:
        """What Metaflow is to put in front of `step ...`: without site-packages, Python starts faster."""
        grouped = ",".join(self._step_preload)
        return [sys.executable, "-I", "-S", step_client.__file__, self._address, grouped]

    def __enter__(self) -> _StepServers:
        general = step_server.Group((self._listen(self._address),), (*_METAFLOW_PRELOAD, *self._preload))
        groups = self._groups()
        end_here, end_there = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(end_there)
            step_server.serve(general, groups, end_here, self._run_step)
        os.close(end_here)
        for group in (general, *groups):
            for listener in group.listeners:
                listener.close()
        self._lifeline, self._server = end_there, pid
        return self

    def stop(self) -> None:
        """Kill the running steps and let the servers go. Can be called at any time, and again."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def __exit__(self, *_: object) -> None:
        self.stop()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._server, signal.SIGTERM)  # heard only while it is still importing
        deadline = time.monotonic() + _GOODBYE_SECONDS
        with contextlib.suppress(ChildProcessError):  # where SIGCHLD is ignored, the kernel has waited for it
            while os.waitpid(self._server, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(self._server, signal.SIGKILL)
                time.sleep(0.002)

    def _groups(self) -> list[step_server.Group]:
        steps: dict[tuple[str, ...], list[str]] = {}
        for step, modules in self._step_preload.items():
            steps.setdefault(tuple(modules), []).append(step)
        return [
            step_server.Group(tuple(self._listen(f"{self._address}/{step}") for step in names), modules)
            for modules, names in steps.items()
        ]

    @staticmethod
    def _listen(name: str) -> socket.socket:
        # In the abstract namespace: there is no file that could be left behind or have too long a path.
        # It listens before any server is ready, so that a client never has to poll; and it is the orchestrator
        # that listens: that is whom the kernel names to a client that asks who is at the other end.
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f"\0{name}")
        listener.listen(_BACKLOG)
        return listener

    def _run_step(self, argv: Sequence[str]) -> None:
        sys.argv[1:] = argv
        _main(self._flow_cls, entrypoint=None)
