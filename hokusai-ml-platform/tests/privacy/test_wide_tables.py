"""Columns that are looked at together fare as each does alone, and together they cost little."""

from __future__ import annotations

import random
from collections.abc import Callable

import polars as pl

from hokusai.privacy import ColumnGate, PiiPolicy, Tokenizer
from hokusai.privacy.scrub import scrub
from tests.growth import assert_grows_with_size

from .samples import card, email, hard_negatives, ip, personal, phone

POLICY = PiiPolicy.parse(
    {
        "by_kind": {"ip": "mask", "card": "drop"},
        "by_column": {"c3": "report", "c4": {"email": "drop"}},
        "personal": ["c5"],
    }
)
TOKENIZER = Tokenizer(bytes(32))


def wide(height: int) -> pl.DataFrame:
    rng = random.Random(7)
    texts = [each.text for each in (*personal(20), *hard_negatives(5))]
    makers = (
        *(
            lambda: rng.choice(texts),
            lambda: email(rng),
            lambda: phone(rng),
            lambda: card(rng),
            lambda: ip(rng),
        ),
        *(lambda: rng.choice(["a b", None]), rng.random, lambda: f"{rng.random():.6f}"),
        *(
            lambda: [email(rng)],
            lambda: {"a": rng.choice(texts), "b": rng.random()},
            lambda: rng.random() < 0.5,
        ),
    )
    return pl.DataFrame({f"c{at}": [makers[at % len(makers)]() for _ in range(height)] for at in range(44)})


def test_every_column_is_planned_and_cleaned_as_if_it_were_alone() -> None:
    for height in (1, 12):
        frame = wide(height)
        gate = ColumnGate.decide(frame, POLICY)
        cleaned, counts = scrub(frame, POLICY, TOKENIZER, gate=gate)
        findings = set()
        for name in frame.columns:
            alone = frame.select(name)
            own = PiiPolicy(
                by_kind=POLICY.by_kind, by_column=POLICY.by_column, personal=[name] * (name == "c5")
            )
            assert ColumnGate.decide(alone, own).plans[name] == gate.plans[name]
            cleaned_alone, found = scrub(alone, own, TOKENIZER)
            assert (name in cleaned.columns) == (name in cleaned_alone.columns)
            if name in cleaned.columns:
                assert cleaned[name].equals(cleaned_alone[name]), name
            findings.update(found.summary().findings)
        assert set(counts.summary().findings) == findings
        assert len({finding.column for finding in findings}) > 15


def test_columns_take_no_longer_each_where_there_are_many() -> None:
    values = (
        [f"{at}-555-0{at}00" for at in range(1, 11)],
        [f"2024-01-1{at}" for at in range(10)],
        [0.25] * 10,
    )

    def of_width(width: int) -> Callable[[], None]:
        frame = pl.DataFrame({f"c{at}": values[at % 3] for at in range(width)})

        def clean() -> None:
            cleaned, counts = scrub(frame, PiiPolicy(), TOKENIZER)
            assert (cleaned.shape, counts.total) == ((10, width), 0)

        return clean

    assert_grows_with_size(of_width, 125, 1_000)
