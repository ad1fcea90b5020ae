"""Quality and manifest of hand-made files."""

import hashlib
import json
from pathlib import Path

import pytest

from hokusai.domain.canonical import canonical_json
from hokusai.domain.contribution import Contributor
from hokusai.domain.metrics import Task
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.tables import read_tables
from hokusai.pipeline.integration import IntegratedData, integrate
from hokusai.pipeline.quality import assess_quality, data_manifest, source_digest


@pytest.fixture
def contributed(tmp_path: Path) -> tuple[tuple[Table, ...], IntegratedData]:
    (tmp_path / "a.csv").write_text("x,t,label\n1,aa,0\n1,aa,0\n,bb,1\n4,,\n")
    (tmp_path / "b.csv").write_text("x,t,label\n2.5,cc,0\n3,dd,0\n")
    (tmp_path / "bench.csv").write_text("x,t,label\n8,y,0\n9,z,1\n")
    tables = read_tables([tmp_path / "a.csv", tmp_path / "b.csv"])
    data = integrate(
        None, [(Contributor("one"), tables[0]), (Contributor("two"), tables[1])],
        read_table(tmp_path / "bench.csv").frame, target="label", features=("x", "t"), task=Task.CLASSIFICATION,
    )  # fmt: skip
    return tables, data


def test_components_and_score(contributed) -> None:
    tables, data = contributed
    quality = assess_quality(
        tables, data.contributions, target="label", features=("x", "t"), task=Task.CLASSIFICATION
    )
    # 6 rows of 3 cells, 3 of 18 cells empty; 1 row repeated; 1 row without label; 4 of class 0 and 1 of class 1,
    # whose entropy is 0.721928 bits of 1.
    assert quality.components == {
        "completeness": 0.833333, "uniqueness": 0.833333, "labelled": 0.833333, "label_balance": 0.721928,
        "consistency": 1.0,
    }  # fmt: skip
    assert quality.score == pytest.approx((3 * 0.833333 + 0.721928 + 1) / 5, abs=1e-6)
    assert quality.label_share == {"0": 0.8, "1": 0.2}
    assert quality.to_dict()["formula"] == (
        "mean of completeness, uniqueness, labelled, consistency, label_balance"
    )


def test_regression_has_no_balance(contributed) -> None:
    tables, data = contributed
    quality = assess_quality(tables, data.contributions, target="x", features=("t",), task=Task.REGRESSION)
    assert list(quality.components) == ["completeness", "uniqueness", "labelled", "consistency"]
    assert quality.label_share == {}


def test_the_manifest(contributed, tmp_path: Path) -> None:
    tables, data = contributed
    quality = assess_quality(
        tables, data.contributions, target="label", features=("x", "t"), task=Task.CLASSIFICATION
    )
    manifest = data_manifest(tables, data.contributions, quality, integration=data.to_dict())
    assert manifest["source_path"] == "a.csv, b.csv"
    assert (manifest["row_count"], manifest["column_count"], manifest["columns"]) == (
        6,
        3,
        ["x", "t", "label"],
    )
    assert manifest["dtypes"] == {"x": "int64|float64", "t": "string", "label": "int64"}
    assert manifest["null_counts"] == {"x": 1, "t": 1, "label": 1}
    assert manifest["unique_counts"] == {"x": 4, "t": 4, "label": 2}
    assert manifest["ranges"] == {"x": {"min": 1.0, "max": 4.0}, "label": {"min": 0, "max": 1}}
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in ("a.csv", "b.csv")]
    assert manifest["data_hash"] == hashlib.sha256(b"".join(digests)).hexdigest()
    assert manifest["files"][0]["rows_duplicate"] == 1
    assert str(tmp_path) not in json.dumps(manifest)
    assert canonical_json(manifest) == canonical_json(
        data_manifest(tables, data.contributions, quality, integration=data.to_dict())
    )


def test_the_digest_of_one_file_is_its_own(contributed) -> None:
    tables, _ = contributed
    assert source_digest(tables[:1]) == tables[0].sha256


def test_text_is_not_given_away_in_ranges_and_long_integers_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "n,d,t,label\n9223372036854775807,2024-01-02,secret,0\n1,2024-02-03,word,1\n"
    )
    table = read_table(tmp_path / "a.csv")
    data = integrate(
        None, [(Contributor("c"), table)], table.frame.with_columns(t=table.frame["t"] + "!"),
        target="label", features=("t",), task=Task.CLASSIFICATION,
    )  # fmt: skip
    quality = assess_quality(
        [table], data.contributions, target="label", features=("t",), task=Task.CLASSIFICATION
    )
    manifest = data_manifest([table], data.contributions, quality)
    assert manifest["ranges"]["n"] == {"min": 1, "max": "9223372036854775807"}
    assert manifest["ranges"]["d"] == {"min": "2024-01-02", "max": "2024-02-03"}
    assert b"secret" not in canonical_json(manifest)
