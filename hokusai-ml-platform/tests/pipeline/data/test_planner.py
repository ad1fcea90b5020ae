"""Where rows wait: by an estimate that is told, and by the caller's budget."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.planner import choose
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.scan import TableScan


@pytest.fixture
def scan(tmp_path: Path) -> TableScan:
    pl.DataFrame({"x": range(10_000)}).write_csv(tmp_path / "in.csv")
    return open_table(tmp_path / "in.csv")


def test_is_memory_within_the_budget_and_disk_beyond(scan: TableScan) -> None:
    size = scan.source.size_bytes
    assert choose([scan], 2 * size).in_memory
    assert not choose([scan], 2 * size - 1).in_memory
    assert not choose([scan, scan], 3 * size).in_memory


def test_says_what_was_chosen_and_why(scan: TableScan) -> None:
    assert str(choose([scan], 10_000_000)) == (
        "batches in this process; rows wait in memory: about 0 MB are within the budget of 10 MB"
    )
    assert "rows wait on disk" in str(choose([scan], 0))


def test_finds_a_budget_of_its_own(scan: TableScan) -> None:
    assert choose([scan]).budget_bytes >= 64 << 20
    with pytest.raises(InvalidInputError, match="-1 bytes"):
        choose([scan], -1)
