"""What the loops of `sha256_lanes` tell LLVM and Python cannot say; each is a third of the time of hashing or more.

A function here stands for the machine code that `code` writes at the place where it is called. Only `sha256_lanes`
imports this module, which needs Numba.
"""

# ruff: noqa: ARG001  # Numba gives the types under the names of the parameters, and the values to `code`

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

ir: Any = import_module("llvmlite.ir")
cgutils: Any = import_module("numba.core.cgutils")
types: Any = import_module("numba.core.types")

LANES = 16
"""Messages at once, as many as a block has words."""


def intrinsic(function: Callable[..., Any]) -> Any:
    """The function as one that compiled loops can call, and that writes its own machine code."""
    return import_module("numba.extending").intrinsic(function)


@intrinsic
def copy_bytes(_: Any, target: Any, to: Any, source: Any, start: Any, size: Any) -> Any:
    """`size` bytes of `source` from `start` on to the place `to` of `target`."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def place(array: int) -> Any:
            made = context.make_array(signature.args[array])(context, builder, values[array])
            return builder.gep(made.data, [values[array + 1]])

        cgutils.raw_memcpy(builder, place(0), place(2), values[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), code


@intrinsic
def take_blocks(_: Any, words: Any, source: Any, at: Any, further: Any) -> Any:
    """One block of every lane to where `_compress` wants it: word w of lane l is source[at[l] + further + w].

    Element by element it would take as long as hashing. Here the squares on both sides of the diagonal change places,
    then those within each of the four, and so on down to single words.
    """

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        row, i64 = ir.VectorType(ir.IntType(32), LANES), ir.IntType(64)
        target, begin, starts = (
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:3], values[:3], strict=True)
        )

        def at_row(first: Any, offset: Any) -> Any:
            return builder.bitcast(builder.gep(first, [offset]), row.as_pointer())

        rows = []
        for lane in range(LANES):
            start = builder.add(builder.load(builder.gep(starts, [i64(lane)])), values[3])
            rows.append(builder.load(at_row(begin, start), align=4))
        for side in (8, 4, 2, 1):
            lower = ir.Constant(row, [i + LANES - side if i & side else i for i in range(LANES)])
            upper = ir.Constant(row, [i + LANES if i & side else i + side for i in range(LANES)])
            for i in (i for i in range(LANES) if not i & side):
                pair = rows[i], rows[i + side]
                rows[i], rows[i + side] = (builder.shuffle_vector(*pair, mask) for mask in (lower, upper))
        for word in range(LANES):
            builder.store(rows[word], at_row(target, i64(word * LANES)), align=4)
        return context.get_dummy_value()

    return types.void(words, source, at, types.int64), code


@intrinsic
def prefer_wide_vectors(_: Any) -> Any:
    """Let the function that calls this use vectors of 512 bits, which LLVM avoids even on processors that have them."""

    def code(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        # `add` of llvmlite's own set knows few names.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), code
