"""How much is found, and how much is taken for personal data that is none: on generated and on written texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl
import pytest

from hokusai.privacy.detector import find

from .samples import HARD_NEGATIVES, Labelled, hard_negatives, personal, worded
from .written_samples import CONTEXTUAL, NOBODY, STRUCTURED, parsed

COVERED = 0.8
"""Of the characters of a value that have to be found for it to count."""


def f1_by_kind(texts: Sequence[Labelled]) -> dict[str, float]:
    found: dict[int, list[tuple[int, int, str]]] = {}
    for row, start, end, kind, _ in find(pl.Series([each.text for each in texts])).rows():
        found.setdefault(row, []).append((start, end, kind))
    right, missed, wrong = Counter(), Counter(), Counter()
    for row, each in enumerate(texts):
        spans = found.get(row, [])
        for start, end, kind in each.spans:
            covered = sum(max(0, min(end, b) - max(start, a)) for a, b, k in spans if k == kind)
            (right if covered >= COVERED * (end - start) else missed)[kind] += 1
        for a, b, k in spans:
            wrong[k] += not any(k == kind and a < end and start < b for start, end, kind in each.spans)
    kinds = {*right, *missed, *(kind for kind, count in wrong.items() if count)}
    return {kind: 2 * right[kind] / (2 * right[kind] + missed[kind] + wrong[kind]) for kind in kinds}


def written(texts: Sequence[str]) -> list[Labelled]:
    return [Labelled(text, tuple(spans), "written") for text, spans in map(parsed, texts)]


class TestGenerated:
    def test_every_structured_kind_is_found_among_hard_negatives(self) -> None:
        scores = f1_by_kind([*personal(150), *hard_negatives(30)])
        structured = {
            "email",
            "phone",
            "card",
            "iban",
            "ip",
            "crypto_address",
            "national_id",
            "date_of_birth",
        }
        assert set(scores) >= structured
        assert {kind: score for kind, score in scores.items() if score < 0.98} == {}

    def test_what_words_tell_or_is_seldom_written_so_is_found_too(self) -> None:
        scores = f1_by_kind([*worded(40), *hard_negatives(10)])
        assert {"person_name", "postal_address", "crypto_address", "phone", "email", "ip"} <= set(scores)
        assert {kind: score for kind, score in scores.items() if score < 0.98} == {}

    def test_of_what_only_looks_like_it_at_most_one_in_a_hundred_is_taken(self) -> None:
        assert len(HARD_NEGATIVES) >= 30
        texts = hard_negatives(100)
        flagged = Counter(
            texts[row].maker for row in find(pl.Series([t.text for t in texts]))["row"].unique()
        )
        assert sum(flagged.values()) <= 0.01 * len(texts), flagged


class TestWrittenByHand:
    def test_structured_kinds_are_found_in_letters_and_logs(self) -> None:
        assert {kind: score for kind, score in f1_by_kind(written(STRUCTURED)).items() if score < 0.98} == {}

    def test_names_and_addresses_are_found_by_the_words_around_them(self) -> None:
        scores = f1_by_kind(written(CONTEXTUAL))
        assert min(scores["person_name"], scores["postal_address"]) >= 0.98

    @pytest.mark.parametrize("text", NOBODY)
    def test_text_about_nobody_is_left_alone(self, text: str) -> None:
        assert find(pl.Series([text])).rows() == []

    def test_values_are_found_to_the_character(self) -> None:
        for text, spans in map(parsed, STRUCTURED):
            found = find(pl.Series([text])).select("start", "end", "kind").rows()
            assert found == spans, text
