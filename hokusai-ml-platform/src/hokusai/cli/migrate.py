"""`hokusai migrate`: an existing MLflow registry becomes one of Hokusai's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import show_json, show_line, show_table, styled
from hokusai.cli.progress import counting
from hokusai.core.version_rules import SCHEMES, VERSION_TAGS, Rules, Scheme

if TYPE_CHECKING:
    from hokusai.core.migration import MigrationReport
    from hokusai.core.provided import Backends
    from hokusai.ports import ModelStore


@click.group()
def migrate() -> None:
    """Take over what others' tools keep."""


@migrate.command("from-mlflow", short_help="Take over an MLflow registry.")
@click.option("--dry-run", is_flag=True, help="write nothing; show all that would be done")
@click.option("--source", metavar="URI", help="copy from this MLflow into the configured one first")
@click.option("--name", "names", default="*", metavar="PATTERN", help="only these models, as in 'churn-*'")
@click.option(
    "--version-tag",
    metavar="NAME",
    help=f"the tag that states versions, instead of {', '.join(VERSION_TAGS)}",
)
@click.option(
    "--scheme",
    type=click.Choice(SCHEMES),
    default=SCHEMES[0],
    show_default=True,
    help="how a version is derived from MLflow's number N where none is stated",
)
@click.option("--no-digests", is_flag=True, help="do not read the files of the models")
@click.option("--keep-archived", is_flag=True, help="leave versions in MLflow's stage Archived in use")
@json_option
@click.pass_context
def from_mlflow(
    ctx: click.Context,
    *,
    dry_run: bool,
    source: str | None,
    names: str,
    version_tag: str | None,
    scheme: str,
    no_digests: bool,
    keep_archived: bool,
    as_json: bool,
) -> None:
    """Give every version of the configured MLflow a semantic version, a digest, its stage and an audit entry.

    The semantic version is the first of: the one it has; a tag that states one; an alias such as v1-2-0; a
    description that begins with one; one derived from its number. Where several state the same, the lowest number
    has it. Stages: the aliases production, prod, champion, staging, stage, development, dev, then MLflow's older
    stages, of which the newest version counts; Archived becomes a deprecation. Other aliases become tags.

    It may be interrupted and run again at any time; a second run does nothing. Exit code 1 if a model could not be
    taken over; the others are.

    With --source, versions of another MLflow are copied first, in their order, with files, tags, descriptions and
    aliases; each copy names its origin and is made once. A dry run shows what they would be taken over as.
    """
    from hokusai import wiring

    rules = Rules(
        version_tag=version_tag,
        scheme=cast(Scheme, scheme),
        digests=not no_digests,
        deprecate_archived=not keep_archived,
        names=names,
    )
    backends = wiring.registry_backends(wiring.start_up())
    other = wiring.other_model_store(source) if source else None
    report = _taken_over(backends, other, rules, dry_run=dry_run)
    if as_json:
        show_json(report.to_dict())
    else:
        _show(report)
    ctx.exit(1 if report.refused else 0)


def _taken_over(
    backends: Backends, source: ModelStore | None, rules: Rules, *, dry_run: bool
) -> MigrationReport:
    from hokusai.core.migration import migrate as take_over
    from hokusai.core.migration_copy import copy_models, source_pointers
    from hokusai.core.stage_log import StageLog

    store = source if source is not None and dry_run else backends.store
    stages, copied, pointers = StageLog(store), None, None
    if source is not None and not dry_run:
        with counting("Copying versions") as progress:
            copied = copy_models(source, store, stages, rules.names, progress)
        pointers = source_pointers(source, store)
    with counting("Taking over versions") as progress:
        report = take_over(
            store,
            backends.ledger,
            stages,
            backends.actor,
            rules,
            dry_run=dry_run,
            progress=progress,
            pointers=pointers,
        )
    if copied is None:
        return report
    return replace(
        report,
        copied=copied.copied,
        missing={**report.missing, **copied.missing},
        refused={**report.refused, **copied.refused},
    )


def _show(report: MigrationReport) -> None:
    if report.is_dry_run:
        _show_plan(report)
    for plan in report.plans:
        for note in plan.notes:
            show_line(styled("! ", "yellow"), f"{plan.name}: {note}")
        for planned in plan.versions:
            for note in planned.notes:
                show_line(
                    styled("! ", "yellow"), f"{planned.model_id} (number {planned.record.number}): {note}"
                )
    for model_id, reason in report.missing.items():
        show_line(styled("! ", "yellow"), f"{model_id} has no digest: {reason}")
    for name, reason in report.refused.items():
        show_line(styled("✗ ", "red"), f"{name} was not taken over: {reason}")
    show_line(_summary(report))


def _show_plan(report: MigrationReport) -> None:
    rows = [
        (
            planned.record.name,
            str(planned.record.number),
            str(planned.version),
            planned.rule,
            plan.placed.get(planned.record.number, ""),
            _doing(planned.is_new, planned.needs_digest, bool(planned.tags)),
        )
        for plan in report.plans
        for planned in plan.versions
    ]
    if rows:
        show_table(("model", "number", "version", "from", "stage", "to be written"), rows)


def _doing(version: bool, digest: bool, tags: bool) -> str:
    words = [word for word, on in (("version", version), ("digest", digest), ("alias tags", tags)) if on]
    return ", ".join(words) or "nothing"


def _summary(report: MigrationReport) -> str:
    models = f"{report.versions:,} versions of {len(report.plans):,} models"
    if report.is_dry_run:
        new = sum(planned.is_new for plan in report.plans for planned in plan.versions)
        moves = sum(len(plan.moves) for plan in report.plans)
        return f"{models}: {new:,} would get a semantic version, {moves:,} a stage. Nothing was written."
    if not report.changed:
        return f"{models}: nothing was left to be done."
    missing = f", {len(report.missing):,} without files" if report.missing else ""
    copied = f"{report.copied:,} were copied, " if report.copied else ""
    return (
        f"{models}: {copied}{report.versioned:,} got a semantic version, {report.digested:,} a digest{missing}; "
        f"{report.moved:,} moves of stages and {report.entries:,} audit entries were written."
    )
