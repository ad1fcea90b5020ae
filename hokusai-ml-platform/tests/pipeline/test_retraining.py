"""The new model: the baseline's kind, from base and contributed rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hokusai.core.models.skops_file import dump_model, load_model
from hokusai.pipeline import baseline, contribution, reference
from hokusai.pipeline.retraining import retrain


class NoModels:
    def fetch(self, reference: str) -> Any:
        raise AssertionError(f"{reference} was asked for")


@pytest.fixture
def retrained(csv, labelled, plan_of):
    """(baseline, new model, training rows) of a run with these parameters."""

    def make(**more: Any):
        given = {
            "contributed_data": csv("c.csv", labelled(20, 2)),
            "base_data": csv("base.csv", labelled(40, 1)),
            "benchmark_data": csv("bench.csv", labelled(20, 3)),
        }
        plan = plan_of(**{**given, **more})
        facts = reference.survey(plan)
        old = baseline.load(plan, reference.load(plan, facts), NoModels())
        contributed = contribution.integrate(plan, facts)
        return (
            old,
            retrain(plan, facts, contributed, old),
            contribution.training_frame(plan, facts, contributed),
        )

    return make


def test_the_same_estimator_with_the_same_seed_on_more_rows(retrained) -> None:
    params = '{"n_estimators": 5, "max_depth": 3}'
    old, new, frame = retrained(estimator="sklearn.ensemble.RandomForestClassifier", estimator_params=params)
    assert (new.model_id, new.model_type, new.params) == ("2.0.0", old.model_type, old.params)
    assert (new.base_samples, new.contributed_samples, new.contribution_ratio) == (40, 20, 20 / 60)
    models = [load_model(artifact.content, where="m") for artifact in (old, new)]
    assert models[0][-1].get_params() == models[1][-1].get_params()
    x = frame.select("x", "z").to_pandas()
    mine = make_pipeline(StandardScaler(), RandomForestClassifier(**models[0][-1].get_params()))
    mine.fit(x, frame["label"].to_list())
    assert (models[1].predict_proba(x) == mine.predict_proba(x)).all()


def test_nothing_but_the_data_makes_the_difference(retrained) -> None:
    first, second = retrained(), retrained()
    assert first[1] == second[1]
    assert first[1].sha256 != first[0].sha256


@pytest.mark.parametrize("named", [True, False])
def test_a_given_baseline_keeps_its_settings(retrained, tmp_path: Path, named: bool) -> None:
    columns = ["x", "z"]
    x = np.random.default_rng(0).random((30, 2))
    given = RandomForestClassifier(7, max_depth=2, min_samples_leaf=3)
    import pandas as pd

    data = pd.DataFrame(x, columns=columns) if named else x
    (tmp_path / "given.skops").write_bytes(dump_model(given.fit(data, np.where(x[:, 0] > 0.5, "yes", "no"))))
    results = [retrained(baseline_model=str(tmp_path / "given.skops")) for _ in range(2)]
    old, new, frame = results[0]
    assert (old.base_samples, new.base_samples, new.contributed_samples) == (None, 40, 20)
    again = load_model(new.content, where="m")
    asked = {"n_estimators": 7, "max_depth": 2, "min_samples_leaf": 3}
    assert again.get_params() == given.get_params() | asked | {"random_state": again.random_state}
    assert again.random_state is not None  # the given one had none, and chance has to be repeatable
    assert again.n_features_in_ == 2
    assert frame.height == 60
    assert new == results[1][1]


def test_another_estimator_may_take_the_place_of_a_given_baseline(retrained, tmp_path: Path) -> None:
    given = LogisticRegression().fit([[0.0, 0.0], [1.0, 1.0]], ["no", "yes"])
    (tmp_path / "given.skops").write_bytes(dump_model(given))
    _, new, _ = retrained(
        baseline_model=str(tmp_path / "given.skops"),
        estimator="sklearn.tree.DecisionTreeClassifier",
        estimator_params='{"max_depth": 2}',
    )
    assert new.model_type == "sklearn.tree.DecisionTreeClassifier"
    assert new.params["max_depth"] == 2
    assert set(new.params) == {"max_depth", "random_state"}


def test_a_dry_run_has_a_mock_that_is_better_with_more_rows(retrained, csv, labelled) -> None:
    _, few, _ = retrained(dry_run=True)
    _, many, _ = retrained(dry_run=True, contributed_data=csv("more.csv", labelled(400, 2)))
    assert (few.model_id, few.model_type, few.base_samples, few.contributed_samples) == (
        "2.0.0", "mock_retrained", 500, 20,
    )  # fmt: skip
    assert 2.0 < few.params["signal"] < many.params["signal"] < 3.6
