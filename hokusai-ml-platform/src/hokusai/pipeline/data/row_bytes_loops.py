"""The bytes of canonical rows, put together in machine code straight from Arrow's buffers.

Only `row_digests` imports this module, which needs Numba. Memory is read by its address, since a column of text is in
as many buffers as it happens to be.
"""

# ruff: noqa: ARG001  # see `sha256_intrinsics`

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled
from hokusai.utils.sha256_intrinsics import cgutils, copy_bytes, intrinsic, ir, types

VALIDITY, VALUES, OFFSET, WIDTH, BUFFERS = range(5)
"""What is told of a column: the addresses of its bits of validity (0 if there is no null) and of its values, how many
values come before, the bytes of a value (0 if it is a bit), and which of all buffers the first one of its texts is."""
_BLOCK_ROWS = 256
"""Rows that stay in the processor's cache while they are put together, column by column."""
_VIEW_BYTES, _MOST_INLINE = 16, 12


@compiled
def row_bytes(
    n_rows: int,
    prefix: NDArray[np.uint8],
    columns: NDArray[np.int64],
    fixed: NDArray[np.int64],
    variable: NDArray[np.int64],
    buffers: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The bytes of all rows end to end, and where each begins and the last one ends.

    Args:
        n_rows: How many rows.
        prefix: What each row begins with.
        columns: What is told of each column, in their order; shape (n_columns, 5).
        fixed: The columns whose values all have the same size.
        variable: The columns of text, then those of bytes.
        buffers: Addresses of the buffers of these, those of each column together.
    """
    n_columns, n_variable = len(columns), len(variable)
    nulls_at = len(prefix)
    fixed_at = nulls_at + (n_columns + 7) // 8
    lengths_at = fixed_at
    for column in fixed:
        lengths_at += max(1, columns[column, WIDTH])
    own = lengths_at + 4 * n_variable
    lengths = np.zeros((n_variable, n_rows), np.int64)
    sizes = np.full(n_rows, own, np.int64)
    for i in range(n_variable):
        _add_lengths(lengths[i], sizes, columns[variable[i]])
    offsets = np.empty(n_rows + 1, np.int64)
    offsets[0] = 0
    for row in range(n_rows):
        offsets[row + 1] = offsets[row] + sizes[row]
    data = np.empty(offsets[n_rows], np.uint8)
    for start in range(0, n_rows, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, n_rows)
        places = offsets[start:stop].copy()
        for place in places:
            copy_bytes(data, place, prefix, 0, len(prefix))
            for i in range(nulls_at, fixed_at):
                data[place + i] = 0
        for i in range(n_columns):
            _mark_nulls(data, places + (nulls_at + i // 8), columns[i], start, i % 8)
        at = fixed_at
        for column in fixed:
            _put_values(data, places + at, columns[column], start)
            at += max(1, columns[column, WIDTH])
        for i in range(n_variable):
            for row in range(start, stop):
                store_half(data, places[row - start] + lengths_at + 4 * i, lengths[i, row])
        places += own
        for i in range(n_variable):
            _put_texts(data, places, columns[variable[i]], start, lengths[i], buffers)
    return offsets, data


@compiled
def _add_lengths(lengths: NDArray[np.int64], sizes: NDArray[np.int64], column: NDArray[np.int64]) -> None:
    """Put down how long the texts of a column are; those that are missing have length 0."""
    validity, views, offset = column[VALIDITY], column[VALUES], column[OFFSET]
    for row in range(len(lengths)):
        if validity == 0 or _bit(validity, offset + row):
            lengths[row] = load_half(views + _VIEW_BYTES * (offset + row))
            sizes[row] += lengths[row]


@compiled
def _mark_nulls(
    data: NDArray[np.uint8], places: NDArray[np.int64], column: NDArray[np.int64], start: int, bit: int
) -> None:
    validity, first = column[VALIDITY], column[OFFSET] + start
    if validity:
        for i in range(len(places)):
            data[places[i]] |= (1 - _bit(validity, first + i)) << bit


@compiled
def _put_values(
    data: NDArray[np.uint8], places: NDArray[np.int64], column: NDArray[np.int64], start: int
) -> None:
    """Put values of fixed size in their places; a missing one is 0."""
    validity, values, first, width = column[VALIDITY], column[VALUES], column[OFFSET] + start, column[WIDTH]
    for i in range(len(places)):
        present = validity == 0 or _bit(validity, first + i)
        if width == 8:
            store_word(data, places[i], load_word(values + 8 * (first + i)) if present else 0)
        elif width == 4:
            store_half(data, places[i], load_half(values + 4 * (first + i)) if present else 0)
        else:
            store_byte(data, places[i], _bit(values, first + i) if present else 0)


@compiled
def _put_texts(
    data: NDArray[np.uint8],
    places: NDArray[np.int64],
    column: NDArray[np.int64],
    start: int,
    lengths: NDArray[np.int64],
    buffers: NDArray[np.int64],
) -> None:
    """Put texts in their places, and move these behind them. A short text stands beside its length."""
    for i in range(len(places)):
        length = lengths[start + i]
        if length:
            address = column[VALUES] + _VIEW_BYTES * (column[OFFSET] + start + i) + 4
            if length > _MOST_INLINE:
                address = buffers[column[BUFFERS] + load_half(address + 4)] + load_half(address + 8)
            copy_from(data, places[i], address, length)
            places[i] += length


@compiled
def _bit(address: int, number: int) -> Any:
    return (load_byte(address + (number >> 3)) >> (number & 7)) & 1


def _load(bits: int) -> Any:
    def load(_: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            kind = ir.IntType(bits)
            loaded = builder.load(builder.inttoptr(values[0], kind.as_pointer()), align=1)
            return builder.zext(loaded, ir.IntType(64)) if bits < 64 else loaded

        return types.int64(types.int64), code

    return intrinsic(load)


load_byte, load_half, load_word = _load(8), _load(32), _load(64)
"""The number that stands at an address."""


def _store(bits: int) -> Any:
    def store(_: Any, target: Any, to: Any, number: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = ir.IntType(bits)
            data = context.make_array(signature.args[0])(context, builder, values[0]).data
            place = builder.bitcast(builder.gep(data, [values[1]]), kind.as_pointer())
            builder.store(builder.trunc(values[2], kind) if bits < 64 else values[2], place, align=1)
            return context.get_dummy_value()

        return types.void(target, types.int64, types.int64), code

    return intrinsic(store)


store_byte, store_half, store_word = _store(8), _store(32), _store(64)
"""Put the lowest bytes of a number to the place `to` of `target`, the lowest first."""


@intrinsic
def copy_from(_: Any, target: Any, to: Any, address: Any, size: Any) -> Any:
    """`size` bytes from an address on to the place `to` of `target`."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        source = builder.inttoptr(values[2], ir.IntType(8).as_pointer())
        cgutils.raw_memcpy(builder, builder.gep(data, [values[1]]), source, values[3], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, types.int64, types.int64), code
