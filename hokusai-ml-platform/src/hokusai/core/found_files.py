"""Files of a model that somebody else stored: what they are, and whether they are what was registered."""

from __future__ import annotations

from pathlib import Path

from hokusai.domain.canonical import digest
from hokusai.domain.records import ModelRecord, StoredModel
from hokusai.errors import HokusaiError, NotFoundError
from hokusai.utils.files import file_sha256


def found_model(folder: Path) -> StoredModel:
    """What the files in `folder` are; where they are no MLflow model, at least their digests.

    Raises:
        NotFoundError: There are none.
    """
    from hokusai.core.models.packing import describe

    if not any(path.is_file() for path in folder.rglob("*")):
        raise NotFoundError("There are no files", where=str(folder))
    try:
        return describe(folder)
    except HokusaiError:
        return _any_files(folder)


def file_faults(record: ModelRecord, folder: Path) -> list[str]:
    """What is wrong with the files of a version, compared with the digests that were registered."""
    if record.stored is None:
        return []
    from hokusai.core.models.formats import is_outside

    faults = []
    for path, expected in sorted(record.stored.files.items()):
        file = folder / path
        if is_outside(path):
            faults.append(f"{path!r} is outside of the model")
        elif not file.is_file():
            faults.append(f"{path} is missing")
        elif file_sha256(file) != expected:
            faults.append(f"{path} was changed")
    return faults


def _any_files(folder: Path) -> StoredModel:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}
    return StoredModel(
        sha256=next(iter(files.values())) if len(files) == 1 else digest(files),
        files=files,
        size_bytes=sum(path.stat().st_size for path in paths),
        format="",
        model_type="",
    )
