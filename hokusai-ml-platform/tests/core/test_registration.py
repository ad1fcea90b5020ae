"""Registering again what somebody says is there: what is believed of it, and what is vouched for."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.core.models.packing import pack
from hokusai.core.registry import ModelRegistry
from hokusai.domain.canonical import canonical_json
from hokusai.domain.records import ModelFacts
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import ConflictError, IntegrityError, UntrustedModelError

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
    with pytest.raises(ConflictError, match="another content"):
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
