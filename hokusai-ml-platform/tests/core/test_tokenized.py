"""Models that others logged or registered, as the registry takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.core.models.packing import pack
from hokusai.core.registry import ModelRegistry
from hokusai.errors import InvalidInputError


def test_a_model_that_somebody_registered_straight_into_mlflow_is_loaded(registry: ModelRegistry):
    rows = np.array([[0.0], [1.0]])
    model = LogisticRegression().fit(rows, [0, 1])
    registry.store.add_version("theirs", registry.store.upload("theirs", pack(model).files), {})
    assert np.array_equal(registry.load_model("theirs/1").predict(rows), model.predict(rows))


def test_an_address_that_mlflow_can_make_nothing_of_is_bad_input(tmp_path: Path):
    store = MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "artifacts"))
    registry = ModelRegistry(store=store, ledger=MemoryLedger())
    with pytest.raises(InvalidInputError):
        registry.register_from_uri("https://127.0.0.1:1/model", "m", "1.0.0")
