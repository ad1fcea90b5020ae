"""`DataIntegrator`: tables of any kind through every step, and an account that follows them."""

from __future__ import annotations

import gc
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from hokusai.domain.manifest import RowAccount
from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import ConfigurationError, InvalidInputError, SchemaError
from hokusai.pipeline.data import DataIntegrator
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.provided import provide_tokenizer
from hokusai.privacy.tokens import Tokenizer

TOKENIZER = Tokenizer(bytes(range(32)))
ROWS = {
    "query_id": [1, 2, 2, 3],
    "note": ["hi", "write ada@example.org", "write ada@example.org", "x"],
    "label": ["a", "b", "b", None],
}


@pytest.fixture(params=["polars", "pandas", "lazy"])
def data(request: pytest.FixtureRequest) -> Any:
    if request.param == "pandas":
        return pd.DataFrame(ROWS)
    return pl.LazyFrame(ROWS) if request.param == "lazy" else pl.DataFrame(ROWS)


@pytest.fixture
def integrator() -> DataIntegrator:
    return DataIntegrator(random_seed=42, tokenizer=TOKENIZER)


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    if isinstance(table, pl.DataFrame):
        return table.rows()
    values = table.astype(object).where(table.notna(), None)
    return [tuple(row) for row in values.itertuples(index=False)]


class TestTables:
    def test_categories_stay_where_nothing_of_the_column_is_personal(
        self, integrator: DataIntegrator
    ) -> None:
        rows = pd.DataFrame({"size": ["S", "L"], "note": ["x", "to ada@example.org"]}, dtype="category")
        clean = integrator.remove_pii(rows)
        assert isinstance(clean["size"].dtype, pd.CategoricalDtype)
        assert not isinstance(clean["note"].dtype, pd.CategoricalDtype)

    def test_of_each_kind_come_back_as_what_they_were(self, integrator: DataIntegrator, data: Any) -> None:
        token = TOKENIZER.token("email", "ada@example.org")
        assert integrator.validate_schema(data, ["query_id", "label"]) is True
        clean = integrator.remove_pii(data)
        kept = integrator.deduplicate(clean)
        merged = integrator.merge_datasets(data, kept, "append")
        assert {type(clean), type(kept), type(merged)} == {type(data)}
        assert rows_of(kept) == [(1, "hi", "a"), (2, f"write {token}", "b"), (3, "x", None)]
        assert rows_of(merged) == rows_of(data) + rows_of(kept)

    @pytest.mark.parametrize(
        "step",
        ["deduplicate", "calculate_data_hash", "create_data_manifest", "assess_quality", "assess_quality f"],
    )
    def test_with_lists_that_json_does_not_have_are_refused_in_words(
        self, integrator: DataIntegrator, step: str
    ) -> None:
        data = pl.DataFrame({"id": [1, 2], "f": [[date(2024, 1, 1)], []]})
        method, *target = step.split()
        with pytest.raises(SchemaError, match=r"Column 'f' is of type .*store the values as text"):
            getattr(integrator, method)(data, *target)

    def test_with_decimals_are_what_a_file_of_them_is(
        self, integrator: DataIntegrator, tmp_path: Path
    ) -> None:
        rows = pl.DataFrame({"price": ["1.50", None, "7.00"]}).cast(pl.Decimal(38, 2))
        rows.write_parquet(tmp_path / "in.parquet")
        told, of_file = (
            integrator.manifest(table).to_dict()
            for table in (rows, integrator.load_data(tmp_path / "in.parquet"))
        )
        for name in ("hash", "dtypes", "ranges", "unique_counts", "null_counts", "quality"):
            assert told[name] == of_file[name], name
        with pytest.raises(SchemaError, match="1 values of column 'price' are decimals of more digits"):
            integrator.dataset_hash(pl.DataFrame({"price": ["12345678901234567.89"]}).cast(pl.Decimal(38, 2)))

    @pytest.mark.parametrize("kind", ["pandas", "polars"])
    def test_with_lists_and_objects_are_what_a_file_of_them_is(
        self, integrator: DataIntegrator, tmp_path: Path, kind: str
    ) -> None:
        rows = pl.DataFrame(
            {
                "id": [1, 2, 2, 3, 4],
                "tags": [["a", None], ["b"], ["b"], [], None],
                "meta": [
                    {"n": 1.0, "who": "x"},
                    {"n": 2.5, "who": None},
                    {"n": 2.5, "who": None},
                    None,
                    None,
                ],
                "vector": pl.Series(
                    [[0.5, 1], [2, 3], [2, 3], [4, 5], [6, 7]], dtype=pl.Array(pl.Float32, 2)
                ),
            }
        )
        rows.write_parquet(tmp_path / "a.parquet")
        read = integrator.load_data(tmp_path / "a.parquet")
        table = rows.to_pandas() if kind == "pandas" else rows
        assert integrator.calculate_data_hash(table) == integrator.calculate_data_hash(read)
        once = integrator.deduplicate(table)
        assert list(once["id"]) == [1, 2, 3, 4]
        assert list(list(once["tags"])[1]) == ["b"]  # as it came, not as text
        assert once.columns.tolist() == rows.columns if kind == "pandas" else once.schema == rows.schema
        made, of_file = (integrator.create_data_manifest(one) for one in (table, read))
        for key in ("data_hash", "null_counts", "unique_counts", "dtypes", "quality"):
            assert made[key] == of_file[key], key
        assert (
            integrator.assess_quality(table, "id").to_dict()
            == integrator.assess_quality(read, "id").to_dict()
        )

    @pytest.mark.parametrize("how", ["append", "update", "replace"])
    def test_keep_categories_where_nothing_changed(self, integrator: DataIntegrator, how: Any) -> None:
        base = pd.DataFrame({"id": [1, 2], "label": pd.Categorical(["a", "b"])})
        new = pd.DataFrame({"id": [2, 3], "label": pd.Categorical(["a", "b"])})
        clean = integrator.remove_pii(new)
        assert clean["label"].dtype == new["label"].dtype
        merged = integrator.merge_datasets(base, clean, how, key="id" if how == "update" else None)
        assert merged["label"].dtype == base["label"].dtype
        expected = {"append": "abab", "update": "aab", "replace": "ab"}[how]
        assert "".join(merged["label"]) == expected
        personal = pl.DataFrame({"note": ["ada@example.org", "hi"]}, schema={"note": pl.Categorical})
        token = TOKENIZER.token("email", "ada@example.org")
        assert integrator.remove_pii(personal)["note"].to_list() == [token, "hi"]

    def test_read_as_pandas_keep_every_value(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("id,good,day\n9007199254740993,true,2024-01-01\n,,\n3,false,2024-02-29\n")
        pandas = DataIntegrator(frames="pandas")
        table, rows = pandas.load_data(path), DataIntegrator().load_data(path)
        assert table["id"].dropna().tolist() == [9007199254740993, 3]
        assert pandas.calculate_data_hash(table) == pandas.calculate_data_hash(rows)

    def test_have_one_hash_whatever_their_kind(self, integrator: DataIntegrator, data: Any) -> None:
        assert integrator.calculate_data_hash(data) == integrator.calculate_data_hash(pl.DataFrame(ROWS))
        assert len(integrator.calculate_data_hash(data)) == 64

    def test_keep_a_pandas_index_where_rows_keep_their_place(self, integrator: DataIntegrator) -> None:
        data = pd.DataFrame(ROWS, index=[10, 20, 30, 40])
        assert integrator.remove_pii(data).index.tolist() == [10, 20, 30, 40]
        assert integrator.deduplicate(data).index.tolist() == [10, 20, 40]

    def test_are_merged_into_the_kind_of_the_base(self, integrator: DataIntegrator) -> None:
        base, new = (
            pd.DataFrame({"id": [1, 2], "v": ["a", "b"]}),
            pl.DataFrame({"id": [2, 3], "v": ["B", "c"]}),
        )
        merged = integrator.merge_datasets(base, new, "update", key="id")
        assert isinstance(merged, pd.DataFrame)
        assert rows_of(merged) == [(1, "a"), (2, "B"), (3, "c")]

    def test_are_sampled_by_share_of_each_label(self, integrator: DataIntegrator) -> None:
        rows = pl.DataFrame({"n": range(1000), "label": ["a", "a", "b", "a"] * 250})
        sample = integrator.stratified_sample(rows, 100, "label")
        assert dict(sample["label"].value_counts().rows()) == {"a": 75, "b": 25}
        assert sample.equals(DataIntegrator(42).stratified_sample(rows, 100, "label"))
        assert not sample.equals(DataIntegrator(43).stratified_sample(rows, 100, "label"))


class TestTheManifest:
    def test_accounts_for_every_row_from_the_file_to_the_merge(
        self, integrator: DataIntegrator, tmp_path: Path
    ) -> None:
        (tmp_path / "in.csv").write_text("id,age\n1,30\n2,-1\n3,40\n3,40\nx,1\n")
        schema = DataSchema((ColumnRule("id", "integer"), ColumnRule("age", "integer", minimum=0)))
        tolerant = DataIntegrator(schema=schema, tokenizer=TOKENIZER, read=ReadOptions(on_error="reject"))
        data = tolerant.reject_invalid(tolerant.load_data(tmp_path / "in.csv"))
        kept = tolerant.deduplicate(data)
        merged = tolerant.merge_datasets(pl.DataFrame({"id": [9], "age": [9]}), kept, "append")
        manifest = tolerant.manifest(merged)
        assert manifest.rows == RowAccount(read=5, kept=2, rejected=2, duplicates=1)
        assert manifest.hash.rows == 3
        assert sum(manifest.rejects.values()) == 2
        assert {reject.row for reject in tolerant.rejects(merged)} == {2, 5}
        assert [source.name for source in manifest.sources] == ["in.csv"]
        names = [(step.name, step.rows_before, step.rows_after) for step in manifest.transformations]
        assert names == [("validate_schema", 4, 3), ("deduplicate", 3, 2), ("merge_datasets", 2, 3)]

    def test_has_the_fields_of_the_specification(self, integrator: DataIntegrator, tmp_path: Path) -> None:
        pl.DataFrame(ROWS).write_csv(tmp_path / "in.csv")
        data = integrator.load_data(tmp_path / "in.csv", run_id="my_run", metaflow_run_id="flow_123")
        manifest = integrator.create_data_manifest(data, tmp_path / "in.csv")
        assert manifest["source_path"] == "in.csv"
        assert manifest["row_count"] == 4
        assert manifest["column_count"] == 3
        assert manifest["columns"] == ["query_id", "note", "label"]
        assert manifest["null_counts"] == {"query_id": 0, "note": 0, "label": 1}
        assert manifest["unique_counts"] == {"query_id": 3, "note": 3, "label": 2}
        assert manifest["data_hash"] == integrator.calculate_data_hash(data)
        assert 0 <= manifest["quality"]["score"] <= 1

    def test_is_the_same_for_the_same_data_and_does_not_name_folders(
        self, integrator: DataIntegrator, tmp_path: Path
    ) -> None:
        digests = []
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            pl.DataFrame(ROWS).write_csv(tmp_path / folder / "in.csv")
            digests.append(integrator.manifest(integrator.load_data(tmp_path / folder / "in.csv")).digest)
        assert digests[0] == digests[1]
        assert str(tmp_path) not in str(integrator.manifest(pl.DataFrame(ROWS)).to_dict())

    def test_of_a_table_that_the_caller_changed_begins_with_it(self, integrator: DataIntegrator) -> None:
        clean = integrator.deduplicate(pl.DataFrame(ROWS))
        assert integrator.manifest(clean).rows.read == 4
        assert integrator.manifest(clean.head(1)).rows == RowAccount(1, 1)
        own = pd.DataFrame(ROWS)
        kept = integrator.deduplicate(own)
        kept.loc[99] = [4, "new", "c"]
        assert integrator.manifest(kept).rows == RowAccount(4, 4)

    def test_forgets_tables_that_nobody_holds(self, integrator: DataIntegrator) -> None:
        for _ in range(3):
            integrator.deduplicate(pl.DataFrame(ROWS))
        gc.collect()
        assert integrator._histories._known == {}


class TestBadInput:
    def test_says_which_columns_are_missing(self, integrator: DataIntegrator, data: Any) -> None:
        with pytest.raises(SchemaError, match="Did you mean 'label'"):
            integrator.validate_schema(data, ["query_id", "lable", "features"])
        with pytest.raises(ValueError, match="features"):  # what older callers catch
            integrator.validate_schema(data, ["features"])

    def test_wants_a_key_before_it_hashes(self) -> None:
        before = provide_tokenizer(None)
        try:
            with pytest.raises(ConfigurationError, match="no key"):
                DataIntegrator().remove_pii(pl.DataFrame(ROWS))
        finally:
            provide_tokenizer(before)

    def test_knows_its_words(self) -> None:
        with pytest.raises(InvalidInputError, match=r"'panda' is no kind of table.*Did you mean 'pandas'\?"):
            DataIntegrator(frames="panda")  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError, match="'arrow' is no kind of table"):
            DataIntegrator(frames="arrow")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="Did you mean 'mask'"):
            DataIntegrator(pii="masc")
        with pytest.raises(InvalidInputError, match="no schema"):
            DataIntegrator().reject_invalid(pl.DataFrame(ROWS))
        with pytest.raises(InvalidInputError, match="'upsert' is unknown"):
            DataIntegrator().merge_datasets(pl.DataFrame(ROWS), pl.DataFrame(ROWS), "upsert")  # type: ignore[arg-type]

    def test_takes_columns_that_are_personal_whatever_they_look_like(
        self, integrator: DataIntegrator
    ) -> None:
        clean = integrator.remove_pii(pl.DataFrame({"code": ["q1", "q2"], "label": ["a", "b"]}), ["code"])
        assert all(value.startswith("pii:personal:") for value in clean["code"])
        assert clean["label"].to_list() == ["a", "b"]

    def test_says_what_it_is(self) -> None:
        assert repr(DataIntegrator(pii=PiiPolicy(default="report"))) == (  # type: ignore[arg-type]
            "DataIntegrator(seed 42, no schema, personal data: report)"
        )


class TestWhatTheManifestTells:
    def test_counts_repeats_that_nobody_took_out(self, integrator: DataIntegrator) -> None:
        report = integrator.assess_quality(pl.DataFrame({"a": [1, 1, 1, 2]}))
        assert report.components["uniqueness"] == 0.5

    def test_names_the_base_and_the_validation(self, integrator: DataIntegrator, tmp_path: Path) -> None:
        for name in ("base", "new"):
            pl.DataFrame({"id": [len(name)], "v": ["a"]}).write_csv(tmp_path / f"{name}.csv")
        base, new = (integrator.load_data(tmp_path / f"{name}.csv") for name in ("base", "new"))
        integrator.validate_schema(new, ["id"], schema={"columns": {"id": "integer"}})
        manifest = integrator.manifest(integrator.merge_datasets(base, new, "append"))
        assert [source.name for source in manifest.base] == ["base.csv"]
        assert [step.name for step in manifest.transformations] == ["validate_schema", "merge_datasets"]
        assert manifest.quality is not None
        assert "validity" in manifest.quality["components"]

    def test_says_where_the_account_begins(self, integrator: DataIntegrator) -> None:
        clean = integrator.deduplicate(pl.DataFrame(ROWS))
        assert integrator.manifest(clean).notes == ()
        assert "account begins" in integrator.manifest(clean.clone()).notes[0]

    def test_does_not_tell_the_range_of_personal_columns(self, integrator: DataIntegrator) -> None:
        rows = pl.DataFrame({"phone": range(4155552600, 4155552630), "x": range(30)})
        assert set(integrator.create_data_manifest(rows)["ranges"]) == {"x"}

    def test_gives_the_credit_to_the_earlier_contributor(self, integrator: DataIntegrator) -> None:
        ann, bob = integrator.deduplicate_across(
            [("ann", pl.DataFrame(ROWS)), ("bob", pl.DataFrame(ROWS).head(2))]
        )
        assert integrator.manifest(ann.frame).rows == RowAccount(4, 3, duplicates=1)
        assert integrator.manifest(bob.frame).rows == RowAccount(2, 0, duplicates=2)

    def test_leaves_out_what_stands_in_other_data(self, integrator: DataIntegrator) -> None:
        kept = integrator.deduplicate(pl.DataFrame(ROWS), against=pl.DataFrame(ROWS).head(1))
        assert kept["query_id"].to_list() == [2, 3]
        assert integrator.manifest(kept).rows == RowAccount(4, 2, duplicates=2)


def test_what_only_numbers_the_rows_is_no_feature_step_by_step_and_in_one_call(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"id": range(40), "hour": [i % 5 for i in range(40)], "label": [i % 2 for i in range(40)]}
    )
    rows.write_csv(tmp_path / "d.csv")
    one = DataIntegrator()
    assert one.assess_quality(rows, "label").ignored == ("id",)
    assert one.assess_quality(rows, "label", features=["id"]).ignored == ("hour",)
    done = one.integrate(tmp_path / "d.csv", target="label")
    assert done.quality is not None
    assert done.quality.components == one.assess_quality(rows, "label").components
    # each of the five hours comes with even and with odd numbers
    assert done.quality.components["consistency"] == 0
