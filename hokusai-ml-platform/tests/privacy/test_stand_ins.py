"""What stands where personal data stood is known again."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy import stand_ins
from hokusai.privacy.kinds import ALL_KINDS
from hokusai.privacy.stand_ins import DECLARED, holds_mask, mask, other_key_notes, token_keys
from hokusai.privacy.tokens import Tokenizer


@pytest.mark.parametrize("joined", [0, 1 << 30])
class TestHoldsMask:
    @pytest.fixture(autouse=True)
    def either_way(self, joined: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stand_ins, "_JOINED_BYTES", joined)

    def test_every_mask_is_known_wherever_it_stands(self) -> None:
        for kind in (*ALL_KINDS, DECLARED):
            cells = pl.DataFrame({"n": [1, 2, 3], "*": ["x", f"to {mask(kind)}.", None]})
            assert holds_mask(cells).to_list() == [False, True, False]

    def test_other_brackets_and_tokens_are_none(self) -> None:
        rows = pl.DataFrame(
            {
                "a": ["[1]", "[note]", "pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw", "["],
                "b": ["email]"] * 4,
            }
        )
        assert not holds_mask(rows).any()

    def test_any_table_has_an_answer_a_row(self) -> None:
        assert holds_mask(pl.DataFrame()).to_list() == []
        assert holds_mask(pl.DataFrame({"a": [1, 2]})).to_list() == [False, False]
        assert holds_mask(pl.DataFrame({"a": []}, schema={"a": pl.String})).to_list() == []
        assert holds_mask(pl.DataFrame({"a": [None]}, schema={"a": pl.String})).to_list() == [False]
        categories = pl.DataFrame({"a": ["[ip]", "x"]}, schema={"a": pl.Categorical})
        assert holds_mask(categories).to_list() == [True, False]


def test_the_keys_of_tokens_are_found_in_columns_of_any_name() -> None:
    one, other = (Tokenizer(bytes([n]) * 32) for n in range(2))
    cells = [f"by {one.token('email', 'a@b.co')} and {other.token('ip', '10.0.0.1')}", "pii:email:no", None]
    for name in ("*", "^a.*$", "ab"):
        assert token_keys(pl.DataFrame({name: cells, "n": [1, 2, 3]})) == {one.key_id, other.key_id}
    assert token_keys(pl.DataFrame({"a": [None, "x"]})) == token_keys(pl.DataFrame()) == frozenset()


def test_only_tokens_of_another_key_are_told_and_only_where_something_was_hashed() -> None:
    found = [("a.csv", frozenset({"k1"})), ("b.csv", frozenset({"k2", "k1"})), ("c.csv", frozenset())]
    (note,) = other_key_notes(found, "k1")
    assert note.startswith("b.csv: It holds tokens of another key (k2).")
    assert list(other_key_notes(found, "")) == []
