"""A row's digest is that of its values, not of the types that hold them."""

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from hokusai.errors import SchemaError
from hokusai.pipeline.data import row_digests as module
from hokusai.pipeline.data.canonical_columns import canonical_columns, canonical_frame
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.utils import compiled

NOON = dt.datetime(2024, 7, 1, 12)


def digest(*cells, dtype=None, **options):
    """The digest of one column of cells, as hex."""
    return row_digests(pl.DataFrame({"c": pl.Series(cells, dtype=dtype, **options)})).tobytes().hex()


class TestSameValue:
    @pytest.mark.parametrize(
        "dtype",
        [pl.Int8, pl.Int16, pl.Int32, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.UInt128],
    )
    def test_in_an_integer_of_any_width(self, dtype):
        assert digest(7, None, dtype=dtype) == digest(7, None, dtype=pl.Int64)

    @pytest.mark.parametrize("dtype", [pl.Float16, pl.Float32])
    def test_in_a_float_of_any_width(self, dtype):
        assert digest(-0.375, float("inf"), None, dtype=dtype) == digest(-0.375, float("inf"), None)

    @pytest.mark.parametrize("unit", ["ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris", "America/St_Johns"])
    def test_of_a_moment_in_any_unit_and_zone(self, unit, zone):
        moments = pl.Series([NOON, None]).dt.replace_time_zone("UTC")
        moments = moments.dt.convert_time_zone(zone) if zone else moments.dt.replace_time_zone(None)
        assert digest(*moments, dtype=pl.Datetime(unit, zone)) == digest(NOON, None, dtype=pl.Datetime("us"))

    @pytest.mark.parametrize("unit", ["ms", "ns"])
    def test_of_a_duration_in_any_unit(self, unit):
        day = dt.timedelta(days=-1, milliseconds=5)
        assert digest(day, dtype=pl.Duration(unit)) == digest(day, dtype=pl.Duration("us"))

    @pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["b", "a"])])
    def test_of_a_label_as_text_or_category(self, dtype):
        assert digest("a", None, "b", dtype=dtype) == digest("a", None, "b")

    @pytest.mark.parametrize("dtype", [pl.Decimal(38, 9), pl.Decimal(9, 2)])
    def test_of_a_decimal_in_any_scale_as_its_double(self, dtype):
        numbers = (Decimal("1.50"), Decimal("-0.20"), Decimal(0), Decimal(100), None)
        assert digest(*numbers, dtype=dtype) == digest(1.5, -0.2, 0.0, 100.0, None)

    @pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
    def test_nan_is_missing_and_the_negative_zero_is_zero(self, dtype):
        odd = digest(float("nan"), -0.0, 1.0, dtype=dtype)
        assert odd == digest(None, 0.0, 1.0, dtype=pl.Float64)
        assert digest(-0.0, dtype=dtype) == digest(0.0)

    def test_of_a_column_without_a_type_is_missing_text(self):
        assert digest(None, None, dtype=pl.Null) == digest(None, None, dtype=pl.String)


class TestDifferentValue:
    def test_of_each_type_has_another_digest(self):
        ones = [
            digest(1),
            digest(1.0),
            digest("1"),
            digest(True),
            digest(b"1"),
            digest(1, dtype=pl.Date),
            digest(1, dtype=pl.Datetime("us")),
            digest(1, dtype=pl.Duration("us")),
            digest(1000, dtype=pl.Time),
        ]
        assert len(set(ones)) == len(ones)

    @pytest.mark.parametrize(
        ("one", "other", "dtype"),
        [
            ("", None, pl.String),
            (b"", None, pl.Binary),
            (0, None, pl.Int64),
            (0.0, None, pl.Float64),
            (False, None, pl.Boolean),
            (0, None, pl.Date),
            ("e\u0301", "\u00e9", pl.String),
            ("a", "a ", pl.String),
            ("a", "A", pl.String),
            (2**53, 2**53 + 1, pl.Int64),
            (0.1, 0.1 + 2**-55, pl.Float64),
            (5e-324, 0.0, pl.Float64),
        ],
    )
    def test_has_another_digest(self, one, other, dtype):
        assert digest(one, dtype=dtype) != digest(other, dtype=dtype)

    def test_text_that_moves_to_the_next_column_is_another_row(self):
        rows = pl.DataFrame({"a": ["xy", "x", "", None], "b": ["", "y", "xy", "xy"]})
        assert len(np.unique(row_digests(rows), axis=0)) == 4

    def test_the_name_of_a_column_counts(self):
        one, other = pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})
        assert row_digests(one).tobytes() != row_digests(other).tobytes()

    def test_names_that_join_to_the_same_text_are_told_apart(self):
        frames = [
            pl.DataFrame({"a": [1], "bi": [2]}),
            pl.DataFrame({"ai": [1], "b": [2]}),
            pl.DataFrame({"a\0i\nb": [1], "i": [2]}),
            pl.DataFrame({"a": [1], "b\0i\ni": [2]}),
        ]
        assert len({row_digests(frame).tobytes() for frame in frames}) == 4


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            (pl.Series([2**63, 1], dtype=pl.UInt64), "1 values of column 'c' are integers beyond 64 bits"),
            (pl.Series([-(2**70)], dtype=pl.Int128), "integers beyond 64 bits"),
            (
                pl.Series([Decimal("12345678901234567.89"), Decimal(1)]),
                "1 values of column 'c' are decimals of more",
            ),
            (pl.Series([1001, 1000], dtype=pl.Datetime("ns")), "1 values .* have parts of a microsecond"),
            (pl.Series([1], dtype=pl.Duration("ns")), "parts of a microsecond"),
            (pl.Series([999], dtype=pl.Time), "parts of a microsecond"),
            (pl.Series([-(2**63)], dtype=pl.Int64).cast(pl.Datetime("ms")), "beyond 290,000 years"),
            (pl.Series([[dt.date(2024, 1, 1)]]), "type List"),
            (pl.Series([{"a": [b"x"]}]), "type Struct"),
            (pl.Series([[1, 2]], dtype=pl.Array(pl.Int128, 2)), "type Array"),
            (
                pl.Series([[1.0], [float("inf")]]),
                "1 cells of .* in row 2 there is a number beyond",
            ),
            (pl.Series([{"n": 2**60}]), "an integer of 19 digits within a list or object"),
            (pl.Series([object()], dtype=pl.Object), "type Object"),
        ],
    )
    def test_what_has_no_canonical_form(self, values, problem):
        with pytest.raises(SchemaError, match=problem):
            row_digests(pl.DataFrame({"c": values}))

    def test_the_text_does_not_quote_the_values(self):
        with pytest.raises(SchemaError) as caught:
            row_digests(pl.DataFrame({"c": pl.Series([9223372036854775999], dtype=pl.UInt64)}))
        assert "9223372036854775999" not in str(caught.value)


class TestRows:
    def test_have_digests_that_do_not_depend_on_the_other_rows(self):
        frame = wide_frame(300)
        alone = [row_digests(frame[i : i + 1]).tobytes() for i in range(frame.height)]
        assert [digest.tobytes() for digest in row_digests(frame)] == alone

    @pytest.mark.parametrize(("batch", "cached"), [(7, 1), (64, 1), (100, 1 << 18)])
    def test_have_the_same_digests_however_they_are_worked_off(self, monkeypatch, batch, cached):
        frame = wide_frame(300)
        expected = row_digests(frame)
        monkeypatch.setattr(module, "_BATCH_ROWS", batch)
        monkeypatch.setattr(module, "_CACHED_BYTES", cached)
        assert (row_digests(frame) == expected).all()

    def test_have_the_same_digests_by_machine_code_wherever_they_lie_in_memory(self, monkeypatch):
        rows = wide_frame(700)
        whole = rows.with_columns(pl.all().fill_null(strategy="forward").name.suffix(" without gaps"))
        texts = ["", "é", "a" * 12, "b" * 13, "c" * 300, None]
        frames = [
            whole[3:],
            whole[11:300],
            pl.concat([whole[:100], whole[100:101], whole[333:]], rechunk=False),
            whole.filter(pl.int_range(pl.len()) % 3 == 1),
            whole.clear(),
            pl.DataFrame(
                {
                    "t": texts,
                    "x": [None if t is None else t.encode() for t in texts],
                    "n": pl.Series([None] * 6),
                }
            ),
            pl.DataFrame({f"c{i:02d}": [i % 3 == 0, None] for i in range(21)}),
        ]
        expected = [row_digests(frame) for frame in frames]
        monkeypatch.setattr(compiled, "pays", lambda _work: True)
        monkeypatch.setattr(module, "_COMPILED_ROWS", 260)
        assert [row_digests(frame).tobytes() for frame in frames] == [one.tobytes() for one in expected]

    def test_may_come_in_several_chunks_of_memory(self):
        frame = wide_frame(300)
        chunked = pl.concat([frame[:100], frame[100:101], frame[101:]], rechunk=False)
        assert (row_digests(chunked) == row_digests(frame)).all()

    def test_none_have_no_digests(self):
        assert row_digests(pl.DataFrame()).shape == (0, 32)
        assert row_digests(wide_frame(0)).shape == (0, 32)

    def test_of_more_columns_than_a_byte_has_bits(self):
        frame = pl.DataFrame({f"c{i:02d}": [i, None] if i % 2 else [None, i] for i in range(21)})
        found = row_digests(frame)
        swapped = row_digests(frame.reverse())
        assert (found == swapped[::-1]).all()
        assert (found[0] != found[1]).any()

    def test_do_not_depend_on_the_order_of_thousands_of_columns(self):
        names = [f"c{i}" for i in range(2000)]
        frame = pl.DataFrame({name: [1, None] for name in names})
        assert (row_digests(frame) == row_digests(frame.select(names[::-1]))).all()


def test_canonical_columns_stand_in_the_order_of_their_bytes():
    frame = pl.DataFrame({name: [1] for name in ("é", "z", "Z", "", "\U0001f600", "\uffff")})
    assert [c.name for c in canonical_columns(frame.schema)] == ["", "Z", "z", "é", "\uffff", "\U0001f600"]
    assert canonical_frame(frame).columns == ["", "Z", "z", "é", "\uffff", "\U0001f600"]


def wide_frame(n_rows):
    """Rows with a column of every kind, each with gaps."""
    rng = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "flag": rng.random(n_rows) < 0.5,
            "count": rng.integers(-(2**62), 2**62, n_rows),
            "score": rng.normal(size=n_rows),
            "day": pl.Series(rng.integers(0, 20_000, n_rows)).cast(pl.Int32).cast(pl.Date),
            "at": pl.Series(rng.integers(0, 10**15, n_rows)).cast(pl.Datetime("us", "UTC")),
            "text": [f"row {i} " * int(i % 4) for i in range(n_rows)],
            "label": pl.Series([("a", "b", "c")[i % 3] for i in range(n_rows)], dtype=pl.Categorical()),
            "blob": pl.Series([bytes([i % 256]) * int(i % 3) for i in range(n_rows)], dtype=pl.Binary),
        }
    )
    gaps = pl.Series(rng.random(n_rows) < 0.2)
    return frame.with_columns(
        pl.when(gaps.shift(i, fill_value=False)).then(None).otherwise(pl.col(name)).alias(name)
        for i, name in enumerate(frame.columns)
    )
