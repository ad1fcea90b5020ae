"""The proof of a block of delimited text and of its columns' types in one walk, where there is so much that it pays."""

from __future__ import annotations

import string
from collections.abc import Sequence

from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.records import Records
from hokusai.utils.compiled import pays

_BYTES_A_HASH = 300
"""To prove so many bytes takes about as long as to hash a row of them."""
_WITHIN_VALUES = frozenset("+-.: " + string.digits + string.ascii_letters)
"""Delimiters at which a number or a time would not end."""


def quick_proof(block: bytes, delimiter: str, likely: Sequence[CellType | None]) -> Records | None:
    """Prove that every record of a block is well formed, and see whether the cells are of the likely types.

    The block begins and ends with a record and holds no NUL bytes.

    Args:
        block: The text.
        delimiter: Between fields.
        likely: For each column the type that its cells should have; None where it need not be looked at.

    Returns:
        The records, with the columns that are `settled`; or None: something in the block has to be looked at more
        closely, or there was too little so far to load the compiled walk for.
    """
    if delimiter in _WITHIN_VALUES or not block.endswith(b"\n") or not pays(len(block) // _BYTES_A_HASH):
        return None
    import numpy as np

    from hokusai.pipeline.data import record_loops

    kinds = {
        CellType.INTEGER: record_loops.INTEGER,
        CellType.FLOAT: record_loops.FLOAT,
        CellType.BOOLEAN: record_loops.BOOLEAN,
        CellType.DATE: record_loops.DATE,
        CellType.DATETIME: record_loops.DATETIME,
    }
    of_columns = [record_loops.UNTOLD if kind is None else kinds.get(kind, 0) for kind in likely]
    data = np.frombuffer(block, dtype=np.uint8)
    rows, longest, fits = record_loops.walk(data, ord(delimiter), np.array(of_columns, np.uint8))
    if rows < 0:
        return None
    settled = frozenset(np.flatnonzero(fits).tolist())
    lines = block.count(b"\n")
    return Records(block, rows, consumed=len(block), lines=lines, longest=longest, settled=settled)
