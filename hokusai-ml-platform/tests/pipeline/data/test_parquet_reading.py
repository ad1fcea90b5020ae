"""Parquet: what a table holds of it, what it does not, damage and bombs."""

import datetime as dt
import io
import struct
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hokusai.errors import DataError, HokusaiError
from hokusai.pipeline.data import arrow_columns, parquet_reading
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.decimals import arrow_as_doubles, as_doubles
from hokusai.pipeline.data.reading import Table, open_table, read_table
from hokusai.pipeline.data.scan import Limits, ReadOptions

REJECT = ReadOptions(on_error="reject")


@pytest.fixture
def read(tmp_path: Path):
    def reader(content: pl.DataFrame | pa.Table | bytes, options: ReadOptions | None = None) -> Table:
        path = tmp_path / "a.parquet"
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            parquet.write_table(content, path, coerce_timestamps=None)
        return read_table(path, options)

    return reader


def stored(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


class TestDamage:
    def test_a_file_that_is_cut_off(self, read) -> None:
        whole = stored(pl.DataFrame({"a": list(range(1000))}))
        for length in (4, 8, 100, len(whole) // 2, len(whole) - 1):
            with pytest.raises(DataError, match="cut off"):
                read(whole[:length])

    def test_a_false_magic_at_both_ends(self, read) -> None:
        with pytest.raises(DataError, match="damaged"):
            read(b"PAR1" + b"x" * 40 + struct.pack("<i", 20) + b"PAR1")

    def test_a_footer_that_states_other_rows(self, read) -> None:
        whole = stored(pl.DataFrame({"a": list(range(1000))}))
        thousand, other = b"\x16\xd0\x0f", b"\x16\xd2\x0f"  # 1,000 and 1,001 as Thrift writes them
        places = [at for at in range(len(whole)) if whole.startswith(thousand, at)]
        refused = 0
        for at in places:
            try:
                table = read(whole[:at] + other + whole[at + 3 :])
            except DataError:
                refused += 1
            else:
                assert table.frame["a"].to_list() == list(range(1000))
        assert refused

    def test_flipped_bits_never_end_in_a_panic_or_lose_a_row(self, read) -> None:
        whole = stored(pl.DataFrame({"a": ["x"] * 50, "b": [1.5] * 50, "c": list(range(50))}))
        for at in range(4, len(whole) - 4, 23):
            broken = bytearray(whole)
            broken[at] ^= 0xFF
            try:
                table = read(bytes(broken))
            except HokusaiError:
                continue
            assert table.rows_read == table.frame.height

    @settings(max_examples=40)
    @given(st.data())
    def test_no_bytes_crash_the_reader(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "fuzzed.parquet"
        whole = stored(pl.DataFrame({"a": [1, None, 3], "s": ["x", "y", None]}))
        at = data.draw(st.integers(4, len(whole) - 5))
        put = data.draw(st.binary(min_size=1, max_size=8))
        path.write_bytes(whole[:at] + put + whole[at + data.draw(st.integers(0, 8)) :])
        try:
            table = read_table(path, REJECT)
        except HokusaiError:
            return
        assert table.rows_read == table.frame.height + len(table.rejects)

    def test_no_rows(self, read) -> None:
        with pytest.raises(DataError, match="no rows"):
            read(pl.DataFrame({"a": []}, schema={"a": pl.Int64}))


class TestTypes:
    def test_what_a_table_holds(self, read) -> None:
        frame = pl.DataFrame(
            {
                "nan": pl.Series([1.5, float("nan"), None]),
                "small": pl.Series([1, 2, 3], dtype=pl.Int8),
                "unsigned": pl.Series([1, 2, 3], dtype=pl.UInt64),
                "category": pl.Series(["x", "y", None], dtype=pl.Categorical),
                "kind": pl.Series(["x", "y", "x"], dtype=pl.Enum(["x", "y"])),
                "nothing": pl.Series([None, None, None], dtype=pl.Null),
                "price": pl.Series([Decimal("1.25"), None, Decimal("3.50")]),
                "day": [dt.date(2024, 1, 1), None, dt.date(1, 1, 1)],
                "flag": [True, None, False],
            }
        )
        table = read(frame)
        assert table.frame.rows() == [
            (1.5, 1, 1, "x", "x", None, 1.25, dt.date(2024, 1, 1), True),
            (None, 2, 2, "y", "y", None, None, None, None),
            (None, 3, 3, None, "x", None, 3.5, dt.date(1, 1, 1), False),
        ]
        assert table.frame.dtypes == [
            pl.Float64, pl.Int8, pl.Int64, pl.String, pl.String, pl.String, pl.Float64, pl.Date, pl.Boolean,
        ]  # fmt: skip
        assert table.notes == ("Column 'price' is Decimal(38, 2) and was converted to doubles",)

    @pytest.mark.parametrize("kind", [pa.time32("ms"), pa.time64("us"), pa.time64("ns")])
    def test_times_of_day_are_read_to_the_microsecond(self, read, kind: pa.DataType) -> None:
        times = [dt.time(23, 59, 59, 999_000), None, dt.time(0)]
        table = read(pa.table({"t": pa.array(times, kind)}))
        assert table.frame["t"].to_list() == times
        assert dataset_hash(table.frame) == dataset_hash(pl.DataFrame({"t": times}))

    def test_a_time_of_day_finer_than_a_microsecond_is_set_aside(self, read) -> None:
        table = read(pa.table({"t": pa.array([1_000, 1_001, None], pa.time64("ns"))}), REJECT)
        assert table.frame["t"].to_list() == [dt.time(0, 0, 0, 1), None]
        assert [(r.row, r.detail) for r in table.rejects] == [(2, "a time of day finer than a microsecond")]

    @pytest.mark.parametrize("unit", ["ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
    def test_times_become_microseconds_of_utc(self, read, unit: str, zone: str | None) -> None:
        noon = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC if zone else None)
        table = read(pa.table({"t": pa.array([noon, None], pa.timestamp(unit, zone))}))
        assert table.frame["t"].to_list() == [dt.datetime(2024, 7, 1, 12), None]
        assert table.frame["t"].dtype == pl.Datetime("us")
        assert len(table.notes) == bool(zone)

    @pytest.mark.parametrize(
        ("array", "pattern"),
        [
            (pa.array([[b"x"], None]), "'a' has the type list<element: binary>"),
            (pa.array([{"x": b"1"}]), "'a' has the type struct"),
        ],
    )
    def test_columns_that_it_does_not_hold_are_refused_by_name(
        self, read, array: pa.Array, pattern: str
    ) -> None:
        for options in (None, REJECT):
            with pytest.raises(DataError, match=pattern):
                read(pa.table({"a": array}), options)

    @pytest.mark.parametrize(
        ("array", "detail"),
        [
            (pa.array([1, None, 2**64 - 1], pa.uint64()), "an integer beyond 64 bits"),
            (pa.array([1000, None, -1001], pa.duration("ns")), "a duration finer than a microsecond"),
            (pa.array([0, None, 2**62], pa.duration("s")), "a duration beyond 290,000 years"),
            (pa.array([1000, None, 1001], pa.timestamp("ns")), "a time finer than a microsecond"),
            (pa.array([0, None, 2**62], pa.timestamp("us")), "a time before the year 1 or after 9999"),
            (pa.array([0, None, -(2**60)], pa.timestamp("ms")), "a time before the year 1 or after 9999"),
            (pa.array([0, None, 3_000_000], pa.date32()), "a time before the year 1 or after 9999"),
            (
                pa.array([Decimal(1), None, Decimal("12345678901234567.89")], pa.decimal128(20, 2)),
                "more digits than a double holds",
            ),
            (
                pa.array([Decimal(5), None, Decimal("999999999999999999")], pa.decimal128(18, 0)),
                "more digits than a double holds",
            ),
            (
                pa.array([Decimal("1.0"), None, Decimal("9999999999999999.9")], pa.decimal128(17, 1)),
                "more digits than a double holds",
            ),
            (
                pa.array([Decimal("1.0"), None, Decimal("1234567890." + "1" * 30)], pa.decimal256(60, 30)),
                "more digits than a double holds",
            ),
        ],
    )
    def test_values_that_it_cannot_keep_are_faults_of_their_rows(
        self, read, array: pa.Array, detail: str
    ) -> None:
        content = pa.table({"a": array, "b": ["x", "y", "z"]})
        with pytest.raises(DataError, match=f"1 value cannot be kept: column 'a', row 3 holds {detail}"):
            read(content)
        table = read(content, REJECT)
        assert [(r.row, r.column, r.reason, r.detail) for r in table.rejects] == [
            (3, "a", "value that is not kept", detail)
        ]
        assert (table.rows_read, table.frame["b"].to_list()) == (3, ["x", "y"])
        assert table.frame["a"].null_count() == 1

    @given(st.integers(1, 38), st.data())
    @settings(max_examples=40)
    def test_decimals_are_the_doubles_that_are_written_like_them_or_faults(
        self, precision: int, data
    ) -> None:
        scale = data.draw(st.integers(0, precision))
        digits = st.integers(0, precision).flatmap(lambda n: st.integers(-(10**n) + 1, 10**n - 1))
        values = [Decimal(one).scaleb(-scale) for one in data.draw(st.lists(digits, min_size=1, max_size=20))]
        decimals = pl.Series("c", values, dtype=pl.Decimal(precision, scale))
        doubles, lost = as_doubles(decimals)
        for value, double, is_lost in zip(values, doubles.to_list(), lost.to_list(), strict=True):
            held = Decimal(repr(float(value))) == value
            assert (double, is_lost) == ((float(value), False) if held else (None, True)), value
        wide = arrow_as_doubles(pa.array(values, pa.decimal256(precision, scale)))
        assert [found.to_list() for found in wide] == [doubles.to_list(), lost.to_list()]

    def test_decimals_have_the_hash_that_they_have_in_memory(self, read) -> None:
        prices = pa.array([Decimal("1.50"), None, Decimal(7)], pa.decimal128(9, 2))
        memory = pl.DataFrame({"price": pl.from_arrow(prices)})
        for array in (prices, prices.cast(pa.decimal256(50, 4))):
            assert dataset_hash(read(pa.table({"price": array})).frame) == dataset_hash(memory)
        assert dataset_hash(memory) == dataset_hash(pl.DataFrame({"price": [1.5, None, 7.0]}))

    def test_values_of_a_dictionary_too(self, read) -> None:
        column = pa.array([1, 2**64 - 1, 2, 2**64 - 1], pa.uint64()).dictionary_encode()
        table = read(pa.table({"a": column, "b": [1, 2, 3, 4]}), REJECT)
        assert table.frame.rows() == [(1, 1), (2, 3)]

    def test_infinite_numbers_bytes_and_durations_are_kept(self, read) -> None:
        content = pa.table(
            {
                "x": [float("inf"), float("-inf"), float("nan")],
                "narrow": pa.array([float("inf"), 0.5, None], pa.float32()),
                "b": [b"\xff\0", b"", None],
                "coded": pa.array([b"a", b"a", None]).dictionary_encode(),
                **{unit: pa.array([-2_000_000, 0, None], pa.duration(unit)) for unit in ("s", "ms", "us")},
                "ns": pa.array([-2_000_000, 0, None], pa.duration("ns")),
            }
        )
        frame = read(content, REJECT).frame
        assert frame["x"].to_list() == [float("inf"), float("-inf"), None]
        assert frame["narrow"].to_list() == [float("inf"), 0.5, None]
        assert frame["b"].to_list() == [b"\xff\0", b"", None]
        assert frame["coded"].to_list() == [b"a", b"a", None]
        for unit, seconds in (("s", 2e6), ("ms", 2e3), ("us", 2), ("ns", 2e-3)):
            assert frame[unit].to_list() == [dt.timedelta(seconds=-seconds), dt.timedelta(0), None]
            assert frame[unit].dtype == pl.Duration("us")
        for column in ("x", "b", "s", "ns"):  # what the hash stands for does not change on the way
            direct = pl.DataFrame(content.select([column]))
            assert dataset_hash(direct) == dataset_hash(frame.select(column))

    def test_infinite_numbers_are_kept_where_a_column_was_said_to_be_of_numbers(self, read) -> None:
        table = read(
            pa.table({"x": pa.array([float("inf"), 0.5], pa.float32())}), ReadOptions(types={"x": "float"})
        )
        assert (table.frame["x"].to_list(), table.frame["x"].dtype) == ([float("inf"), 0.5], pl.Float64)

    def test_columns_without_a_name_or_with_anothers(self, read) -> None:
        with pytest.raises(DataError, match="no name"):
            read(pl.DataFrame({" ": [1]}))
        with pytest.raises(DataError, match="same name: 'a'"):
            read(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))

    def test_more_columns_than_the_limit(self, read) -> None:
        with pytest.raises(DataError, match="3 columns, more than 2"):
            read(pl.DataFrame({"a": [1], "b": [1], "c": [1]}), ReadOptions(limits=Limits(columns=2)))


class TestTypesThatWereTold:
    def test_values_are_converted(self, read) -> None:
        frame = pl.DataFrame(
            {
                "i": [2.0, None],
                "f": [1, 2],
                "d": ["2024-02-29", None],
                "t": [dt.date(2024, 1, 1)] * 2,
                "s": ["x", "1"],
            }
        )
        types = {"i": "integer", "f": "float", "d": "date", "t": "datetime", "s": "text"}
        midnight = dt.datetime(2024, 1, 1)
        assert read(frame, ReadOptions(types=types)).frame.rows() == [
            (2, 1.0, dt.date(2024, 2, 29), midnight, "x"), (None, 2.0, None, midnight, "1"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([1, 2], "text"), ([1.0, 2.5], "integer"), ([1, 2**53 + 1], "float"), (["2024-01-01", "1/2/24"], "date"),
            (["2024-01-01", "2024-02-30"], "date"), ([None, 1], "boolean"), ([None, "x"], "empty"),
        ],
    )  # fmt: skip
    def test_values_that_do_not_fit_are_faults(self, read, values: list[object], kind: str) -> None:
        frame = pl.DataFrame({"a": values, "b": [1, 2]})
        with pytest.raises(DataError, match=r"row 2 has wrong type \(expected "):
            read(frame, ReadOptions(types={"a": kind}))
        rejects = read(frame.vstack(pl.DataFrame({"a": [None], "b": [3]}, schema=frame.schema)),
                       ReadOptions(types={"a": kind}, on_error="reject")).rejects  # fmt: skip
        assert (rejects[-1].row, rejects[-1].reason) == (2, "wrong type")

    @pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32])
    @pytest.mark.parametrize("kind", ["integer", "float"])
    def test_every_width_of_integers_fits(self, read, dtype: type[pl.DataType], kind: str) -> None:
        frame = pl.DataFrame({"a": [1, None, 127]}, schema={"a": dtype})
        found = read(frame, ReadOptions(types={"a": kind})).frame["a"]
        assert found.to_list() == [1, None, 127]
        assert found.dtype == {"integer": pl.Int64, "float": pl.Float64}[kind]

    def test_text_is_read_as_a_schema_reads_it(self, read) -> None:
        frame = pl.DataFrame({"n": ["7", "", None], "x": ["1.5", "2", ""], "b": ["TRUE", "false", ""]})
        types = {"n": "integer", "x": "float", "b": "boolean"}
        assert read(frame, ReadOptions(types=types)).frame.rows() == [
            (7, 1.5, True), (None, 2.0, False), (None, None, None),
        ]  # fmt: skip


class TestSize:
    def test_a_dictionary_that_blows_up_is_refused_before_it_does(self, read) -> None:
        content = pa.table({"a": pa.array(["x" * 1_000_000] * 300)})
        buffer = io.BytesIO()
        parquet.write_table(content, buffer, compression="zstd")
        assert len(buffer.getvalue()) < 5_000
        with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
            read(buffer.getvalue())

    def test_a_footer_that_states_too_much_is_refused(self, read) -> None:
        content = pl.DataFrame({"a": ["x" * 1000] * 100})
        with pytest.raises(DataError, match="unpacks to more than 10,000 bytes"):
            read(content, ReadOptions(limits=Limits(unpacked_bytes=10_000)))

    def test_batches_are_bounded_and_their_cuts_change_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.parquet"
        frame = pl.DataFrame({"t": [f"{i:0100}" for i in range(500)], "i": range(500)})
        frame.write_parquet(path, row_group_size=120)
        for limit in (150, 4_000, 1 << 20):
            monkeypatch.setattr(arrow_columns, "BATCH_BYTES", limit)
            monkeypatch.setattr(parquet_reading, "BATCH_BYTES", limit)
            batches = list(open_table(path).batches())
            assert pl.concat(batches).equals(frame)
            assert all(batch.height == 1 or batch.height * 109 <= limit for batch in batches)

    def test_rows_set_aside_do_not_depend_on_row_groups(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        values = pl.Series([2**64 - 1 if i % 7 == 3 else i for i in range(100)], dtype=pl.UInt64)
        for size in (1, 9, 100):
            pl.DataFrame({"a": values}).write_parquet(path, row_group_size=size)
            table = read_table(path, REJECT)
            assert [reject.row for reject in table.rejects] == [i + 1 for i in range(100) if i % 7 == 3]
            assert table.frame["a"].to_list() == [i for i in range(100) if i % 7 != 3]


def test_a_file_that_changes_between_the_passes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2]}).write_parquet(path)
    scan = open_table(path)
    pl.DataFrame({"a": [1, 3, 4]}).write_parquet(path)
    with pytest.raises(DataError, match="changed while it was being read"):
        list(scan.batches())
