"""RFC 8785 by its own vectors, and its laws as properties."""

from __future__ import annotations

import hashlib
import json
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.canonical import canonical_json, digest, parse_json, sha256_hex
from hokusai.errors import InvalidInputError

SAFE = 2**53 - 1
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)

# RFC 8785, appendix B: the double's bits, and its text.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


class TestVectors:
    @pytest.mark.parametrize(("bits", "text"), NUMBERS)
    def test_numbers_of_appendix_b(self, bits: str, text: str) -> None:
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert canonical_json(number).decode() == text
        assert parse_json(text.encode()) == number

    @pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
    def test_numbers_of_appendix_b_that_are_errors(self, bits: str) -> None:
        with pytest.raises(InvalidInputError):
            canonical_json(struct.unpack(">d", bytes.fromhex(bits))[0])

    def test_the_sample_of_section_3_2_2_in_its_bytes_of_section_3_2_4(self) -> None:
        sample = {
            "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
            "literals": [None, True, False],
        }
        text = canonical_json(sample)
        assert text.decode() == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        )
        assert text.startswith(bytes.fromhex("7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c"))
        assert text.endswith(bytes.fromhex("22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"))

    def test_keys_are_sorted_by_utf_16_code_units(self) -> None:
        keys = {
            "\u20ac": "Euro Sign",
            "\r": "Carriage Return",
            "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\U0001f600": "Emoji: Grinning Face",
            "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis",
        }
        assert list(json.loads(canonical_json(keys)).values()) == [  # the order that section 3.2.3 prints
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ]


class TestLaws:
    @given(values)
    def test_parse_gives_the_value_back(self, value: object) -> None:
        assert parse_json(canonical_json(value)) == value

    @given(values)
    def test_canonical_bytes_are_a_fixed_point(self, value: object) -> None:
        once = canonical_json(value)
        assert canonical_json(parse_json(once)) == once

    @given(st.dictionaries(st.text(), scalars), st.randoms(use_true_random=False))
    def test_order_of_keys_does_not_matter(self, value: dict[str, object], random) -> None:
        items = list(value.items())
        random.shuffle(items)
        assert canonical_json(dict(items)) == canonical_json(value)

    @given(values)
    def test_any_json_text_of_a_value_has_the_same_canonical_form(self, value: object) -> None:
        loose = json.dumps(value, indent=3, ensure_ascii=True).encode()
        assert canonical_json(json.loads(loose)) == canonical_json(value)

    def test_digest_is_sha256_of_the_bytes(self) -> None:
        expected = hashlib.sha256(b'{"a":[1,2.5,"x"],"b":null}').hexdigest()
        assert digest({"b": None, "a": (1, 2.5, "x")}) == expected
        assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "path", "reason"),
        [
            ({"a": [0, {"b": float("nan")}]}, "$.a[1].b", "nan"),
            ([float("-inf")], "$[0]", "-inf"),
            ({"wad": 2**53}, "$.wad", "2^53"),
            ([1, -(2**53)], "$[1]", "2^53"),
            ({"a": {1: "x"}}, "$.a", "the key 1: it is int"),
            ({"t": "\ud800"}, "$.t", "surrogate"),
            ({"a": {"\udc00": 1}}, "$.a", "surrogate"),
            ({"s": {1, 2}}, "$.s", "set is not a JSON type"),
            ([b"x"], "$[0]", "bytes is not a JSON type"),
        ],
    )
    def test_names_the_place_and_the_reason(self, value: object, path: str, reason: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            canonical_json(value)
        assert caught.value.where == path
        assert reason in str(caught.value)

    def test_a_value_that_contains_itself(self) -> None:
        loop: list[object] = []
        loop.append(loop)
        with pytest.raises(InvalidInputError, match="contains itself"):
            canonical_json(loop)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b'{"a":1,"b":{"c":1,"c":1}}', "'c' stands twice"),
            (b'{"a":1,"\\u0061":2}', "'a' stands twice"),
            (b"[NaN]", "NaN"),
            (b"[-Infinity]", "Infinity"),
            (b"[1e400]", "does not fit a double"),
            (b"[9007199254740993]", "does not fit a double"),
            (b"[" + b"9" * 400 + b"]", "does not fit a double"),
            (b"\xff", "byte 0"),
            (b'\xef\xbb\xbf{"a":1}', "Not JSON"),
            (b'{"a":1} x', "line 1, column 9"),
            (b"", "Not JSON"),
            (b"[" * 200_000, "deep"),
            (b'["\\uD800"]', "surrogate"),
        ],
    )
    def test_json_with_more_than_one_meaning(self, text: bytes, reason: str) -> None:
        with pytest.raises(InvalidInputError, match=reason.replace("^", r"\^")):
            parse_json(text)

    def test_an_escaped_pair_of_surrogates_is_one_character(self) -> None:
        assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


class TestDepth:
    def test_is_bounded_even_where_a_library_has_raised_the_limit_of_recursion(self) -> None:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(1_000_000)
        try:
            for text in (b"[" * 1_000_000, b'{"a":' * 500_000, b"[" * 201 + b"]" * 201):
                with pytest.raises(InvalidInputError, match="nested too deeply"):
                    parse_json(text)
        finally:
            sys.setrecursionlimit(before)

    def test_up_to_the_bound_and_in_texts_brackets_are_read(self) -> None:
        deep = b"[" * 200 + b"]" * 200
        assert json.dumps(parse_json(deep)).encode() == deep
        assert parse_json(b'["' + b"[{" * 5000 + b'\\"["]') == ["[{" * 5000 + '"[']
        assert parse_json(b"[" + b"[],{}," * 5000 + b"1]") == [[], {}] * 5000 + [1]
