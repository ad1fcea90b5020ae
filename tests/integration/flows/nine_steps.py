"""A small flow with the steps of the real one, and faults to order: what the engine's tests run.

FAULT=step:kind[:times] in the environment makes one step misbehave on its first `times` attempts.
"""

import os
import signal
import sys
import time
from pathlib import Path

_root = str(Path(__file__).resolve().parents[3])
if __name__ == "__main__" and not __package__:
    sys.path[0] = _root

from metaflow import FlowSpec, Parameter, card, catch, current, retry, step, timeout  # noqa: E402

from hokusai.errors import BackendUnavailableError, DataError  # noqa: E402
from src.pipeline.stages import pipeline_defaults  # noqa: E402


def tell(*pids):
    """Let the test know who is who, in one piece."""
    target = Path(os.environ["PIDS"])
    draft = target.with_suffix(".draft")
    draft.write_text(" ".join(map(str, pids)))
    draft.rename(target)


def act(step_name):
    """Do what FAULT orders for this step and attempt."""
    wanted, kind, times = ((os.environ.get("FAULT") or "-:-") + ":9").split(":")[:3]
    if wanted != step_name or current.retry_count >= int(times):
        return
    print(f"fault {kind} in {step_name}, attempt {current.retry_count}, pid {os.getpid()}", flush=True)
    if kind == "permanent":
        raise DataError("The file is empty", where="a.csv", hint="Give a file with rows.")
    if kind == "passing":
        raise BackendUnavailableError("MLflow does not answer", where="http://127.0.0.1:1")
    if kind == "reset":
        raise ConnectionResetError("the connection was reset")
    if kind == "doze":
        tell(os.getpid(), os.getppid())
        time.sleep(300)
    if kind == "wait":
        tell(os.getpid(), os.getppid())
        while not Path(os.environ["PIDS"] + ".go").exists():
            time.sleep(0.01)
    if kind == "sleep":
        child = os.fork()
        if child == 0:
            time.sleep(300)
            os._exit(0)
        tell(os.getpid(), os.getppid(), child)
        time.sleep(300)
    if kind.startswith("signal"):
        os.kill(os.getpid(), int(kind.removeprefix("signal")))
    if kind.startswith("exit"):
        sys.exit(int(kind.removeprefix("exit")))


# A card costs a second; one run of the tests has one.
with_card = card(type="blank", id="delta") if os.environ.get("CARD") else lambda function: function


@pipeline_defaults()
class NineSteps(FlowSpec):
    dry_run = Parameter("dry-run", type=bool, is_flag=True, default=False)
    contributed_data = Parameter("contributed-data", required=True)

    @step
    def start(self):
        self.trail = ["start"]
        self.seen = {"argv0": sys.argv[0], "cwd": str(Path.cwd()), "module": type(self).__module__}
        self.next(self.load_baseline_model)

    @step
    def load_baseline_model(self):
        self.trail.append("load_baseline_model")
        self.baseline = {"weights": [1.0, 2.0]}
        act("load_baseline_model")
        self.next(self.integrate_contributed_data)

    @step
    def integrate_contributed_data(self):
        self.trail.append("integrate_contributed_data")
        self.before_fault = "kept"
        act("integrate_contributed_data")
        self.rows = len(Path(self.contributed_data).read_text().splitlines())
        self.next(self.train_new_model)

    @step
    def train_new_model(self):
        self.trail.append("train_new_model")
        self.preloaded = {
            name: name in sys.modules for name in ("decimal_fixture_heavy", "wsgiref.simple_server")
        }
        act("train_new_model")
        self.shards = ["a", "bc"]
        self.next(self.evaluate_on_benchmark, foreach="shards")

    @step
    def evaluate_on_benchmark(self):
        self.length = len(self.input)
        self.next(self.compare_and_output_delta)

    @catch(var="caught", print_exception=False)
    @retry(times=0)
    @step
    def compare_and_output_delta(self, inputs):
        self.merge_artifacts(inputs, exclude=["length"])
        self.lengths = [branch.length for branch in inputs]
        act("compare_and_output_delta")
        self.next(self.generate_attestation_output)

    @timeout(seconds=60)
    @step
    def generate_attestation_output(self):
        self.trail.append("generate_attestation_output")
        self.next(self.monitor_and_log)

    @with_card
    @step
    def monitor_and_log(self):
        self.trail.append("monitor_and_log")
        self.preloaded_here = "wsgiref.simple_server" in sys.modules
        self.next(self.end)

    @step
    def end(self):
        print("rows", self.rows, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)


if __name__ == "__main__":
    from src.pipeline.local_engine import run_flow

    run_flow(
        NineSteps,
        preload=["numpy"],
        step_preload={"train_new_model": ["no_such_module"], "monitor_and_log": ["wsgiref.simple_server"]},
    )
