"""A run's journal as JSON and back, so that it can be delivered later."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.journal import FORMAT, DatasetEntry, RunJournal, StepEntry

texts = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
numbers = st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=3)
steps = st.builds(
    StepEntry, st.text(max_size=8), st.integers(0), st.integers(0), st.sampled_from(["FINISHED", "FAILED"]),
    texts, numbers, texts,
)  # fmt: skip
datasets = st.builds(
    DatasetEntry, st.text(max_size=8), st.just("ab" * 32), st.text(max_size=8), st.integers(0, 2**40)
)
journals = st.builds(
    RunJournal, st.text(max_size=8), st.text(max_size=8), texts, numbers, texts,
    st.lists(steps, max_size=3).map(tuple), st.lists(datasets, max_size=3).map(tuple),
)  # fmt: skip

STEP = {"step": "start", "started_ms": 1, "ended_ms": 2}
WHOLE: dict[str, Any] = {
    "format": FORMAT, "run_id": "1", "experiment": "e", "params": {}, "metrics": {}, "tags": {},
    "steps": [STEP], "datasets": [],
}  # fmt: skip


@given(journals)
def test_comes_back_from_json(journal: RunJournal) -> None:
    assert RunJournal.from_dict(json.loads(json.dumps(journal.to_dict()))) == journal


def test_a_step_that_says_no_more_was_finished() -> None:
    assert RunJournal.from_dict(WHOLE).steps == (StepEntry("start", 1, 2, "FINISHED", {}, {}, {}),)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        ["format"],
        None,
        {**WHOLE, "format": "hokusai-journal-v2"},
        {k: v for k, v in WHOLE.items() if k != "format"},
        {k: v for k, v in WHOLE.items() if k != "steps"},
        {k: v for k, v in WHOLE.items() if k != "run_id"},
        {**WHOLE, "more": 1},
        {**WHOLE, "steps": [{"step": "start"}]},
        {**WHOLE, "steps": [{**STEP, "more": 1}]},
        {**WHOLE, "steps": None},
        {**WHOLE, "datasets": [5]},
    ],
    ids=str,
)
def test_what_is_no_journal(broken: Any) -> None:
    with pytest.raises(ValueError, match=f"not a (complete )?{FORMAT} journal"):
        RunJournal.from_dict(broken)
