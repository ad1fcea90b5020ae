"""Models that lie in files: a model file, a folder that MLflow wrote, or a URI, told apart by what they are called.

A file is read in the form that its ending names. Forms that are data are read as they are; a pickle runs what its
author put into it, so it is loaded only for somebody who says that this is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hokusai.errors import DataError, HokusaiError, InvalidInputError, NotFoundError, UntrustedModelError
from hokusai.utils.extras import require
from hokusai.utils.files import read_limited

_URI = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_MAX_BYTES = 8 << 30
_ACCEPTED = (
    "Give a .skops file, a .ubj or .json file of XGBoost, a .txt file of LightGBM, an .onnx file, a folder with an "
    "MLmodel file, or a URI such as runs:/…; .pkl and .joblib need --trust."
)


def is_stored_by_mlflow(source: str) -> bool:
    """Whether `source` is a URI, or a folder that MLflow wrote.

    Raises:
        InvalidInputError: It is a folder of another kind.
    """
    if _URI.match(source):
        return True
    folder = Path(source)
    if not folder.is_dir():
        return False
    if not (folder / "MLmodel").is_file():
        raise InvalidInputError("The folder has no MLmodel file", where=source, hint=_ACCEPTED)
    return True


def read_model(source: str, *, trust: bool) -> Any:
    """The model in a file.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is not what its ending says.
        UntrustedModelError: It is a pickle, or holds what could run foreign code, and `trust` is not given.
        MissingExtraError: The framework that reads it is not installed.
    """
    path = Path(source)
    if not path.exists():
        raise NotFoundError("There is no such model file", where=source, hint=_ACCEPTED)
    ending = path.suffix.lower()
    if ending in _PICKLES:
        if not trust:
            raise UntrustedModelError(
                "The model file is a pickle, and loading a pickle runs whatever its author put into it",
                where=source,
                hint="Ask for a skops file, or give --trust if you know who made it.",
            )
        return _read(_PICKLES[ending], path)
    if ending == ".skops":
        from hokusai.core.models.skops_file import load_model

        return load_model(read_limited(path, _MAX_BYTES), where=source, trust=trust)
    if ending not in _READERS:
        raise InvalidInputError(
            f"A model file cannot end in {ending!r}"
            if ending
            else "A model file needs an ending that says what it is",
            where=source,
            hint=_ACCEPTED,
        )
    return _read(_READERS[ending], path)


def _read(reader: Callable[[Path], Any], path: Path) -> Any:
    try:
        return reader(path)
    except (HokusaiError, MemoryError):
        raise
    except Exception as problem:  # a damaged file fails in whatever way its framework meets it
        reason = str(problem).strip().splitlines() or [type(problem).__name__]
        raise DataError(
            f"The model file cannot be read: {type(problem).__name__}: {reason[0]}",
            where=str(path),
            hint="It may be damaged, of another kind than its ending says, or need packages that are not here.",
        ) from problem


def _xgboost(path: Path) -> Any:
    xgboost = require("xgboost", "xgboost")
    # Bytes, not a path: XGBoost would look for a format in the name, and ends the process on some devices.
    return xgboost.Booster(model_file=bytearray(read_limited(path, _MAX_BYTES)))


def _lightgbm(path: Path) -> Any:
    lightgbm = require("lightgbm", "lightgbm")
    return lightgbm.Booster(model_str=read_limited(path, _MAX_BYTES).decode("utf-8"))


def _onnx(path: Path) -> Any:
    from hokusai.core.models.onnx_model import parse

    return parse(read_limited(path, _MAX_BYTES), where=str(path))


def _pickle(path: Path) -> Any:
    import pickle

    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - asked for with --trust


def _joblib(path: Path) -> Any:
    return require("joblib", "ml").load(path)


_READERS: dict[str, Callable[[Path], Any]] = {
    ".ubj": _xgboost,
    ".json": _xgboost,
    ".txt": _lightgbm,
    ".onnx": _onnx,
}
_PICKLES: dict[str, Callable[[Path], Any]] = {".pkl": _pickle, ".pickle": _pickle, ".joblib": _joblib}
