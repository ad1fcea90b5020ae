"""The account of a table in memory: how good its rows are, and its manifest, from its history and its rows.

Files get the same from `streaming`, batch by batch. So rows are looked at here with the types that they would have if
they came from a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hokusai.domain.manifest import DataManifest, RowAccount
from hokusai.domain.schema import DataSchema
from hokusai.pipeline.data.canonical_columns import as_in_files
from hokusai.pipeline.data.column_states import ColumnStates
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.duplicates import deduplicate
from hokusai.pipeline.data.history import History
from hokusai.pipeline.data.identifiers import FIRST_ROWS, no_features
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.quality_state import QualityState, quality_report
from hokusai.pipeline.data.result import without_range
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import ColumnGate

if TYPE_CHECKING:
    import polars as pl


def assess_table(
    table: pl.DataFrame,
    history: History,
    target: str | None = None,
    *,
    base: pl.DataFrame | None = None,
    features: Sequence[str] = (),
    schema: DataSchema | None = None,
    weights: Mapping[str, float] | None = None,
) -> QualityReport:
    """How good the rows are, part by part.

    Args:
        table: The rows.
        history: How they came to be.
        target: The column that is predicted.
        base: The base data.
        features: What it is predicted from; by default all other columns but those that only identify a row.
        schema: What says which columns are unique.
        weights: Part to weight, instead of 1.

    Raises:
        SchemaError: There is no such column, or a value that no file holds.
        ConfigurationError: A weight is for no part.
    """
    rows = as_in_files(table)
    require_columns(rows.columns, (*((target,) if target else ()), *features), "")
    ignored = no_features(rows.head(FIRST_ROWS), rows.columns, target, features, schema)
    steps = {step.name for step in history.steps}
    counted = "deduplicate" in steps and history.account.kept == rows.height
    return quality_report(
        QualityState(rows.schema, target=target, ignored=ignored).see(rows),
        history.account if counted else _counted(rows),
        base=None if base is None else _state_of(as_in_files(base), rows, target),
        schema_checked="validate_schema" in steps,
        label_noise=target is not None,
        weights=weights,
    )


def manifest_of_table(table: pl.DataFrame, history: History, quality: QualityReport) -> DataManifest:
    """The full account of a table and of how it came to be.

    Raises:
        SchemaError: A value has no canonical form.
    """
    rows = as_in_files(table)
    pii = history.pii.summary()
    gate = ColumnGate.decide(rows, PiiPolicy(default=PiiAction.REPORT))
    personal = gate.personal | {finding.column for finding in pii.findings}
    states = ColumnStates(rows.schema)
    states.see(rows)
    return DataManifest(
        hash=dataset_hash(rows),
        columns=tuple(without_range(summary, personal) for summary in states.summaries()),
        rows=history.account,
        sources=history.sources,
        base=history.base,
        pii=pii,
        rejects=history.reject_counts,
        quality=quality.to_dict(),
        transformations=history.steps,
        notes=history.notes,
        engine="all rows in memory",
    )


def _counted(rows: pl.DataFrame) -> RowAccount:
    """The account of rows among which nobody has looked for duplicates yet."""
    _, account = deduplicate(rows)
    return account


def _state_of(base: pl.DataFrame, rows: pl.DataFrame, target: str | None) -> QualityState:
    """The base data in the columns of the rows."""
    return QualityState(rows.schema, target=target).see(conformed(base, rows.schema))
