"""The older import path of `DataIntegrator`, with the specification's snippet and the older argument names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hokusai.privacy.tokens import Tokenizer
from src.modules.data_integration import DataIntegrator


@pytest.fixture
def integrator() -> DataIntegrator:
    return DataIntegrator(random_seed=42, tokenizer=Tokenizer(bytes(range(32))))


@pytest.fixture
def contributed(tmp_path: Path) -> Path:
    path = tmp_path / "contributed_data.csv"
    path.write_text("query_id,label,features\n1,a,0.5\n1,a,0.5\n2,b,ada@example.org\n")
    return path


def test_the_snippet_of_the_specification_runs(integrator: DataIntegrator, contributed: Path) -> None:
    base_data = pd.DataFrame({"query_id": [9], "label": ["z"], "features": ["x"]})
    data = integrator.load_data(Path(contributed), run_id="my_run", metaflow_run_id="flow_123")
    integrator.validate_schema(data, ["query_id", "label", "features"])
    clean_data = integrator.remove_pii(data)
    deduped_data = integrator.deduplicate(clean_data)
    final_data = integrator.merge_datasets(base_data, deduped_data, "append")
    assert isinstance(final_data, pd.DataFrame)
    assert final_data["query_id"].tolist() == [9, 1, 2]
    assert final_data["features"].iloc[2].startswith("pii:email:")
    manifest = integrator.create_data_manifest(final_data, contributed)
    assert (manifest["row_count"], manifest["source_path"]) == (3, "contributed_data.csv")
    assert manifest["rows"] == {"read": 3, "kept": 2, "rejected": 0, "duplicates": 1, "near_duplicates": 0}


def test_older_argument_names_are_taken(integrator: DataIntegrator, contributed: Path) -> None:
    data = integrator.load_data(data_path=contributed)
    assert integrator.validate_schema(df=data, required_columns=["label"])
    clean = integrator.remove_pii(df=data, pii_columns=["features"])
    assert clean["features"].str.startswith("pii:").all()
    base = pd.DataFrame({"query_id": [1], "label": ["old"], "features": ["x"]})
    new = integrator.deduplicate(df=data, subset=["query_id"])
    for how, rows in (("append", 3), ("replace", 2), ("update", 2)):
        merged = integrator.merge_datasets(base_df=base, contributed_df=new, merge_strategy=how)
        assert len(merged) == rows
    assert len(integrator.stratified_sample(df=data, sample_size=2, stratify_column="label")) == 2


def test_what_is_wrong_is_what_older_callers_catch(integrator: DataIntegrator, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'target'"):
        integrator.validate_schema(pd.DataFrame({"a": [1]}), ["target"])
    for kind in (ValueError, FileNotFoundError):
        with pytest.raises(kind, match="no such file"):
            integrator.load_data(tmp_path / "absent.csv")


def test_what_is_not_given_is_named(integrator: DataIntegrator) -> None:
    with pytest.raises(ValueError, match=r"load_data needs 'path'.*older name is 'data_path'"):
        integrator.load_data()
    with pytest.raises(ValueError, match=r"merge_datasets needs 'base'.*'base_df'"):
        integrator.merge_datasets()
    with pytest.raises(ValueError, match=r"merge_datasets needs 'new'.*'contributed_df'"):
        integrator.merge_datasets(pd.DataFrame({"a": [1]}))
