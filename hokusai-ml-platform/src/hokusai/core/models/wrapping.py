"""Which framework an object is of, and the wrapper that fits it.

The framework is told by the modules of the object's classes, so that finding it out imports none. The order matters:
an estimator of XGBoost is one of scikit-learn too, and a Keras model on PyTorch is a PyTorch module.
"""

from __future__ import annotations

import importlib
from typing import Any

from hokusai.core.models.base import HokusaiModel
from hokusai.errors import DataError, InvalidInputError

_ACCEPTED = (
    "Give a fitted estimator of scikit-learn, XGBoost or LightGBM, a PyTorch module, a Keras model, an ONNX "
    "ModelProto or its bytes, a DSPy program, a callable, an object with predict(), or a HokusaiModel."
)
_WRAPPERS = {
    "dspy": "dspy_program:DspyProgram",
    "xgboost": "xgboost_model:XgboostModel",
    "lightgbm": "lightgbm_model:LightgbmModel",
    "keras": "keras_model:KerasModel",
    "tensorflow": "keras_model:KerasModel",
    "torch": "torch_model:TorchModel",
    "onnx": "onnx_model:OnnxModel",
    "sklearn": "sklearn_model:SklearnModel",
    "callable": "callable_model:CallableModel",
}
_BASES = {"dspy": "Module", "torch": "Module"}  # other classes of these packages are no models
_PLAIN = (str, int, float, complex, bool, dict, list, tuple, set, frozenset, type(None))


def wrap(model: Any, **identity: Any) -> HokusaiModel:
    """The wrapper that fits `model`; a `HokusaiModel` is given back as it is.

    Args:
        model: The object of any framework, a callable, or the bytes of an ONNX file.
        **identity: `model_id`, `version`, `model_type`, `metrics` and `metadata`, as for `HokusaiModel`.

    Raises:
        InvalidInputError: It is no model.
        MissingExtraError: Its framework is not installed.
    """
    if isinstance(model, HokusaiModel):
        return model
    kind = framework_of(model)
    module, _, name = _WRAPPERS[kind].partition(":")
    wrapper: type[HokusaiModel] = getattr(importlib.import_module(f"hokusai.core.models.{module}"), name)
    try:
        return wrapper(model, **identity)
    except DataError as problem:
        if not isinstance(model, bytes):
            raise
        raise InvalidInputError(f"The bytes are no model: {problem.what}", hint=_ACCEPTED) from problem


def framework_of(model: Any) -> str:
    """The package that made `model`: `sklearn`, `xgboost`, …; `callable` for what is of no framework.

    Raises:
        InvalidInputError: It is no model.

    >>> framework_of(len)
    'callable'
    """
    if isinstance(model, bytes):
        return "onnx"
    if isinstance(model, type):
        raise InvalidInputError(
            f"The class {model.__name__} was given, and a model made of it was expected",
            where="model",
            hint=f"Make and fit one: {model.__name__}(…)",
        )
    if isinstance(model, _PLAIN):
        raise InvalidInputError(f"{_shown(model)} is no model", where="model", hint=_ACCEPTED)
    roots = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(model).__mro__}
    for name in _WRAPPERS:
        wanted = _BASES.get(name)
        if any(root == name and wanted in (None, cls) for root, cls in roots):
            return _checked(name, model)
    return _checked("callable", model)


def _checked(name: str, model: Any) -> str:
    answers = callable(getattr(model, "predict", None)) or callable(model)
    if answers or (name == "onnx" and hasattr(model, "SerializeToString")):
        return name
    raise InvalidInputError(
        f"{_shown(model)} cannot predict: it has no method predict and is not callable",
        where="model",
        hint=_ACCEPTED,
    )


def _shown(model: Any) -> str:
    text = repr(model)
    return f"{type(model).__name__} {text if len(text) <= 60 else text[:57] + '…'}"
