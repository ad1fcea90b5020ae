"""Columns in which few values repeat, such as labels, are searched for personal data once a value, not once a cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import cells_of
from hokusai.privacy.gate import ColumnPlan
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import ColumnGate, scrub
from hokusai.privacy.tokens import Tokenizer

if TYPE_CHECKING:
    import polars as pl

_REPEATS = 20
"""How often a value must come on average, so that looking for the different ones is worth while."""
_REMEMBERED = 1_000
"""The most values of a column that are kept in mind for other batches."""


Known = dict[str, frozenset[str | None]]
"""Column to values that were found clean."""


def without_clean_columns(
    rows: pl.DataFrame,
    gate: ColumnGate,
    policy: PiiPolicy,
    tokenizer: Tokenizer | None,
    known: Known | None = None,
) -> ColumnGate:
    """The gate for one batch, in which columns that were searched here and hold nothing are left alone.

    What is found in a cell depends on nothing but its text and the column's plan. So a column holds no personal data if
    none of its different values does; where one does, all cells are searched as usual, since cells are counted.

    Args:
        rows: The batch.
        gate: For all batches.
        policy: Likewise.
        tokenizer: Likewise.
        known: What earlier batches with the same gate and policy had, so that it is not searched again.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"label": ["yes", "no"] * 20, "by": ["ann@b.co", "-"] * 20})
    >>> policy = PiiPolicy(default="mask")
    >>> gate = ColumnGate({name: ColumnPlan("text") for name in rows.columns})
    >>> for name, plan in without_clean_columns(rows, gate, policy, None).plans.items():
    ...     print(name, plan.treatment)
    label leave
    by text
    """
    import polars as pl

    searched = [
        name
        for name, dtype in rows.schema.items()
        if dtype == pl.String and name in gate.plans and gate.plans[name].treatment == "text"
    ]
    if not searched or not rows.height:
        return gate
    known = {} if known is None else known
    clean: list[str] = []
    for name, values in _of_few_values(rows, searched, rows.height // _REPEATS).items():
        texts = frozenset(values.to_list()) if len(values) <= _REMEMBERED else frozenset()
        if texts and texts <= known.get(name, frozenset()):
            clean.append(name)
        elif not scrub(values.alias(name).to_frame(), policy, tokenizer, gate=gate)[1].cells:
            clean.append(name)
            known[name] = texts
    return replace(gate, plans={**gate.plans, **dict.fromkeys(clean, ColumnPlan("leave"))}) if clean else gate


def _of_few_values(rows: pl.DataFrame, names: list[str], most: int) -> dict[str, pl.Series]:
    """The different values, null among them, of those columns that have at most `most`."""
    first = rows.head(2 * most)  # which often tells, for a fraction of the time
    likely = [name for name in names if cells_of(first, name).n_unique() <= most]
    values = {name: cells_of(rows, name).unique() for name in likely}
    return {name: different for name, different in values.items() if len(different) <= most}
