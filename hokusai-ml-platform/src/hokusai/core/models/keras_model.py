"""Keras and TensorFlow: the `.keras` archive, loaded in safe mode and only with Keras's own classes."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, refuse_unless
from hokusai.errors import DataError
from hokusai.utils.extras import require

FILE = "data/model.keras"
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "numpy", "pandas")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CONFIG, _METADATA = "config.json", "metadata.json"
_CONFIG_BYTES = 64 << 20
_OURS = ("keras", "builtins")
_CODE = ("Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "__lambda__", "function")


class KerasModel(FrameworkModel):
    """A Keras model, on any backend."""

    framework = "Keras"

    @property
    def params(self) -> dict[str, Any]:
        """How many numbers it has, and how many layers."""
        return {"n_parameters": int(self.native.count_params()), "n_layers": len(self.native.layers)}

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As a `.keras` archive without times and memory addresses."""
        with tempfile.TemporaryDirectory(prefix="hokusai-keras-") as folder:
            path = Path(folder) / "model.keras"
            self.native.save(path)
            content = _canonical(path.read_bytes())
        form = "keras-code" if _code_in(content) else "keras"
        flavor = {"code": None, "data": "data", "keras_version": require("keras", "tensorflow").__version__}
        return NativeFiles(form, {FILE: content}, {"keras": flavor}, PACKAGES)

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        return read_keras(folder, {"data": "data"}, trust)

    def _answer(self, rows: Any) -> Any:
        import numpy as np

        return self.native.predict(np.asarray(rows), verbose=0)


def read_keras(folder: Path, conf: Mapping[str, Any], trust: bool, /) -> Any:
    """What `native_files` or `mlflow.keras` stored."""
    path = folder / str(conf["data"]) / "model.keras"
    try:
        code = _code_in(path.read_bytes())
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, RuntimeError) as problem:
        raise DataError("The file is not a Keras archive", where=path.name) from problem
    if code:
        refuse_unless(trust, f"The model holds {code}, which runs its author's code", path.name)
    keras = require("keras", "tensorflow")
    try:
        return keras.saving.load_model(path, safe_mode=not trust)
    except Exception as problem:  # a damaged archive fails in whatever way Keras or HDF5 meets it
        raise DataError(
            f"Keras cannot load the model: {type(problem).__name__}: {str(problem).strip().splitlines()[0]}",
            where=path.name,
            hint="It may be damaged, made by another Keras, or need a class that is not registered here.",
        ) from problem


def _code_in(content: bytes) -> str:
    """The first thing in an archive that is not a class of Keras's own, or that runs a function; empty if none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if archive.getinfo(_CONFIG).file_size > _CONFIG_BYTES:
            raise ValueError(f"{_CONFIG} is longer than {_CONFIG_BYTES:,} bytes")
        config = json.loads(archive.read(_CONFIG))
    for node in _objects(config):
        name, module = str(node.get("class_name")), node.get("module")
        foreign = module is not None and str(module).partition(".")[0] not in _OURS
        if foreign or name in _CODE or (node.get("registered_name") and module is None):
            return f"{module}.{name}" if module else name
    return ""


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "class_name" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _objects(child)


def _canonical(content: bytes) -> bytes:
    """The same archive, its members without times, the date of saving left out, shared objects numbered."""
    out, numbers = io.BytesIO(), dict[int, int]()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            member = source.read(name)
            if name == _METADATA:
                member = json.dumps({**json.loads(member), "date_saved": "1980-01-01@00:00:00"}).encode()
            elif name == _CONFIG:
                member = json.dumps(_renumbered(json.loads(member), numbers)).encode()
            target.writestr(zipfile.ZipInfo(name, _EPOCH), member, zipfile.ZIP_STORED)
    return out.getvalue()


def _renumbered(node: Any, numbers: dict[int, int]) -> Any:
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: numbers.setdefault(value, len(numbers) + 1)
        if key == "shared_object_id" and isinstance(value, int)
        else _renumbered(value, numbers)
        for key, value in node.items()
    }
