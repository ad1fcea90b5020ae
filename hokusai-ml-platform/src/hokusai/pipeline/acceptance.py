"""Whether a run's improvement counts: its guardrails measured on the benchmark, and the decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hokusai.core.benchmarks import Benchmarks
from hokusai.domain.benchmark import UsePurpose
from hokusai.domain.decision import Decision, Guardrail, GuardrailOutcome
from hokusai.domain.delta import Comparison
from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task, find_metric_spec
from hokusai.domain.model import ModelArtifact
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.pipeline.evaluation import Evaluation, compare
from hokusai.pipeline.integration import labelled
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts, load, raw_frames
from hokusai.stats.decide import decide, guardrail_outcome, outcome_of, unmeasured
from hokusai.stats.from_counts import zero_denominators

if TYPE_CHECKING:
    import polars as pl

    from hokusai.attestation.commitments import Values

SIZE = "size_bytes"


def require_committed(plan: RunPlan, facts: Facts) -> None:
    """Check that the benchmark is the one that its owner committed to, if a commitment was given.

    Raises:
        IntegrityError: It has other bytes, rows or labels.
    """
    if plan.benchmark is None or plan.benchmark_statement_sha256 is None:
        return
    from hokusai.attestation.commitments import label_root
    from hokusai.pipeline.training import target_values

    truth = target_values(load(plan, facts).benchmark[plan.target_column])
    labels: Values = (
        [float(value) for value in truth]
        if facts.task is Task.REGRESSION
        else [class_name(value) for value in truth]
    )
    pairs = (
        ("bytes", facts.benchmark_sha256, plan.benchmark.data_sha256),
        ("rows", len(labels), plan.benchmark.n_rows),
        ("labels", label_root(labels, facts.benchmark_sha256), plan.benchmark.labels_root),
    )
    for name, found, committed in pairs:
        if found != committed:
            raise IntegrityError(
                f"The benchmark's {name} are not what its owner committed to: {found} instead of {committed}",
                where="--benchmark-statement",
                hint="Give the benchmark's own files, in the owner's order: --benchmark-data.",
            )


def decided(
    plan: RunPlan,
    facts: Facts,
    evaluation: Evaluation,
    comparison: Comparison,
    baseline: ModelArtifact,
    new: ModelArtifact,
) -> Decision:
    """The decision on a run's improvement.

    Rows of the benchmark that a contribution brings are never trained on, so that no leakage is left to count.
    """
    expected = None if plan.benchmark is None else plan.benchmark.data_sha256
    return decide(
        comparison,
        plan.rule,
        benchmark_sha256=facts.benchmark_sha256,
        expected_sha256=expected,
        outcomes=_outcomes(plan, facts, evaluation, comparison, baseline, new),
    )


def count_submissions(plan: RunPlan, new: ModelArtifact, benchmarks: Benchmarks) -> tuple[int, ...]:
    """Count a look at the agreed benchmark for each contributor, before anybody looks; the numbers of these looks.

    Raises:
        ConflictError: A contributor has submitted as often as he may.
        NotFoundError: There is no such benchmark any more.
    """
    if plan.benchmark is None or plan.dry_run:
        return ()
    benchmarks.add(plan.benchmark)  # it may have come with its owner's commitment alone
    people = dict.fromkeys(who.contributor_id for who in plan.contributors)
    subject = {who: new.sha256 if len(people) == 1 else f"{new.sha256} by {who}" for who in people}
    return tuple(
        benchmarks.use(
            plan.benchmark.sha256, UsePurpose.SUBMISSION, subject[who], who, limit=plan.max_submissions
        ).number
        for who in people
    )


def _outcomes(
    plan: RunPlan,
    facts: Facts,
    evaluation: Evaluation,
    comparison: Comparison,
    baseline: ModelArtifact,
    new: ModelArtifact,
) -> Iterator[GuardrailOutcome]:
    confidence = 1 - 2 * plan.rule.alpha
    columns = {guardrail.slice[0] for guardrail in plan.rule.guardrails if guardrail.slice is not None}
    rows = _rows_with(plan, facts, columns) if columns else None
    for guardrail in plan.rule.guardrails:
        if guardrail.metric == SIZE and guardrail.slice is None:
            sizes = [float(len(model.content)) for model in (baseline, new)]
            change = guardrail.direction * (sizes[1] - sizes[0])
            yield outcome_of(guardrail, baseline=sizes[0], change=change, bound=change)
            continue
        spec = find_metric_spec(guardrail.metric)
        if spec is None or spec.task is not facts.task:
            why = f"a run measures the metrics of {facts.task.value} and {SIZE}"
            yield unmeasured(guardrail, f"{why}; `hokusai evaluate` measures more")
            continue
        try:
            on = (
                comparison
                if rows is None or guardrail.slice is None
                else _sliced(evaluation, rows, guardrail)
            )
            deltas = {delta.metric.name: delta for delta in on.deltas}
            undefined = dict(zero_denominators(on.counts)) if on.counts is not None else {}
            if spec.name in undefined:
                yield unmeasured(guardrail, undefined[spec.name])
                continue
            yield guardrail_outcome(guardrail, deltas[spec.name], confidence)
        except KeyError:
            yield unmeasured(guardrail, "it cannot be computed on these rows")
        except HokusaiError as problem:
            yield unmeasured(guardrail, problem.what)


def _rows_with(plan: RunPlan, facts: Facts, columns: set[str]) -> pl.DataFrame:
    """The benchmark's rows, with those of `columns` that it has and that are no features."""
    rows = load(plan, facts).benchmark
    raw, _ = labelled(raw_frames(plan, facts)[1], plan.target_column)
    others = [name for name in raw.columns if name in columns and name not in rows.columns]
    return rows.with_columns(raw[name] for name in others) if raw.height == rows.height else rows


def _sliced(evaluation: Evaluation, rows: pl.DataFrame, guardrail: Guardrail) -> Comparison:
    """The comparison on the rows of a guardrail's slice alone.

    Raises:
        SchemaError: The benchmark has no such column.
        InvalidInputError: No row is in the slice.
    """
    import numpy as np

    from hokusai.pipeline.data.columns import require_columns

    column, value = guardrail.slice or ("", "")
    require_columns(rows.columns, [column], "the benchmark")
    inside = np.array([one is not None and class_name(one) == value for one in rows[column].to_list()])

    def part(values: Any) -> Any:
        return None if values is None else values[inside]

    sliced = replace(
        evaluation,
        target=part(evaluation.target),
        baseline=part(evaluation.baseline),
        new=part(evaluation.new),
        baseline_scores=part(evaluation.baseline_scores),
        new_scores=part(evaluation.new_scores),
        units=part(evaluation.units),
    )
    return compare(sliced)
