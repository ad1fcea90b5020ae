"""What would become of a contribution, told to the contributor before it is sent.

A refusal that arrives after a day teaches nobody. So the same integration runs here without writing a result: what
would be rejected and why, what is personal, what repeats the base data, how good the rest is, and what a quick model
makes of it. Nothing leaves the machine.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from hokusai.domain.schema import DataSchema
from hokusai.pipeline.data.column_union import common_columns
from hokusai.pipeline.data.expected_effect import (
    ExpectedEffect,
    NoEstimate,
    expected_effect,
    minimum_detectable_delta,
)
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.data.kernel import conformed
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.quality_state import QualityState, quality_report
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.rejects import read_rejects
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.streaming import Integration, Progress, Recipe, integrate_files
from hokusai.privacy.policy import PiiAction, PiiPolicy

Paths = str | Path | Sequence[str | Path]

SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a contribution.

    Attributes:
        integration: The account of its rows, and what was found in them.
        rejects: The first rows that would be rejected.
        quality: How good the rows are.
        effect: What a quick model gains from them; None where no base data and target were given.
        benchmark_rows: Rows of the benchmark that will judge the model; 0 if it is not known.
    """

    integration: Integration
    rejects: tuple[Reject, ...]
    quality: QualityReport
    effect: ExpectedEffect | NoEstimate | None = None
    benchmark_rows: int = 0

    @property
    def accepted(self) -> bool:
        """Whether a strict integration would take every row that is no duplicate, and there is one."""
        rows = self.integration.manifest.rows
        return rows.rejected == 0 and rows.kept > 0

    @property
    def verdict(self) -> str:
        """Whether it would be accepted, in one sentence."""
        rows = self.integration.manifest.rows
        if rows.rejected:
            reasons = Counter(self.integration.manifest.rejects).most_common(3)
            most = ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
            return f"{rows.rejected:,} of {rows.read:,} rows would be rejected: {most}."
        if not rows.kept:
            return "Every row repeats one that is there already."
        return f"All {rows.kept:,} new rows would be accepted."

    @property
    def detectable_delta(self) -> float | None:
        """The least change of accuracy that the benchmark can show; None if there is none, or it is not known."""
        return minimum_detectable_delta(self.benchmark_rows) if self.benchmark_rows else None

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """As plain data; what stands in cells at fault only if `values`."""
        report = self.integration.report
        return {
            "accepted": self.accepted,
            "verdict": self.verdict,
            "manifest": self.integration.manifest.to_dict(),
            "schema": None if report is None else report.to_dict(values=values),
            "rejects": [{name: getattr(one, name) for name in Reject.__slots__} for one in self.rejects],
            "quality": self.quality.to_dict(),
            "effect": _effect(self.effect),
            "benchmark": {"rows": self.benchmark_rows, "detectable_delta": self.detectable_delta}
            if self.benchmark_rows
            else None,
        }


def preview(
    contributed: Paths,
    *,
    base: Paths | None = None,
    schema: DataSchema | None = None,
    target: str | None = None,
    pii: PiiPolicy | None = None,
    read: ReadOptions | None = None,
    benchmark_rows: int = 0,
    label_noise: bool = True,
    progress: Progress | None = None,
) -> Preview:
    """Find out what would become of a contribution.

    The files are read twice, once for the account and once for the quality; memory does not grow with them.

    Args:
        contributed: Files, or globs.
        base: Files of the base data, for duplicates, drift and the effect.
        schema: What must hold of every row.
        target: The label's column.
        pii: Which personal data is looked for; by default all kinds. It is only reported.
        read: What is known about the files.
        benchmark_rows: Rows of the benchmark, if it is known.
        label_noise: Whether a quick model judges the labels.
        progress: Is told how far it is.

    Raises:
        DataError: A file cannot be read at all.
        SchemaError: The columns do not fit, so that no row could.
    """
    types = {**(schema.types if schema else {}), **(read or ReadOptions()).types}
    options = replace(read or ReadOptions(), on_error="reject", types=types)
    looking = replace(pii or PiiPolicy(), default=PiiAction.REPORT, by_kind={}, by_column={})
    with tempfile.TemporaryDirectory(prefix=".hokusai-") as folder:
        listing = Path(folder) / "rejects.jsonl"
        done = integrate_files(
            contributed,
            base=base,
            recipe=Recipe(schema=schema, pii=looking, quality=False, read=options),
            rejects=listing,
            progress=progress,
        )
        rejects = tuple(islice(read_rejects(listing), SHOWN_REJECTS))
    state, base_state = _states(contributed, base, target, options, progress)
    if progress is not None:
        progress("Training quick models", 0, None)
    quality = quality_report(
        state,
        done.manifest.rows,
        base=base_state,
        schema_checked=schema is not None,
        label_noise=label_noise,
    )
    effect = None
    if base_state is not None and target is not None:
        effect = expected_effect(base_state.sample, state.sample, target)
    return Preview(done, rejects, quality, effect, benchmark_rows)


def _states(
    contributed: Paths,
    base: Paths | None,
    target: str | None,
    options: ReadOptions,
    progress: Progress | None,
) -> tuple[QualityState, QualityState | None]:
    """What the quality is computed from, for the new rows and for the base rows, in the same types."""
    new = [open_table(path, options) for path in expand_paths(contributed)]
    old = [open_table(path, options) for path in expand_paths(base)] if base is not None else []
    columns = common_columns([*old, *new])
    total, seen = sum(scan.rows_read for scan in (*old, *new)), 0
    states = []
    for scans in (new, old):
        label = target if any(target in scan.schema for scan in scans) else None
        state = QualityState(columns, target=label)
        for scan in scans:
            for batch in scan.batches():
                state.see(conformed(batch, columns))
                seen += batch.height
                if progress is not None:
                    progress("Assessing quality", seen, total)
        states.append(state)
    return states[0], states[1] if old else None


def _effect(found: ExpectedEffect | NoEstimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"reason": found.reason} if isinstance(found, NoEstimate) else found.to_dict()
