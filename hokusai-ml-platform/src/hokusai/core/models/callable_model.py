"""Any callable, and any object with `predict`: stored as a pickle that carries its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hokusai.core.models.answers import mirrored
from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, class_path, json_params
from hokusai.core.models.pickling import dump_by_value, load_pickle

FILE = "model.pkl"
CODE_FILE = "mlflow_model.py"
PACKAGES = ("cloudpickle", "numpy", "pandas")


class CallableModel(FrameworkModel):
    """A function or other callable, or an object of an own class with a method `predict`."""

    framework = "callable"

    def __init__(self, native: Any, **identity: Any) -> None:
        named = native if hasattr(native, "__qualname__") else type(native)
        identity["model_type"] = identity.get("model_type") or class_path(named)
        super().__init__(native, **identity)

    @property
    def params(self) -> dict[str, Any]:
        """What its `get_params` tells, if it has one."""
        told = self.native.get_params() if callable(getattr(self.native, "get_params", None)) else {}
        return json_params(told) if isinstance(told, Mapping) else {}

    def predict(self, data: Any) -> Any:
        """Its answer to `data` as given; JSON-like data give JSON values."""
        return mirrored(data, self._answer(data))

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As a pickle."""
        return pickled_files(self.native, PACKAGES)

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        return load_pickle(folder / FILE, trust=trust)

    def _answer(self, rows: Any) -> Any:
        predict = getattr(self.native, "predict", None)
        return predict(rows) if callable(predict) else self.native(rows)


def pickled_files(
    native: Any, packages: Sequence[str], call: str = "predict", beside: Mapping[str, bytes] | None = None
) -> NativeFiles:
    """`native` as a pickle that carries its code, and what makes it a model of `mlflow.pyfunc`.

    Args:
        native: The object.
        packages: What loading it needs.
        call: How MLflow gets its answer: `predict`, or `records` where it takes one row at a time by keywords.
        beside: Other files to store with it.
    """
    return NativeFiles(
        "cloudpickle",
        {FILE: dump_by_value(native)},
        {"python_function": {"loader_module": "mlflow.pyfunc.model", "model_code_path": CODE_FILE}},
        packages,
        {CODE_FILE: _CODE.replace("CALL", _CALLS[call]).encode(), **(beside or {})},
    )


def read_callable(folder: Path, _conf: Mapping[str, Any], trust: bool, /) -> Any:
    """What `pickled_files` stored."""
    return load_pickle(folder / FILE, trust=trust)


_CALLS = {
    "predict": 'getattr(native, "predict", native)(model_input)',
    "records": '[native(**row).toDict() for row in getattr(model_input, "to_dict", lambda _: model_input)("records")]',
}
_CODE = f'''\"\"\"Makes the pickle beside it a model of mlflow.pyfunc. Written by Hokusai.\"\"\"

from pathlib import Path

import cloudpickle
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

native = cloudpickle.loads(Path(__file__).with_name("{FILE}").read_bytes())


class StoredModel(PythonModel):
    def predict(self, context, model_input, params=None):
        return CALL


set_model(StoredModel())
'''
