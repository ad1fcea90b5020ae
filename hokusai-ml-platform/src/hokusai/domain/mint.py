"""What a contract is asked to pay for: one primary metric on one benchmark, in whole basis points, and who earned it.

Field names, order and units are the contract's; `hokusai.attestation.mint` writes, signs and reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hokusai.domain.attribution import ALL_BPS
from hokusai.domain.canonical import require_sha256
from hokusai.domain.identifiers import WalletAddress
from hokusai.errors import InvalidInputError

MOST_CONTRIBUTORS = 100
MAX_UINT256 = 2**256 - 1
METRIC_FAMILIES = ("proportion", "continuous", "zero_inflated_continuous", "rank_or_ordinal")
"""What the contract's metadata knows; only a proportion has a natural score in basis points."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid which part.

    Attributes:
        wallet: A 20-byte address, in EIP-55 mixed case.
        weight_bps: Basis points of the reward, 1 to 10,000.
        kind: "wallet", or "escrow" where it holds the part of contributors who gave no address.
    """

    wallet: str
    weight_bps: int
    kind: str = "wallet"

    def __post_init__(self) -> None:
        address = WalletAddress(self.wallet)
        if not address.payable or int(self.wallet, 16) == 0 or address.checksummed != self.wallet:
            raise InvalidInputError(
                f"Not an address that can be paid, with its EIP-55 checksum: {self.wallet!r}",
                where="contributors",
            )
        if not 1 <= self.weight_bps <= ALL_BPS or self.kind not in ("wallet", "escrow"):
            raise InvalidInputError(
                f"A weight is 1 to {ALL_BPS} basis points of a wallet or an escrow; got {self.weight_bps} of "
                f"{self.kind!r}",
                where=self.wallet,
            )


@dataclass(frozen=True, slots=True)
class MintRequest:
    """A request to mint, as the contract hashes it.

    Attributes:
        model_id: The model's number on chain, uint256.
        evaluation_id: Which evaluation it was, text that is not empty; the contract's `pipelineRunId`.
        baseline_score_bps, candidate_score_bps: The primary metric of both models, 0 to 10,000.
        max_cost_usd_micro, actual_cost_usd_micro: Of the evaluation, in millionths of a dollar.
        total_samples: Rows that were measured on, at least 1.
        benchmark_id: Names the benchmark; the contract gets its Keccak-256.
        dataset_sha256: Digest of the benchmark's bytes, hex.
        attestation_sha256: Digest of the signed statement, hex.
        metric_name, metric_family: Of the primary metric.
        baseline_sha256, candidate_sha256: Commitments to both models' weights, hex.
        deadline: Until when it may be used, in seconds since 1970.
        payees: Who is paid; their weights sum to exactly 10,000.

    Raises:
        InvalidInputError: A value is out of its range, two payees are one, or the weights do not sum to 10,000.
    """

    model_id: int
    evaluation_id: str
    baseline_score_bps: int
    candidate_score_bps: int
    max_cost_usd_micro: int
    actual_cost_usd_micro: int
    total_samples: int
    benchmark_id: str
    dataset_sha256: str
    attestation_sha256: str
    metric_name: str
    metric_family: str
    baseline_sha256: str
    candidate_sha256: str
    deadline: int
    payees: tuple[Payee, ...]

    def __post_init__(self) -> None:
        for name, least, most in (
            ("model_id", 0, MAX_UINT256),
            ("baseline_score_bps", 0, ALL_BPS),
            ("candidate_score_bps", 0, ALL_BPS),
            ("max_cost_usd_micro", 0, MAX_UINT256),
            ("actual_cost_usd_micro", 0, MAX_UINT256),
            ("total_samples", 1, MAX_UINT256),
            ("deadline", 1, MAX_UINT256),
        ):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise InvalidInputError(f"{value!r} is no whole number from {least} to {most}", where=name)
        for name in ("evaluation_id", "benchmark_id", "metric_name"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip() or not text.isprintable():
                raise InvalidInputError(f"Text that can be read is expected, got {text!r}", where=name)
        if self.metric_family not in METRIC_FAMILIES:
            raise InvalidInputError(
                f"{self.metric_family!r} is none of {', '.join(METRIC_FAMILIES)}", where="metric_family"
            )
        for name in ("dataset_sha256", "attestation_sha256", "baseline_sha256", "candidate_sha256"):
            if not int(require_sha256(getattr(self, name), name), 16):
                raise InvalidInputError("A digest of nothing but zeros is none", where=name)
        _check_payees(self.payees)

    @property
    def idempotency_key(self) -> str:
        """32 bytes as hex: the same for the same content, whenever and however often it is requested.

        SHA-256 of the model's number in decimal, a colon, and the attestation's digest in hex.
        """
        return idempotency_key(self.model_id, self.attestation_sha256)

    @property
    def delta_bps(self) -> int:
        """What the contract pays on; it takes what is below 0 for 0."""
        return self.candidate_score_bps - self.baseline_score_bps


def idempotency_key(model_id: int, attestation_sha256: str) -> str:
    """The key under which a contract accepts one attestation of one model once.

    >>> idempotency_key(12345678901234567890, "d12b65d6be0c2170d427589cc027d4988031dc23356a7f83ecf476fc712bb543")[:16]
    '1c19c341d6c99e7e'
    """
    return hashlib.sha256(f"{model_id}:{attestation_sha256}".encode("ascii")).hexdigest()


def _check_payees(payees: Sequence[Payee]) -> None:
    if not 1 <= len(payees) <= MOST_CONTRIBUTORS:
        raise InvalidInputError(
            f"The contract takes 1 to {MOST_CONTRIBUTORS} contributors, got {len(payees)}",
            where="contributors",
        )
    if len({payee.wallet for payee in payees}) < len(payees):
        raise InvalidInputError("A wallet stands twice", where="contributors", hint="Add their weights up.")
    total = sum(payee.weight_bps for payee in payees)
    if total != ALL_BPS:
        raise InvalidInputError(f"The weights sum to {total}, expected {ALL_BPS}", where="contributors")
