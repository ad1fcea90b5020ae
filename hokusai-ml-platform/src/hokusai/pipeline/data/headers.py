"""Whether the first record of a delimited text is its header, and how a header is written so that it is taken for one.

The columns tell: a word over numbers is a name, a number over numbers is a value, unless it alone stands in quotes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal

from hokusai.pipeline.data.cell_types import CELL_PATTERNS, NO_VALUE, CellType
from hokusai.pipeline.data.scan import ReadOptions

DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")

_MAX_LISTED = 20
_INTEGER = re.compile(CELL_PATTERNS[CellType.INTEGER])
_NO_HEADER = "It has no header: its first record is like the following ones"
_IF_IT_IS_ONE = "; if it is the header, say so: --header"
_DOUBTFUL_HEADER = (
    "Its first record was taken for the header, but could be data like the others; if so, say it: --no-header"
)
_PLAIN_NAME = re.compile(r"(?!PAR1|ARROW1|ORC|GIF8)[^\W\d](?:[\w .:/()%+-]*[\w)%])?")
"""Names of columns with which a file can begin without looking like anything but a header of delimited text."""
_ONLY_IN_CELLS = (re.compile(r"[0-9]"), re.compile(r"\S\s+\S"))
"""What cells have and their name has not: digits as in `q17`, or several words."""
_PLAIN_VALUE = re.compile(
    "|".join(f"(?:{CELL_PATTERNS[kind]})" for kind in CELL_PATTERNS if kind is not CellType.TEXT)
)


def header_in(records: Sequence[bytes], delimiter: str, options: ReadOptions) -> tuple[bool, str]:
    """Whether the first record is a header, and what to tell if that is not sure."""
    rows = [cells_in(record.decode("latin-1"), delimiter) for record in records if record.strip(b"\r\n")]
    first, others = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if options.columns and first != list(options.columns) and len(first) == len(options.columns):
        return False, _NO_HEADER
    if not others or not any(first) or options.types.keys() & set(first) or _is_set_apart(records, delimiter):
        return True, ""
    if all(_is_value(cell, delimiter) for row in (first, *others) for cell in row):
        return False, _NO_HEADER + _IF_IT_IS_ONE
    kinds = [_kind_of(name, below, delimiter) for name, *below in zip(first, *others, strict=True)]
    alike = [i for i, kind in enumerate(kinds) if kind == "value"]
    if "name" in kinds:
        return True, ""
    if not alike or _count_up([first[i] for i in alike]):
        return True, _DOUBTFUL_HEADER
    return False, f"{_NO_HEADER} in {counted([str(i + 1) for i in alike])}{_IF_IT_IS_ONE}"


def header_in_quotes(names: Sequence[str]) -> bool:
    """Whether a header of these names has to be written in quotes, in order to be taken for one when it is read.

    >>> header_in_quotes(["id", "label"]), header_in_quotes(["2019", "2020"])
    (False, True)
    """
    return not all(_PLAIN_NAME.fullmatch(name) and not _is_value(name, ";") for name in names)


def counted(places: Sequence[str]) -> str:
    """`column 2`, or `columns 2, 3 and 5`."""
    shown = list(places[:_MAX_LISTED])
    if len(shown) == 1:
        return f"column {shown[0]}"
    return f"columns {', '.join(shown[:-1])} and {shown[-1]}"


def cells_in(record: str, delimiter: str) -> list[str]:
    """The fields of one record, however it is quoted."""
    with long_fields_allowed():
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])


@contextmanager
def long_fields_allowed() -> Iterator[None]:
    """Raise the limit of 128 KB a field, which the `csv` module keeps for the whole process, for a while."""
    before = csv.field_size_limit(1 << 30)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _is_set_apart(records: Sequence[bytes], delimiter: str) -> bool:
    """Whether quotes are around all of the first record, but below, or in a column below, only where they must be."""
    texts = (record.decode("latin-1") for record in records if record.strip(b"\r\n"))
    first = _raw_fields(next(texts), delimiter)
    if not all(field.startswith('"') for field in first):
        return False
    others = [row for row in (_raw_fields(text, delimiter) for text in texts) if len(row) == len(first)]
    columns = [[field for field in below if field] for below in zip(*others, strict=True)]
    if not any(_is_quoted_freely(field, delimiter) for below in columns for field in below):
        return True
    return any(below and not any(field.startswith('"') for field in below) for below in columns)


def _is_quoted_freely(field: str, delimiter: str) -> bool:
    """Whether a field is in quotes and would be the same without them."""
    inside = field[1:-1]
    return (
        field.startswith('"') and inside == inside.strip() != "" and not set(inside) & {delimiter, *'"\r\n'}
    )


def _raw_fields(record: str, delimiter: str) -> list[str]:
    """The fields of one record with their quotes."""
    comma = re.escape(delimiter)
    return re.findall(rf'("[^"]*(?:""[^"]*)*"|[^{comma}\r\n]*){comma}', record.rstrip("\r\n") + delimiter)


def _kind_of(first: str, below: Sequence[str], delimiter: str) -> Literal["name", "value", "either"]:
    """What the first cell of a column is, by the others."""
    cells = [cell for cell in below if cell and cell not in NO_VALUE]
    if not cells or not first or first in NO_VALUE:
        return "either"
    values = [_is_value(cell, delimiter) for cell in cells]
    if _is_value(first, delimiter):
        if not any(values):
            return "name"
        whole_among_fractions = _INTEGER.fullmatch(first) and not any(map(_INTEGER.fullmatch, cells))
        return "value" if all(values) and not whole_among_fractions else "either"
    only_there = any(not mark.search(first) and all(map(mark.search, cells)) for mark in _ONLY_IN_CELLS)
    return "name" if all(values) or only_there else "either"


def _count_up(names: Sequence[str]) -> bool:
    """Whether numbers are years or places one after the other, which are names rather than values."""
    if not all(_INTEGER.fullmatch(name) for name in names):
        return False
    numbers = [int(name) for name in names]
    steps = {after - before for before, after in pairwise(numbers)}
    years = len(numbers) > 1 and all(1900 <= number <= 2100 for number in numbers)
    return steps == {1} and (years or len(numbers) > 2)


def _is_value(cell: str, delimiter: str) -> bool:
    """Whether a cell is a number, a date, a boolean or nothing."""
    return bool(_PLAIN_VALUE.fullmatch(cell) or (delimiter != "," and DECIMAL_COMMA.fullmatch(cell)))
