"""What stands where personal data stood is known again."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.privacy import stand_ins
from hokusai.privacy.kinds import ALL_KINDS
from hokusai.privacy.stand_ins import (
    DECLARED,
    holds_mask,
    is_stand_in_or_blank,
    mask,
    other_key_notes,
    token_keys,
)
from hokusai.privacy.text_views import first_bytes, may_hold
from hokusai.privacy.tokens import Tokenizer

TOKEN = "pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw"


class TestHoldsMask:
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

    def test_a_piece_of_a_column_has_its_own_masks(self) -> None:
        cells = pl.DataFrame({"a": [f"{'x' * (row % 30)}{mask('ip') * (row == 9)}" for row in range(900)]})
        for piece, masked in ((cells[:9], 0), (cells[5:12], 1), (cells[10:], 0)):
            assert holds_mask(piece).sum() == masked


@given(
    st.lists(
        st.none()
        | st.text(" [pi:]\u00a0\x1ca", max_size=4)
        | st.sampled_from((TOKEN, f" {TOKEN}\n", mask("ip"))),
        max_size=9,
    )
)
@settings(max_examples=40)
def test_cells_with_nothing_of_their_own_are_known(cells: list[str | None]) -> None:
    for text in (pl.Series(cells, dtype=pl.String), pl.Series([*cells, *cells], dtype=pl.String)[1:]):
        whole = text.str.contains(stand_ins._WHOLE) | (text.str.strip_chars() == "")
        assert is_stand_in_or_blank(text).to_list() == whole.fill_null(value=False).to_list()


@given(st.lists(st.none() | st.text("ab[é", max_size=20), max_size=9), st.integers(0, 9))
@settings(max_examples=40)
def test_bytes_of_a_column_are_seen_where_they_lie(cells: list[str | None], start: int) -> None:
    text = pl.Series(cells, dtype=pl.String)[start:]
    first = first_bytes(text)
    for cell, byte in zip(text.to_list(), first.tolist(), strict=True):
        assert cell is None or byte == (cell.encode() or b"\0")[0]
    # What is there is seen; what is not may be taken for there only if the whole column has it.
    assert any("[" in cell for cell in text.drop_nulls()) <= may_hold(text, "[")
    assert may_hold(text, "[") <= any("[" in cell for cell in cells if cell)


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
