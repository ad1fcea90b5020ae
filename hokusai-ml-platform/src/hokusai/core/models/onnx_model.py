"""ONNX: a graph as data, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from hokusai.core.models.answers import mirrored
from hokusai.core.models.framework_model import FrameworkModel, NativeFiles
from hokusai.errors import DataError, InvalidInputError, UntrustedModelError
from hokusai.utils.extras import require

FILE = "model.onnx"
PACKAGES = ("onnx", "onnxruntime", "numpy", "pandas")
_PROVIDERS = ("CPUExecutionProvider",)
_DTYPES = {"float": "float32", "double": "float64", "string": "object"}


class OnnxModel(FrameworkModel):
    """An ONNX graph: a `ModelProto`, or its bytes."""

    framework = "ONNX"

    def __init__(self, native: Any, **identity: Any) -> None:
        if isinstance(native, bytes):
            native = parse(native, where="model")
        identity["model_type"] = identity.get("model_type") or "onnx.ModelProto"
        super().__init__(native, **identity)

    @property
    def n_features(self) -> int | None:
        """The width of the only input, where it has one and is a matrix."""
        inputs = self._session.get_inputs()
        width = inputs[0].shape[-1] if len(inputs) == 1 and len(inputs[0].shape) == 2 else None
        return width if isinstance(width, int) else None

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As the graph's own bytes."""
        flavor = {
            "code": None,
            "data": FILE,
            "onnx_session_options": None,
            "onnx_version": require("onnx", "onnx").__version__,
            "providers": list(_PROVIDERS),
        }
        content = self.native.SerializeToString(deterministic=True)
        return NativeFiles("onnx", {FILE: content}, {"onnx": flavor}, PACKAGES)

    def predict(self, data: Any) -> Any:
        """The graph's first output; all of them are in `outputs`."""
        answer = next(iter(self._run(data).values()))
        return mirrored(data, answer)

    def predict_proba(self, data: Any) -> Any:
        """The graph's second output, as converted classifiers have it."""
        answers = list(self._run(data).values())
        if len(answers) < 2:
            raise InvalidInputError(
                "The graph has one output, and probabilities would be a second one",
                where=self.model_id or "predict_proba",
            )
        return mirrored(data, answers[1])

    def outputs(self, data: Any) -> dict[str, Any]:
        """Name to value of all outputs of the graph."""
        return {name: mirrored(data, value) for name, value in self._run(data).items()}

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        return read_onnx(folder, {"data": FILE}, trust)

    @cached_property
    def _session(self) -> Any:
        runtime = require("onnxruntime", "onnx")
        return runtime.InferenceSession(self.native.SerializeToString(), providers=list(_PROVIDERS))

    def _answer(self, rows: Any) -> Any:
        return next(iter(self._run(rows).values()))

    def _run(self, data: Any) -> dict[str, Any]:
        inputs = self._session.get_inputs()
        values = self._session.run(None, _feed(data, inputs))
        return {output.name: value for output, value in zip(self._session.get_outputs(), values, strict=True)}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_session"}


def parse(content: bytes, *, where: str) -> Any:
    """The graph in `content`.

    Raises:
        DataError: It is no ONNX graph.
        UntrustedModelError: It reads its numbers from other files.
    """
    onnx = require("onnx", "onnx")
    try:
        model = onnx.load_model_from_string(content)
        reads_files = _reads_files(model)
        if not reads_files:  # the checker looks for such files
            onnx.checker.check_model(model)
    except Exception as problem:  # protobuf and the checker have errors of their own
        raise DataError(
            f"The bytes are not an ONNX graph: {str(problem).strip().splitlines()[0]}",
            where=where,
            hint="Give the bytes of an .onnx file, or an onnx.ModelProto.",
        ) from problem
    if reads_files:
        raise UntrustedModelError(
            "The graph reads its numbers from other files, which could be any on this machine",
            where=where,
            hint="Store it whole: onnx.load(path) with its data, then give the ModelProto.",
        )
    return model


def read_onnx(folder: Path, conf: Mapping[str, Any], _trust: bool, /) -> Any:
    """What `native_files` or `mlflow.onnx` stored."""
    path = folder / str(conf["data"])
    return parse(path.read_bytes(), where=path.name)


def _reads_files(model: Any) -> bool:
    """Whether any tensor, in whatever part of the graph, lies in a file of its own."""
    rest = [model]
    while rest:
        part = rest.pop()
        if part.DESCRIPTOR.name == "TensorProto" and (part.external_data or part.data_location):
            return True
        for field, value in part.ListFields():
            if field.message_type is not None:
                rest.extend([value] if hasattr(value, "ListFields") else value)
    return False


def _feed(data: Any, inputs: Any) -> dict[str, Any]:
    """What the session is given: input name to array of the type that it declares."""
    import numpy as np

    names = [one.name for one in inputs]
    columns = getattr(data, "columns", None)
    if len(inputs) == 1 and not (isinstance(data, Mapping) and names[0] in data):
        if isinstance(data, Mapping):
            data = [list(data.values())]
        elif isinstance(data, list | tuple) and data and isinstance(data[0], Mapping):
            data = [list(row.values()) for row in data]
        return {names[0]: np.asarray(data, dtype=_dtype(inputs[0]))}
    if columns is not None:
        given: Mapping[str, Any] = {name: data[name].to_numpy().reshape(-1, 1) for name in columns}
    elif isinstance(data, list) and data and isinstance(data[0], Mapping):
        given = {name: [[row[name]] for row in data if name in row] for name in names}
    else:
        given = data if isinstance(data, Mapping) else {}
    lacking = [name for name in names if name not in given]
    if lacking:
        raise InvalidInputError(
            f"The input lacks {', '.join(map(repr, lacking))}",
            where="data",
            hint=f"The graph has the inputs {', '.join(names)}: give a dict of name to array.",
        )
    return {one.name: np.asarray(given[one.name], dtype=_dtype(one)) for one in inputs}


def _dtype(one: Any) -> str:
    """NumPy's name for an input's type, such as `tensor(float)`."""
    kind = one.type.partition("(")[2].rstrip(")")
    return str(_DTYPES.get(kind, kind))
