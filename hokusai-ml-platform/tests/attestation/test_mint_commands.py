"""`hokusai mint` and `hokusai attest export`, as attesters type them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data

from hokusai.attestation.ethereum import EthereumKey
from hokusai.attestation.keys import public_pem
from hokusai.cli.attest import attest
from hokusai.cli.mint import mint
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import IntegrityError, InvalidInputError

CONTRACT = ("--chain-id", "31337", "--contract", "0x" + "c0de" * 10)
ESCROW = EthereumKey(bytes([9]) * 32).address
ATTESTERS = [EthereumKey(bytes([i]) * 32) for i in (1, 2)]


@pytest.fixture
def files(
    tmp_path: Path,
    full_claim: DeltaOneClaim,
    signed: Callable[[DeltaOneClaim], bytes],
    key: Ed25519PrivateKey,
    commitment: bytes,
    owner_key: Ed25519PrivateKey,
) -> Path:
    """An accepted attestation, the signer's key, its benchmark's commitment, a strict policy, attesters' keys."""
    (tmp_path / "commitment.json").write_bytes(commitment)
    (tmp_path / "owner.pub.pem").write_bytes(public_pem(owner_key.public_key()))
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "attestation.json").write_bytes(signed(full_claim))
    (tmp_path / "signer.pub.pem").write_bytes(public_pem(key.public_key()))
    for i, attester in enumerate(ATTESTERS):
        path = tmp_path / f"attester{i}.key"
        path.write_text("0x" + attester.secret.hex())
        path.chmod(0o600)
    return tmp_path


def run(group: Any, *arguments: object) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


POLICY = """\
format: hokusai-policy-v1
trustedKeys: [{file: signer.pub.pem}]
ownerKeys: [{file: owner.pub.pem}]
weights: {accuracy: 1, f1: 1}
primaryMetric: accuracy
rule:
  minRows: 50
  threshold: 0.01
  alpha: 0.05
  guardrails: [{metric: recall, margin: 0.01}, {metric: latency_ms, margin: 0.5, relative: true}]
requireAccepted: true
"""
PINNED = ("--model-id", 30, "--benchmark-id", "digits/1", "--escrow", ESCROW)


def request(files: Path, *more: object, name: str = "attestation.json") -> Result:
    return run(
        mint, "request", files / name, "--model-id", 30, "--model-name", "digits", "--benchmark-id", "digits/1",
        "--key", files / "signer.pub.pem", *CONTRACT, "-o", files / "request.json", *more,
    )  # fmt: skip


def sign(files: Path, attester: int, *more: object) -> Result:
    return run(
        mint, "sign", files / "request.json", "--attestation", files / "attestation.json",
        "--attester-key", files / f"attester{attester}.key", *CONTRACT, *(more or PINNED),
        "--policy", files / "policy.yaml", "--benchmark-statement", files / "commitment.json",
    )  # fmt: skip


def verify(files: Path, threshold: int) -> Result:
    who = [part for attester in ATTESTERS for part in ("--attester", attester.address)]
    return run(
        mint, "verify", files / "request.json", *who, "--threshold", threshold, *CONTRACT, *PINNED,
        "--attestation", files / "attestation.json", "--key", files / "signer.pub.pem",
    )  # fmt: skip


def test_two_attesters_sign_what_the_attestation_is_good_for(files: Path) -> None:
    before = time.time()
    made = request(files, "--escrow", ESCROW)
    assert made.exit_code == 0, made.output
    message = json.loads((files / "request.json").read_bytes())
    assert message["evaluation"]["baseline_score_bps"] == 6_800
    assert message["evaluation"]["new_score_bps"] == 8_200
    # alice has an address; bob's has 39 digits, so that an escrow keeps his part; nothing for carol
    assert [(one["weight_bps"], one["recipientKind"]) for one in message["contributors"]] == [
        (6_471, "wallet"),
        (3_529, "escrow"),
    ]
    assert message["contributors"][1]["wallet_address"] == ESCROW
    assert before + 5 * 86_400 - 1 <= message["deadline"] <= time.time() + 5 * 86_400

    assert isinstance(verify(files, 1).exception, IntegrityError)
    assert sign(files, 0).exit_code == 0
    assert sign(files, 1).exit_code == 0
    checked = verify(files, 2)
    assert checked.exit_code == 0, checked.output
    assert "VERIFIED" in checked.output

    shown = run(mint, "show", files / "request.json", "--typed-data", *CONTRACT)
    known = encode_typed_data(full_message=json.loads(shown.output))
    signature = json.loads((files / "request.json").read_bytes())["attester_signatures"][0]
    first = min(ATTESTERS, key=lambda one: int(one.address, 16))
    assert signature == "0x" + bytes(Account.sign_message(known, first.secret).signature).hex()


def test_without_an_escrow_a_contributor_without_an_address_stops_it(files: Path) -> None:
    refused = request(files)
    assert isinstance(refused.exception, InvalidInputError)
    assert "'bob' is credited with 3529 basis points" in str(refused.exception)
    assert not (files / "request.json").exists()


@pytest.mark.parametrize(
    ("member", "value"),
    [("totalSamples", 101), ("dataset_hash", "0x" + "11" * 32), ("candidate_commitment", "0x" + "22" * 32)],
)
def test_an_attester_does_not_sign_a_request_for_anything_else(
    files: Path, member: str, value: object
) -> None:
    request(files, "--escrow", ESCROW)
    message = json.loads((files / "request.json").read_bytes())
    (files / "request.json").write_text(json.dumps(message | {member: value}))
    refused = sign(files, 0)
    assert isinstance(refused.exception, IntegrityError)
    assert "is not what the attestation is good for" in str(refused.exception)


@pytest.mark.parametrize(
    "pinned",
    [
        ("--model-id", 31, "--benchmark-id", "digits/1", "--escrow", ESCROW),
        ("--model-id", 30, "--benchmark-id", "digits/2", "--escrow", ESCROW),
        ("--model-id", 30, "--benchmark-id", "digits/1", "--escrow", ATTESTERS[0].address),
        ("--model-id", 30, "--benchmark-id", "digits/1"),
    ],
)
def test_model_benchmark_and_escrow_are_the_attesters_own_knowledge(
    files: Path, pinned: tuple[object, ...]
) -> None:
    request(files, "--escrow", ESCROW)
    refused = sign(files, 0, *pinned)
    assert isinstance(refused.exception, IntegrityError)
    assert "agreed are" in str(refused.exception)


def test_an_attester_does_not_take_the_rule_from_the_attestation(files: Path) -> None:
    request(files, "--escrow", ESCROW)
    arguments = (
        mint, "sign", files / "request.json", "--attestation", files / "attestation.json",
        "--attester-key", files / "attester0.key", "--key", files / "signer.pub.pem", *CONTRACT, *PINNED,
    )  # fmt: skip
    refused = run(*arguments)
    assert (refused.exit_code, "has to come from your --policy" in refused.output) == (2, True)
    assert run(*arguments, "--accept-signers-rule").exit_code == 0


def test_nothing_is_asked_for_a_dry_run_or_a_foreign_signature(
    files: Path, full_claim: DeltaOneClaim, signed: Callable[[DeltaOneClaim], bytes]
) -> None:
    (files / "dry.json").write_bytes(signed(replace(full_claim, dry_run=True)))
    assert isinstance(request(files, "--escrow", ESCROW, name="dry.json").exception, IntegrityError)
    (files / "signer.pub.pem").write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    assert isinstance(request(files, "--escrow", ESCROW).exception, IntegrityError)


def test_an_attestation_without_a_decision_is_not_paid_on(
    files: Path, claim: DeltaOneClaim, signed: Callable[[DeltaOneClaim], bytes]
) -> None:
    (files / "plain.json").write_bytes(signed(claim))
    refused = request(files, "--escrow", ESCROW, name="plain.json")
    assert "nothing was decided" in str(refused.exception)


@pytest.mark.parametrize(
    ("form", "more", "kind"),
    [
        ("eval-result", ("--evaluator", "https://example.org", "--at", "2026-01-01T00:00:00Z"), "_type"),
        ("model-signing", (), "_type"),
        ("zk-output", ("--run-id", "r1", "--at", "2026-01-01T00:00:00Z"), "schema_version"),
    ],
)
def test_an_attestation_is_exported(files: Path, form: str, more: tuple[str, ...], kind: str) -> None:
    printed = run(attest, "export", files / "attestation.json", "--format", form, *more)
    assert printed.exit_code == 0, printed.output
    assert kind in json.loads(printed.output)
    written = run(
        attest, "export", files / "attestation.json", "--format", form, *more, "-o", files / "out.json"
    )
    assert written.exit_code == 0
    assert json.loads((files / "out.json").read_bytes()) == json.loads(printed.output)


def test_what_a_format_needs_is_asked_for(files: Path) -> None:
    asked = run(attest, "export", files / "attestation.json", "--format", "eval-result")
    assert asked.exit_code == 2
    assert "needs --evaluator" in asked.output
