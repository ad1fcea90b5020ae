"""`src.services.model_registry`: the older import path, with the calls that the specification shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from src.services.model_registry import HokusaiModelRegistry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HokusaiModelRegistry:
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path))
    for name in ("MLFLOW_TRACKING_URI", "HOKUSAI_DATABASE_URL", "POSTGRES_URI"):
        monkeypatch.delenv(name, raising=False)
    return HokusaiModelRegistry()


def fitted(seed: int) -> LogisticRegression:
    rows = np.random.default_rng(seed).normal(size=(40, 3))
    return LogisticRegression().fit(rows, rows[:, 0] > 0)


def test_the_calls_of_the_specification(registry: HokusaiModelRegistry) -> None:
    baseline = registry.register_baseline(
        model=fitted(0),
        model_type="logistic_regression",
        metadata={"dataset": "benchmark_v1"},
        metrics={"accuracy": 0.8},
    )
    improved = registry.register_improved_model(
        baseline_model_id="baseline_001",
        improved_model=fitted(1),
        contributor_address="0x742D35cc6634C0532925A3B844BC9E7595f62341",
        data_contribution={"samples": 1000, "quality_score": 0.95},
        metrics={"accuracy": 0.83},
    )
    lineage = registry.get_model_lineage("baseline_001")
    assert baseline["model_id"] == "baseline_001/1.0.0"
    assert baseline["model_type"] == "logistic_regression"
    assert improved["model_id"] == "baseline_001/1.1.0"
    assert improved["baseline_id"] == "baseline_001/1.0.0"
    assert improved["contributor"] == "0x742D35cc6634C0532925A3B844BC9E7595f62341"
    assert [entry["model_id"] for entry in lineage] == ["baseline_001/1.0.0", "baseline_001/1.1.0"]
    assert lineage[1]["delta_metrics"]["accuracy"] == pytest.approx(0.03)
