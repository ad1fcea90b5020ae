"""Registering again what somebody says is there: what is believed of it, and what is vouched for."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.models.packing import pack
from hokusai.core.registry import ModelRegistry
from hokusai.domain.canonical import canonical_json
from hokusai.domain.records import PARENT, SEMVER, ModelFacts, ModelRecord
from hokusai.domain.versions import LOG_PREFIX, SemanticVersion
from hokusai.errors import ConflictError, IntegrityError, UntrustedModelError
from hokusai.ports import Upload

GOOD = LogisticRegression().fit([[0.0], [1.0]], [0, 1])


class Harmful:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> object:
        return (Path.touch, (self.mark,))


def forged(registry: ModelRegistry, mark: Path, beside: dict[str, str]) -> None:
    """The row `churn/1.0.0` with the digest of `GOOD`, and a pickle for its files."""
    files = {
        "model.pkl": pickle.dumps(Harmful(mark)),
        "MLmodel": b"flavors: {sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle}}",
    }
    upload = registry.store.upload("churn", files)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    tags = ModelFacts(SemanticVersion(1, 0, 0), pack(GOOD).stored).tags()
    registry.store.add_version(
        "churn", upload, {**tags, "hokusai.files": canonical_json(digests | beside).decode()}
    )


def test_a_forged_row_with_the_digest_of_a_good_model_is_another_content(
    registry: ModelRegistry, tmp_path: Path
):
    forged(registry, tmp_path / "ran", {})
    with pytest.raises(ConflictError, match="other content"):
        registry.register(GOOD, "churn", "1.0.0")
    with pytest.raises((UntrustedModelError, IntegrityError)):
        registry.load_model("churn/1.0.0")
    assert not (tmp_path / "ran").exists()


def test_nobody_vouches_for_files_that_were_not_in_memory_here(registry: ModelRegistry, tmp_path: Path):
    stored = pack(GOOD).stored
    own = next(name for name, digest in stored.files.items() if digest == stored.sha256)
    forged(registry, tmp_path / "ran", {own: stored.sha256})
    assert registry.register(GOOD, "churn", "1.0.0").created is False
    assert registry.ledger.events(kind="model.registered") == []
    with pytest.raises((UntrustedModelError, IntegrityError)):
        registry.load_model("churn/1.0.0")
    assert not (tmp_path / "ran").exists()


class Interrupted(MemoryModelStore):
    """A store in which something happens before the first row of a model is added, or after it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}

    def add_version(
        self, name: str, upload: Upload, tags: Mapping[str, str], description: str = ""
    ) -> ModelRecord:
        self.before.pop(name, int)()
        row = super().add_version(name, upload, tags, description)
        self.after.pop(name, int)()
        return row


def test_a_version_whose_parent_is_deleted_meanwhile_is_not_registered():
    store = Interrupted()
    registry = ModelRegistry(store=store, ledger=MemoryLedger(), poll_seconds=0)
    registry.register(GOOD, "a", "1.0.0")
    store.before["b"] = lambda: registry.delete("a/1.0.0")
    with pytest.raises(ConflictError, match=r"The baseline a/1\.0\.0 was deleted meanwhile"):
        registry.register(GOOD, "b", "1.0.0", parent="a/1.0.0")
    assert store.versions("b") == []
    assert registry.find("b/1.0.0") is None
    assert list(store.orphans()) == []
    assert registry.get_model("a/1.0.0").deleted is not None


def test_a_version_that_gets_a_child_while_it_is_deleted_is_restored():
    store = Interrupted()
    registry = ModelRegistry(store=store, ledger=MemoryLedger(), poll_seconds=0)
    registry.register(GOOD, "a", "1.0.0")
    child = {SEMVER: "1.0.0", PARENT: "a/1.0.0"}
    store.after[LOG_PREFIX + "a"] = lambda: store.add_version("b", Upload("hokusai:event"), child)
    with pytest.raises(ConflictError, match=r"a/1\.0\.0 is the parent of b/1\.0\.0"):
        registry.delete("a/1.0.0")
    assert registry.get_model("a/1.0.0").deleted is None
    kinds = [event.happening.kind for event in registry.ledger.events()]
    assert kinds == ["model.registered", "model.deleted", "model.restored"]


def test_what_somebody_removed_by_hand_is_not_answered_from_the_index():
    store = MemoryModelStore()
    mine, theirs = (
        ModelRegistry(store=store, ledger=MemoryLedger(), actor=actor, poll_seconds=3600)
        for actor in ("ann", "bob")
    )
    other = LogisticRegression().fit([[0.0], [1.0]], [1, 0])
    mine.register(GOOD, "m", "1.0.0")
    store.remove_version("m", 1)
    theirs.register(other, "m", "1.0.0")
    assert mine.load_model("m/1.0.0").predict([[1.0]])[0] == 0  # as `other` says, and not `GOOD`


def test_what_somebody_removed_by_hand_can_be_registered_again():
    registry = ModelRegistry(store=MemoryModelStore(), ledger=MemoryLedger(), poll_seconds=3600)
    registry.register(GOOD, "m", "1.0.0")
    registry.store.remove_version("m", 1)
    again = registry.register(GOOD, "m", "1.0.0")
    assert again.created
    assert [row.number for row in registry.store.versions("m")] == [again.record.number]
