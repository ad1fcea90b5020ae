"""`src.utils.metrics`: the specification's own lines, run as they stand, on nothing but a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOGGING = """
from src.utils.metrics import log_model_metrics, log_pipeline_metrics, log_usage_metrics

# Log model performance metrics
log_model_metrics({
    "accuracy": 0.89,
    "f1_score": 0.87,
    "latency_ms": 15.2
})

# Log pipeline execution metrics
log_pipeline_metrics({
    "duration_seconds": 120.5,
    "data_processed": 10000,
    "success_rate": 0.98
})

# Log usage metrics
log_usage_metrics({
    "reply_rate": 0.1523,
    "conversion_rate": 0.0821
})
"""
MIGRATION = """
from src.utils.metrics import migrate_metric_name

# Automatic migration
old_name = "accuracy"
new_name = migrate_metric_name(old_name)  # Returns "model:accuracy"
"""
LOOKING = """
from hokusai.adapters.mlflow_store import open_client
from hokusai.utils.config import Settings

client = open_client(Settings.load().mlflow_uri)
experiment = client.get_experiment_by_name("hokusai-pipeline")
(run,) = client.search_runs([experiment.experiment_id])
print(run.info.status, sorted(run.data.metrics.items()))
"""


def run(code: str, folder: Path) -> str:
    """What `code` prints in a fresh interpreter, in an empty folder, with no setting."""
    ours = ("HOKUSAI_", "MLFLOW_", "POSTGRES_", "REDIS_", "PIPELINE_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**bare, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow  # MLflow builds its schema here, as for a newcomer
def test_logs_to_the_embedded_default_with_nothing_configured(tmp_path: Path) -> None:
    printed = run(LOGGING + LOOKING, tmp_path)
    assert printed == (
        "FINISHED [('model:accuracy', 0.89), ('model:f1_score', 0.87), ('model:latency_ms', 15.2), "
        "('pipeline:data_processed', 10000.0), ('pipeline:duration_seconds', 120.5), "
        "('pipeline:success_rate', 0.98), ('usage:conversion_rate', 0.0821), ('usage:reply_rate', 0.1523)]\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [".hokusai"]


def test_migrates_a_name_as_the_specification_shows(tmp_path: Path) -> None:
    assert run(MIGRATION + "print(new_name)", tmp_path) == "model:accuracy\n"


def test_is_an_alias_of_the_package(tmp_path: Path) -> None:
    same = (
        "import hokusai.utils.metrics as package, src.utils.metrics as face\n"
        "print(all(getattr(face, n) is getattr(package, n) for n in face.__all__), len(face.__all__))"
    )
    assert run(same, tmp_path) == "True 13\n"
