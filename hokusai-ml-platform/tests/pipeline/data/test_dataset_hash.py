"""One hash for the same rows, another for others."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import SchemaError
from hokusai.pipeline.data.block_hash import BlockHasher, block_hash
from hokusai.pipeline.data.dataset_hash import DatasetHasher, dataset_hash
from hokusai.pipeline.data.digest_log import DigestLog

COLUMNS = {
    "id": (pl.Int64(), st.integers(-(2**53), 2**53)),
    "score": (pl.Float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "flag": (pl.Boolean(), st.booleans()),
    "text": (pl.String(), st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=5)),
    "day": (pl.Date(), st.dates()),
}


@st.composite
def frames(draw, min_rows=0):
    cells = {name: st.none() | values for name, (_, values) in COLUMNS.items()}
    rows = draw(st.lists(st.fixed_dictionaries(cells), min_size=min_rows, max_size=40))
    schema = {name: dtype for name, (dtype, _) in COLUMNS.items()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def batches(frame, cuts):
    start = 0
    for size in [*cuts, frame.height]:
        yield frame[start : start + size]
        start += size


class TestSame:
    @given(frames(), st.permutations(list(COLUMNS)), st.lists(st.integers(0, 20), max_size=5))
    @settings(max_examples=40)
    def test_for_any_order_of_columns_and_any_batches(self, frame, order, cuts):
        expected, expected_blocks = dataset_hash(frame), block_hash(frame)
        hasher, by_block = DatasetHasher(), BlockHasher()
        for batch in batches(frame.select(order), cuts):
            hasher.update(batch)
            by_block.update(batch)
        assert hasher.result() == expected
        assert by_block.result() == expected_blocks

    @given(frames(), st.lists(st.integers(0, 20), max_size=5))
    @settings(max_examples=30)
    def test_from_digests_on_disk(self, tmp_path_factory, frame, cuts):
        hasher = DatasetHasher()
        with DigestLog(tmp_path_factory.getbasetemp(), block_rows=7) as log:
            for batch in batches(frame, cuts):
                log.append(hasher.update(batch))
            assert log.dataset_hash(frame.schema) == dataset_hash(frame)

    @given(frames(), st.integers(0, 40), st.integers(0, 40))
    @settings(max_examples=30)
    def test_for_parts_that_are_merged_in_any_grouping(self, frame, first, second):
        parts = []
        for batch in (frame[:first], frame[first:][:second], frame[first:][second:]):
            left, right = DatasetHasher(), DatasetHasher()
            left.update(batch)
            right.update(batch)
            parts.append((left, right))
        (a, a2), (b, b2), (c, c2) = parts
        a.merge(b)
        a.merge(c)
        b2.merge(c2)
        a2.merge(b2)
        assert a.result() == a2.result() == dataset_hash(frame)

    @given(frames(min_rows=1))
    @settings(max_examples=25)
    def test_after_a_round_through_files(self, tmp_path_factory, frame):
        folder = tmp_path_factory.mktemp("files")
        frame.write_csv(folder / "a.csv", quote_style="non_numeric", null_value="")
        frame.write_ndjson(folder / "a.jsonl")
        frame.write_parquet(folder / "a.parquet", row_group_size=7)
        frame.write_ipc(folder / "a.arrow", compression="zstd")
        expected = dataset_hash(frame)
        assert dataset_hash(pl.read_parquet(folder / "a.parquet")) == expected
        assert dataset_hash(pl.read_ipc(folder / "a.arrow")) == expected
        assert dataset_hash(pl.read_ndjson(folder / "a.jsonl", schema=frame.schema)) == expected
        assert dataset_hash(pl.read_csv(folder / "a.csv", schema=frame.schema)) == expected
        assert dataset_hash(pl.from_arrow(frame.to_arrow())) == expected

    def test_on_any_number_of_threads(self, tmp_path):
        frame = pl.DataFrame({"id": range(5000), "text": [f"row {i % 70}" for i in range(5000)]})
        frame.write_parquet(tmp_path / "rows.parquet")
        program = (
            "import json, sys, polars as pl\n"
            "from hokusai.pipeline.data.dataset_hash import dataset_hash\n"
            "print(json.dumps([pl.thread_pool_size(), dataset_hash(pl.read_parquet(sys.argv[1])).to_dict()]))"
        )
        for threads in ("1", "5"):
            done = subprocess.run(
                [sys.executable, "-c", program, tmp_path / "rows.parquet"],
                env=os.environ | {"POLARS_MAX_THREADS": threads},
                capture_output=True,
                check=True,
            )
            assert json.loads(done.stdout) == [int(threads), dataset_hash(frame).to_dict()]

    def test_while_rows_are_still_added(self):
        frame = pl.DataFrame({"id": range(50)})
        hasher = DatasetHasher()
        for start in range(0, 50, 10):
            hasher.update(frame[start : start + 10])
            assert hasher.result() == dataset_hash(frame[: start + 10])


class TestDifferent:
    @given(frames(min_rows=1), st.data())
    @settings(max_examples=40)
    def test_after_one_cell_changed(self, frame, data):
        name = data.draw(st.sampled_from(frame.columns))
        row = data.draw(st.integers(0, frame.height - 1))
        dtype, values = COLUMNS[name]
        was = frame[row, name]
        now = data.draw((st.none() | values).filter(lambda value: value != was))
        column = frame[name].to_list()
        column[row] = now
        changed = frame.with_columns(pl.Series(name, column, dtype=dtype))
        before, after = dataset_hash(frame), dataset_hash(changed)
        assert before.data_hash != after.data_hash
        assert before.content_root != after.content_root
        assert block_hash(frame).data_hash != block_hash(changed).data_hash

    @given(frames(min_rows=2), st.data())
    @settings(max_examples=40)
    def test_after_two_rows_changed_places_except_for_the_content(self, frame, data):
        one, other = data.draw(
            st.lists(st.integers(0, frame.height - 1), min_size=2, max_size=2, unique=True)
        )
        order = list(range(frame.height))
        order[one], order[other] = other, one
        swapped = frame[order]
        before, after = dataset_hash(frame), dataset_hash(swapped)
        assert (before.data_hash == after.data_hash) == (frame.row(one) == frame.row(other))
        assert before.content_root == after.content_root

    def test_if_a_row_occurs_once_more(self):
        frame = pl.DataFrame({"id": [1, 1]})
        assert dataset_hash(frame).content_root != dataset_hash(frame[:1]).content_root

    def test_for_the_content_of_sorted_rows_and_for_blocks(self):
        result = dataset_hash(pl.DataFrame({"id": [1]}))
        assert (
            len({result.data_hash, result.content_root, block_hash(pl.DataFrame({"id": [1]})).data_hash}) == 3
        )

    def test_if_there_are_no_rows_but_other_columns(self):
        empty = [pl.DataFrame(schema={"a": pl.Int64}), pl.DataFrame(schema={"a": pl.String}), pl.DataFrame()]
        assert len({dataset_hash(frame).data_hash for frame in empty}) == 3


class TestBatches:
    @pytest.mark.parametrize("hasher", [DatasetHasher, BlockHasher])
    @pytest.mark.parametrize(
        "other", [pl.DataFrame({"id": ["1"]}), pl.DataFrame({"id": [1], "more": [2]}), pl.DataFrame()]
    )
    def test_with_other_columns_are_refused(self, hasher, other):
        started = hasher()
        started.update(pl.DataFrame({"id": [1]}))
        with pytest.raises(SchemaError, match="not the same as in the rows before"):
            started.update(other)

    def test_of_another_width_are_not_other_columns(self):
        hasher = DatasetHasher()
        hasher.update(pl.DataFrame({"id": pl.Series([1], dtype=pl.Int8)}))
        hasher.update(pl.DataFrame({"id": pl.Series([2], dtype=pl.UInt32)}))
        assert hasher.result() == dataset_hash(pl.DataFrame({"id": [1, 2]}))

    def test_of_another_dataset_do_not_merge(self):
        one, other = DatasetHasher(), DatasetHasher()
        one.update(pl.DataFrame({"id": [1]}))
        other.update(pl.DataFrame({"id": [1.0]}))
        with pytest.raises(SchemaError, match="'id'"):
            one.merge(other)
