"""Where rows wait while they are integrated: in memory if they surely fit, else on disk. The choice says its reason.

Both ways give the same result, so the choice is one of cost only. What a file unfolds to is estimated from its size,
since only reading it would tell; the estimate is on the high side, and a wrong one costs time, never a result.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.scan import TableScan
from hokusai.ports import BatchEngine

_UNFOLDS = {"csv": 2.0, "tsv": 2.0, "json": 1.5, "jsonl": 1.5, "parquet": 8.0, "arrow": 1.5}
"""Bytes in memory over bytes in the file; measured on tables of text, numbers and times, rounded up."""
_COMPRESSED = 8.0
_SHARE_OF_FREE = 0.25
_LEAST_BUDGET = 64 << 20


@dataclass(frozen=True, slots=True)
class Choice:
    """Where rows wait, and why.

    Attributes:
        in_memory: Whether they wait in memory.
        estimated_bytes: What they are thought to take there.
        budget_bytes: What they may take.
        engine: Where batches are worked on.
    """

    in_memory: bool
    estimated_bytes: int
    budget_bytes: int
    engine: str = "this process"

    def __str__(self) -> str:
        place, sign = (
            ("in memory", "within") if self.in_memory else ("on disk, found again by digest", "beyond")
        )
        return (
            f"batches in {self.engine}; rows wait {place}: about {_megabytes(self.estimated_bytes)} are {sign} "
            f"the budget of {_megabytes(self.budget_bytes)}"
        )


def choose(
    scans: Sequence[TableScan], budget_bytes: int | None = None, engine: BatchEngine | None = None
) -> Choice:
    """Choose for these files.

    Args:
        scans: All files that take part.
        engine: Where batches are worked on; by default in this process.
        budget_bytes: What rows may take in memory; by default a quarter of what the machine has free.

    Raises:
        InvalidInputError: The budget is negative.
    """
    if budget_bytes is not None and budget_bytes < 0:
        raise InvalidInputError(
            f"A memory budget of {budget_bytes} bytes cannot be kept", where="memory_budget_bytes"
        )
    budget = _default_budget() if budget_bytes is None else budget_bytes
    estimated = int(sum(_estimate(scan) for scan in scans))
    place = "this process" if engine is None else repr(engine)
    return Choice(estimated <= budget, estimated, budget, place)


def _estimate(scan: TableScan) -> float:
    source = scan.source
    return source.size_bytes * _UNFOLDS[source.format] * (_COMPRESSED if source.compression else 1.0)


def _default_budget() -> int:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # a system that does not tell
        return _LEAST_BUDGET
    return max(_LEAST_BUDGET, int(free * _SHARE_OF_FREE))


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
