"""`src.services.performance_tracker`: the specification's example as it stands there, on a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EXAMPLE = """
from src.services.performance_tracker import PerformanceTracker

tracker = PerformanceTracker()

# Track performance improvement
delta, attestation = tracker.track_improvement(
    baseline_metrics={"accuracy": 0.85, "f1": 0.83},
    improved_metrics={"accuracy": 0.88, "f1": 0.86},
    data_contribution={
        "contributor_address": "0x742d35Cc6634C0532925a3b844Bc9e7595f62341",
        "data_hash": "abc123",
        "samples": 1000
    }
)
"""


def test_the_example_of_the_specification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path))
    for name in ("MLFLOW_TRACKING_URI", "HOKUSAI_DATABASE_URL", "POSTGRES_URI", "HOKUSAI_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    names: dict[str, object] = {}
    exec(EXAMPLE, names)  # the text of the specification
    delta, attestation, tracker = names["delta"], names["attestation"], names["tracker"]
    assert delta == {"accuracy": 0.03, "f1": 0.03}
    assert attestation["data_contribution"]["dataset_hash"] == "abc123"  # type: ignore[index]
    assert attestation["data_contribution"]["data_size"] == 1000  # type: ignore[index]
    assert tracker.verify(attestation).delta == delta  # type: ignore[attr-defined]

    address = "0x742d35Cc6634C0532925a3b844Bc9e7595f62341"
    tracker.log_contribution_impact(address, "churn/1.1.0", delta)  # type: ignore[attr-defined]
    impact = tracker.get_contributor_impact(address)  # type: ignore[attr-defined]
    assert impact.total["accuracy"].delta == 0.03
    assert len(impact.attestations) == 1

    run = tracker.tracking.runs  # type: ignore[attr-defined]
    with run._mlflow() as client:
        experiment = client.get_experiment_by_name(tracker.tracking.experiment)  # type: ignore[attr-defined]
        tracked = client.search_runs([experiment.experiment_id])
        metrics = sorted((sorted(one.data.metrics.items()) for one in tracked), key=len)
        assert metrics == [
            [("accuracy_improvement", 0.03), ("f1_improvement", 0.03)],
            [("accuracy_improvement", 0.03), ("delta_one_score", 0.03), ("f1_improvement", 0.03)],
        ]
        with_file = next(one for one in tracked if "delta_one_score" in one.data.metrics)
        stored = Path(client.download_artifacts(with_file.info.run_id, "attestation.json", str(tmp_path)))
        assert json.loads(stored.read_text()) == attestation


def test_it_is_the_packages_own() -> None:
    from hokusai.tracking import PerformanceTracker as Ours
    from src.services.performance_tracker import PerformanceTracker

    assert PerformanceTracker is Ours
