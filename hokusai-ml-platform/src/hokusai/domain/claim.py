"""What an attestation claims: these files, this comparison, these contributors.

The claim is a noun and knows nothing of formats: `hokusai.attestation.statement` writes it as an in-toto
Statement. It holds facts only. What follows from them (deltas, credit, subject names) is worked out from
them, so that a claim cannot contradict itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hokusai.domain.contribution import Contribution
from hokusai.domain.delta import Comparison
from hokusai.errors import InvalidInputError

CREDIT_METHOD = "proportional"
"""Credit is shared in proportion to the accepted rows."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Estimator:
    """How a model was made: what a re-run needs to make it again.

    Attributes:
        import_path: Where its class is imported from, such as "sklearn.linear_model.LogisticRegression".
        params: Its parameters, as JSON values.
    """

    import_path: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document that supports the claim and travels beside it, such as a zero-knowledge proof of the counts.

    Attributes:
        name: What it is.
        sha256: Digest of its bytes, hex.
        media_type: Its format.
    """

    name: str
    sha256: str
    media_type: str

    def __post_init__(self) -> None:
        require_sha256(self.sha256, self.name)


@dataclass(frozen=True, slots=True)
class DeltaOneClaim:
    """An improvement, and all that has to be known to check it.

    Everything here is content, no time, path, host, run id or secret: the same inputs give the same claim.

    Attributes:
        baseline_model_sha256: Digest of the baseline model's file, hex.
        new_model_sha256: Digest of the new model's file.
        benchmark_sha256: Digest of the benchmark's bytes.
        contributions: The contributed files, in the order given; at least one row of them was accepted.
        comparison: What the benchmark says of the two models.
        target_column: Name of the column that is predicted.
        feature_columns: Names of the columns that it is predicted from.
        base_rows: Rows of base data that the new model was trained on besides the contribution.
        new_estimator: How the new model was made.
        baseline_estimator: How the baseline model was made, if that is known.
        libraries: Package name to version, of those that decide the numbers.
        base_data_sha256: Digest of the base data, if there is any.
        dry_run: Whether this is a rehearsal on mock data: no evidence of anything.
        evidence: Documents that support the claim.

    Raises:
        InvalidInputError: A digest is not one, or no contributed row was accepted.
    """

    baseline_model_sha256: str
    new_model_sha256: str
    benchmark_sha256: str
    contributions: tuple[Contribution, ...]
    comparison: Comparison
    target_column: str
    feature_columns: tuple[str, ...]
    base_rows: int
    new_estimator: Estimator
    baseline_estimator: Estimator | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    base_data_sha256: str | None = None
    dry_run: bool = False
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        for name, sha256 in self.subjects:
            require_sha256(sha256, name)
        if self.contributed_rows < 1:
            raise InvalidInputError(
                "No contributed row was accepted, so there is no contribution to credit",
                hint="See why they were left out: duplicates, rows of the base data or benchmark, no label.",
            )

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """(name, SHA-256) of every file that the claim is about, in a fixed order."""
        base = () if self.base_data_sha256 is None else (("base-data", self.base_data_sha256),)
        return (
            ("baseline-model", self.baseline_model_sha256),
            ("new-model", self.new_model_sha256),
            ("benchmark", self.benchmark_sha256),
            *base,
            *((f"contributed-data/{i}", c.sha256) for i, c in enumerate(self.contributions, start=1)),
        )

    @property
    def contributed_rows(self) -> int:
        """Accepted rows of all contributions."""
        return sum(contribution.rows_accepted for contribution in self.contributions)

    @property
    def credits(self) -> tuple[Fraction, ...]:
        """The share of each contribution, in their order; they sum to exactly 1."""
        return tuple(Fraction(c.rows_accepted, self.contributed_rows) for c in self.contributions)


def require_sha256(text: str, what: str) -> str:
    """`text`, which must be 64 lower-case hex digits.

    Raises:
        InvalidInputError: It is not.
    """
    if not _SHA256.fullmatch(text):
        raise InvalidInputError(f"Not a SHA-256 digest in lower-case hex: {text[:80]!r}", where=what)
    return text
