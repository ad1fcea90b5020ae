"""The local engine, by what a user can see of it: real runs of a small flow, killed in every way there is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import flow_process
from tests.integration.flow_process import FLOW, ROOT, FlowProcess, until
from tests.integration.impostor import Impostor

STEPS = [
    "start",
    "load_baseline_model",
    "integrate_contributed_data",
    "train_new_model",
    "evaluate_on_benchmark",
    "compare_and_output_delta",
    "generate_attestation_output",
    "monitor_and_log",
    "end",
]


def start(folder, fault="", **environment):
    return FlowProcess(folder, "run", FAULT=fault, **environment)


@pytest.fixture(scope="module")
def forked(tmp_path_factory):
    flow = start(tmp_path_factory.mktemp("fork"), CARD="1")
    assert flow.finish() == 0, flow.text
    return flow


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    flow = start(tmp_path_factory.mktemp("process"), HOKUSAI_LOCAL_ENGINE="process")
    assert flow.finish() == 0, flow.text
    return flow


class TestARun:
    def test_does_all_steps_once(self, forked):
        assert sorted(step.id for step in forked.run) == sorted(STEPS)
        assert [entry["step"] for entry in forked.run.data.journal] == [
            *STEPS[:5],
            "evaluate_on_benchmark",
            *STEPS[5:],
        ]
        assert {entry["status"] for entry in forked.run.data.journal} == {"FINISHED"}

    def test_keeps_what_the_steps_computed(self, forked):
        assert forked.run.data.lengths == [1, 2]
        assert forked.run.data.rows == 3
        assert forked.run.successful

    def test_shows_and_stores_what_a_step_prints(self, forked):
        assert "rows 3 True" in forked.text  # True: a step has the default handler for SIGTERM
        assert forked.run["end"].task.stdout == "rows 3 True\n"

    def test_a_step_cannot_tell_that_it_was_forked(self, forked):
        expected = {"argv0": str(FLOW), "cwd": str(forked.folder), "module": "__main__"}
        assert forked.run["start"].task.data.seen == expected

    def test_a_group_has_its_modules_loaded(self, forked, plain):
        assert forked.run.data.preloaded_here is True
        assert plain.run.data.preloaded_here is False

    def test_makes_cards(self, forked):
        cards = list((forked.folder / ".metaflow" / "mf.cards").rglob("*.html"))
        assert len(cards) == 1
        assert cards[0].read_text().lstrip().lower().startswith("<!doctype html>")

    def test_leaves_nothing_behind(self, forked):
        assert forked.leaves_nothing()

    def test_tells_its_progress(self, forked):
        told = [
            (line["event"], line["step"]) for line in forked.progress if line["step"] == "train_new_model"
        ]
        assert told == [("started", "train_new_model"), ("finished", "train_new_model")]
        assert len(forked.progress) == 2 * 10  # one step runs twice

    def test_both_engines_give_the_same_artifacts(self, forked, plain):
        volatile = {"journal", "seen", "preloaded_here", "contributed_data"}  # times, folders, engine, folder

        def digests(run):
            return {
                (step.id, task.index, artifact.id): artifact.sha
                for step in run
                for task in step
                for artifact in task
                if artifact.id not in volatile
            }

        assert digests(forked.run) == digests(plain.run)
        assert len(digests(plain.run)) > 30


class TestExitCodes:
    @pytest.mark.parametrize(
        ("fault", "seen"),
        [
            ("exit7", [7, 7, 7]),
            ("exit202", [202]),
            ("signal9", [-9, -9, -9]),
            ("signal11", [-11, -11, -11]),
        ],
    )
    def test_metaflow_sees_how_the_step_ended(self, tmp_path, fault, seen):
        flow = start(tmp_path, f"load_baseline_model:{fault}")
        assert flow.finish() == 1
        assert flow.attempts("load_baseline_model") == seen
        assert flow.leaves_nothing()

    @pytest.mark.parametrize("arguments", [["run"], ["run", "--no-such-option"]])
    def test_wrong_usage_is_2(self, tmp_path, arguments):
        done = subprocess.run(
            [sys.executable, str(FLOW), *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "METAFLOW_PYLINT": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr

    def test_an_unknown_engine_is_refused(self, tmp_path):
        flow = start(tmp_path, HOKUSAI_LOCAL_ENGINE="thread")
        assert flow.finish() == 2
        assert flow.text == "HOKUSAI_LOCAL_ENGINE is 'thread'; it can be 'fork' or 'process'.\n"


class TestFailures:
    @pytest.mark.parametrize("engine", ["fork", "process"])
    def test_a_permanent_one_is_told_once_and_not_retried(self, tmp_path, engine):
        flow = start(tmp_path, "integrate_contributed_data:permanent", HOKUSAI_LOCAL_ENGINE=engine)
        assert flow.finish() == 1
        assert flow.text.count("[data_invalid]: The file is empty (a.csv). Give a file with rows.") == 1
        assert flow.text.count("The file is empty") == 1
        assert "Traceback" not in flow.text
        assert "nternal error" not in flow.text
        assert flow.attempts("integrate_contributed_data") == [202]
        task = flow.run["integrate_contributed_data"].task
        assert not task.successful
        assert task.data.before_fault == "kept"
        assert task.data.journal[-1]["status"] == "FAILED"
        assert task.data.journal[-1]["error"]["code"] == "data_invalid"
        assert "The file is empty" in str(task.exception)
        assert flow.progress[-1]["event"] == "failed"
        assert flow.leaves_nothing()

    def test_a_passing_one_is_retried(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:passing:2")
        assert flow.finish() == 0
        assert "Traceback" not in flow.text
        told = [
            (line["event"], line["attempt"], (line.get("error") or {}).get("code"))
            for line in flow.progress
            if line["step"] == "integrate_contributed_data"
        ]
        assert told == [
            ("started", 0, None),
            ("failed", 0, "backend_unavailable"),
            ("started", 1, None),
            ("failed", 1, "backend_unavailable"),
            ("started", 2, None),
            ("finished", 2, None),
        ]
        assert flow.run.data.journal[2]["attempt"] == 2

    def test_an_error_of_the_system_is_retried_and_shown_whole(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:reset")
        assert flow.finish() == 1
        assert flow.attempts("integrate_contributed_data") == [1, 1, 1]
        assert "ConnectionResetError: the connection was reset" in flow.text

    def test_catch_still_catches(self, tmp_path):
        flow = start(tmp_path, "compare_and_output_delta:permanent")
        assert flow.finish() == 0
        assert "The file is empty" in str(flow.run["compare_and_output_delta"].task.data.caught)


class TestKilled:
    def test_a_killed_step_is_retried_and_its_children_die_with_it(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:sleep:1")
        step, _, child = flow.pids()
        assert {step, child} <= set(flow.processes())
        os.kill(step, signal.SIGKILL)
        assert flow.finish() == 0
        assert child not in flow.processes()
        assert flow.run["integrate_contributed_data"].task.data.journal[-1]["attempt"] == 1
        assert flow.leaves_nothing()

    def test_a_killed_client_takes_its_step_along(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:sleep:1")
        step, server, child = flow.pids()
        clients = [pid for pid in flow.processes() if is_client(pid)]
        assert len(clients) == 1
        assert step not in clients
        os.kill(clients[0], signal.SIGKILL)
        assert flow.finish() == 0
        assert not {step, child} & set(flow.processes())
        assert server != flow.process.pid
        assert flow.leaves_nothing()

    def test_no_step_outlives_a_killed_server(self, tmp_path):
        flow = start(tmp_path, "load_baseline_model:doze:1")
        step, server = flow.pids()
        os.kill(server, signal.SIGKILL)
        assert flow.finish() == 1
        assert "The step cannot start: the local engine of this run has ended." in flow.text
        assert step not in flow.processes()

    def test_a_group_that_died_is_done_without(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:wait")
        step, server = flow.pids()
        groups = [pid for pid in children(server) if pid != step]
        assert len(groups) == 2
        for pid in groups:
            os.kill(pid, signal.SIGKILL)
        (tmp_path / "pids.go").touch()
        assert flow.finish() == 0
        assert flow.run.data.preloaded_here is False

    @pytest.mark.parametrize("engine", ["fork", "process"])
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    def test_a_signal_ends_the_run(self, tmp_path, engine, number, code):
        flow = start(tmp_path, "load_baseline_model:doze", HOKUSAI_LOCAL_ENGINE=engine)
        flow.pids()
        flow.process.send_signal(number)
        assert flow.finish() == code
        assert "Workflow interrupted" in flow.text
        assert flow.leaves_nothing()

    @pytest.mark.parametrize("engine", ["fork", "process"])
    def test_nothing_outlives_a_killed_orchestrator(self, tmp_path, engine):
        flow = start(tmp_path, "load_baseline_model:doze", HOKUSAI_LOCAL_ENGINE=engine)
        flow.pids()
        flow.process.kill()
        assert flow.finish() == -signal.SIGKILL
        assert flow.leaves_no_process()

    def test_a_killed_run_resumes(self, tmp_path):
        killed = start(tmp_path / "killed", "train_new_model:sleep")
        killed.pids()
        killed.process.kill()
        killed.finish()
        assert killed.leaves_no_process()
        resumed = FlowProcess(
            tmp_path / "resumed",
            "resume",
            f"--origin-run-id={killed.run_id}",
            f"--run-id-file={tmp_path / 'resumed' / 'run_id'}",
            datastore=killed.datastore,
        )
        assert resumed.finish() == 0, resumed.text
        assert resumed.run_id != killed.run_id
        assert resumed.progress[0]["step"] == "train_new_model"  # what was done is not done again
        assert resumed.run.data.rows == 3
        assert resumed.leaves_nothing()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
class TestAnotherUser:
    """Who takes the names of a run's servers, which anyone can see, learns nothing and decides nothing."""

    def test_is_not_asked_under_names_that_the_run_never_had(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:wait")
        flow.pids()
        grouped = {"train_new_model", "monitor_and_log"}
        address = address_of(flow)
        with Impostor(*(f"{address}/{step}" for step in STEPS if step not in grouped)) as impostor:
            (tmp_path / "pids.go").touch()
            assert flow.finish() == 0, flow.text
            assert impostor.heard() == []
        assert sorted(step.id for step in flow.run) == sorted(STEPS)

    def test_gets_nothing_in_the_place_of_a_group_that_died(self, tmp_path):
        flow = start(tmp_path, "integrate_contributed_data:wait")
        step, server = flow.pids()
        address = address_of(flow)
        for pid in children(server):
            if pid != step:
                os.kill(pid, signal.SIGKILL)
        with Impostor(f"{address}/train_new_model", f"{address}/monitor_and_log") as impostor:
            (tmp_path / "pids.go").touch()
            assert flow.finish() == 0, flow.text
            assert impostor.heard() == [b"", b""]
        assert flow.text.count("it was sent nothing") == 2
        assert flow.run.data.preloaded_here is False  # the general server did it

    def test_gets_nothing_in_the_place_of_the_general_server(self, tmp_path):
        flow = start(tmp_path, "load_baseline_model:doze:1")
        _, server = flow.pids()
        impostor = Impostor(address_of(flow))
        flow.process.send_signal(signal.SIGSTOP)  # or the retry may come first
        os.kill(server, signal.SIGKILL)
        with impostor:
            flow.process.send_signal(signal.SIGCONT)
            assert flow.finish() == 1
            assert impostor.heard() == [b""]
        assert "it was sent nothing" in flow.text
        assert "The step cannot start: the local engine of this run has ended." in flow.text
        assert flow.leaves_no_process()


class TestWatched:
    """The flow as `hokusai pipeline run` starts it."""

    @pytest.fixture
    def watched(self, tmp_path, monkeypatch):
        watcher = tmp_path / "watcher.py"
        watcher.write_text(
            "import sys; from pathlib import Path; from hokusai.cli.flow_process import run_flow\n"
            f"sys.exit(run_flow(sys.argv[1:], verbose=False, flow=Path({str(FLOW)!r})))\n"
        )
        monkeypatch.setattr(flow_process, "FLOW", watcher)
        return lambda fault="", **environment: start(tmp_path / "run", fault, **environment)

    def test_shows_the_steps(self, watched):
        flow = watched()
        assert flow.finish() == 0, flow.text
        # The two tasks of `evaluate` are one line, which stands when the run goes on behind them.
        assert [line.split()[1] for line in flow.text.splitlines()].count("evaluate") == 1
        assert len(flow.text.splitlines()) == len(STEPS), flow.text
        assert flow.leaves_nothing()

    @pytest.mark.parametrize("engine", ["fork", "process"])
    def test_a_killed_watcher_takes_all_along(self, watched, engine):
        flow = watched("load_baseline_model:doze", HOKUSAI_LOCAL_ENGINE=engine)
        flow.pids()
        assert len(flow.processes()) > 2
        flow.process.kill()
        flow.process.wait()
        until(lambda: not flow.processes())
        assert flow.leaves_nothing()

    def test_a_watcher_killed_while_the_flow_still_imports(self, watched):
        flow = watched()
        until(lambda: len(flow.processes()) > 1)
        flow.process.kill()
        flow.process.wait()
        until(lambda: not flow.processes())
        assert not (flow.folder / "run_id").exists()
        assert flow.leaves_nothing()

    def test_a_run_that_a_step_starts_is_not_watched(self, tmp_path):
        """The variable is gone in steps: a run that one leaves behind has another parent."""
        flow = start(tmp_path, "load_baseline_model:doze", HOKUSAI_WATCHER_PID=str(os.getpid()))
        flow.pids()
        clients = [pid for pid in flow.processes() if is_client(pid)]
        assert len(clients) == 1
        assert b"HOKUSAI_WATCHER_PID" not in Path(f"/proc/{clients[0]}/environ").read_bytes()
        flow.process.terminate()
        assert flow.finish() == 143


def test_three_runs_at_once_do_not_disturb_each_other(tmp_path):
    flows = [FlowProcess(tmp_path / str(n), "run", datastore=tmp_path / "datastore") for n in range(3)]
    assert [flow.finish() for flow in flows] == [0, 0, 0]
    assert len({flow.run_id for flow in flows}) == 3
    assert all(flow.run.successful and flow.leaves_nothing() for flow in flows)


def address_of(flow):
    """As anyone can see it."""
    needle = f"@hokusai-{flow.process.pid}-"
    names = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if needle in line}
    return min(names, key=len).removeprefix("@").partition("/")[0]


def is_client(pid):
    return b"step_client.py" in Path(f"/proc/{pid}/cmdline").read_bytes()


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
