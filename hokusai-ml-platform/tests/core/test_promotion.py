"""What a move of a version is refused for before any of it is written."""

from __future__ import annotations

from typing import Any

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.promotion import StageManager
from hokusai.core.registry import ModelRegistry
from hokusai.domain.records import SEMVER
from hokusai.domain.stages import Stage
from hokusai.errors import InvalidInputError
from hokusai.ports import Upload


@pytest.fixture
def manager(registry: ModelRegistry) -> StageManager:
    """Of `churn` with versions 1.0.0 and 1.1.0, the first in production."""
    for version in ("1.0.0", "1.1.0"):
        registry.store.add_version("churn", Upload("hokusai:event"), {SEMVER: version})
    found = StageManager(registry)
    found.promote_model("churn", "1.0.0")
    return found


@pytest.mark.parametrize("actor", ["x" * 201, "x\0y", "x\x1b[2J", 123, " ", "\ud800"])
def test_an_actor_that_the_trail_cannot_hold_moves_nothing(manager: StageManager, actor: Any):
    for move in (
        lambda: manager.promote_model("churn", "1.1.0", actor=actor),
        lambda: manager.rollback_model("churn", "1.1.0", actor=actor),
        lambda: manager.withdraw_model("churn", "production", actor=actor),
        lambda: manager.deprecate_version("churn", "1.1.0", actor=actor),
    ):
        with pytest.raises(InvalidInputError, match="actor"):
            move()
    assert len(manager.history("churn")) == 1
    with pytest.raises(InvalidInputError, match="actor"):
        ModelRegistry(store=MemoryModelStore(), ledger=MemoryLedger(), actor=actor)


@pytest.mark.parametrize("reason", [float("nan"), b"why", "\ud800", "a\0b", "x" * 2001, None])
def test_a_reason_that_the_trail_cannot_hold_moves_nothing(manager: StageManager, reason: Any):
    for move in (
        lambda: manager.promote_model("churn", "1.1.0", reason=reason),
        lambda: manager.rollback_model("churn", "1.1.0", reason=reason),
        lambda: manager.withdraw_model("churn", "production", reason=reason),
        lambda: manager.deprecate_version("churn", "1.1.0", reason),
        lambda: manager.registry.delete("churn/1.1.0", reason),
    ):
        with pytest.raises(InvalidInputError, match="reason"):
            move()
    assert len(manager.history("churn")) == 1


def test_no_version_is_not_the_latest_one(manager: StageManager):
    nothing: Any = None
    for move in (manager.promote_model, manager.deprecate_version, manager.reinstate_version):
        with pytest.raises(InvalidInputError, match="No version of churn is named"):
            move("churn", nothing)
    assert manager.stages("churn")[Stage.PRODUCTION] == "1.0.0"


@pytest.mark.parametrize("name", [None, 5, "", "a@b"])
def test_what_is_no_name_is_refused(manager: StageManager, name: Any):
    for ask in (
        manager.rollback_model,
        manager.current,
        manager.stages,
        manager.history,
        lambda name: manager.withdraw_model(name, "production"),
    ):
        with pytest.raises(InvalidInputError, match="model name"):
            ask(name)
