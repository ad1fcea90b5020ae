"""Parts of the rows by the values of a column, and which part fares worst.

A model that is better on the whole may be worse where it matters. Whoever looks at many parts finds a bad one by
chance, though: the worst one's interval is widened for their number (Bonferroni), and few rows are named as such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import Interval, MetricDelta
from hokusai.stats.measured import BoolArray, IntArray
from hokusai.stats.one_model import MetricValue
from hokusai.stats.wald import interval_around, two_sided_p

MISSING, OTHER = "(missing)", "(other)"
MOST_VALUES = 20
QUANTILE_BINS = 4
FEW_ROWS = 30
"""Slices with fewer rows are told, and do not compete for the worst."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Some of the rows.

    Attributes:
        column: By which column.
        value: Its value as text; a range of numbers as "10 to 20", the lower border left out.
        inside: (n_rows,) which rows.
    """

    column: str
    value: str
    inside: BoolArray

    @property
    def n_rows(self) -> int:
        """How many rows."""
        return int(np.count_nonzero(self.inside))

    @property
    def name(self) -> str:
        """Column and value, as a guardrail names them."""
        return f"{self.column}={self.value}"


@dataclass(frozen=True, slots=True)
class WorstSlice:
    """The slice that fares worst among those with enough rows.

    Attributes:
        name: Which.
        metric: By which metric.
        value: Its value there; or its change there, where two models are compared.
        interval: Widened for the number of slices.
        p_value: Of "it is as the rest of the rows", or for two models "nothing changed there"; two-sided, times the
            number of slices.
        n_rows: Its rows.
        n_slices: How many competed.
    """

    name: str
    metric: str
    value: float
    interval: Interval
    p_value: float
    n_rows: int
    n_slices: int


def by_value(column: str, values: Sequence[str | None], most: int = MOST_VALUES) -> tuple[Slice, ...]:
    """A slice for each value; beyond `most` the rarer ones are one slice together.

    >>> [(one.value, one.n_rows) for one in by_value("region", ["EU", "US", None, "EU"])]
    [('EU', 2), ('US', 1), ('(missing)', 1)]
    """
    texts = np.array([MISSING if value is None else value for value in values], dtype=object)
    names, place, rows = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda k: (names[k] == MISSING, -rows[k], names[k]))
    kept, rest = (order, []) if len(order) <= most else (order[:most], order[most:])
    found = [Slice(column, str(names[k]), place == k) for k in kept]
    if rest:
        found.append(Slice(column, OTHER, np.isin(place, rest)))
    return tuple(found)


def by_quantile(
    column: str, values: npt.ArrayLike, names: Sequence[str] | None = None, bins: int = QUANTILE_BINS
) -> tuple[Slice, ...]:
    """Up to `bins` slices of about equally many rows; the borders are values that occur, each in the lower slice.

    Args:
        column: The column.
        values: (n_rows,) numbers, NaN where there is none.
        names: What to call each row's value; by default the number.
        bins: How many.

    >>> [(one.value, one.n_rows) for one in by_quantile("age", [20, 30, 40, 50, 60, 70, 80, 90])]
    [('up to 30', 2), ('30 to 50', 2), ('50 to 70', 2), ('above 70', 2)]
    """
    numbers = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(numbers)
    known = numbers[there]
    if not len(known):
        return (Slice(column, MISSING, ~there),)
    borders = np.unique(np.quantile(known, np.arange(1, bins) / bins, method="inverted_cdf"))
    borders = borders[borders < known.max()]
    place: IntArray = np.searchsorted(borders, numbers, side="left")
    said = [_name(numbers, border, names) for border in borders.tolist()]
    texts = (
        [
            f"up to {said[0]}",
            *(f"{a} to {b}" for a, b in pairwise(said)),
            f"above {said[-1]}",
        ]
        if said
        else ["all"]
    )
    found = [Slice(column, text, there & (place == k)) for k, text in enumerate(texts)]
    if not there.all():
        found.append(Slice(column, MISSING, ~there))
    return tuple(found)


def worst_value(
    found: Sequence[tuple[str, MetricValue, MetricValue | None]], confidence: float = 0.95
) -> WorstSlice | None:
    """The slice with the worst value, among those of at least `FEW_ROWS` rows; None if there are not two.

    Args:
        found: For each slice its name, the metric there, and the metric on all other rows.
        confidence: Of the interval, for all slices together.

    Source: Dunn (1961), "Multiple Comparisons among Means", JASA 56:52-64.
    """
    able = [
        (name, here, rest)
        for name, here, rest in found
        if here.n_rows >= FEW_ROWS and math.isfinite(here.value)
    ]
    if len(able) < 2:
        return None
    name, here, rest = min(able, key=lambda one: one[1].metric.direction * one[1].value)
    p_value = 1.0
    if rest is not None:
        error = math.hypot(here.standard_error, rest.standard_error)
        if error > 0:
            p_value = min(1.0, len(able) * two_sided_p((here.value - rest.value) / error))
    wide = interval_around(here.value, here.standard_error, 1 - (1 - confidence) / len(able))
    wide = Interval(min(wide.low, here.interval.low), max(wide.high, here.interval.high), confidence)
    low = wide.low if here.metric.name == "r2" else max(0.0, wide.low)
    high = min(1.0, wide.high) if here.metric.scale == "share" else wide.high
    return WorstSlice(
        name, here.metric.name, here.value, Interval(low, high, confidence), p_value, here.n_rows, len(able)
    )


def worst_change(found: Sequence[tuple[str, MetricDelta]], confidence: float = 0.95) -> WorstSlice | None:
    """The slice on which the new model lost most, or gained least, as `worst_value`."""
    able = [(name, delta) for name, delta in found if (delta.n_rows or 0) >= FEW_ROWS]
    if len(able) < 2:
        return None
    name, delta = min(able, key=lambda one: one[1].metric.direction * one[1].absolute_delta)
    wide = interval_around(delta.absolute_delta, delta.standard_error, 1 - (1 - confidence) / len(able))
    return WorstSlice(
        name,
        delta.metric.name,
        delta.absolute_delta,
        replace(wide, confidence=confidence),
        min(1.0, len(able) * delta.p_value),
        delta.n_rows or 0,
        len(able),
    )


def _name(numbers: npt.NDArray[np.float64], border: float, names: Sequence[str] | None) -> str:
    if names is None:
        return f"{border:.6g}"
    return names[int(np.flatnonzero(numbers == border)[0])]
