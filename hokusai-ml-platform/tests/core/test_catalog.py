"""Finding models while one of them cannot be read."""

from __future__ import annotations

import json

import pytest

from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager
from hokusai.domain.records import SEMVER
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
