"""Accuracy, precision, recall and F1 of two classifiers, with the influence of each row on their change.

Both come from the joint table (`hokusai.stats.from_counts`, `hokusai.stats.cell_influence`): all rows of one cell of
that table have the same influence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hokusai.domain.delta import JointCounts
from hokusai.stats.cell_influence import JACKKNIFE, cell_influences, unestimated_error
from hokusai.stats.from_counts import (
    COUNT_METRICS,
    discordance_from_counts,
    mcnemar_from_counts,
    metrics_from_counts,
)
from hokusai.stats.measured import IntArray, Measured, share

_DENSE_TABLE_LIMIT = 1 << 20


def joint_counts(
    labels: IntArray, baseline: IntArray, new: IntArray, *, classes: tuple[str, ...], positive: int | None
) -> tuple[JointCounts, IntArray]:
    """The joint table of three (n_rows,) arrays of class indexes, and the cell that each row falls in."""
    size = len(classes)
    code = (labels * size + baseline) * size + new
    if size**3 <= _DENSE_TABLE_LIMIT:
        table = np.bincount(code, minlength=size**3)
        codes = np.flatnonzero(table)
        counts = table[codes]
        cell_of_row = (np.cumsum(table > 0) - 1)[code]
    else:
        codes, cell_of_row, counts = np.unique(code, return_inverse=True, return_counts=True)
    cells = zip(
        (codes // size**2).tolist(), (codes // size % size).tolist(), (codes % size).tolist(), strict=True
    )
    return JointCounts(classes, positive, tuple(zip(cells, counts.tolist(), strict=True))), cell_of_row


def measure_counts(counts: JointCounts, cell_of_row: IntArray, names: Sequence[str]) -> list[Measured]:
    """The count metrics called `names`.

    Args:
        counts: The joint table.
        cell_of_row: (n_rows,) index of each row's cell.
        names: Any of accuracy, precision, recall, f1.
    """
    values = metrics_from_counts(counts)
    found = []
    for name in COUNT_METRICS:
        if name not in names:
            continue
        found.append(
            share(
                name,
                values[name],
                np.array(cell_influences(counts, name))[cell_of_row],
                unestimated=unestimated_error(counts, name),
                method="mcnemar-mid-p" if name == "accuracy" else JACKKNIFE,
                p_value=mcnemar_from_counts(counts) if name == "accuracy" else None,
                discordance=discordance_from_counts(counts, name),
            )
        )
    return found
