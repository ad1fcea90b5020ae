"""Telephone numbers: the compiled plans answer as libphonenumber does, and digits alone are no number."""

from __future__ import annotations

import random
import re

import phonenumbers
import polars as pl
import pytest

from hokusai.errors import InvalidInputError
from hokusai.privacy.numbering import international, plan, plans
from hokusai.privacy.phone_columns import _each_its_way, phone_column
from hokusai.privacy.phone_words import ROOTS, ROOTS_ELSEWHERE, WORDS
from hokusai.privacy.phones import belief, spans

REGIONS = ("US", "GB", "FR", "DE", "IT", "ES", "JP", "BR", "IN")
TYPES = (
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.VOIP,
)


def examples(per_number: int) -> list[phonenumbers.PhoneNumber]:
    """libphonenumber's example of each region and type, and the same with one digit changed."""
    rng = random.Random(5)
    made = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in TYPES:
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            national = phonenumbers.national_significant_number(example)
            for turn in range(per_number):
                at = rng.randrange(len(national))
                changed = national[:at] + str(rng.randrange(10)) + national[at + 1 :] if turn else national
                try:
                    made.append(phonenumbers.parse(f"+{example.country_code}{changed}", None))
                except phonenumbers.NumberParseException:
                    continue
    return made


class TestPlans:
    def test_say_of_every_region_s_numbers_what_the_library_says(self) -> None:
        numbers = examples(3)
        assert len(numbers) > 2000
        for number in numbers:
            digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert international(digits) == (e164 if phonenumbers.is_valid_number(number) else None), digits

    def test_write_numbers_as_the_library_writes_them(self) -> None:
        for number in examples(1):
            region = phonenumbers.region_code_for_number(number)
            if region not in (None, "001"):
                written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
                assert plan(region).rendering(phonenumbers.national_significant_number(number)) == written
                lengths = tuple(map(len, re.findall("[0-9]+", written)))
                assert len(lengths) == 1 or plan(region).may_group(lengths), written

    def test_are_refused_for_a_region_that_has_none(self) -> None:
        with pytest.raises(InvalidInputError, match="XX"):
            plan("XX")


class TestColumn:
    def test_gives_what_the_library_gives_one_by_one(self) -> None:
        rng = random.Random(9)
        cells = [
            phonenumbers.format_number(number, style)
            for number in rng.sample(examples(1), 200)
            for style in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        ]
        expected = []
        for cell in cells:
            number = phonenumbers.parse(cell, None)
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            expected.append(e164 if phonenumbers.is_valid_number(number) else None)
        assert phone_column(pl.Series(cells), ("US",), told=False).to_list() == expected

    def test_reads_national_numbers_of_a_region_as_the_library_does(self) -> None:
        rng = random.Random(4)
        for region in REGIONS:
            cells = []
            for kind in TYPES[:2]:
                example = phonenumbers.example_number_for_type(region, kind)
                for _ in range(20):
                    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
                    cells.append(re.sub("[0-9]$", lambda _: str(rng.randrange(10)), national))
            read = [phonenumbers.parse(cell, region) for cell in cells]
            expected = [
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                if phonenumbers.is_valid_number_for_region(number, region)
                else None
                for number in read
            ]
            assert phone_column(pl.Series(cells), (region,), told=False).to_list() == expected, region

    def test_of_integers_is_read_when_the_column_is_told_to_hold_numbers(self) -> None:
        cells = pl.Series(["4155552671", "442079460958", "1614960958", "12", None])
        told = phone_column(cells, ("US", "GB"), told=True).to_list()
        assert told == ["+14155552671", "+442079460958", "+441614960958", None, None]
        assert phone_column(cells, ("US", "GB"), told=False).to_list() == [None] * 5

    def test_is_read_by_the_country_that_groups_digits_so(self) -> None:
        cells = pl.Series(["98765 43210", "098765 43210", "(98) 7654-3210"])
        expected = ["+919876543210", "+919876543210", "+559876543210"]
        assert phone_column(cells, REGIONS, told=True).to_list() == expected
        many = phone_column(
            pl.concat([cells] * 101), REGIONS, told=True
        )  # so many that they are not read one by one
        assert many.to_list() == expected * 101

    @pytest.mark.parametrize(
        "layout",
        [
            *(
                "(ddd) ddd-dddd",
                "+1dddddddddd",
                "+4d dd dddddddd",
                "0d dd dd dd dd",
                "ddddd ddddd",
                "0ddd dddddddd",
            ),
            *("dddddddddd", "1-ddd-ddd-dddd", "+ 49 dd ddddddd", "(0dd) dddd-dddd"),
        ],
    )
    def test_of_one_layout_is_read_as_its_cells_are_one_by_one(self, layout: str) -> None:
        rng = random.Random(layout)
        cells = pl.Series(
            [re.sub("d", lambda _: str(rng.randrange(10)), layout) for _ in range(350)] + ["x", None]
        )
        for told in (True, False):
            expected = [*_each_its_way(cells[:200], plans(REGIONS), told=told)]
            expected += [*_each_its_way(cells[200:], plans(REGIONS), told=told)]
            assert phone_column(cells, REGIONS, told=told).to_list() == expected

    def test_gives_no_digits_to_a_loose_plan_that_are_plainly_another_s(self) -> None:
        abroad = [
            "447400122581",
            "4915123454983",
            "33612342474",
            "5511961230969",
            "917410417613",
            "81312345712",
        ]
        numbers = {number: f"+{number}" for number in abroad} | {
            "090-1234-0431": "+819012340431",
            "00 66 21234906": "+6621234906",
            "4155552671": "+14155552671",
            "030 901820": "+4930901820",
            "06 1234 5678": "+390612345678",
        }
        cells, expected = pl.Series([*numbers] * 30), [*numbers.values()] * 30
        assert phone_column(cells, REGIONS, told=True).to_list() == expected
        assert phone_column(cells[:200], REGIONS, told=True).to_list() == expected[:200]
        for written in ("33612342474", "090-1234-0431"):
            assert {*phone_column(pl.Series([written] * 300), REGIONS, told=True)} == {numbers[written]}
        texts = [f"whatsapp: {written}" for written in numbers]
        assert [found for text in texts for *_, found in spans(text, REGIONS)] == [*numbers.values()]

    def test_of_numbers_that_lost_the_trunk_prefix_is_of_its_own_country(self) -> None:
        cells = pl.Series(["15123454983", "4155552671", "30901820"])
        expected = ["+4915123454983", "+494155552671", "+4930901820"]
        assert phone_column(cells, ("DE",), told=True).to_list() == expected

    def test_drops_extensions(self) -> None:
        cells = pl.Series(["(415) 555-2671 ext. 12", "+14155552671x9"])
        assert phone_column(cells, ("US",), told=False).to_list() == ["+14155552671", "+14155552671"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(415) 555-2671", "+14155552671"),
        ("415.555.2671", "+14155552671"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("0044 20 7946 0958", "+442079460958"),
        ("01 42 68 53 00", "+33142685300"),
        ("030 123456", "+4930123456"),
        ("03-1234-5678", "+81312345678"),
        ("(11) 91234-5678", "+5511912345678"),
        ("phone: 4155552671", "+14155552671"),
        ("Tel.: 089/23300", "+498923300"),
        ("please call me at (96) 627-277 today", "96627277"),
    ],
)
def test_numbers_that_prove_themselves_are_found(text: str, number: str) -> None:
    assert [canonical for _, _, canonical in spans(text, REGIONS)] == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4155552671",
        "order no. 4155552671, call us",
        "415555 2671",
        "0.4155552671",
        "#415-555-2671",
        "x415-555-2671",
        "2024-01-15 10:22",
        "371 697 580",
        "1 415 555 2671 12 9",
        "call us on 2024-01-15 10 o'clock",
        *("call 2024-01-18T14:25:37.965900", "called 18.01.2024 14:25, mobile", "phone 14:25:37,965900 s"),
        "(96) 627-277",
        "+1 415 555",
        "978-3-16-148410-0",
    ],
)
def test_digits_that_do_not_are_left(text: str) -> None:
    assert list(spans(text, REGIONS)) == []


@pytest.mark.parametrize(
    "before",
    ["2024-01-18T14:25:37.965900 ", "2024-01-18 14:25:37 ", "2024-01-18 ", "18.01.2024, 14:25 ", "14:25 "],
)
def test_a_number_behind_a_time_is_found(before: str) -> None:
    assert list(spans(f"{before}415-555-2671", REGIONS)) == [(len(before), len(before) + 12, "+14155552671")]


def test_digits_that_only_begin_like_a_day_are_a_number() -> None:
    assert [found for *_, found in spans("call 01/02/2001/12", ("FR",))] == ["+33102200112"]


def test_several_numbers_side_by_side_are_told_apart() -> None:
    found = spans("phones: 415-555-2671 415-555-2672, +442079460958/+442079460959", REGIONS)
    assert [canonical for _, _, canonical in found] == [
        *("+14155552671", "+14155552672", "+442079460958", "+442079460959")
    ]


def test_no_word_for_telephones_is_passed_over_by_the_quick_look_for_pieces_of_them() -> None:
    assert [word for word in WORDS if not any(root in word for root in (*ROOTS, *ROOTS_ELSEWHERE))] == []
    assert [word for word in WORDS if word.isascii() and not any(root in word for root in ROOTS)] == []


def test_a_word_counts_in_full_also_where_the_window_before_the_number_cuts_it() -> None:
    asked = "cel please answer us all soon "
    assert len(asked) == 30
    assert list(spans(f"par{asked}4155552671", REGIONS)) == []
    assert [found for *_, found in spans(f"my {asked}4155552671", REGIONS)] == ["+14155552671"]


def test_digits_in_one_piece_without_a_word_for_telephones_are_passed_over_quickly() -> None:
    nobody = [
        "where is my parcel number 1234567 please answer me soon",
        "recalled 4155552671 times",
        "1700000000000",
    ]
    somebody = [
        "Telefon: 030123456",
        "(Cell)4155552671",
        "+14155552671",
        "020 7946 0958",
        "電話4155552671",
        "NUMÉRO 4155552671",
    ]
    quick = pl.Series(nobody + somebody).str.contains(belief(REGIONS)).to_list()
    assert quick == [False] * len(nobody) + [True] * len(somebody)


@pytest.mark.parametrize(
    ("text", "written", "number"),
    [
        ("my number is 4155552671", "4155552671", "+14155552671"),
        ("Her new number: 4155552671", "4155552671", "+14155552671"),
        ("text me at 4155552671", "4155552671", "+14155552671"),
        ("from abroad + 49 30 901820", "+ 49 30 901820", "+4930901820"),
        ("call + 4930901820", "+ 4930901820", "+4930901820"),
        ("011 49 30 901820", "011 49 30 901820", "+4930901820"),
        ("grade A + 020 7946 0958", "+ 020 7946 0958", "+442079460958"),
        ("Ph: 4155552671", "4155552671", "+14155552671"),
        ("whatsapp: 491711234567", "491711234567", "+491711234567"),
        ("mobile: 98765 43210", "98765 43210", "+919876543210"),
        ("appelez le 0142685300", "0142685300", "+33142685300"),
        ("llame al 912345678", "912345678", "+34912345678"),
        ("chiama il 3331234567", "3331234567", "+393331234567"),
        ("rufen Sie uns unter 030901820 an", "030901820", "+4930901820"),
        ("mes numéros sont 06 12 34 56 01 le soir", "06 12 34 56 01", "+33612345601"),
        ("phone numbers: 01 02 03 04 05", "01 02 03 04 05", "+33102030405"),
    ],
)
def test_numbers_are_found_as_people_write_and_dial_them(text: str, written: str, number: str) -> None:
    (found,) = spans(text, REGIONS)
    assert (text[found[0] : found[1]], found[2]) == (written, number)


@pytest.mark.parametrize(
    "text",
    [
        *("the number 4155552671 is prime", "page number 4155552671", "our number of rows is 4155552671"),
        *(
            "text 4155552671 characters",
            "his order number is 4155552671",
            "12 + 49 30 901820",
            "C++ 49 30 901820",
        ),
        *("01 02 03 04 05", "lottery 06 12 34 41 45", "numbers: 03 14 15 92 65", "draw of 06 52 34 41 45"),
        *("call id 4155552671", "call_id=491711234567", "phoneId: 4155552671", "call 1700000000000"),
        *("011 49", "total + 50268354720", "call (1 + 50268354720)"),
    ],
)
def test_a_number_of_something_else_is_no_telephone(text: str) -> None:
    assert list(spans(text, REGIONS)) == []
