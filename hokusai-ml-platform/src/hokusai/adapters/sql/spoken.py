"""Queries as their driver speaks them: written out once, then asked without SQLAlchemy's machinery in between.

A look-up in an index costs the database 10 to 80 µs; building and running it through SQLAlchemy costs 100 µs more, and
PostgreSQL plans it anew each time, for 100 µs again. Who serves predictions asks such questions all day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql.expression import Executable

_NAMED = re.compile(r"%\((\w+)\)s")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A query in the words of one driver.

    Attributes:
        text: The query, with `?` (SQLite) or `%s` (PostgreSQL) for each value.
        names: Which value each of them stands for.
        constants: Values that are part of the query.
        prepare: What makes PostgreSQL plan it once for a connection, if it is worth that; and its name.
    """

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    prepare: str = ""
    name: str = ""

    def ask(self, connection: Any, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, by a connection out of SQLAlchemy's pool."""
        cursor = connection.cursor()
        if self.prepare and self.name not in connection.info:
            cursor.execute(self.prepare)
            connection.info[self.name] = True
        given = {**self.constants, **parameters}
        cursor.execute(self.text, [given[name] for name in self.names])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
        return rows


def spoken(statement: Executable, dialect: Dialect, *, often: bool) -> Spoken:
    """`statement` as the driver of `dialect` speaks it.

    Args:
        statement: A query whose values need no conversion: texts and whole numbers.
        dialect: SQLite's or PostgreSQL's.
        often: Whether it is worth preparing: a query for which one plan is always the best.
    """
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    if dialect.name == "sqlite":
        return Spoken(str(compiled), tuple(compiled.positiontup), constants)
    names = tuple(_NAMED.findall(str(compiled)))
    if not often:
        return Spoken(_NAMED.sub("%s", str(compiled)), names, constants)
    places = iter(range(1, len(names) + 1))
    query = _NAMED.sub(lambda _: f"${next(places)}", str(compiled))
    name = f"hokusai_{next(_numbers)}"
    asked = f"EXECUTE {name} ({', '.join(['%s'] * len(names))})"
    return Spoken(asked, names, constants, f"PREPARE {name} AS {query}", name)
