"""The warm processes of the fork engine: each has the flow and some libraries imported, and forks for a step.

Importing is nine tenths of what a small step costs, and forking a process that has imported already costs
milliseconds. The server is itself forked from the orchestrator, just before Metaflow takes the command line:
what it knows is exactly what a fresh `python flow.py` would know at that point, so a step cannot tell the
difference, and neither the flow's module nor its class has to be named.

There is one general server, ready at once, and one more for every group of heavy libraries. Those import in
the background, on another core, while the first steps run. Requests that come early wait in the socket's
queue.

A server lives exactly as long as the orchestrator holds the other end of the *lifeline*, a pipe. When that
closes, however the orchestrator ended, every running step is killed with all its descendants.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from src.pipeline.step_client import TAKEN
from src.pipeline.step_request import StepRequest, receive

RunStep = Callable[[Sequence[str]], None]
"""Runs Metaflow's `step` command with these arguments; raises SystemExit, as Metaflow does."""

_GOODBYE_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Group:
    """A server to be: where it listens, and what it imports before it serves."""

    listeners: tuple[socket.socket, ...]
    modules: tuple[str, ...]


@dataclass(eq=False)
class _Task:
    pid: int
    pidfd: int
    connection: socket.socket

    def kill(self) -> None:
        """Kill the step and its descendants. It is not yet waited for, so the pid cannot be another's."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def serve(general: Group, groups: Sequence[Group], lifeline: int, run_step: RunStep) -> NoReturn:
    """Be the general server, and the parent of the others, until the lifeline closes."""
    server_exit = 1
    try:
        _detach()
        _import(general.modules)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # from here on there are children to wait for
        children = [_fork_group(group, [general, *groups], lifeline, run_step) for group in groups]
        # Held by its own server alone: if that dies, clients are turned away, not left waiting.
        for listener in (listener for group in groups for listener in group.listeners):
            listener.close()
        _Server(general.listeners, lifeline, run_step).loop()
        _end(children)
        server_exit = 0
    finally:
        os._exit(server_exit)


def die_with(parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when `parent`, its parent, dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), number)


def _fork_group(group: Group, all_groups: Sequence[Group], lifeline: int, run_step: RunStep) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for listener in (
            listener for other in all_groups if other is not group for listener in other.listeners
        ):
            listener.close()
        _import(group.modules)
        _Server(group.listeners, lifeline, run_step).loop()
    finally:
        os._exit(0)


def _detach() -> None:
    """Let go of the terminal: Ctrl+C is for the orchestrator, what imports say is for the step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # while importing, one can simply be told to go
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else, where ignored, nobody can be waited for
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


def _import(modules: Sequence[str]) -> None:
    """Import what can be imported; for the rest the step itself gets to see the error."""
    gc.disable()
    # mlflow.data imports polars if it is there, and polars starts threads, which do not survive a fork.
    hidden = "polars" not in sys.modules and "polars" not in modules
    if hidden:
        sys.modules["polars"] = None  # type: ignore[assignment]
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    if hidden:
        del sys.modules["polars"]
    gc.freeze()  # the collector must not touch, and so copy, pages shared with the forks


def _end(children: Sequence[int]) -> None:
    """Wait for the other servers; they see the same lifeline. The one still importing is told to stop."""
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _GOODBYE_SECONDS
    for pid in children:
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)


class _Server:
    """One server's loop over its sockets, its steps and the lifeline."""

    def __init__(self, listeners: Sequence[socket.socket], lifeline: int, run_step: RunStep) -> None:
        self._lifeline = lifeline
        self._run_step = run_step
        self._tasks: set[_Task] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(lifeline, selectors.EVENT_READ, None)
        for listener in listeners:
            self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def loop(self) -> None:
        """Serve until the lifeline closes, then kill what still runs."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # from here on the lifeline says when to go
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    for task in self._tasks:
                        task.kill()
                    for task in self._tasks:
                        os.waitpid(task.pid, 0)
                    return
                # An earlier event of the same batch may have ended what this one is about.
                if self._selector.get_map().get(key.fd) is key:
                    key.data(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone; nobody is waiting for an answer
            connection, _ = listener.accept()
            try:
                request = receive(connection)
            except (OSError, ValueError):
                connection.close()
                return
            try:
                self._fork(connection, request)
            finally:
                for stream in request.streams:
                    os.close(stream)

    def _fork(self, connection: socket.socket, request: StepRequest) -> None:
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            connection.close()
            raise
        if pid == 0:
            self._become(request, connection, server)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # here too: a kill must find the group, whoever runs first
        task = _Task(pid, os.pidfd_open(pid), connection)
        self._tasks.add(task)
        self._selector.register(task.pidfd, selectors.EVENT_READ, lambda _: self._exited(task))
        self._selector.register(connection, selectors.EVENT_READ, lambda _: self._hung_up(task))
        with contextlib.suppress(OSError):
            connection.sendall(TAKEN)

    def _exited(self, task: _Task) -> None:
        ended = os.waitid(os.P_PIDFD, task.pidfd, os.WEXITED | os.WNOWAIT)
        if ended is not None and ended.si_code != os.CLD_EXITED:
            task.kill()  # killed: what it had started is of no use to anyone now
        _, status = os.waitpid(task.pid, 0)
        self._tasks.remove(task)
        self._selector.unregister(task.pidfd)
        os.close(task.pidfd)
        if task.connection.fileno() in self._selector.get_map():
            self._selector.unregister(task.connection)
        with contextlib.suppress(OSError):
            task.connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))
        task.connection.close()

    def _hung_up(self, task: _Task) -> None:
        """Metaflow has killed the client: the step goes with it."""
        self._selector.unregister(task.connection)
        task.kill()

    def _become(self, request: StepRequest, connection: socket.socket, server: int) -> NoReturn:
        """Turn this fork into the step's process. Never returns into the server."""
        code = 1
        try:
            os.setpgid(0, 0)
            for key in list(self._selector.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()
                else:
                    os.close(key.fd)
            self._selector.close()
            connection.close()
            die_with(server)
            _take_over(request)
            code = _exit_code(self._run_step, request.argv)
        finally:
            os._exit(code)


def _take_over(request: StepRequest) -> None:
    """Take on the client's streams, folder and environment, and what else a fresh process has of its own."""
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
        os.close(stream)
    for text in (sys.stdout, sys.stderr):
        text.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request.environ)
    os.chdir(request.cwd)
    if (
        "numpy.random" in sys.modules
    ):  # all forks share the server's global generator; `random` reseeds itself
        sys.modules["numpy.random"].seed()
    gc.enable()


def _exit_code(run_step: RunStep, argv: Sequence[str]) -> int:
    """Run the step, then what the interpreter would run at its end."""
    code = 1
    try:
        run_step(argv)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the last frame of a process: what it does not report, nobody does
        traceback.print_exc()
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]  # joins the threads that are not daemons
        atexit._run_exitfuncs()
    for text in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            text.flush()
    return code & 0xFF
