"""`hokusai mint`: from a verified attestation to the message on which a contract pays, signed by m of n attesters."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES
from hokusai.cli.attest_keys import trusted_keys
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


def _trust(command: Command) -> Command:
    """The options that say which attestation counts."""
    for option in (
        click.option(
            "--policy",
            type=_PATH,
            metavar="FILE",
            help="what to insist on of the attestation, as YAML or JSON",
        ),
        click.option(
            "--key", "keys", multiple=True, type=_PATH, metavar="PUB.pem", help="whose attestation counts"
        ),
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
@_trust
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
    policy: Path | None,
    keys: tuple[Path, ...],
    output: Path,
) -> None:
    """Make the request that ATTESTATION is good for. It is verified first, and an attester signs the request next."""
    from hokusai.attestation.mint import SignedMintRequest, contract_domain, request_of
    from hokusai.attestation.mint_message import write_message

    claim, sha256 = _verified(attestation, policy, keys)
    if not model_id.isdecimal():
        raise click.BadParameter("a whole number is expected.", param_hint="--model-id")
    made = request_of(
        claim,
        sha256,
        model_id=int(model_id),
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
@_contract
@_trust
def sign(
    *,
    message: Path,
    attestation: Path,
    attester_key: Path,
    chain_id: int,
    contract: str,
    policy: Path | None,
    keys: tuple[Path, ...],
) -> None:
    """Add an attester's signature to MESSAGE, if it asks for nothing but what the attestation is good for."""
    from hokusai.attestation.ethereum import EthereumKey
    from hokusai.attestation.mint import contract_domain

    signed, document = _read(message, contract_domain(chain_id, contract))
    claim, sha256 = _verified(attestation, policy, keys)
    _require_same(signed.request, claim, sha256)
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
@_contract
@_trust
def verify(
    *,
    message: Path,
    attesters: tuple[str, ...],
    threshold: int,
    attestation: Path | None,
    chain_id: int,
    contract: str,
    policy: Path | None,
    keys: tuple[Path, ...],
) -> None:
    """Check MESSAGE: signers, their order and number, deadline, and, with --attestation, what it asks for."""
    from hokusai.attestation.mint import AttesterPolicy, contract_domain, verify_mint_request

    domain = contract_domain(chain_id, contract)
    signed, _ = _read(message, domain)
    signers = verify_mint_request(signed, AttesterPolicy(domain, attesters, threshold), now=time.time())
    if attestation is not None:
        claim, sha256 = _verified(attestation, policy, keys)
        _require_same(signed.request, claim, sha256)
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


def _verified(path: Path, policy_file: Path | None, keys: tuple[Path, ...]) -> tuple[DeltaOneClaim, str]:
    """(claim, digest of the statement) of an attestation that holds."""
    from hokusai.attestation.policy import Policy
    from hokusai.attestation.policy_file import read_policy
    from hokusai.attestation.verify import verify_attestation

    if policy_file is not None and keys:
        raise click.UsageError("The policy settles --key; leave out the one or the other.")
    policy = (
        read_policy(policy_file)
        if policy_file is not None
        else Policy(trusted_keys=tuple(key for key, _ in trusted_keys(keys)))
    )
    data = read_limited(path, MAX_ENVELOPE_BYTES)
    report = verify_attestation(data, policy)
    if not report.ok or report.claim is None or report.statement_sha256 is None:
        why = (
            "; ".join(f"{check.name}: {check.detail}" for check in report.failed)
            or "it is no DeltaOne statement"
        )
        raise IntegrityError(f"The attestation is refused: {why}", where=str(path))
    return report.claim, report.statement_sha256


def _require_same(request: MintRequest, claim: DeltaOneClaim, sha256: str) -> None:
    """Refuse a request that asks for anything but what the attestation is good for.

    Who made the request chose the model's number, names, costs, deadline and escrow; the rest follows.
    """
    from hokusai.attestation.mint import request_of

    escrows = [payee.wallet for payee in request.payees if payee.kind == "escrow"]
    expected = request_of(
        claim,
        sha256,
        model_id=request.model_id,
        evaluation_id=request.evaluation_id,
        benchmark_id=request.benchmark_id,
        deadline=request.deadline,
        max_cost_usd_micro=request.max_cost_usd_micro,
        actual_cost_usd_micro=request.actual_cost_usd_micro,
        escrow=escrows[0] if escrows else None,
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
