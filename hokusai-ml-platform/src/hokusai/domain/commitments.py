"""What a signer binds itself to, row by row, before anybody asks: labels, and what both models said.

A commitment is the root of a tree of salted hashes. It shows nothing of the rows, and single rows can be opened later
against it: `hokusai.attestation.commitments` makes them, `hokusai.attestation.openings` opens them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hokusai.domain.canonical import require_sha256
from hokusai.errors import InvalidInputError

SCHEME = "hokusai-rows-v1"
"""Name and version of how the roots are made: docs/formats/hokusai-rows-v1.md."""


@dataclass(frozen=True, slots=True)
class Commitments:
    """Roots over the benchmark's rows in their order, hex.

    Attributes:
        labels: Over the true labels (or values); it depends on the benchmark alone, so that its owner can make it
            before anybody contributes.
        baseline: Over the baseline model's predictions.
        new: Over the new model's predictions.
        scheme: How they were made.
    """

    labels: str
    baseline: str
    new: str
    scheme: str = SCHEME

    def __post_init__(self) -> None:
        for name in ("labels", "baseline", "new"):
            require_sha256(getattr(self, name), f"commitments.{name}")
        if self.scheme != SCHEME:
            raise InvalidInputError(
                f"Commitments are made by {SCHEME!r}, not by {self.scheme[:80]!r}", where="scheme"
            )
