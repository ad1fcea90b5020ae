"""The command lines of the specification, verbatim, from the repository root."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hokusai.pipeline.delta_output import without_volatile
from tests.integration.pipeline_process import CLI, QUERIES, ROOT, STEPS, environment, pipeline
from tests.warm_python import programs

BY_MODULE = (
    "PYTHONPATH=. python -m src.pipeline.hokusai_pipeline run --dry-run "
    "--contributed-data=data/test_fixtures/test_queries.csv --output-dir=./outputs"
)
BY_VARIABLE = (
    "HOKUSAI_TEST_MODE=true PYTHONPATH=. python -m src.pipeline.hokusai_pipeline run "
    "--contributed-data=data/test_fixtures/test_queries.csv"
)
BY_METAFLOW = (
    "python -m metaflow run src.pipeline.hokusai_pipeline:HokusaiPipeline --dry-run "
    "--contributed-data=data/test_fixtures/test_queries.csv"
)


@pytest.fixture
def shell(tmp_path):
    """Types a command line into a shell in the repository root; (the DeltaOne JSON, what was printed)."""
    written = []

    def type_in(line, warm=False, **changes):
        there_before = (ROOT / "outputs").exists()
        changes = {"PYTHONPATH": None} | changes
        folders = [programs(tmp_path / "bin")] * warm + [Path(sys.executable).parent, os.environ["PATH"]]
        path = os.pathsep.join(map(str, folders))
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=ROOT,
            env=environment(tmp_path, PATH=path, **changes),
            capture_output=True,
            text=True,
            check=False,
        )
        run_id = re.search(r"run-id (\d+)", done.stdout)
        if run_id:
            written.extend((ROOT / "outputs").glob(f"*_{run_id[1]}.*"))
        if not there_before:
            written.append(ROOT / "outputs")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((ROOT / "outputs" / f"delta_output_{run_id[1]}.json").read_bytes()), done.stdout

    yield type_in
    for path in written:
        if path.is_dir():
            with contextlib.suppress(OSError):  # somebody else's outputs are in it as well
                path.rmdir()
        else:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("line", "user"),
    [(BY_MODULE, None), (BY_VARIABLE, "root"), (BY_METAFLOW, None)],
    ids=["module", "variable", "metaflow"],
)
def test_the_specifications_command_works_as_written(shell, dry, line, user):
    """Without a USER, as in a container, or as root, where Ada started `dry`; the result is the same whichever way."""
    assert line in (ROOT / "README.md").read_text().splitlines()
    output, printed = shell(
        line, warm=line == BY_VARIABLE, USER=user
    )  # it starts the same module as `BY_MODULE`
    assert without_volatile(output) == without_volatile(dry.delta_output)
    assert "DeltaOne +5.18 pp" in printed
    assert f"report: {ROOT}" in printed


def test_the_product_has_a_command_of_its_own(dry, tmp_path):
    left = pipeline(tmp_path, *CLI, "run", "--dry-run", f"--contributed-data={QUERIES}")
    assert left.rc == 0, left.said
    assert left.content == dry.content
    assert left.statement == dry.statement
    assert "DeltaOne +5.18 pp" in left.stdout
    assert "Dry run: mock models and base data; no evidence of an improvement." in left.stdout
    for kind in ("report", "delta_output", "attestation"):
        assert str(left.output(kind)) in left.stdout
    assert [line[:1] for line in left.stderr.splitlines()] == ["✓"] * len(STEPS)


def test_the_flows_own_file_can_be_started(dry, tmp_path):
    flow = ROOT / "src" / "pipeline" / "hokusai_pipeline.py"
    left = pipeline(
        tmp_path, sys.executable, flow, "run", "--dry-run", f"--contributed-data={QUERIES}", PYTHONPATH=None
    )
    assert left.rc == 0, left.said
    assert left.content == dry.content


def test_help_names_every_parameter(tmp_path):
    from hokusai.pipeline.parameters import PARAMETERS

    left = pipeline(tmp_path, "run", "--help", output_dir=False)
    assert left.rc == 0
    assert [p.name for p in PARAMETERS if f"--{p.name}" not in left.stdout] == []
