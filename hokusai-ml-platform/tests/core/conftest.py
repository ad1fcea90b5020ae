"""A registry in memory."""

from __future__ import annotations

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.registry import ModelRegistry


@pytest.fixture
def registry() -> ModelRegistry:
    return ModelRegistry(store=MemoryModelStore(), ledger=MemoryLedger(), actor="ada", poll_seconds=0)
