"""The facts of a run: settled once from all files together, and held to the files' bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hokusai.domain.metrics import Task
from hokusai.errors import IntegrityError, MetricError, SchemaError
from hokusai.pipeline import contribution, reference
from hokusai.pipeline.plan import RunPlan


@pytest.fixture
def plan(csv, labelled, plan_of) -> Callable[..., RunPlan]:
    """40 rows of base data, 20 of contribution; a benchmark of 20 where it is asked for."""

    def make(*, benchmark: bool = False, **more: Any) -> RunPlan:
        given = {
            "contributed_data": csv("c.csv", labelled(20, 2)),
            "base_data": csv("base.csv", labelled(40, 1)),
        }
        if benchmark:
            given["benchmark_data"] = csv("bench.csv", labelled(20, 3))
        return plan_of(**{**given, **more})

    return make


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class TestSurvey:
    def test_the_facts_of_a_run_with_a_benchmark_file(self, plan, tmp_path: Path) -> None:
        facts = reference.survey(plan(benchmark=True))
        assert (facts.task, facts.features, facts.id_column) == (Task.CLASSIFICATION, ("x", "z"), None)
        assert (facts.base_rows, facts.benchmark_rows) == (40, 20)
        assert facts.base_sha256 == sha256(tmp_path / "base.csv")
        assert facts.benchmark_sha256 == sha256(tmp_path / "bench.csv")
        assert (facts.benchmark_source, facts.benchmark_is_file) == ("bench.csv", True)
        assert {path.name: digest for path, digest in facts.digests.items()} == {
            name: sha256(tmp_path / name) for name in ("base.csv", "bench.csv", "c.csv")
        }
        assert facts.benchmark_dict() == {
            "size": 20,
            "features": ["x", "z"],
            "type": "classification",
            "source": "bench.csv",
            "sha256": sha256(tmp_path / "bench.csv"),
        }

    def test_a_hold_out_is_a_quarter_and_its_bytes_have_the_digest(self, plan) -> None:
        made = plan()
        facts = reference.survey(made)
        known = reference.load(made, facts)
        assert facts.base_rows + facts.benchmark_rows == 40
        assert 8 <= facts.benchmark_rows <= 12
        assert facts.benchmark_source == "a stratified hold-out of 25% of the base data (seed 42)"
        assert not facts.benchmark_is_file
        content = reference.held_out_bytes(made, facts)
        assert content is not None
        assert hashlib.sha256(content).hexdigest() == facts.benchmark_sha256
        assert content.decode().count("\n") == 1 + facts.benchmark_rows
        both = pl.concat([known.base, known.benchmark])
        assert both.sort("x").equals(pl.read_csv(made.base_files[0]).sort("x"))

    def test_a_benchmark_file_needs_no_copy(self, plan) -> None:
        made = plan(benchmark=True)
        assert reference.held_out_bytes(made, reference.survey(made)) is None

    def test_the_hold_out_follows_from_the_seed(self, plan) -> None:
        digests = [reference.survey(plan(seed=seed)).benchmark_sha256 for seed in ("7", "7", "8")]
        assert digests[0] == digests[1] != digests[2]

    def test_a_column_that_numbers_the_rows_is_said_and_left_out(self, csv, labelled, plan_of) -> None:
        made = plan_of(
            contributed_data=csv("c.csv", {"user_id": [str(i + 900) for i in range(20)], **labelled(20, 2)}),
            base_data=csv("b.csv", {"user_id": [str(i) for i in range(40)], **labelled(40, 1)}),
        )
        facts = reference.survey(made)
        assert (facts.id_column, facts.features) == ("user_id", ("x", "z"))
        assert any("'user_id' numbers the rows" in warning for warning in facts.warnings)

    def test_columns_that_are_named(self, plan) -> None:
        assert reference.survey(plan(feature_columns="z")).features == ("z",)

    def test_integers_in_one_file_and_fractions_in_another(self, csv, labelled, plan_of) -> None:
        whole = labelled(40, 1) | {"z": list(range(40))}
        made = plan_of(contributed_data=csv("c.csv", labelled(20, 2)), base_data=csv("b.csv", whole))
        assert reference.survey(made).types["z"] == pl.Float64

    def test_codes_meet_whole_numbers_as_text(self, csv, labelled, plan_of) -> None:
        """Some of the base data's codes have no leading zero, nor have all of the contribution's."""
        base = labelled(40, 1) | {
            "z": [f"0012{i % 4}" for i in range(36)] + [str(10_000 + i) for i in range(4)]
        }
        given = labelled(20, 2) | {"z": [10_000 + i % 4 for i in range(20)]}
        made = plan_of(contributed_data=csv("c.csv", given), base_data=csv("b.csv", base))
        facts = reference.survey(made)
        assert facts.types["z"] == pl.String
        contributed = contribution.integrate(made, facts)
        frame = contribution.training_frame(made, facts, contributed)
        assert set(frame["z"]) == {"10000", "10001", "10002", "10003", "00120", "00121", "00122", "00123"}

    def test_a_contribution_does_not_decide_what_a_column_is(self, csv, labelled, plan_of) -> None:
        """Else rows that are not even used could take the meaning out of a column, and weaken the baseline."""
        base = labelled(40, 1) | {"z": [10_000 + i % 4 for i in range(40)]}
        given = labelled(20, 2) | {"z": [f"0012{i % 4}" for i in range(20)]}
        made = plan_of(contributed_data=csv("c.csv", given), base_data=csv("b.csv", base))
        with pytest.raises(SchemaError, match="'z' holds numbers in the base data or benchmark, but text"):
            reference.survey(made)

    def test_a_contribution_does_not_decide_the_kinds(self, csv, labelled, plan_of) -> None:
        """A column of few words stays a category, however many other words are contributed."""
        base = labelled(40, 1) | {"w": ["red", "blue"] * 20}
        words = labelled(30, 2) | {"w": [f"junk {i}" for i in range(30)]}
        plain = labelled(30, 2) | {"w": ["red", "blue"] * 15}
        kinds = {
            reference.survey(
                plan_of(contributed_data=csv("c.csv", given), base_data=csv("b.csv", base))
            ).kinds
            for given in (words, plain)
        }
        assert len(kinds) == 1
        assert "w" in kinds.pop().categorical

    def test_a_contribution_does_not_decide_the_features(self, csv, labelled, plan_of, tmp_path) -> None:
        """Without base data the benchmark says what is predicted from, not whatever else was contributed."""
        (tmp_path / "given.skops").write_bytes(b"PK")
        made = plan_of(
            contributed_data=csv("c.csv", {"extra": list(range(20)), **labelled(20, 2)}),
            benchmark_data=csv("m.csv", labelled(40, 1)),
            baseline_model=str(tmp_path / "given.skops"),
        )
        assert "extra" not in reference.survey(made).features

    def test_a_contribution_brings_no_class_of_its_own(self, csv, labelled, plan_of) -> None:
        given = labelled(20, 2)
        given["label"] = [*given["label"][:-1], "maybe"]
        made = plan_of(contributed_data=csv("c.csv", given), base_data=csv("b.csv", labelled(40, 1)))
        with pytest.raises(SchemaError, match="The class 'maybe' of row 20 is neither in the base data"):
            reference.survey(made)

    def test_gaps_are_known_wherever_they_are(self, csv, labelled, plan_of, plan) -> None:
        assert not reference.survey(plan(benchmark=True)).has_gaps
        for holder in ("base_data", "benchmark_data"):
            gap = csv("gap.csv", labelled(20, 9) | {"z": [None, *range(19)]})
            assert reference.survey(plan(benchmark=True, **{holder: gap})).has_gaps

    def test_columns_without_values_are_named(self, csv, labelled, plan_of) -> None:
        made = plan_of(
            contributed_data=csv("c.csv", {"e": [None] * 20, **labelled(20, 2)}),
            base_data=csv("b.csv", {"e": [None] * 40, **labelled(40, 1)}),
        )
        assert "Columns without any value are not used: e." in reference.survey(made).warnings

    @pytest.mark.parametrize(
        ("name", "change", "more", "message"),
        [
            ("base.csv", {"label": ["yes"] * 40}, {}, "Every row of the base"),
            ("c.csv", {"x": ["text"] * 20}, {}, "'x' holds text, but numbers in the base data.*c.csv"),
            ("base.csv", {}, {"task": "regression"}, "'label' holds String, but regression needs numbers"),
            ("base.csv", {}, {"target_column": "lable"}, "'lable' is missing.*Did you mean 'label'"),
            ("base.csv", {}, {"feature_columns": "x,y"}, "'y' is missing"),
            ("base.csv", {}, {"feature_columns": "label"}, "also named as a feature"),
            ("base.csv", {}, {"id_column": "nr"}, "'nr' is missing"),
        ],
    )
    def test_refusals(self, plan, csv, labelled, name: str, change: dict, more: dict, message: str) -> None:
        made = plan(**more)
        rows = 40 if name == "base.csv" else 20
        csv(name, labelled(rows, 1 if rows == 40 else 2) | change)
        with pytest.raises(SchemaError, match=message):
            reference.survey(made)

    def test_a_contribution_that_lacks_a_feature_is_refused(self, plan, csv, labelled) -> None:
        made = plan()
        csv("c.csv", {name: column for name, column in labelled(20, 2).items() if name != "z"})
        with pytest.raises(SchemaError, match=r"Column 'z' is missing.*c\.csv"):
            reference.survey(made)

    def test_nothing_to_learn_from(self, csv, plan_of) -> None:
        empty = {"a": [None] * 20, "label": ["yes", "no"] * 10}
        made = plan_of(contributed_data=csv("c.csv", empty), base_data=csv("b.csv", empty))
        with pytest.raises(SchemaError, match="No column to predict from has a value: a"):
            reference.survey(made)

    @pytest.mark.parametrize("more", [{"primary_metric": "rmse"}, {"metric_weights": '{"mae": 1}'}])
    def test_a_metric_of_the_other_task_is_refused_before_training(self, plan, more: dict[str, str]) -> None:
        with pytest.raises(MetricError, match="is a regression metric, the task is classification"):
            reference.survey(plan(**more))


class TestReadingAgain:
    @pytest.mark.parametrize("changed", ["base.csv", "bench.csv"])
    def test_a_file_that_changed_ends_the_run(self, plan, tmp_path: Path, changed: str) -> None:
        made = plan(benchmark=True)
        facts = reference.survey(made)
        path = tmp_path / changed
        path.write_text(path.read_text().replace("yes", "no ", 1))
        with pytest.raises(IntegrityError, match=f"changed while the run was going on.*{changed}"):
            reference.load(made, facts)

    def test_a_file_that_was_only_touched_does_not(self, plan, tmp_path: Path) -> None:
        made = plan(benchmark=True)
        facts = reference.survey(made)
        (tmp_path / "base.csv").write_bytes((tmp_path / "base.csv").read_bytes())
        assert reference.load(made, facts).base.height == 40

    def test_rows_without_label_are_left_out_of_both(self, plan, csv, labelled) -> None:
        made = plan(benchmark=True)
        for name, rows, seed in (("base.csv", 40, 1), ("bench.csv", 20, 3)):
            data = labelled(rows, seed)
            csv(name, data | {"label": [None, *data["label"][1:]]})
        facts = reference.survey(made)
        known = reference.load(made, facts)
        assert (
            (facts.base_rows, facts.benchmark_rows) == (39, 19) == (known.base.height, known.benchmark.height)
        )


class TestWithoutBaseData:
    def test_a_baseline_model_and_a_benchmark_are_enough(self, plan_of, csv, labelled) -> None:
        made = plan_of(
            contributed_data=csv("c.csv", labelled(20, 2)),
            benchmark_data=csv("bench.csv", labelled(20, 3)),
            baseline_model="m/1.0.0",
        )
        facts = reference.survey(made)
        known = reference.load(made, facts)
        assert (facts.base_rows, facts.base_sha256, known.base.height) == (0, None, 0)
        contributed = contribution.integrate(made, facts)
        assert contribution.training_frame(made, facts, contributed).equals(
            pl.read_csv(made.contributed_files[0])
        )


class TestDryRun:
    def test_the_same_file_and_seed_give_the_same_facts_and_rows(self, plan_of, csv, labelled) -> None:
        path = csv("c.csv", labelled(20, 2))
        first, second, other = (
            reference.survey(plan_of(contributed_data=path, dry_run=True, seed=seed)) for seed in "112"
        )
        assert first == second
        assert first.benchmark_sha256 != other.benchmark_sha256
        assert (first.base_rows, first.benchmark_rows, first.benchmark_source) == (500, 200, "mock data")

    def test_its_benchmark_has_bytes_of_its_own(self, plan_of, csv, labelled) -> None:
        made = plan_of(contributed_data=csv("c.csv", labelled(20, 2)), dry_run=True)
        facts = reference.survey(made)
        content = reference.held_out_bytes(made, facts)
        assert content is not None
        assert hashlib.sha256(content).hexdigest() == facts.benchmark_sha256
