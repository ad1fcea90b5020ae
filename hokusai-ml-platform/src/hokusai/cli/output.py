"""What commands print: one JSON document for machines, or text and tables for people.

What is shown comes from stores that others write to, so no character of it may steer the terminal, and none of it is
read as rich's markup. A table that is piped is never cut to the width of a terminal that is not there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from hokusai.utils.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_PIPED_WIDTH = 100_000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def show_json(value: object) -> None:
    """Print one JSON document; a character that a terminal could obey is written as its escape.

    NaN and infinities, which are no JSON, become null.
    """
    text = json.dumps(_json_value(value), indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(
        "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    )


def console(*, stderr: bool = False) -> Console:
    """Standard output for people: colour on a terminal only, full lines elsewhere."""
    from rich.console import Console

    out = Console(highlight=False, stderr=stderr)
    return out if out.is_terminal else Console(highlight=False, stderr=stderr, width=_PIPED_WIDTH)


def show_table(
    columns: Iterable[str], rows: Iterable[Iterable[str | Text]], *, folding: Collection[str] = ()
) -> None:
    """Print rows under the names of their columns; below each other where the terminal is too narrow for a table.

    Args:
        columns: Their names.
        rows: A cell for each column.
        folding: The columns that may take several lines.
    """
    from rich.table import Table

    names, cells = list(columns), [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name not in folding)
    for row in cells:
        table.add_row(*(_text(cell, one_line=True) for cell in row))
    out = console()
    if out.measure(table, options=out.options.update(width=_PIPED_WIDTH)).minimum <= out.width:
        _show(table)
        return
    for row in cells:
        show_facts(dict(zip(names, row, strict=True)))
        click.echo()


def show_facts(facts: Mapping[str, str | Text]) -> None:
    """Print names and values below each other; a fact without a value is left out."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            table.add_row(_text(name), _text(value))
    _show(table)


def show_line(*parts: str | Text, stderr: bool = False) -> None:
    """Print one line made of texts; it is not broken."""
    from rich.text import Text

    console(stderr=stderr).print(Text.assemble(*map(_text, parts)), soft_wrap=True)


def styled(text: str, style: str) -> Text:
    """`text` in a style, for a cell."""
    from rich.text import Text

    return Text(printable(text), style)


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago something was, for people; its date where that is a month and more.

    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> ago(noon, noon.replace(minute=59)), ago(noon, noon.replace(day=4)), ago(noon, noon.replace(month=5))
    ('59 min ago', '3 d ago', '2026-03-01')
    """
    seconds = int(((now or datetime.now(UTC)) - at).total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h ago"
    return f"{seconds // _DAY} d ago" if seconds < 30 * _DAY else f"{at:%Y-%m-%d}"


def moment(at: datetime) -> str:
    """A time to the second, UTC, as in 2026-03-01 12:00:00 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def shortened(text: str, length: int = 20) -> str:
    """A wallet address or other long id by its two ends.

    >>> shortened("0x742d35cc6634c0532925a3b844bc9e7595f62341")
    '0x742d…2341'
    """
    return text if len(text) <= length else f"{text[:6]}…{text[-4:]}"


def size(n_bytes: int) -> str:
    """A number of bytes for people.

    >>> size(999), size(1500), size(2_000_000)
    ('999 B', '1.5 kB', '2.0 MB')
    """
    amount = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{n_bytes} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def pairs(values: Mapping[str, Any]) -> str:
    """A mapping as `name=value, …`, JSON for what is neither text nor number.

    >>> pairs({"C": 1.0, "solver": "lbfgs", "l1_ratio": None})
    'C=1.0, solver=lbfgs, l1_ratio=null'
    """
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )


def _json_value(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(table: Table) -> None:
    out = console()
    with out.capture() as captured:
        out.print(table)
    # The blanks that make its last column as wide as the widest line are of no use to anybody.
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=True)


def _text(value: str | Text, *, one_line: bool = False) -> Text:
    from rich.text import Text

    if isinstance(value, Text):
        return value
    return Text(printable(value).replace("\n", " ") if one_line else printable(value))
