"""The closing summary of a pipeline run: DeltaOne, every metric with its uncertainty, and where everything is."""

from __future__ import annotations

from typing import Any

from hokusai.utils.text import printable


def show_summary(result: dict[str, Any]) -> None:
    """Print the summary that the last step of a run leaves."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    low, high = result["interval"]
    colour = "green" if low > 0 else "red" if high < 0 else "yellow"
    console.print()
    console.print(
        f"DeltaOne [bold {colour}]{100 * result['delta_one']:+.2f} pp[/]  "
        f"({100 * low:+.2f} to {100 * high:+.2f} at {100 * result['confidence']:g} % confidence, "
        f"p = {result['p_value']:.2g}, {result['n_rows']:,} benchmark rows)",
        highlight=False,
        soft_wrap=True,
    )
    console.print(result["verdict"], highlight=False, markup=False, soft_wrap=True)
    if result["dry_run"]:
        console.print("[bold]Dry run:[/] mock models and base data; no evidence of an improvement.")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("metric", "baseline", "new", "change", "interval", "p"):
        table.add_column(name, justify="left" if name == "metric" else "right", no_wrap=True)
    for row in result["metrics"]:
        beyond_noise = row["low"] * row["high"] > 0
        shade = "dim" if not beyond_noise else "green" if row["gain"] > 0 else "red"
        table.add_row(
            row["name"],
            f"{row['baseline']:.4f}",
            f"{row['new']:.4f}",
            f"[{shade}]{row['delta']:+.4f}[/]",
            f"{row['low']:+.4f} … {row['high']:+.4f}",
            f"{row['p_value']:.2g}",
        )
    console.print(table)
    if result["positive_class"] is not None:
        text = f"Precision, recall, f1 and auroc are those of the class {result['positive_class']!r}."
        console.print(printable(text), style="dim", markup=False, highlight=False, soft_wrap=True)
    for line in result["notes"]:
        console.print("[yellow]![/] ", end="")
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
    for name, value in result["places"].items():
        console.print(f"[dim]{name:<13}[/] ", end="")
        console.print(printable(value), markup=False, highlight=False, soft_wrap=True)
