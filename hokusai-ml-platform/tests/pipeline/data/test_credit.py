"""The earliest contributor has the credit for a row, however the copy is typed, ordered or slightly changed."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from hokusai.domain.manifest import RowAccount
from hokusai.errors import SchemaError
from hokusai.pipeline.data.credit import deduplicate_across


def test_the_earlier_contributor_keeps_the_credit() -> None:
    ann = pl.DataFrame({"t": ["a", "b", "b"], "n": [1, 2, 2]})
    bob = pl.DataFrame({"n": [2, 9, 1, 9], "t": ["b", "c", "a", "c"]})
    eve = pl.DataFrame({"t": ["c", "d"], "n": [9, 4]})
    of_ann, of_bob, of_eve = deduplicate_across([("ann", ann), ("bob", bob), ("eve", eve)])
    assert of_ann.frame.rows() == [("a", 1), ("b", 2)]
    assert of_bob.frame.rows() == [(9, "c")]
    assert of_eve.frame.rows() == [("d", 4)]
    assert (of_ann.repeated, of_bob.repeated, of_eve.repeated) == (
        {"ann": 1},
        {"ann": 2, "bob": 1},
        {"bob": 1},
    )
    assert of_bob.account == RowAccount(read=4, kept=1, duplicates=3)


def test_several_files_of_one_contributor_count_together() -> None:
    x = pl.DataFrame({"x": [1]})
    *_, last = deduplicate_across(
        [("ann", x), ("ann", pl.DataFrame({"x": [2]})), ("bob", pl.DataFrame({"x": [2, 1]}))]
    )
    assert last.repeated == {"ann": 2}


def test_types_and_kinds_of_table_do_not_hide_a_copy() -> None:
    pandas = pd.DataFrame({"n": pd.array([7, 8], dtype="Int8")}, index=[5, 6])
    _, copy = deduplicate_across([("ann", pl.DataFrame({"n": [7.0, 0.5]})), ("bob", pandas)])
    assert_frame_equal(copy.frame, pandas.loc[[6]])


def test_another_column_makes_another_row_unless_the_key_is_named() -> None:
    given = [("ann", pl.DataFrame({"q": ["a"]})), ("bob", pl.DataFrame({"q": ["a"], "noise": [1]}))]
    assert deduplicate_across(given)[1].account.duplicates == 0
    assert deduplicate_across(given, "q")[1].account.duplicates == 1


def test_a_key_that_one_lacks_is_refused_by_name() -> None:
    with pytest.raises(SchemaError, match=r"'q' is missing.*\(bob\)"):
        deduplicate_across([("ann", pl.DataFrame({"q": [1]})), ("bob", pl.DataFrame({"p": [1]}))], "q")


def test_nobody() -> None:
    assert deduplicate_across([]) == ()


class TestNearly:
    ann = pl.DataFrame({"q": ["a b c d e f g h i j", "something else", None], "label": ["x", "x", "x"]})
    bob = pl.DataFrame(
        {
            "q": [
                "a b c d e f g h i j K",
                "Something  ELSE",
                "a b c d e f g h i j K",
                "something else",
                None,
            ],
            "label": ["x", "y", "x", "x", "x"],
        }
    )

    def test_changed_copies_are_found_where_texts_are_compared(self) -> None:
        # of bob's runs of three words 8 of 9 are ann's; his third row is his first, his fourth and fifth are ann's own
        _, of_bob = deduplicate_across([("ann", self.ann), ("bob", self.bob)], text="q")
        assert of_bob.frame.height == 0
        assert of_bob.account == RowAccount(read=5, kept=0, duplicates=5, near_duplicates=2)
        assert of_bob.repeated == {"ann": 5}

    def test_within_a_label_only(self) -> None:
        _, of_bob = deduplicate_across([("ann", self.ann), ("bob", self.bob)], text="q", within=["label"])
        assert of_bob.frame.rows() == [("Something  ELSE", "y")]

    def test_without_naming_texts_only_equal_rows_count(self) -> None:
        _, of_bob = deduplicate_across([("ann", self.ann), ("bob", self.bob)])
        assert of_bob.account == RowAccount(read=5, kept=2, duplicates=3)
        assert of_bob.repeated == {"ann": 2, "bob": 1}
