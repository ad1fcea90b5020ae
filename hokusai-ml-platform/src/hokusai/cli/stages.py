"""`hokusai promote`, `rollback`, `withdraw` and `history`: which version is in use, and how it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hokusai.cli import door
from hokusai.cli.model_display import in_stage
from hokusai.cli.options import as_stage, json_option
from hokusai.cli.output import moment, show_json, show_line, show_table, styled
from hokusai.domain.stages import Move, Stage, StageEvent
from hokusai.domain.versions import ModelId, check_model_name

if TYPE_CHECKING:
    from hokusai.core.versioning import Expected, ModelVersionManager, StageChange

_expected_option = click.option(
    "--expected",
    metavar="VERSION|none",
    help="refuse unless this version is in the stage now; none: unless the stage is empty",
)


@click.command(short_help="Put a version into a stage.")
@click.argument("reference", metavar="NAME/VERSION")
@click.option("--stage", callback=as_stage, default="production", show_default=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@_expected_option
@json_option
def promote(reference: str, *, stage: Stage, reason: str, expected: str | None, as_json: bool) -> None:
    """Put NAME/VERSION into development, staging or production, in place of the version that is there.

    NAME@staging is the version that is in staging now.
    """
    versions = _versions()
    if "@" not in reference:
        ModelId.parse(reference)  # a bare name would be whatever is the latest at that moment
    record = versions.registry.get_model(reference)
    change = versions.promote_model(
        record.name, record.number, stage, reason=reason, expected=_expected(expected)
    )
    _show_change(change, as_json=as_json)


@click.command(short_help="Go back to the version that was in a stage before.")
@click.argument("name", metavar="NAME")
@click.option(
    "--to", "to_version", metavar="VERSION", help="the version to go back to; by default the one before"
)
@click.option("--stage", callback=as_stage, default="production", show_default=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@_expected_option
@json_option
def rollback(
    name: str, *, to_version: str | None, stage: Stage, reason: str, expected: str | None, as_json: bool
) -> None:
    """Put the version of NAME that was in a stage before back into it."""
    change = _versions().rollback_model(
        check_model_name(name), to_version, stage, reason=reason, expected=_expected(expected)
    )
    _show_change(change, as_json=as_json)


@click.command(short_help="Leave a stage without a version.")
@click.argument("name", metavar="NAME")
@click.option("--stage", callback=as_stage, required=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@json_option
def withdraw(name: str, *, stage: Stage, reason: str, as_json: bool) -> None:
    """Take the version of NAME that is in a stage out of it, and put none in its place."""
    _show_change(_versions().withdraw_model(check_model_name(name), stage, reason=reason), as_json=as_json)


@click.command(short_help="Show who moved which version where, when and why.")
@click.argument("name", metavar="NAME")
@json_option
def history(name: str, *, as_json: bool) -> None:
    """Show which versions of NAME are in use, and every move since the first, oldest first."""
    versions = _versions()
    events, in_use = versions.history(check_model_name(name)), versions.stages(name)
    if not events:
        versions.list_versions(name, include_deleted=True)  # that there is no such model is the better answer
    if as_json:
        stages = {stage.value: version for stage, version in in_use.items()}
        show_json({"name": name, "stages": stages, "events": [event.to_dict() for event in events]})
        return
    for stage in reversed(Stage):
        show_line(in_stage(stage), ": ", in_use[stage] or styled("none", "dim"))
    if events:
        click.echo()
        show_table(
            ("when", "who", "what", "why"),
            ((moment(event.at), event.actor, _what(event), event.reason) for event in events),
            folding=["what", "why"],
        )


def _versions() -> ModelVersionManager:
    from hokusai.core.versioning import ModelVersionManager

    return ModelVersionManager(door.registry())


def _show_change(change: StageChange, *, as_json: bool) -> None:
    if as_json:
        show_json(change.to_dict())
        return
    model, stage = styled(change.model_id, "bold"), in_stage(change.stage)
    if change.event is not None and change.event.move is Move.WITHDRAW:
        show_line(model, " has left ", stage, ", which is empty now.")
    elif change.changed:
        show_line(model, " is in ", stage, f", in place of {change.previous}." if change.previous else ".")
    else:
        show_line(model, " was in ", stage, " already; nothing is changed.")


def _what(event: StageEvent) -> str:
    replaced = event.move is Move.PROMOTE and event.previous
    return f"{event.done}, in place of {event.previous}" if replaced else event.done


def _expected(text: str | None) -> Expected:
    from hokusai.core.versioning import ANY

    return ANY if text is None else None if text.lower() == "none" else text
