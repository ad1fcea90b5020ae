"""`hokusai doctor`: is every server there, is the registry sound, and what mends what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import show_json, show_line, show_table, styled

if TYPE_CHECKING:
    from hokusai.core.doctor import Diagnosis
    from hokusai.core.findings import Finding


@click.command()
@click.option(
    "--repair", is_flag=True, help="mend what can be mended safely; each repair is in the audit trail"
)
@click.option(
    "--deep", is_flag=True, help="read the files of every version and compare them with their digests"
)
@click.option(
    "--older-than",
    "older_than_hours",
    type=click.FloatRange(0),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="from which age files without a version are taken for left over",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="how long a server may be silent",
)
@json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    *,
    repair: bool,
    deep: bool,
    older_than_hours: float,
    timeout_seconds: float,
    as_json: bool,
) -> None:
    """Test every server, and find what a crash, or somebody's hand, left behind.

    Exit code 0: all is well. 1: something is left to be done.
    """
    from hokusai import wiring
    from hokusai.core.doctor import diagnose

    settings = wiring.start_up()
    installation = wiring.installation(settings)
    diagnosis = diagnose(
        replace(installation, checks=[*installation.checks, ("journals", partial(_journals, settings.home))]),
        repair=repair,
        deep=deep,
        older_than_hours=older_than_hours,
        timeout_seconds=timeout_seconds,
    )
    if as_json:
        show_json(diagnosis.to_dict())
    else:
        _show(diagnosis)
    ctx.exit(0 if diagnosis.is_healthy else 1)


def _journals(home: Path) -> Iterator[Finding]:
    """Pipeline runs that ended while MLflow was away, and wait to be written there."""
    from hokusai.core.findings import Finding
    from hokusai.pipeline.publication import waiting_journals

    for spool in waiting_journals(home):
        yield Finding(
            "journal-waiting",
            spool.name,
            "This pipeline run ended while MLflow was away, and is not in MLflow yet",
            "Deliver it: hokusai pipeline flush",
        )


def _show(diagnosis: Diagnosis) -> None:
    show_table(
        ("", "server", "answers in", "address"),
        [
            (
                styled("✓", "green") if hop.ok else styled("✗", "bold red"),
                hop.name,
                f"{hop.latency_ms:.1f} ms" if hop.latency_ms is not None else "-",
                hop.address,
            )
            for hop in diagnosis.hops
        ],
    )
    for hop in diagnosis.hops:
        if not hop.ok:
            show_line(styled(hop.name, "bold red"), f": {hop.problem.rstrip('.')}. {hop.hint}".rstrip())
    for repair in diagnosis.repairs:
        if not repair.failed:
            show_line(
                styled("Mended ", "green"), f"{repair.finding.name} {repair.finding.subject}: {repair.done}"
            )
    failed = {id(repair.finding): repair.failed for repair in diagnosis.repairs if repair.failed}
    for finding in diagnosis.findings:
        _show_finding(finding, failed.get(id(finding), ""))
    for text in diagnosis.not_checked:
        show_line(styled("Not looked at: ", "yellow"), text)
    show_line(_summary(diagnosis))


def _show_finding(finding: Finding, failed: str) -> None:
    show_line(
        styled("✗ " if finding.is_fault else "· ", "red" if finding.is_fault else "dim"),
        styled(finding.name, "bold"),
        f" {finding.subject}",
    )
    show_line(f"    {finding.meaning.rstrip('.')}.")
    show_line(styled(f"    → {finding.remedy}", "cyan"))
    if failed:
        show_line(styled(f"    It could not be mended: {failed}", "red"))


def _summary(diagnosis: Diagnosis) -> str:
    if diagnosis.is_healthy:
        return "All is well."
    faults = [finding for finding in diagnosis.findings if finding.is_fault]
    if not faults:
        return "Something could not be looked at."
    safe = sum(finding.fix is not None for finding in faults)
    hint = f"; {safe} of them: hokusai doctor --repair" if safe and not diagnosis.repairs else ""
    return f"{len(faults)} {'thing is' if len(faults) == 1 else 'things are'} left to be mended{hint}."
