"""What a column costs does not grow with the number of columns."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from hokusai.pipeline.data.streaming import integrate_files
from hokusai.privacy.tokens import Tokenizer
from tests.growth import assert_grows_with_size


def test_eight_times_the_columns_take_about_eight_times_as_long(tmp_path: Path) -> None:
    def of_width(width: int) -> Callable[[], None]:
        kinds = ([0.5] * 10, list(range(10)), [f"word {i}" for i in range(10)])
        frame = pl.DataFrame({f"c{i}": kinds[i % 3] for i in range(width)})
        source, target = tmp_path / f"{width}.csv", tmp_path / f"{width}.parquet"
        frame.write_csv(source)

        def integrate() -> None:
            target.unlink(missing_ok=True)
            done = integrate_files(source, target, tokenizer=Tokenizer(bytes(32)))
            assert done.manifest.rows.read == 10
            assert list(pl.read_parquet_schema(target)) == frame.columns

        return integrate

    assert_grows_with_size(of_width, 60, 480)
