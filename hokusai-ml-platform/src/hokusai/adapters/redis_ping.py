"""Whether a Redis server answers: one PING, as its protocol (RESP) spells it, with a limit of time."""

from __future__ import annotations

import socket

from hokusai.errors import BackendUnavailableError

_SECONDS = 5.0
# A server that wants a password, or that is loading, is there.
_ANSWERS = (b"+PONG", b"-NOAUTH", b"-LOADING")


def ping_redis(host: str, port: int) -> None:
    """Ask a server whether it is there.

    Raises:
        BackendUnavailableError: It is not, or it is something else.
    """
    where = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as problem:
        raise BackendUnavailableError(
            f"Redis cannot be reached: {problem.strerror or problem}",
            where=where,
            hint="Start the server, or unset REDIS_HOST: caches are in the process then.",
        ) from problem
    if not answer.startswith(_ANSWERS):
        raise BackendUnavailableError(
            "Something answers there, but it is no Redis server",
            where=where,
            hint="Check REDIS_HOST and REDIS_PORT.",
        )
