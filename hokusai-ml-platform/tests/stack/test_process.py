"""The start and the end of a server, on small servers made for the purpose."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from hokusai.errors import BackendUnavailableError, ConfigurationError
from hokusai.stack.process import LOCALHOST, claim_port, environment, start_process

SLEEPER = "import time; print('awake', flush=True); time.sleep(600)"
# Has a child that left its group and session, and does not care about SIGTERM, and that one a child of its own; it is
# awake once both are.
STUBBORN_FAMILY = """
import os, signal, time
awake, grown = os.pipe()
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        os.write(grown, b"!")
    time.sleep(600)
os.read(awake, 1)
while True:
    print("awake", flush=True)
    time.sleep(0.05)
"""


def start(folder: Path, code: str, **options):
    log = folder / "server.log"
    settings = {
        "is_ready": lambda: log.exists() and "awake" in log.read_text(),
        "log_path": log,
        "env": environment(),
        "cwd": folder,
        "ready_within_seconds": 60.0,
    }
    return start_process("Sleeper", [sys.executable, "-c", code], **{**settings, **options})


def family_of(process) -> list[psutil.Process]:
    keeper = psutil.Process(process.keeper_pid)
    return [keeper, *keeper.children(recursive=True)]


def wait_until_gone(processes: list[psutil.Process], seconds: float = 60.0) -> list[psutil.Process]:
    """Those that are still there in the end (`wait_procs` knows a process by its start time, too)."""
    return psutil.wait_procs(processes, timeout=seconds)[1]


class TestStart:
    def test_returns_a_process_that_runs_in_a_session_of_its_own(self, tmp_path):
        process = start(tmp_path, SLEEPER)
        try:
            assert process.is_running
            assert os.getsid(process.pid) == process.pid != os.getsid(0)
            assert process.log_tail() == "awake"
            assert repr(process) == f"<Sleeper, process {process.pid}, running>"
        finally:
            process.stop()
        assert not process.is_running

    def test_waits_for_the_first_successful_call(self, tmp_path):
        port = claim_port()
        code = f"""
import socket, time
time.sleep(0.5)
server = socket.create_server(("{LOCALHOST}", {port}))
while True:
    server.accept()[0].close()
"""
        calls = []

        def connects():
            try:
                socket.create_connection((LOCALHOST, port), timeout=1).close()
            except OSError:
                calls.append("refused")
                return False
            calls.append("accepted")
            return True

        start(tmp_path, code, is_ready=connects).stop()
        assert calls[-1] == "accepted"
        assert calls.count("accepted") == 1
        assert len(calls) > 3

    def test_quotes_the_log_of_a_server_that_dies_at_start(self, tmp_path):
        code = "import sys; print('line one'); print('the port is haunted', file=sys.stderr); sys.exit(3)"
        with pytest.raises(BackendUnavailableError) as caught:
            start(tmp_path, code)
        assert caught.value.what == "Sleeper ended at start with exit status 3"
        assert "the port is haunted" in caught.value.hint
        assert "line one" in caught.value.hint

    def test_quotes_the_log_even_when_the_folder_goes_with_the_server(self, tmp_path):
        folder = tmp_path / "temporary"
        folder.mkdir()
        with pytest.raises(BackendUnavailableError, match="last words"):
            start(folder, "raise SystemExit('last words')", remove=folder)
        assert not folder.exists()

    def test_stops_a_server_that_is_not_ready_in_time(self, tmp_path):
        with pytest.raises(BackendUnavailableError, match="Sleeper was not ready in time"):
            start(tmp_path, SLEEPER, is_ready=lambda: False, ready_within_seconds=0.7)
        assert children_of_ours("-c", SLEEPER) == []

    def test_stops_the_server_when_the_probe_raises(self, tmp_path):
        def refuse():
            raise ConfigurationError("Wrong password")

        with pytest.raises(ConfigurationError, match="Wrong password"):
            start(tmp_path, SLEEPER, is_ready=refuse)
        assert children_of_ours("-c", SLEEPER) == []

    def test_says_which_program_cannot_be_run(self, tmp_path):
        with pytest.raises(BackendUnavailableError, match=r"cannot run /no/such/program.*No such file"):
            start_process(
                "Ghost",
                ["/no/such/program"],
                is_ready=lambda: False,
                log_path=tmp_path / "log",
                env={},
                cwd=tmp_path,
            )

    def test_runs_the_preparations_first_and_in_order(self, tmp_path):
        prepare = [[sys.executable, "-c", f"print('step {number}')"] for number in (1, 2)]
        process = start(tmp_path, SLEEPER, prepare=prepare)
        process_log = process.log_tail()
        process.stop()
        assert process_log.splitlines() == ["step 1", "step 2", "awake"]

    def test_does_not_start_the_server_when_a_preparation_fails(self, tmp_path):
        prepare = [[sys.executable, "-c", "raise SystemExit('disk full')"]]
        with pytest.raises(BackendUnavailableError, match="exit status 1") as caught:
            start(tmp_path, "open('started', 'w')", prepare=prepare)
        assert "disk full" in caught.value.hint
        assert not (tmp_path / "started").exists()

    def test_survives_the_thread_that_started_it(self, tmp_path):
        started = []
        thread = threading.Thread(target=lambda: started.append(start(tmp_path, SLEEPER)))
        thread.start()
        thread.join()
        time.sleep(0.3)  # a parent-death signal would have come by now
        assert started[0].is_running
        started[0].stop()


class TestStop:
    def test_leaves_nothing_of_a_stubborn_family(self, tmp_path):
        process = start(tmp_path, STUBBORN_FAMILY, grace_seconds=1.0)
        try:
            family = family_of(process)
            assert len(family) == 4  # keeper, server, child, grandchild
        finally:
            process.stop()
        assert wait_until_gone(family, 0) == []

    def test_kills_a_server_that_does_not_listen(self, tmp_path):
        code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
        process = start(tmp_path, code, grace_seconds=0.5)
        family, began = family_of(process), time.monotonic()
        process.stop()
        assert time.monotonic() - began >= 0.5
        assert wait_until_gone(family, 0) == []

    def test_asks_with_the_signal_that_was_chosen(self, tmp_path):
        code = """
import signal, time
def leave(number, frame):
    open("signal", "w").write(str(number))
    raise SystemExit
signal.signal(signal.SIGINT, leave)
print("awake", flush=True)
time.sleep(600)
"""
        start(tmp_path, code, stop_signal=signal.SIGINT).stop()
        assert (tmp_path / "signal").read_text() == str(int(signal.SIGINT))

    def test_twice_is_once(self, tmp_path):
        process = start(tmp_path, SLEEPER)
        process.stop()
        process.stop()
        assert not process.is_running

    def test_removes_the_temporary_folder(self, tmp_path):
        folder = tmp_path / "temporary"
        folder.mkdir()
        process = start(folder, SLEEPER, remove=folder)
        assert folder.exists()
        process.stop()
        assert not folder.exists()


class TestOwner:
    """An owner that ends without a word, in a process of its own."""

    OWNER = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_process import STUBBORN_FAMILY, family_of, start
folder = Path({folder!r})
process = start(folder, STUBBORN_FAMILY, grace_seconds=1.0, remove=folder)
print(*(member.pid for member in family_of(process)), flush=True)
{then}
"""

    @pytest.fixture
    def run_owner(self, tmp_path):
        owners = []
        yield lambda then: owners.append(self.start_owner(tmp_path, then)) or owners[-1]
        for owner, _, _ in owners:
            owner.kill()
            owner.communicate()

    def start_owner(self, tmp_path: Path, then: str) -> tuple[subprocess.Popen, list[psutil.Process], Path]:
        folder = tmp_path / "temporary"
        folder.mkdir()
        code = self.OWNER.format(
            tests=str(Path(__file__).parent), folder=str(folder), then=textwrap.dedent(then)
        )
        owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        return owner, [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()], folder

    def test_killed_leaves_no_process_and_no_folder(self, run_owner):
        owner, family, folder = run_owner("time.sleep(600)")
        assert len(family) == 4
        owner.kill()
        owner.wait()
        assert wait_until_gone(family) == []
        assert not folder.exists()

    def test_that_forgets_to_stop_leaves_nothing_either(self, run_owner):
        owner, family, folder = run_owner("")
        owner.wait()
        assert wait_until_gone(family) == []
        assert not folder.exists()

    def test_killed_while_a_fork_of_it_lives_on(self, run_owner):
        then = """
            if os.fork() == 0:
                process.stop()  # not the owner: without effect
                print(os.getpid(), flush=True)
            time.sleep(600)
        """
        owner, family, _ = run_owner(then)
        fork = psutil.Process(int(owner.stdout.readline()))
        try:
            assert all(member.is_running() for member in family)
            owner.kill()
            owner.wait()
            assert wait_until_gone(family) == []
            assert fork.is_running()
        finally:
            fork.kill()

    @pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals exist on Linux")
    def test_loses_the_server_with_its_keeper(self, tmp_path):
        process = start(tmp_path, STUBBORN_FAMILY)
        family = family_of(process)
        os.kill(process.keeper_pid, signal.SIGKILL)
        assert wait_until_gone(family[:2]) == []
        process.stop()
        for orphan in wait_until_gone(family, 0):
            orphan.kill()  # nobody is left who knew it


class TestClaimPort:
    def test_gives_a_port_that_a_server_can_open(self):
        port = claim_port()
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((LOCALHOST, port))
            server.listen()
            socket.create_connection((LOCALHOST, port)).close()

    def test_never_gives_the_same_twice(self):
        ports = [claim_port() for _ in range(300)]
        assert len(set(ports)) == 300

    def test_nor_does_the_system_give_it_to_others(self):
        claimed = {claim_port() for _ in range(300)}
        others = [socket.socket() for _ in range(300)]
        try:
            for other in others:
                other.bind((LOCALHOST, 0))
            assert claimed.isdisjoint(other.getsockname()[1] for other in others)
        finally:
            for other in others:
                other.close()

    def test_refuses_a_port_that_is_taken(self):
        with socket.create_server((LOCALHOST, 0)) as server:
            port = server.getsockname()[1]
            with pytest.raises(
                ConfigurationError, match=f"Port {port} of {LOCALHOST} cannot be used: Address already"
            ):
                claim_port(port)


def test_environment_drops_what_would_steer_the_child(monkeypatch):
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("KEPT", "yes")
    result = environment(without=("PG",), ADDED="1")
    assert "PGHOST" not in result
    assert (result["KEPT"], result["ADDED"]) == ("yes", "1")


def children_of_ours(*arguments: str) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if all(argument in child.cmdline() for argument in arguments)
    ]
