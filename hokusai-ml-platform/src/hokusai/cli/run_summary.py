"""The closing summary of a pipeline run: DeltaOne, every metric with its uncertainty, and where everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hokusai.utils.text import printable

if TYPE_CHECKING:
    from rich.console import Console


def show_summary(result: dict[str, Any]) -> None:
    """Print the summary that the last step of a run leaves."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    low, high = result["interval"]
    colour = "green" if low > 0 else "red" if high < 0 else "yellow"
    of_units = f" of {result['n_units']:,} units" if result["n_units"] else ""
    console.print()
    console.print(
        f"DeltaOne [bold {colour}]{100 * result['delta_one']:+.2f} pp[/]  "
        f"({100 * low:+.2f} to {100 * high:+.2f} at {100 * result['confidence']:g} % confidence, "
        f"p = {result['p_value']:.2g}, {result['n_rows']:,} benchmark rows{of_units})",
        highlight=False,
        soft_wrap=True,
    )
    console.print(result["verdict"], highlight=False, markup=False, soft_wrap=True)
    if result["dry_run"]:
        console.print("[bold]Dry run:[/] mock models and base data; no evidence of an improvement.")
    _show_decision(console, result["decision"])
    console.print()
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
            f"[{shade}]{row['delta']:+z.4f}[/]",
            f"{row['low']:+z.4f} … {row['high']:+z.4f}",
            f"{row['p_value']:.2g}",
        )
    console.print(table)
    if result["positive_class"] is not None:
        text = f"Precision, recall, f1 and auroc are those of the class {result['positive_class']!r}."
        console.print(printable(text), style="dim", markup=False, highlight=False, soft_wrap=True)
    _show_credit(console, result["credit"], pays=result["decision"]["accepted"] and not result["dry_run"])
    console.print()
    for line in result["notes"]:
        console.print("[yellow]![/] ", end="")
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
    for name, value in result["places"].items():
        console.print(f"[dim]{name:<13}[/] ", end="")
        console.print(printable(value), markup=False, highlight=False, soft_wrap=True)


def _show_credit(console: Console, credit: dict[str, Any], *, pays: bool) -> None:
    """Who is credited with what: worth with its interval, and the part that is paid, or would be."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("contributor", "rows", "worth", "interval", "paid" if pays else "would be paid", ""):
        justify: Literal["left", "right"] = "left" if name in ("contributor", "") else "right"
        table.add_column(name, justify=justify, no_wrap=bool(name), overflow="fold")
    for one in credit["contributors"]:
        interval = one["interval"]
        table.add_row(
            Text(printable(one["contributor_id"])),
            f"{one['rows']:,}",
            f"{100 * one['value']:+.2f} pp",
            f"{100 * interval[0]:+.2f} … {100 * interval[1]:+.2f}" if interval else "-",
            f"[green]{one['weight_bps'] / 100:.2f} %[/]" if one["weight_bps"] else "[dim]-[/]",
            Text(one["unpaid"] or ("" if one["payable"] else "no address to pay to"), "dim"),
        )
    console.print()
    console.print(table)
    method = credit["method"].replace("_", " ")
    told = f"Credit by {method}, {credit['seeds']} seed{'s' * (credit['seeds'] > 1)} each. "
    if credit["sampling_error"] is not None:
        told += (
            f"{credit['evaluations']:,} groups of contributors were trained for, in sampled orders; sampling leaves a "
            f"standard error of up to {100 * credit['sampling_error']:.2f} pp in a value. "
        )
    told += credit["note"]
    if not pays:
        told = f"Nothing is paid. {told}"
    console.print(told.strip(), style="dim", markup=False, highlight=False, soft_wrap=True)


def _show_decision(console: Console, decision: dict[str, Any]) -> None:
    """Whether the improvement counts, and every reason against it."""
    mark = "[bold green]Accepted.[/]" if decision["accepted"] else "[bold red]Rejected.[/]"
    console.print()
    for i, reason in enumerate(decision["reasons"]):
        console.print(mark if i == 0 else "[bold red]Also:[/]", end=" ")
        console.print(f"{printable(reason['detail'])}.", markup=False, highlight=False, soft_wrap=True)
    for one in decision["guardrails"]:
        console.print("[red]✗[/]" if one["breached"] else "[green]✓[/]", end=" ")
        console.print(f"guardrail {printable(one['reason'])}", markup=False, highlight=False, soft_wrap=True)
