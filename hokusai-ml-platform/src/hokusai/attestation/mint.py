"""The message by which attesters ask a contract to mint, signed so that the contract can tell who asks.

An attestation says what was found; a mint request says what is to be paid for it, in the contract's own terms. It is
made of an attestation that was verified, of nothing else. The statistics in it are for people: the contract does not
hash them. Time enters by the deadline only, and the key against double spending does not depend on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hokusai.attestation.eip712 import Eip712Domain, Members, typed_data_digest
from hokusai.attestation.ethereum import EthereumKey, recover
from hokusai.domain.attribution import Credit
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.keccak import keccak_256
from hokusai.domain.metrics import Scale, metric_spec
from hokusai.domain.mint import MintRequest, Payee
from hokusai.errors import IntegrityError, InvalidInputError

DOMAIN_NAME, DOMAIN_VERSION = "HokusaiDeltaVerifier", "1"
MOST_SIGNATURES = 8
TYPES: Mapping[str, Members] = {
    "MintRequest": (
        ("modelId", "uint256"),
        ("payload", "MintRequestPayload"),
        ("contributors", "Contributor[]"),
    ),
    "MintRequestPayload": (
        ("pipelineRunId", "string"),
        ("baselineScoreBps", "uint256"),
        ("candidateScoreBps", "uint256"),
        ("maxCostUsdMicro", "uint256"),
        ("actualCostUsdMicro", "uint256"),
        ("totalSamples", "uint256"),
        ("anchors", "BenchmarkAnchors"),
        ("baselineCommitment", "bytes32"),
        ("candidateCommitment", "bytes32"),
        ("deadline", "uint256"),
    ),
    "BenchmarkAnchors": (
        ("benchmarkSpecHash", "bytes32"),
        ("datasetHash", "bytes32"),
        ("attestationHash", "bytes32"),
        ("idempotencyKey", "bytes32"),
        ("metricName", "string"),
        ("metricFamily", "string"),
    ),
    "Contributor": (("walletAddress", "address"), ("weight", "uint256")),
}
"""Order of the members is consensus-critical: it is the contract's."""


@dataclass(frozen=True, slots=True)
class SignedMintRequest:
    """A request for one contract on one chain, and the signatures of those who attest it, in ascending order of signer.

    Attributes:
        request: What is asked for.
        domain: Of which contract.
        signatures: 65 bytes each.
    """

    request: MintRequest
    domain: Eip712Domain
    signatures: tuple[bytes, ...] = ()

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed."""
        return typed_data_digest(self.domain, TYPES, "MintRequest", message(self.request))

    @property
    def signers(self) -> tuple[str, ...]:
        """Who signed, as addresses, in the order of the signatures.

        Raises:
            IntegrityError: A signature is none, or in a form that contracts refuse.
        """
        digest = self.digest
        return tuple(recover(digest, signature) for signature in self.signatures)

    def signed_by(self, key: EthereumKey) -> SignedMintRequest:
        """This request with one more signature; a key that has signed already replaces its own.

        Raises:
            InvalidInputError: There are as many signatures as a message may carry.
        """
        by_signer = dict(zip(self.signers, self.signatures, strict=True)) | {
            key.address: key.sign(self.digest)
        }
        if len(by_signer) > MOST_SIGNATURES:
            raise InvalidInputError(f"A mint request carries at most {MOST_SIGNATURES} signatures")
        ascending = sorted(by_signer, key=lambda address: int(address, 16))
        return replace(self, signatures=tuple(by_signer[address] for address in ascending))


@dataclass(frozen=True, slots=True)
class AttesterPolicy:
    """Whose word counts for a contract: comes from the verifier, never from the message.

    Attributes:
        domain: The contract that is spoken to.
        attesters: Addresses that may attest.
        threshold: How many of them must have signed.
    """

    domain: Eip712Domain
    attesters: tuple[str, ...]
    threshold: int

    def __post_init__(self) -> None:
        known = {WalletAddress.parse(address).checksummed for address in self.attesters}
        if not 1 <= self.threshold <= len(known):
            raise InvalidInputError(
                f"Cannot ask for {self.threshold} signatures of {len(known)} attesters",
                hint="A threshold of 0 would let everybody mint.",
            )


def contract_domain(chain_id: int, verifying_contract: str) -> Eip712Domain:
    """The domain of the delta verifier at an address of a chain.

    Raises:
        InvalidInputError: The address is none.
    """
    address = WalletAddress.parse(verifying_contract)
    if address.checksum_holds is False:
        raise InvalidInputError(
            "The contract's address is mistyped: its checksum does not hold", where=verifying_contract
        )
    return Eip712Domain(DOMAIN_NAME, DOMAIN_VERSION, chain_id, address.checksummed)


def request_of(
    claim: DeltaOneClaim,
    attestation_sha256: str,
    *,
    model_id: int,
    evaluation_id: str,
    benchmark_id: str,
    deadline: int,
    max_cost_usd_micro: int = 0,
    actual_cost_usd_micro: int = 0,
    escrow: str | None = None,
) -> MintRequest:
    """What may be asked for on the strength of an attestation that was verified.

    Args:
        claim: What it says.
        attestation_sha256: Digest of its signed statement.
        model_id: The model's number on chain.
        evaluation_id: Which evaluation it was; the same for the same content, or attesters sign different things.
        benchmark_id: Names the benchmark.
        deadline: Seconds since 1970.
        max_cost_usd_micro, actual_cost_usd_micro: Of the evaluation.
        escrow: The address that keeps the part of contributors who gave none; without one, all must have given one.

    Raises:
        InvalidInputError: It cannot be paid on: a dry run, a rejected or undecided improvement, a primary metric that
            is no proportion, or a contributor without an address and no escrow.
    """
    if claim.dry_run:
        raise InvalidInputError("A dry run is no evidence, so nothing can be paid on it")
    if claim.decision is None or not claim.decision.accepted:
        why = "nothing was decided" if claim.decision is None else claim.decision.reasons[0].detail
        raise InvalidInputError(f"The improvement was not accepted, so nothing can be paid on it: {why}")
    primary = claim.comparison.primary
    if metric_spec(primary.metric).scale is not Scale.SHARE or None in (
        primary.baseline_bps,
        primary.new_bps,
    ):
        raise InvalidInputError(
            f"{primary.metric} is no proportion, so it has no score in basis points that a contract could pay on",
            hint="Agree on a primary metric such as accuracy.",
        )
    if claim.attribution is None:
        raise InvalidInputError("The attestation does not say who is credited with what")
    if (claim.attribution.without or 0.0) > 0:
        raise InvalidInputError(
            f"A gain of {claim.attribution.without:+.6f} comes without any contribution, so that the scores are not "
            "what the contributions are worth",
            hint="Compare with a baseline that was trained on the same base data.",
        )
    return MintRequest(
        model_id=model_id,
        evaluation_id=evaluation_id,
        baseline_score_bps=primary.baseline_bps or 0,
        candidate_score_bps=primary.new_bps or 0,
        max_cost_usd_micro=max_cost_usd_micro,
        actual_cost_usd_micro=actual_cost_usd_micro,
        total_samples=claim.comparison.n_rows,
        benchmark_id=benchmark_id,
        dataset_sha256=claim.benchmark_sha256,
        attestation_sha256=attestation_sha256,
        metric_name=primary.metric,
        metric_family="proportion",
        baseline_sha256=claim.baseline_model_sha256,
        candidate_sha256=claim.new_model_sha256,
        deadline=deadline,
        payees=payees(claim.attribution.paid, escrow),
    )


def payees(paid: Sequence[Credit], escrow: str | None = None) -> tuple[Payee, ...]:
    """Whom a contract pays: one entry a wallet, in the order of the credits, an escrow last.

    Raises:
        InvalidInputError: Nobody is paid, or somebody gave no address and there is no escrow.
    """
    weights: dict[str, int] = {}
    kept = 0
    for credit in paid:
        wallet = credit.contributor.wallet
        if wallet is not None and wallet.payable:
            weights[wallet.checksummed] = weights.get(wallet.checksummed, 0) + credit.weight_bps
        elif escrow is None:
            raise InvalidInputError(
                f"{credit.contributor.contributor_id!r} is credited with {credit.weight_bps} basis points, but gave no "
                "address that can be paid",
                where="contributors",
                hint="Name an escrow address that keeps his part.",
            )
        else:
            kept += credit.weight_bps
    named = [Payee(wallet, weight) for wallet, weight in weights.items()]
    if kept and escrow is not None:
        named.append(Payee(WalletAddress.parse(escrow).checksummed, kept, "escrow"))
    return tuple(named)


def message(request: MintRequest) -> dict[str, Any]:
    """The request as the contract's structs."""
    return {
        "modelId": request.model_id,
        "payload": {
            "pipelineRunId": request.evaluation_id,
            "baselineScoreBps": request.baseline_score_bps,
            "candidateScoreBps": request.candidate_score_bps,
            "maxCostUsdMicro": request.max_cost_usd_micro,
            "actualCostUsdMicro": request.actual_cost_usd_micro,
            "totalSamples": request.total_samples,
            "anchors": {
                "benchmarkSpecHash": "0x" + keccak_256(request.benchmark_id.encode("utf-8")).hex(),
                "datasetHash": "0x" + request.dataset_sha256,
                "attestationHash": "0x" + request.attestation_sha256,
                "idempotencyKey": "0x" + request.idempotency_key,
                "metricName": request.metric_name,
                "metricFamily": request.metric_family,
            },
            "baselineCommitment": "0x" + request.baseline_sha256,
            "candidateCommitment": "0x" + request.candidate_sha256,
            "deadline": request.deadline,
        },
        "contributors": [
            {"walletAddress": payee.wallet, "weight": payee.weight_bps} for payee in request.payees
        ],
    }


def typed_data(signed: SignedMintRequest) -> dict[str, Any]:
    """The request as `eth_signTypedData_v4` takes it, for a wallet; whole numbers as decimal text."""
    domain_types = [
        {"name": name, "type": kind}
        for name, kind in (
            ("name", "string"),
            ("version", "string"),
            ("chainId", "uint256"),
            ("verifyingContract", "address"),
        )
    ]
    structs = {
        struct: [{"name": name, "type": kind} for name, kind in members] for struct, members in TYPES.items()
    }
    return {
        "types": {"EIP712Domain": domain_types, **structs},
        "primaryType": "MintRequest",
        "domain": _as_text(signed.domain.to_dict()),
        "message": _as_text(message(signed.request)),
    }


def verify_mint_request(signed: SignedMintRequest, policy: AttesterPolicy, *, now: float) -> tuple[str, ...]:
    """The attesters who signed, checked as the contract checks them.

    Args:
        signed: What was received; nothing in it is trusted.
        policy: Whose word counts, where.
        now: Seconds since 1970.

    Raises:
        IntegrityError: It is for another contract, too late, its signers are not in strictly ascending order, or too
            few attesters are among them.
    """
    if signed.domain != policy.domain:
        raise IntegrityError("The request is for another contract or chain")
    if signed.request.deadline < now:
        raise IntegrityError("The request's deadline has passed", where="deadline")
    signers = signed.signers
    numbers = [int(signer, 16) for signer in signers]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise IntegrityError(
            "The signers are not in strictly ascending order, or one has signed twice",
            where="attester_signatures",
        )
    attesters = {WalletAddress.parse(address).checksummed for address in policy.attesters}
    strangers = [signer for signer in signers if signer not in attesters]
    if strangers:
        raise IntegrityError(f"{', '.join(strangers)} may not attest", where="attester_signatures")
    if len(signers) < policy.threshold:
        raise IntegrityError(
            f"{len(signers)} of {policy.threshold} needed attesters have signed", where="attester_signatures"
        )
    return signers


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value) if isinstance(value, int) else value
