"""Tokens: equal to another implementation's, one value at a time or by the column, and silent about the key."""

from __future__ import annotations

import pickle
import re
import sys
from base64 import b32encode

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import ConfigurationError
from hokusai.privacy import token_loops, tokens
from hokusai.privacy.tokens import TOKEN_PATTERN, Tokenizer
from hokusai.utils.short_sha256 import sha256_for

KEY = bytes(range(32))

# Made with OpenSSL 3.0:
#   k=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:$KEY \
#         -kdfopt info:hokusai/pii/v1/email -binary HKDF | xxd -p -c 64)
#   printf ada@example.org | openssl dgst -sha256 -mac HMAC -macopt hexkey:$k -binary | base32 | tr A-Z a-z | cut -c1-26
KNOWN = [
    (KEY, "email", "ada@example.org", "pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw"),
    (KEY, "phone", "+12125550100", "pii:phone:mlq7bkdb:5m4bc7mge46cbezhekoerq6hiz"),
    (b"k" * 80, "person_name", "zoë müller", "pii:person_name:2fknpain:hiq67gqwfh2col6gk6yx46xjlb"),
]


@pytest.mark.parametrize(("key", "kind", "value", "token"), KNOWN)
def test_a_token_is_what_openssl_makes_of_the_value(key: bytes, kind: str, value: str, token: str) -> None:
    assert Tokenizer(key).token(kind, value) == token
    assert Tokenizer(key).tokens(kind, pl.Series([value])).to_list() == [token]


def test_without_pythons_own_sha256_the_tokens_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_sha2", "_sha256"):
        monkeypatch.setitem(sys.modules, module, None)  # cannot be imported
    assert "openssl" in sha256_for(1).__name__
    assert Tokenizer(KEY).token("email", "ada@example.org") == KNOWN[0][3]


class TestColumns:
    def test_null_stays_null_and_every_value_has_the_token_it_has_alone(self) -> None:
        values = ["a@b.co", None, "c@d.ee", "a@b.co", ""]
        tokenizer = Tokenizer(KEY)
        expected = [None if value is None else tokenizer.token("email", value) for value in values]
        made = tokenizer.tokens("email", pl.Series("contact", values))
        assert made.to_list() == expected
        assert (made.name, made.dtype) == ("contact", pl.String)

    @pytest.mark.parametrize("values", [[], [None, None]])
    def test_no_values_have_no_tokens(self, values: list[None]) -> None:
        assert Tokenizer(KEY).tokens("email", pl.Series(values, dtype=pl.String)).to_list() == values

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=700))
    @settings(max_examples=15)
    def test_a_column_has_the_tokens_of_its_values(self, values: list[str]) -> None:
        tokenizer = Tokenizer(KEY)
        made = tokenizer.tokens("email", pl.Series(values, dtype=pl.String)).to_list()
        assert made == [tokenizer.token("email", value) for value in values]

    def test_are_the_same_text_from_machine_code(self) -> None:
        macs = np.random.default_rng(0).integers(0, 256, (300, 32), np.uint8)
        macs[:2] = [[0], [255]]
        prefix, alphabet = (np.frombuffer(each, np.uint8) for each in (b"pii:ip:mlq7bkdb:", tokens._ALPHABET))
        text = tokens._written(prefix, macs)
        assert np.array_equal(token_loops.written(prefix, alphabet, macs), text)
        assert text[9].tobytes()[16:] == b32encode(macs[9]).lower()[:26]

    def test_tokens_differ_where_values_kinds_or_keys_do(self) -> None:
        values = pl.Series([f"+1415555{number:04}" for number in range(2_000)])
        made = {
            token
            for tokenizer in (Tokenizer(KEY), Tokenizer(KEY[::-1]))
            for kind in ("phone", "card")
            for token in tokenizer.tokens(kind, values).str.slice(-26)
        }
        assert len(made) == 8_000

    def test_every_token_has_the_form_that_is_never_searched(self) -> None:
        made = Tokenizer(KEY).tokens("national_id", pl.Series(["1", "2", "3"]))
        assert all(re.fullmatch(TOKEN_PATTERN, token) for token in made)


class TestTheKey:
    @pytest.mark.parametrize("length", [0, 1, 15])
    def test_a_short_one_is_refused(self, length: int) -> None:
        with pytest.raises(ConfigurationError, match=rf"has {length} bytes; it needs at least 16"):
            Tokenizer(b"x" * length)

    def test_sixteen_bytes_are_enough(self) -> None:
        assert re.fullmatch("[a-z2-7]{8}", Tokenizer(b"x" * 16).key_id)

    def test_is_not_shown(self) -> None:
        assert repr(Tokenizer(KEY)) == "Tokenizer(key_id='mlq7bkdb')"

    def test_goes_with_the_tokenizer_to_another_process(self) -> None:
        used = Tokenizer(KEY)
        used.token("email", "x")
        assert pickle.loads(pickle.dumps(used)).token("email", "ada@example.org") == KNOWN[0][3]
