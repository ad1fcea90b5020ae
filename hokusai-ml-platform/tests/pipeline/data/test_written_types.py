"""A file of any format gives back the hash of what was written, by itself or with its manifest; it is said which."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai.domain.canonical import digest
from hokusai.domain.manifest import MANIFEST_VERSION
from hokusai.errors import DataError, InvalidInputError, SchemaError
from hokusai.pipeline.data.column_states import dtype_name
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.pipeline.data.told_types import ToldTypes, TypedFiles
from hokusai.pipeline.data.writers import writing
from hokusai.pipeline.data.written_types import WrittenTypes
from hokusai.privacy.policy import PiiAction, PiiPolicy

TEXTS = ("csv", "tsv", "json", "jsonl", "csv.gz", "tsv.zst", "json.gz", "jsonl.zst")
FORMATS = (*TEXTS, "parquet", "arrow")

TEXT_POOLS = (
    ["1", "-7", "0", "9" * 18], ["9" * 19, "1"], ["123456789012345678", "0.5"], ["007", "10115"], ["1.5", "1e5", "2"],
    ["1e999", "1.0"], ["1e-999", "1.0"], ["5e-324"], ["true", "FALSE"], ["2024-02-29"], ["2023-02-29", "2024-01-01"],
    ["2024-01-01 10:00:00", "2024-01-01T10:00:00.5"], ["10:00:00", "23:59:59.999999"], [""], ["NaN", "1"], ["-0"],
    ["a\rb", "a\nb", 'q"', " x ", "€", "#", "a;b"], ["[1]", '{"a": 1}'], ["-", "1"], ["PT1S"], ["1,5", "2,25"],
    ["0001-01-01", "9999-12-31"], ["1", "x"], [".5"],
)  # fmt: skip
TYPED = (
    (pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    (pl.UInt8(), st.integers(0, 255)),
    (pl.Float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pl.Float32(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    (pl.Boolean(), st.booleans()),
    (pl.Date(), st.dates()),
    (pl.Datetime("us"), st.datetimes()),
    (pl.Time(), st.times()),
)
NAMES = ("a", "2019", "*", "^a.*$", "sep=;", "true", "#x", "1,5")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _file: None)  # the disk is not what is tested


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """From one to three rows of nasty columns."""
    height = draw(st.integers(1, 3))
    columns = {"2020": pl.Series(range(height))}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        texts = st.sampled_from(TEXT_POOLS).map(lambda pool: (pl.String(), st.sampled_from(pool)))
        dtype, values = draw(texts | st.sampled_from(TYPED))
        cells = draw(st.lists(st.none() | values, min_size=height, max_size=height))
        columns[name] = pl.Series(cells, dtype=dtype)
    return pl.DataFrame(columns)


def write(rows: pl.DataFrame, path: Path, *, batch_rows: int = 2) -> tuple[str, ...]:
    """Write a file and its manifest; gives what the writer noted."""
    with writing(path, dict(rows.schema)) as writer:
        for batch in rows.iter_slices(batch_rows):
            writer.write(batch)
    types = {name: dtype_name(dtype) for name, dtype in rows.schema.items()}
    roots = dataset_hash(rows)
    manifest: dict[str, object] = {"version": MANIFEST_VERSION, "dtypes": types, "hash": roots.to_dict()}
    manifest |= {"data_hash": roots.data_hash, "row_count": roots.rows}
    path.with_name("manifest.json").write_text(json.dumps({**manifest, "manifest_digest": digest(manifest)}))
    return writer.notes()


def hash_of(path: Path, told: ToldTypes) -> str:
    files = TypedFiles([path], ReadOptions(), told)
    files.require_told()
    return dataset_hash(pl.concat(files.batches())).data_hash


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables(), suffix=st.sampled_from(FORMATS), batch_rows=st.integers(1, 3))
def test_a_file_has_the_hash_of_what_was_written_or_it_is_said_that_it_needs_its_manifest(
    tmp_path: Path, rows: pl.DataFrame, suffix: str, batch_rows: int
) -> None:
    path = tmp_path / f"out.{suffix}"
    noted = write(rows, path, batch_rows=batch_rows)
    told = ToldTypes.of_manifest(tmp_path / "manifest.json")
    assert hash_of(path, told) == told.data_hash
    assert (hash_of(path, ToldTypes()) == told.data_hash) is not bool(noted)


@pytest.mark.parametrize("suffix", FORMATS)
def test_cleaning_says_which_columns_need_the_manifest(tmp_path: Path, suffix: str) -> None:
    rows = pl.DataFrame(
        {
            "zip": ["10115", "20095"],
            "at": [dt.datetime(2024, 1, 1), None],
            "opens": [dt.time(9), dt.time(9, 0, 0, 5)],
            "later": pl.Series([None, None], dtype=pl.Int64),
            "x": pl.Series([0.1, 0.5], dtype=pl.Float32),
        }
    )
    rows.write_parquet(tmp_path / "in.parquet")
    out = tmp_path / f"out.{suffix}"
    recipe = Recipe(pii=None, quality=False)
    manifest = integrate_files(tmp_path / "in.parquet", out, recipe=recipe).manifest
    (tmp_path / "m.json").write_text(json.dumps(manifest.to_dict()))
    told = ToldTypes.of_manifest(tmp_path / "m.json")
    assert hash_of(out, told) == manifest.hash.data_hash == dataset_hash(rows).data_hash
    notes = [note for note in manifest.notes if "does not say its types" in note]
    if suffix not in TEXTS:
        assert notes == []
        return
    zip_or_time = (
        "'zip' would be integers" if suffix[:3] in ("csv", "tsv") else "'at' would be text and not times"
    )
    found = (
        zip_or_time,
        "'opens' would be text and not times of day",
        "'later' would be text and not integers",
    )
    assert all(what in notes[0] for what in (*found, "--manifest"))
    assert "'x'" not in notes[0]


def test_many_columns_are_counted() -> None:
    rows = pl.DataFrame({f"c{i}": ["1"] for i in range(30)})
    written = WrittenTypes(rows.schema, delimited=True)
    written.see(rows)
    assert "'c9' would be integers and not text, and so on, 30 columns in all." in written.notes()[0]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([b"a", None], "Column 'v' holds bytes"),
        ([dt.timedelta(1), None], "Column 'v' holds durations"),
        ([1.0, float("-inf")], "Column 'v' has 1 infinite number"),
        (pl.Series([float("inf")] * 2, dtype=pl.Float32), "Column 'v' has 2 infinite numbers"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv.gz", "json", "jsonl"])
def test_what_text_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path: Path, suffix: str, values: object, found: str
) -> None:
    rows = pl.DataFrame({"n": [1, 2], "v": values})
    rows.write_parquet(tmp_path / "in.parquet")
    out = tmp_path / f"out.{suffix}"
    with pytest.raises(InvalidInputError, match=f"{found}, which CSV and JSON cannot hold") as refused:
        integrate_files(tmp_path / "in.parquet", out, recipe=Recipe(pii=None))
    assert "Write .parquet or .arrow" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_infinite_numbers_bytes_and_durations_go_through(tmp_path: Path, suffix: str) -> None:
    rows = pl.DataFrame(
        {
            "id": range(60),
            "x": [float("inf"), float("-inf"), 0.5] * 20,
            "all": [float("inf")] * 60,
            "narrow": pl.Series([float("inf"), 0.1, None] * 20, dtype=pl.Float32),
            "blob": [b"\xff\0", b"", None] * 20,
            "took": [dt.timedelta(seconds=1), dt.timedelta(-1), None] * 20,
            "label": [0, 1] * 30,
        }
    )
    rows.write_parquet(tmp_path / "in.parquet")
    out = tmp_path / f"out.{suffix}"
    recipe = Recipe(target="label", pii=PiiPolicy(default=PiiAction.MASK))
    done = integrate_files(tmp_path / "in.parquet", out, base=tmp_path / "in.parquet", recipe=recipe)
    assert done.manifest.rows.duplicates == 60
    done = integrate_files(tmp_path / "in.parquet", out, recipe=recipe, memory_budget_bytes=1)
    assert done.manifest.hash == dataset_hash(rows)
    assert hash_of(out, ToldTypes()) == done.manifest.hash.data_hash
    ranges = done.manifest.content()["ranges"]
    assert ranges["x"] == {"min": 0.5, "max": 0.5}
    assert "all" not in ranges  # no finite number
    json.dumps(done.manifest.to_dict(), allow_nan=False)
    (tmp_path / "m.json").write_text(json.dumps(done.manifest.to_dict()))
    assert hash_of(out, ToldTypes.of_manifest(tmp_path / "m.json")) == done.manifest.hash.data_hash


class TestTold:
    def test_a_file_that_is_no_manifest_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "m.json"
        for content in (
            "[]",
            "{}",
            '{"dtypes": {"a": "int64"}}',
            f'{{"version": "{MANIFEST_VERSION}", "dtypes": 1}}',
        ):
            path.write_text(content)
            with pytest.raises(DataError, match=f"no {MANIFEST_VERSION} manifest"):
                ToldTypes.of_manifest(path)
        path.write_text(f'{{"version": "{MANIFEST_VERSION}", "dtypes": {{"a": "list", "b": ["int64"]}}}}')
        with pytest.raises(DataError, match="types that are not known: "):
            ToldTypes.of_manifest(path)

    def test_a_column_that_cannot_be_what_was_told_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("n,t\n1.50,later\n")
        with pytest.raises(SchemaError, match=r"Column 'n' holds numbers, and durations by m\.json"):
            hash_of(path, ToldTypes({"n": "u"}, "m.json"))
        with pytest.raises(
            DataError, match="Column 't' must hold times of day, as which 1 value cannot be read"
        ):
            hash_of(path, ToldTypes({"t": "h"}, "m.json"))
        with pytest.raises(DataError, match="expected a whole number"):
            hash_of(path, ToldTypes({"n": "i"}, "m.json"))
