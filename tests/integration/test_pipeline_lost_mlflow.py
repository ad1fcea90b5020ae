"""An MLflow server that is lost midway costs nothing: the run ends well, and its journal is delivered later."""

import json
import os
import signal

import pytest

from hokusai.stack.mlflow import start_mlflow
from tests.integration.mlflow_view import TrackedPipeline
from tests.integration.pipeline_process import CLI, OUTPUTS, QUERIES, STEPS, Running, pipeline


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """A dry run whose server was killed after the training; (what it left, the server's folder and port)."""
    folder = tmp_path_factory.mktemp("lost")
    server_folder = folder / "server"
    running_server = start_mlflow(folder=server_folder)
    url = running_server.server.url
    try:
        with Running(
            folder, "run", "--dry-run", f"--contributed-data={QUERIES}", MLFLOW_TRACKING_URI=url
        ) as running:
            running.until("started", "train_new_model")
            with running.held():  # no step begins while the server dies
                assert "monitor_and_log" not in running.steps_told("started")
                os.killpg(os.getpgid(running_server.process.pid), signal.SIGKILL)
                running_server.stop()
            left = running.finish()
    finally:
        running_server.stop()
    return left, server_folder, url


def test_the_run_ends_well_with_all_its_outputs(lost, dry):
    left, _, _ = lost
    assert left.rc == 0, left.said
    assert "Traceback" not in left.said
    assert len(left.output_files) == len(OUTPUTS)
    assert left.content == dry.content
    assert left.statement == dry.statement
    assert left.delta_output["new_model"]["mlflow_run_id"] is None


def test_the_loss_is_said_with_what_to_do(lost):
    left, _, _ = lost
    (note,) = [note for note in left.summary["notes"] if "hokusai pipeline flush" in note]
    assert "MLflow cannot be reached" in note
    assert left.summary["places"]["journal"] == str(left.home / "journals" / left.run_id)


def test_nothing_is_delivered_while_the_server_is_away(lost, tmp_path):
    left, _, url = lost
    tried = flush(tmp_path, left, url)
    assert tried.rc == 1
    assert "cannot be reached" in tried.stderr
    assert "Traceback" not in tried.stderr
    assert (left.home / "journals" / left.run_id / "journal.json").exists()


def test_flush_delivers_everything_once_the_server_is_back(lost, tmp_path):
    left, server_folder, url = lost
    with start_mlflow(folder=server_folder, port=int(url.rpartition(":")[2])) as server:
        assert server.url == url
        done = flush(tmp_path / "first", left, url)
        assert done.rc == 0, done.said
        assert f"Run {left.run_id}: delivered" in done.stdout
        tracked = TrackedPipeline(left, url)
        assert sorted(tracked.steps) == sorted(STEPS[:-1])
        assert tracked.parent.info.status == "FINISHED"
        output = left.output("attestation")
        assert tracked.fetch(output.name, tmp_path) == output.read_bytes()
        kept = json.loads(tracked.fetch(f"delta_output_{left.run_id}.json", tmp_path))
        assert kept["delta_computation"] == left.delta_output["delta_computation"]
        assert not (left.home / "journals" / left.run_id).exists()
        again = flush(tmp_path / "again", left, url)
        assert again.stdout == "No journal waits.\n"


def flush(folder, left, url):
    return pipeline(folder, *CLI, "flush", HOKUSAI_HOME=str(left.home), MLFLOW_TRACKING_URI=url)
