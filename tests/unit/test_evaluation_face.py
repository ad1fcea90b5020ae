"""`src.modules.evaluation`: the older methods, against scikit-learn's weighted averages."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from hokusai.errors import InvalidInputError, MetricError
from src.modules.evaluation import ModelEvaluator

DRAW = np.random.default_rng(1)
X = DRAW.normal(size=(300, 2))
Y = np.digitize(X[:, 0] + 0.7 * DRAW.normal(size=300), [-0.7, 0.9])
MODEL = LogisticRegression().fit(X, Y)


@pytest.mark.parametrize("truth", [Y, np.minimum(Y, 1)])
def test_metrics_are_weighted_by_the_rows_of_the_classes(truth: np.ndarray) -> None:
    model = LogisticRegression().fit(X, truth)
    said, chances = model.predict(X), model.predict_proba(X)
    area = chances if len(model.classes_) > 2 else chances[:, 1]
    found = ModelEvaluator().evaluate_sklearn_model(model, X, truth, threshold=0.5)
    assert found == pytest.approx(
        {
            "accuracy": (said == truth).mean(),
            "precision": precision_score(truth, said, average="weighted"),
            "recall": recall_score(truth, said, average="weighted"),
            "f1": f1_score(truth, said, average="weighted"),
            "auroc": roc_auc_score(truth, area, multi_class="ovr", average="weighted"),
        }
    )


def test_auroc_is_none_where_it_is_not_defined() -> None:
    one_class = Y == 1
    found = ModelEvaluator().evaluate_model(MODEL, X[one_class], Y[one_class])
    assert found["metrics"]["auroc"] is None
    assert (found["test_samples"], found["model_type"]) == (int(one_class.sum()), "LogisticRegression")


def test_a_mock_says_what_it_states_and_nothing_is_made_up() -> None:
    mock = {"type": "mock_model", "metrics": {"accuracy": 0.85, "f1": 0.83}}
    evaluator = ModelEvaluator(metrics=["accuracy"])
    assert evaluator.evaluate_mock_model(mock, X, Y) == {"accuracy": 0.85}
    assert evaluator.evaluate_model(mock, X, Y) == {
        "metrics": {"accuracy": 0.85},
        "test_samples": 300,
        "model_type": "mock_model",
    }
    with pytest.raises(InvalidInputError, match="states no metrics"):
        evaluator.evaluate_mock_model({"type": "mock_model"})


def test_a_comparison_its_score_and_its_report() -> None:
    evaluator = ModelEvaluator()
    changes = evaluator.compare_models(
        {"accuracy": 0.8, "rmse": 4.0, "f1": 0.5}, {"accuracy": 0.9, "rmse": 5.0}
    )
    assert changes["accuracy"] == pytest.approx(
        {"baseline": 0.8, "new": 0.9, "absolute_delta": 0.1, "relative_delta": 12.5, "improved": True}
    )
    assert changes["rmse"]["improved"] is False
    assert evaluator.calculate_delta_score(changes) == pytest.approx((0.1 - 1.0) / 2)
    assert evaluator.calculate_delta_score(changes, {"accuracy": 3.0, "rmse": 1.0}) == pytest.approx(
        0.075 - 0.25
    )
    report = evaluator.create_evaluation_report({"accuracy": 0.8}, {"accuracy": 0.9}, changes)
    assert (report["improved_metrics"], report["degraded_metrics"]) == (["accuracy"], ["rmse"])
    with pytest.raises(MetricError, match="No metric that was compared"):
        evaluator.calculate_delta_score(changes, {"precision": 1.0})


def test_todays_methods_are_there_too() -> None:
    import pandas as pd

    table = pd.DataFrame(X, columns=["a", "b"]).assign(y=Y)
    report = ModelEvaluator().evaluate(MODEL, table, "y", latency=False, slices=())
    assert report.value("accuracy") == pytest.approx(MODEL.score(X, Y))
