"""PyTorch, Keras and DSPy, where they are installed; the development set leaves them out for their size."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hokusai.core.models import pack, unpack
from hokusai.core.models.wrapping import framework_of, wrap
from hokusai.domain.records import ModelFacts, ModelRecord
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import UntrustedModelError

pytestmark = pytest.mark.filterwarnings("ignore")

X = np.random.default_rng(0).random((20, 4)).astype(np.float32)


def restored(model: Any, folder: Path, *, trust: bool = True, example: Any = None) -> Any:
    packed = pack(model, input_example=example)
    packed.write(folder)
    tags = ModelFacts(SemanticVersion.parse("1.0.0"), packed.stored).tags()
    return unpack(folder, ModelRecord("churn", 1, tags=tags), trust=trust)


class TestTorch:
    @pytest.fixture
    def net(self) -> Any:
        torch = pytest.importorskip("torch")
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))

    def test_an_example_makes_it_an_exported_graph(self, net: Any, tmp_path: Path) -> None:
        assert pack(net, input_example=X[:3]).stored.format == "torch-export"
        assert pack(net, input_example=X[:3]) == pack(net, input_example=X[:3])
        back = restored(net, tmp_path, example=X[:3])
        np.testing.assert_allclose(back.predict(X), wrap(net).predict(X), rtol=1e-6)

    def test_without_an_example_it_is_a_pickle(self, net: Any, tmp_path: Path) -> None:
        assert pack(net).stored.format == "torch-pickle"
        np.testing.assert_array_equal(restored(net, tmp_path).predict(X), wrap(net).predict(X))

    @pytest.mark.parametrize("example", [None, X[:2]])
    def test_neither_is_loaded_without_trust(self, net: Any, tmp_path: Path, example: Any) -> None:
        with pytest.raises(UntrustedModelError):
            restored(net, tmp_path, trust=False, example=example)

    @pytest.mark.parametrize("example", [None, X[:2]])
    def test_plain_mlflow_loads_it(self, net: Any, tmp_path: Path, example: Any) -> None:
        import mlflow

        restored(net, tmp_path, example=example)
        answer = mlflow.pyfunc.load_model(str(tmp_path)).predict(X)
        np.testing.assert_allclose(np.asarray(answer), wrap(net).predict(X), rtol=1e-6)

    def test_a_record_gives_a_list_and_a_tensor_a_tensor(self, net: Any) -> None:
        torch = importlib.import_module("torch")
        answer = wrap(net).predict(dict(zip("abcd", X[0].tolist(), strict=True)))
        assert isinstance(answer, list) and answer == pytest.approx(wrap(net).predict(X[:1])[0].tolist())
        assert isinstance(wrap(net).predict(torch.from_numpy(X)), torch.Tensor)

    def test_predicting_leaves_training_mode_as_it_was(self, net: Any) -> None:
        net.train()
        wrap(net).predict(X)
        assert net.training


class TestKeras:
    @pytest.fixture
    def keras(self) -> Any:
        backend = next(
            (name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name)), ""
        )
        os.environ.setdefault("KERAS_BACKEND", backend)
        return pytest.importorskip("keras")

    def test_is_stored_without_time_or_addresses_and_loads_without_trust(
        self, keras: Any, tmp_path: Path
    ) -> None:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="relu")])
        assert framework_of(model) in ("keras", "tensorflow")
        assert pack(model) == pack(model)
        back = restored(model, tmp_path, trust=False, example=X[:2])
        np.testing.assert_allclose(back.predict(X), model.predict(X, verbose=0), rtol=1e-6)

    def test_a_lambda_needs_trust(self, keras: Any, tmp_path: Path) -> None:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
        assert pack(model).stored.format == "keras-code"
        with pytest.raises(UntrustedModelError, match="Lambda"):
            restored(model, tmp_path, trust=False)
        np.testing.assert_allclose(restored(model, tmp_path).predict(X), X * 2)


class TestDspy:
    @pytest.fixture
    def program(self) -> Any:
        dspy = pytest.importorskip("dspy")

        class Answering(dspy.Module):  # type: ignore[misc, name-defined]  # dspy is not always installed
            def __init__(self) -> None:
                super().__init__()
                self.ask = dspy.Predict("question -> answer")

            def forward(self, question: str) -> Any:
                return self.ask(question=question)

        return Answering()

    def test_answers_a_dict_with_a_dict_and_a_table_with_a_list(self, program: Any, tmp_path: Path) -> None:
        dspy = importlib.import_module("dspy")
        model = importlib.import_module("dspy.utils").DummyLM([{"answer": "42"}] * 9)
        back = restored(program, tmp_path)
        with dspy.context(lm=model):
            assert back.predict({"question": "6 x 7?"}) == {"answer": "42"}
            assert back.predict(pd.DataFrame({"question": ["a", "b"]})) == [{"answer": "42"}] * 2

    def test_plain_mlflow_loads_it(self, program: Any, tmp_path: Path) -> None:
        import mlflow

        dspy = importlib.import_module("dspy")
        model = importlib.import_module("dspy.utils").DummyLM([{"answer": "42"}] * 9)
        restored(program, tmp_path)
        with dspy.context(lm=model):
            loaded = mlflow.pyfunc.load_model(str(tmp_path))
            assert loaded.predict(pd.DataFrame({"question": ["a"]})) == [{"answer": "42"}]

    def test_keys_are_not_stored(self, program: Any) -> None:
        program.ask.lm = importlib.import_module("dspy").LM("openai/some", api_key="very-secret")
        assert not any(b"very-secret" in content for content in pack(program).files.values())  # type: ignore[operator]
        assert program.ask.lm.kwargs["api_key"] == "very-secret"
