"""What every `start_…` of the stack returns: the server's address, as long as it runs.

The address is a value of its own (a frozen noun), because it travels: into environment variables, to other
processes, into a fixture. The handle stays with its owner.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from hokusai.stack.process import ServerProcess


class Server(Protocol):
    """The address of a server."""

    def env(self) -> dict[str, str]:
        """The environment variables that point Hokusai, and the tools it uses, at this server."""


ServerT_co = TypeVar("ServerT_co", bound=Server, covariant=True)


class Running(Generic[ServerT_co]):
    """A started server: use it as a context manager, or call `stop`.

    Attributes:
        server: Its address; what `with` hands out.
        process: The process behind it.
    """

    def __init__(self, server: ServerT_co, process: ServerProcess) -> None:
        self.server = server
        self.process = process

    def __repr__(self) -> str:
        return f"Running({self.server!r}, {self.process!r})"

    def __enter__(self) -> ServerT_co:
        return self.server

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and wait until it is gone, with its temporary folder. A second call does nothing."""
        self.process.stop()


@contextmanager
def server_folder(name: str, folder: Path | None) -> Iterator[tuple[Path, Path | None]]:
    """Where a server keeps its data and log while it is being started.

    Args:
        name: Part of a temporary folder's name.
        folder: A lasting one, made if need be; `None` for a temporary one.

    Yields:
        The folder, and the same again if it is temporary, for `start_process(remove=…)`. If the start fails,
        a temporary one is removed here.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield folder.resolve(), None
        return
    temporary = Path(tempfile.mkdtemp(prefix=f"hokusai-{name}-")).resolve()
    try:
        yield temporary, temporary
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def read_or_make_secret(path: Path, secret: str) -> str:
    """The secret of a lasting folder: the one kept in it, or else this one, kept from now on (mode 0600)."""
    if path.exists():
        return path.read_text("utf-8").strip()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    return secret
