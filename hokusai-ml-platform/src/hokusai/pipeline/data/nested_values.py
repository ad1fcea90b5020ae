"""Lists and objects as cells: each becomes one text, its canonical JSON (RFC 8785), the same from every file format.

Members of objects without a value are left out: a format of fixed fields, such as Parquet, cannot tell a key that is
absent from one without a value. In lists a missing value keeps its place. NaN is a missing value, as everywhere. What
not every reader of JSON keeps is a fault of its row: infinite numbers, those of more digits than a double gives back,
and integers beyond 2^53.
"""

from __future__ import annotations

import math

from hokusai.domain.canonical import MAX_SAFE_INTEGER, canonical_json
from hokusai.pipeline.data.json_numbers import RoundedFloat

MAX_DEPTH = 100
"""Lists and objects within one another; deeper ones are nobody's data."""
NOT_KEPT = "value that is not kept"

_WITHIN = "within a list or object"


class NotKeptError(ValueError):
    """A list or an object has no text."""


def nested_text(value: object) -> str:
    """The text for a list or an object of JSON values.

    Raises:
        NotKeptError: It has none; the text says why, as the rest of a sentence that quotes nothing.

    >>> nested_text({"b": [1.0, None], "a": None, "B": {"x": "é"}})
    '{"B":{"x":"é"},"b":[1,null]}'
    """
    return canonical_json(_kept(value, 0)).decode()


def nested_note(column: str, what: str) -> str:
    """What is told of a column that holds lists or objects."""
    return f"Column {column!r} holds {what}, each of which was read as its JSON text"


def nested_trouble(value: object) -> str:
    """Why a list or an object has no text; empty if it has one.

    >>> nested_trouble({"id": [2**60]})
    'an integer of 19 digits within a list or object, beyond 2^53'
    """
    try:
        _kept(value, 0)
    except NotKeptError as problem:
        return str(problem)
    return ""


def _kept(value: object, depth: int) -> object:
    """The value as it is written: without NaN, and without members of objects that have no value."""
    if isinstance(value, dict | list):
        if depth == MAX_DEPTH:
            raise NotKeptError(f"lists or objects that are nested more than {MAX_DEPTH} deep")
        if isinstance(value, list):
            return [_kept(item, depth + 1) for item in value]
        members = ((key, _kept(item, depth + 1)) for key, item in value.items())
        return {key: item for key, item in members if item is not None}
    if isinstance(value, float):
        if math.isinf(value):
            raise NotKeptError(f"a number beyond the range of a double {_WITHIN}")
        if isinstance(value, RoundedFloat):
            raise NotKeptError(f"a number of {value.digits} digits {_WITHIN}, which a double would round")
        return None if math.isnan(value) else value
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        raise NotKeptError(f"an integer of {len(str(abs(value)))} digits {_WITHIN}, beyond 2^53")
    return value
