"""`python -m metaflow run MODULE:FLOW`, as the specification has it, and what is said of a wrong target."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = "tests.integration.flows.nine_steps"


@pytest.fixture
def metaflow(tmp_path):
    """Runs `python -m metaflow` with these arguments from the repository root, without a USER."""

    def run(*arguments, **environment):
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW", "HOKUSAI"))
        }
        for name in ("USER", "USERNAME", "SUDO_USER", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
            kept.pop(name, None)
        return subprocess.run(
            [sys.executable, "-m", "metaflow", *arguments],
            cwd=ROOT,
            env=kept
            | {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path), "METAFLOW_PYLINT": "0", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("a\n1\n")
    return file


def test_runs_and_resumes_the_flow_of_a_module(metaflow, data, tmp_path):
    id_file = tmp_path / "id"
    failed = metaflow(
        "run",
        f"{MODULE}:NineSteps",
        "--dry-run",
        f"--contributed-data={data}",
        f"--run-id-file={id_file}",
        FAULT="integrate_contributed_data:exit202",
    )
    assert failed.returncode == 1
    assert "executing NineSteps for user:hokusai" in failed.stderr
    resumed = metaflow("resume", f"{MODULE}:NineSteps", f"--origin-run-id={id_file.read_text()}")
    assert resumed.returncode == 0, resumed.stderr
    assert "rows 2 True" in resumed.stdout


def test_a_user_that_is_not_root_keeps_the_name(metaflow):
    assert "for user:ada" in metaflow("run", f"{MODULE}:NineSteps", "--help", USER="ada").stderr
    assert "for user:hokusai" in metaflow("run", f"{MODULE}:NineSteps", "--help", USER="root").stderr


def test_arguments_after_the_target_are_the_flows(metaflow):
    done = metaflow("run", MODULE, "--help")
    assert done.returncode == 0
    assert "--contributed-data" in done.stdout


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("src.pipeline.no_such:Flow", "There is no module 'src.pipeline.no_such'"),
        ("nowhere.at_all:Flow", "There is no module 'nowhere.at_all'"),
        ("", "There is no module ''"),
        (f"{MODULE}:TenSteps", "has no class 'TenSteps'. It has: NineSteps."),
        ("src.pipeline:Flow", "The module 'src.pipeline' is a package"),
    ],
)
def test_a_wrong_target_is_explained(metaflow, target, complaint):
    done = metaflow("run", target)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_of_metaflow_are_still_there(metaflow):
    done = metaflow("--help")
    assert done.returncode == 0
    assert {"run", "resume", "configure", "status"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line.strip()
    }
