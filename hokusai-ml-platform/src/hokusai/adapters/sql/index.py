"""The index of models on a database: what MLflow would search for in 100 ms is found here in a fraction of one.

A row is kept as JSON beside the columns it is found by. Its text is its own revision: a text that was parsed
before is not parsed again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)

from hokusai.adapters.index_keys import contributor_key, keys_of
from hokusai.adapters.sql import bulk
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.tables import FACTS, locations, marks, tags, versions
from hokusai.domain.records import ModelRecord
from hokusai.ports import Page

_CHUNK = 2_000
_LONGEST_KEY = 200  # more may not fit into an index of PostgreSQL


class SqlModelIndex:
    """A `ModelIndex` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._location_ids: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"SqlModelIndex({self._database.location!r})"

    def put(self, location: str, records: Iterable[ModelRecord]) -> None:
        """Write rows as they are now; the same row twice changes nothing."""
        remaining = iter(records)
        while chunk := list(itertools.islice(remaining, _CHUNK)):
            self._database.write(partial(self.put_in, location=location, records=chunk))

    def put_in(self, connection: Connection, location: str, records: Iterable[ModelRecord]) -> None:
        """Write rows in a transaction that is open."""
        where = _locked_location(connection, location)
        # In one order everywhere, and the last one of several that are the same row.
        latest = {(record.name, record.number): record for record in records}
        rows = [_columns(where, latest[key]) for key in sorted(latest)]
        for start in range(0, len(rows), _CHUNK):
            _put_chunk(connection, where, rows[start : start + _CHUNK], latest)

    def drop(self, location: str, rows: Collection[tuple[str, int]] | None = None) -> None:
        """Forget rows by (name, number), or all of the store, its marks too."""

        def work(connection: Connection) -> None:
            where = _locked_location(connection, location)
            if rows is None:
                for table in (tags, versions, marks):
                    connection.execute(delete(table).where(table.c.location_id == where))
                return
            keys = sorted(set(rows))
            for start in range(0, len(keys), _CHUNK):
                _drop_chunk(connection, where, keys[start : start + _CHUNK])

        self._database.write(work)

    def get(self, location: str, name: str, version_key: str) -> ModelRecord | None:
        """The lowest-numbered row that carries the semantic version with this key."""
        return self._one(_GET, location, name=name, version_key=_key(version_key))

    def numbered(self, location: str, name: str, number: int) -> ModelRecord | None:
        """One row by MLflow's number."""
        return self._one(_NUMBERED, location, name=name, number=number)

    def unclaimed_below(self, location: str, name: str, number: int, version_key: str) -> bool:
        """Whether every row below `number` is here, none above, and each carries another semantic version."""
        found = self._of(location, _OTHERS, name=name, version_key=_key(version_key))
        others, highest = found[0] if found else (0, None)
        return (int(others), int(highest or 0)) == (number - 1, number - 1)

    def latest(self, location: str, name: str) -> ModelRecord | None:
        """The highest release that is neither deleted nor deprecated; a pre-release where there is no other."""
        return self._one(_LATEST, location, name=name)

    def page(self, location: str, wanted: Page) -> list[ModelRecord]:
        """One page of rows, newest first."""
        where = self._location_id(location)
        if where is None:
            return []
        facts = {name: getattr(wanted, name) for name in ("name", *FACTS)}
        facts["contributor"] = contributor_key(wanted.contributor)
        given = {
            name: _key(value) if name != "name" else value
            for name, value in facts.items()
            if value is not None
        }
        digests = sorted(_tag_digest(tag, value) for tag, value in wanted.tags.items())
        place = dict(zip(("after_ms", "after_name", "after_number"), wanted.after or (), strict=False))
        statement = _page_statement(
            tuple(given), len(digests), with_deleted=wanted.include_deleted, is_next=wanted.after is not None
        )
        parameters = {
            "location_id": where,
            "at_most": wanted.limit,
            **given,
            **{f"digest_{i}": digest for i, digest in enumerate(digests)},
            **place,
        }
        return [_record(row[0]) for row in self._database.lookup(statement, parameters)]

    def names(self, location: str) -> list[str]:
        """Names of all models that have rows here, sorted."""
        return [str(row[0]) for row in self._of(location, _NAMES)]

    def count(self, location: str) -> int:
        """How many rows there are."""
        return sum(int(row[0]) for row in self._of(location, _COUNT))

    def mark(self, location: str, key: str) -> str | None:
        """A note of how far the copy goes, such as the time of the last poll."""
        found = self._of(location, _MARK, key=key)
        return str(found[0][0]) if found else None

    def set_mark(self, location: str, key: str, value: str) -> None:
        """Write such a note."""

        def work(connection: Connection) -> None:
            where = _locked_location(connection, location)
            row = {"location_id": where, "key": key, "value": value}
            bulk.upsert(connection, marks, ("location_id", "key"), [row])

        self._database.write(work)

    def _one(self, statement: Select[Any], location: str, **parameters: Any) -> ModelRecord | None:
        rows = self._of(location, statement, **parameters)
        return _record(rows[0][0]) if rows else None

    def _of(self, location: str, statement: Select[Any], **parameters: Any) -> Sequence[Any]:
        where = self._location_id(location)
        if where is None:
            return []
        asked = {"location_id": where, **parameters}
        return self._database.lookup(statement, asked, often=statement in _POINTS)

    def _location_id(self, location: str) -> int | None:
        """Its number, which never changes once it has one."""
        known = self._location_ids.get(location)
        if known is None:
            row = self._database.row(_LOCATION, {"location": location})
            if row is None:
                return None
            known = self._location_ids[location] = int(row[0])
        return known


def _is(*names: str) -> list[Any]:
    return [versions.c[name] == bindparam(name) for name in names]


_LOCATION = select(locations.c.id).where(locations.c.location == bindparam("location"))
_GET = (
    select(versions.c.row)
    .where(*_is("location_id", "name", "version_key"))
    .order_by(versions.c.number)
    .limit(1)
)
_OTHERS: Any = select(func.count(), func.max(versions.c.number)).where(
    *_is("location_id", "name"), versions.c.version_key != bindparam("version_key")
)
_NUMBERED = select(versions.c.row).where(*_is("location_id", "name", "number"))
_NAMES = select(versions.c.name).where(*_is("location_id")).distinct().order_by(versions.c.name)
_COUNT = select(func.count()).select_from(versions).where(*_is("location_id"))
_MARK = select(marks.c.value).where(
    marks.c.location_id == bindparam("location_id"), marks.c.key == bindparam("key")
)
_POINTS = {_GET, _NUMBERED, _MARK}
"""Queries for one row by a unique index, which have one plan."""
_same = versions.alias("same_version")
_LATEST = (
    select(versions.c.row)
    .where(
        *_is("location_id", "name"),
        versions.c.precedence.is_not(None),
        versions.c.deprecated == 0,
        versions.c.deleted == 0,
        # Of two rows with one version, the higher number lost the race for it, whatever became of the lower one.
        # Asked of one row after the other, so that it stays cheap for a model of ten thousand versions.
        versions.c.number
        == select(func.min(_same.c.number))
        .where(
            _same.c.location_id == versions.c.location_id,
            _same.c.name == versions.c.name,
            _same.c.precedence == versions.c.precedence,
        )
        .scalar_subquery(),
    )
    .order_by(versions.c.precedence.desc())
    .limit(1)
)


@lru_cache(maxsize=256)
def _page_statement(facts: tuple[str, ...], n_tags: int, *, with_deleted: bool, is_next: bool) -> Select[Any]:
    """The query of a page, in which an index gives the rows in the order of the page: nothing is sorted.

    With tags, it is the index of the first of them. What else must hold is asked of each row by itself, as scalar
    subqueries, which no planner can turn into a join over all rows.
    """
    chosen = [tags.alias(f"tag_{i}") for i in range(n_tags)]
    leading = chosen[0] if chosen else versions
    conditions = [*_is(*facts), *([] if with_deleted else [versions.c.deleted == 0])]
    found: Any = versions.c.row
    if chosen:
        found = _beside(leading, versions, versions.c.row, conditions)
        others = [
            _beside(leading, table, table.c.number, [table.c.digest == bindparam(f"digest_{i}")])
            for i, table in enumerate(chosen[1:], start=1)
        ]
        conditions = [leading.c.digest == bindparam("digest_0")]
        conditions += [answer.is_not(None) for answer in (*others, found)]
    place = [leading.c.created_ms, leading.c.name, leading.c.number]
    if is_next:
        after: list[Any] = [bindparam(name) for name in ("after_ms", "after_name", "after_number")]
        conditions.append(tuple_(*place) < tuple_(*after))
    return (
        select(found)
        .select_from(leading)
        .where(leading.c.location_id == bindparam("location_id"), *conditions)
        .order_by(*(column.desc() for column in place))
        .limit(bindparam("at_most"))
    )


def _beside(leading: Any, table: Any, column: Any, conditions: list[Any]) -> Any:
    """`column` of the row in `table` that belongs to the same version as that of `leading`; NULL if there is none."""
    same = [table.c[name] == leading.c[name] for name in ("location_id", "name", "number")]
    return select(column).where(*same, *conditions).correlate(leading).scalar_subquery()


def _locked_location(connection: Connection, location: str) -> int:
    """The number of a store, whose rows nobody else changes until this transaction ends."""
    query = select(locations.c.id).where(locations.c.location == location).with_for_update()
    found = connection.scalar(query)
    if found is None:
        statement = bulk.insert(connection, locations).on_conflict_do_nothing(index_elements=["location"])
        connection.execute(statement, {"location": location})
        found = connection.scalar(query)
    return int(found or 0)


def _put_chunk(
    connection: Connection,
    where: int,
    rows: list[dict[str, Any]],
    records: Mapping[tuple[str, int], ModelRecord],
) -> None:
    keys = [(row["name"], row["number"]) for row in rows]
    chosen = _among(connection, versions, where, keys)
    query = select(versions.c.name, versions.c.number, versions.c.row).where(chosen)
    existing = {(name, number): text for name, number, text in connection.execute(query)}
    changed = [row for row in rows if existing.get((row["name"], row["number"])) != row["row"]]
    if not changed:
        return
    bulk.upsert(connection, versions, ("location_id", "name", "number"), changed)
    stale = [key for row in changed if (key := (row["name"], row["number"])) in existing]
    if stale:
        connection.execute(delete(tags).where(_among(connection, tags, where, stale)))
    labels = [label for row in changed for label in _tag_rows(row, records[row["name"], row["number"]])]
    if labels:
        bulk.upsert(connection, tags, ("location_id", "name", "number", "digest"), labels)


def _drop_chunk(connection: Connection, where: int, keys: list[tuple[str, int]]) -> None:
    for table in (tags, versions):
        connection.execute(delete(table).where(_among(connection, table, where, keys)))


def _among(connection: Connection, table: Any, where: int, keys: Sequence[tuple[str, int]]) -> Any:
    return and_(table.c.location_id == where, bulk.among(connection, table, ("name", "number"), keys))


def _columns(where: int, record: ModelRecord) -> dict[str, Any]:
    keys = keys_of(record)
    return {
        "location_id": where,
        "name": record.name,
        "number": record.number,
        "created_ms": record.created_ms,
        "version_key": keys.version_key,
        "precedence": keys.precedence,
        **{fact: _key(getattr(keys, fact)) for fact in FACTS},
        "deprecated": int(keys.deprecated),
        "deleted": int(keys.deleted),
        "row": _text(record),
    }


def _tag_rows(row: Mapping[str, Any], record: ModelRecord) -> list[dict[str, Any]]:
    place = {name: row[name] for name in ("location_id", "name", "number", "created_ms")}
    return [{**place, "digest": _tag_digest(tag, value)} for tag, value in record.free_tags.items()]


def _key(value: str | None) -> str | None:
    """`value` as it is indexed: itself, or a digest where it is too long or not to be stored as text."""
    if value is None or (len(value) <= _LONGEST_KEY and "\0" not in value):
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _tag_digest(tag: str, value: str) -> str:
    text = f"{len(tag)} {tag} {value}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _text(record: ModelRecord) -> str:
    """A row as JSON: its fields in their order, in ASCII, which every database can hold."""
    return json.dumps(
        [
            record.name,
            record.number,
            record.source,
            record.run_id,
            dict(record.tags),
            record.created_ms,
            record.updated_ms,
            record.description,
        ],
        separators=(",", ":"),
    )


def _record(text: str) -> ModelRecord:
    return ModelRecord(*json.loads(text))
