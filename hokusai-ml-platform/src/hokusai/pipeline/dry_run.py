"""Mock base and benchmark data for a dry run: the contributed file's columns and types, other rows.

A dry run reads the contributed file for real and needs something to compare it with. The mock rows follow the
file's schema, ranges and classes, hold the cases that break pipelines (missing values, extremes, empty and
non-Latin text),
and are the same to the byte for the same file and seed: only whole numbers and plain arithmetic on a fixed
generator are used, no transcendental function whose last bit a platform may choose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import require_columns

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

BASE_ROWS = 500
BENCHMARK_ROWS = 200

_NULL_SHARE = 0.02
_WORDS = tuple(
    """
    account access answer billing broken cancel change charge confirm contact delivery details download error
    export feature forgot help install invoice issue late limit login missing order password payment plan
    problem question receipt refund renew report reset return setting shipping slow status subscription
    support switch update upgrade verify weekly
    """.split()  # noqa: SIM905  # a long list is easier to read as a text
)
_ODD_TEXTS = (
    "",
    " ",
    "a",
    'He said "no", twice',
    "línea única ñandú",
    "返金してください",
    "🙂",
    "line one\nline two",
    "0",
    "x" * 300,
)


def mock_base_frame(contributed: pl.DataFrame, target: str, seed: int, rows: int = BASE_ROWS) -> pl.DataFrame:
    """Mock base data with the columns and types of a contributed frame.

    Args:
        contributed: The frame to imitate.
        target: Its target column; every class of it occurs, the most frequent in the file most often.
        seed: The same seed and frame give the same bytes (`benchmark.frame_bytes`).
        rows: How many rows; at least two for each class.

    Raises:
        SchemaError: There is no such target, or it has no value.
    """
    return _mock(contributed, target, seed, rows, stream=1)


def mock_benchmark(
    contributed: pl.DataFrame, target: str, seed: int, rows: int = BENCHMARK_ROWS
) -> pl.DataFrame:
    """A mock benchmark, drawn like `mock_base_frame` and independently of it."""
    return _mock(contributed, target, seed, rows, stream=2)


def _mock(contributed: pl.DataFrame, target: str, seed: int, rows: int, *, stream: int) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    require_columns(contributed.columns, [target], "the contributed data")
    if contributed[target].drop_nulls().is_empty():
        raise SchemaError(f"The target {target!r} has no value", hint="Give labelled rows.")
    columns = []
    for position, column in enumerate(contributed.iter_columns()):
        generator = np.random.Generator(np.random.PCG64([seed, stream, position]))
        if column.name == target:
            values = _targets(column, rows, generator)
        else:
            values = _features(column, rows, generator, prefix="base" if stream == 1 else "bench")
        columns.append(pl.Series(column.name, values, dtype=column.dtype))
    return pl.DataFrame(columns)


def _targets(column: pl.Series, rows: int, generator: np.random.Generator) -> list[Any]:
    """Labels: each class twice, then as often as in the file; if there are too many, any of them."""
    counts = column.drop_nulls().value_counts().rows()
    counts = sorted(counts, key=lambda item: (-item[1], str(item[0])))
    labels = [label for label, _ in counts]
    if 2 * len(labels) > rows:
        return [labels[i] for i in generator.integers(0, len(labels), rows)]
    bounds = _cumulative([count for _, count in counts])
    drawn = [
        labels[_index(bounds, int(i))] for i in generator.integers(0, bounds[-1], rows - 2 * len(labels))
    ]
    values = [*labels, *labels, *drawn]
    return [values[i] for i in _permutation(rows, generator)]


def _features(column: pl.Series, rows: int, generator: np.random.Generator, prefix: str) -> list[Any]:
    import polars as pl

    dtype = column.dtype
    if column.null_count() == len(column):
        return [None] * rows
    if not column.null_count() and column.n_unique() == len(column) and column.name.casefold().endswith("id"):
        return _ids(column, rows, prefix)
    values: list[Any]
    if dtype == pl.Boolean:
        values = [bool(i) for i in generator.integers(0, 2, rows)]
    elif dtype.is_numeric():
        values = _numbers(column, rows, generator)
    elif dtype.is_temporal():
        values = _times(column, rows, generator)
    else:
        values = _texts(column, rows, generator)
    missing = generator.integers(0, 1_000_000, rows) < _NULL_SHARE * 1_000_000
    return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]


def _numbers(column: pl.Series, rows: int, generator: np.random.Generator) -> list[Any]:
    """Numbers in the file's range, the middle more often; both ends and zero occur."""
    low, high = column.min(), column.max()
    if column.dtype.is_integer():
        low, high = int(low), int(high)  # type: ignore[arg-type]  # a numeric column
        span = high - low
        if span >= 2**62:
            return [(low, high)[i] for i in generator.integers(0, 2, rows).tolist()]
        whole: list[Any] = [
            low + (a + b) // 2 for a, b in generator.integers(0, span + 1, (rows, 2)).tolist()
        ]
        return _with_extremes(whole, [low, high], generator)
    start, end = float(low), float(high)  # type: ignore[arg-type]  # a numeric column
    steps = generator.integers(0, 1_000_001, (rows, 2)).tolist()
    values: list[Any] = [round(start + (end - start) * ((a + b) / 2_000_000), 6) for a, b in steps]
    return _with_extremes(values, [start, end, 0.0], generator)


def _times(column: pl.Series, rows: int, generator: np.random.Generator) -> list[Any]:
    low, high = column.min(), column.max()
    assert isinstance(low, dt.date) and isinstance(high, dt.date)  # noqa: S101  # dates and times only
    span = high - low
    return [low + span * (int(i) / 1000) for i in generator.integers(0, 1001, rows)]


def _texts(column: pl.Series, rows: int, generator: np.random.Generator) -> list[Any]:
    """Categories of the file where they repeat, or else sentences of common words and the odd cases."""
    categories = sorted(str(value) for value in column.drop_nulls().unique())
    if 2 * len(categories) <= len(column):
        return [categories[i] for i in generator.integers(0, len(categories), rows)]
    texts = [
        " ".join(_WORDS[i] for i in generator.integers(0, len(_WORDS), int(length)))
        for length in generator.integers(3, 12, rows)
    ]
    return _with_extremes(texts, _ODD_TEXTS, generator)


def _ids(column: pl.Series, rows: int, prefix: str) -> list[Any]:
    if column.dtype.is_integer():
        first = int(column.max()) + 1_000_001 if prefix == "bench" else int(column.max()) + 1  # type: ignore[arg-type]
        return list(range(first, first + rows))
    return [f"mock-{prefix}-{i:06d}" for i in range(1, rows + 1)]


def _with_extremes(values: list[Any], extremes: Sequence[Any], generator: np.random.Generator) -> list[Any]:
    """The values, with each of the extremes in a place of its own."""
    for place, extreme in zip(_permutation(len(values), generator), extremes, strict=False):
        values[place] = extreme
    return values


def _permutation(n: int, generator: np.random.Generator) -> list[int]:
    """An order drawn by sorting random keys: simpler to reproduce elsewhere than a library's shuffle."""
    keys = generator.integers(0, 2**62, n).tolist()
    return sorted(range(n), key=keys.__getitem__)


def _cumulative(counts: list[int]) -> list[int]:
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(total)
    return sums


def _index(bounds: list[int], value: int) -> int:
    return next(i for i, bound in enumerate(bounds) if value < bound)
