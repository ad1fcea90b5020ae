"""Values of columns of few, counted by Polars and by their hashes alike."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data import counted_values as module
from hokusai.pipeline.data.counted_values import counted_values
from hokusai.pipeline.data.value_hash import hash_values


@pytest.fixture(params=[False, True], ids=["polars", "compiled"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "pays", lambda work: request.param)
        yield


def counted(column: pl.Series, most: int = 1_000, *, hashed: bool = False) -> dict[object, int] | None:
    found = counted_values(column, most, hash_values(column) if hashed else None)
    return None if found is None else dict(zip(found[0].to_list(), found[1].tolist(), strict=True))


@settings(max_examples=40)
@given(st.lists(st.none() | st.text(max_size=3)), st.booleans())
def test_texts_are_counted(texts: list[str | None], hashed: bool) -> None:
    expected = Counter(text for text in texts if text is not None)
    assert counted(pl.Series(texts, dtype=pl.String), hashed=hashed) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([0.0, -0.0, float("nan"), None, float("inf")], {0.0: 2, float("inf"): 1}),
        ([3, None, 3, -1], {3: 2, -1: 1}),
        ([True, False, None, True], {True: 2, False: 1}),
        ([date(2024, 1, 2), None], {date(2024, 1, 2): 1}),
        ([None, None], {}),
        ([], {}),
    ],
)
def test_other_values_are_counted(cells: list[object], expected: dict[object, int]) -> None:
    found = counted(pl.Series(cells))
    assert found == expected
    assert "-0.0" not in str(found)


@pytest.mark.parametrize("n", [1, 7, 100])
def test_more_values_than_wanted_are_none(n: int) -> None:
    column = pl.Series([i % n for i in range(3 * n)] + [None])
    assert counted(column, n) == dict.fromkeys(range(n), 3)
    assert counted(column, n - 1) is None


def test_a_value_too_many_among_the_last_cells_is_found() -> None:
    assert counted(pl.Series(["a"] * 10_000 + ["b"]), 1) is None
