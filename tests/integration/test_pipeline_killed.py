"""Runs that are killed, interrupted, retried, resumed, or that have company."""

import signal
import time

import psutil
import pytest

from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from tests.integration.pipeline_process import CLI, OUTPUTS, QUERIES, STEPS, Running, pipeline
from tests.warm_python import warm

DRY = ("run", "--dry-run", f"--contributed-data={QUERIES}")


def gone(processes):
    """Whether these processes all end soon."""
    _, alive = psutil.wait_procs(processes, timeout=120)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed with -9 when it began to train; (its run id, its folder, its processes)."""
    folder = tmp_path_factory.mktemp("killed")
    with Running(folder, *DRY, f"--run-id-file={folder / 'run_id'}") as running:
        running.until("started", "train_new_model")
        family = running.family()
        running.send(signal.SIGKILL)
        left = running.finish()
        return left, (folder / "run_id").read_text(), family


class TestAKilledRun:
    def test_ends_with_its_processes_and_without_outputs(self, killed):
        left, _, family = killed
        assert left.rc == -signal.SIGKILL
        assert left.output_files == []
        assert gone(family)

    def test_resumes_to_the_same_content(self, killed, dry):
        left, run_id, _ = killed
        (left.folder / "progress").unlink()
        resumed = pipeline(left.folder, "resume", f"--origin-run-id={run_id}")
        assert resumed.rc == 0, resumed.said
        assert "load_baseline_model" not in resumed.steps("started")
        assert resumed.steps("finished")[-1] == "end"
        assert resumed.content == dry.content
        assert resumed.statement == dry.statement
        assert resumed.run_id == run_id  # a resumed run is the run that it continues
        assert len(resumed.output_files) == len(OUTPUTS)

    def test_resumes_through_the_command_line_too(self, killed, tmp_path):
        left, run_id, _ = killed
        resumed = pipeline(
            tmp_path,
            *CLI,
            "resume",
            run_id,
            METAFLOW_DATASTORE_SYSROOT_LOCAL=str(left.folder / "datastore"),
            HOKUSAI_HOME=str(left.home),
        )
        assert resumed.rc == 0, resumed.said
        assert "DeltaOne +5.18 pp" in resumed.stdout

    def test_cannot_be_resumed_under_a_wrong_id(self, tmp_path):
        resumed = pipeline(tmp_path, "resume", "--origin-run-id=123")
        assert resumed.rc != 0
        assert "123" in resumed.said
        assert "Traceback" not in resumed.said


def test_two_runs_at_once_do_not_disturb_each_other(dry, tmp_path):
    """In one fresh home, so that both create the database; and with one datastore and one output folder."""
    shared = {
        "HOKUSAI_HOME": str(tmp_path / "home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path / "datastore"),
    }
    runs = [
        Running(
            tmp_path / name,
            *warm("-m", "src.pipeline.hokusai_pipeline"),  # as nobody sends them a signal
            *DRY,
            f"--output-dir={tmp_path / 'outputs'}",
            output_dir=False,
            **shared,
        )
        for name in ("one", "two")
    ]
    ended = [run.finish() for run in runs]
    assert [run.rc for run in ended] == [0, 0], ended[0].said + ended[1].said
    ids = {run.summary["run_id"] for run in ended}
    assert len(ids) == 2
    for kind in OUTPUTS:
        assert {path.name.split(".")[0] for path in (tmp_path / "outputs").glob(f"{kind}_*")} >= {
            f"{kind}_{one}" for one in ids
        }
    envelopes = {path.read_bytes() for path in (tmp_path / "outputs").glob("attestation_*")}
    assert envelopes and len(envelopes) == 1  # one key was made, and both signed the same
    with quiet_mlflow():
        client = open_client(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("hokusai-pipeline")
        found = client.search_runs([experiment.experiment_id])
    assert len(found) == 2 * len(STEPS)  # the parent stands for `end`
    assert {run.data.tags["hokusai.run_id"] for run in found} == ids


def test_a_step_that_is_killed_once_is_retried(dry, tmp_path):
    with Running(tmp_path, *DRY) as running:
        running.until("started", "integrate_contributed_data")
        steps = until(running.step_processes)
        steps[0].kill()
        left = running.finish()
    assert left.rc == 0, left.said
    assert len(left.steps("started")) == len(STEPS) + 1
    assert left.content == dry.content
    assert left.statement == dry.statement


def test_sigterm_leaves_no_process_and_no_output(tmp_path):
    with Running(tmp_path, *DRY) as running:
        running.until("started", "train_new_model")
        left = ended_by_sigterm(running)
    assert left.output_files == []


def test_sigterm_to_the_command_line_ends_the_flow_with_it(tmp_path):
    with Running(tmp_path, *CLI, *DRY) as running:
        until(lambda: "✓ integrate contributed data" in running.stderr)
        left = ended_by_sigterm(running)
    assert left.output_files == []
    assert "Interrupted." in left.stderr
    assert "hokusai pipeline resume" in left.stderr


def ended_by_sigterm(running):
    """Send SIGTERM to a running command; what it left, when all its processes are gone."""
    family = running.family()
    assert len(family) > 2
    running.send(signal.SIGTERM)
    left = running.finish()
    assert left.rc == 128 + signal.SIGTERM, left.said
    assert gone(family)
    assert "Traceback" not in left.said
    return left


def until(look):
    """Wait until `look` finds something."""
    deadline = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return found
