"""Which wallet texts can be paid, which are only names, and what is said about each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.identifiers import WalletAddress
from hokusai.errors import InvalidInputError

# The test cases of EIP-55.
CHECKSUMMED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
PLATFORM_EXAMPLE = "0x742d35Cc6634C0532925a3b844Bc9e7595f62341"
THIRTY_NINE_DIGITS = "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


class TestAddresses:
    @pytest.mark.parametrize("text", CHECKSUMMED)
    def test_the_cases_of_eip_55(self, text: str) -> None:
        for spelling in (text, "0x" + text[2:].lower(), "0x" + text[2:].upper()):
            wallet = WalletAddress.parse(spelling)
            assert wallet.payable
            assert wallet.warning is None
            assert wallet.checksummed == text

    @pytest.mark.parametrize("text", CHECKSUMMED[4:])
    def test_a_mixed_case_checksum_that_holds_says_so(self, text: str) -> None:
        assert WalletAddress.parse(text).checksum_holds is True

    @pytest.mark.parametrize("text", [CHECKSUMMED[0], CHECKSUMMED[2], "0x" + "1" * 40])
    def test_one_case_carries_no_checksum(self, text: str) -> None:
        assert WalletAddress.parse(text).checksum_holds is None

    def test_a_wrong_mixed_case_is_payable_with_a_warning(self) -> None:
        wallet = WalletAddress.parse(PLATFORM_EXAMPLE)
        assert wallet.payable
        assert wallet.checksum_holds is False
        assert "checksum does not hold" in str(wallet.warning)
        assert "unchecked" in str(wallet.warning)
        assert "0x742D35cc6634C0532925A3B844BC9E7595f62341" in str(wallet.warning)

    @given(addresses, st.integers(2, 41))
    def test_one_wrong_letter_breaks_a_mixed_case_checksum(self, text: str, position: int) -> None:
        right = WalletAddress.parse(text).checksummed
        wrong = right[:position] + right[position].swapcase() + right[position + 1 :]
        if wrong != right and wrong[2:] not in (wrong[2:].lower(), wrong[2:].upper()):
            assert WalletAddress.parse(wrong).checksum_holds is False


class TestOpaqueIds:
    def test_the_address_of_39_digits(self) -> None:
        wallet = WalletAddress.parse(THIRTY_NINE_DIGITS)
        assert not wallet.payable
        assert str(wallet) == THIRTY_NINE_DIGITS
        assert "this has 39" in str(wallet.warning)
        assert "opaque id" in str(wallet.warning)
        assert "not payable" in str(wallet.warning)

    @pytest.mark.parametrize(
        "text",
        [
            "alice.example",
            "742d35Cc6634C0532925a3b844Bc9e7595f62341",
            "0X742d35cc6634c0532925a3b844bc9e7595f62341",
            "0x742d35cc6634c0532925a3b844bc9e7595f6234g",
            "0x742d35cc6634c0532925a3b844bc9e7595f6234\u0661",
            "0x742d35cc6634c0532925a3b844bc9e7595f623411",
        ],
    )
    def test_nothing_but_an_address_can_be_paid(self, text: str) -> None:
        wallet = WalletAddress.parse(text)
        assert not wallet.payable
        assert wallet.warning is not None
        with pytest.raises(InvalidInputError, match="no checksum"):
            _ = wallet.checksummed


class TestParse:
    @given(addresses | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=256))
    def test_parse_of_the_text_is_the_same(self, text: str) -> None:
        wallet = WalletAddress.parse(text)
        assert str(wallet) == text
        assert WalletAddress.parse(str(wallet)) == wallet

    def test_blanks_around_it_are_dropped(self) -> None:
        assert str(WalletAddress.parse(f"  {PLATFORM_EXAMPLE}\n")) == PLATFORM_EXAMPLE

    @pytest.mark.parametrize("text", ["", "  ", "a" * 257, "0x\x00", "a\nb", "\ud800", "\u202e0x12"])
    def test_refuses_what_cannot_be_shown(self, text: str) -> None:
        with pytest.raises(InvalidInputError, match="Not a wallet address"):
            WalletAddress.parse(text)

    def test_cannot_be_made_with_blanks_around_it(self) -> None:
        with pytest.raises(InvalidInputError, match="blanks"):
            WalletAddress(" x")
