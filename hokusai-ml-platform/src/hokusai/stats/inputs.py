"""What a comparison accepts as arrays: checked once, at the door, in sentences that say what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hokusai.errors import InvalidInputError
from hokusai.stats.measured import FloatArray, IntArray


def class_indexes(name: str, values: npt.ArrayLike, n_classes: int) -> IntArray:
    """`values` as (n_rows,) indexes into the classes.

    Raises:
        InvalidInputError: Not one-dimensional, no rows, not integers, or outside [0, n_classes).
    """
    array = _one_dimensional(name, values)
    if array.dtype.kind not in "iu":
        raise InvalidInputError(
            f"{name} holds {array.dtype}, expected integer class indexes",
            hint="Encode each label as its place in `classes`.",
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= n_classes:
        raise InvalidInputError(
            f"{name} holds the class index {low if low < 0 else high}, there are {n_classes} classes"
        )
    return array.astype(np.int64, copy=False)


def numbers(name: str, values: npt.ArrayLike) -> FloatArray:
    """`values` as (n_rows,) finite floats.

    Raises:
        InvalidInputError: Not one-dimensional, no rows, not numbers, or not finite.
    """
    return _finite(name, _one_dimensional(name, values))


def class_scores(name: str, values: npt.ArrayLike, n_classes: int, positive: int | None) -> FloatArray:
    """`values` as (n_rows, n_classes) finite scores.

    A (n_rows,) array is the score of the positive class; the other class's column is then its negative, which
    ranks the rows alike.

    Raises:
        InvalidInputError: Another shape, not numbers, or not finite.
    """
    array = _finite(name, np.asarray(values))
    if array.ndim == 2 and array.shape[1] == n_classes:
        return array
    if array.ndim == 1 and positive is not None:
        columns = np.empty((len(array), n_classes))
        columns[:] = -array[:, None]
        columns[:, positive] = array
        return columns
    wanted = f"(n_rows, {n_classes})" + (" or (n_rows,)" if positive is not None else "")
    raise InvalidInputError(f"{name} has the shape {array.shape}, expected {wanted}")


def same_length(arrays: Mapping[str, npt.NDArray[np.generic]]) -> int:
    """The number of rows, which must be one for all.

    Raises:
        InvalidInputError: The lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        stated = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InvalidInputError(
            f"The numbers of rows differ: {stated}",
            hint="Both models must answer the same benchmark rows, in one order.",
        )
    return next(iter(lengths.values()))


def _one_dimensional(name: str, values: npt.ArrayLike) -> npt.NDArray[np.generic]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInputError(f"{name} has the shape {array.shape}, expected one dimension")
    if not len(array):
        raise InvalidInputError(f"{name} has no rows", hint="A comparison needs at least one benchmark row.")
    return array


def _finite(name: str, array: npt.NDArray[np.generic]) -> FloatArray:
    if array.dtype.kind not in "iuf":
        raise InvalidInputError(f"{name} holds {array.dtype}, expected numbers")
    floats = array.astype(np.float64, copy=False)
    bad = np.argwhere(~np.isfinite(floats))
    if len(bad):
        row = int(bad[0, 0])
        raise InvalidInputError(
            f"{name} is not finite in {len({int(r) for r in bad[:, 0]})} of {len(floats)} rows",
            where=f"first in row {row}",
        )
    return floats
