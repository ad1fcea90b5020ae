"""Whether a contribution holds personal data: found and counted before a model learns it by heart, never changed here.

To take it out is the contributor's own step (`hokusai data clean`), so that what is attested is what was sent.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

from hokusai.domain.manifest import PiiSummary
from hokusai.pipeline.data.reading import Table
from hokusai.privacy.counts import PiiCounts
from hokusai.privacy.gate import ColumnGate
from hokusai.privacy.kinds import ALL_KINDS, PiiKind
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.scrub import scrub

_BATCH_ROWS = 65_536


def find_personal_data(tables: Sequence[Table]) -> PiiSummary:
    """Count the cells of contributed files that hold personal data, by column and kind.

    Phone numbers are looked for where the extra `data` is installed.
    """
    policy = PiiPolicy(default=PiiAction.REPORT, kinds=_findable())
    counts = PiiCounts()
    for table in tables:
        gate = ColumnGate.decide(table.frame, policy)
        for batch in table.frame.iter_slices(_BATCH_ROWS):
            counts = counts + scrub(batch, policy, gate=gate)[1]
    return counts.summary()


def warnings_of(found: PiiSummary) -> Iterator[str]:
    """What a reader has to know about it: at most one sentence a column."""
    columns: dict[str, dict[str, int]] = {}
    for finding in found.findings:
        kinds = columns.setdefault(finding.column, {})
        kinds[finding.kind] = kinds.get(finding.kind, 0) + finding.cells
    for column, kinds in columns.items():
        told = ", ".join(f"{kind.replace('_', ' ')} in {cells:,} cells" for kind, cells in kinds.items())
        yield f"Column {column!r} holds personal data ({told}); take it out first: hokusai data clean."


def _findable() -> tuple[PiiKind, ...]:
    phones = importlib.util.find_spec("phonenumbers") is not None
    return tuple(kind for kind in ALL_KINDS if phones or kind is not PiiKind.PHONE)
