"""Check digits, by the vectors that their standards publish."""

from __future__ import annotations

import pytest

from hokusai.privacy.cards import is_card
from hokusai.privacy.checksums import base58check, bech32, luhn, mod11_10, verhoeff
from hokusai.privacy.ibans import LENGTHS, is_iban
from hokusai.privacy.national_ids import spans
from hokusai.privacy.wallets import canonical

CARDS = (  # the test numbers that payment processors publish for their sandboxes
    "4111111111111111",
    "4012888888881881",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "30569309025904",
    "3530111333300000",
    "6200000000000005",
)
IBANS = (  # the examples of the SWIFT registry
    "AD1200012030200359100100",
    "AT611904300234573201",
    "BE68539007547034",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "ES9121000418450200051332",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "IT60X0542811101000000123456",
    "MT84MALT011000012345MTLCAST001S",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "SA0380000000608010167519",
)
BECH32 = (  # BIP 173 and BIP 350
    "A12UEL5L",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "A1LQFN3A",
    "a1lqfn3a",
)
BAD_BECH32 = (
    "x1b4n0q5v",
    "li1dgmt3",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
)


@pytest.mark.parametrize("number", CARDS)
def test_cards_of_every_network_are_known_and_no_digit_of_them_can_be_changed(number: str) -> None:
    assert is_card(number)
    for at in range(len(number)):
        changed = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
        assert not luhn(changed)


@pytest.mark.parametrize("code", IBANS)
def test_account_numbers_of_the_registry_hold_and_no_two_neighbours_of_them_can_be_swapped(code: str) -> None:
    assert is_iban(code)
    assert LENGTHS[code[:2]] == len(code)
    for at in range(4, len(code) - 1):
        swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        assert swapped == code or not is_iban(swapped)


@pytest.mark.parametrize("text", BECH32)
def test_bech32_strings_of_the_proposals_hold(text: str) -> None:
    assert bech32(text)


@pytest.mark.parametrize("text", BAD_BECH32)
def test_bad_bech32_strings_of_the_proposals_do_not_hold(text: str) -> None:
    assert not bech32(text)


def test_base58_gives_back_the_version_and_hash_of_the_first_bitcoin_address() -> None:
    payload = base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert payload == bytes.fromhex("0062e907b15cbf27d5425399ebf6f0fb50ebb88f18")
    assert base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb") is None
    assert base58check("0OIl") is None


@pytest.mark.parametrize(
    "address",
    [
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
        "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
    ],
)
def test_addresses_of_other_chains_are_known_and_stand_as_written(address: str) -> None:
    assert canonical(address) == address
    assert canonical(address[:-1] + ("1" if address[-1] != "1" else "2")) is None


def test_verhoeff_and_the_hybrid_system_catch_every_single_wrong_digit() -> None:
    for holds, number in ((verhoeff, "2363"), (mod11_10, "86095742719"), (mod11_10, "47036892816")):
        assert holds(number)
        for at in range(len(number)):
            for digit in set("0123456789") - {number[at]}:
                assert not holds(number[:at] + digit + number[at + 1 :])


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        ("US", "SSN 219-09-9999", "US:219099999"),
        ("GB", "NI number JG 10 37 59 A", "GB:JG103759A"),
        ("GB", "NHS 943 476 5919", "GB:9434765919"),
        ("FR", "2 55 08 14 168 025 38", "FR:255081416802538"),
        ("DE", "Steuer-ID 47 036 892 816", "DE:47036892816"),
        ("ES", "DNI 12345678Z", "ES:12345678Z"),
        ("ES", "NIE X1234567L", "ES:X1234567L"),
        ("IT", "RSSMRA85T10A562S", "IT:RSSMRA85T10A562S"),
        ("BR", "529.982.247-25", "BR:52998224725"),
        ("BR", "11.444.777/0001-61", "BR:11444777000161"),
        ("JP", "マイナンバー 1234 5678 9018", "JP:123456789018"),
        ("CA", "SIN 046 454 286", "CA:046454286"),
        ("AU", "TFN 123 456 782", "AU:123456782"),
        ("NL", "BSN 111222333", "NL:111222333"),
        ("PL", "PESEL 44051401359", "PL:44051401359"),
        ("SE", "personnummer 811218-9876", "SE:8112189876"),
    ],
)
def test_the_published_example_of_each_country_is_found_and_none_with_another_last_digit(
    region: str, text: str, number: str
) -> None:
    assert [canonical for _, _, canonical in spans(text, (region,))] == [number]
    if region != "US" and not number.endswith("JG103759A"):  # these have no check digit
        last = text[-1]
        other = (
            str((int(last) + 1) % 10) if last.isdigit() else chr(ord("A") + (ord(last) - ord("A") + 1) % 26)
        )
        assert list(spans(text[:-1] + other, (region,))) == []


@pytest.mark.parametrize("text", ["SSN 000-12-3456", "SSN 666-12-3456", "SSN 123-00-4567", "SSN 123-45-0000"])
def test_social_security_numbers_that_were_never_given_out_are_none(text: str) -> None:
    assert list(spans(text, ("US",))) == []


@pytest.mark.parametrize("text", ["123456789", "ref 123456789", "536904399", "12345678901", "234567891238"])
def test_bare_digits_are_nobodys_number_without_a_word_beside_them(text: str) -> None:
    assert list(spans(text, ("US", "GB", "DE", "BR", "IN", "JP", "CA", "NL", "PL", "AU"))) == []
