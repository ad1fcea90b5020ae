"""Texts that say nearly the same are found, and nothing is called so whose true similarity is below the threshold."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.near_duplicates import (
    _band_keys,
    _Shingles,
    deduplicate_nearly,
    near_duplicates,
)
from hokusai.pipeline.data.value_hash import hash_values


def frame(*texts: str | None) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}, schema={"text": pl.String})


def jaccard(one: str, other: str, n: int) -> float:
    """Shingles as plain text, apart from the code under test."""
    sets = []
    for text in (one, other):
        words = text.split()
        sets.append({" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1))})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def sentence(rng: random.Random, n_words: int) -> list[str]:
    return [f"w{rng.randrange(20_000)}" for _ in range(n_words)]


class TestBySimilarity:
    def test_the_threshold_is_on_the_true_jaccard_index(self) -> None:
        rows = frame("a b c d e", "a b c d f")  # 4 common words of 6
        assert near_duplicates(rows, threshold=0.66, shingle_words=1).first_row.tolist() == [0, 0]
        assert near_duplicates(rows, threshold=0.67, shingle_words=1).first_row.tolist() == [0, 1]

    def test_a_text_with_a_mask_is_like_no_other(self) -> None:
        rows = frame("[email]", "[email]", "write to [email]", "email", "Email")
        assert near_duplicates(rows).first_row.tolist() == [0, 1, 2, 3, 3]

    def test_shingles_are_runs_of_words(self) -> None:
        rows = frame("a b c d e f", "a b c d e x", "f e d c b a")  # 3 runs of three words common, of 5
        assert near_duplicates(rows, threshold=0.6).first_row.tolist() == [0, 0, 2]
        assert near_duplicates(rows, threshold=0.61).first_row.tolist() == [0, 1, 2]

    def test_what_is_left_out_is_like_a_row_that_is_kept(self) -> None:
        first = "a b c d e f g h i j"
        second = "a b c d e f g h i X"  # 9 of 11 in common with the first
        third = "a b c d e f g h Y X"  # 9 of 11 with the second, 8 of 12 with the first
        found = near_duplicates(frame(first, second, third), shingle_words=1)
        assert found.first_row.tolist() == [0, 0, 2]
        assert (found.equal, found.similar) == (0, 1)

    def test_short_texts_are_one_shingle(self) -> None:
        assert near_duplicates(
            frame("reset password", "reset, password!", "password reset")
        ).first_row.tolist() == [0, 0, 2]

    def test_chinese_and_japanese_characters_are_words(self) -> None:
        text = "東京都の天気は明日晴れになるでしょうと気象庁が発表しました今日"
        rows = frame(text, text.replace("今", "昨"), text[::-1])
        assert near_duplicates(rows).first_row.tolist() == [0, 0, 2]

    def test_planted_pairs_are_found(self) -> None:
        rng = random.Random(7)
        originals = [sentence(rng, rng.randint(15, 40)) for _ in range(3000)]
        changed = []
        for words in originals[:1500]:
            changed.append([*words[:-1], "new"] if rng.random() < 0.5 else ["new", *words[1:]])
        texts = [" ".join(words) for words in (*originals, *changed)]
        first = near_duplicates(frame(*texts)).first_row
        alike = [i for i in range(1500) if jaccard(texts[i], texts[3000 + i], 3) >= 0.8]
        assert len(alike) == 1500  # 2 of at least 14 shingles differ
        found = sum(first[3000 + i] == i for i in alike)
        assert found / len(alike) >= 0.999
        assert (first[:3000] == range(3000)).all()

    @given(texts=st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), max_size=10))
    @settings(max_examples=30)
    def test_nothing_is_called_similar_that_is_not(self, texts: list[list[str]]) -> None:
        lines = [" ".join(words) for words in texts]
        first = near_duplicates(frame(*lines), threshold=0.5, shingle_words=2).first_row.tolist()
        for row, earlier in enumerate(first):
            assert earlier <= row
            assert first[earlier] == earlier
            assert earlier == row or jaccard(lines[row], lines[earlier], 2) >= 0.5

    def test_many_rows_of_one_template_cost_no_more_than_others(self) -> None:
        template = " ".join(sentence(random.Random(1), 40))
        found = near_duplicates(frame(*(f"{template} n{i}" for i in range(5_000))))
        assert found.similar == 4_999  # all pairs would be 12 million
        assert not found.first_row.any()


def test_candidates_do_not_depend_on_any_library() -> None:
    """The key of the first band, by the definition in whole numbers of Python."""
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1

    def mix(word: int) -> int:
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
        return word ^ (word >> 31)

    words = [
        15295030668532515345 if word == "a" else hash_values(pl.Series([word]))[0].item() for word in "abcd"
    ]
    shingles = []
    for run in (words[:3], words[1:]):
        chained = 0
        for word in run:
            chained = (mix((chained + golden) & mask) + word) & mask
        shingles.append(mix(chained))
    key = 7  # the group
    for number in range(1, 6):  # at 0.8 five hashes make a key
        multiplier = mix((number * golden + 42) & mask) | 1
        key = (mix((key + golden) & mask) + min(shingle * multiplier & mask for shingle in shingles)) & mask
    keys = _band_keys(_Shingles.of(pl.Series(["a b, c d"]), 3), np.array([7]), 0.8, 42)
    assert keys.shape == (25, 1)
    assert keys[0, 0] == mix(key) >> 32


class TestByText:
    def test_case_blanks_and_invisible_characters_do_not_count(self) -> None:
        found = near_duplicates(frame("Wie geht's?", " WIE  geht's?\u200b", "Wie geht es?"))
        assert found.first_row.tolist() == [0, 0, 2]
        assert (found.equal, found.similar) == (1, 0)

    def test_rows_without_text_are_like_no_other(self) -> None:
        assert near_duplicates(frame(None, "", "  ", None)).first_row.tolist() == [0, 1, 2, 3]

    def test_without_any_word_only_equal_texts_are_alike(self) -> None:
        assert near_duplicates(frame("!!!", "???", "!!!")).first_row.tolist() == [0, 1, 0]

    def test_no_rows(self) -> None:
        assert near_duplicates(frame()).first_row.tolist() == []


class TestColumns:
    rows = pl.DataFrame(
        {
            "title": ["one", "two", "one"],
            "body": ["the same long text here", "the same long text here", "the same long text here"],
            "label": ["x", "x", "y"],
        }
    )

    def test_the_longest_text_is_compared(self) -> None:
        assert near_duplicates(self.rows).columns == ("body",)
        assert near_duplicates(self.rows).first_row.tolist() == [0, 0, 0]

    def test_several_columns_count_as_one_text(self) -> None:
        assert near_duplicates(self.rows, ["title", "body"]).first_row.tolist() == [0, 1, 0]

    def test_rows_are_compared_within_a_label(self) -> None:
        assert near_duplicates(self.rows, within=["label"]).first_row.tolist() == [0, 0, 2]

    def test_similar_rows_are_compared_within_a_label(self) -> None:
        rows = pl.DataFrame({"text": ["a b c d e", "a b c d f", "a b c d g"], "label": ["x", "y", "x"]})
        found = near_duplicates(rows, within=["label"], threshold=0.6, shingle_words=1)
        assert found.first_row.tolist() == [0, 1, 0]

    def test_refuses_what_is_no_text(self) -> None:
        numbers = pl.DataFrame({"n": [1]})
        with pytest.raises(SchemaError, match="no column of text"):
            near_duplicates(numbers)
        with pytest.raises(SchemaError, match="'n' is of type Int64, not text"):
            near_duplicates(numbers, "n")
        with pytest.raises(InvalidInputError, match="threshold 0"):
            near_duplicates(self.rows, threshold=0)
        with pytest.raises(InvalidInputError, match="0 words"):
            near_duplicates(self.rows, shingle_words=0)


def test_a_pandas_table_keeps_index_and_dtypes() -> None:
    table = pd.DataFrame({"q": ["Hello  there", "hello there", "bye"], "n": [1, 2, 3]}, index=[9, 8, 7])
    kept, account, found = deduplicate_nearly(table)
    assert_frame_equal(kept, table.loc[[9, 7]])
    assert account == RowAccount(read=3, kept=2, duplicates=1, near_duplicates=1)
    assert repr(found) == "NearDuplicates(q: 1 equal and 0 similar among 3 rows)"
