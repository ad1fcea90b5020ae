"""Batches on a real local Ray come out as they would in one process: the same, in order, whatever the kernel does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hokusai.adapters.in_process_engine import InProcessEngine
from hokusai.adapters.ray_engine import RayEngine
from hokusai.domain.manifest import RowAccount
from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import BackendUnavailableError, DataError
from hokusai.pipeline.data.kernel import Kernel
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.shipping import packed, shipped, unpacked
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.ports import BatchEngine, ParquetPart
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.tokens import Tokenizer

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore:.*is deprecated! Configure:DeprecationWarning"),
]
SMALL_WINDOW = 20_000  # so that a few batches fill several


@pytest.fixture(scope="module")
def ray_engine() -> Iterator[RayEngine]:
    with RayEngine(cpus=2, object_store_bytes=100 << 20, window_bytes=SMALL_WINDOW) as engine:
        yield engine


@pytest.fixture(params=["in process", "ray"])
def engine(request: pytest.FixtureRequest) -> BatchEngine:
    if request.param == "in process":
        return InProcessEngine()
    found: RayEngine = request.getfixturevalue("ray_engine")
    return found


def even_rows(table: pa.Table) -> pa.Table:
    """A kernel that drops rows and tells how many there were."""
    kept = table.filter(pc.equal(pc.bit_wise_and(table["x"], 1), 0))
    return kept.replace_schema_metadata({b"rows": str(table.num_rows).encode()})


def numbers(sizes: Iterable[int]) -> Iterator[pa.Table]:
    """Batches of 0, 1, 2, … in a row."""
    start = 0
    for size in sizes:
        yield pa.table({"x": pa.array(range(start, start + size), pa.int64())})
        start += size


def test_it_does_not_start_by_itself() -> None:
    """The first test of this module: it imports Ray, and the engine of the others has to do with that."""
    with pytest.raises(BackendUnavailableError, match="no connection to Ray"):
        next(RayEngine().map_batches(numbers([1]), even_rows))


def test_batches_come_back_in_order_uncut_with_what_the_kernel_says(engine: BatchEngine) -> None:
    sizes = [1000, 1, 0, 2500, 3, 1500, 7, 900]
    results = list(engine.map_batches(numbers(sizes), even_rows))
    assert [at for at, _ in results] == list(range(8))
    assert [int(table.schema.metadata[b"rows"]) for _, table in results] == sizes
    together = [x for _, table in results for x in table["x"].to_pylist()]
    assert together == list(range(0, sum(sizes), 2))


def test_an_empty_result_keeps_its_columns(engine: BatchEngine) -> None:
    [(at, table)] = engine.map_batches(numbers([5]), lambda batch: batch.slice(5))
    assert (at, table.num_rows, table.column_names) == (0, 0, ["x"])


def test_no_batches_give_no_results(engine: BatchEngine) -> None:
    assert list(engine.map_batches([], even_rows)) == []


def test_parts_of_files_and_tables_may_come_together(engine: BatchEngine, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"x": [6, 7]}), path)
    batches = [pa.table({"x": [4, 5]}), ParquetPart(str(path), 0)]
    results = engine.map_batches(batches, even_rows)
    assert [table["x"].to_pylist() for _, table in results] == [[4], [6]]


def test_a_worker_reads_parts_of_files_itself(engine: BatchEngine, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"x": range(10)}), path, row_group_size=4)
    parts = [ParquetPart(str(path), group) for group in range(3)]
    results = engine.map_batches(parts, even_rows)
    assert [table["x"].to_pylist() for _, table in results] == [[0, 2], [4, 6], [8]]


def test_what_the_kernel_refuses_is_raised_as_it_was(engine: BatchEngine) -> None:
    def refuse(table: pa.Table) -> pa.Table:
        if table.num_rows == 3:
            return table
        raise DataError("The batch holds nothing usable", where="a.csv", hint="Look at it.")

    results = engine.map_batches(numbers([3, 4, 3]), refuse)
    assert next(results)[1].num_rows == 3
    with pytest.raises(DataError) as raised:
        next(results)
    assert type(raised.value) is DataError
    assert str(raised.value) == "The batch holds nothing usable (a.csv). Look at it."


def test_rows_have_the_same_digests_wherever_they_were_made(engine: BatchEngine) -> None:
    rows = pl.DataFrame(
        {"n": range(500), "t": [f"text {i % 7}" for i in range(500)], "x": [i / 3 for i in range(500)]}
    )
    kernel = Kernel(dict(rows.schema))
    batches = (
        packed(rows[start : start + 90], "a.csv", pl.Series(range(start + 1, min(start + 90, 500) + 1)))
        for start in range(0, 500, 90)
    )
    done = [unpacked(table) for _, table in engine.map_batches(batches, shipped(kernel))]
    assert pl.concat([part.rows for part in done]).equals(rows)
    assert (np.concatenate([part.digests for part in done]) == row_digests(rows)).all()


def test_an_integration_has_the_same_rows_and_account_on_ray(ray_engine: RayEngine, tmp_path: Path) -> None:
    n = 2000
    rows = pl.DataFrame(
        {
            "query_id": range(n),
            "text": [f"write to u{i}@example.org" if i % 10 == 0 else f"text {i % 700}" for i in range(n)],
            "score": [-1.0 if i % 50 == 7 else i / 8 for i in range(n)],
        }
    )
    pl.concat([rows, rows[100:200]]).write_csv(tmp_path / "new.csv")
    rows[:500].with_columns(pl.col("score") + 1).write_csv(tmp_path / "base.csv")
    recipe = Recipe(
        schema=DataSchema((ColumnRule("score", minimum=0),)),
        pii=PiiPolicy(default="hash"),
        how="update",
        key=("query_id",),
        read=ReadOptions(on_error="reject"),
    )

    def integrate(output: str, engine: BatchEngine | None) -> dict[str, object]:
        done = integrate_files(
            str(tmp_path / "new.csv"),
            tmp_path / output,
            base=str(tmp_path / "base.csv"),
            recipe=recipe,
            tokenizer=Tokenizer(b"k" * 32),
            engine=engine,
        )
        assert done.manifest.rows == RowAccount(read=2100, kept=1960, rejected=42, duplicates=98)
        return done.manifest.content()

    assert integrate("there.parquet", ray_engine) == integrate("here.parquet", None)
    there, here = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("there", "here"))
    assert there.equals(here)


class TestRayAlone:
    def test_a_kernel_runs_in_other_processes(self, ray_engine: RayEngine) -> None:
        import os

        def whose(table: pa.Table) -> pa.Table:
            return pa.table({"pid": [os.getpid()]})

        pids = {t["pid"][0].as_py() for _, t in ray_engine.map_batches(numbers([1, 1]), whose)}
        assert os.getpid() not in pids

    def test_batches_are_taken_as_they_are_needed(self, ray_engine: RayEngine) -> None:
        taken = 0

        def counted() -> Iterator[pa.Table]:
            nonlocal taken
            for batch in numbers([SMALL_WINDOW // 8] * 50):  # each fills a window
                taken += 1
                yield batch

        results = ray_engine.map_batches(counted(), even_rows)
        next(results)
        assert taken <= 2
        results.close()  # type: ignore[attr-defined]

    def test_what_else_fails_there_is_a_backend_that_is_not_there(self, ray_engine: RayEngine) -> None:
        def fail(table: pa.Table) -> pa.Table:
            raise ZeroDivisionError

        with pytest.raises(BackendUnavailableError, match="Ray could not do the work"):
            list(ray_engine.map_batches(numbers([1]), fail))

    def test_it_listens_on_this_machine_only(self, ray_engine: RayEngine) -> None:
        import ray

        assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]
