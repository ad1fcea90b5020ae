"""Rows that wait, in memory or on disk."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hokusai.pipeline.data.stage import DiskStage, MemoryStage, Stage

ZONED = pl.Datetime("us", "Europe/Berlin")
PLAIN = pl.DataFrame(
    {
        "n": pl.Series([1, None, 3], dtype=pl.UInt8),
        "^a.*$": [0.5, float("nan"), None],
        "text": ["short", None, "long enough to stand apart from its length"],
        "bytes": [b"\xff", b"", None],
        "yes": [True, None, False],
        "day": [dt.date(2024, 2, 29), None, dt.date(1, 1, 1)],
        "at": pl.Series([dt.datetime(2024, 2, 29, 12), None, None], dtype=pl.Datetime("ns")),
        "there": pl.Series([dt.datetime(2024, 7, 1, 12), None, None]).dt.replace_time_zone("Europe/Berlin"),
        "time": [dt.time(12, 30), None, dt.time(0)],
        "long": [dt.timedelta(days=1), None, dt.timedelta(0)],
    }
)
OTHERS = PLAIN.with_columns(
    pl.Series("kind", ["b", None, "a"], dtype=pl.Enum(["b", "a"])),
    pl.Series("sort", ["y", "x", None], dtype=pl.Categorical),
    pl.Series("price", ["1.10", None, "2.00"]).cast(pl.Decimal(10, 2)),
    pl.Series("huge", [2**100, None, 0], dtype=pl.Int128),
    pl.Series("nothing", [None] * 3),
)


@pytest.fixture(params=["memory", "disk"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return MemoryStage() if request.param == "memory" else DiskStage(tmp_path)


@pytest.mark.parametrize("rows", [PLAIN, OTHERS], ids=["plain", "others"])
def test_rows_come_back_as_they_were(stage: Stage, rows: pl.DataFrame) -> None:
    assert PLAIN.schema["there"] == ZONED
    for batch in (rows, rows.slice(1, 1), rows.reverse()):
        stage.append(batch)
    back = list(stage.batches())
    assert [batch.schema for batch in back] == [rows.schema] * 3
    assert back[0].equals(rows)
    assert back[1].equals(rows.slice(1, 1))
    assert back[2].equals(rows.reverse())


@pytest.mark.parametrize("rows", [PLAIN, OTHERS], ids=["plain", "others"])
def test_rows_are_taken_by_their_places_in_any_order(stage: Stage, rows: pl.DataFrame) -> None:
    for batch in (rows, rows.reverse()):
        stage.append(batch)
    taken = stage.take(np.array([5, 0, 2, 2]))
    assert taken.equals(pl.concat([rows.slice(at, 1) for at in (0, 0, 2, 2)]))


def test_rows_that_were_read_outlive_their_file(tmp_path: Path) -> None:
    stage = DiskStage(tmp_path)
    stage.append(PLAIN)
    rows = next(stage.batches())
    for file in tmp_path.iterdir():
        file.unlink()
    assert rows.equals(PLAIN)
