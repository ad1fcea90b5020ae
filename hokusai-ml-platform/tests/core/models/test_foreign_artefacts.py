"""Folders that somebody made with MLflow's own flavors: described, loaded safely, or only with trust."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

from hokusai.core.models import describe, is_safe, unpack
from hokusai.core.models.skops_file import dump_model
from hokusai.domain.records import ModelFacts, ModelRecord
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import IntegrityError, InvalidInputError, UntrustedModelError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

X = np.random.default_rng(0).random((80, 4))
Y = (X[:, 0] > 0.5).astype(int)
TABLE = pd.DataFrame(X, columns=list("abcd"))
LINEAR = LogisticRegression().fit(TABLE, Y)
WITHOUT_INFERENCE: dict[str, Any] = {"pip_requirements": []}


def save_sklearn(folder: Path, form: str) -> Any:
    import mlflow

    mlflow.sklearn.save_model(LINEAR, str(folder), serialization_format=form, **WITHOUT_INFERENCE)
    return LINEAR.predict(TABLE)


def save_xgboost(folder: Path, form: str) -> Any:
    import mlflow

    model = xgboost.XGBClassifier(n_estimators=3).fit(TABLE, Y)
    mlflow.xgboost.save_model(model, str(folder), model_format=form, **WITHOUT_INFERENCE)
    return model.predict(TABLE)


def save_lightgbm(folder: Path, form: str) -> Any:
    import mlflow

    if form == "text":
        model = lightgbm.train({"verbose": -1}, lightgbm.Dataset(TABLE, Y), 3)
        mlflow.lightgbm.save_model(model, str(folder), **WITHOUT_INFERENCE)
    else:
        model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(TABLE, Y)
        mlflow.lightgbm.save_model(model, str(folder), serialization_format=form, **WITHOUT_INFERENCE)
    return model.predict(TABLE)


def save_onnx(folder: Path, form: str) -> Any:
    import mlflow

    graph = to_onnx(LogisticRegression().fit(X, Y), X[:1].astype(np.float32), options={"zipmap": False})
    mlflow.onnx.save_model(graph, str(folder), **WITHOUT_INFERENCE)
    return LogisticRegression().fit(X, Y).predict(X)


def save_pyfunc(folder: Path, form: str) -> Any:
    import mlflow

    def first(model_input: pd.DataFrame) -> Any:
        return model_input["a"].to_numpy()

    mlflow.pyfunc.save_model(str(folder), python_model=first, input_example=TABLE[:2], **WITHOUT_INFERENCE)
    return X[:, 0]


CASES = {
    "mlflow-sklearn-skops": (save_sklearn, "skops", True),
    "mlflow-sklearn-cloudpickle": (save_sklearn, "cloudpickle", False),
    "mlflow-sklearn-pickle": (save_sklearn, "pickle", False),
    "mlflow-xgboost-ubj": (save_xgboost, "ubj", True),
    "mlflow-xgboost-json": (save_xgboost, "json", True),
    "mlflow-lightgbm-text": (save_lightgbm, "text", True),
    "mlflow-lightgbm-skops": (save_lightgbm, "skops", True),
    "mlflow-lightgbm-cloudpickle": (save_lightgbm, "cloudpickle", False),
    "mlflow-onnx": (save_onnx, "", True),
    "mlflow-pyfunc-cloudpickle": (save_pyfunc, "", False),
}


@pytest.mark.parametrize("form", CASES)
def test_what_mlflow_stored_is_described_and_loaded(form: str, tmp_path: Path) -> None:
    save, option, safe = CASES[form]
    expected = save(tmp_path / "model", option)
    told = describe(tmp_path / "model")
    assert (told.format, is_safe(form)) == (form, safe)
    assert "MLmodel" in told.files and told.sha256
    record = ModelRecord("churn", 1, tags=ModelFacts(SemanticVersion.parse("1.0.0"), told).tags())
    if not safe:
        with pytest.raises(UntrustedModelError, match=r"runs whatever its author.*\(churn/1\.0\.0\)"):
            unpack(tmp_path / "model", record, trust=False)
    model = unpack(tmp_path / "model", record, trust=not safe)
    np.testing.assert_array_equal(np.asarray(model.predict(TABLE)), expected)


def test_a_file_that_was_put_beside_code_of_mlflows_is_not_run(tmp_path: Path) -> None:
    save_pyfunc(tmp_path / "model", "")
    told = describe(tmp_path / "model")
    (tmp_path / "model" / "code").mkdir()
    (tmp_path / "model" / "code" / "pandas.py").write_text("raise SystemExit")
    record = ModelRecord("churn", 1, tags=ModelFacts(SemanticVersion.parse("1.0.0"), told).tags())
    with pytest.raises(IntegrityError, match=r"code/pandas\.py is a file of the model, and no digest"):
        unpack(tmp_path / "model", record, trust=True)


def test_a_row_without_digests_is_loaded_if_its_form_is_safe(tmp_path: Path) -> None:
    expected = save_sklearn(tmp_path / "model", "skops")
    model = unpack(tmp_path / "model", ModelRecord("churn", 3), trust=False)
    assert model.model_id == "churn/3"
    np.testing.assert_array_equal(model.predict(TABLE), expected)


def test_the_type_of_a_skops_model_is_read_without_loading_it(tmp_path: Path) -> None:
    save_sklearn(tmp_path / "model", "skops")
    told = describe(tmp_path / "model")
    assert told.model_type == "sklearn.linear_model._logistic.LogisticRegression"


def test_a_signature_that_was_logged_is_kept(tmp_path: Path) -> None:
    import mlflow
    from mlflow.models import infer_signature

    signature = infer_signature(TABLE, Y)
    mlflow.sklearn.save_model(LINEAR, str(tmp_path / "model"), signature=signature, **WITHOUT_INFERENCE)
    assert describe(tmp_path / "model").signature == signature.to_dict()


def test_a_folder_with_one_skops_file_and_nothing_else_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "churn.skops").write_bytes(dump_model(LINEAR))
    assert describe(tmp_path).format == "skops"
    np.testing.assert_array_equal(
        unpack(tmp_path, ModelRecord("churn", 1), trust=False).predict(TABLE), LINEAR.predict(TABLE)
    )


def test_a_folder_without_a_model_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LINEAR))
    with pytest.raises(InvalidInputError, match=r"no model that can be told: model\.pkl"):
        describe(tmp_path)


def test_an_mlmodel_that_is_none_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("just text")
    with pytest.raises(IntegrityError, match="MLmodel"):
        describe(tmp_path)


def test_an_unknown_flavor_is_left_to_mlflow_and_needs_trust(tmp_path: Path) -> None:
    about = "flavors:\n  prophet: {data: model.pr}\n  python_function: {loader_module: os, data: model.pr}\n"
    (tmp_path / "MLmodel").write_text(about)
    (tmp_path / "model.pr").write_text("x")
    assert describe(tmp_path).format == "mlflow-prophet"
    with pytest.raises(UntrustedModelError, match="mlflow-prophet"):
        unpack(tmp_path, ModelRecord("churn", 1), trust=False)


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcd", "bcde", strict=True))


@pytest.mark.parametrize(
    "about",
    [
        BOMB + "flavors: {sklearn: {pickled_model: m.skops}}",
        "[" * 100_000,
        "{a: " * 20_000,
        '{"flavors": {"sklearn": "x"}}',
        '{"flavors": {"sklearn": ["x"]}}',
        '{"flavors": {"sklearn": {"pickled_model": ["m.skops"]}}}',
        '{"flavors": {"xgboost": {"data": "m", "model_class": {"a": 1}}}}',
        '{"flavors": {"sklearn": {}}, "metadata": "x"}',
        '{"flavors": {"sklearn": {}}, "metadata": {"hokusai.format": 1}}',
        '{"flavors": {"sklearn": {}}, "signature": "x"}',
        '{"flavors": {"sklearn": {}}, "signature": {"inputs": [1]}}',
        "flavors: {1: {data: m}}",
        "flavors: {sklearn: {pickled_model: m, date: 2024-13-45}}",
        '{"flavors": {"sklearn": {"pickled_model": "a\\u0000b"}}}',
        '{"flavors": {"sklearn": {"pickled_model": "\\ud800"}}}',
        '{"flavors": {"sklearn": {"pickled_model": "' + "a" * 300 + '"}}}',
        "flavors: {sklearn: {}} #" + "#" * (1 << 20),
        '{"flavors": {"sklearn": {}}, "a": "' + "#" * (16 << 20) + '"}',
    ],
    ids=lambda about: about[:60],
)
def test_a_hostile_mlmodel_is_an_integrity_error(about: str, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(about)
    with pytest.raises(IntegrityError, match="MLmodel"):
        describe(tmp_path)


def test_a_signature_nested_too_deep_is_refused(tmp_path: Path) -> None:
    about = {"flavors": {"sklearn": {"pickled_model": "m"}}, "signature": {"inputs": "[" * 100_000}}
    (tmp_path / "MLmodel").write_text(json.dumps(about))
    with pytest.raises(InvalidInputError, match="inputs are not JSON"):
        describe(tmp_path)


def test_a_model_file_that_mlmodel_names_and_is_not_there_is_no_failure_to_describe(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text('{"flavors": {"sklearn": {"pickled_model": "m.skops"}}}')
    assert describe(tmp_path).model_type == "sklearn"
