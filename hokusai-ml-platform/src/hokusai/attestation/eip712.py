"""EIP-712: the digest of structured data that Ethereum's wallets and contracts sign and check.

Only the digest is ours, over the Keccak that `hokusai.domain.keccak` has; what signs is a library's.

References:
    EIP-712, "Typed structured data hashing and signing", sections "Definition of encodeType", "… of encodeData",
    "… of domainSeparator".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hokusai.domain.keccak import keccak_256
from hokusai.errors import InvalidInputError

Members = Sequence[tuple[str, str]]
"""(name, type) of each member of a struct, in order."""

_INTEGER = re.compile(r"(u?)int(\d+)")
_ARRAY = re.compile(r"(.+)\[\]")
_FIXED_BYTES = re.compile(r"bytes(\d+)")
_DOMAIN_TYPES = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


@dataclass(frozen=True, slots=True)
class Eip712Domain:
    """For which contract on which chain a signature is meant, so that it holds nowhere else."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str

    def to_dict(self) -> dict[str, Any]:
        """As typed data has it."""
        return {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.verifying_contract,
        }


def typed_data_digest(
    domain: Eip712Domain, types: Mapping[str, Members], primary: str, message: Mapping[str, Any]
) -> bytes:
    """The 32 bytes that are signed.

    Args:
        domain: Where it is meant to hold.
        types: Struct name to its members.
        primary: The struct that `message` is.
        message: Member name to value: integers, text, `0x…` text or bytes for bytes and addresses, lists, objects.

    Raises:
        InvalidInputError: A value is missing, left over, or does not fit its type; `where` says which.
    """
    separator = struct_hash({"EIP712Domain": _DOMAIN_TYPES}, "EIP712Domain", domain.to_dict())
    return keccak_256(b"\x19\x01" + separator + struct_hash(types, primary, message))


def encode_type(types: Mapping[str, Members], name: str) -> str:
    """The struct as text, the structs that it refers to behind it in alphabetical order.

    >>> encode_type({"Mail": [("from", "Person")], "Person": [("wallet", "address")]}, "Mail")
    'Mail(Person from)Person(address wallet)'
    """
    used = _referred(types, name, set()) - {name}
    return "".join(
        f"{struct}({','.join(f'{kind} {member}' for member, kind in types[struct])})"
        for struct in (name, *sorted(used))
    )


def type_hash(types: Mapping[str, Members], name: str) -> bytes:
    """Keccak-256 of `encode_type`."""
    return keccak_256(encode_type(types, name).encode("ascii"))


def struct_hash(types: Mapping[str, Members], name: str, value: Mapping[str, Any], where: str = "") -> bytes:
    """Keccak-256 of the type's hash and the encoded members.

    Raises:
        InvalidInputError: As `typed_data_digest`.
    """
    path = where or name
    if not isinstance(value, Mapping) or set(value) != {member for member, _ in types[name]}:
        raise InvalidInputError(
            f"{name} has the members {', '.join(member for member, _ in types[name])}, and no others",
            where=path,
        )
    encoded = [_encode(types, kind, value[member], f"{path}.{member}") for member, kind in types[name]]
    return keccak_256(type_hash(types, name) + b"".join(encoded))


def _referred(types: Mapping[str, Members], name: str, seen: set[str]) -> set[str]:
    seen.add(name)
    for _, kind in types[name]:
        array = _ARRAY.fullmatch(kind)
        struct = array.group(1) if array else kind
        if struct in types and struct not in seen:
            _referred(types, struct, seen)
    return seen


def _encode(types: Mapping[str, Members], kind: str, value: Any, where: str) -> bytes:
    """One member as 32 bytes."""
    if kind in types:
        return struct_hash(types, kind, value, where)
    array = _ARRAY.fullmatch(kind)
    if array is None:
        return _atom(kind, value, where)
    if not isinstance(value, list | tuple):
        raise _wrong(kind, value, where)
    parts = [_encode(types, array.group(1), item, f"{where}[{i}]") for i, item in enumerate(value)]
    return keccak_256(b"".join(parts))


def _atom(kind: str, value: Any, where: str) -> bytes:
    if kind == "string":
        if not isinstance(value, str):
            raise _wrong(kind, value, where)
        return keccak_256(value.encode("utf-8"))
    if kind == "bytes":
        return keccak_256(_bytes(kind, value, where))
    if kind == "bool":
        return _integer(kind, int(value) if type(value) is bool else None, where, signed=False, bits=1)
    if integer := _INTEGER.fullmatch(kind):
        return _integer(kind, value, where, signed=not integer.group(1), bits=int(integer.group(2)))
    fixed = _FIXED_BYTES.fullmatch(kind)
    size = 20 if kind == "address" else int(fixed.group(1)) if fixed else 0
    if not size:
        raise InvalidInputError(f"No such type as {kind!r}", where=where)
    data = _bytes(kind, value, where)
    if len(data) != size:
        raise _wrong(kind, value, where)
    return data.rjust(32, b"\0") if kind == "address" else data.ljust(32, b"\0")


def _integer(kind: str, value: Any, where: str, *, signed: bool, bits: int) -> bytes:
    least, most = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if type(value) is not int or not least <= value <= most:
        raise _wrong(kind, value, where)
    return value.to_bytes(32, "big", signed=signed)


def _bytes(kind: str, value: Any, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", value):
        return bytes.fromhex(value[2:])
    raise _wrong(kind, value, where)


def _wrong(kind: str, value: Any, where: str) -> InvalidInputError:
    return InvalidInputError(f"Not a value of {kind}: {str(value)[:80]!r}", where=where)
