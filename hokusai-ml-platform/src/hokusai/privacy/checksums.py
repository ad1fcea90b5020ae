"""The check digits by which identifiers prove that they are no accident: pure arithmetic on short strings.

A sixteen-digit order number and a payment card look alike; only one in ten of the former passes the check of the
latter. So every identifier that carries check digits is believed by them, never by its shape alone.
"""

from __future__ import annotations

import hashlib

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {character: value for value, character in enumerate(_BASE58)}
_BASE58_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_RIPPLE_VALUES = {character: value for value, character in enumerate(_BASE58_RIPPLE)}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_VALUES = {character: value for value, character in enumerate(_BECH32)}
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS = (1, 0x2BC830A3)
_ED25519_PRIME = 2**255 - 19
_ED25519_D = -121665 * pow(121666, -1, _ED25519_PRIME) % _ED25519_PRIME
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_DIHEDRAL = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_VERHOEFF = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def luhn(digits: str) -> bool:
    """Whether the last digit is right by the formula of payment cards.

    References:
        ISO/IEC 7812-1, annex B.

    >>> luhn("79927398713"), luhn("79927398710")
    (True, False)
    """
    total = sum(map(int, digits[-1::-2])) + sum(_LUHN_DOUBLED[int(d)] for d in digits[-2::-2])
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """Whether the last digit is right by Verhoeff's formula, which Aadhaar uses.

    References:
        J. Verhoeff, Error detecting decimal codes (1969).

    >>> verhoeff("2363"), verhoeff("2364")
    (True, False)
    """
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _DIHEDRAL[check][_VERHOEFF[place % 8][int(digit)]]
    return check == 0


def mod97(code: str) -> bool:
    """Whether an IBAN's two check digits are right.

    Args:
        code: Upper-case letters and digits without blanks.

    References:
        ISO 13616; ISO/IEC 7064, MOD 97-10.

    >>> mod97("GB82WEST12345698765432"), mod97("GB82WEST12345698765431")
    (True, False)
    """
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


def mod11_10(digits: str) -> bool:
    """Whether the last digit is right by the hybrid system that the German tax number uses.

    References:
        ISO/IEC 7064, MOD 11,10.

    >>> mod11_10("86095742719"), mod11_10("86095742718")
    (True, False)
    """
    product = 10
    for digit in digits[:-1]:
        product = (((int(digit) + product) % 10 or 10) * 2) % 11
    return (11 - product) % 10 == int(digits[-1])


def base58(text: str, *, ripple: bool = False) -> bytes | None:
    """The bytes of a Base58 string; None if a character is none of its alphabet.

    >>> base58("11z").hex(), base58("0")
    ('000039', None)
    """
    values = _RIPPLE_VALUES if ripple else _BASE58_VALUES
    number = 0
    for character in text:
        value = values.get(character)
        if value is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("r" if ripple else "1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def is_ed25519_key(key: bytes) -> bool:
    """Whether 32 bytes are a point of the curve, as every public key is and half of all other bytes are not.

    References:
        RFC 8032, section 5.1.3.

    >>> is_ed25519_key(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    True
    >>> is_ed25519_key(bytes([2]) + bytes(31))
    False
    """
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    if y >= _ED25519_PRIME:
        return False
    square = (y * y - 1) * pow(_ED25519_D * y * y + 1, -1, _ED25519_PRIME) % _ED25519_PRIME
    return square == 0 or pow(square, (_ED25519_PRIME - 1) // 2, _ED25519_PRIME) == 1


def base58check(text: str, *, ripple: bool = False) -> bytes | None:
    """The payload of a Base58Check string, its version byte first; None if the check fails.

    Args:
        text: As written.
        ripple: Whether the alphabet is that of the XRP ledger.

    References:
        Bitcoin wiki, Base58Check encoding; XRPL, Base58 encodings.

    >>> base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")[:2].hex()
    '0062'
    """
    raw = base58(text, ripple=ripple)
    if raw is None:
        return None
    payload, check = raw[:-4], raw[-4:]
    if hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4] != check:
        return None
    return payload


def bech32(text: str) -> bool:
    """Whether the six check characters of a Bech32 or Bech32m string are right.

    References:
        BIP 173 and BIP 350.

    >>> bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    True
    >>> bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
    False
    """
    if text != text.lower() and text != text.upper():
        return False
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or not prefix or len(data) < 6:
        return False
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    for character in data:
        value = _BECH32_VALUES.get(character)
        if value is None:
            return False
        values.append(value)
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check in _BECH32_CONSTANTS
