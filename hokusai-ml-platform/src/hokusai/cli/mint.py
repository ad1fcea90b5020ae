"""`hokusai mint`: from a verified attestation to the message on which a contract pays, signed by m of n attesters."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli.evidence import Evidence, verifying
from hokusai.cli.output import show_facts, show_line, styled
from hokusai.domain.canonical import canonical_json
from hokusai.errors import ConfigurationError, IntegrityError
from hokusai.utils.files import read_limited, write_atomically
from hokusai.utils.text import printable

if TYPE_CHECKING:
    from hokusai.attestation.eip712 import Eip712Domain
    from hokusai.attestation.mint import SignedMintRequest
    from hokusai.domain.claim import DeltaOneClaim
    from hokusai.domain.mint import MintRequest

_DAY_SECONDS = 86_400
_PATH = click.Path(path_type=Path)

Command = Callable[..., None]


@click.group()
def mint() -> None:
    """Ask a contract to pay for an improvement: make, sign, verify and show mint requests."""


def _contract(command: Command) -> Command:
    """The options that say which contract is spoken to."""
    for option in (
        click.option("--contract", required=True, metavar="ADDRESS", help="the contract that verifies"),
        click.option(
            "--chain-id", required=True, type=click.IntRange(1), help="its chain; 1 is the main net"
        ),
    ):
        command = option(command)
    return command


def _pinned(command: Command) -> Command:
    """What an attester knows himself, and takes from no message."""
    for option in (
        click.option("--escrow", metavar="ADDRESS", help="the escrow that was agreed on, if there is one"),
        click.option(
            "--benchmark-id", required=True, metavar="ID", help="what the contract calls the benchmark"
        ),
        click.option("--model-id", required=True, metavar="NUMBER", help="the model's number on chain"),
    ):
        command = option(command)
    return command


@mint.command(short_help="Make a request from an attestation.")
@click.argument("attestation", type=_PATH)
@click.option("--model-id", required=True, metavar="NUMBER", help="the model's number on chain")
@click.option("--model-name", required=True, metavar="NAME", help="the model's name, for people")
@click.option("--benchmark-id", required=True, metavar="ID", help="what the contract calls the benchmark")
@click.option(
    "--evaluation-id", metavar="ID", help="which evaluation it was (default: the statement's digest)"
)
@click.option("--days", type=click.IntRange(1), default=5, show_default=True, help="until the deadline")
@click.option("--deadline", type=click.IntRange(1), help="the deadline itself, in seconds since 1970")
@click.option(
    "--max-cost", type=click.IntRange(0), default=0, help="of the evaluation, millionths of a dollar"
)
@click.option("--cost", type=click.IntRange(0), default=0, help="what it cost, millionths of a dollar")
@click.option("--escrow", metavar="ADDRESS", help="keeps the part of contributors who gave no address")
@_contract
@verifying()
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE", help="where the message goes")
def request(
    *,
    attestation: Path,
    model_id: str,
    model_name: str,
    benchmark_id: str,
    evaluation_id: str | None,
    days: int,
    deadline: int | None,
    max_cost: int,
    cost: int,
    escrow: str | None,
    chain_id: int,
    contract: str,
    evidence: Evidence,
    output: Path,
) -> None:
    """Make the request that ATTESTATION is good for. It is verified first, and an attester signs the request next."""
    from hokusai.attestation.mint import SignedMintRequest, contract_domain, request_of
    from hokusai.attestation.mint_message import write_message

    claim, sha256 = evidence.verified(attestation)
    made = request_of(
        claim,
        sha256,
        model_id=_number(model_id),
        evaluation_id=evaluation_id or sha256,
        benchmark_id=benchmark_id,
        deadline=deadline or int(time.time()) + days * _DAY_SECONDS,
        max_cost_usd_micro=max_cost,
        actual_cost_usd_micro=cost,
        escrow=escrow,
    )
    signed = SignedMintRequest(made, contract_domain(chain_id, contract))
    message = write_message(signed, model_id=model_name, timestamp=_now(), comparison=claim.comparison)
    write_atomically(output, message + b"\n")
    _show(signed, output)


@mint.command(short_help="Sign a request as an attester.")
@click.argument("message", type=_PATH)
@click.option("--attestation", required=True, type=_PATH, metavar="FILE", help="what the request stands on")
@click.option("--attester-key", required=True, type=_PATH, metavar="FILE", help="an Ethereum key, mode 0600")
@click.option(
    "--accept-signers-rule",
    is_flag=True,
    help="take rule, weights and primary metric from the attestation, where no policy says them",
)
@_pinned
@_contract
@verifying()
def sign(
    *,
    message: Path,
    attestation: Path,
    attester_key: Path,
    accept_signers_rule: bool,
    model_id: str,
    benchmark_id: str,
    escrow: str | None,
    chain_id: int,
    contract: str,
    evidence: Evidence,
) -> None:
    """Add an attester's signature to MESSAGE, if it asks for nothing but what the attestation is good for.

    For which model and benchmark, and with which escrow, the attester says himself. By which rule an improvement
    counts, his policy says.
    """
    from hokusai.attestation.ethereum import EthereumKey
    from hokusai.attestation.mint import contract_domain

    policy = evidence.policy
    if None in (policy.rule, policy.weights, policy.primary_metric) and not accept_signers_rule:
        raise click.UsageError(
            "By which rule, weights and primary metric an improvement is paid has to come from your --policy, not "
            "from the attestation (or give --accept-signers-rule)."
        )
    signed, document = _read(message, contract_domain(chain_id, contract))
    claim, sha256 = evidence.verified(attestation)
    if claim.comparison.n_units is not None and policy.units is None:
        raise click.UsageError(
            f"The decision rests on errors between {claim.comparison.n_units} units, which your --policy has to name: "
            "units: COLUMN."
        )
    _require_same(signed.request, claim, sha256, _number(model_id), benchmark_id, escrow)
    signed = signed.signed_by(EthereumKey.read(attester_key))
    document["attester_signatures"] = ["0x" + signature.hex() for signature in signed.signatures]
    write_atomically(message, canonical_json(document) + b"\n")
    _show(signed, message)


@mint.command(short_help="Check a request as the contract does.")
@click.argument("message", type=_PATH)
@click.option(
    "--attester", "attesters", multiple=True, required=True, metavar="ADDRESS", help="who may attest"
)
@click.option("--threshold", type=click.IntRange(1), required=True, help="how many must have signed")
@click.option("--attestation", type=_PATH, metavar="FILE", help="what the request stands on")
@_pinned
@_contract
@verifying()
def verify(
    *,
    message: Path,
    attesters: tuple[str, ...],
    threshold: int,
    attestation: Path | None,
    model_id: str,
    benchmark_id: str,
    escrow: str | None,
    chain_id: int,
    contract: str,
    evidence: Evidence,
) -> None:
    """Check MESSAGE: signers, their order and number, deadline, and, with --attestation, what it asks for."""
    from hokusai.attestation.mint import AttesterPolicy, contract_domain, verify_mint_request

    domain = contract_domain(chain_id, contract)
    signed, _ = _read(message, domain)
    signers = verify_mint_request(signed, AttesterPolicy(domain, attesters, threshold), now=time.time())
    _require_pinned(signed.request, _number(model_id), benchmark_id, escrow)
    if attestation is not None:
        claim, sha256 = evidence.verified(attestation)
        _require_same(signed.request, claim, sha256, _number(model_id), benchmark_id, escrow)
    for signer in signers:
        show_line(styled("✓", "green"), f" signed by {signer}")
    if attestation is None:
        show_line("- whether the attestation allows it was not checked: give --attestation FILE")
    show_line(styled("VERIFIED", "bold green"), f"  {printable(str(message))}")


@mint.command(short_help="Show a request, or print it for a wallet.")
@click.argument("message", type=_PATH)
@_contract
@click.option(
    "--typed-data", is_flag=True, help="print the typed data that a wallet signs (EIP-712), as JSON"
)
def show(*, message: Path, chain_id: int, contract: str, typed_data: bool) -> None:
    """Show what MESSAGE asks for. Nothing is verified."""
    from hokusai.attestation.mint import contract_domain
    from hokusai.attestation.mint import typed_data as as_typed_data

    signed, _ = _read(message, contract_domain(chain_id, contract))
    if typed_data:
        click.echo(json.dumps(as_typed_data(signed), indent=2))
    else:
        _show(signed, message)


def _number(text: str) -> int:
    if not text.isdecimal() or not text.isascii():
        raise click.BadParameter("a whole number is expected.", param_hint="--model-id")
    return int(text)


def _require_pinned(request: MintRequest, model_id: int, benchmark_id: str, escrow: str | None) -> None:
    """Refuse a request for another model, benchmark or escrow than was agreed on."""
    from hokusai.domain.identifiers import WalletAddress

    escrows = {payee.wallet for payee in request.payees if payee.kind == "escrow"}
    agreed = set() if escrow is None else {WalletAddress.parse(escrow).checksummed}
    if (request.model_id, request.benchmark_id) != (model_id, benchmark_id) or not escrows <= agreed:
        raise IntegrityError(
            f"The request is for the model {request.model_id}, the benchmark {request.benchmark_id!r} and the escrow "
            f"{', '.join(escrows) or 'of nobody'}; agreed are {model_id}, {benchmark_id!r} and {escrow or 'nobody'}"
        )


def _require_same(
    request: MintRequest,
    claim: DeltaOneClaim,
    sha256: str,
    model_id: int,
    benchmark_id: str,
    escrow: str | None,
) -> None:
    """Refuse a request that asks for anything but what the attestation is good for.

    Who made the request chose the evaluation's id, its costs and the deadline; the rest follows.
    """
    from hokusai.attestation.mint import request_of

    _require_pinned(request, model_id, benchmark_id, escrow)
    expected = request_of(
        claim,
        sha256,
        model_id=model_id,
        evaluation_id=request.evaluation_id,
        benchmark_id=benchmark_id,
        deadline=request.deadline,
        max_cost_usd_micro=request.max_cost_usd_micro,
        actual_cost_usd_micro=request.actual_cost_usd_micro,
        escrow=escrow,
    )
    if request == expected:
        return
    names = [
        name
        for name in type(request).__dataclass_fields__
        if getattr(request, name) != getattr(expected, name)
    ]
    raise IntegrityError(
        f"The request is not what the attestation is good for: {', '.join(names)}",
        hint="Make it again: hokusai mint request.",
    )


def _read(path: Path, domain: Eip712Domain) -> tuple[SignedMintRequest, dict[str, Any]]:
    from hokusai.attestation.mint_message import MAX_MESSAGE_BYTES, read_message
    from hokusai.domain.canonical import parse_json

    data = read_limited(path, MAX_MESSAGE_BYTES)
    signed = read_message(data, domain)
    document = parse_json(data)
    if not isinstance(document, dict):
        raise ConfigurationError("Not a mint request", where=str(path))
    return signed, document


def _show(signed: SignedMintRequest, path: Path) -> None:
    request = signed.request
    paid = [f"{payee.weight_bps / 100:.2f} % {payee.kind} {payee.wallet}" for payee in request.payees]
    show_facts(
        {
            "Message": printable(str(path)),
            "Model": str(request.model_id),
            "Metric": f"{request.metric_name}: {request.baseline_score_bps} → {request.candidate_score_bps} "
            f"basis points ({request.delta_bps:+d}), {request.total_samples:,} rows",
            "Paid": "\n".join(paid),
            "Deadline": datetime.fromtimestamp(request.deadline, UTC).isoformat(timespec="seconds"),
            "Attestation": request.attestation_sha256,
            "Idempotency key": request.idempotency_key,
            "To be signed": "0x" + signed.digest.hex(),
            "Signed by": "\n".join(signed.signers) or "nobody yet",
        }
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
