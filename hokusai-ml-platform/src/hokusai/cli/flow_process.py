"""The flow as a process of its own: its steps shown while it runs, signals passed on, and what went wrong at its end.

The flow tells of each step in a file, which is followed here as it grows. What it prints is kept, and shown when
it fails for a reason that is not ours to put into one sentence. When this process is killed the flow ends as well
(on Linux), and as neither file has a name there, nothing stays behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

from hokusai.cli.run_summary import show_summary
from hokusai.errors import NotFoundError

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
_POLL_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STARTED = re.compile(r"Workflow starting \(run-id (\S+)\)")
_TAIL_LINES = 40
# A resumed run has the parameters and files of the one that it continues: these would fail it again.
_PERMANENT = ("configuration_invalid", "data_invalid", "schema_invalid", "metric_invalid", "model_untrusted")


def flow_file() -> Path:
    """The flow's file: that of the checkout we run from, else the copy that came with the package.

    Raises:
        NotFoundError: Neither is there.
    """
    import hokusai

    package = Path(hokusai.__file__).parent
    candidates = [
        package.parents[2] / "src" / "pipeline" / "hokusai_pipeline.py",
        package / "flow" / "src" / "pipeline" / "hokusai_pipeline.py",
    ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise NotFoundError(
        "The pipeline's flow is not installed",
        hint="Run from a checkout of the repository, or reinstall the package.",
    )


def run_flow(arguments: Sequence[str], *, verbose: bool, flow: Path) -> int:
    """Run a flow, show its steps as they happen, then its result or why there is none.

    Args:
        arguments: For the flow's own command line.
        verbose: Let it print for itself.
        flow: Its file.

    Returns:
        The flow's exit code; 128 + n if signal n ended it.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with _shared_file() as progress, tempfile.TemporaryFile("a+b") as output:
        with _Forwarding() as forwarding:
            process = subprocess.Popen(
                [sys.executable, str(flow), *arguments],
                env={**os.environ, **_environment(progress)},
                stdin=subprocess.DEVNULL,
                stdout=None if verbose else output,
                stderr=None if verbose else output,
                # A terminal signals its whole foreground group: the flow would hear twice of one Ctrl-C.
                process_group=0,
            )
            forwarding.to(process)
            events = _show(console, process, progress, quiet=verbose)
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        result = next((event for event in events if event["event"] == "published"), None)
        if code == 0 and result is not None:
            show_summary(result)
        elif code != 0 and not verbose:
            _explain(console, events, output, forwarding.received)
    return code


def _shared_file() -> IO[bytes]:
    """A file that other processes can open: on Linux without a name of its own, see `_environment`."""
    return tempfile.TemporaryFile() if sys.platform == "linux" else tempfile.NamedTemporaryFile()


def _environment(progress: IO[bytes]) -> dict[str, str]:
    """What the flow is to know of us: where to tell of its steps, and whom not to outlive."""
    if sys.platform != "linux":
        return {"HOKUSAI_PROGRESS_FILE": str(progress.name)}
    own = os.getpid()
    return {
        "HOKUSAI_PROGRESS_FILE": f"/proc/{own}/fd/{progress.fileno()}",
        "HOKUSAI_WATCHER_PID": str(own),
    }


class _Forwarding:
    """Passes signals on to the flow, which ends its steps; we then end with it."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Forwarding:
        for name in _SIGNALS:
            if signal.getsignal(name) is not signal.SIG_IGN:  # under nohup, for one
                self._before[name] = signal.signal(name, self._pass_on)
        return self

    def __exit__(self, *_: object) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)

    def to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        if self.received is not None:  # while it was being started
            process.send_signal(self.received)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        if self._process is not None:
            self._process.send_signal(number)


def _show(
    console: Any, process: subprocess.Popen[bytes], told: IO[bytes], quiet: bool
) -> list[dict[str, Any]]:
    """Follow the progress file until the process ends; everything that it said."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    events: list[dict[str, Any]] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        shown = _Shown(bar, None if quiet else console)
        for event in _events(process, told):
            events.append(event)
            shown.see(event)
    return events


class _Shown:
    """What is seen of a run's steps: the bar, and a line for each step that is done.

    The tasks of a step that is spread over several are one line, which stands when the run goes on behind them.
    """

    def __init__(self, bar: Any, console: Any) -> None:
        self._bar, self._console = bar, console
        self._task = bar.add_task("starting", total=len(STEPS))
        self._steps_done = 0
        self._spread: _Spread | None = None

    def see(self, event: dict[str, Any]) -> None:
        """Show what one event changes."""
        spread = "branch" in event or event["event"] == "retrained"
        if self._spread is not None and not spread and event["event"] == "started":
            self._done(self._spread.step, self._spread.seconds, self._spread.found)
            self._spread = None
        if event["event"] == "started":
            again = f" (try {event['attempt'] + 1})" if event["attempt"] else ""
            self._bar.update(self._task, description=_words(event["step"]) + again)
        elif event["event"] == "finished" and not spread:
            self._done(event["step"], event["seconds"])
        if spread:
            self._spread = self._spread or _Spread(event.get("step", ""))
            self._spread.see(event)
            self._bar.update(
                self._task,
                description=f"{_words(self._spread.step)} {self._spread.found}".rstrip(),
                completed=self._steps_done + self._spread.share,
            )

    def _done(self, step: str, seconds: float, found: str = "") -> None:
        self._steps_done += 1
        self._bar.update(self._task, completed=self._steps_done)
        if self._console is not None:
            line = f"[green]✓[/] {_words(step)} [dim]{seconds:.1f} s[/]"
            self._console.print(f"{line} [dim]{found}[/]" if found else line, highlight=False)


class _Spread:
    """A step whose tasks run side by side."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.seconds = 0.0
        """Of its longest task."""
        self._finished: dict[int, bool] = {}
        self._trained: dict[int, tuple[int, int | None]] = {}

    def see(self, event: dict[str, Any]) -> None:
        if event["event"] == "retrained":
            self._trained[event["task"]] = (event["done"], event["of"])
            return
        self._finished[event["branch"]] = event["event"] == "finished"
        self.seconds = max(self.seconds, event.get("seconds", 0.0))

    @property
    def found(self) -> str:
        """How many models are trained, of how many if every task knows; "" while there are none."""
        done = sum(done for done, _ in self._trained.values())
        if not done:
            return ""
        expected = [of for _, of in self._trained.values()]
        known = sum(of for of in expected if of is not None) if None not in expected else done
        return f"{done} of {known} models" if done < known else f"{done} model{'s' * (done > 1)}"

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1, as far as it is known."""
        shares = [
            1.0 if finished else done / of if of else 0.0
            for task, finished in self._finished.items()
            for done, of in [self._trained.get(task, (0, None))]
        ]
        return sum(shares) / len(shares) if shares else 0.0


def _words(step: str) -> str:
    return step.replace("_", " ")


def _events(process: subprocess.Popen[bytes], told: IO[bytes]) -> Iterator[dict[str, Any]]:
    rest = b""
    running = True
    while running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
        running = process.returncode is None
        *lines, rest = (rest + told.read()).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _explain(console: Any, events: list[dict[str, Any]], output: IO[bytes], interrupted: int | None) -> None:
    """Why a run did not end well, and how to go on."""
    output.seek(0)
    text = output.read().decode("utf-8", errors="replace")
    failure = next((event for event in reversed(events) if event["event"] == "failed"), None)
    if interrupted is not None:
        console.print("[bold red]Interrupted.[/]")
    elif failure is not None:
        console.print(f"[bold red]Error[/] in {failure['step']}: ", end="", highlight=False)
        console.print(failure["error"]["message"], markup=False, highlight=False, soft_wrap=True)
    if interrupted is None and (failure is None or not failure["error"]["code"].islower()):
        # Not an error of ours, which are lower case: what was printed may help.
        sys.stderr.write("".join(text.splitlines(keepends=True)[-_TAIL_LINES:]))
    started = _STARTED.search(text)
    again = failure is not None and failure["error"]["code"] in _PERMANENT
    if started and not again and any(event["event"] == "finished" for event in events):
        line = f"Continue it with: hokusai pipeline resume {started[1]}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
