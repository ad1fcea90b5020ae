"""EIP-712 digests, held against the standard's own example and against eth-account."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from hokusai.attestation.eip712 import Eip712Domain, encode_type, struct_hash, type_hash, typed_data_digest
from hokusai.domain.keccak import keccak_256
from hokusai.errors import InvalidInputError

MAIL = {
    "Mail": (("from", "Person"), ("to", "Person"), ("contents", "string")),
    "Person": (("name", "string"), ("wallet", "address")),
}
ETHER_MAIL = Eip712Domain("Ether Mail", "1", 1, "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC")
LETTER = {
    "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
    "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
    "contents": "Hello, Bob!",
}
ALL_KINDS = {
    "Everything": (
        ("small", "uint8"),
        ("large", "uint256"),
        ("signed", "int64"),
        ("yes", "bool"),
        ("text", "string"),
        ("data", "bytes"),
        ("four", "bytes4"),
        ("digest", "bytes32"),
        ("who", "address"),
        ("numbers", "uint16[]"),
        ("people", "Person[]"),
    ),
    "Person": MAIL["Person"],
}


def test_the_example_of_the_standard_has_the_digests_that_the_standard_gives() -> None:
    # EIP-712, "Test Cases": Example.js
    assert encode_type(MAIL, "Mail") == (
        "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    )
    assert type_hash(MAIL, "Mail").hex() == "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
    assert (
        struct_hash(MAIL, "Mail", LETTER).hex()
        == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    )
    assert (
        typed_data_digest(ETHER_MAIL, MAIL, "Mail", LETTER).hex()
        == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    )


@given(
    small=st.integers(0, 255),
    large=st.integers(0, 2**256 - 1),
    signed=st.integers(-(2**63), 2**63 - 1),
    yes=st.booleans(),
    text=st.text(max_size=40).filter(lambda text: text.isprintable()),
    data=st.binary(max_size=40),
    numbers=st.lists(st.integers(0, 2**16 - 1), max_size=3),
    names=st.lists(st.text("abc é", max_size=5), max_size=3),
)
def test_values_of_all_kinds_have_the_digest_that_eth_account_gives_them(
    small: int,
    large: int,
    signed: int,
    yes: bool,
    text: str,
    data: bytes,
    numbers: list[int],
    names: list[str],
) -> None:
    wallet = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
    message: dict[str, Any] = {
        "small": small,
        "large": large,
        "signed": signed,
        "yes": yes,
        "text": text,
        "data": data,
        "four": b"\x01\x02\x03\x04",
        "digest": bytes(range(32)),
        "who": wallet,
        "numbers": numbers,
        "people": [{"name": name, "wallet": wallet} for name in names],
    }
    known = encode_typed_data(
        domain_data=ETHER_MAIL.to_dict(),
        message_types={
            struct: [{"name": name, "type": kind} for name, kind in members]
            for struct, members in ALL_KINDS.items()
        },
        message_data=message,
    )
    expected = keccak_256(b"\x19" + known.version + known.header + known.body)
    assert typed_data_digest(ETHER_MAIL, ALL_KINDS, "Everything", message) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", True),
        ("uint8", "7"),
        ("uint256", 2**256),
        ("int8", 128),
        ("bool", 1),
        ("string", b"text"),
        ("bytes32", "0x" + "00" * 31),
        ("bytes32", "00" * 32),
        ("address", "0x" + "00" * 19),
        ("address", "alice.example"),
        ("uint8[]", 3),
        ("float64", 0.5),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused_by_its_place(kind: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        struct_hash({"One": (("member", kind),)}, "One", {"member": value})
    assert caught.value.where == "One.member"


@pytest.mark.parametrize("message", [{}, {"member": 1, "other": 2}, {"other": 1}])
def test_a_member_too_few_or_too_many_is_refused(message: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match="and no others"):
        struct_hash({"One": (("member", "uint8"),)}, "One", message)
