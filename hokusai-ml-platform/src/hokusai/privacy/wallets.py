"""Addresses of crypto wallets in text: Ethereum's by their shape, Solana's by the words beside, others by checksums.

Where an address that was typed for a payment is parsed is `hokusai.domain.identifiers`; here it is enough that
somebody's account stands in a text. An Ethereum address is one whatever its EIP-55 capitals say: a typing error in
them does not make it less personal. One of Solana is a public key without a check digit, and half of all random bytes
are as good: a word has to stand beside it, or nearly all cells of a column have to be such keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.checksums import base58, base58check, bech32, is_ed25519_key
from hokusai.privacy.context import Found, after, before, is_glued

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
_PAYLOAD_BYTES, _KEY_BYTES = 21, 32
_NEAR_CHARACTERS = 16
_SOLANA = re.compile("[1-9A-HJ-NP-Za-km-z]{32,44}")
_SOLANA_WORD = re.compile(
    r"(?i)(?:^|[^a-z])(?:sol|solana|solscan|spl|phantom|solflare|wallets?|addr|address|account|pubkey|send|sent|tip|tips"
    r"|donate|donations?|pay|paid|payout|payouts|deposit|withdraw|airdrop)(?:[^a-z]|$)"
)


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form of the case-insensitive ones is in lower case.

    >>> list(spans("send to 0x742d35Cc6634C0532925a3b844Bc9e7595f62341."))
    [(8, 50, '0x742d35cc6634c0532925a3b844bc9e7595f62341')]
    """
    for run in _RUN.finditer(text):
        found = _ADDRESS.match(text, run.start())
        if found and (address := canonical(found[0])):
            yield found.start(), found.end(), address
        elif _SOLANA.fullmatch(run[0]) and _is_worded(text, *run.span()) and _is_solana(run[0]):
            yield *run.span(), run[0]


def canonical(text: str) -> str | None:
    """One spelling of an address; None if this is none.

    >>> canonical("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), canonical("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    ('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', None)
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return text if _SOLANA.fullmatch(text) and _is_solana(text) else None
    if found["ethereum"]:
        return text.lower()
    if found["bech32"]:
        return text.lower() if bech32(text) else None
    payload = base58check(text, ripple=text[0] == "r")
    good = payload is not None and len(payload) == _PAYLOAD_BYTES and payload[0] in _VERSIONS
    return text if good or (_SOLANA.fullmatch(text) and _is_solana(text)) else None


def _is_solana(text: str) -> bool:
    """Whether this is a public key, as that of a wallet is."""
    key = base58(text)
    return key is not None and len(key) == _KEY_BYTES and is_ed25519_key(key)


def _is_worded(text: str, start: int, end: int) -> bool:
    """Whether a word for payments stands beside what is no piece of something longer."""
    left, right = text[max(0, start - 1) : start], text[end : end + 2]
    if left in ("_", "-", "+", ".") or right[:1] in ("_", "-", "+", "="):
        return False
    if is_glued(left) or is_glued(right[:1]) or (right[:1] in (".", "/") and right[1:].isalnum()):
        return False
    return _SOLANA_WORD.search(f"{before(text, start)}\n{after(text, end, _NEAR_CHARACTERS)}") is not None
