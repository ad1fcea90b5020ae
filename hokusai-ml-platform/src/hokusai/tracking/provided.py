"""Where `PerformanceTracker()` gets its key and its run store from when it is given none: it names no adapter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.utils.default import Default

if TYPE_CHECKING:
    from hokusai.attestation.envelope import Signer
    from hokusai.ports import RunStore


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a tracker works with, besides a registry.

    Attributes:
        runs: Where runs are written.
        experiment: Name of the experiment that they belong to.
        signer: Gives whoever signs attestations.
    """

    runs: RunStore
    experiment: str
    signer: Callable[[], Signer]


default_tracking = Default[[str | None], Tracking](
    "There is nowhere to track improvements",
    "Import hokusai.wiring, which plugs in what the settings choose, or pass registry=… and tracking=….",
)
"""For a tracking URI, or None for the configured one."""
provide_tracking = default_tracking.provide
