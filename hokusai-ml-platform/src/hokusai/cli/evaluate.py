"""`hokusai evaluate`: measure a model on labelled rows, alone or against the one that it is to replace."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import click

from hokusai.cli import door
from hokusai.cli.benchmark import as_fraction, as_guardrails
from hokusai.cli.options import json_option
from hokusai.cli.output import show_json
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Task


@click.command(short_help="Measure a model on labelled rows.")
@click.argument("model", metavar="MODEL")
@click.option(
    "--data", "files", multiple=True, required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="labelled rows: CSV, Parquet, JSON, …; several are read as one",
)  # fmt: skip
@click.option("--target", required=True, metavar="COLUMN", help="the column that is predicted")
@click.option("--baseline", metavar="MODEL", help="compare with this model, and decide")
@click.option(
    "--slice", "slices", multiple=True, metavar="COLUMN",
    help="show each value of this column by itself; default: all columns with few values, numbers by quarters",
)  # fmt: skip
@click.option(
    "--guardrail", "guardrails", multiple=True, callback=as_guardrails, metavar="METRIC=MARGIN",
    help="what may get worse by no more than MARGIN: recall=0.01, recall[region=EU]=0.02, latency_ms=10%, "
    "size_bytes=1000000, brier=0.01",
)  # fmt: skip
@click.option(
    "--feature", "features", multiple=True, metavar="COLUMN",
    help="a column to predict from, in the model's order, if it does not know them by name",
)  # fmt: skip
@click.option(
    "--unit-column",
    "--units",
    "units",
    metavar="COLUMN",
    help="rows of one unit, such as a user, are not independent",
)
@click.option(
    "--task", type=click.Choice([one.value for one in Task]), help="default: what the target asks for"
)
@click.option("--metric", "primary", metavar="METRIC", help="that decides (default: accuracy or rmse)")
@click.option(
    "--min-rows", type=click.IntRange(1), default=800, show_default=True, help="rows that must be there"
)
@click.option(
    "--threshold", callback=as_fraction, default="1", show_default=True, metavar="POINTS",
    help="least gain that counts, in percentage points",
)  # fmt: skip
@click.option("--alpha", type=float, default=0.05, show_default=True, help="one-sided level")
@click.option("--latency/--no-latency", default=True, help="take the time, or do not")
@click.option(
    "--trust", is_flag=True, help="load models even if that runs code that their authors put into them"
)
@click.option(
    "--plots", type=click.Path(path_type=Path), metavar="FILE", help="draw a page: .html, .png or .svg"
)
@click.option("--gate", is_flag=True, help="exit with 1 if the improvement does not count")
@json_option
def evaluate(
    model: str,
    *,
    files: Sequence[Path],
    target: str,
    baseline: str | None,
    slices: Sequence[str],
    guardrails: tuple[Guardrail, ...],
    features: Sequence[str],
    units: str | None,
    task: str | None,
    primary: str | None,
    min_rows: int,
    threshold: Fraction,
    alpha: float,
    latency: bool,
    trust: bool,
    plots: Path | None,
    gate: bool,
    as_json: bool,
) -> None:
    """Measure MODEL on labelled rows: metrics with intervals, confusion, calibration, slices, time and size.

    MODEL is name/1.2.0, name@production, a URI (models:/…, runs:/…), or a model file. With --baseline both models
    answer the same rows, and the improvement is decided on.
    """
    from hokusai.cli.evaluate_display import show_comparison, show_evaluation
    from hokusai.pipeline.evaluator import ModelEvaluator
    from hokusai.pipeline.evaluator_plots import check_path, draw_report

    if baseline is None and (guardrails or gate):
        raise click.UsageError("--guardrail and --gate need a --baseline to compare with.")
    if plots is not None:
        check_path(plots)
    rule = AcceptanceRule(min_rows=min_rows, threshold=threshold, alpha=alpha, guardrails=guardrails)
    evaluator = ModelEvaluator(registry=door.registry, trust=trust)
    chosen = slices or "auto"
    wanted, kind = features or None, Task(task) if task else None
    counts = True
    if baseline is None:
        alone = evaluator.evaluate(
            model, files, target, slices=chosen, features=wanted, units=units, task=kind, primary=primary,
            latency=latency,
        )  # fmt: skip
        told = alone.to_dict()
        if plots is not None:
            draw_report(alone, plots)
        if not as_json:
            show_evaluation(alone)
    else:
        compared = evaluator.compare(
            baseline, model, files, target, rule=rule, slices=chosen, features=wanted, units=units, task=kind,
            primary=primary, latency=latency,
        )  # fmt: skip
        told, counts = compared.to_dict(), compared.decision.accepted
        if plots is not None:
            draw_report(compared, plots)
        if not as_json:
            show_comparison(compared)
    if as_json:
        show_json(told)
    if gate and not counts:
        raise SystemExit(1)
