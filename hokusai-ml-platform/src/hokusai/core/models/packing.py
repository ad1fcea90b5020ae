"""A model as files, and files as a model.

Packing writes the model in its framework's own form where that is data, and beside it what lets plain MLflow load
it. The same model packs to the same bytes wherever the form allows, so that the SHA-256 of its file is its
identity. Unpacking compares every file with what was recorded before any of it is read, and runs nobody's code
unless the caller vouches for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai.core.models.base import HokusaiModel
from hokusai.core.models.callable_model import CallableModel
from hokusai.core.models.dspy_program import DspyProgram
from hokusai.core.models.formats import FORMAT_KEY, TYPE_KEY, Layout, is_outside, is_safe, layout_of
from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, as_example, json_params
from hokusai.core.models.mlmodel_file import described_files
from hokusai.core.models.signature import given_signature, inferred_signature, known_features
from hokusai.core.models.skops_file import root_type
from hokusai.core.models.wrapping import wrap
from hokusai.domain.canonical import digest, sha256_hex
from hokusai.domain.records import ModelRecord, StoredModel
from hokusai.errors import HokusaiError, IntegrityError, InvalidInputError, UntrustedModelError

__all__ = ["PackedModel", "describe", "is_safe", "pack", "unpack"]


@dataclass(frozen=True)
class PackedModel:
    """A model as files.

    Attributes:
        files: Path within the artefact to content.
        stored: What they are.
    """

    files: dict[str, bytes | Path]
    stored: StoredModel

    def write(self, folder: Path) -> None:
        """Write the files into `folder`."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())


def pack(
    model: Any,
    *,
    signature: Any = None,
    input_example: Any = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
) -> PackedModel:
    """`model` as files with their digests.

    Args:
        model: Any model that `ModelFactory.wrap` takes.
        signature: MLflow's signature, or its dict; else it follows from the example or from the model.
        input_example: A few rows of input.
        params: Hyper-parameters; else those that the model tells.
        model_type: What to call its type; else its class.

    Raises:
        InvalidInputError: It is no model, it cannot be stored, or it cannot predict the example.
        MissingExtraError: Its framework is not installed.
    """
    face = _face(model)
    rows, told, sure = None, None, True
    if input_example is not None:
        raw = isinstance(face, CallableModel | DspyProgram) or face.framework == "ONNX"
        rows = input_example if raw else as_example(input_example, face.feature_names)
    if signature is not None:
        told = given_signature(signature)
    elif rows is not None:
        told = inferred_signature(rows, _answered(face, rows))
    if told is None:
        told, sure = known_features(face.feature_names, face.n_features), False

    native = _stored_form(face, rows)
    own = {name: sha256_hex(content) for name, content in native.files.items()}
    sha256 = _identity(own)
    metadata = {FORMAT_KEY: native.format, "hokusai.sha256": sha256, TYPE_KEY: face.model_type}
    # Guessed types would make MLflow refuse input that the model takes, so it is told only what is sure.
    about = described_files(native.flavors, native.packages, metadata, told if sure else None)
    beside = {**native.beside, **about}
    return PackedModel(
        files={**native.files, **beside},
        stored=StoredModel(
            sha256=sha256,
            files={**own, **{name: sha256_hex(content) for name, content in beside.items()}},
            size_bytes=sum(map(len, (*native.files.values(), *beside.values()))),
            format=native.format,
            model_type=model_type or face.model_type,
            signature=told,
            params=json_params(face.params if params is None else params),
        ),
    )


def unpack(folder: Path, record: ModelRecord, *, trust: bool) -> HokusaiModel:
    """The model in `folder`, after all of its files were compared with what `record` says.

    Args:
        folder: The artefact as it was downloaded.
        record: The version; one without digests is loaded only if its form is safe, or with trust.
        trust: Whether its author's code may run: true where it is known that these very bytes were stored here.

    Raises:
        IntegrityError: A file is missing, truncated or changed.
        UntrustedModelError: Loading it would run its author's code.
        DataError: It cannot be loaded here.
    """
    stored = record.stored
    if stored is not None:
        _verify(folder, stored, record.model_id)
    layout = layout_of(folder)
    if stored is not None:
        _verify_identity(layout.files(folder), stored, record.model_id)
    try:
        native = layout.read(folder, trust=trust)
    except KeyError as problem:
        raise IntegrityError(f"The file MLmodel does not say {problem}", where=record.model_id) from problem
    except FileNotFoundError as problem:
        raise IntegrityError(
            f"A file of the model is missing: {problem.filename}", where=record.model_id
        ) from problem
    except UntrustedModelError as problem:
        raise UntrustedModelError(problem.what, where=record.model_id, hint=problem.hint) from problem
    return wrap(
        native,
        model_id=record.model_id,
        version=str(record.version or record.number),
        model_type=record.model_type,
        metrics=record.metrics,
        metadata=record.metadata,
    )


def describe(folder: Path) -> StoredModel:
    """What the model in `folder` is, whoever stored it; nothing of it is loaded.

    Raises:
        InvalidInputError: The folder holds no model.
        IntegrityError: Its `MLmodel` cannot be read.
    """
    layout = layout_of(folder)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _digest_of(path) for path in found}
    own = {name: files[name] for name in layout.files(folder)}
    signature = layout.signature
    return StoredModel(
        sha256=_identity(own or files),
        files=files,
        size_bytes=sum(path.stat().st_size for path in found),
        format=layout.format,
        model_type=_type_told(folder, layout),
        signature=given_signature(signature) if signature and signature.get("inputs") else None,
    )


def _face(model: Any) -> FrameworkModel:
    """The wrapper whose object is stored: that of a framework, or for a model of an own class that class."""
    native = getattr(model, "native", None) if isinstance(model, HokusaiModel) else None
    if isinstance(model, HokusaiModel) and native is None:
        return CallableModel(model)
    found = model if isinstance(model, FrameworkModel) else wrap(model if native is None else native)
    if not isinstance(found, FrameworkModel):
        return _face(found)
    return found


def _stored_form(face: FrameworkModel, rows: Any) -> NativeFiles:
    try:
        return face.native_files(rows)
    except HokusaiError:
        raise
    except Exception as problem:  # frameworks say in their own ways that a model is not fitted
        raise InvalidInputError(
            f"The model cannot be stored: {type(problem).__name__}: {problem}",
            where=face.model_type,
            hint="Fit it first.",
        ) from problem


def _answered(face: FrameworkModel, rows: Any) -> Any:
    try:
        return face.predict(rows)
    except HokusaiError:
        raise
    except Exception as problem:  # the model is its author's, and may raise anything
        raise InvalidInputError(
            f"The model cannot predict the input example: {type(problem).__name__}: {problem}",
            where="input_example",
            hint="Give rows as the model was fitted on, or no example.",
        ) from problem


def _identity(own: Mapping[str, str]) -> str:
    return next(iter(own.values())) if len(own) == 1 else digest(dict(own))


def _verify(folder: Path, stored: StoredModel, who: str) -> None:
    if not stored.files:
        raise IntegrityError("No digests of the model's files were recorded", where=who)
    for name, expected in stored.files.items():
        if is_outside(name):
            raise IntegrityError(
                f"The record names the file {name!r}, which is outside of the model", where=who
            )
        path = folder / name
        if not path.is_file():
            raise IntegrityError(
                f"The file {name} is missing; its SHA-256 should be {expected}",
                where=who,
                hint="Somebody removed it from the store: restore it from a backup, or register the model again.",
            )
        found = _digest_of(path)
        if found != expected:
            raise IntegrityError(
                f"The file {name} was changed or cut off: its SHA-256 should be {expected} and is {found} "
                f"({path.stat().st_size:,} bytes)",
                where=who,
                hint="Do not use it: restore it from a backup, or register the model again.",
            )


def _verify_identity(own: Sequence[str], stored: StoredModel, who: str) -> None:
    """The digests of single files and the one that names the model are tags of their own: both must agree."""
    unnamed = [name for name in own if name not in stored.files]
    if unnamed:
        raise IntegrityError(
            f"{unnamed[0]} is a file of the model, and no digest of it was recorded", where=who
        )
    found = _identity({name: stored.files[name] for name in own} or stored.files)
    if found != stored.sha256:
        raise IntegrityError(
            f"These are the files of another model: its SHA-256 should be {stored.sha256} and is {found}",
            where=who,
            hint="Somebody edited the version's tags: do not use it, and register the model again.",
        )


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _type_told(folder: Path, layout: Layout) -> str:
    """The import path of the model's class, as far as its files tell it."""
    told = layout.model_type or layout.conf.get("model_class")
    file = folder / layout.path
    if not told and file.suffix == ".skops" and file.is_file():
        told = root_type(file.read_bytes())
    return str(told or layout.flavor)
