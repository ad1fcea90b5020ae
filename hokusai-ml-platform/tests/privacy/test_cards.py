"""Payment cards: how groups are parted, and words that stand right at the digits."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.detector import canonical_whole, find
from hokusai.privacy.kinds import PiiKind


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("paid 4111.1111.1111.1111 today", "4111.1111.1111.1111"),
        ("amex 3714.496353.98431.", "3714.496353.98431"),
        ("card4111111111111111", "4111111111111111"),
        ("my Visa_4111111111111111, thanks", "4111111111111111"),
        ("3 cards: 4111-1111-1111-1111", "4111-1111-1111-1111"),
        ("card_4111_1111_1111_1111", "4111_1111_1111_1111"),
        ("paid by 4111/1111/1111/1111.", "4111/1111/1111/1111"),
        ("4111111111111111/12/27/123", "4111111111111111"),
        ("41111111 11111111 is it", "41111111 11111111"),
    ],
)
def test_a_card_is_found_with_dots_between_and_a_word_right_before(text: str, written: str) -> None:
    rows = find(pl.Series([text])).rows()
    digits = "".join(filter(str.isdigit, written))
    assert [(text[start:end], kind, form) for _, start, end, kind, form in rows] == [
        (written, "card", digits)
    ]
    assert canonical_whole(pl.Series([written]), PiiKind.CARD).to_list() == [digits]


@pytest.mark.parametrize(
    "text",
    [
        "4111.1111.1111.1112",  # its check digit is wrong
        "0.4111111111111111",
        "4111111111111111.5",
        "v4111.1111.1111.1111",
        "4111.1111 1111.1111",
        "4111.1111.1111.1111.1111",
        "4111_1111_1111_1112",
        "4111_1111_1111_1111_1",
        "41111111 11111112",
        "discard4111111111111111",
        "card4111111111111111x",
    ],
)
def test_decimals_codes_and_longer_numbers_are_none(text: str) -> None:
    assert find(pl.Series([text]), [PiiKind.CARD]).is_empty()
    assert canonical_whole(pl.Series([text]), PiiKind.CARD).to_list() == [None]
