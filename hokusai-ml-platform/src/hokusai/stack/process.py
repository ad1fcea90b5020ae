"""The one way to start a server of our own: ready when `start_process` returns, gone when its owner is gone.

Every server of the stack needs the same care: a port that nobody takes in between, a log to quote when it
fails, a wait that ends with its first successful call and not after a guessed sleep, an orderly stop that
takes its children along, and no leftovers, not even when the owner is killed. That last part is the
keeper's (`_keeper.py`).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hokusai.errors import BackendUnavailableError, ConfigurationError
from hokusai.stack import _keeper

LOCALHOST = "127.0.0.1"
LOG_TAIL_LINES = 20


@dataclass(frozen=True)
class ServiceUser:
    """The unprivileged user that a server runs as, when it refuses to run as root.

    Attributes:
        uid: User id.
        gid: Group id.
        keeps_file_access: It may still reach the files that root reaches; needed where a folder above the
            server's own files is closed to others, as `/root` is.
    """

    uid: int
    gid: int
    keeps_file_access: bool = False


@dataclass(frozen=True)
class _Pipes:
    """Our ends of what connects us with a keeper.

    Attributes:
        lifeline: Closing it is the request to stop.
        report: Here it writes the server's process id.
        log: The log, held open because the keeper deletes a temporary one with its folder.
    """

    lifeline: IO[bytes]
    report: IO[bytes]
    log: IO[bytes]

    def close(self) -> None:
        for end in (self.lifeline, self.report, self.log):
            end.close()


class ServerProcess:
    """A running server, seen from its owner. Made by `start_process`.

    Attributes:
        name: What it is called in messages.
        pid: Its process id.
        log_path: Where its output goes.
    """

    def __init__(
        self, name: str, log_path: Path, keeper: subprocess.Popen[bytes], pipes: _Pipes, stop_seconds: float
    ) -> None:
        self.name = name
        self.pid = 0
        self.log_path = log_path
        self._keeper = keeper
        self._pipes = pipes
        self._stop_seconds = stop_seconds
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.name}, process {self.pid}, {'running' if self.is_running else 'stopped'}>"

    @property
    def is_running(self) -> bool:
        """Whether the server has not ended yet."""
        return self._keeper.poll() is None

    @property
    def keeper_pid(self) -> int:
        """The process between us and the server; the root of everything that the server starts."""
        return self._keeper.pid

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """The last lines that the server wrote."""
        if self._pipes.log.closed:
            return ""
        self._pipes.log.seek(0)
        return "\n".join(self._pipes.log.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End the server and its children, and wait for it.

        A second call does nothing; nor does one in a fork of the owner.
        """
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._pipes.lifeline.close()
            try:
                self._keeper.wait(self._stop_seconds)
            except subprocess.TimeoutExpired:
                self._keeper.kill()
                self._keeper.wait()
            self._pipes.close()
            if self._keeper.returncode == -signal.SIGKILL and self.pid:
                # Somebody killed the keeper, which ended the server; the rest of its group would stay.
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)

    def _wait_until_ready(self, is_ready: Callable[[], bool], deadline: float) -> None:
        pause = 0.01
        while True:
            if not self.pid:
                self._read_pid(pause)
            elif is_ready() and self.is_running:
                return
            if not self.is_running:
                raise self._failure(f"ended at start with exit status {self._keeper.returncode}")
            if time.monotonic() > deadline:
                raise self._failure("was not ready in time")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _read_pid(self, seconds: float) -> None:
        poller = select.poll()
        poller.register(self._pipes.report, select.POLLIN)
        if poller.poll(seconds * 1000) and (line := self._pipes.report.read(32)):
            self.pid = int(line)

    def _failure(self, what: str) -> BackendUnavailableError:
        tail = self.log_tail() or "(nothing)"
        return BackendUnavailableError(f"{self.name} {what}", hint=f"The end of its log:\n{tail}")


def start_process(
    name: str,
    argv: Sequence[str | Path],
    *,
    is_ready: Callable[[], bool],
    log_path: Path,
    env: Mapping[str, str],
    cwd: Path,
    prepare: Sequence[Sequence[str | Path]] = (),
    user: ServiceUser | None = None,
    remove: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 10.0,
    ready_within_seconds: float = 60.0,
) -> ServerProcess:
    """Start a server and wait until it answers.

    May be called from any thread; the server lives until `stop`, or until the whole owning process ends.

    Args:
        name: What it is called in messages, for example `"PostgreSQL"`.
        argv: Its command; the first item is the absolute path of the program. Never put a secret in it.
        is_ready: A first real call; true once it succeeded, false as long as it cannot.
        log_path: The file that gets its output, appended to.
        env: Its whole environment; see `environment`.
        cwd: The folder it runs in.
        prepare: Commands that have to succeed before, for example those that create its data.
        user: Whom to run it as, if not as ourselves.
        remove: A temporary folder, deleted after the server has ended.
        stop_signal: What asks it to end in good order.
        grace_seconds: After that long it is killed.
        ready_within_seconds: How long preparation and start may take together.

    Raises:
        BackendUnavailableError: It ended, or did not answer in time; the text quotes the end of its log.
    """
    deadline = time.monotonic() + ready_within_seconds
    plan = _keeper.Plan(
        name=name,
        owner=os.getpid(),
        argv=[str(item) for item in argv],
        prepare=[[str(item) for item in command] for command in prepare],
        cwd=str(cwd),
        stop_signal=stop_signal,
        grace_seconds=grace_seconds,
        uid=user.uid if user else -1,
        gid=user.gid if user else -1,
        keeps_file_access=bool(user and user.keeps_file_access),
        remove=str(remove or ""),
    )
    lifeline_end, lifeline = os.pipe()
    report, report_end = os.pipe()
    log_end = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    pipes = _Pipes(os.fdopen(lifeline, "wb"), os.fdopen(report, "rb", buffering=0), log_path.open("rb"))
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", _keeper.__file__, plan.to_json()],
            stdin=lifeline_end,
            stdout=report_end,
            stderr=log_end,
            env=dict(env),
            cwd="/",
            start_new_session=True,
        )
    except BaseException:
        pipes.close()
        raise
    finally:
        for fd in (lifeline_end, report_end, log_end):
            os.close(fd)
    process = ServerProcess(
        name, log_path, keeper, pipes, stop_seconds=grace_seconds + _keeper.SWEEP_SECONDS + 5
    )
    try:
        process._wait_until_ready(is_ready, deadline)
    except BaseException:
        process.stop()
        raise
    return process


def environment(*, without: Sequence[str] = (), **variables: str) -> dict[str, str]:
    """Our own environment for a child, less the variables that would steer it from outside.

    Args:
        without: Beginnings of names to leave out, for example `("PG",)`.
        **variables: What to add.

    >>> environment(without=("P",), HOME="/x").get("PATH"), environment(HOME="/x")["HOME"]
    (None, '/x')
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith(tuple(without))}
    return ours | variables


def claim_port(port: int | None = None) -> int:
    """A free TCP port on this machine that nobody else is given before our server opens it.

    Two processes that ask the system for "any free port" and close it again can get the same one. So we
    leave a connection on it in the state TIME_WAIT: for a minute the system then gives the port to nobody,
    while a server, which asks for it by number with SO_REUSEADDR, gets it.

    Args:
        port: The port that has to be free, or `None` for any.

    Raises:
        ConfigurationError: That port is taken.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOCALHOST, port or 0))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {LOCALHOST} cannot be used: {error.strerror}",
                hint="Choose another port, or none to get a free one.",
            ) from error
        listener.listen(1)
        with socket.create_connection(listener.getsockname()) as client:
            server_side, _ = listener.accept()
            server_side.close()  # the side that closes first keeps the TIME_WAIT: this one, on our port
            client.recv(1)
        return int(listener.getsockname()[1])
