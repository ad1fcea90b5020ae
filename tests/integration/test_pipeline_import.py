"""Importing the flow is cheap: every process of a run does it."""

import json
import subprocess
import sys

from tests.integration.pipeline_process import ROOT, environment

HEAVY = ("pandas", "polars", "numpy", "sklearn", "scipy", "mlflow", "pydantic", "skops", "sqlalchemy", "rich")


def loaded_by(tmp_path, statement):
    code = f"import sys; {statement}; import json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_flow_loads_nothing_heavy(tmp_path):
    loaded = loaded_by(tmp_path, "import src.pipeline.hokusai_pipeline")
    assert "metaflow" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []


def test_the_flow_adds_few_modules_to_metaflow(tmp_path):
    added = loaded_by(tmp_path, "import src.pipeline.hokusai_pipeline") - loaded_by(
        tmp_path, "import metaflow"
    )
    assert len(added) < 60, sorted(added)
