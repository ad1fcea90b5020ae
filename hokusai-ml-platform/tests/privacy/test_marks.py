"""What the bytes of a text say never hides anything from the patterns: checked against every pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.privacy import detector, marks
from hokusai.privacy.folding import TAKEN_OUT
from hokusai.privacy.marks import LEAST_RUN

from .samples import hard_negatives, personal

PLAIN = [pattern for kind, pattern in detector._HINTS.items() if kind not in detector._WORDED]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_FEW_ROWS", -1)
        patch.setattr(marks, "pays", lambda _: True)
        yield


@pytest.mark.parametrize("pattern", [*PLAIN, TAKEN_OUT])
@settings(max_examples=10)
@given(data=st.data())
def test_what_a_pattern_matches_has_its_mark(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(pattern.replace("(?-u:", "(?:").replace("(?i-u:", "(?i:")))
    coded, cleaned = marks.marks(pl.Series([text.encode(errors="ignore").decode()]))
    assert (cleaned if pattern is TAKEN_OUT else coded).all()


@settings(max_examples=30)
@given(st.lists(st.none() | st.text("abZ09 :@%[/`é", max_size=40), max_size=6), st.integers(0, 3))
def test_the_marks_are_those_of_the_characters(cells: list[str | None], start: int) -> None:
    text = pl.Series(["x" * 20 + "-", *cells], dtype=pl.String)[start:]
    coded = rf"[0-9:@%é]|[A-Za-z0-9]{{{LEAST_RUN},}}"
    for found, pattern in zip(marks.marks(text), (coded, r"[\[:é]"), strict=True):
        assert found.to_list() == [bool(cell and re.search(pattern, cell)) for cell in text.to_list()]


def test_the_same_is_found_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    each = [*personal(5), *hard_negatives(5)]
    text = pl.Series(
        [
            *(one.text for one in each),
            "see [email] or call +49 30 901820",
            "call \uff0b\uff14\uff19 30 901820",
            None,
        ]
    )
    found = detector.find(text)
    monkeypatch.setattr(marks, "pays", lambda _: False)
    assert found.equals(detector.find(text)) and found.height
