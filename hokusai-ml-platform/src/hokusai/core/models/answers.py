"""What comes back is of the kind that went in.

A web service has JSON and wants JSON back; a notebook has a table and wants an array. So a dict or a list becomes
what a framework can read, and the framework's answer becomes JSON values again; everything else passes as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hokusai.errors import InvalidInputError

_SCALARS = (str, bool, int, float, type(None))
Reply = Callable[[Any], Any]


def as_rows(data: Any, names: Sequence[str] | None, *, where: str = "data") -> tuple[Any, Reply]:
    """`data` as rows for a framework, and how to give the answer back.

    Args:
        data: A record (dict), a table (dict of lists), a list of records, of rows or of texts, a table or an array.
        names: The features' names in the model's order; None where the model knows none.
        where: What asked, for errors.

    Returns:
        A DataFrame where names are known, else an array; and the function that makes the answer of the same kind.

    Raises:
        InvalidInputError: A record lacks a feature, or the rows differ in length.

    >>> rows, reply = as_rows({"b": 2, "a": 1}, ["a", "b"])
    >>> rows.to_dict("records"), reply([0.5])
    ([{'a': 1, 'b': 2}], 0.5)
    """
    if isinstance(data, Mapping):
        columns = [value for value in data.values() if isinstance(value, list | tuple)]
        if data and len(columns) == len(data):
            return _table(data, names, where), to_json
        return _table([data], names, where), lambda answer: to_json(answer)[0]
    if isinstance(data, list | tuple):
        if data and all(isinstance(row, Mapping) for row in data):
            return _table(list(data), names, where), to_json
        return _array(data, where), to_json
    return data, lambda answer: answer


def mirrored(data: Any, answer: Any) -> Any:
    """`answer` as JSON values if `data` was JSON-like, else as it is."""
    return to_json(answer) if isinstance(data, (Mapping, list, tuple, *_SCALARS)) else answer


def to_json(value: Any) -> Any:
    """`value` as JSON values: arrays as lists, tables as records, tensors as lists, keys as text.

    >>> import numpy as np
    >>> to_json({"p": np.array([0.25, 0.75]), 1: np.int64(3)})
    {'p': [0.25, 0.75], '1': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if isinstance(value, (*_SCALARS, type)):
        return value
    plain = _unwrapped(value)
    return value if plain is value else to_json(plain)


def _unwrapped(value: Any) -> Any:
    """What an object of a library holds, as Python's own kinds; itself where it is none that we know."""
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().cpu()
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return value.to_dict("records") if hasattr(value, "iloc") else value.to_dicts()
    for method in ("toDict", "tolist", "to_list"):  # DSPy's; NumPy's, PyTorch's and pandas's; polars's
        if hasattr(value, method):
            return getattr(value, method)()
    return value


def _table(data: Any, names: Sequence[str] | None, where: str) -> Any:
    import pandas as pd

    try:
        frame = pd.DataFrame(data)
    except ValueError as problem:
        raise InvalidInputError(f"The rows do not make a table: {problem}", where=where) from problem
    if names is None:
        return frame.to_numpy()
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise InvalidInputError(
            f"The input lacks {', '.join(map(repr, lacking[:5]))}"
            + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""),
            where=where,
            hint=f"The model needs {', '.join(map(str, names[:10]))}" + (", …" if len(names) > 10 else "."),
        )
    return frame[list(names)]


def _array(data: Sequence[Any], where: str) -> Any:
    import numpy as np

    if any(isinstance(row, str) for row in data):
        return list(data)  # texts, as vectorizers read them
    try:
        return np.asarray(data)
    except ValueError as problem:
        raise InvalidInputError(f"The rows do not make an array: {problem}", where=where) from problem
