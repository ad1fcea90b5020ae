"""Several contributors: models retrained side by side, in both engines, through kills and failures."""

import signal

import pytest

from tests.integration import pipeline_data as make
from tests.integration.pipeline_process import CLI, OUTPUTS, Running, pipeline
from tests.warm_python import OWN_PYTHON, programs


def parameters(data):
    files = ",".join(str(data / f"{name}.csv") for name in ("ann", "bob", "mallory"))
    return (
        "run",
        f"--base-data={data / 'base.csv'}",
        f"--benchmark-data={data / 'bench.csv'}",
        f"--contributed-data={files}",
        "--contributor=ann,bob,mallory",
        "--target-column=kind",
        "--min-rows=200",
        "--retraining-tasks=3",
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two who help, and one whose labels say of every shape what it is not."""
    folder = tmp_path_factory.mktemp("data")
    wrong = {"circle": "square", "square": "triangle", "triangle": "circle"}
    mallory = [row | {"kind": wrong[row["kind"]]} for row in make.shapes(5, 60)]
    tables = {"base": 15, "ann": 150, "bob": 100, "bench": 300}
    for seed, (name, rows) in enumerate(tables.items()):
        make.write_csv(folder / f"{name}.csv", make.shapes(seed, rows))
    make.write_csv(folder / "mallory.csv", mallory)
    return folder


@pytest.fixture(scope="module")
def killed(data, tmp_path_factory):
    """A run that was killed with -9 while coalitions were trained, when one task was done; then resumed."""
    folder = tmp_path_factory.mktemp("killed")
    with Running(folder, *parameters(data), f"--run-id-file={folder / 'run_id'}") as running:
        running.until("finished", "retrain_coalitions")
        running.send(signal.SIGKILL)
        before = running.finish()
        assert before.rc == -signal.SIGKILL
        assert "gather_coalitions" not in before.steps("finished")
        assert before.output_files == []
    (folder / "progress").unlink()
    left = pipeline(folder, "resume", f"--origin-run-id={(folder / 'run_id').read_text()}")
    assert left.rc == 0, left.said
    return left


@pytest.fixture(scope="module")
def processes(data, tmp_path_factory):
    """The same run in Metaflow's own engine: a process a step."""
    folder = tmp_path_factory.mktemp("processes")
    python = programs(folder / "bin") / "python"
    left = pipeline(folder, *parameters(data), HOKUSAI_LOCAL_ENGINE="process", **{OWN_PYTHON: str(python)})
    assert left.rc == 0, left.said
    return left


def test_a_run_killed_among_its_coalitions_resumes_to_the_same_statement(killed, processes):
    assert killed.statement == processes.statement
    assert killed.content == processes.content
    assert "train_new_model" not in killed.steps("started")
    assert [path.split(".")[0] for path in killed.output_files] == [
        f"{kind}_{killed.run_id}" for kind in OUTPUTS
    ]


def test_who_helped_is_credited_and_who_harmed_is_not(processes):
    credit = processes.delta_output["contributor_attribution"]["contributor_credit"]
    assert (credit["method"], credit["evaluations"], credit["seeds"]) == ("shapley", 7, 3)
    paid = {one["contributor_id"]: one["weight_bps"] for one in credit["contributors"]}
    assert paid["mallory"] == 0
    assert paid["ann"] > 0
    assert sum(paid.values()) == 10_000
    assert [one["weightBps"] for one in processes.predicate["attribution"]["credits"]] == [
        str(bps) for bps in paid.values()
    ]


def test_the_models_that_were_trained_are_counted(processes):
    trained = {line["task"]: line["done"] for line in processes.progress if line["event"] == "retrained"}
    assert sum(trained.values()) == 6  # all together are the run's own new model


def test_the_attestation_verifies_with_the_predictions(processes, tmp_path):
    command = (*CLI[:-1], "attest", "verify", processes.output("attestation"))
    said = pipeline(
        tmp_path,
        *command,
        f"--predictions={processes.output('predictions')}",
        HOKUSAI_HOME=str(processes.home),
        output_dir=False,
    )
    assert said.rc == 0, said.said
    assert "VERIFIED" in said.stdout


def test_the_attestation_is_kept_in_the_ledger(processes, tmp_path):
    found = pipeline(
        tmp_path,
        *CLI[:-1],
        "attest",
        "find",
        "--contributor=mallory",
        HOKUSAI_HOME=str(processes.home),
        output_dir=False,
    )
    assert found.rc == 0, found.said
    assert processes.delta_output["new_model"]["training_metadata"]["model_sha256"] in found.stdout


def test_data_that_changes_while_coalitions_train_ends_the_run_at_once(data, tmp_path):
    """Every task finds it changed and says so in one sentence; none is tried again."""
    own = tmp_path / "data"
    own.mkdir()
    for file in data.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    with Running(tmp_path, *parameters(own)) as running:
        running.until("finished", "train_new_model")
        (own / "bob.csv").write_text((data / "ann.csv").read_text())
        left = running.finish()
    assert left.rc == 1, left.said
    assert "Traceback" not in left.said
    assert "nternal error" not in left.said
    failed = [line for line in left.progress if line["event"] == "failed"]
    assert {line["step"] for line in failed} == {"retrain_coalitions"}
    assert {line["attempt"] for line in failed} == {0}
    assert {line["error"]["message"] for line in failed} == {
        f"The file changed while the run was going on ({own / 'bob.csv'}). "
        "Run again; a resumed run needs the files that it began with."
    }
    assert left.output_files == []
