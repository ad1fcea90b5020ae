"""`hokusai benchmark`: what models are measured on, as records that never change, with every use counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli import benchmark_settle
from hokusai.cli.options import as_numbers, json_option
from hokusai.cli.output import moment, show_facts, show_json, show_line, show_table, styled
from hokusai.domain.benchmark import Benchmark, UsePurpose
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Scale, Task, metric_spec
from hokusai.errors import InvalidInputError

if TYPE_CHECKING:
    from hokusai.core.benchmarks import Benchmarks

_SHORT = 12


@click.group()
def benchmark() -> None:
    """Benchmarks: add them, and see what they are and how often they were used."""


benchmark.add_command(benchmark_settle.settle)


def as_fraction(ctx: click.Context, param: click.Parameter, value: str | None) -> Fraction | None:
    """Percentage points as typed, as the exact fraction that they are."""
    number = _fraction(value or "")
    if number is None and value is not None:
        raise click.BadParameter(f"{value!r} is no number, as in 0.5.", ctx, param)
    return None if number is None else number / 100


def as_guardrails(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[Guardrail, ...]:
    """Guardrails of the form METRIC=MARGIN."""
    return tuple(_guardrail(ctx, param, text) for text in value)


@benchmark.command(short_help="Add a benchmark from its files.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--target", required=True, metavar="COLUMN", help="the column that is predicted")
@click.option(
    "--unit-column",
    metavar="COLUMN",
    help="the column by which rows belong together, such as a user: errors are between its units",
)
@click.option("--metric", metavar="METRIC", help="the metric to pay on (default: accuracy or rmse)")
@click.option("--name", metavar="NAME", help="what to call it (default: the file's name)")
@click.option(
    "--task", type=click.Choice([task.value for task in Task]), help="default: what the target asks for"
)
@click.option(
    "--split",
    default="test",
    show_default=True,
    metavar="SPLIT",
    help="which part of the data it is; a vault is opened once, to pay on",
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    callback=as_numbers,
    metavar="METRIC=WEIGHT",
    help="in DeltaOne; default: equal",
)
@click.option(
    "--min-rows", type=click.IntRange(1), default=800, show_default=True, help="rows that it must have"
)
@click.option(
    "--threshold",
    callback=as_fraction,
    default="1",
    show_default=True,
    metavar="POINTS",
    help="least gain that counts, in percentage points",
)
@click.option(
    "--alpha",
    type=float,
    default=0.05,
    show_default=True,
    help="one-sided level at which a gain must be above zero",
)
@click.option(
    "--guardrail",
    "guardrails",
    multiple=True,
    callback=as_guardrails,
    metavar="METRIC=MARGIN",
    help="what may get worse by no more than MARGIN: recall=0.01, recall[region=EU]=0.02, latency_ms=10%; "
    "+score=0.1 where higher is better, -score=0.1 where lower is",
)
@click.option(
    "--discordance",
    type=float,
    default=0.04,
    show_default=True,
    help="share of rows that two models answer differently, as a guess (regression: variance of a row's part in it)",
)
@click.option("--labels-root", metavar="HEX", help="the owner's commitment to the labels")
@click.option("--labels-secret", is_flag=True, help="the labels are kept from those who contribute")
@json_option
def add(
    *,
    files: tuple[Path, ...],
    target: str,
    unit_column: str | None,
    metric: str | None,
    name: str | None,
    task: str | None,
    split: str,
    weights: dict[str, float],
    min_rows: int,
    threshold: Fraction,
    alpha: float,
    guardrails: tuple[Guardrail, ...],
    discordance: float,
    labels_root: str | None,
    labels_secret: bool,
    as_json: bool,
) -> None:
    """Make a record of a benchmark before any contribution comes, and keep it.

    What a record says never changes; a changed benchmark is another one, also under the same name.
    """
    from hokusai.pipeline.benchmark_record import benchmark_of_files

    made = _benchmarks().add(
        benchmark_of_files(
            files,
            name=name or files[0].name.partition(".")[0],
            target_column=target,
            unit_column=unit_column,
            task=Task(task) if task else None,
            primary_metric=metric,
            weights=weights,
            rule=AcceptanceRule(min_rows, threshold, alpha, guardrails),
            split=split,
            discordance=discordance,
            labels_root=labels_root,
            labels_secret=labels_secret,
        )
    )
    if as_json:
        show_json({**made.to_dict(), "sha256": made.sha256})
        return
    show_line(styled("✓", "green"), f" {made.name}: {made.sha256}")
    for line in _power(made):
        show_line(f"  {line}")


@benchmark.command("list", short_help="List benchmarks, the newest first.")
@click.option("--name", metavar="NAME", help="only those of this name")
@json_option
def list_(*, name: str | None, as_json: bool) -> None:
    """List benchmarks with the least gain that each finds, and how often it was used."""
    benchmarks = _benchmarks()
    found = [(one, _counts(benchmarks, one)) for one in benchmarks.find(name)]
    if as_json:
        show_json([{**one.to_dict(), "sha256": one.sha256, "uses": counts} for one, counts in found])
    elif not found:
        show_line("There is no such benchmark." if name else "There are no benchmarks yet.")
    else:
        show_table(
            ("Name", "Identity", "Metric", "Rows", "Split", "Finds", "Submissions", "Spent"),
            (
                (
                    one.name,
                    one.sha256[:_SHORT],
                    one.primary_metric,
                    f"{one.n_rows:,}",
                    one.split,
                    f"{one.minimum_detectable_delta * 100:.2f} pp",
                    f"{counts['submission']:,}",
                    "yes" if counts["payment"] else "",
                )
                for one, counts in found
            ),
        )


@benchmark.command(short_help="Show what a benchmark is.")
@click.argument("ref", metavar="NAME|IDENTITY")
@json_option
def show(*, ref: str, as_json: bool) -> None:
    """Show a benchmark, the rule by which improvements on it count, and what its size can find."""
    benchmarks = _benchmarks()
    found = benchmarks.get(ref)
    counts = _counts(benchmarks, found)
    if as_json:
        show_json({**found.to_dict(), "sha256": found.sha256, "uses": counts})
        return
    rule = found.rule
    show_facts(
        {
            "Name": found.name,
            "Identity": found.sha256,
            "Data": f"{found.data_sha256}, {found.n_rows:,} rows, split {found.split}",
            "Predicts": f"{found.target_column} ({found.task.value})",
            **({"Units": f"errors are between those of {found.unit_column}"} if found.unit_column else {}),
            "Paid on": f"{found.primary_metric}, {'higher' if found.higher_is_better else 'lower'} is better",
            "DeltaOne": ", ".join(f"{weight} {name}" for name, weight in found.weights.items())
            or "equal weights",
            "Counts if": f"at least {float(rule.threshold) * 100:g} percentage points on at least {rule.min_rows:,} "
            f"rows, one-sided p below {rule.alpha:g}",
            "Guardrails": "\n".join(map(_said, rule.guardrails)),
            "Labels": _labels(found),
            "Used": ", ".join(f"{purpose} {n:,}" for purpose, n in counts.items() if n) or "never",
            "Finds": "\n".join(_power(found)),
        }
    )


@benchmark.command(short_help="List who used a benchmark, and for what.")
@click.argument("ref", metavar="NAME|IDENTITY")
@click.option("--purpose", type=click.Choice([one.value for one in UsePurpose]), help="only uses for this")
@click.option("--submitter", metavar="ID", help="only uses on behalf of this contributor, in any case")
@json_option
def uses(*, ref: str, purpose: str | None, submitter: str | None, as_json: bool) -> None:
    """List the uses of a benchmark, in the order in which they were counted."""
    benchmarks = _benchmarks()
    found = benchmarks.uses(ref, purpose=UsePurpose(purpose) if purpose else None, submitter=submitter)
    when = _moments(benchmarks.get(ref))
    if as_json:
        show_json([{**use.to_dict(), "at": when.get((use.purpose.value, use.subject))} for use in found])
    elif not found:
        show_line("It has no such use." if purpose or submitter else "It was never used.")
    else:
        show_table(
            ("#", "Purpose", "When", "Submitter", "Subject"),
            (
                (
                    str(use.number),
                    use.purpose.value,
                    when.get((use.purpose.value, use.subject), ""),
                    use.submitter,
                    use.subject,
                )
                for use in found
            ),
        )


def _benchmarks() -> Benchmarks:
    from hokusai import wiring
    from hokusai.core.benchmarks import Benchmarks

    settings = wiring.start_up()
    return Benchmarks(wiring.ledger(settings), wiring.actor(settings))


def _guardrail(ctx: click.Context, param: click.Parameter, text: str) -> Guardrail:
    try:
        return Guardrail.parse(text)
    except InvalidInputError as problem:
        raise click.BadParameter(f"{problem.what}. {problem.hint}", ctx, param) from problem


def _fraction(text: str) -> Fraction | None:
    """A number as typed, exactly."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _counts(benchmarks: Benchmarks, one: Benchmark) -> dict[str, int]:
    counted = Counter(use.purpose for use in benchmarks.uses(one.sha256))
    return {purpose.value: counted[purpose] for purpose in UsePurpose}


def _moments(one: Benchmark) -> dict[tuple[str, str], str]:
    """(purpose, subject) to the time at which the audit trail says that it was counted."""
    from hokusai import wiring

    trail = wiring.ledger(wiring.start_up()).events(kind="benchmark.used", subject=one.sha256)
    return {
        (event.happening.details["purpose"], event.happening.details["subject"]): moment(event.at)
        for event in trail
    }


def _power(one: Benchmark) -> Iterable[str]:
    """What the benchmark's size can find, in sentences."""
    from hokusai.stats.power import required_rows

    unit = (
        "percentage points"
        if metric_spec(one.primary_metric).scale is Scale.SHARE
        else f"percent of the baseline's {one.primary_metric}"
    )
    condition = (
        f"the models answer {one.discordance * 100:g} % of the rows differently"
        if one.task is Task.CLASSIFICATION
        else f"a row's part in it has a standard deviation of {math.sqrt(one.discordance) * 100:.3g} %"
    )
    if one.unit_column is not None:
        condition += f", and those of one {one.unit_column} all alike"
    found = one.minimum_detectable_delta * 100
    yield f"A true gain of {found:.2f} {unit} is found 4 times out of 5, if {condition}."
    wanted = float(one.rule.threshold)
    if 0 < wanted <= one.discordance and one.unit_column is None:
        rows = required_rows(wanted, one.discordance, alpha=one.rule.alpha)
        yield (
            f"A true gain of {wanted * 100:g}, the threshold, takes {rows:,} rows to be found as often; "
            f"there are {one.n_rows:,}."
        )
    if one.n_rows < one.rule.min_rows:
        yield f"With fewer than {one.rule.min_rows:,} rows, nothing on it counts."


def _said(guardrail: Guardrail) -> str:
    margin = f"{guardrail.margin * 100:g} %" if guardrail.relative else f"{guardrail.margin:g}"
    direction = "higher" if guardrail.direction > 0 else "lower"
    return f"{guardrail.name} ({direction} is better) may get worse by {margin}"


def _labels(one: Benchmark) -> str:
    told: list[Any] = ["secret" if one.labels_secret else "", one.labels_root and f"root {one.labels_root}"]
    return ", ".join(filter(None, told))
