"""The files that make a stored model one that MLflow loads: `MLmodel` and what it refers to.

With them `mlflow.sklearn.load_model("runs:/…/models/new")` and `mlflow.pyfunc.load_model` work on what a run
leaves, without Hokusai. They are written by hand, because MLflow's own writer loads the model again, in a process
of its own, to guess its requirements: ten seconds a model. Neither MLflow nor scikit-learn is imported here.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import metadata as distributions
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import UnionType
from typing import Any

from hokusai.core.models.skops_file import read_schema
from hokusai.domain.model import ModelArtifact
from hokusai.errors import IntegrityError

MLMODEL = "MLmodel"
_SKOPS = ".skops"
_JSON_BYTES = 16 << 20  # the signature of 100,000 columns
_YAML_BYTES = 1 << 20  # the signature of 10,000 columns; YAML takes a hundred times as long to read


def mlflow_files(model: ModelArtifact) -> dict[str, bytes]:
    """The files to store beside the file of `model`, by name; none for a model that is not scikit-learn's."""
    if not model.file_name.endswith(_SKOPS):
        return {}
    flavor = {
        "code": None,
        "pickled_model": model.file_name,  # MLflow's name for it; it is no pickle
        "serialization_format": "skops",
        "sklearn_version": version("scikit-learn"),
        "skops_trusted_types": stored_types(model.content),
    }
    metadata = {"hokusai.model_id": model.model_id, "hokusai.sha256": model.sha256}
    return described_files({"sklearn": flavor}, ("scikit-learn", "skops", "numpy", "pandas"), metadata)


def described_files(
    flavors: Mapping[str, Mapping[str, Any]],
    packages: Sequence[str],
    metadata: Mapping[str, Any],
    signature: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """`MLmodel` and the files that it refers to.

    Args:
        flavors: What each of MLflow's flavors has to know; that of `mlflow.pyfunc` follows from the others.
        packages: Distributions that loading needs; those that are not installed here are left out.
        metadata: Anything else to write down.
        signature: MLflow's signature.
    """
    python = platform.python_version()
    name, conf = next(iter(flavors.items()))
    pyfunc = {"env": {"virtualenv": "python_env.yaml"}, **_pyfunc(name, conf), "python_version": python}
    described = {
        "flavors": {
            "python_function": pyfunc,
            **{n: c for n, c in flavors.items() if n != "python_function"},
        },
        "metadata": dict(metadata),
        "mlflow_version": version("mlflow-skinny"),
        **({"signature": dict(signature)} if signature else {}),
    }
    return {
        MLMODEL: _as_json(described),
        "python_env.yaml": _environment(),
        "requirements.txt": "".join(f"{line}\n" for line in _pinned(tuple(packages))).encode(),
    }


@lru_cache(maxsize=64)
def version(package: str) -> str:
    """The version of an installed distribution; reading it from its files again and again would take longer."""
    return distributions.version(package)


def read_mlmodel(folder: Path) -> dict[str, Any] | None:
    """What an `MLmodel` file says, whoever wrote it; None if there is none.

    Returns:
        At least `flavors`, by name what each has to know, `metadata` and `signature`; the latter two may be empty.

    Raises:
        IntegrityError: It cannot be read.
    """
    path = folder / MLMODEL
    if not path.is_file():
        return None
    size = path.stat().st_size
    if size > _JSON_BYTES:
        raise IntegrityError(f"The file MLmodel has {size:,} bytes, more than {_JSON_BYTES:,}", where=MLMODEL)
    text = path.read_bytes()
    try:
        told = json.loads(text)
    except ValueError:
        told = _from_yaml(text)
    except RecursionError as problem:
        raise not_mlmodel() from problem
    if not isinstance(told, dict):
        raise not_mlmodel()
    told = {**told, "metadata": told.get("metadata") or {}, "signature": told.get("signature") or {}}
    if not (
        _is_table(told.get("flavors"), dict)
        and isinstance(told["metadata"], dict)
        and _is_table(told["signature"], str | None)
    ):
        raise not_mlmodel()
    return told


def not_mlmodel() -> IntegrityError:
    """The error that says that an `MLmodel` has another form than it should."""
    return IntegrityError("The file MLmodel is not one that MLflow or Hokusai wrote", where=MLMODEL)


def stored_types(content: bytes) -> list[str]:
    """The import paths of all types in a skops file, sorted, read without loading anything."""
    return sorted(set(_types(read_schema(content))))


def _from_yaml(text: bytes) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Without aliases: MLflow writes none, and a few lines of them can stand for more than memory holds."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("an alias")
            return super().compose_node(parent, index)

    if len(text) > _YAML_BYTES:
        raise IntegrityError(
            f"The file MLmodel has {len(text):,} bytes of YAML, more than {_YAML_BYTES:,}", where=MLMODEL
        )
    try:
        return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as problem:
        raise not_mlmodel() from problem


def _is_table(part: object, kind: type | UnionType) -> bool:
    """Whether it maps texts to values of this kind."""
    return isinstance(part, dict) and all(
        isinstance(key, str) and isinstance(value, kind) for key, value in part.items()
    )


def _types(node: Any) -> Iterator[str]:
    children = node
    if isinstance(node, dict):
        if isinstance(node.get("__module__"), str) and isinstance(node.get("__class__"), str):
            yield f"{node['__module__']}.{node['__class__']}"
        children = node.values()
    if isinstance(node, dict | list):
        for child in children:
            yield from _types(child)


def _pyfunc(flavor: str, conf: Mapping[str, Any]) -> dict[str, Any]:
    """What `mlflow.pyfunc` has to know; each of MLflow's flavors calls its file another name."""
    if flavor == "python_function":
        return dict(conf)
    if flavor == "sklearn":
        files = {"model_path": conf["pickled_model"], "predict_fn": "predict"}
        return {"loader_module": "mlflow.sklearn", **files}
    place = {"pytorch": "model_data", "keras": None}.get(flavor, "data")
    return {"loader_module": f"mlflow.{flavor}", **({"data": conf[place]} if place else {})}


@lru_cache(maxsize=1)
def _environment() -> bytes:
    python = platform.python_version()
    return _as_json(
        {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    )


@lru_cache(maxsize=64)
def _pinned(packages: tuple[str, ...]) -> tuple[str, ...]:
    lines = []
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            lines.append(f"{name}=={version(name)}")
    return tuple(lines)


def _as_json(data: dict[str, Any]) -> bytes:
    """JSON, which is YAML."""
    return (json.dumps(data, indent=2) + "\n").encode()
