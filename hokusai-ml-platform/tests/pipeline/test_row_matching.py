"""Equal rows are found exactly, whatever the hash does."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline import row_matching
from hokusai.pipeline.row_matching import first_occurrence, occurs_in

rows = st.lists(
    st.tuples(
        st.sampled_from([None, 0.0, -0.0, 1.0, 1.5, float("nan")]),
        st.sampled_from([None, "", "a", "b"]),
        st.sampled_from([None, True, False]),
    ),
    max_size=12,
)
SCHEMA = {"x": pl.Float64, "t": pl.String, "b": pl.Boolean}


def frame(values: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(values, schema=SCHEMA, orient="row")


def keys(values: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [
        tuple(None if v != v else (0.0 if v == 0 and v is not False else v) for v in row) for row in values
    ]


@pytest.fixture(params=["real hash", "all hashes collide", "many parts"])
def hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "all hashes collide":
        monkeypatch.setattr(
            row_matching, "_row_hashes", lambda f: pl.repeat(7, f.height, dtype=pl.UInt64, eager=True)
        )
    if request.param == "many parts":
        monkeypatch.setattr(row_matching, "_MAX_COMPARED", 1)


@pytest.mark.usefixtures("hashing")
class TestAgainstPython:
    def test_null_nan_and_zeros(self) -> None:
        left = frame([(None, "a", True), (-0.0, None, None), (1.0, "a", True), (float("nan"), "a", True)])
        right = frame([(float("nan"), "a", True), (0.0, None, None)])
        assert occurs_in(left, right, list(SCHEMA)).to_list() == [True, True, False, True]
        assert first_occurrence(left, list(SCHEMA)).to_list() == [0, 1, 2, 0]

    def test_empty_frames(self) -> None:
        assert occurs_in(frame([]), frame([(1.0, "a", True)]), list(SCHEMA)).to_list() == []
        assert occurs_in(frame([(1.0, "a", True)]), frame([]), list(SCHEMA)).to_list() == [False]
        assert first_occurrence(frame([]), list(SCHEMA)).to_list() == []

    def test_only_rows_that_take_part_are_first(self) -> None:
        values = frame([(1.0, "a", True)] * 3)
        mask = pl.Series([False, True, True])
        assert first_occurrence(values, list(SCHEMA), among=mask).to_list() == [0, 1, 1]

    def test_categories_compare_by_their_text(self) -> None:
        left = pl.DataFrame({"c": pl.Series(["x", "y"], dtype=pl.Categorical)})
        right = pl.DataFrame({"c": pl.Series(["y"], dtype=pl.Enum(["z", "y"]))})
        assert occurs_in(left, right, ["c"]).to_list() == [False, True]

    def test_chunked_frames(self) -> None:
        whole = frame([(1.0, "a", True), (2.0, "b", False)])
        chunked = pl.concat([whole, whole, whole], rechunk=False)
        assert first_occurrence(chunked, list(SCHEMA)).to_list() == [0, 1, 0, 1, 0, 1]
        assert occurs_in(chunked, whole[1:], list(SCHEMA)).to_list() == [False, True] * 3


@settings(max_examples=150, deadline=None)
@given(left=rows, right=rows)
def test_laws(left: list[tuple[object, ...]], right: list[tuple[object, ...]]) -> None:
    known = set(keys(right))
    assert occurs_in(frame(left), frame(right), list(SCHEMA)).to_list() == [
        key in known for key in keys(left)
    ]
    assert first_occurrence(frame(left), list(SCHEMA)).to_list() == [
        keys(left).index(key) for key in keys(left)
    ]


def test_sixty_five_thousand_equal_rows() -> None:
    many = pl.DataFrame({"a": [1] * 65_536, "t": ["x"] * 65_536})
    assert first_occurrence(many, ["a", "t"]).unique().to_list() == [0]
