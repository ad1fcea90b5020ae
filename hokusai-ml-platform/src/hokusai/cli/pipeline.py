"""`hokusai pipeline`: the same flow as `python -m src.pipeline.hokusai_pipeline`, with a progress display."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from hokusai.cli.flow_process import flow_file, run_flow
from hokusai.errors import BackendUnavailableError, ConflictError, HokusaiError
from hokusai.pipeline.parameters import PARAMETERS


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
            arguments.append(f"--{parameter.name}={value}")
    sys.exit(run_flow(arguments, verbose=verbose, flow=flow_file()))


@pipeline.command(short_help="Continue a run that failed or was killed.")
@click.argument("run_id")
@click.option("--verbose", is_flag=True, help="show everything that the steps print")
def resume(run_id: str, verbose: bool) -> None:
    """Continue run RUN_ID where it stopped; finished steps are not done again."""
    sys.exit(run_flow(["resume", "--origin-run-id", run_id], verbose=verbose, flow=flow_file()))


@pipeline.command(short_help="Deliver journals that were kept when MLflow was away.")
def flush() -> None:
    """Write the journals of runs whose tracking server was lost to the server, now that it is back."""
    from hokusai import wiring
    from hokusai.pipeline.publication import flush as deliver
    from hokusai.pipeline.publication import waiting_journals

    settings = wiring.start_up()
    waiting = waiting_journals(settings.home)
    if not waiting:
        click.echo("No journal waits.")
        return
    store = wiring.run_store(settings)
    store.check()
    kept = 0
    for spool in waiting:
        try:
            tracked = deliver(spool, store)
        except BackendUnavailableError:
            raise
        except HokusaiError as problem:  # of this journal alone; the others are still to be delivered
            kept += 1
            click.echo(f"Run {spool.name}: kept. {problem}", err=True)
        else:
            click.echo(f"Run {spool.name}: delivered as MLflow run {tracked.run_id}")
    if kept:
        raise ConflictError(f"{kept} of {len(waiting)} journals could not be delivered")
