"""Starts the small test flow as a user would, and finds what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of a YAML library that Metaflow carries along
    import metaflow

ROOT = Path(__file__).resolve().parents[2]
FLOW = ROOT / "tests" / "integration" / "flows" / "nine_steps.py"
PATIENCE_SECONDS = 240.0


class FlowProcess:
    """One command of the flow, in a folder of its own, with a datastore that can be shared."""

    def __init__(self, folder, *command, datastore=None, **environment):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.datastore = datastore or folder / "datastore"
        self.mark = uuid.uuid4().hex
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        data = folder / "data.csv"
        data.write_text("text,label\na,0\nb,1\n")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW", "HOKUSAI"))
        }
        self.environment = kept | {
            "PYTHONPATH": str(ROOT),
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(self.datastore),
            "METAFLOW_PYLINT": "0",
            "TMPDIR": str(self.temporary),
            "PIDS": str(folder / "pids"),
            "HOKUSAI_PROGRESS_FILE": str(folder / "progress"),
            "MARK": self.mark,
        }
        self.environment |= environment
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if command[:1] == ("run",):
            command = (*command, f"--contributed-data={data}", f"--run-id-file={folder / 'run_id'}")
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(FLOW), *command],
                cwd=folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # A background job of a shell ignores SIGINT and hands that on.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads
            )

    def finish(self):
        """The exit code."""
        try:
            return self.process.wait(PATIENCE_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def text(self):
        return self.output.read_text()

    @property
    def run_id(self):
        return (self.folder / "run_id").read_text()

    @property
    def run(self):
        """The run, as Metaflow's client sees it."""
        metaflow.namespace(None)
        metaflow.metadata(f"local@{self.datastore}")
        return metaflow.Run(f"NineSteps/{self.run_id}")

    @property
    def progress(self):
        return [json.loads(line) for line in (self.folder / "progress").read_text().splitlines()]

    def attempts(self, step):
        """The exit code that Metaflow saw for each attempt at a step."""
        folder = self.datastore / ".metaflow" / "NineSteps" / self.run_id / step
        files = sorted(folder.glob("*/*.runtime"))
        return [json.loads(file.read_text())["return_code"] for file in files]

    def pids(self):
        """The pids that the faulty step tells: its own, its parent's, its child's."""
        file = Path(self.environment["PIDS"])
        until(file.exists)
        return [int(pid) for pid in file.read_text().split()]

    def processes(self):
        """The pids of all living processes that this command has started, by their environment."""
        needle = f"MARK={self.mark}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                    if needle in (folder / "environ").read_bytes() and state != "Z":
                        found.append(int(folder.name))
                except OSError:
                    continue  # it has ended meanwhile
        return found

    def leaves_nothing(self):
        """Whether no process, no socket and no temporary file of this command is left, once it ended."""
        return self.leaves_no_process() and not list(self.temporary.iterdir())

    def leaves_no_process(self):
        """The same for a command that was killed: Metaflow itself has a temporary file while it runs."""
        socket = f"@hokusai-{self.process.pid}-"
        until(lambda: not self.processes() and socket not in Path("/proc/net/unix").read_text())
        return True


def until(condition):
    """Wait for something that has to come true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
