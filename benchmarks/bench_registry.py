"""The registry beside MLflow: registering, looking up, listing, promoting, starting; on SQLite and PostgreSQL.

Each figure is the median wall time of calls that took turns in one run, with the CPU time of this process beside it.
The many versions are written into MLflow's tables by plain SQL, and the index is rebuilt from them by the same code
that `hokusai index rebuild` runs.

    python benchmarks/bench_registry.py [--many 100000] [--searched 10000] [--rounds 30] [--default-rounds 2]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sqlalchemy import column, create_engine, insert, table

from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow, with_driver
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.core.rebuild import rebuild
from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager

VERSIONS_A_MODEL = 500
HITS = 5
"""How many versions belong to one token, and to one contributor."""


@dataclass(frozen=True)
class Timing:
    """Median wall and CPU milliseconds of one call."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Place:
    """Where things are kept in one round of the benchmark."""

    name: str
    tracking_uri: str
    ledger_url: str
    artifacts: Path

    def registry(self) -> ModelRegistry:
        """A registry on this place."""
        store = MlflowModelStore(self.tracking_uri, str(self.artifacts))
        return ModelRegistry(store=store, ledger=SqlLedger(self.ledger_url), actor="benchmark")


def main(many: int, searched: int, rounds: int, default_rounds: int) -> None:
    """Measure everything and print it side by side."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as folder:
        for places in (sqlite_places(Path(folder)), postgres_places(Path(folder))):
            with contextlib.closing(places) as made:
                measure(made, many, searched, rounds, default_rounds)
        starting(Path(folder), rounds=5)


def measure(places: Iterator[Place], many: int, searched: int, rounds: int, default_rounds: int) -> None:
    """All figures but the first start, on one kind of database."""
    place = next(places)
    print(f"\n{place.name}\n{'=' * len(place.name)}")
    registering(place, rounds, default_rounds)
    promoting(place, rounds)
    timings: dict[int, dict[str, Timing]] = {}
    for size in (100, searched, many):
        place = next(places)
        fill(place, size)
        registry = place.registry()
        started = time.perf_counter()
        rebuild(registry.store, registry.ledger)
        print(f"  index of {size:,} versions rebuilt in {time.perf_counter() - started:.1f} s")
        timings[size] = looking_up(registry, size, rounds * 10)
        if size == searched:
            searches = searching(place, size, rounds)
    header = f"  {'ms, median (CPU)':<26}" + "".join(f"{size:>18,}" for size in timings)
    print(header + f"{'ratio':>8}{'target':>9}{f'MLflow at {searched:,}':>20}{'faster':>9}")
    for what in timings[many]:
        row = "".join(f"{shown(timings[size][what]):>18}" for size in timings)
        ratio = timings[many][what].wall / timings[100][what].wall
        target = "<= 20 ms" if what.startswith("list") else "<= 1.5"
        line = f"  {what:<26}{row}{ratio:>8.2f}{target:>9}"
        if what in searches:
            faster = searches[what].wall / timings[searched][what].wall
            line += f"{shown(searches[what]):>20}{faster:>8.0f}x"
        print(line)


def registering(place: Place, rounds: int, default_rounds: int) -> None:
    """The same fitted model with the same example, by us and by MLflow."""
    import mlflow

    rows = np.random.default_rng(0).normal(size=(200, 8))
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    registry = place.registry()
    mlflow.set_tracking_uri(with_driver(place.tracking_uri))
    mlflow.set_registry_uri(with_driver(place.tracking_uri))
    mlflow.create_experiment("bench", artifact_location=str(place.artifacts / "mlflow"))
    mlflow.set_experiment("bench")
    signature = mlflow.models.infer_signature(rows[:5], model.predict(rows[:5]))
    numbers = iter(range(1, 1_000_000))

    def ours() -> None:
        registry.register_model(model, "ours", f"1.{next(numbers)}.0", {"accuracy": 0.9}, signature=signature)

    def theirs(**options: Any) -> None:
        with mlflow.start_run(), contextlib.redirect_stderr(io.StringIO()):
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name="theirs", signature=signature, **options
            )

    ours(), theirs(pip_requirements=[])
    timed = taking_turns({"ours": ours, "without": lambda: theirs(pip_requirements=[])}, rounds)
    defaults = taking_turns({"default": theirs}, default_rounds)["default"]
    mine, without = timed["ours"], timed["without"]
    print(f"  register a model             {shown(mine)}")
    print(
        f"  log_model, its defaults      {shown(defaults)}   {defaults.wall / mine.wall:.0f}x   target 100x"
    )
    print(f"  log_model, no inference      {shown(without)}   {without.wall / mine.wall:.1f}x   target 3x")


def promoting(place: Place, rounds: int) -> None:
    """Promotion and rollback, all included, beside one call that sets an alias."""
    registry = place.registry()
    manager = ModelVersionManager(registry)
    client = open_client(place.tracking_uri)
    versions = [str(record.version) for record in registry.versions_of("ours")[: rounds + 2]][::-1]
    manager.promote_model("ours", versions[0])
    following = iter(versions[1:])

    def promote() -> None:
        manager.promote_model("ours", next(following))

    def roll_back() -> None:
        manager.rollback_model("ours")

    turn = iter(range(1, 1_000_000))

    def alias() -> None:
        client.set_registered_model_alias("theirs", "production", 1 + next(turn) % 2)

    up = taking_turns({"promote": promote, "alias": alias}, rounds)
    down = taking_turns({"roll back": roll_back, "alias": alias}, rounds - 2)
    for what, timing, beside in (
        ("promote", up["promote"], up["alias"]),
        ("roll back", down["roll back"], down["alias"]),
    ):
        print(
            f"  {what:<28} {shown(timing)}   MLflow's alias call {shown(beside)}   "
            f"{timing.wall / beside.wall:.1f}x (CPU {timing.cpu / beside.cpu:.1f}x)   target <= 4x"
        )


def looking_up(registry: ModelRegistry, size: int, rounds: int) -> dict[str, Timing]:
    """Look-ups of versions that differ from call to call."""
    choose = np.random.default_rng(1)

    def any_version() -> tuple[str, str]:
        return model_and_version(int(choose.integers(size)))

    def any_group() -> int:
        return int(choose.integers(size // HITS))

    return taking_turns(
        {
            "by (name, semver)": lambda: registry.get_model(*any_version()),
            "by token": lambda: registry.list_models_by_token(f"token-{any_group()}"),
            "by contributor": lambda: registry.list_models(contributor=contributor(any_group())),
            "list_models, page of 100": lambda: registry.list_models(limit=100),
        },
        rounds,
    )


def searching(place: Place, size: int, rounds: int) -> dict[str, Timing]:
    """The same look-ups by MLflow's own search."""
    client = open_client(place.tracking_uri)
    choose = np.random.default_rng(1)

    def search(query: str) -> None:
        client.search_model_versions(query)

    def by_version() -> None:
        name, version = model_and_version(int(choose.integers(size)))
        search(f"name = '{name}' and tags.`hokusai.semver` = '{version}'")

    return taking_turns(
        {
            "by (name, semver)": by_version,
            "by token": lambda: search(f"tags.`hokusai_token_id` = 'token-{choose.integers(size // HITS)}'"),
            "by contributor": lambda: search(
                f"tags.`hokusai.contributor` = '{contributor(int(choose.integers(size // HITS)))}'"
            ),
        },
        rounds,
    )


def starting(folder: Path, rounds: int) -> None:
    """A new folder until it can be used."""
    numbers = iter(range(1_000_000))

    def ours() -> None:
        home = folder / f"ours-{next(numbers)}"
        place = Place("", f"sqlite:///{home}/mlflow.db", f"sqlite:///{home}/hokusai.db", home / "artifacts")
        place.registry().list_models()

    def theirs() -> None:
        from mlflow import MlflowClient

        home = folder / f"theirs-{next(numbers)}"
        home.mkdir()
        uri = f"sqlite:///{home}/mlflow.db"
        MlflowClient(
            uri, uri
        ).search_model_versions()  # both, or it would ask the registry that was set globally

    with quiet_mlflow():
        timed = taking_turns({"ours": ours, "theirs": theirs}, rounds)
    mine, other = timed["ours"], timed["theirs"]
    print("\nA new folder until usable")
    print(f"  ModelRegistry()              {shown(mine)}")
    faster = f"{other.wall / mine.wall:.0f}x (CPU {other.cpu / mine.cpu:.0f}x)"
    print(f"  MLflow's own new database    {shown(other)}   {faster}   target 10x")


def fill(place: Place, size: int) -> None:
    """Write `size` versions into MLflow's tables."""
    open_client(place.tracking_uri)  # makes the tables of a new SQLite database
    engine = create_engine(with_driver(place.tracking_uri))
    now = int(time.time() * 1000)
    models = _table("registered_models", "name creation_time last_updated_time workspace")
    rows = _table(
        "model_versions",
        "name version creation_time last_updated_time current_stage source status storage_location workspace",
    )
    tags = _table("model_version_tags", "key value name version workspace")
    names = sorted({model_and_version(i)[0] for i in range(size)})
    with engine.begin() as connection:
        made = {"creation_time": now, "last_updated_time": now, "workspace": "default"}
        connection.execute(insert(models), [{"name": name, **made} for name in names])
        for start in range(0, size, 10_000):
            batch = range(start, min(start + 10_000, size))
            connection.execute(insert(rows), [_row(i, now - 86_400_000 + i) for i in batch])
            connection.execute(insert(tags), [tag for i in batch for tag in _tags(i)])
    engine.dispose()


def model_and_version(i: int) -> tuple[str, str]:
    """Name and semantic version of the i-th version."""
    return f"model-{i // VERSIONS_A_MODEL}", f"1.{i % VERSIONS_A_MODEL}.0"


def contributor(group: int) -> str:
    """The wallet address of a group."""
    return f"0x{group:040x}"


def _row(i: int, at: int) -> dict[str, Any]:
    return {
        "name": model_and_version(i)[0],
        "version": i % VERSIONS_A_MODEL + 1,
        "creation_time": at,
        "last_updated_time": at,
        "current_stage": "None",
        "status": "READY",
        "source": f"s3://bucket/models/{i}",
        "storage_location": f"s3://bucket/models/{i}",
        "workspace": "default",
    }


def _tags(i: int) -> Iterator[dict[str, Any]]:
    name, version = model_and_version(i)
    values = {
        "hokusai.semver": version,
        "hokusai.sha256": f"{i:064x}",
        "hokusai.format": "skops",
        "hokusai.metrics": json.dumps({"accuracy": 0.9, "auroc": 0.95}),
        "hokusai.contributor": contributor(i // HITS),
        "hokusai_token_id": f"token-{i // HITS}",
        "benchmark_metric": "accuracy",
        "benchmark_value": "0.85",
    }
    for key, value in values.items():
        yield {
            "key": key,
            "value": value,
            "name": name,
            "version": i % VERSIONS_A_MODEL + 1,
            "workspace": "default",
        }


def _table(name: str, columns: str) -> Any:
    return table(name, *(column(each) for each in columns.split()))


def sqlite_places(folder: Path) -> Iterator[Place]:
    """SQLite: each time a new folder."""
    for i in range(10):
        home = folder / f"sqlite-{i}"
        yield Place(
            "SQLite", f"sqlite:///{home}/mlflow.db", f"sqlite:///{home}/hokusai.db", home / "artifacts"
        )


def postgres_places(folder: Path) -> Iterator[Place]:
    """PostgreSQL: each time a new database on one server, which keeps its data safe against power failure."""
    from sqlalchemy import text

    from hokusai.adapters.sql.schema import LedgerSchema
    from hokusai.stack.postgres import start_postgres

    with start_postgres(folder=folder / "postgres") as server:
        for i in range(10):
            engine = create_engine(with_driver(server.uri), isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE bench_{i}"))
            engine.dispose()
            uri = server.uri.rpartition("/")[0] + f"/bench_{i}"
            with quiet_mlflow():
                from mlflow import MlflowClient

                MlflowClient(with_driver(uri)).search_model_versions(max_results=1)
            LedgerSchema(uri).upgrade()
            yield Place("PostgreSQL", uri, uri, folder / f"artifacts-{i}")


def taking_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Median times of `calls`, one after another, round after round."""
    walls: dict[str, list[float]] = {name: [] for name in calls}
    cpus: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            walls[name].append((time.perf_counter() - wall) * 1000)
            cpus[name].append((time.process_time() - cpu) * 1000)
    return {name: Timing(statistics.median(walls[name]), statistics.median(cpus[name])) for name in calls}


def shown(timing: Timing) -> str:
    """A timing as text."""
    digits = 3 if timing.wall < 10 else 0
    return f"{timing.wall:,.{digits}f} ms ({timing.cpu:,.{digits}f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--searched", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--default-rounds", type=int, default=2)
    sys.exit(main(**vars(parser.parse_args())))
