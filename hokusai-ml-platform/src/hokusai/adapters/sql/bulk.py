"""Many rows in one statement, for each database in the way that is fast there.

SQLite runs one prepared statement over plain tuples. PostgreSQL gets its columns as arrays: ten thousand rows are one
statement to parse and one round trip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Any, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or put them in the place of those with the same `key`; all rows have the same columns."""
    names = list(rows[0])
    statement = insert(connection, table)
    if connection.dialect.name == "sqlite":
        statement = _on_conflict(statement.values({name: bindparam(name) for name in names}), key, names)
        compiled = statement.compile(dialect=connection.dialect)
        connection.exec_driver_sql(str(compiled), list(map(itemgetter(*compiled.positiontup), rows)))
    else:
        listed = _unnest(table, names, [[row[name] for row in rows] for name in names])
        chosen = select(*(listed.c[name] for name in names))
        connection.execute(_on_conflict(statement.from_select(names, chosen), key, names))


def among(connection: Connection, table: Any, names: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> Any:
    """The condition that the columns `names` of a row are among `keys`."""
    columns = tuple_(*(table.c[name] for name in names))
    if connection.dialect.name == "sqlite":
        return columns.in_(keys)
    # PostgreSQL would try a list of pairs one after the other; arrays it can join with.
    listed = _unnest(table, names, [list(part) for part in zip(*keys, strict=True)])
    return columns.in_(select(*(listed.c[name] for name in names)))


def insert(connection: Connection, table: Any) -> Any:
    """An insert of the dialect, which knows `on_conflict_do_nothing`."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _on_conflict(statement: Any, key: Sequence[str], names: Sequence[str]) -> Any:
    new = {name: statement.excluded[name] for name in names if name not in key}
    if not new:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=new)


def _unnest(table: Any, names: Sequence[str], columns: Sequence[list[Any]]) -> Any:
    arrays = [
        bindparam(None, values, postgresql.ARRAY(_plain(table.c[name].type)))
        for name, values in zip(names, columns, strict=True)
    ]
    return func.unnest(*arrays).table_valued(*names).render_derived()


def _plain(kind: Any) -> Any:
    return (
        Text() if isinstance(kind, Text) else kind
    )  # the collation belongs to the column, not to its values
