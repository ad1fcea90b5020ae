"""Runs of the pipeline that many tests look at: done once in a session, by whichever worker comes first."""

import fcntl

import pytest

from tests.integration import pipeline_data as make
from tests.integration.pipeline_process import Left, dry_run, pipeline

ALICE, BOB = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory, request):
    """A folder that all workers of this session have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session")
def once(shared_folder):
    """Calls `start(folder)`, which has to finish a command there, unless another worker has done so."""

    def shared(name, start):
        folder = shared_folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "rc").exists():
                start(folder)
        left = Left(folder)
        assert left.rc == 0, left.said
        return left

    return shared


@pytest.fixture(scope="session")
def dry(once):
    """A finished dry run of the test fixture."""
    return once("dry", dry_run)


@pytest.fixture(scope="session")
def real(once):
    """A finished real run: texts, two contributors, a benchmark of which three rows were contributed too."""

    def start(folder):
        data = write_tickets(folder / "data")
        (folder / "run.yaml").write_text(
            "target-column: label\n"
            "metric_weights: {accuracy: 2, f1_score: 1}\n"
            "primary-metric: f1\n"
            "seed: 3\n"
            "contributor: [nobody, nothing]\n"  # the command line goes before it
        )
        pipeline(
            folder,
            "run",
            f"--base-data={data / 'base.csv'}",
            f"--contributed-data={data / 'alice.csv'},{data / 'bob.csv'}",
            f"--benchmark-data={data / 'benchmark.csv'}",
            "--contributor=alice,bob",
            f"--wallet={ALICE},{BOB}",
            f"--settings={folder / 'run.yaml'}",
        )

    return once("real", start)


def write_tickets(folder):
    """base.csv, alice.csv, bob.csv and benchmark.csv, whose rows 0 to 2 stand in alice.csv too."""
    benchmark = make.tickets(1, 200, wrong=0.0)
    make.write_csv(folder / "base.csv", make.tickets(2, 60))
    make.write_csv(folder / "alice.csv", make.tickets(3, 200) + benchmark[:3])
    make.write_csv(folder / "bob.csv", make.tickets(4, 100))
    make.write_csv(folder / "benchmark.csv", benchmark)
    return folder
