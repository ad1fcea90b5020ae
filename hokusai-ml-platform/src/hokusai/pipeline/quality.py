"""How good the contributed data is, and the manifest that says what it was.

Everything is content: no path, time or run id, so that the same rows give the same report, in any order of the rows,
and the same files the same manifest.

>>> import polars as pl
>>> frame = pl.DataFrame({"x": [1.5, None, 1.5, 4.0], "label": ["a", "b", "a", "b"]})
>>> report = assess_frame(frame, target="label")
>>> {name: report.components[name] for name in ("completeness", "uniqueness")}
{'completeness': 0.875, 'uniqueness': 0.75}
>>> report.skipped["drift"]
'there is no base data to compare with'
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hokusai.domain.contribution import Contribution
from hokusai.domain.manifest import ColumnSummary, RowAccount
from hokusai.domain.metrics import Task
from hokusai.pipeline.data.canonical_columns import nested_as_text
from hokusai.pipeline.data.column_states import ColumnStates, dtype_name
from hokusai.pipeline.data.columns import col, selected
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.quality_state import QualityState, quality_report
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.data.value_hash import hash_rows

if TYPE_CHECKING:
    import polars as pl


def assess_frame(
    frame: pl.DataFrame,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    base: pl.DataFrame | None = None,
    label_noise: bool = True,
    weights: Mapping[str, float] | None = None,
) -> QualityReport:
    """The report on a frame as it is: every row is kept, and rows with equal content count as duplicates."""
    import numpy as np

    frame, base = nested_as_text(frame), None if base is None else nested_as_text(base)
    state = QualityState(frame.schema, target=target, features=features).see(frame)
    duplicates = frame.height - len(np.unique(hash_rows(frame.get_columns())))
    return quality_report(
        state,
        RowAccount(read=frame.height, kept=frame.height - duplicates, duplicates=duplicates),
        base=None if base is None else _state_of_base(state, base),
        label_noise=label_noise,
        weights=weights,
    )


def assess_quality(
    tables: Sequence[Table],
    contributions: Sequence[Contribution],
    *,
    target: str,
    features: Sequence[str],
    task: Task,
    label_noise: bool = False,
    weights: Mapping[str, float] | None = None,
) -> QualityReport:
    """The quality of the contributed files together, all rows counted, before anything is left out.

    Labels are not judged unless `label_noise` says so: the run trains the model that matters anyhow.
    """
    names = (*features, target)
    frames = _in_common_types([table.frame for table in tables], names)
    state = QualityState(frames[0].schema, target=target, features=features)
    for frame in frames:
        state.see(frame)
    read = sum(table.rows_read for table in tables)
    duplicates = sum(account.rows_duplicate for account in contributions)
    account = RowAccount(read=read, kept=read - duplicates, duplicates=duplicates)
    return quality_report(state, account, task=task, label_noise=label_noise, weights=weights)


def profile_columns(tables: Sequence[Table]) -> tuple[ColumnSummary, ...]:
    """Every column of the contributed files, in order of first appearance; one column is looked at a time."""
    names = dict.fromkeys(name for table in tables for name in table.frame.columns)
    return tuple(_summary(name, [table.frame for table in tables]) for name in names)


def source_digest(tables: Sequence[Table]) -> str:
    """One digest for one or more files: of one file its SHA-256; of several the SHA-256 over the 32-byte
    digests of the files, one after the other in order.
    """
    if len(tables) == 1:
        return tables[0].sha256
    return hashlib.sha256(b"".join(bytes.fromhex(table.sha256) for table in tables)).hexdigest()


def data_manifest(
    tables: Sequence[Table],
    contributions: Sequence[Contribution],
    quality: QualityReport,
    *,
    personal: Collection[str] = (),
    **pieces: Any,
) -> dict[str, Any]:
    """The specification's data manifest: what was contributed, and what became of it.

    Args:
        tables: The contributed files.
        contributions: Their accounts, in the same order.
        quality: Their quality.
        personal: Columns with personal data, whose least and greatest values are not told.
        pieces: More entries, such as `integration=data.to_dict()`.

    Returns:
        Plain data that has a canonical JSON form. It depends on the files' bytes and names alone.
    """
    profiles = profile_columns(tables)
    errors = {p.name: p.unique_error for p in profiles if p.unique_error}
    return {
        "source_path": ", ".join(table.name for table in tables),
        "data_hash": source_digest(tables),
        "row_count": sum(table.rows_read for table in tables),
        "column_count": len(profiles),
        "columns": [p.name for p in profiles],
        "dtypes": {p.name: p.dtype for p in profiles},
        "null_counts": {p.name: p.nulls for p in profiles},
        "unique_counts": {p.name: p.unique for p in profiles},
        **({"unique_errors": errors} if errors else {}),
        "ranges": {
            p.name: {"min": p.low, "max": p.high}
            for p in profiles
            if p.low is not None and p.name not in personal
        },
        "quality": quality.to_dict(),
        "files": [_file(table, account) for table, account in zip(tables, contributions, strict=True)],
        **pieces,
    }


def _file(table: Table, account: Contribution) -> dict[str, Any]:
    read = {
        "name": table.name,
        "format": table.format,
        "sha256": table.sha256,
        "size_bytes": table.size_bytes,
    }
    return {
        **(table.source.to_dict() if table.source else read),
        "contributor": account.contributor.contributor_id,
        "rows_read": account.rows_read,
        "rows_accepted": account.rows_accepted,
        "rows_duplicate": account.rows_duplicate,
        "rows_in_base": account.rows_in_base,
        "rows_in_benchmark": account.rows_in_benchmark,
        "rows_without_label": account.rows_without_label,
    }


def _state_of_base(state: QualityState, base: pl.DataFrame) -> QualityState:
    shared = [name for name in state.columns.names if name in base.columns]
    features = [name for name in shared if name != state.target]
    target = state.target if state.target in shared else None
    return QualityState(base.schema, target=target, features=features).see(base)


def _in_common_types(frames: Sequence[pl.DataFrame], names: Sequence[str]) -> list[pl.DataFrame]:
    """The named columns of all frames, where types differ as floats if all are numbers, as text otherwise."""

    types = _common_types(frames, names)
    return [frame.select(col(name).cast(types[name]) for name in names) for frame in frames]


def _common_types(frames: Sequence[pl.DataFrame], names: Sequence[str]) -> dict[str, pl.DataType]:
    import polars as pl

    types: dict[str, pl.DataType] = {}
    schemas = [frame.schema for frame in frames]
    for name in names:
        found = {schema[name] for schema in schemas if name in schema}
        if len(found) == 1:
            types[name] = found.pop()
        else:
            types[name] = pl.Float64() if all(dtype.is_numeric() for dtype in found) else pl.String()
    return types


def _summary(name: str, frames: Sequence[pl.DataFrame]) -> ColumnSummary:
    columns = [selected(frame, [name]) for frame in frames if name in frame.columns]
    absent = sum(frame.height for frame in frames if name not in frame.columns)
    names = "|".join(dict.fromkeys(dtype_name(column.schema[name]) for column in columns))
    states = ColumnStates(_common_types(columns, [name]))
    for column in _in_common_types(columns, [name]):
        states.see(column)
    (summary,) = states.summaries()
    return replace(summary, dtype=names, nulls=summary.nulls + absent)
