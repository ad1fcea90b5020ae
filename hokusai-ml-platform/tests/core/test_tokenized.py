"""Models that others logged or registered, as the registry takes them."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from hokusai.core.models.packing import pack
from hokusai.core.registry import ModelRegistry


def test_a_model_that_somebody_registered_straight_into_mlflow_is_loaded(registry: ModelRegistry):
    rows = np.array([[0.0], [1.0]])
    model = LogisticRegression().fit(rows, [0, 1])
    registry.store.add_version("theirs", registry.store.upload("theirs", pack(model).files), {})
    assert np.array_equal(registry.load_model("theirs/1").predict(rows), model.predict(rows))
