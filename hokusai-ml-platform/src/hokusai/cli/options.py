"""Options that several commands have, read into what they mean; one that cannot be read is a wrong command line."""

from __future__ import annotations

import math

import click

from hokusai.domain.stages import Stage
from hokusai.errors import InvalidInputError

json_option = click.option("--json", "as_json", is_flag=True, help="print one JSON document")


def as_stage(ctx: click.Context, param: click.Parameter, value: str | None) -> Stage | None:
    """The stage that was typed, by its name or short name."""
    try:
        return None if value is None else Stage.parse(value)
    except InvalidInputError as problem:
        raise click.BadParameter(f"{problem.what}. {problem.hint}", ctx, param) from problem


def as_texts(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """Texts of the form `name=value`, by name; the value may hold more equals signs."""
    given: dict[str, str] = {}
    for text in value:
        name, equals, content = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not of the form name=value.", ctx, param)
        if name.strip() in given:
            raise click.BadParameter(f"{name.strip()!r} is given twice.", ctx, param)
        given[name.strip()] = content
    return given


def as_numbers(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, float]:
    """Texts of the form `name=number`, by name."""
    return {name: _number(ctx, param, name, text) for name, text in as_texts(ctx, param, value).items()}


def _number(ctx: click.Context, param: click.Parameter, name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise click.BadParameter(
            f"{name} is {text!r}, and a finite number was expected, as in accuracy=0.92.", ctx, param
        )
    return number
