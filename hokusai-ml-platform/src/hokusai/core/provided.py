"""Where `ModelRegistry()` gets its stores from when it is given none.

The registry is a verb and names no adapter. `hokusai.wiring` plugs in here what the settings choose; importing this
loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hokusai.errors import ConfigurationError
from hokusai.ports import Ledger, ModelStore


@dataclass(frozen=True, slots=True)
class Backends:
    """What a registry works on.

    Attributes:
        store: Models, their versions and files.
        ledger: The audit trail and the index.
        actor: Who is working, for the trail.
    """

    store: ModelStore
    ledger: Ledger
    actor: str


_provider: Callable[[str | None], Backends] | None = None


def provide_backends(provider: Callable[[str | None], Backends] | None) -> None:
    """Say what a registry works on; `provider` is given the tracking URI, or None for the configured one."""
    global _provider  # noqa: PLW0603 - one default a process, set by the composition root
    _provider = provider


def default_backends(tracking_uri: str | None) -> Backends:
    """What `provide_backends` set.

    Raises:
        ConfigurationError: Nothing is set, or the settings cannot be used.
    """
    if _provider is None:
        raise ConfigurationError(
            "There is no store for models",
            hint="Import hokusai.wiring, which plugs in what the settings choose, or pass store=… and ledger=….",
        )
    return _provider(tracking_uri)
