"""Columns whose few values hold nothing are left alone; what is found and counted is the same."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.pipeline.data.repeated_values import without_clean_columns
from hokusai.privacy.gate import ColumnGate, ColumnPlan
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import scrub
from hokusai.privacy.tokens import Tokenizer

ROWS = pl.DataFrame(
    {
        "label": ["billing", "login", None, "other"] * 50,
        "agent": ["nobody", "ask ann@example.org", "ask +1 415 555 2671", None] * 50,
        "note": [f"note {i}" for i in range(199)] + ["write to bo@example.org"],
        "email": [f"user{i % 3}@example.org" for i in range(200)],
        "nothing": pl.Series([None] * 200, dtype=pl.String),
        "kind": pl.Series(["a", "b"] * 100, dtype=pl.Categorical),
        "n": range(200),
    }
)
TOKENIZER = Tokenizer(bytes(range(32)))


@pytest.mark.parametrize("action", ["hash", "mask", "report", "keep"])
def test_the_cleaned_rows_and_the_counts_are_the_same_as_without(action: str) -> None:
    policy = PiiPolicy(default=action)
    gate = ColumnGate.decide(ROWS, policy)
    narrowed = without_clean_columns(ROWS, gate, policy, TOKENIZER)
    expected, expected_counts = scrub(ROWS, policy, TOKENIZER, gate=gate)
    found, counts = scrub(ROWS, policy, TOKENIZER, gate=narrowed)
    assert found.equals(expected)
    assert found.schema == expected.schema
    assert counts == expected_counts
    assert counts.total == (0 if action == "keep" else 301)  # 50 + 50 agents, one note, 200 addresses


def test_only_text_of_few_values_without_personal_data_is_left_alone() -> None:
    policy = PiiPolicy(default="mask")
    gate = ColumnGate.decide(ROWS, policy)
    narrowed = without_clean_columns(ROWS, gate, policy, None)
    changed = [name for name, plan in gate.plans.items() if narrowed.plans[name] != plan]
    assert changed == ["label", "nothing"]
    assert [narrowed.plans[name].treatment for name in changed] == ["leave", "leave"]


def test_a_column_that_is_new_in_a_batch_is_judged_in_that_batch() -> None:
    policy = PiiPolicy(default="mask")
    gate = ColumnGate.decide(ROWS, policy)
    later = ROWS.with_columns(label=pl.lit("ann@example.org"))
    assert without_clean_columns(later, gate, policy, None).plans["label"].treatment == "text"


def test_what_earlier_batches_had_is_known_and_what_is_new_is_searched() -> None:
    policy, known = PiiPolicy(default="mask"), {}
    gate = ColumnGate.decide(ROWS, policy)
    first = without_clean_columns(ROWS, gate, policy, None, known)
    assert known == {"label": {"billing", "login", None, "other"}, "nothing": {None}}
    for rows in (ROWS, ROWS.filter(pl.col("label") == "login")):
        again = without_clean_columns(rows, gate, policy, None, known)
        assert again.plans["label"] == first.plans["label"]
    later = ROWS.with_columns(label=pl.col("label").replace("other", "ann@example.org"))
    assert without_clean_columns(later, gate, policy, None, known).plans["label"].treatment == "text"
    assert "ann@example.org" not in known["label"]


def test_no_rows_change_nothing() -> None:
    policy = PiiPolicy(default="mask")
    gate = ColumnGate.decide(ROWS, policy)
    assert without_clean_columns(ROWS.clear(), gate, policy, None) is gate


def test_a_name_that_looks_like_a_pattern_is_a_name() -> None:
    rows = pl.DataFrame({"^.*$": ["a", "b"] * 50, "by": ["ann@example.org", "-"] * 50})
    gate = ColumnGate({name: ColumnPlan("text") for name in rows.columns})
    narrowed = without_clean_columns(rows, gate, PiiPolicy(default="mask"), None)
    assert [plan.treatment for plan in narrowed.plans.values()] == ["leave", "text"]
