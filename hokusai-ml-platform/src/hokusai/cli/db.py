"""`hokusai db`: where the ledger's database stands, and bringing it to the version of this code.

A server is shared by programs of several versions, so nothing but this command changes its tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import show_facts, show_json

if TYPE_CHECKING:
    from hokusai.adapters.sql.schema import LedgerSchema


@click.group()
def db() -> None:
    """Show and upgrade the database of the ledger."""


@db.command(short_help="Bring the tables to the version of this Hokusai.")
def upgrade() -> None:
    """Make the ledger's tables, or bring them to the version of this Hokusai.

    All in one transaction; several may run this at once. Back the database up before an upgrade: there is no way back.
    """
    before, after = _schema().upgrade()
    if before.found == after.found:
        click.echo(f"The ledger is up to date (version {after.found}): {after.location}")
    else:
        came_from = f"upgraded from version {before.found} to" if before.found else "made, with"
        click.echo(f"The ledger was {came_from} version {after.found}: {after.location}")


@db.command(short_help="Show which version the tables have.")
@json_option
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Show where the ledger is, and whether this Hokusai can use it. Nothing is changed.

    Exit code 1 if it cannot be used as it is.
    """
    found = _schema().state()
    if as_json:
        show_json(found.to_dict())
    else:
        made_by = f", by Hokusai {found.made_by}" if found.made_by else ""
        show_facts(
            {
                "Ledger": found.location,
                "Tables": f"version {found.found}{made_by}" if found.found else "none",
                "Needed": f"version {found.needed}",
                "Verdict": found.verdict,
            }
        )
    ctx.exit(0 if found.is_usable else 1)


def _schema() -> LedgerSchema:
    from hokusai import wiring

    return wiring.ledger_schema(wiring.start_up())
