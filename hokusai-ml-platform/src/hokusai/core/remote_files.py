"""Where files that stand in an address of another machine come from.

Whoever reads data names no adapter. `hokusai.wiring` plugs in here what the settings choose; importing this loads
nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from hokusai.errors import ConfigurationError
from hokusai.ports import RemoteFiles

_provider: Callable[[], RemoteFiles] | None = None


def provide_remote_files(provider: Callable[[], RemoteFiles] | None) -> None:
    """Say what finds and fetches remote files."""
    global _provider  # noqa: PLW0603 - one default a process, set by the composition root
    _provider = provider


def default_remote_files() -> RemoteFiles:
    """What `provide_remote_files` set.

    Raises:
        ConfigurationError: Nothing is set, or the settings cannot be used.
    """
    if _provider is None:
        raise ConfigurationError(
            "A file on another machine is named, and nothing is there to fetch it",
            hint="Import hokusai.wiring, which plugs in what the settings choose, or copy the file here.",
        )
    return _provider()
