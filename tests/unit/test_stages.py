"""The wrapper around every step: what it records, what it tells, and how it ends a failed step."""

import json
import time
import warnings
from types import SimpleNamespace

import pytest

from hokusai.errors import BackendUnavailableError, DataError, MissingExtraError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of a YAML library that Metaflow carries along
    from metaflow import current

    from src.pipeline import stages

EMPTY = DataError("The file is empty", where="a.csv", hint="Give a file with rows.")
AWAY = BackendUnavailableError("MLflow does not answer", where="http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def second_attempt(monkeypatch):
    monkeypatch.setattr(current, "_retry_count", 1)


@pytest.fixture
def progress(monkeypatch, tmp_path):
    file = tmp_path / "progress"
    monkeypatch.setenv("HOKUSAI_PROGRESS_FILE", str(file))
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def a_flow(*decorators, **artifacts):
    step = SimpleNamespace(decorators=[SimpleNamespace(name=name) for name in decorators])
    return SimpleNamespace(**{"train": step, "index": None} | artifacts)


def go_through(flow, error=None, inputs=None):
    """What Metaflow does with the wrapper: up to the step's body, then on from its end or its error."""
    wrapper = stages.stage_lifecycle("train", flow, inputs, {})
    next(wrapper)
    if error:
        wrapper.throw(error)
    else:
        assert next(wrapper, "done") == "done"


class TestJournal:
    def test_a_step_that_ended_well(self):
        flow = a_flow(journal=[{"step": "start", "started_ms": 1}])
        before_ms = time.time() * 1000
        go_through(flow)
        first, entry = flow.journal
        assert first == {"step": "start", "started_ms": 1}
        assert before_ms - 1 <= entry.pop("started_ms") <= entry.pop("ended_ms") <= time.time() * 1000 + 1
        assert entry == {"step": "train", "attempt": 1, "status": "FINISHED", "error": None}

    def test_the_journal_of_the_step_before_is_not_changed(self):
        earlier = []
        flow = a_flow(journal=earlier)
        go_through(flow)
        assert earlier == []

    def test_a_step_that_failed(self):
        flow = a_flow()
        with pytest.raises(KeyError):
            go_through(flow, KeyError("label"))
        assert flow.journal[0]["status"] == "FAILED"
        assert flow.journal[0]["error"] == {"code": "KeyError", "message": "'label'"}

    def test_a_join_has_every_branch_once_in_order_of_time_before_its_body_runs(self):
        common, left, right = (
            {"step": name, "started_ms": at} for name, at in [("s", 1), ("l", 3), ("r", 2)]
        )
        flow = a_flow()
        wrapper = stages.stage_lifecycle(
            "train", flow, [a_flow(journal=[common, left]), a_flow(journal=[common, right])], {}
        )
        next(wrapper)
        assert flow.journal == [common, right, left]


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "code"), [(EMPTY, 202), (MissingExtraError("polars is not installed"), 202), (AWAY, 1)]
    )
    def test_our_errors_are_one_line_and_an_exit_code(self, capsys, error, code):
        flow = a_flow("retry")
        with pytest.raises(SystemExit) as ended:
            go_through(flow, error)
        assert ended.value.code == code
        assert capsys.readouterr().err == f"train failed [{error.code}]: {error}\n"
        assert flow._task_ok is False
        assert str(error) in str(flow._exception)

    def test_in_the_first_step_nothing_is_worth_a_retry(self):
        flow = SimpleNamespace(start=SimpleNamespace(decorators=[]), index=None)
        wrapper = stages.stage_lifecycle("start", flow, None, {})
        next(wrapper)
        with pytest.raises(SystemExit) as ended:
            wrapper.throw(AWAY)
        assert ended.value.code == 202

    @pytest.mark.parametrize(
        "error", [ConnectionResetError("gone"), OSError(28, "disk full"), ZeroDivisionError()]
    )
    def test_others_are_left_to_metaflow(self, capsys, error):
        with pytest.raises(type(error)):
            go_through(a_flow("retry"), error)
        assert capsys.readouterr().err == ""

    def test_a_step_with_catch_lets_metaflow_catch(self):
        with pytest.raises(DataError):
            go_through(a_flow("retry", "catch"), EMPTY)


class TestProgress:
    def test_a_step_that_ended_well(self, progress):
        go_through(a_flow())
        started, finished = progress()
        assert started == {"event": "started", "step": "train", "attempt": 1}
        assert 0 <= finished.pop("seconds") < 5
        assert finished == {"event": "finished", "step": "train", "attempt": 1, "error": None}

    def test_a_step_that_failed(self, progress):
        with pytest.raises(SystemExit):
            go_through(a_flow(), EMPTY)
        assert progress()[1]["error"] == {
            "code": "data_invalid",
            "message": "The file is empty (a.csv). Give a file with rows.",
        }

    def test_a_summary(self, progress):
        stages.report({"event": "summary", "delta_one": 0.012})
        assert progress() == [{"event": "summary", "delta_one": 0.012}]

    def test_a_file_that_cannot_be_written_is_no_failure(self, monkeypatch, tmp_path, capsys):
        monkeypatch.setenv("HOKUSAI_PROGRESS_FILE", str(tmp_path / "no" / "folder"))
        go_through(a_flow())
        assert "The progress of this step cannot be shown" in capsys.readouterr().err

    def test_without_the_variable_nothing_is_written(self, monkeypatch, tmp_path):
        monkeypatch.delenv("HOKUSAI_PROGRESS_FILE", raising=False)
        monkeypatch.chdir(tmp_path)
        go_through(a_flow())
        assert list(tmp_path.iterdir()) == []


def test_the_defaults_give_every_step_a_stage_and_a_retry():
    steps = {"start": [], "end": []}
    mutable = SimpleNamespace(
        steps=[
            (
                name,
                SimpleNamespace(
                    add_decorator=lambda *args, added=added, **kwargs: added.append((args, kwargs))
                ),
            )
            for name, added in steps.items()
        ]
    )
    defaults = stages.pipeline_defaults(retries=4)
    defaults.init(retries=4)
    defaults.mutate(mutable)
    retry = (("retry",), {"deco_kwargs": {"times": 4, "minutes_between_retries": 0}})
    assert steps == {"start": [((stages.stage,), {}), retry], "end": [((stages.stage,), {}), retry]}
