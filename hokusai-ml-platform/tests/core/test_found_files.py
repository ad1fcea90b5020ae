"""The files of a version, compared with what was registered: nothing outside of the artefact is looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hokusai.core.found_files import file_faults
from hokusai.domain.records import ModelFacts, ModelRecord, StoredModel
from hokusai.domain.versions import SemanticVersion


@pytest.mark.parametrize("climbs", [True, False])
def test_a_record_cannot_make_files_outside_be_read(climbs: bool, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("known")
    digest = hashlib.sha256(b"known").hexdigest()
    path = "../secret" if climbs else str(tmp_path / "secret")
    stored = StoredModel(sha256=digest, files={path: digest}, size_bytes=5, format="", model_type="")
    row = ModelRecord("churn", 1, tags=ModelFacts(SemanticVersion.parse("1.0.0"), stored).tags())
    (tmp_path / "model").mkdir()
    assert file_faults(row, tmp_path / "model") == [f"{path!r} is outside of the model"]
