"""Several frames in the same columns and types, so that their rows can be compared and stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.pipeline.data.reconcile import Source, common_types, conform

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column whose type differs between frames, or is another afterwards.

    Attributes:
        column: Its name.
        types: In each frame that has it, in order.
        result: Afterwards, in all.
    """

    column: str
    types: tuple[str, ...]
    result: str


def align(
    frames: Sequence[tuple[str, pl.DataFrame]], columns: Sequence[str]
) -> tuple[list[pl.DataFrame], tuple[TypeChange, ...]]:
    """Bring frames to the same columns and types (`reconcile.common_types`); columns that one lacks are null there.

    Args:
        frames: Each with what it is called in messages.
        columns: Which, in which order; each must be in one frame at least.

    Raises:
        SchemaError: A column is of different kinds, or a value does not fit the common type.

    >>> import polars as pl
    >>> frames, changes = align([("a", pl.DataFrame({"x": [1]})), ("b", pl.DataFrame({"x": [.5], "y": ["t"]}))], "xy")
    >>> [frame.rows() for frame in frames], changes
    ([[(1.0, None)], [(0.5, 't')]], (TypeChange(column='x', types=('Int64', 'Float64'), result='Float64'),))
    """
    types = common_types([Source(name, frame) for name, frame in frames], columns)
    changes = []
    given = [frame.schema for _, frame in frames]
    for column, dtype in types.items():
        present = tuple(schema[column] for schema in given if column in schema)
        if any(other != dtype for other in present):
            changes.append(TypeChange(column, tuple(map(str, present)), str(dtype)))
    return [_conformed(frame, types) for _, frame in frames], tuple(changes)


def _conformed(frame: pl.DataFrame, types: dict[str, pl.DataType]) -> pl.DataFrame:
    import polars as pl

    there = set(frame.columns)
    lacking = [pl.lit(None, dtype).alias(column) for column, dtype in types.items() if column not in there]
    return conform(frame.with_columns(lacking), types)
