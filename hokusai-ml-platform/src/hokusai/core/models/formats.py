"""The forms in which models are stored, which of them load without running foreign code, and who loads them.

What a folder holds is told by its `MLmodel`, whoever wrote it. A form's name is for people and for the tags of a
version; what is safe is decided by the reader of the file itself, which refuses whatever it does not know.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hokusai.core.models.framework_model import refuse_unless
from hokusai.core.models.mlmodel_file import not_mlmodel, read_mlmodel
from hokusai.errors import IntegrityError, InvalidInputError

FORMAT_KEY = "hokusai.format"
TYPE_KEY = "hokusai.model_type"
_SAFE = (
    "skops",
    "xgboost-ubj",
    "xgboost-json",
    "lightgbm-text",
    "lightgbm-skops",
    "onnx",
    "keras",
    "sklearn-skops",
)
_NAME_BYTES, _PATH_LENGTH = 255, 1000  # what file systems take
_UNNAMEABLE = re.compile("[\0\ud800-\udfff]")
_READERS = {
    "sklearn": ("sklearn_model:read_sklearn", "pickled_model"),
    "xgboost": ("xgboost_model:read_xgboost", "data"),
    "lightgbm": ("lightgbm_model:read_lightgbm", "data"),
    "onnx": ("onnx_model:read_onnx", "data"),
    "pytorch": ("torch_model:read_torch", "model_data"),
    "keras": ("keras_model:read_keras", "data"),
}
_TEXTS = (
    "data", "model_class", "model_code_path", "model_data", "model_format", "pickled_model",
    "serialization_format",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a folder holds a model.

    Attributes:
        format: Name of the form.
        flavor: MLflow's name of what loads it.
        conf: What that has to know.
        path: The model's file or folder within the artefact; empty where only MLflow knows it.
        signature: MLflow's signature, if the folder tells one.
        model_type: Import path of the model's class, if the folder tells it.
    """

    format: str
    flavor: str
    conf: Mapping[str, Any]
    path: str = ""
    signature: Mapping[str, Any] | None = None
    model_type: str = ""

    def files(self, folder: Path) -> list[str]:
        """The model's own files, as paths within the artefact: all, where only MLflow knows which it reads."""
        root = folder / self.path
        found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        return [path.relative_to(folder).as_posix() for path in found]

    def read(self, folder: Path, *, trust: bool) -> Any:
        """The framework's object.

        Raises:
            UntrustedModelError: Loading it would run its author's code, and `trust` is False.
            DataError: It cannot be loaded.
        """
        if self.flavor in _READERS:
            module, _, name = _READERS[self.flavor][0].partition(":")
        elif self.format == "cloudpickle":
            module, name = "callable_model", "read_callable"
        else:
            return _read_pyfunc(folder, self.format, trust=trust)
        reader = getattr(importlib.import_module(f"hokusai.core.models.{module}"), name)
        return reader(folder, self.conf, trust)


def is_safe(form: str) -> bool:
    """Whether models in this form load without running what their author put into them.

    >>> is_safe("skops"), is_safe("cloudpickle"), is_safe("mlflow-sklearn-cloudpickle")
    (True, False, False)
    """
    return form.removeprefix("mlflow-") in _SAFE


def is_outside(path: str) -> bool:
    """Whether `path`, which should lie within an artefact, may lead out of it, or can be no file at all.

    >>> is_outside("data/model.bin"), is_outside("../model.bin"), is_outside("/etc/passwd")
    (False, True, True)
    """
    if len(path) > _PATH_LENGTH or _UNNAMEABLE.search(path):
        return True
    parts = PurePosixPath(path)
    too_long = any(len(part.encode()) > _NAME_BYTES for part in parts.parts)
    return too_long or parts.is_absolute() or ".." in parts.parts


def layout_of(folder: Path) -> Layout:
    """How `folder` holds a model.

    Raises:
        InvalidInputError: It holds none.
        IntegrityError: Its `MLmodel` cannot be read, or names a file outside of it.
    """
    told = read_mlmodel(folder)
    if told is None:
        return _without_mlmodel(folder)
    flavors, metadata = told["flavors"], told["metadata"]
    flavor = next(
        (name for name in (*_READERS, *flavors) if name in flavors and name != "python_function"), ""
    )
    conf = flavors.get(flavor) or flavors.get("python_function") or {}
    if not all(
        isinstance(value, str | None)
        for value in (*map(conf.get, _TEXTS), metadata.get(FORMAT_KEY), metadata.get(TYPE_KEY))
    ):
        raise not_mlmodel()
    form = metadata.get(FORMAT_KEY)
    key = _READERS[flavor][1] if flavor in _READERS else ""
    path = str(conf.get(key) or "") if key else ("model.pkl" if form == "cloudpickle" else "")
    _refuse_outside(path)
    return Layout(
        format=str(form or f"mlflow-{_foreign_form(flavor, conf, folder)}"),
        flavor=flavor or "python_function",
        conf=conf,
        path=path,
        signature=told["signature"] or None,
        model_type=metadata.get(TYPE_KEY) or "",
    )


def _without_mlmodel(folder: Path) -> Layout:
    """A folder with nothing but one skops file is a model too."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    skops = [path.relative_to(folder).as_posix() for path in found if path.suffix == ".skops"]
    if len(skops) != 1:
        names = ", ".join(path.name for path in found[:8]) or "nothing"
        raise InvalidInputError(
            f"The folder holds no model that can be told: {names}",
            where=str(folder.name),
            hint="Store it with mlflow.<flavor>.log_model, or register the model itself.",
        )
    return Layout("skops", "sklearn", {"pickled_model": skops[0], "serialization_format": "skops"}, skops[0])


def _foreign_form(flavor: str, conf: Mapping[str, Any], folder: Path) -> str:
    """What MLflow stored, by flavor and form."""
    if flavor == "sklearn":
        return f"sklearn-{conf.get('serialization_format') or 'pickle'}"
    if flavor == "xgboost":
        return f"xgboost-{conf.get('model_format') or 'ubj'}"
    if flavor == "lightgbm":
        text = conf.get("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster"
        return "lightgbm-text" if text else f"lightgbm-{conf.get('serialization_format') or 'cloudpickle'}"
    if flavor == "pytorch":
        exported = (folder / str(conf.get("model_data") or "") / "model.pt2").exists()
        return "pytorch-export" if exported else "pytorch-pickle"
    if not flavor:
        return "pyfunc-code" if conf.get("model_code_path") else "pyfunc-cloudpickle"
    return flavor


def _refuse_outside(path: str) -> None:
    if is_outside(path):
        raise IntegrityError(
            f"The model names the file {path!r}, which is outside of its folder", where="MLmodel"
        )


def _read_pyfunc(folder: Path, form: str, *, trust: bool) -> Any:
    """A model of a kind that only MLflow knows."""
    refuse_unless(
        trust,
        f"The model is stored as {form}, and loading that runs whatever its author put into it",
        "MLmodel",
    )
    from mlflow.pyfunc import load_model

    return load_model(str(folder))
