"""What a model takes and gives, in the form of MLflow's signatures.

Tables of plain columns and arrays are described here in microseconds; for anything else MLflow's own inference is
asked, whose import takes seconds. Both say the same.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from hokusai.errors import InvalidInputError

Signature = dict[str, Any]
_PARTS = ("inputs", "outputs", "params")
_COLUMNS = {
    "bool": "boolean", "int8": "integer", "int16": "integer", "int32": "integer", "int64": "long",
    "uint8": "integer", "uint16": "integer", "uint32": "long", "float32": "float", "float64": "double",
}  # fmt: skip


def given_signature(signature: Any) -> Signature:
    """A signature that a caller gave: MLflow's object, or a dict.

    Raises:
        InvalidInputError: It is neither.
    """
    told = signature.to_dict() if hasattr(signature, "to_dict") else signature
    if not isinstance(told, Mapping) or not set(told) <= set(_PARTS) or not told.get("inputs"):
        raise InvalidInputError(
            f"The signature is {type(signature).__name__} {str(signature)[:60]!r}",
            where="signature",
            hint="Give mlflow.models.infer_signature(input, output), or its to_dict().",
        )
    return {part: _as_text(told.get(part), part) for part in _PARTS}


def inferred_signature(rows: Any, answer: Any) -> Signature | None:
    """The signature that follows from input and output; None where MLflow knows none either."""
    inputs, outputs = _described(rows), _described(answer)
    if inputs is not None and outputs is not None:
        return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}
    if not (_is_data(rows) and _is_data(answer)):
        return None
    # MLflow refuses in many ways what it cannot tell.
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        from mlflow.models import infer_signature

        return given_signature(infer_signature(rows, answer))
    return None


def known_features(names: Sequence[str] | None, count: int | None) -> Signature | None:
    """The little that a model knows of its input by itself: names or number of its features, no types."""
    if names is not None:
        inputs: list[dict[str, Any]] = [{"type": "any", "name": name, "required": False} for name in names]
    elif count is not None:
        inputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, int(count)]}}]
    else:
        return None
    return {"inputs": json.dumps(inputs), "outputs": None, "params": None}


def _described(data: Any) -> list[dict[str, Any]] | None:
    """Columns of a table, or type and shape of an array of numbers; None for anything else."""
    import numpy as np

    if isinstance(data, np.ndarray) and data.dtype.kind in "biuf" and data.ndim:
        shape = [-1, *data.shape[1:]]
        return [{"type": "tensor", "tensor-spec": {"dtype": data.dtype.name, "shape": shape}}]
    if not hasattr(data, "columns") or not hasattr(data, "dtypes") or not hasattr(data, "isna"):
        return None
    kinds = [_COLUMNS.get(str(dtype)) for dtype in data.dtypes]
    if not kinds or None in kinds or not all(isinstance(name, str) for name in data.columns):
        return None
    gaps = data.isna().any().tolist()
    return [
        {"type": kind, "name": name, "required": not gap}
        for kind, name, gap in zip(kinds, data.columns, gaps, strict=True)
    ]


def _is_data(thing: Any) -> bool:
    """Whether it is of a kind that MLflow describes; it takes any other object for a text."""
    plain = isinstance(thing, str | bytes | bool | int | float | Mapping | list)
    return plain or type(thing).__module__.partition(".")[0] in ("numpy", "pandas", "scipy")


def _as_text(part: Any, name: str) -> str | None:
    if part is None or isinstance(part, str):
        try:
            json.loads(part or "null")
        except (ValueError, RecursionError) as problem:
            raise InvalidInputError(
                f"The signature's {name} are not JSON",
                where="signature",
                hint="Give what MLflow's to_dict() gives.",
            ) from problem
        return part
    return json.dumps(part)
