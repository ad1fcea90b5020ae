"""What the quality of rows is computed from, as a state over batches: in memory, streaming or elsewhere alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hokusai.domain.manifest import RowAccount
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError
from hokusai.pipeline.data import quality_parts as measure
from hokusai.pipeline.data.column_states import ColumnState, ColumnStates
from hokusai.pipeline.data.columns import selected
from hokusai.pipeline.data.quality_report import DEFAULT_WEIGHTS, QualityPart, QualityReport, rounded
from hokusai.pipeline.data.row_sample import RowSample
from hokusai.pipeline.data.value_hash import hash_values
from hokusai.pipeline.task import MIN_ROWS_PER_CLASS, infer_task

if TYPE_CHECKING:
    import polars as pl

_MAX_CLASSES_LISTED = 100


class QualityState:
    """What the quality of rows is computed from, as a state over batches that merges.

    Args:
        schema: Column to type of every batch.
        target: The label's column, if there is one.
        features: What is predicted from; all other columns by default.
        ignored: Columns that nothing is predicted from, such as those that only identify a row: none of them is a
            feature, but whether their cells have a value counts.
    """

    def __init__(
        self,
        schema: Mapping[str, pl.DataType],
        *,
        target: str | None = None,
        features: Sequence[str] | None = None,
        ignored: Sequence[str] = (),
    ) -> None:
        names = [name for name in schema if name != target] if features is None else list(features)
        self.target, self.features = target, tuple(name for name in names if name not in ignored)
        self.ignored = tuple(name for name in ignored if name in schema and name != target)
        looked_at = (*self.features, *self.ignored, *((target,) if target is not None else ()))
        self.columns = ColumnStates({name: schema[name] for name in looked_at})
        self.sample = RowSample(self.features, target)
        self.rows = 0

    def see(self, batch: pl.DataFrame) -> QualityState:
        """Take in the rows of a batch. Gives itself."""
        batch = selected(batch, self.columns.names)
        hashes = {column.name: hash_values(column) for column in batch}
        self.columns.see(batch, hashes)
        self.sample.see(batch, hashes)
        self.rows += batch.height
        return self

    def merge(self, other: QualityState) -> QualityState:
        """Take in what `other` saw. Gives itself."""
        self.columns.merge(other.columns)
        self.sample.merge(other.sample)
        self.rows += other.rows
        return self


def quality_report(
    state: QualityState,
    account: RowAccount,
    *,
    task: Task | None = None,
    base: QualityState | None = None,
    schema_checked: bool = False,
    label_noise: bool = True,
    weights: Mapping[str, float] | None = None,
) -> QualityReport:
    """The report on the rows that a state saw.

    Args:
        state: Saw the rows, before duplicates were taken out.
        account: What became of all rows that were read.
        task: What the target is for; found from its values by default.
        base: Saw the base data, for drift.
        schema_checked: Whether rows were checked against a schema, so that `account.rejected` tells of it.
        label_noise: Whether a quick model is trained to judge the labels.
        weights: Part to weight, instead of 1; 0 leaves a part out.

    Raises:
        ConfigurationError: A weight is for no part, or is not a finite number from 0.
    """
    used = {**DEFAULT_WEIGHTS, **_checked(weights or {})}
    if task is None and state.target is not None:
        task = _task_of(state.columns[state.target])
    measured: dict[str, QualityPart | str] = {
        "completeness": measure.completeness(state.columns, state.rows),
        "validity": measure.validity(account, schema_checked),
        "uniqueness": measure.uniqueness(account),
        "consistency": measure.consistency(state.sample, task),
        "outliers": measure.outliers(state.columns, state.features),
        "drift": measure.drift(state.columns, base.columns if base is not None else None, state.ignored),
    }
    labels: dict[str, int] = {}
    if state.target is None:
        measured |= dict.fromkeys(("labelled", "label_balance", "label_noise"), "no target column was named")
    else:
        measured["labelled"] = measure.labelled(state.columns[state.target], state.rows)
        if task is Task.CLASSIFICATION:
            labels = measure.label_counts(state.columns[state.target])
            measured["label_balance"] = measure.label_balance(labels)
            measured["label_noise"] = (
                measure.label_noise(state.sample)
                if label_noise and used["label_noise"]
                else "it was not asked for"
            )
        else:
            why = (
                "there are no labels"
                if task is None
                else "only classes can be balanced or doubted, and this is regression"
            )
            measured |= dict.fromkeys(("label_balance", "label_noise"), why)
    total = sum(labels.values())
    parts: list[QualityPart] = []
    skipped: dict[str, str] = {}
    for name, weight in used.items():
        found = measured[name]
        if not weight:
            skipped[name] = "its weight is 0"
        elif isinstance(found, str):
            skipped[name] = found
        else:
            parts.append(replace(found, weight=weight))
    return QualityReport(
        tuple(parts),
        skipped,
        {label: rounded(count / total) for label, count in list(labels.items())[:_MAX_CLASSES_LISTED]},
        account.read,
        state.ignored,
    )


def _checked(weights: Mapping[str, float]) -> Mapping[str, float]:
    for name, weight in weights.items():
        if name not in DEFAULT_WEIGHTS:
            raise ConfigurationError(
                f"No part of the quality is called {name!r}", hint=f"There are: {', '.join(DEFAULT_WEIGHTS)}."
            )
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigurationError(
                f"The weight of {name} must be a number from 0, got {weight}", hint="1 is the default."
            )
    return weights


def _task_of(target: ColumnState) -> Task | None:
    """What `infer_task` says of the column; None without a value."""
    import polars as pl

    if target.rows == target.nulls or target.dtype.is_temporal():
        return None
    if target.values is None:
        return Task.REGRESSION if target.dtype.is_numeric() else Task.CLASSIFICATION
    enough = MIN_ROWS_PER_CLASS * len(target.values)  # of one value: more would not change the answer
    values = [value for value, rows in target.values.items() for _ in range(min(rows, enough))]
    return infer_task(pl.Series(target.name, values, dtype=target.dtype))
