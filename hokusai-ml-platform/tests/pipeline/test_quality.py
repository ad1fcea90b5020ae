"""Quality and manifest of hand-made files, and the laws that the parts of the quality keep."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from hokusai.domain.canonical import canonical_json
from hokusai.domain.contribution import Contributor
from hokusai.domain.manifest import RowAccount
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError
from hokusai.pipeline.data.quality_report import DEFAULT_WEIGHTS, QualityPart, QualityReport
from hokusai.pipeline.data.quality_state import QualityState, quality_report
from hokusai.pipeline.data.reading import Table, read_table
from hokusai.pipeline.data.tables import read_tables
from hokusai.pipeline.integration import IntegratedData, integrate
from hokusai.pipeline.quality import (
    assess_frame,
    assess_quality,
    data_manifest,
    profile_columns,
    source_digest,
)


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


def rows(n: int, seed: int = 0) -> pl.DataFrame:
    """Three classes that two numbers and a colour tell apart, with a few gaps."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n)
    return pl.DataFrame(
        {
            "x": [None if i % 50 == 0 else float(k * 4 + rng.normal()) for i, k in enumerate(classes)],
            "y": [float(k * 3 + rng.normal()) for k in classes],
            "colour": [["red", "green", "blue"][k] if rng.random() < 0.7 else "grey" for k in classes],
            "label": [["a", "b", "c"][k] for k in classes],
        }
    )


def changed(before: QualityReport, after: QualityReport) -> set[str]:
    """The parts that were measured in one and not in the other, or differ."""
    names = {*before.components, *after.components}
    return {name for name in names if before.components.get(name) != after.components.get(name)}


@pytest.fixture(scope="module")
def before() -> QualityReport:
    return TestLaws().report(TestLaws.frame, label_noise=True)


class TestLaws:
    frame = rows(400)
    base = rows(500, 1)

    def report(self, frame: pl.DataFrame, *, label_noise: bool = False) -> QualityReport:
        return assess_frame(frame, target="label", base=self.base, label_noise=label_noise)

    def test_every_part_but_validity_is_measured(self, before: QualityReport) -> None:
        report = before
        assert list(report.components) == [name for name in DEFAULT_WEIGHTS if name != "validity"]
        assert report.skipped == {"validity": "the rows were not checked against a schema"}
        assert all(0 <= part.value <= 1 and part.formula and part.detail for part in report.parts)
        assert json.loads(canonical_json(report.to_dict())) == json.loads(json.dumps(report.to_dict()))

    def test_permuting_the_rows_changes_nothing(self, before: QualityReport) -> None:
        shuffled = self.frame.sample(fraction=1.0, shuffle=True, seed=9)
        assert self.report(shuffled, label_noise=True).to_dict() == before.to_dict()

    def test_the_columns_order_changes_nothing_but_the_order_of_names(self) -> None:
        other = self.frame.select("label", "colour", "y", "x")
        assert self.report(other).components == self.report(self.frame).components

    def test_giving_every_row_twice_lowers_uniqueness_and_nothing_else(self, before: QualityReport) -> None:
        after = self.report(pl.concat([self.frame, self.frame]), label_noise=True)
        assert changed(before, after) == {"uniqueness"}
        assert after.components["uniqueness"] == 0.5

    def test_batches_give_the_report_of_the_whole(self) -> None:
        whole = QualityState(self.frame.schema, target="label").see(self.frame)
        parts = QualityState(self.frame.schema, target="label")
        for batch in self.frame.iter_slices(33):
            parts.merge(QualityState(self.frame.schema, target="label").see(batch))
        account = RowAccount(read=400, kept=400)
        reports = [quality_report(state, account, label_noise=False).to_dict() for state in (parts, whole)]
        assert reports[0] == reports[1]

    def test_emptying_cells_lowers_completeness(self, before: QualityReport) -> None:
        emptied = self.frame.with_columns(y=pl.when(pl.int_range(400) % 4 > 0).then("y"))
        after = self.report(emptied).components
        assert before.components["completeness"] - after["completeness"] == pytest.approx(100 / 1_600)

    def test_flipping_labels_lowers_what_judges_them(self, before: QualityReport) -> None:
        flip = pl.when(pl.int_range(400) % 10 == 0).then(pl.lit("a")).otherwise("label").alias("label")
        clean = before.components["label_noise"]
        noisy = self.report(self.frame.with_columns(flip), label_noise=True).components["label_noise"]
        # A tenth of the labels, two thirds of them wrong now: at most 6.7 % of the rows can be found.
        assert clean > 0.97
        assert 0.02 < clean - noisy < 0.08

    def test_other_units_in_a_column_are_drift(self, before: QualityReport) -> None:
        scaled = self.report(self.frame.with_columns(pl.col("x") * 1000))
        (drift,) = [part for part in scaled.parts if part.name == "drift"]
        assert drift.value < before.components["drift"] - 0.1
        assert "far from the base: 'x'" in drift.detail

    def test_contradicting_labels_and_mixed_formats_are_inconsistent(self) -> None:
        frame = pl.DataFrame(
            {"d": ["2024-01-01", "2024-01-01", "2024-01-02", "3.1.2024"], "label": list("abaa")}
        )
        # Of three combinations one has two labels: 2/3. Of four distinct rows one has another format: 3/4.
        report = assess_frame(frame, target="label", label_noise=False)
        assert report.components["consistency"] == pytest.approx((2 / 3 + 3 / 4) / 2, abs=1e-6)


class TestWeights:
    def test_the_score_is_their_weighted_mean(self) -> None:
        frame = pl.DataFrame({"x": [1.5, None, 1.5, 4.0]})
        report = assess_frame(frame, weights={"completeness": 3, "consistency": 0})
        # completeness 3/4 with weight 3, uniqueness 3/4 with weight 1.
        assert report.components == {"completeness": 0.75, "uniqueness": 0.75}
        assert report.score == 0.75
        assert report.formula == "weighted mean of 3 x completeness, 1 x uniqueness"
        assert report.skipped["consistency"] == "its weight is 0"
        other = assess_frame(frame.with_columns(y=pl.lit(1)), weights={"completeness": 3})
        assert other.score == pytest.approx((3 * 7 / 8 + 3 / 4) / 4)

    @pytest.mark.parametrize("weights", [{"complete": 1.0}, {"drift": -1.0}, {"drift": float("nan")}])
    def test_weights_that_cannot_be_are_refused(self, weights: dict[str, float]) -> None:
        with pytest.raises(ConfigurationError):
            assess_frame(pl.DataFrame({"x": [1]}), weights=weights)


class TestReport:
    report = quality_report(
        QualityState({"<x>": pl.Int64()}).see(pl.DataFrame({"<x>": [1, 2, None]})),
        RowAccount(read=8, kept=3, rejected=2, duplicates=3),
    )

    def test_the_account_gives_validity_and_uniqueness(self) -> None:
        assert self.report.components["validity"] == 0.75
        assert self.report.components["uniqueness"] == 0.625
        assert self.report.rows == 8

    def test_nothing_measured_is_no_good_score(self) -> None:
        nothing = quality_report(QualityState({}), RowAccount(read=0, kept=0))
        assert (nothing.score, nothing.parts) == (0.0, ())
        assert set(nothing.skipped) == set(DEFAULT_WEIGHTS)
        assert nothing.formula == "mean of no part: nothing could be measured"

    def test_a_target_without_labels_is_said_to_have_none(self) -> None:
        frame = pl.DataFrame({"x": [1, 2], "y": pl.Series([None, None], dtype=pl.String)})
        report = assess_frame(frame, target="y")
        assert report.components["labelled"] == 0.0
        assert report.skipped["label_noise"] == report.skipped["label_balance"] == "there are no labels"

    def test_text_tables_and_pages_show_every_part_and_what_was_not_measured(self) -> None:
        console = Console(width=200, file=io.StringIO())
        console.print(self.report)
        assert isinstance(console.file, io.StringIO)
        shown = (str(self.report), console.file.getvalue(), self.report._repr_html_())
        for text in shown:
            for part in ("completeness", "validity", "uniqueness", "label_noise"):
                assert part in text
            assert "no target column was named" in text
        assert "1 - rejected rows / rows" in shown[2]

    def test_names_in_a_page_are_text(self) -> None:
        part = QualityPart("outliers", 0.5, 1.0, "1 - a", "<script>", "")
        page = QualityReport((part,), {"drift": "<b>"}, {}, 1)._repr_html_()
        assert "<script>" not in page
        assert "<b>" not in page


def test_a_value_of_the_data_is_in_no_report() -> None:
    frame = rows(120).with_columns(secret=pl.lit("ann@example.com"), number=pl.int_range(120) + 4_912_345_000)
    report = assess_frame(frame, target="label", base=frame, label_noise=False)
    text = str(report) + json.dumps(report.to_dict()) + report._repr_html_()
    assert "ann@" not in text
    assert "4912345" not in text


def test_many_distinct_values_are_marked_as_estimated_in_the_manifest(tmp_path: Path) -> None:
    n = 70_000
    pl.DataFrame({"x": range(n), "label": [i % 2 for i in range(n)]}).write_parquet(tmp_path / "a.parquet")
    (summary, label) = profile_columns([read_table(tmp_path / "a.parquet")])
    assert abs(summary.unique / n - 1) < 4 * summary.unique_error < 0.02
    assert (label.unique, label.unique_error) == (2, 0.0)


def test_a_column_that_is_ignored_is_no_feature_and_its_gaps_still_count() -> None:
    n = range(60)
    old = {"id": list(n), "x": [i % 5 for i in n], "label": [i % 5 % 2 for i in n]}
    new = {"id": [None, *(1_000 + i for i in n[1:])], "x": [i % 5 for i in n], "label": [i % 2 for i in n]}
    frames = [pl.DataFrame(rows) for rows in (old, new)]
    reports = []
    for ignored in ((), ("id",)):
        base, state = (QualityState(f.schema, target="label", ignored=ignored).see(f) for f in frames)
        reports.append(quality_report(state, RowAccount(60, 60), base=base, label_noise=False))
    seen, unseen = reports
    details = [next(part.detail for part in r.parts if part.name == "consistency") for r in reports]
    assert details == [
        "0 of 60 combinations of features have several labels",  # every id makes one of its own
        "5 of 5 combinations of features have several labels",  # each x comes with even and with odd numbers
    ]
    assert seen.components["drift"] < 0.7 < 0.99 < unseen.components["drift"]
    assert unseen.components["completeness"] == pytest.approx(1 - 1 / 180, abs=1e-6)
    assert (unseen.to_dict()["ignored"], "ignored" in seen.to_dict()) == (["id"], False)
