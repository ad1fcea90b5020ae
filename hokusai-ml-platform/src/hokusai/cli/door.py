"""How a command comes by the registry: settings, then backends, then the verbs; the same for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hokusai.core.registry import ModelRegistry


def registry() -> ModelRegistry:
    """The registry that the settings name.

    Raises:
        ConfigurationError: A setting cannot be used.
        BackendUnavailableError: A server that is configured cannot be reached.
    """
    from hokusai import wiring
    from hokusai.core.registry import ModelRegistry

    settings = wiring.start_up()
    backends = wiring.registry_backends(settings)
    return ModelRegistry(store=backends.store, ledger=backends.ledger, actor=backends.actor, poll_seconds=0)
