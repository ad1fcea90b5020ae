"""`hokusai audit`: who did what, whether anybody changed that since, and a copy that can be verified elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import moment, pairs, show_json, show_line, show_table, styled
from hokusai.domain.audit import AuditHead
from hokusai.errors import HokusaiError, InvalidInputError, NotFoundError
from hokusai.utils.text import one_line

if TYPE_CHECKING:
    from hokusai.core.audit_trail import TrailVerdict
    from hokusai.ports import Ledger

_FAULTS_SHOWN = 20


def as_head(ctx: click.Context, param: click.Parameter, value: str | None) -> AuditHead | None:
    """The head that was typed."""
    from hokusai.core.audit_trail import parse_head

    try:
        return None if value is None else parse_head(value)
    except InvalidInputError as problem:
        raise click.BadParameter(f"{problem.what}. {problem.hint}", ctx, param) from problem


@click.group()
def audit() -> None:
    """Show, verify and export the audit trail."""


@audit.command(short_help="Show who did what, newest first.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="how many entries")
@click.option("--subject", metavar="ID", help="only what happened to this, such as churn/1.1.0")
@click.option("--kind", metavar="KIND", help="only what is of this kind, such as model.registered")
@json_option
def log(*, limit: int, subject: str | None, kind: str | None, as_json: bool) -> None:
    """Show the latest entries of the audit trail."""
    events = _ledger().events(limit=limit, subject=subject, kind=kind, newest_first=True)
    if as_json:
        show_json([event.to_dict() for event in events])
    elif not events:
        show_line("The audit trail has no such entry." if subject or kind else "The audit trail is empty.")
    else:
        show_table(
            ("#", "When", "Who", "What", "Subject", "Details"),
            (
                (
                    str(event.sequence),
                    moment(event.at),
                    event.happening.actor,
                    event.happening.kind,
                    event.happening.subject,
                    _details(event.happening.details),
                )
                for event in events
            ),
        )


@audit.command(short_help="Find out whether anybody changed the trail.")
@click.option("--head", callback=as_head, metavar="COUNT:HASH", help="a head that was noted before")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), metavar="EXPORT", help="verify an export, offline"
)
@json_option
@click.pass_context
def verify(ctx: click.Context, *, head: AuditHead | None, file: Path | None, as_json: bool) -> None:
    """Check that no entry of the audit trail was changed, removed, inserted or moved.

    The newest entries can be removed, or the whole trail written anew, without a trace inside it. Note the head that
    this prints somewhere else, and give it the next time with --head. Exit code 1 if anything is wrong.
    """
    from hokusai.core.audit_trail import verify_export, verify_trail

    if file is None:
        verdict = verify_trail(_ledger(), head)
    else:
        try:
            with file.open("rb") as lines:
                verdict = verify_export(lines, head)
        except OSError as problem:
            raise NotFoundError(
                f"The export cannot be read: {problem.strerror}", where=str(file)
            ) from problem
    if as_json:
        show_json(verdict.to_dict())
    else:
        _show_verdict(verdict)
    ctx.exit(0 if verdict.is_sound else 1)


@audit.command(short_help="Write the trail as lines of JSON.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="where to; by default standard output"
)
def export(*, output: Path | None) -> None:
    """Write the whole trail as lines of JSON, its head first; `hokusai audit verify --file FILE` checks it anywhere."""
    from hokusai.core import audit_trail

    lines = audit_trail.export(_ledger())
    if output is None:
        for line in lines:
            click.echo(line, nl=False)
        return
    _write(output, lines)
    click.echo(f"Exported to {one_line(str(output))}", err=True)


def _ledger() -> Ledger:
    from hokusai import wiring

    return wiring.ledger(wiring.start_up())


def _show_verdict(verdict: TrailVerdict) -> None:
    for fault in verdict.faults[:_FAULTS_SHOWN]:
        show_line(styled("✗ ", "bold red"), fault)
    if len(verdict.faults) > _FAULTS_SHOWN:
        show_line(f"  … and {len(verdict.faults) - _FAULTS_SHOWN:,} more faults")
    n_entries = f"{verdict.head.count:,} {'entry' if verdict.head.count == 1 else 'entries'}"
    if verdict.is_sound:
        show_line(styled("SOUND", "bold green"), f"  {n_entries}, none changed, removed or moved")
    else:
        show_line(styled("NOT SOUND", "bold red"), f"  {n_entries} should be there as they were written")
    show_line(f"Head: {verdict.head.count}:{verdict.head.hash}")


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines to a file that is whole or absent, however many there are."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            try:
                draft.writelines(lines)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(path)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except HokusaiError:  # the ledger's own, some of which are OSErrors
        raise
    except OSError as problem:
        raise InvalidInputError(
            f"The export cannot be written: {problem.strerror}",
            where=str(path),
            hint="Check that the folder exists, may be written, and has space.",
        ) from problem


def _details(details: Mapping[str, Any]) -> str:
    """What a reader wants to know at a glance: no digests of single files, nothing that is empty; `--json` has all."""
    told = {
        name: value for name, value in details.items() if name != "files" and value not in (None, "", {}, [])
    }
    return pairs({name: f"{value[:12]}…" if name == "sha256" else value for name, value in told.items()})
