"""Finding models while one of them cannot be read, or while clocks differ."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager
from hokusai.domain.records import SEMVER, ModelRecord
from hokusai.domain.stages import EVENT_TAG, EXPECTED_TAG
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import IntegrityError
from hokusai.ports import Upload

NO_FILES = Upload("hokusai:event")
MOVE = {"move": "promote", "version": "1.0.0", "stage": "production", "previous": None, "actor": "x"}


def add(registry: ModelRegistry, *names: str) -> None:
    for name in names:
        registry.store.add_version(name, NO_FILES, {SEMVER: "1.0.0"})


def forge(registry: ModelRegistry, name: str, **told: object) -> None:
    """A row that somebody else writes into the history of a model's stages."""
    event = json.dumps(MOVE | {"reason": "", "at_ms": 0} | told)
    registry.store.add_version(LOG_PREFIX + name, NO_FILES, {EXPECTED_TAG: "0", EVENT_TAG: event})


class TestForgedMoves:
    def test_of_one_model_do_not_hide_the_others(self, registry: ModelRegistry) -> None:
        add(registry, "victim", "well")
        registry.list_models()
        ModelVersionManager(registry).promote_model("well", "1.0.0")
        forge(registry, "victim", move="quarantine")
        assert {record.name for record in registry.list_models()} == {"victim", "well"}
        assert [record.name for record in registry.list_models(stage="production")] == ["well"]
        with pytest.raises(IntegrityError, match="'quarantine', which this release does not know"):
            registry.stages.board("victim")

    @pytest.mark.parametrize("told", [{"at_ms": float("inf")}, {"at_ms": 10**30}, {"version": "garbage"}])
    def test_that_make_no_sense_never_happened(
        self, registry: ModelRegistry, told: dict[str, object]
    ) -> None:
        add(registry, "victim")
        registry.list_models()
        forge(registry, "victim", **told)
        manager = ModelVersionManager(registry)
        assert registry.list_models(stage="production") == []
        manager.promote_model("victim", "1.0.0", reason="the first")
        assert [event.reason for event in manager.history("victim")] == ["the first"]
        assert [record.model_id for record in registry.list_models(stage="production")] == ["victim/1.0.0"]


HOUR_MS = 3_600_000


class WrongClock(MemoryModelStore):
    """A store whose rows are stamped by clocks that are not ours."""

    ahead_ms = 0

    def add_version(self, name: str, *args: Any, **kwargs: Any) -> ModelRecord:
        row = super().add_version(name, *args, **kwargs)
        shifted = replace(row, updated_ms=row.updated_ms + self.ahead_ms)
        self._rows[name][row.number] = shifted
        return shifted


class TestClocks:
    @pytest.fixture
    def store(self) -> WrongClock:
        return WrongClock()

    @pytest.fixture
    def registry(self, store: WrongClock) -> ModelRegistry:
        return ModelRegistry(store=store, ledger=MemoryLedger(), actor="ada", poll_seconds=0)

    def names(self, registry: ModelRegistry) -> list[str]:
        return sorted(record.name for record in registry.list_models())

    @pytest.mark.parametrize("is_copied", [True, False])
    def test_that_are_ahead_do_not_hide_what_others_write(
        self, registry: ModelRegistry, store: WrongClock, is_copied: bool
    ) -> None:
        assert not is_copied or self.names(registry) == []
        store.ahead_ms = HOUR_MS
        add(registry, "ahead")
        assert self.names(registry) == ["ahead"]
        store.ahead_ms = 0
        add(registry, "right")
        assert self.names(registry) == ["ahead", "right"]

    def test_that_are_behind_ours_do_not_hide_what_is_written_after_the_index_was_made(
        self, registry: ModelRegistry, store: WrongClock
    ) -> None:
        store.ahead_ms = -HOUR_MS
        add(registry, "before")
        assert self.names(registry) == ["before"]
        add(registry, "after")
        assert self.names(registry) == ["after", "before"]
