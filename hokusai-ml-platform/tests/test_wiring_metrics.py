"""Where metrics go by default: what the settings say at the time of the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from hokusai import wiring
from hokusai.utils.config import Settings
from hokusai.utils.metrics import default_sink


def test_equal_settings_give_one_sink_hence_one_run(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert wiring.metric_sink(settings) is wiring.metric_sink(Settings(home=tmp_path))
    assert wiring.metric_sink(settings) is not wiring.metric_sink(Settings(home=tmp_path / "other"))


def test_the_default_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@mlflow:5000")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "first")
    assert repr(default_sink()) == "MlflowMetricSink('http://me:***@mlflow:5000', 'first')"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "second")
    assert repr(default_sink()) == "MlflowMetricSink('http://me:***@mlflow:5000', 'second')"
