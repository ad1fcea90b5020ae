"""Needs: what the verbs ask of the world, each as a small protocol, on one page.

A port is written for its caller, not after the API of the store behind it. The adapters in `hokusai.adapters`
meet them; `hokusai.wiring` chooses which.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hokusai.domain.journal import RunJournal, TrackedRun

# Declared beside its caller, which stands in the layer below this one.
from hokusai.utils.metrics import MetricSink

__all__ = ["MetricSink", "ModelFile", "ModelFiles", "RunStore"]


class RunStore(Protocol):
    """Keeps what pipeline runs did. Writing the same journal twice changes nothing."""

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the store can be used now."""

    def open_runs(self, journal: RunJournal) -> TrackedRun:
        """Find or create the run of a journal, and one nested run for each of its steps."""

    def write(self, journal: RunJournal, run: TrackedRun, artifacts: Path) -> None:
        """Write all of the journal into its runs, store the folder `artifacts` with them, and end them."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A stored model's bytes, the name of its file, and the id by which it was asked for."""

    model_id: str
    file_name: str
    content: bytes


class ModelFiles(Protocol):
    """Finds stored models."""

    def fetch(self, reference: str) -> ModelFile:
        """The model that `reference` names: `name/semver`, or a URI of the store.

        Raises:
            NotFoundError: There is no such model.
            UntrustedModelError: It is stored in a form that cannot be loaded safely.
            BackendUnavailableError: The store cannot be reached.
        """
