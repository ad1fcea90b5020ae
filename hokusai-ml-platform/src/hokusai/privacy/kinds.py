"""The kinds of personal data that are told apart, by the names that manifests, policies and tokens carry.

Their values are published and hashed into tokens, so a kind is never renamed.
"""

from __future__ import annotations

from enum import StrEnum


class PiiKind(StrEnum):
    """One kind of personal data.

    >>> PiiKind("email") is PiiKind.EMAIL
    True
    """

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national_id"
    IP = "ip"
    CRYPTO_ADDRESS = "crypto_address"
    DATE_OF_BIRTH = "date_of_birth"
    PERSON_NAME = "person_name"
    POSTAL_ADDRESS = "postal_address"


ALL_KINDS = tuple(PiiKind)

DEFAULT_REGIONS = ("US", "GB", "FR", "DE", "IT", "ES", "JP", "BR", "IN")
"""Whose national phone formats and ids are looked for; numbers with a country code are found for all regions."""
