"""Batches grow, and their rows stay as they were."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data.gathering import gathered

NOTHING = pl.DataFrame(schema={"n": pl.Int64})


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 8))
def test_all_rows_come_in_order_and_only_the_last_batch_is_small(heights: list[int], rows: int) -> None:
    whole = pl.DataFrame({"n": list(range(sum(heights)))}, schema=NOTHING.schema)
    starts = [sum(heights[:i]) for i in range(len(heights))]
    pieces = [whole.slice(start, height) for start, height in zip(starts, heights, strict=True)]
    found = list(gathered(pieces, rows=rows))
    assert pl.concat([NOTHING, *found]).equals(whole)
    assert all(batch.height >= rows for batch in found[:-1])
    assert all(batch.height < rows + 5 for batch in found)


def test_a_batch_of_many_bytes_gets_no_more_rows() -> None:
    wide = pl.DataFrame({"t": ["x" * 100]})
    assert [batch.height for batch in gathered([wide] * 5, n_bytes=150)] == [2, 2, 1]
