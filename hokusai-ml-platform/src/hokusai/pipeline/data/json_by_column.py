"""A JSON object of columns, `{"a": [1, 2], "b": [3, 4]}`, as rows: what pandas writes with orient='list'.

Only the whole text says what its first row is, so it is read at once, and written anew as JSON Lines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hokusai.errors import DataError
from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.json_numbers import find_rounded
from hokusai.pipeline.data.json_records import explained, read_document
from hokusai.pipeline.data.source_file import not_utf8

if TYPE_CHECKING:
    from hokusai.pipeline.data.scan import ReadOptions
    from hokusai.pipeline.data.source_file import OpenedFile
    from hokusai.pipeline.data.unpacking import ByteReader


def rows_of_columns(file: OpenedFile, options: ReadOptions) -> bytes:
    """The rows of an object of columns, as JSON Lines.

    Raises:
        DataError: It is none, or too long, or a number of it would lose digits.
    """
    with file.text() as stream:
        data = _up_to(stream, options.limits.record_bytes + 1)
    if len(data) > options.limits.record_bytes:
        raise DataError(
            f"The file is one object of more than {options.limits.record_bytes:,} bytes",
            where=file.name,
            hint="Export it as JSON Lines, one object a line: it can then be of any size.",
        )
    try:
        columns = read_document(data.decode())
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise not_utf8(file.name, data[problem.start], problem.start, line) from problem
    except (ValueError, RecursionError) as problem:
        raise DataError(
            f"The file is not usable JSON: {explained(problem)[1]}",
            where=file.name,
            hint="Rows are an array of objects, [{...}, {...}], or one object a line.",
        ) from problem
    if not isinstance(columns, dict) or not columns or not all(isinstance(v, list) for v in columns.values()):
        raise DataError(
            "The file is one object, but neither a list of records under one key nor a list of values for each column",
            where=file.name,
            hint="Store rows as an array of objects: [{...}, {...}] (in pandas: orient='records').",
        )
    if _is_split(columns):
        raise DataError(
            "The file lists the names of columns beside lists of their values",
            where=file.name,
            hint="Store rows as an array of objects: [{...}, {...}] (in pandas: orient='records').",
        )
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        few, many = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise DataError(
            f"The columns differ in length: {few!r} has {lengths[few]:,} values, {many!r} has {lengths[many]:,}",
            where=file.name,
            hint="Give every column a value for each row, null if it is unknown.",
        )
    for key, values in columns.items():  # written anew, a number would have the digits of its double
        if options.types.get(key) != CellType.FLOAT and (rounded := find_rounded(values)) is not None:
            row = next(row for row, value in enumerate(values, 1) if find_rounded(value) is rounded)
            raise DataError(
                f"Column {key!r} in row {row:,} holds a number of {rounded.digits} digits, which a double would round",
                where=file.name,
                hint="Write such numbers as text, or say in a schema that the column is `float`.",
            )
    rows = zip(*columns.values(), strict=True)
    return b"\n".join(json.dumps(dict(zip(columns, row, strict=True))).encode() for row in rows)


def _is_split(columns: dict[str, list[object]]) -> bool:
    """Whether one list names the columns and another has the rows, as pandas writes with orient='split'."""
    if not {"columns", "data"} <= columns.keys() <= {"columns", "index", "data"}:
        return False
    return all(isinstance(row, list) for row in columns["data"])


def _up_to(stream: ByteReader, n_bytes: int) -> bytes:
    parts = []
    while n_bytes > 0 and (data := stream.read(n_bytes)):
        parts.append(data)
        n_bytes -= len(data)
    return b"".join(parts)
