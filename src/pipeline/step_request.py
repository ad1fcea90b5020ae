"""What a step's client sends to a warm server: a command line, an environment, a folder and three streams."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_SECONDS = 10.0
_HEADER_BYTES = 8
_STREAMS = 3


@dataclass(frozen=True)
class StepRequest:
    """A step to be run. `streams` are open descriptors; who holds the request is to close them."""

    argv: Sequence[str]
    cwd: str
    environ: Mapping[str, str]
    streams: Sequence[int]


def receive(connection: socket.socket) -> StepRequest:
    """Read one request; `step_client` describes its form.

    Raises:
        ValueError: It is not a whole request, or not from a process of the same user.
        OSError: The connection broke, or the client was too slow.
    """
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    if uid != os.geteuid():  # an abstract socket has no file mode to keep others out
        raise ValueError("a request from another user")
    connection.settimeout(_SECONDS)
    header, streams, _, _ = socket.recv_fds(connection, _HEADER_BYTES, _STREAMS)
    try:
        request = _parse(_read(connection, int.from_bytes(header, "big")), streams)
    except BaseException:
        for stream in streams:
            os.close(stream)
        raise
    connection.settimeout(None)
    return request


def _read(connection: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        part = connection.recv(size - len(body))
        if not part:
            raise ValueError("the request ends early")
        body += part
    return body


def _parse(body: bytes, streams: Sequence[int]) -> StepRequest:
    count, *fields = body.split(b"\0")
    last = int(count)
    if len(streams) != _STREAMS or len(fields) <= last:
        raise ValueError("the request is not whole")
    argv = [os.fsdecode(argument) for argument in fields[:last]]
    return StepRequest(argv, os.fsdecode(fields[last]), dict(_assignments(fields[last + 1 :])), streams)


def _assignments(fields: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    for field in fields:
        name, _, value = field.partition(b"=")
        yield os.fsdecode(name), os.fsdecode(value)
