"""A benchmark's record from its files, with the digest and the rows by which the pipeline knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from hokusai.domain.benchmark import Benchmark
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.metrics import Task
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.data.tables import read_tables, stack_tables
from hokusai.pipeline.integration import labelled, require_classes, unit_numbers
from hokusai.pipeline.quality import source_digest
from hokusai.pipeline.task import infer_task
from hokusai.stats.composite import parse_weights, task_metric
from hokusai.stats.paired import DEFAULT_PRIMARY
from hokusai.stats.power import minimum_detectable_delta

DISCORDANCE = 0.04
"""The share of rows that two models are taken to answer differently, where nobody says otherwise."""


def benchmark_of_files(
    paths: Sequence[Path],
    *,
    name: str,
    target_column: str,
    task: Task | None = None,
    primary_metric: str | None = None,
    weights: Mapping[str, float | Fraction] | None = None,
    rule: AcceptanceRule | None = None,
    split: str = "test",
    discordance: float = DISCORDANCE,
    labels_root: str | None = None,
    labels_secret: bool = False,
    unit_column: str | None = None,
) -> Benchmark:
    """Read a benchmark's files and say what they are.

    Args:
        paths: Its files; several are one benchmark, in this order.
        name: For people.
        target_column: Which column is predicted; rows without a value there do not count.
        task: What is predicted; by default what the target's values ask for.
        primary_metric: The metric to pay on; by default the one that a run takes.
        weights: Of the metrics in DeltaOne; equal by default.
        rule: When an improvement counts.
        split: Which part of a dataset it is; a "vault" is opened once, to pay on.
        discordance: Share of the rows that two models are taken to answer differently.
        labels_root: The owner's commitment to the labels, hex.
        labels_secret: Whether the labels are kept from those who contribute.
        unit_column: The column by which rows belong together. What the benchmark can find is worked out for as many
            rows as there are units then, as if those of one unit all said the same: the worst case.

    Raises:
        DataError: A file cannot be read.
        SchemaError: There is no such target, or it cannot be predicted.
        MetricError: A metric that is unknown, or of the other task.
        InvalidInputError: Numbers that fit no benchmark.
    """
    tables = read_tables(paths)
    frame = stack_tables(tables)
    require_columns(frame.columns, [target_column], ", ".join(table.name for table in tables))
    rows, _ = labelled(frame, target_column)
    task = task or infer_task(rows[target_column])
    if task is Task.CLASSIFICATION:
        require_classes(rows, target_column, name)
    n_independent = rows.height
    if unit_column is not None:
        require_columns(frame.columns, [unit_column], ", ".join(table.name for table in tables))
        n_independent = int(unit_numbers(rows[unit_column], name).max()) + 1
    rule = rule or AcceptanceRule()
    return Benchmark(
        name=name,
        data_sha256=source_digest(tables),
        task=task,
        target_column=target_column,
        n_rows=rows.height,
        primary_metric=task_metric(primary_metric, task).name if primary_metric else DEFAULT_PRIMARY[task],
        minimum_detectable_delta=minimum_detectable_delta(n_independent, discordance, alpha=rule.alpha),
        discordance=discordance,
        split=split,
        weights=parse_weights(weights, task) if weights else {},
        rule=rule,
        labels_root=labels_root,
        labels_secret=labels_secret,
        unit_column=unit_column,
    )
