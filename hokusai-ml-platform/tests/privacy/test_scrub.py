"""Tables without personal data: what is replaced, what stays, what is counted, and that it is the same by any route."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.manifest import PiiFinding
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.privacy.counts import IN_NAMES, Found, PiiCounts
from hokusai.privacy.gate import SAMPLE_CELLS, ColumnGate
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import scrub
from hokusai.privacy.tokens import TOKEN_PATTERN, Tokenizer

TOKENIZER = Tokenizer(bytes(range(32)))
ADA = "pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw"  # ada@example.org, by OpenSSL: see test_tokens.py
PHONE = "pii:phone:mlq7bkdb:5m4bc7mge46cbezhekoerq6hiz"  # +12125550100, likewise
WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def policy(**given: Any) -> PiiPolicy:
    return PiiPolicy.parse({"default": "mask", **given})


def cleaned(cells: list[Any], *, name: str = "text", **given: Any) -> list[Any]:
    frame, _ = scrub(pl.DataFrame({name: cells}, strict=False), policy(**given), TOKENIZER)
    return frame[name].to_list()


def findings(frame: pl.DataFrame, **given: Any) -> list[tuple[str, str, str, int, str]]:
    _, counts = scrub(frame, policy(**given), TOKENIZER)
    return [(f.column, f.kind, f.action, f.cells, f.found_by) for f in counts.summary().findings]


class TestFreeText:
    def test_every_span_is_replaced_and_all_else_stays(self) -> None:
        text = "Ask ada@example.org, card 4111 1111 1111 1111\nor +1 212 555 0100; not order 20240131."
        assert cleaned([text, "nothing here", "", None]) == [
            "Ask [email], card [card]\nor [phone]; not order 20240131.",
            "nothing here",
            "",
            None,
        ]

    def test_tokens_stand_where_the_values_stood(self) -> None:
        text = "von ada@example.org (oder ADA@Example.Org), ☎ +1 212 555 0100."
        assert cleaned([text, "x"], default="hash") == [f"von {ADA} (oder {ADA}), ☎ {PHONE}.", "x"]

    def test_what_is_dropped_leaves_nothing(self) -> None:
        assert cleaned(["a ada@example.org b", "c"], default="drop") == ["a  b", "c"]

    @pytest.mark.parametrize("action", ["report", "keep"])
    def test_what_is_reported_or_kept_stays(self, action: str) -> None:
        assert cleaned(["a ada@example.org b", "c"], default=action) == ["a ada@example.org b", "c"]

    def test_kinds_have_their_own_actions(self) -> None:
        text = ["ada@example.org 192.168.7.12 4111 1111 1111 1111", "x"]
        actions = {"email": "hash", "ip": "report", "card": "drop"}
        assert cleaned(text, by_kind=actions) == [f"{ADA} 192.168.7.12 ", "x"]

    def test_offsets_are_those_of_characters(self) -> None:
        assert cleaned(["🙂🙂 é ada@example.org 🙂", "x"]) == ["🙂🙂 é [email] 🙂", "x"]

    def test_a_token_or_mask_is_no_word_that_makes_a_number_personal(self) -> None:
        # beside the word "phone" these digits would be one
        assert cleaned(["phone 2125550100", "x"]) == ["phone [phone]", "x"]
        assert cleaned(["[phone] 2125550100", "x"]) == ["[phone] 2125550100", "x"]
        assert cleaned([f"{PHONE} 2125550100", "x"]) == [f"{PHONE} 2125550100", "x"]

    @pytest.mark.parametrize(
        ("text", "action", "expected"),
        [
            ("bob@mail.com078-05-1120", "mask", "[email][national_id]"),
            ("bob@mail.com192.168.7.12", "drop", ""),
            ("078-05-1120+12125550100", "mask", "[national_id][phone]"),
        ],
    )
    def test_what_shows_only_after_something_was_taken_out_is_taken_out_too(
        self, text: str, action: str, expected: str
    ) -> None:
        assert cleaned([text, "x"], default=action) == [expected, "x"]

    def test_json_in_text_is_text(self) -> None:
        assert cleaned(['{"to": "ada@example.org", "n": 1}', "{}"]) == ['{"to": "[email]", "n": 1}', "{}"]

    def test_is_not_searched_if_so_wished(self) -> None:
        assert cleaned(["a ada@example.org", "b"], scan_free_text=False) == ["a ada@example.org", "b"]

    def test_only_kinds_that_are_looked_for_are_found(self) -> None:
        assert cleaned(["ada@example.org 192.168.7.12", "x"], kinds=["ip"]) == ["ada@example.org [ip]", "x"]


class TestColumnsOfOneKind:
    def test_equal_values_have_equal_tokens_however_they_are_written(self) -> None:
        frame = pl.DataFrame(
            {
                "email": ["ada@example.org", " ADA@example.org", None],
                "tel": ["212-555-0100", "+12125550100", ""],
            }
        )
        result, _ = scrub(frame, PiiPolicy(), TOKENIZER)
        assert result["email"].to_list() == [ADA, ADA, None]
        assert result["tel"].to_list() == [PHONE, PHONE, ""]

    def test_a_name_that_is_sure_takes_malformed_cells_too(self) -> None:
        assert cleaned(["ada@example.org", "ada at example"], name="email") == ["[email]", "[email]"]
        made = cleaned(["ada@example.org", "ada at example"], name="email", default="hash")
        assert made[0] == ADA
        assert re.fullmatch(TOKEN_PATTERN, made[1])

    def test_a_name_is_believed_only_if_some_cells_look_like_it(self) -> None:
        assert cleaned(["Visa", "Mastercard"], name="card") == ["Visa", "Mastercard"]
        assert cleaned(["true", "false"], name="mobile") == ["true", "false"]

    def test_names_of_people_are_known_by_the_column_alone(self) -> None:
        made = cleaned(["Ada  Lovelace", "ada lovelace ", "  ", None], name="full_name", default="hash")
        assert made[0] == made[1]
        assert re.fullmatch(TOKEN_PATTERN, made[0])
        assert made[2:] == ["  ", None]

    def test_nine_of_ten_cells_make_a_column_and_the_tenth_is_searched(self) -> None:
        cells = [f"u{number}@example.org" for number in range(9)] + ["call +1 212 555 0100 today"]
        frame = pl.DataFrame({"contact": cells})
        assert cleaned(cells, name="contact") == ["[email]"] * 9 + ["call [phone] today"]
        assert findings(frame) == [
            ("contact", "email", "mask", 9, "content"),
            ("contact", "phone", "mask", 1, "content"),
        ]

    def test_numbers_become_text(self) -> None:
        frame = pl.DataFrame({"phone": [2125550100, None], "tel": [2125550100.0, None], "n": [1, 2]})
        result, _ = scrub(frame, PiiPolicy(), TOKENIZER)
        assert result.rows() == [(PHONE, PHONE, 1), (None, None, 2)]
        assert result.schema == {"phone": pl.String, "tel": pl.String, "n": pl.Int64}

    def test_cards_stored_as_numbers_are_found_by_content(self) -> None:
        assert cleaned([4111111111111111, 5500000000000004], name="x") == ["[card]", "[card]"]

    def test_a_date_is_personal_if_it_is_one_of_birth(self) -> None:
        day = dt.date(1990, 5, 17)
        frame = pl.DataFrame({"dob": [day], "created": [day], "birth_date": ["1990-05-17"]})
        result, _ = scrub(frame, PiiPolicy(), TOKENIZER)
        assert result["created"].to_list() == [day]
        assert result["dob"].to_list() == result["birth_date"].to_list()
        assert result["dob"][0].startswith("pii:date_of_birth:mlq7bkdb:")

    @pytest.mark.parametrize(
        "born",
        [
            pl.Series([dt.date(1990, 1, 2)]),
            *(pl.Series([dt.datetime(1990, 1, 2)]).cast(pl.Datetime(unit)) for unit in ("ms", "us", "ns")),
            pl.Series([dt.datetime(1990, 1, 2, 5, 30, 0, 120_000)]),
            pl.Series([dt.datetime(1990, 1, 2)]).dt.replace_time_zone("UTC"),
            pl.Series([dt.datetime(1990, 1, 3)]).dt.replace_time_zone(
                "Asia/Tokyo"
            ),  # 15:00 of the 2nd in UTC
            pl.Series([19900102]),
            pl.Series([19900102.0, None]),
            pl.Series(["1990-01-02 05:30:00"]),
            pl.Series(["1990-01-03T00:00:00+09:00"]),
            pl.Series(["1/2/1990 12:00:00 AM"]),
            pl.Series(["2 Jan 1990"]),
        ],
        ids=lambda born: f"{born.dtype}-{born[0]}",
    )
    def test_a_date_of_birth_has_one_token_however_it_is_stored(self, born: pl.Series) -> None:
        frame, _ = scrub(pl.DataFrame({"dob": born}), policy(default="hash"), TOKENIZER)
        assert frame["dob"][0] == TOKENIZER.token("date_of_birth", "1990-01-02")

    def test_a_social_security_number_has_one_token_whether_its_noughts_were_kept_or_not(self) -> None:
        numbers = pl.Series([78051120, 1012345, 536904399])  # 078-05-1120, 001-01-2345
        texts = pl.Series(["078-05-1120", "001012345", "536 90 4399"])
        stored, written = (
            scrub(pl.DataFrame({"ssn": cells}), policy(default="hash"), TOKENIZER)[0]["ssn"].to_list()
            for cells in (numbers, texts)
        )
        assert stored == written
        assert stored[0] == TOKENIZER.token("national_id", "US:078051120")

    def test_a_moment_that_is_declared_personal_has_one_token_whatever_its_unit(self) -> None:
        moment = pl.Series([dt.datetime(2024, 5, 6, 7, 8, 9, 250_000)])
        tokens = {
            scrub(pl.DataFrame({"seen": cells}), policy(default="hash", personal=["seen"]), TOKENIZER)[0][
                "seen"
            ][0]
            for cells in (
                *(moment.cast(pl.Datetime(unit)) for unit in ("ms", "us", "ns")),
                moment.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
            )
        }
        assert tokens == {TOKENIZER.token("personal", "2024-05-06 07:08:09.250")}

    def test_a_dropped_kind_takes_its_column_along(self) -> None:
        frame = pl.DataFrame({"email": ["a@b.co"], "n": [1], "other": ["c@d.ee"]})
        result, counts = scrub(frame, policy(default="drop"))
        assert result.columns == ["n"]
        assert counts.total == 2

    def test_rows_are_not_lost_with_the_last_column(self) -> None:
        result, _ = scrub(pl.DataFrame({"email": ["a@b.co", "c@d.ee"]}), policy(default="drop"))
        assert result.shape == (2, 0)

    def test_what_is_reported_stays_as_it_is_but_is_searched_for_other_kinds(self) -> None:
        frame = pl.DataFrame({"name": ["Ada Lovelace", "ada@example.org"], "phone": [2125550100, 2125550101]})
        result, _ = scrub(frame, policy(by_kind={"person_name": "report", "phone": "report"}))
        assert result.rows() == [("Ada Lovelace", 2125550100), ("[email]", 2125550101)]
        assert result.schema["phone"] == pl.Int64

    def test_what_is_kept_is_searched_for_other_kinds(self) -> None:
        given = {"default": "keep", "by_kind": {"email": "mask"}}
        assert cleaned(["Ada Lovelace", "a@b.co"], name="name", **given) == ["Ada Lovelace", "[email]"]


class TestTheCallersWord:
    def test_allowed_columns_are_not_touched(self) -> None:
        frame = pl.DataFrame(
            {"wallet_address": [WALLET], "wallet": [WALLET], "support": ["help@example.org"]}
        )
        result, _ = scrub(frame, policy(allow=["wallet_address", "support"]))
        assert result.rows() == [(WALLET, "[crypto_address]", "help@example.org")]

    def test_the_contributors_wallet_is_allowed_unless_the_caller_says_otherwise(self) -> None:
        assert cleaned([WALLET], name="wallet_address") == [WALLET]
        assert cleaned([WALLET], name="wallet_address", allow=[]) == ["[crypto_address]"]

    def test_columns_named_as_personal_are_personal_whatever_they_hold(self) -> None:
        frame = pl.DataFrame({"x": ["anything", None], "contact": ["a@b.co", "?"], "flag": [True, None]})
        result, counts = scrub(frame, policy(personal=["x", "contact", "flag"]))
        assert result.rows() == [("[personal]", "[personal]", "[personal]"), (None, "[personal]", None)]
        assert {f.found_by for f in counts.summary().findings} == {"named as personal"}

    def test_a_personal_column_that_is_missing_is_an_error(self) -> None:
        with pytest.raises(
            SchemaError, match=r"'contakt', which is to be treated as personal, is missing.*'contact'"
        ):
            scrub(pl.DataFrame({"contact": ["x"]}), policy(personal=["contakt"]))

    def test_hashing_needs_a_key_before_anything_is_read(self) -> None:
        with pytest.raises(ConfigurationError, match=r"no key.*HOKUSAI_PII_KEY"):
            scrub(pl.DataFrame({"n": [1]}), PiiPolicy())


class TestNested:
    def test_lists_keep_their_shape(self) -> None:
        cells = [["to ada@example.org", None, "x"], [], None, [None]]
        assert cleaned(cells) == [["to [email]", None, "x"], [], None, [None]]

    def test_arrays_become_lists(self) -> None:
        frame = pl.DataFrame({"a": pl.Series([["a@b.co z", "x"], None], dtype=pl.Array(pl.String, 2))})
        result, _ = scrub(frame, policy())
        assert result["a"].to_list() == [["[email] z", "x"], None]

    def test_fields_of_objects_are_columns_with_longer_names(self) -> None:
        frame = pl.DataFrame(
            {
                "user": [
                    {"firstName": "Ada", "n": 1, "note": "a@b.co, x"},
                    None,
                    {"firstName": None, "n": 2, "note": "y"},
                ]
            }
        )
        result, _ = scrub(frame, policy())
        assert result["user"].to_list() == [
            {"firstName": "[person_name]", "n": 1, "note": "[email], x"},
            None,
            {"firstName": None, "n": 2, "note": "y"},
        ]
        assert findings(frame) == [
            ("user.firstName", "person_name", "mask", 1, "column name"),
            ("user.note", "email", "mask", 1, "content"),
        ]

    def test_what_is_said_of_an_object_holds_for_its_fields_unless_they_are_named(self) -> None:
        frame = pl.DataFrame({"user": [{"email": "a@b.co", "note": "c@d.ee, x"}]})
        rules = policy(by_column={"user": "keep", "user.email": "mask"})
        assert scrub(frame, rules)[0]["user"].to_list() == [{"email": "[email]", "note": "c@d.ee, x"}]

    def test_a_field_that_is_dropped_is_null(self) -> None:
        frame = pl.DataFrame({"users": [[{"email": "a@b.co", "n": 1}], []]})
        result, _ = scrub(frame, policy(default="drop"))
        assert result["users"].to_list() == [[{"email": None, "n": 1}], []]


class TestNamesOfColumns:
    def test_are_replaced_like_cells_and_stay_different(self) -> None:
        frame = pl.DataFrame({"ada@example.org": [1], "bob@example.org": [2], "n": [3]})
        masked, counts = scrub(frame, policy())
        assert masked.to_dict(as_series=False) == {"[email]": [1], "[email] 2": [2], "n": [3]}
        assert counts.names == {Found(IN_NAMES, "email", "mask", "content"): 2}
        hashed, _ = scrub(frame, PiiPolicy(), TOKENIZER)
        assert hashed.columns[0] == ADA

    def test_are_not_told_by_the_findings(self) -> None:
        frame = pl.DataFrame({"notes of ada@example.org": ["from bob@example.org", "x"]})
        assert "example" not in str(findings(frame))
        assert "example" not in str(findings(frame, default="drop"))

    def test_are_told_by_no_error(self) -> None:
        gate = ColumnGate.decide(pl.DataFrame({"n": [1]}), policy())
        with pytest.raises(SchemaError, match=r"not among those.*column 2") as refused:
            scrub(pl.DataFrame({"n": [1], "ada@example.org": [2]}), policy(), gate=gate)
        assert "ada" not in str(refused.value)


class TestCounts:
    def test_tell_where_what_and_how_but_not_the_values(self) -> None:
        frame = pl.DataFrame(
            {
                "q": ["ada@example.org bob@example.org", "x", "192.168.7.12 carl@example.org", None],
                "email": ["a@b.co", None, None, "c@d.ee"],
            }
        )
        _, counts = scrub(frame, PiiPolicy.parse({"by_kind": {"ip": "report"}}), TOKENIZER)
        summary = counts.summary()
        assert summary.findings == (
            PiiFinding("email", "email", "hash", 2, "column name"),
            PiiFinding("q", "email", "hash", 2, "content"),
            PiiFinding("q", "ip", "report", 1, "content"),
        )
        assert (summary.key_id, summary.algorithm, summary.ner) == ("mlq7bkdb", "HMAC-SHA-256", "not_run")
        assert summary.to_dict()["by_kind"] == {"email": 4, "ip": 1}

    def test_name_no_key_where_nothing_was_hashed(self) -> None:
        _, counts = scrub(pl.DataFrame({"q": ["x"]}), PiiPolicy(), TOKENIZER)
        assert counts == PiiCounts()
        assert (counts.summary().key_id, counts.summary().algorithm) == ("", "")


class TestTheGate:
    def test_the_first_thousand_cells_decide_for_all(self) -> None:
        mails = [f"u{number}@example.org" for number in range(SAMPLE_CELLS)]
        frame = pl.DataFrame({"contact": [None] * 5 + mails + ["not one"] * 1_000})
        assert ColumnGate.decide(frame, policy()).plans["contact"].treatment == "cells"
        assert ColumnGate.decide(frame.reverse(), policy()).plans["contact"].treatment == "text"

    def test_tells_what_the_policy_names_and_the_data_has_not_and_what_is_unreadable(self) -> None:
        gate = ColumnGate.decide(pl.DataFrame({"raw": [b"a@b.co"]}), policy(by_column={"notes": "drop"}))
        assert (gate.absent, gate.unread) == (("notes",), ("raw",))

    def test_a_column_of_the_policy_that_is_not_there_is_told_with_what_is_meant(self) -> None:
        rules = policy(by_column={"person.email": "drop"}, allow=("note", "wallet_address"))
        gate = ColumnGate.decide(pl.DataFrame({"notes": ["x"], "person": [{"email": "a"}]}), rules)
        assert gate.notes() == (
            "The policy has a rule for column 'note', which is not there; perhaps 'notes' is meant",
        )

    @pytest.mark.parametrize("default", ["hash", "mask", "drop", "report"])
    def test_types_do_not_depend_on_what_a_batch_holds(self, default: str) -> None:
        full = pl.DataFrame(
            {
                "phone": [2125550100, None],
                "q": ["ada@example.org", "x"],
                "cat": pl.Series(["a@b.co z", "y"], dtype=pl.Categorical),
                "dob": [dt.date(1990, 5, 17), None],
                "l": [["a@b.co", "x"], None],
                "o": [{"email": "a@b.co"}, None],
            }
        )
        rules = policy(default=default)
        gate = ColumnGate.decide(full, rules)
        schemas = [
            scrub(batch, rules, TOKENIZER, gate=gate)[0].schema
            for batch in (full, full[:0], full[1:], full.clear(3))
        ]
        assert schemas[1:] == schemas[:1] * 3


PIECES = st.sampled_from(
    [
        *(
            "ada@example.org",
            "bob.o'neil@mail.example.co.uk",
            "@",
            ".org",
            "+1 212 555 0100",
            "2125550100",
            "(212) 555-0100",
        ),
        *(
            "4111 1111 1111 1111",
            "4111",
            "1111",
            "GB82 WEST 1234 5698 7654 32",
            "192.168.7.12",
            "2001:db8::1",
            WALLET,
        ),
        *(
            "phone",
            "tel:",
            "call me",
            "ssn 078-05-1120",
            "born 1990-05-17",
            "Dear Ada Lovelace",
            "Cc: Jane Doe",
            "Thanks, Bob",
            "12 Main Street",
            "P.O. Box 12",
        ),
        *(
            "order 20240131",
            "3.14159",
            "\n",
            " ",
            "",
            "é",
            "🙂",
            "\u200b",
            "[email]",
            "[phone]",
            "pii:",
            ADA,
            PHONE,
            "0",
            "55",
        ),
    ]
)
TEXTS = st.none() | st.lists(st.tuples(PIECES, st.sampled_from(["", " ", ", ", ": "])), max_size=6).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)
RULES = st.fixed_dictionaries(
    {"default": st.sampled_from(["hash", "mask", "drop"])},
    optional={
        "by_kind": st.dictionaries(
            st.sampled_from([str(kind) for kind in PiiKind]),
            st.sampled_from(["hash", "mask", "drop", "report", "keep"]),
            max_size=3,
        )
    },
).map(PiiPolicy.parse)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    height = draw(st.integers(1, 8))
    names = draw(
        st.lists(
            st.sampled_from(["text", "email", "phone", "name", "notes", "x"]),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    columns = {name: draw(st.lists(TEXTS, min_size=height, max_size=height)) for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


class TestLaws:
    @given(frames(), RULES)
    @settings(max_examples=25)
    def test_cleaning_what_is_clean_changes_nothing(self, frame: pl.DataFrame, rules: PiiPolicy) -> None:
        once, _ = scrub(frame, rules, TOKENIZER)
        twice, _ = scrub(once, rules, TOKENIZER)
        assert twice.to_dict(as_series=False) == once.to_dict(as_series=False)

    @given(frames(), RULES, st.data())
    @settings(max_examples=25)
    def test_batches_are_cleaned_as_the_whole_is(
        self, frame: pl.DataFrame, rules: PiiPolicy, data: st.DataObject
    ) -> None:
        gate = ColumnGate.decide(frame, rules)
        whole, counts = scrub(frame, rules, TOKENIZER, gate=gate)
        cut = data.draw(st.integers(0, frame.height))
        parts = [scrub(part, rules, TOKENIZER, gate=gate) for part in (frame[:cut], frame[cut:])]
        assert pl.concat([part for part, _ in parts]).to_dict(as_series=False) == whole.to_dict(
            as_series=False
        )
        assert parts[0][1] + parts[1][1] == counts
        assert parts[1][1] + parts[0][1] == counts

    @given(frames(), RULES)
    @settings(max_examples=25)
    def test_null_stays_null_and_no_row_is_lost(self, frame: pl.DataFrame, rules: PiiPolicy) -> None:
        result, _ = scrub(frame, rules, TOKENIZER)
        assert result.height == frame.height
        for column in result.columns:
            assert result[column].is_null().to_list() == frame[column].is_null().to_list()

    @given(
        st.lists(st.integers(0, 3), min_size=3, max_size=3),
        st.lists(st.integers(0, 3), min_size=3, max_size=3),
    )
    @settings(max_examples=20)
    def test_counts_merge_in_any_grouping(self, cells: list[int], names: list[int]) -> None:
        found = Found("q", "email", "hash", "content")
        one, two, three = (
            PiiCounts({found: cell}, {found: name}, "k") for cell, name in zip(cells, names, strict=True)
        )
        assert (one + two) + three == one + (two + three)
        assert one + two == two + one
        assert (one + two + three).cells[found] == sum(cells)
        assert (one + two + three).names[found] == max(names)


@pytest.mark.parametrize("rows", [3, 3_000])
def test_versions_are_no_addresses_in_a_column_of_them(rows: int) -> None:
    cells = (["10.2.14.7", "12.0.3.11", "by ada@example.org"] * rows)[:rows]
    frame = pl.DataFrame({"fw_version": cells, "note": cells})
    clean, _ = scrub(frame, PiiPolicy(default=PiiAction.MASK))
    assert clean["fw_version"][:3].to_list() == ["10.2.14.7", "12.0.3.11", "by [email]"]
    assert clean["note"][:3].to_list() == ["[ip]", "[ip]", "by [email]"]
    told = PiiPolicy(default=PiiAction.MASK, by_column={"fw_version": PiiAction.MASK})
    assert scrub(frame, told)[0]["fw_version"][0] == "[ip]"
