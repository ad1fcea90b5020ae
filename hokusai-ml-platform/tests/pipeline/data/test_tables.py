"""Files for training are read together, and what no model takes is refused by name."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import DataError
from hokusai.pipeline.data.tables import read_tables


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([float("inf"), 1.0, float("-inf")], "'x' holds 2 infinite numbers"),
        ([b"a", None, b""], "'x' holds bytes"),
        ([dt.timedelta(1), None, None], "'x' holds durations"),
    ],
)
def test_what_no_model_is_trained_on_is_refused(tmp_path: Path, values: list[object], found: str) -> None:
    pl.DataFrame({"n": [1, 2, 3]}).write_parquet(tmp_path / "good.parquet")
    pl.DataFrame({"x": values}).write_parquet(tmp_path / "bad.parquet")
    with pytest.raises(DataError, match=rf"{found}, which no model is trained on \(bad.parquet\)"):
        read_tables([tmp_path / "good.parquet", tmp_path / "bad.parquet"])
    assert [table.rows_read for table in read_tables([tmp_path / "good.parquet"])] == [3]
