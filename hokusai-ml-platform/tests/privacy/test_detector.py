"""Where personal data is found in columns of text: offsets, tricks, overlaps, hostile text, and nothing lost."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import InvalidInputError, MissingExtraError
from hokusai.privacy import (
    addresses,
    births,
    cards,
    emails,
    ibans,
    ips,
    letters,
    names,
    national_ids,
    phones,
    wallets,
)
from hokusai.privacy.detector import DEFAULT_REGIONS, find, prefilter
from hokusai.privacy.folding import fold
from hokusai.privacy.kinds import ALL_KINDS, PiiKind
from tests.growth import assert_grows_with_size

from .samples import HARD_NEGATIVES, MAKERS, WORDED_MAKERS
from .written_samples import CONTEXTUAL, NOBODY, STRUCTURED, parsed

SPANS = {
    PiiKind.EMAIL: emails.spans,
    PiiKind.PHONE: lambda text: phones.spans(text, DEFAULT_REGIONS),
    PiiKind.CARD: cards.spans,
    PiiKind.IBAN: ibans.spans,
    PiiKind.NATIONAL_ID: lambda text: national_ids.spans(text, DEFAULT_REGIONS),
    PiiKind.IP: ips.spans,
    PiiKind.CRYPTO_ADDRESS: wallets.spans,
    PiiKind.DATE_OF_BIRTH: births.spans,
    PiiKind.PERSON_NAME: names.spans,
    PiiKind.POSTAL_ADDRESS: addresses.spans,
}
PIECES = st.one_of(
    st.sampled_from([parsed(text)[0] for text in (*STRUCTURED, *CONTEXTUAL, *NOBODY)]),
    st.builds(
        lambda make, rng: make(rng), st.sampled_from(list(MAKERS.values())), st.randoms(use_true_random=False)
    ),
    st.builds(
        lambda make, rng: make(rng),
        st.sampled_from(list(HARD_NEGATIVES.values())),
        st.randoms(use_true_random=False),
    ),
    st.builds(
        lambda sort, rng: rng.choice(sort[2]).format(sort[1](rng)),
        st.sampled_from(list(WORDED_MAKERS.values())),
        st.randoms(use_true_random=False),
    ),
    st.text(max_size=6),
    st.text("0123456789 -.()+/:ABCabc@", max_size=20),
    st.sampled_from(
        [
            *("born ", "Dear ", "SSN ", "call ", "Mr ", "name: ", "customer - ", " St", "\n", "Ä", "é", "は"),
            *("Cc: ", "from:", "Thanks, ", "Regards,", "Don ", "M. ", "via roma ", "rue de la paix "),
        ]
    ),
)

UNITS = {
    PiiKind.EMAIL: "a@b.co ",
    PiiKind.PHONE: "+1 415-555-2671, ",
    PiiKind.CARD: "4111 1111 1111 1111, ",
    PiiKind.IBAN: "DE89370400440532013000 ",
    PiiKind.IP: "2001:db8::1 ",
    PiiKind.NATIONAL_ID: "536-90-4399 ",
    PiiKind.CRYPTO_ADDRESS: "0x52908400098527886E0F7030069857D2E4169EE7 ",
    PiiKind.DATE_OF_BIRTH: "born 1990-01-02 ",
    PiiKind.POSTAL_ADDRESS: "12 Main Street; ",
    PiiKind.PERSON_NAME: "Dear Mr. Smith, ",
}
"""A value of each kind, to be repeated in one cell."""


def found_in(text: str) -> list[tuple[str, str]]:
    """What is found in one text: the original characters, and the kind."""
    rows = find(pl.Series([text])).rows()
    return [(text[start:end], kind) for _, start, end, kind, _ in rows]


class TestFind:
    def test_gives_rows_offsets_kinds_and_canonical_forms(self) -> None:
        column = pl.Series(
            "notes", ["none", None, "mail Ann@B.co or call (415) 555-2671", "4111 1111 1111 1111"]
        )
        found = find(column)
        assert found.schema == {
            "row": pl.UInt32,
            "start": pl.UInt32,
            "end": pl.UInt32,
            "kind": pl.String,
            "canonical": pl.String,
        }
        assert found.rows() == [
            (2, 5, 13, "email", "ann@b.co"),
            (2, 22, 36, "phone", "+14155552671"),
            (3, 0, 19, "card", "4111111111111111"),
        ]

    def test_counts_characters_not_bytes(self) -> None:
        assert find(pl.Series(["😀é ann@b.co"]))["start"].to_list() == [3]

    @pytest.mark.parametrize("column", [[], [None, None], ["", " "]])
    def test_of_an_empty_column_is_empty_with_its_types(self, column: list[str | None]) -> None:
        found = find(pl.Series(column, dtype=pl.String))
        assert found.shape == (0, 5)
        assert found.schema["canonical"] == pl.String

    def test_looks_only_for_what_is_asked(self) -> None:
        text = pl.Series(["ann@b.co 4111 1111 1111 1111"])
        assert find(text, [PiiKind.CARD])["kind"].to_list() == ["card"]
        assert find(text, [])["kind"].to_list() == []

    def test_refuses_a_region_that_is_none(self) -> None:
        with pytest.raises(InvalidInputError, match="UK"):
            find(pl.Series(["x"]), regions=("UK",))
        with pytest.raises(InvalidInputError, match="germany"):
            find(pl.Series(["x"]), [PiiKind.NATIONAL_ID], regions=("germany",))

    def test_fails_before_the_first_row_when_phones_cannot_be_checked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from hokusai.privacy import numbering

        numbering.plan.cache_clear()
        numbering.plans.cache_clear()
        monkeypatch.setitem(sys.modules, "phonenumbers", None)
        with pytest.raises(MissingExtraError, match="phonenumbers") as caught:
            find(pl.Series(["nothing here"]))
        assert "[data]" in str(caught.value)
        assert find(pl.Series(["a@b.co"]), [PiiKind.EMAIL]).height == 1
        monkeypatch.undo()

    def test_believes_the_name_of_a_column(self) -> None:
        bare = pl.Series(["4155552671"])
        assert find(bare).is_empty()
        assert find(bare, column_kind=PiiKind.PHONE)["canonical"].to_list() == ["+14155552671"]
        date = pl.Series(["since 1980-01-02"])
        assert find(date).is_empty()
        assert find(date, column_kind=PiiKind.DATE_OF_BIRTH)["canonical"].to_list() == ["1980-01-02"]
        assert find(pl.Series(["123456789"]), column_kind=PiiKind.NATIONAL_ID).height == 1


class TestOverlaps:
    def test_the_most_certain_kind_has_the_characters(self) -> None:
        assert found_in("2 55 08 14 168 025 38") == [("2 55 08 14 168 025 38", "national_id")]
        assert found_in("phone 4111 1111 1111 1111") == [("4111 1111 1111 1111", "card")]

    def test_the_longest_of_one_kind_has_them(self) -> None:
        assert found_in("Musterstraße 12, 10115 Berlin") == [
            ("Musterstraße 12, 10115 Berlin", "postal_address")
        ]

    @given(st.lists(PIECES, min_size=1, max_size=5))
    def test_no_two_spans_of_a_row_share_a_character(self, pieces: list[str]) -> None:
        text = " ".join(pieces)
        end_before = 0
        for _, start, end, _, canonical in find(pl.Series([text])).rows():
            assert end_before <= start < end <= len(text)
            assert canonical
            end_before = end


class TestOddCharacters:
    @pytest.mark.parametrize(
        ("text", "value", "canonical"),
        [
            ("to user\uff20example.com now", "user\uff20example.com", "user@example.com"),
            ("to us\u200ber@exam\u00adple.com now", "us\u200ber@exam\u00adple.com", "user@example.com"),
            ("4111\u00a01111\u202f1111\u20091111", "4111\u00a01111\u202f1111\u20091111", "4111111111111111"),
            (
                "tel \uff14\uff11\uff15\u2013555\u20112671",
                "\uff14\uff11\uff15\u2013555\u20112671",
                "+14155552671",
            ),
            ("ip \uff12\uff10\uff13.0.113.77", "\uff12\uff10\uff13.0.113.77", "203.0.113.77"),
            (
                "\u200f\u0660 call +\u0661\u0664\u0661\u06655552671",
                "+\u0661\u0664\u0661\u06655552671",
                "+14155552671",
            ),
            ("\U0001d41a\U0001d427\U0001d427@b.co", "\U0001d41a\U0001d427\U0001d427@b.co", "ann@b.co"),
        ],
    )
    def test_are_read_as_people_read_them_and_covered_as_they_stand(
        self, text: str, value: str, canonical: str
    ) -> None:
        rows = find(pl.Series(["plain", text])).rows()
        assert [(row, text[start:end], form) for row, start, end, _, form in rows] == [(1, value, canonical)]

    @given(st.text())
    @settings(max_examples=100)
    def test_offsets_of_a_folded_text_point_at_the_characters_it_came_from(self, text: str) -> None:
        plain, offsets = fold(text)
        at = offsets if offsets is not None else list(range(len(text)))
        assert len(at) == len(plain)
        assert at == sorted(set(at))
        assert "".join(fold(text[i])[0] for i in at) == plain


class TestTakenOut:
    @pytest.mark.parametrize(
        "text",
        [
            "pii:email:k1:ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "call pii:phone:0a1b2c3d:TR33ABCDEFGHIJKLMNOPQRSTUV now",
            "Dear [person_name], your [email] and [postal_address]",
            "born [date_of_birth]",
        ],
    )
    def test_tokens_and_masks_are_never_found_again(self, text: str) -> None:
        assert found_in(text) == []

    def test_words_on_the_far_side_of_a_mask_do_not_speak_for_a_number(self) -> None:
        assert found_in("phone 4155552671") == [("4155552671", "phone")]
        assert found_in("phone [phone] 4155552671") == []

    def test_something_that_only_looks_like_a_token_hides_nothing(self) -> None:
        assert found_in("pii:nothing:x:y ann@b.co [note] bob@b.co") == [
            ("ann@b.co", "email"),
            ("bob@b.co", "email"),
        ]


class TestQuickPass:
    @pytest.mark.parametrize("kind", ALL_KINDS)
    def test_lets_through_every_text_in_which_a_kind_finds_something(self, kind: PiiKind) -> None:
        @given(st.lists(PIECES, min_size=1, max_size=3).map("".join))
        @settings(max_examples=40)
        def check(text: str) -> None:
            plain = fold(text)[0]
            spans = list(SPANS[kind](plain))
            if spans:
                column = pl.Series([text])
                assert prefilter(pl.Series([plain])).item(), spans
                assert prefilter(pl.Series([plain]), [kind]).item(), spans
                assert find(column, [kind]).height >= 1

        check()

    @given(st.lists(st.lists(PIECES, max_size=3).map(" ".join), max_size=8))
    @settings(max_examples=40)
    def test_finds_in_a_column_what_it_finds_row_by_row(self, rows: list[str]) -> None:
        together = find(pl.Series(rows, dtype=pl.String)).rows()
        alone = [(row, *rest) for row, text in enumerate(rows) for _, *rest in find(pl.Series([text])).rows()]
        assert together == alone


class TestHostileText:
    @pytest.mark.parametrize("character", [*"1a@. ", "\uff11"])
    def test_megabytes_of_one_character_take_no_longer_each(self, character: str) -> None:
        def of_bytes(size: int) -> Callable[[], None]:
            column = pl.Series([character * (size // len(character.encode()))])
            return lambda: none_in(column)

        assert_grows_with_size(of_bytes, 300_000, 2_400_000)

    @pytest.mark.parametrize(
        "unit",
        [
            "1 ",
            "a@",
            "a@b.co ",
            "A ",
            "1.",
            "a.b-",
            "Mr A",
            "MR ANNA ",
            "name: ada ",
            "name - ann-",
            "ul. A ",
            '"a',
            "a 9 ROAD ",
            "Dear A to: B C, ",
            "12 Ab ",
            "12 rue a-",
            "born 1",
            "born 1990-01-02 ",
            "0x1f",
            "1:",
            "+1 (",
            "DE12 ",
        ],
    )
    def test_time_grows_with_the_length_and_not_faster(self, unit: str) -> None:
        def of_length(size: int) -> Callable[[], object]:
            column = pl.Series([unit * (size // len(unit))])
            return lambda: find(column)

        assert_grows_with_size(of_length, 15_000, 120_000)

    @pytest.mark.parametrize("kind", UNITS)
    def test_what_a_cell_holds_a_thousand_times_takes_no_longer_each(self, kind: PiiKind) -> None:
        def of_times(times: int) -> Callable[[], None]:
            column = pl.Series([UNITS[kind] * times])

            def search() -> None:
                starts = find(column, [kind])["start"].to_list()
                first, length = starts[0], len(UNITS[kind])
                assert starts == list(range(first, first + times * length, length))

            return search

        assert_grows_with_size(of_times, 750, 6_000)

    def test_no_pattern_looks_around(self) -> None:
        patterns = list(compiled_patterns())
        assert len(patterns) > 40
        assert [pattern for pattern in patterns if re.search(r"\(\?<?[=!]", pattern)] == []


def none_in(column: pl.Series) -> None:
    """Search a column in which there is nothing to find."""
    assert find(column).is_empty()


def compiled_patterns() -> Iterator[str]:
    """Every regular expression that the modules hold, however deep."""
    for module in (
        addresses,
        births,
        cards,
        emails,
        ibans,
        ips,
        letters,
        names,
        national_ids,
        phones,
        wallets,
    ):
        for value in vars(module).values():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, re.Pattern):
                    yield item.pattern
                elif isinstance(item, national_ids.Scheme):
                    yield item.written.pattern
                    yield item.words.pattern


@pytest.mark.parametrize(
    "scheme", national_ids.schemes(national_ids.REGIONS), ids=lambda scheme: scheme.region
)
def test_a_national_id_is_passed_over_quickly_only_where_nothing_makes_it_certain(
    scheme: national_ids.Scheme,
) -> None:
    texts = [parsed(text)[0] for text in (*STRUCTURED, *CONTEXTUAL, *NOBODY)]
    texts += ["order 123456789 of 2024-01-15", "SSN 123456789", "Taxpayer ID: 123-45-6789", "123-45-6789"]
    column = pl.Series(texts)
    quick = column.str.contains(scheme.gate) & column.str.contains(scheme.belief)
    assert [
        text for text, seen in zip(texts, quick, strict=True) if not seen and list(scheme.spans(text))
    ] == []
    if scheme.region == "US":
        assert quick.to_list()[-4:] == [False, True, True, True]
