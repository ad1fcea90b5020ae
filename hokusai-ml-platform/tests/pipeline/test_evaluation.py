"""Both models' answers on the same rows, against scikit-learn's own metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task
from hokusai.errors import MetricError, SchemaError
from hokusai.pipeline.evaluation import compare, evaluate, evaluate_mocks
from hokusai.pipeline.mock_models import mock_baseline, mock_retrained
from hokusai.pipeline.task import ColumnKinds

KINDS = ColumnKinds(numeric=("x", "z"))
FEATURES = ["x", "z"]


def data(n: int, seed: int, names: list[Any]) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    x, z = draw.random(n), draw.random(n)
    level = np.clip((len(names) * (x + 0.25 * draw.standard_normal(n))).astype(int), 0, len(names) - 1)
    return pl.DataFrame({"x": x, "z": z, "label": [names[k] for k in level], "value": 3 * x + z**2})


def fitted(model: Any, frame: pl.DataFrame, target: str = "label", features: list[str] = FEATURES) -> Any:
    return model.fit(frame.select(features).to_pandas(), frame[target].to_list())


def judged(old: Any, new: Any, frame: pl.DataFrame, task: Task = Task.CLASSIFICATION, target: str = "label"):
    return evaluate(frame, target, task, KINDS, old, new)


class TestMetrics:
    @pytest.mark.parametrize("names", [["no", "yes"], [0, 1], [False, True], [1.0, 2.0]])
    def test_two_classes(self, names: list[Any]) -> None:
        train, bench = data(80, 1, names), data(60, 2, names)
        models = (fitted(LogisticRegression(), train, features=["z", "x"]), fitted(GaussianNB(), train))
        compared = compare(judged(*models, bench))
        truth = np.array([name == names[1] for name in bench["label"]])
        for role, model in zip(("baseline_value", "new_value"), models, strict=True):
            table = bench.select(model.feature_names_in_).to_pandas()
            said = model.predict(table) == names[1]
            expected = {
                "accuracy": accuracy_score(truth, said),
                "precision": precision_score(truth, said),
                "recall": recall_score(truth, said),
                "f1": f1_score(truth, said),
                "auroc": roc_auc_score(truth, model.predict_proba(table)[:, 1]),
            }
            assert {d.metric.name: getattr(d, role) for d in compared.deltas} == pytest.approx(expected)

    def test_more_classes_are_macro_averages(self) -> None:
        names = ["low", "mid", "top"]
        train, bench = data(120, 1, names), data(90, 2, names)
        models = (fitted(LogisticRegression(), train), fitted(GaussianNB(), train))
        compared = compare(judged(*models, bench))
        table, truth = bench.select(FEATURES).to_pandas(), bench["label"].to_list()
        for role, model in zip(("baseline_value", "new_value"), models, strict=True):
            said = model.predict(table)
            expected = {
                "accuracy": accuracy_score(truth, said),
                "precision": precision_score(truth, said, average="macro"),
                "recall": recall_score(truth, said, average="macro"),
                "f1": f1_score(truth, said, average="macro"),
                "auroc": roc_auc_score(truth, model.predict_proba(table), multi_class="ovr", average="macro"),
            }
            assert {d.metric.name: getattr(d, role) for d in compared.deltas} == pytest.approx(expected)

    def test_regression(self) -> None:
        train, bench = data(80, 1, ["a"]), data(60, 2, ["a"])
        models = (
            fitted(LinearRegression(), train, "value"),
            fitted(RandomForestRegressor(20, random_state=0), train, "value"),
        )
        evaluation = judged(*models, bench, Task.REGRESSION, "value")
        compared = compare(evaluation)
        table, truth = bench.select(FEATURES).to_pandas(), bench["value"].to_numpy()
        for role, model in zip(("baseline_value", "new_value"), models, strict=True):
            said = model.predict(table)
            expected = {
                "rmse": root_mean_squared_error(truth, said),
                "mae": mean_absolute_error(truth, said),
                "r2": r2_score(truth, said),
            }
            assert {d.metric.name: getattr(d, role) for d in compared.deltas} == pytest.approx(expected)
        assert evaluation.classes == ()

    def test_weights_and_primary_metric_are_passed_on(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        models = (fitted(LogisticRegression(), frame), fitted(GaussianNB(), frame))
        compared = compare(judged(*models, frame), {"recall": 1}, "f1_score")
        assert compared.delta_one == pytest.approx(compared.delta("recall").gain)
        assert compared.primary.metric == "f1"

    def test_a_model_against_itself_changes_nothing(self) -> None:
        frame = data(60, 1, ["a", "b", "c"])
        model = fitted(GaussianNB(), frame)
        compared = compare(judged(model, model, frame))
        assert compared.delta_one == 0
        assert {d.absolute_delta for d in compared.deltas} == {0.0}


class Prophet(ClassifierMixin, BaseEstimator):
    """Predicts, and gives no scores."""

    def __init__(self, answer: Any = "yes") -> None:
        self.answer = answer

    def fit(self, X: Any, y: Any) -> Prophet:
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        return np.array([self.answer] * len(X), dtype=object)


class TestScores:
    def test_a_decision_function_alone_gives_auroc(self) -> None:
        train, bench = data(80, 1, ["no", "yes"]), data(60, 2, ["no", "yes"])
        models = (fitted(LinearSVC(random_state=0), train), fitted(SVC(), train))
        compared = compare(judged(*models, bench))
        truth = bench["label"].to_numpy() == "yes"
        for role, model in zip(("baseline_value", "new_value"), models, strict=True):
            expected = roc_auc_score(truth, model.decision_function(bench.select(FEATURES).to_pandas()))
            assert getattr(compared.delta("auroc"), role) == pytest.approx(expected)

    def test_decisions_of_more_classes(self) -> None:
        names = ["a", "b", "c"]
        train, bench = data(120, 1, names), data(90, 2, names)
        model = fitted(LinearSVC(random_state=0), train)
        compared = compare(judged(model, model, bench))
        scores, truth = model.decision_function(bench.select(FEATURES).to_pandas()), bench["label"].to_numpy()
        expected = np.mean([roc_auc_score(truth == name, scores[:, k]) for k, name in enumerate(names)])
        assert compared.delta("auroc").new_value == pytest.approx(expected)

    def test_decisions_between_pairs_of_classes_are_no_scores(self) -> None:
        frame = data(120, 1, ["a", "b", "c", "d"])
        model = fitted(SVC(decision_function_shape="ovo"), frame)
        compared = compare(judged(model, fitted(GaussianNB(), frame), frame))
        assert [d.metric.name for d in compared.deltas] == ["accuracy", "precision", "recall", "f1"]
        assert any("auroc is left out" in warning for warning in compared.warnings)

    def test_a_model_without_scores_has_no_auroc(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        evaluation = judged(fitted(Prophet(), frame), fitted(GaussianNB(), frame), frame)
        assert evaluation.baseline_scores is None
        assert "auroc" not in {d.metric.name for d in compare(evaluation).deltas}
        with pytest.raises(MetricError, match=r"auroc.*cannot be computed"):
            compare(evaluation, {"auroc": 1})


class TestClasses:
    def test_a_class_that_no_model_knows(self) -> None:
        names = ["a", "b", "c"]
        train = data(120, 1, names).filter(pl.col("label") != "c")
        bench = data(90, 2, names)
        model = fitted(GaussianNB(), train)
        evaluation = judged(model, fitted(GaussianNB(), data(120, 3, names)), bench)
        assert evaluation.classes == ("a", "b", "c")
        assert evaluation.baseline_scores is not None
        assert evaluation.baseline_scores[:, 2].tolist() == [0.0] * 90
        known = model.predict_proba(bench.select(FEATURES).to_pandas())
        assert (evaluation.baseline_scores[:, :2] == known).all()
        assert compare(evaluation).delta("recall").baseline_value == pytest.approx(
            recall_score(bench["label"], model.predict(bench.select(FEATURES).to_pandas()), average="macro")
        )

    def test_a_class_that_the_benchmark_does_not_have(self) -> None:
        names = ["a", "b", "c"]
        bench = data(90, 2, names).filter(pl.col("label") != "b")
        evaluation = judged(*[fitted(GaussianNB(), data(120, seed, names)) for seed in (1, 3)], bench)
        assert evaluation.classes == ("a", "b", "c")
        assert set(evaluation.target.tolist()) == {0, 2}
        assert any("no row of class 'b'" in warning for warning in compare(evaluation).warnings)

    def test_scores_follow_the_class_and_not_its_place(self) -> None:
        """Model classes sort as text ("10" before "9"), those of the evaluation by size."""
        frame = data(80, 1, ["10", "9"])
        model = fitted(GaussianNB(), frame)
        evaluation = judged(model, fitted(LinearSVC(random_state=0), frame), frame)
        assert evaluation.classes == ("9", "10")
        table = frame.select(FEATURES).to_pandas()
        assert model.classes_.tolist() == ["10", "9"]
        assert (evaluation.baseline_scores == model.predict_proba(table)[:, 0]).all()
        assert evaluation.target.tolist() == [int(name == "10") for name in frame["label"]]
        truth = frame["label"].to_numpy() == "10"
        svc = fitted(LinearSVC(random_state=0), frame)
        assert compare(evaluation).delta("auroc").new_value == pytest.approx(
            roc_auc_score(truth, -svc.decision_function(table))
        )

    def test_numbers_and_their_texts_are_one_class(self) -> None:
        texts, numbers = data(80, 1, ["0", "1"]), data(80, 1, [0, 1])
        evaluation = judged(fitted(GaussianNB(), texts), fitted(GaussianNB(), numbers), numbers)
        assert evaluation.classes == ("0", "1")
        assert (evaluation.baseline == evaluation.new).all()

    def test_a_prediction_that_nobody_listed(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        evaluation = judged(fitted(Prophet("perhaps"), frame), fitted(GaussianNB(), frame), frame)
        assert evaluation.classes == ("no", "perhaps", "yes")
        assert compare(evaluation).delta("accuracy").baseline_value == 0

    @pytest.mark.parametrize(
        "names", [["nan", "1", "2"], ["inf", "1", "0"], ["1", "1.0", "2"], ["é", "z", "Z"]]
    )
    def test_the_order_of_classes_is_one_order(self, names: list[str]) -> None:
        frame = pl.DataFrame({"x": [0.0, 0.5, 1.0] * 20, "z": [0.0, 1.0, 0.0] * 20, "label": names * 20})
        model = fitted(DummyClassifier(), frame)
        orders = {judged(model, model, frame.sample(60, shuffle=True, seed=s)).classes for s in range(5)}
        by_size = names == ["1", "1.0", "2"]
        assert orders == {("1", "1.0", "2") if by_size else tuple(sorted(names))}

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            (1, "1"), (1.0, "1"), (np.float64(2.0), "2"), (np.int8(3), "3"), (0.5, "0.5"), (-0.0, "0"),
            (True, "true"), (np.bool_(False), "false"), ("1.0", "1.0"), (np.str_("a"), "a"), (1e300, str(int(1e300))),
        ],
    )  # fmt: skip
    def test_names(self, value: Any, name: str) -> None:
        assert class_name(value) == name

    @given(st.text(max_size=10))
    def test_text_is_its_own_name(self, text: str) -> None:
        assert class_name(text) == text


class TestRefusals:
    def test_a_column_that_the_model_needs(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        model = fitted(GaussianNB(), frame.rename({"z": "age"}), features=["x", "age"])
        with pytest.raises(
            SchemaError, match=r"The new model needs columns .*: age\).?|The new model needs .*: age"
        ):
            judged(fitted(GaussianNB(), frame), model, frame)

    def test_a_column_of_another_kind(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        model = fitted(GaussianNB(), frame)
        odd = frame.with_columns(z=pl.lit("word"))
        with pytest.raises(
            SchemaError, match="The baseline model cannot predict from the benchmark: could not convert"
        ):
            evaluate(
                odd, "label", Task.CLASSIFICATION, ColumnKinds(numeric=("x",), text=("z",)), model, model
            )

    def test_another_number_of_nameless_columns(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        model = GaussianNB().fit(frame[["x"]].to_numpy(), frame["label"].to_list())
        with pytest.raises(SchemaError, match="cannot predict from the benchmark: X has 2 features"):
            judged(model, model, frame)

    def test_a_model_that_is_not_fitted(self) -> None:
        frame = data(60, 1, ["no", "yes"])
        with pytest.raises(SchemaError, match=r"cannot predict .*not fitted"):
            judged(GaussianNB(), GaussianNB(), frame)


def test_a_model_of_plain_texts_is_asked_for_texts() -> None:
    texts = ["good", "bad", "good thing", "bad thing"] * 5
    frame = pl.DataFrame({"t": texts, "label": ["yes", "no"] * 10})
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["yes", "no"] * 10)
    evaluation = evaluate(frame, "label", Task.CLASSIFICATION, ColumnKinds(text=("t",)), model, model)
    assert (evaluation.target == evaluation.new).all()


class TestMocks:
    def test_the_better_mock_is_better_and_scores_agree_with_predictions(self) -> None:
        frame = pl.DataFrame({"label": ["no", "yes", "yes", "no"] * 500})
        artifacts = (
            mock_baseline(1).artifact("1.0.0", "mock_baseline", 500),
            mock_retrained(1, 0.6).artifact("2.0.0", "mock_retrained", 500, 700),
        )
        evaluation = evaluate_mocks(frame, "label", Task.CLASSIFICATION, *artifacts)
        assert evaluation.classes == ("no", "yes")
        assert evaluation.new_scores is not None
        assert ((evaluation.new_scores > 0.5) == (evaluation.new == 1)).all()
        assert compare(evaluation).significant

    def test_regression(self) -> None:
        frame = pl.DataFrame({"y": np.random.default_rng(0).normal(5, 2, 2000)})
        artifacts = (
            mock_baseline(1).artifact("1.0.0", "mock_baseline", 500),
            mock_retrained(1, 0.6).artifact("2.0.0", "mock_retrained", 500, 700),
        )
        compared = compare(evaluate_mocks(frame, "y", Task.REGRESSION, *artifacts))
        rmse = compared.delta("rmse")
        assert rmse.new_value < rmse.baseline_value
        assert rmse.improvement
