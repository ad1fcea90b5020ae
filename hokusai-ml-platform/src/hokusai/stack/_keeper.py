"""The keeper: a small process that stands between us and a server, so that no server outlives its owner.

A parent-death signal alone does not do: it fires when the *thread* that started the child ends, it is lost
when the child changes its user, and it does not reach grandchildren. So each server has a keeper, which
ends the server and everything the server ever started as soon as its owner is gone, however that came
about: it watches the owner's process, and a pipe that closes with it. It then removes the server's
temporary folder.

`process.py` runs this file as a script (`python -I -S`), so it uses the standard library only, and little
of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LIFELINE, REPORT, LOG = 0, 1, 2  # the keeper's own three file descriptors
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT = 1, 8, 36, 47
CAP_DAC_OVERRIDE = 1  # reach files whatever their mode: what root does anyway
SWEEP_SECONDS = 3.0  # at most, for what the server left behind; then it is killed


@dataclass(frozen=True)
class Plan:
    """What a keeper has to do. No secret belongs in here: it is the keeper's command line, which anybody
    can list.

    Attributes:
        name: What the server is called in messages.
        owner: Process id of the owner; its end is the server's end.
        argv: The server's command.
        prepare: Commands that must succeed before the server starts, one after another.
        cwd: The folder in which they run.
        stop_signal: The signal that asks the server to end in good order.
        grace_seconds: How long it may take for that before it is killed.
        uid: The user to run as, or -1 to stay the same.
        gid: The group to run as.
        keeps_file_access: The other user may still reach the files that we can reach.
        remove: A folder to delete in the end, or "".
    """

    name: str
    owner: int
    argv: list[str]
    prepare: list[list[str]]
    cwd: str
    stop_signal: int
    grace_seconds: float
    uid: int = -1
    gid: int = -1
    keeps_file_access: bool = False
    remove: str = ""

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


class Keeper:
    """Runs a plan; `run` returns when the server and all its descendants are gone."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.must_stop = False
        self._exit_codes: dict[int, int] = {}
        self._poll = select.poll()

    def run(self) -> int:
        """Prepare, start the server, wait for its end or the owner's, clean up; the server's exit status."""
        self._watch()
        try:
            status = 0
            for argv in self.plan.prepare:
                status = status or self._run_command(argv)
            return status or self._run_command(self.plan.argv, report=True)
        finally:
            self._sweep()
            if self.plan.remove:
                import shutil

                shutil.rmtree(self.plan.remove, ignore_errors=True)

    def _watch(self) -> None:
        """Be told of the owner's end, of a child's end and of a request to stop, all by one `poll`."""
        # Descendants that lose their parent become our children, not init's.
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._request_stop())
        self._wake = wake_read
        self._poll.register(wake_read, select.POLLIN)
        self._poll.register(LIFELINE, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            # The pipe alone would be kept open by a fork of the owner.
            try:
                self._poll.register(os.pidfd_open(self.plan.owner), select.POLLIN)
            except OSError:
                self.must_stop = os.getppid() != self.plan.owner
        if os.getppid() != self.plan.owner:
            self.must_stop = True

    def _request_stop(self) -> None:
        self.must_stop = True

    def _pause(self, seconds: float | None) -> None:
        """Sleep until something happens, at most so long."""
        for fd, _ in self._poll.poll(None if seconds is None else seconds * 1000):
            if fd == self._wake:
                os.read(self._wake, 4096)
            else:
                self.must_stop = True
                self._poll.unregister(fd)

    def _run_command(self, argv: list[str], *, report: bool = False) -> int:
        pid = self._spawn(argv)
        if report:
            _write(REPORT, f"{pid}\n")
            os.close(REPORT)
        while self._reap() and pid not in self._exit_codes:
            if self.must_stop:
                self._end(pid)
                break
            self._pause(None)
        code = self._exit_codes.get(pid, 0)
        return code if code >= 0 else 128 - code

    def _spawn(self, argv: list[str]) -> int:
        keeper = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDWR), LIFELINE)
            os.dup2(LOG, REPORT)
            os.chdir(self.plan.cwd)
            self._become_user()
            # Last, because a change of user forgets it. Our parent has one thread, so here it means what it
            # says.
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == keeper:
                os.execv(argv[0], argv)  # noqa: S606 - there is no shell to want
        except BaseException as error:  # noqa: BLE001 - a fork must never return into its parent's code
            _write(LOG, f"{self.plan.name}: cannot run {argv[0]}: {error}\n")
        os._exit(127)

    def _become_user(self) -> None:
        if self.plan.uid < 0:
            return
        os.setgroups([])
        os.setgid(self.plan.gid)
        if self.plan.keeps_file_access:
            _prctl(PR_SET_KEEPCAPS, 1)
        os.setuid(self.plan.uid)
        if self.plan.keeps_file_access:
            _keep_capability(CAP_DAC_OVERRIDE)

    def _end(self, pid: int) -> None:
        """Ask the server to end; kill it when its time is over."""
        _kill(pid, self.plan.stop_signal)
        deadline = time.monotonic() + self.plan.grace_seconds
        while self._reap() and pid not in self._exit_codes:
            left = deadline - time.monotonic()
            if left <= 0:
                _kill(pid, signal.SIGKILL)
            self._pause(max(left, 0.05))

    def _sweep(self) -> None:
        """End what the server left behind.

        Each round adopts the orphans that the one before has made, until none is left.
        """
        deadline = time.monotonic() + min(SWEEP_SECONDS, self.plan.grace_seconds)
        asked: set[int] = set()
        while self._reap():
            is_late = time.monotonic() > deadline
            for pid in _children():
                if is_late or pid not in asked:
                    _kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
                    asked.add(pid)
            self._pause(0.02)

    def _reap(self) -> bool:
        """Collect the children that have ended; whether there are others."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                self._exit_codes[pid] = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False


def _children() -> list[int]:
    """The processes whose parent we are (Linux; elsewhere none can be adopted, so there are none to find)."""
    me, found = str(os.getpid()), []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if entry.read_text("utf-8", "replace").rpartition(")")[2].split()[1] == me:
                found.append(int(entry.parent.name))
    return found


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _write(fd: int, text: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        os.write(fd, text.encode())


def _prctl(option: int, *values: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(option, *(ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4])):
            raise OSError(ctypes.get_errno(), f"prctl({option})")


def _keep_capability(number: int) -> None:
    """Carry one capability of root through a change of user and the `exec` after it.

    See capabilities(7), "ambient".
    """
    bit = 1 << number
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    sets = (ctypes.c_uint32 * 6)(
        0, bit, bit, 0, 0, 0
    )  # effective, permitted, inheritable: low words, then high
    if ctypes.CDLL(None, use_errno=True).capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, 2, number)  # 2: PR_CAP_AMBIENT_RAISE


if __name__ == "__main__":
    sys.exit(Keeper(Plan.from_json(sys.argv[1])).run())
