"""`hokusai index`: the copy of MLflow's rows by which models are found at once."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import ago, moment, show_facts, show_json, show_line, styled
from hokusai.cli.progress import counting


@click.group()
def index() -> None:
    """Look after the index of models: a copy of MLflow's rows that may be made again at any time."""


@index.command(short_help="Make it again from MLflow.")
@json_option
@click.pass_context
def rebuild(ctx: click.Context, *, as_json: bool) -> None:
    """Read every version from MLflow and write the index again.

    Searches go on meanwhile. Exit code 1 if a model could not be read; the others are in the index then.
    """
    from hokusai import wiring
    from hokusai.core.rebuild import rebuild as make_again

    backends = wiring.registry_backends(wiring.start_up())
    with counting("Reading versions") as progress:
        report = make_again(backends.store, backends.ledger, lambda done: progress(done, None))
    if as_json:
        show_json(report.to_dict())
    else:
        dropped = f", {report.dropped:,} that are gone dropped" if report.dropped else ""
        show_line(
            f"{report.rows:,} versions of {report.models:,} models indexed in {report.duration_seconds:.1f} s{dropped}."
        )
        for model_id, reason in report.partly.items():
            show_line(styled("!", "yellow"), f" {model_id}: {reason}", stderr=True)
        for name, reason in report.unreadable.items():
            show_line(styled("✗", "red"), f" {name} could not be read: {reason}", stderr=True)
    ctx.exit(1 if report.unreadable else 0)


@index.command(short_help="See how fresh it is.")
@json_option
def status(*, as_json: bool) -> None:
    """Say what is in the index, and up to when it has what others wrote into MLflow."""
    from hokusai import wiring
    from hokusai.core.rebuild import POLLED_MARK

    backends = wiring.registry_backends(wiring.start_up())
    where, found = backends.store.location, backends.ledger.index
    mark = found.mark(where, POLLED_MARK)
    polled = datetime.fromtimestamp(int(mark) / 1000, UTC) if mark else None
    models, rows = len(found.names(where)), found.count(where)
    if as_json:
        show_json(
            {
                "store": where,
                "ledger": backends.ledger.location,
                "models": models,
                "versions": rows,
                "polled_at": polled.isoformat() if polled else None,
            }
        )
        return
    show_facts(
        {
            "MLflow": where,
            "ledger": backends.ledger.location,
            "models": f"{models:,}",
            "versions": f"{rows:,}",
            "has changes until": f"{moment(polled)} ({ago(polled)})"
            if polled
            else "never: it is made on first use",
        }
    )
