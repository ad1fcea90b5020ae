"""Starts the pipeline as a user would, in a folder of its own, and reads what it left there."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from hokusai.pipeline.delta_output import without_volatile
from tests.warm_python import READ_AT_IMPORT, warm

ROOT = Path(__file__).resolve().parents[2]
QUERIES = ROOT / "data" / "test_fixtures" / "test_queries.csv"
FLOW = (sys.executable, "-m", "src.pipeline.hokusai_pipeline")
CLI = (sys.executable, "-m", "hokusai.cli", "pipeline")
STEPS = (
    "start",
    "load_baseline_model",
    "integrate_contributed_data",
    "train_new_model",
    "evaluate_on_benchmark",
    "retrain_coalitions",
    "gather_coalitions",
    "compare_and_output_delta",
    "generate_attestation_output",
    "monitor_and_log",
    "end",
)
OUTPUTS = ("attestation", "delta_output", "delta_output_zk", "predictions", "report")
PATIENCE_SECONDS = 240.0
_NOT_INHERITED = ("METAFLOW", "HOKUSAI", "MLFLOW", "AWS", "API_", "POSTGRES", "REDIS")
_NOR = (
    "RANDOM_SEED",
    "PIPELINE_LOG_LEVEL",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "USER",
    "USERNAME",
    "SUDO_USER",
)


def environment(folder, **changes):
    """Nothing of the caller's configuration, and everything in `folder`; a value of None removes a variable."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED) and k not in _NOR}
    kept |= {
        "USER": "ada",
        "PYTHONPATH": str(ROOT),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder / "datastore"),
        "HOKUSAI_HOME": str(folder / "home"),
    }
    return {k: v for k, v in (kept | changes).items() if v is not None}


class Left:
    """What a finished command left in its folder. It can be made from the folder alone, by any process."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.outputs = folder / "outputs"

    @property
    def rc(self):
        return int((self.folder / "rc").read_text())

    @property
    def stdout(self):
        return (self.folder / "stdout").read_text()

    @property
    def stderr(self):
        return (self.folder / "stderr").read_text()

    @property
    def said(self):
        """Both streams, for the message of an assertion."""
        return f"{self.stdout}\n--- stderr:\n{self.stderr}"

    @property
    def output_files(self):
        return sorted(path.name for path in self.outputs.iterdir()) if self.outputs.exists() else []

    def output(self, kind):
        """The one output file of this kind: one of `OUTPUTS`."""
        (path,) = self.outputs.glob(f"{kind}_{self.run_id}.*")
        return path

    @property
    def run_id(self):
        (path,) = self.outputs.glob("attestation_*")
        return path.stem.removeprefix("attestation_")

    @property
    def delta_output(self):
        return json.loads(self.output("delta_output").read_bytes())

    @property
    def content(self):
        """The bytes of the DeltaOne JSON outside the volatile block."""
        return json.dumps(without_volatile(self.delta_output), indent=2).encode()

    @property
    def statement(self):
        """The bytes that were signed."""
        return base64.b64decode(json.loads(self.output("attestation").read_bytes())["payload"])

    @property
    def predicate(self):
        return json.loads(self.statement)["predicate"]

    @property
    def progress(self):
        """What the run told of its steps."""
        file = self.folder / "progress"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def summary(self):
        """What is shown at the end of a run."""
        return next(line for line in self.progress if line["event"] == "published")

    def steps(self, event):
        """The steps for which this event was told, in order."""
        return [line["step"] for line in self.progress if line["event"] == event]

    @property
    def mlflow_uri(self):
        """The embedded database of this run's home."""
        return f"sqlite:///{self.home / 'mlflow.db'}"


class Running(Left):
    """A command that was started. As a context manager it is gone at the end, with all its processes."""

    def __init__(self, folder, *command, cwd=None, output_dir=True, **changes):
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(word) for word in command]
        if output_dir and "run" in command:
            command.append(f"--output-dir={self.outputs}")
        if not command[0].startswith("/"):
            command = [*FLOW, *command]
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=cwd or folder,
                env=environment(folder, HOKUSAI_PROGRESS_FILE=str(folder / "progress"), **changes),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            for process in self.family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()

    def family(self):
        """The command's process and all that descend from it, as they are now."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def step_processes(self):
        """The processes of the steps that run now: each is the head of a process group of its own."""
        return [
            process
            for process in self.family()[1:]
            if _group(process.pid) == process.pid != os.getpgid(self.process.pid)
        ]

    def until(self, event, step):
        """Wait until the run tells this."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while step not in self.steps_told(event):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.005)

    def steps_told(self, event):
        """Like `steps`, while a line may be half written."""
        try:
            return self.steps(event)
        except ValueError:
            return []

    def finish(self):
        """Wait for the end; what was left."""
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        finally:
            self.__exit__()
        (self.folder / "rc").write_text(str(code))
        return Left(self.folder)

    def send(self, number):
        """Send a signal to the command's process alone."""
        self.process.send_signal(number)

    @contextlib.contextmanager
    def held(self):
        """While this is entered, the orchestrator starts no further step."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)


def pipeline(folder, *command, cold=False, **changes):
    """Run a command of the flow to its end, in a process that has the libraries imported, unless it is to be `cold`."""
    command = (*FLOW, *command) if not str(command[0]).startswith("/") else command
    cold = cold or any(name.startswith(READ_AT_IMPORT) for name in changes)
    if command[0] == sys.executable and not cold:
        command = warm(*map(str, command[1:]))
    with Running(folder, *command, **changes) as running:
        return running.finish()


def dry_run(folder, *parameters, data=QUERIES, **changes):
    """Run the pipeline dry."""
    return pipeline(folder, "run", "--dry-run", f"--contributed-data={data}", *parameters, **changes)


def _group(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
