"""Benchmarks on a database, with their uses, numbered without gaps, and the state of their feedback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from hokusai.adapters.shelf_events import benchmark_added, benchmark_used
from hokusai.adapters.sql import bulk
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.tables import benchmark_uses, benchmarks, ladders
from hokusai.adapters.sql.trail import append
from hokusai.domain.audit import checked_happening
from hokusai.domain.benchmark import Benchmark, BenchmarkUse, UsePurpose, checked_use
from hokusai.domain.canonical import canonical_json, parse_json, require_sha256
from hokusai.domain.contribution import party_key
from hokusai.errors import ConflictError, IntegrityError, NotFoundError


class SqlBenchmarkShelf:
    """A `BenchmarkShelf` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"SqlBenchmarkShelf({self._database.location!r})"

    def put(self, benchmark: Benchmark, *, actor: str = "") -> None:
        """Keep a benchmark; one that is there stays as it is."""
        values = {
            "sha256": benchmark.sha256,
            "name": benchmark.name,
            "record": canonical_json(benchmark.to_dict()).decode(),
        }

        def work(connection: Connection) -> None:
            made = connection.execute(
                bulk.insert(connection, benchmarks)
                .values(values)
                .on_conflict_do_nothing(index_elements=["sha256"])
                .returning(benchmarks.c.number)
            ).scalar_one_or_none()
            if made is not None:
                append(connection, [checked_happening(benchmark_added(benchmark, actor))])

        self._database.write(work)

    def get(self, sha256: str) -> Benchmark:
        """The benchmark with this identity."""
        found = self._database.row(_RECORD, {"sha256": require_sha256(sha256, "benchmark")})
        if found is None:
            raise _unknown(sha256)
        return _benchmark(found)

    def find(self, name: str | None = None, *, prefix: str = "") -> list[Benchmark]:
        """Benchmarks of a name, or whose identity begins with `prefix`, or all; the latest put first."""
        table = benchmarks.c
        statement = select(table.sha256, table.record).order_by(table.number.desc())
        if not f"{name or ''}{prefix}".isprintable():
            return []  # no database would take it
        if name is not None:
            statement = statement.where(table.name == name)
        if prefix:
            statement = statement.where(table.sha256 >= prefix, table.sha256 < prefix + "g")
        return [_benchmark(row) for row in self._database.rows(statement)]

    def use(
        self,
        benchmark_sha256: str,
        purpose: UsePurpose,
        subject: str,
        submitter: str,
        *,
        limit: int | None = None,
        actor: str = "",
    ) -> BenchmarkUse:
        """Count a use; the same subject again is the same use."""
        wanted = BenchmarkUse(benchmark_sha256, purpose, subject, submitter, number=1)

        def work(connection: Connection) -> BenchmarkUse:
            number = _locked(connection, benchmark_sha256)
            counted = {"benchmark": number, "purpose": purpose.value}
            found = connection.execute(_SAME_USE, {**counted, "subject": subject}).one_or_none()
            if found is not None:
                return _use(benchmark_sha256, found)
            key = party_key(submitter)
            before = connection.scalar(_COUNTED, counted) or 0
            own = connection.scalar(_OF_SUBMITTER, {**counted, "submitter_key": key}) or 0
            use = checked_use(replace(wanted, number=before + 1), by_submitter=own, limit=limit)
            last = connection.scalar(_LAST, {"benchmark": number}) or 0
            row = {**use.to_dict(), "benchmark": number, "sequence": last + 1, "submitter_key": key}
            del row["benchmark_sha256"]
            connection.execute(benchmark_uses.insert(), row)
            append(connection, [checked_happening(benchmark_used(use, actor))])
            return use

        return self._database.write(work)

    def uses(
        self,
        benchmark_sha256: str,
        *,
        purpose: UsePurpose | None = None,
        submitter: str | None = None,
    ) -> list[BenchmarkUse]:
        """The uses of a benchmark, in the order in which they were counted."""
        table = benchmark_uses.c
        statement = select(benchmark_uses).where(table.benchmark == self._number(benchmark_sha256))
        if purpose is not None:
            statement = statement.where(table.purpose == purpose.value)
        if submitter is not None:
            statement = statement.where(table.submitter_key == party_key(submitter))
        rows = self._database.rows(statement.order_by(table.sequence))
        return [_use(benchmark_sha256, row) for row in rows]

    def ladder(self, benchmark_sha256: str) -> tuple[bytes, int]:
        """What is remembered for the next submission's feedback, and its version."""
        number = self._number(benchmark_sha256)
        found = self._database.row(_LADDER, {"benchmark": number})
        return (bytes(found.state), found.version) if found else (b"", 0)

    def set_ladder(self, benchmark_sha256: str, state: bytes, *, version: int) -> int:
        """Replace what is remembered at `version`, and give the version that it has then."""

        def work(connection: Connection) -> int:
            number = _locked(connection, benchmark_sha256)
            found = connection.execute(_LADDER, {"benchmark": number}).one_or_none()
            if (found.version if found else 0) != version:
                raise ConflictError(
                    "Somebody else's submission was answered meanwhile", where=benchmark_sha256
                )
            values = {"version": version + 1, "state": state}
            if found is None:
                connection.execute(ladders.insert(), {"benchmark": number, **values})
            else:
                connection.execute(update(ladders).where(ladders.c.benchmark == number).values(values))
            return version + 1

        return self._database.write(work)

    def _number(self, sha256: str) -> int:
        found = self._database.row(_NUMBER, {"sha256": require_sha256(sha256, "benchmark")})
        if found is None:
            raise _unknown(sha256)
        return int(found.number)


_RECORD = select(benchmarks.c.sha256, benchmarks.c.record).where(benchmarks.c.sha256 == bindparam("sha256"))
_NUMBER = select(benchmarks.c.number).where(benchmarks.c.sha256 == bindparam("sha256"))
_OF_PURPOSE = (
    benchmark_uses.c.benchmark == bindparam("benchmark"),
    benchmark_uses.c.purpose == bindparam("purpose"),
)
_SAME_USE = select(benchmark_uses).where(*_OF_PURPOSE, benchmark_uses.c.subject == bindparam("subject"))
_COUNTED = select(func.max(benchmark_uses.c.number)).where(*_OF_PURPOSE)
_OF_SUBMITTER = select(func.count()).where(
    *_OF_PURPOSE, benchmark_uses.c.submitter_key == bindparam("submitter_key")
)
_LAST = select(func.max(benchmark_uses.c.sequence)).where(
    benchmark_uses.c.benchmark == bindparam("benchmark")
)
_LADDER = select(ladders.c.version, ladders.c.state).where(ladders.c.benchmark == bindparam("benchmark"))


def _locked(connection: Connection, sha256: str) -> int:
    """The number of a benchmark, whose uses nobody else counts until the transaction ends."""
    number = connection.scalar(_NUMBER.with_for_update(), {"sha256": require_sha256(sha256, "benchmark")})
    if number is None:
        raise _unknown(sha256)
    return int(number)


def _unknown(sha256: str) -> NotFoundError:
    return NotFoundError("There is no such benchmark", where=sha256)


def _benchmark(row: Row[Any]) -> Benchmark:
    """The benchmark in a row; one that somebody changed by hand is not the one that was asked for."""
    told: Any = parse_json(row.record.encode())
    benchmark = Benchmark.from_dict(told)
    if benchmark.sha256 != row.sha256:
        raise IntegrityError("The benchmark was changed after it was added", where=row.sha256)
    return benchmark


def _use(benchmark_sha256: str, row: Row[Any]) -> BenchmarkUse:
    return BenchmarkUse(
        benchmark_sha256, UsePurpose(row.purpose), row.subject, row.submitter, int(row.number)
    )
