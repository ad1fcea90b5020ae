"""Personal data in a contribution: found and counted, and taken out of what a model learns from.

Rows are compared as they were sent: a row of the benchmark is one whether or not an address in it was replaced. What is
attested is the file that was sent. Only the rows that are trained on are changed, and the manifest says how.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hokusai.domain.manifest import PiiSummary
from hokusai.errors import IntegrityError
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.data.reconcile import kind_of
from hokusai.privacy.counts import PiiCounts
from hokusai.privacy.gate import ColumnGate
from hokusai.privacy.kinds import ALL_KINDS, PiiKind
from hokusai.privacy.policy import PiiAction, PiiPolicy
from hokusai.privacy.provided import default_tokenizer
from hokusai.privacy.scrub import scrub
from hokusai.privacy.tokens import Tokenizer

if TYPE_CHECKING:
    import polars as pl

_BATCH_ROWS = 65_536
_DONE = {
    PiiAction.HASH: "tokens stand in its place in training",
    PiiAction.MASK: "it is masked in training",
    PiiAction.DROP: "it is left out of training",
    PiiAction.REPORT: "take it out first: hokusai data clean, or --pii hash",
}


def find_personal_data(
    tables: Sequence[Table], action: PiiAction = PiiAction.REPORT, *, target: str = ""
) -> PiiSummary:
    """Count the cells of contributed files that hold personal data, by column and kind.

    Phone numbers are looked for where the extra `data` is installed. A key is asked for only if there is something to
    hash.

    Args:
        tables: The files.
        action: What `without_personal_data` will do to it.
        target: The column to predict, of which personal data is only told.
    """
    found = _counted(tables, _policy(PiiAction.REPORT, target), None)
    if action is not PiiAction.REPORT and found.total:
        found = _counted(tables, _policy(action, target), _tokenizer(action))
    return found.summary()


def without_personal_data(
    rows: pl.DataFrame,
    found: PiiSummary,
    action: PiiAction,
    types: Mapping[str, pl.DataType],
    *,
    target: str,
) -> pl.DataFrame:
    """The rows of one file as a model may learn from them: the columns of `types`, and the target as it is.

    A number that personal data was taken out of would be text now, and a dropped column would be gone: their cells are
    missing instead.

    Raises:
        IntegrityError: The key is not the one with which personal data was counted.
    """
    import polars as pl

    if action is PiiAction.REPORT or not found.findings:
        return rows
    tokenizer = _tokenizer(action)
    if tokenizer is not None and found.key_id and tokenizer.key_id != found.key_id:
        raise IntegrityError(
            f"Personal data is hashed with the key {tokenizer.key_id}, but it was {found.key_id} in an earlier step",
            hint="Give all machines of a run the same key: HOKUSAI_PII_KEY.",
        )
    cleaned, _ = scrub(rows, _policy(action, target), tokenizer)
    learnt = {}
    for name in types:
        before = rows.get_column(name)
        after = cleaned.get_column(name) if name in cleaned.columns else None
        kept = after is not None and kind_of(after.dtype) == kind_of(before.dtype)
        learnt[name] = after if kept else pl.Series([None] * rows.height, dtype=before.dtype)
    return pl.DataFrame(learnt)


def warnings_of(found: PiiSummary) -> Iterator[str]:
    """What a reader has to know about it: at most one sentence for a column and what was done there."""
    places: dict[tuple[str, str], dict[str, int]] = {}
    for finding in found.findings:
        kinds = places.setdefault((finding.column, finding.action), {})
        kinds[finding.kind] = kinds.get(finding.kind, 0) + finding.cells
    for (column, action), kinds in places.items():
        told = ", ".join(f"{kind.replace('_', ' ')} in {cells:,} cells" for kind, cells in kinds.items())
        yield f"Column {column!r} holds personal data ({told}); {_DONE[PiiAction(action)]}."


def _counted(tables: Sequence[Table], policy: PiiPolicy, tokenizer: Tokenizer | None) -> PiiCounts:
    counts = PiiCounts()
    for table in tables:
        gate = ColumnGate.decide(table.frame, policy)
        for batch in table.frame.iter_slices(_BATCH_ROWS):
            counts = counts + scrub(batch, policy, tokenizer, gate=gate)[1]
    return counts


def _policy(action: PiiAction, target: str) -> PiiPolicy:
    return PiiPolicy(
        default=action, kinds=_findable(), by_column={target: PiiAction.REPORT} if target else {}
    )


def _tokenizer(action: PiiAction) -> Tokenizer | None:
    return default_tokenizer() if action is PiiAction.HASH else None


def _findable() -> tuple[PiiKind, ...]:
    phones = importlib.util.find_spec("phonenumbers") is not None
    return tuple(kind for kind in ALL_KINDS if phones or kind is not PiiKind.PHONE)
