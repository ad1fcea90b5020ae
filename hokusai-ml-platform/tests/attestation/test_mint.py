"""Mint requests: what is signed is what a contract in a local Ethereum machine checks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from hokusai.attestation.eip712 import type_hash
from hokusai.attestation.ethereum import ORDER, EthereumKey
from hokusai.attestation.mint import (
    TYPES,
    AttesterPolicy,
    SignedMintRequest,
    contract_domain,
    message,
    payees,
    typed_data,
    verify_mint_request,
)
from hokusai.attestation.mint_message import read_message, write_message
from hokusai.domain.attribution import Credit
from hokusai.domain.canonical import canonical_json
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.mint import MintRequest, Payee, idempotency_key
from hokusai.errors import IntegrityError, InvalidInputError

from .local_evm import LocalContract, RevertedError

KEYS = sorted((EthereumKey(bytes([i]) * 32) for i in (1, 2, 3, 4)), key=lambda key: int(key.address, 16))
ATTESTERS, STRANGER = KEYS[:3], KEYS[3]
WALLETS = [EthereumKey(bytes([i]) * 32).address for i in (11, 12, 13)]
NOW = 1_800_000_000
DOMAIN = contract_domain(31337, "0x" + "c0de" * 10)
POLICY = AttesterPolicy(DOMAIN, tuple(key.address for key in ATTESTERS), threshold=2)
REQUEST = MintRequest(
    model_id=30,
    evaluation_id="eval-7",
    baseline_score_bps=8_545,
    candidate_score_bps=8_840,
    max_cost_usd_micro=25_000_000,
    actual_cost_usd_micro=1_250_000,
    total_samples=10_000,
    benchmark_id="routing/2026-01",
    dataset_sha256="ab" * 32,
    attestation_sha256="cd" * 32,
    metric_name="accuracy",
    metric_family="proportion",
    baseline_sha256="11" * 32,
    candidate_sha256="22" * 32,
    deadline=NOW + 5 * 86_400,
    payees=(Payee(WALLETS[0], 6_001), Payee(WALLETS[1], 3_999)),
)
SIGNED = SignedMintRequest(REQUEST, DOMAIN).signed_by(ATTESTERS[1]).signed_by(ATTESTERS[0])


@pytest.fixture
def contract() -> LocalContract:
    """Two of three attesters are needed."""
    return LocalContract("MintVerifier", [key.address for key in ATTESTERS], 2)


def _arguments(request: MintRequest) -> tuple[Any, ...]:
    """The request as the contract's function takes it, without its names."""
    structs = message(request)
    payload = structs["payload"]
    anchors = payload["anchors"]

    def values(struct: dict[str, Any]) -> Iterator[Any]:
        for value in struct.values():
            if value is anchors:
                yield tuple(values(value))
            else:
                yield bytes.fromhex(value[2:]) if isinstance(value, str) and value[:2] == "0x" else value

    people = [(one["walletAddress"], one["weight"]) for one in structs["contributors"]]
    return structs["modelId"], tuple(values(payload)), people


def test_the_type_hash_is_the_contracts() -> None:
    # findings of the deployed contract
    assert (
        type_hash(TYPES, "MintRequest").hex()
        == "a5c6527224c75badcb4e1a82be04f15efd442f427924c0dd3c6c80d4ff3b2c0e"
    )


def test_the_idempotency_key_is_the_known_one() -> None:
    attestation = "d12b65d6be0c2170d427589cc027d4988031dc23356a7f83ecf476fc712bb543"
    assert idempotency_key(12345678901234567890, attestation) == (
        "1c19c341d6c99e7e7dbd68f767cdf7d0969688fed7e3d3fdd82711b29ea69a65"
    )


def test_a_later_deadline_is_another_signature_under_the_same_key() -> None:
    later = replace(SIGNED, request=replace(REQUEST, deadline=REQUEST.deadline + 1))
    assert later.digest != SIGNED.digest
    assert later.request.idempotency_key == REQUEST.idempotency_key


def test_the_digest_is_that_of_a_contract_and_of_eth_account(contract: LocalContract) -> None:
    known = encode_typed_data(full_message=typed_data(SIGNED))
    signed = Account.sign_message(known, ATTESTERS[0].secret)
    assert bytes(signed.message_hash) == SIGNED.digest
    assert bytes(signed.signature) == SIGNED.signatures[0]
    assert contract.call("digest", *_arguments(REQUEST)) == (SIGNED.digest,)


def test_a_contract_accepts_what_enough_attesters_signed_and_only_once(contract: LocalContract) -> None:
    gain = contract.call("submit", *_arguments(REQUEST), list(SIGNED.signatures))
    assert gain == (8_840 - 8_545,)
    assert verify_mint_request(SIGNED, POLICY, now=NOW) == (ATTESTERS[0].address, ATTESTERS[1].address)
    with pytest.raises(RevertedError, match="replayed"):
        contract.call("submit", *_arguments(REQUEST), list(SIGNED.signatures))


def _twin(signature: bytes) -> bytes:
    high = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])


FIRST, SECOND = SIGNED.signatures
FOREIGN = STRANGER.sign(SIGNED.digest)


@pytest.mark.parametrize(
    ("signatures", "contracts_reason", "our_reason"),
    [
        ((FIRST,), "too few", "1 of 2 needed"),
        ((), "too few", "0 of 2 needed"),
        ((SECOND, FIRST), "order", "ascending"),
        ((FIRST, FIRST), "order", "signed twice"),
        ((FIRST, SECOND, FOREIGN), "stranger", "may not attest"),
        ((FIRST, _twin(SECOND)), "high s", "upper half"),
        ((FIRST, SECOND[:64] + b"\x1d"), "nobody's", "27 or 28"),
        ((FIRST, SECOND[:64]), "length", "65 bytes"),
    ],
)
def test_contract_and_verifier_refuse_the_same_signatures(
    contract: LocalContract, signatures: tuple[bytes, ...], contracts_reason: str, our_reason: str
) -> None:
    with pytest.raises(RevertedError, match=contracts_reason):
        contract.call("submit", *_arguments(REQUEST), list(signatures))
    with pytest.raises(IntegrityError, match=our_reason):
        verify_mint_request(replace(SIGNED, signatures=signatures), POLICY, now=NOW)


def test_contract_and_verifier_refuse_what_is_too_late(contract: LocalContract) -> None:
    request = replace(REQUEST, deadline=contract.timestamp - 1)
    late = SignedMintRequest(request, DOMAIN).signed_by(ATTESTERS[0]).signed_by(ATTESTERS[1])
    with pytest.raises(RevertedError, match="expired"):
        contract.call("submit", *_arguments(request), list(late.signatures))
    with pytest.raises(IntegrityError, match="deadline"):
        verify_mint_request(late, POLICY, now=contract.timestamp)


def test_a_signature_for_one_chain_holds_on_no_other() -> None:
    elsewhere = LocalContract("MintVerifier", [key.address for key in ATTESTERS], 2, chain_id=1)
    with pytest.raises(RevertedError, match=r"stranger|order"):
        elsewhere.call("submit", *_arguments(REQUEST), list(SIGNED.signatures))
    policy = replace(POLICY, domain=contract_domain(1, DOMAIN.verifying_contract))
    with pytest.raises(IntegrityError, match="another contract or chain"):
        verify_mint_request(SIGNED, policy, now=NOW)


def _changes() -> Iterator[MintRequest]:
    for name in ("dataset_sha256", "attestation_sha256", "baseline_sha256", "candidate_sha256"):
        yield replace(REQUEST, **{name: "ef" * 32})
    for name in ("evaluation_id", "benchmark_id", "metric_name"):
        yield replace(REQUEST, **{name: "another"})
    for name in (
        "model_id",
        "baseline_score_bps",
        "candidate_score_bps",
        "max_cost_usd_micro",
        "actual_cost_usd_micro",
        "total_samples",
        "deadline",
    ):
        yield replace(REQUEST, **{name: getattr(REQUEST, name) + 1})
    yield replace(REQUEST, metric_family="continuous")
    yield replace(REQUEST, payees=(Payee(WALLETS[0], 6_002), Payee(WALLETS[1], 3_998)))
    yield replace(REQUEST, payees=(Payee(WALLETS[2], 6_001), Payee(WALLETS[1], 3_999)))
    yield replace(REQUEST, payees=REQUEST.payees[::-1])


@pytest.mark.parametrize("changed", list(_changes()))
def test_whatever_is_changed_after_signing_the_signatures_are_nobodys(changed: MintRequest) -> None:
    with pytest.raises(IntegrityError):
        verify_mint_request(replace(SIGNED, request=changed), POLICY, now=NOW)


def test_signatures_stand_in_ascending_order_however_they_came() -> None:
    for order in itertools.permutations(ATTESTERS):
        signed = SignedMintRequest(REQUEST, DOMAIN)
        for key in order:
            signed = signed.signed_by(key)
        assert signed.signers == tuple(key.address for key in ATTESTERS)
    assert SIGNED.signed_by(ATTESTERS[0]) == SIGNED


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"model_id": -1}, "model_id"),
        ({"model_id": 2**256}, "model_id"),
        ({"model_id": True}, "model_id"),
        ({"candidate_score_bps": 10_001}, "candidate_score_bps"),
        ({"baseline_score_bps": -1}, "baseline_score_bps"),
        ({"total_samples": 0}, "total_samples"),
        ({"deadline": 0}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"evaluation_id": ""}, "evaluation_id"),
        ({"metric_name": "  "}, "metric_name"),
        ({"metric_family": "guess"}, "metric_family"),
        ({"candidate_sha256": "00" * 32}, "candidate_sha256"),
        ({"dataset_sha256": "AB" * 32}, "dataset_sha256"),
        ({"payees": ()}, "contributors"),
        ({"payees": (Payee(WALLETS[0], 9_999),)}, "contributors"),
        ({"payees": (Payee(WALLETS[0], 5_000), Payee(WALLETS[0], 5_000))}, "contributors"),
    ],
)
def test_a_request_that_a_contract_would_refuse_cannot_be_made(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        replace(REQUEST, **change)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("wallet", "weight"),
    [
        ("0x" + "00" * 20, 1),
        ("0x742d35Cc6634C0532925a3b844Bc9e7595f6234", 1),
        ("0x742d35Cc6634C0532925a3b844Bc9e7595f62341", 1),  # its checksum does not hold
        (WALLETS[0], 0),
        (WALLETS[0], 10_001),
    ],
)
def test_nobody_can_be_paid_at_a_malformed_address_or_out_of_range(wallet: str, weight: int) -> None:
    with pytest.raises(InvalidInputError):
        Payee(wallet, weight)


def test_a_contributor_without_an_address_is_paid_into_an_escrow_or_not_at_all() -> None:
    def credit(name: str, wallet: str, bps: int) -> Credit:
        return Credit(Contributor(name, WalletAddress.parse(wallet)), 0.01, None, None, bps, 10)

    three = [
        credit("ann", WALLETS[0], 5_000),
        credit("bob", "0x742d35Cc6634C0532925a3b844Bc9e7595f6234", 3_000),
        credit("ann's other file", WALLETS[0].lower(), 2_000),
    ]
    with pytest.raises(InvalidInputError, match="'bob' is credited with 3000 basis points"):
        payees(three)
    assert payees(three, WALLETS[1]) == (Payee(WALLETS[0], 7_000), Payee(WALLETS[1], 3_000, "escrow"))


def test_a_message_is_read_as_it_was_written() -> None:
    data = write_message(SIGNED, model_id="routing", timestamp="2026-01-01T00:00:00Z")
    assert read_message(data, DOMAIN) == SIGNED


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("idempotency_key",), "0x" + "00" * 32),
        (("schema_version",), "1.1"),
        (("model_id_uint",), "030"),
        (("model_id_uint",), 30),
        (("model_id_uint",), str(2**256)),
        (("attestation_hash",), "cd" * 32),
        (("attestation_hash",), "0x" + "CD" * 32),
        (("attester_signatures",), ["0x00"]),
        (("attester_signatures",), ["0x" + "00" * 65] * 9),
        (("totalSamples",), 0),
        (("totalSamples",), 10_000.5),
        (("deadline",), "1800000000"),
        (("deadline",), True),
        (("timestamp",), "yesterday"),
        (("evaluation", "new_score_bps"), 10_001),
        (("evaluation", "unheard_of"), 1),
        (("contributors",), []),
        (("contributors", 0, "weight_bps"), 6_000),
        (("contributors", 0, "weight_bps"), "6001"),
        (("contributors", 0, "wallet_address"), "alice.example"),
        (("contributors", 0, "wallet_address"), "0x742d35Cc6634C0532925a3b844Bc9e7595f62341"),
        (("contributors", 0, "recipientKind"), "friend"),
        (("extra",), 1),
    ],
)
def test_a_message_that_is_not_as_agreed_is_refused(path: tuple[Any, ...], value: object) -> None:
    document = json.loads(write_message(SIGNED, model_id="routing", timestamp="2026-01-01T00:00:00Z"))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(IntegrityError, match="Not a mint request"):
        read_message(canonical_json(document), DOMAIN)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"a":1,"a":2}',
        b'{"deadline":NaN}',
        b'{"deadline":1e999}',
        b"{" * 10_000,
        b" " * 300_000,
    ],
)
def test_what_is_no_message_is_refused(text: bytes) -> None:
    with pytest.raises(IntegrityError, match="Not a mint request"):
        read_message(text, DOMAIN)
