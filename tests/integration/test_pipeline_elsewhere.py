"""The flow beyond one machine's disk: on an S3 datastore, and compiled for Argo Workflows and Airflow."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from tests.integration.pipeline_process import QUERIES, ROOT, STEPS, dry_run, environment, pipeline


@pytest.fixture(scope="module")
def on_s3(s3_server):
    """The variables that put Metaflow's datastore into the bucket."""
    return s3_server.env() | {
        "METAFLOW_S3_WORKER_COUNT": "2",  # of 64 processes, which it would start for a handful of files
        "METAFLOW_DATASTORE_SYSROOT_S3": s3_server.uri("metaflow"),
        "METAFLOW_DATATOOLS_S3ROOT": s3_server.uri("metaflow-data"),
    }


@pytest.fixture(scope="module")
def argo(on_s3, tmp_path_factory):
    """The compiled WorkflowTemplate."""
    folder = tmp_path_factory.mktemp("argo")
    left = pipeline(folder, "--datastore=s3", "argo-workflows", "create", "--only-json", **on_s3)
    assert left.rc == 0, left.said
    return json.loads(left.stdout)


@pytest.fixture(scope="module")
def code(argo, s3_server, tmp_path_factory):
    """The code package that every pod of the template downloads, unpacked."""
    (pod,) = [template for template in argo["spec"]["templates"] if template["name"] == "start"]
    key = re.search(r'download_file\("hokusai", "([^"]+)"', pod["container"]["command"][2])[1]
    folder = tmp_path_factory.mktemp("code")
    s3_server.client().download_file("hokusai", key, str(folder / "job.tar"))
    with tarfile.open(folder / "job.tar") as archive:
        archive.extractall(folder / "code", filter="data")
    return folder / "code"


def test_a_run_on_an_s3_datastore_gives_the_same_result(dry, on_s3, s3_server, tmp_path):
    left = pipeline(tmp_path, "--datastore=s3", "run", "--dry-run", f"--contributed-data={QUERIES}", **on_s3)
    assert left.rc == 0, left.said
    assert left.content == dry.content
    assert left.statement == dry.statement
    stored = s3_server.client().list_objects_v2(Bucket="hokusai", Prefix="metaflow/HokusaiPipeline/")
    assert stored["KeyCount"] > len(STEPS)
    assert not (tmp_path / "datastore" / ".metaflow" / "HokusaiPipeline" / "data").exists()


class TestArgoWorkflows:
    def test_has_the_steps_in_order(self, argo):
        spread, graph = (t["dag"] for t in argo["spec"]["templates"] if "dag" in t)
        assert [task["name"] for task in spread["tasks"]] == ["retrain-coalitions"]
        (fan,) = [task for task in graph["tasks"] if "withParam" in task]
        names = [task["name"] for task in graph["tasks"]]
        in_order = ["retrain-coalitions" if name == fan["name"] else name for name in names]
        assert in_order == [step.replace("_", "-") for step in STEPS]
        follows = [task.get("depends", "").partition(".")[0] for task in graph["tasks"]]
        assert follows == ["", *names[:-1]]

    def test_has_every_parameter_and_a_default_for_it(self, argo):
        from hokusai.pipeline.parameters import PARAMETERS

        given = {p["name"]: p["value"] for p in argo["spec"]["arguments"]["parameters"]}
        assert sorted(given) == sorted(p.name for p in PARAMETERS)
        assert "null" not in given.values()
        assert given["dry-run"] == "false"

    def test_the_code_package_has_what_a_pod_needs(self, code):
        files = {path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()}
        flat = {name.removeprefix(".mf_code/") for name in files}
        assert "hokusai_pipeline.py" in files
        assert "src/pipeline/stages.py" in flat
        assert "hokusai/__init__.py" in flat
        package = ROOT / "hokusai-ml-platform" / "src" / "hokusai"
        needed = {
            f"hokusai/{path.relative_to(package).as_posix()}"
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.name != "py.typed"
        }
        assert sorted(needed - flat) == []
        assert not [name for name in flat if "/tests/" in name or name.endswith(".pyc")]

    def test_a_pod_does_its_step_without_the_repository(self, argo, on_s3, tmp_path):
        """The real commands of the first two pods, in a mount namespace where the repository is empty."""
        if not can_unshare():
            pytest.skip("hiding the repository needs the right to mount")
        data = tmp_path / "data.csv"
        shutil.copy(QUERIES, data)
        parameters = {"dry-run": "true", "contributed-data": str(data), "output-dir": str(tmp_path / "out")}
        before = ""
        for step in STEPS[:2]:
            pod = Pod(argo, step, parameters, before, tmp_path, on_s3)
            done = pod.run()
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
            assert "Traceback" not in done.stderr
            before = f"argo-test/{step}/{pod.task_id}"
        shown = pipeline(tmp_path / "shown", "--datastore=s3", "dump", "--private", before, **on_s3)
        assert shown.rc == 0, shown.said
        assert "baseline" in shown.stdout


def test_airflow_gets_a_valid_dag(on_s3, tmp_path):
    dag = tmp_path / "dag.py"
    left = pipeline(tmp_path, "--datastore=s3", "airflow", "create", dag, **on_s3)
    assert left.rc == 0, left.said
    source = dag.read_text()
    compile(source, "dag.py", "exec")
    spread = [[["retrain_coalitions"]] if step == "retrain_coalitions" else step for step in STEPS]
    assert f"'graph_structure': {spread!r}" in source
    assert "contributed-data" in source or "contributed_data" in source


def test_a_datastore_that_is_not_there_is_explained(tmp_path, on_s3):
    left = dry_run(tmp_path, METAFLOW_DATASTORE_SYSROOT_LOCAL="/proc/no/such/place")
    assert left.rc != 0
    assert left.output_files == []


class Pod:
    """One container of a compiled template, run here: its own command, its own folder, and no repository."""

    def __init__(self, template, step, parameters, input_paths, folder, variables):
        (found,) = [t for t in template["spec"]["templates"] if t["name"] == step.replace("_", "-")]
        self._container = found["container"]
        self._folder = folder / step
        self._folder.mkdir()
        self._home = folder / "home"
        self._variables = variables
        arguments = {p["name"]: p["value"] for p in template["spec"]["arguments"]["parameters"]} | parameters
        self._substitutes = {
            "workflow.name": "test",
            "workflow.creationTimestamp": "now",
            "retries": "0",
            "inputs.parameters.input-paths": input_paths,
        }
        self._arguments = arguments

    @property
    def task_id(self):
        """What the pod hands to its successor."""
        return (self._folder / "out" / "task_id").read_text()

    def run(self):
        """Run the container's command; what it said."""
        work, out, programs = (self._folder / name for name in ("work", "out", "bin"))
        for path in (work, out, programs):
            path.mkdir()
        # An image has its libraries installed; the editable package of this environment is not one of them.
        python = programs / "python"
        interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        python.write_text(f'#!/bin/sh\nexec {interpreter} -S "$@"\n')
        python.chmod(0o755)
        (self._folder / "command").write_text(self._filled(self._container["command"][2]))
        script = f"""
            mount -t tmpfs tmpfs /mnt
            mkdir /mnt/out /mnt/site
            mount --bind {out} /mnt/out
            mount --bind {sysconfig.get_path("purelib")} /mnt/site
            mount -t tmpfs tmpfs {ROOT}
            cd {work}
            exec bash -c "$(cat {self._folder / "command"})"
        """
        own = {entry["name"]: entry.get("value") or "local" for entry in self._container["env"]}
        variables = environment(self._folder, PYTHONPATH="/mnt/site", USER=None, METAFLOW_USER=None)
        variables |= own | self._variables
        variables |= {
            "HOKUSAI_HOME": str(self._home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",
        }
        return subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-ec", script],
            env=variables,
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )

    def _filled(self, command):
        def argument(match):
            return base64.b64encode(self._arguments[match[1]].encode()).decode()

        command = re.sub(r"\{\{=toBase64\(workflow\.parameters\['([^']+)'\]\)\}\}", argument, command)
        for name, value in self._substitutes.items():
            command = command.replace("{{" + name + "}}", value)
        # A pod has a /tmp of its own.
        return command.replace("/tmp/mf-input-paths", str(self._folder / "mf-input-paths"))


def can_unshare():
    """Whether this process may make a mount namespace of its own."""
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
