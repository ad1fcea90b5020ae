"""What a verifier insists on. None of it is ever taken from the statement that is to be verified."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.envelope import keyid
from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.canonical import require_sha256
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.metrics import metric_spec
from hokusai.errors import ConfigurationError, InvalidInputError

_KEYID = re.compile("sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Revocation:
    """A key that is trusted no more.

    A statement has no time in it, and whoever holds a stolen key can write any time he likes. So a revoked key's
    signature counts for nothing, whatever it signed; but for those statements that the verifier himself had accepted
    before, whose digests he kept.

    Attributes:
        keyid: Of the key.
        accepted_before: Digests, hex, of the statements for which its signature still counts.
    """

    keyid: str
    accepted_before: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _KEYID.fullmatch(self.keyid):
            raise InvalidInputError(
                "A key id is sha256: and 64 lower-case hex digits; another spelling would revoke nothing",
                where=self.keyid[:80],
                hint="See it with: hokusai attest key.",
            )
        for sha256 in self.accepted_before:
            require_sha256(sha256, f"revoked {self.keyid}")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a verifier insists on.

    Attributes:
        trusted_keys: Whose signature counts.
        threshold: How many of them must have signed.
        weights: Metric name to weight, summing to 1, that DeltaOne must have; None takes the signer's.
        primary_metric: The metric that the basis-point record must be of; None takes the signer's.
        confidence: Coverage that all intervals must have.
        allow_dry_run: Whether a rehearsal passes; it is no evidence all the same.
        revoked: Keys that are trusted no more, among `trusted_keys` and `owner_keys`.
        owner_keys: Whose commitment to the benchmark must stand behind the statement; none asks for no such.
        owner_threshold: How many of them must have signed the commitment.
        rule: The rule that the decision must be by; None takes the signer's.
        require_accepted: Whether the improvement must have been accepted.
        min_openings: How many rows must be opened.
        challenge: What the rows to be opened are drawn by; None takes whichever rows were opened.
        units: The benchmark's column by which rows belong together, so that errors are between its units; None for
            rows that are each on their own.
        attribution_methods: By which of them credit must be attributed; none takes the signer's, or none at all.
        min_seeds: How often each model must have been trained for that.

    Raises:
        ConfigurationError: A threshold cannot be met, or the weights do not sum to 1.
        MetricError: There is no such metric.
    """

    trusted_keys: tuple[Ed25519PublicKey, ...]
    threshold: int = 1
    weights: Mapping[str, Fraction] | None = None
    primary_metric: str | None = None
    allow_dry_run: bool = False
    confidence: float = 0.95
    revoked: tuple[Revocation, ...] = ()
    owner_keys: tuple[Ed25519PublicKey, ...] = ()
    owner_threshold: int = 1
    rule: AcceptanceRule | None = None
    require_accepted: bool = False
    min_openings: int = 0
    challenge: str | None = None
    units: str | None = None
    attribution_methods: tuple[AttributionMethod, ...] = ()
    min_seeds: int = 1

    def __post_init__(self) -> None:
        _check_threshold(self.threshold, self.trusted_keys, "trusted keys")
        if self.owner_keys or self.owner_threshold != 1:
            _check_threshold(self.owner_threshold, self.owner_keys, "keys of the benchmark's owner")
        if not 0.5 <= self.confidence < 1 or self.min_openings < 0:
            raise ConfigurationError(
                "The confidence lies between 0.5 and 1, and the openings are not fewer than 0"
            )
        if self.min_seeds < 1 or (self.min_seeds > 1 and not self.attribution_methods):
            raise ConfigurationError("A number of seeds, at least 1, goes with methods of attribution")
        if self.challenge is not None and not (self.challenge and self.min_openings):
            raise ConfigurationError("A challenge goes with a number of rows to be opened, at least 1")
        if self.weights is not None:
            named = {metric_spec(name).name: weight for name, weight in self.weights.items()}
            if len(named) < len(self.weights) or sum(named.values()) != 1:
                raise ConfigurationError("The weights name a metric twice, or do not sum to exactly 1")
            object.__setattr__(self, "weights", named)
        if self.primary_metric is not None:
            object.__setattr__(self, "primary_metric", metric_spec(self.primary_metric).name)

    def is_revoked(self, key: Ed25519PublicKey, statement_sha256: str) -> bool:
        """Whether a signature by `key` counts for nothing under this statement."""
        revocations = [one for one in self.revoked if one.keyid == keyid(key)]
        return any(statement_sha256 not in one.accepted_before for one in revocations)


def _check_threshold(threshold: int, keys: tuple[Ed25519PublicKey, ...], what: str) -> None:
    different = len({keyid(key) for key in keys})
    if not 1 <= threshold <= different:
        raise ConfigurationError(
            f"Cannot ask for {threshold} signatures of {different} {what}",
            hint="Name the public key of whoever should have signed.",
        )
