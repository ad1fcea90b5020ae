"""Where `ModelRegistry()` gets its stores from when it is given none: the registry is a verb and names no adapter."""

from __future__ import annotations

from dataclasses import dataclass

from hokusai.ports import Ledger, ModelStore
from hokusai.utils.default import Default


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


default_backends = Default[[str | None], Backends](
    "There is no store for models",
    "Import hokusai.wiring, which plugs in what the settings choose, or pass store=… and ledger=….",
)
"""For a tracking URI, or None for the configured one."""
provide_backends = default_backends.provide
