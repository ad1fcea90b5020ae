"""A model as an artefact: its bytes, what they are, and what it was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class ModelArtifact:
    """A model's bytes and where they come from.

    Attributes:
        model_id: `name/semver` for a registered model, a semantic version for one made in this run.
        model_type: Import path of the estimator, or the name of the mock.
        file_name: What the file is called when it is stored.
        content: The file's bytes; the SHA-256 of these is the model's identity.
        params: The estimator's constructor arguments that were given.
        base_samples: Rows of base data that it was trained on; None where that is not known.
        contributed_samples: Rows of contributed data that it was trained on.
    """

    model_id: str
    model_type: str
    file_name: str
    content: bytes
    params: Mapping[str, Any]
    base_samples: int | None
    contributed_samples: int = 0

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the model's bytes, as 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def contribution_ratio(self) -> float:
        """Contributed rows as a share of all rows that the model was trained on."""
        total = (self.base_samples or 0) + self.contributed_samples
        return self.contributed_samples / total if total else 0.0

    def __repr__(self) -> str:
        return f"<ModelArtifact {self.model_id} {self.model_type} sha256:{self.sha256[:12]}… {len(self.content)} bytes>"
