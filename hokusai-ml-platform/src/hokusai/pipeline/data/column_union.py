"""The columns of several files together, each with the one type that holds it in all of them.

Files that are streamed are not looked into twice, so only what their types say decides; `reconcile` can do more for
tables that are in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hokusai.errors import SchemaError
from hokusai.pipeline.data.reconcile import kind_of
from hokusai.pipeline.data.scan import TableScan, TextScan

if TYPE_CHECKING:
    import polars as pl


def common_columns(scans: Sequence[TableScan]) -> dict[str, pl.DataType]:
    """All columns of all files in order of first appearance, each with the one type that holds it in every file.

    Numbers of two kinds become floats, dates beside times become times; a column without any value fits all.

    Raises:
        SchemaError: A column is of two kinds; the text names both files.
    """
    import polars as pl

    found: dict[str, tuple[pl.DataType, str]] = {}
    for scan in scans:
        valueless = scan.valueless if isinstance(scan, TextScan) else frozenset()
        for name, type_there in scan.schema.items():
            dtype = pl.Null() if name in valueless else type_there
            before = found.get(name)
            found[name] = (
                (dtype, scan.source.name)
                if before is None
                else (_common(name, before, (dtype, scan.source.name)), before[1])
            )
    return {name: pl.String() if dtype == pl.Null else dtype for name, (dtype, _) in found.items()}


def union_notes(scans: Sequence[TableScan]) -> list[str]:
    """Which columns a file lacks that another has, and what may have been meant."""
    columns = common_columns(scans)
    notes = []
    for scan in scans:
        there = scan.schema  # made anew each time it is asked for
        missing = [name for name in columns if name not in there]
        if not missing:
            continue
        near = {name.strip().casefold(): name for name in there}
        meant = [
            f"{near[name.strip().casefold()]!r} may be {name!r}"
            for name in missing
            if name.strip().casefold() in near
        ]
        shown = ", ".join(map(repr, missing[:10])) + (
            f" and {len(missing) - 10} more" if missing[10:] else ""
        )
        told = f"{scan.source.name}: column {shown} is not there, and read as missing"
        notes.append(f"{told}; {', '.join(meant)}" if meant else told)
    return notes


def _common(name: str, one: tuple[pl.DataType, str], other: tuple[pl.DataType, str]) -> pl.DataType:
    import polars as pl

    (first, where), (second, here) = one, other
    if second in (first, pl.Null):
        return first
    if first == pl.Null:
        return second
    if kind_of(first) != kind_of(second):
        raise SchemaError(
            f"Column {name!r} holds {kind_of(second)}, but {kind_of(first)} in {where}",
            where=here,
            hint="Write the column as the same kind in all files, or give its type in a schema.",
        )
    if first.is_integer() and second.is_integer():
        return pl.Int64()
    return pl.Float64() if first.is_numeric() else pl.Datetime("us")
