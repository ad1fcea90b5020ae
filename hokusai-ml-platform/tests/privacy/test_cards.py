"""Payment cards: how groups are parted, and words that stand right at the digits."""

from __future__ import annotations

import random

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


TWO, THREE = "4111 1111 1111 1111 5500 0000 0000 0004", "378282246310005, 4012888888881881\n5105105105105100"


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        (TWO, 2),
        (" ".join([TWO] * 20), 40),
        (TWO.replace(" 5500", ", 5500"), 2),
        (THREE, 3),
        ("1 4111 1111 1111 1111 2 5500 0000 0000 0004 3 4012 8888 8888 1881 4", 3),
        ("4111 1111 1111 1111 90210 5500 0000 0000 0004 10115 4012 8888 8888 1881 75001", 3),
        ("4111 1111 1111 1111 12/26 123 90210", 1),
        ("4111 1111 1111 1111 12 26 123 90210 06 12 34 56 78", 1),
        ("5 200 0 4111111111111111 0 1999 17 3 12 0 44 8 1", 1),
        ("my card 4111 1111 1111 1111 1112 1113 1114 1115 1116", 1),
        ("card_4111 1111 1111 1111 1112 1113 1114 1115 1116", 1),
        ("tokens 101 2054 2003 4111 1111 1111 1111 2054 2003 1012", 0),
        ("[4111 1111 1111 1111 2054 2003 1012 3000 7592 2088 1996 2171 3793]", 0),
        ("  12 -345 4111 1111 1111 1111 -2054 2003  1012  3000", 0),
        ("4111111111111111 4111111111111112, 4111111111111113\n4111111111111114; 4111111111111115", 0),
    ],
)
def test_cards_side_by_side_are_found_and_pieces_of_lists_of_numbers_are_none(text: str, cards: int) -> None:
    assert find(pl.Series([text]), [PiiKind.CARD]).height == cards


@pytest.mark.parametrize("separator", [" ", "  ", ", ", ",", ";", "\t", "\n"])
@pytest.mark.parametrize(("least", "most"), [(0, 255), (0, 999), (0, 9_999), (0, 29_999), (1_996, 4_000)])
def test_lists_of_whole_numbers_hold_neither_cards_nor_national_ids(
    separator: str, least: int, most: int
) -> None:
    rng = random.Random(most)
    lists = [
        separator.join(str(rng.randint(least, most)) for _ in range(rng.randint(20, 120))) for _ in range(60)
    ]
    column = pl.Series([*lists, *(f"[{each}]" for each in lists)])
    flagged = find(column, [PiiKind.CARD, PiiKind.NATIONAL_ID])["row"].n_unique()
    assert flagged <= 0.03 * len(column)
