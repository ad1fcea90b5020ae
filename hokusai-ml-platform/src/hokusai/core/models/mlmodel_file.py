"""The files that make a stored skops model one that MLflow loads: `MLmodel` and what it refers to.

With them `mlflow.sklearn.load_model("runs:/…/models/new")` and `mlflow.pyfunc.load_model` work on what a run
leaves, without Hokusai. They are written by hand, because MLflow's own writer loads the model again, in a process
of its own, to guess its requirements: ten seconds a model. Neither MLflow nor scikit-learn is imported here.
"""

from __future__ import annotations

import io
import json
import platform
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from hokusai.domain.model import ModelArtifact

_SKOPS = ".skops"


def mlflow_files(model: ModelArtifact) -> dict[str, bytes]:
    """The files to store beside the file of `model`, by name; none for a model that is not scikit-learn's."""
    if not model.file_name.endswith(_SKOPS):
        return {}
    python = platform.python_version()
    packages = [f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "numpy", "pandas")]
    described = {
        "flavors": {
            "python_function": {
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.sklearn",
                "model_path": model.file_name,
                "predict_fn": "predict",
                "python_version": python,
            },
            "sklearn": {
                "code": None,
                "pickled_model": model.file_name,  # MLflow's name for it; it is no pickle
                "serialization_format": "skops",
                "sklearn_version": version("scikit-learn"),
                "skops_trusted_types": stored_types(model.content),
            },
        },
        "metadata": {"hokusai.model_id": model.model_id, "hokusai.sha256": model.sha256},
        "mlflow_version": version("mlflow-skinny"),
    }
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    return {
        # JSON is YAML.
        "MLmodel": _as_json(described),
        "python_env.yaml": _as_json(environment),
        "requirements.txt": "".join(f"{line}\n" for line in packages).encode(),
    }


def stored_types(content: bytes) -> list[str]:
    """The import paths of all types in a skops file, sorted, read without loading anything."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
    return sorted(set(_types(schema)))


def _types(node: Any) -> Iterator[str]:
    children = node
    if isinstance(node, dict):
        if isinstance(node.get("__module__"), str) and isinstance(node.get("__class__"), str):
            yield f"{node['__module__']}.{node['__class__']}"
        children = node.values()
    if isinstance(node, dict | list):
        for child in children:
            yield from _types(child)


def _as_json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode()
