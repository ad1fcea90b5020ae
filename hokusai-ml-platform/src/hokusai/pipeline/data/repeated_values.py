"""Columns in which few values repeat, such as labels, are searched for personal data once a value, not once a cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import col, selected
from hokusai.privacy.gate import ColumnPlan
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import ColumnGate, scrub
from hokusai.privacy.tokens import Tokenizer

if TYPE_CHECKING:
    import polars as pl

_REPEATS = 20
"""How often a value must come on average, so that looking for the different ones is worth while."""


def without_clean_columns(
    rows: pl.DataFrame, gate: ColumnGate, policy: PiiPolicy, tokenizer: Tokenizer | None
) -> ColumnGate:
    """The gate for one batch, in which columns that were searched here and hold nothing are left alone.

    What is found in a cell depends on nothing but its text and the column's plan. So a column holds no personal data if
    none of its different values does; where one does, all cells are searched as usual, since cells are counted.

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
    few = _of_few_values(rows, searched, rows.height // _REPEATS)
    clean = [
        name
        for name in few
        if not scrub(selected(rows, [name]).unique(), policy, tokenizer, gate=gate)[1].cells
    ]
    return replace(gate, plans={**gate.plans, **dict.fromkeys(clean, ColumnPlan("leave"))}) if clean else gate


def _of_few_values(rows: pl.DataFrame, names: list[str], most: int) -> list[str]:
    """Those of the columns that have at most `most` different values, null among them."""
    for part in (rows.head(2 * most), rows):  # the first rows often tell, for a fraction of the time
        counts = part.select(col(name).n_unique() for name in names)
        names = [name for name in names if counts[name][0] <= most]
    return names
