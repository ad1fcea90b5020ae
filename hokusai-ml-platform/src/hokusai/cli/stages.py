"""`hokusai promote`, `rollback`, `withdraw` and `history`: which version is in use, and how it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hokusai.cli import door
from hokusai.cli.model_display import in_stage
from hokusai.cli.options import as_stage, json_option
from hokusai.cli.output import moment, show_json, show_line, show_table, styled
from hokusai.domain.stages import Move, Stage, StageEvent
from hokusai.domain.versions import ModelId

if TYPE_CHECKING:
    from hokusai.core.versioning import ModelVersionManager, StageChange


@click.command(short_help="Put a version into a stage.")
@click.argument("reference", metavar="NAME/VERSION")
@click.option("--stage", callback=as_stage, default="production", show_default=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@click.option(
    "--expected",
    metavar="VERSION|none",
    help="refuse unless this version is in the stage now; none: unless the stage is empty",
)
@json_option
def promote(reference: str, *, stage: Stage, reason: str, expected: str | None, as_json: bool) -> None:
    """Put NAME/VERSION into development, staging or production, in place of the version that is there."""
    model = ModelId.parse(reference)
    only_if = {} if expected is None else {"expected": None if expected.lower() == "none" else expected}
    change = _versions().promote_model(model.name, str(model.version), stage, reason=reason, **only_if)
    _show_change(change, as_json=as_json)


@click.command(short_help="Go back to the version that was in a stage before.")
@click.argument("name", metavar="NAME")
@click.option(
    "--to", "to_version", metavar="VERSION", help="the version to go back to; by default the one before"
)
@click.option("--stage", callback=as_stage, default="production", show_default=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@json_option
def rollback(name: str, *, to_version: str | None, stage: Stage, reason: str, as_json: bool) -> None:
    """Put the version of NAME that was in a stage before back into it."""
    _show_change(_versions().rollback_model(name, to_version, stage, reason=reason), as_json=as_json)


@click.command(short_help="Leave a stage without a version.")
@click.argument("name", metavar="NAME")
@click.option("--stage", callback=as_stage, required=True, metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="why, for the history")
@json_option
def withdraw(name: str, *, stage: Stage, reason: str, as_json: bool) -> None:
    """Take the version of NAME that is in a stage out of it, and put none in its place."""
    _show_change(_versions().withdraw_model(name, stage, reason=reason), as_json=as_json)


@click.command(short_help="Show who moved which version where, when and why.")
@click.argument("name", metavar="NAME")
@json_option
def history(name: str, *, as_json: bool) -> None:
    """Show which versions of NAME are in use, and every move since the first, oldest first."""
    versions = _versions()
    events, board = versions.history(name), versions.stages(name)
    if as_json:
        in_use = {stage.value: board.current(stage) for stage in Stage}
        show_json({"name": name, "stages": in_use, "events": [event.to_dict() for event in events]})
        return
    for stage in reversed(Stage):
        show_line(in_stage(stage), ": ", board.current(stage) or "none")
    if not events:
        show_line(f"No version of {name} was ever moved.")
        return
    show_table(
        ("when", "who", "what", "why"),
        ((moment(event.at), event.actor, _what(event), event.reason) for event in events),
    )


def _versions() -> ModelVersionManager:
    from hokusai.core.versioning import ModelVersionManager

    return ModelVersionManager(door.registry())


def _show_change(change: StageChange, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "model_id": change.model_id,
                "stage": change.stage.value,
                "previous": change.previous,
                "changed": change.changed,
                "event": change.event.to_dict() if change.event else None,
            }
        )
        return
    if change.changed:
        before = f", in place of {change.previous}" if change.previous else ""
        show_line(styled(change.model_id, "bold"), " is in ", in_stage(change.stage), f" now{before}.")
    else:
        show_line(
            styled(change.model_id, "bold"),
            " is in ",
            in_stage(change.stage),
            " already; nothing is changed.",
        )


def _what(event: StageEvent) -> str:
    replaced = event.move is Move.PROMOTE and event.previous
    return f"{event.done}, in place of {event.previous}" if replaced else event.done
