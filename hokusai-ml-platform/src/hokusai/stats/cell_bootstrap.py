"""The paired bootstrap of count metrics, as one exact draw over the cells of the joint table.

Accuracy, precision, recall and F1 depend on the rows only through the table of (label, baseline prediction, new
prediction) counts. Drawing n rows with replacement and counting them again is the same as one draw of that table
from a multinomial distribution, so that 100,000 rows cost as much as a thousand: this is the ordinary bootstrap,
not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from hokusai.domain.delta import JointCounts
from hokusai.domain.seeds import derive_seed
from hokusai.errors import InvalidInputError
from hokusai.stats.bootstrap import RESAMPLES, Replicates, acceleration
from hokusai.stats.from_counts import COUNT_METRICS, discordant_rows
from hokusai.stats.measured import FloatArray, IntArray

DELTA_ONE = "delta_one"
"""Name of the weighted sum of the changes, where weights are given."""

_CELLS_AT_ONCE = 1 << 20


def cell_bootstrap(
    counts: JointCounts,
    metrics: Sequence[str] = COUNT_METRICS,
    *,
    weights: Mapping[str, Fraction] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Replicates:
    """Resample the changes of count metrics.

    Args:
        counts: The joint table of n rows.
        metrics: Any of accuracy, precision, recall, f1: of the positive class where the table has one, else macro
            over the classes that occur among a table's labels.
        weights: Metric name to weight; the weighted sum is resampled as `DELTA_ONE` then.
        resamples: How many tables to draw.
        seed: The same seed gives the same draws, with the same version of NumPy.

    Raises:
        InvalidInputError: An empty or malformed table, an unknown metric, or fewer than two resamples.

    >>> table = JointCounts(("no", "yes"), 1, (((0, 0, 0), 50), ((0, 1, 0), 9), ((1, 0, 1), 2), ((1, 1, 1), 39)))
    >>> drawn = cell_bootstrap(table, ["accuracy"])
    >>> float(drawn.changes[0]), drawn.bca("accuracy").low > 0.04
    (0.11, True)
    """
    discordant_rows(counts)  # refuses a table that has more than one reading
    tallies = TableMetrics(counts, metrics, weights)
    if resamples < 2:
        raise InvalidInputError(f"Resampling needs two resamples or more, got {resamples}")
    table = tallies.table
    drawn_from = derive_seed(seed, "cell-bootstrap", "tables")
    return Replicates(
        names=tallies.names,
        changes=tallies.changes(table[None, :])[0],
        replicates=np.concatenate([tallies.changes(some) for some in _draws(table, resamples, drawn_from)]),
        acceleration=acceleration(_without_one(tallies), table),
        seed=seed,
    )


class TableMetrics:
    """Changes of count metrics of many tables over the same cells at a time.

    Attributes:
        cells: (n_cells, 3) label, baseline prediction and new prediction of each cell; the fullest cells first,
            which lets a draw end sooner.
        table: (n_cells,) the counts.
        names: The metrics, and `DELTA_ONE` where weights were given.
    """

    def __init__(
        self,
        counts: JointCounts,
        metrics: Sequence[str] = COUNT_METRICS,
        weights: Mapping[str, Fraction] | None = None,
    ) -> None:
        self._metrics = tuple(dict.fromkeys([*metrics, *(weights or {})]))
        if not self._metrics or not set(self._metrics) <= set(COUNT_METRICS):
            raise InvalidInputError(
                f"The counts do not give {', '.join(self._metrics) or 'nothing'}",
                hint=f"Choose from: {', '.join(COUNT_METRICS)}.",
            )
        self.names = self._metrics if weights is None else (*self._metrics, DELTA_ONE)
        self._weights = [float((weights or {}).get(name, 0)) for name in self._metrics]
        cells = sorted(counts.cells, key=lambda cell: (-cell[1], cell[0]))
        self.table = np.array([count for _, count in cells], dtype=np.int64)
        self.cells = np.array([cell for cell, _ in cells], dtype=np.int64)
        self._macro = counts.positive is None
        over = np.arange(len(counts.classes)) if self._macro else np.array([counts.positive])
        label, old, new = (self.cells[:, [column]] == over for column in range(3))
        right = [self.cells[:, [model]] == self.cells[:, [0]] for model in (1, 2)]
        self._totals_of = np.hstack([label, old, new, label & old, label & new, *right]).astype(np.float64)

    def changes(self, tables: IntArray | FloatArray) -> FloatArray:
        """(n_tables, n_names) new minus baseline of (n_tables, n_cells) tables."""
        totals = tables.astype(np.float64) @ self._totals_of
        support, said_old, said_new, hit_old, hit_new = np.split(totals[:, :-2], 5, axis=1)
        right = totals[:, -2:]
        averaged = support > 0 if self._macro else np.ones(support.shape, dtype=bool)
        n_averaged = np.maximum(averaged.sum(axis=1), 1)
        found = np.empty((len(tables), len(self.names)))
        for place, name in enumerate(self._metrics):
            if name == "accuracy":
                found[:, place] = (right[:, 1] - right[:, 0]) / tables.sum(axis=1)
                continue
            old, new = _ratio(name, hit_old, said_old, support), _ratio(name, hit_new, said_new, support)
            found[:, place] = np.where(averaged, new - old, 0.0).sum(axis=1) / n_averaged
        if len(self.names) > len(self._metrics):
            found[:, -1] = found[:, :-1] @ self._weights
        return found


def _draws(table: IntArray, resamples: int, seed: int) -> Iterator[IntArray]:
    """(some, n_cells) resampled tables at a time, `resamples` in all."""
    rng = np.random.default_rng(seed)
    n_rows = int(table.sum())
    shares = table / n_rows
    at_once = max(1, _CELLS_AT_ONCE // len(table))
    for start in range(0, resamples, at_once):
        yield rng.multinomial(n_rows, shares, size=min(at_once, resamples - start))


def _without_one(tallies: TableMetrics) -> FloatArray:
    """(n_cells, n_names) the changes without one row of each cell."""
    n_cells = len(tallies.table)
    if tallies.table.sum() == 1:
        return tallies.changes(tallies.table[None, :])
    at_once = max(1, _CELLS_AT_ONCE // n_cells)
    parts = []
    for start in range(0, n_cells, at_once):
        some = np.arange(start, min(start + at_once, n_cells))
        tables = np.tile(tallies.table, (len(some), 1))
        tables[np.arange(len(some)), some] -= 1
        parts.append(tallies.changes(tables))
    return np.concatenate(parts)


def _ratio(name: str, hits: FloatArray, said: FloatArray, support: FloatArray) -> FloatArray:
    """A metric of each class; 0/0 is 0."""
    if name == "f1":
        hits, bottom = 2 * hits, said + support
    else:
        bottom = said if name == "precision" else support
    return np.divide(hits, bottom, out=np.zeros_like(hits), where=bottom > 0)
