"""Columns that hold one value a cell: the quick way gives what the patterns for free text give."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.privacy import cards, emails, ibans
from hokusai.privacy.detector import canonical_whole, find, matches_whole
from hokusai.privacy.kinds import ALL_KINDS, PiiKind

from .samples import MAKERS, card, email, iban, ip, national_id, phone, wallet

NUMBERS = st.from_regex(r"\A(4[0-9]{15}|3[47][0-9]{13}|5[1-5][0-9]{14}|[0-9]{12,19})\Z")
COMMON = st.from_regex(r"\A[a-z0-9_%+'.-]{1,66}@[a-z0-9.-]{1,9}\.(com|co|png|in)( ?)\Z")
CELLS = {
    PiiKind.EMAIL: email,
    PiiKind.PHONE: phone,
    PiiKind.CARD: card,
    PiiKind.IBAN: iban,
    PiiKind.IP: ip,
    PiiKind.CRYPTO_ADDRESS: wallet,
    PiiKind.NATIONAL_ID: national_id,
}


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_has_the_canonical_form_that_it_has_in_a_sentence(kind: PiiKind) -> None:
    rng = random.Random(11)
    cells = [CELLS[kind](rng) for _ in range(150)]
    in_text = find(pl.Series([f"see {cell} there" for cell in cells]), [kind])
    assert in_text["row"].to_list() == list(range(150))
    assert canonical_whole(pl.Series(cells), kind).to_list() == in_text["canonical"].to_list()
    assert matches_whole(pl.Series(cells), kind).all()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_null_stays_null_and_blanks_around_do_not_count(kind: PiiKind) -> None:
    cells = pl.Series("c", [None, "", "  "])
    assert canonical_whole(cells, kind).to_list() == [None, None, None]
    assert matches_whole(cells, kind).to_list() == [None, False, False]
    assert canonical_whole(cells, kind).name == matches_whole(cells, kind).name == "c"
    empty = canonical_whole(cells.clear().cast(pl.String), kind)
    assert empty.dtype == pl.String
    assert len(empty) == 0


def test_a_cell_with_more_than_the_value_is_none() -> None:
    assert canonical_whole(pl.Series(["a@b.co x", "a@b.co,c@d.ee", " a@b.co "]), PiiKind.EMAIL).to_list() == [
        None,
        None,
        "a@b.co",
    ]


@given(st.lists(st.text("aB1.@-_+'é x", max_size=14) | st.emails() | COMMON, min_size=1, max_size=20))
@settings(max_examples=50)
def test_the_quick_way_for_addresses_is_the_slow_one(cells: list[str]) -> None:
    expected = []
    for cell in cells:
        text = cell.strip()
        spans = [form for start, end, form in emails.spans(text) if (start, end) == (0, len(text))]
        expected.append(spans[0] if spans else None)
    assert canonical_whole(pl.Series(cells), PiiKind.EMAIL).to_list() == expected


@given(
    st.lists(
        NUMBERS,
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=40)
def test_luhn_over_a_column_is_luhn_over_each_cell(cells: list[str]) -> None:
    expected = [cell if cards.is_card(cell) else None for cell in cells]
    assert canonical_whole(pl.Series(cells), PiiKind.CARD).to_list() == expected


@given(st.integers(0, 2**32), st.integers(0, 30), st.sampled_from("0123456789ABZ"))
@settings(max_examples=50)
def test_mod_97_over_a_column_is_mod_97_over_each_cell(seed: int, at: int, character: str) -> None:
    code = iban(random.Random(seed)).replace(" ", "")
    changed = code[: at % len(code)] + character + code[at % len(code) + 1 :]
    expected = [cell if ibans.is_iban(cell) else None for cell in (code, changed)]
    assert canonical_whole(pl.Series([code, changed]), PiiKind.IBAN).to_list() == expected
    assert expected[0] == code


@pytest.mark.parametrize(
    "written",
    [
        "PL 61 1090 1014 0000 0712 1981 2874",
        "PL61.1090.1014.0000.0712.1981.2874",
        "pl61109010140000071219812874",
    ],
)
def test_an_account_has_one_form_however_it_is_parted(written: str) -> None:
    assert canonical_whole(pl.Series([written]), PiiKind.IBAN).to_list() == ["PL61109010140000071219812874"]
    assert find(pl.Series([f"to {written}."]))["canonical"].to_list() == ["PL61109010140000071219812874"]
    assert find(pl.Series([written.replace("4", "5", 1)]), [PiiKind.IBAN]).is_empty()


def test_dates_of_all_sorts_become_iso() -> None:
    cells = [
        "1980-03-02",
        "02.03.1980",
        "3/2/1980",
        "2 March 1980",
        "March 2nd, 1980",
        "1980年3月2日",
        "2.3.80",
        "x",
    ]
    assert canonical_whole(pl.Series(cells), PiiKind.DATE_OF_BIRTH).to_list() == ["1980-03-02"] * 7 + [None]


def test_dates_alone_do_not_make_a_column_one_of_births() -> None:
    assert matches_whole(pl.Series(["1980-03-02"]), PiiKind.DATE_OF_BIRTH).to_list() == [False]


def test_names_and_addresses_of_a_told_column_are_any_words() -> None:
    names = pl.Series(["Ada  LOVELACE", "lovelace, ada k.", "李小龍", "42"])
    assert canonical_whole(names, PiiKind.PERSON_NAME).to_list() == [
        "ada lovelace",
        "lovelace ada k",
        "李小龍",
        None,
    ]
    streets = pl.Series(["5, Main  St."])
    assert canonical_whole(streets, PiiKind.POSTAL_ADDRESS).to_list() == ["5 main st"]


@pytest.mark.parametrize("told", ["+ 49 30 901820", "011 49 30 901820", "00 49 30 901820", "+49 30 901820"])
def test_a_number_of_another_country_has_one_form_however_it_is_dialled(told: str) -> None:
    assert canonical_whole(pl.Series([told]), PiiKind.PHONE).to_list() == ["+4930901820"]
    assert find(pl.Series([f"see {told} there"]))["canonical"].to_list() == ["+4930901820"]


def test_all_kinds_that_have_a_maker_are_tried() -> None:
    assert {*CELLS, PiiKind.DATE_OF_BIRTH} == {PiiKind(kind) for kind in MAKERS if kind != "bare_phone"}
