"""Contradictions by hand."""

import polars as pl
import pytest

from hokusai.pipeline.data.consistency import ColumnFormat, column_formats, label_agreement
from hokusai.pipeline.data.row_sample import RowSample


def test_equal_features_with_several_labels() -> None:
    frame = pl.DataFrame(
        {"x": [1, 1, 1, 2, 2, 3, None, None], "y": ["a", "a", "b", "a", None, "b", "a", "b"]}
    )
    # The combinations 1, 2, 3 and null; 1 and null have two labels.
    assert label_agreement(RowSample(["x"], "y").see(frame)) == (2, 4)
    assert label_agreement(RowSample(["x"]).see(frame)) is None
    assert label_agreement(RowSample(["x"], "y")) is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", "-3e4", "1,5"], ("number", 0.75)),
        (["2024-01-02", "2024-01-02T03:04:05Z", "02.01.2024"], ("date as year-month-day", 2 / 3)),
        (["1/2/2024", "2024/3/4", "x"], ("date with slashes", 2 / 3)),
        (["yes", "No", "TRUE", "maybe", None], ("truth value", 0.75)),
        (["1,5", "2,75"], ("number with decimal comma", 1.0)),
        (["a sentence", "another", "17"], ("", 1.0)),
        (["1", "a"], ("", 1.0)),  # as much text as numbers: free text
    ],
)
def test_the_main_format(cells: list[str | None], expected: tuple[str, float]) -> None:
    (found,) = column_formats(pl.DataFrame({"c": cells, "n": range(len(cells))}))
    assert found == ColumnFormat("c", expected[0], pytest.approx(expected[1]))


def test_columns_without_a_text_have_no_format() -> None:
    assert (
        column_formats(pl.DataFrame({"c": [None, None], "n": [1, 2]}, schema={"c": pl.String, "n": pl.Int64}))
        == ()
    )
