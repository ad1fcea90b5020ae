"""What the columns of files are like: counts, ranges and distributions, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hokusai.pipeline.data.column_states import ColumnProfile, ColumnStates
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Progress
from hokusai.privacy.detector import holding
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import ColumnGate


@dataclass(frozen=True, slots=True)
class FilesProfile:
    """The columns of one or more files.

    Attributes:
        name: The files' names.
        rows: Rows of all of them.
        columns: In the order of their first appearance; of personal ones, no value is told.
        personal: Columns that hold personal data, by their names, what most of their cells look like, or what a
            frequent value is.
    """

    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    personal: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "rows": self.rows,
            "columns": [column.to_dict() for column in self.columns],
            "personal": list(self.personal),
        }


def profile_files(
    paths: str | Path | Sequence[str | Path],
    read: ReadOptions | None = None,
    *,
    progress: Progress | None = None,
) -> FilesProfile:
    """Describe the columns of files.

    Raises:
        DataError: A file cannot be read in full.
        SchemaError: The files do not fit together.
    """
    scans = [open_table(path, read) for path in expand_paths(paths)]
    columns = common_columns(scans)
    states = ColumnStates(columns, moments=True)
    total, seen = sum(scan.rows_read for scan in scans), 0
    gate: ColumnGate | None = None
    for scan in scans:
        for batch in scan.batches():
            rows = conformed(batch, columns)
            gate = gate or ColumnGate.decide(rows, PiiPolicy(default=PiiAction.REPORT))
            states.see(rows)
            seen += rows.height
            if progress is not None:
                progress("Profiling", seen, total)
    plans = gate.plans if gate is not None else {}
    profiles = states.profiles()
    naming = {one.summary.name for one in profiles if holding(str(value) for value, _ in one.values)}
    personal = tuple(name for name in columns if name in naming or (name in plans and plans[name].kind))
    return FilesProfile(
        ", ".join(scan.source.name for scan in scans),
        seen,
        tuple(_without_values(one) if one.summary.name in personal else one for one in profiles),
        personal,
    )


def _without_values(profile: ColumnProfile) -> ColumnProfile:
    summary = replace(profile.summary, low=None, high=None)
    return replace(
        profile, summary=summary, mean=None, deviation=None, quantiles=None, histogram=(), values=()
    )
