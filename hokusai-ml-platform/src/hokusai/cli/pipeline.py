"""`hokusai pipeline`: the same flow as `python -m src.pipeline.hokusai_pipeline`, with a progress display.

The flow runs as a process of its own. It tells of each step in a file, which is shown here as it grows; what it
prints is kept and shown when the run fails.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from hokusai.errors import NotFoundError
from hokusai.pipeline.parameters import PARAMETERS

STEPS = (
    "start",
    "load_baseline_model",
    "integrate_contributed_data",
    "train_new_model",
    "evaluate_on_benchmark",
    "compare_and_output_delta",
    "generate_attestation_output",
    "monitor_and_log",
    "end",
)
_POLL_SECONDS = 0.1


@click.group()
def pipeline() -> None:
    """Contributed data in; a better model, its DeltaOne and an attestation out."""


def _parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` one option for each parameter of the flow."""
    for parameter in reversed(PARAMETERS):
        if parameter.is_flag:
            option = click.option(f"--{parameter.name}", is_flag=True, help=parameter.help)
        else:
            several = parameter.name in ("contributor", "wallet", "contributed-data")
            option = click.option(
                f"--{parameter.name}",
                metavar=parameter.metavar,
                multiple=several,
                help=parameter.help + ("; may be repeated" if several else ""),
            )
        command = option(command)
    return command


@pipeline.command(short_help="Run the pipeline.")
@_parameters
@click.option("--verbose", is_flag=True, help="show everything that the steps print")
def run(verbose: bool, **given: Any) -> None:
    """Run the whole pipeline and show its progress and its result."""
    arguments = ["run"]
    for parameter in PARAMETERS:
        value = given[parameter.key]
        if isinstance(value, tuple):
            value = ",".join(value)
        if parameter.is_flag:
            arguments += [f"--{parameter.name}"] if value else []
        elif value:
            arguments += [f"--{parameter.name}", value]
    sys.exit(_watch(arguments, verbose))


@pipeline.command(short_help="Continue a run that failed or was killed.")
@click.argument("run_id")
@click.option("--verbose", is_flag=True, help="show everything that the steps print")
def resume(run_id: str, verbose: bool) -> None:
    """Continue run RUN_ID where it stopped; finished steps are not done again."""
    sys.exit(_watch(["resume", "--origin-run-id", run_id], verbose))


@pipeline.command(short_help="Deliver journals that were kept when MLflow was away.")
def flush() -> None:
    """Write the journals of runs whose tracking server was lost to the server, now that it is back."""
    from hokusai import wiring
    from hokusai.pipeline.monitoring import flush as deliver
    from hokusai.pipeline.monitoring import waiting_journals
    from hokusai.utils.config import Settings

    settings = Settings.load()
    waiting = waiting_journals(settings.home)
    if not waiting:
        click.echo("No journal waits.")
        return
    store = wiring.run_store(settings)
    for spool in waiting:
        tracked = deliver(spool, store)
        click.echo(f"Run {spool.name}: delivered as MLflow run {tracked.run_id}")


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


def _watch(arguments: Sequence[str], verbose: bool) -> int:
    """Run the flow, show its steps as they happen, then its result; the flow's exit code."""
    from rich.console import Console

    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hokusai-run-") as folder:
        progress, output = Path(folder) / "progress.jsonl", Path(folder) / "output.txt"
        environment = {**os.environ, "HOKUSAI_PROGRESS_FILE": str(progress)}
        command = [sys.executable, str(flow_file()), *arguments]
        with output.open("wb") as sink:
            target = None if verbose else sink
            process = subprocess.Popen(command, env=environment, stdout=target, stderr=target)
        with _forwarding(process):
            events = _show(console, process, progress, quiet=verbose)
        code = process.wait()
        failures = [event for event in events if event["event"] == "failed"]
        result = next((event for event in events if event["event"] == "published"), None)
        if code == 0 and result is not None:
            _summary(result)
        elif failures and not verbose:
            problem = failures[-1]
            console.print(f"[bold red]Error[/] in {problem['step']}: ", end="")
            console.print(problem["error"]["message"], markup=False, highlight=False)
            if problem["error"]["code"].endswith("Error"):  # not one of ours: what was printed may help
                sys.stderr.write(_tail(output))
        elif code != 0 and not verbose:
            sys.stderr.write(_tail(output))
    return code


class _forwarding:  # noqa: N801 - a context manager, read as a phrase
    """Passes SIGINT and SIGTERM on to the flow, which ends its steps; we then end with it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            self._before[name] = signal.signal(name, self._pass_on)

    def __exit__(self, *_: object) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)


def _show(console: Any, process: subprocess.Popen[bytes], path: Path, quiet: bool) -> list[dict[str, Any]]:
    """Follow the progress file until the process ends; everything that it said."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    events: list[dict[str, Any]] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("starting", total=len(STEPS))
        for event in _events(process, path):
            events.append(event)
            if event["event"] == "started":
                again = f" (try {event['attempt'] + 1})" if event["attempt"] else ""
                bar.update(task, description=event["step"].replace("_", " ") + again)
            elif event["event"] == "finished":
                bar.advance(task)
                if console.is_terminal and not quiet:
                    name = event["step"].replace("_", " ")
                    bar.console.print(f"[green]✓[/] {name} [dim]{event['seconds']:.1f} s[/]", highlight=False)
    return events


def _events(process: subprocess.Popen[bytes], path: Path) -> Iterator[dict[str, Any]]:
    seen, rest = 0, b""
    running = True
    while running:
        running = process.poll() is None
        if running:
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        if not path.exists():
            continue
        with path.open("rb") as file:
            file.seek(seen)
            news = file.read()
        seen += len(news)
        *lines, rest = (rest + news).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _summary(result: dict[str, Any]) -> None:
    """The closing summary: DeltaOne, every metric, who is credited, and where everything is."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    low, high = result["interval"]
    colour = "green" if low > 0 else "red" if high < 0 else "yellow"
    console.print()
    console.print(
        f"DeltaOne [bold {colour}]{100 * result['delta_one']:+.2f} pp[/]  "
        f"({100 * low:+.2f} to {100 * high:+.2f} at {100 * result['confidence']:g} % confidence, "
        f"p = {result['p_value']:.2g}, {result['n_rows']:,} benchmark rows)",
        highlight=False,
        soft_wrap=True,
    )
    console.print(result["verdict"], highlight=False, markup=False, soft_wrap=True)
    if result["dry_run"]:
        console.print("[bold]Dry run:[/] mock models and base data; no evidence of an improvement.")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("metric", "baseline", "new", "change", "interval", "p"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for row in result["metrics"]:
        shade = "green" if row["gain"] > 0 else "red" if row["gain"] < 0 else "dim"
        table.add_row(
            row["name"],
            f"{row['baseline']:.4f}",
            f"{row['new']:.4f}",
            f"[{shade}]{row['delta']:+.4f}[/]",
            f"{row['low']:+.4f} … {row['high']:+.4f}",
            f"{row['p_value']:.2g}",
        )
    console.print(table)
    for line in result["notes"]:
        console.print("[yellow]![/] ", end="")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for name, value in result["places"].items():
        console.print(f"[dim]{name:<13}[/] ", end="")
        console.print(value, markup=False, highlight=False, soft_wrap=True)


def _tail(path: Path, lines: int = 40) -> str:
    text = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    return "".join(text[-lines:])
