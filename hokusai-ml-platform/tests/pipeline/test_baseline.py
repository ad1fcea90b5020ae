"""The baseline model: trained, loaded from a file or a store, or mocked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hokusai.core.models.skops_file import dump_model, load_model
from hokusai.domain.model import ModelArtifact
from hokusai.domain.seeds import derive_seed
from hokusai.errors import ConfigurationError, NotFoundError, UntrustedModelError
from hokusai.pipeline import baseline, reference
from hokusai.ports import ModelFile


class Models:
    """Stored models by reference."""

    def __init__(self, **content: bytes) -> None:
        self.files = {name.replace("__", "/").replace("_", "."): data for name, data in content.items()}

    def fetch(self, name: str) -> ModelFile:
        if name not in self.files:
            raise NotFoundError(f"There is no model {name}")
        return ModelFile(name, "model.skops", self.files[name])


def fitted(model: Any = None) -> Any:
    return (model or LogisticRegression()).fit(
        [[0.1, 0.2], [0.9, 0.8], [0.2, 0.1], [0.8, 0.9]], ["no", "yes"] * 2
    )


@pytest.fixture
def known(csv, labelled, plan_of):
    """A plan and its reference, with some more parameters."""

    def make(**more: Any):
        given = {
            "contributed_data": csv("c.csv", labelled(20, 2)),
            "base_data": csv("base.csv", labelled(40, 1)),
        }
        if "baseline_model" in more:
            given["benchmark_data"] = csv("bench.csv", labelled(20, 3))
        plan = plan_of(**{**given, **more})
        return plan, reference.load(plan, reference.survey(plan))

    return make


class TestTrained:
    def test_the_default_estimator_on_the_rows_that_are_not_held_out(self, known) -> None:
        plan, ref = known()
        artifact = baseline.load(plan, ref, Models())
        assert artifact.model_id == "1.0.0"
        assert artifact.model_type == "sklearn.linear_model.LogisticRegression"
        seed = derive_seed(plan.seed, "train", "estimator") % 2**32
        assert artifact.params == {"max_iter": 1000, "random_state": seed}
        assert artifact.base_samples == ref.base.height < 40
        assert (artifact.contributed_samples, artifact.contribution_ratio) == (0, 0.0)
        model = load_model(artifact.content, where=artifact.file_name)
        mine = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
            ref.base.select("x", "z").to_numpy(), ref.base["label"].to_list()
        )
        assert np.allclose(model[-1].coef_, mine[-1].coef_)

    def test_the_same_run_gives_the_same_bytes(self, known) -> None:
        more = {
            "estimator": "sklearn.ensemble.RandomForestClassifier",
            "estimator_params": '{"n_estimators": 5}',
        }
        digests = [baseline.load(*known(seed=seed, **more), Models()).sha256 for seed in ("1", "1", "2")]
        assert digests[0] == digests[1] != digests[2]

    def test_parameters_are_added_to_the_defaults(self, known) -> None:
        plan, ref = known(estimator_params='{"C": 0.5}')
        params = baseline.load(plan, ref, Models()).params
        assert params.pop("random_state") >= 0
        assert params == {"max_iter": 1000, "C": 0.5}

    def test_regression_by_default_is_ridge(self, csv, plan_of) -> None:
        draw = np.random.default_rng(0)
        data = {"x": draw.random(40).tolist(), "label": draw.random(40).tolist()}
        plan = plan_of(
            contributed_data=csv(
                "c.csv", {k: v[:20][::-1] for k, v in data.items()} | {"x": draw.random(20).tolist()}
            ),
            base_data=csv("b.csv", data),
        )
        artifact = baseline.load(plan, reference.load(plan, reference.survey(plan)), Models())
        assert artifact.model_type == "sklearn.linear_model.Ridge"

    def test_a_dry_run_has_a_mock(self, known) -> None:
        artifact = baseline.load(*known(dry_run=True), Models())
        assert (artifact.model_id, artifact.model_type, artifact.base_samples) == (
            "1.0.0",
            "mock_baseline",
            500,
        )


class TestGiven:
    def test_a_file(self, known, tmp_path: Path) -> None:
        (tmp_path / "mine.skops").write_bytes(content := dump_model(fitted()))
        artifact = baseline.load(*known(baseline_model=str(tmp_path / "mine.skops")), Models())
        assert artifact == ModelArtifact(
            "1.0.0", "sklearn.linear_model.LogisticRegression", "mine.skops", content, {}, None
        )

    def test_a_stored_model_by_name_or_uri(self, known) -> None:
        content = dump_model(fitted(make_pipeline(StandardScaler(), LogisticRegression())))
        stored = Models()
        stored.files = {"churn/1.2.0": content, "models:/churn/3": content}
        for name in stored.files:
            artifact = baseline.load(*known(baseline_model=name), stored)
            assert (artifact.model_id, artifact.model_type) == (
                name,
                "sklearn.linear_model.LogisticRegression",
            )

    def test_a_stored_model_that_is_not_there(self, known) -> None:
        with pytest.raises(NotFoundError):
            baseline.load(*known(baseline_model="churn/9.0.0"), Models())

    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (
                Ridge().fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0]),
                "is a regressor, but the task is classification",
            ),
            (
                StandardScaler().fit([[0.0], [1.0]]),
                "is a transformer, but the task is|no known kind, but the task",
            ),
            (LogisticRegression(), "not a fitted scikit-learn model: .*not fitted"),
            (make_pipeline(StandardScaler(), LogisticRegression()), "not a fitted scikit-learn model"),
            ({"a": 1}, "not a fitted scikit-learn model"),
            ([1, 2], "not a fitted scikit-learn model"),
            (np.zeros(3), "not a fitted scikit-learn model"),
            (None, "not a fitted scikit-learn model"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_is_no_baseline(self, known, tmp_path: Path, model: Any, message: str) -> None:
        (tmp_path / "m.skops").write_bytes(dump_model(model))
        with pytest.raises(ConfigurationError, match=message):
            baseline.load(*known(baseline_model=str(tmp_path / "m.skops")), Models())

    def test_a_pickle(self, known, tmp_path: Path) -> None:
        (tmp_path / "m.pkl").write_bytes(b"\x80\x04N.")
        with pytest.raises(UntrustedModelError, match=r"m\.pkl.*skops"):
            baseline.load(*known(baseline_model=str(tmp_path / "m.pkl")), Models())

    def test_a_search_is_a_model_too(self, known, tmp_path: Path) -> None:
        x, y = np.arange(20).reshape(10, 2) / 20, ["no", "yes"] * 5
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(x, y)
        (tmp_path / "m.skops").write_bytes(dump_model(search))
        artifact = baseline.load(*known(baseline_model=str(tmp_path / "m.skops")), Models())
        assert artifact.model_type == "sklearn.model_selection.GridSearchCV"

    def test_the_type_of_a_pipeline_is_that_of_its_last_step(self, known, tmp_path: Path) -> None:
        model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
            ["a word", "no word"], ["no", "yes"]
        )
        (tmp_path / "m.skops").write_bytes(dump_model(model))
        artifact = baseline.load(*known(baseline_model=str(tmp_path / "m.skops")), Models())
        assert artifact.model_type == "sklearn.linear_model.LogisticRegression"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("churn/1.2.3", "churn/1.3.0"),
        ("churn/0.9.0", "churn/0.10.0"),
        ("churn/2.0.0-rc.1", "churn/2.1.0"),
        ("1.0.0", "2.0.0"),
        ("models:/churn/3", "2.0.0"),
        ("models:/churn@production", "2.0.0"),
        ("runs:/0a1b/model", "2.0.0"),
    ],
)
def test_the_next_id(given: str, expected: str) -> None:
    assert baseline.next_id(ModelArtifact(given, "t", "f", b"", {}, None)) == expected
