"""Signatures: the same as MLflow's own inference finds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hokusai.core.models.signature import given_signature, inferred_signature, known_features

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TABLE = pd.DataFrame(
    {
        "whole": [1, 2],
        "small": np.array([1, 2], dtype=np.int16),
        "byte": np.array([1, 2], dtype=np.uint8),
        "wide": np.array([1, 2], dtype=np.uint32),
        "single": np.array([1, 2], dtype=np.float32),
        "double": [0.5, np.nan],
        "flag": [True, False],
    }
)
INPUTS = {
    "table of numbers": TABLE,
    "table with text": pd.DataFrame({"t": ["x", "y"], "n": [1.0, 2.0]}),
    "table with dates": pd.DataFrame({"d": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
    "matrix": np.zeros((3, 4)),
    "single precision": np.zeros((3, 4), dtype=np.float32),
    "picture": np.zeros((2, 8, 8, 3), dtype=np.uint8),
    "flags": np.array([True, False]),
    "texts": np.array(["a", "bc"]),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("answer", [np.array([1, 0]), np.array([[0.5, 0.5]]), pd.DataFrame({"p": [0.5]})])
def test_is_what_mlflow_infers(name: str, answer: Any) -> None:
    from mlflow.models import infer_signature

    found = inferred_signature(INPUTS[name], answer)
    expected = infer_signature(INPUTS[name], answer).to_dict()
    assert found is not None
    for part in ("inputs", "outputs"):
        assert json.loads(found[part]) == json.loads(expected[part])
    assert found["params"] == expected["params"]


def test_there_is_none_for_what_mlflow_cannot_describe() -> None:
    assert inferred_signature(object(), object()) is None


def test_names_without_types_are_read_by_mlflow() -> None:
    from mlflow.models import ModelSignature

    told = known_features(["a", "b"], 2)
    assert told is not None
    assert ModelSignature.from_dict(told).inputs.input_names() == ["a", "b"]


def test_a_number_of_features_is_a_matrix() -> None:
    from mlflow.models import ModelSignature

    told = known_features(None, 3)
    assert told is not None
    assert ModelSignature.from_dict(told).inputs.inputs[0].shape == (-1, 3)


def test_nothing_known_is_no_signature() -> None:
    assert known_features(None, None) is None


def test_a_dict_with_lists_is_put_into_mlflows_form() -> None:
    told = given_signature({"inputs": [{"type": "double", "name": "a"}]})
    assert told == {"inputs": '[{"type": "double", "name": "a"}]', "outputs": None, "params": None}
