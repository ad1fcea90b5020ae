"""Arrow IPC, both formats: batches, damage, and what compressed buffers and dictionaries unpack to."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from hokusai.errors import DataError, HokusaiError
from hokusai.pipeline.data.arrow_messages import file_messages, stream_messages, unpacked_bytes
from hokusai.pipeline.data.reading import Table, open_table, read_table
from hokusai.pipeline.data.scan import Limits, ReadOptions

FRAME = pl.DataFrame(
    {
        "i": [1, 2, None] * 40,
        "s": ["x", "a text of more than twelve bytes", None] * 40,
        "c": pl.Series(["u", None, "w"] * 40, dtype=pl.Categorical),
        "f": [0.5, float("nan"), 2.0] * 40,
        "b": [True, False, None] * 40,
    }
)
EXPECTED = FRAME.with_columns(pl.col("c").cast(pl.String), pl.col("f").fill_nan(None))


def polars_file(frame: pl.DataFrame, compression: str = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression=compression)  # type: ignore[call-overload]
    return buffer.getvalue()


def polars_stream(frame: pl.DataFrame, compression: str = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)  # type: ignore[arg-type]
    return buffer.getvalue()


def pyarrow_stream(table: pa.Table, compression: str | None = None, rows: int = 50) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_stream(
        buffer, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)
    ) as writer:
        writer.write_table(table, max_chunksize=rows)
    return buffer.getvalue()


def pyarrow_file(table: pa.Table, compression: str | None = None, rows: int = 50) -> bytes:
    buffer = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression, unify_dictionaries=True)
    with pa.ipc.new_file(buffer, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return buffer.getvalue()


def feather_v2(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(table, buffer)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[], bytes]] = {
    "polars file": lambda: polars_file(FRAME),
    "polars file, zstd": lambda: polars_file(FRAME, "zstd"),
    "polars file, lz4": lambda: polars_file(FRAME, "lz4"),
    "polars stream": lambda: polars_stream(FRAME),
    "polars stream, zstd": lambda: polars_stream(FRAME, "zstd"),
    "pyarrow file": lambda: pyarrow_file(FRAME.to_arrow()),
    "pyarrow file, zstd": lambda: pyarrow_file(FRAME.to_arrow(), "zstd"),
    "pyarrow stream": lambda: pyarrow_stream(FRAME.to_arrow()),
    "pyarrow stream, lz4": lambda: pyarrow_stream(FRAME.to_arrow(), "lz4"),
    "feather v2": lambda: feather_v2(FRAME.to_arrow()),
}


@pytest.fixture
def read(tmp_path: Path):
    def reader(content: bytes, options: ReadOptions | None = None, name: str = "a.arrow") -> Table:
        path = tmp_path / name
        path.write_bytes(content)
        return read_table(path, options)

    return reader


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["a.arrow", "a.csv", "data"])
def test_both_formats_of_both_writers_are_read_whatever_their_name(read, writer: str, name: str) -> None:
    table = read(WRITERS[writer](), name=name)
    assert table.frame.equals(EXPECTED)
    assert (table.format, table.rows_read, table.frame.schema) == ("arrow", 120, EXPECTED.schema)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_is_cut_off_anywhere_is_refused(read, writer: str) -> None:
    whole = WRITERS[writer]()
    for length in range(8, len(whole), max(1, len(whole) // 25)):
        with pytest.raises(DataError):
            read(whole[:length])


def test_a_stream_that_is_cut_off_between_two_batches_is_refused(read) -> None:
    whole = pyarrow_stream(pa.table({"a": list(range(100))}))
    _, first, _ = [body for _, body in stream_messages(io.BytesIO(whole))]  # the schema and two batches
    cut = whole[: whole.index(b"\xff\xff\xff\xff", first)]
    assert pa.ipc.open_stream(cut).read_all().num_rows == 50  # which is what makes it dangerous
    with pytest.raises(DataError, match="cut off"):
        read(cut)


def test_what_follows_the_end_of_a_stream_is_refused(read) -> None:
    with pytest.raises(DataError, match="damaged"):
        read(pyarrow_stream(pa.table({"a": [1]})) + b"x")


def test_a_compressed_buffer_that_blows_up_is_refused_before_it_does(read) -> None:
    for whole in (
        pyarrow_stream(pa.table({"a": ["x" * 100_000_000]}), "zstd"),
        pyarrow_file(pa.table({"a": ["x" * 100_000_000]}), "zstd"),
    ):
        assert len(whole) < 50_000
        with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
            read(whole)


def test_a_dictionary_that_blows_up_is_refused(read) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int8()), pa.array(["x" * 1_000_000]))
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        read(pyarrow_stream(pa.table({"a": column}), rows=300))


def test_sizes_are_those_that_pyarrow_unpacks_to() -> None:
    table = pa.table({"a": list(range(1000)), "s": [f"text {i}" for i in range(1000)]})
    plain = sum(buffer.size for column in table.columns for buffer in column.chunk(0).buffers() if buffer)
    for stored, messages in (
        (pyarrow_stream(table, rows=1000), stream_messages),
        (pyarrow_stream(table, "zstd", 1000), stream_messages),
        (pyarrow_file(table, "lz4", 1000), file_messages),
    ):
        stream = io.BytesIO(stored)
        sizes = [unpacked_bytes(stream, metadata, body) for metadata, body in messages(stream)]
        assert plain - 64 <= sum(sizes) <= plain + 64  # offsets may be cut to what the batch needs


def test_the_limit_of_unpacked_bytes_is_kept(read) -> None:
    with pytest.raises(DataError, match="unpacks to more than 500 bytes"):
        read(
            polars_file(pl.DataFrame({"a": list(range(100))})), ReadOptions(limits=Limits(unpacked_bytes=500))
        )


def test_rows_set_aside_do_not_depend_on_batches(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([2**64 - 1 if i % 5 == 2 else i for i in range(60)], pa.uint64())})
    path = tmp_path / "a.arrows"
    for rows in (1, 7, 60):
        path.write_bytes(pyarrow_stream(table, rows=rows))
        scan = open_table(path, ReadOptions(on_error="reject"))
        assert [reject.row for reject in scan.rejects] == list(range(3, 61, 5))
        kept = pl.concat(list(scan.batches()))["a"].to_list()
        assert kept == [i for i in range(60) if i % 5 != 2]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(2), pa.binary_view()])
def test_bytes_are_kept(read, kind: pa.DataType) -> None:
    table = read(pyarrow_stream(pa.table({"a": pa.array([b"\xff\0", None], kind)})))
    assert (table.frame["a"].to_list(), table.frame["a"].dtype) == ([b"\xff\0", None], pl.Binary)


def test_run_ends_and_lists_of_what_json_has_not_are_refused_by_name(read) -> None:
    run_ends = pa.RunEndEncodedArray.from_arrays([1, 2], ["a", "b"])
    indices = pa.array([0, 0], pa.int32())
    for column in (
        run_ends,
        pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
        pa.array([[b"x"], None]),
        pa.array([[Decimal("1.5")], None]),
        pa.array([{"t": datetime(2024, 2, 29, tzinfo=UTC)}, None]),
        pa.array([[(1, "x")], None], pa.map_(pa.int64(), pa.string())),
        pa.StructArray.from_arrays([indices, indices], ["x", "x"]),
        pa.DictionaryArray.from_arrays(indices, pa.array([[1]])),
    ):
        with pytest.raises(DataError, match=r"Column 'a' has the type .*a table cannot hold"):
            read(pyarrow_stream(pa.table({"a": column})))


def test_no_rows_and_no_columns_are_refused(read) -> None:
    with pytest.raises(DataError, match="no rows"):
        read(pyarrow_stream(pa.table({"a": pa.array([], pa.int64())})))
    with pytest.raises(DataError, match=r"no rows|no columns"):
        read(pyarrow_stream(pa.table({})))


@settings(max_examples=75)
@given(st.data())
def test_no_bytes_crash_the_reader_or_lose_a_row(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.arrow"
    whole = WRITERS[data.draw(st.sampled_from(sorted(WRITERS)))]()
    at = data.draw(st.integers(8, len(whole) - 1))
    put = data.draw(st.binary(max_size=9))
    path.write_bytes(whole[:at] + put + whole[at + data.draw(st.sampled_from([0, 1, len(put), 20])) :])
    try:
        table = read_table(path, ReadOptions(on_error="reject"))
    except HokusaiError:
        return
    assert table.rows_read == table.frame.height + len(table.rejects) == 120


@settings(max_examples=40)
@given(st.binary(max_size=200), st.sampled_from([b"ARROW1\0\0", b"\xff\xff\xff\xff"]))
def test_random_bytes_behind_the_magic_are_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, magic: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.arrow"
    path.write_bytes(magic + noise)
    with pytest.raises(HokusaiError):
        read_table(path)
