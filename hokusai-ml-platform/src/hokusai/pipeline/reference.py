"""What stands before the contribution comes in: base data, benchmark, and the facts that all steps go by.

The facts are settled once, at the start, from all files of the run together: the type of each column, the task, the
features, the digest of every file. Later steps read a file again when they need its rows, and hold it to its digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.domain.metrics import Task
from hokusai.domain.seeds import derive_seed
from hokusai.errors import IntegrityError, SchemaError
from hokusai.pipeline.benchmark import frame_bytes, frame_sha256, stratified_holdout
from hokusai.pipeline.data.columns import features_of, require_columns, selected
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.data.reconcile import Source, common_types, conform, kind_of
from hokusai.pipeline.data.tables import read_tables, stack_tables
from hokusai.pipeline.dry_run import mock_base_frame, mock_benchmark
from hokusai.pipeline.integration import (
    BASE_NAME,
    BENCHMARK_NAME,
    labelled,
    require_classes,
    require_known_classes,
    unit_numbers,
    without_benchmark_rows,
)
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.quality import source_digest
from hokusai.pipeline.task import ColumnKinds, column_kinds, find_id_column, infer_task

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

HOLDOUT_SHARE = 0.25


@dataclass(frozen=True)
class Facts:
    """What all steps of a run go by.

    Attributes:
        task: What is predicted.
        features: Columns to predict from, in order.
        kinds: The same by how a model takes them in.
        has_gaps: Whether a number is missing in the base data or the benchmark.
        types: Column to its type in every frame.
        id_column: The column that identifies rows, if there is one.
        digests: Input file to the SHA-256 of its bytes.
        base_rows: Labelled rows of base data that are trained on.
        base_sha256: Digest of the base data; None if there is none.
        benchmark_rows: Labelled rows that are measured on.
        benchmark_sha256: Digest of the benchmark: of the file, or of `frame_bytes` where it is no file.
        benchmark_source: What the benchmark is, in words.
        benchmark_is_file: Whether the benchmark was given as files.
        warnings: What a reader has to know.
    """

    task: Task
    features: tuple[str, ...]
    kinds: ColumnKinds
    has_gaps: bool
    types: Mapping[str, pl.DataType]
    id_column: str | None
    digests: Mapping[Path, str]
    base_rows: int
    base_sha256: str | None
    benchmark_rows: int
    benchmark_sha256: str
    benchmark_source: str
    benchmark_is_file: bool
    warnings: tuple[str, ...]

    def benchmark_dict(self) -> dict[str, Any]:
        """The benchmark as the DeltaOne JSON describes it."""
        return {
            "size": self.benchmark_rows,
            "features": list(self.features),
            "type": self.task.value,
            "source": self.benchmark_source,
            "sha256": self.benchmark_sha256,
        }


@dataclass(frozen=True)
class Reference:
    """The frames of one step: labelled rows, the columns of `Facts.types`; `base` has no rows without base data.

    `units` is the number of each benchmark row's unit, (n_rows,); None where each row is on its own.
    """

    facts: Facts
    base: pl.DataFrame
    benchmark: pl.DataFrame
    units: NDArray[np.int64] | None = None


def survey(plan: RunPlan) -> Facts:
    """Read every input file once, check that they fit together, and settle the facts.

    Raises:
        DataError: A file cannot be read.
        SchemaError: Columns are missing or do not fit, or the target cannot be predicted.
    """
    import polars as pl

    contributed = read_tables(plan.contributed_files)
    for table in contributed:
        require_columns(table.frame.columns, [plan.target_column], table.name)
    base_tables, benchmark_tables = read_tables(plan.base_files), read_tables(plan.benchmark_files)
    base = _base_frame(plan, base_tables, contributed)
    first = base if base is not None else stack_tables(benchmark_tables)
    id_column = plan.id_column or find_id_column(first, plan.target_column)
    features = features_of(first, plan.target_column, id_column, plan.feature_columns, plan.unit_column)

    known = [Source(BASE_NAME, base, _untyped(base_tables))] if base is not None else []
    if benchmark_tables:
        known.append(Source(BENCHMARK_NAME, stack_tables(benchmark_tables), _untyped(benchmark_tables)))
    given = [Source(table.name, table.frame, _untyped([table])) for table in contributed]
    columns = (*features, plan.target_column)
    for source in (*known, *given):
        require_columns(source.frame.columns, columns, source.name)
    types = _settled_types(known, given, columns)
    # A contribution must not decide what it is measured by: task, kinds and classes follow from what stood before it.
    before = pl.concat([conform(source.frame, types) for source in known], rechunk=False)
    task = plan.task or infer_task(before[plan.target_column])
    kinds = column_kinds(before, features)
    _check_task(plan, task, types[plan.target_column], kinds)

    base_raw, benchmark_raw = _divide(plan, base, benchmark_tables, contributed, task, features)
    benchmark, _ = _benchmark_rows(plan, benchmark_raw, types)
    base_rows = labelled(conform(base_raw, types), plan.target_column)[0] if base_raw is not None else None
    if task is Task.CLASSIFICATION:
        if base_rows is not None:  # first, since the benchmark may be a part of it
            require_classes(base_rows, plan.target_column, BASE_NAME)
        require_classes(benchmark, plan.target_column, BENCHMARK_NAME)
        for source in given:
            require_known_classes(source.frame[plan.target_column], before[plan.target_column], source.name)
    if base_rows is not None and baseline_is_given(plan):
        base_rows = without_benchmark_rows(base_rows, benchmark)
    has_gaps = _has_gaps(before, kinds)
    del before
    warnings = [
        f"{table.name}: {note}"
        for table in (*base_tables, *benchmark_tables, *contributed)
        for note in table.notes
    ]
    if plan.id_column is None and id_column is not None:
        warnings.append(f"The column {id_column!r} numbers the rows, so it is not used as a feature.")
    if plan.unit_column is not None:
        trained_on = [
            *([(BASE_NAME, base)] if base is not None else []),
            *((t.name, t.frame) for t in contributed),
        ]
        warnings += _unit_warnings(plan, benchmark_raw, plan.unit_column, trained_on)
    if kinds.empty:
        warnings.append(f"Columns without any value are not used: {', '.join(kinds.empty)}.")
    if base_rows is not None and baseline_is_given(plan):
        warnings.append(
            "The baseline model was given. As far as it had not seen the base data, the change is the base data's "
            "merit and not the contribution's."
        )
    tables = (*base_tables, *benchmark_tables, *contributed)
    paths = (*plan.base_files, *plan.benchmark_files, *plan.contributed_files)
    mock = plan.dry_run
    return Facts(
        task=task,
        features=features,
        kinds=kinds,
        has_gaps=has_gaps,
        types=types,
        id_column=id_column,
        digests={path: table.sha256 for path, table in zip(paths, tables, strict=True)},
        base_rows=base_rows.height if base_rows is not None else 0,
        base_sha256=_base_digest(base_tables, base, mock),
        benchmark_rows=benchmark.height,
        benchmark_sha256=(
            source_digest(benchmark_tables)
            if benchmark_tables and not mock
            else frame_sha256(conform(benchmark_raw, types))
        ),
        benchmark_source=_benchmark_source(plan, benchmark_tables),
        benchmark_is_file=bool(benchmark_tables) and not mock,
        warnings=tuple(warnings),
    )


def load(plan: RunPlan, facts: Facts) -> Reference:
    """Base and benchmark rows, ready for a model.

    Raises:
        IntegrityError: A file is not the one that the facts were settled from.
    """
    base, benchmark = raw_frames(plan, facts)
    types = dict(facts.types)
    rows, units = _benchmark_rows(plan, benchmark, types)
    base_rows = labelled(conform(base, types), plan.target_column)[0] if base is not None else rows.clear()
    if baseline_is_given(plan):
        base_rows = without_benchmark_rows(base_rows, rows)
    return Reference(facts, base_rows, rows, units)


def baseline_is_given(plan: RunPlan) -> bool:
    """Whether the baseline is a model that was trained elsewhere: it need not have seen what the new model sees."""
    return plan.baseline_model is not None and not plan.dry_run


def raw_frames(plan: RunPlan, facts: Facts) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """(base data without held-out rows, benchmark) with all their columns, as read."""
    contributed = read_again(plan.contributed_files, facts) if plan.dry_run else ()
    base = _base_frame(plan, read_again(plan.base_files, facts), contributed)
    benchmark = read_again(plan.benchmark_files, facts)
    return _divide(plan, base, benchmark, contributed, facts.task, facts.features)


def read_again(paths: Sequence[Path], facts: Facts) -> tuple[Table, ...]:
    """Read files that were surveyed before, and make sure that they are still the same.

    Raises:
        IntegrityError: A file changed since.
    """
    tables = read_tables(paths)
    for path, table in zip(paths, tables, strict=True):
        if table.sha256 != facts.digests[path]:
            raise IntegrityError(
                "The file changed while the run was going on",
                where=str(path),
                hint="Run again; a resumed run needs the files that it began with.",
            )
    return tables


def held_out_bytes(plan: RunPlan, facts: Facts) -> bytes | None:
    """The benchmark's canonical bytes where it exists as no file, so that a verifier can have it."""
    if facts.benchmark_is_file:
        return None
    _, benchmark = raw_frames(plan, facts)
    return frame_bytes(conform(benchmark, dict(facts.types)))


def _settled_types(
    known: Sequence[Source], given: Sequence[Source], columns: Sequence[str]
) -> dict[str, pl.DataType]:
    """The type of each column. A contribution may widen it (integers to floats), but not change its kind.

    Raises:
        SchemaError: It would.
    """
    before = common_types(known, columns)
    types = common_types([*known, *given], columns)
    for column in columns:
        was, now = kind_of(before[column]), kind_of(types[column])
        has_values = any(source.frame[column].null_count() < source.frame.height for source in known)
        if has_values and was != now:
            names = ", ".join(source.name for source in given)
            raise SchemaError(
                f"The column {column!r} holds {was} in the base data or benchmark, but {now} in the contribution",
                where=names,
                hint="Give the column the same kind of values in all files.",
            )
    return types


def _has_gaps(frame: pl.DataFrame, kinds: ColumnKinds) -> bool:
    return any(frame[name].null_count() for name in kinds.numeric_like)


def _untyped(tables: Sequence[Table]) -> bool:
    """Whether types were guessed from text, so that whole numbers may stand for codes."""
    return all(table.format in ("csv", "tsv") for table in tables)


def _check_task(plan: RunPlan, task: Task, target: pl.DataType, kinds: ColumnKinds) -> None:
    """What can be known to be wrong once the task is known.

    Raises:
        SchemaError: The target is no number for regression, or no feature has a value.
        MetricError: A metric that the plan names belongs to the other task.
    """
    if task is Task.REGRESSION and not target.is_numeric():
        raise SchemaError(
            f"The target {plan.target_column!r} holds {target}, but regression needs numbers",
            hint="Choose another --target-column, or --task classification.",
        )
    if not (kinds.numeric_like or kinds.categorical or kinds.text):
        raise SchemaError(
            f"No column to predict from has a value: {', '.join(kinds.empty)}",
            hint="Fill them, or add others.",
        )
    named = (*(plan.metric_weights or ()), *filter(None, [plan.primary_metric]))
    if named:
        from hokusai.stats.composite import task_metric

        for name in named:
            task_metric(name, task)


def _base_frame(plan: RunPlan, base: Sequence[Table], contributed: Sequence[Table]) -> pl.DataFrame | None:
    if plan.dry_run:
        return mock_base_frame(contributed[0].frame, plan.target_column, plan.seed)
    return stack_tables(base) if base else None


def _divide(
    plan: RunPlan,
    base: pl.DataFrame | None,
    benchmark: Sequence[Table],
    contributed: Sequence[Table],
    task: Task,
    features: Sequence[str],
) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """(what to train on, what to measure on) of the data that stands before the contribution."""
    if plan.dry_run:
        return base, mock_benchmark(contributed[0].frame, plan.target_column, plan.seed)
    if benchmark:
        return base, stack_tables(benchmark)
    if base is None:
        raise AssertionError("a plan without base data has a benchmark")
    seed = derive_seed(plan.seed, "benchmark", "holdout")
    content = (*features, plan.target_column)
    return stratified_holdout(base, plan.target_column, task, HOLDOUT_SHARE, seed=seed, content=content)


def _benchmark_rows(
    plan: RunPlan, benchmark: pl.DataFrame, types: dict[str, pl.DataType]
) -> tuple[pl.DataFrame, NDArray[np.int64] | None]:
    """(the labelled rows, the number of each one's unit).

    Raises:
        SchemaError: There is no column of units, or it does not say which rows belong together.
    """
    column = None if plan.dry_run else plan.unit_column
    if column is None:
        return labelled(conform(benchmark, types), plan.target_column)[0], None
    require_columns(benchmark.columns, [column], BENCHMARK_NAME)
    rows, _ = labelled(
        conform(benchmark, types | {column: types.get(column, benchmark.schema[column])}), plan.target_column
    )
    return selected(rows, types), unit_numbers(rows[column], BENCHMARK_NAME)


def _unit_warnings(
    plan: RunPlan, benchmark: pl.DataFrame, column: str, trained_on: Sequence[tuple[str, pl.DataFrame]]
) -> list[str]:
    if plan.dry_run:
        return ["A dry run's mock benchmark has no units: its errors are between rows."]
    import polars as pl

    measured = benchmark[column].cast(pl.String).unique()
    shared = {
        name: int(measured.is_in(frame[column].cast(pl.String).unique().implode()).sum())
        for name, frame in trained_on
        if column in frame.columns
    }
    return [
        f"{count:,} of the benchmark's {len(measured):,} units by {column!r} also stand in {name}: what a model learns "
        "of them there says little of how it does on others."
        for name, count in shared.items()
        if count
    ]


def _base_digest(tables: Sequence[Table], base: pl.DataFrame | None, mock: bool) -> str | None:
    if mock and base is not None:
        return frame_sha256(base)
    return source_digest(tables) if tables else None


def _benchmark_source(plan: RunPlan, benchmark: Sequence[Table]) -> str:
    if plan.dry_run:
        return "mock data"
    if benchmark:
        return ", ".join(table.name for table in benchmark)
    return f"a stratified hold-out of {HOLDOUT_SHARE:.0%} of the base data (seed {plan.seed})"
