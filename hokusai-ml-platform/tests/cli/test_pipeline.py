"""`hokusai pipeline`: what is shown, what the exit code is, and that a signal reaches the flow once.

The flow of these tests is a script of a few lines that tells of its steps as the real one does.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters.mlflow_runs import MlflowRunStore
from hokusai.cli.flow_process import STEPS, flow_file
from hokusai.domain.journal import RunJournal, StepEntry
from hokusai.pipeline.parameters import PARAMETERS
from hokusai.pipeline.publication import RunOutputs, publish
from tests.warm_python import warm

RUN = """
import sys
from pathlib import Path
from hokusai.cli.flow_process import run_flow
sys.exit(run_flow(sys.argv[3:], verbose=sys.argv[2] == "verbose", flow=Path(sys.argv[1])))
"""
HEAD = """
import json, os, signal, sys, time

def tell(event, **more):
    with open(os.environ["HOKUSAI_PROGRESS_FILE"], "a") as file:
        file.write(json.dumps({"event": event, **more}) + chr(10))

def step(name, attempt=0):
    tell("started", step=name, attempt=attempt)
    tell("finished", step=name, attempt=attempt, seconds=1.25, error=None)

def branch(name, number, attempt=0):
    tell("started", step=name, attempt=attempt, branch=number)

def branch_done(name, number, seconds, attempt=0):
    tell("finished", step=name, attempt=attempt, branch=number, seconds=seconds, error=None)

def trained(number, done, of):
    tell("retrained", task=number, done=done, of=of)

def fail(name, code, message):
    tell("started", step=name, attempt=0)
    tell("failed", step=name, attempt=0, seconds=0.1, error={"code": code, "message": message})

print("Workflow starting (run-id 1795):", flush=True)
"""
RESULT: dict[str, Any] = {
    "event": "published",
    "run_id": "1795",
    "dry_run": True,
    "delta_one": 0.0518,
    "interval": [0.0087, 0.0949],
    "confidence": 0.95,
    "p_value": 0.018,
    "n_rows": 1200,
    "n_units": None,
    "verdict": "The new model is better.",
    "positive_class": "yes",
    "metrics": [
        {
            "name": "auroc",
            "baseline": 0.93,
            "new": 0.96,
            "delta": 0.03,
            "gain": 0.03,
            "low": 0.01,
            "high": 0.05,
        }
        | {"p_value": 0.0074}
    ],
    "decision": {
        "accepted": False,
        "reasons": [
            {
                "verdict": "too_few_rows",
                "detail": "The benchmark has 1200 rows, and at least 2000 are needed",
            },
            {"verdict": "guardrail", "detail": "latency_ms was not measured: the models were not timed"},
        ],
        "rule": {"min_rows": 2000, "threshold": 0.01, "alpha": 0.05},
        "guardrails": [
            {"name": "recall", "breached": False, "reason": "recall is not worse: better by at least 0.01"},
            {"name": "latency_ms", "breached": True, "reason": "latency_ms was not measured: not timed"},
        ],
    },
    "credit": {
        "method": "leave_one_out",
        "seeds": 3,
        "evaluations": 2,
        "sampling_error": None,
        "note": "A note on credit",
        "contributors": [
            {"contributor_id": "ann [x]", "rows": 1200, "value": 0.04, "interval": [0.02, 0.06]}
            | {"weight_bps": 10_000, "unpaid": None, "payable": False},
            {"contributor_id": "bob", "rows": 30, "value": -0.001, "interval": None}
            | {"weight_bps": 0, "unpaid": "what the data is worth cannot be told from zero", "payable": True},
        ],
    },
    "notes": ["A wallet [0xabc] is unchecked."],
    "places": {"report": "/somewhere/" + "long/" * 40 + "report.html"},
}


def flow(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "flow.py"
    path.write_text(HEAD + body)
    return path


def watch(
    path: Path, *arguments: str, verbose: bool = False, code: int | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, str(path), "verbose" if verbose else "quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if code is not None:
        assert done.returncode == code, done.stderr
    return done


def hokusai(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("HOKUSAI_", "MLFLOW_"))}
    return subprocess.run(
        warm("-m", "hokusai.cli", *arguments),
        cwd=cwd,
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestHelp:
    def test_lists_the_groups(self, tmp_path: Path) -> None:
        done = hokusai("--help", cwd=tmp_path)
        assert done.returncode == 0
        assert "Run the pipeline: contributed data in" in done.stdout
        assert "Verify and show attestations, and the key that signs them." in done.stdout

    def test_run_lists_every_parameter(self, tmp_path: Path) -> None:
        done = hokusai("pipeline", "run", "--help", cwd=tmp_path)
        assert done.returncode == 0
        words = done.stdout.split()
        assert {f"--{parameter.name}" for parameter in PARAMETERS} <= set(words)
        assert "--verbose" in words

    def test_an_unknown_option_is_a_mistake_in_the_command_line(self, tmp_path: Path) -> None:
        done = hokusai("pipeline", "run", "--contributed-date=x", cwd=tmp_path)
        assert done.returncode == 2
        assert "--contributed-data" in done.stderr
        assert "Traceback" not in done.stderr

    def test_the_flow_of_this_checkout_is_found(self) -> None:
        assert flow_file().parts[-3:] == ("src", "pipeline", "hokusai_pipeline.py")


class TestRun:
    def test_shows_each_step_and_the_result(self, tmp_path: Path) -> None:
        body = f"for name in {STEPS!r}: step(name)\ntell(**{RESULT!r})\nprint('chatter')"
        done = watch(flow(tmp_path, body), code=0)
        assert done.stderr.splitlines() == [f"✓ {name.replace('_', ' ')} 1.2 s" for name in STEPS]
        assert "chatter" not in done.stdout
        assert (
            "DeltaOne +5.18 pp  (+0.87 to +9.49 at 95 % confidence, p = 0.018, 1,200 benchmark rows)"
            in done.stdout
        )
        assert "Dry run: mock models and base data; no evidence of an improvement." in done.stdout
        assert "auroc     0.9300  0.9600  +0.0300  +0.0100 … +0.0500  0.0074" in done.stdout
        assert "! A wallet [0xabc] is unchecked." in done.stdout
        assert RESULT["places"]["report"] in done.stdout  # in one piece, to be copied

    def test_says_of_units_and_of_sampled_orders_what_they_leave_open(self, tmp_path: Path) -> None:
        credit = {
            **RESULT["credit"],
            "method": "shapley_monte_carlo",
            "evaluations": 61,
            "sampling_error": 0.0014,
        }
        result = {**RESULT, "n_units": 40, "credit": credit}
        said = watch(flow(tmp_path, f"tell(**{result!r})"), code=0).stdout
        assert "1,200 benchmark rows of 40 units)" in said
        assert (
            "Credit by shapley monte carlo, 3 seeds each. 61 groups of contributors were trained for, in sampled "
            "orders; sampling leaves a standard error of up to 0.14 pp in a value. A note on credit" in said
        )

    def test_says_what_was_decided_before_what_anybody_is_worth(self, tmp_path: Path) -> None:
        said = watch(flow(tmp_path, f"tell(**{RESULT!r})"), code=0).stdout
        rejected = "Rejected. The benchmark has 1200 rows, and at least 2000 are needed.\n"
        assert rejected + "Also: latency_ms was not measured: the models were not timed.\n" in said
        assert "✓ guardrail recall is not worse: better by at least 0.01\n" in said
        assert "✗ guardrail latency_ms was not measured: not timed\n" in said
        assert said.index("Rejected.") < said.index("contributor")

    def test_promises_nothing_where_nothing_is_paid(self, tmp_path: Path) -> None:
        said = watch(flow(tmp_path, f"tell(**{RESULT!r})"), code=0).stdout
        assert "would be paid" in said
        assert "Nothing is paid. Credit by leave one out, 3 seeds each. A note on credit" in said
        lines = {line.split("  ")[0]: line for line in said.splitlines()}
        assert re.search(
            r"1,200 +\+4\.00 pp +\+2\.00 … \+6\.00 +100\.00 % +no address to pay to", lines["ann [x]"]
        )
        assert re.search(r"30 +-0\.10 pp +- +- +what the data is", lines["bob"])

    def test_an_accepted_improvement_is_paid(self, tmp_path: Path) -> None:
        accepted = {**RESULT["decision"], "accepted": True, "reasons": [{"detail": "accuracy gained"}]}
        result = {**RESULT, "decision": accepted, "dry_run": False}
        said = watch(flow(tmp_path, f"tell(**{result!r})"), code=0).stdout
        assert "Accepted. accuracy gained." in said
        assert "would be paid" not in said
        assert "Nothing is paid" not in said

    def test_the_tasks_of_a_step_are_one_line_with_what_they_trained(self, tmp_path: Path) -> None:
        body = (
            "step('start')\n"
            "for n in (0, 1): branch('retrain_coalitions', n)\n"
            "trained(0, 1, 4); trained(1, 1, 3)\n"
            "branch('retrain_coalitions', 0, 1)\n"  # a task that is tried again starts counting anew
            "for done in (1, 2, 3, 4): trained(0, done, 4)\n"
            "for done in (2, 3): trained(1, done, 3)\n"
            "branch_done('retrain_coalitions', 1, 2.5); branch_done('retrain_coalitions', 0, 7.25, 1)\n"
            f"step('gather_coalitions')\ntell(**{RESULT!r})"
        )
        done = watch(flow(tmp_path, body), code=0)
        assert done.stderr.splitlines() == [
            "✓ start 1.2 s",
            "✓ retrain coalitions 7.2 s 7 models",
            "✓ gather coalitions 1.2 s",
        ]

    def test_a_step_of_one_empty_task_is_a_line_like_any_other(self, tmp_path: Path) -> None:
        body = (
            "branch('retrain_coalitions', 0); branch_done('retrain_coalitions', 0, 0.1)\n"
            f"step('gather_coalitions')\ntell(**{RESULT!r})"
        )
        done = watch(flow(tmp_path, body), code=0)
        assert done.stderr.splitlines() == ["✓ retrain coalitions 0.1 s", "✓ gather coalitions 1.2 s"]

    def test_tasks_that_fail_for_one_reason_are_told_once(self, tmp_path: Path) -> None:
        body = (
            "step('start')\n"
            "for n in (0, 1):\n"
            "    tell('failed', step='retrain_coalitions', attempt=0, branch=n, seconds=0.1,\n"
            "         error={'code': 'schema_invalid', 'message': 'A column is gone.'})\n"
            "sys.exit(1)"
        )
        done = watch(flow(tmp_path, body), code=1)
        assert done.stderr.splitlines() == ["✓ start 1.2 s", "Error in retrain_coalitions: A column is gone."]

    def test_hands_the_arguments_on(self, tmp_path: Path) -> None:
        body = "import pathlib; pathlib.Path(sys.argv[1]).write_text(json.dumps(sys.argv[2:]))"
        seen = tmp_path / "seen.json"
        watch(flow(tmp_path, body), str(seen), "--contributed-data=a b.csv,ü.csv", "--dry-run", code=0)
        assert json.loads(seen.read_text()) == ["--contributed-data=a b.csv,ü.csv", "--dry-run"]

    def test_verbose_shows_what_the_flow_prints(self, tmp_path: Path) -> None:
        body = f"step('start')\ntell(**{RESULT!r})\nprint('chatter')\nprint('grumble', file=sys.stderr)"
        done = watch(flow(tmp_path, body), verbose=True, code=0)
        assert "chatter" in done.stdout
        assert "grumble" in done.stderr
        assert "✓" not in done.stderr
        assert "DeltaOne +5.18 pp" in done.stdout

    def test_an_error_of_ours_is_one_sentence(self, tmp_path: Path) -> None:
        message = "There is no such file (" + "x" * 200 + ".csv). Check [the] name."
        body = f"fail('start', 'not_found', {message!r})\nprint('chatter')\nsys.exit(1)"
        done = watch(flow(tmp_path, body), code=1)
        assert done.stderr == f"Error in start: {message}\n"
        assert done.stdout == ""

    def test_another_error_comes_with_what_was_printed(self, tmp_path: Path) -> None:
        body = (
            "for n in range(100): print('line', n)\n"
            "fail('start', 'ZeroDivisionError', 'division by zero')\n"
            "sys.exit(1)"
        )
        done = watch(flow(tmp_path, body), code=1)
        lines = done.stderr.splitlines()
        assert lines[0] == "Error in start: division by zero"
        assert lines[1:] == [f"line {n}" for n in range(60, 100)]

    def test_a_flow_that_does_not_start_says_why(self, tmp_path: Path) -> None:
        done = watch(flow(tmp_path, "raise SystemExit('no such option: --x')"), code=1)
        assert "no such option: --x" in done.stderr

    def test_a_failure_that_was_retried_is_none(self, tmp_path: Path) -> None:
        body = f"fail('start', 'OSError', 'gone')\nstep('start', 1)\ntell(**{RESULT!r})"
        done = watch(flow(tmp_path, body), code=0)
        assert done.stderr == "✓ start 1.2 s\n"
        assert "DeltaOne" in done.stdout

    def test_says_how_to_continue_what_has_begun(self, tmp_path: Path) -> None:
        body = "step('start')\nfail('load_baseline_model', 'not_found', 'No.')\nsys.exit(1)"
        done = watch(flow(tmp_path, body), code=1)
        assert done.stderr.splitlines()[-1] == "Continue it with: hokusai pipeline resume 1795"

    def test_offers_no_continuation_that_can_only_fail_again(self, tmp_path: Path) -> None:
        body = "step('start')\nfail('load_baseline_model', 'configuration_invalid', 'No.')\nsys.exit(1)"
        done = watch(flow(tmp_path, body), code=1)
        assert done.stderr.splitlines()[-1] == "Error in load_baseline_model: No."

    def test_a_killed_flow_is_a_failure(self, tmp_path: Path) -> None:
        watch(flow(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)"), code=128 + 9)

    def test_a_missing_file_ends_the_real_flow(self, tmp_path: Path) -> None:
        done = hokusai(
            *("pipeline", "run", "--dry-run", "--contributed-data=nothing.csv"),
            cwd=tmp_path,
            METAFLOW_DATASTORE_SYSROOT_LOCAL=str(tmp_path),
        )
        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error in start: ")
        assert "nothing.csv" in line


WAITING = """
def heard(number, frame):
    with open(sys.argv[1], "a") as file:
        file.write(signal.Signals(number).name + chr(10))
    sys.exit(128 + number)

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, heard)
step("start")
if len(sys.argv) > 2:
    foreground = os.tcgetpgrp(os.open("/dev/tty", os.O_RDONLY))
    with open(sys.argv[2], "w") as file:
        file.write("foreground" if os.getpgrp() == foreground else "background")
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_end_the_flow(self, number: signal.Signals, tmp_path: Path) -> None:
        heard = tmp_path / "heard"
        command = [sys.executable, "-c", RUN, str(flow(tmp_path, WAITING)), "quiet", str(heard)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            wait_for(heard)
            process.send_signal(number)
            _, shown = process.communicate(timeout=120)
        assert process.returncode == 128 + number
        assert heard.read_text().split() == [number.name]
        assert shown.splitlines()[-2:] == ["Interrupted.", "Continue it with: hokusai pipeline resume 1795"]

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_ctrl_c_in_a_terminal_reaches_it_once(self, tmp_path: Path) -> None:
        """The terminal signals its foreground group, and we pass the signal on: the flow must not be in it."""
        heard, place = tmp_path / "heard", tmp_path / "place"
        command = [sys.executable, "-c", RUN, str(flow(tmp_path, WAITING)), "quiet", str(heard), str(place)]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.executable, command)
        try:
            wait_for(heard)
            os.write(terminal, b"\x03")
            shown = read_all(terminal)
            _, status = os.waitpid(pid, 0)
        finally:
            os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGINT
        assert (heard.read_text().split(), place.read_text()) == (["SIGINT"], "background")
        assert "start" in shown


def read_all(terminal: int) -> str:
    shown = b""
    while True:
        try:
            news = os.read(terminal, 4096)
        except OSError:  # its other end is closed
            news = b""
        if not news:
            return shown.decode(errors="replace")
        shown += news


class TestFlush:
    def keep(self, home: Path, run_ids: Sequence[str]) -> None:
        """Publish while no server is there."""
        lost = MlflowRunStore("http://127.0.0.1:9", None)
        step = StepEntry("start", 1000, 2000)
        journal = RunJournal("", "demo", {"seed": "42"}, {"pipeline:delta_one_score": 0.05}, {}, (step,), ())
        for run_id in run_ids:
            outputs = RunOutputs(
                run_id, {"baseline_model": {}, "new_model": {}}, b"{}", "", b"", None, {}, {}
            )
            published = publish(outputs, replace(journal, run_id=run_id), lost, home, home / "out")
            assert published.spool is not None

    def test_delivers_what_waits_and_keeps_what_is_damaged(self, tmp_path: Path) -> None:
        home = tmp_path / ".hokusai"
        home.mkdir()
        self.keep(home, ["1", "2", "3"])
        damaged = home / "journals" / "1" / "journal.json"
        damaged.write_text("{")

        done = hokusai("pipeline", "flush", cwd=tmp_path)
        assert done.returncode == 1
        delivered = [line.rpartition(" ")[0] for line in done.stdout.splitlines()]
        assert delivered == ["Run 2: delivered as MLflow run", "Run 3: delivered as MLflow run"]
        assert "Run 1: kept. The journal is damaged" in done.stderr
        assert done.stderr.splitlines()[-1] == "Error: 1 of 3 journals could not be delivered."

        client = MlflowRunStore(f"sqlite:///{home / 'mlflow.db'}", None)
        with client._mlflow() as plain:
            found = plain.search_runs([plain.get_experiment_by_name("demo").experiment_id])
        assert sorted(run.info.run_name for run in found) == ["hokusai-2", "hokusai-3", "start", "start"]

        damaged.unlink()
        again = hokusai("pipeline", "flush", cwd=tmp_path)
        assert (again.returncode, again.stdout, again.stderr) == (0, "No journal waits.\n", "")

    def test_says_that_the_server_is_still_away(self, tmp_path: Path) -> None:
        home = tmp_path / ".hokusai"
        home.mkdir()
        self.keep(home, ["1"])
        done = hokusai("pipeline", "flush", cwd=tmp_path, MLFLOW_TRACKING_URI="http://me:hunter2@127.0.0.1:9")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(
            "Error: MLflow cannot be reached: Connection refused (http://me:***@127.0.0.1:9)."
        )
        assert (home / "journals" / "1" / "journal.json").exists()

    def test_a_wrong_setting_is_one_sentence(self, tmp_path: Path) -> None:
        done = hokusai("pipeline", "flush", cwd=tmp_path, RANDOM_SEED="many")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: RANDOM_SEED is 'many'")

    def test_variables_of_the_flow_s_own_processes_are_no_surprise(self, tmp_path: Path) -> None:
        ours = ("HOKUSAI_PROGRESS_FILE", "HOKUSAI_LOCAL_ENGINE", "HOKUSAI_ORCHESTRATOR_PID")
        done = hokusai("pipeline", "flush", cwd=tmp_path, **dict.fromkeys(ours, "1"), HOKUSAI_HOMER="x")
        assert done.returncode == 0
        assert not any(name in done.stderr for name in ours)
        assert "HOKUSAI_HOMER is set, but Hokusai has no such setting" in done.stderr
