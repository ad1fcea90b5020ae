"""Any model on labelled rows: every flavour says the same, guardrails fail closed, bad input gets its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, mean_absolute_error, roc_auc_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.models.skops_file import dump_model
from hokusai.core.registry import ModelRegistry
from hokusai.domain.decision import AcceptanceRule, Guardrail, Verdict
from hokusai.domain.scorer import Scorer
from hokusai.errors import (
    DataError,
    InvalidInputError,
    MetricError,
    NotFoundError,
    SchemaError,
    UntrustedModelError,
)
from hokusai.pipeline.evaluator import ModelEvaluator
from hokusai.pipeline.evaluator_models import open_model
from hokusai.stats.paired import compare_classifiers

FEATURES = ["a", "b"]
REGIONS = ["EU", "US", "ASIA"]


def rows(n: int = 900, seed: int = 1) -> pd.DataFrame:
    """Two numbers and a region that decide on yes or no; in ASIA the second number says the opposite."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=(2, n))
    region = draw.choice(REGIONS, n)
    logit = 1.5 * a + np.where(region == "ASIA", -1.5, 3.0) * b
    left = draw.random(n) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame({"a": a, "b": b, "region": region, "left": np.where(left, "yes", "no")})


TRAIN, TEST = rows(seed=1), rows(seed=2)


def fitted(model: Any, features: list[str] = FEATURES) -> Any:
    return model.fit(TRAIN[features], TRAIN["left"])


BASELINE, NEW = fitted(LogisticRegression(), ["a"]), fitted(LogisticRegression())

NAMELESS = LogisticRegression().fit(TRAIN[FEATURES].to_numpy(), TRAIN["left"])


def wrong(truth, said):
    return truth != said


def false_alarms(truth, said):
    return float(((said == "yes") & (truth == "no")).mean())


def surprise(truth, said, score):
    return -np.log(np.where(truth == "yes", score, 1 - score))


WRONG = Scorer("wrong", wrong, higher_is_better=False, version="1")
FALSE_ALARMS = Scorer("false_alarms", false_alarms, higher_is_better=False, version="1", per_row=False)
SURPRISE = Scorer("surprise", surprise, higher_is_better=False, version="1")


def judge(new: Any = NEW, baseline: Any = BASELINE, data: Any = TEST, **options: Any) -> Any:
    options = {"latency": False, "slices": ()} | options
    return ModelEvaluator().compare(baseline, new, data, "left", **options)


def alone(model: Any = NEW, data: Any = TEST, **options: Any) -> Any:
    options = {"latency": False, "slices": ()} | options
    return ModelEvaluator().evaluate(model, data, "left", **options)


class TestOneModel:
    def test_its_numbers_are_those_of_scikit_learn(self) -> None:
        report = alone(scorers=[SURPRISE, WRONG])
        chances = NEW.predict_proba(TEST[FEATURES])[:, 1]
        assert report.value("accuracy") == pytest.approx(NEW.score(TEST[FEATURES], TEST["left"]))
        assert report.value("auroc") == pytest.approx(roc_auc_score(TEST["left"], chances))
        assert report.value("surprise") == pytest.approx(log_loss(TEST["left"], chances))
        assert report.value("wrong") == pytest.approx(1 - report.value("accuracy"))
        assert report.model.calibration.brier == pytest.approx(
            brier_score_loss(TEST["left"], chances, pos_label="yes")
        )
        assert report.classes == ("no", "yes")
        assert sum(map(sum, report.model.measured.confusion)) == len(TEST)

    def test_every_kind_of_table_and_file_gives_the_same_report(self, tmp_path: Path) -> None:
        frame = pl.from_pandas(TEST)
        frame.write_csv(tmp_path / "rows.csv")
        frame.write_parquet(tmp_path / "rows.parquet")
        half = len(TEST) // 2
        frame[:half].write_csv(tmp_path / "first.csv")
        frame[half:].write_csv(tmp_path / "second.csv")
        given = [
            TEST,
            frame,
            str(tmp_path / "rows.csv"),
            tmp_path / "rows.parquet",
            [tmp_path / "first.csv", tmp_path / "second.csv"],
        ]
        told = [alone(data=data, slices=["region"]).to_dict() for data in given]
        digests = [one.pop("data_sha256") for one in told]
        assert all(one == told[0] for one in told)
        assert digests[:2] == [None, None]
        assert len(set(digests[2:])) == 3

    def test_the_order_of_rows_changes_nothing(self) -> None:
        shuffled = TEST.sample(frac=1, random_state=3)
        first, second = alone(slices=["region"]).to_dict(), alone(data=shuffled, slices=["region"]).to_dict()
        for name, value in second["model"]["metrics"].items():
            assert first["model"]["metrics"][name]["value"] == pytest.approx(value["value"])
            assert first["model"]["metrics"][name]["interval"] == pytest.approx(value["interval"])
        assert first["model"]["worst_slice"]["slice"] == second["model"]["worst_slice"]["slice"]

    def test_regression(self) -> None:
        table = load_diabetes(as_frame=True).frame
        features = ["bmi", "bp"]
        model = LinearRegression().fit(table[features], table["target"])
        report = ModelEvaluator().evaluate(model, table, "target", latency=False)
        assert report.value("mae") == pytest.approx(
            mean_absolute_error(table["target"], model.predict(table[features]))
        )
        assert report.primary == "rmse"
        assert report.model.calibration is None
        assert report.model.worst.metric == "rmse"

    def test_the_worst_slice_is_the_one_that_was_made_so(self) -> None:
        report = alone(slices="auto")
        columns = {one.name.partition("=")[0] for one in report.model.slices}
        assert columns == {"a", "b", "region"}
        by_region = alone(slices=["region"]).model
        assert by_region.worst.name == "region=ASIA"
        asia = TEST[TEST["region"] == "ASIA"]
        assert by_region.worst.value == pytest.approx(
            accuracy_score(asia["left"], NEW.predict(asia[FEATURES]))
        )
        assert by_region.worst.n_slices == 3
        assert by_region.worst.p_value < 0.001

    def test_rows_without_a_label_are_left_out_and_counted(self) -> None:
        gaps = TEST.assign(left=TEST["left"].where(TEST.index >= 10))
        report = alone(data=gaps)
        assert report.n_rows == len(TEST) - 10
        assert "10 rows without a value in 'left' left out" in report.warnings

    def test_few_rows_in_a_slice_are_told(self) -> None:
        report = alone(data=TEST.assign(region=["RARE"] * 5 + ["EU"] * (len(TEST) - 5)), slices=["region"])
        assert any("fewer than 30 rows" in one and "region=RARE" in one for one in report.warnings)
        assert report.model.worst is None

    def test_the_report_is_json_and_repeats_but_for_what_is_volatile(self) -> None:
        evaluator = ModelEvaluator(seconds=0.4)
        first, second = (evaluator.evaluate(NEW, TEST, "left", scorers=[FALSE_ALARMS]) for _ in range(2))
        assert json.dumps(first.to_dict(volatile=False)) == json.dumps(second.to_dict(volatile=False))
        assert "latency" not in json.dumps(first.to_dict(volatile=False))
        json.dumps(first.to_dict(), allow_nan=False)
        times = first.to_dict()["volatile"]["latency"]["LogisticRegression"]
        assert 0 < times["row"]["p50"] <= times["row"]["p95"] <= times["row"]["p99"]

    def test_only_the_metrics_that_were_asked_for(self) -> None:
        report = ModelEvaluator(["f1_score", "auc"]).evaluate(
            NEW, TEST, "left", latency=False, slices=["region"]
        )
        assert [one.metric.name for one in report.model.measured.values] == ["f1", "auroc"]
        assert report.primary == "f1"
        assert report.model.worst.metric == "f1"


class TestFlavours:
    """Every model here says what a known scikit-learn model says, or is scored by the framework's own predictions."""

    def test_files_uris_and_registered_versions(self, tmp_path: Path) -> None:
        registry = ModelRegistry(store=MemoryModelStore(), ledger=MemoryLedger(), actor="ada", poll_seconds=0)
        model_id = registry.register_model(NEW, "churn", "1.0.0")
        (tmp_path / "model.skops").write_bytes(dump_model(NEW))
        evaluator = ModelEvaluator(registry=registry)
        given = [model_id, "churn", str(tmp_path / "model.skops"), NEW]
        reports = [evaluator.evaluate(one, TEST, "left", latency=False, slices=()) for one in given]
        assert [one.model.name for one in reports] == [
            "churn/1.0.0",
            "churn/1.0.0",
            "model.skops",
            "LogisticRegression",
        ]
        assert all(one.model.measured == reports[0].model.measured for one in reports)
        # The digest and the size are those of what registering stores, wherever the model comes from.
        assert len({(one.model.sha256, one.model.size_bytes) for one in reports}) == 1

    def test_boosters_give_probabilities_and_estimators_give_labels(self) -> None:
        numbers, label = TRAIN[FEATURES], (TRAIN["left"] == "yes").astype(int)
        estimators = [
            xgboost.XGBClassifier(n_estimators=5).fit(numbers, label),
            lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(numbers, label),
        ]
        data = TEST.assign(left=(TEST["left"] == "yes").astype(int))
        for estimator in estimators:
            booster = estimator.get_booster() if hasattr(estimator, "get_booster") else estimator.booster_
            expected = accuracy_score(data["left"], estimator.predict(data[FEATURES]))
            of_estimator, of_booster = alone(estimator, data), alone(booster, data)
            assert of_estimator.value("accuracy") == pytest.approx(expected)
            assert of_booster.model.measured == of_estimator.model.measured
            assert of_booster.model.calibration is not None

    def test_onnx(self) -> None:
        skl2onnx = pytest.importorskip("skl2onnx")
        types = pytest.importorskip("skl2onnx.common.data_types")
        plain = LogisticRegression().fit(TRAIN[FEATURES].to_numpy(), TRAIN["left"])
        inputs = [("x", types.FloatTensorType([None, 2]))]
        for options in ({}, {"zipmap": False}):
            graph = skl2onnx.convert_sklearn(
                plain, initial_types=inputs, options={id(plain): options} if options else None
            )
            found, expected = alone(graph, features=FEATURES), alone(plain, features=FEATURES)
            assert found.value("accuracy") == expected.value("accuracy")
            assert found.value("auroc") == pytest.approx(expected.value("auroc"), abs=1e-4)

    def test_a_callable_and_an_object_of_ones_own_get_the_table(self) -> None:
        class Rule:
            def predict(self, table: pd.DataFrame) -> list[str]:
                return ["yes" if positive else "no" for positive in table["a"] > 0]

        expected = ((TEST["a"] > 0) == (TEST["left"] == "yes")).mean()
        for model in (Rule(), Rule().predict):
            report = alone(model)
            assert report.value("accuracy") == pytest.approx(expected)
            assert report.model.calibration is None
            assert any("auroc is left out" in one for one in report.warnings)

    def test_scores_that_are_no_probabilities_rank_and_are_not_calibrated(self) -> None:
        report = alone(fitted(LinearSVC()))
        assert report.value("auroc") > 0.7
        assert report.model.calibration is None

    def test_a_column_for_each_class_is_taken_for_scores(self) -> None:
        report = alone(lambda table: NEW.predict_proba(table[FEATURES]))
        assert report.model.measured == alone().model.measured

    def test_several_classes(self) -> None:
        model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(TRAIN[FEATURES], TRAIN["region"])
        report = ModelEvaluator().evaluate(model, TEST, "region", latency=False, slices=())
        assert report.value("accuracy") == pytest.approx(model.score(TEST[FEATURES], TEST["region"]))
        assert report.model.calibration.event == "the predicted class is right"

    def test_a_mlflow_model_that_only_mlflow_knows(self, tmp_path: Path) -> None:
        pyfunc = pytest.importorskip("mlflow.pyfunc")

        class Rule(pyfunc.PythonModel):  # type: ignore[misc]
            def predict(self, context, model_input: pd.DataFrame, params=None):
                return np.where(model_input["a"] > 0, "yes", "no")

        pyfunc.save_model(str(tmp_path / "rule"), python_model=Rule(), pip_requirements=["numpy"])
        with pytest.raises(UntrustedModelError):
            alone(tmp_path / "rule")
        report = ModelEvaluator(trust=True).evaluate(
            tmp_path / "rule", TEST, "left", latency=False, slices=()
        )
        assert report.value("accuracy") == pytest.approx(((TEST["a"] > 0) == (TEST["left"] == "yes")).mean())


class TestTwoModels:
    def test_the_comparison_is_that_of_the_statistics(self) -> None:
        report = judge()
        expected = compare_classifiers(
            (TEST["left"] == "yes").astype(int),
            (BASELINE.predict(TEST[["a"]]) == "yes").astype(int),
            (NEW.predict(TEST[FEATURES]) == "yes").astype(int),
            classes=("no", "yes"),
            baseline_scores=BASELINE.predict_proba(TEST[["a"]])[:, 1],
            new_scores=NEW.predict_proba(TEST[FEATURES])[:, 1],
        )
        assert report.comparison == expected
        assert report.decision.accepted
        assert report.baseline.name == "LogisticRegression (baseline)"

    def test_a_model_against_itself_gains_nothing(self) -> None:
        report = judge(baseline=NEW, scorers=[WRONG, FALSE_ALARMS])
        assert report.comparison.delta_one == 0.0
        assert [delta.absolute_delta for _, delta in report.scores] == [0.0, 0.0]
        assert [delta.p_value for _, delta in report.scores] == [1.0, 1.0]
        assert report.decision.verdict is Verdict.BELOW_THRESHOLD

    def test_swapped_models_swap_the_signs(self) -> None:
        there, back = (
            judge(scorers=[WRONG], slices=["region"]),
            judge(BASELINE, NEW, scorers=[WRONG], slices=["region"]),
        )
        assert back.comparison.delta_one == pytest.approx(-there.comparison.delta_one)
        assert back.scores[0][1].gain == pytest.approx(-there.scores[0][1].gain)
        assert back.worst.name != there.worst.name

    def test_the_slice_that_lost_is_named(self) -> None:
        report = judge(slices=["region"])
        assert report.worst.name == "region=ASIA"
        assert report.worst.value < 0
        assert report.worst.interval.high < 0

    def test_a_scorer_of_rows_is_compared_as_mcnemar_does(self) -> None:
        report = judge(scorers=[WRONG])
        (_, delta), accuracy = report.scores[0], report.comparison.delta("accuracy")
        assert delta.method == "mcnemar-mid-p"
        assert delta.p_value == pytest.approx(accuracy.p_value)
        assert delta.gain == pytest.approx(accuracy.gain)

    def test_a_scorer_of_all_rows_is_bootstrapped(self) -> None:
        (_, delta) = judge(scorers=[FALSE_ALARMS]).scores[0]
        old, new = (
            ((model.predict(TEST[names]) == "yes") & (TEST["left"] == "no"))
            for model, names in ((BASELINE, ["a"]), (NEW, FEATURES))
        )
        difference = new.astype(float) - old.astype(float)
        assert delta.absolute_delta == pytest.approx(difference.mean())
        # A standard deviation of 1,000 draws has an error of 2.2 %.
        assert delta.standard_error == pytest.approx(difference.std() / np.sqrt(len(TEST)), rel=0.08)
        assert delta.reference.startswith("Efron, Tibshirani")

    def test_units_widen_the_errors(self) -> None:
        doubled = pd.concat([TEST.assign(user=range(len(TEST)))] * 2)
        by_row, by_user = judge(data=doubled.drop(columns="user")), judge(data=doubled, units="user")
        ratio = by_user.comparison.standard_error / by_row.comparison.standard_error
        assert ratio == pytest.approx(np.sqrt(2), rel=0.01)
        assert by_user.comparison.n_units == len(TEST)

    def test_another_benchmark_than_agreed_is_refused(self, tmp_path: Path) -> None:
        TEST.to_csv(tmp_path / "rows.csv", index=False)
        report = judge(data=tmp_path / "rows.csv", expected_sha256="0" * 64)
        assert report.decision.verdict is Verdict.BENCHMARK_MISMATCH


class TestGuardrails:
    def outcome(self, guardrail: Guardrail | str, **options: Any) -> Any:
        return judge(guardrails=[guardrail], **options).decision.guardrails[0]

    def test_the_bound_of_a_metric_is_one_sided(self) -> None:
        found = self.outcome("recall=0.02")
        delta = judge().comparison.delta("recall")
        assert found.bound == pytest.approx(delta.absolute_delta - 1.644854 * delta.standard_error)
        assert not found.breached

    def test_a_slice_that_got_worse_is_a_breach_though_the_whole_got_better(self) -> None:
        report = judge(guardrails=["accuracy=0.02", "accuracy[region=ASIA]=0.02"])
        assert [one.breached for one in report.decision.guardrails] == [False, True]
        assert report.decision.verdict is Verdict.GUARDRAIL

    def test_size_is_exact(self) -> None:
        small, large = (fitted(DecisionTreeClassifier(max_depth=depth, random_state=0)) for depth in (1, 12))
        sizes = [open_model(model, lambda: None).size_bytes for model in (small, large)]  # type: ignore[arg-type,return-value]
        grown = sizes[1] - sizes[0]
        kept, broken = (
            self.outcome(f"size_bytes={margin}", new=large, baseline=small) for margin in (grown, grown - 1)
        )
        assert (kept.change, kept.breached, broken.breached) == (-grown, False, True)

    def test_a_slower_model_is_a_breach_and_a_faster_one_is_not(self) -> None:
        def slow(table: pd.DataFrame) -> Any:
            total = 0.0
            for number in range(60_000):
                total += number
            return NEW.predict(table[FEATURES])

        def quick(table: pd.DataFrame) -> Any:
            return ["yes"] * len(table)

        evaluator = ModelEvaluator(seconds=0.6)
        for baseline, new, breached in ((quick, slow, True), (slow, quick, False)):
            report = evaluator.compare(
                baseline, new, TEST, "left", guardrails=["latency_ms=10%"], slices=(), latency=False
            )
            assert report.decision.guardrails[0].breached is breached
            assert report.baseline.latency is not None

    def test_probabilities_and_scorers_of_ones_own(self) -> None:
        names = ["brier", "wrong", "wrong[region=ASIA]", "false_alarms"]
        report = judge(guardrails=[f"{name}=0.02" for name in names], scorers=[WRONG, FALSE_ALARMS])
        outcomes = report.decision.guardrails
        assert [one.breached for one in outcomes[:3]] == [False, False, True]
        assert outcomes[1].change == pytest.approx(report.comparison.delta("accuracy").gain)
        # The bound of a resampled change is a quantile of its draws: near the normal one.
        (_, delta) = report.scores[1]
        assert outcomes[3].bound == pytest.approx(delta.gain - 1.645 * delta.standard_error, abs=0.003)

    @pytest.mark.parametrize(
        ("guardrail", "why"),
        [
            ("rmse=1", "a metric of regression"),
            ("call_cost=1", "no such metric and no such scorer"),
            ("recall[region=MOON]=0.1", "No row has 'MOON'"),
            ("recall[planet=EU]=0.1", "'planet' is missing"),
            ("size_bytes[region=EU]=1", "one size"),
            ("latency_ms[region=EU]=1", "over all rows"),
            ("+size_bytes=1", ""),
            (Guardrail("accuracy", 0.1, higher_is_better=False), "higher accuracy is better"),
        ],
    )
    def test_what_cannot_be_measured_is_a_breach_with_its_reason(self, guardrail: Any, why: str) -> None:
        found = self.outcome(guardrail)
        if why:
            assert found.breached
            assert found.change is None
            assert why in found.reason
        else:
            assert found.change is not None

    def test_a_model_without_probabilities_breaches_a_guardrail_on_them(self) -> None:
        found = self.outcome("brier=0.1", new=fitted(LinearSVC()))
        assert found.breached
        assert "probabilities of both models" in found.reason

    def test_a_model_that_cannot_be_stored_breaches_a_guardrail_on_size(self) -> None:
        import threading

        lock = threading.Lock()

        def locked(table: pd.DataFrame) -> Any:
            with lock:
                return NEW.predict(table[FEATURES])

        found = self.outcome("size_bytes=1000000", new=locked)
        assert found.breached
        assert "cannot be stored" in found.reason

    def test_those_of_the_rule_come_first(self) -> None:
        rule = AcceptanceRule(min_rows=10, guardrails=(Guardrail("recall", 0.5),))
        report = judge(rule=rule, guardrails=["f1=0.5", "recall=0.5"])
        assert [one.guardrail.name for one in report.decision.guardrails] == ["recall", "f1"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("model", "options", "error", "reason"),
        [
            (NEW, {"data": TEST.drop(columns="b")}, SchemaError, r"Column 'b' is missing.*data for Logistic"),
            (NEW, {"data": TEST.drop(columns="left")}, SchemaError, "Column 'left' is missing"),
            (NEW, {"data": TEST.assign(left=None)}, SchemaError, "No row has a value in 'left'"),
            (NEW, {"data": TEST[:0]}, SchemaError, "No row has a value"),
            (NEW, {"data": TEST.assign(left="maybe")}, SchemaError, "answers 'no', 'yes', and the data"),
            (NEW, {"data": [1, 2]}, DataError, "a table or a file was expected"),
            (NEW, {"slices": ["regoin"]}, SchemaError, "Did you mean 'region'"),
            (NEW, {"slices": ["left"]}, SchemaError, "target 'left' cannot cut"),
            (NEW, {"units": "user"}, SchemaError, "'user' is missing"),
            (NEW, {"primary": "rmse"}, MetricError, "rmse"),
            (NEW, {"task": "regression"}, SchemaError, "holds no numbers"),
            (NEW, {"scorers": [wrong]}, InvalidInputError, "is no Scorer"),
            (NEW, {"scorers": [WRONG, WRONG]}, MetricError, "the same name"),
            (lambda t: [0.3] * len(t), {"data": TEST.assign(left=TEST["region"])}, SchemaError, "0.3, which is none"),
            (lambda t: ["yes"], {}, SchemaError, r"asked about 900 rows, and its answer has the shape \(1,\)"),
            (lambda t: "yes", {}, SchemaError, "its answer has a str"),
            (lambda t: t["c"], {}, SchemaError, "cannot predict from these rows: KeyError"),
            (NAMELESS, {}, SchemaError, "takes 2 features and does not know them by name; the data have 3"),
            ("no/1.0.0", {}, NotFoundError, "No model is called 'no'"),
            ("nowhere.skops", {}, NotFoundError, "no such model file"),
            (42, {}, InvalidInputError, "is no model"),
        ],
    )  # fmt: skip
    def test_gets_its_reason(self, model: Any, options: Any, error: Any, reason: str) -> None:
        registry = ModelRegistry(store=MemoryModelStore(), ledger=MemoryLedger(), actor="ada", poll_seconds=0)
        options = {"data": TEST, "latency": False, "slices": ()} | options
        with pytest.raises(error, match=reason):
            ModelEvaluator(registry=registry).evaluate(model, target="left", **options)

    def test_a_number_that_is_none_is_named_with_its_row(self) -> None:
        table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0.5, 1.5, 2.25]})
        with pytest.raises(SchemaError, match=r"answers .*nan.* to row 1, and a finite number"):
            ModelEvaluator().evaluate(lambda t: [1.0, float("nan"), 2.0], table, "y", latency=False)

    def test_a_class_that_the_model_does_not_know_is_told(self) -> None:
        report = alone(data=TEST.assign(left=["maybe"] * 40 + TEST["left"].tolist()[40:]))
        assert "LogisticRegression does not know the class 'maybe'" in report.warnings

    def test_unknown_metrics_are_refused_at_once(self) -> None:
        with pytest.raises(MetricError, match="Did you mean 'accuracy'"):
            ModelEvaluator(["acuracy"])
