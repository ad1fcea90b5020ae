"""Models by type, models of one's own, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from hokusai.core.models import (
    ClassificationModel,
    CustomModel,
    HokusaiModel,
    ModelFactory,
    ModelType,
    RegressionModel,
)
from hokusai.errors import InvalidInputError, UntrustedModelError

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.8, 0.1]])
CLASSIFIER = LogisticRegression().fit(X, [0, 1, 0, 1])


class Doubling(HokusaiModel):
    """A model of one's own."""

    def predict(self, data: Any) -> Any:
        return data * 2

    def save(self, path: str | Path) -> None:
        Path(path).write_text("doubling")

    @classmethod
    def load(cls, path: str | Path) -> Doubling:
        return cls(Path(path).read_text())


@pytest.fixture
def doubling() -> Iterator[None]:
    ModelFactory.register_model_class("doubling", Doubling)
    yield
    del ModelFactory._classes["doubling"]


class TestModelFactory:
    @pytest.mark.parametrize(
        ("model_type", "expected"),
        [
            ("classification", ClassificationModel),
            (ModelType.REGRESSION, RegressionModel),
            ("custom", CustomModel),
        ],
    )
    def test_makes_models_by_type(self, model_type: str, expected: type) -> None:
        model = ModelFactory.create_model(
            model_type, "churn/1.0.0", "1.0.0", {"depth": 3}, {"team": "growth"}
        )
        assert type(model) is expected
        assert (model.model_id, model.version, model.metadata) == ("churn/1.0.0", "1.0.0", {"team": "growth"})
        assert model.config == {"depth": 3}  # type: ignore[attr-defined]  # a task's model has it

    def test_refuses_an_unknown_type_with_a_guess(self) -> None:
        with pytest.raises(InvalidInputError, match=r"'clasification'.*Did you mean 'classification'"):
            ModelFactory.create_model("clasification", "a", "1.0.0")

    @pytest.mark.usefixtures("doubling")
    def test_makes_models_of_a_registered_class(self) -> None:
        model = ModelFactory.create_model("doubling", "d/1.0.0", "1.0.0")
        assert type(model) is Doubling and model.predict(4) == 8
        assert model.model_type == "doubling"

    def test_registers_only_models(self) -> None:
        with pytest.raises(InvalidInputError, match="no subclass of HokusaiModel"):
            ModelFactory.register_model_class("dict", dict)  # type: ignore[arg-type]  # the mistake under test

    def test_makes_a_model_again_from_what_it_told(self) -> None:
        model = ModelFactory.create_model(
            "classification",
            "churn/1.0.0",
            "1.0.0",
            metadata={"k": 1},
            metrics={"auc": 0.9},
            model=CLASSIFIER,
        )
        back = ModelFactory.from_dict(model.to_dict(), model=CLASSIFIER)
        assert {**back.to_dict(), "created_at": ""} == {**model.to_dict(), "created_at": ""}
        assert back.predict(X[:1]).tolist() == [0]

    def test_says_what_a_description_lacks(self) -> None:
        with pytest.raises(InvalidInputError, match="lacks model_id, version"):
            ModelFactory.from_dict({"model_type": "custom"})


class TestHokusaiModel:
    def test_gives_a_copy_of_its_metrics(self) -> None:
        model = Doubling(metrics={"auc": 0.5})
        model.get_metrics()["auc"] = 1.0
        assert model.get_metrics() == {"auc": 0.5}

    def test_predicts_one_item_after_another(self) -> None:
        assert Doubling().batch_predict([1, 2, 3]) == [2, 4, 6]

    def test_keeps_further_details_as_metadata(self) -> None:
        assert Doubling("a", metadata={"x": 1}, team="growth").metadata == {"x": 1, "team": "growth"}

    def test_cannot_be_made_without_its_methods(self) -> None:
        with pytest.raises(TypeError, match="abstract"):
            HokusaiModel("a")  # type: ignore[abstract]  # the mistake under test


class TestTaskModels:
    def test_probabilities_are_those_of_the_model_inside(self) -> None:
        model = ClassificationModel("a/1.0.0", "1.0.0", CLASSIFIER)
        assert model.predict_proba(X[:1].tolist()) == CLASSIFIER.predict_proba(X[:1]).tolist()

    def test_without_probabilities_it_says_so(self) -> None:
        model = ClassificationModel("a/1.0.0", "1.0.0", LinearRegression().fit(X, [0, 1, 0, 1]))
        with pytest.raises(InvalidInputError, match="no predict_proba"):
            model.predict_proba(X)

    def test_without_a_model_it_says_what_to_give(self) -> None:
        with pytest.raises(InvalidInputError, match=r"no model to predict with.*model="):
            RegressionModel("price/1.0.0", "1.0.0").predict(X)

    def test_is_saved_and_loaded(self, tmp_path: Path) -> None:
        ClassificationModel("a/1.0.0", "1.0.0", CLASSIFIER).save(tmp_path)
        assert ClassificationModel.load(tmp_path).predict(X).tolist() == [0, 1, 0, 1]

    def test_a_pickle_is_loaded_only_with_trust(self, tmp_path: Path) -> None:
        CustomModel("a/1.0.0", "1.0.0", lambda rows: len(rows) + 1).save(tmp_path)
        with pytest.raises(UntrustedModelError):
            CustomModel.load(tmp_path)
        assert CustomModel.load(tmp_path, trust=True).predict([1, 2]) == 3
