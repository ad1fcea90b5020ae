"""Lists, structures and maps of Arrow: which of them have a JSON text, the texts, and what they unpack to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hokusai.pipeline.data.nested_values import NotKeptError, nested_text

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def json_texts(array: pa.Array) -> tuple[pl.Series, list[tuple[int, str]]]:
    """Lists and objects as their JSON texts; and the rows, from 0, of those that have none, with what they hold."""
    import polars as pl

    try:
        values = array.to_pylist(maps_as_pydicts="strict")
    except KeyError:  # a map has a key twice; which one, is seen one by one
        values = list(array)
    texts: list[str | None] = []
    faults: list[tuple[int, str]] = []
    for row, value in enumerate(values):
        try:
            texts.append(_text(value))
        except NotKeptError as problem:
            faults.append((row, str(problem)))
            texts.append(None)
    return pl.Series(texts, dtype=pl.String), faults


def is_nested(kind: pa.DataType) -> bool:
    """Whether a type is of lists or objects."""
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


def holds_objects(kind: pa.DataType) -> bool:
    """Whether a type is of objects or maps."""
    import pyarrow as pa

    return bool(pa.types.is_struct(kind) or pa.types.is_map(kind))


def is_json(kind: pa.DataType) -> bool:
    """Whether JSON has all values of the type."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(kind):
        return not is_nested(kind.value_type) and is_json(kind.value_type)
    if is_.is_struct(kind):
        return all(is_json(kind.field(i).type) for i in range(kind.num_fields)) and _names_differ(kind)
    if is_.is_map(kind):
        return is_.is_string(kind.key_type) and is_json(kind.item_type)
    if is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind):
        return is_json(kind.value_type)
    plain = (
        is_.is_null, is_.is_boolean, is_.is_integer, is_.is_floating, is_.is_string, is_.is_large_string,
        is_.is_string_view,
    )  # fmt: skip
    return any(is_kind(kind) for is_kind in plain)


def nested_bytes(array: pa.Array) -> int:
    """About how many bytes the values stand for, those of a dictionary as often as they occur."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            lengths = pc.binary_length(array.dictionary).cast(pa.int64())
            return int(pc.sum(lengths.take(array.indices)).as_py() or 0)
        return 8 * len(array)
    if pa.types.is_struct(kind):
        names = sum(len(kind.field(i).name) + 4 for i in range(kind.num_fields))
        return names * len(array) + sum(nested_bytes(field) for field in array.flatten())
    if pa.types.is_map(kind):
        start, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
        parts = (array.keys.slice(start, stop - start), array.items.slice(start, stop - start))
        return 4 * len(array) + sum(map(nested_bytes, parts))
    if is_nested(kind):
        return 4 * len(array) + nested_bytes(array.flatten())
    return int(array.nbytes)


def _text(value: Any) -> str | None:
    import pyarrow as pa

    if isinstance(value, pa.Scalar):
        try:
            value = value.as_py(maps_as_pydicts="strict")
        except KeyError:
            raise NotKeptError("a map with a key twice") from None
    return None if value is None else nested_text(value)


def _names_differ(kind: pa.DataType) -> bool:
    names = [kind.field(i).name for i in range(kind.num_fields)]
    return len(set(names)) == len(names)
