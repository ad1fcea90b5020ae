"""What stands where personal data stood is known again."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy import stand_ins
from hokusai.privacy.kinds import ALL_KINDS
from hokusai.privacy.stand_ins import DECLARED, holds_mask, mask


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
