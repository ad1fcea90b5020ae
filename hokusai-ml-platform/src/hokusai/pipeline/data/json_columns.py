"""Records of JSON values become columns, one kind of value in each, with every value kept exactly.

JSON says what is a number and what is text, so nothing is guessed: a column that holds both is at fault, and so are
integers that 64 bits or a double beside them cannot hold. Lists and objects are one kind, and become their JSON text
(`nested_values`); beside plain values they are at fault. A key that a record lacks is null, wherever in the file it
first appears, and is noted. A column whose type was told beforehand is measured by that.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hokusai.errors import DataError
from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.column_values import MAX_EXACT, TIME_FORMATS
from hokusai.pipeline.data.json_fit import (
    INT64,
    KIND_OF_TYPE,
    NESTED,
    NESTED_KINDS,
    Settled,
    are_times,
    beyond,
    digits_of,
    misfit,
    with_article,
)
from hokusai.pipeline.data.json_numbers import RoundedFloat
from hokusai.pipeline.data.json_records import KIND_WORDS
from hokusai.pipeline.data.nested_values import nested_note, nested_trouble
from hokusai.pipeline.data.source_file import listed

_FLOATS = {float, RoundedFloat}
_MAX_PROBLEMS = 20
_MAX_NOTES = 20
_RATIO_MATTERS_FROM = 1 << 22
"""Cells of a table below which it may be as empty as it likes: 4 million take a second and 32 MB."""
_SURE: Mapping[CellType, set[type]] = {CellType.TEXT: {str, list, dict}, CellType.BOOLEAN: {bool}}
"""Types whose values surely fit a type that was told."""


@dataclass(slots=True)
class _Column:
    """One column over all records so far. Kinds and faults are kept with the place where each was first seen.

    `absent` and `nulls` count among the `seen` records; the others lack the key.
    """

    counts: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, int] = field(default_factory=dict)
    fractions: bool = False
    inexact: tuple[int, int] | None = None
    faults: list[str] = field(default_factory=list)
    seen: int = 0
    absent: int = 0
    nulls: int = 0


class Survey:
    """Learns what each column holds from one piece of records after another.

    Args:
        name: The file, for messages.
        word: What a place is called, such as `line`.
        types: Types that columns were told to have.
        max_columns: More columns are refused.

    >>> survey = Survey("a.json", "record", {}, 100)
    >>> survey.see([{"a": 1, "b": "x"}, {"a": 0.5}], [1, 2])
    >>> survey.settled()
    {'a': Settled(kind='number', fractions=True, wanted=None), 'b': Settled(kind='text', fractions=False, wanted=None)}
    """

    def __init__(self, name: str, word: str, types: Mapping[str, str], max_columns: int) -> None:
        self._name = name
        self._word = word
        self._types = {column: CellType(kind) for column, kind in types.items()}
        self._max_columns = max_columns
        self._columns: dict[str, _Column] = {}
        self._given = 0
        self.records = 0

    def see(self, records: Sequence[dict[str, Any]], places: Sequence[int]) -> None:
        """Take the next records into account.

        Raises:
            DataError: There are too many columns.
        """
        given = sum(map(len, records))
        whole = given == len(self._columns) * len(records)
        try:
            columns = {key: [record[key] for record in records] for key in self._columns} if whole else None
        except KeyError:
            columns = None
        if columns is None:
            self._meet(records)
            if 2 * given < len(self._columns) * len(records):
                self._see_sparse(records, places)
                columns = {}
            else:
                columns = {key: [record.get(key) for record in records] for key in self._columns}
            for key, values in columns.items():
                if None in values:
                    self._columns[key].absent += sum(key not in record for record in records)
        for key, values in columns.items():
            self._learn(key, values, places)
        self.records += len(records)
        self._given += given

    def require_filled(self, max_ratio: int) -> None:
        """Check that a table of the records is worth its size: a few bytes may ask for a table of any size.

        Raises:
            DataError: It has more cells than `max_ratio` times the values that the records give.
        """
        cells = self.records * len(self._columns)
        if cells > max(_RATIO_MATTERS_FROM, max_ratio * self._given):
            raise DataError(
                f"The records have {len(self._columns):,} different keys, but each of them has only "
                f"{self._given / self.records:,.1f} on average: a table of them would be empty",
                where=self._name,
                hint="Keys are column names. If the keys are data, give each record a key and a value column.",
            )

    def holds_objects_only(self) -> bool:
        """Whether every value is an object."""
        return bool(self._columns) and all(c.kinds.keys() == {"object"} for c in self._columns.values())

    def settled(self) -> dict[str, Settled]:
        """What each column holds; where there are several kinds, the one that most values have, or else the first."""
        return {key: self._settle(key, column) for key, column in self._columns.items()}

    def nulls(self) -> dict[str, int]:
        """How many values of each column are missing."""
        return {key: column.nulls + self.records - column.seen for key, column in self._columns.items()}

    def problems(self) -> list[str]:
        """What keeps columns from being read, each as a sentence with the place where it was first seen."""
        found = []
        for key, column in self._columns.items():
            found.extend(column.faults)
            if self._types.get(key) in (None, CellType.TEXT):
                found.extend(self._of_kinds(key, column))
            if column.fractions and column.inexact is not None and len(column.kinds) == 1:
                place, value = column.inexact
                found.append(
                    f"Column {key!r} in {self._at(place)} holds {digits_of(value)}, which would be rounded beside "
                    "fractions"
                )
        return found

    def refusal(self) -> DataError:
        """The error for `problems()`."""
        found = self.problems()
        return DataError(
            listed(found, len(found), _MAX_PROBLEMS),
            where=self._name,
            hint="A column holds one kind of plain value: numbers without quotes, or all as text; long identifiers "
            "as text; long fractions as text, or rounded where a schema says `float`; null where a value is unknown; "
            "or lists and objects only. Rows must be the outermost objects "
            "(in pandas: orient='records').",
        )

    def notes(self) -> list[str]:
        """What is worth telling: keys that some records lack, and columns that are not plain."""
        absent = {key: column.absent + self.records - column.seen for key, column in self._columns.items()}
        lacked = [(key, n_absent) for key, n_absent in absent.items() if n_absent]
        notes = [
            f"Column {key!r} is absent from {n_absent:,} of {self.records:,} records, and read as missing there"
            for key, n_absent in lacked[:_MAX_NOTES]
        ]
        if len(lacked) > _MAX_NOTES:
            notes.append(f"So are {len(lacked) - _MAX_NOTES:,} more columns from some records")
        notes += [
            nested_note(key, " and ".join(f"{kind}s" for kind in sorted(NESTED_KINDS & column.kinds.keys())))
            for key, column in self._columns.items()
            if self._settle(key, column).kind == NESTED
        ]
        return notes

    def _see_sparse(self, records: Sequence[dict[str, Any]], places: Sequence[int]) -> None:
        """Learn from the values that there are: what is absent from most records costs nothing."""
        columns: dict[str, tuple[list[Any], list[int]]] = {}
        for record, place in zip(records, places, strict=True):
            for key, value in record.items():
                values, at = columns.setdefault(key, ([], []))
                values.append(value)
                at.append(place)
        for key, (values, at) in columns.items():
            self._learn(key, values, at)

    def _meet(self, records: Sequence[dict[str, Any]]) -> None:
        for key in dict.fromkeys(itertools.chain.from_iterable(records)):
            if key not in self._columns:
                self._columns[key] = _Column()
                if not key.strip():
                    self._columns[key].faults.append("A record has a key without a name")
        if len(self._columns) > self._max_columns:
            raise DataError(
                f"The records have more than {self._max_columns:,} different keys",
                where=self._name,
                hint="Keys are column names. If the keys are data, give each record a key and a value column.",
            )

    def _learn(self, key: str, values: list[Any], places: Sequence[int]) -> None:
        column = self._columns[key]
        column.seen += len(values)
        types = set(map(type, values))
        n_values = len(values)
        if type(None) in types:
            types.remove(type(None))
            n_values -= (n_nulls := values.count(None))
            column.nulls += n_nulls
        for kind in {KIND_WORDS[of] for of in types} - column.kinds.keys():
            column.kinds[kind] = next(
                place for value, place in zip(values, places, strict=True) if KIND_WORDS[type(value)] == kind
            )
        if len(column.kinds) > 1:
            column.counts.update(KIND_WORDS[type(value)] for value in values if value is not None)
        elif types:
            column.counts[next(iter(column.kinds))] += n_values
        column.fractions |= not types.isdisjoint(_FLOATS)
        wanted = self._types.get(key)
        if wanted in (None, CellType.TEXT) and not types.isdisjoint((list, dict)):
            self._learn_nested(column, key, values, places)
        if wanted is not None:
            self._compare(key, wanted, types, values, places)
        elif RoundedFloat in types or (float in types and (math.inf in values or -math.inf in values)):
            place, value = _first(
                values, places, lambda value: isinstance(value, float) and beyond(value) != ""
            )
            column.faults.append(f"Column {key!r} in {self._at(place)} holds {beyond(value)}")
        if int in types and wanted in (None, CellType.INTEGER):
            only = len(types) == 1 and n_values == len(values)
            integers = values if only else [value for value in values if type(value) is int]
            low, high = min(integers), max(integers)
            if wanted is None and (low < INT64[0] or high > INT64[1]):
                place, value = _first(
                    values, places, lambda v: type(v) is int and not INT64[0] <= v <= INT64[1]
                )
                column.faults.append(
                    f"Column {key!r} in {self._at(place)} holds {digits_of(value)}, beyond 64 bits"
                )
            elif max(-low, high) > MAX_EXACT and column.inexact is None:
                column.inexact = _first(values, places, lambda v: type(v) is int and abs(v) > MAX_EXACT)

    def _compare(
        self, key: str, wanted: CellType, types: set[type], values: list[Any], places: Sequence[int]
    ) -> None:
        """Note the first value that does not fit the type that the column was told to have."""
        column = self._columns[key]
        if column.faults or not types:
            return
        sure = _SURE.get(wanted, set())
        if types <= sure or (wanted in TIME_FORMATS and types == {str} and are_times(values, wanted)):
            return
        for value, place in zip(values, places, strict=True):
            if value is not None and type(value) not in sure and (found := misfit(value, wanted)):
                column.faults.append(
                    f"Column {key!r} must be {wanted}, but holds {found} in {self._at(place)}"
                )
                return

    def _learn_nested(self, column: _Column, key: str, values: list[Any], places: Sequence[int]) -> None:
        """Note the first list or object that has no text."""
        if column.faults:
            return
        for value, place in zip(values, places, strict=True):
            if type(value) in (list, dict) and (found := nested_trouble(value)):
                column.faults.append(f"Column {key!r} in {self._at(place)} holds {found}")
                return

    def _of_kinds(self, key: str, column: _Column) -> list[str]:
        nested = [(kind, place) for kind, place in column.kinds.items() if kind in NESTED_KINDS]
        plain = [(kind, place) for kind, place in column.kinds.items() if kind not in NESTED_KINDS]
        if nested and plain:
            (one, first), (other, second) = nested[0], plain[0]
            return [
                f"Column {key!r} holds {with_article(one)} in {self._at(first)}, but {other} in {self._at(second)}"
            ]
        if len(plain) > 1 and self._types.get(key) is None:
            (one, first), (other, second) = sorted(plain, key=lambda item: item[1])[:2]
            return [f"Column {key!r} is {one} in {self._at(first)}, but {other} in {self._at(second)}"]
        return []

    def _settle(self, key: str, column: _Column) -> Settled:
        counts: Counter[str] = Counter()
        first: dict[str, int] = {}
        for of, place in column.kinds.items():
            kind = NESTED if of in NESTED_KINDS else of
            counts[kind] += column.counts[of]
            first[kind] = min(place, first.get(kind, place))
        kind = max(first, key=lambda kind: (counts[kind], -first[kind]), default="null")
        wanted = self._types.get(key)
        if wanted is not None and not (wanted is CellType.TEXT and kind == NESTED):
            return Settled(KIND_OF_TYPE[wanted], column.fractions, wanted)
        return Settled(kind, column.fractions and kind == "number")

    def _at(self, place: int) -> str:
        return f"{self._word} {place:,}"


def _first(values: list[Any], places: Sequence[int], fits: Callable[[Any], bool]) -> tuple[int, Any]:
    """The first value that fits, with its place."""
    return next((place, value) for value, place in zip(values, places, strict=True) if fits(value))
