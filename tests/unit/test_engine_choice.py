"""When the fork engine is used, and what its servers accept as a request."""

import os
import socket
import sys
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of a YAML library that Metaflow carries along
    from metaflow import FlowSpec, kubernetes, step

    from src.pipeline.local_engine import uses_fork
    from src.pipeline.step_request import receive


class Here(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass


class Elsewhere(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @kubernetes
    @step
    def end(self):
        pass


@pytest.fixture(autouse=True)
def no_choice_made(monkeypatch):
    monkeypatch.delenv("HOKUSAI_LOCAL_ENGINE", raising=False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs pidfd")
class TestChoice:
    @pytest.mark.parametrize(
        ("arguments", "forks"),
        [
            ("run", True),
            ("--datastore s3 run --with retry", True),
            ("--datastore=s3 run --with resources:cpu=2", True),
            ("run --with kubernetes", False),
            ("run --with=kubernetes:cpu=2", False),
            ("run --with retry --with batch", False),
            ("--environment conda run", False),
            ("--environment=pypi run", False),
            ("--environment local run", True),
        ],
    )
    def test_by_the_command_line(self, arguments, forks):
        assert uses_fork(Here, arguments.split()) is forks

    def test_by_the_flow(self):
        assert uses_fork(Elsewhere, ["run"]) is False

    @pytest.mark.parametrize(("value", "forks"), [("fork", True), ("process", False), ("", True)])
    def test_by_the_variable(self, monkeypatch, value, forks):
        monkeypatch.setenv("HOKUSAI_LOCAL_ENGINE", value)
        assert uses_fork(Here, ["run"]) is forks

    def test_not_on_other_systems(self, monkeypatch):
        monkeypatch.setattr(sys, "platform", "darwin")
        assert uses_fork(Here, ["run"]) is False


def open_descriptors():
    return {file.name for file in Path("/proc/self/fd").iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="needs SO_PEERCRED")
class TestRequest:
    @staticmethod
    def sent(body, streams=(0, 1, 2), size=None):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            header = (len(body) if size is None else size).to_bytes(8, "big")
            socket.send_fds(ours, [header], streams)
            ours.sendall(body)
            ours.shutdown(socket.SHUT_WR)
            return receive(theirs)

    def test_is_read_as_it_was_sent(self):
        request = self.sent(b"2\0step\0st\xc3\xa4rt\0/a b\0A=1=2\0EMPTY=\0B=\xff")
        assert request.argv == ["step", "stärt"]
        assert request.cwd == "/a b"
        assert request.environ == {"A": "1=2", "EMPTY": "", "B": os.fsdecode(b"\xff")}
        assert len(request.streams) == 3
        for stream in request.streams:
            os.close(stream)

    @pytest.mark.parametrize(
        ("body", "streams", "size"),
        [
            (b"1\0step\0/", (0, 1), None),
            (b"1\0step\0/", (0, 1, 2), 100),
            (b"5\0step\0/", (0, 1, 2), None),
            (b"", (0, 1, 2), None),
            (b"x\0step\0/", (0, 1, 2), None),
        ],
    )
    def test_half_a_request_is_refused_and_leaves_no_descriptor(self, body, streams, size):
        before = open_descriptors()
        with pytest.raises(ValueError, match=r"request|invalid literal"):
            self.sent(body, streams, size)
        assert open_descriptors() == before

    def test_another_user_is_refused(self, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 12345678)
        with pytest.raises(ValueError, match="another user"):
            self.sent(b"1\0step\0/")
