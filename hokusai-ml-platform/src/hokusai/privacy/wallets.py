"""Addresses of crypto wallets in text: Ethereum's by their shape, the others by their checksums.

Where an address that was typed for a payment is parsed is `hokusai.domain.identifiers`; here it is enough that
somebody's account stands in a text. An Ethereum address is one whatever its EIP-55 capitals say: a typing error in
them does not make it less personal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.checksums import base58check, bech32
from hokusai.privacy.context import Found

_BASE58 = r"[13LMDTrX9A][1-9A-HJ-NP-Za-km-z]{24,34}"
_BECH32 = r"(?:bc|tb|ltc|addr|stake|cosmos|osmo|inj|celestia|lnbc|bnb)1[02-9ac-hj-np-z]{20,100}"
_BECH32_UPPER = r"(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{20,100}"
GATE = "[0-9A-Za-z]{22}"
ETHEREUM = r"0[xX][0-9a-fA-F]{40}"
_RUN = re.compile("[0-9A-Za-z]{22,}")
_ADDRESS = re.compile(
    rf"\b(?:(?P<ethereum>{ETHEREUM})|(?P<base58>{_BASE58})|(?P<bech32>{_BECH32}|{_BECH32_UPPER}))\b", re.ASCII
)
_VERSIONS = frozenset((0x00, 0x05, 0x6F, 0xC4, 0x30, 0x32, 0x1E, 0x16, 0x41, 0x4C, 0x10))
"""Version bytes of Bitcoin, its test net, Litecoin, Dogecoin, TRON and Dash."""
_PAYLOAD_BYTES = 21


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form of the case-insensitive ones is in lower case.

    >>> list(spans("send to 0x742d35Cc6634C0532925a3b844Bc9e7595f62341."))
    [(8, 50, '0x742d35cc6634c0532925a3b844bc9e7595f62341')]
    """
    for run in _RUN.finditer(text):
        found = _ADDRESS.match(text, run.start())
        if found and (address := canonical(found[0])):
            yield found.start(), found.end(), address


def canonical(text: str) -> str | None:
    """One spelling of an address; None if this is none.

    >>> canonical("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), canonical("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    ('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', None)
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    if found["ethereum"]:
        return text.lower()
    if found["bech32"]:
        return text.lower() if bech32(text) else None
    payload = base58check(text, ripple=text[0] == "r")
    good = payload is not None and len(payload) == _PAYLOAD_BYTES and payload[0] in _VERSIONS
    return text if good else None
