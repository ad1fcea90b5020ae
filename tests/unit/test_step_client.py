"""The step's client, before a server that is not its run's: it must not get a byte."""

import os
import secrets
import socket
import subprocess
import sys

import pytest

from src.pipeline import step_client
from tests.integration.impostor import NOBODY, Impostor

REFUSED = "A process of another user or run listens where a server of this run should; it was sent nothing.\n"
ENDED = "The step cannot start: the local engine of this run has ended.\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def address():
    return f"hokusai-{os.getpid()}-{secrets.token_hex(8)}"


def run_client(address, grouped="", step="start"):
    return subprocess.run(
        [sys.executable, "-I", "-S", step_client.__file__, address, grouped, "--quiet", "step", step],
        env={"SECRET": "hunter2"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listen(name):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{name}")
    listener.listen()
    listener.settimeout(0)
    return listener


def test_without_a_server_the_step_cannot_start(address):
    done = run_client(address)
    assert (done.returncode, done.stderr) == (step_client.DISALLOW_RETRY, ENDED)


@as_root
@pytest.mark.parametrize("name", ["", "/start"])
def test_another_user_gets_nothing(address, name):
    with Impostor(address + name) as impostor:
        done = run_client(address, "start")
        assert impostor.heard() == [b""]
    assert (done.returncode, done.stderr) == (step_client.DISALLOW_RETRY, REFUSED + ENDED)


@as_root
def test_another_user_who_waits_for_one_of_ours_is_told_apart(address):
    """The pid alone proves nothing: here it is the impostor's own that the address names."""
    with Impostor("hokusai-{pid}-" + address) as impostor:
        done = run_client(f"hokusai-{impostor.pid}-{address}")
        assert impostor.heard() == [b""]
    assert (done.returncode, done.stderr) == (step_client.DISALLOW_RETRY, REFUSED + ENDED)


def test_another_process_of_our_own_gets_nothing(address):
    other = f"hokusai-{os.getppid()}-{secrets.token_hex(8)}"
    with listen(other) as listener:
        done = run_client(other)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""
    assert (done.returncode, done.stderr) == (step_client.DISALLOW_RETRY, REFUSED + ENDED)


@pytest.mark.parametrize("grouped", ["", "end", "end,started"])
def test_a_step_without_a_server_of_its_own_asks_only_the_general_one(address, grouped):
    with listen(f"{address}/start") as unasked, listen(f"{address}/") as nameless:
        assert run_client(address, grouped).returncode == step_client.DISALLOW_RETRY
        for listener in (unasked, nameless):
            with pytest.raises(BlockingIOError):
                listener.accept()


def test_the_impostor_is_another_user():
    assert NOBODY not in (0, os.geteuid())
