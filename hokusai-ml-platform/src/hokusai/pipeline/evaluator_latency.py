"""How long models take to answer, measured side by side.

A busy machine slows down whatever runs on it just then. So the models take turns on the same rows, the one that begins
changes with every round, and what is compared is each round's own difference. Times are of one machine and one moment:
they are told, they may breach a guardrail, and nothing that is hashed or signed holds them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hokusai.errors import SchemaError

ROUNDS, BATCH_ROUNDS, BATCH_ROWS, WARM_UP = 200, 20, 256, 3
SECONDS = 4.0
"""All rounds together take no longer than about this, if that leaves enough of them."""

_LEAST_ROUNDS = 5
METHOD = "each round times predict() of every model on the same rows, in turn, after a warm-up; wall clock"


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds that one model took.

    Attributes:
        p50, p95, p99: Quantiles over rounds, of one call.
        n_rounds: How many rounds.
        n_rows: Rows in each call.
    """

    p50: float
    p95: float
    p99: float
    n_rounds: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one model, asked for one row at a time and for many.

    Attributes:
        row: Calls with one row.
        batch: Calls with a batch of rows.
        samples: Of each round of single rows.
    """

    row: Times
    batch: Times
    samples: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; the samples are left out."""
        return {
            "unit": "ms",
            "method": METHOD,
            **{
                name: {
                    "p50": of.p50,
                    "p95": of.p95,
                    "p99": of.p99,
                    "rounds": of.n_rounds,
                    "rows_per_call": of.n_rows,
                }
                for name, of in (("row", self.row), ("batch", self.batch))
            },
        }


def measure_latency(
    models: Sequence[tuple[Callable[[Any], Any], Any]],
    *,
    rounds: int = ROUNDS,
    batch_rows: int = BATCH_ROWS,
    seconds: float = SECONDS,
) -> list[Latency]:
    """Time models that take turns.

    Args:
        models: For each its `predict`, and the rows in its own form; the same rows for all.
        rounds: Calls with one row, of rows that are spread over all of them.
        batch_rows: Rows of a call with many.
        seconds: Stop after about so long, but not before five rounds.

    Raises:
        SchemaError: A model cannot answer to a single row or to a batch.
    """
    n_rows = len(models[0][1])
    places = [(k * n_rows // rounds) % n_rows for k in range(rounds)]
    single = _rounds(models, [(at, at + 1) for at in places], seconds / 2)
    size = min(batch_rows, n_rows)
    starts = [
        (k * (n_rows - size) // max(1, BATCH_ROUNDS - 1), size) for k in range(min(BATCH_ROUNDS, rounds))
    ]
    many = _rounds(models, [(at, at + rows) for at, rows in starts], seconds / 2)
    return [
        Latency(_times(one, 1), _times(batch, size), tuple(one))
        for one, batch in zip(single, many, strict=True)
    ]


def median_increase(
    baseline: Sequence[float], new: Sequence[float], alpha: float
) -> tuple[float, float] | None:
    """The median of the rounds' differences (new minus baseline), and its one-sided upper bound.

    The bound is the order statistic that a sign test at `alpha` allows, whatever the differences' distribution; None
    where there are too few rounds for it.

    Source: Conover (1999), "Practical Nonparametric Statistics", section 3.2.

    >>> median_increase([1.0] * 8, [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 9.0], 0.05)
    (1.35, 1.6)
    """
    gaps = sorted(b - a for a, b in zip(baseline, new, strict=True))
    n = len(gaps)
    # The k-th largest is above the median unless k - 1 or fewer of n fair coins show heads.
    chance, k = 0.5**n, 0
    while chance <= alpha and k < n:
        k += 1
        chance += math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
    if not k:
        return None
    middle = (gaps[(n - 1) // 2] + gaps[n // 2]) / 2
    return round(middle, 12), round(gaps[n - k], 12)


def _rounds(
    models: Sequence[tuple[Callable[[Any], Any], Any]], spans: Sequence[tuple[int, int]], seconds: float
) -> list[list[float]]:
    """Milliseconds of each model in each round."""
    found: list[list[float]] = [[] for _ in models]
    for predict, rows in models:
        for low, high in spans[:WARM_UP]:
            _called(predict, _part(rows, low, high))
    end = time.perf_counter() + seconds
    order = list(range(len(models)))
    for done, (low, high) in enumerate(spans):
        if done >= _LEAST_ROUNDS and time.perf_counter() > end:
            break
        for k in order if done % 2 == 0 else reversed(order):
            predict, rows = models[k]
            part = _part(rows, low, high)
            begin = time.perf_counter_ns()
            predict(part)
            found[k].append((time.perf_counter_ns() - begin) / 1e6)
    return found


def _called(predict: Callable[[Any], Any], part: Any) -> None:
    try:
        predict(part)
    except Exception as problem:  # the model is its author's, and may raise anything
        raise SchemaError(
            f"A model that answers to all rows cannot answer to {len(part)}: {type(problem).__name__}: {problem}"
        ) from problem


def _part(rows: Any, low: int, high: int) -> Any:
    return rows.iloc[low:high] if hasattr(rows, "iloc") else rows[low:high]


def _times(samples: Sequence[float], n_rows: int) -> Times:
    ranked = sorted(samples)
    p50, p95, p99 = (ranked[max(0, math.ceil(share * len(ranked)) - 1)] for share in (0.5, 0.95, 0.99))
    return Times(p50, p95, p99, len(ranked), n_rows)
