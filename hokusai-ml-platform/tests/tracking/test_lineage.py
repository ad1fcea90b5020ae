"""`LineageTracker`, asking a real registry that keeps its models in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.registry import ModelRegistry
from hokusai.domain.records import CONTRIBUTOR, METRICS, PARENT, SEMVER
from hokusai.errors import NotFoundError
from hokusai.ports import Upload
from hokusai.tracking import LineageTracker


@pytest.fixture
def tracker() -> LineageTracker:
    store = MemoryModelStore()
    rows = [
        {SEMVER: "1.0.0", METRICS: '{"f1": 0.5}'},
        {SEMVER: "1.1.0", METRICS: '{"f1_score": 0.625}', PARENT: "churn/1.0.0", CONTRIBUTOR: "bob"},
        {SEMVER: "1.2.0", METRICS: '{"f1": 0.875}', PARENT: "churn/1.1.0", CONTRIBUTOR: "eve"},
    ]
    for tags in rows:
        store.add_version("churn", store.upload("churn", {"model": b"bytes"}), tags)
    store.add_version("other", Upload("elsewhere"), {SEMVER: "1.0.0"})
    return LineageTracker(ModelRegistry(store=store, ledger=MemoryLedger(), actor="ada", poll_seconds=0))


@pytest.mark.parametrize("reference", ["churn", "churn/1.0.0", "churn/1.2.0", "churn/2"])
def test_a_lineage_is_found_by_name_and_by_id(tracker: LineageTracker, reference: str) -> None:
    lineage = tracker.lineage(reference)
    assert [node.model_id for node in lineage.nodes] == ["churn/1.0.0", "churn/1.1.0", "churn/1.2.0"]


def test_improvement_is_added_up_over_all_generations(tracker: LineageTracker) -> None:
    assert {metric: gain.delta for metric, gain in tracker.improvement("churn").items()} == {"f1": 0.375}


def test_contributors_are_credited_with_their_own_step(tracker: LineageTracker) -> None:
    gains = {impact.contributor.text: impact.gains["f1"].delta for impact in tracker.contributors("churn")}
    assert gains == {"bob": 0.125, "eve": 0.25}


def test_a_lineage_is_drawn_by_name(tracker: LineageTracker, tmp_path: Path) -> None:
    written = tracker.draw(tmp_path / "churn.svg", "churn")
    assert "churn/1.2.0" in written.read_text()


def test_the_async_twins_give_the_same(tracker: LineageTracker) -> None:
    async def both() -> tuple[object, object]:
        return (await tracker.alineage("churn")).to_dict(), await tracker.acontributors("churn")

    assert asyncio.run(both()) == (tracker.lineage("churn").to_dict(), tracker.contributors("churn"))


def test_an_unknown_model_is_not_found(tracker: LineageTracker) -> None:
    with pytest.raises(NotFoundError, match="chrun"):
        tracker.lineage("chrun")
