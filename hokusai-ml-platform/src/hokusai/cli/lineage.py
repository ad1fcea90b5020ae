"""`hokusai lineage`: where a model comes from, as a tree in the terminal, as text for documents, or as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hokusai.errors import InvalidInputError
from hokusai.utils.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from hokusai.domain.lineage import Lineage
    from hokusai.domain.lineage_text import Row

_FORMATS = ("tree", "mermaid", "json", "png", "svg")
_PICTURES = ("png", "svg")
_ENDINGS = {
    ".txt": "tree",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".json": "json",
    ".png": "png",
    ".svg": "svg",
}
_MARKS = {
    "production": "bold green",
    "staging": "bold yellow",
    "development": "bold blue",
    "missing": "red",
    "unreadable": "red",
}
_VERDICTS = ("dim", "green", "red")


@click.command(short_help="Show which version was made from which, and by whose data.")
@click.argument("reference", metavar="NAME_OR_ID")
@click.option(
    "--format",
    "wanted",
    type=click.Choice(_FORMATS),
    help="tree by default, or what the ending of the output file says",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="write here instead of to the terminal; needed for png and svg",
)
@click.option("--metric", metavar="METRIC", help="the metric whose course a picture shows")
@click.option("--json", "as_json", is_flag=True, help="the same as --format json")
def lineage(
    reference: str, *, wanted: str | None, output: Path | None, metric: str | None, as_json: bool
) -> None:
    """Show the lineage of a model, by its name or by the id of a version.

    Each line is a version; the main line runs straight down, and side branches stand to the right of it. Behind
    each metric is its change since the parent: green is better, red is worse.
    """
    from hokusai.cli import door

    kind = _kind(wanted, output, as_json=as_json)
    show(door.registry().get_model_lineage(reference), kind, output, metric)


def show(found: Lineage, kind: str, output: Path | None = None, metric: str | None = None) -> None:
    """Print a lineage, or write it to a file.

    Args:
        found: What to show.
        kind: `tree`, `mermaid`, `json`, `png` or `svg`.
        output: The file; standard output if there is none.
        metric: The metric whose course a picture shows.

    Raises:
        InvalidInputError: A picture needs a file; or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    from hokusai.utils.files import write_atomically

    if kind in _PICTURES:
        from hokusai.tracking.plots import render_lineage

        if output is None:
            raise InvalidInputError(
                "A picture is not written to the terminal",
                where=f"--format {kind}",
                hint=f"Name a file: --output lineage.{kind}",
            )
        write_atomically(output, render_lineage(found, kind, metric))
    elif output is not None:
        write_atomically(output, f"{_as_text(found, kind)}\n".encode())
    elif kind != "tree" or not _print_tree(found):
        click.echo(_as_text(found, kind))
    if output is not None:
        click.echo(f"Written: {one_line(str(output))}", err=True)


def _kind(wanted: str | None, output: Path | None, *, as_json: bool) -> str:
    if as_json and wanted not in (None, "json"):
        raise click.UsageError(f"--json and --format {wanted} contradict each other.")
    if as_json:
        return "json"
    if wanted or output is None:
        return wanted or "tree"
    if output.suffix.lower() not in _ENDINGS:
        raise click.UsageError(
            f"The ending of {one_line(str(output))} is none of {', '.join(_ENDINGS)}. Say what to write: --format"
        )
    return _ENDINGS[output.suffix.lower()]


def _as_text(found: Lineage, kind: str) -> str:
    if kind == "json":
        # ASCII only: a terminal obeys some characters that JSON need not escape.
        return json.dumps(found.to_dict(), indent=2, allow_nan=False)
    if kind == "mermaid":
        return found.to_mermaid()
    return "\n".join([found.to_text(), "", *_sums(found)]).rstrip()


def _print_tree(found: Lineage) -> bool:
    """Print the tree in colour; False where nobody is there to see it."""
    from rich.console import Console
    from rich.text import Text

    from hokusai.domain.lineage_text import notes, rows

    console = Console(highlight=False)
    if not console.is_terminal:
        return False
    for place, row in enumerate(rows(found)):
        if row.starts and place:
            console.print()
        console.print(_line(row), soft_wrap=True)
    remarks = notes(found)
    for group, style in ((remarks, "yellow"), (_sums(found), "")):
        if group:
            console.print()
        for sentence in group:
            console.print(Text(sentence, style), soft_wrap=True)
    return True


def _line(row: Row) -> Text:
    """One version in colour. Everything from a record goes in as text: rich would read brackets as markup."""
    from rich.text import Text

    from hokusai.domain.lineage_text import readings, short_contributor

    node = row.node
    gone = node.missing or node.deleted
    line = Text.assemble((row.lead, "dim"), " ", (one_line(node.model_id), "dim" if gone else "bold"))
    for mark in node.marks:
        line.append(f"  {mark}", _MARKS.get(mark, "dim"))
    for reading in readings(node, row.edge):
        line.append(f"  {one_line(reading.value_text)}")
        if reading.delta is not None:
            line.append(f" {reading.delta_text}", _VERDICTS[reading.verdict])
    if node.contributor:
        line.append(f"  by {one_line(short_contributor(node.contributor))}", "cyan")
    return line


def _sums(found: Lineage) -> list[str]:
    """What the lineage adds up to, and what each contributor's data did."""
    lines: list[str] = []
    gains = found.improvement_to()
    if found.latest is not None and gains:
        first = found.path_to(found.latest.model_id)[0]
        told = ", ".join(f"{gain.metric} {gain.delta:+.4g}" for gain in gains.values())
        lines.append(f"From {first.model_id} to {found.latest.model_id}: {told}")
    for impact in found.contributors:
        told = ", ".join(f"{gain.metric} {gain.delta:+.4g}" for gain in impact.gains.values())
        count = len(impact.versions)
        made = f"{count} version{'' if count == 1 else 's'}, {impact.improvements} better than the parent"
        lines.append(f"{impact.contributor}: {made}{f': {told}' if told else ''}")
    return [one_line(line) for line in lines]
