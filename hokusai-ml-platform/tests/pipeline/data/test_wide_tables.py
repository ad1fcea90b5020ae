"""What a column costs does not grow with the number of columns."""

import time
from pathlib import Path

import polars as pl

from hokusai.pipeline.data.streaming import integrate_files
from hokusai.privacy.tokens import Tokenizer


def test_five_times_the_columns_take_about_five_times_as_long(tmp_path: Path) -> None:
    seconds = []
    for width in (300, 1_500):
        kinds = ([0.5] * 10, list(range(10)), [f"word {i}" for i in range(10)])
        frame = pl.DataFrame({f"c{i}": kinds[i % 3] for i in range(width)})
        frame.write_csv(tmp_path / "wide.csv")
        start = time.process_time()
        done = integrate_files(
            tmp_path / "wide.csv", tmp_path / "out.parquet", tokenizer=Tokenizer(bytes(32))
        )
        seconds.append(time.process_time() - start)
        assert done.manifest.rows.read == 10
        assert list(pl.read_parquet_schema(tmp_path / "out.parquet")) == frame.columns
    few, many = seconds
    assert many < 10 * max(few, 0.5)  # were it quadratic, 25 times
