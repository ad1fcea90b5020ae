"""The wrapper that fits: found without importing frameworks, refused with reasons."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from hokusai.core.models.onnx_model import OnnxModel
from hokusai.core.models.wrapping import framework_of, wrap
from hokusai.errors import InvalidInputError, MetricError, UntrustedModelError

X = np.random.default_rng(0).random((60, 2))
Y = (X[:, 0] > 0.5).astype(int)
TABLE = pd.DataFrame(X, columns=["a", "b"])
SINGLE = X.astype(np.float32)


class Predicts:
    def predict(self, data: Any) -> Any:
        return [len(data)]


def graph(**options: Any) -> Any:
    return to_onnx(LogisticRegression().fit(X, Y), SINGLE[:1], options={"zipmap": False}, **options)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (LogisticRegression(), "sklearn"),
        (xgboost.XGBClassifier(), "xgboost"),
        (lightgbm.LGBMRegressor(), "lightgbm"),
        (Predicts(), "callable"),
        (sorted, "callable"),
        (lambda rows: rows, "callable"),
        (onnx.ModelProto(), "onnx"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_framework_is_told_by_the_object(model: Any, kind: str) -> None:
    assert framework_of(model) == kind


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (None, "NoneType None is no model"),
        ({"weights": [1]}, "dict {'weights': [1]} is no model"),
        ("model.pkl", "str 'model.pkl' is no model"),
        ([1, 2], "list [1, 2] is no model"),
        (LogisticRegression, "The class LogisticRegression was given"),
        (StandardScaler(), "cannot predict"),
        (object(), "cannot predict"),
        (np.zeros(3), "cannot predict"),
        (b"not onnx", "The bytes are no model"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_model_is_refused_with_what_is_accepted(thing: Any, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        wrap(thing)
    assert said in str(caught.value)
    assert "fit" in caught.value.hint  # "Give a fitted estimator …", or "Make and fit one"


def test_wrapping_a_function_imports_no_framework() -> None:
    code = (
        "import sys; from hokusai.core.models import ModelFactory; ModelFactory.wrap(len).predict([1]);"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'xgboost', 'lightgbm', 'onnx', 'torch', 'mlflow') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestAWrappedModel:
    def test_has_the_frameworks_object_and_its_attributes(self) -> None:
        native = LogisticRegression().fit(X, Y)
        model = wrap(native)
        assert model.native is native
        assert model.classes_.tolist() == [0, 1]
        assert not hasattr(model, "booster_")

    def test_probabilities_are_of_the_kind_that_went_in(self) -> None:
        native = LogisticRegression().fit(TABLE, Y)
        model = wrap(native)
        expected = native.predict_proba(TABLE)
        np.testing.assert_array_equal(model.predict_proba(TABLE), expected)
        answer = model.predict_proba(TABLE[:2].to_dict("records"))
        assert isinstance(answer, list) and answer[0] == pytest.approx(expected[0].tolist())

    def test_has_no_probabilities_where_the_framework_has_none(self) -> None:
        assert not hasattr(wrap(LinearRegression().fit(X, Y)), "predict_proba")

    def test_a_record_gives_one_value(self) -> None:
        native = LogisticRegression().fit(TABLE, Y)
        answer = wrap(native).predict({"b": 0.1, "a": 0.9})
        assert answer == 1 and type(answer) is int

    def test_one_fitted_on_an_array_takes_records_without_a_warning(self) -> None:
        assert wrap(LogisticRegression().fit(X, Y)).predict([{"a": 0.9, "b": 0.1}]) == [1]

    def test_is_itself_when_wrapped_again(self) -> None:
        model = wrap(len)
        assert wrap(model) is model

    def test_is_saved_and_loaded_in_its_own_form(self, tmp_path: Any) -> None:
        for native in (
            LogisticRegression().fit(X, Y),
            xgboost.XGBClassifier(n_estimators=2).fit(X, Y),
            graph(),
        ):
            model = wrap(native)
            folder = tmp_path / model.framework
            model.save(folder)
            back = type(model).load(folder)
            np.testing.assert_array_equal(back.predict(SINGLE), model.predict(SINGLE))

    def test_refuses_metrics_that_are_no_numbers(self) -> None:
        with pytest.raises(MetricError, match="auc"):
            wrap(len, metrics={"auc": float("nan")})

    def test_shows_what_it_is(self) -> None:
        model = wrap(LogisticRegression(), model_id="churn/1.0.0", metrics={"auc": 0.9})
        assert repr(model) == "<SklearnModel churn/1.0.0 LogisticRegression auc=0.9>"


class TestXgboost:
    def test_a_booster_checks_the_names_of_a_record(self) -> None:
        model = wrap(xgboost.train({}, xgboost.DMatrix(TABLE, Y), 2))
        assert model.predict({"b": 0.1, "a": 0.9}) == pytest.approx(
            float(model.predict(TABLE.assign(a=0.9, b=0.1))[0])
        )
        with pytest.raises(InvalidInputError, match="lacks 'b'"):
            model.predict({"a": 0.9})

    def test_parameters_are_those_that_were_given(self) -> None:
        assert wrap(xgboost.XGBClassifier(max_depth=2)).params["max_depth"] == 2
        assert wrap(xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 1)).params["max_depth"] == "2"


def _attribute(model: onnx.ModelProto, kind: str) -> Any:
    return model.graph.node.add(op_type="Constant", output=["unused"]).attribute.add(
        name="value", type=getattr(onnx.AttributeProto, kind)
    )


OUTSIDE = {
    "initializer": lambda model: model.graph.initializer.add(),
    "sparse initializer": lambda model: model.graph.sparse_initializer.add().values,
    "constant": lambda model: _attribute(model, "TENSOR").t,
    "list of constants": lambda model: _attribute(model, "TENSORS").tensors.add(),
    "sparse constant": lambda model: _attribute(model, "SPARSE_TENSOR").sparse_tensor.indices,
    "branch": lambda model: _attribute(model, "GRAPH").g.initializer.add(),
    "one of several branches": lambda model: _attribute(model, "GRAPHS").graphs.add().initializer.add(),
    "function": lambda model: (
        model.functions.add(name="f", domain="d")
        .node.add(op_type="Constant", output=["c"])
        .attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
        .t
    ),
}
"""Where a graph can hold a tensor."""


class TestOnnx:
    def test_bytes_are_a_model(self) -> None:
        expected = LogisticRegression().fit(X, Y).predict(X)
        np.testing.assert_array_equal(wrap(graph().SerializeToString()).predict(X), expected)

    def test_the_second_output_is_the_probabilities(self) -> None:
        expected = LogisticRegression().fit(X, Y).predict_proba(X)
        np.testing.assert_allclose(wrap(graph()).predict_proba(X), expected, atol=1e-6)

    def test_all_outputs_are_told_by_name(self) -> None:
        assert set(wrap(graph()).outputs(SINGLE)) == {"label", "probabilities"}

    def test_several_inputs_are_given_by_name(self) -> None:
        total = onnx.helper.make_graph(
            [onnx.helper.make_node("Add", ["a", "b"], ["sum"])],
            "sum",
            [
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, 1])
                for name in ("a", "b")
            ],
            [onnx.helper.make_tensor_value_info("sum", onnx.TensorProto.FLOAT, [None, 1])],
        )
        opset = [onnx.helper.make_opsetid("", 13)]
        model = wrap(onnx.helper.make_model(total, opset_imports=opset, ir_version=8))
        assert model.predict({"a": [[1.0], [2.0]], "b": [[10.0], [20.0]]}) == [[11.0], [22.0]]
        assert model.predict([{"a": 1, "b": 2}]) == [[3.0]]
        assert model.predict(pd.DataFrame({"b": [2.0], "a": [0.5]})).tolist() == [[2.5]]
        with pytest.raises(InvalidInputError, match=r"lacks 'b'.*inputs a, b"):
            model.predict({"a": [[1.0]]})

    @pytest.mark.parametrize("where", OUTSIDE)
    def test_a_graph_that_reads_other_files_is_refused(
        self, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "secret.bin").write_bytes(bytes(4))  # it is there, and could be read
        model = graph()
        tensor = OUTSIDE[where](model)
        tensor.name, tensor.data_type, tensor.dims[:] = "stolen", onnx.TensorProto.FLOAT, [1]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="secret.bin")
        with pytest.raises(UntrustedModelError, match="numbers from other files"):
            OnnxModel(model.SerializeToString())
