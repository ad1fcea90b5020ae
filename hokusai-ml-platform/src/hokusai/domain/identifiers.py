"""Names that arrive as text from people, parsed once at the door.

A wallet address decides where credit is paid, so its one rule lives here: what can be paid, what is only a
name, and what to warn of. Whatever was typed is kept, since it is what the contributor will look for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hokusai.domain.keccak import keccak_256
from hokusai.errors import InvalidInputError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_MAX_LENGTH = 256


@dataclass(frozen=True, slots=True)
class WalletAddress:
    """Where a contributor is paid, or, if it is no address, an opaque id to record the contribution under.

    Make one with `parse`. `str()` gives the text as typed, and `WalletAddress.parse(str(x)) == x`.
    Two spellings of one account are different values; compare `checksummed` to compare accounts.

    >>> WalletAddress.parse("0x742d35cc6634c0532925a3b844bc9e7595f62341").checksummed
    '0x742D35cc6634C0532925A3B844BC9E7595f62341'
    >>> WalletAddress.parse("alice.example").payable
    False
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text or len(self.text) > _MAX_LENGTH or not self.text.isprintable():
            raise InvalidInputError(
                f"Not a wallet address: {self.text[:60]!r} is empty, longer than {_MAX_LENGTH} characters, "
                "or has characters that cannot be shown",
                where="wallet",
                hint="Give 0x and 40 hex digits.",
            )
        if self.text != self.text.strip():
            raise InvalidInputError(
                f"Not a wallet address: {self.text!r} has blanks around it", where="wallet"
            )

    @classmethod
    def parse(cls, text: str) -> WalletAddress:
        """The address or opaque id that `text` is; blanks around it are dropped.

        Raises:
            InvalidInputError: The text is empty, too long, or not printable.
        """
        return cls(text.strip())

    @property
    def payable(self) -> bool:
        """Whether this is a 20-byte hex address, so that something can be paid out to it on chain."""
        return _ADDRESS.fullmatch(self.text) is not None

    @property
    def checksum_holds(self) -> bool | None:
        """Whether the EIP-55 checksum is right; None where there is none (one case, or no address)."""
        digits = self.text[2:]
        if not self.payable or digits in (digits.lower(), digits.upper()):
            return None
        return self.text == self.checksummed

    @property
    def checksummed(self) -> str:
        """The address in EIP-55 mixed case.

        Raises:
            InvalidInputError: This is an opaque id.

        References:
            EIP-55, Mixed-case checksum address encoding.
        """
        if not self.payable:
            raise InvalidInputError(f"{self.text!r} is not an address, so it has no checksum", where="wallet")
        digits = self.text[2:].lower()
        nibbles = keccak_256(digits.encode("ascii")).hex()
        pairs = zip(digits, nibbles, strict=False)
        return "0x" + "".join(digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in pairs)

    @property
    def warning(self) -> str | None:
        """What the contributor should be told about this address, if anything."""
        if not self.payable:
            return (
                f"Wallet {self.text!r} is not an address (0x and 40 hex digits{self._mismatch()}): "
                "it is recorded as an opaque id, and its contribution is marked as not payable."
            )
        if self.checksum_holds is False:
            return (
                f"Wallet {self.text!r} is in mixed case, but its EIP-55 checksum does not hold, so a "
                "typing error would go unnoticed: taken as unchecked. "
                f"With its checksum it reads {self.checksummed}."
            )
        return None

    def __str__(self) -> str:
        return self.text

    def _mismatch(self) -> str:
        digits = self.text[2:]
        if self.text.startswith("0x") and re.fullmatch(r"[0-9a-fA-F]*", digits):
            return f"; this has {len(digits)}"
        return ""
