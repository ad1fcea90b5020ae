"""PyTorch: an exported graph where an input example is there to trace it, else a pickle of the module.

Neither is loaded without trust: `torch.export.load` unpickles parts of its archive, and works out the expressions in
it by `sympify`, which evaluates text.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.answers import to_json
from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, refuse_unless
from hokusai.core.models.pickling import WHY, carried_by_value
from hokusai.errors import DataError, InvalidInputError
from hokusai.utils.extras import require
from hokusai.utils.logging import get_logger

FOLDER = "data"
EXPORTED = "model.pt2"
PICKLED = "model.pth"
PACKAGES = ("torch", "numpy", "pandas")
_MODULE_INFO = "pickle_module_info.txt"  # MLflow reads from it what to unpickle with


class TorchModel(FrameworkModel):
    """A `torch.nn.Module`. It predicts in evaluation mode and without gradients."""

    framework = "PyTorch"

    @property
    def params(self) -> dict[str, Any]:
        """How many numbers it has."""
        return {"n_parameters": sum(part.numel() for part in self.native.parameters())}

    def native_files(self, example: Any = None, /) -> NativeFiles:
        """As an exported graph where `example` lets it be traced, else as a pickle."""
        torch = require("torch", "torch")
        flavor = {"pytorch": {"code": None, "model_data": FOLDER, "pytorch_version": str(torch.__version__)}}
        content = None if example is None else self._exported(example)
        if content is not None:
            return NativeFiles("torch-export", {f"{FOLDER}/{EXPORTED}": content}, flavor, PACKAGES)
        import cloudpickle

        out = io.BytesIO()
        try:
            with carried_by_value(self.native):
                torch.save(self.native, out, pickle_module=cloudpickle)
        except Exception as problem:
            raise InvalidInputError(
                f"The module cannot be stored: {type(problem).__name__}: {problem}",
                where=self.model_type,
                hint="Give an input_example, so that its graph can be exported.",
            ) from problem
        return NativeFiles(
            "torch-pickle",
            {
                f"{FOLDER}/{PICKLED}": out.getvalue(),
                f"{FOLDER}/{_MODULE_INFO}": b"mlflow.pytorch.pickle_module",
            },
            flavor,
            (*PACKAGES, "cloudpickle"),
        )

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        return read_torch(folder, {"model_data": FOLDER}, trust)

    def _answer(self, rows: Any) -> Any:
        torch = require("torch", "torch")
        given = self._tensor(rows)
        training = self.native.training
        _set_training(self.native, False)
        try:
            with torch.no_grad():
                answer = self.native(given)
        finally:
            _set_training(self.native, training)
        return answer if isinstance(rows, torch.Tensor) else _as_arrays(answer)

    def _tensor(self, rows: Any) -> Any:
        torch = require("torch", "torch")
        if isinstance(rows, torch.Tensor):
            return rows
        first = next(iter(self.native.parameters()), None)
        values = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
        tensor = torch.as_tensor(values)
        if first is None or not tensor.is_floating_point():
            return tensor.float() if first is not None and _is_linear(self.native) else tensor
        return tensor.to(first.dtype).to(first.device)

    def _exported(self, example: Any) -> bytes | None:
        torch = require("torch", "torch")
        given = self._tensor(example)
        rows = (
            torch.cat([given, given]) if given.shape[0] == 1 else given
        )  # one row would be taken for a constant
        training = self.native.training
        self.native.eval()
        try:
            dynamic = ({0: torch.export.Dim("rows")},)
            graph = torch.export.export(self.native, (rows,), dynamic_shapes=dynamic)
            out = io.BytesIO()
            torch.export.save(graph, out)
        except Exception as problem:  # noqa: BLE001 - tracing runs the module's own code, which may do anything
            get_logger(__name__).info(
                "The module is stored as a pickle, its graph cannot be exported",
                model=self.model_type,
                reason=f"{type(problem).__name__}: {str(problem).strip().splitlines()[0]}",
            )
            return None
        finally:
            self.native.train(training)
        return out.getvalue()


def read_torch(folder: Path, conf: Mapping[str, Any], trust: bool, /) -> Any:
    """What `native_files` or `mlflow.pytorch` stored."""
    data = folder / str(conf["model_data"])
    exported = data / EXPORTED
    if exported.exists():
        why = "Loading an exported PyTorch graph unpickles parts of it and evaluates text in it"
        refuse_unless(trust, why, exported.name)
    else:
        refuse_unless(trust, WHY, PICKLED)
    torch = require("torch", "torch")
    try:
        if exported.exists():
            return torch.export.load(exported).module()
        return torch.load(data / PICKLED, weights_only=False, map_location="cpu").eval()
    except Exception as problem:  # whatever its author's code raises, and whatever a damaged file does
        raise DataError(
            f"PyTorch cannot load the model: {type(problem).__name__}: {problem}",
            where=f"{conf['model_data']}",
            hint="It may be damaged, or made by another PyTorch.",
        ) from problem


def _set_training(module: Any, training: bool) -> None:
    try:
        module.train(training)
    except NotImplementedError:  # a loaded graph has one mode
        return


def _is_linear(module: Any) -> bool:
    """Whether whole numbers in are values and not indices into an embedding."""
    return not any(type(part).__name__ in ("Embedding", "EmbeddingBag") for part in module.modules())


def _as_arrays(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _as_arrays(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [_as_arrays(value) for value in answer]
    return answer.detach().cpu().numpy() if hasattr(answer, "detach") else to_json(answer)
