"""Processes that work on one registry at the same time, or die at a chosen point; used by `test_registry_faults.py`.

    python registry_actors.py '{"scenario": "same", "processes": 4, ...}'

Real processes are forked, before any connection is opened, and released together. Each writes one line of JSON: what it
was told to do, and how that ended. Started by `warm_python`, so that none of them has to import MLflow and skops.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from hokusai import wiring
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.core.provided import Backends
from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager
from hokusai.domain.audit import AuditEvent
from hokusai.domain.records import ModelRecord
from hokusai.errors import HokusaiError
from hokusai.ports import Upload
from hokusai.utils.config import Settings


def fitted(seed: int) -> LogisticRegression:
    """A model that differs from seed to seed."""
    rows = np.random.default_rng(seed).normal(size=(40, 3))
    return LogisticRegression().fit(rows, rows[:, 0] + 0.1 * rows[:, 1] > 0)


def play(told: dict[str, Any]) -> None:
    """Fork the processes of a scenario, release them together, and wait for all."""
    scenario: Callable[[int, dict[str, Any]], None] = SCENARIOS[told["scenario"]]
    wait_here, release = os.pipe()
    children = []
    for index in range(told.get("processes", 1)):
        child = os.fork()
        if child == 0:
            os.close(release)
            os.read(wait_here, 1)  # returns when the parent closes its end
            try:
                scenario(index, told)
            except BaseException as problem:
                tell(index, error=type(problem).__name__, text=str(problem))
            sys.stdout.flush()
            os._exit(0)
        children.append(child)
    os.close(wait_here)
    os.close(release)
    for index, child in enumerate(children):
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            tell(index, killed=os.WTERMSIG(status))


def tell(index: int, **what: Any) -> None:
    """One line of JSON, whole even when several processes write."""
    os.write(1, (json.dumps({"process": index, **what}) + "\n").encode())


def same(index: int, told: dict[str, Any]) -> None:
    """All register another model under the same versions."""
    registry = ModelRegistry()
    for number in range(told["versions"]):
        version = f"1.{number}.0"
        try:
            done = registry.register(fitted(100 * number + index), told["name"], version)
            tell(index, version=version, created=done.created)
        except HokusaiError as problem:
            tell(index, version=version, error=type(problem).__name__, text=str(problem))


def different(index: int, told: dict[str, Any]) -> None:
    """Each registers versions of its own of one model."""
    registry, model = ModelRegistry(), fitted(index)
    for number in range(told["versions"]):
        version = f"{index + 1}.{number}.0"
        tell(index, version=version, id=registry.register_model(model, told["name"], version))


def promote(index: int, told: dict[str, Any]) -> None:
    """All promote a version of their own to production."""
    manager = ModelVersionManager(ModelRegistry())
    options = {"expected": told["expected"]} if "expected" in told else {}
    for number in range(told["versions"]):
        version = f"{index + 1}.{number}.0"
        try:
            change = manager.promote_model(told["name"], version, **options)
            tell(index, version=version, changed=change.changed)
        except HokusaiError as problem:
            tell(index, version=version, error=type(problem).__name__, text=str(problem))


def die(index: int, told: dict[str, Any]) -> None:
    """Register, and be killed at the point that is chosen for this process, in a folder of its own."""
    point = told["points"][index]
    mortal = dying(wiring.registry_backends(_settings_at(told, index)), point)
    registry = ModelRegistry(store=mortal.store, ledger=mortal.ledger, actor=mortal.actor)
    registry.list_models()
    if point.startswith("sync "):
        die_at_sync(int(point.split()[1]))
    tell(index, id=registry.register_model(fitted(0), "churn", "1.0.0"))


def promote_and_die(index: int, told: dict[str, Any]) -> None:
    """Register and promote, and be killed at the point that is chosen for this process, in a folder of its own."""
    found = wiring.registry_backends(_settings_at(told, index))
    ModelRegistry(store=found.store, ledger=found.ledger, actor=found.actor).register_model(
        fitted(0), "churn", "1.0.0"
    )
    mortal = dying(found, told["points"][index])
    manager = ModelVersionManager(ModelRegistry(store=mortal.store, ledger=mortal.ledger, actor=mortal.actor))
    tell(index, changed=manager.promote_model("churn", "1.0.0").changed)


def die_by_the_clock(index: int, told: dict[str, Any]) -> None:
    """Register one version after another until killed, in a folder of its own."""
    found = wiring.registry_backends(_settings_at(told, index))
    registry = ModelRegistry(store=found.store, ledger=found.ledger, actor=found.actor)
    for number in range(10_000):
        registry.register_model(fitted(index), "churn", f"1.{number}.0")
        if number == 0:
            kill_later(told["delays"][index])


def kill_later(seconds: float) -> None:
    """Die after so many seconds, whatever is being done then."""
    victim = os.getpid()
    if os.fork() == 0:
        time.sleep(seconds)
        os.kill(victim, signal.SIGKILL)
        os._exit(0)


def _settings_at(told: dict[str, Any], index: int) -> Settings:
    return Settings.load(home=Path(told["homes"][index])) if "homes" in told else Settings.load()


def full_disk(index: int, told: dict[str, Any]) -> None:
    """Register where no file may grow beyond some bytes."""
    registry = ModelRegistry()
    registry.list_models()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (told["bytes"], told["bytes"]))
    rows = np.random.default_rng(0).normal(size=(400, 20_000))
    big = LogisticRegression(max_iter=1).fit(rows, np.arange(400) % 20)
    tell(index, id=registry.register_model(big, told["name"], told["version"]))


def now(signal_number: int = signal.SIGKILL) -> None:
    """Die without any chance to clean up."""
    os.kill(os.getpid(), signal_number)
    time.sleep(60)


def die_at_sync(nth: int) -> None:
    """Die when a file is made safe on the disk for the n-th time."""
    real, calls = os.fsync, iter(range(1, 1_000_000))

    def fsync(descriptor: int) -> None:
        if next(calls) == nth:
            now()
        real(descriptor)

    os.fsync = fsync


def dying(found: Backends, point: str) -> Backends:
    """`found`, whose process dies at `point`: before or after one of the calls that make a registration."""
    moment, _, call = point.partition(" ")

    class Store(MlflowModelStore):
        def upload(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None = None) -> Upload:
            return around("upload", lambda: super(Store, self).upload(name, files, run_id))

        def add_version(
            self, name: str, upload: Upload, tags: Mapping[str, str], description: str = ""
        ) -> ModelRecord:
            return around(
                "add_version", lambda: super(Store, self).add_version(name, upload, tags, description)
            )

        def set_alias(self, name: str, alias: str, number: int | None) -> None:
            around("set_alias", lambda: super(Store, self).set_alias(name, alias, number))

    def around(name: str, act: Callable[[], Any]) -> Any:
        if (moment, call) == ("before", name):
            now()
        result = act()
        if (moment, call) == ("after", name):
            now()
        return result

    record = found.ledger.record

    def recording(*args: Any, **kwargs: Any) -> list[AuditEvent]:
        events: list[AuditEvent] = around("record", lambda: record(*args, **kwargs))
        return events

    found.ledger.record = recording  # type: ignore[method-assign]
    found.store.__class__ = Store  # the same store, but mortal
    return found


SCENARIOS = {
    "same": same,
    "different": different,
    "promote": promote,
    "die": die,
    "die_by_the_clock": die_by_the_clock,
    "promote_and_die": promote_and_die,
    "full_disk": full_disk,
}

if __name__ == "__main__":
    play(json.loads(sys.argv[1]))
