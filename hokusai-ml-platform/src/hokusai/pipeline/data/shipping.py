"""A kernel and its results in the form in which engines carry them: Arrow tables in, Arrow tables out.

Cleaned rows travel as they are, their digests as columns beside them. What was found out on the way (rejected rows,
problems, counts of personal data) goes as JSON in the table's metadata: an engine's answer is read, never run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hokusai.domain.schema_report import Rule, SchemaProblem, SchemaReport
from hokusai.pipeline.data.kernel import Kernel, KeyDigests, Processed
from hokusai.pipeline.data.scan import Reject
from hokusai.privacy.counts import Found, PiiCounts

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

_STATE = b"hokusai"
_BESIDE = "hokusai"
"""Name of the columns that stand behind a batch's own; they are found by their place, so it may occur there too."""


def packed(batch: pl.DataFrame, source: str, numbers: pl.Series) -> pa.Table:
    """A batch of `source` and the numbers of its rows there, as a table."""
    table = batch.to_arrow().append_column(_BESIDE, numbers.to_arrow())
    return table.replace_schema_metadata({_STATE: source.encode()})


def shipped(kernel: Kernel) -> Callable[[pa.Table], pa.Table]:
    """The kernel, from a table that `packed` made to one that `unpacked` reads."""

    def run(table: pa.Table) -> pa.Table:
        import polars as pl
        import pyarrow as pa

        own = table.num_columns - 1
        source = table.schema.metadata[_STATE].decode()
        done = kernel(pl.DataFrame(table.select(range(own))), source, pl.Series(table.column(own)))
        result = done.rows.to_arrow()
        for text in () if done.near is None else done.near.to_arrow().columns:
            result = result.append_column(_BESIDE, text)
        result = result.append_column(_BESIDE, _column(done.digests))
        result = result.append_column(_BESIDE, pa.array(done.masked))
        for keys in (*done.unique, *([done.key] if done.key else ())):
            result = result.append_column(_BESIDE, _column(keys.digests))
            result = result.append_column(_BESIDE, pa.array(keys.absent))
        near = None if done.near is None else done.near.columns
        state = {**_state(done), "own": done.rows.width, "near": near, "unique": len(done.unique)}
        return result.replace_schema_metadata({_STATE: json.dumps(state).encode()})

    return run


def unpacked(table: pa.Table) -> Processed:
    """What a shipped kernel found out."""
    import polars as pl
    import pyarrow as pa

    state: dict[str, Any] = json.loads(table.schema.metadata[_STATE])
    near = table.columns[state["own"] :][: len(state["near"] or ())]
    beside = table.columns[state["own"] + len(near) :]
    keys = [
        KeyDigests(_array(digests), absent.to_numpy().astype(bool))
        for digests, absent in zip(beside[2::2], beside[3::2], strict=True)
    ]
    return Processed(
        rows=pl.DataFrame(table.select(range(state["own"]))),
        digests=_array(beside[0]),
        masked=beside[1].to_numpy().astype(bool),
        unique=tuple(keys[: state["unique"]]),
        near=None if state["near"] is None else pl.DataFrame(pa.table(near, names=state["near"])),
        key=next(iter(keys[state["unique"] :]), None),
        rejects=tuple(Reject(**fields) for fields in state["rejects"]),
        report=SchemaReport(
            tuple(_problem(fields) for fields in state["problems"]), state["checked"], state["failed"]
        ),
        pii=PiiCounts(
            {Found(*found): count for found, count in state["cells"]},
            {Found(*found): count for found, count in state["names"]},
            state["key_id"],
        ),
    )


def _state(done: Processed) -> dict[str, Any]:
    return {
        "rejects": [asdict(reject) for reject in done.rejects],
        "problems": [asdict(problem) for problem in done.report.problems],
        "checked": done.report.rows_checked,
        "failed": done.report.rows_failed,
        "cells": list(done.pii.cells.items()),
        "names": list(done.pii.names.items()),
        "key_id": done.pii.key_id,
    }


def _problem(fields: dict[str, Any]) -> SchemaProblem:
    lists = {name: tuple(fields[name]) for name in ("rows", "found")}
    return SchemaProblem(**{**fields, **lists, "rule": Rule(fields["rule"])})


def _column(digests: NDArray[np.uint8]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.binary(32), len(digests), [None, pa.py_buffer(digests.tobytes())])


def _array(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    import numpy as np

    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint8).reshape(-1, 32)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in column.chunks
    ]
    return np.concatenate([np.empty((0, 32), np.uint8), *parts])
