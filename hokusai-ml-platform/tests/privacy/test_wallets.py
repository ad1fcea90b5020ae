"""Wallets of Solana, whose addresses have no check digit."""

from __future__ import annotations

import random

import polars as pl
import pytest

from hokusai.privacy.columns import kind_by_content
from hokusai.privacy.detector import find, matches_whole
from hokusai.privacy.kinds import PiiKind

from .samples import BASE58, base58, solana

KEY = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"


def found_in(text: str) -> list[str]:
    return find(pl.Series([text]), [PiiKind.CRYPTO_ADDRESS])["canonical"].to_list()


@pytest.mark.parametrize(
    "text",
    [f"send it to {KEY} please", f"Solana: {KEY}.", f"{KEY} (phantom)", f"https://solscan.io/account/{KEY}"],
)
def test_a_key_is_an_address_beside_a_word_for_payments(text: str) -> None:
    assert found_in(text) == [KEY]


@pytest.mark.parametrize(
    "text",
    [
        f"job {KEY} done",
        KEY,
        "pay for QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWFPDkM",
        "wallet 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        f"wallet {KEY}-part",
        f"wallet {base58(bytes([2]) + bytes(31))}",  # no point of the curve
        f"wallet {base58(bytes([1]) * 31)}",
    ],
)
def test_other_base_58_is_none(text: str) -> None:
    assert found_in(text) == []


def test_a_column_of_keys_is_told_from_one_of_random_ids() -> None:
    rng = random.Random(5)
    keys = pl.Series([solana(rng) for _ in range(50)])
    assert matches_whole(keys, PiiKind.CRYPTO_ADDRESS).all()
    assert kind_by_content(keys) is PiiKind.CRYPTO_ADDRESS
    ids = pl.Series(["".join(rng.choices(BASE58, k=43)) for _ in range(50)])
    assert kind_by_content(ids) is None
