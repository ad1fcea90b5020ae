"""What cannot end well ends at once: one message that says what, where and what to do, and no output.

One of each sort: what else can be wrong is in the tests of the plan, the reference and the readers.
"""

import os
import shutil
import socket
import sys

import pytest

from tests.integration import pipeline_data as make
from tests.integration.pipeline_process import CLI, FLOW, QUERIES, pipeline

# As root every file can be read and every folder written, unless this is given up.
WITHOUT_PRIVILEGE = ("/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search")
needs_setpriv = pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which(WITHOUT_PRIVILEGE[0]),
    reason="root needs setpriv to lose its rights",
)


def refused(left, *fragments):
    """Assert that the run was refused in its first step, in one message with these parts, and left nothing."""
    assert left.rc == 1, left.said
    assert "Traceback" not in left.said
    assert "nternal error" not in left.said
    lines = [line for line in left.said.splitlines() if fragments[0] in line]
    assert len(lines) == 1, left.said
    for fragment in fragments[1:]:
        assert fragment in lines[0]
    assert left.steps("started") == left.steps("failed") == ["start"]
    assert left.output_files == []
    spools = left.home / "journals"
    assert not spools.exists() or not list(spools.iterdir())


def unprivileged():
    return WITHOUT_PRIVILEGE if os.geteuid() == 0 else ()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def files(tmp_path):
    """Makes base.csv, benchmark.csv and more.csv, of which one is then spoilt."""
    make.write_csv(tmp_path / "base.csv", make.tickets(1, 40))
    make.write_csv(tmp_path / "benchmark.csv", make.tickets(2, 40))
    make.write_csv(tmp_path / "more.csv", make.tickets(3, 40))
    return tmp_path


@pytest.fixture
def attempt(files):
    """Runs the pipeline for real on the three files."""

    def run(*parameters, door=FLOW, **changes):
        named = {p.partition("=")[0] for p in parameters}
        defaults = (
            ("base-data", "base.csv"),
            ("benchmark-data", "benchmark.csv"),
            ("contributed-data", "more.csv"),
        )
        given = [f"--{n}={files / f}" for n, f in defaults if f"--{n}" not in named]
        return pipeline(files, *door, "run", *given, *parameters, **changes)

    return run


class TestAFile:
    """Each is the contributed file, but where it says otherwise."""

    def test_that_is_missing(self, attempt, files):
        refused(
            attempt(f"--contributed-data={files / 'mroe.csv'}"),
            "There is no such file",
            str(files / "mroe.csv"),
            "Did you mean 'more.csv'",
        )

    @pytest.mark.parametrize(
        ("content", "complaint", "advice"),
        [
            (
                b"text,channel,age_days,label\nlate,mail,2.5,1\nlate,mail,2.5,1,9\n",
                "cannot be read: line 3",
                "Quote fields",
            ),
            (
                b"text,channel,age_days,label\n" + "spät,é,2.5,1\n".encode() * 9 + b"sp\xe4t,m,2.5,0\n",
                "not UTF-8: byte 0xe4 at byte 165 (line 11)",
                "Save it as UTF-8",
            ),
        ],
        ids=["ragged", "in two encodings"],
    )
    def test_that_is_spoilt(self, attempt, files, content, complaint, advice):
        (files / "more.csv").write_bytes(content)
        refused(attempt(), "[data_invalid]", complaint, "more.csv", advice)

    def test_that_is_not_what_its_name_says(self, attempt, files):
        (files / "more.parquet").write_bytes(b"PAR1 and then nothing")
        left = attempt(f"--contributed-data={files / 'more.parquet'}")
        refused(left, "[data_invalid]", "more.parquet", "is cut off", "export it again")

    def test_that_is_a_folder(self, attempt, files):
        (files / "folder").mkdir()
        refused(attempt(f"--contributed-data={files / 'folder'}"), "This is a folder", "glob")

    @needs_setpriv
    def test_that_may_not_be_read(self, attempt, files):
        (files / "more.csv").chmod(0)
        refused(attempt(door=(*unprivileged(), *FLOW)), "may not be read", str(files / "more.csv"))

    def test_that_breaks_the_schema(self, attempt, files):
        rows = [row | {"age_days": "quite old"} for row in make.tickets(3, 20)]
        make.write_csv(files / "more.csv", rows)
        refused(attempt(), "[schema_invalid]", "age_days", "more.csv")


class TestATarget:
    def test_that_is_missing(self, attempt):
        refused(attempt("--target-column=lable"), "[schema_invalid]", "'lable'", "'label'")

    def test_of_a_single_class(self, attempt, files):
        make.write_csv(files / "benchmark.csv", [row | {"label": 1} for row in make.tickets(5, 40)])
        refused(attempt("--task=classification"), "[schema_invalid]", "same 'label'", "at least two classes")


class TestParameters:
    @pytest.mark.parametrize(
        ("given", "fragments"),
        [
            (['--metric-weights={"acuracy": 1}'], ["acuracy", "accuracy"]),
            (["--primary-metric=rmse"], ["rmse"]),
            (["--estimator=sklearn.linear_model.LogisticRegresion"], ["LogisticRegresion", "--estimator"]),
            (["--baseline-model=no_such_file.skops"], ["no_such_file.skops", "--baseline-model"]),
        ],
        ids=lambda value: (
            value[0].removeprefix("--")[:40] if isinstance(value, list) and value[0][:2] == "--" else ""
        ),
    )
    def test_that_cannot_be_used(self, attempt, given, fragments):
        refused(attempt(*given), "start failed [", *fragments)

    @pytest.mark.parametrize(
        ("given", "fragments"),
        [
            ("--estimator=sklearn.linear_model.Ridge", ["Ridge", "classification", "--task"]),
            ('--estimator-params={"max_itre": 3}', ["max_itre", "max_iter"]),
            ("--baseline-model=nobody/1.0.0", ["nobody/1.0.0", "--baseline-model"]),
        ],
    )
    def test_that_does_not_fit_ends_the_run_before_anything_is_trained(self, attempt, given, fragments):
        """What only the data, scikit-learn or MLflow can tell is found by the step that asks them."""
        left = attempt(given)
        assert left.rc == 1, left.said
        (line,) = [line for line in left.said.splitlines() if " failed [" in line]
        for fragment in fragments:
            assert fragment in line
        assert "Traceback" not in left.said
        assert set(left.steps("started")) <= {"start", "load_baseline_model"}
        assert left.output_files == []

    def test_nothing_to_compare_with(self, files):
        left = pipeline(files, "run", f"--contributed-data={files / 'more.csv'}")
        refused(left, "There is nothing to compare with", "--base-data", "--dry-run")

    def test_a_settings_file_with_an_unknown_name(self, attempt, files):
        (files / "run.yaml").write_text("target-colum: label\n")
        refused(
            attempt(f"--settings={files / 'run.yaml'}"),
            "target-colum",
            "target_column",
            str(files / "run.yaml"),
        )

    def test_an_environment_that_cannot_be_used(self, attempt):
        refused(attempt(RANDOM_SEED="some"), "[configuration_invalid]", "RANDOM_SEED", "some")


class TestAnOutputFolder:
    def test_in_whose_way_a_file_stands(self, attempt, files):
        (files / "outputs").write_text("")
        left = attempt()
        (files / "outputs").unlink()
        refused(left, "Results cannot be written", str(files / "outputs"), "--output-dir")

    @needs_setpriv
    def test_that_may_not_be_written(self, attempt, files):
        (files / "outputs").mkdir(mode=0o500)
        left = attempt(door=(*unprivileged(), *FLOW))
        refused(left, "Results cannot be written", str(files / "outputs"), "--output-dir")


class TestMlflow:
    def test_that_nobody_serves(self, attempt):
        uri = f"http://127.0.0.1:{free_port()}"
        refused(attempt(MLFLOW_TRACKING_URI=uri), "MLflow cannot be reached", uri, "MLFLOW_TRACKING_URI")

    def test_that_is_a_file_store(self, attempt):
        refused(attempt(MLFLOW_TRACKING_URI="file:./mlruns"), "MLFLOW_TRACKING_URI", "sqlite:///")


class TestThroughTheCommandLine:
    """`hokusai pipeline run` says the same on the standard error stream, and nothing else."""

    @pytest.mark.parametrize(
        ("spoil", "fragment"),
        [
            (lambda files: (files / "more.csv").write_bytes(b""), "The file is empty"),
            (lambda files: (files / "outputs").write_text(""), "Results cannot be written"),
        ],
        ids=["an empty file", "an unwritable output folder"],
    )
    def test_a_failure_is_one_line(self, attempt, files, spoil, fragment):
        spoil(files)
        left = attempt(door=CLI)
        self.is_one_line(left, fragment)

    def test_an_unreachable_server_is_one_line(self, attempt):
        self.is_one_line(
            attempt(door=CLI, MLFLOW_TRACKING_URI=f"http://127.0.0.1:{free_port()}"),
            "cannot be reached",
        )

    def is_one_line(self, left, fragment):
        assert left.rc == 1, left.said
        assert left.stdout == ""
        assert left.stderr.startswith("Error in start: ")
        assert fragment in left.stderr
        assert len(left.stderr.splitlines()) == 1, left.stderr
        assert left.outputs.is_file() or left.output_files == []

    def test_an_unknown_option_is_wrong_usage(self, tmp_path):
        left = pipeline(tmp_path, *CLI, "run", "--dry-rum", f"--contributed-data={QUERIES}", output_dir=False)
        assert left.rc == 2
        assert "--dry-run" in left.stderr

    def test_no_contribution_is_said(self, tmp_path):
        left = pipeline(tmp_path, *CLI, "run", "--dry-run")
        assert left.rc == 1
        assert "No contributed data is named" in left.stderr


def test_an_extra_that_is_missing_names_its_pip_line(attempt, files):
    """An installation without scikit-learn does a real run's first step, and says what to install."""
    (files / "blocked").mkdir()
    (files / "blocked" / "sitecustomize.py").write_text(
        "import sys\nsys.modules['sklearn'] = None\nsys.modules['skops'] = None\n"
    )
    left = attempt(PYTHONPATH=os.pathsep.join([str(files / "blocked"), *sys.path]))
    assert left.rc == 1
    assert "hokusai-ml-platform[ml]" in left.said
    assert left.output_files == []
